"""Importance: do models of the twin lean on the same columns as models of the original?

A model may predict as well for other reasons, and whoever reads which columns mattered is then misled. Boosted trees
learn the target from a part of the twin and from a part of the original of the same size; each column's share of the
trees' total gain is its importance, and the number is Spearman's rank correlation of the two lists: 1 where they agree,
0 where they have nothing to do with each other. Floor: the same of two parts of real rows. Up to five parts that share
no row are learned from (2,000 rows, 50 rounds each); the number is their mean, the interval what they differ by
(Student's t). Agreement at that size, not at the table's: only the distance from the floor counts.

(Gain: Breiman et al., Classification and Regression Trees, 1984; Chen and Guestrin, KDD 2016.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.pupils import Lesson, boosted
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import HALVES, HOLDOUT

__all__ = ["Importance", "agreement"]

PARTS, ROWS, FEWEST, ROUNDS = 5, 2_000, 200, 50
COLUMNS = 3  #: to be ranked, at least


class Importance(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether models of the twin lean on the same columns as models of real rows"
    source: ClassVar[str] = "rank correlation of the trees' gain; Spearman 1904; Chen and Guestrin, KDD 2016"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"importance": ("train",)}
    needs: ClassVar[tuple[str, ...]] = ("target",)

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        try:
            if evidence.target is None:
                raise NotComputable("no target was declared")
            if evidence.target not in evidence.real.values:
                raise NotComputable(f"a column of the kind {evidence.table[evidence.target].kind!r} cannot be a target")
            if len(evidence.real.values) <= COLUMNS:
                raise NotComputable(f"needs at least {COLUMNS} columns beside the target")
            lesson = Lesson.of(evidence.real, evidence.target)
            trios, floor_from = _trios(evidence, run.child("rows"))
            gains = run.map(lambda job: _gains(lesson, job[1], run.child(job[0])),
                            [(f"{i} {j}", sheet) for i, trio in enumerate(trios) for j, sheet in enumerate(trio)])
        except NotComputable as why:
            return [Finding("importance", None, better="higher", problem=why.what)]
        each = np.array([[agreement(gains[i], gains[i + j]) for j in (1, 2)] for i in range(0, len(gains), 3)])
        real, twin = (np.mean(gains[i::3], 0) for i in (0, 1))
        return [_finding(each, real, twin, lesson.names(evidence.real), floor_from)]


def _finding(each: np.ndarray, real: np.ndarray, twin: np.ndarray, names: Sequence[str], floor_from: str) -> Finding:
    """Of (parts, 2) agreements of the original with the twin and with other real rows."""
    (value, floor), ends = each.mean(0), {}
    if len(each) > 1:
        half = student.ppf(0.975, len(each) - 1) * each.std(0, ddof=1) / np.sqrt(len(each))
        ends = {"low": max(-1.0, value - half[0]), "high": min(1.0, value + half[0]),
                "floor_low": max(-1.0, floor - half[1]), "floor_high": min(1.0, floor + half[1])}
    first = [int(i) for i in np.argsort(-real, kind="stable")[:10]]
    detail: dict[str, Any] = {"parts": len(each), "floor_from": floor_from,
                              "columns": [[names[i], float(real[i]), float(twin[i])] for i in first]}
    return Finding("importance", float(value), better="higher", floor=float(floor), detail=detail, **ends)


def _trios(evidence: Evidence, run: Run) -> tuple[list[tuple[Sheet, Sheet, Sheet]], str]:
    """Parts of one size of the original, the twin and other real rows, and where these come from.

    Raises
    ------
    NotComputable : there are too few rows.
    """
    real, twin, rest = evidence.real, evidence.synthetic, evidence.holdout
    order = run.child("real").random().permutation(real.rows)
    halves = rest is None or rest.rows < real.rows // 2
    other, theirs = (real, order[real.rows // 2:]) if rest is None or halves else (
        rest, run.child("holdout").random().permutation(rest.rows))
    own = order[:real.rows // 2] if halves else order
    made = run.child("synthetic").random().permutation(twin.rows)
    least = min(len(own), len(theirs), len(made))
    if least < FEWEST:
        raise NotComputable(f"needs at least {FEWEST} rows of each table, {2 * FEWEST} real ones without a holdout")
    parts = min(PARTS, least // FEWEST)
    size = min(ROWS, least // parts)
    cut = [(real, own), (twin, made), (other, theirs)]
    return [tuple(sheet.take(rows[i * size:(i + 1) * size]) for sheet, rows in cut)  # type: ignore[misc]
            for i in range(parts)], HALVES if halves else HOLDOUT


def _gains(lesson: Lesson, train: Sheet, run: Run) -> np.ndarray:
    """(columns,) the share of the gain of each."""
    asked = lesson.among(train)
    answer = boosted(lesson, train, asked.take(np.arange(min(1, asked.rows))), run, ROUNDS)
    names = lesson.names(train)
    return np.array([answer.gains[name] for name in names]) if answer.gains else np.zeros(len(names))


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation; 0 where one of them has no order.

    >>> agreement(np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.3, 0.1]))
    1.0
    """
    a, b = rankdata(one), rankdata(other)
    if not np.ptp(a) or not np.ptp(b):
        return 0.0
    return round(float(np.corrcoef(a, b)[0, 1]), 12)
