"""The Arrow type in which the user's column is held, as text and back; and the distinct cells of a column.

Parsing text is paid once per distinct value: a column is dictionary-encoded first where that is worth it, its *pool*
of distinct values is parsed, and the result is gathered by the indices.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import SchemaError

__all__ = ["arrow_type", "is_text", "is_binary", "as_text", "flat", "distinct", "gather"]

_SHAPES = {
    r"timestamp\[(s|ms|us|ns), tz=(.+)\]": lambda m: pa.timestamp(m[1], m[2]),
    r"decimal(32|64|128|256)\((\d+), (-?\d+)\)": lambda m: _decimal(int(m[1]), int(m[2]), int(m[3])),
    r"fixed_size_binary\[(\d+)\]": lambda m: pa.binary(int(m[1])),
    r"dictionary<values=(.+), indices=(\w+), ordered=([01])>":
        lambda m: pa.dictionary(pa.type_for_alias(m[2]), arrow_type(m[1]), m[3] == "1"),
}


def _decimal(bits: int, precision: int, scale: int) -> pa.DataType:
    make = getattr(pa, f"decimal{bits}", pa.decimal128)
    return make(precision, scale)


def arrow_type(storage: str) -> pa.DataType:
    """The Arrow type that ``str(type)`` wrote.

    >>> arrow_type("timestamp[us, tz=Europe/Berlin]") == pa.timestamp("us", "Europe/Berlin")
    True
    """
    try:
        for shape, make in _SHAPES.items():
            if m := re.fullmatch(shape, storage):
                return make(m)
        return pa.type_for_alias(storage)
    except (ValueError, TypeError):
        raise SchemaError(f"no Arrow type is written {storage!r}",
                          hint="examples: int64, double, string, date32[day], timestamp[us]") from None


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text (a dictionary of text too)."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_binary(kind: pa.DataType) -> bool:
    return (pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
            or pa.types.is_binary_view(kind))


def flat(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array: chunks joined, dictionaries unified, every text type as ``string``."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        wanted = pa.dictionary(pa.int32(), pa.string() if is_text(kind) else kind.value_type)
        array = array.cast(wanted) if kind != wanted else array
        array = array.unify_dictionaries() if isinstance(array, pa.ChunkedArray) else array
    elif is_text(kind) and kind != pa.string():
        array = array.cast(pa.string())
    elif pa.types.is_float16(kind):
        array = array.cast(pa.float32())  # Arrow computes little with halves
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # pragma: no cover  (more than 2 GB of text)
            array = pa.concat_arrays(array.chunks)
    return array


def as_text(values: pa.Array) -> pa.Array:
    """Any primitive array as text; bytes as hexadecimal digits."""
    if is_binary(values.type):
        return pa.array([None if v is None else v.hex() for v in values.to_pylist()], pa.string())
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64())
    return values.cast(pa.string())


def _repeats(values: pa.Array) -> bool:
    """Whether a look at some cells says that values come again often enough to pay for a dictionary."""
    if len(values) < 64:
        return False
    look = values[: 4096]
    return pc.count_distinct(look, mode="all").as_py() < 0.5 * len(look)


def distinct(array: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """``(pool, indices)``: the distinct values (no null among them) and where each row finds its own; for a column
    whose values hardly repeat ``(array, None)``."""
    if pa.types.is_dictionary(array.type):
        pool, indices = array.dictionary, array.indices
        if pool.null_count:
            indices = pc.if_else(pc.is_null(pool.take(indices)), pa.scalar(None, pa.int32()), indices)
        return pool, indices
    if is_text(array.type) and _repeats(array):
        coded = pc.dictionary_encode(array)
        return coded.dictionary, coded.indices
    return array, None


def gather(values: Any, indices: pa.Array | None, absent: int = 0) -> Any:
    """``values`` of the pool for every row; a numpy pool gets ``absent`` where the index is null."""
    if indices is None:
        return values
    if isinstance(values, np.ndarray):
        if indices.null_count == 0:
            return values[indices.to_numpy(zero_copy_only=False)]
        rows = np.asarray(pc.fill_null(indices, len(values)))
        return np.append(values, np.array([absent], values.dtype))[rows]
    return values.take(indices)
