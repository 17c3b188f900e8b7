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

from fabrica.attack import Attack, Outcome, Place, Scores, World
from fabrica.boosting import boost, features, predict
from fabrica.run import Run

__all__ = ["Density"]

TREES = 300
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
        size = min(world.twin.rows, world.reference.rows)
        twin = world.twin.take(run.child("twin").random().permutation(world.twin.rows)[:size])
        known = world.reference.take(run.child("known").random().permutation(world.reference.rows)[:size])
        seen = features([twin, known, world.members, world.controls])
        truth = np.repeat(np.array([1.0, 0.0], np.float32), size)
        both = np.concatenate(seen.parts[:2])
        booster = boost(both, truth, seen.types, TREES, objective="binary:logistic", **SETTING)
        return {("density",): Scores(*(predict(booster, part, seen.types) for part in seen.parts[2:]))}
