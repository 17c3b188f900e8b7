"""Any other expression, ``A when B`` among them: a row that breaks it takes a column of it from a donor.

Conditional null: ``packs is null when smoker == 'no'`` empties; ``x is not null when …`` is filled by a donor.
Pattern: ``matches(code, '[A-Z]{3}')`` writes texts that do not fit again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from fabrica import absence, sound
from fabrica.contract import Cells
from fabrica.expression import Expression
from fabrica.rules import rewrite
from fabrica.rules.law import Kept, Law, Rows, Study, false
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Emptied", "Other", "Pattern"]


@dataclass(frozen=True)
class Other(Law):
    """An expression that no row may make false; ``first`` are the columns that a donor gives first."""

    expression: Expression
    first: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.expression.columns

    def study(self, k: int, built: bool) -> Study:
        return _Study(self, Held(self))

    def stored(self, state: State, built: bool) -> Kept:
        return Held(self)


@dataclass
class _Study(Study):
    law: Other
    keeper: Kept
    broken: int = 0

    def look(self, rows: Rows) -> None:
        self.broken += int(false(self.law.expression, rows).sum())

    def kept(self) -> Kept:
        return self.keeper


@dataclass(frozen=True, eq=False)
class Held(Kept):
    """An expression that is held against finished rows."""

    law: Other
    built: bool = False

    def broken(self, rows: Rows) -> np.ndarray:
        return false(self.law.expression, rows)

    @property
    def yields(self) -> tuple[str, ...]:
        return (*self.law.first, *(c for c in self.law.columns if c not in self.law.first))

    def words(self) -> str:
        return "rows that break it take a value from a donor"


# ---------------------------------------------------------------- conditional null


@dataclass(frozen=True)
class Emptied(Other):
    """``column`` has no value where a condition holds."""

    column: str

    def study(self, k: int, built: bool) -> Study:
        return _Emptying(self, Held(self))

    def stored(self, state: State, built: bool) -> Kept:
        return Empty(self, way=sound.whole(state, "way", 1, 255))


@dataclass
class _Emptying(_Study):
    """Which way of being missing such rows have."""

    ways: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))

    def look(self, rows: Rows) -> None:
        super().look(rows)
        self.ways = self.ways + absence.counted(rows[self.law.column])  # type: ignore[attr-defined]

    def kept(self) -> Kept:
        assert isinstance(self.law, Emptied)
        return Empty(self.law, way=1 + int(np.argmax(self.ways[1:])))


@dataclass(frozen=True, eq=False)
class Empty(Held):
    """Cells become missing in the ``way`` in which most of the column are."""

    law: Emptied
    way: int = 1

    def fixed(self, rows: Rows, run: Run) -> dict[str, Cells]:
        cells = rows[self.law.column]
        absent = np.full(len(cells), self.way, np.uint8)
        return {self.law.column: Cells(pa.nulls(len(cells), cells.values.type), absent)}

    def words(self) -> str:
        return f"{self.law.column!r} is emptied where the condition holds"

    def state(self) -> State:
        return State({"way": self.way})


# ---------------------------------------------------------------- pattern


@dataclass(frozen=True)
class Pattern(Other):
    """The texts of ``column`` fit a regular expression."""

    column: str
    pattern: str

    def study(self, k: int, built: bool) -> Study:
        return _Study(self, Fitted(self))

    def stored(self, state: State, built: bool) -> Kept:
        return Fitted(self)


@dataclass(frozen=True, eq=False)
class Fitted(Held):
    """A pattern."""

    law: Pattern

    def fixed(self, rows: Rows, run: Run) -> dict[str, Cells]:
        """Texts that do not fit are written again, by the pattern alone."""
        cells = rows[self.law.column]
        texts = rewrite.written(self.law.pattern, len(cells), run.child("texts").random())
        if texts is None:
            return {}
        values: pa.Array = pa.array(texts, pa.string())
        return {self.law.column: replace(cells, values=values)}

    def words(self) -> str:
        return "texts that do not fit are written again"
