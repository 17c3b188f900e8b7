"""K-way marginals: how far three and four columns together are from the original's, in percent of error.

Random triples and quadruples of columns (up to 50 of each, drawn by the run's seed) on the original's quantile
bins, compared by total variation: ``kway_3`` and ``kway_4``. The idea is the k-marginal score of NIST's synthetic
data challenges (McKenna et al., "Winning the NIST contest", JPC 2021; Task et al., SDNist 2021). With so many cells
even real rows are far from each other: the floor says how far, and only the part above it is the generator's.

Interval and floor: 10 resamples of rows (see ``fabrica/statistics.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import Binned, Resamples, common_bins, cross, spread, variations

TIMES, SUBSETS, WORST = 10, 50, 5


class KWay(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "how far three and four columns together are off"
    source: ClassVar[str] = "k-marginals; McKenna, Miklau and Sheldon 2021, NIST synthetic data challenge"

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        sheets = [s for s in (evidence.real, evidence.synthetic, evidence.holdout) if s is not None]
        if not all(s.rows for s in sheets[:2]):
            return [Finding(f"kway_{k}", None, unit="%", problem="a table has no rows") for k in (3, 4)]
        draws = Resamples.of(sheets[0].rows, sheets[1].rows, TIMES, run.child("rows").random())
        bins = common_bins(sheets)
        return [f for k in (3, 4) for f in self._ways(k, bins, draws, run.child(k).random())]

    @staticmethod
    def _ways(k: int, bins: dict[str, Binned], draws: Resamples, draw: np.random.Generator) -> list[Finding]:
        chosen = subsets(list(bins), k, draw)
        if not chosen:
            return [Finding(f"kway_{k}", None, unit="%", problem=f"there are fewer than {k} columns")]
        numbers = np.array([100 * variations(cross(*(bins[n] for n in names)), draws) for names in chosen])
        mean = spread(numbers.mean(0), TIMES, 100.0)
        detail = {"subsets": len(chosen), "of": comb(len(bins), k), "holdout": mean.holdout, "resamples": TIMES}
        found = [Finding(f"kway_{k}", mean.value, unit="%", **mean.company(), detail=detail)]
        above = numbers[:, 0] - numbers[:, 1 + TIMES:1 + 2 * TIMES].mean(1)
        for i in np.argsort(-above, kind="stable")[:WORST]:
            one = spread(numbers[i], TIMES, 100.0)
            found.append(Finding(f"kway_{k}", one.value, chosen[i], unit="%", **one.company(),
                                 detail={"holdout": one.holdout}))
        return found


def subsets(names: Sequence[str], k: int, draw: np.random.Generator) -> list[tuple[str, ...]]:
    """All subsets of size k where there are few, else ``SUBSETS`` different ones at random."""
    if comb(len(names), k) <= SUBSETS:
        return list(combinations(names, k))
    chosen: dict[tuple[int, ...], None] = {}
    while len(chosen) < SUBSETS:
        chosen[tuple(sorted(draw.choice(len(names), k, replace=False).tolist()))] = None
    return [tuple(names[i] for i in c) for c in chosen]
