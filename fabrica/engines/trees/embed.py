"""Codes as vectors, so that distances between means are distances between distributions; and as places, so that trees
can cut.

An ordered column becomes cosines of its position q in the marginal, cos(pi h q) / h for h = 1, 2, …: the squared
distance between two means is then, up to the highest harmonic, the Cramer-von Mises distance of the two distributions
(by Parseval; the components of Durbin and Knott, JRSS B 34(2), 1972). Codes that lie in a plane become cosines of each
axis. Absent codes have a direction of their own. A nominal column becomes an indicator of each level; beyond sixteen
levels the commonest keep theirs and the others share random signs, drawn anew for each tree (Johnson-Lindenstrauss).
"""

from __future__ import annotations

import numpy as np

from fabrica.block import Coded
from fabrica.engines.trees.derived import PLACES

__all__ = ["NARROW", "arranged", "embedding", "leading", "narrow", "places"]

NARROW = 65_535  #: the last code that trees tell apart when they look at a column
HARMONICS = 6
WIDTH = 16
APART = 2  #: absent codes with a direction of their own


def narrow(codes: np.ndarray) -> np.ndarray:
    """(n,) codes as trees look at them: levels beyond 65,535 (the rarest) are one."""
    return codes if codes.itemsize <= 2 else np.minimum(codes, NARROW).astype(np.uint16)


def places(grid: np.ndarray, absent: int) -> np.ndarray:
    """(size,) uint8: the place of each code as a feature, by its position in ``grid`` (size,); the first ``absent``
    codes apart, equal mass where there are too many."""
    size = len(grid)
    if size <= PLACES and bool((np.diff(grid[absent:]) > 0).all()):
        return np.arange(size, dtype=np.uint8)
    apart = min(absent, PLACES // 2)
    room = PLACES - apart
    place = apart + np.minimum((np.nan_to_num(grid) * room).astype(np.int64), room - 1)
    place[:absent] = np.minimum(np.arange(absent), apart)
    return np.unique(place, return_inverse=True)[1].astype(np.uint8)


def arranged(codes: np.ndarray, size: int, target: np.ndarray, weight: float = 10.0) -> np.ndarray:
    """(size,) uint8: the place of each nominal code of ``codes`` (n,), so that thresholds part like levels from unlike
    ones.

    Levels are put in order by their mean ``target`` (n,) or (n, R), shrunk towards the overall mean: the best order
    where the target has one dimension (Breiman, Friedman, Olshen, Stone 1984, section 4.2.2), and a principal bisection
    where it has more. Places are of equal mass where there are too many levels.
    """
    counts = np.bincount(codes, minlength=size)
    columns = target.reshape(len(codes), -1).T
    sums = np.stack([np.bincount(codes, c, size) + weight * c.mean() for c in columns], 1)
    mean = sums / (counts + weight)[:, None]
    order = np.argsort(mean[:, 0], kind="stable") if len(columns) == 1 else _bisected(mean, counts + 1e-9)
    place = np.empty(size, np.int64)
    if size <= PLACES:
        place[order] = np.arange(size)
    else:
        mass = np.cumsum(counts[order] + 1e-9)
        place[order] = np.minimum(mass / mass[-1] * PLACES, PLACES - 1)
    return place.astype(np.uint8)


def _bisected(mean: np.ndarray, weight: np.ndarray, depth: int = 8, along: np.ndarray | None = None) -> np.ndarray:
    """(L,) the order of L points ``mean`` (L, R): halved along their principal axis again and again, so that
    neighbours are alike in all directions (Boley, Data Mining and Knowledge Discovery 2(4), 1998); each half is turned
    ``along`` the axis of the whole, so that points on a line stand in its order."""
    centred = mean - weight @ mean / weight.sum()
    axis = np.linalg.eigh((centred * weight[:, None]).T @ centred)[1][:, -1]
    axis = -axis if along is not None and along @ axis < 0 else axis
    order = np.argsort(centred @ axis, kind="stable")
    if len(order) <= 2 or depth == 0:
        return order
    cut = int(np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)) + 1
    halves = order[: min(cut, len(order) - 1)], order[min(cut, len(order) - 1):]
    return np.concatenate([half[_bisected(mean[half], weight[half], depth - 1, axis)] for half in halves])


def embedding(column: Coded, random: np.random.Generator, harmonics: int = HARMONICS) -> np.ndarray:
    """(size, R) float32: the vector of each code, R <= 16."""
    if column.grid is not None:
        return _cosines(column, harmonics)
    if column.size <= WIDTH:
        return np.eye(column.size, dtype=np.float32)
    vectors = np.zeros((column.size, WIDTH), np.float32)
    top = np.argsort(-np.bincount(column.codes, minlength=column.size), kind="stable")
    half = WIDTH // 2
    vectors[top[:half], np.arange(half)] = 1
    signs = random.choice([-1.0, 1.0], (column.size - half, half))
    vectors[np.ix_(top[half:], np.arange(half, WIDTH))] = signs / np.sqrt(half)
    return vectors


def _cosines(column: Coded, harmonics: int) -> np.ndarray:
    assert column.grid is not None
    axes = column.grid[:, None] if column.axes is None else column.axes
    harmonic = np.arange(1, harmonics // axes.shape[1] + 1)
    waves = (np.cos(np.pi * axes[:, :, None] * harmonic) / harmonic).reshape(column.size, -1)
    apart = min(column.absent, APART)
    vectors = np.concatenate([np.nan_to_num(waves), np.zeros((column.size, apart))], 1).astype(np.float32)
    vectors[np.arange(apart), waves.shape[1] + np.arange(apart)] = 1
    return vectors


def leading(column: Coded, vectors: np.ndarray) -> np.ndarray:
    """(size,) one number a code: the direction in which the column varies most (its position, if it is ordered; absent
    codes in the middle)."""
    if column.grid is not None:
        return np.nan_to_num(-np.cos(np.pi * column.grid)).astype(np.float32)
    share = np.bincount(column.codes, minlength=column.size) / max(1, len(column))
    centred = vectors - share @ vectors
    _, _, axes = np.linalg.svd(centred * np.sqrt(share)[:, None], full_matrices=False)
    return (centred @ axes[0]).astype(np.float32)
