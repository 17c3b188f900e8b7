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

``idents[name]`` (n,) int64: equal numbers mean equal values in all sheets, -1 where missing. ``misfits[name]`` (n,)
bool: cells of a synthetic table or a holdout that are no value of the column's kind (a word among numbers); they
count as missing. Columns where everything fits are not in it.

Tables are read in record batches; ``keep`` picks rows on the way, so that a table larger than memory can be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Sheet
from fabrica.errors import InputError, SchemaError
from fabrica.notation import read
from fabrica.schema import Column, Table

__all__ = ["Batches", "IdentSheet", "sheets", "LIMIT", "OTHERS"]

LIMIT = 10_000  #: levels of a column that are told apart
HUGE = 1e100  #: numbers from which a column is told in another unit
OTHERS = "(all other levels)"
ROLES = ("real", "synthetic", "holdout")


class Batches(Protocol):
    """What can be judged: something that yields its rows in Arrow record batches and knows how many they are."""

    @property
    def rows(self) -> int: ...

    def batches(self) -> Iterable[pa.RecordBatch]: ...


@dataclass(frozen=True)
class IdentSheet(Sheet):
    """A sheet that also knows which keys and texts are equal; see the file's first lines."""

    idents: Mapping[str, np.ndarray] = field(default_factory=dict)
    misfits: Mapping[str, np.ndarray] = field(default_factory=dict)

    def take(self, rows: np.ndarray) -> IdentSheet:
        plain = super().take(rows)
        return IdentSheet(plain.rows, plain.values, plain.levels, {n: v[rows] for n, v in self.idents.items()},
                          {n: v[rows] for n, v in self.misfits.items()})


Cells = dict[str, Any]  #: column -> float64 array of a numeric kind, else a list of Arrow arrays


def sheets(table: Table, *datasets: Batches, keep: Sequence[np.ndarray | None] = (),
           roles: Sequence[str] = ROLES) -> list[IdentSheet]:
    """One sheet for every dataset.

    Parameters
    ----------
    table : the schema; every dataset must have exactly its columns, in any order.
    datasets : objects with ``rows`` and ``batches()``; the first is the original.
    keep : for every dataset the sorted numbers of the rows to read, or None for all.
    roles : what each dataset is called where something is wrong with it.

    Raises
    ------
    SchemaError : a dataset lacks a column or has one too many.
    InputError : the original does not hold what the schema says.

    >>> from types import SimpleNamespace
    >>> people = pa.record_batch({"age": pa.array([20, None]), "sex": pa.array(["f", "m"])})
    >>> table = Table("people", (Column("age", "integer", "int64"), Column("sex", "category")))
    >>> got = sheets(table, SimpleNamespace(rows=2, batches=lambda: [people]))[0]
    >>> got.values["age"].tolist(), got.values["sex"].tolist(), got.levels["sex"]
    ([20.0, nan], [0, 1], ['f', 'm'])
    """
    picks = list(keep) or [None] * len(datasets)
    read_in = [_Reader(table, roles[i]).read(d, p)
               for i, (d, p) in enumerate(zip(datasets, picks, strict=True))]
    cells = [c for c, _, _ in read_in]
    values: list[dict[str, np.ndarray]] = [{} for _ in datasets]
    idents: list[dict[str, np.ndarray]] = [{} for _ in datasets]
    levels: dict[str, Sequence[str]] = {}
    for column in table.columns:
        parts = [c[column.name] for c in cells]
        for name, found, texts in _compared(column, parts, table):
            if texts is not None:
                levels[name] = texts
            for sheet, array in zip(values, _tamed(found) if column.bounds is None else found, strict=True):
                sheet[name] = array
        if column.kind in ("key", "text", "empty"):
            for sheet, array in zip(idents, _levels(column, parts, None)[0], strict=True):
                sheet[column.name] = array.astype(np.int64)
    return [IdentSheet(n, v, levels, i, m) for v, i, (_, m, n) in zip(values, idents, read_in, strict=True)]


def _tamed(found: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """The arrays of one column, all of them smaller by one power of two where the squares of its numbers would be
    infinite: nothing that is measured depends on the unit."""
    if found[0].dtype.kind != "f":
        return found
    most = max((float(np.nanmax(np.abs(array))) for array in found if np.isfinite(array).any()), default=0.0)
    return found if most < HUGE else [np.ldexp(array, -int(np.log2(most / HUGE)) - 1) for array in found]


@dataclass(frozen=True)
class _Reader:
    """Reads one dataset: every column as typed cells, of the picked rows only, and the cells that do not fit."""

    table: Table
    role: str

    def read(self, dataset: Batches, pick: np.ndarray | None) -> tuple[
            Cells, dict[str, np.ndarray], int]:
        parts: dict[str, list[Any]] = {n: [] for n in self.table.names}
        wrong: dict[str, list[np.ndarray]] = {n: [] for n in self.table.names}
        start = rows = 0
        for batch in dataset.batches():
            _same_columns(self.table, batch.schema.names, self.role)
            first, start = start, start + batch.num_rows
            if pick is not None:
                low, high = np.searchsorted(pick, [first, start])
                batch = batch.take(pa.array(pick[low:high] - first))
            rows += batch.num_rows
            for column in self.table.columns:
                array = batch.column(batch.schema.get_field_index(column.name))
                cells, bad = self._column(column, array)
                parts[column.name].append(_numbers(column, cells) if column.numeric else cells)
                wrong[column.name].append(bad)
        return ({c.name: _joined(c, parts[c.name]) for c in self.table.columns},
                {n: np.concatenate(w) for n, w in wrong.items() if any(b.any() for b in w)}, rows)

    def _column(self, column: Column, array: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Cells and which of them do not fit. The original must fit; elsewhere a misfit is an error of the generator,
        counted by ``validity``, and a fraction in a column of whole numbers is still a number."""
        try:
            return read(column, array).values, np.zeros(len(array), bool)
        except InputError as error:
            if self.role == ROLES[0]:
                raise error.at(f"the {self.role} table") from None
        kind = "decimal" if column.kind == "integer" else column.kind
        got = read(replace(column, kind=kind, lenient=True), array)
        here = np.asarray(pc.is_valid(array))
        if pa.types.is_floating(array.type):
            here &= ~np.asarray(pc.fill_null(pc.is_nan(array), False))
        if got.absent is not None:
            here &= (got.absent == 0) | (got.absent > len(column.missing))
        return got.values, here & np.asarray(pc.is_null(got.values))


def _joined(column: Column, parts: list[Any]) -> Any:
    if column.numeric:
        return np.concatenate(parts) if parts else np.empty(0)
    return parts


def _same_columns(table: Table, names: Sequence[str], role: str) -> None:
    wanted, here = set(table.names), set(names)
    if wanted == here and len(names) == len(here):
        return
    said = [f"{what} {', '.join(map(repr, sorted(columns)[:5]))}{' …' if len(columns) > 5 else ''}"
            for what, columns in (("lacks", wanted - here), ("has in addition", here - wanted)) if columns]
    raise SchemaError(f"the {role} table {' and '.join(said) or 'has a column twice'}", where=f"table {table.name!r}",
                      hint="all tables that are compared need the same columns")


def _compared(column: Column, parts: Sequence[Any], table: Table) -> Iterable[
        tuple[str, Sequence[np.ndarray], list[str] | None]]:
    """(name, an array for every sheet, level texts or None) of what metrics compare."""
    if column.kind in ("key", "empty"):
        return
    if column.kind == "text":
        for what, count in (("length", pc.utf8_length), ("words", _words)):
            yield _derived(column.name, what, table), [_counted(p, count) for p in parts], None
    elif column.numeric:
        yield column.name, parts, None
    else:
        codes, texts = _levels(column, parts, LIMIT)
        yield column.name, [c.astype(np.int32) for c in codes], texts


def _derived(name: str, what: str, table: Table) -> str:
    """A name for a derived column that no column of the table has."""
    made = f"{name} ({what})"
    while made in table.names:
        made += "'"
    return made


def _texts(array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        return array.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.large_string())


def _words(texts: pa.Array) -> pa.Array:
    return pc.count_substring_regex(texts, r"\S+")


def _counted(chunks: Sequence[pa.Array], count: Callable[[pa.Array], pa.Array]) -> np.ndarray:
    counts = [count(_texts(c)).cast(pa.float64()).to_numpy(zero_copy_only=False) for c in chunks]
    return np.concatenate(counts) if counts else np.empty(0)


SECONDS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def _numbers(column: Column, array: pa.Array) -> np.ndarray:
    """float64 with NaN where missing; moments in days or seconds."""
    kind, per = array.type, 1.0
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan)
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


def _levels(column: Column, parts: Sequence[Sequence[pa.Array]], limit: int | None) -> tuple[
        list[np.ndarray], list[str]]:
    """Level numbers of every part, -1 where missing, and what the levels are called."""
    pools, numbers, offset = [], [], 0
    for chunk in (c for p in parts for c in p):
        coded = chunk if pa.types.is_dictionary(chunk.type) else _texts(chunk).dictionary_encode()
        at = pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        numbers.append(np.where(at < 0, -1, at + offset))
        pools.append(_texts(coded.dictionary))
        offset += len(pools[-1])
    pool = pa.concat_arrays([*pools, pa.array([], pa.large_string())]).dictionary_encode()
    order = pc.sort_indices(pool.dictionary).to_numpy()
    texts = pool.dictionary.take(pa.array(order))
    rank = np.full(len(order) + 1, -1)
    rank[order] = np.arange(len(order))
    place = np.r_[rank[pc.fill_null(pool.indices, -1).to_numpy(zero_copy_only=False)], -1]
    sizes = [sum(len(c) for c in p) for p in parts]
    codes = place[np.concatenate([*numbers, np.empty(0, np.int64)]).astype(np.int64)]
    codes, names = _grouped(codes, texts, sizes[0], limit)
    if column.levels and limit is not None:
        codes, names = _declared(codes, names, column.levels)
    return np.split(codes, np.cumsum(sizes)[:-1]), names


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
