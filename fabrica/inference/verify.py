"""Holds a guessed schema against every row and widens what does not hold.

A sample cannot see the one late row that says ``n/a`` or 1.5. The pass reads every column once; the cells that fit and
those that do not are kept apart (a bounded number of each, the latter with the rows that hold them, counted exactly),
and the column is guessed again from both. Words and levels come into the schema only where ``k`` rows hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.inference.facts import Facts, K, told
from fabrica.inference.guard import Guard
from fabrica.inference.personal import shared
from fabrica.inference.references import settled_references
from fabrica.notation import misfits
from fabrica.notation.storage import flat
from fabrica.schema import Column, Table

__all__ = ["verify"]

_KEPT = 2_000  #: distinct cells of one sort (odd ones; levels of an ordinal) that are counted
_SEEN = 50_000  #: cells that do fit, kept to guess again with
_KEYS = 1_000_000  #: values of a key that are looked at for a second one of the same


@dataclass
class _Tally:
    """Distinct cells and the rows that hold each. A cell is counted from its first row on or, once there are too many
    of them, not at all: no count is ever too high."""

    pool: pa.Array | None = None
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    full: bool = False

    def add(self, cells: pa.Array) -> None:
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        found = pc.value_counts(cells.drop_null())
        values, counts = found.field(0), np.asarray(found.field(1)).astype(np.int64)
        if self.pool is None:
            self.pool = values[:0]
        at = np.asarray(pc.fill_null(pc.index_in(values, self.pool), -1))
        np.add.at(self.counts, at[at >= 0], counts[at >= 0])
        new = np.flatnonzero(at < 0)
        self.full |= len(new) > _KEPT - len(self.pool)
        new = new[: _KEPT - len(self.pool)]
        self.pool = pa.concat_arrays([self.pool, values.take(pa.array(new))])
        self.counts = np.concatenate([self.counts, counts[new]])


@dataclass
class _Watch:
    """What one column showed on the way."""

    column: Column
    order: tuple[str, ...] = ()
    k: int = K
    rows: int = 0
    wrong: int = 0
    first: pa.Array | None = None
    pools: list[pa.Array] = field(default_factory=list)
    keys: list[pa.Array] = field(default_factory=list)
    odd: _Tally = field(default_factory=_Tally)
    levels: _Tally = field(default_factory=_Tally)

    def look(self, array: pa.Array) -> None:
        bad = self._unlike(array) if self.column.kind == "constant" else misfits(self.column, array)
        if self.rows < _SEEN:
            self.pools.append(array.filter(pa.array(~bad))[: _SEEN - self.rows])
        if self.column.kind == "key" and not self.column.refers and self.rows < _KEYS:
            self.keys.append(array)
        if self.column.kind == "ordinal" and not self.column.public:
            self.levels.add(array)
        self.rows += len(array)
        if bad.any():
            self.wrong += int(bad.sum())
            self.odd.add(array.filter(pa.array(bad)))

    def _unlike(self, array: pa.Array) -> np.ndarray:
        """The cells that are not the first one of the column."""
        if self.first is None:
            self.first = array.drop_null()[:1] if array.null_count < len(array) else None
        if self.first is None:
            return np.zeros(len(array), bool)
        return np.asarray(pc.invert(pc.is_in(array, self.first))) & np.asarray(pc.is_valid(array))

    def repeats(self) -> bool:
        if not self.keys:
            return False
        seen = pa.chunked_array(self.keys).drop_null()
        return pc.count_distinct(seen).as_py() < len(seen)

    def facts(self, arrays: list[pa.Array], *tallies: _Tally) -> Facts:
        """What was seen of the column: the cells of the arrays and, counted, those of the tallies."""
        held = [a for a in arrays if len(a)] or arrays[:1]
        whole = pa.chunked_array(held) if held else pa.chunked_array([[]], pa.string())
        facts = Facts.of(self.column.name, whole, self.rows, self.order, self.k)
        for tally in tallies:
            if tally.pool is not None and len(tally.pool):
                pool = pa.concat_arrays([facts.pool, tally.pool.cast(facts.pool.type)])
                rows = facts.rows + int(tally.counts.sum())
                facts = replace(facts, pool=pool, counts=np.concatenate([facts.counts, tally.counts]), rows=rows)
        return replace(facts, storage=self.column.storage)


def verify(table: Table, batches: Iterable[pa.RecordBatch],
           guess: Callable[[Facts], tuple[Column, str]] | None = None,
           orders: Mapping[str, Sequence[str]] | None = None, k: int = K) -> tuple[Table, list[str]]:
    """``(table, notes)``: the schema that every row fits, and a line for each column that changed.

    Parameters
    ----------
    table : as guessed from a sample.
    batches : every row of the table, in parts; only a bounded number of cells is kept.
    guess : how a column is guessed again; the house's own if not said.
    orders : the levels, from low to high, of columns that came as ordered categoricals.
    k : rows that a word must stand for to be written down.

    >>> from fabrica.inference import infer
    >>> table, _ = infer(pa.table({"fee": ["1", "2", "3"]}))
    >>> late = pa.record_batch({"fee": ["1.5", "2.5"]})
    >>> verify(table, [late])[0]["fee"].kind
    'decimal'
    """
    if guess is None:
        from fabrica.inference import guess as guess_again
        guess = guess_again
    watches = [_Watch(c, tuple((orders or {}).get(c.name, ())), k) for c in table.columns]
    guard, rows = Guard.of(table), 0
    for batch in batches:
        rows += batch.num_rows
        for watch in watches:
            watch.look(flat(batch.column(watch.column.name)))
        for name in guard.names:
            guard.look(name, flat(batch.column(name)))
    table, open_ = guard.settle(rows)
    for watch in watches:
        watch.column = table[watch.column.name]
    changed, notes = {}, []
    for watch in watches:
        column, note = _settle(watch, guess)
        changed[column.name] = column
        notes += [note] if note else []
    return settled_references(table.with_columns(changed)), [*notes, *open_]


def _settle(watch: _Watch, guess: Callable[[Facts], tuple[Column, str]]) -> tuple[Column, str]:
    """The column as it was where all rows fit; else guessed again, or lenient where a few cells are odd."""
    column, where = watch.column, f"column {watch.column.name!r}"
    if column.why == "declared":
        return column, ""
    if watch.repeats():
        if column.personal and column.notation.get("kind") == "fake":
            return shared(column, watch.facts(watch.keys)), ""
        again, note = guess(watch.facts(watch.keys))
        if again.refers:
            again = replace(again, personal=column.personal)
            return again, f"{where}: not unique in later rows; {note}" if note else ""
        if again.kind != "key":
            return again, f"{where}: not unique in later rows, so {again.kind} instead of key"
    if watch.levels.pool is not None and not watch.levels.full:
        again, _ = guess(watch.facts([], watch.levels))  # all rows tell which levels k of them hold
        return replace(column, levels=again.levels) if again.kind == "ordinal" else column, ""
    if not watch.wrong or column.lenient:
        return column, ""
    again, _ = guess(watch.facts(watch.pools, watch.odd))
    return _widened(watch, again, where)


def _widened(watch: _Watch, again: Column, where: str) -> tuple[Column, str]:
    """The column as it is guessed from the odd cells too; the old one, lenient, where they are few and do not fit."""
    column = watch.column
    more = [m for m in again.missing if m not in column.missing]
    again = replace(again, missing=(*column.missing, *more))
    few = told(watch.wrong, watch.k)
    odd = replace(column, lenient=True), f"{where}: {few} later cell(s) do not fit and count as missing"
    if again.kind != column.kind:
        if watch.wrong <= 0.005 * watch.rows and again.kind in ("category", "text", "key"):
            return odd
        return again, f"{where}: later rows do not fit {column.kind!r}, so it is read as {again.kind!r}"
    if not more and again.notation == column.notation:
        return odd
    again = replace(again, lenient=again.lenient or watch.odd.full)
    said = [f"{len(more)} word(s) of later rows count as missing"] if more else []
    said += ["later rows are written in another way, which is read too"] if again.notation != column.notation else []
    said += ["further odd cells count as missing"] if again.lenient else []
    return again, f"{where}: still {column.kind!r}; " + "; ".join(said)
