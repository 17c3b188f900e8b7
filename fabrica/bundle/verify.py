"""Checks a bundle: the signature, every byte of every file, the expiry, and whatever can be reckoned again.

Nothing is believed before the signature holds, and no content before its bytes are the signed ones. What does not hold
is a sentence each; only where there is nothing to check (no such bundle, no usable key) an error is raised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from fabrica.bundle.canonical import parse
from fabrica.bundle.claims import Opened, unkept
from fabrica.bundle.contents import Contents, demand_some, opened
from fabrica.bundle.envelope import ATTESTATION, Statement, unsealed
from fabrica.bundle.keys import ASK, public_key
from fabrica.bundle.manifest import MANIFEST
from fabrica.bundle.marks import digests
from fabrica.bundle.names import check_names, stray
from fabrica.bundle.page_one import lines
from fabrica.errors import InputError, SettingError

__all__ = ["Verification", "verify"]

STEP = 1 << 20


@dataclass(frozen=True)
class Verification:
    """What came of checking a bundle.

    Parameters
    ----------
    holds : whether every byte and every claim that can be reckoned again holds.
    problems : what does not, a sentence each. claim : what was signed about the release; empty where anything does not
        hold, for then nobody vouches for it. files : how many files the signature covers.
    """

    holds: bool
    problems: tuple[str, ...] = ()
    claim: Mapping[str, Any] = field(default_factory=dict)
    files: int = 0

    @property
    def lines(self) -> list[str]:
        """The result a line each: page one where it holds, else what does not and nothing that is only claimed."""
        if not self.holds:
            return [f"does not hold: {one}" for one in self.problems]
        return [f"holds: the signature, every byte of {self.files} files, and what can be reckoned again",
                *lines(self.claim)]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def to_json(self) -> dict[str, Any]:
        return {"holds": self.holds, "problems": list(self.problems), "files": self.files, "claim": dict(self.claim)}


def verify(bundle: str | Path, key: str | Path | Sequence[str | Path], *, today: date | str | None = None
           ) -> Verification:
    """Check a bundle, offline.

    Parameters
    ----------
    bundle : its folder, or a .zip of it.
    key : file of the public key, or several where several have signed; to be had on another way than the bundle.
    today : the day on which it must hold, also as ``"2027-11-28"``; today, if not said.

    Raises
    ------
    InputError : there is no such bundle, a file of it cannot be read, or a key cannot be used. SettingError : no key is
        given.

    >>> fabrica.verify("bundle/", "signer.pub.pem").holds                              # doctest: +SKIP
    True
    """
    keys = [public_key(one) for one in ([key] if isinstance(key, str | Path) else key)]
    if not keys:
        raise SettingError("is needed: without the public key of who signed anybody may have made the bundle",
                           where="key", hint=f"{ASK}, and give it: --key signer.pub.pem")
    day = date.fromisoformat(today) if isinstance(today, str) else today or datetime.now(UTC).date()
    path = Path(bundle).expanduser()
    try:
        demand_some(path)
        return _checked(path, keys, day)
    except OSError as error:
        raise InputError(f"cannot be read ({(error.strerror or '').lower()})", where=str(error.filename or bundle)
                         ) from None


def _checked(path: Path, keys: Sequence[Any], day: date) -> Verification:
    try:
        with opened(path) as files:
            statement = unsealed(files.read(ATTESTATION), keys)
            _demand_page_one(statement.claim)
            problems = tuple(_problems(files, statement, day))
            return Verification(not problems, problems, {} if problems else statement.claim, len(statement.digests))
    except InputError as error:
        return Verification(False, (str(error),))


def _demand_page_one(claim: Mapping[str, Any]) -> None:
    try:
        lines(claim)
    except (LookupError, TypeError, AttributeError):
        raise InputError("the statement lacks something that page one says", where=ATTESTATION) from None


def _problems(files: Contents, statement: Statement, day: date) -> Iterator[str]:
    found = [*_names(files, statement)]
    changed, judged = _bytes(files, statement)
    found += changed
    if not day.isoformat() <= str(statement.claim.get("expires")):
        found.append(f"the release expired on {statement.claim.get('expires')}")
    yield from found
    if not found:
        yield from unkept(Opened(files, statement, judged))


def _names(files: Contents, statement: Statement) -> Iterator[str]:
    check_names(statement.digests, ATTESTATION)
    here = set(files.sizes) - {ATTESTATION}
    yield from (f"{name}: the file is missing" for name in sorted(set(statement.digests) - here))
    yield from ("; ".join([f"{name}: nobody signed this file", *filter(None, [stray(name)])])
                for name in sorted(here - set(statement.digests)))


def _bytes(files: Contents, statement: Statement) -> tuple[list[str], str | None]:
    """Which files were changed; and the digest of the data before it was marked."""
    changed, judged = [], None
    sizes = _sizes(files, statement)
    for name, wanted in sorted(statement.digests.items()):
        if name not in files.sizes:
            continue
        if sizes.get(name, files.sizes[name]) != files.sizes[name]:
            found = ""  # and an archive that would unpack to a thousand times its size is not unpacked
        elif name == statement.claim.get("data"):
            with files.path(name).open("rb") as file:
                found, judged = digests(file, files.sizes[name])
        else:
            found = _digest(files, name)
        if found != wanted:
            changed.append(f"{name}: was changed after it was signed")
    return changed, judged


def _sizes(files: Contents, statement: Statement) -> Mapping[str, int]:
    """How long the files are, as the manifest says, where its own bytes are the signed ones."""
    if MANIFEST not in files.sizes or _digest(files, MANIFEST) != statement.digests.get(MANIFEST):
        return {}
    try:
        return {one["name"]: one["bytes"] for one in parse(files.read(MANIFEST), MANIFEST)["files"]}
    except (LookupError, TypeError):
        return {}


def _digest(files: Contents, name: str) -> str:
    digest = hashlib.sha256()
    with files.open(name) as file:
        while piece := file.read(STEP):
            digest.update(piece)
    return digest.hexdigest()
