"""Attacks: what somebody who holds the twin may find out about people who were learned from.

An attack says who attacks, what they hold and what they want, and strikes a small world once. All that makes its number
honest is done here, for every attack alike: the same strike on people who were *not* learned from says what luck and
knowledge of the population reach; an upper bound says what cannot be ruled out; and the strike is made again on a twin
into which rows of people were planted, where it must find them, or what it said counts for nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric
from fabrica.errors import NotComputable
from fabrica.reached import Outcome
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.world import World

__all__ = ["NO_LIKELIHOOD", "NO_MAKER", "Attack", "Place", "some", "with_worst"]

#: what an attack says that cannot do with rows alone
NO_MAKER = "needs to learn again as the twin was learned, and how that was is not known here"
NO_LIKELIHOOD = "knows no likelihoods"  #: what is said of an engine whose model cannot be asked

Place = tuple[str, ...]  #: the name of a number, and the columns that it is about


class Attack(Metric):
    """One file in ``metrics/privacy/``. Subclasses say their ``story`` and how they ``strike``."""

    heavy: ClassVar[bool] = True
    story: ClassVar[str]  #: who attacks, what they hold, what they want
    dose: ClassVar[float] = 0.01  #: share of planted rows, at least, in which the attack must find its people
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
        again, dose = dict[Place, Outcome](), 0.0
        if control:
            planted = self.plant(world, run.child("plant"))
            again, dose = dict(self.strike(planted, run.child("control"))), planted.dose
        findings = []
        for name in self.numbers:
            here = {place: one for place, one in struck.items() if place[0] == name}
            if not here:
                findings.append(Finding(name, None, against="holdout", problem="nothing here can be attacked so"))
            findings += [_told(one, self.control(again, (name, *where)), dose) for one, where in with_worst(here)]
        return findings

    def control(self, again: Mapping[Place, Outcome], place: Place) -> Outcome | None:
        """What the strike on planted people says of whether the attack works at a place."""
        return again.get(place)


def some(names: Sequence[str], most: int, first: Sequence[str] = ()) -> list[str]:
    """The columns that are attacked: all, or the ``first`` and of the others every so many-th, the same in the attack
    and in its control.

    >>> some(["age", "pay", "sex", "town"], 2), some(["age", "pay", "sex", "town"], 2, ["pay"])
    (['age', 'town'], ['pay', 'age'])
    """
    if len(names) <= most:
        return list(names)
    chosen = [name for name in first if name in names][:most]
    names, most = [name for name in names if name not in chosen], most - len(chosen)
    return [*chosen, *(names[i] for i in np.linspace(0, len(names) - 1, most).round().astype(int))]


def with_worst(here: Mapping[Place, Outcome]) -> list[tuple[Finding, tuple[str, ...]]]:
    """The findings of one number, each with its place, and before them one of the whole table: what was struck of all
    places together, or that of the place at which most cannot be ruled out, whose lower bound holds for all places.
    What could not be measured anywhere is not measured."""
    findings = [(outcome.finding(place[0], place[1:]), place[1:]) for place, outcome in here.items()]
    if not findings or not all(where for _, where in findings):
        return sorted(findings, key=lambda pair: bool(pair[1]))
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
