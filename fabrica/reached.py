"""What an attack has reached: guesses that are right, scores of members, surer beliefs; each beside people of whom
nobody learned, with bounds that hold. Where an attack saw a part of the twin, the estimate is as if the rest gave away
as much again, and the upper bound lies as far beyond; the lower one says what was surely seen and no more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, Self

import numpy as np
from scipy.special import betainc

from fabrica.bounds import Z, caught, one_of, residual
from fabrica.report import Finding
from fabrica.statistics import auc

__all__ = ["ALARMS", "AREA", "FEWEST", "SCORED", "SHARE", "Gains", "Guesses", "Outcome", "Scores"]

FEWEST = 100  #: people of each side, below which nothing is said
FOREGONE = 0.01  #: share of people who are not guessed anyway, below which a secret is none
SCORED = 30  #: and below which a curve says nothing
SHARE, AREA = 0.09, 0.58  #: risks that an attack must find where people were planted: those that no tier accepts
ALARMS = (0.01, 0.001)  #: rates of false alarms at which it is said how many members are found


def _undiluted(number: float, nothing: float, seen: float) -> float:
    """A number that is ``nothing`` where nobody is found, of an attack that saw only a share of what there is to see.

    >>> _undiluted(0.01, 0.0, 0.5), _undiluted(0.51, 0.5, 0.5)
    (0.02, 0.52)
    """
    return min(1.0, nothing + (number - nothing) / seen)


def _whole(nothing: float, seen: float, value: float, low: float, high: float) -> tuple[float, float, float]:
    """The number and its bounds of the whole, of an attack that saw a share of it: the wider of what was seen and what
    follows where the rest is like it.

    >>> [round(end, 2) for end in _whole(0.0, 0.5, 0.1, 0.05, 0.15)]
    [0.2, 0.05, 0.3]
    """
    return (_undiluted(value, nothing, seen), min(low, _undiluted(low, nothing, seen)),
            max(min(1.0, high), _undiluted(high, nothing, seen)))


def _risk(name: str, place: tuple[str, ...], bounds: tuple[float, float, float], **detail: Any) -> Finding:
    """A risk beyond luck: (value, low, high), with what it was reckoned from."""
    value, low, high = bounds
    return Finding(name, value, place, low=low, high=high, floor=0.0, against="holdout",
                   detail={**detail, "floor_from": "people nobody learned from"})


def _sight(seen: float, value: float) -> dict[str, float]:
    """What is told of an attack that saw a share only, and reached a value on that."""
    return {} if seen == 1 else {"seen": seen, "measured": value}


@lru_cache(2**14)  # the plan asks again for each tier
def _most(tries: int, control_hits: int, control_tries: int, threshold: float) -> int:
    """The most hits of which the upper bound is within a threshold; -1 where not even none are.

    >>> _most(1_000, 0, 1_000, 0.005), _most(500, 0, 1_000, 0.005)
    (1, -1)
    """
    def high(hits: int) -> float:
        return residual(hits, tries, control_hits, control_tries)[2]

    return bisect_right(range(tries + 1), threshold, key=high) - 1


@dataclass(frozen=True)
class Guesses:
    """An attack that succeeds or not: how often on members and, of how many tries, and as often on controls. ``seen``
    is the share of those whom it might have hit that it could."""

    hits: int
    tries: int
    control_hits: int
    control_tries: int
    seen: float = 1.0

    @classmethod
    def counted(cls, found: Sequence[np.ndarray], seen: float = 1.0) -> Self:
        """Of the members and of the controls (2, people) bool: who could be hit, and who is."""
        (tries, hits), (control_tries, control_hits) = (map(int, side.sum(1)) for side in found)
        return cls(hits, tries, control_hits, control_tries, seen)

    @classmethod
    def of(cls, finding: Finding) -> Self | None:
        """The guesses of which a finding tells; None where it does not say how many there were."""
        names = ("hits", "few", "others_hit", "few_others") if finding.value is None else (
            "hits", "tries", "control_hits", "control_tries")
        if any(name not in finding.detail for name in names):
            return None
        hits, tries, control_hits, control_tries = (int(finding.detail[name]) for name in names)
        return cls(hits, tries, control_hits, control_tries, float(finding.detail.get("seen", 1.0)))

    def finding(self, name: str, place: tuple[str, ...] = (), of: int = 1) -> Finding:
        """The risk beyond luck, with one-sided 95 % bounds at both ends."""
        if min(self.tries, self.control_tries) < FEWEST:
            return Finding(name, None, place, against="holdout",
                           detail={"few": self.tries, "hits": self.hits, "few_others": self.control_tries,
                                   "others_hit": self.control_hits, "surely": self.surely(of)},
                           problem=f"only {self.tries} guesses at members and {self.control_tries} at others could be "
                                   f"made; {FEWEST} are needed")
        if self.control_hits == self.control_tries:
            return Finding(name, None, place, against="holdout", problem="everybody is guessed, learned from or not")
        here = residual(self.hits, self.tries, self.control_hits, self.control_tries, of)
        return _risk(name, place, _whole(0.0, self.seen, *here), **_sight(self.seen, here[0]), hits=self.hits,
                     tries=self.tries, control_hits=self.control_hits, control_tries=self.control_tries)

    def surely(self, of: int = 1) -> float:
        """The lower bound of the risk, of however few; 0 where nothing says how much is luck."""
        if self.control_hits == self.control_tries or not self.tries:
            return 0.0
        return max(0.0, residual(self.hits, self.tries, self.control_hits, self.control_tries, of)[1])

    def false_alarm(self, threshold: float, prior: tuple[float, float] = (0.5, 0.0)) -> float:
        """How likely the upper bound would lie beyond a threshold where nothing leaks: by how many tries there are and
        how many of the controls are hit, whatever was found of members. As many are hit of both sides then but for
        chance: given the controls, nearly by a negative binomial law. The larger of what Jeffreys' prior says and what
        a gamma ``prior`` (shape, rate) of the share does.

        >>> [round(Guesses(0, tries, 120, 6_000).false_alarm(0.01), 3) for tries in (9_000, 900, 90)]
        [0.012, 0.531, 1.0]
        """
        if min(self.tries, self.control_tries) < FEWEST or self.control_hits == self.control_tries:
            return 1.0
        most = _most(self.tries, self.control_hits, self.control_tries, threshold * self.seen)
        if most < 0:
            return 1.0
        people = self.tries + self.control_tries
        return max(float(betainc(most + 1, self.control_hits + shape, self.tries / (people + rate)))
                   for shape, rate in ((0.5, 0.0), prior))

    @property
    def found(self) -> bool:
        """Whether the strike surely found more than luck, and more than any tier accepts."""
        risk = self.finding("")
        return risk.low is not None and _undiluted(risk.low, 0.0, self.seen) > SHARE


@dataclass(frozen=True)
class Scores:
    """An attack that says how likely somebody is a member: (n,) of members and (m,) of controls. ``seen`` is the share
    of what gives members away that it could see."""

    members: np.ndarray
    controls: np.ndarray
    seen: float = 1.0

    def finding(self, name: str, place: tuple[str, ...] = (), of: int = 1) -> Finding:
        """The area under the curve with one-sided 95 % bounds at both ends; the detail has the shares of members found
        at few false alarms, and their upper bounds."""
        if min(len(self.members), len(self.controls)) < SCORED:
            return Finding(name, None, place, better=0.5, unit="AUC", against="holdout",
                           problem=f"there are {len(self.members)} members and {len(self.controls)} others to attack; "
                                   f"{SCORED} of each are needed")
        truth = np.repeat([1, 0], [len(self.members), len(self.controls)])
        area, variance = auc(truth, np.concatenate([self.members, self.controls]))
        error = max(variance**0.5, 0.5 / min(len(self.members), len(self.controls)))
        found = {f"caught_at_{alarms:g}": [_undiluted(one, alarms, self.seen)
                                           for one in caught(self.members, self.controls, alarms)] for alarms in ALARMS}
        value, low, high = _whole(0.5, self.seen, area, area - one_of(of) * error, area + Z * error)
        rates: dict[str, Any] = {name: value for name, (value, _) in found.items()}
        rates |= {f"{name}_upper": high for name, (_, high) in found.items()}
        return Finding(name, value, place, better=0.5, unit="AUC", floor=0.5, against="holdout",
                       low=max(0.0, low), high=high, detail={
                           **_sight(self.seen, area), "members": len(self.members), "controls": len(self.controls),
                           **rates, "floor_from": "a coin"})

    @property
    def found(self) -> bool:
        risk = self.finding("")
        return risk.low is not None and _undiluted(risk.low, 0.5, self.seen) > AREA


@dataclass(frozen=True)
class Gains:
    """An attack beside the same one without the twin: (n,) of members and (m,) of controls how surely they are guessed
    with the twin, from 0 to 1, less what is known of that without it. How easily somebody is guessed anyway cancels
    out, which makes the bounds much narrower. ``luck`` is how surely controls are guessed with the twin; ``detail`` is
    told with the number; ``seen`` as of ``Guesses``. The finding's ``width`` is how far its upper bound would lie above
    the risk if members were guessed as others are: a leak, which makes its own bounds wide, leaves it as it is."""

    members: np.ndarray
    controls: np.ndarray
    luck: float
    detail: Mapping[str, Any] = field(default_factory=dict)
    seen: float = 1.0

    def finding(self, name: str, place: tuple[str, ...] = (), of: int = 1) -> Finding:
        """The risk beyond luck, with one-sided 95 % bounds at both ends."""
        n, m = len(self.members), len(self.controls)
        if min(n, m) < FEWEST:
            return Finding(name, None, place, against="holdout", detail=self.detail,
                           problem=f"only {n} members and {m} others have a value to guess; {FEWEST} of each are "
                                   "needed")
        if (1 - self.luck) * m < max(SCORED, FOREGONE * m):
            return Finding(name, None, place, against="holdout", detail={"certain": self.luck},
                           problem=f"of {m:,} others only {(1 - self.luck) * m:,.0f} are not guessed anyway, too few "
                                   "to find out anything of")
        here = float(self.members.mean() - self.controls.mean()) / (1 - self.luck)
        spread = self.members.var() / n + self.controls.var() / m + 1 / n**2 + 1 / m**2
        error = float(spread**0.5) / (1 - self.luck)
        width = Z * float((self.controls.var() * (1 / n + 1 / m) + 1 / n**2 + 1 / m**2) ** 0.5) / (1 - self.luck)
        bounds = _whole(0.0, self.seen, here, here - one_of(of) * error, here + Z * error)
        return _risk(name, place, bounds, **_sight(self.seen, here), members=n, controls=m, luck=self.luck,
                     width=width / self.seen, **self.detail)

    @property
    def found(self) -> bool:
        risk = self.finding("")
        return risk.low is not None and _undiluted(risk.low, 0.0, self.seen) > SHARE


class Outcome(Protocol):
    """What a strike reached: ``Guesses``, ``Gains``, ``Scores``, or what an attack has of its own."""

    def finding(self, name: str, place: tuple[str, ...] = (), of: int = 1) -> Finding:
        """The number with its bounds. The lower one holds for all ``of`` numbers of which this one was picked."""
        ...

    @property
    def found(self) -> bool:
        """Whether the strike surely found more than luck, and more than any tier accepts."""
        ...
