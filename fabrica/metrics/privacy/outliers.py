"""Outliers: are the most isolated people told as members? Averages hide them, and they are whom a leak harms.

Those are attacked who are farther from the people that the attacker knows (the mean distance to their five nearest)
than nineteen in twenty of the controls, by the score of ``membership``. Of the holdout one half is known and the other
attacked, and then the other way round, each with half of the members: so few are isolated that none can be spared.
(Meeus, Guepin, Cretu & de Montjoye, "Achilles'
heels: vulnerable record identification in synthetic data publishing", ESORICS 2023, arXiv:2306.10308.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fabrica.attack import Attack, Place
from fabrica.bounds import share
from fabrica.contract import Sheet
from fabrica.reached import ALARMS, Outcome, Scores
from fabrica.run import Run
from fabrica.world import World

__all__ = ["Outliers"]

ISOLATED = 0.05  #: share of the controls who are attacked
NEAR = 5  #: people by whom isolation is told
FOUND = 0.1  #: share of the planted that must be found: one that no tier accepts
WHOLE = 20_000  #: people among whom the isolated are sought, of each side, at most


@dataclass(frozen=True)
class Isolated(Scores):
    """Scores of isolated people: what counts is how many are found where few others are accused, and not the area."""

    @property
    def found(self) -> bool:
        level = np.quantile(self.controls, 1 - ALARMS[0], method="higher")
        return super().found and share(int((self.members > level).sum()), len(self.members))[0] > FOUND


class Outliers(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether the most isolated people who were learned from can be told"
    source: ClassVar[str] = "vulnerable records; Meeus et al., ESORICS 2023, arXiv:2306.10308"
    story: ClassVar[str] = ("Somebody picks the people who are least like others and wants to know which of them were "
                            "in the table.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"outliers": ("holdout",)}

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        folds = world.folds(run.child("folds"))
        scores = [_scored(fold, run.child(i)) for i, fold in enumerate(folds)]
        members, controls = (np.concatenate(side) for side in zip(*scores, strict=True))
        return {("outliers",): Isolated(members, controls, world.seen)}

    def plant(self, world: World, run: Run) -> World:
        return world.planted(self.dose, run, isolated(world, "everybody", run))


def _scored(world: World, run: Run) -> list[np.ndarray]:
    """The scores of isolated members and of isolated others."""
    return [world.nearer(world.space.points(isolated(world, side, run))) for side in ("everybody", "others")]


def isolated(world: World, side: str, run: Run) -> Sheet:
    """The people of one side who are most isolated."""
    people = getattr(world, side)
    people = people.take(run.child(side).random().permutation(people.rows)[:WHOLE])
    line = np.quantile(isolation(world, world.controls), 1 - ISOLATED)
    return people.take(np.flatnonzero(isolation(world, people) >= line))


def isolation(world: World, people: Sheet) -> np.ndarray:
    """(n,) how far people are from those whom the attacker knows."""
    return np.asarray(world.space.points(people).nearest(world.points["reference"], NEAR)[0].mean(1))
