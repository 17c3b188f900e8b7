"""Whose rows they are: how many rows of one unit (a person, a household) count, and how many rows make ``k`` units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import InputError, SettingError, UnknownName
from fabrica.identifying import OFF, SHARED
from fabrica.privacy.terms import Privacy
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["bounded", "enough", "people", "several"]


def several(table: Table) -> list[str]:
    """The columns by which people seem to have several rows: numbers and names of people that come again. A manager or
    a matched case comes again too, and only a person can say so (``personal: none``): values cannot. What several
    people have alike (a family name, a city) tells of nobody's rows.

    >>> from fabrica.schema import Column
    >>> look = {"kind": "reference", "to": None, "distinct": 900}
    >>> several(Table("visits", (Column("who", "key", notation=look, personal="record"), Column("age", "integer"))))
    ['who']
    >>> several(Table("guests", (Column("surname", "key", notation=look, personal="surname"),)))
    []
    >>> several(Table("staff", (Column("chief", "key", notation=look, personal="none"), Column("age", "integer"))))
    []
    """
    return [column.name for column in table.columns
            if column.kind == "key" and column.refers and column.personal not in ("", OFF, *SHARED)]


def enough(batches: Iterable[pa.RecordBatch], unit: str, k: int) -> int:
    """Rows that ``k`` units stand behind: more than the k - 1 units with the most rows have together.
    Whatever that many rows hold, ``k`` units hold. A row that does not say whose it is, is a unit of its own.

    It is told and kept, so it names no exact number of those few units' rows: where somebody has several it is rounded
    up, to two digits or below a hundred to a multiple of five.

    >>> visits = pa.record_batch({"who": ["a"] * 8 + ["b"] * 3 + ["c", "d"]})
    >>> enough([visits], "who", 3)
    15

    Raises
    ------
    UnknownName : there is no column of that name.
    """
    sizes = _sizes(batches, unit)[0]
    rows = 1 + sum(size for _, size in sizes.most_common(k - 1)) + max(0, k - 1 - len(sizes))
    coarse = 5 if rows < 100 else 10 ** (len(str(rows)) - 2)
    return rows if rows == k else -(-rows // coarse) * coarse


def people(batches: Iterable[pa.RecordBatch], unit: str) -> int:
    """How many units there are. A row that does not say whose it is, is a unit of its own.

    >>> people([pa.record_batch({"who": ["a", "a", "b", None, None]})], "who")
    4

    Raises
    ------
    UnknownName : there is no column of that name.
    """
    sizes, alone = _sizes(batches, unit)
    return len(sizes) + alone


def _sizes(batches: Iterable[pa.RecordBatch], unit: str) -> tuple[Counter[Any], int]:
    """Unit -> its rows; and how many rows do not say whose they are."""
    sizes: Counter[Any] = Counter()
    alone = 0
    for batch in batches:
        if unit not in batch.schema.names:
            raise UnknownName("column", unit, list(batch.schema.names), where="unit")
        found = pc.value_counts(batch.column(unit).drop_null())
        sizes.update(dict(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)))
        alone += batch.column(unit).null_count
    return sizes, alone


def bounded(whole: pa.Table, terms: Privacy, run: Run) -> pa.Table:
    """The rows that count: of each unit at most ``terms.rows``, drawn by chance that nobody knows. Which rows of one
    unit count does not depend on any other.

    Raises
    ------
    UnknownName : there is no column of that name.
    InputError : a row does not say whose it is.
    SettingError : every row is somebody else's.

    >>> from fabrica.privacy.terms import Privacy
    >>> table = pa.table({"who": ["a", "a", "a", "b"], "paid": [1, 2, 3, 4]})
    >>> bounded(table, Privacy(1.0, unit="who", rows=2), Run())["who"].to_pylist()
    ['a', 'a', 'b']
    """
    if terms.unit is None:
        return whole
    if terms.unit not in whole.column_names:
        raise UnknownName("column", terms.unit, whole.column_names, where="unit of privacy")
    column = whole[terms.unit]
    if column.null_count:
        raise InputError("has rows that do not say whose they are", where=f"column {terms.unit!r}, unit of privacy",
                         hint="fill the gaps, or leave those rows out")
    who = column.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    size = int(who.max(initial=-1)) + 1
    if size == len(who):
        raise SettingError("has another value in every row, so it would hide rows and not people",
                           where=f"column {terms.unit!r}, unit of privacy",
                           hint="where each row is another person leave the unit out, else name their column")
    order = np.lexsort((run.unseeded().random().random(len(who)), who))
    first = np.searchsorted(who[order], np.arange(size))
    rank = np.arange(len(who)) - first[who[order]]
    return whole.take(pa.array(np.sort(order[rank < terms.rows])))
