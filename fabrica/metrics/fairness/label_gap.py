"""Label gap: is the outcome more unequal between groups in the twin than in the original?

In each group the share of rows with an outcome of the target (P(outcome | group)); the gap is the largest difference
between two groups (statistical parity; Kamiran & Calders, KAIS 33, 2012), and the number is its *amplification*: the
gap of the twin less that of the original. A generator that blurs rare groups narrows gaps; one that exaggerates what
is common widens them, and whoever learns from its rows learns that.

A target of more than two levels is asked level by level, a number whether it is above the original's median; the worst
outcome counts. Groups of fewer than 100 real people are counted and not compared, nor are those in which fewer than k
real rows have the outcome, or lack it (a gap would tell how many), nor those with fewer than 30 rows in the twin.

``value`` is the amplification, ``high`` its one-sided 95 % upper bound (of the table: the largest of all places; its
``low`` holds for all of them at once). Floor: the same for two tables of real rows of these sizes, for the largest of
many differences is wider in the smaller table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from fabrica.amplified import Amplification, farthest, with_worst
from fabrica.contract import Evidence, Metric
from fabrica.errors import NotComputable
from fabrica.fairness import DRAWS, Tally, gap
from fabrica.outcome import Outcome, answered, gaps, outcomes
from fabrica.protected import Partition, partitions
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import BOOTSTRAP

__all__ = ["LabelGap"]

THIN = 30  #: rows of a group in the twin, below which its share says nothing


class LabelGap(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether an outcome is more unequal between groups in the twin than in the original"
    source: ClassVar[str] = "statistical parity; Kamiran and Calders 2012; amplification: Zhao et al., EMNLP 2017"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"label_gap": ("train",)}
    needs: ClassVar[tuple[str, ...]] = ("protected", "target")

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        try:
            asked, left = outcomes(evidence)
            found = [_place(part, asked, left, evidence, run.child(" × ".join(part.place)))
                     for part in partitions(evidence)]
        except NotComputable as why:
            return [Finding("label_gap", None, problem=why.what)]
        return with_worst("label_gap", "train", found, f"the gap between groups in {evidence.target!r}")


def _place(part: Partition, asked: list[Outcome], left: int, evidence: Evidence, run: Run) -> Finding:
    """The groups of one column, or of two; the worst of the outcomes."""
    counted = part.counted(evidence.k)
    try:
        part.need()
        if evidence.target in part.place:
            raise NotComputable("this is the target itself")
        found = [_outcome(one, part, evidence, run.child(str(i))) for i, one in enumerate(asked)]
    except NotComputable as why:
        return Finding("label_gap", None, part.place, problem=why.what, detail=counted)
    measured = [one for one in found if one.value is not None]
    if not measured:
        return Finding("label_gap", None, part.place, problem=found[0].problem, detail=counted)
    worst = farthest(measured, len(asked))
    more = {"outcomes": len(asked), "left_out_outcomes": left} if len(asked) + left > 1 else {}
    high = max(one.high or 0.0 for one in measured)
    return Finding("label_gap", worst.value, part.place, low=worst.low, high=high, floor=worst.floor,
                   floor_low=worst.floor_low, floor_high=worst.floor_high, detail={**worst.detail, **more, **counted})


def _outcome(outcome: Outcome, part: Partition, evidence: Evidence, run: Run) -> Finding:
    real, twin = (answered(outcome, part, sheet) for sheet in (evidence.real, evidence.synthetic))
    hits, rows = real.hits[:, 0], real.rows[:, 0]
    told = (np.minimum(hits, rows - hits) >= evidence.k) & (twin.rows[:, 0] >= THIN)
    compared = np.nonzero(told)[0].tolist()
    if len(compared) < 2:
        return Finding("label_gap", None, part.place, problem=f"fewer than two groups have {evidence.k} real rows with "
                       f"and without the outcome and {THIN} synthetic ones")
    draws = [gaps(outcome, part, sheet, evidence.unit, compared, run.child(side)) for side, sheet in (
        ("real", evidence.real), ("twin", evidence.synthetic))]
    found = Amplification.of(draws[1], draws[0])
    groups = [{"group": part.groups[g], "people": part.people[g], "real": float(real.rates[g]),
               "twin": float(twin.rates[g])} for g in compared]
    detail = {"outcome": outcome.label, "real": float(draws[0][0]), "twin": float(draws[1][0]), "groups": groups,
              "not_compared": len(told) - len(compared), "floor_from": BOOTSTRAP}
    floor, ends = _fresh(real.of_groups(compared), twin.of_groups(compared), run.child("fresh").random())
    return Finding("label_gap", found.value, part.place, low=found.low, high=found.high, floor=floor, floor_low=ends[0],
                   floor_high=ends[1], detail=detail)


def _fresh(real: Tally, twin: Tally, draw: np.random.Generator) -> tuple[float, tuple[float, float]]:
    """What two tables of real rows of these sizes differ by, on average and in 95 of 100 draws."""
    apart = []
    for sizes in (twin.rows, real.rows):
        size = np.broadcast_to(sizes.round().astype(int), (DRAWS, *sizes.shape))
        apart.append(gap(Tally(size.astype(float), draw.binomial(size, real.rates[:, None]).astype(float))))
    off = apart[0] - apart[1]
    low, high = np.quantile(off, [0.025, 0.975])
    return float(off.mean()), (float(low), float(high))
