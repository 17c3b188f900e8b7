"""Guesses what the columns of a table mean."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from fabrica.notation import is_text
from fabrica.notation.numbers import Numeral
from fabrica.schema import Column, Table

__all__ = ["infer"]


def infer(sample: pa.Table, name: str = "table", overrides: Mapping | None = None,
          rows: int | None = None) -> tuple[Table, list[str]]:
    """The schema of a table, guessed from a sample of its rows, and what a person should know about the guesses."""
    return Table(name, tuple(_guess(n, sample.column(i)) for i, n in enumerate(sample.column_names))), []


def _guess(name: str, array: pa.ChunkedArray) -> Column:
    kind, storage = array.type, str(array.type)
    if array.null_count == len(array):
        return Column(name, "empty", storage)
    if pa.types.is_integer(kind):
        return Column(name, "integer", storage)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Column(name, "decimal", storage)
    if pa.types.is_boolean(kind):
        return Column(name, "boolean", storage)
    if is_text(kind) and not pa.types.is_dictionary(kind):
        missing = ("", "?", " ?", "NA")
        text = array.cast(pa.string()).filter(pc.invert(pc.is_in(array, pa.array(missing))))
        for whole in (True, False):
            if len(text) and pc.all(pc.match_substring_regex(text, Numeral().pattern(whole, True))).as_py():
                return Column(name, "integer" if whole else "decimal", storage, missing=missing)
    return Column(name, "category", storage)
