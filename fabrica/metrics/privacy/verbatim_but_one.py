"""Verbatim but one: do people stand in the twin with all that they have but one column?

A copy of somebody in which one cell was drawn afresh is equal to nobody's row, and averages do not move for a few such.
So each column is left out in turn. Attacked are people who are alone with what is left, of those who were learned from
and of the others, and a person is hit where some row of the twin equals what is left of theirs. One number counts them
whichever column it is that was left out (``verbatim_but_one``): a copy of which any cell was changed is found in it,
and one cell by cell. But where one column alone makes people differ, many of both sides are hit by luck without it, and
hide those who were copied in all else; so there is a number for each column too (``verbatim_without``). (Isolation as
in ``verbatim``, by a predicate on all columns but one.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from fabrica.attack import Attack, Place
from fabrica.contract import Sheet
from fabrica.reached import Guesses, Outcome
from fabrica.rows import cell_marks, recognised, row_marks
from fabrica.run import Run
from fabrica.world import PLANTED, World

__all__ = ["VerbatimButOne"]


class VerbatimButOne(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether people who are alone with what they have stand in the twin but for one column"
    source: ClassVar[str] = "isolation by all columns but one; after Cohen and Nissim, PNAS 2020, arXiv:1904.06009"
    story: ClassVar[str] = "Somebody reads the twin and recognises a person in it, of whom one cell was changed."
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"verbatim_but_one": ("holdout",),
                                                        "verbatim_without": ("holdout",)}

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        found = [np.zeros((2, rows.rows), bool) for rows in (world.everybody, world.strangers)]
        struck = dict[Place, Outcome]()
        for column, now in _recognised(world):
            struck["verbatim_without", column] = Guesses.counted(now, world.seen)
            found = [some | one for some, one in zip(found, now, strict=True)]
        return {("verbatim_but_one",): Guesses.counted(found, world.seen), **struck}

    def plant(self, world: World, run: Run) -> World:
        """At each place enough people are planted who are alone there, the same ones at many places: each stands in the
        twin once for each column, with another cell in it, so that nobody is found where that is not left out."""
        order, prey = run.child("who").random().permutation(world.everybody.rows), list[np.ndarray]()
        for _, ((alone, _), _) in _recognised(world):
            prey.append(order[alone[order]][:PLANTED])
        known = world.everybody.take(np.unique(np.concatenate(prey)))
        where, made = np.arange(known.rows * len(prey)) % max(known.rows, 1), dict[str, np.ndarray]()
        for i, (name, cells) in enumerate(world.twin.values.items()):
            own, here = known.values[name], slice(i * known.rows, (i + 1) * known.rows)
            made[name] = np.concatenate([cells, own[where]])
            made[name][len(cells):][here] = _another(own, cells, run.child("cells").child(name))
        twin = Sheet(world.twin.rows + len(where), made, world.twin.levels)
        return replace(world, twin=twin, members=known, everybody=known, seen=1.0, judged=1.0,
                       dose=len(where) / twin.rows, which={})


def _another(own: np.ndarray, cells: np.ndarray, run: Run) -> np.ndarray:
    """(n,) for each of some cells another one that stands in the twin, by chance; the same where there is no other."""
    known = np.unique(cells)
    further = run.random().integers(1, max(2, len(known)), len(own))
    return np.asarray(known[(np.searchsorted(known, own) + further) % len(known)])


def _recognised(world: World) -> Iterator[tuple[str, Sequence[np.ndarray]]]:
    """For each column, of those learned from and of the others (2, n) bool: who is alone with all but it, and who
    stands so in the twin."""
    tables: tuple[Sheet, ...] = (world.everybody, world.strangers, world.twin)
    whole = [row_marks(rows) for rows in tables]
    for name, cells in zip(world.twin.values, zip(*map(cell_marks, tables), strict=True), strict=True):
        yield name, recognised(*(all - one for all, one in zip(whole, cells, strict=True)))
