"""A column as a parent: its tokens in fewer groups, so that tables of counts stay full.

Several resolutions are offered and the search takes the one that tells most (the generalised attributes of PrivBayes'
taxonomy trees, Zhang et al., ACM TODS 42(4), 2017): runs of about equal mass where tokens have an order, else the
commonest levels and one group for the others.
"""

from __future__ import annotations

import numpy as np

from fabrica.tokens import Token

__all__ = ["resolutions", "runs"]

RUNS = (3, 6, 12, 24)  #: groups of an ordered column, about
LEVELS = (4, 12, 200)  #: groups of levels, at most


def resolutions(token: Token) -> list[np.ndarray]:
    """Maps (K,) int32 from tokens to groups, coarse ones first."""
    found = [runs(token, most) if token.ordered else _levels(token, most) for most in
             (RUNS if token.ordered else LEVELS)]
    sizes = [int(f.max()) + 1 for f in found]
    return [f for i, f in enumerate(found) if sizes[i] > 1 and sizes[i] not in sizes[:i]]


def runs(token: Token, most: int) -> np.ndarray:
    """Absent tokens alone, those with much mass alone, the rest in runs of about equal mass."""
    mass = token.seen[token.absent:]
    total = max(mass.sum(), 1e-300)
    run = np.minimum((np.cumsum(mass) - mass / 2) / total * most, most - 1).astype(np.int64)
    new = np.ones(len(mass), bool)
    large = mass >= total / most
    new[1:] = large[1:] | large[:-1] | (run[1:] != run[:-1])
    return np.concatenate([np.arange(token.absent), token.absent + np.cumsum(new) - 1]).astype(np.int32)


def _levels(token: Token, most: int) -> np.ndarray:
    if token.size <= most:
        return np.arange(token.size, dtype=np.int32)
    group = np.full(token.size, most - 1, np.int32)
    group[np.argsort(-token.seen, kind="stable")[: most - 1]] = np.arange(most - 1)
    return group
