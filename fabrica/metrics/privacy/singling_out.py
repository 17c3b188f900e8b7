"""Singling out: predicates learned from the twin that exactly one person satisfies.

The attacker draws a row of the twin and columns by chance until no other row of the twin agrees in all of them (levels
and missing cells alike, numbers within half a hundredth of the ranks), and guesses that exactly one person of the table
is like that. Of predicates so narrow many single somebody out by luck, in any table of that size: they are tried on all
people whom nobody learned from. These are fewer than were learned from; so members are searched among as many of them,
and what is found there beyond luck counts for all. Each row is drawn once, and each person counts once, by whatever
they are singled out: predicates that are nearly the same are no further evidence. (Cohen & Nissim, "Towards formalizing
the GDPR's notion of singling out", PNAS 117, 2020, arXiv:1904.06009.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from fabrica.attack import Attack, Place
from fabrica.reached import Guesses, Outcome
from fabrica.rows import row_marks
from fabrica.run import Run
from fabrica.vantage import Points, Vantage
from fabrica.world import World

__all__ = ["SinglingOut"]

SIZE = 100_000  #: people of each side among whom somebody is singled out, and predicates, at most
WIDTH = 0.005  #: of all ranks, to either side


class SinglingOut(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether what is rare in the twin singles out people who were learned from"
    source: ClassVar[str] = "predicates that isolate; Cohen and Nissim, PNAS 2020, arXiv:1904.06009"
    story: ClassVar[str] = ("Somebody who has the twin alone describes a person by a few attributes and claims that "
                            "exactly one person of the table is like that.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"singling_out": ("holdout",)}
    dose: ClassVar[float] = 0.5

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        chance, space = run.child("predicates").random(), Vantage.of(world.twin)
        once = world.twin.take(np.unique(row_marks(world.twin), return_index=True)[1])  # repeated rows hide nobody
        members, strangers, twin = (space.points(sheet) for sheet in (world.everybody, world.strangers, once))
        size = min(len(twin), len(members), len(strangers), SIZE)
        twin, *sides = (some.take(chance.permutation(len(some))[:size]) for some in (twin, members, strangers))
        found: tuple[set[int], set[int]] = set(), set()
        tries = 0
        for row in range(size):
            picked = _alone(twin, row, chance)
            if picked is None:
                continue
            tries += 1
            for people, one in zip(sides, found, strict=True):
                like = _like(people, twin, row, picked)
                if len(like) == 1:
                    one.add(int(like[0]))
        learned, made = len(members) / world.judged, world.twin.rows / world.seen
        longer = max(1.0, made / (learned + len(strangers)))  # of more rows than there are people fewer are right each
        seen = size / learned / longer
        return {("singling_out",): Guesses(len(found[0]), tries, len(found[1]), tries, seen)}

    def plant(self, world: World, run: Run) -> World:
        return replace(world.planted(self.dose, run, world.everybody), everybody=world.everybody)


def _alone(twin: Points, row: int, chance: np.random.Generator) -> list[int] | None:
    """Coordinates in all of which no other row is like this one; None where another equals it."""
    left, picked = np.arange(len(twin)), list[int]()
    for coordinate in chance.permutation(len(twin.columns)):
        now = left[_agree(twin, left, twin, row, int(coordinate))]
        if len(now) < len(left):
            picked.append(int(coordinate))
        left = now
        if len(left) == 1:
            return picked
    return None


def _like(people: Points, twin: Points, row: int, picked: list[int]) -> np.ndarray:
    """The people who are like a row of the twin in some coordinates."""
    left = np.arange(len(people))
    for coordinate in picked:
        left = left[_agree(people, left, twin, row, coordinate)]
    return left


def _agree(people: Points, rows: np.ndarray, twin: Points, row: int, coordinate: int) -> np.ndarray:
    many = people.numbers.shape[1]
    if coordinate >= many:
        return np.asarray(people.levels[rows, coordinate - many] == twin.levels[row, coordinate - many])
    return np.asarray(np.abs(people.numbers[rows, coordinate] - twin.numbers[row, coordinate]) <= WIDTH)
