"""Pupils: models that learn one column from a table and are asked about it on other rows.

Train on synthetic, test on real (Esteban, Hyland & Raetsch 2017, arXiv:1706.02633): the same pupil learns from the twin
and from the original, and both are asked about the same real rows that neither has seen. There are two: boosted trees
(XGBoost, as in the published protocol) and a linear model, for a twin may teach one and mislead the other.

A ``Lesson`` says what is learned. Its sort comes from the original: ``two`` levels (or a number with two values),
``many`` levels (a missing one is a level), or a ``number``. Answers are (n,) probabilities of the second level, (n, L)
probabilities of ``levels``, or (n,) numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabrica import linear
from fabrica.boosting import boost, features, predict
from fabrica.contract import Sheet
from fabrica.errors import NotComputable
from fabrica.run import Run

__all__ = ["LEAST", "Answer", "Lesson", "Pupil", "boosted", "lined"]

CLASSES, LEAST, ROUNDS = 50, 30, 200
TREES = 1_000  #: more than five levels share this many trees
WORK = 2e9  #: rows x columns x trees that one model may cost; beyond, it learns from fewer random rows
SETTING = {"max_depth": 6, "learning_rate": 0.1, "subsample": 0.8}
LINED, LINED_MANY = 20_000, 5_000  #: rows that a linear model learns from at most, of two levels or a number; of more


@dataclass(frozen=True)
class Lesson:
    """What is learned: the column, its sort, and the levels that the original has."""

    target: str
    sort: str
    known: np.ndarray

    @classmethod
    def of(cls, real: Sheet, target: str) -> Lesson:
        """The lesson of a column of the original.

        Raises
        ------
        NotComputable : it has one level, or more than 50.

        >>> Lesson.of(Sheet(4, {"x": np.array([0.0, 1.0, 1.0, np.nan])}, {}), "x").sort
        'two'
        """
        known = np.unique(real.values[target])
        known = known[~np.isnan(known)]
        levels = target in real.levels or len(known) == 2
        if levels and len(known) > CLASSES:
            raise NotComputable(f"the target has {len(known)} levels; at most {CLASSES} are predicted")
        if len(known) < 2:
            raise NotComputable("the target has only one level")
        return cls(target, "two" if levels and len(known) == 2 else "many" if levels else "number", known)

    def among(self, sheet: Sheet) -> Sheet:
        """The rows that can be learned from, or asked about."""
        cells = sheet.values[self.target]
        if self.sort == "many":
            return sheet
        return sheet.take(np.nonzero(np.isin(cells, self.known) if self.sort == "two" else ~np.isnan(cells))[0])

    def names(self, sheet: Sheet) -> list[str]:
        """The columns that it is learned from."""
        return [name for name in sheet.values if name != self.target]

    def rounds(self, rounds: int = ROUNDS) -> int:
        """Boosting rounds, one tree for each level: all up to five levels."""
        many = len(self.known) if self.sort == "many" else 1
        return rounds if many <= 5 else max(20, TREES * rounds // ROUNDS // many)

    def affordable(self, train: Sheet) -> int:
        """Rows that trees learn from at most."""
        if self.sort == "number":
            return train.rows
        return max(1_000, int(WORK / (len(train.values) * self.rounds() * len(self.known))))


@dataclass(frozen=True)
class Answer:
    """What a pupil says of the rows that it was asked about (see the file's first lines); ``learned``: from how many
    rows. ``gains`` (column -> share of what the trees gained) where it was asked for."""

    said: np.ndarray
    levels: np.ndarray
    learned: int
    gains: dict[str, float] | None = None


Pupil = Callable[[Lesson, Sheet, Sheet, Run], Answer]


def _cut(sheet: Sheet, most: int, run: Run) -> Sheet:
    return sheet if sheet.rows <= most else sheet.take(run.random().permutation(sheet.rows)[:most])


def _one_level(lesson: Lesson, train: Sheet, test: Sheet, y: np.ndarray) -> Answer | None:
    """What is answered after a lesson that had one level or nothing in it; None where there is something to learn.

    Raises
    ------
    NotComputable : a number has too few values.
    """
    if lesson.sort == "number" and len(y) < LEAST:
        raise NotComputable(f"needs at least {LEAST} values of the target to learn from")
    if lesson.sort == "two" and (not len(y) or y.all() or not y.any()):
        return Answer(np.full(test.rows, 0.5), lesson.known, len(y))
    if lesson.sort == "many" and len(np.unique(y)) < 2:
        return Answer(np.ones((test.rows, 1)), np.unique(train.values[lesson.target]), len(y))
    return None


def _answers(lesson: Lesson, train: Sheet) -> tuple[np.ndarray, np.ndarray]:
    """(n,) what is to be learned, as numbers from 0 for levels, and the levels that they stand for."""
    cells = train.values[lesson.target]
    if lesson.sort == "two":
        return (cells == lesson.known[1]).astype(np.int64), lesson.known
    if lesson.sort == "number":
        return cells, lesson.known
    levels, y = np.unique(cells, return_inverse=True)
    return y, levels


def boosted(lesson: Lesson, train: Sheet, test: Sheet, run: Run, rounds: int = ROUNDS) -> Answer:
    """Boosted trees. ``test``: rows ``among`` which all can be asked about."""
    train = lesson.among(_cut(train, lesson.affordable(train), run))
    y, levels = _answers(lesson, train)
    if (flat := _one_level(lesson, train, test, y)) is not None:
        return flat
    seen = features([train, test], lesson.names(train))
    goal = {"two": "binary:logistic", "many": "multi:softprob", "number": "reg:squarederror"}[lesson.sort]
    more = {"num_class": len(levels)} if lesson.sort == "many" else {}
    booster = boost(seen.parts[0], y if lesson.sort == "number" else y.astype(np.float32), seen.types,
                    lesson.rounds(rounds), objective=goal, **SETTING, **more)
    gains = booster.get_score(importance_type="total_gain")
    total = max(sum(float(v) for v in gains.values()), 1e-300)
    shares = {name: float(gains.get(f"f{i}", 0.0)) / total for i, name in enumerate(seen.names)}
    return Answer(predict(booster, seen.parts[1], seen.types).astype(float), levels, len(y), shares)


def lined(lesson: Lesson, train: Sheet, test: Sheet, run: Run) -> Answer:
    """A linear model: logistic, multinomial or ridge regression."""
    train = lesson.among(_cut(train, LINED_MANY if lesson.sort == "many" else LINED, run))
    y, levels = _answers(lesson, train)
    if (flat := _one_level(lesson, train, test, y)) is not None:
        return flat
    names = lesson.names(train)
    if lesson.sort == "number":
        return Answer(linear.line(train, test, names, y), levels, len(y))
    p = linear.classes(train, test, names, y)
    return Answer(p[:, 1] if lesson.sort == "two" else p, levels, len(y))
