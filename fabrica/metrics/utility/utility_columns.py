"""Utility of every column: what does a model lose that learns any one column from the others, out of the twin?

Nobody says beforehand what a table will be used for, so each column is the target once: boosted trees learn it from all
other columns, from rows of the twin and from as many of the original, and both are asked about the same rows of the
holdout (train on synthetic, test on real; Esteban et al. 2017). The number of a column is what the twin loses, in
points of 100 of the area under the curve (two levels), the accuracy (more levels; all but the 20 commonest are one) or
R2 (a number, by its rank among the original's). Their mean is that of the table; ``detail["worst"]`` names the worst
column.

A search light and no benchmark: at most 3,000 rows and 30 rounds of small trees for each model, at most 60 columns
(evenly spread; ``detail["columns"]`` of ``detail["of"]``). ``low`` and ``high`` are the 95 % interval of the paired
difference on the holdout; that of the mean adds the columns' as if they always went together, so it is rather too wide.
Floor: what as many other rows of the original lose against the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.marks import Mark, check, less, mark
from fabrica.pupils import LEAST, Lesson, boosted
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import HALVES, among

__all__ = ["UtilityColumns"]

ROWS, ROUNDS, COLUMNS, LEVELS = 3_000, 30, 60, 20
NAME = "utility_columns"


class UtilityColumns(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "what models lose that learn any one column from the others out of the twin"
    source: ClassVar[str] = "train on synthetic, test on real, for every column; Esteban et al. 2017, arXiv:1706.02633"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {NAME: ("holdout",)}
    heavy: ClassVar[bool] = True

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        names = [name for name in evidence.real.values if name != evidence.unit]
        if (why := _refusal(evidence)) or evidence.holdout is None:
            return [Finding(NAME, None, unit="%", against="holdout", problem=why)]
        tables = _tables(among(evidence), run.child("rows"))
        places = np.unique(np.linspace(0, len(names) - 1, min(COLUMNS, len(names))).round().astype(int))
        wanted = [names[i] for i in places if names[i] in tables.real.values]
        found = run.map(lambda name: _column(name, tables, run.child("column").child(name)), wanted)
        return [_whole(found, len(names)), *found]


def _refusal(evidence: Evidence) -> str:
    if evidence.holdout is None:
        return "there is no holdout to be predicted"
    if len(evidence.real.values) < 2:
        return "there is no other column to predict from"
    if min(evidence.real.rows // 2, evidence.synthetic.rows, evidence.holdout.rows) < LEAST:
        return f"needs at least {2 * LEAST} real rows, and {LEAST} of the other tables"
    return ""


@dataclass(frozen=True)
class Tables:
    """What is learned from, of one size, and what is asked."""

    real: Sheet
    other: Sheet
    twin: Sheet
    test: Sheet


def _tables(evidence: Evidence, run: Run) -> Tables:
    assert evidence.holdout is not None
    size = min(ROWS, evidence.real.rows // 2, evidence.synthetic.rows)
    order = run.child("real").random().permutation(evidence.real.rows)
    twin = run.child("synthetic").random().permutation(evidence.synthetic.rows)[:size]
    test = run.child("holdout").random().permutation(evidence.holdout.rows)[:ROWS]
    return Tables(evidence.real.take(order[:size]), evidence.real.take(order[size:2 * size]),
                  evidence.synthetic.take(twin), evidence.holdout.take(test))


def _column(name: str, tables: Tables, run: Run) -> Finding:
    """What is lost of one column."""
    sheets = _simple(name, tables)
    try:
        lesson = Lesson.of(sheets.real, name)
        test = lesson.among(sheets.test)
        check(lesson, test)
        twin, real, other = (boosted(lesson, sheet, test, run.child(side), ROUNDS) for side, sheet in (
            ("twin", sheets.twin), ("real", sheets.real), ("other", sheets.other)))
        lost, luck = (less(lesson, one, real, test, run.child(who).random()) for who, one in (
            ("lost", twin), ("luck", other)))
        reached = mark(lesson, real, test, run.child("reached").random())
    except NotComputable as why:
        return Finding(NAME, None, (name,), unit="%", against="holdout", problem=why.what)
    return _points(lost, luck, reached, name)


def _points(lost: Mark, luck: Mark, reached: Mark, name: str) -> Finding:
    detail = {"measure": lost.measure, "twin": reached.value - lost.value, "real": reached.value, "floor_from": HALVES}
    return Finding(NAME, 100 * lost.value, (name,), unit="%", low=100 * lost.low, high=100 * lost.high,
                   floor=100 * luck.value, floor_low=100 * luck.low, floor_high=100 * luck.high, against="holdout",
                   detail=detail)


def _simple(name: str, tables: Tables) -> Tables:
    """The tables with the column as it is predicted: of levels the commonest and all others, a number by its rank."""
    real = tables.real.values[name]
    parts = (tables.real, tables.other, tables.twin, tables.test)
    if name in tables.real.levels:
        known, counts = np.unique(real, return_counts=True)
        if len(known) <= LEVELS:
            return tables
        kept = known[np.argsort(-counts, kind="stable")[:LEVELS - 1]]
        rest = len(tables.real.levels[name])
        changed = [np.where(np.isin(p.values[name], kept), p.values[name], rest) for p in parts]
    else:
        ranked = np.sort(real[~np.isnan(real)])
        if len(np.unique(ranked)) <= 2:
            return tables
        changed = [_ranks(p.values[name], ranked) for p in parts]
    return Tables(*(Sheet(part.rows, {**part.values, name: cells}, part.levels)
                    for part, cells in zip(parts, changed, strict=True)))


def _ranks(values: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """(n,) the middle rank of each value, 0 to 1; NaN where there is none."""
    ends = [np.searchsorted(ranked, values, side) for side in ("left", "right")]
    return np.where(np.isnan(values), np.nan, np.sum(ends, axis=0) / (2 * max(1, len(ranked))))


def _whole(found: Sequence[Finding], many: int) -> Finding:
    """The mean over the columns."""
    measured = [one for one in found if one.value is not None]
    if not measured:
        return Finding(NAME, None, unit="%", against="holdout", problem="no column could be predicted")
    value, low, high, floor, floor_low, floor_high = (
        float(np.mean([getattr(one, name) for one in measured]))
        for name in ("value", "low", "high", "floor", "floor_low", "floor_high"))
    worst = max(measured, key=lambda one: one.value or 0.0)
    detail = {"columns": len(measured), "of": many, "worst": worst.place[0], "worst_value": worst.value,
              "floor_from": HALVES, "words": _words(value, worst, len(measured))}
    return Finding(NAME, value, unit="%", low=low, high=high, floor=floor, floor_low=floor_low, floor_high=floor_high,
                   against="holdout", detail=detail)


def _words(mean: float, worst: Finding, many: int) -> str:
    verb, size = ("loses", mean) if mean > 0 else ("gains", -mean)
    lost = worst.value or 0.0
    most = f"; most for {worst.place[0]!r}: {lost:.1f}" if lost > 0 else ""
    return (f"A model of any of {many} columns, learned from the others, {verb} {size:.1f} points on average with the "
            f"twin instead of as many real rows{most}.")
