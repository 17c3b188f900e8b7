"""Detector: can boosted trees tell the twin from the original?

XGBoost with its defaults (100 trees of depth 6), as many rows of both tables, three folds. The headline is the
classifier two-sample test score of the papers, mean over folds of 1 - (2 max(AUC, 1/2) - 1): 1 = cannot be told
apart, 0 = always. ``detector_auc`` is the plain area under the curve: 0.5 is chance, and *below* 0.5 hints at near
copies. Both are measured against the rows that were learned from and, where there is a holdout, against rows nobody
learned from. ``detector_column`` is each column's share of the detector's total gain: where it looked. It means
little when the AUC is near 0.5; the floor beside it is the share when real rows are compared with real rows.

Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017; the XGBoost form is the one of
arXiv:2603.23016. The interval is DeLong's for the AUC (folds taken as independent), carried over to the score. The
floor is the same detector asked to tell the original from the holdout; without a holdout there is none. Tables of
more than 1,500,000 cells each are judged on fewer random rows (``detail["rows"]``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fabrica.boosting import CELLS, Detection, detect
from fabrica.contract import Evidence, Metric
from fabrica.errors import NotComputable
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import HOLDOUT


class Detector(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether boosted trees can tell the twin from the original"
    source: ClassVar[str] = "classifier two-sample test; Lopez-Paz and Oquab 2017, with XGBoost as in arXiv:2603.23016"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "detector": ("train", "holdout"), "detector_auc": ("train", "holdout")}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        floor = None
        if evidence.holdout is not None:
            try:
                floor = detect(evidence.real, evidence.holdout, run.child("floor"), CELLS // 3)
            except NotComputable:
                floor = None
        found: list[Finding] = []
        for against, sheet in (("train", evidence.real), ("holdout", evidence.holdout)):
            if sheet is None:
                found += self._missing(against, "there is no holdout")
                continue
            try:
                found += self._findings(against, detect(sheet, evidence.synthetic, run.child(against)), floor)
            except NotComputable as why:
                found += self._missing(against, why.what)
        return found

    @staticmethod
    def _missing(against: str, why: str) -> list[Finding]:
        return [Finding("detector", None, better="higher", against=against, problem=why),
                Finding("detector_auc", None, better=0.5, unit="AUC", against=against, problem=why)]

    @staticmethod
    def _findings(against: str, got: Detection, floor: Detection | None) -> list[Finding]:
        low, high = max(0.0, got.auc - 1.96 * got.error), min(1.0, got.auc + 1.96 * got.error)
        detail: dict[str, Any] = {"rows": got.rows, "folds": list(got.folds), "auc": got.auc}
        curve = {"fpr": got.curve[0], "tpr": got.curve[1]}
        company: dict[str, Any] = {"against": against}
        source = {} if floor is None else {"floor_from": HOLDOUT}
        if floor is not None:
            half = 1.96 * floor.error
            curve |= {"floor_tpr": floor.curve[1]}
            company |= {"floor": floor.auc, "floor_low": floor.auc - half, "floor_high": floor.auc + half}
        score = company if floor is None else company | {
            "floor": floor.c2st, "floor_low": Detection.closeness(floor.auc + half),
            "floor_high": Detection.closeness(floor.auc - half)}
        found = [Finding("detector", got.c2st, better="higher", low=min(got.c2st, Detection.closeness(high)),
                         high=max(got.c2st, Detection.closeness(low)), detail=detail | source, **score),
                 Finding("detector_auc", got.auc, better=0.5, unit="AUC", low=low, high=high,
                         detail={"rows": got.rows, "roc": curve} | source, **company)]
        for name, share in sorted(got.gains.items(), key=lambda item: -item[1]):
            found.append(Finding("detector_column", share, (name,), unit="share of gain", against=against,
                                 floor=None if floor is None else floor.gains[name], detail=source))
        return found
