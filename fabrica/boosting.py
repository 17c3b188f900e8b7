"""Boosted trees as a judge: the features they see, the detector and the predictor.

Both use XGBoost (Chen and Guestrin, "XGBoost: a scalable tree boosting system", KDD 2016) as the published protocol
does: numbers as they are (missing is missing), columns of up to 100 levels one-hot, more levels by their number.
One-hot columns are handed over as categories with one-against-the-rest splits, which grows the same trees in a
third of the time.

Every fit has one thread and the fits run side by side, so the numbers do not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrica.contract import Sheet
from fabrica.errors import NotComputable
from fabrica.run import Run
from fabrica.statistics import auc, roc

__all__ = ["Features", "features", "Detection", "detect", "boost", "predict"]

ONE_HOT = 100  #: columns with more levels than this are numbered, not one-hot
FOLDS = 3
LARGEST = 1e38  #: beyond it a float32 is infinite, which a booster refuses
CELLS = 3_000_000  #: rows x columns that a detector looks at; a table of more is judged on fewer random rows


@dataclass(frozen=True)
class Features:
    """What trees see: ``names`` and ``types`` ("q" number, "c" category) of the columns, a matrix for every sheet."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    parts: tuple[np.ndarray, ...]


def features(sheets: Sequence[Sheet], names: Sequence[str] | None = None) -> Features:
    """Numbers first, then levels renumbered among those that stand in these sheets; a missing level is a level."""
    names = list(sheets[0].values) if names is None else list(names)
    numeric = [n for n in names if n not in sheets[0].levels]
    others = [n for n in names if n in sheets[0].levels]
    parts = [np.empty((s.rows, len(names)), np.float32) for s in sheets]
    types = ["q"] * len(numeric)
    for i, name in enumerate(numeric):
        for part, sheet in zip(parts, sheets, strict=True):
            part[:, i] = np.clip(sheet.values[name], -LARGEST, LARGEST)
    for i, name in enumerate(others, len(numeric)):
        seen = np.bincount(np.concatenate([s.values[name] for s in sheets]) + 1,
                           minlength=len(sheets[0].levels[name]) + 1) > 0
        number = np.cumsum(seen) - 1
        for part, sheet in zip(parts, sheets, strict=True):
            part[:, i] = number[sheet.values[name] + 1]
        types.append("c" if seen.sum() <= ONE_HOT else "q")
    return Features((*numeric, *others), tuple(types), tuple(parts))


def boost(x: np.ndarray, y: np.ndarray, types: Sequence[str], rounds: int, **settings: Any) -> Any:
    """A booster of ``rounds`` trees with XGBoost's own defaults but for ``settings``."""
    import xgboost

    data = xgboost.QuantileDMatrix(x, y, feature_types=list(types), enable_categorical=True, nthread=1)
    fixed = {"tree_method": "hist", "nthread": 1, "max_cat_to_onehot": ONE_HOT + 1, "seed": 0, "verbosity": 0}
    return xgboost.train({**fixed, **settings}, data, rounds)


def predict(booster: Any, x: np.ndarray, types: Sequence[str]) -> np.ndarray:
    import xgboost

    return booster.predict(xgboost.DMatrix(x, feature_types=list(types), enable_categorical=True, nthread=1))


@dataclass(frozen=True)
class Detection:
    """How well boosted trees tell two tables apart.

    Parameters
    ----------
    c2st : mean over folds of 1 - (2 max(AUC, 1/2) - 1); 1 = cannot be told apart.
    auc, error : mean area under the ROC curve over the folds and its standard error (DeLong).
    rows : rows of each table.
    folds : the AUC of each fold.
    curve : (false positive rates, true positive rates) over all held-out rows.
    gains : column -> share of the detector's total gain, summing to one: what gave it away.
    """

    c2st: float
    auc: float
    error: float
    rows: int
    folds: tuple[float, ...]
    curve: tuple[list[float], list[float]]
    gains: dict[str, float]

    @staticmethod
    def closeness(area: float) -> float:
        return 1 - (2 * max(area, 0.5) - 1)


def _pick(sheet: Sheet, rows: int, run: Run) -> Sheet:
    """``rows`` random rows in random order, always drawn so that neither order nor size gives anything away."""
    return sheet.take(run.random().permutation(sheet.rows)[:rows])


def detect(real: Sheet, other: Sheet, run: Run, cells: int = CELLS) -> Detection:
    """Train a detector on two thirds of equally many rows of both tables, ask it about the rest; three times.

    Raises
    ------
    NotComputable : fewer than 30 rows of a table, or no column.

    >>> a, b = (Sheet(90, {"x": np.arange(90.0) + shift}, {}) for shift in (0, 1000))
    >>> detect(a, b, Run(7, workers=1)).auc > 0.95
    True
    """
    rows = min(real.rows, other.rows, max(1_000, cells // (2 * max(1, len(real.values)))))
    if rows < 10 * FOLDS:
        raise NotComputable(f"a detector needs at least {10 * FOLDS} rows of each table, here are {rows}")
    if not real.values:
        raise NotComputable("there is no column that a detector could look at")
    seen = features([_pick(real, rows, run.child("real")), _pick(other, rows, run.child("other"))])
    x, y = np.vstack(seen.parts), np.r_[np.ones(rows, np.float32), np.zeros(rows, np.float32)]
    fold = np.tile(np.arange(rows) % FOLDS, 2)  # the rows are in random order already

    def one(i: int) -> tuple[np.ndarray, dict[str, float]]:
        learn = fold != i
        booster = boost(x[learn], y[learn], seen.types, 100, objective="binary:logistic")
        return predict(booster, x[~learn], seen.types), booster.get_score(importance_type="total_gain")

    results = run.map(one, range(FOLDS))
    areas = [auc(y[fold == i], score) for i, (score, _) in enumerate(results)]
    scores = np.empty(len(y))
    for i, (score, _) in enumerate(results):
        scores[fold == i] = score
    mean = float(np.mean([a for a, _ in areas]))
    return Detection(
        float(np.mean([Detection.closeness(a) for a, _ in areas])), mean,
        float(np.sqrt(np.sum([v for _, v in areas])) / FOLDS), rows, tuple(a for a, _ in areas), roc(y, scores),
        _shares(seen.names, [gains for _, gains in results]))


def _shares(names: Sequence[str], gains: Sequence[dict[str, float]]) -> dict[str, float]:
    total = np.array([sum(float(np.sum(g.get(f"f{i}", 0.0))) for g in gains) for i in range(len(names))])
    return {n: float(v) for n, v in zip(names, total / max(total.sum(), 1e-30), strict=True)}
