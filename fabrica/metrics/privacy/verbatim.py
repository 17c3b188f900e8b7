"""Verbatim: do people who are alone with what they have stand in the twin, exactly or nearly?

Attacked are people whose row no other real row equals (or, for near copies, nearly equals), of those who were learned
from and of the others: whoever is like somebody else cannot be recognised. A person is hit where a synthetic row is
equal in every column (``verbatim``), or differs in no level and in numbers by no more than a hundredth of the ranks,
all columns together (``verbatim_near``). Nobody else is known, so all of the holdout are controls. A common row comes
out of any good model; so does now and then one that a person has alone, and as often for people whom the model never
saw. (Isolation as in Cohen & Nissim, "Towards formalizing the GDPR's notion of singling out", PNAS 117, 2020,
arXiv:1904.06009, with the whole row as the predicate.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from fabrica.attack import Attack, Place
from fabrica.reached import Guesses, Outcome
from fabrica.rows import recognised, row_marks
from fabrica.run import Run
from fabrica.vantage import Vantage
from fabrica.world import World

__all__ = ["Verbatim"]

NEAR = 0.01  #: of all ranks, by which a near copy may differ


class Verbatim(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether people who are alone with what they have stand in the twin"
    source: ClassVar[str] = "isolation by the whole row; after Cohen and Nissim, PNAS 2020, arXiv:1904.06009"
    story: ClassVar[str] = "Somebody reads the twin and recognises a person in it, cell by cell."
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"verbatim": ("holdout",), "verbatim_near": ("holdout",)}

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        sides = world.everybody, world.strangers
        found = recognised(*(row_marks(rows) for rows in (*sides, world.twin)))
        exact = [there[alone] for alone, there in found]
        space = Vantage.of(world.twin)
        near = [space.points(people).take(some).alike(space.points(world.twin), NEAR) >= 0
                for people, some in zip(sides, _alone(world), strict=True)]
        return {(name,): Guesses(int(own.sum()), len(own), int(other.sum()), len(other), world.seen)
                for name, (own, other) in (("verbatim", exact), ("verbatim_near", near))}

    def plant(self, world: World, run: Run) -> World:
        return world.planted(self.dose, run, world.everybody.take(np.flatnonzero(_alone(world)[0])))


def _alone(world: World) -> list[np.ndarray]:
    """Of those learned from and of the others, (n,) bool: whom nobody else is nearly like."""
    space = Vantage.of(world.twin)
    own, other = (space.points(people) for people in (world.everybody, world.strangers))
    everybody = own.beside(other)
    return [people.alone(everybody, NEAR) for people in (own, other)]
