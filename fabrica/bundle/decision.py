"""What the gate decided, read from its ``gate.json`` and held against itself.

A verdict is believed only where it follows from the tests: one that failed fails all, one without a result leaves all
open, and a test passed only where the upper end of its bound is within its threshold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fabrica.bundle.canonical import canonical
from fabrica.errors import InputError

__all__ = ["Decision"]

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"
ORDER = (FAIL, INCONCLUSIVE, PASS)  #: what several verdicts are together: the first that is among them
VERSION = 1
#: test -> fields of a tier that say what it accepts
ASKED: Mapping[str, Sequence[str]] = {
    "copies": ("copies", "near"), "singling_out": ("singling_out",), "linkability": ("linkability",),
    "inference": ("inference",), "membership": ("membership",), "outliers": ("outliers",), "rows": ("rows",),
    "attempts": ("attempts",)}


@dataclass(frozen=True)
class Decision:
    """``plain`` is the content of ``gate.json``.

    >>> plain = {"fabrica_gate": 1, "tier": "partner", "policy": {"name": "house"}, "verdict": "PASS", "tests": [
    ...     {"id": "G2", "name": "copies", "verdict": "PASS", "high": 0.001, "threshold": 0.002}],
    ...     "subject": {"data": "0" * 64}, "made": "2026-11-28T09:00:00Z", "expires_months": 12}
    >>> decision = Decision.from_json(plain)
    >>> decision.passed, decision.policy, decision.last_day.isoformat(), decision.problems()
    (True, 'house', '2027-11-28', [])
    """

    plain: Mapping[str, Any]

    @classmethod
    def from_json(cls, plain: Any, where: str = "gate.json") -> Decision:
        """Raises ``InputError`` where it is no decision of a gate, or one of another version."""
        if not isinstance(plain, Mapping) or "fabrica_gate" not in plain:
            raise InputError("is no decision of a gate", where=where, hint="run 'fabrica gate' again")
        if plain["fabrica_gate"] != VERSION:
            raise InputError("the decision of the gate was written by another version of fabrica", where=where,
                             hint="run 'fabrica gate' again")
        found = cls(plain)
        try:
            if not all((found.tier, found.policy, found.data, found.made, found.last_day, found.signatures)):
                raise ValueError
            if not isinstance(plain["tests"], list) or plain["verdict"] not in ORDER:
                raise ValueError
        except (LookupError, TypeError, ValueError, AttributeError):
            raise InputError("the decision of the gate lacks something that it must say", where=where,
                             hint="run 'fabrica gate' again") from None
        return found

    @property
    def verdict(self) -> str:
        return str(self.plain["verdict"])

    @property
    def passed(self) -> bool:
        return self.verdict == PASS

    @property
    def tier(self) -> str:
        return str(self.plain["tier"])

    @property
    def policy(self) -> str:
        return str(self.plain["policy"]["name"])

    @property
    def tests(self) -> list[Mapping[str, Any]]:
        return list(self.plain["tests"])

    @property
    def data(self) -> str:
        """SHA-256 of the file that was judged."""
        return str(self.plain["subject"]["data"])

    @property
    def made(self) -> date:
        return datetime.fromisoformat(str(self.plain["made"]).replace("Z", "+00:00")).date()

    @property
    def last_day(self) -> date:
        """Until when the decision holds."""
        months = self.made.month - 1 + int(self.plain["expires_months"])
        year, month = self.made.year + months // 12, months % 12 + 1
        for day in range(self.made.day, 27, -1):
            try:
                return date(year, month, day)
            except ValueError:
                continue
        return date(year, month, min(self.made.day, 28))

    @property
    def signatures(self) -> int:
        """How many different people must approve."""
        policy = self.plain["policy"]
        tier = (policy.get("tiers") or {}).get(self.tier) or {}
        usual = 1 if self.tier == "internal" else 2
        return int(policy.get("signatures", tier.get("signatures", usual)))

    @property
    def waivers(self) -> list[str]:
        """What the policy loosened, a line each."""
        return [_line(one) for one in self.plain.get("waivers") or ()]

    @property
    def attempts(self) -> int:
        """How many twins of this table were tried."""
        return int(self.plain.get("attempts", 1))

    def problems(self) -> list[str]:
        """Where the decision does not follow from its own tests; a sentence each."""
        found = [problem for test in self.tests for problem in _problems(test)]
        verdicts = {test.get("verdict") for test in self.tests if isinstance(test, Mapping)}
        follows = next((one for one in ORDER if one in verdicts), INCONCLUSIVE)
        if follows != self.verdict:
            found.append(f"the gate's verdict is {self.verdict}, and from its tests {follows} follows")
        policy = dict(self.plain["policy"])
        digest = policy.pop("digest", None)
        if digest is not None and hashlib.sha256(canonical(policy)).hexdigest() != digest:
            found.append("the policy in the decision is not the one of its digest")
        tier = (policy.get("tiers") or {}).get(self.tier) or {}
        return [*found, *_departures([test for test in self.tests if isinstance(test, Mapping)], tier)]


def _departures(tests: Sequence[Mapping[str, Any]], tier: Mapping[str, Any]) -> list[str]:
    """Where tests are not those that the tier asks for, or have another threshold than it says."""
    found, names = list[str](), {test.get("name") for test in tests}
    for name, fields in ASKED.items():
        accepted = [tier[field] for field in fields if isinstance(tier.get(field), int | float)]
        if accepted and name not in names:
            found.append(f"the policy asks for the test {name}, and the decision has none")
        here = (test.get("threshold") for test in tests if test.get("name") == name)
        if accepted and any(isinstance(one, int | float) and one > max(accepted) for one in here):
            found.append(f"test {name} accepts more than its policy does")
    return found


def _problems(test: Any) -> list[str]:
    if not isinstance(test, Mapping) or not isinstance(test.get("verdict"), str):
        return ["a test of the gate has no verdict"]
    high, threshold = test.get("high"), test.get("threshold")
    numbers = all(isinstance(one, int | float) for one in (high, threshold))
    if test["verdict"] == PASS and numbers and high > threshold:  # type: ignore[operator]
        return [f"test {test.get('id')} says PASS, and its bound is beyond its threshold"]
    value, exact = test.get("value"), test.get("name") in ("identifiers", "rare", "rows", "attempts")
    if test["verdict"] == PASS and exact and isinstance(value, int | float) and isinstance(threshold, int | float) and (
            value > threshold):
        return [f"test {test.get('id')} says PASS, and what it counted is beyond its threshold"]
    return []


def _line(waiver: Any) -> str:
    if not isinstance(waiver, Mapping):
        return str(waiver)
    return f"tier {waiver.get('tier')}, {waiver.get('field')}: {waiver.get('reason')} ({waiver.get('by')})"
