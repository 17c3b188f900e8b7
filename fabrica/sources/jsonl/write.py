"""Arrow batches as JSON lines, joined column by column; a distinct text is escaped once."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.frames import plain_column, plain_type

__all__ = ["lines_of"]


def lines_of(names: Sequence[str], batch: pa.RecordBatch) -> memoryview:
    """The rows of a batch as UTF-8, a line each; missing values are ``null``, moments their ISO-like texts."""
    parts: list[pa.Array | str] = []
    for i, (name, column) in enumerate(zip(names, batch.columns, strict=True)):
        parts += [("{" if i == 0 else ",") + json.dumps(name, ensure_ascii=False) + ":", _values(column)]
    lines = pc.binary_join_element_wise(*parts, "}\n", "", null_handling="replace", null_replacement="null")
    ends = np.frombuffer(lines.buffers()[1], np.int32)
    return memoryview(lines.buffers()[2])[ends[lines.offset] : ends[lines.offset + len(lines)]]


def _values(column: pa.Array) -> pa.Array:
    """Each cell as JSON, null where missing."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return pc.take(_values(column.dictionary), column.indices)
    column = plain_column(column, plain_type(kind))
    if pa.types.is_floating(column.type):
        finite = pc.is_finite(column.cast(pa.float64()))  # JSON has neither NaN nor infinity
        return pc.if_else(finite, column.cast(pa.float64()).cast(pa.string()), None)
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type) or pa.types.is_null(column.type):
        return column.cast(pa.string())
    if pa.types.is_decimal(column.type):
        return column.cast(pa.string())
    return _texts(column if pa.types.is_string(column.type) else column.cast(pa.string()))


def _texts(column: pa.Array) -> pa.Array:
    coded = column.dictionary_encode()
    escaped = pa.array([json.dumps(level, ensure_ascii=False) for level in coded.dictionary.to_pylist()], pa.string())
    return pc.take(escaped, coded.indices)
