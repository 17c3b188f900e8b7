"""The usual ways to meet few positives: more weight, the same rows again, SMOTE.

SMOTE-NC of Chawla, Bowyer, Hall & Kegelmeyer, "SMOTE: synthetic minority over-sampling technique", JAIR 16, 2002: a
new positive lies on the way from one to one of its nearest ``NEAREST``; a level that differs counts as the median of
the standard deviations of the numbers, and is taken by the vote of the neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["NEAREST", "again", "smote"]

NEAREST = 5
PIECE = 256  #: positives whose neighbours are sought together


def again(positives: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """(count, C) positives (n, C) drawn again."""
    return positives[random.integers(len(positives), size=count)]


def smote(positives: np.ndarray, types: Sequence[str], count: int, random: np.random.Generator) -> np.ndarray:
    """(count, C) new positives between those that there are (n, C); ``types`` are "q" for numbers, "c" for levels."""
    numeric = np.array([kind == "q" for kind in types])
    if len(positives) < 2:
        return again(positives, count, random)
    filled = np.where(np.isnan(positives), np.nan_to_num(np.nanmean(positives, 0)), positives)
    spread = filled[:, numeric].std(0)
    apart = float(np.median(spread[spread > 0])) if (spread > 0).any() else 1.0
    near = np.concatenate([_nearest(filled, np.arange(start, min(start + PIECE, len(filled))), numeric, apart)
                           for start in range(0, len(filled), PIECE)])
    one = random.integers(len(filled), size=count)
    other = near[one, random.integers(near.shape[1], size=count)]
    step = random.random((count, 1))
    made = positives[one] + step * (positives[other] - positives[one])
    for level in np.flatnonzero(~numeric):
        made[:, level] = _voted(positives[near, level])[one]
    return made.astype(positives.dtype)


def _nearest(filled: np.ndarray, some: np.ndarray, numeric: np.ndarray, apart: float) -> np.ndarray:
    """(m, k) the nearest others of ``some`` rows (m,), the nearest first."""
    distance = np.zeros((len(some), len(filled)))
    for j in range(filled.shape[1]):
        gap = filled[some, j, None] - filled[None, :, j]
        distance += gap**2 if numeric[j] else (gap != 0) * apart**2
    distance[np.arange(len(some)), some] = np.inf
    return np.argsort(distance, 1, kind="stable")[:, : min(NEAREST, len(filled) - 1)]


def _voted(levels: np.ndarray) -> np.ndarray:
    """(n,) the commonest level of each row of neighbours (n, k); of equally common ones the first."""
    counts = (levels[:, :, None] == levels[:, None, :]).sum(2)
    return levels[np.arange(len(levels)), counts.argmax(1)]
