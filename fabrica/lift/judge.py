"""How good the scores of a detector are: average precision, and recall at a fixed budget of alerts.

Rows may be weighted: so a test set has the prevalence that is asked for, and a bootstrap resamples by counts.
"""

from __future__ import annotations

import numpy as np

__all__ = ["average_precision", "prevailing", "recall", "resampled"]


def average_precision(truth: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """The area under precision over recall as a step function, equal scores together (Davis & Goadrich, ICML 2006).

    >>> average_precision(np.array([1, 0, 1]), np.array([0.9, 0.8, 0.7]), np.ones(3))  # 1/2 * 1 + 1/2 * 2/3
    0.8333333333333333
    """
    hits, all_ = _rising(truth, score, weight)
    if not len(hits) or hits[-1] <= 0:
        return float("nan")
    return float(np.diff(hits, prepend=0.0) @ (hits / np.maximum(all_, 1e-300)) / hits[-1])


def recall(truth: np.ndarray, score: np.ndarray, weight: np.ndarray, alerts: float) -> float:
    """Share of the positives among the ``alerts`` (a share of all rows) with the highest scores; of equal scores a
    part in proportion.

    >>> recall(np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1]), np.ones(4), 0.5)
    0.5
    """
    hits, all_ = _rising(truth, score, weight)
    if not len(hits) or hits[-1] <= 0:
        return float("nan")
    return float(np.interp(alerts * all_[-1], np.r_[0.0, all_], np.r_[0.0, hits]) / hits[-1])


def _rising(truth: np.ndarray, score: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight of the positives, and of all rows, from the highest score down to each distinct one."""
    order = np.argsort(-score, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(score[order])), len(score) - 1] if len(score) else np.zeros(0, int)
    return np.cumsum((truth * weight)[order])[ends], np.cumsum(weight[order])[ends]


def prevailing(truth: np.ndarray, share: float | None) -> np.ndarray:
    """(n,) weights by which the positives are a ``share`` of all rows; ones where it is None.

    >>> prevailing(np.array([1, 0, 0, 0]), 0.5).round(3).tolist()
    [2.0, 0.667, 0.667, 0.667]
    """
    if share is None:
        return np.ones(len(truth))
    yes = max(int(truth.sum()), 1)
    return np.where(truth == 1, share / yes, (1 - share) / max(len(truth) - yes, 1)) * len(truth)


def resampled(truth: np.ndarray, times: int, random: np.random.Generator) -> np.ndarray:
    """(times, n) how often each row stands in a resample that keeps the number of positives."""
    found = np.zeros((times, len(truth)), np.int32)
    for kind in (0, 1):
        rows = np.flatnonzero(truth == kind)
        if len(rows):
            found[:, rows] = random.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=times)
    return found
