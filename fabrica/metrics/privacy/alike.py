"""Alike: are the people who were learned from and those of the holdout of one kind? Without the twin nobody may tell.

Boosted trees try to tell rows that were learned from and rows of the holdout apart. Where they can, the two were drawn
at other times, from other places, or one has the other's duplicates, and no attack that compares them says anything:
its luck on the holdout is not the luck it has on members. (The blind baseline of membership attacks: Das, Zhang &
Tramèr, "Blind baselines beat membership inference attacks for foundation models", 2024, arXiv:2406.16201.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from fabrica.boosting import detect
from fabrica.bounds import Z
from fabrica.contract import Evidence, Metric
from fabrica.errors import NotComputable
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.world import one_each

__all__ = ["Alike"]


class Alike(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether people learned from and people held back can be told apart without the twin"
    source: ClassVar[str] = "blind baselines; Das, Zhang and Tramèr 2024, arXiv:2406.16201"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"alike": ("holdout",)}
    heavy: ClassVar[bool] = True

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        if evidence.holdout is None:
            raise NotComputable("there is no holdout to compare with")
        own, others = evidence.real, evidence.holdout
        if evidence.unit is not None:  # rows of one person in both halves of the detector would tell them, not the side
            mine, theirs = one_each(own, others, evidence.unit, run.child("unit"))
            own, others = own.take(mine), others.take(theirs)
        found = detect(own, others, run)
        half = Z * found.error
        return [Finding("alike", found.auc, better=0.5, unit="AUC", low=max(0.0, found.auc - half),
                        high=min(1.0, found.auc + half), floor=0.5, against="holdout",
                        detail={"rows": found.rows, "floor_from": "a coin"})]
