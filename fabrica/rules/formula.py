"""Formulas, sums and ratios: ``total == net + tax``, ``price == amount / pieces``, ``year == year(when)``.

One column is computed: the one that stands alone, of sums the last. Whole numbers are summed as whole numbers; a result
is rounded as its column is. It is learned with the others all the same and then written over: so whatever hangs
together with it does so still (of flights, hour and minute are drawn given the scheduled time, which is then computed
from them). Where a source is missing the truth is open: the drawn cell stays where missing cells do not follow from
those of the sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from fabrica import absence, sound
from fabrica.contract import Cells
from fabrica.expression import Expression
from fabrica.expression.tree import Apply, Column, Literal, Node
from fabrica.expression.truth import Look, Part
from fabrica.rules.law import Kept, Law, Rows, Study, alike, false, placed
from fabrica.rules.scale import MOMENTS, NUMBERS, Scale
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.state import State

__all__ = ["Formula", "Terms", "terms"]


@dataclass(frozen=True)
class Terms:
    """A sum: ``factors`` (column, factor) and a constant."""

    factors: tuple[tuple[str, float | int], ...]
    constant: float | int = 0

    def solved(self, column: str) -> Terms | None:
        """What ``column`` is where the sum is zero; None where its factor is neither 1 nor -1."""
        own = dict(self.factors).get(column)
        if own not in (1, -1):
            return None
        flip = -1 if own == 1 else 1
        return Terms(tuple((n, flip * f) for n, f in self.factors if n != column), flip * self.constant)


def terms(node: Node) -> Terms | None:
    """A tree as a sum of columns; None where it is none."""
    if isinstance(node, Column):
        return Terms(((node.name, 1),))
    if isinstance(node, Literal) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return Terms((), node.value)
    if not isinstance(node, Apply) or node.name not in ("+", "-", "*"):
        return None
    one, other = (terms(arg) for arg in node.args)
    if one is None or other is None:
        return None
    if node.name in ("+", "-"):
        return _sum(one, other, 1 if node.name == "+" else -1)
    if one.factors and other.factors:
        return None
    factor, rest = (one.constant, other) if not one.factors else (other.constant, one)
    return Terms(tuple((n, factor * f) for n, f in rest.factors), factor * rest.constant)


def _sum(one: Terms, other: Terms, sign: int) -> Terms:
    found = dict(one.factors)
    for name, factor in other.factors:
        found[name] = found.get(name, 0) + sign * factor
    return Terms(tuple((n, f) for n, f in found.items() if f), one.constant + sign * other.constant)


@dataclass(frozen=True)
class Formula(Law):
    """``target`` is computed: as a sum, or as whatever ``part`` gives."""

    expression: Expression
    target: str
    sum: Terms | None
    part: Part | None
    table: Table = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return self.expression.columns

    @property
    def gives(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(name for name in self.columns if name != self.target)

    @property
    def follows(self) -> bool:
        return True

    def value(self, rows: Rows) -> Cells:
        """(n,) the computed cells; missing where they are not known."""
        known = self.table[self.target]
        if self.sum is not None:
            numbers = self._summed(self.sum, rows)
            missing = np.any([absence.kinds(rows[n]) > 0 for n, _ in self.sum.factors], axis=0) if (
                self.sum.factors) else np.zeros(len(numbers), bool)
            return Scale(known).cells(numbers, missing.astype(np.uint8))
        assert self.part is not None
        if isinstance(self.part, Look) and self.table[self.part.name].kind in MOMENTS:
            one = rows[self.part.name]
            return Scale(known).cells(Scale(self.table[self.part.name]).numbers(one), absence.kinds(one))
        found = self.part.of({name: rows[name].values for name in self.needs})
        if isinstance(found, pa.Scalar):
            found = pa.array([found.as_py()] * len(next(iter(rows.values()))), found.type)
        return self._cells(found)

    def off(self, rows: Rows) -> np.ndarray:
        """(n,) bool: the rows for which it is false; whole numbers are compared exactly."""
        if self.sum is None or not self._whole:
            return false(self.expression, rows)
        there = np.all([absence.kinds(rows[name]) == 0 for name in self.columns], axis=0)
        return there & (self._summed(self.sum, rows) != Scale(self.table[self.target]).numbers(rows[self.target]))

    @property
    def _whole(self) -> bool:
        """Whether all of the sum are whole numbers."""
        assert self.sum is not None
        return all(Scale(self.table[name]).whole for name in self.columns) and all(
            isinstance(f, int) for f in (self.sum.constant, *(f for _, f in self.sum.factors)))

    def _summed(self, said: Terms, rows: Rows) -> np.ndarray:
        scales = [Scale(self.table[name]) for name, _ in said.factors]
        count = len(next(iter(rows.values())))
        total: np.ndarray = np.full(count, said.constant, np.int64 if self._whole else np.float64)
        for (name, factor), scale in zip(said.factors, scales, strict=True):
            total = total + (scale.numbers(rows[name]) if self._whole else
                             scale.numbers(rows[name]).astype(np.float64)) * factor
        return total

    def _cells(self, found: pa.Array) -> Cells:
        """An Arrow result as cells of the target."""
        known = self.table[self.target]
        missing = found.is_null().to_numpy(zero_copy_only=False).astype(np.uint8)
        if known.kind in NUMBERS:
            return Scale(known).cells(found.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False), missing)
        if known.kind == "boolean" or pa.types.is_dictionary(found.type):
            return Cells(found, missing)
        return Cells(found.cast(pa.string()).dictionary_encode(), missing)

    def study(self, k: int, built: bool) -> Study:
        return _Study(self, k, built)

    def stored(self, state: State, built: bool) -> Kept:
        return Computed(self, built, sound.plain(state, "open", bool), sound.whole(state, "way", 1, 255))


@dataclass
class _Study(Study):
    law: Formula
    k: int
    built: bool
    broken: int = 0
    open: int = 0  #: rows whose missing cells do not follow from those of the sources
    ways: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))

    def look(self, rows: Rows) -> None:
        self.broken += int(self.law.off(rows).sum())
        lacks = absence.kinds(self.law.value(rows)) > 0
        self.ways += absence.counted(rows[self.law.target])
        self.open += int((lacks != (absence.kinds(rows[self.law.target]) > 0)).sum())

    def kept(self) -> Kept:
        return Computed(self.law, self.built, self.open >= self.k, 1 + int(np.argmax(self.ways[1:])))


@dataclass(frozen=True, eq=False)
class Computed(Kept):
    """A formula; ``open``: whether its missing cells do not follow from those of the sources; ``way``: how it is
    missing where they do."""

    law: Formula
    built: bool
    open: bool
    way: int

    def restore(self, inner: Rows, outer: Rows, run: Run) -> dict[str, Cells]:
        found = self.law.value(outer)
        lacks = absence.kinds(found) > 0
        base = inner.get(self.law.target) if self.open else None
        if base is None:
            absent = np.where(lacks, self.way, 0).astype(np.uint8)
            return {self.law.target: Cells(found.values, absent if lacks.any() else None)}
        use = np.flatnonzero(~lacks & (absence.kinds(base) == 0))
        fresh = found.take(use)
        fresh = Cells(alike(fresh.values, base.values.type), np.zeros(len(use), np.uint8))
        return {self.law.target: placed(base, use, fresh)}

    def broken(self, rows: Rows) -> np.ndarray:
        return self.law.off(rows)

    def solved(self, inner: Rows, outer: Rows, lacks: Mapping[str, np.ndarray]) -> dict[str, Cells]:
        """Of a sum of which a single source was lacking, that one."""
        found: dict[str, Cells] = {}
        if self.law.sum is None or any(name not in lacks or name not in outer for name in self.law.columns):
            return found
        count = np.sum([lacks[name] for name in self.law.columns], axis=0)
        zero = Terms((*self.law.sum.factors, (self.law.target, -1)), self.law.sum.constant)
        for name in self.law.needs:
            where = np.flatnonzero(lacks[name] & (count == 1))
            way = zero.solved(name)
            if len(where) and way is not None:
                few = {n: outer[n].take(where) for n, _ in way.factors}
                missing = np.any([absence.kinds(cells) > 0 for cells in few.values()], axis=0)
                new = Scale(self.law.table[name]).cells(self.law._summed(way, few), missing.astype(np.uint8))
                found[name] = placed(found.get(name, outer[name]), where, new)
        return found

    @property
    def yields(self) -> tuple[str, ...]:
        return () if self.built else (self.law.target, *self.law.needs[::-1])

    def words(self) -> str:
        if not self.built:
            return "rows that break it take a value from a donor"
        return f"{self.law.target!r} is computed" + (" where all is there" if self.open else "")

    def state(self) -> State:
        return State({"open": self.open, "way": self.way})
