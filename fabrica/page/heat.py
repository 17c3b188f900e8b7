"""The pair-error map: one triangle of cells, names along its diagonal, seven steps of colour.

All cells of one step are one path, so a hundred columns (4,950 cells) are eight elements and open at once. A cell sits
where its row's name (to its right) meets its column's name (above it). Its colour is the error beyond the floor where a
floor is known: two columns of many levels differ between two samples of real rows as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabrica.page.numbers import short

__all__ = ["STEPS", "Heat", "Matrix", "heat", "step"]

Matrix = Sequence[Sequence[float | None]]

#: upper ends of the steps, in the unit of the pair error (percent)
STEPS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
MARGIN = 150.0


@dataclass(frozen=True)
class Heat:
    """The triangle: ``steps`` are (css class, path), ``labels`` (x, y, short name, full name)."""

    cell: float
    side: float
    width: float
    font: float
    steps: Sequence[tuple[str, str]]
    labels: Sequence[tuple[float, float, str, str]]
    names: Sequence[str]
    values: Matrix
    floors: Matrix
    legend: Sequence[tuple[str, str]]


def step(value: float | None) -> str:
    """The css class of a pair error.

    >>> step(0.2), step(-1.0), step(3.0), step(55.0), step(None)
    ('h0', 'h0', 'h4', 'h6', 'hn')
    """
    if value is None or value != value:
        return "hn"
    return f"h{sum(value > s for s in STEPS)}"


def heat(names: Sequence[str], values: Matrix, floors: Matrix = ()) -> Heat:
    """The map of a square matrix, of which the lower triangle is read."""
    count = len(names)
    cell = float(min(36, max(9, 540 // max(count, 1))))
    labels = [(i * cell + 4, (i + 0.7) * cell, short(name, 22), name) for i, name in enumerate(names)]
    return Heat(cell, count * cell, count * cell + MARGIN, min(12.5, cell * 0.95), _paths(values, floors, count, cell),
                labels, list(names), values, floors, _legend(bool(floors)))


def _paths(values: Matrix, floors: Matrix, count: int, cell: float) -> list[tuple[str, str]]:
    paths: dict[str, list[str]] = {}
    inner = cell - (1.5 if cell > 10 else 0.5)
    for i in range(count):
        for j in range(i):
            value, floor = values[i][j], floors[i][j] if floors else None
            css = step(None if value is None else value - (floor or 0.0))
            paths.setdefault(css, []).append(f"M{j * cell:g} {i * cell:g}h{inner:g}v{inner:g}h-{inner:g}z")
    return [(css, "".join(parts)) for css, parts in sorted(paths.items())]


def _legend(beyond: bool) -> list[tuple[str, str]]:
    ends = [f"{s:g}" for s in STEPS]
    first = ("h0", f"like real rows (under {ends[0]})" if beyond else f"under {ends[0]}")
    middle = [(f"h{i + 1}", f"{ends[i]} to {ends[i + 1]}") for i in range(len(STEPS) - 1)]
    return [first, *middle, (f"h{len(STEPS)}", f"over {ends[-1]}")]
