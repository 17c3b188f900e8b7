"""Who has what few have: a level that few people have, or another number where nearly all have the same one.

What nearly everybody has is no secret, and a mean of all people hides those who differ. A missing cell is nothing that
one has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["having"]

FEW = 0.05  #: share of people who have a level that few have, at most
OTHERS = 0.1  #: share of people who have other numbers than the one that nearly all have, at most


def having(sides: Sequence[np.ndarray], k: int) -> list[np.ndarray] | None:
    """Of the people of some sides (n,) bool: who has what few of all have; None where there is nobody.

    Parameters
    ----------
    sides : the cells of one column, numbers or codes of levels. k : people at least who must have a level, or other
    numbers than the one that nearly all have.

    >>> [side.tolist() for side in having([np.r_[np.zeros(60), 7.0], np.r_[np.zeros(60), 5.0]], 2)][0][-2:]
    [False, True]
    """
    values, which, counts = np.unique(np.concatenate(sides), return_inverse=True, return_counts=True)
    missing = np.isnan(values) if values.dtype.kind == "f" else values < 0
    if values.dtype.kind == "f":
        others = ~missing & (np.arange(len(values)) != np.argmax(np.where(missing, 0, counts)))
        few = others & bool(k <= counts[others].sum() <= OTHERS * counts[~missing].sum())
    else:
        few = ~missing & (counts >= k) & (counts <= FEW * counts.sum())
    return np.split(few[which], np.cumsum([len(side) for side in sides])[:-1]) if few.any() else None
