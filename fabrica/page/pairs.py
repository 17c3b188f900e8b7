"""The pairs of columns: the heat map, the ten worst, and the whole matrix as a table for who cannot see colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabrica.page.glossary import meaning
from fabrica.page.heat import Heat, Matrix, heat
from fabrica.page.numbers import number, short
from fabrica.report import Finding, Report
from fabrica.verdict import beside as whose

__all__ = ["Pair", "Pairs", "pairs"]

TEN, MOST = 10, 120


@dataclass(frozen=True)
class Pair:
    """One pair with its error and its floor."""

    first: str
    second: str
    value: float
    floor: float | None

    @property
    def excess(self) -> float:
        return self.value - (self.floor or 0.0)


@dataclass(frozen=True)
class Pairs:
    """The map, the ten worst pairs and a sentence."""

    label: str
    unit: str
    heat: Heat
    worst: Sequence[Pair]
    words: str
    count: int
    left_out: int


def pairs(report: Report) -> Pairs | None:
    """From the drawing of the evaluation, else from findings about pairs; None where there is neither."""
    drawing = report.drawings.get("pairs", {})
    if drawing.get("columns"):
        names = [str(name) for name in drawing["columns"]]
        return _pairs(report, "trend_common", names, _square(drawing, "error", len(names)),
                      _square(drawing, "floor", len(names)) if drawing.get("floor") else ())
    for metric in ("trend_common", "trend"):
        found = [f for f in report.findings if f.metric == metric and len(f.place) == 2]
        if found:
            names = list(dict.fromkeys(name for f in found for name in f.place))
            return _pairs(report, metric, names, _known(names, found, "value"), _known(names, found, "floor"))
    return None


def _square(drawing: Mapping[str, Any], key: str, size: int) -> Matrix:
    """A matrix of numbers of the right size, None where one is no number."""
    rows = drawing.get(key) or ()

    def at(i: int, j: int) -> float | None:
        value = rows[i][j] if i < len(rows) and j < len(rows[i]) else None
        return float(value) if isinstance(value, int | float) and value == value else None
    return [[at(i, j) for j in range(size)] for i in range(size)]


def _known(names: Sequence[str], found: Sequence[Finding], field: str) -> Matrix:
    known = {frozenset(f.place): getattr(f, field) for f in found}
    return [[known.get(frozenset((a, b))) for b in names] for a in names]


def _pairs(report: Report, metric: str, names: Sequence[str], values: Matrix, floors: Matrix) -> Pairs:
    unit = next((f.unit for f in report.findings if f.metric == metric), "%")
    who = next((" ".join(whose(f)) for f in report.findings if f.metric == metric and f.value is not None), "real rows")
    cells = [Pair(names[i], names[j], value, floors[i][j] if floors else None)
             for i in range(len(names)) for j in range(i) if (value := values[i][j]) is not None]
    ranked = sorted(cells, key=lambda pair: -pair.excess)
    shown = _shown(names, ranked)
    drawn = heat([names[i] for i in shown], _part(values, shown), _part(floors, shown) if floors else ())
    return Pairs(meaning(metric, report.facts).label, unit, drawn, ranked[:TEN], _words(cells, ranked[:TEN], unit, who),
                 len(cells), len(names) - len(shown))


def _shown(names: Sequence[str], ranked: Sequence[Pair]) -> list[int]:
    """The columns on the map: all, or of very many those that stand in the worst pairs."""
    if len(names) <= MOST:
        return list(range(len(names)))
    first = dict.fromkeys(name for pair in ranked for name in (pair.first, pair.second))
    chosen = set(list(first)[:MOST])
    return [i for i, name in enumerate(names) if name in chosen]


def _part(matrix: Matrix, shown: Sequence[int]) -> Matrix:
    return [[matrix[i][j] for j in shown] for i in shown]


def _words(cells: Sequence[Pair], worst: Sequence[Pair], unit: str, who: str) -> str:
    if not cells:
        return "No pair could be measured."
    middle = sorted(pair.value for pair in cells)[len(cells) // 2]
    last = worst[0]
    beside = "" if last.floor is None else f", where {who} {number(last.floor, unit)}"
    count = "One pair" if len(cells) == 1 else f"{len(cells):,} pairs"
    return (f"{count} of columns; half of them have an error under {number(middle, unit)}. Furthest off are "
            f"{short(last.first, 60)} and {short(last.second, 60)} with {number(last.value, unit)}{beside}.")
