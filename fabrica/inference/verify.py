"""Holds a guessed schema against every row and widens what does not hold.

A sample cannot see the one late row that says ``n/a`` or 1.5. The pass reads every column once; the cells that do not
fit are kept aside (a bounded number of them) and the column is guessed again from what was seen and what did not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.inference.facts import Facts
from fabrica.notation import misfits
from fabrica.notation.storage import flat
from fabrica.schema import Column, Table

__all__ = ["verify"]

_KEPT = 2_000  #: distinct cells that do not fit, kept of each column
_SEEN = 50_000  #: cells that do fit, kept to guess again with
_KEYS = 1_000_000  #: values of a key that are looked at for a second one of the same


@dataclass
class _Watch:
    """What one column showed on the way."""

    column: Column
    rows: int = 0
    wrong: int = 0
    pools: list[pa.Array] = field(default_factory=list)
    odd: list[pa.Array] = field(default_factory=list)
    keys: list[pa.Array] = field(default_factory=list)
    kept: int = 0
    twice: bool = False

    def look(self, array: pa.Array) -> None:
        bad = misfits(self.column, array)
        if self.column.kind == "constant":
            bad = _unlike_first(self.pools[0] if self.pools else array, array)
        if self.rows < _SEEN:
            self.pools.append(array[: _SEEN - self.rows])
        if self.column.kind == "key" and self.rows < _KEYS:
            self.keys.append(array)
        self.rows += len(array)
        if bad.any():
            self.wrong += int(bad.sum())
            if self.kept < _KEPT:
                self.odd.append(array.filter(pa.array(bad))[: _KEPT])
                self.kept += len(self.odd[-1])

    def repeats(self) -> bool:
        if not self.keys:
            return False
        seen = pa.chunked_array(self.keys).drop_null()
        return pc.count_distinct(seen).as_py() < len(seen)


def _unlike_first(first: pa.Array, array: pa.Array) -> np.ndarray:
    value = first.drop_null()[:1]
    if not len(value):
        return np.zeros(len(array), bool)
    return np.asarray(pc.invert(pc.fill_null(pc.is_in(array, value), False)))


def verify(table: Table, batches: Iterable[pa.RecordBatch],
           guess: Callable[[Facts], tuple[Column, str]] | None = None) -> tuple[Table, list[str]]:
    """``(table, notes)``: the schema that every row fits, and a line for each column that changed.

    Parameters
    ----------
    table : as guessed from a sample.
    batches : every row of the table, in parts; only a bounded number of cells is kept.
    guess : how a column is guessed again; the house's own if not said.

    >>> from fabrica.inference import infer
    >>> table, _ = infer(pa.table({"fee": ["1", "2", "3"]}))
    >>> late = pa.record_batch({"fee": ["1.5", "2.5"]})
    >>> verify(table, [late])[0]["fee"].kind
    'decimal'
    """
    if guess is None:
        from fabrica.inference import guess as guess_again
        guess = guess_again
    watches = [_Watch(c) for c in table.columns]
    for batch in batches:
        for watch in watches:
            watch.look(flat(batch.column(watch.column.name)))
    changed, notes = {}, []
    for watch in watches:
        column, note = _settle(watch, guess)
        changed[column.name] = column
        notes += [note] if note else []
    return table.with_columns(changed), notes


def _settle(watch: _Watch, guess: Callable[[Facts], tuple[Column, str]]) -> tuple[Column, str]:
    """The column as it was where all rows fit; else guessed again, or lenient where a few cells are odd."""
    column, where = watch.column, f"column {watch.column.name!r}"
    if column.kind == "key" and column.why != "declared" and watch.repeats():
        again, _ = guess(_facts(watch, [*watch.pools, *watch.keys]))
        if again.kind != "key":
            return again, f"{where}: not unique in later rows, so {again.kind} instead of key"
    if not watch.wrong or column.lenient or column.why == "declared":
        return column, ""
    again, _ = guess(_facts(watch, [*watch.pools, *watch.odd]))
    known = {*column.missing, *again.missing}
    again = replace(again, missing=tuple(dict.fromkeys((*column.missing, *again.missing))))
    odd = replace(column, lenient=True), f"{where}: {watch.wrong} later cell(s) do not fit and count as missing"
    few = watch.wrong <= 0.005 * watch.rows
    if again.kind == column.kind or not (few and again.kind in ("category", "text", "key")):
        if again.kind == column.kind and known == set(column.missing) and again.notation == column.notation:
            return odd
        return again, f"{where}: later rows do not fit {column.kind!r}, so it is read as {again.kind!r}"
    return odd


def _facts(watch: _Watch, arrays: list[pa.Array]) -> Facts:
    facts = Facts.of(watch.column.name, pa.chunked_array([a for a in arrays if len(a)]), watch.rows)
    return replace(facts, storage=watch.column.storage)
