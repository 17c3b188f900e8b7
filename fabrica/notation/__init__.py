"""How a column writes its values: text (or any Arrow type) to typed cells, and back exactly.

``read`` and ``write`` are each other's inverse. What a cell becomes:

====================================  =================================================
kind                                  Arrow type of ``Cells.values``
====================================  =================================================
integer                               ``int64``
decimal, latitude, longitude          ``double``
boolean                               ``bool``
category, ordinal, constant           ``dictionary<int32, string>``
key, text                             ``string`` (a dictionary stays one)
date                                  ``date32``
datetime                              ``timestamp[s|ms|us|ns]``, with the column's zone
time                                  ``time32[s|ms]`` or ``time64[us|ns]``
duration                              ``duration[s|ms|us|ns]``
empty                                 ``null``
====================================  =================================================

A whole number beyond 64 bits does not fit the kind ``integer``; inference makes such columns categories or keys.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Cells
from fabrica.errors import InputError
from fabrica.notation import missing
from fabrica.notation.moments import cell_type, read_moment, write_moment
from fabrica.notation.numbers import Numeral
from fabrica.notation.storage import arrow_type, distinct, flat, gather, is_text
from fabrica.notation.words import from_text, level_text, read_boolean, write_boolean
from fabrica.schema import KINDS, Column

__all__ = ["read", "write", "misfits", "arrow_type", "cell_type", "is_text"]

_LEVELS = {"category", "ordinal", "constant"}
_FREE = {"key", "text"}
_MOMENTS = {"date", "datetime", "time", "duration"}


def read(column: Column, array: pa.Array | pa.ChunkedArray, *, first_row: int = 0) -> Cells:
    """Typed cells of a column as the user holds it.

    Parameters
    ----------
    column : what the column means.
    array : (n,) of any Arrow primitive type, text or dictionary.
    first_row : rows that came before, so that an error names the row in the file.

    Raises
    ------
    InputError : a value does not fit the kind; names column and row, never the value.

    >>> fee = Column("fee", "decimal", notation={"prefix": "$"}, missing=("?",))
    >>> read(fee, pa.array(["$1.5", "?"])).values.to_pylist()
    [1.5, None]
    """
    cells, bad = _read(column, array, strict=False)
    if bad.any() and not column.lenient:
        row = first_row + int(np.argmax(bad)) + 1
        raise InputError(f"row {row} does not hold {_expected(column)}", where=f"column {column.name!r}",
                         hint="declare another kind for this column, or list the value under `missing`")
    return cells


def misfits(column: Column, array: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """(n,) bool: the cells that do not fit the column, or would not come back (leading zeros of whole numbers)."""
    return _read(column, array, strict=True)[1]


def write(column: Column, cells: Cells) -> pa.Array:
    """The cells as the user holds the column, of the type ``column.storage``; text held in a dictionary stays one.

    Where ``cells.absent`` is not given, a null becomes the first of the column's missing markers.

    >>> column = Column("price", "decimal", decimals=2, notation={"least": 2})
    >>> write(column, read(column, pa.array(["1.50", "20.00", None]))).to_pylist()
    ['1.50', '20.00', None]
    """
    target, values = arrow_type(column.storage), cells.values
    if column.kind == "empty":
        values = pa.nulls(len(cells), target)
    elif column.kind in _LEVELS | _FREE:
        return _write_levels(column, cells, target)
    elif is_text(target) or (column.notation and not pa.types.is_temporal(target) and column.kind not in _PLAIN):
        values = _typed_text(_text(column, values), target)
    else:
        values = _cast(column, values, target)
    return _stored(missing.put(column, values, cells.absent), target)


_PLAIN = {"integer", "decimal", "latitude", "longitude"}


def _expected(column: Column) -> str:
    written = f" written as {column.notation!r}" if column.kind in _MOMENTS and column.notation else ""
    return f"a value of the kind {column.kind!r} ({KINDS[column.kind]}{written})"


# ---------------------------------------------------------------- reading


def _read(column: Column, array: pa.Array | pa.ChunkedArray, strict: bool) -> tuple[Cells, np.ndarray]:
    array = flat(array)
    if column.kind in _FREE and not pa.types.is_dictionary(array.type):
        pool, indices = array, None
    elif column.kind in _LEVELS and not pa.types.is_dictionary(array.type) and not pa.types.is_null(array.type):
        coded = pc.dictionary_encode(array)
        pool, indices = coded.dictionary, coded.indices
    else:
        pool, indices = distinct(array)
    marks = missing.which(column, pool)
    if pa.types.is_floating(pool.type) and "nan" not in column.missing:
        marks[np.asarray(pc.fill_null(pc.is_nan(pool), False))] = len(column.missing) + 1
    values, bad = _pool(column, _nulled(pool, marks), strict)
    marks[bad] = len(column.missing) + 1
    absent = gather(marks, indices, len(column.missing) + 1) if column.missing else None
    return Cells(_rows(column, values, indices), absent), gather(bad, indices)


def _nulled(pool: pa.Array, marks: np.ndarray) -> pa.Array:
    if not marks.any() or pa.types.is_null(pool.type):
        return pool
    return pc.if_else(pa.array(marks == 0), pool, pa.scalar(None, pool.type))


def _pool(column: Column, pool: pa.Array, strict: bool) -> tuple[pa.Array, np.ndarray]:
    """Typed values of the distinct cells and which of them do not fit."""
    fine = np.zeros(len(pool), bool)
    if pa.types.is_null(pool.type):
        return pool, fine
    if column.kind in _LEVELS | _FREE:
        return level_text(pool), fine
    if column.kind == "empty":
        return pa.nulls(len(pool)), np.asarray(pc.is_valid(pool))
    if column.kind == "boolean":
        return read_boolean(column, pool)
    if column.kind in _MOMENTS:
        return read_moment(column, pool)
    whole = column.kind == "integer"
    if is_text(pool.type):
        return Numeral.of(column.notation, f"column {column.name!r}").parse(pool, whole, strict and whole)
    return _numbers(pool, whole)


def _numbers(pool: pa.Array, whole: bool) -> tuple[pa.Array, np.ndarray]:
    """Typed numbers as int64 or float64; what does not fit exactly is bad."""
    target = pa.int64() if whole else pa.float64()
    if pa.types.is_temporal(pool.type):
        pool = pool.cast(pa.int64())
    if pa.types.is_boolean(pool.type):
        pool = pool.cast(pa.int8())
    if pa.types.is_decimal(pool.type):
        pool = pool.cast(pa.float64())
    values = pool.cast(target, safe=False)
    if whole and not pa.types.is_integer(pool.type):
        bad = ~np.asarray(pc.fill_null(pc.equal(values.cast(pool.type, safe=False), pool), True))
    elif whole and pool.type == pa.uint64():
        bad = np.asarray(pc.fill_null(pc.less(values, 0), False))
    else:
        bad = np.zeros(len(pool), bool)
    if not whole:
        bad = np.asarray(pc.fill_null(pc.is_inf(values), False))
    if bad.any():
        values = pc.if_else(pa.array(~bad), values, pa.scalar(None, target))
    return values, bad


def _rows(column: Column, values: pa.Array, indices: pa.Array | None) -> pa.Array:
    if column.kind not in _LEVELS | _FREE or indices is None or pa.types.is_null(values.type):
        return gather(values, indices)
    if not values.null_count:
        return pa.DictionaryArray.from_arrays(indices, values)
    keep = np.asarray(pc.is_valid(values))
    place = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
    rows = pa.array(place, mask=~keep).take(indices)
    return pa.DictionaryArray.from_arrays(rows, values.filter(pa.array(keep)))


# ---------------------------------------------------------------- writing


def _text(column: Column, values: pa.Array) -> pa.Array:
    if column.kind == "boolean":
        return write_boolean(column, values)
    if column.kind in _MOMENTS:
        coded = pc.dictionary_encode(values) if len(values) > 4096 and column.kind == "date" else None
        if coded is not None:
            return write_moment(column, coded.dictionary).take(coded.indices)
        return write_moment(column, values)
    return Numeral.of(column.notation, f"column {column.name!r}").format(values, column.decimals)


def _typed_text(text: pa.Array, target: pa.DataType) -> pa.Array:
    kind = target.value_type if pa.types.is_dictionary(target) else target
    return text if is_text(kind) else from_text(text, kind)


def _cast(column: Column, values: pa.Array, target: pa.DataType) -> pa.Array:
    """Typed cells into a typed column."""
    kind = target.value_type if pa.types.is_dictionary(target) else target
    if pa.types.is_integer(kind) and pa.types.is_floating(values.type):
        values = pc.round(values)
    if pa.types.is_decimal(kind) and pa.types.is_floating(values.type):
        values = pc.round(values, kind.scale)
    elif pa.types.is_decimal(kind) and pa.types.is_integer(values.type):
        values = values.cast(pa.decimal256(20 + max(kind.scale, 0), kind.scale))
    if pa.types.is_temporal(values.type) and not pa.types.is_temporal(kind):
        whole = pa.int32() if values.type.bit_width == 32 else pa.int64()
        values = values.view(whole)
    if pa.types.is_floating(kind) and kind.bit_width == 16:
        values = values.cast(pa.float32())
    return values if values.type == kind else values.cast(kind, safe=False)


def _write_levels(column: Column, cells: Cells, target: pa.DataType) -> pa.Array:
    values = cells.values
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    if pa.types.is_dictionary(values.type):
        kind = target.value_type if pa.types.is_dictionary(target) else target
        pool = from_text(values.dictionary, kind if not is_text(kind) else pa.string())
        coded = _marked(column, pa.DictionaryArray.from_arrays(values.indices, pool), cells.absent)
        return coded if is_text(target) and not pa.types.is_dictionary(target) else _stored(coded, target)
    text = from_text(values, pa.string() if is_text(target) else target)
    return _stored(missing.put(column, text, cells.absent), target)


def _marked(column: Column, coded: pa.DictionaryArray, absent: np.ndarray | None) -> pa.DictionaryArray:
    """Missing markers as further entries of the dictionary."""
    if not column.missing or (absent is None and not coded.null_count):
        return coded
    if absent is None:
        absent = np.asarray(pc.is_null(coded)).astype(np.uint8)
    pool = coded.dictionary
    for marker in column.missing:
        value = pa.scalar(str(marker)) if is_text(pool.type) else missing.typed_marker(str(marker), pool.type)
        pool = pa.concat_arrays([pool, pa.array([value.as_py() if value is not None else None], pool.type)])
    at = np.asarray(pc.fill_null(coded.indices, 0)).astype(np.int32)
    marked = (absent > 0) & (absent <= len(column.missing))
    at = np.where(marked, len(coded.dictionary) + absent.astype(np.int32) - 1, at).astype(np.int32)
    null = (absent == len(column.missing) + 1) | (np.asarray(pc.is_null(coded)) & ~marked)
    return pa.DictionaryArray.from_arrays(pa.array(at, mask=null), pool)


def _stored(values: pa.Array, target: pa.DataType) -> pa.Array:
    """The type of the user's column."""
    if values.type == target:
        return values
    if pa.types.is_dictionary(target):
        coded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
        pool = coded.dictionary
        pool = pool if pool.type == target.value_type else pool.cast(target.value_type)
        return pa.DictionaryArray.from_arrays(coded.indices.cast(target.index_type), pool, ordered=target.ordered)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values if values.type == target else values.cast(target)


