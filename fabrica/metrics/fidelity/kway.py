"""K-way marginals: how far three and four columns together are from the original's, in percent of error.

Random triples and quadruples of columns (up to 50 of each, drawn by the run's seed) on the original's quantile
bins, compared by total variation: ``kway_3`` and ``kway_4``. The idea is the k-marginal score of NIST's synthetic
data challenges (McKenna et al., "Winning the NIST contest", JPC 2021; Task et al., SDNist 2021). With so many cells
even real rows are far from each other: the floor says how far, and only the part above it is the generator's.

A resample of the original never falls into a cell that the original leaves empty, so it would be far too low a floor.
Value and floor are therefore measured at one size (``detail["rows"]``): random rows of the twin, and as many real rows,
each against as many rows of the original. The real rows are the holdout's, or the original's other half
(``detail["floor_from"]``; see ``even`` in ``fabrica/statistics.py``). ``detail["whole"]`` is the plain number, the
whole twin against the whole original. Interval: 10 resamples of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import Binned, Resamples, common_bins, cross, even, spread, variation, variations

TIMES, SUBSETS, WORST = 10, 50, 5


class KWay(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "how far three and four columns together are off"
    source: ClassVar[str] = "k-marginals; McKenna, Miklau and Sheldon 2021, NIST synthetic data challenge"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"kway_3": ("train",), "kway_4": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        parts, floor_from = even(evidence, run.child("parts"))
        if not parts[0].rows:
            return [Finding(f"kway_{k}", None, unit="%", problem="there are too few rows") for k in (3, 4)]
        draws = Resamples.of(parts[0].rows, parts[1].rows, TIMES, run.child("rows").random())
        bins = common_bins([evidence.real, evidence.synthetic, *parts])
        return [f for k in (3, 4) for f in self._ways(k, bins, draws, floor_from, run.child(k).random())]

    @staticmethod
    def _ways(k: int, bins: dict[str, Binned], draws: Resamples, floor_from: str,
              draw: np.random.Generator) -> list[Finding]:
        chosen = subsets(list(bins), k, draw)
        if not chosen:
            return [Finding(f"kway_{k}", None, unit="%", problem=f"there are fewer than {k} columns")]
        every = [cross(*(bins[n] for n in names)) for names in chosen]
        whole = [100 * variation(b.shares(0), b.shares(1)) for b in every]
        numbers = np.array([100 * variations(Binned(b.codes[2:], b.size), draws) for b in every])
        mean, rows = spread(numbers.mean(0), TIMES, 100.0, floor_from), draws.real.shape[1]
        detail = {"subsets": len(chosen), "of": comb(len(bins), k), "rows": rows, "whole": float(np.mean(whole)),
                  "resamples": TIMES, "floor_from": floor_from}
        found = [Finding(f"kway_{k}", mean.value, unit="%", **mean.company(), detail=detail)]
        for i in np.argsort(numbers[:, -1] - numbers[:, 0], kind="stable")[:WORST]:
            one = spread(numbers[i], TIMES, 100.0, floor_from)
            found.append(Finding(f"kway_{k}", one.value, chosen[i], unit="%", **one.company(),
                                 detail={"whole": whole[i], "floor_from": floor_from}))
        return found


def subsets(names: Sequence[str], k: int, draw: np.random.Generator) -> list[tuple[str, ...]]:
    """All subsets of size k where there are few, else ``SUBSETS`` different ones at random."""
    if comb(len(names), k) <= SUBSETS:
        return list(combinations(names, k))
    chosen: dict[tuple[int, ...], None] = {}
    while len(chosen) < SUBSETS:
        chosen[tuple(sorted(draw.choice(len(names), k, replace=False).tolist()))] = None
    return [tuple(names[i] for i in c) for c in chosen]
