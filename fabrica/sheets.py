"""Sheets: several tables under one schema as columns of numbers that mean the same in all of them.

How each kind of column becomes comparable:

* numeric kinds -> float64, NaN where missing. Dates count days, date-times, times and durations count seconds. An
  infinity is no value that could be averaged or binned and counts as missing.
* category, ordinal, boolean, constant -> int32 level numbers shared among all tables, -1 where missing. Levels are
  in the order of ``Column.levels`` where it is given, else sorted as text. Beyond the 10,000 commonest levels all
  others are one level, ``OTHERS``.
* text -> never compared value by value, but by two derived numeric columns, ``name (length)`` in characters and
  ``name (words)``; what was written stays in ``idents`` so that copies can be found.
* key, empty -> not compared at all: only in ``idents``, for the metrics of validity.

``idents[name]`` (n,) int64: equal numbers mean equal values in all sheets, -1 where missing.

Tables are read in record batches; ``keep`` picks rows on the way, so that a table larger than memory can be judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Sheet
from fabrica.errors import SchemaError
from fabrica.notation import read
from fabrica.schema import Column, Table

__all__ = ["Batches", "IdentSheet", "sheets", "LIMIT", "OTHERS"]

LIMIT = 10_000  #: levels of a column that are told apart
OTHERS = "(all other levels)"


class Batches(Protocol):
    """What can be judged: something that yields its rows in Arrow record batches and knows how many they are."""

    @property
    def rows(self) -> int: ...

    def batches(self) -> Iterable[pa.RecordBatch]: ...


@dataclass(frozen=True)
class IdentSheet(Sheet):
    """A sheet that also knows which keys and texts are equal; see the file's first lines."""

    idents: Mapping[str, np.ndarray] = field(default_factory=dict)

    def take(self, rows: np.ndarray) -> IdentSheet:
        plain = super().take(rows)
        return IdentSheet(plain.rows, plain.values, plain.levels, {n: v[rows] for n, v in self.idents.items()})


def sheets(table: Table, *datasets: Batches, keep: Sequence[np.ndarray | None] = ()) -> list[IdentSheet]:
    """One sheet for every dataset.

    Parameters
    ----------
    table : the schema; every dataset must have exactly its columns, in any order.
    datasets : objects with ``rows`` and ``batches()``.
    keep : for every dataset the sorted numbers of the rows to read, or None for all.

    Raises
    ------
    SchemaError : a dataset lacks a column or has one too many, or a column does not hold what the schema says.
    """
    picks = list(keep) or [None] * len(datasets)
    columns: list[dict[str, pa.ChunkedArray]] = []
    for number, (dataset, pick) in enumerate(zip(datasets, picks, strict=True)):
        columns.append(_cells(table, dataset, pick, ("real", "synthetic", "holdout")[min(number, 2)]))
    rows = [len(next(iter(c.values()))) if c else 0 for c in columns]
    values: list[dict[str, np.ndarray]] = [{} for _ in datasets]
    idents: list[dict[str, np.ndarray]] = [{} for _ in datasets]
    levels: dict[str, Sequence[str]] = {}
    for column in table.columns:
        parts = [c[column.name] for c in columns]
        for name, found, texts in _compared(column, parts, table):
            if texts is not None:
                levels[name] = texts
            for sheet, array in zip(values, found, strict=True):
                sheet[name] = array
        if column.kind in ("key", "text", "empty"):
            for sheet, array in zip(idents, _levels(column, parts, None)[0], strict=True):
                sheet[column.name] = array.astype(np.int64)
    return [IdentSheet(n, v, levels, i) for n, v, i in zip(rows, values, idents, strict=True)]


def _cells(table: Table, dataset: Batches, pick: np.ndarray | None, role: str) -> dict[str, pa.ChunkedArray]:
    """Every column as typed Arrow cells, of the picked rows only."""
    parts: dict[str, list[pa.Array]] = {n: [] for n in table.names}
    start = 0
    for batch in dataset.batches():
        _same_columns(table, batch.schema.names, role)
        if pick is not None:
            low, high = np.searchsorted(pick, [start, start + batch.num_rows])
            start += batch.num_rows
            batch = batch.take(pa.array(pick[low:high] - (start - batch.num_rows)))
        for column in table.columns:
            array = batch.column(batch.schema.get_field_index(column.name))
            parts[column.name].append(read(column, array).values)
    return {n: pa.chunked_array(p) if p else pa.chunked_array([], pa.null()) for n, p in parts.items()}


def _same_columns(table: Table, names: Sequence[str], role: str) -> None:
    wanted, here = set(table.names), set(names)
    if wanted == here and len(names) == len(here):
        return
    said = [f"{what} {', '.join(map(repr, sorted(columns)[:5]))}{' …' if len(columns) > 5 else ''}"
            for what, columns in (("lacks", wanted - here), ("has in addition", here - wanted)) if columns]
    raise SchemaError(f"the {role} table {' and '.join(said) or 'has a column twice'}", where=f"table {table.name!r}",
                      hint="all tables that are compared need the same columns")


def _compared(column: Column, parts: Sequence[pa.ChunkedArray], table: Table) -> Iterable[
        tuple[str, list[np.ndarray], list[str] | None]]:
    """(name, an array for every sheet, level texts or None) of what metrics compare."""
    if column.kind in ("key", "empty"):
        return
    if column.kind == "text":
        for what, count in (("length", pc.utf8_length), ("words", _words)):
            yield _derived(column.name, what, table), [_numbers(column, count(_texts(p))) for p in parts], None
    elif column.numeric:
        yield column.name, [_numbers(column, p) for p in parts], None
    else:
        codes, texts = _levels(column, parts, LIMIT)
        yield column.name, [c.astype(np.int32) for c in codes], texts


def _derived(name: str, what: str, table: Table) -> str:
    """A name for a derived column that no column of the table has."""
    made = f"{name} ({what})"
    while made in table.names:
        made += "'"
    return made


def _texts(array: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    try:
        return array.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        plain = [None if v is None else str(v) for v in array.to_pylist()]
        return pa.chunked_array([pa.array(plain, pa.large_string())])


def _words(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.count_substring_regex(texts, r"\S+")


SECONDS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def _numbers(column: Column, array: pa.ChunkedArray) -> np.ndarray:
    """float64 with NaN where missing; moments in days or seconds."""
    kind, per = array.type, 1.0
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan)
    if pa.types.is_dictionary(kind):
        return _numbers(column, array.cast(kind.value_type))
    if pa.types.is_date(kind):
        array = array.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_temporal(kind):
        per = SECONDS[kind.unit]
        array = array.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
    try:
        plain = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise SchemaError(f"the cells are {kind}, which cannot be read as {column.kind}",
                          where=f"column {column.name!r}") from None
    return np.where(np.isfinite(plain), plain / per, np.nan)


def _levels(column: Column, parts: Sequence[pa.ChunkedArray], limit: int | None) -> tuple[list[np.ndarray], list[str]]:
    """Level numbers of every part, -1 where missing, and what the levels are called."""
    whole = pa.chunked_array([chunk for p in parts for chunk in _texts(p).chunks], pa.large_string())
    coded = whole.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    order = pc.sort_indices(coded.dictionary).to_numpy()
    texts = coded.dictionary.take(pa.array(order))
    rank = np.empty(len(order) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(order)), -1
    codes = rank[pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)]
    codes, names = _grouped(codes, texts, len(parts[0]), limit)
    if column.levels:
        codes, names = _declared(codes, names, column.levels)
    return np.split(codes, np.cumsum([len(p) for p in parts])[:-1]), names


def _grouped(codes: np.ndarray, texts: pa.Array, first: int, limit: int | None) -> tuple[np.ndarray, list[str]]:
    """All but the ``limit`` commonest levels (by the first table, then by all) become one."""
    if limit is None:
        return codes, []
    if len(texts) <= limit:
        return codes, texts.to_pylist()
    counts = [np.bincount(c[c >= 0], minlength=len(texts)) for c in (codes[:first], codes)]
    kept = np.sort(np.lexsort((-counts[1], -counts[0]))[:limit])
    number = np.full(len(texts) + 1, limit)
    number[kept], number[-1] = np.arange(limit), -1
    return number[codes], [*texts.take(pa.array(kept)).to_pylist(), OTHERS]


def _declared(codes: np.ndarray, names: list[str], order: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """The declared levels first and in their order, whether they stand in a table or not; then all others."""
    ranked = [*order, *(n for n in names if n not in set(order))]
    place = {n: i for i, n in enumerate(ranked)}
    number = np.array([place[n] for n in names] + [-1])
    return number[codes], ranked
