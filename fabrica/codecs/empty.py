"""Empty columns: no value in any row, so there is nothing to learn and no coded column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa

from fabrica import absence, sound
from fabrica.block import Coded, code_type
from fabrica.contract import Allowance, Cells, Codec, Coder, Known, Setting, Summary
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State

__all__ = ["Empty"]


@dataclass(frozen=True)
class Seen(Summary):
    """How often each missing marker occurs."""

    absent: np.ndarray

    def merge(self, other: Summary) -> Seen:
        assert isinstance(other, Seen)
        return Seen(self.absent + other.absent)


@dataclass(frozen=True)
class Empty(Codec):
    """Settings of the empty codec."""

    title = "columns without a value: they come back empty"
    kinds = ("empty",)
    weight = 0.0

    k: Annotated[int, Setting("rows that a way of being missing must have to be told", low=1, high=10_000)] = 5

    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Seen:
        return Seen(absence.counted(cells[0]))

    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> EmptyCoder:
        assert isinstance(summary, Seen)
        return EmptyCoder(columns[0].name, absence.numbered(absence.protected(summary.absent, self.k)))

    def measured(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], allowance: Allowance, run: Run) -> Known:
        return Known(EmptyCoder(columns[0].name, (1 + len(columns[0].missing),)))


@dataclass(frozen=True)
class EmptyCoder(Coder):
    """No coded column, or one that says which marker stands where, if there are several."""

    name: str
    markers: tuple[int, ...]

    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]:
        size = len(self.markers)
        if size < 2:
            return ()
        codes = absence.coded(absence.kinds(cells[0]), self.markers)
        return (Coded(self.name, size, codes.astype(code_type(size)), False, size),)

    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        kind = np.full(len(rows), self.markers[0] if self.markers else 1, np.uint8)
        if coded and self.markers:
            kind = np.array(self.markers, np.uint8)[np.minimum(coded[0].codes, len(self.markers) - 1)]
        return (Cells(pa.nulls(len(rows)), kind),)

    def words(self) -> str:
        return "no value in any row"

    def state(self) -> State:
        return State({"name": self.name, "markers": list(self.markers)})

    @classmethod
    def from_state(cls, state: State) -> EmptyCoder:
        return cls(sound.plain(state, "name", str), absence.stored(state))
