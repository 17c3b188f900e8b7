"""The pair-error map: one triangle of cells, names along its diagonal, eight steps of colour.

All cells of one step are one path, so a hundred columns (4,950 cells) are eight elements and open at once. A cell sits where
its row's name (to its right) meets its column's name (above it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabrica.page.numbers import short

__all__ = ["STEPS", "Heat", "heat", "step"]

#: upper ends of the steps, in the unit of the pair error (percent)
STEPS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
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
    values: Sequence[Sequence[float | None]]
    legend: Sequence[tuple[str, str]]


def step(value: float | None) -> str:
    """The css class of a pair error.

    >>> step(0.2), step(4.0), step(55.0), step(None)
    ('h0', 'h4', 'h6', 'hn')
    """
    if value is None or value != value:
        return "hn"
    return f"h{sum(value > s for s in STEPS)}"


def heat(names: Sequence[str], values: Sequence[Sequence[float | None]]) -> Heat:
    """The map of a square matrix, of which the lower triangle is read."""
    count = len(names)
    cell = 26.0 if count <= 20 else 18.0 if count <= 40 else 12.0 if count <= 70 else 9.0
    paths: dict[str, list[str]] = {}
    inner = cell - (1 if cell > 10 else 0.5)
    for i in range(count):
        for j in range(i):
            move = f"M{j * cell:g} {i * cell:g}h{inner:g}v{inner:g}h-{inner:g}z"
            paths.setdefault(step(values[i][j]), []).append(move)
    labels = [(i * cell + 4, (i + 0.72) * cell, short(name, 22), name) for i, name in enumerate(names)]
    return Heat(cell, count * cell, count * cell + MARGIN, min(12.5, cell * 0.95),
                [(css, "".join(parts)) for css, parts in sorted(paths.items())], labels, list(names), values, _legend())


def _legend() -> list[tuple[str, str]]:
    ends = ["0", *(f"{s:g}" for s in STEPS)]
    return [*((f"h{i}", f"{ends[i]} to {ends[i + 1]}") for i in range(len(STEPS))), (f"h{len(STEPS)}", f"over {ends[-1]}")]
