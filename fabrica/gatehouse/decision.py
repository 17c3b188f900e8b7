"""The decision: all tests of one policy at one tier on one twin, written down so that it can be signed and read.

It never says that data are anonymous. It says that one file passed one policy at one tier on these tests, or did not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.errors import InputError
from fabrica.gatehouse.outcome import Outcome, joined
from fabrica.gatehouse.policy import Policy

__all__ = ["Decision"]


@dataclass(frozen=True)
class Decision:
    """Parameters
    ----------
    tier : the circle of recipients. policy : by which it was decided. outcomes : of the tests, in their order.
    attempts : twins of this table that were brought to the gate. subject : ``data`` (SHA-256 of the file), ``rows``.
    made : when, as ISO 8601. versions : of what measured.

    >>> decision = Decision("partner", Policy(), (Outcome("G2", "copies", "PASS", "none"),))
    >>> decision.verdict, str(decision).splitlines()[0]
    ('PASS', 'PASS: policy fabrica at tier partner, on these tests')
    """

    tier: str
    policy: Policy
    outcomes: tuple[Outcome, ...]
    attempts: int = 1
    subject: Mapping[str, Any] = field(default_factory=dict)
    made: str = ""
    versions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """PASS, FAIL or INCONCLUSIVE; whatever is no PASS keeps the gate shut."""
        return joined(list(self.outcomes))

    @property
    def waivers(self) -> list[str]:
        """What the policy is looser in than the house's, at this tier, and who answers for it."""
        return self.policy.waived(self.tier)

    @property
    def unasked(self) -> list[str]:
        """What the tier asks of groups of people and was not asked, because no columns were declared; a line each."""
        asked, names = self.policy.tier(self.tier), {one.name for one in self.outcomes}
        groups = {"representation": asked.share, "label_gap": asked.amplified, "downstream_gap": asked.amplified_model,
                  "downstream_gap_odds": asked.amplified_model}
        left = [name for name, most in groups.items() if most is not None and name not in names]
        why = ("no protected columns were declared (--protected)" if "representation" in left else
               "protected columns and a target were not both declared (--protected, --target)")
        return [f"{', '.join(left)}: {why}"] if left else []

    def words(self) -> list[str]:
        """The decision in lines: first what it is, then waivers, then test by test, then what was not asked."""
        head = f"{self.verdict}: policy {self.policy.name} at tier {self.tier}, on these tests"
        waived = [f"waiver: {one}" for one in self.waivers]
        wide = max((len(one.name) for one in self.outcomes), default=0)
        return [head, *waived, *(f"  {one.verdict:<13} {one.name:<{wide}}  {one.why}" for one in self.outcomes),
                *(f"  {'not asked':<13} {one}" for one in self.unasked)]

    def __str__(self) -> str:
        return "\n".join(self.words())

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_gate": 1, "verdict": self.verdict, "tier": self.tier,
                "policy": {**self.policy.to_json(), "digest": self.policy.digest}, "waivers": self.waivers,
                "tests": [one.to_json() for one in self.outcomes], "unasked": self.unasked, "attempts": self.attempts,
                "subject": dict(self.subject), "made": self.made, "versions": dict(self.versions),
                "signatures": self.policy.tier(self.tier).signatures,
                "expires_months": self.policy.tier(self.tier).months}

    @classmethod
    def from_json(cls, plain: Any, where: str = "gate.json") -> Decision:
        """Raises ``InputError`` where it is none, or says another verdict than its tests do."""
        try:
            if not isinstance(plain, Mapping) or plain["fabrica_gate"] != 1:
                raise InputError("is no decision of the gate of this version", where=where)
            said = {name: value for name, value in plain["policy"].items() if name != "digest"}
            decision = cls(plain["tier"], Policy.from_json(said, where), tuple(map(Outcome.from_json, plain["tests"])),
                           plain["attempts"], plain["subject"], plain["made"], plain["versions"])
        except (LookupError, TypeError, AttributeError) as error:
            raise InputError("is no decision of the gate", where=where, hint=f"run fabrica gate again "
                             f"({type(error).__name__})") from None
        if decision.to_json() != dict(plain):
            raise InputError("says another verdict than its own tests and policy do", where=where)
        return decision

    @classmethod
    def load(cls, path: str | Path) -> Decision:
        return cls.from_json(declaration.read(path), str(path))

    def dumps(self) -> str:
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False)

