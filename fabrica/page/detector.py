"""The detector: its curve beside chance and a real holdout, and the columns that gave the synthetic rows away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabrica.page.numbers import number, percent, span
from fabrica.page.pictures import Curve, curve
from fabrica.page.standing import Standing, company, standing
from fabrica.report import Finding, Report

__all__ = ["AGAINST", "Culprit", "Detector", "detector"]

AGAINST = {"train": "against the rows it was learned from", "holdout": "against real rows nobody learned from"}
MOST = 8


@dataclass(frozen=True)
class Culprit:
    """A column by which the detector told rows apart: its share of the detector's gain, as a bar and in words."""

    name: str
    bar: float
    share: str
    floor: str


@dataclass(frozen=True)
class Detector:
    """What stands in the section of the detector."""

    curve: Curve | None
    lines: Sequence[tuple[str, str, Sequence[str], Standing]]
    culprits: Sequence[Culprit]
    chance: bool


def detector(report: Report) -> Detector | None:
    """The findings of the detector; None where it did not run."""
    found = [f for f in report.findings if f.metric == "detector_auc" and not f.place and f.value is not None]
    if not found:
        return None
    lines = [(AGAINST.get(f.against, ""), number(f.value, f.unit), _beside(report, f), standing(f)) for f in found]
    at_chance = all(abs((f.value or 0.5) - 0.5) < 0.05 for f in found)
    return Detector(_curve(report, found), lines, _culprits(report, found[-1].against), at_chance)


def _beside(report: Report, area: Finding) -> list[str]:
    said = [company(area)]
    interval = span(area.low, area.high, area.unit)
    if interval:
        said.append(f"95 % interval {interval}")
    scores = [f for f in report.findings if (f.metric, f.against, f.place) == ("detector", area.against, ())]
    return said + [f"score {number(f.value)}, where 1 is indistinguishable; {company(f)}" for f in scores[:1]]


def _curve(report: Report, found: Sequence[Finding]) -> Curve | None:
    series: list[tuple[str, str, Mapping[str, Any]]] = []
    for against, points in report.drawings.get("detector", {}).items():
        name, css = {"train": ("synthetic against the rows learned from", "syn"),
                     "holdout": ("synthetic against unseen real rows", "syn two")}.get(against, (str(against), "syn"))
        series.append((name, css, points))
        if points.get("floor_tpr") and len(series) < 3:
            series = [s for s in series if s[1] != "real"]
            series.append(("real against real rows", "real", {"fpr": points.get("fpr"), "tpr": points["floor_tpr"]}))
    if not series:
        return None
    said = [f"area {number(f.value, f.unit)} {AGAINST.get(f.against, '')}".strip() for f in found]
    return curve(series, f"Curve of the detector: {', '.join(said)}. The diagonal is chance, area 0.500.")


def _culprits(report: Report, against: str) -> list[Culprit]:
    found = [f for f in report.findings if f.metric == "detector_column" and f.against == against and f.value]
    ranked = sorted(found, key=lambda f: -(f.value or 0.0))[:MOST]
    top = (ranked[0].value or 1.0) if ranked else 1.0
    return [Culprit(" × ".join(f.place), round((f.value or 0.0) / top, 3), percent(f.value),
                    percent(f.floor) if f.floor is not None else "") for f in ranked]
