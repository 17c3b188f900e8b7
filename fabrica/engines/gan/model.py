"""What was learned: the generator, without torch and without the network that it played against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fabrica import sound
from fabrica.nets.latent import LatentModel, Normal
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Tokens

__all__ = ["GanModel", "Told", "told"]

MOST = 256  #: levels of all columns together that may be told; the columns with the most are left out


def told(tokens: Tokens) -> list[int]:
    """The columns whose levels a row can be told before it is made: those of levels, the smallest first."""
    levels = [j for j, token in enumerate(tokens.columns) if not token.column.ordered and token.size > 1]
    levels.sort(key=lambda j: tokens.sizes[j])
    return [j for j, total in zip(levels, np.cumsum([tokens.sizes[j] for j in levels]), strict=True) if total <= MOST]


@dataclass(frozen=True)
class Told:
    """Standard normal numbers, and which level a row is told that it is to have.

    Parameters
    ----------
    noise : L, how many numbers.
    odds : (M,) float64 how likely each level is told; they sum to one.
    """

    noise: int
    odds: np.ndarray

    @classmethod
    def over(cls, tokens: Tokens, noise: int) -> Told | Normal:
        """Each column of levels as often as the others, its levels by their shares."""
        columns = told(tokens)
        if not columns:
            return Normal(noise)
        return cls(noise, np.concatenate([tokens.columns[j].share for j in columns]) / len(columns))

    @property
    def latent(self) -> int:
        return self.noise + len(self.odds)

    def draw(self, size: int, run: Run) -> np.ndarray:
        """(size, L + M) float32: the numbers, then a one for the level."""
        found = np.zeros((size, self.latent), np.float32)
        random = run.random()
        found[:, : self.noise] = random.standard_normal((size, self.noise), np.float32)
        levels = np.searchsorted(np.cumsum(self.odds)[:-1], random.random(size), "right")
        found[np.arange(size), self.noise + levels] = 1
        return found

    def state(self) -> State:
        return State({"noise": self.noise}, {"odds": self.odds})

    @classmethod
    def from_state(cls, state: State) -> Told:
        odds = sound.array(state, "odds", low=0, high=1)
        sound.demand(0 < len(odds) <= MOST and abs(odds.sum() - 1) < 1e-6, "odds that do not sum to one")
        return cls(sound.whole(state, "noise", 1, 1024), odds)


@dataclass(frozen=True)
class GanModel(LatentModel):
    """Normal latent numbers, the level that is told, and the generator's weights."""

    PRIORS: ClassVar[dict[str, Any]] = {"normal": Normal, "told": Told}
