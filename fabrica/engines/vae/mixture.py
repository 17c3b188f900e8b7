"""The prior as a mixture of normals: learned in a second or two, drawn at once.

Expectation maximisation (Dempster, Laird, Rubin, JRSS B 39, 1977) with full covariances, from centres that lie far
apart (k-means++; Arthur and Vassilvitskii, SODA 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica import sound
from fabrica.nets import forward
from fabrica.nets.decoder import weights
from fabrica.run import Run
from fabrica.state import State
from fabrica.uniforms import even

__all__ = ["Mixture", "fitted"]

ROUNDS = 60
ENOUGH = 1e-3  #: nats a row; a round that gains less is the last
SOFT = 1e-3  #: variance that is added to every direction
PRIOR = 5.0  #: rows' worth of the whole cloud in each covariance
MOST = 10_000  #: rows that are looked at


@dataclass(frozen=True)
class Mixture:
    """M normals over L latent numbers.

    Parameters
    ----------
    share : (M,) float64, sums to one.
    middle, root : (M, L), (M, L, L) float32: a row is a middle plus normal numbers (L,) @ a root.
    """

    share: np.ndarray
    middle: np.ndarray
    root: np.ndarray

    @property
    def latent(self) -> int:
        return self.middle.shape[1]

    def draw(self, size: int, run: Run) -> np.ndarray:
        """(n, L) float32 latent numbers; each component as often as its share, evenly."""
        ends = np.cumsum(self.share)
        which = np.searchsorted(ends / ends[-1], even(size, run.child("which").random()), "right")
        which = np.minimum(which, len(ends) - 1)
        points = run.child("normal").random().standard_normal((size, self.latent), np.float32)
        for m in range(len(ends)):
            rows = np.flatnonzero(which == m)
            points[rows] = forward.affine(points[rows], self.root[m], self.middle[m])
        return points

    def state(self) -> State:
        return State({}, {name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def from_state(cls, state: State) -> Mixture:
        share = sound.array(state, "share", low=0, high=1)
        sound.demand(bool(share.sum() > 0), "shares of a mixture that add up to nothing")
        middle = weights(state, "middle", len(share), -1)
        latent = middle.shape[1]
        return cls(share, middle, weights(state, "root", len(share), latent, latent))


def fitted(points: np.ndarray, components: int, run: Run) -> Mixture:
    """A mixture of at most ``components`` normals for ``points`` (n, L)."""
    random = run.random()
    if len(points) > MOST:
        points = points[random.choice(len(points), MOST, replace=False)]
    points = points.astype(np.float64)
    count = int(np.clip(len(points) // (4 * points.shape[1]), 1, components))
    whole = np.cov(points.T, bias=True).reshape(points.shape[1], -1)
    middle = _apart(points, count, random)
    share, spread, before = np.full(count, 1 / count), np.repeat(whole[None], count, 0), -np.inf
    spread = spread + SOFT * np.eye(points.shape[1])
    for _ in range(ROUNDS if count > 1 else 1):
        odds = _odds(points, share, middle, spread)
        top = odds.max(1, keepdims=True)
        belongs = np.exp(odds - top)
        total = belongs.sum(1, keepdims=True)
        share, middle, spread = _moments(points, belongs / total, whole)
        found = float((np.log(total) + top).mean())
        if found - before < ENOUGH:
            break
        before = found
    root = np.linalg.cholesky(spread).transpose(0, 2, 1)
    return Mixture(share, middle.astype(np.float32), np.ascontiguousarray(root, np.float32))


def _apart(points: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """(M, L) points of which each is drawn by its squared distance from those before it."""
    found = [points[random.integers(len(points))]] if count > 1 else [points.mean(0)]
    near = np.full(len(points), np.inf)
    while len(found) < count:
        near = np.minimum(near, ((points - found[-1]) ** 2).sum(1))
        ends = np.cumsum(near)
        found.append(points[min(int(np.searchsorted(ends, random.random() * ends[-1])), len(points) - 1)])
    return np.array(found)


def _odds(points: np.ndarray, share: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(n, M) log of share times density of each component."""
    out = np.empty((len(points), len(share)))
    for m, root in enumerate(np.linalg.cholesky(spread)):
        away = (points - middle[m]) @ np.linalg.inv(root).T
        out[:, m] = (np.log(max(share[m], 1e-300)) - 0.5 * (away**2).sum(1) - np.log(np.diag(root)).sum()
                     - points.shape[1] / 2 * np.log(2 * np.pi))
    return out


def _moments(points: np.ndarray, belongs: np.ndarray, whole: np.ndarray
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share, middle and covariance of each component; a covariance leans on that of all points a little."""
    mass = belongs.sum(0) + 1e-9
    middle = belongs.T @ points / mass[:, None]
    spread = np.empty((len(mass), *whole.shape))
    for m in range(len(mass)):
        away = points - middle[m]
        spread[m] = ((away * belongs[:, m : m + 1]).T @ away + PRIOR * whole) / (mass[m] + PRIOR)
    return mass / mass.sum(), middle, spread + SOFT * np.eye(points.shape[1])
