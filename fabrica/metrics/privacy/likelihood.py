"""Likelihood: who is likelier under the model than under one that learned other people?

Whoever holds the model file can ask it how likely a row is, exactly, where the engine knows likelihoods. An ordinary
person is likely under any model; so the attacker learns a model of their own from people whom they know, over the same
codes, and the score of a person is the logarithm of the ratio. It is the loss attack with a reference, and the ratio of
densities without an estimate of either. (Yeom et al., "Privacy risk in machine learning", CSF 2018; Carlini et al.,
"Membership inference attacks from first principles", S&P 2022, arXiv:2112.03570; van Breugel et al., AISTATS 2023.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from fabrica.attack import NO_MAKER, Attack, Place
from fabrica.contract import Maker, Sheet
from fabrica.errors import NotComputable
from fabrica.reached import Outcome, Scores
from fabrica.run import Run
from fabrica.world import World

__all__ = ["Likelihood"]

PLANTED = 100  #: people whom the control's model remembers
FLOOR = -1e6  #: a logarithm below which likelihoods are not told apart


class Likelihood(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether the model holds people who were learned from likelier than others do"
    source: ClassVar[str] = "losses beside a reference; Yeom et al., CSF 2018; Carlini et al. 2022, arXiv:2112.03570"
    story: ClassVar[str] = ("Somebody who holds the model file, and people like the person they look for, compares how "
                            "likely the person is under the model and under one of their own.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"likelihood": ("holdout",)}
    learns: ClassVar[bool] = True

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        if world.maker is None:
            raise NotComputable(NO_MAKER)
        sides = [world.which[side] for side in ("members", "controls")]
        people = np.concatenate(sides)
        own = world.maker.log_prob(people, run.child("model"))
        other = world.maker.log_prob(people, run.child("reference"), world.which["reference"])
        score = np.maximum(own, FLOOR) - np.maximum(other, FLOOR)
        return {("likelihood",): Scores(score[: len(sides[0])], score[len(sides[0]) :])}

    def plant(self, world: World, run: Run) -> World:
        """The model is mixed with one that knows some members by heart and nobody else."""
        if world.maker is None:
            raise NotComputable(NO_MAKER)
        known = run.random().permutation(world.members.rows)[:PLANTED]
        which = world.which["members"][known]
        return replace(world, members=world.members.take(known), which={**world.which, "members": which},
                       maker=_ByHeart(world.maker, which, self.dose), dose=self.dose)


@dataclass(frozen=True, eq=False)
class _ByHeart(Maker):
    """A maker whose model draws one of the rows ``known`` in a share ``dose`` of the cases."""

    maker: Maker
    known: np.ndarray
    dose: float

    def log_prob(self, rows: np.ndarray, run: Run, learned: np.ndarray | None = None) -> np.ndarray:
        found = self.maker.log_prob(rows, run, learned)
        if learned is not None:
            return found
        heart = np.where(np.isin(rows, self.known), np.log(self.dose / len(self.known)), -np.inf)
        return np.logaddexp(np.log1p(-self.dose) + found, heart)

    def twin(self, rows: np.ndarray, size: int, run: Run) -> Sheet:
        return self.maker.twin(rows, size, run)

    def artefacts(self, planted: object, folder: Path, run: Run) -> None:
        raise NotComputable("nothing is made by heart")
