"""Linkability: does the twin tell that two halves of a record belong to one person?

The attacker has some columns of a person in one file and the others in another, and asks which rows of the twin are
nearest to either half. Where the same row is as near as the nearest ``NEAR`` of both, the halves are linked; of rows
that are equally near all are looked at, or a copy would hide among its likes in half of its columns. Columns are halved
by chance, several times. Halves of people whom nobody learned from are linked as well, as far as the columns
hang together; only what goes beyond is leakage. (Linkage as in WP216 of the Article 29 Working Party, Opinion 05/2014;
nearest records as in Domingo-Ferrer & Torra, "Distance-based and probabilistic record linkage for re-identification
of records with categorical variables", 2002.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from fabrica.attack import Attack, Place
from fabrica.errors import NotComputable
from fabrica.neighbours import near_both
from fabrica.reached import Guesses, Outcome
from fabrica.run import Run
from fabrica.vantage import Points
from fabrica.world import World

__all__ = ["Linkability"]

NEAR = 5  #: rows of the twin that count as near to a half
SPLITS = 4  #: ways in which columns are halved


class Linkability(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether the twin links two halves of the record of somebody who was learned from"
    source: ClassVar[str] = "distance-based record linkage; Domingo-Ferrer and Torra 2002; WP216 (2014)"
    story: ClassVar[str] = ("Somebody has two files about the same people without a common key, and uses the twin to "
                            "put them together.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"linkability": ("holdout",)}

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        names = list(world.twin.values)
        if len(names) < 2:
            raise NotComputable("needs two columns to be linked")
        linked = np.zeros(2, np.int64)
        tries = np.zeros(2, np.int64)
        for split in range(SPLITS):
            order = run.child("columns").child(split).random().permutation(len(names))
            halves = [[names[i] for i in part] for part in (order[: len(names) // 2], order[len(names) // 2 :])]
            for i, side in enumerate(("members", "controls")):
                people = world.points[side]
                some = people.take(slice(split, None, SPLITS))
                linked[i] += int(_linked(some, world.points["twin"], halves).sum())
                tries[i] += len(some)
        return {("linkability",): Guesses(int(linked[0]), int(tries[0]), int(linked[1]), int(tries[1]), world.seen)}


def _linked(people: Points, twin: Points, halves: list[list[str]]) -> np.ndarray:
    """(n,) whether a row of the twin is near to both halves of a person; of rows that are equally near all are."""
    (one, held), (other, held2) = ((people.among(half), twin.among(half)) for half in halves)
    radius, radius2 = (some.nearest(rows, NEAR)[0][:, -1] for some, rows in ((one, held), (other, held2)))
    return np.asarray(near_both(one.numbers, one.levels, held.numbers, held.levels, radius,
                                other.numbers, other.levels, held2.numbers, held2.levels, radius2))
