"""The distinct values of a column that may be told, each with a number: what look-up tables are made of.

Only values that stand in entries held by at least k rows come in here. State: numbers in arrays, texts in JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence, sound
from fabrica.contract import Cells
from fabrica.errors import ModelFileError
from fabrica.notation import cell_type
from fabrica.rules.scale import COARSE, DAY, MOMENTS, NUMBERS, TICKS
from fabrica.schema import Column
from fabrica.state import State

__all__ = ["Chain", "Pool"]

WAYS = 256  #: ways of being missing, with 0 for none
FARTHEST = 11_000_000  #: days from 1970


@dataclass(frozen=True)
class Pool:
    """Sorted distinct ``values`` of a column.

    A cell's code is the place of its value; ``len(values) + w`` where it is missing in the way ``w``; -1 where the
    value is not known.
    """

    column: Column
    values: pa.Array

    @classmethod
    def of(cls, column: Column, values: pa.Array) -> Pool:
        """Of values that may stand several times; nulls are left out."""
        distinct = pc.unique(values.drop_null())
        return cls(column, distinct.take(pc.sort_indices(distinct)))

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.values) + WAYS

    def code(self, cells: Cells, near: bool = False) -> np.ndarray:
        """(n,) int64; ``near``: a number that is not known counts as its neighbour, a text as the first."""
        found = self._places(cells.values)
        if near and (found < 0).any():
            found = np.where(found < 0, self._near(cells), found)
        kind = absence.kinds(cells)
        return np.where(kind > 0, len(self.values) + kind.astype(np.int64), found)

    def _places(self, values: pa.Array) -> np.ndarray:
        if pa.types.is_null(values.type) or not len(self.values):
            return np.full(len(values), -1, np.int64)
        if pa.types.is_dictionary(values.type):
            lut = np.append(_whole(pc.index_in(values.dictionary.cast(pa.string()), self.values)), -1)
            return lut[_whole(values.indices)]
        return _whole(pc.index_in(values.cast(self.values.type), self.values))

    def _near(self, cells: Cells) -> np.ndarray:
        if self.column.kind not in (*NUMBERS, *MOMENTS) or not len(self.values) or pa.types.is_null(cells.values.type):
            return np.zeros(len(cells), np.int64)
        known, asked = (_numbers(v) for v in (self.values, cells.values.cast(self.values.type)))
        return np.minimum(np.searchsorted(known, asked), len(known) - 1)

    def cells(self, codes: np.ndarray) -> Cells:
        """The cells that codes (n,) stand for; what is not known is missing."""
        missing = (codes >= len(self.values)) | (codes < 0)
        at = pa.array(np.where(missing, 0, codes).astype(np.int32), mask=missing)
        ways = np.where(missing, np.clip(codes - len(self.values), 1, WAYS - 1), 0).astype(np.uint8)
        absent = ways if missing.any() or self.column.missing else None
        if pa.types.is_string(self.values.type):
            return Cells(pa.DictionaryArray.from_arrays(at, self.values), absent)
        return Cells(self.values.take(at), absent)

    def state(self) -> State:
        if pa.types.is_string(self.values.type):
            return State({"texts": self.values.to_pylist()})
        return State({}, {"values": _numbers(self.values)})

    @classmethod
    def from_state(cls, column: Column, state: State) -> Pool:
        kind = value_type(column)
        if pa.types.is_string(kind):
            texts = sound.texts(state, "texts")
            sound.demand(len(set(texts)) == len(texts), "values that stand twice")
            return cls(column, pa.array(texts, pa.string()))
        low, high = _reach(column)
        whole = not pa.types.is_floating(kind)
        found = sound.array(state, "values", low=low, high=high, ascending=True, kind=np.int64 if whole else np.float64)
        return cls(column, _typed(found, kind))


def plain(column: Column, cells: Cells) -> pa.Array:
    """(n,) values without a dictionary, of the type that ``Pool`` holds."""
    values = cells.values
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = value_type(column)
    return values if values.type == kind else values.cast(kind)


def value_type(column: Column) -> pa.DataType:
    """The Arrow type of a column's cells, texts without a dictionary."""
    if column.kind == "integer":
        return pa.int64()
    if column.kind in NUMBERS:
        return pa.float64()
    if column.kind == "boolean":
        return pa.bool_()
    return cell_type(column) if column.kind in MOMENTS else pa.string()


def _whole(found: pa.Array) -> np.ndarray:
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def _numbers(values: pa.Array) -> np.ndarray:
    """Values without a null as numbers."""
    kind = values.type
    if pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    elif pa.types.is_temporal(kind):
        values = values.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    values = values.fill_null(0) if values.null_count else values
    return values.to_numpy(zero_copy_only=False)


def _typed(found: np.ndarray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        return pa.array(found.astype(bool))
    if pa.types.is_temporal(kind):
        return pa.array(found.astype(np.int32) if kind.bit_width == 32 else found).view(kind)
    return pa.array(found)


def _reach(column: Column) -> tuple[float, float]:
    """The ends of what a column's values can be, as numbers of their type."""
    if column.kind == "boolean":
        return 0, 1
    if column.kind not in MOMENTS:
        return (-(2**63), 2**63 - 1) if column.kind == "integer" else (-np.inf, np.inf)
    ticks = 1 if column.kind == "date" else DAY * TICKS.get(column.unit or "", 1)
    if column.kind == "time":
        return 0, ticks - 1
    days = FARTHEST if column.unit in ("s", "ms", "us", None, *COARSE) or column.kind == "date" else 106_000
    return -days * ticks, days * ticks


@dataclass(frozen=True)
class Chain:
    """Combinations of the codes of several columns, numbered from 0 in their order; a search column by column.

    Parameters
    ----------
    sizes : how many codes each column has.
    codes : (m, C) int64, the combinations, in order and each once.
    """

    sizes: tuple[int, ...]
    codes: np.ndarray
    steps: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        at, steps = np.zeros(len(self.codes), np.int64), []
        for size, column in zip(self.sizes, self.codes.T, strict=True):
            pairs = at * size + column
            known, at = np.unique(pairs, return_inverse=True)
            steps.append(known)
        object.__setattr__(self, "steps", tuple(steps))

    @classmethod
    def of(cls, sizes: Sequence[int], codes: np.ndarray) -> Chain:
        """Of combinations (m, C) in any order, which may stand several times."""
        return cls(tuple(sizes), np.unique(codes, axis=0) if len(codes) else codes)

    def find(self, codes: Sequence[np.ndarray]) -> np.ndarray:
        """(n,) number of each row's combination; -1 where it is not known."""
        at = np.zeros(len(codes[0]), np.int64)
        for size, known, column in zip(self.sizes, self.steps, codes, strict=True):
            pairs = np.where((at < 0) | (column < 0), -1, at * size + column)
            place = np.minimum(np.searchsorted(known, pairs), max(0, len(known) - 1))
            at = np.where(known[place] == pairs, place, -1) if len(known) else np.full(len(pairs), -1)
        return at

    def near(self, codes: Sequence[np.ndarray]) -> np.ndarray:
        """(n,) number of each row's combination, or of its neighbour in the order that agrees in as many of the first
        columns as any: a function of the codes alone."""
        at = np.zeros(len(codes[0]), np.int64)
        for size, known, column in zip(self.sizes, self.steps, codes, strict=True):
            pairs = at * size + np.maximum(column, 0)
            place = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
            at = np.where(known[place] // size == at, place, place - 1)
        return at


def chained(pools: Sequence[Pool], state: State) -> Chain:
    """Combinations of the codes of some pools, out of a model file."""
    codes = [sound.array(state, str(i), low=0, high=p.size - 1, kind=np.int64) for i, p in enumerate(pools)]
    sound.demand(len({len(c) for c in codes}) == 1, "combinations of different lengths")
    table = np.stack(codes, 1)
    ordered = bool((np.lexsort(table.T[::-1]) == np.arange(len(table))).all())
    if not ordered or len(table) > len(np.unique(table, axis=0)):
        raise ModelFileError("the model holds combinations that are out of order")
    return Chain(tuple(p.size for p in pools), table)


