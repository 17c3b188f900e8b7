"""Biases at which a column's expected margin is the data's.

The sum over tokens of share x bias less the mean over rows of the log of the softmax's denominator is concave in
the biases, and its slope is share less expected share: so where it is largest the margins agree (generalised raking;
Deville and Sarndal, JASA 87, 1992). Newton's method finds the place in a few rounds; columns of very many tokens
go there by the ratio of shares (Darroch and Ratcliff, Ann. Math. Stat. 43, 1972).
"""

from __future__ import annotations

import numpy as np

from fabrica.nets import forward
from fabrica.tokens import Token

__all__ = ["raked"]

ROUNDS = 6
NEAR = 2e-5  #: a share that is this near is there
STEADY = 1.0  #: nats that a bias moves in a round, at most
CURVED = 512  #: tokens up to which curvature is looked at
ENOUGH = 4096  #: rows from which curvature is known well enough
RIDGE = 1e-3  #: share of the diagonal that is added to the curvature, which is flat along one direction


def raked(hidden: np.ndarray, head: np.ndarray, bias: np.ndarray, token: Token) -> np.ndarray:
    """(K,) float32 biases for the last layer's view of rows ``hidden`` (n, h) under ``head`` (h, K), from ``bias``.

    The bias of a token that may not be drawn stays as it is.
    """
    shown = np.flatnonzero(token.share > 0)
    if len(shown) < 2:
        return bias
    logits = forward.affine(hidden, np.ascontiguousarray(head[:, shown]), np.zeros(len(shown), np.float32))
    wanted, moved = token.share[shown], bias[shown].astype(np.float32)
    for _ in range(ROUNDS):
        expected = forward.probabilities(logits, moved)
        gap = wanted - expected.mean(0, dtype=np.float64)
        if np.abs(gap).max() < NEAR:
            break
        moved = moved + np.clip(_step(expected, gap, wanted), -STEADY, STEADY).astype(np.float32)
    out = bias.copy()
    out[shown] = moved - np.float32(moved.mean()) + np.float32(bias[shown].mean())
    return out


def _step(expected: np.ndarray, gap: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(K,) how far each bias is to move."""
    mean = wanted - gap
    if len(gap) > CURVED:
        return np.log(wanted / np.maximum(mean, 1e-9))
    some = np.ascontiguousarray(expected[:: -(-len(expected) // ENOUGH)])
    nothing = np.zeros(len(gap), np.float32)
    both = forward.affine(np.ascontiguousarray(some.T), some, nothing).astype(np.float64) / len(some)
    curve = np.diag(both.sum(1)) - both
    return forward.solved(curve + np.diag(RIDGE * (mean + wanted) + 1e-9), gap)
