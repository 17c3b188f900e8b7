"""Shape: how far each column's own distribution is from the original's, in percent of error.

Numeric columns by the Kolmogorov-Smirnov distance of the values that are there, others by total variation of the levels
with "missing" as a level; the headline is the mean over columns. These are 100 (1 - KSComplement) and 100 (1 -
TVComplement) of sdmetrics, as in the papers since TabSyn (Zhang et al., ICLR 2024, arXiv:2310.09656).

A numeric column that has values in one table and none in the other is 100 % wrong; one without values in both has no
shape, is left out of the mean and named in ``detail``. Interval: 20 resamples of rows. Floor: as many rows of the
holdout where it has them, else rows drawn anew from the original (``detail["floor_from"]``, see
``fabrica/statistics.py``). ``detail["holdout"]`` is what the holdout scores.

Shape alone is won by independent columns: read it beside ``trend_common`` and ``detector``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import Resamples, Spread, beside, common_bins, spread, variations

TIMES = 20


def distances(sheets: Sequence[Sheet], name: str, draws: Resamples) -> np.ndarray:
    """KS distances in the order of ``variations``; NaN where neither table has a value."""
    columns = [s.values[name] for s in sheets]
    have = [~np.isnan(c) for c in columns]
    found, place = np.unique(np.concatenate([c[h] for c, h in zip(columns, have, strict=True)]), return_inverse=True)
    codes = np.split(place, np.cumsum([h.sum() for h in have])[:-1])

    def curve(sheet: int, weights: np.ndarray | None = None) -> np.ndarray | None:
        if not len(codes[sheet]):
            return None
        w = None if weights is None else weights[have[sheet]]
        counts = np.bincount(codes[sheet], weights=w, minlength=len(found)).cumsum()
        return counts / max(counts[-1], 1e-300)

    real = curve(0)
    others = [curve(1), *(curve(1, w) for w in draws.synthetic), *(curve(0, w) for w in draws.real)]
    return np.array([_apart(real, other) for other in (*others, *(curve(i) for i in range(2, len(sheets))))])


def _apart(a: np.ndarray | None, b: np.ndarray | None) -> float:
    if a is None or b is None:
        return np.nan if a is b else 1.0
    return float(np.abs(a - b).max())


class Shape(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "how far each column's own distribution is off"
    source: ClassVar[str] = "KSComplement and TVComplement; Zhang et al. 2024, arXiv:2310.09656"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"shape": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        sheets, floor_from = beside(evidence, run.child("holdout"))
        if not all(s.rows for s in sheets[:2]):
            return [Finding("shape", None, unit="%", problem="a table without rows has no shape")]
        draws = Resamples.of(sheets[0].rows, sheets[1].rows, TIMES, run.random())
        bins = common_bins(sheets, evidence.real.categorical)
        table = {n: 100 * (variations(bins[n], draws) if n in bins else distances(sheets, n, draws))
                 for n in evidence.real.values}
        whole = {n: v for n, v in table.items() if not np.isnan(v[0])}
        left = {n: "no value in either table" for n in table if n not in whole}
        columns = [self._column(n, v, n in bins, floor_from, draws.fresh) for n, v in table.items()]
        if not whole:
            return [Finding("shape", None, unit="%", problem="no column has a value"), *columns]
        mean = spread(np.nanmean(list(whole.values()), axis=0), TIMES, 100.0, floor_from, draws.fresh)
        detail = {"columns": len(whole), "left_out": left, "holdout": mean.holdout, "floor_from": floor_from}
        return [Finding("shape", mean.value, unit="%", **mean.company(), detail=detail), *columns]

    @staticmethod
    def _column(name: str, numbers: np.ndarray, levels: bool, floor_from: str, fresh: float) -> Finding:
        measure = "total variation" if levels else "Kolmogorov-Smirnov"
        if np.isnan(numbers[0]):
            return Finding("shape", None, (name,), unit="%", problem="no value in either table")
        got: Spread = spread(np.nan_to_num(numbers, nan=0.0), TIMES, 100.0, floor_from, fresh)
        return Finding("shape", got.value, (name,), unit="%", **got.company(),
                       detail={"measure": measure, "holdout": got.holdout, "floor_from": floor_from})
