"""Alpha-precision and beta-recall: are synthetic rows typical real rows, and are all kinds of real rows reached?

Alaa, van Breugel, Saveliev and van der Schaar, "How faithful is your synthetic data?", ICML 2022
(arXiv:2102.08921), in the form that the papers since TabSyn report (Euclidean, without the learned hypersphere).

``alpha_precision``: for 30 levels alpha the share of synthetic rows inside the ball round the original's mean that
holds alpha of the original's rows should be alpha; the score is 1 - sum |P_alpha - alpha| / sum alpha. 1 is ideal.
``beta_recall``: likewise the share of real rows whose nearest synthetic row is not farther than their nearest other
real row, by the distance of that synthetic row from the synthetic mean. A fresh sample of the same population
scores about one half (the nearest of two equal crowds is in either by a toss), a copy of the original scores 1:
clearly above the floor means too close, not better.

The space the rows are placed in is our own, and at most 5,000 rows are looked at: the numbers are for comparing with
their floor here, and cannot be compared with the alpha-precision and beta-recall that papers print.

Rows are points in a fair space: each column weighs the same. Numbers are placed by their rank in the original,
levels are one-hot (the 100 commonest), missing is an indicator; every column is scaled so that two random rows are
equally far apart in it. At most 5,000 random rows of each table are used, fewer where there are many coordinates
(``detail["rows"]``), so a copy of the whole original shows in ``copies``, not here. Interval: resampled rows with
the distances kept (100 times, +- 1.96 standard deviations); floor: as many rows of the holdout, else halves of the
original.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import HALVES, HOLDOUT

ROWS, TIMES, LEVELS, WORK = 5_000, 100, 100, 6e9
ALPHAS = np.linspace(0, 1, 30)


class AlphaPrecision(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = ("whether rows are typical (precision) and all kinds of real rows are reached (recall), "
                            "in a space of our own")
    source: ClassVar[str] = "after Alaa et al. 2022, arXiv:2102.08921; not comparable with published numbers"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"alpha_precision": ("train",), "beta_recall": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        floor = evidence.holdout if evidence.holdout is not None else evidence.real
        halves = floor is evidence.real
        space = Space.of(evidence.real)
        most = min(ROWS, int(np.sqrt(WORK / max(1, space.size))))
        rows = min(most, evidence.synthetic.rows,
                   evidence.real.rows // 2 if halves else min(evidence.real.rows, floor.rows))
        why = f"needs at least 30 rows of each table, here are {rows}" if rows < 30 else ""
        if why or not space.size:
            return [Finding(m, None, better="higher", problem=why or "there is no column to compare")
                    for m in ("alpha_precision", "beta_recall")]
        order = run.child("real").random().permutation(evidence.real.rows)
        real = space.points(evidence.real.take(order[:rows]))
        twin = space.points(evidence.synthetic.take(
            run.child("synthetic").random().permutation(evidence.synthetic.rows)[:rows]))
        rest = order[rows:2 * rows] if halves else run.child("floor").random().permutation(floor.rows)[:rows]
        own = nearest(real, real, skip=True)[0]
        got = Closeness.of(real, twin, own)
        best = Closeness.of(real, space.points(floor.take(rest)), own)
        detail: dict[str, Any] = {"rows": rows, "columns": len(evidence.real.values),
                                  "floor_from": HALVES if halves else HOLDOUT}
        return _findings(got, best, run.child("resample").random(), detail)


def _findings(got: Closeness, best: Closeness, draw: np.random.Generator, detail: dict[str, Any]) -> list[Finding]:
    picks = draw.integers(len(got.radius), size=(TIMES, len(got.radius)))
    found = []
    for metric, score in (("alpha_precision", Closeness.precision), ("beta_recall", Closeness.recall)):
        value, half = score(got), 1.96 * float(np.std([score(got, p) for p in picks], ddof=1))
        around = 1.96 * float(np.std([score(best, p) for p in picks[:20]], ddof=1))
        floor = score(best)
        found.append(Finding(metric, value, better="higher", low=max(0.0, value - half), high=min(1.0, value + half),
                             floor=floor, floor_low=max(0.0, floor - around), floor_high=min(1.0, floor + around),
                             detail=detail))
    return found


@dataclass(frozen=True)
class Closeness:
    """``inner`` (n,) sorted distances of real rows from their mean; ``radius`` (n,) of synthetic rows from that mean;
    ``reached`` (n,) whether a real row's nearest synthetic row is as near as a real one; ``depth`` (n,) how far that
    synthetic row is from the synthetic mean."""

    inner: np.ndarray
    radius: np.ndarray
    reached: np.ndarray
    depth: np.ndarray

    @classmethod
    def of(cls, real: np.ndarray, other: np.ndarray, own: np.ndarray) -> Closeness:
        middle, around = real.mean(0), other.mean(0)
        far, which = nearest(real, other)
        return cls(np.linalg.norm(real - middle, axis=1), np.linalg.norm(other - middle, axis=1), far <= own,
                   np.linalg.norm(other[which] - around, axis=1))

    def precision(self, rows: np.ndarray | slice = slice(None)) -> float:
        radius = np.sort(self.radius[rows])
        curve = np.searchsorted(radius, np.quantile(self.inner, ALPHAS) + 1e-9, side="right") / len(radius)
        return _score(curve)

    def recall(self, rows: np.ndarray | slice = slice(None)) -> float:
        depth, reached = self.depth[rows], self.reached[rows]
        curve = np.searchsorted(np.sort(depth[reached]), np.quantile(depth, ALPHAS) + 1e-9, side="right") / len(depth)
        return _score(curve)


def _score(curve: np.ndarray) -> float:
    return float(max(0.0, 1 - np.abs(curve - ALPHAS).sum() / ALPHAS.sum()))


def nearest(a: np.ndarray, b: np.ndarray, skip: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Distance to and number of the nearest row of ``b`` for every row of ``a``; ``skip`` leaves the row itself out."""
    far, which, squares = np.empty(len(a)), np.empty(len(a), np.int64), (b * b).sum(1)
    for i in range(0, len(a), 1000):
        part = a[i:i + 1000]
        gap = squares - 2 * (part @ b.T) + (part * part).sum(1)[:, None]
        if skip:
            gap[np.arange(len(part)), i + np.arange(len(part))] = np.inf
        which[i:i + 1000] = gap.argmin(1)
        far[i:i + 1000] = gap.min(1)
    return np.sqrt(np.maximum(np.round(far, 9), 0)), which


@dataclass(frozen=True)
class Space:
    """The fair space of one original table: how each column becomes coordinates."""

    numbers: dict[str, tuple[np.ndarray, float]]
    levels: dict[str, tuple[np.ndarray, float]]

    @classmethod
    def of(cls, real: Sheet) -> Space:
        numbers, levels = {}, {}
        for name in real.numeric:
            values = np.sort(real.values[name][~np.isnan(real.values[name])])
            place = _rank(values, values) if len(values) else np.zeros(1)
            numbers[name] = values, 1 / np.sqrt(max(place.var(), 0.1 / 12))
        for name in real.categorical:
            counts = np.bincount(real.values[name] + 1, minlength=len(real.levels[name]) + 1)
            place = np.full(len(counts), min(LEVELS, len(counts)))
            place[np.argsort(-counts, kind="stable")[:LEVELS]] = np.arange(min(LEVELS, len(counts)))
            share = counts / max(1, counts.sum())
            levels[name] = place, 1 / np.sqrt(max(1 - (share**2).sum(), 0.1))
        return cls(numbers, levels)

    @property
    def size(self) -> int:
        """How many coordinates a row has."""
        return 2 * len(self.numbers) + sum(int(place.max()) + 1 for place, _ in self.levels.values())

    def points(self, sheet: Sheet) -> np.ndarray:
        """(rows, coordinates) float64."""
        parts = []
        for name, (known, scale) in self.numbers.items():
            values = sheet.values[name]
            absent = np.isnan(values)
            place = _rank(np.where(absent, 0, values), known) if len(known) else np.zeros(len(values))
            parts.append(np.column_stack([np.where(absent, 0.5, place) * scale, absent]))
        for name, (place, scale) in self.levels.items():
            parts.append(np.eye(place.max() + 1)[place[sheet.values[name] + 1]] * scale)
        return np.hstack(parts)


def _rank(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Middle rank among the sorted known values, in [0, 1]."""
    return (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / (2 * len(known))
