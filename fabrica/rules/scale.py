"""A column that has an order, as plain numbers: whole steps of its unit, or binary floats; and back, exactly.

Whole numbers stay whole beyond 2**53. Moments are steps of their own precision on the wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence
from fabrica.contract import Cells
from fabrica.notation import cell_type
from fabrica.schema import Column

__all__ = ["MOMENTS", "NUMBERS", "Scale"]

NUMBERS = ("integer", "decimal", "latitude", "longitude")
MOMENTS = ("date", "datetime", "time", "duration")
TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  #: in a second
COARSE = {"D": 86_400, "h": 3600, "m": 60}  #: seconds of a step that is longer than one
DAY = 86_400
MOST = 2**62  #: steps, at most


@dataclass(frozen=True)
class Scale:
    """How the cells of a column count.

    >>> days = Scale(Column("when", "date", "date32[day]"))
    >>> steps = days.numbers(Cells(pa.array([19_000, None], pa.int32()).view(pa.date32()))); steps.tolist()
    [19000, 0]
    >>> days.cells(steps + 1).values.to_pylist()[0].isoformat()
    '2022-01-09'
    """

    column: Column

    @property
    def whole(self) -> bool:
        return self.column.kind == "integer" or self.column.kind in MOMENTS

    @property
    def unit(self) -> float:
        """The least that two values differ by; 0 where that is not known."""
        decimals = self.column.decimals
        return 1 if self.whole else 0.0 if decimals is None else 10.0**-decimals

    @property
    def _step(self) -> int:
        """Ticks of a cell in a step."""
        return 1 if self.column.kind == "date" else COARSE.get(self.column.unit or "", 1)

    @property
    def micro(self) -> float:
        """Microseconds of a step of a moment."""
        if self.column.kind == "date":
            return DAY * 1e6
        return 1e6 * self._step / TICKS.get(self.column.unit or "", 1)

    def numbers(self, cells: Cells) -> np.ndarray:
        """(n,) int64 steps, or float64; 0 where missing."""
        values = cells.values
        if pa.types.is_null(values.type):
            return np.zeros(len(values), np.int64 if self.whole else np.float64)
        if self.column.kind in MOMENTS:
            values = pc.local_timestamp(values) if pa.types.is_timestamp(values.type) and values.type.tz else values
            ticks = _filled(values.view(pa.int32() if values.type.bit_width == 32 else pa.int64()))
            return ticks.astype(np.int64, copy=False) // self._step
        return _filled(values).astype(np.int64 if self.whole else np.float64, copy=False)

    def cells(self, numbers: np.ndarray, absent: np.ndarray | None = None) -> Cells:
        """Cells of numbers (n,), missing where ``absent`` (n,) is above 0; rounded as the column is."""
        mask = None if absent is None else absent > 0
        if self.column.kind in NUMBERS and not self.whole:
            values = numbers.astype(np.float64, copy=False)
            values = values if self.column.decimals is None else np.round(values, self.column.decimals) + 0.0
            return Cells(pa.array(values, mask=mask), absent)
        steps = numbers if numbers.dtype.kind == "i" else np.round(np.clip(numbers, -MOST, MOST)).astype(np.int64)
        if self.column.kind == "integer":
            return Cells(pa.array(steps, mask=mask), absent)
        return Cells(self._moments(steps, mask), absent)

    def _moments(self, steps: np.ndarray, mask: np.ndarray | None) -> pa.Array:
        kind = cell_type(self.column)
        ticks = steps * self._step
        if self.column.kind == "time":
            ticks = np.clip(ticks, 0, DAY * TICKS.get(self.column.unit or "", 1) - 1)
        if kind.bit_width == 32:
            ticks = np.clip(ticks, -(2**31), 2**31 - 1).astype(np.int32)
        values = pa.array(ticks, mask=mask)
        if not pa.types.is_timestamp(kind) or not kind.tz:
            return values.view(kind)
        wall = values.view(pa.timestamp(kind.unit))
        return pc.assume_timezone(wall, kind.tz, ambiguous="earliest", nonexistent="latest")

    def bound(self, value: float, strict: bool, low: bool) -> float | int:
        """An end as the expression has it (a number, or microseconds of a moment) as the outermost number that is
        allowed; ``strict``: the end itself is not."""
        if self.column.kind in MOMENTS:
            value = value / self.micro
        if self.whole:
            found = int(np.ceil(value)) if low else int(np.floor(value))
            return found + (1 if low else -1) if strict and found == value else found
        if not self.unit:
            return float(np.nextafter(value, np.inf if low else -np.inf)) if strict else float(value)
        steps = round(value / self.unit, 6)  # as many decimals as the column has
        found = np.ceil(steps) if low else np.floor(steps)
        found += (1 if low else -1) if strict and found == steps else 0
        return float(np.round(found * self.unit, self.column.decimals or 0))

    def gap(self, strict: bool) -> float | int:
        """The least gap that is allowed between two ordered values."""
        return (1 if self.whole else self.unit) if strict else 0


def _filled(values: pa.Array) -> np.ndarray:
    values = values.fill_null(0) if values.null_count else values
    return values.to_numpy(zero_copy_only=False)


def there(cells: Cells) -> np.ndarray:
    """(n,) bool: the cells that are not missing."""
    return absence.kinds(cells) == 0
