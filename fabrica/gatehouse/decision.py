"""The decision: all tests of one policy at one tier on one twin, written down so that it can be signed and read.

It never says that data are anonymous. It says that one file passed one policy at one tier on these tests, or did not.
It is read as strictly as it is written: whatever in it does not follow from its policy and its numbers is refused.
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.errors import InputError, UnknownName
from fabrica.gatehouse import follows, people
from fabrica.gatehouse.outcome import FAIL, INCONCLUSIVE, PASS, Outcome, joined
from fabrica.gatehouse.policy import Policy
from fabrica.gatehouse.steps import steps

__all__ = ["Decision", "reading"]

AGAIN = "run 'fabrica gate' again"
#: what a decision says and its policy and tests say again -> what is wrong where the two differ
TWICE = {"verdict": "says another verdict than its own tests do",
         "policy": "holds a policy that is not the one of its digest, or is not written in full",
         "waivers": "says other waivers than its policy does",
         "signatures": "asks for another number of signatures than its policy does",
         "expires_months": "says another number of months than its policy does"}


@dataclass(frozen=True)
class Decision:
    """Parameters
    ----------
    tier : the circle of recipients. policy : by which it was decided. outcomes : of the tests, in their order.
    attempts : the number of this twin among those of its table that were brought to the gate.
    subject : ``data`` (SHA-256 of the file), ``rows``, and how many rows and people were ``learned`` from and ``held``
    back. made : when, as ISO 8601. versions : of what measured. target, protected : columns that were declared, None
    and () where none were: they decide which tests there are. rounded : whether numbers are told rounded, for
    everybody. before : what else was decided about this file, at another tier or by another policy: what was asked ->
    the verdict. unit : the column that says whose rows they are, None where each is another's. schema : SHA-256 of what
    was declared of the columns, "" where the twin's folder or the rows alone tell.

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
    target: str | None = None
    protected: tuple[str, ...] = ()
    rounded: bool = False
    before: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    schema: str = ""

    @property
    def asked(self) -> str:
        """What was asked, in words: by which two decisions about one file differ."""
        shared = ["with the model"] * ("model" in self.subject)
        declared = [f"target {self.target}"] * (self.target is not None) + [f"protected {n}" for n in self.protected]
        policy = f"policy {self.policy.name} {self.policy.digest[:8]}"
        return ", ".join([f"tier {self.tier}", policy, *shared, *declared, *reading(self.unit, self.schema)])

    def after(self, earlier: Decision) -> Decision:
        """This decision with what an earlier one says, where that is about the same file and asked something else.

        >>> one, other = (Decision(tier, Policy(), (), subject={"data": "0a"}) for tier in ("public", "internal"))
        >>> [*other.after(one).before.values()], one.after(other.after(one)).after(one).before.keys() == {other.asked}
        (['INCONCLUSIVE'], True)
        """
        if earlier.subject.get("data") != self.subject.get("data"):
            return self
        return self.recalling({**earlier.before, earlier.asked: earlier.verdict})

    def recalling(self, decided: Mapping[str, str]) -> Decision:
        """This decision with what else was decided about the same file: what was asked -> the verdict; also when the
        same was asked and another verdict came out, beside other real rows."""
        told = {**self.before, **decided}
        return replace(self, before={asked: verdict for asked, verdict in told.items()
                                     if (asked, verdict) != (self.asked, self.verdict)})

    @property
    def source(self) -> str:
        """How many people it was learned from and how many were held back, in words; "" where it does not tell."""
        return people.words(self.subject, self.unit, self.rounded)

    @property
    def told_before(self) -> list[str]:
        """What else was decided about this file, a line each."""
        return [f"{verdict} at {asked}" for asked, verdict in self.before.items()]

    @property
    def verdict(self) -> str:
        """PASS, FAIL or INCONCLUSIVE; whatever is no PASS keeps the gate shut."""
        return joined(list(self.outcomes))

    @property
    def passed(self) -> bool:
        """Whether the gate is open."""
        return self.verdict == PASS

    @property
    def data(self) -> str:
        """SHA-256 of the file that was judged."""
        return str(self.subject["data"])

    @property
    def day(self) -> date:
        """On which it was made."""
        return datetime.fromisoformat(self.made.replace("Z", "+00:00")).date()

    @property
    def signatures(self) -> int:
        """How many different people must approve."""
        return self.policy.tier(self.tier).signatures

    @property
    def last_day(self) -> date:
        """Until when it holds; a day that its month does not have is the last of that month.

        >>> Decision("internal", Policy(), (), made="2024-02-29T23:59:59+00:00").last_day.isoformat()
        '2026-02-28'
        """
        months = self.day.month - 1 + self.policy.tier(self.tier).months
        year, month = self.day.year + months // 12, months % 12 + 1
        return date(year, month, min(self.day.day, monthrange(year, month)[1]))

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
        if self.protected and all(most is None for most in groups.values()):
            return [f"groups of people: tier {self.tier} asks nothing of them, so the protected columns decide nothing "
                    "here; what was measured stands in the evidence"]
        left = [name for name, most in groups.items() if most is not None and name not in names]
        why = f"no {'target was' if self.protected else 'protected columns were'} declared"
        return [f"{', '.join(left)}: {why}"] if left else []

    def words(self) -> list[str]:
        """The decision in lines: what it is, of how many people, waivers, what was decided before, test by test, what
        was not asked, and what to do next."""
        head = f"{self.verdict}: policy {self.policy.name} at tier {self.tier}, on these tests"
        waived = [f"people: {one}" for one in [self.source] if one] + [f"waiver: {one}" for one in self.waivers]
        before = [f"before: {one}" for one in self.told_before]
        wide = max((len(one.name) for one in self.outcomes), default=0)
        return [head, *waived, *before,
                *(f"  {one.verdict:<13} {one.name:<{wide}}  {one.why}" for one in self.outcomes),
                *(f"  {'not asked':<13} {one}" for one in self.unasked),
                *(f"  {'next':<13} {one}" for one in steps(self.outcomes))]

    def __str__(self) -> str:
        return "\n".join(self.words())

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_gate": 1, "verdict": self.verdict, "tier": self.tier,
                "policy": {**self.policy.to_json(), "digest": self.policy.digest}, "waivers": self.waivers,
                "declared": {"target": self.target, "protected": list(self.protected), "unit": self.unit,
                             "schema": self.schema},
                "tests": [one.to_json() for one in self.outcomes], "unasked": self.unasked, "attempts": self.attempts,
                "subject": dict(self.subject), "made": self.made, "versions": dict(self.versions),
                "before": dict(self.before), "signatures": self.signatures,
                "expires_months": self.policy.tier(self.tier).months, "rounded": self.rounded}

    @classmethod
    def from_json(cls, plain: Any, where: str = "gate.json") -> Decision:
        """Raises ``InputError`` where it is none, or anything in it does not follow from its policy and its numbers."""
        try:
            if not isinstance(plain, Mapping) or plain["fabrica_gate"] != 1:
                raise InputError("is no decision of the gate of this version", where=where, hint=AGAIN)
            said = {name: value for name, value in plain["policy"].items() if name != "digest"}
            declared = plain["declared"]
            decision = cls(plain["tier"], Policy.from_json(said, where), tuple(map(Outcome.from_json, plain["tests"])),
                           plain["attempts"], plain["subject"], plain["made"], plain["versions"], declared["target"],
                           tuple(declared["protected"]), plain["rounded"], plain["before"], declared["unit"],
                           declared["schema"])
            found = next(decision._problems(plain), None)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError("is no decision of the gate", where=where, hint=f"{AGAIN} ({type(error).__name__})"
                             ) from None
        except UnknownName as error:
            raise error.at(where) from None
        if found:
            raise InputError(found, where=where, hint=AGAIN)
        return decision

    def _problems(self, plain: Mapping[str, Any]) -> Iterator[str]:
        """Where a text says something else than the decision that was read of it, or the decision does not follow."""
        if not re.fullmatch("[0-9a-f]{64}", self.data) or type(self.attempts) is not int or self.last_day < self.day:
            yield "does not say which file was judged, when, or how often one was tried"
        if not all(verdict in (PASS, FAIL, INCONCLUSIVE) for verdict in self.before.values()):
            yield "tells of decisions before it that are none"
        own = self.to_json()
        yield from (words for name, words in TWICE.items() if _text(own[name]) != _text(plain.get(name)))
        yield from follows.problems(self)
        if _text(own) != _text(plain):
            yield "is not written as the gate writes a decision"

    @classmethod
    def load(cls, path: str | Path) -> Decision:
        return cls.from_json(declaration.read(path), str(path))

    def dumps(self) -> str:
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False)


def reading(unit: str | None, schema: str) -> list[str]:
    """How rows are read, in words: whose they are, and by which schema; nothing where nobody has said.

    >>> reading("patient_id", "0a" * 32), reading(None, "")
    (['unit patient_id', 'schema 0a0a0a0a'], [])
    """
    return [f"unit {unit}"] * (unit is not None) + [f"schema {schema[:8]}"] * bool(schema)


def _text(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True)

