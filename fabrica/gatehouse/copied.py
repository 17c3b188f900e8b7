"""Who stands in the twin cell by cell, or but for one, counted over all rows: a sample of a large table would find few.

As ``metrics/privacy/verbatim`` and ``verbatim_but_one``: attacked are people who are alone with their row, or with all
of it but one column, whichever or a certain one, among all real ones; those of the holdout say how many stand so in the
twin by luck. Rows are compared by marks of 64 bits, table after table in parts; the columns to be left out are read a
few at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from fabrica.attack import Place, with_worst
from fabrica.gatehouse.cells import plain, texts
from fabrica.reached import Guesses
from fabrica.report import Finding
from fabrica.rows import marked, recognised
from fabrica.schema import Column, Table
from fabrica.sheets import Batches

__all__ = ["copied", "counted"]

TOGETHER = 16  #: columns whose cells are held at a time


def copied(table: Table, real: Batches, holdout: Batches, twin: Batches, unit: str | None = None
           ) -> dict[Place, Guesses]:
    """How many people who are alone with what they have stand in the twin, and as many of the holdout: with all that
    they have (``verbatim``), with all but any one column (``verbatim_but_one``), and with all but each one
    (``verbatim_without``, the column).

    Parameters
    ----------
    table : what the columns mean; keys, texts and what is made afresh are not compared, for whoever copies a person may
        well write those anew. unit : the column that says whose rows they are: a person is
        hit by any of their rows.

    >>> from types import SimpleNamespace
    >>> def rows(*ages):
    ...     return SimpleNamespace(batches=lambda: [pa.record_batch({"age": pa.array(ages)})])
    >>> found = copied(Table("people", (Column("age", "integer", "int64"),)), rows(20, 30, 30), rows(40, 50),
    ...                rows(20, 50, 60))
    >>> found["verbatim",]
    Guesses(hits=1, tries=1, control_hits=1, control_tries=2, seen=1.0)
    """
    tables, marker = (real, holdout, twin), _Marker(table, unit)
    whose = [] if unit is None else [marker.whose(rows) for rows in tables[:2]]
    whole = [marker.marks(rows) for rows in tables]
    exact, but_one, without = recognised(*whole, *whose), list[np.ndarray](), dict[Place, Guesses]()
    for some in marker.parts:
        for i, *cells in zip(some, *(marker.cells(rows, some) for rows in tables), strict=True):
            now = recognised(*(all - one for all, one in zip(whole, cells, strict=True)), *whose)
            but_one = [a | b for a, b in zip(but_one, now, strict=True)] if but_one else list(now)
            without["verbatim_without", marker.columns[i].name] = Guesses.counted(now)
    return {("verbatim",): Guesses.counted(exact), ("verbatim_but_one",): Guesses.counted(but_one or exact), **without}


def counted(findings: Sequence[Finding], found: Mapping[Place, Guesses]) -> list[Finding]:
    """The findings of attacks with the copies that were counted over all rows in place of those in the rows that were
    judged; what the positive control of the attack said, each at its own place, stays."""
    struck = {(one.metric, *one.place): one for one in findings}
    whole = dict[Place, Finding]()
    for name in dict.fromkeys(place[0] for place in found):
        for one, where in with_worst({place: found[place] for place in found if place[0] == name and place in struck}):
            said = struck[name, *where].detail
            control = {word: said[word] for word in ("control", "dose") if word in said}
            whole[name, *one.place] = replace(one, detail={**control, **one.detail})
    return [whole.get((one.metric, *one.place), one) for one in findings]


@dataclass(frozen=True)
class _Marker:
    """Marks of rows: equal ones have equal marks, in every table."""

    table: Table
    unit: str | None

    @cached_property
    def columns(self) -> list[Column]:
        return [c for c in self.table.columns if c.name != self.unit and not _anew(c)]

    @property
    def parts(self) -> Iterator[range]:
        """The columns that are left out, in parts; none where nothing would be left."""
        many = len(self.columns)
        return (range(i, min(i + TOGETHER, many)) for i in range(0, many if many > 1 else 0, TOGETHER))

    def marks(self, rows: Batches) -> np.ndarray:
        """(n,) uint64 of each row."""
        parts = [np.zeros(0, np.uint64)]
        for batch in rows.batches():
            parts.append(np.zeros(batch.num_rows, np.uint64))
            for i in range(len(self.columns)):
                parts[-1] += self._column(batch, i)
        return np.concatenate(parts)

    def cells(self, rows: Batches, some: range) -> list[np.ndarray]:
        """(n,) uint64 of each of some columns, which are parts of the marks."""
        parts = [[np.zeros(0, np.uint64)] for _ in some]
        for batch in rows.batches():
            for i, part in zip(some, parts, strict=True):
                part.append(self._column(batch, i))
        return [np.concatenate(part) for part in parts]

    def _column(self, batch: pa.RecordBatch, i: int) -> np.ndarray:
        return marked(_words(self.columns[i], batch.column(self.columns[i].name)), i)

    def whose(self, rows: Batches) -> np.ndarray:
        """(n,) the number of the person whose row each is; a row that is said to be nobody's is another person's."""
        cells = [texts(batch.column(str(self.unit))) for batch in rows.batches()]
        owners = np.concatenate([np.zeros(0, np.int64), *map(_hashed, cells)])
        numbers = np.unique(owners, return_inverse=True)[1]
        nobody = np.concatenate([np.zeros(0, bool), *(cell.is_null().to_numpy(zero_copy_only=False) for cell in cells)])
        numbers[nobody] = len(owners) + np.arange(nobody.sum())
        return np.asarray(numbers)


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
