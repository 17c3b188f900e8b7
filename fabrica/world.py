"""The world of an attack: the twin, people who were learned from and people who were not, of one kind and never mixed.

Whoever was learned from is no control: their rows, or the people themselves where a unit tells them apart, may not
stand on both sides, and where they do there is no world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fabrica.apart import repeated, same_people
from fabrica.contract import Evidence, Maker, Sheet
from fabrica.errors import NotComputable
from fabrica.reached import FEWEST
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.vantage import Points, Vantage

__all__ = ["HELD", "PEOPLE", "PLANTED", "World", "one_each"]

PEOPLE = 4_000  #: that are attacked, of each side, at most
PLANTED = FEWEST + FEWEST // 5  #: people, at least: some may be no prey of an attack
HELD = 1_000_000  #: rows of the twin that an attacker looks at, at most


@dataclass(frozen=True)
class World:
    """What an attack works with: sheets of the same columns.

    Parameters
    ----------
    table : what the columns mean.
    twin : what the attacker holds. reference : people whom the attacker knows, of neither side.
    members : people who were learned from. controls : people who were not. Both are attacked.
    everybody : all members. others : all people of whom controls are taken.
    first : columns that are looked at whatever is left out. k : people who must hold whatever is told by name.
    seen : share of what gives people away that the attacker can see: of the twin's rows those that are held, and of
        people with several rows one; whoever stands in the twin by another is not found.
    judged : share of the rows learned from that ``everybody`` has.
    dose : share of the twin's rows that were planted.
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
    first: tuple[str, ...] = ()
    k: int = 5
    seen: float = 1.0
    judged: float = 1.0
    dose: float = 0.0
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
            own, others = one_each(*sides, evidence.unit, run.child("unit"))
        if not twin.values:
            raise NotComputable("there is no column to compare")
        if min(len(own), len(others) // 2, twin.rows) < FEWEST:
            raise NotComputable(f"needs at least {FEWEST} people learned from, {2 * FEWEST} held back and {FEWEST} "
                                "synthetic rows")
        if problem := repeated(evidence.real.take(own), evidence.holdout.take(others)):
            raise NotComputable(f"{problem}: hold back other people")
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
        return cls(evidence.table, twin.take(np.sort(held)), found["reference"], found["members"], found["controls"],
                   found["everybody"], found["others"], first=_first(evidence), k=evidence.k, maker=evidence.maker,
                   seen=evidence.seen * len(held) / twin.rows * len(own) / evidence.real.rows,
                   judged=evidence.judged,
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
        many = prey.rows if dose >= 1 else min(max(PLANTED, round(dose * self.twin.rows)), prey.rows, self.twin.rows)
        known = prey.take(run.child("who").random().permutation(prey.rows)[:many])
        if dose >= 1:
            return replace(self, twin=known, members=known, everybody=known, seen=1.0, judged=1.0, dose=1.0, which={})
        where = run.child("where").random().permutation(self.twin.rows)[:many]
        values = {name: cells.copy() for name, cells in self.twin.values.items()}
        for name, cells in values.items():
            cells[where] = known.values[name]
        twin = Sheet(self.twin.rows, values, self.twin.levels)
        return replace(self, twin=twin, members=known, everybody=known, seen=1.0, judged=1.0,
                       dose=many / self.twin.rows, which={})

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


def _first(evidence: Evidence) -> tuple[str, ...]:
    """The columns that are secrets before others: the target, the protected and the personal ones."""
    personal = [column.name for column in evidence.table.columns if column.personal]
    names = dict.fromkeys([*([evidence.target] if evidence.target else []), *evidence.protected, *personal])
    return tuple(name for name in names if name in evidence.held.values)


def one_each(real: Sheet, rest: Sheet, unit: str, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """The number of one row, by chance, of each person of both sides; whoever stands on both is no control. A row that
    is said to be nobody's is another person's.

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
        here = who[order] >= 0 if who.dtype.kind == "i" else ~np.isnan(who[order])
        known, first = np.unique(who[order[here]], return_index=True)
        thin.append(np.sort(np.concatenate([order[here][first], order[~here]])))
        people.append(known)
    if problem := same_people(len(np.intersect1d(people[0], people[1])), len(people[1])):
        raise NotComputable(f"{problem}: split people and not rows")
    return thin[0], thin[1]
