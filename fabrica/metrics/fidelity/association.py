"""Association: how strongly every two columns hang together, in the original and in the twin.

Cramér's V with Bergsma's bias correction ("A bias-correction for Cramér's V and Tschuprow's T", Journal of the
Korean Statistical Society 2013), on the original's quantile bins, missing being a bin: 0 = independent, 1 = one
tells the other. The headline is the mean over pairs of the absolute difference; ``detail`` has both matrices for
the heat map. Pairs with more than a million cells are left out and counted. Interval: 5 resamples of rows.

A resample repeats rows, which the correction takes for connection, so it would be too large a floor. Value and floor
are measured at one size (``detail["rows"]``, ``detail["floor_from"]``; see ``even`` in ``fabrica/statistics.py``);
``detail["whole"]`` is the plain number, the whole twin against the whole original, as are the matrices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import Binned, Resamples, among, common_bins, even, spread

TIMES, CELLS = 5, 1 << 20


class Association(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "how well the strength of every two columns' connection is kept"
    source: ClassVar[str] = "Cramér's V, bias-corrected; Bergsma 2013"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"association": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        evidence = among(evidence)
        real, synthetic = evidence.real, evidence.synthetic
        if len(real.values) < 2 or not real.rows or not synthetic.rows:
            return [Finding("association", None, problem="there is no pair of columns with rows")]
        parts, floor_from = even(evidence, run.child("parts"))
        if not parts[0].rows:
            return [Finding("association", None, problem="there are too few rows")]
        bins, names = common_bins([real, synthetic, *parts]), list(real.values)
        draws = Resamples.of(parts[0].rows, parts[1].rows, TIMES, run.random())
        values: dict[tuple[int, int], np.ndarray] = {}
        for i, j in combinations(range(len(names)), 2):
            if bins[names[i]].size * bins[names[j]].size <= CELLS:
                values[i, j] = _strengths(bins[names[i]], bins[names[j]], draws)
        if not values:
            return [Finding("association", None, problem="every pair of columns has more than a million cells")]
        table = np.array(list(values.values()))
        whole = float(np.abs(table[:, 0] - table[:, 1]).mean())
        mean = spread(np.abs(table[:, 3:] - table[:, 2:3]).mean(0), TIMES, 1.0, floor_from)
        left = len(names) * (len(names) - 1) // 2 - len(values)
        detail = {"columns": names, "pairs": len(values), "left_out_pairs": left, "rows": parts[0].rows,
                  "whole": whole, "floor_from": floor_from,
                  "real": _matrix(len(names), values, 0), "synthetic": _matrix(len(names), values, 1)}
        return [Finding("association", mean.value, **mean.company(), detail=detail)]


def _strengths(a: Binned, b: Binned, draws: Resamples) -> np.ndarray:
    """V of real and synthetic; then of their even parts, each resample of the synthetic one, each of the real one, and
    the real rows beside."""
    codes = [x * b.size + y for x, y in zip(a.codes, b.codes, strict=True)]

    def one(sheet: int, weights: np.ndarray | None = None) -> float:
        return cramer(np.bincount(codes[sheet], weights, a.size * b.size).reshape(a.size, b.size))

    return np.array([one(0), one(1), one(2), one(3), *(one(3, w) for w in draws.synthetic),
                     *(one(2, w) for w in draws.real), one(4)])


def cramer(table: np.ndarray) -> float:
    """Bias-corrected V of a table of counts; 0 where a column is constant.

    >>> round(cramer(np.array([[500, 0], [0, 500]])), 2)
    1.0
    """
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    n, (r, c) = table.sum(), table.shape
    if n < 2 or min(r, c) < 2:
        return 0.0
    phi = float((table**2 / np.outer(table.sum(1), table.sum(0))).sum() - 1)
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    r, c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    return float(min(1.0, np.sqrt(phi / max(min(r, c) - 1, 1e-12))))


def _matrix(size: int, values: dict[tuple[int, int], np.ndarray], which: int) -> list[list[float | None]]:
    out: list[list[float | None]] = [[1.0 if i == j else None for j in range(size)] for i in range(size)]
    for (i, j), v in values.items():
        out[i][j] = out[j][i] = round(float(v[which]), 3)
    return out
