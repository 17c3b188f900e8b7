"""Branches drawn evenly, and with the share that they have among the learned rows.

Before a level is drawn, the log-odds of each node's rows are moved together until their mean probability is the
node's share in the data (intercept calibration; Saerens, Latinne and Decaestecker, Neural Computation 14(1), 2002), by
half a logit at most: small errors of many models would otherwise add up from level to level. Then rows that expect
alike, sorted by node and probability, share one golden-ratio sequence (``uniforms.py`` tells why).
"""

from __future__ import annotations

import numpy as np

from fabrica.kernels import kernel
from fabrica.uniforms import GOLDEN, shuffled

__all__ = ["branches"]

FEWEST = 30  #: rows of a node that are moved
FAR = 0.5  #: logits that they may be moved, at most


def branches(
    score: np.ndarray, node: np.ndarray, share: np.ndarray, moved: np.ndarray, random: np.random.Generator,
    calibrate: bool, start: float,
) -> np.ndarray:
    """(m,) uint8: which rows go right.

    ``score`` (m,) their log-odds, ``node`` (m,) the node of each, counted in this level, ``share`` (M,) what should go
    right of each; ``moved`` (M,) the logits by which each node's rows are moved, written where ``calibrate``.
    """
    fewest = FEWEST if calibrate else len(score) + 1
    return _branches(score, node, share, moved, shuffled(len(score), random), start, fewest, FAR, GOLDEN)


@kernel
def _branches(score, node, share, moved, queue, start, fewest, far, golden):  # type: ignore[no-untyped-def]
    size, fine = len(score), 128
    key = np.empty(size, np.int32)
    first = np.zeros(len(share) * fine + 1, np.int64)
    for i in range(size):
        p = 1.0 / (1.0 + np.exp(-score[i]))
        key[i] = node[i] * fine + min(np.int64(p * fine), fine - 1)
        first[key[i] + 1] += 1
    for b in range(len(first) - 1):
        first[b + 1] += first[b]
    ends = first[::fine].copy()
    order = np.empty(size, np.int32)
    for q in range(size):  # rows that expect the same stand in random order
        i = queue[q]
        order[first[key[i]]] = i
        first[key[i]] += 1
    for m in range(len(share)):
        low, high = ends[m], ends[m + 1]
        if high - low < fewest:
            continue
        shift = 0.0
        for _ in range(6):
            total, slope = 0.0, 1e-9
            for q in range(low, high):
                p = 1.0 / (1.0 + np.exp(-score[order[q]] - shift))
                total += p
                slope += p * (1.0 - p)
            step = (share[m] * (high - low) - total) / slope
            shift = min(max(shift + min(max(step, -1.0), 1.0), -far), far)
            if abs(step) < 1e-4:
                break
        moved[m] = shift
    right = np.empty(size, np.uint8)
    for q in range(size):
        i = order[q]
        u = q * golden + start
        u -= np.floor(u)
        right[i] = u < 1.0 / (1.0 + np.exp(-score[i] - moved[node[i]]))
    return right
