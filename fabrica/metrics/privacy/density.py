"""Density: who lies where the twin has more rows than the population has people?

Boosted trees learn to tell rows of the twin from people whom the attacker knows; how surely they take somebody for a
row of the twin is the score. Where a generator over-fits, it puts mass around its members that the population does not
have. (DOMIAS: van Breugel, Sun, Qian & van der Schaar, "Membership inference attacks against synthetic data through
overfitting detection", AISTATS 2023, arXiv:2302.12580; with a classifier for the ratio of densities.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from fabrica.attack import Attack, Place
from fabrica.boosting import boost, features, predict
from fabrica.contract import Sheet
from fabrica.reached import Outcome, Scores
from fabrica.run import Run
from fabrica.world import World

__all__ = ["Density"]

TREES, LEARN = 300, 250_000  #: of the attacker; rows of the twin and people that it learns from, at most
SETTING = {"max_depth": 12, "learning_rate": 0.1, "subsample": 0.8, "min_child_weight": 0.5}


class Density(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether people who were learned from lie where the twin is denser than the population"
    source: ClassVar[str] = "density ratios; van Breugel et al., AISTATS 2023, arXiv:2302.12580"
    story: ClassVar[str] = ("Somebody who has many people like the person they look for compares how crowded the twin "
                            "is around that person.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"density": ("holdout",)}
    dose: ClassVar[float] = 1.0

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        twin, known = (_some(sheet, LEARN, run.child(name)) for name, sheet in
                       (("twin", world.twin), ("known", world.reference)))
        size = min(world.everybody.rows, world.others.rows)
        people = [_some(side, size, run.child(name)) for name, side in
                  (("members", world.everybody), ("controls", world.others))]
        seen = features([twin, known, *people])
        truth = np.repeat(np.array([1.0, 0.0], np.float32), (twin.rows, known.rows))
        booster = boost(np.concatenate(seen.parts[:2]), truth, seen.types, TREES, objective="binary:logistic",
                        scale_pos_weight=known.rows / twin.rows, **SETTING)
        members, controls = (predict(booster, part, seen.types) for part in seen.parts[2:])
        return {("density",): Scores(members, controls, world.seen * twin.rows / world.twin.rows)}


def _some(sheet: Sheet, most: int, run: Run) -> Sheet:
    """Rows by chance."""
    return sheet.take(run.random().permutation(sheet.rows)[:most])
