"""The geometry of the pictures: from series of plain numbers to the few paths and places an SVG needs.

Real rows are always a filled shape and synthetic rows always a line or tick, so the two differ by form and not by
colour alone. Templates write the markup; here are only numbers, short labels and a sentence that says the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fabrica.page.axis import bins
from fabrica.page.numbers import fitting, percent, short

__all__ = ["Bar", "Bars", "Curve", "Histogram", "Line", "bars", "curve", "histogram", "numbers_of"]

WIDTH, HEIGHT = 280.0, 112.0
ROW, LEFT, RIGHT = 18.0, 104.0, 190.0
MOST_LEVELS = 6


@dataclass(frozen=True)
class Histogram:
    """Shares over bins: a filled step shape for real rows, a step line for synthetic ones."""

    real: str
    synthetic: str
    ticks: Sequence[tuple[float, str, str]]
    root: bool
    words: str
    kind: str = "number"


@dataclass(frozen=True)
class Bar:
    """One level: a bar for real rows as wide as its share, a tick for synthetic rows."""

    y: float
    label: str
    full: str
    real: float
    synthetic: float
    numbers: str


@dataclass(frozen=True)
class Bars:
    """The shares of levels."""

    rows: Sequence[Bar]
    height: float
    words: str
    kind: str = "category"


@dataclass(frozen=True)
class Line:
    """One curve of a chart with its legend."""

    name: str
    css: str
    path: str


@dataclass(frozen=True)
class Curve:
    """ROC curves in a square."""

    lines: Sequence[Line]
    size: float
    words: str


def numbers_of(series: Any) -> list[float]:
    """Plain floats; None and what is no number count as zero."""
    good = [v if isinstance(v, int | float) and math.isfinite(v) else 0.0 for v in series or ()]
    return [float(v) for v in good]


def histogram(edges: Sequence[float], real: Sequence[float], synthetic: Sequence[float],
              kind: str = "decimal") -> Histogram:
    """Step shapes of two distributions over the same bins (``edges`` one longer than the shares)."""
    top = max([*real, *synthetic, 1e-12])
    root = top > 0.25 and len(real) > 8
    xs, names = _places(edges), bins(edges, kind)
    middle = len(real) // 2
    ticks = [(0.0, names[0][0], "start"), (WIDTH, names[-1][1], "end")]
    if len(real) > 2:
        ticks.insert(1, (xs[middle], names[middle][0], "middle"))
    return Histogram(_steps(xs, _heights(real, top, root), closed=True),
                     _steps(xs, _heights(synthetic, top, root), closed=False), ticks, root,
                     _bins_in_words(names, real, synthetic))


def _places(edges: Sequence[float]) -> list[float]:
    low, high = float(edges[0]), float(edges[-1])
    if high > low:
        return [round(WIDTH * (e - low) / (high - low), 1) for e in edges]
    return [round(WIDTH * i / max(len(edges) - 1, 1), 1) for i in range(len(edges))]


def _heights(shares: Sequence[float], top: float, root: bool) -> list[float]:
    part = [max(s, 0.0) / top for s in shares]
    return [round(HEIGHT - (HEIGHT - 6) * (p ** 0.5 if root else p), 1) for p in part]


def _steps(xs: Sequence[float], ys: Sequence[float], *, closed: bool) -> str:
    base = HEIGHT
    out = [f"M{xs[0]:g} {base:g}"]
    for (_, right), y in zip(pairwise(xs), ys, strict=False):
        out.append(f"V{y:g}H{right:g}")
    out.append(f"V{base:g}" + ("Z" if closed else ""))
    return "".join(out)


def _bins_in_words(names: Sequence[tuple[str, str]], real: Sequence[float], synthetic: Sequence[float]) -> str:
    peak = max(range(len(real)), key=lambda i: real[i])
    gap = max(range(len(real)), key=lambda i: abs(real[i] - synthetic[i]))

    def told(i: int) -> str:
        where = names[i][0] if names[i][0] == names[i][1] else f"{names[i][0]} to {names[i][1]}"
        return f"{where} ({percent(real[i])} real, {percent(synthetic[i])} synthetic)"
    return (f"From {names[0][0]} to {names[-1][1]}; most real rows at {told(peak)}; largest difference at {told(gap)}.")


def bars(levels: Sequence[str], real: Sequence[float], synthetic: Sequence[float],
         other: tuple[float, float] = (0.0, 0.0)) -> Bars:
    """The largest levels as bars; what is left, and ``other``, which came without names, as one more."""
    order = sorted(range(len(levels)), key=lambda i: -max(real[i], synthetic[i]))
    shown, left = order[:MOST_LEVELS], order[MOST_LEVELS:]
    triples = [(str(levels[i]), real[i], synthetic[i]) for i in shown]
    if left or any(other):
        rest = [start + sum(shares[i] for i in left) for start, shares in zip(other, (real, synthetic), strict=True)]
        triples.append(("all others", rest[0], rest[1]))
    top = max([max(r, s) for _, r, s in triples], default=0.0) or 1.0
    drawn = [_bar(i, name, r, s, top) for i, (name, r, s) in enumerate(triples)]
    return Bars(drawn, ROW * max(len(drawn), 1) + 2, _levels_in_words(triples))


def _bar(place: int, name: str, real: float, synthetic: float, top: float) -> Bar:
    wide = RIGHT - LEFT
    return Bar(ROW * place, fitting(name, 15), name, round(wide * real / top, 1),
               round(LEFT + wide * synthetic / top, 1), f"{percent(real).removesuffix(' %')} / {percent(synthetic)}")


def _levels_in_words(triples: Sequence[tuple[str, float, float]]) -> str:
    said = [f"{short(name, 40)}: {percent(r)} real, {percent(s)} synthetic" for name, r, s in triples]
    return "; ".join(said) + "." if said else "No levels."


def curve(series: Sequence[tuple[str, str, Mapping[str, Any]]], words: str, size: float = 300.0) -> Curve:
    """ROC curves; each of ``series`` is (name, css class, {"fpr": …, "tpr": …})."""
    lines = []
    for name, css, points in series:
        fpr, tpr = numbers_of(points.get("fpr")), numbers_of(points.get("tpr"))
        pairs = list(zip(fpr, tpr, strict=False))
        if len(pairs) > 1:
            pairs = pairs if pairs[0] == (0.0, 0.0) else [(0.0, 0.0), *pairs]
            path = "L".join(f"{size * x:.1f} {size * (1 - y):.1f}" for x, y in pairs)
            lines.append(Line(name, css, "M" + path))
    return Curve(lines, size, words)
