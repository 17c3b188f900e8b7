"""Makes a bundle of a folder of results: all files or none, then one signature over every byte of them.

The order matters: shared files first, then what tells of them by their digests, the manifest, and the attestation at
the end.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from fabrica.bundle import public, sbom
from fabrica.bundle.approvals import approvals, approved, different, until
from fabrica.bundle.card import html_card, markdown_card, verify_page
from fabrica.bundle.croissant import croissant
from fabrica.bundle.envelope import ATTESTATION, FORMAT, Statement, sealed
from fabrica.bundle.evidence import evidence
from fabrica.bundle.keys import fingerprint, signing_key
from fabrica.bundle.limits import limits
from fabrica.bundle.made import Made, demand_judged
from fabrica.bundle.manifest import MANIFEST, manifest
from fabrica.bundle.marks import digests, mark
from fabrica.bundle.provenance import config, provenance
from fabrica.bundle.stage import whole
from fabrica.bundle.trust import trust
from fabrica.errors import InputError, SettingError, UnknownName
from fabrica.gatehouse.outcome import PASS
from fabrica.version import VERSION

__all__ = ["PROFILES", "Release", "release"]

PROFILES = ("internal", "public")
STEP = 1 << 20


@dataclass(frozen=True)
class Release:
    """A bundle that was written: where, and what stands on page one."""

    path: Path
    claim: Mapping[str, Any]


def release(folder: str | Path, out: str | Path, *, key: str | Path | Sequence[str | Path],
            approvers: str | Sequence[str], purpose: str = "", recipients: Sequence[str] = (),
            name: str = "", expires: str | date | None = None, profile: str = "internal", data: bool = True,
            model: bool = False, without_pass: str = "", beyond_tier: str = "", intruder: str | Path | None = None,
            password: bytes | None = None) -> Release:
    """Write a signed bundle of what ``synth`` and ``gate`` have left in a folder.

    Parameters
    ----------
    folder, out : the results; the folder of the bundle, which must not be there or be empty.
    key : file of the private key that signs (``fabrica key``), or several. password : that opens it.
    approvers : who answers for it, ``"role: name"`` each; how many is the policy's say.
    purpose, recipients : what it is for, and for whom.
    name : of the table, for people; if not said, its own, and in the public profile ``table``.
    expires : its last day, ``"2027-11-28"``; as late as the policy allows, if not said.
    profile : ``internal`` (full numbers) or ``public`` (rounded, nothing about few people).
    data, model : what is shared. without_pass : why it is released though the gate did not pass it.
    beyond_tier : why everybody may read the public profile though the gate judged for a smaller circle.
    intruder : a text file (Markdown) about a motivated intruder: who tried to find somebody, with what, and what came.

    Raises
    ------
    FabricaError : the gate has not judged this data or did not pass it, too few approve, a key cannot be used.

    >>> fabrica.release("out", "bundle", key="signer.pem",
    ...                 approvers="privacy officer: Ada Example").path                  # doctest: +SKIP
    """
    now = datetime.now(UTC)
    if profile not in PROFILES:
        raise UnknownName("profile", profile, list(PROFILES))
    if not data and not model:
        raise SettingError("nothing is left to release", where="data", hint="share the data, the model, or both")
    said = [key] if isinstance(key, str | Path) else key
    keys = {fingerprint(one.public_key()): one for one in (signing_key(file, password) for file in said)}
    made = Made.of(folder)
    _demand_pass(made, without_pass)
    _demand_tier(made, profile, beyond_tier)
    record = _intruder(intruder)
    people = approved([approvers] if isinstance(approvers, str) else approvers, made.decision)
    claim = _claim(made, {
        "approvals": [one.to_json() for one in people], "approvals_counted": different(people),
        "expires": until(expires, made.decision, now.date()).isoformat(),
        "made": now.isoformat(timespec="seconds").replace("+00:00", "Z"), "profile": profile, "purpose": _line(purpose),
        "name": _line(name) or ("table" if profile == "public" else made.name),
        "recipients": [_line(one) for one in recipients], "without_pass": _line(without_pass),
        "beyond_tier": _line(beyond_tier),
        "signers": sorted(keys),
        "data": f"data/{made.data.name}" if data else "", "model": "model/model.fab" if model else ""})
    with whole(out) as stage:
        files = _Written(stage)
        if record:
            files.add("evidence/intruder.md", record)
        _write(files, made, claim, now)
        statement = Statement(files.digests, claim)
        (stage / ATTESTATION).write_bytes(sealed(statement, list(keys.values())))
    return Release(Path(out), claim)


def _demand_pass(made: Made, without: str) -> None:
    decision = made.decision
    if decision.passed and without:
        raise SettingError("is not needed: the gate passed it", where="without-pass", hint="leave it out")
    if not decision.passed and not without.strip():
        open_tests = [one.name for one in decision.outcomes if one.verdict != PASS]
        raise InputError(f"the verdict is {decision.verdict} under policy {decision.policy.name} at tier "
                         f"{decision.tier} ({', '.join(open_tests)})", where=str(made.folder / "gate.json"),
                         hint='mend it and run \'fabrica gate\' again, or say on page one why it is released all the '
                              'same: --without-pass "reason"')


def _demand_tier(made: Made, profile: str, beyond: str) -> None:
    """Raises where the public profile is of a decision for a smaller circle, and nobody says why."""
    tier, wider = made.decision.tier, profile == "public" and made.decision.tier != "public"
    if beyond and not wider:
        raise SettingError("is not needed: nobody reads it for whom the gate did not judge", where="beyond-tier",
                           hint="leave it out")
    if wider and not beyond.strip():
        raise InputError(f"was decided at tier {tier}, and the public profile is for everybody",
                         where=str(made.folder / "gate.json"),
                         hint="run 'fabrica gate --tier public', or say on page one why everybody may have it all the "
                              'same: --beyond-tier "reason"')


def _intruder(path: str | Path | None) -> str:
    """The text about a motivated intruder."""
    if path is None:
        return ""
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
        wrong = "" if text.strip() else "is empty"
    except OSError as error:
        wrong = f"the text about an intruder cannot be read ({(error.strerror or '').lower()})"
    except ValueError:
        wrong = "is no text in UTF-8"
    if wrong:
        raise InputError(wrong, where=str(path), hint="write down there who tried to find somebody, with what, for how "
                                                      "long, and what came of it; or leave --intruder out")
    return text


def _line(text: str) -> str:
    """A text of the user on one line."""
    return " ".join(str(text).split())


def _claim(made: Made, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the statement says: page one, as texts and whole numbers."""
    decision, ledger = made.decision, made.ledger
    source = (public.decision(decision) if said["profile"] == "public" else decision).source
    return {"format": FORMAT, "bundle": str(uuid.uuid4()), "generator": f"fabrica {VERSION}", "tier": decision.tier,
            "policy": decision.policy.name, "policy_digest": decision.policy.digest,
            "verdict": decision.verdict, "tests": len(decision.outcomes), "waivers": decision.waivers,
            "before": decision.told_before, "source": source, "likeness": made.likeness,
            "approvals_asked": decision.signatures, "attempts": decision.attempts, "rows": made.rows,
            "columns": len(made.names),
            "epsilon": f"{ledger.epsilon():.6g}" if ledger else "",
            "delta": f"{ledger.terms.delta:g}" if ledger else "", "unit": ledger.terms.whose if ledger else "", **said}


@dataclass
class _Written:
    """The files that lie in the stage, by their names, with digests and sizes."""

    stage: Path
    digests: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, content: str | Mapping[str, Any] | Path) -> None:
        """Write a text, a plain value as JSON, or a copy of a file."""
        path = self.place(name)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False,
                                                                       allow_nan=False) + "\n"
            path.write_bytes(text.encode())
        self.note(name)

    def place(self, name: str) -> Path:
        path = self.stage / name
        path.parent.mkdir(exist_ok=True)
        return path

    def note(self, name: str) -> None:
        """Remember the digest of a file that was written."""
        digest = hashlib.sha256()
        with (self.stage / name).open("rb") as file:
            while piece := file.read(STEP):
                digest.update(piece)
        self.digests[name], self.sizes[name] = digest.hexdigest(), (self.stage / name).stat().st_size


def _write(files: _Written, made: Made, claim: Mapping[str, Any], now: datetime) -> None:
    """All files but the attestation."""
    before = set(files.digests)
    _share(files, made, claim)
    shared = {name: digest for name, digest in files.digests.items() if name not in before}
    answers = evidence(made, claim["profile"])
    for name, content in answers.items():
        files.add(f"evidence/{name}", content)
    tests = answers["gate.json"]["tests"]
    withheld = sum(int(one.get("withheld", 0)) for one in answers.values())
    software = sbom.installed()
    files.add("approvals.json", approvals(claim, made.decision))
    files.add("config.json", config(made, claim["profile"]))
    files.add("croissant.json", croissant(made, claim, shared, files.sizes))
    files.add("datacard.md", markdown_card(made, claim, tests))
    files.add("datacard.html", html_card(made, claim, tests))
    files.add("limits.md", limits(made, claim, tests, withheld))
    files.add("lock.txt", sbom.lock(software))
    files.add("provenance.json", provenance(made, claim, shared, now))
    files.add("sbom.cdx.json", sbom.bill(software, claim, shared))
    files.add("TRUST.md", trust(claim))
    files.add("verify.html", verify_page())
    files.add("verify.py", Path(__file__).with_name("standalone.py"))
    if claim["profile"] == "internal":
        _in_full(files, made)
    files.add(MANIFEST, manifest(claim, files.digests, files.sizes, made.names))


def _share(files: _Written, made: Made, claim: Mapping[str, Any]) -> None:
    """The data, marked as synthetic where the format has a place for it, and the model. What is judged is the copy that
    is released: the original may have changed since it was looked at."""
    if name := claim["data"]:
        if made.data.suffix in (".parquet", ".pq"):
            mark(made.data, files.place(name), {"synthetic": "true", "fabrica:bundle": claim["bundle"],
                                                "fabrica:generator": claim["generator"]})
            files.note(name)
        else:
            files.add(name, made.data)
        with (files.stage / name).open("rb") as file:
            copied = digests(file, files.sizes[name])
        if made.digest not in copied:
            raise InputError("was changed while the bundle was written", where=str(made.data),
                             hint="run 'fabrica gate' again")
    if name := claim["model"]:
        model = made.folder / "model.fab"
        if not model.exists():
            raise InputError("there is no model to share", where=str(model), hint="leave --model out")
        files.add(name, model)
        demand_judged(files.digests[name], made.decision, "model", model)


def _in_full(files: _Written, made: Made) -> None:
    """What only the internal profile has."""
    for name in ("report.html", "evidence.html"):
        if (made.folder / name).exists():
            files.add(name, made.folder / name)
    files.add("schema.json", made.schema)
