"""The pairs of columns: the heat map, the ten worst, and the whole matrix as a table for those who cannot see colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabrica.page.glossary import meaning
from fabrica.page.heat import Heat, heat
from fabrica.page.numbers import number, short
from fabrica.report import Finding, Report

__all__ = ["Pair", "Pairs", "pairs"]

TEN = 10


@dataclass(frozen=True)
class Pair:
    """One pair with its error."""

    first: str
    second: str
    value: str
    floor: str
    sort: float


@dataclass(frozen=True)
class Pairs:
    """The map, the ten worst pairs and a sentence."""

    label: str
    unit: str
    heat: Heat
    worst: Sequence[Pair]
    words: str
    count: int


def pairs(report: Report) -> Pairs | None:
    """The pair error with common bins, else as published; from the drawing, else from the findings of pairs."""
    for metric in ("trend_common", "trend"):
        found = [f for f in report.findings if f.metric == metric and len(f.place) == 2]
        matrix = _matrix(report, metric, found)
        if matrix:
            return _pairs(report, metric, *matrix, found)
    return None


def _matrix(report: Report, metric: str, found: Sequence[Finding]) -> tuple[list[str], list[list[float | None]]] | None:
    drawing = report.drawings.get("pairs", {})
    if drawing.get("metric", metric) == metric and drawing.get("columns"):
        names = [str(c) for c in drawing["columns"]]
        values = drawing["values"]
        return names, [[_number(values, i, j) for j in range(len(names))] for i in range(len(names))]
    if not found:
        return None
    names = list(dict.fromkeys(name for f in found for name in f.place))
    known = {f.place: f.value for f in found}
    return names, [[known.get((a, b), known.get((b, a))) for b in names] for a in names]


def _number(values: Sequence[Sequence[float | None]], i: int, j: int) -> float | None:
    """Cell (i, j) of a matrix that may hold only one triangle."""
    for a, b in ((i, j), (j, i)):
        if a < len(values) and b < len(values[a]):
            value = values[a][b]
            if isinstance(value, int | float) and value == value:
                return float(value)
    return None


def _pairs(report: Report, metric: str, names: list[str], values: list[list[float | None]],
           found: Sequence[Finding]) -> Pairs:
    unit = next((f.unit for f in report.findings if f.metric == metric), "%")
    known = {frozenset(f.place): f for f in found}
    cells = [(v, names[i], names[j]) for i in range(len(names)) for j in range(i) if (v := values[i][j]) is not None]
    cells.sort(key=lambda cell: -cell[0])
    worst = [_pair(v, a, b, known.get(frozenset((a, b))), unit) for v, a, b in cells[:TEN]]
    return Pairs(meaning(metric, report.facts).label, unit, heat(names, values), worst, _words(cells, unit), len(cells))


def _pair(value: float, first: str, second: str, finding: Finding | None, unit: str) -> Pair:
    floor = number(finding.floor, unit) if finding and finding.floor is not None else ""
    return Pair(first, second, number(value, unit), floor, value)


def _words(cells: Sequence[tuple[float, str, str]], unit: str) -> str:
    if not cells:
        return "No pair could be measured."
    middle = cells[len(cells) // 2][0]
    value, a, b = cells[0]
    return (f"{len(cells):,} pairs of columns. Half of them have an error under {number(middle, unit)}; the largest is "
            f"{number(value, unit)}, of {short(a, 60)} with {short(b, 60)}.")
