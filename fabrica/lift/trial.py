"""The comparison: the same real rows for every way, the same detector, the same test rows.

For each seed the table is cut in two halves; of one so many positives and negatives are learned from, the other judges.
The injected positives come from models that have learned from exactly those rows: each is conditioned on the outcome,
so a positive is drawn where the whole population, seen through its leaves or layers, makes positives likely. Several
engines make a part of them each: what one sees wrongly with so few rows, another does not. A generative model of all
rows needs fewer positives than a discriminative one of the boundary (Ng & Jordan, "On discriminative vs. generative
classifiers", NIPS 2001). Injected rows are a prior and not evidence, so they stand beside the real positives, which are
repeated: each of the two weighs a quarter of the negatives. No test row reaches any learner. Intervals are of a
bootstrap that draws seeds and the rows of the table anew, the same for all ways and splits, since the splits share
their rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import notation, wish
from fabrica.boosting import boost, features, predict
from fabrica.counted import filled
from fabrica.dataset import Dataset
from fabrica.errors import ExpressionError, InputError, SettingError
from fabrica.expression import Expression
from fabrica.inference.facts import K
from fabrica.interval import Interval
from fabrica.lift.judge import judged, prevailing, resampled
from fabrica.lift.rivals import again, smote
from fabrica.lift.value import ARMS, Arm, Lift, Step
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.sheets import sheets
from fabrica.way import Way

__all__ = ["ENGINES", "Task", "averaged", "lifted"]

MOST = 60_000  #: rows of the table that are used at most
NEGATIVES = 4_000  #: that are learned from, at most
FEWEST = 20  #: positives that must be left to judge by
ROUNDS = 200
DETECTOR = {"objective": "binary:logistic", "max_depth": 4, "learning_rate": 0.05, "subsample": 0.8,
            "colsample_bytree": 0.8, "min_child_weight": 1}
PART = 0.25  #: of the negatives, that injected rows are as many as, and repeated real positives too
SMOOTH: dict[str, dict[str, Any]] = {"trees": {"trees": 20}}  #: more trees have smoother odds of what is rare
ENGINES = ("trees", "copula", "bayesnet")  #: each quick, and wrong in a way of its own
DRAWS = 400  #: of the bootstrap, over all seeds


@dataclass(frozen=True)
class Task:
    """What is compared.

    Parameters
    ----------
    target, positive : a column and which of its values is detected, as short words say it.
    positives : how many real ones are learned from, one after the other.
    seeds : splits. alerts : share of rows that may alarm. prevalence : of the positives in the test; None: that of the
        table.
    engines : each makes a part of the injected rows, all parts alike; ``settings`` are those of a single one.
    """

    target: str
    positive: str
    positives: tuple[int, ...] = (10, 30, 100, 300)
    seeds: int = 10
    alerts: float = 0.01
    prevalence: float | None = None
    engines: tuple[str, ...] = ENGINES
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.engines or len(set(self.engines)) < len(self.engines):
            raise SettingError("must be names of engines, each once", where="engines")
        if self.settings and len(self.engines) > 1:
            raise SettingError("settings are those of one engine", where=", ".join(sorted(self.settings)),
                               hint="say which: engines=['trees']")
        if not self.positives or any(not isinstance(n, int) or isinstance(n, bool) or n < 2 for n in self.positives):
            raise SettingError("must be whole numbers of at least 2", where="positives")
        if self.seeds < 1:
            raise SettingError("must be at least 1", where="seeds")
        for name, share in (("alerts", self.alerts), ("prevalence", self.prevalence)):
            if share is not None and not 0 < share < 1:
                raise SettingError("must be a share between 0 and 1", where=name)

    def ways(self) -> dict[str, Way]:
        """How each engine learns; a mistake in names or settings is told here."""
        return {name: Way.of(name, {**SMOOTH.get(name, {}), **self.settings}) for name in self.engines}


def lifted(dataset: Dataset, table: Table, question: Task, run: Run) -> Lift:
    """Compare.

    Raises
    ------
    FabricaError : the column is not there, its value never stands, or there are too few rows of either kind.
    """
    column = wish.column(question.target, table, "target")
    positive = wish.value(question.target, question.positive, table, "positive")
    rows = dataset.sample(MOST, run.child("rows")).select(table.names)
    known = ~np.asarray(notation.read(column, rows.column(column.name)).values.is_null())
    rows = rows.filter(pa.array(known))
    truth = positive.truth({column.name: notation.read(column, rows.column(column.name))}).astype(int)
    if not truth.any():
        raise _none(column, question, rows)
    if truth.sum() < 2 * FEWEST or len(truth) - truth.sum() < 2 * FEWEST:
        raise InputError("there are too few rows of one kind to learn from and to judge by",
                         where=f"column {column.name!r}", hint=f"{2 * FEWEST} positives and as many others are needed")
    fine = [n for n in question.positives if n + FEWEST <= truth.sum()]
    if not fine:
        raise InputError("there are too few positives to learn from so many and to judge by others", where="positives",
                         hint=f"ask for fewer: {FEWEST} must be left")
    work = _Work(rows, table, truth, positive, question, question.ways())
    steps = []
    for place, count in enumerate(fine):
        run.tell(place, len(fine), f"{count} positives")
        steps.append(work.step(count, run.child("step").child(count)))
    return Lift(question.target, question.positive, question.engines, question.alerts, work.prevalence,
                tuple(steps), tuple(n for n in question.positives if n not in fine))


@dataclass(frozen=True)
class _Work:
    """What all trials share."""

    rows: pa.Table
    table: Table
    truth: np.ndarray
    positive: Expression
    question: Task
    ways: Mapping[str, Way]

    @property
    def prevalence(self) -> float:
        """Of the positives among the test rows."""
        return self.question.prevalence or float(self.truth.mean())

    def step(self, count: int, run: Run) -> Step:
        """All ways with ``count`` real positives, over all seeds."""
        times = np.concatenate([np.ones((1, len(self.truth)), np.int16),
                                resampled(self.truth, DRAWS, run.child("bootstrap").random())])
        trials = run.map(lambda seed: self.trial(count, times, run.child(seed)), range(self.question.seeds))
        _, learned, held = trials[0]
        values = np.array([trial[0] for trial in trials])  # (seeds, draws + 1, arms, 2)
        means = averaged(values, run.child("seeds").random())
        arms = []
        for i, name in enumerate(ARMS):
            lift = None if name == ARMS[-1] else Interval.between(means[:, -1, 0] - means[:, i, 0])
            arms.append(Arm(name, Interval.between(means[:, i, 0]), Interval.between(means[:, i, 1]), lift))
        yes = int(self.truth[held].sum())
        return Step(count, len(learned) - count, self.question.seeds, yes, len(held) - yes, tuple(arms))

    def trial(self, count: int, times: np.ndarray, run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(draws + 1, arms, 2): average precision and recall of each way, first of the rows as they are, then of them
        so many ``times`` (draws + 1, n); and the numbers of the rows that are learned from and that judge."""
        run.check()
        learn, test = self.split(count, run.child("split").random())
        made = self.made(learn, run)
        whole, twin = sheets(self.table, filled(self.rows), filled(made))
        names = [name for name in whole.values if name != self.question.target]
        real, other, held = whole.take(learn), twin, whole.take(test)
        seen = features([real, other, held], names)
        truth, random = self.truth[learn], run.child("rivals").random()
        lacking, positives = len(learn) - 2 * count, seen.parts[0][truth == 1]
        repeated = again(positives, max(len(made) - count, 0), random)
        extra = {"none": None, "class weights": None, "oversampling": again(positives, max(lacking, 0), random),
                 "SMOTE": smote(positives, seen.types, max(lacking, 0), random),
                 "injected": np.concatenate([seen.parts[1], repeated])}
        scores = []
        for name in ARMS:
            more = extra[name]
            x = seen.parts[0] if more is None else np.concatenate([seen.parts[0], more.astype(np.float32)])
            y = truth if more is None else np.concatenate([truth, np.ones(len(more), int)])
            weight = {"scale_pos_weight": (len(learn) - count) / count} if name == "class weights" else {}
            booster = boost(x, y.astype(np.float32), seen.types, ROUNDS, **DETECTOR, **weight)
            scores.append(predict(booster, seen.parts[2], seen.types))
        weights = prevailing(self.truth[test], self.prevalence, times[:, test])
        found = [judged(self.truth[test], score, weights, self.question.alerts) for score in scores]
        return np.stack(found, 1), learn, test

    def split(self, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the rows that are learned from, and of those that judge."""
        learn, test = [], []
        for kind, most in ((1, count), (0, NEGATIVES)):
            rows = random.permutation(np.flatnonzero(self.truth == kind))
            half = max(len(rows) // 2, min(most, len(rows) - FEWEST) if kind else 0)
            learn.append(rows[: min(most, half)])
            test.append(rows[half:])
        return np.sort(np.concatenate(learn)), np.sort(np.concatenate(test))

    def made(self, learn: np.ndarray, run: Run) -> pa.Table:
        """Positives of models that have learned from the rows, of each engine as many."""
        size = max(round(PART * int((self.truth[learn] == 0).sum())), len(self.ways))
        real = Dataset.open(self.rows.take(pa.array(learn)))
        ends = np.arange(len(self.ways) + 1) * size // len(self.ways)
        return pa.concat_tables([self.drawn(name, real, int(part), run.child(name))
                                 for name, part in zip(self.ways, np.diff(ends), strict=True)])

    def drawn(self, name: str, real: Dataset, count: int, run: Run) -> pa.Table:
        """Positives of one engine."""
        model = self.ways[name].learn(real, self.table, run.child("model"))
        try:
            batches = list(model.sample_batches(count, run.child("draw"), as_text=True, given=self.positive))
        except ExpressionError:
            raise InputError("the model makes no positives", where=f"engine {name}",
                             hint="learn from more of them, or with other engines") from None
        return pa.Table.from_batches(batches)


def averaged(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(draws + 1, ...) means over seeds of ``values`` (seeds, draws + 1, ...): of all of them, then for each draw of
    seeds drawn anew. So few seeds scatter by less than all that there might be, which is made up for."""
    seeds, whole = len(values), values.mean(0)
    wide = (seeds / max(seeds - 1, 1)) ** 0.5
    drawn = random.integers(seeds, size=(values.shape[1] - 1, seeds))
    return np.stack([whole[0], *(whole[d] + wide * (values[some, d].mean(0) - whole[d])
                                 for d, some in enumerate(drawn, start=1))])


def _none(column: Column, question: Task, rows: pa.Table) -> InputError:
    """That no row is positive, with levels that many rows hold."""
    values = notation.read(column, rows.column(column.name)).values
    counts = pc.value_counts(values.dictionary_decode() if pa.types.is_dictionary(values.type) else values)
    held = [str(one["values"]) for one in counts.to_pylist() if one["counts"] >= K][:10]
    return InputError(f"no row has {question.positive!r} in the column {column.name!r}", where="positive",
                      hint=f"there are: {', '.join(held)}" if held else None)
