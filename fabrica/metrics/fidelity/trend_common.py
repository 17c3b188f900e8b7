"""Trend on common bins: how far every two columns together are from the original's, in percent of error.

Both tables are cut at the ten quantiles of the original's column (levels stay levels, missing is a bin), and every
pair of columns is compared by total variation of the two contingency tables. The mean over all pairs is the number
to steer by: the published ``trend`` cuts each table by its own extremes, so that one missing maximum moves every
bin. The definition is ``trend_common`` of the project's published protocol; TVD of pair tables as in sdmetrics'
ContingencySimilarity.

Interval: 5 to 20 resamples of rows, by the size of the work. Floor: as many rows of the holdout where it has them, else
rows drawn anew from the original (``detail["floor_from"]``, see ``fabrica/statistics.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import BOOTSTRAP, Resamples, among, beside, common_bins, cross, floors, spread, variations

WORST = 20


class TrendCommon(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "how far every two columns together are off, on the original's own quantiles"
    source: ClassVar[str] = "total variation of pair tables on common bins; Zhang et al. 2024, arXiv:2310.09656"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"trend_common": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        evidence = among(evidence)
        sheets, floor_from = beside(evidence, run.child("holdout"))
        names = list(evidence.real.values)
        if len(names) < 2 or not all(s.rows for s in sheets[:2]):
            why = "pairs need two columns" if len(names) < 2 else "a table without rows has no pairs"
            return [Finding("trend_common", None, unit="%", problem=why)]
        pairs = list(combinations(range(len(names)), 2))
        times = Resamples.times(len(pairs) * (sheets[0].rows + sheets[1].rows))
        draws = Resamples.of(sheets[0].rows, sheets[1].rows, times, run.random())
        bins = common_bins(sheets)
        numbers = np.array([100 * variations(cross(bins[names[a]], bins[names[b]]), draws) for a, b in pairs])
        return self._findings(names, pairs, numbers, times, floor_from, draws.fresh)

    @staticmethod
    def _findings(names: list[str], pairs: list[tuple[int, int]], numbers: np.ndarray, times: int,
                  floor_from: str, fresh: float) -> list[Finding]:
        mean = spread(numbers.mean(0), times, 100.0, floor_from, fresh)
        alike = floors(numbers, times, 100.0, fresh).mean(1) if floor_from == BOOTSTRAP else numbers[:, -1]
        detail = {"pairs": len(pairs), "columns": names, "left_out": {}, "holdout": mean.holdout, "resamples": times,
                  "matrix": _matrix(len(names), pairs, numbers[:, 0]),
                  "floor": _matrix(len(names), pairs, alike), "floor_from": floor_from}
        found = [Finding("trend_common", mean.value, unit="%", **mean.company(), detail=detail)]
        excess = numbers[:, 0] - alike
        for i in np.argsort(-excess, kind="stable")[:WORST]:
            one, (a, b) = spread(numbers[i], times, 100.0, floor_from, fresh), pairs[i]
            found.append(Finding("trend_common", one.value, (names[a], names[b]), unit="%", **one.company(),
                                 detail={"holdout": one.holdout, "floor_from": floor_from}))
        return found


def _matrix(size: int, pairs: list[tuple[int, int]], values: np.ndarray) -> list[list[float]]:
    out = np.zeros((size, size))
    at = np.array(pairs)
    out[at[:, 0], at[:, 1]] = out[at[:, 1], at[:, 0]] = values
    return [[round(float(v), 2) for v in row] for row in out]
