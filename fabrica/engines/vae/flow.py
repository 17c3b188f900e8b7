"""The prior as a flow: noise is carried to latent numbers along a learned velocity, without torch.

The way is gone in a few midpoint steps (Runge 1895), many rows at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.nets import forward
from fabrica.nets.decoder import weights
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Flow", "waves_of"]

TIMES = 64  #: numbers that tell the moment
FASTEST = 100.0  #: angle that the fastest wave goes through
STEPS = 10
PART = 1024  #: rows that go together, so that what they need stays in the cache


def waves_of() -> np.ndarray:
    """(32,) float32 angles of the waves that tell a moment in [0, 1]."""
    return np.geomspace(1.0, FASTEST, TIMES // 2).astype(np.float32)


@dataclass(frozen=True)
class Flow:
    """Weights for L latent numbers, B blocks of w numbers, float32.

    Parameters
    ----------
    first, blocks : (L, w), (B, w, w).
    times, biases : (B + 1, 64, w), (B + 1, w) what the moment adds to the first layer and to each block.
    last, last_bias : (w, L), (L,).
    """

    first: np.ndarray
    blocks: np.ndarray
    times: np.ndarray
    biases: np.ndarray
    last: np.ndarray
    last_bias: np.ndarray

    @property
    def latent(self) -> int:
        return len(self.first)

    def draw(self, size: int, run: Run) -> np.ndarray:
        """(n, L) float32 latent numbers."""
        points = run.random().standard_normal((size, self.latent), np.float32)
        for start in range(0, size, PART):
            points[start : start + PART] = self._carried(points[start : start + PART])
        return points

    def _carried(self, points: np.ndarray) -> np.ndarray:
        step = np.float32(1 / STEPS)
        for i in range(STEPS):
            half = points + step / 2 * self._velocity(points, i / STEPS)
            points = points + step * self._velocity(half, (i + 0.5) / STEPS)
        return points

    def _velocity(self, points: np.ndarray, when: float) -> np.ndarray:
        angle = (waves_of() * np.float32(when))[None]
        told = np.concatenate([np.sin(angle), np.cos(angle)], 1)
        shift = [forward.affine(told, t, b)[0] for t, b in zip(self.times, self.biases, strict=True)]
        x = forward.swish(forward.affine(points, self.first, shift[0]))
        for block, bias in zip(self.blocks, shift[1:], strict=True):
            x = x + forward.swish(forward.affine(x, block, bias))
        return forward.affine(x, self.last, self.last_bias)

    def state(self) -> State:
        return State({}, {name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def from_state(cls, state: State) -> Flow:
        first = weights(state, "first", -1, -1)
        latent, width = first.shape
        blocks = weights(state, "blocks", -1, width, width)
        times = weights(state, "times", len(blocks) + 1, TIMES, width)
        return cls(first, blocks, times, weights(state, "biases", len(times), width),
                   weights(state, "last", width, latent), weights(state, "last_bias", latent))
