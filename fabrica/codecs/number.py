"""Numbers: codes are equal-mass pieces of the learned marginal, point masses come back bit for bit.

The alphabet is [missing markers…, pieces of the marginal from low to high]. Whole numbers stay whole, decimals keep
their own number of digits, and where rows were rounded to hundreds or quarters, as many drawn ones are
(``fabrica/rounding.py``). See ``fabrica/marginal.py`` for what is stored (nothing that fewer than k rows hold).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa

from fabrica import absence, measured, sound
from fabrica.block import Coded, code_type
from fabrica.contract import Allowance, Cells, Codec, Coder, Known, Setting, Summary
from fabrica.marginal import Marginal
from fabrica.rounding import Rounding
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State
from fabrica.tally import Tally

__all__ = ["Number"]

GLOBE = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0)}  #: bounds that everybody knows


@dataclass(frozen=True)
class Seen(Summary):
    """Tally values and how often each missing marker occurs."""

    tally: Tally
    absent: np.ndarray

    def merge(self, other: Summary) -> Seen:
        assert isinstance(other, Seen)
        return Seen(self.tally.merge(other.tally), self.absent + other.absent)


@dataclass(frozen=True)
class Number(Codec):
    """Settings of the number codec."""

    title = "whole and decimal numbers: equal-mass pieces, exact point masses, own decimals"
    kinds = ("integer", "decimal", "latitude", "longitude")
    weight = 2.0

    codes: Annotated[int, Setting("pieces of the marginal, about", low=8, high=60_000)] = 512
    k: Annotated[int, Setting("rows that a stored number must stand for, at least", low=1, high=10_000)] = 5

    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Seen:
        return Seen(Tally.of(numbers(cells[0].values)), absence.counted(cells[0]))

    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> NumberCoder:
        assert isinstance(summary, Seen)
        column, whole = columns[0], columns[0].kind == "integer"
        marginal = rounding = None
        summary.tally.demand_within(column.bounds, column.name)
        held, present = absence.protected(summary.absent, self.k), summary.tally.total
        if present >= self.k or (present and column.bounds and held[0] == held.sum()):
            decimals = 0 if whole else column.decimals
            marginal = Marginal.learn(
                summary.tally, codes=self.codes, k=self.k, decimals=decimals, bounds=column.bounds)
            if decimals is not None and abs(decimals) <= 15 and present >= self.k:
                rounding = Rounding.learn(summary.tally, decimals, self.k)
        return NumberCoder(column.name, whole, absence.numbered(held), held / max(1, held.sum()), marginal, rounding)

    def measured(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], allowance: Allowance, run: Run) -> Known:
        column, whole, kinds = columns[0], columns[0].kind == "integer", absence.kinds(cells[0])
        decimals = 0 if whole else column.decimals
        lattice = None if decimals is None else measured.Lattice(10.0**-decimals)
        found = np.empty(0)
        if not pa.types.is_null(cells[0].values.type):
            found = _array(cells[0].values.fill_null(0))[kinds == 0].astype(np.float64)
        bounds = column.bounds or GLOBE.get(column.kind)
        known = measured.numbers(found[np.isfinite(found)], kinds, 1 + len(column.missing), lattice, bounds, decimals,
                                 allowance.rho, run, column.name)
        there = known.presence
        coder = NumberCoder(column.name, whole, there.markers, there.share, known.marginal, None)
        return Known(coder, (known.told if known.marginal is not None else None,))


def numbers(values: pa.Array) -> np.ndarray:
    """The present, finite numbers, whole ones as int64."""
    if pa.types.is_null(values.type):
        return np.empty(0)
    found = _array(values.drop_null())
    return found if found.dtype.kind == "i" else found[np.isfinite(found)]


def _array(values: pa.Array) -> np.ndarray:
    """Numbers without nulls as int64 or float64."""
    signed = pa.types.is_signed_integer(values.type)
    return values.to_numpy(zero_copy_only=False).astype(np.int64 if signed else np.float64, copy=False)


@dataclass(frozen=True)
class NumberCoder(Coder):
    """The learned map of one number column."""

    name: str
    whole: bool
    markers: tuple[int, ...]
    share: np.ndarray  # (256,) how often each kind of absence occurs
    marginal: Marginal | None
    rounding: Rounding | None

    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]:
        kind, values = absence.kinds(cells[0]), cells[0].values
        codes = absence.coded(kind, self.markers)
        reals = np.full(len(kind), np.nan, np.float32)
        if self.marginal is not None and not pa.types.is_null(values.type):
            found = _array(values.fill_null(0))
            present = np.flatnonzero((kind == 0) & ~np.isnan(found))
            position = self.marginal.position(found[present])
            codes[present] = len(self.markers) + self.marginal.code(position)
            reals[present] = position
        if self.marginal is not None and len(rows := absence.lost(kind, self.markers)):
            reals[rows] = position = run.child("lost").random().random(len(rows), np.float32).astype(np.float64)
            codes[rows] = self.marginal.code(position)
        return (self._coded(codes, reals),)

    def _coded(self, codes: np.ndarray, reals: np.ndarray | None) -> Coded:
        absent = len(self.markers)
        middle = np.empty(0) if self.marginal is None else self.marginal.middle
        grid = np.concatenate([np.full(absent, np.nan), middle])
        if not len(grid):  # too few values to say anything of them: one code, which means missing
            absent, grid = 1, np.full(1, np.nan)
        size = len(grid)
        return Coded(self.name, size, codes.astype(code_type(size)), True, absent, None, grid, reals)

    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        column, absent = coded[0], len(self.markers)
        if self.marginal is None:
            kind = np.array(self.markers or (1,), np.uint8)[np.minimum(column.codes, max(0, absent - 1))]
            return (Cells(pa.nulls(len(column), pa.int64() if self.whole else pa.float64()), kind),)
        if column.reals is not None:
            values = self.marginal.value(np.nan_to_num(column.reals, nan=0.5))
        else:
            within = run.random().random(len(column), np.float32)
            piece = column.codes if not absent else np.maximum(column.codes, absent) - absent
            values = self.marginal.decode(piece, within)
        if self.rounding is not None:
            chance, ends = run.child("round").random().random(len(column)), self.marginal.knots[[0, -1]]
            values = self.rounding.apply(values.astype(np.float64), chance, (float(ends[0]), float(ends[1])))
        mask = column.codes < absent if absent else None
        if self.whole and values.dtype.kind == "f":
            values = np.clip(values, -(2.0**63), np.nextafter(2.0**63, 0)).astype(np.int64)
        return (Cells(pa.array(values, mask=mask), absence.told(column.codes, self.markers)),)

    def words(self) -> str:
        if self.marginal is None:
            return "no value known"
        atoms = int(self.marginal.atoms.sum())
        missing = f", missing in {100 * (1 - self.share[0]):.1f} %" if self.markers else ""
        rounded = f", {self.rounding.words()}" if self.rounding is not None else ""
        return f"{self.marginal.size} codes, {atoms} of them exact values{rounded}{missing}"

    def state(self) -> State:
        plain = {"name": self.name, "whole": self.whole, "markers": list(self.markers),
                 "share": [float(s) for s in self.share[: 1 + max((0, *self.markers))]]}
        if self.marginal is None:
            return State(plain)
        rounding = {} if self.rounding is None else {"rounding": self.rounding.state()}
        return State.nest({"marginal": self.marginal.state(), **rounding}, plain)

    @classmethod
    def from_state(cls, state: State) -> NumberCoder:
        found = sound.plain(state, "share", (list, tuple))
        sound.demand(len(found) <= 256 and all(isinstance(s, (int, float)) and 0 <= s <= 1 for s in found),
                     "shares that make no sense")
        share = np.zeros(256)
        share[: len(found)] = found
        parts = state.plain.get("parts", {})
        marginal = Marginal.from_state(state.part("marginal")) if parts else None
        rounding = Rounding.from_state(state.part("rounding")) if "rounding" in parts else None
        name, whole = sound.plain(state, "name", str), sound.plain(state, "whole", bool)
        return cls(name, whole, absence.stored(state), share, marginal, rounding)
