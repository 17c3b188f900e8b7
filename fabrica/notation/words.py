"""Cells that are words: levels, keys, free text and the two words of a boolean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import SchemaError
from fabrica.notation.storage import as_text, is_binary, is_text
from fabrica.schema import Column

__all__ = ["read_boolean", "write_boolean", "level_text", "from_text", "spelled"]

_WORDS = ("false", "true")
_NO = pa.array(["false", "no", "n", "f", "0", "off"])
_YES = pa.array(["true", "yes", "y", "t", "1", "on"])


def read_boolean(column: Column, pool: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """``(bool values, bad)``: ``notation`` is ``[no, yes]``; without one the common words count, in any case."""
    if pa.types.is_boolean(pool.type):
        return pool, np.zeros(len(pool), bool)
    text = pool if is_text(pool.type) else as_text(pool)
    if column.notation:
        no, yes = (pa.array([w], pa.string()) for w in _words(column))
    else:
        text, no, yes = pc.utf8_lower(pc.utf8_trim_whitespace(text)), _NO, _YES
    is_yes = pc.is_in(text, yes)
    bad = np.asarray(pc.and_(pc.is_valid(text), pc.invert(pc.or_(is_yes, pc.is_in(text, no)))))
    return pc.if_else(pc.is_valid(text), is_yes, pa.scalar(None, pa.bool_())), bad


def write_boolean(column: Column, values: pa.Array) -> pa.Array:
    """The two words of the column."""
    no, yes = _words(column)
    return pc.if_else(values, pa.scalar(yes), pa.scalar(no))


def _words(column: Column) -> tuple[str, str]:
    said = column.notation or _WORDS
    if not isinstance(said, list | tuple) or len(said) != 2 or str(said[0]) == str(said[1]):
        raise SchemaError("the notation of a boolean must be [no, yes]", where=f"column {column.name!r}")
    return str(said[0]), str(said[1])


def spelled(column: Column, levels: Sequence[str]) -> list[str]:
    """Levels as the data write them: a boolean's are called false and true, and may stand there as no and yes.

    >>> spelled(Column("smokes", "boolean", notation=["n", "y"]), ["false", "true"])
    ['n', 'y']
    """
    if column.kind != "boolean":
        return list(map(str, levels))
    said = dict(zip(_WORDS, _words(column), strict=True))
    return [said.get(str(level), str(level)) for level in levels]


def level_text(pool: pa.Array) -> pa.Array:
    """Levels as text, whatever they were stored as."""
    return pool if pool.type == pa.string() else as_text(pool)


def from_text(text: pa.Array, target: pa.DataType) -> pa.Array:
    """Levels back into the type of the user's column."""
    if is_text(target):
        return text if text.type == target else text.cast(target)
    if is_binary(target):
        return pa.array([None if v is None else bytes.fromhex(v) for v in text.to_pylist()], target)
    if pa.types.is_boolean(target):
        return pc.equal(text, "true")
    if pa.types.is_integer(target) and text.null_count < len(text) and pc.any(pc.match_substring(text, ".")).as_py():
        return text.cast(pa.float64()).cast(target)
    if pa.types.is_float16(target):
        return text.cast(pa.float32()).cast(target)
    return text.cast(target)
