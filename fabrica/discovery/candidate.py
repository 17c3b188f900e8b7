"""What discovery finds, and what it looks at: a sample of typed rows as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fabrica import absence, wish
from fabrica.contract import Cells
from fabrica.expression.tree import Column as Name
from fabrica.expression.truth import ticks
from fabrica.expression.written import written
from fabrica.schema import Table

__all__ = ["BREAKS", "Candidate", "Candidates", "Sample", "named"]

LEVELS = ("category", "ordinal", "boolean")
NUMBERS = ("integer", "decimal")
COUNTED = ("integer", "decimal", "latitude", "longitude", "date", "datetime", "time")  #: levels where they are few
MOMENTS = ("date", "datetime", "time", "duration")
FEW = 1_000  #: distinct values up to which a whole number is a level too
ROWS_EACH = 4  #: rows that a level of a whole number must stand for, in the mean
BREAKS = 0.02  #: share of the rows in which a candidate must break where a column is shuffled
RARER = 10  #: how much rarer rows that break it must be as the table is


def named(column: str) -> str:
    """A column's name as an expression writes it."""
    return written(Name(column, 0))


@dataclass(frozen=True)
class Candidate:
    """A rule that a table seems to obey.

    Parameters
    ----------
    text : the rule. kind : which sort of rule it is. why : why it is probably no accident.
    rows : of which it says something: in which no cell that it needs is missing, and its condition holds.
    broken : how many of them do not obey; ``support`` is the share of those that do.
    when : the condition, of a rule that has one.
    clash : what speaks against keeping it beside those before it; empty where nothing does.
    """

    text: str
    kind: str
    why: str
    rows: int = 0
    broken: int = 0
    when: str = field(default="", repr=False)
    clash: str = ""

    @property
    def held(self) -> str:
        """In words."""
        return f"{self.rows - self.broken:,} of {self.rows:,} rows"

    @property
    def support(self) -> float:
        return 1 - self.broken / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Candidates:
    """Candidates, the surest first; a sequence of ``Candidate``."""

    every: tuple[Candidate, ...]

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.every)

    def __len__(self) -> int:
        return len(self.every)

    def __getitem__(self, i: int) -> Candidate:
        return self.every[i]

    def lines(self) -> list[str]:
        """For a person: grouped by kind."""
        found, kind = [], ""
        wide = min(60, max((len(c.text) for c in self.every), default=0))
        count = max((len(c.held) for c in self.every), default=0)
        for one in self.every:
            if one.kind != kind:
                found.append(one.kind)
                kind = one.kind
            note = f"; not beside the others: {one.clash}" if one.clash else ""
            found.append(f"  {one.text.ljust(wide)}  {one.held.rjust(count)}  {one.why}{note}")
        return found

    def yaml(self) -> str:
        """As ``fabrica fit --rules`` reads it; what some rows break, or what cannot stand beside the others, is written
        as a remark."""
        import json

        lines = ["# candidates: keep what is law, delete the rest", "rules:"]
        for one in self.every:
            note = f"; not beside the others: {one.clash}" if one.clash else ""
            lines += [f"  # {one.kind}, {one.held}: {one.why}{note}",
                      f"  {'# ' if one.broken or one.clash else ''}- {json.dumps(one.text, ensure_ascii=False)}"]
        return "\n".join(lines if self.every else ["# no candidate was found", "rules: []"]) + "\n"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(f"<tr><td>{escape(c.kind)}</td><td><code>{escape(c.text)}</code></td><td>{c.held}</td>"
                       f"<td>{escape(c.why)}</td></tr>" for c in self.every)
        return f"<table><tr><th>kind</th><th>rule</th><th>held by</th><th>why</th></tr>{rows}</table>"


@dataclass(frozen=True)
class Sample:
    """A sample of rows.

    Parameters
    ----------
    table : the schema. cells : column -> (n,) typed cells, in a random order. rows : n.
    order : (n,) another random order of the rows, for shuffles. k : rows that whatever is told must stand for.
    support : share of rows that must obey.
    """

    table: Table
    cells: Mapping[str, Cells]
    rows: int
    order: np.ndarray = field(repr=False)
    k: int = 5
    support: float = 1.0

    def loosely(self, support: float) -> Sample:
        """The same rows, of which fewer must obey; what was made of them stays."""
        found = replace(self, support=support)
        shared = ("missing", "levels", "sizes", "references", "numbers", "moments")
        made: dict[str, Any] = {name: self.__dict__[name] for name in shared if name in self.__dict__}
        found.__dict__.update(made)
        return found

    @cached_property
    def missing(self) -> dict[str, np.ndarray]:
        """Column -> (n,) whether its cell is missing."""
        return {name: absence.kinds(cells) > 0 for name, cells in self.cells.items()}

    @cached_property
    def levels(self) -> dict[str, tuple[np.ndarray, list[Any]]]:
        """Columns of few values: (n,) the number of each cell's level, -1 where missing; and the levels."""
        found = {}
        for column in self.table.columns:
            if column.kind not in (*LEVELS, *COUNTED):
                continue
            codes, names = wish.levels(self.cells[column.name])
            codes = np.where(self.missing[column.name], -1, codes)
            distinct = len(np.unique(codes[codes >= 0]))
            few = column.kind in LEVELS or (distinct <= FEW and distinct * ROWS_EACH <= self.rows)
            if distinct >= 2 and few:
                found[column.name] = codes.astype(np.int64), names
        return found

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Column of few values -> how many levels stand in it."""
        return {name: len(np.unique(codes[codes >= 0])) for name, (codes, _) in self.levels.items()}

    @cached_property
    def references(self) -> dict[str, np.ndarray]:
        """Keys that come again: (n,) the number of each cell's key, -1 where missing."""
        found = {}
        for column in self.table.columns:
            if column.kind == "key":
                codes = np.where(self.missing[column.name], -1, wish.levels(self.cells[column.name])[0])
                if len(np.unique(codes)) < self.rows:
                    found[column.name] = codes.astype(np.int64)
        return found

    def coded(self, name: str) -> np.ndarray:
        """(n,) numbers of the levels, or of the keys, of a column."""
        return self.references[name] if name in self.references else self.levels[name][0]

    @cached_property
    def numbers(self) -> dict[str, np.ndarray]:
        """Columns of numbers that vary: (n,) float64, NaN where missing."""
        every = {c.name: wish.numbers(self.cells[c.name]) for c in self.table.columns if c.kind in NUMBERS}
        return {name: values for name, values in every.items() if _varies(values)}

    @cached_property
    def moments(self) -> dict[str, tuple[str, np.ndarray]]:
        """Columns of moments that vary: kind, and (n,) microseconds as float64, NaN where missing."""
        found = {}
        for column in self.table.columns:
            if column.kind in MOMENTS:
                values = self.cells[column.name].values
                whole = np.asarray(ticks(values).fill_null(0), np.float64)
                whole[self.missing[column.name]] = np.nan
                if _varies(whole):
                    found[column.name] = column.kind, whole
        return found

    def unit(self, name: str) -> float:
        """The last decimal of a column; 0 where decimals vary freely."""
        column = self.table[name]
        return 1.0 if column.kind == "integer" else 0.0 if column.decimals is None else 10.0 ** -column.decimals


def _varies(values: np.ndarray) -> bool:
    there = values[~np.isnan(values)]
    return len(there) > 0 and bool((there != there[0]).any())
