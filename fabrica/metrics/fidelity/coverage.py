"""Coverage: does the twin reach every level and the whole range of the original?

``coverage`` of a column of levels is the share of the original's levels that stand in the twin; of a numeric column
the share of the original's range [min, max] that the twin's range covers; the headline is the mean over columns
(CategoryCoverage and RangeCoverage of sdmetrics). ``coverage_rare`` looks only at levels that fewer than 1 % but at
least five of the original's rows hold: the ones that generators lose first. A generator that protects people does
not repeat a level held by fewer than five rows, nor the very extremes, so it stays a little under 1 by intention;
``detail["alone"]`` counts the levels held by fewer than five.

A constant numeric column has no range, a column without values has nothing to be covered: left out and named. No
interval: these are counts of one table, and a resample can only lose levels. Floor: mean of 20 resamples of the
original's rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import RESAMPLE, Resamples

TIMES, RARE = 20, 0.01


class Coverage(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether all levels and the whole ranges are reached"
    source: ClassVar[str] = "CategoryCoverage and RangeCoverage of sdmetrics"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"coverage": ("train",), "coverage_rare": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        real, synthetic = evidence.real, evidence.synthetic
        if not real.rows or not synthetic.rows:
            return [Finding("coverage", None, better="higher", problem="a table has no rows")]
        weights = Resamples.of(real.rows, synthetic.rows, TIMES, run.random()).real
        found, rare = [], []
        for name in real.values:
            if name in real.levels:
                one, few = _levels(evidence, name, weights)
                found.append(one)
                rare.append(few)
            else:
                found.append(_range(evidence, name, weights))
        return [_mean("coverage", found), *found, _mean("coverage_rare", rare), *rare]


def _mean(metric: str, found: list[Finding]) -> Finding:
    there = [f for f in found if f.value is not None]
    left = {f.place[0]: f.problem for f in found if f.value is None}
    if not there:
        return Finding(metric, None, better="higher", problem="no column has anything to be covered",
                       detail={"columns": 0, "left_out": left})
    return Finding(metric, float(np.mean([f.value for f in there if f.value is not None])), better="higher",
                   floor=float(np.mean([f.floor for f in there if f.floor is not None])),
                   detail={"columns": len(there), "left_out": left, "floor_from": RESAMPLE})


def _levels(evidence: Evidence, name: str, weights: np.ndarray) -> tuple[Finding, Finding]:
    size, codes = len(evidence.real.levels[name]), evidence.real.values[name]
    there = codes >= 0
    counts = np.bincount(codes[there], minlength=size)
    twin = evidence.synthetic.values[name]
    seen = np.bincount(twin[twin >= 0], minlength=size) > 0
    drawn = np.array([np.bincount(codes[there], w[there], size) > 0 for w in weights])
    held, few = counts > 0, (counts >= evidence.k) & (counts < RARE * len(codes))
    alone = int((held & (counts < evidence.k)).sum())
    return (_share("coverage", name, held, seen, drawn, "the original has no value here", alone),
            _share("coverage_rare", name, few, seen, drawn, "there is no rare level", alone))


def _share(metric: str, name: str, of: np.ndarray, seen: np.ndarray, drawn: np.ndarray, why: str,
           alone: int) -> Finding:
    if not of.any():
        return Finding(metric, None, (name,), better="higher", problem=why)
    return Finding(metric, float(seen[of].mean()), (name,), better="higher", floor=float(drawn[:, of].mean()),
                   detail={"levels": int(of.sum()), "reached": int(seen[of].sum()), "alone": alone,
                           "floor_from": RESAMPLE})


def _range(evidence: Evidence, name: str, weights: np.ndarray) -> Finding:
    values, twin = evidence.real.values[name], evidence.synthetic.values[name]
    there = ~np.isnan(values)
    values, twin = values / 2, twin / 2  # the distance of two huge numbers is still a number
    low, high = (values[there].min(), values[there].max()) if there.any() else (0.0, 0.0)
    if low == high:
        return Finding("coverage", None, (name,), better="higher", problem="the original has no range here")

    def covered(some: np.ndarray) -> float:
        some = some[~np.isnan(some)]
        if not len(some):
            return 0.0
        return float(max(0.0, min(high, some.max()) - max(low, some.min())) / (high - low))

    floor = float(np.mean([covered(values[w > 0]) for w in weights]))
    return Finding("coverage", covered(twin), (name,), better="higher", floor=floor,
                   detail={"measure": "range", "floor_from": RESAMPLE})
