"""Marks: how well a pupil did on the holdout, and how much worse one did than another on the same rows.

Area under the ROC curve for two levels, accuracy for more, R2 for a number; DeLong's interval, Wilson's, and that of
200 resamples. The difference of two pupils is paired, row by row, so that a row that is hard for both counts for
neither; without that its interval would be several times as wide. All of these are chances of the holdout's rows alone:
what another twin, or other real rows to learn from, would have done to the pupils is not in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.contract import Sheet
from fabrica.errors import NotComputable
from fabrica.pupils import LEAST, Answer, Lesson
from fabrica.statistics import auc, auc_difference, wilson

__all__ = ["Mark", "check", "hits", "less", "mark", "points_lost"]

SURE, DRAWS = 1.96, 200


@dataclass(frozen=True)
class Mark:
    """A number with its 95 % interval, and what it is a number of."""

    measure: str
    value: float
    low: float
    high: float


def _yes(lesson: Lesson, test: Sheet) -> np.ndarray:
    return test.values[lesson.target] == lesson.known[1]


def check(lesson: Lesson, test: Sheet) -> None:
    """
    Raises
    ------
    NotComputable : these rows say nothing about a pupil.
    """
    truth = test.values[lesson.target]
    if lesson.sort == "two" and len(np.unique(truth)) < 2:
        raise NotComputable("the holdout has only one level of the target")
    if lesson.sort == "number" and (len(truth) < LEAST or np.ptp(truth) == 0):
        raise NotComputable(f"needs at least {LEAST} different values of the target")


def hits(lesson: Lesson, answer: Answer, test: Sheet) -> np.ndarray:
    """(n,) bool: which levels were guessed right; of two, that which is likelier."""
    if lesson.sort == "two":
        right: np.ndarray = (answer.said > 0.5) == _yes(lesson, test)
        return right
    return np.asarray(answer.levels[answer.said.argmax(1)] == test.values[lesson.target])


def mark(lesson: Lesson, answer: Answer, test: Sheet, draw: np.random.Generator) -> Mark:
    """How well a pupil did on rows that it was asked about.

    Raises
    ------
    NotComputable : these rows say nothing about a pupil.
    """
    check(lesson, test)
    if lesson.sort == "two":
        flat = np.ptp(answer.said) == 0
        value, variance = auc(_yes(lesson, test).astype(int), answer.said)
        half = 0.0 if flat else SURE * float(np.sqrt(variance))
        return Mark("AUC", value, max(0.0, value - half), min(1.0, value + half))
    if lesson.sort == "many":
        right = int(hits(lesson, answer, test).sum())
        return Mark("accuracy", right / test.rows, *wilson(right, test.rows))
    truth = test.values[lesson.target]
    spread = [_r2(truth[p], answer.said[p]) for p in draw.integers(len(truth), size=(DRAWS, len(truth)))]
    value, (low, high) = _r2(truth, answer.said), np.quantile(spread, [0.025, 0.975])
    return Mark("R2", value, float(min(low, value)), float(max(high, value)))


def _r2(truth: np.ndarray, guess: np.ndarray) -> float:
    return float(1 - ((truth - guess) ** 2).sum() / max(((truth - truth.mean()) ** 2).sum(), 1e-300))


def less(lesson: Lesson, twin: Answer, real: Answer, test: Sheet, draw: np.random.Generator) -> Mark:
    """By how much the pupil of the twin did worse than that of the original, in the measure of ``mark``.

    Raises
    ------
    NotComputable : these rows say nothing about a pupil.
    """
    check(lesson, test)
    if lesson.sort == "two":
        value, variance = auc_difference(_yes(lesson, test).astype(int), real.said, twin.said)
        half = SURE * float(np.sqrt(variance))
        return Mark("AUC", value, value - half, value + half)
    if lesson.sort == "many":
        lost = points_lost(lesson, twin, real, test)
        return Mark("accuracy", lost.value / 100, lost.low / 100, lost.high / 100)
    truth = test.values[lesson.target]
    spread = [_r2(truth[p], real.said[p]) - _r2(truth[p], twin.said[p])
              for p in draw.integers(len(truth), size=(DRAWS, len(truth)))]
    value, half = _r2(truth, real.said) - _r2(truth, twin.said), SURE * float(np.std(spread, ddof=1))
    return Mark("R2", value, value - half, value + half)


def points_lost(lesson: Lesson, twin: Answer, real: Answer, test: Sheet) -> Mark:
    """Percentage points of accuracy that the pupil of the twin loses: the rows that it alone gets wrong less those that
    it alone gets right (as McNemar 1947; interval of the paired difference, Newcombe 1998, method 1 with a continuity
    of one row)."""
    apart = hits(lesson, real, test).astype(float) - hits(lesson, twin, test)
    value, half = float(apart.mean()), SURE * float(apart.std() / np.sqrt(len(apart))) + 0.5 / len(apart)
    return Mark("points", 100 * value, 100 * (value - half), 100 * (value + half))
