"""How good the scores of a detector are: average precision, and recall at a fixed budget of alerts.

Rows may be weighted: so a test set has the prevalence that is asked for, and a bootstrap resamples by counts.
"""

from __future__ import annotations

import numpy as np

from fabrica.kernels import kernel

__all__ = ["judged", "prevailing", "resampled"]


def judged(truth: np.ndarray, score: np.ndarray, weights: np.ndarray, alerts: float) -> np.ndarray:
    """(w, 2) average precision and recall of scores (n,) under each of the ``weights`` (w, n); nan without positives.

    Average precision is the area under precision over recall as a step function, equal scores together (Davis &
    Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006). Recall is the share of the
    positives among the ``alerts`` (a share of all rows) with the highest scores; of equal scores a part in proportion.

    >>> judged(np.array([1, 0, 1]), np.array([0.9, 0.8, 0.7]), np.ones((1, 3)), 1 / 3)  # 1/2 * 1 + 1/2 * 2/3
    array([[0.83333333, 0.5       ]])
    """
    order = np.argsort(-score, kind="stable")
    positive, last = truth[order] == 1, np.append(np.diff(score[order]) != 0, True)
    found = np.empty((len(weights), 2))
    for i, weight in enumerate(weights):
        found[i] = _swept(positive, last, np.asarray(weight, np.float64)[order], alerts)
    return found


@kernel
def _swept(truth: np.ndarray, last: np.ndarray, weight: np.ndarray, alerts: float) -> tuple[float, float]:
    """Average precision and recall over rows (n,) from the highest score down; ``last`` ends rows of equal scores."""
    budget, positives = 0.0, 0.0
    for i in range(truth.size):
        budget += alerts * weight[i]
        positives += weight[i] if truth[i] else 0.0
    if positives <= 0:
        return np.nan, np.nan
    hits, seen, hits_before, seen_before, area, caught = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(truth.size):
        seen += weight[i]
        hits += weight[i] if truth[i] else 0.0
        if last[i] and seen > seen_before:
            area += (hits - hits_before) * hits / seen
            caught += (hits - hits_before) * min(1.0, max(0.0, (budget - seen_before) / (seen - seen_before)))
            hits_before, seen_before = hits, seen
    return area / positives, caught / positives


def prevailing(truth: np.ndarray, share: float, times: np.ndarray) -> np.ndarray:
    """(w, n) weights of rows that stand so many ``times`` (w, n), by which positives are a ``share`` of all.

    >>> prevailing(np.array([1, 0, 0, 0]), 0.5, np.array([[1, 1, 1, 1], [2, 0, 0, 1]])).round(3).tolist()
    [[0.5, 0.167, 0.167, 0.167], [0.5, 0.0, 0.0, 0.5]]
    """
    yes, no = times @ truth, times @ (1 - truth)
    each = np.where(truth == 1, share / np.maximum(yes, 1)[:, None], (1 - share) / np.maximum(no, 1)[:, None])
    return times * each


def resampled(truth: np.ndarray, times: int, random: np.random.Generator) -> np.ndarray:
    """(times, n) how often each row stands in a resample that keeps the number of positives."""
    found = np.zeros((times, len(truth)), np.int16)
    for kind in (0, 1):
        rows = np.flatnonzero(truth == kind)
        if len(rows):
            found[:, rows] = random.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=times)
    return found
