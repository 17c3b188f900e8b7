"""Ranges: ``0 <= age <= 120``, ``when >= '2020-01-01'``. Values beyond are moved to the end."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fabrica import absence
from fabrica.contract import Cells
from fabrica.rules.law import Kept, Law, Rows, Study
from fabrica.rules.scale import Scale
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.state import State

__all__ = ["Span"]


@dataclass(frozen=True)
class Span(Law):
    """``column`` lies from ``low`` to ``high`` (numbers of its scale, both allowed; None where there is no end)."""

    column: str
    low: float | int | None
    high: float | int | None
    table: Table = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def scale(self) -> Scale:
        return Scale(self.table[self.column])

    def beyond(self, rows: Rows) -> np.ndarray:
        """(n,) bool."""
        cells = rows[self.column]
        number = self.scale.numbers(cells)
        bad = np.zeros(len(number), bool)
        if self.low is not None:
            bad |= number < self.low
        if self.high is not None:
            bad |= number > self.high
        return bad & (absence.kinds(cells) == 0)

    def study(self, k: int, built: bool) -> Study:
        return _Study(self)

    def stored(self, state: State, built: bool) -> Kept:
        return Spanned(self)


@dataclass
class _Study(Study):
    law: Span
    broken: int = 0

    def look(self, rows: Rows) -> None:
        self.broken += int(self.law.beyond(rows).sum())

    def kept(self) -> Kept:
        return Spanned(self.law)


@dataclass(frozen=True, eq=False)
class Spanned(Kept):
    """A range."""

    law: Span
    built: bool = False

    def broken(self, rows: Rows) -> np.ndarray:
        return self.law.beyond(rows)

    def fixed(self, rows: Rows, run: Run) -> dict[str, Cells]:
        cells = rows[self.law.column]
        number = self.law.scale.numbers(cells)
        number = number if self.law.low is None else np.maximum(number, self.law.low)
        number = number if self.law.high is None else np.minimum(number, self.law.high)
        if self.law.scale.whole:
            number = number.astype(np.int64)
        return {self.law.column: self.law.scale.cells(number, cells.absent if cells.absent is not None else None)}

    @property
    def yields(self) -> tuple[str, ...]:
        return (self.law.column,)

    def words(self) -> str:
        return "values beyond are moved to the end"
