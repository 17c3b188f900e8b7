"""The four to six numbers at the top, each with the scale that tells whether it is good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabrica.page.glossary import meaning
from fabrica.page.numbers import level, number, span
from fabrica.page.standing import Standing, company, standing
from fabrica.report import Finding, Report

__all__ = ["Gauge", "Headline", "gauge", "headlines"]

#: in order of preference: the first that is there of each line
WANTED = (("detector_auc", "detector"), ("shape",), ("trend_common", "trend"), ("utility",), ("copies",),
          ("kway_3", "alpha_precision", "coverage"))
#: how far from the ideal a scale reaches at least, by unit
REACH: Mapping[str, float] = {"%": 5.0, "AUC": 0.5, "R2": 0.5, "accuracy": 0.5, "": 0.5, "share of rows": 0.05,
                                "share of gain": 0.5}


@dataclass(frozen=True)
class Gauge:
    """A scale, its left end the ideal: places in [0, 1] of the floor and of the value, and the names of its ends."""

    value: float
    floor: float | None
    low: float | None
    high: float | None
    left: str
    right: str


@dataclass(frozen=True)
class Headline:
    """One number at the top."""

    label: str
    value: str
    words: str
    interval: str
    line: str
    standing: Standing
    gauge: Gauge | None
    problem: str


def headlines(report: Report) -> list[Headline]:
    """What a manager sees first."""
    found = []
    for names in WANTED:
        whole = [f for name in names for f in report.findings if f.metric == name and not f.place]
        measured = [f for f in whole if f.value is not None] or whole
        chosen = next((f for f in measured if f.against == "holdout"), measured[0] if measured else None)
        if chosen is not None:
            found.append(headline(chosen, report))
    return found


def headline(finding: Finding, report: Report) -> Headline:
    """One finding as a headline."""
    said = meaning(finding.metric, report.facts)
    label = said.label + (" (unseen rows)" if finding.against == "holdout" else "")
    interval = span(finding.low, finding.high, finding.unit)
    return Headline(label, number(finding.value, finding.unit), company(finding), interval, said.line,
                    standing(finding), gauge(finding), finding.problem)


def gauge(finding: Finding) -> Gauge | None:
    """The scale of a finding; None without a value."""
    if finding.value is None:
        return None
    ideal = _ideal(finding)
    ends = [abs(v - ideal) for v in (finding.value, finding.floor, finding.low, finding.high) if v is not None]
    reach = max(_nice(max(ends)), REACH.get(finding.unit, 0.0))
    if finding.unit == "AUC" and finding.better == 0.5:
        reach = 0.5

    def at(value: float | None) -> float | None:
        return None if value is None else round(min(abs(value - ideal) / reach, 1.0), 3)
    worst = ideal + (-reach if finding.better == "higher" else reach)
    value = at(finding.value)
    assert value is not None
    return Gauge(value, at(finding.floor), at(finding.low), at(finding.high), level(ideal, finding.unit),
                 level(worst, finding.unit))


def _nice(size: float) -> float:
    """The next round number above ``size``.

    >>> _nice(7.2), _nice(0.031), _nice(0.0)
    (10.0, 0.05, 1.0)
    """
    if size <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return float(f"{next(step * power for step in (1, 2, 5, 10) if step * power >= size):.6g}")


def _ideal(finding: Finding) -> float:
    if not isinstance(finding.better, str):
        return float(finding.better)
    if finding.better == "lower":
        return min(0.0, finding.value or 0.0)
    tops: Sequence[float] = [v for v in (finding.value, finding.floor) if v is not None]
    return 100.0 if finding.unit == "%" else 1.0 if max(tops) <= 1 else max(tops)
