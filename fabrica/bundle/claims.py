"""What a bundle says and can be reckoned again: rows, columns, epsilon, the gate's verdict, which file was judged.

Each check takes the bundle's own files, whose bytes the signature covers, and gives a sentence for what does not hold.
A signed number is still believed only where it comes out again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fabrica.bundle.approvals import Approver, different
from fabrica.bundle.canonical import parse
from fabrica.bundle.contents import Contents
from fabrica.bundle.envelope import Statement
from fabrica.bundle.evidence import QUESTIONS
from fabrica.bundle.manifest import MANIFEST
from fabrica.dataset import Dataset
from fabrica.errors import FabricaError, InputError
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.follows import unfounded
from fabrica.privacy.ledger import Ledger
from fabrica.report import Finding, Report
from fabrica.verdict import graded

__all__ = ["CHECKS", "Opened", "unkept"]

CLOSE = 1e-9  #: relative difference of an epsilon that is reckoned twice


@dataclass(frozen=True)
class Opened:
    """A bundle whose bytes hold: its files, its statement, and the digest of its data file before it was marked."""

    files: Contents
    statement: Statement
    judged: str | None

    @property
    def claim(self) -> Mapping[str, Any]:
        return self.statement.claim

    def json(self, name: str) -> Any:
        return parse(self.files.read(name), name)

    @cached_property
    def manifest(self) -> Any:
        return self.json(MANIFEST)

    @cached_property
    def decision(self) -> Decision:
        return Decision.from_json(self.json("evidence/gate.json"), "evidence/gate.json")


def listed(bundle: Opened) -> Iterator[str]:
    """The manifest lists the files that are there."""
    told = {one["name"]: (one["sha256"], one["bytes"]) for one in bundle.manifest["files"]}
    here = {name: (digest, bundle.files.sizes[name]) for name, digest in bundle.statement.digests.items()
            if name != MANIFEST}
    if told != here or bundle.manifest["bundle"] != bundle.claim["bundle"]:
        yield f"{MANIFEST}: lists other files than the signed ones"


def shaped(bundle: Opened) -> Iterator[str]:
    """The data has the rows and columns that are said."""
    name, told = bundle.claim["data"], bundle.manifest["data"]
    if not name:
        return
    data = Dataset.open(bundle.files.path(name))
    rows, columns = data.count(), list(data.schema.names)
    if not rows == told["rows"] == bundle.claim["rows"]:
        yield f"{name}: has {rows} rows, and {bundle.claim['rows']} are said"
    if columns != told["columns"] or len(columns) != bundle.claim["columns"]:
        yield f"{name}: has other columns than are said"


def judged(bundle: Opened) -> Iterator[str]:
    """The data is the file that the gate judged: itself, or itself before it was marked as synthetic."""
    name = bundle.claim["data"]
    if name and bundle.decision.data not in (bundle.judged, bundle.statement.digests.get(name)):
        yield f"{name}: is not the file that the gate judged"


def decided(bundle: Opened) -> Iterator[str]:
    """The verdict follows from policy, tests and evidence, and is the one on page one."""
    own = bundle.decision
    said = {"verdict": own.verdict, "tier": own.tier, "policy": own.policy.name, "policy_digest": own.policy.digest,
            "tests": len(own.outcomes), "waivers": own.waivers, "attempts": own.attempts,
            "before": own.told_before, "source": own.source,
            "profile": "public" if own.rounded else "internal"}
    if any(bundle.claim[name] != value for name, value in said.items()):
        yield "evidence/gate.json: says something else than page one"
    likeness = bundle.json("evidence/fidelity.json").get("likeness")
    if likeness != bundle.claim["likeness"]:
        yield "evidence/fidelity.json: grades the likeness otherwise than page one"
    if not own.rounded:
        found = [one for name in QUESTIONS for one in bundle.json(f"evidence/{name}.json")["findings"]]
        report = Report(tuple(map(Finding.from_json, found)))
        if graded(report) != likeness:
            yield "evidence/fidelity.json: another grade of the likeness follows from the findings"
        yield from unfounded(own, report, bundle.claim["rows"], None, bundle.json("evidence/dp.json").get("epsilon"))
    if not own.passed and not bundle.claim["without_pass"]:
        yield "the gate did not pass it, and no reason is given for releasing it all the same"
    if own.rounded and own.tier != "public" and not bundle.claim["beyond_tier"]:
        yield f"it is told to everybody, was judged at tier {own.tier}, and no reason is given"


def approved(bundle: Opened) -> Iterator[str]:
    """Those who approve are those on page one, enough of them, and the last day is within the policy's."""
    told = bundle.json("approvals.json")
    if any(told[name] != bundle.claim[name] for name in ("approvals", "expires", "purpose", "recipients", "waivers")):
        yield "approvals.json: says something else than page one"
    people, asked = [Approver(**one) for one in told["approvals"]], bundle.decision.signatures
    if bundle.claim["approvals_counted"] != different(people):
        yield "approvals.json: says another number of different people than page one"
    if different(people) < asked or bundle.claim["approvals_asked"] != asked:
        yield f"approvals.json: fewer people approve than policy {bundle.claim['policy']} asks for"
    if bundle.claim["expires"] > bundle.decision.last_day.isoformat():
        yield f"it is said to hold until {bundle.claim['expires']}, which is beyond the policy's"


def paid(bundle: Opened) -> Iterator[str]:
    """The epsilon is what the events of the ledger add up to, and at most what was promised."""
    told = bundle.json("evidence/dp.json")
    if not told["measured"]:
        if bundle.claim["epsilon"]:
            yield "evidence/dp.json: an epsilon is said, and there is no ledger of it"
        return
    ledger = Ledger.from_json(told["ledger"], "evidence/dp.json")
    epsilon = ledger.epsilon()
    if not (math.isclose(epsilon, told["epsilon"], rel_tol=CLOSE) and f"{epsilon:.6g}" == bundle.claim["epsilon"]):
        yield f"evidence/dp.json: the events add up to epsilon {epsilon:.6g}, and {bundle.claim['epsilon']} is said"
    if epsilon > ledger.terms.epsilon * (1 + CLOSE):
        yield f"evidence/dp.json: epsilon {epsilon:.6g} is more than the {ledger.terms.epsilon:g} that was promised"


CHECKS: tuple[Callable[[Opened], Iterator[str]], ...] = (listed, shaped, judged, decided, approved, paid)


def unkept(bundle: Opened) -> list[str]:
    """All that does not come out again; a claim that cannot be reckoned at all is one of them."""
    found: list[str] = []
    for check in CHECKS:
        try:
            found += check(bundle)
        except FabricaError as error:
            found.append(str(error))
        except (LookupError, TypeError, ValueError, AttributeError):
            found.append(str(InputError(f"cannot be reckoned again ({(check.__doc__ or '').splitlines()[0]})",
                                        where="the claims")))
    return list(dict.fromkeys(found))
