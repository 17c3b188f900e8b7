"""The detector: its curve beside chance and a real holdout, and the columns that gave the synthetic rows away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabrica.page.numbers import number, percent
from fabrica.page.pictures import Curve, curve, numbers_of
from fabrica.page.standing import Standing, company, standing
from fabrica.report import Finding, Report

__all__ = ["Culprit", "Detector", "detector"]

AGAINST = {"train": "against the rows it learned from", "holdout": "against real rows nobody learned from", "none": ""}


@dataclass(frozen=True)
class Culprit:
    """A column by which the detector told rows apart, and its share of the detector's gain."""

    name: str
    share: float
    text: str


@dataclass(frozen=True)
class Detector:
    """What stands in the section of the detector."""

    curve: Curve | None
    lines: Sequence[tuple[str, str, str, Standing]]
    culprits: Sequence[Culprit]


def detector(report: Report) -> Detector | None:
    """The findings of the detector; None where it did not run."""
    found = [f for f in report.findings if f.metric == "detector" and not f.place]
    if not found:
        return None
    lines = [(AGAINST.get(f.against, f.against), number(f.value, f.unit), company(f), standing(f)) for f in found]
    return Detector(_curve(report, found), lines, _culprits(found))


def _curve(report: Report, found: Sequence[Finding]) -> Curve | None:
    roc: Mapping[str, Any] = report.drawings.get("roc", {})
    if not roc:
        return None
    names = {"train": ("Synthetic against training rows", "syn"), "holdout": ("Synthetic against unseen real rows", "syn two"),
             "floor": ("Real against real rows", "real")}
    series = [(*names.get(key, (key, "syn two")), points) for key, points in roc.items() if isinstance(points, Mapping)]
    said = [f"area {number(f.value, f.unit)} {AGAINST.get(f.against, '')}".strip() for f in found if f.value is not None]
    return curve(series, "ROC curve of the detector: " + ", ".join(said) + ". The diagonal is chance, area 0.500.")


def _culprits(found: Sequence[Finding]) -> list[Culprit]:
    for finding in found:
        told = finding.detail.get("columns") or finding.detail.get("importance")
        items = list(told.items()) if isinstance(told, Mapping) else [tuple(t) for t in told or () if len(t) == 2]
        shares = numbers_of([share for _, share in items])
        top = max(shares, default=0.0)
        if top > 0:
            ranked = sorted(zip([str(n) for n, _ in items], shares, strict=True), key=lambda pair: -pair[1])[:8]
            return [Culprit(name, round(share / top, 3), percent(share)) for name, share in ranked if share > 0]
    return []
