"""Orderings: ``end >= start``, ``low < high``; a column may stand above several.

The later column becomes its gap above (the greatest of) the earlier ones, where the two hang together so closely that
the gap is the simpler thing to learn; else it is learned as it is, and a donor mends the rows that break it. Which of
the two is chosen by the real rows: the gap must spread less than the column itself, and stand no less on round values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fabrica import absence, sound
from fabrica.contract import Cells
from fabrica.rules.law import Kept, Law, Rows, Study, placed
from fabrica.rules.scale import MOMENTS, NUMBERS, Scale
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.state import State

__all__ = ["Order"]

LOOKED = 100_000  #: rows by which it is chosen whether to learn a gap
STAND = 0.5  #: how much more of a column than of its gap may stand on values that come again
FAMILY = {"date": "calendar", "datetime": "calendar", "time": "time", "duration": "duration"}


@dataclass(frozen=True)
class Order(Law):
    """``high`` is above each of ``lows`` (name, whether strictly)."""

    high: str
    lows: tuple[tuple[str, bool], ...]
    table: Table = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*(name for name, _ in self.lows), self.high)

    @property
    def gives(self) -> tuple[str, ...]:
        return (self.high,)

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.lows)

    @property
    def name(self) -> str:
        """Of the column that is learned instead of the later one."""
        base = self.lows[0][0] if len(self.lows) == 1 else f"max({', '.join(name for name, _ in self.lows)})"
        name = f"{self.high} - {base}"
        while name in self.table.names:
            name += "'"
        return name

    @cached_property
    def scales(self) -> dict[str, Scale]:
        return {name: Scale(self.table[name]) for name in self.columns}

    @cached_property
    def ratios(self) -> dict[str, int] | None:
        """How many of the finest steps a step of each column is, where they are moments; None where they are not, or
        have no measure in common."""
        if any(self.table[name].kind not in MOMENTS for name in self.columns):
            return None
        finest = min(self.scales[name].micro for name in self.columns)
        found = {name: self.scales[name].micro / finest for name in self.columns}
        return {name: int(r) for name, r in found.items()} if all(r == int(r) for r in found.values()) else None

    def number(self, name: str, rows: Rows) -> np.ndarray:
        """(n,) a column's values in a measure that all have in common."""
        found = self.scales[name].numbers(rows[name])
        return found * self.ratios[name] if self.ratios else found

    @property
    def exact(self) -> bool:
        """Whether a gap can be added to the earlier ones without a loss."""
        high, lows = self.scales[self.high], [self.scales[name] for name, _ in self.lows]
        if self.ratios:
            return self.ratios[self.high] == 1 and len({FAMILY[self.table[name].kind] for name in self.columns}) == 1
        if any(self.table[name].kind not in NUMBERS for name in self.columns):
            return False
        return high.unit == 0 or all(low.unit > 0 and high.unit <= low.unit for low in lows)

    @property
    def gap(self) -> Column:
        """The column that is learned."""
        top = self.table[self.high]
        if self.scales[self.high].whole:
            return Column(self.name, "integer", "int64", missing=top.missing)
        return Column(self.name, "decimal", "double", decimals=top.decimals, missing=top.missing)

    def floor(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """(n,) the least that ``high`` may be, and whether any of ``lows`` is there."""
        found, known = np.empty(0), np.empty(0, bool)
        for i, (name, strict) in enumerate(self.lows):
            here, value = absence.kinds(rows[name]) == 0, self.number(name, rows)
            value = value + self.scales[self.high].gap(strict) if strict else value
            if strict and self.scales[self.high].unit == 0:
                value = np.nextafter(value, np.inf)
            found, known = (value, here) if not i else (
                np.where(here & (~known | (value > found)), value, found), known | here)
        return found, known

    def under(self, rows: Rows) -> np.ndarray:
        """(n,) bool: the rows where ``high`` is not above."""
        bad = np.zeros(len(rows[self.high]), bool)
        top, there = self.number(self.high, rows), absence.kinds(rows[self.high]) == 0
        for name, strict in self.lows:
            low = self.number(name, rows)
            bad |= there & (absence.kinds(rows[name]) == 0) & ((low >= top) if strict else (low > top))
        return bad

    def study(self, k: int, built: bool) -> Study:
        return _Study(self, k, built)

    def stored(self, state: State, built: bool) -> Kept:
        gap = sound.plain(state, "gap", bool)
        sound.demand(not gap or (built and self.exact), "a gap that cannot be")
        return Ordered(self, built, gap)


@dataclass
class _Study(Study):
    law: Order
    k: int
    built: bool
    parts: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    alone: int = 0  #: rows where the later column is there and no earlier one
    seen: int = 0

    def look(self, rows: Rows) -> None:
        self.broken += int(self.law.under(rows).sum())
        floor, known = self.law.floor(rows)
        cells = rows[self.law.high]
        top, there = self.law.number(self.law.high, rows), absence.kinds(cells) == 0
        self.alone += int((there & ~known).sum())
        both = np.flatnonzero(there & known)
        if self.seen < LOOKED:
            self.parts.append((top[both].astype(np.float64), (top[both] - floor[both]).astype(np.float64)))
        self.seen += len(both)

    def kept(self) -> Kept:
        if not self.built or not self.law.exact or self.alone >= self.k or not self.seen:
            return Ordered(self.law, self.built, False)
        top, gap = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        return Ordered(self.law, self.built, closer(top, gap))


def closer(top: np.ndarray, gap: np.ndarray) -> bool:
    """Whether the gap is the simpler thing to learn."""
    return _spread(gap) <= _spread(top) and _standing(top) <= _standing(gap) + STAND


def _spread(values: np.ndarray) -> float:
    """The mean distance from the median; a heavy end counts little."""
    low, high = np.quantile(values, [0.005, 0.995])
    values = np.clip(values, low, high)
    return float(np.abs(values - np.median(values)).mean())


def _standing(values: np.ndarray) -> float:
    """Share of rows on values that one row of a thousand or more hold."""
    _, counts = np.unique(values, return_counts=True)
    return float(counts[counts >= max(2, len(values) / 1000)].sum() / max(1, len(values)))


@dataclass(frozen=True, eq=False)
class Ordered(Kept):
    """An order; ``gap``: whether the later column is learned as its gap."""

    law: Order
    built: bool
    gap: bool

    @property
    def drops(self) -> tuple[str, ...]:
        return (self.law.high,) if self.gap else ()

    @property
    def adds(self) -> tuple[tuple[str, Column], ...]:
        return ((self.law.high, self.law.gap),) if self.gap else ()

    def reduce(self, rows: Rows) -> dict[str, Cells]:
        floor, known = self.law.floor(rows)
        top = rows[self.law.high]
        kind = absence.kinds(top)
        number = self.law.scales[self.law.high].numbers(top)
        gap = np.where(known & (kind == 0), number - floor, 0)
        lost = (kind == 0) & ~known  # fewer than k such rows
        kind = np.where(lost, 1, kind).astype(np.uint8)
        absent = kind if kind.any() or self.law.gap.missing else None
        return {self.law.name: Scale(self.law.gap).cells(np.maximum(gap, 0), absent)}

    def restore(self, inner: Rows, outer: Rows, run: Run) -> dict[str, Cells]:
        gap = inner[self.law.name]
        kind = absence.kinds(gap)
        floor, known = self.law.floor(outer)
        number = added(floor, np.maximum(Scale(self.law.gap).numbers(gap), 0))
        scale = self.law.scales[self.law.high]
        kind = np.where(known | (kind > 0), kind, 1).astype(np.uint8)  # a gap above nothing
        return {self.law.high: scale.cells(number, kind if kind.any() or gap.absent is not None else None)}

    def broken(self, rows: Rows) -> np.ndarray:
        return self.law.under(rows)

    def solved(self, inner: Rows, outer: Rows, lacks: Mapping[str, np.ndarray]) -> dict[str, Cells]:
        """Where the later one is known, the earlier one is a gap below it."""
        if not self.gap or len(self.law.lows) > 1 or self.law.lows[0][0] not in outer or self.law.high not in outer:
            return {}
        low, strict = self.law.lows[0]
        gap, high, scale = inner[self.law.name], outer[self.law.high], self.law.scales[low]
        least = np.maximum(Scale(self.law.gap).numbers(gap), 0)
        if strict:
            least = least + (1 if scale.whole else scale.unit)
        use = lacks[low] & ~lacks[self.law.high] & (absence.kinds(gap) == 0)
        where = np.flatnonzero(use)
        below = (self.law.scales[self.law.high].numbers(high) - least)[where]
        new = scale.cells(below // self.law.ratios[low] if self.law.ratios else below)
        return {low: placed(outer[low], where, new)} if len(where) else {}

    @property
    def yields(self) -> tuple[str, ...]:
        return self.law.columns[::-1]

    def words(self) -> str:
        return (f"{self.law.high!r} is learned as its gap {self.law.name!r}" if self.gap else
                "rows that break it take a value from a donor")

    def state(self) -> State:
        return State({"gap": self.gap})


def added(low: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """(n,) the sums; whole numbers stay within 64 bits."""
    if low.dtype.kind != "i":
        return low + gap
    room = np.iinfo(np.int64).max - np.maximum(low, 0)
    return low + np.minimum(gap, room)


def merged(laws: Sequence[Order]) -> Order:
    """Orders of one later column as one."""
    lows = dict.fromkeys(low for law in laws for low in law.lows)
    return replace(laws[0], text="; ".join(law.text for law in laws), lows=tuple(lows))
