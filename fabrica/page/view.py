"""What the page shows, in the order in which it is read: plain values for the template, taken from a ``Report``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabrica.page.columns import Panel, panels
from fabrica.page.detector import Detector, detector
from fabrica.page.gate import Shown, shown
from fabrica.page.glossary import Meaning, meaning
from fabrica.page.groups import GROUPS, OTHER
from fabrica.page.headline import Gauge, Headline, gauge, headlines
from fabrica.page.numbers import number, plain, span
from fabrica.page.pairs import Pairs, pairs
from fabrica.page.people import Crowd, crowds
from fabrica.page.standing import Standing, company, direction, excess, standing, worst_first, worst_places
from fabrica.page.verdict import Verdict, verdict
from fabrica.page.words import compared, notes
from fabrica.report import Finding, Report

__all__ = ["Group", "Row", "View", "view"]

MOST_PANELS, MOST_PAIRS, MOST_COLUMNS, MOST_IN_GROUP, MOST_WORST, FEW = 200, 200, 2500, 8, 12, 3

ELSEWHERE = {"shape", "trend", "trend_common", "detector", "detector_auc", "detector_column"}


TOLD = ("warnings", "chosen", "notes")  #: what the page tells of the run


@dataclass(frozen=True)
class Row:
    """One finding, ready for a table."""

    label: str
    metric: str
    place: tuple[str, ...]
    against: str
    value: str
    interval: str
    floor: str
    excess: str
    better: str
    words: str
    standing: Standing
    gauge: Gauge | None
    sort_value: float | None
    sort_floor: float | None
    sort_excess: float | None
    problem: str


@dataclass(frozen=True)
class Group:
    """One section of findings with what it is about and how many are left out here."""

    anchor: str
    brief: str
    title: str
    line: str
    said: Sequence[str]
    rows: Sequence[Row]
    more: int


@dataclass(frozen=True)
class Problem:
    """What could not be measured, why, and where."""

    label: str
    problem: str
    places: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class View:
    """The whole page."""

    title: str
    compared: str
    when: str
    gate: Shown | None
    verdict: Verdict
    headlines: Sequence[Headline]
    notes: Sequence[str]
    panels: Sequence[Panel]
    panels_left_out: int
    pairs: Pairs | None
    worst: Sequence[Row]
    detector: Detector | None
    groups: Sequence[Group]
    crowds: Sequence[Crowd]
    rows: Sequence[Row]
    hidden: int
    problems: Sequence[Problem]
    meanings: Sequence[tuple[str, Meaning]]
    facts: Sequence[tuple[str, str]]


def view(report: Report) -> View:
    """Everything the template needs."""
    rows, hidden = _table(report)
    drawn = panels(report)
    worst = [row(f, report) for f in worst_places(report, FEW)[:MOST_WORST]]
    metrics = list(dict.fromkeys(f.metric for f in report.findings))
    gate = shown(report)
    return View(
        str(report.facts.get("title") or _title(gate)), compared(report),
        str(report.facts.get("date", "")), gate, verdict(report), headlines(report), notes(report, TOLD),
        drawn[:MOST_PANELS],
        max(0, len(drawn) - MOST_PANELS),
        pairs(report), worst, detector(report), list(_groups(report)), crowds(report), rows, hidden,
        _problems(report),
        [(name, meaning(name, report.facts)) for name in metrics], list(_facts(report.facts)))


def _title(gate: Shown | None) -> str:
    """The question that the page answers first."""
    return "How real are these rows?" if gate is None else f"May these rows be given away at tier {gate.tier}?"


def row(finding: Finding, report: Report) -> Row:
    """A finding in words and numbers."""
    unit = finding.unit
    return Row(meaning(finding.metric, report.facts).label, finding.metric, finding.place, finding.against,
               number(finding.value, unit), span(finding.low, finding.high, unit),
               number(finding.floor, unit), number(excess(finding), unit), direction(finding), company(finding),
               standing(finding), gauge(finding), finding.value, finding.floor, excess(finding), finding.problem)


def _table(report: Report) -> tuple[list[Row], int]:
    """All findings; of very many about columns or pairs only the worst, the others being in the JSON file."""
    keep: set[int] = set()
    for size, most in ((0, len(report.findings)), (1, MOST_COLUMNS), (2, MOST_PAIRS)):
        alike = [f for f in report.findings if min(len(f.place), 2) == size]
        keep |= {id(f) for f in (alike if len(alike) <= most else worst_first(alike)[:most])}
    shown = [f for f in report.findings if id(f) in keep]
    return [row(f, report) for f in shown], len(report.findings) - len(shown)


def _groups(report: Report) -> Iterable[Group]:
    known = ELSEWHERE.union(*(names for *_, names in GROUPS))
    strange = tuple(dict.fromkeys(f.metric for f in report.findings if f.metric not in known))
    for anchor, brief, title, line, names in (*GROUPS, (*OTHER, strange)):
        found = [f for f in report.findings if f.metric in names]
        whole = sorted((f for f in found if not f.place), key=lambda f: names.index(f.metric))
        off = [f for f in worst_first(f for f in found if f.place) if standing(f).tone in ("near", "off")]
        rows = whole + off[:MOST_IN_GROUP]
        said = [str(f.detail["words"]) for f in whole if f.detail.get("words")]
        if found:
            yield Group(anchor, brief, title, line, said, [row(f, report) for f in rows],
                        len(found) - len(rows))


def _problems(report: Report) -> list[Problem]:
    """One line for each reason, with all its places."""
    places: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for f in report.findings:
        if f.value is None:
            places.setdefault((meaning(f.metric, report.facts).label, f.problem), []).append(f.place)
    return [Problem(label, why, sorted(set(where))) for (label, why), where in places.items()]


def _facts(facts: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Facts as lines of name and value."""
    for name, value in facts.items():
        if name not in ("metrics", "verdict", "gate", "title", *TOLD):
            yield str(name).replace("_", " "), _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_plain(inner)}" for name, inner in value.items()) or "–"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int | float):
        if 0 < abs(value) < 1e-3:
            return plain(float(value))
        return number(float(value)) if not isinstance(value, int) or abs(value) > 9999 else str(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_plain(v) for v in value) or "–"
    return str(value)
