"""Utility: does a model that learned from the twin predict real rows as well as one that learned from real rows?

Train on synthetic, test on real (Esteban, Hyland and Raetsch 2017, arXiv:1706.02633): XGBoost (200 trees of depth
6, learning rate 0.1, subsample 0.8, as in the project's published protocol) learns the declared target from the
twin and is judged on the holdout: area under the ROC curve where the target has two levels or is a number with two
values (0 and 1), accuracy where it has more levels, R2 where it is any other number. The floor is the same model
trained on the original; ``detail["gap"]`` is original minus twin.

How many levels the target has is read from the original; a missing one is a level. Rows without a number as target
are left out; so are, for AUC, rows of any other level (counted in ``detail``). A level that the twin lacks is an
error of accuracy, and a twin with one level teaches nothing (AUC 0.5). More than 50 levels are refused; more than
five share 1,000 trees, and a large table is then learned from fewer random rows (``detail["learned_from"]``), or it
would take minutes. Interval: DeLong's for AUC, Wilson's for accuracy, 200 resamples of the holdout's rows for R2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fabrica.boosting import boost, features, predict
from fabrica.contract import Evidence, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import TRAINED, auc, wilson

CLASSES, LEAST, ROUNDS = 50, 30, 200
TREES = 1_000  #: more than five levels share this many trees
WORK = 2e9  #: rows x columns x trees that one model may cost; beyond, it learns from fewer random rows
SETTING = {"max_depth": 6, "learning_rate": 0.1, "subsample": 0.8}


class Utility(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether models trained on the twin predict real rows as well"
    source: ClassVar[str] = "train on synthetic, test on real; Esteban, Hyland and Raetsch 2017, arXiv:1706.02633"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"utility": ("holdout",)}
    needs: ClassVar[tuple[str, ...]] = ("target",)

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        why = _refusal(evidence)
        if why or evidence.holdout is None or evidence.target is None:
            return [Finding("utility", None, better="higher", against="holdout", problem=why)]
        target, test = evidence.target, evidence.holdout
        known = np.unique(evidence.real.values[target])
        known = known[~np.isnan(known)]
        levels = target in evidence.real.levels or len(known) == 2

        def judge(role: str) -> Score:
            train = evidence.synthetic if role == "synthetic" else evidence.real
            most = max(1_000, int(WORK / (len(train.values) * rounds(len(known)) * len(known))))
            if levels and train.rows > most:
                train = train.take(run.child(f"{role} rows").random().permutation(train.rows)[:most])
            if levels:
                return _levels(train, test, target, known)
            return _number(train, test, target, run.child(role).random())

        try:
            twin, real = run.map(judge, ["synthetic", "real"])
        except NotComputable as problem:
            return [Finding("utility", None, better="higher", against="holdout", problem=problem.what)]
        detail: dict[str, Any] = {"target": target, "measure": real.measure, "gap": real.value - twin.value,
                                  "rows": twin.rows, "left_out_rows": test.rows - twin.rows,
                                  "learned_from": twin.learned, "learned_from_real": real.learned,
                                  "floor_from": TRAINED,
                                  "words": _words(twin.value, real.value, real.measure)}
        return [Finding("utility", twin.value, better="higher", unit=real.measure, low=twin.low, high=twin.high,
                        floor=real.value, floor_low=real.low, floor_high=real.high, against="holdout", detail=detail)]


def rounds(levels: int) -> int:
    """Boosting rounds, one tree for each level: 200 up to five levels."""
    return ROUNDS if levels <= 5 else max(20, TREES // levels)


@dataclass(frozen=True)
class Score:
    """What one trained model reaches on the holdout."""

    measure: str
    value: float
    low: float
    high: float
    rows: int
    learned: int = 0


def _refusal(evidence: Evidence) -> str:
    if evidence.target is None:
        return "no target was declared"
    if evidence.holdout is None:
        return "there is no holdout to be predicted"
    if evidence.target not in evidence.real.values:
        return f"a column of the kind {evidence.table[evidence.target].kind!r} cannot be a target"
    if len(evidence.real.values) < 2:
        return "there is no other column to predict from"
    if min(evidence.real.rows, evidence.synthetic.rows, evidence.holdout.rows) < LEAST:
        return f"needs at least {LEAST} rows of each table"
    return ""


def _matrices(train: Sheet, test: Sheet, target: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    seen = features([train, test], [n for n in train.values if n != target])
    return seen.parts[0], seen.parts[1], seen.types


def _levels(train: Sheet, test: Sheet, target: str, known: np.ndarray) -> Score:
    """``known``: the levels of the original's target, which also say how the prediction is measured."""
    if len(known) > CLASSES:
        raise NotComputable(f"the target has {len(known)} levels; at most {CLASSES} are predicted")
    if len(known) < 2:
        raise NotComputable("the target has only one level")
    return _two(train, test, target, known) if len(known) == 2 else _many(train, test, target)


def _two(train: Sheet, test: Sheet, target: str, known: np.ndarray) -> Score:
    train, test = (s.take(np.nonzero(np.isin(s.values[target], known))[0]) for s in (train, test))
    y, truth = (s.values[target] == known[1] for s in (train, test))
    if truth.all() or not truth.any():
        raise NotComputable("the holdout has only one level of the target")
    if not len(y) or y.all() or not y.any():  # a table with one level of the target teaches nothing
        return Score("AUC", 0.5, 0.5, 0.5, test.rows)
    a, b, types = _matrices(train, test, target)
    booster = boost(a, y.astype(np.float32), types, ROUNDS, objective="binary:logistic", **SETTING)
    value, variance = auc(truth.astype(int), predict(booster, b, types))
    half = 1.96 * float(np.sqrt(variance))
    return Score("AUC", value, max(0.0, value - half), min(1.0, value + half), test.rows, train.rows)


def _many(train: Sheet, test: Sheet, target: str) -> Score:
    known, y = np.unique(train.values[target], return_inverse=True)
    if len(known) < 2:
        guess = np.zeros(test.rows, int)
    else:
        a, b, types = _matrices(train, test, target)
        booster = boost(a, y.astype(np.float32), types, rounds(len(known)), objective="multi:softprob",
                        num_class=len(known), **SETTING)
        guess = predict(booster, b, types).argmax(1)
    hits = int((known[guess] == test.values[target]).sum())
    return Score("accuracy", hits / test.rows, *wilson(hits, test.rows), test.rows, train.rows)


def _number(train: Sheet, test: Sheet, target: str, draw: np.random.Generator) -> Score:
    learn, judged = (~np.isnan(s.values[target]) for s in (train, test))
    y, truth = train.values[target][learn], test.values[target][judged]
    if min(len(y), len(truth)) < LEAST or np.ptp(truth) == 0:
        raise NotComputable(f"needs at least {LEAST} different values of the target")
    a, b, types = _matrices(train, test, target)
    booster = boost(a[learn], y, types, ROUNDS, objective="reg:squarederror", **SETTING)
    guess = predict(booster, b[judged], types).astype(float)
    picks = draw.integers(len(truth), size=(200, len(truth)))
    low, high = np.quantile([_r2(truth[p], guess[p]) for p in picks], [0.025, 0.975])
    value = _r2(truth, guess)
    return Score("R2", value, float(min(low, value)), float(max(high, value)), len(truth), len(y))


def _r2(truth: np.ndarray, guess: np.ndarray) -> float:
    return float(1 - ((truth - guess) ** 2).sum() / max(((truth - truth.mean()) ** 2).sum(), 1e-300))


def _words(twin: float, real: float, measure: str) -> str:
    gap = real - twin
    how = ("as well as" if gap <= 0.01 else "nearly as well as" if gap <= 0.03 else
           "noticeably worse than" if gap <= 0.1 else "much worse than")
    return (f"A model trained on the twin predicts real rows {how} one trained on the original "
            f"({measure} {twin:.3f} against {real:.3f}).")
