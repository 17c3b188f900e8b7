"""Private training: steps along noisy gradients, whose number and length nobody's row has a say in.

All that a step sees of the rows is a noisy sum (``privacy.sums``) of gradients cut to a length, divided by how many
rows a step is expected to take, never by how many it took. What follows from it is free: Adam's moments, from whose
second the known variance of the noise is taken off (Tang, Shpilevskiy & Lécuyer, "DP-AdamBC", AAAI 2024), and the mean
of the weights over the last steps (Polyak & Juditsky 1992). Nothing is judged on rows on the way and nothing stops
early.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from fabrica.privacy.sums import Sums
from fabrica.run import Run

__all__ = ["Descent", "descended"]

FIRST, SECOND = 0.9, 0.98  #: how long Adam's moments remember
LEAST = 1.0  #: of the noise's variance, that a second moment has at least
WARM = 0.05  #: share of the steps over which the rate rises
MOST = 0.05  #: that a weight moves in a step, about
FLOOR = 0.05  #: share of the rate at the end of the cosine

#: places of rows (n,), weights (length,), the length to cut to, its size in whole numbers -> sums (length,) int64
Clipped = Callable[[np.ndarray, np.ndarray, float, int], np.ndarray]


@dataclass(frozen=True)
class Descent:
    """Parameters
    ----------
    reach : how far a weight may move in all steps together, about, if they had one rate.
    clip : length that a row's gradient is cut to. average : share of the steps, the last, whose mean is kept.
    """

    reach: float
    clip: float
    average: float = 0.3

    def rate(self, step: int, steps: int) -> float:
        """How far a weight moves in a step: rises over the first ones, falls along a cosine.

        >>> [round(Descent(1.0, 1.0).rate(step, 100) * 100, 2) for step in (0, 10, 50, 99)]
        [0.2, 0.98, 0.53, 0.05]
        """
        warm = min(1.0, (step + 1) / max(1.0, WARM * steps))
        fall = FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * step / steps))
        return min(self.reach / steps, MOST) * warm * fall


def descended(weights: np.ndarray, clipped: Clipped, sums: Sums, rows: float, plan: Descent, run: Run) -> np.ndarray:
    """The weights (length,) float32 after all steps that ``sums`` has paid for, from ``weights`` on.

    Parameters
    ----------
    rows : about how many rows there are, as noise has told.
    """
    steps, weights = sums.event.steps, weights.astype(np.float32)
    unit = plan.clip / sums.bound / max(1.0, rows * sums.share)
    noise = float(sums.event.variance) * unit**2
    first, second, mean = np.zeros_like(weights), np.zeros_like(weights), np.zeros(len(weights))
    begin = steps - max(1, round(plan.average * steps))
    for step in range(steps):
        run.tell(step, steps, "learning through noise")
        noisy = sums.next(partial(_cut, clipped, weights, plan.clip, sums.bound))
        gradient = (unit * noisy).astype(np.float32)
        first += (1 - FIRST) * (gradient - first)
        second += (1 - SECOND) * (gradient * gradient - second)
        scale = second / (1 - SECOND ** (step + 1)) - noise
        scale = np.sqrt(np.maximum(scale, LEAST * noise + 1e-16))
        weights = weights - np.float32(plan.rate(step, steps) / (1 - FIRST ** (step + 1))) * first / scale
        if step >= begin:
            mean += weights
    return (mean / (steps - begin)).astype(np.float32)


def _cut(clipped: Clipped, weights: np.ndarray, most: float, bound: int, places: np.ndarray) -> np.ndarray:
    return clipped(places, weights, most, bound)
