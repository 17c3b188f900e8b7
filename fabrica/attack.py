"""Attacks: what somebody who holds the twin may find out about people who were learned from.

An attack says who attacks, what they hold and what they want, and strikes a small world once. All that makes its number
honest is done here, for every attack alike: the same strike on people who were *not* learned from says what luck and
knowledge of the population reach; an upper bound says what cannot be ruled out; and the strike is made again on a twin
into which rows of people were planted, where it must find them, or what it said counts for nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np

from fabrica.bounds import Z, caught, one_of, residual
from fabrica.contract import Evidence, Maker, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.report import Finding
from fabrica.rows import counted, row_marks
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.statistics import auc
from fabrica.vantage import Points, Vantage

__all__ = ["NO_LIKELIHOOD", "NO_MAKER", "Attack", "Gains", "Guesses", "Outcome", "Place", "Scores", "World", "some"]

PEOPLE = 4_000  #: that are attacked, of each side, at most
FEWEST = 100  #: people of each side, below which nothing is said
HELD = 1_000_000  #: rows of the twin that an attacker looks at, at most
FOREGONE = 0.01  #: share of people who are not guessed anyway, below which a secret is none
SCORED = 30  #: and below which a curve says nothing
SHARE, AREA = 0.09, 0.58  #: risks that an attack must find where people were planted: those that no tier accepts
#: what an attack says that cannot do with rows alone
NO_MAKER = "needs to learn again as the twin was learned, and how that was is not known here"
NO_LIKELIHOOD = "knows no likelihoods"  #: what is said of an engine whose model cannot be asked
OVERLAP, FEW = 6.0, 5  #: standard deviations, and rows, by which a holdout may repeat more than chance gives
ALARMS = (0.01, 0.001)  #: rates of false alarms at which it is said how many members are found


@dataclass(frozen=True)
class World:
    """What an attack works with: sheets of the same columns.

    Parameters
    ----------
    table : what the columns mean.
    twin : what the attacker holds. reference : people whom the attacker knows, of neither side.
    members : people who were learned from. controls : people who were not. Both are attacked.
    everybody : all members. others : all people of whom controls are taken.
    k : people who must hold whatever is told by name.
    seen : share of the rows of the twin that the attacker looks at: whoever stands in the others is not found.
    judged : share of the rows learned from that ``everybody`` has.
    maker : who can learn again, where it is known how the twin was made. which : the numbers of the rows of each sheet
        of real people, as the maker counts them.
    """

    table: Table
    twin: Sheet
    reference: Sheet
    members: Sheet
    controls: Sheet
    everybody: Sheet
    others: Sheet
    k: int = 5
    seen: float = 1.0
    judged: float = 1.0
    maker: Maker | None = None
    which: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, evidence: Evidence, run: Run) -> World:
        """The world of some evidence: half of the holdout is attacked, the other half the attacker knows.

        Raises
        ------
        NotComputable : there is no holdout, or there are too few people.
        """
        if evidence.holdout is None:
            raise NotComputable("there is no holdout: without people nobody learned from luck cannot be told from risk")
        sides, twin = (evidence.real, evidence.holdout), evidence.held
        own, others = (np.arange(side.rows) for side in sides)
        if evidence.unit is not None:
            own, others = _one_each(*sides, evidence.unit, run.child("unit"))
        if not twin.values:
            raise NotComputable("there is no column to compare")
        if min(len(own), len(others) // 2, twin.rows) < FEWEST:
            raise NotComputable(f"needs at least {FEWEST} people learned from, {2 * FEWEST} held back and {FEWEST} "
                                "synthetic rows")
        _apart(evidence.real.take(own), evidence.holdout.take(others))
        others = others[run.child("holdout").random().permutation(len(others))]
        half = len(others) // 2
        size = min(half, len(own), PEOPLE)
        members = own[run.child("members").random().permutation(len(own))[:size]]
        held = run.child("twin").random().permutation(twin.rows)[:HELD]
        real, rest, twin = (Sheet(one.rows, one.values, one.levels) for one in (*sides, twin))  # without texts
        there = {"reference": others[half:], "controls": others[:size], "others": others[:half]}
        here = {"members": members, "everybody": own}
        found = {name: rest.take(rows) for name, rows in there.items()}
        found |= {name: real.take(rows) for name, rows in here.items()}
        return cls(evidence.table, twin.take(np.sort(held)), **found, k=evidence.k, maker=evidence.maker,
                   seen=evidence.seen * len(held) / twin.rows, judged=evidence.judged,
                   which={**here, **{name: rows + real.rows for name, rows in there.items()}})

    @property
    def strangers(self) -> Sheet:
        """All people whom nobody learned from: the controls of an attacker who knows nobody."""
        cells = {name: np.concatenate([own, self.reference.values[name]]) for name, own in self.others.values.items()}
        return Sheet(self.others.rows + self.reference.rows, cells, self.others.levels)

    @property
    def bystanders(self) -> Sheet:
        """Members who are not attacked."""
        if not self.which:
            return self.everybody.take(np.arange(0))
        own, attacked = self.which["everybody"], self.which["members"]
        return self.everybody.take(np.flatnonzero(~np.isin(own, attacked)))

    def folds(self, run: Run) -> tuple[World, World]:
        """The world twice: with one half of the members, and with the other half and the two parts of the holdout
        changing places. Each person of the holdout is thus attacked once, beside as large a reference, and whoever
        gathers the scores of both has twice as many controls. Two who are each other's nearest of the other half share
        a distance: scores of people who are near to many are not quite independent; those of isolated people are, as
        far as releases without a leak can show (``benchmarks/attacks.py``)."""
        order = run.random().permutation(self.everybody.rows)
        halves = [self.everybody.take(part) for part in (order[::2], order[1::2])]
        sides = ((self.reference, self.others), (self.others, self.reference))
        size = min(halves[1].rows, self.others.rows, PEOPLE)
        return tuple(replace(self, reference=known, others=rest, controls=rest.take(np.arange(size)),
                             everybody=half, members=half.take(np.arange(size)), which={})
                     for half, (known, rest) in zip(halves, sides, strict=True))  # type: ignore[return-value]

    def planted(self, dose: float, run: Run, prey: Sheet | None = None) -> World:
        """The world in which a share ``dose`` of the twin's rows are members', each once, and only they are attacked:
        members by chance, or some of the ``prey``. With a dose of 1 the twin is these members and nobody else."""
        prey = self.members if prey is None else prey
        many = prey.rows if dose >= 1 else min(max(FEWEST, round(dose * self.twin.rows)), prey.rows, self.twin.rows)
        known = prey.take(run.child("who").random().permutation(prey.rows)[:many])
        if dose >= 1:
            return replace(self, twin=known, members=known, everybody=known, seen=1.0, judged=1.0, which={})
        where = run.child("where").random().permutation(self.twin.rows)[:many]
        values = {name: cells.copy() for name, cells in self.twin.values.items()}
        for name, cells in values.items():
            cells[where] = known.values[name]
        twin = Sheet(self.twin.rows, values, self.twin.levels)
        return replace(self, twin=twin, members=known, everybody=known, seen=1.0, judged=1.0, which={})

    @cached_property
    def space(self) -> Vantage:
        return Vantage.of(self.twin, self.reference)

    @cached_property
    def points(self) -> Mapping[str, Points]:
        """The twin, the reference, the members and the controls in the attacker's space."""
        names = ("twin", "reference", "members", "controls")
        return {name: self.space.points(getattr(self, name)) for name in names}

    def nearer(self, people: Points) -> np.ndarray:
        """(n,) how much nearer the twin is to people than others are whom it did not see, from -1 to 1: the distance to
        the nearest of the reference less that to the nearest row of the twin, over the sum of both."""
        known, twin = (people.nearest(self.points[name])[0][:, 0] for name in ("reference", "twin"))
        both = known + twin
        return np.asarray((known - twin) / np.where(both == 0, 1.0, both))


def _apart(real: Sheet, rest: Sheet) -> None:
    """Whoever was learned from is no control: rows of the holdout may equal one that was learned from and stands there
    once only about as often as chance gives. Of all people that might be drawn, those like a row that stands there once
    are about as large a share as the rows that stand there twice (Good, Biometrika 40, 1953). Common rows say nothing.

    Raises
    ------
    NotComputable : the holdout holds rows that were learned from.
    """
    own, other = row_marks(real), row_marks(rest)
    twice, again = float((counted(own, own) == 2).mean()), int((counted(other, own) == 1).sum())
    luck = len(other) * twice
    if again > luck + OVERLAP * (luck * (1 + len(other) / len(own))) ** 0.5 + FEW:
        raise NotComputable(f"{again:,} of {len(other):,} rows of the holdout were learned from too, where chance "
                            f"gives about {luck:,.0f}, so what succeeds on them is no luck: hold back other people")


def _one_each(real: Sheet, rest: Sheet, unit: str, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """The number of one row, by chance, of each person of both sides; whoever stands on both is no control.

    Raises
    ------
    NotComputable : the same people stand on both sides.
    """
    thin, people = [], []
    for side, sheet in (("real", real), ("holdout", rest)):
        who = getattr(sheet, "idents", {}).get(unit, sheet.values.get(unit))
        if who is None:
            raise NotComputable(f"column {unit!r} does not tell people apart")
        order = run.child(side).random().permutation(sheet.rows)
        order = order[who[order] >= 0] if who.dtype.kind == "i" else order[~np.isnan(who[order])]
        _, first = np.unique(who[order], return_index=True)
        thin.append(np.sort(order[first]))
        people.append(np.unique(who[order]))
    both = len(np.intersect1d(people[0], people[1]))
    if both:
        raise NotComputable(f"{both:,} of {len(people[1]):,} people of the holdout were learned from too, so what "
                            "succeeds on them is no luck: split people and not rows")
    return thin[0], thin[1]


def _undiluted(number: float, nothing: float, seen: float) -> float:
    """A number that is ``nothing`` where nobody is found, of an attack that saw only a share of what there is to see.

    >>> _undiluted(0.01, 0.0, 0.5), _undiluted(0.51, 0.5, 0.5)
    (0.02, 0.52)
    """
    return min(1.0, nothing + (number - nothing) / seen)


def _risk(name: str, place: tuple[str, ...], bounds: tuple[float, float, float], **detail: Any) -> Finding:
    """A risk beyond luck: (value, low, high), with what it was reckoned from."""
    value, low, high = bounds
    return Finding(name, value, place, low=low, high=high, floor=0.0, against="holdout",
                   detail={**detail, "floor_from": "people nobody learned from"})


def _sight(seen: float) -> dict[str, float]:
    """What is told of an attack that saw a share only."""
    return {} if seen == 1 else {"seen": seen}


@dataclass(frozen=True)
class Guesses:
    """An attack that succeeds or not: how often on members and, of how many tries, and as often on controls. ``seen``
    is the share of those whom it might have hit that it could."""

    hits: int
    tries: int
    control_hits: int
    control_tries: int
    seen: float = 1.0

    def finding(self, name: str, place: tuple[str, ...] = (), of: int = 1) -> Finding:
        """The risk beyond luck, with one-sided 95 % bounds at both ends."""
        if min(self.tries, self.control_tries) < FEWEST:
            return Finding(name, None, place, against="holdout", detail={"few": self.tries, "hits": self.hits},
                           problem=f"only {self.tries} guesses at members and {self.control_tries} at others could be "
                                   f"made; {FEWEST} are needed")
        if self.control_hits == self.control_tries:
            return Finding(name, None, place, against="holdout", problem="everybody is guessed, learned from or not")
        here = residual(self.hits, self.tries, self.control_hits, self.control_tries, of)
        value, low, high = (_undiluted(one, 0.0, self.seen) for one in here)
        return _risk(name, place, (value, low, high), **_sight(self.seen), hits=self.hits, tries=self.tries,
                     control_hits=self.control_hits, control_tries=self.control_tries)

    @property
    def found(self) -> bool:
        """Whether the strike surely found more than luck, and more than any tier accepts."""
        risk = self.finding("")
        return risk.low is not None and risk.low > SHARE


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
        area, low, high = (_undiluted(one, 0.5, self.seen) for one in (area, area - one_of(of) * error,
                                                                      area + Z * error))
        rates: dict[str, Any] = {name: value for name, (value, _) in found.items()}
        rates |= {f"{name}_upper": high for name, (_, high) in found.items()}
        return Finding(name, area, place, better=0.5, unit="AUC", floor=0.5, against="holdout",
                       low=max(0.0, low), high=high, detail={
                           **_sight(self.seen), "members": len(self.members), "controls": len(self.controls), **rates,
                           "floor_from": "a coin"})

    @property
    def found(self) -> bool:
        risk = self.finding("")
        return risk.low is not None and risk.low > AREA


@dataclass(frozen=True)
class Gains:
    """An attack beside the same one without the twin: (n,) of members and (m,) of controls how surely they are guessed
    with the twin, from 0 to 1, less what is known of that without it. How easily somebody is guessed anyway cancels
    out, which makes the bounds much narrower. ``luck`` is how surely controls are guessed with the twin; ``detail`` is
    told with the number; ``seen`` as of ``Guesses``."""

    members: np.ndarray
    controls: np.ndarray
    luck: float
    detail: Mapping[str, Any] = field(default_factory=dict)
    seen: float = 1.0

    def finding(self, name: str, place: tuple[str, ...] = (), of: int = 1) -> Finding:
        """The risk beyond luck, with one-sided 95 % bounds at both ends."""
        n, m = len(self.members), len(self.controls)
        if min(n, m) < FEWEST:
            return Finding(name, None, place, against="holdout", problem=f"only {n} members and {m} others have a "
                           f"value to guess; {FEWEST} of each are needed")
        if (1 - self.luck) * m < max(SCORED, FOREGONE * m):
            return Finding(name, None, place, against="holdout", detail={"certain": self.luck},
                           problem=f"of {m:,} others only {(1 - self.luck) * m:,.0f} are not guessed anyway, too few "
                                   "to find out anything of")
        value = float(self.members.mean() - self.controls.mean()) / (1 - self.luck)
        spread = self.members.var() / n + self.controls.var() / m + 1 / n**2 + 1 / m**2
        error = float(spread**0.5) / (1 - self.luck)
        here = value, value - one_of(of) * error, value + Z * error
        value, low, high = (_undiluted(one, 0.0, self.seen) for one in here)
        return _risk(name, place, (value, low, high), **_sight(self.seen), members=n, controls=m, luck=self.luck,
                     **self.detail)

    @property
    def found(self) -> bool:
        risk = self.finding("")
        return risk.low is not None and risk.low > SHARE


class Outcome(Protocol):
    """What a strike reached: ``Guesses``, ``Gains``, ``Scores``, or what an attack has of its own."""

    def finding(self, name: str, place: tuple[str, ...] = (), of: int = 1) -> Finding:
        """The number with its bounds. The lower one holds for all ``of`` numbers of which this one was picked."""
        ...

    @property
    def found(self) -> bool:
        """Whether the strike surely found more than luck, and more than any tier accepts."""
        ...


Place = tuple[str, ...]  #: the name of a number, and the columns that it is about


class Attack(Metric):
    """One file in ``metrics/privacy/``. Subclasses say their ``story`` and how they ``strike``."""

    heavy: ClassVar[bool] = True
    story: ClassVar[str]  #: who attacks, what they hold, what they want
    dose: ClassVar[float] = 0.01  #: share of planted rows in which the attack must find its people
    learns: ClassVar[bool] = False  #: whether it can be made only by who can learn again

    @abstractmethod
    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        """What the attack reaches, by the name of the number and the columns that it is about (none for the table).
        What cannot be done raises ``NotComputable``."""

    def plant(self, world: World, run: Run) -> World:
        """A world in which the attack must find its people."""
        return world.planted(self.dose, run)

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        try:
            return self.made(World.of(evidence, run.child("world")), run)
        except NotComputable as why:
            return [Finding(name, None, against="holdout", problem=why.what) for name in self.numbers]

    def made(self, world: World, run: Run, control: bool = True) -> list[Finding]:
        """The findings of the attack on a world and, with ``control``, whether it finds people who were planted."""
        struck = self.strike(world, run.child("strike"))
        again = self.strike(self.plant(world, run.child("plant")), run.child("control")) if control else {}
        findings = []
        for name in self.numbers:
            here = {place: one for place, one in struck.items() if place[0] == name}
            if not here:
                findings.append(Finding(name, None, against="holdout", problem="nothing here can be attacked so"))
            findings += [_told(one, self.control(again, (name, *where)), self.dose) for one, where in _with_worst(here)]
        return findings

    def control(self, again: Mapping[Place, Outcome], place: Place) -> Outcome | None:
        """What the strike on planted people says of whether the attack works at a place."""
        return again.get(place)


def some(names: Sequence[str], most: int) -> list[str]:
    """The columns that are attacked: all, or every so many-th, the same in the attack and in its control.

    >>> some(["age", "pay", "sex", "town"], 2)
    ['age', 'town']
    """
    if len(names) <= most:
        return list(names)
    return [names[i] for i in np.linspace(0, len(names) - 1, most).round().astype(int)]


def _with_worst(here: Mapping[Place, Outcome]) -> list[tuple[Finding, tuple[str, ...]]]:
    """The findings of one number, each with its place, and before them one of the whole table: that of the place at
    which most cannot be ruled out, whose lower bound holds for all places. What could not be measured anywhere is not
    measured."""
    findings = [(outcome.finding(place[0], place[1:]), place[1:]) for place, outcome in here.items()]
    if not any(where for _, where in findings):
        return findings
    measured = [(one, where) for one, where in findings if one.high is not None]
    worst, where = max(measured, key=lambda pair: pair[0].high or 0.0) if measured else findings[0]
    if measured:
        name = worst.metric
        worst = here[name, *where].finding(name, where, of=len(measured))
        worst = replace(worst, detail={**worst.detail, "worst": " + ".join(where)})
    return [(replace(worst, place=()), where), *findings]


def _told(finding: Finding, control: Outcome | None, dose: float) -> Finding:
    """The finding with what the positive control said at its own place: people found by one column say nothing of an
    attack on another."""
    found = control is not None and control.found
    return replace(finding, detail={**finding.detail, "control": "found" if found else "missed", "dose": dose})
