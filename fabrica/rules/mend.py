"""Mending of finished rows that break a rule: ranges are cut, texts written anew, formulas computed, and donors asked;
again, since one mended rule may break another, a bounded number of times.

A donor gives one column first, then all columns of the rule together. Columns that are functions of others change
through their sources. A row that breaks several rules is mended of each by itself: a change must heal its own rule and
break no other that was whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fabrica.contract import Cells
from fabrica.rules import donor
from fabrica.rules.law import Kept, Rows, placed, taken
from fabrica.run import Run

if TYPE_CHECKING:
    from fabrica.rules.book import Rulebook

__all__ = ["Mending"]

TURNS = 8  #: times that rows are mended again
DONORS, EACH = 20_000, 50  #: rows that are asked, at most; for each row that asks, down to a tenth of the most


@dataclass(frozen=True, eq=False)
class Mending:
    """How the rules of a ``book`` are set right on finished rows."""

    book: Rulebook

    def settled(self, rows: Rows, run: Run, restored: bool = False) -> tuple[dict[str, Cells], np.ndarray]:
        """The rows with those that break a rule mended, and (n,) bool: those that still break one."""
        cells = dict(rows)
        bad = self.book.breaking(cells, restored, drawn=True)
        broken = np.logical_or.reduce([*bad.values(), np.zeros(_length(cells), bool)])
        where = np.flatnonzero(broken)
        if not len(where):
            return cells, broken
        told = {name: cells[name] for name in self.book.told if name in cells}
        few, still = self._turns(taken(told, where), told, np.flatnonzero(~broken), run)
        for name, new in few.items():
            cells[name] = placed(cells[name], where, new)
        broken[:] = False
        broken[where[still]] = True
        return cells, broken

    def _turns(self, few: dict[str, Cells], whole: Rows, fine: np.ndarray, run: Run
               ) -> tuple[dict[str, Cells], np.ndarray]:
        """Rows that break a rule, mended again and again: the columns that changed, and which rows still break one."""
        most = int(np.clip(EACH * _length(few), DONORS // 10, DONORS))
        pick = fine if len(fine) <= most else fine[_some(len(fine), most, run.child("pick").random())]
        donors, before = taken(whole, pick), dict(few)
        for turn in range(TURNS):
            bad = self.book.breaking(few, drawn=True)
            if not bad:
                break
            for i, rows in bad.items():
                here = np.flatnonzero(rows)
                if turn:  # what was mended for another rule may have helped
                    here = here[self.book.kept[i].strays(taken(few, here))] if len(here) else here
                if len(here):
                    few = self._mend(self.book.kept[i], few, here, donors, run.child(turn).child(i))
        still = np.logical_or.reduce([*self.book.breaking(few, drawn=True).values(), np.zeros(_length(few), bool)])
        return {name: cells for name, cells in few.items() if cells is not before[name]}, still

    def _mend(self, kept: Kept, few: dict[str, Cells], here: np.ndarray, donors: Rows, run: Run) -> dict[str, Cells]:
        """The rows with those at ``here``, which break one rule, mended as that rule is."""
        some = taken(few, here)
        if kept.built and kept.law.follows:
            return self._put(few, here, self.book.again(some, run))
        new = {n: c for n, c in kept.fixed(some, run).items() if n not in self._owned}
        if new:
            made = self.book.again({**some, **new}, run.child("again"))
            done = ~kept.strays(made)
            few = self._put(few, here[done], taken(made, np.flatnonzero(done)))
            here = here[~done]
        return self._lent(kept, few, here, donors, run) if len(here) else few

    @cached_property
    def _owned(self) -> frozenset[str]:
        """Columns that are functions of others, or of a group: nobody changes them by themselves."""
        built = (self.book.kept[i] for i in self.book.steps)
        return frozenset(name for kept in built for name in kept.law.gives
                         if kept.law.follows or (kept.drops and len(kept.law.gives) > 1))

    def _lent(self, kept: Kept, few: dict[str, Cells], here: np.ndarray, donors: Rows, run: Run) -> dict[str, Cells]:
        """A column of the rule from a donor that agrees in the others, or all of them together."""
        wide = tuple(n for n in self.book.closure(kept.law.columns) if n in few)
        single = [(name,) for name in kept.yields if name not in self._owned and name in few]
        for step, names in enumerate([*single, wide]):
            if not len(here):
                break
            match = tuple(n for n in wide if n not in names)
            some = taken(few, here)

            def made(rows: np.ndarray, lenders: np.ndarray, names: Sequence[str] = names, some: Rows = some
                     ) -> dict[str, Cells]:
                lent = {name: placed_in(some[name].take(rows), donors[name].take(lenders)) for name in names}
                return self.book.again({**taken(some, rows), **lent}, Run(0))

            own, asked = next(i for i, k in enumerate(self.book.kept) if k is kept), self._touched(names)
            before = self.book.breaking(some, only=asked, drawn=True)

            def obeys(rows: np.ndarray, lenders: np.ndarray, before: Mapping[int, np.ndarray] = before, own: int = own,
                      asked: Collection[int] = asked) -> np.ndarray:
                """Which rows would not break this rule, nor another that they do not break already."""
                fine = np.ones(len(rows), bool)
                for i, bad in self.book.breaking(made(rows, lenders), only=asked, drawn=True).items():
                    fine &= ~bad | (before[i][rows] if i != own and i in before else False)
                return fine

            lender = donor.tried(self.book.outer, match, some, donors, obeys, run.child(step).random())
            got = np.flatnonzero(lender >= 0)
            if len(got):
                few = self._put(few, here[got], made(got, lender[got]))
                here = np.delete(here, got)
        return few

    def _touched(self, names: Sequence[str]) -> frozenset[int]:
        """The rules that speak of some columns, or of columns that are computed from them."""
        changed = set(names)
        for i in self.book.steps:
            law = self.book.kept[i].law
            if law.follows and changed & set(law.needs):
                changed |= set(law.gives)
        return frozenset(i for i, kept in enumerate(self.book.kept) if changed & set(kept.law.columns))

    def _put(self, few: dict[str, Cells], here: np.ndarray, new: Rows) -> dict[str, Cells]:
        old = taken(few, here) if len(here) else {}
        return {name: placed(cells, here, new[name]) if len(here) and name in new and _differ(old[name], new[name])
                else cells for name, cells in few.items()}


def _length(rows: Rows) -> int:
    return len(next(iter(rows.values()))) if rows else 0


def _some(rows: int, count: int, random: np.random.Generator) -> np.ndarray:
    """(count,) numbers of rows, in order: one of each of as many equal parts."""
    return ((np.arange(count) + random.random(count)) * (rows / count)).astype(np.int64)


def _differ(old: Cells, new: Cells) -> bool:
    return old is not new and (old.values is not new.values)


def placed_in(old: Cells, new: Cells) -> Cells:
    """``new`` as cells of the column that ``old`` has."""
    return placed(old, np.arange(len(old)), new)
