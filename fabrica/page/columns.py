"""The small multiples: one picture per column, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fabrica.page.numbers import number, percent
from fabrica.page.pictures import Bars, Histogram, bars, histogram, numbers_of
from fabrica.page.standing import Standing, floor_words, standing
from fabrica.report import Finding, Report

__all__ = ["Panel", "panels"]


@dataclass(frozen=True)
class Panel:
    """One column: its picture, its error and a sentence that says the same."""

    name: str
    order: int
    kind: str
    error: str
    floor: str
    sort: float
    standing: Standing
    picture: Histogram | Bars | None
    missing: str
    words: str


def panels(report: Report) -> list[Panel]:
    """All columns that have a picture or a shape finding, the worst first."""
    drawn = report.drawings.get("columns", {})
    shapes = {f.place[0]: f for f in report.findings if f.metric == "shape" and len(f.place) == 1}
    names = list(dict.fromkeys([*drawn, *shapes]))
    found = [_panel(i, name, drawn.get(name, {}), shapes.get(name)) for i, name in enumerate(names)]
    return sorted(found, key=lambda p: -p.sort)


def _panel(order: int, name: str, drawing: Mapping[str, Any], shape: Finding | None) -> Panel:
    picture = _picture(drawing)
    missing = _missing(drawing)
    error = number(shape.value, shape.unit) if shape else ""
    floor = floor_words(shape) if shape else ""
    said = [f"Error {error}" + (f", {floor}." if floor else ".") if error else "",
            picture.words if picture else (shape.problem if shape else ""), missing]
    sort = shape.value if shape and shape.value is not None else -1.0
    return Panel(name, order, picture.kind if picture else "none", error, floor, sort,
                 standing(shape) if shape else Standing("none", ""), picture, missing, " ".join(s for s in said if s))


def _picture(drawing: Mapping[str, Any]) -> Histogram | Bars | None:
    real, synthetic = numbers_of(drawing.get("real")), numbers_of(drawing.get("synthetic"))
    if not real or len(real) != len(synthetic):
        return None
    if drawing.get("levels") is not None:
        return bars([str(level) for level in drawing["levels"]], real, synthetic, _two(drawing.get("other")))
    edges = numbers_of(drawing.get("edges"))
    return histogram(edges, real, synthetic, str(drawing.get("kind"))) if len(edges) == len(real) + 1 else None


def _missing(drawing: Mapping[str, Any]) -> str:
    real, synthetic = _two(drawing.get("missing"))
    return f"Missing: {percent(real)} real, {percent(synthetic)} synthetic." if real or synthetic else ""


def _two(shares: Any) -> tuple[float, float]:
    """A pair of shares told as ``{"real": …, "synthetic": …}``."""
    if not isinstance(shares, Mapping):
        return 0.0, 0.0
    real, synthetic = numbers_of([shares.get("real"), shares.get("synthetic")])
    return real, synthetic
