"""The cells of a column as the gate compares them, in every table alike: numbers as float64, all else as text."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from fabrica.notation import read
from fabrica.schema import Column

__all__ = ["plain", "texts"]


def plain(column: Column, array: pa.Array) -> pa.Array:
    """The cells of a numeric column as float64 and those of another as text; missing ones are null.

    >>> plain(Column("age", "integer", "string"), pa.array(["41", None])).to_pylist()
    [41.0, None]
    """
    values = read(replace(column, lenient=True), array).values
    if not column.numeric:
        return texts(values)
    if pa.types.is_temporal(values.type):
        values = values.cast(pa.int32() if values.type.bit_width == 32 else pa.int64())
    return values.cast(pa.float64(), safe=False)


def texts(values: pa.Array) -> pa.Array:
    """Any values as text.

    >>> texts(pa.array(["a", None]).dictionary_encode()).to_pylist()
    ['a', None]
    """
    return (values.dictionary_decode() if pa.types.is_dictionary(values.type) else values).cast(pa.string())
