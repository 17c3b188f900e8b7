"""Missing markers: the texts (or numbers) that say "no value", and which of them stood where.

A column may have several: an empty cell, ``?``, ``NA``, -999. ``Cells.absent`` holds for each row 0 where a value
stands, i > 0 for the i-th marker of ``Column.missing`` and ``len(missing) + 1`` for the true null, so each comes back
as it was.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import SchemaError
from fabrica.notation.storage import is_text
from fabrica.schema import Column

__all__ = ["which", "put"]


def which(column: Column, pool: pa.Array) -> np.ndarray:
    """(len(pool),) uint8: 0 present, i the i-th marker, ``len(missing) + 1`` null."""
    if len(column.missing) > 254:
        raise SchemaError("more than 254 missing markers", where=f"column {column.name!r}")
    null = len(column.missing) + 1
    if len(pool) and pool.null_count == len(pool):
        return np.full(len(pool), null, np.uint8)
    found = np.zeros(len(pool), np.uint8)
    if column.missing:
        found = _text(column, pool) if is_text(pool.type) else _typed(column, pool)
    if pool.null_count:
        found[np.asarray(pc.is_null(pool))] = null
    return found


def _text(column: Column, pool: pa.Array) -> np.ndarray:
    at = pc.index_in(pool, pa.array([str(m) for m in column.missing], pa.string()))
    return (np.asarray(pc.fill_null(at, -1)) + 1).astype(np.uint8)


def _typed(column: Column, pool: pa.Array) -> np.ndarray:
    found = np.zeros(len(pool), np.uint8)
    for i, marker in enumerate(column.missing, 1):
        value = typed_marker(str(marker), pool.type)
        if value is None:
            continue
        if pa.types.is_floating(pool.type) and str(marker).lower() == "nan":
            same = pc.is_nan(pool)
        else:
            same = pc.equal(pool, value)
        found[np.asarray(pc.fill_null(same, False))] = i
    return found


def typed_marker(marker: str, kind: pa.DataType) -> pa.Scalar | None:
    """The marker as a value of this type; None where it cannot be one."""
    try:
        return pa.scalar(marker).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    try:
        return pa.scalar(float(marker)).cast(kind)
    except (ValueError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def put(column: Column, values: pa.Array, absent: np.ndarray | None) -> pa.Array:
    """``values`` (text or typed, null where missing) with the markers where ``absent`` says; without ``absent`` every
    null becomes the first marker."""
    if not column.missing:
        return values
    if absent is None:
        if not values.null_count:
            return values
        absent = np.asarray(pc.is_null(values)).astype(np.uint8)
    seen = np.flatnonzero(np.bincount(absent, minlength=1)[1: len(column.missing) + 1]) + 1
    for i in seen:
        marker = str(column.missing[i - 1])
        value = pa.scalar(marker) if is_text(values.type) else typed_marker(marker, values.type)
        if value is not None:
            values = pc.if_else(pa.array(absent == i), value, values)
    return values
