"""Trend as published: how far every two columns together are from the original's, each table cut by its own extremes.

Two numeric columns by half the difference of their Pearson correlations (over the rows that have both); any other
pair by total variation of the contingency tables with each numeric column cut into its *own table's* ten
equal-width bins, missing a bin of its own. In percent of error; the mean over pairs is 100 (1 -
CorrelationSimilarity / ContingencySimilarity) of sdmetrics, as in the papers since TabSyn (Zhang et al., ICLR 2024,
arXiv:2310.09656).

A synthetic table without the original's largest value has other bins everywhere, so this number is for comparison
with publications; steer by ``trend_common``. A pair whose correlation does not exist (a constant column) is left
out of the mean and counted in ``detail``. Interval: 3 to 10 resampled tables, each cut anew by its own
extremes. Floor: as many rows of the holdout where it has them, else resampled tables of the original
(``detail["floor_from"]``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import among, beside, correlation, cross, fresh, own_bins, spread, variation


class Trend(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "how far every two columns together are off, as published (each table's own bins)"
    source: ClassVar[str] = "CorrelationSimilarity and ContingencySimilarity; Zhang et al. 2024, arXiv:2310.09656"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"trend": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        evidence = among(evidence)
        real, synthetic = evidence.real, evidence.synthetic
        pairs = list(combinations([*real.numeric, *real.categorical], 2))
        if not pairs or not real.rows or not synthetic.rows:
            return [Finding("trend", None, unit="%", problem="there is no pair of columns with rows")]
        times = int(np.clip(2e8 // (len(pairs) * (real.rows + synthetic.rows)), 3, 10))
        tables = [synthetic, *_drawn(synthetic, synthetic.rows, times, run.child("synthetic").random()),
                  *_drawn(real, synthetic.rows, times, run.child("real").random())]
        sheets, floor_from = beside(evidence, run.child("holdout"))
        tables += sheets[2:]
        numbers = np.array([errors(real, table, pairs) for table in tables]).T
        there = ~np.isnan(numbers[:, 0])
        if not there.any():
            return [Finding("trend", None, unit="%", problem="no pair of columns has a correlation")]
        with np.errstate(invalid="ignore"):
            mean = spread(np.nanmean(numbers[there], axis=0), times, 100.0, floor_from,
                          fresh(real.rows, synthetic.rows))
        left: list[dict[str, Any]] = [{"columns": list(p), "why": "no correlation: a constant column"}
                                      for p, ok in zip(pairs, there, strict=True) if not ok]
        detail = {"pairs": int(there.sum()), "left_out": left[:50], "left_out_pairs": len(left),
                  "holdout": mean.holdout, "resamples": times, "floor_from": floor_from}
        return [Finding("trend", mean.value, unit="%", **mean.company(), detail=detail)]


def _drawn(sheet: Sheet, rows: int, times: int, draw: np.random.Generator) -> Iterator[Sheet]:
    for _ in range(times):
        yield sheet.take(draw.integers(sheet.rows, size=rows))


def errors(real: Sheet, other: Sheet, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    """(pairs,) error of every pair in percent; NaN where a correlation does not exist."""
    bins, numeric = own_bins([real, other]), real.numeric
    place = {n: i for i, n in enumerate(numeric)}
    gap = np.empty((0, 0))
    if numeric:
        matrices = [np.column_stack([s.values[n] for n in numeric]) for s in (real, other)]
        gap = np.abs(correlation(matrices[0]) - correlation(matrices[1])) / 2
    out = np.empty(len(pairs))
    for i, (a, b) in enumerate(pairs):
        if a in place and b in place:
            out[i] = gap[place[a], place[b]]
        else:
            both = cross(bins[a], bins[b])
            out[i] = variation(both.shares(0), both.shares(1))
    return 100 * out
