"""Verbatim but one: do people stand in the twin with all that they have but one column?

A copy of somebody in which one cell was drawn afresh is equal to nobody's row, and averages do not move for a few such.
So each column is left out in turn. Attacked are people who are alone with what is left, of those who were learned from
and of the others, and a person is hit where some row of the twin equals what is left of theirs, whichever column it is
that was left out; a copy cell by cell is found in the same way. Where one column alone makes people differ, many of
both sides are hit by luck. (Isolation as in ``verbatim``, by a predicate on all columns but one.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from fabrica.attack import Attack, Place
from fabrica.contract import Sheet
from fabrica.reached import Guesses, Outcome
from fabrica.rows import cell_marks, recognised, row_marks
from fabrica.run import Run
from fabrica.world import World

__all__ = ["VerbatimButOne"]


class VerbatimButOne(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether people who are alone with what they have stand in the twin but for one column"
    source: ClassVar[str] = "isolation by all columns but one; after Cohen and Nissim, PNAS 2020, arXiv:1904.06009"
    story: ClassVar[str] = "Somebody reads the twin and recognises a person in it, of whom one cell was changed."
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"verbatim_but_one": ("holdout",)}

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        (alone, there), (alone_by_luck, there_by_luck) = _recognised(world)
        return {("verbatim_but_one",): Guesses(int(there.sum()), int(alone.sum()), int(there_by_luck.sum()),
                                               int(alone_by_luck.sum()), world.seen)}

    def plant(self, world: World, run: Run) -> World:
        """People are planted of whom one cell is what stood there before, in a column by chance."""
        alone = _recognised(world)[0][0]
        return world.planted(self.dose, run, world.everybody.take(np.flatnonzero(alone)), but_one=True)


def _recognised(world: World) -> list[np.ndarray]:
    """Of those learned from and of the others, (2, n) bool: who is alone with all but some column, and who stands so in
    the twin."""
    tables: tuple[Sheet, ...] = (world.everybody, world.strangers, world.twin)
    whole = [row_marks(rows) for rows in tables]
    found = [np.zeros((2, rows.rows), bool) for rows in tables[:2]]
    for cells in zip(*map(cell_marks, tables), strict=True):
        left = (all - one for all, one in zip(whole, cells, strict=True))
        found = [some | now for some, now in zip(found, recognised(*left), strict=True)]
    return found
