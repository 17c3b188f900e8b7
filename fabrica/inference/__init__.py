"""Guesses what the columns of a table mean, and says why.

The guess is made on a sample (``infer``) and then held against every row (``verify``), which widens what fails.
Whoever knows better overrides it (``with_overrides``, ``load_overrides``). One idea a file: numbers, moments, keys,
words, places, missing markers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica.errors import FabricaError
from fabrica.inference.facts import Facts, K
from fabrica.inference.guard import Guard
from fabrica.inference.markers import without
from fabrica.inference.overrides import as_kind, load_overrides, settled, with_overrides
from fabrica.inference.personal import with_personal
from fabrica.inference.places import with_places
from fabrica.inference.references import as_reference, settled_references, with_references
from fabrica.inference.text import guess_text
from fabrica.inference.typed import guess_typed
from fabrica.inference.units import with_units
from fabrica.inference.verify import verify
from fabrica.notation import read
from fabrica.schema import Column, Table, describe

__all__ = ["infer", "verify", "guess", "with_overrides", "load_overrides", "describe"]


def infer(sample: pa.Table, name: str = "table", overrides: Mapping[str, Any] | None = None,
          rows: int | None = None, orders: Mapping[str, Sequence[str]] | None = None,
          k: int = K) -> tuple[Table, list[str]]:
    """The schema of a table, guessed from a sample of its rows, and what a person should know about the guesses.

    Parameters
    ----------
    sample : at most some 50,000 rows, drawn evenly.
    name : of the table.
    overrides : column name -> kind or fields (see ``with_overrides``), or what ``load_overrides`` gave.
    rows : rows of the whole table, where the sample is a part.
    orders : the levels, from low to high, of columns that came as ordered categoricals.
    k : rows that a word must stand for to be written down.

    >>> table, notes = infer(pa.table({"id": ["A-01", "A-02", "A-03"], "fee": ["$1.50", "$2.00", "?"]}))
    >>> [(c.name, c.kind) for c in table.columns]
    [('id', 'key'), ('fee', 'decimal')]
    """
    plain = settled(overrides, sample.column_names, name)
    columns, ranges = [], {}
    known: dict[str, Facts] = {}
    notes: dict[str, str] = {}
    for i, label in enumerate(sample.column_names):
        said = plain.get(label, {})
        facts = Facts.of(label, sample.column(i), rows, (orders or {}).get(label, ()), k)
        facts = without(facts, said.get("missing", ()))
        wanted = said.get("kind")
        column, note = as_kind(facts, wanted, guess) if wanted else guess(facts)
        columns.append(column)
        known[label], notes[label] = facts, note
        if column.kind == "decimal" and (span := _range(column, facts)):
            ranges[label] = span
    table = with_places(Table(name, tuple(columns)), {n: r for n, r in ranges.items() if n not in plain})
    table, refer = with_references(table, known, plain)
    table, personal = with_personal(table, known, plain)
    table, whose = with_units(table, sample, known, plain)
    table = settled_references(with_overrides(table, plain, f"overrides of table {name!r}"))
    guard = Guard.of(table)
    for label in guard.names:
        guard.look(label, known[label].pool)
    table, open_ = guard.settle(max(rows or 0, sample.num_rows))
    table = settled_references(table)
    lines = [note for label, note in notes.items() if note and not _pointing(table[label])
             and not (table[label].personal and table[label].kind == "key")]
    return table, [*lines, *refer, *_summary(table), *personal, *whose, *open_]


def _pointing(column: Column) -> bool:
    return column.refers and column.notation.get("to") is not None


def _summary(table: Table) -> list[str]:
    """One line for all columns whose values are not learned."""
    lines = []
    for kind, words in (("key", "identifiers, made afresh and never learned"),
                        ("text", "free text, learned as patterns only")):
        found = [c.name for c in table.columns if c.kind == kind and not c.refers and not c.personal]
        if found:
            shown = ", ".join(map(repr, found[:5])) + (", …" if len(found) > 5 else "")
            lines.append(f"{len(found)} column(s) are {words}: {shown}")
    return lines


def guess(facts: Facts) -> tuple[Column, str]:
    """``(column, note)`` of one column."""
    if facts.order and len(levels := facts.held_by_k(facts.order)) > 1:
        return Column(facts.name, "ordinal", facts.storage, levels=levels, why="an ordered categorical"), ""
    return as_reference(*(guess_text(facts) if facts.textual else guess_typed(facts)), facts)


def _range(column: Column, facts: Facts) -> tuple[float, float] | None:
    try:
        x = np.asarray(read(replace(column, lenient=True), facts.pool).values.drop_null())
    except FabricaError:
        return None
    return (float(x.min()), float(x.max())) if len(x) else None
