"""Codes as vectors, so that distances between means are distances between distributions; and as bins, so that trees
can cut.

An ordered column becomes cosines of its position q in the marginal, cos(pi h q) / h for h = 1, 2, …: the squared
distance between two means is then, up to the highest harmonic, the Cramer-von Mises distance of the two
distributions (by Parseval; the components of Durbin and Knott, JRSS B 34(2), 1972). Absent codes have a direction of
their own. A nominal column becomes an indicator of each level; beyond eight levels the commonest keep theirs and the
others share random signs, drawn anew for each tree (Johnson-Lindenstrauss).
"""

from __future__ import annotations

import numpy as np

from fabrica.block import Coded

__all__ = ["PLACES", "arranged", "embedding", "leading", "places"]

PLACES = 255  #: of a feature, at most
HARMONICS = 6
WIDTH = 8


def places(column: Coded) -> np.ndarray:
    """(size,) uint8: the place of each code of an ordered column as a feature; order kept, absent codes apart, equal
    mass where there are too many."""
    assert column.grid is not None
    if column.size <= PLACES:
        return np.arange(column.size, dtype=np.uint8)
    absent = min(column.absent, PLACES // 2)
    room = PLACES - absent
    place = absent + np.minimum((np.nan_to_num(column.grid) * room).astype(np.int64), room - 1)
    place[: column.absent] = np.minimum(np.arange(column.absent), absent)
    return np.unique(place, return_inverse=True)[1].astype(np.uint8)


def arranged(column: Coded, target: np.ndarray, weight: float = 10.0) -> np.ndarray:
    """(size,) uint8: the place of each level of a nominal column: by their mean ``target`` (n,), shrunk towards the
    overall mean, so that one threshold parts like levels from unlike ones (Breiman, Friedman, Olshen, Stone 1984,
    section 4.2.2); of equal mass where there are too many levels."""
    counts = np.bincount(column.codes, minlength=column.size)
    mean = (np.bincount(column.codes, target, column.size) + weight * target.mean()) / (counts + weight)
    order = np.argsort(mean, kind="stable")
    place = np.empty(column.size, np.int64)
    if column.size <= PLACES:
        place[order] = np.arange(column.size)
    else:
        mass = np.cumsum(counts[order] + 1e-9)
        place[order] = np.minimum(mass / mass[-1] * PLACES, PLACES - 1)
    return place.astype(np.uint8)


def embedding(column: Coded, random: np.random.Generator) -> np.ndarray:
    """(size, R) float32: the vector of each code, R <= 8."""
    if column.grid is not None:
        return _cosines(column)
    if column.size <= WIDTH:
        return np.eye(column.size, dtype=np.float32)
    vectors = np.zeros((column.size, WIDTH), np.float32)
    top = np.argsort(-np.bincount(column.codes, minlength=column.size), kind="stable")
    half = WIDTH // 2
    vectors[top[:half], np.arange(half)] = 1
    signs = random.choice([-1.0, 1.0], (column.size - half, half))
    vectors[np.ix_(top[half:], np.arange(half, WIDTH))] = signs / np.sqrt(half)
    return vectors


def _cosines(column: Coded) -> np.ndarray:
    assert column.grid is not None
    harmonic = np.arange(1, HARMONICS + 1)
    waves = np.cos(np.pi * np.outer(column.grid, harmonic)) / harmonic
    apart = min(column.absent, WIDTH - HARMONICS)
    vectors = np.concatenate([np.nan_to_num(waves), np.zeros((column.size, apart))], 1).astype(np.float32)
    vectors[np.arange(apart), HARMONICS + np.arange(apart)] = 1
    return vectors


def leading(column: Coded, vectors: np.ndarray) -> np.ndarray:
    """(size,) one number a code: the direction in which the column varies most (its position, if it is ordered)."""
    if column.grid is not None:
        return -vectors[:, 0]
    share = np.bincount(column.codes, minlength=column.size) / max(1, len(column))
    centred = vectors - share @ vectors
    _, _, axes = np.linalg.svd(centred * np.sqrt(share)[:, None], full_matrices=False)
    return (centred @ axes[0]).astype(np.float32)
