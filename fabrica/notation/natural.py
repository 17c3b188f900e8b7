"""What a column of text would be in a typed format: plain numbers as numbers, true and false as booleans.

A delimited file holds nothing but text. Written to one, a twin looks like its original, digit for digit; in a frame
or a Parquet file people expect numbers where the text was a plain number. Money, percent and dates keep their writing.
"""

from __future__ import annotations

from dataclasses import replace

from fabrica.notation.storage import arrow_type, is_text
from fabrica.schema import Column, Table

__all__ = ["natural"]

_NUMBERS = {"integer": "int64", "decimal": "double", "latitude": "double", "longitude": "double"}
_PLAIN = {"least", "power", "plus", "width"}


def natural(table: Table) -> Table:
    """The table with natural Arrow types for its plain numbers and booleans.

    >>> natural(Table("t", (Column("age", "integer", "string"),))).columns[0].storage
    'int64'
    """
    return replace(table, columns=tuple(_natural(c) for c in table.columns))


def _natural(column: Column) -> Column:
    if not is_text(arrow_type(column.storage)):
        return column
    if column.kind in _NUMBERS and set(column.notation or ()) <= _PLAIN:
        return replace(column, storage=_NUMBERS[column.kind], notation=None, missing=())
    look = column.notation if isinstance(column.notation, dict) else {}
    if column.kind == "key" and (look.get("look") or look).get("number"):
        return replace(column, storage="int64", missing=())
    words = {str(word).lower() for word in column.notation or ("false", "true")}
    if column.kind == "boolean" and words == {"false", "true"}:
        return replace(column, storage="bool", notation=None, missing=())
    return column
