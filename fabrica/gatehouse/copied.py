"""Who stands in the twin cell by cell, counted over all rows: a sample of a large table would find few of its copies.

As ``metrics/privacy/verbatim``: attacked are people who are alone with their row among all real ones; those of the
holdout say how many stand in the twin by luck. Rows are compared by marks of 64 bits, table after table in parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from fabrica.gatehouse.cells import plain, texts
from fabrica.reached import Guesses
from fabrica.rows import counted, level_marks
from fabrica.schema import Column, Table
from fabrica.sheets import Batches

__all__ = ["copied"]


def copied(table: Table, real: Batches, holdout: Batches, twin: Batches, unit: str | None = None) -> Guesses:
    """How many people who are alone with what they have stand in the twin, and as many of the holdout.

    Parameters
    ----------
    table : what the columns mean; keys, texts and what is made afresh are not compared, for whoever copies a person may
        well write those anew. unit : the column that says whose rows they are: a person is
        hit by any of their rows.

    >>> from types import SimpleNamespace
    >>> def rows(*ages):
    ...     return SimpleNamespace(batches=lambda: [pa.record_batch({"age": pa.array(ages)})])
    >>> copied(Table("people", (Column("age", "integer", "int64"),)), rows(20, 30, 30), rows(40, 50), rows(20, 50, 60))
    Guesses(hits=1, tries=1, control_hits=1, control_tries=2, seen=1.0)
    """
    marker = _Marker(table, unit)
    sides = [marker.marks(rows) for rows in (real, holdout)]
    made = np.sort(marker.marks(twin, owned=False)[0])
    found = []
    for (own, who), (other, _) in zip(sides, sides[::-1], strict=True):
        alone = counted(own, own) + counted(own, other) == 1
        there = counted(own[alone], made) > 0
        found += [_people(there, who, alone), int(alone.sum()) if who is None else len(np.unique(who[alone]))]
    return Guesses(*found)


def _people(there: np.ndarray, who: np.ndarray | None, alone: np.ndarray) -> int:
    return int(there.sum()) if who is None else len(np.unique(who[alone][there]))


@dataclass(frozen=True)
class _Marker:
    """Marks of rows: equal ones have equal marks, in every table."""

    table: Table
    unit: str | None

    def marks(self, rows: Batches, owned: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
        """(n,) uint64 of each row and, where somebody owns them, (n,) whose it is."""
        parts, owners, whose = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], owned and self.unit is not None
        columns = [c for c in self.table.columns if c.name != self.unit and not _anew(c)]
        for batch in rows.batches():
            cells = [_words(column, batch.column(column.name)) for column in columns]
            parts.append(level_marks(np.stack(cells, 1)) if cells else np.zeros(batch.num_rows, np.uint64))
            if whose:
                owners.append(_hashed(texts(batch.column(str(self.unit)))))
        marks = np.concatenate(parts)
        if not whose:
            return marks, None
        who = np.concatenate(owners)
        once = np.unique(np.stack([marks.view(np.int64), who]), axis=1, return_index=True)[1]  # a row that somebody
        return marks[once], who[once]  # has twice makes nobody less alone


def _anew(column: Column) -> bool:
    """Whether a column is written anew by nature: keys, free texts, fakes."""
    notation = column.notation if isinstance(column.notation, Mapping) else {}
    return column.kind in ("key", "text", "empty") or notation.get("kind") == "fake"


def _words(column: Column, array: pa.Array) -> np.ndarray:
    """(n,) int64 of each cell; a missing one is a value of its own."""
    cells = plain(column, array)
    if not column.numeric:
        return _hashed(cells)
    numbers = cells.to_numpy(zero_copy_only=False)
    return np.where(np.isnan(numbers), np.nan, np.round(numbers, 6) + 0.0).view(np.int64)


def _hashed(words: pa.Array) -> np.ndarray:
    """(n,) int64 of each text."""
    coded = words.dictionary_encode("encode")
    words = np.array([_word(text) for text in coded.dictionary.to_pylist()], np.int64)
    return words[coded.indices.to_numpy(zero_copy_only=False)]


def _word(text: str | None) -> int:
    if text is None:
        return -1
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)
