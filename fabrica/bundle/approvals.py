"""Who answers for a release: people with their roles, different ones where the policy asks for more than one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from fabrica.errors import SettingError
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.outcome import PASS

__all__ = ["Approver", "approvals", "approved", "different", "until"]


@dataclass(frozen=True)
class Approver:
    """One person in one role.

    >>> Approver.of("privacy officer: Ada Example")
    Approver(role='privacy officer', name='Ada Example')
    """

    role: str
    name: str

    @classmethod
    def of(cls, text: str) -> Approver:
        """Raises ``SettingError`` where it is not ``role: name``."""
        role, sign, name = (part.strip() for part in str(text).partition(":"))
        if not sign or not role or not name or re.search(r"[\x00-\x1f\x7f]", text):
            raise SettingError("must say who approves and in which role", where="approver",
                               hint='write --approver "privacy officer: Ada Example"')
        return cls(role, name)

    def to_json(self) -> dict[str, str]:
        return {"role": self.role, "name": self.name}


def approved(texts: Sequence[str], decision: Decision) -> tuple[Approver, ...]:
    """The people who approve.

    Raises
    ------
    SettingError : fewer different people, or fewer different roles, than the policy asks for at this tier.
    """
    people = tuple(Approver.of(text) for text in texts)
    needed = decision.signatures
    if different(people) < needed:
        words = "one person" if needed == 1 else f"{needed} different people in different roles"
        raise SettingError(f"policy {decision.policy.name} asks at tier {decision.tier} for the approval of {words}"
                           f"{_twice(people)}", where="approver", hint='such as --approver "data owner: Max Example" '
                           '--approver "privacy officer: Ada Example"')
    return people


def different(people: Sequence[Approver]) -> int:
    """How many different people in different roles there are at most.

    >>> different([Approver("owner", "Ada Example"), Approver("privacy officer", "ada  EXAMPLE")])
    1
    """
    names, roles = (sorted({_plain(getattr(one, said)) for one in people}) for said in ("name", "role"))
    pairs = np.zeros((len(names), len(roles)), bool)
    for one in people:
        pairs[names.index(_plain(one.name)), roles.index(_plain(one.role))] = True
    return int((maximum_bipartite_matching(csr_array(pairs)) >= 0).sum())


def _twice(people: Sequence[Approver]) -> str:
    """Who was named more than once, in words; "" if nobody."""
    names = Counter(_plain(one.name) for one in people)
    again = dict.fromkeys(" ".join(one.name.split()) for one in people if names[_plain(one.name)] > 1)
    return f", and {' alias '.join(again)} counts once" if again else ""


def _plain(text: str) -> str:
    """A name as it is compared: neither blanks, nor case, nor how its letters are composed make another person."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def until(said: str | date | None, decision: Decision, today: date) -> date:
    """The last day of a release: what was said, at most what the gate allows.

    Raises
    ------
    SettingError : it is no day, lies in the past or beyond the policy's, or the decision holds no more.
    """
    try:
        day = decision.last_day if said is None else date.fromisoformat(str(said))
    except ValueError:
        raise SettingError("must be a day", where="expires", hint="write it as 2027-11-28") from None
    if decision.day > today + timedelta(days=1):
        raise SettingError("of the gate lies in the future", where="the day", hint="set the clock, and run 'fabrica "
                           "gate' again")
    if decision.last_day < today:
        raise SettingError(f"held until {decision.last_day.isoformat()}", where="the decision of the gate",
                           hint="run 'fabrica gate' again")
    if day < today:
        raise SettingError(f"{day.isoformat()} lies in the past", where="expires",
                           hint=f"say a day from today up to {decision.last_day.isoformat()}, or leave it out")
    if day > decision.last_day:
        raise SettingError(f"is beyond the {decision.last_day.isoformat()} of policy {decision.policy.name} at tier "
                           f"{decision.tier}", where="expires", hint="say an earlier day, or run 'fabrica gate' again")
    return day


def approvals(claim: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
    """The content of ``approvals.json``: who, for what and whom, until when, and what risk is left with whom."""
    open_tests = [{"test": one.id, "name": one.name, "verdict": one.verdict,
                   "owner": claim["approvals"][0] if claim["approvals"] else None}
                  for one in decision.outcomes if one.verdict != PASS]
    return {"fabrica_approvals": 1, "approvals": claim["approvals"],
            "recorded_by": claim["signers"], "tier": claim["tier"], "policy": claim["policy"],
            "purpose": claim["purpose"], "recipients": claim["recipients"], "expires": claim["expires"],
            "waivers": claim["waivers"], "residual_risks": open_tests,
            "released_without_pass": claim["without_pass"] or None,
            "told_beyond_tier": claim["beyond_tier"] or None}
