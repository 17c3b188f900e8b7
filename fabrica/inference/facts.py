"""What is known of one column before anything is guessed: its distinct cells, how often each stands, what is absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import InputError
from fabrica.notation.storage import as_text, flat, is_text

__all__ = ["Facts", "K", "told"]

MANY = 10  #: times k rows of a column, from which on its form is told by k of them
FORMED = 0.9  #: of the rows, that common forms must have, to be the forms of a column
K = 5  #: a word that fewer rows hold is never written into a schema, unless the language itself has it or `k` is said


def told(rows: int, k: int = K) -> str:
    """A number of rows as a note may tell it: none below ``k``.

    >>> told(3), told(1200)
    ('fewer than 5', '1,200')
    """
    return f"{rows:,}" if rows >= k else f"fewer than {k}"


@dataclass(frozen=True)
class Facts:
    """One column of the sample.

    Parameters
    ----------
    name, storage : of the column.
    rows : rows of the sample.
    total : rows of the whole table.
    pool : (d,) distinct cells that are not null, in the order in which they come.
    counts : (d,) int64, rows that hold each.
    nulls : rows that hold none.
    order : the levels of an ordered dictionary, from low to high.
    k : rows that a word must stand for.
    """

    name: str
    storage: str
    rows: int
    total: int
    pool: pa.Array
    counts: np.ndarray
    nulls: int = 0
    order: tuple[str, ...] = ()
    k: int = K

    @classmethod
    def of(cls, name: str, array: pa.ChunkedArray, total: int | None = None, order: Sequence[str] = (),
           k: int = K) -> Facts:
        storage = str(array.type)
        if pa.types.is_nested(array.type):
            raise InputError(f"lists, structs and maps cannot be learned (its type is {storage})",
                             where=f"column {name!r}", hint="flatten it into plain columns, or leave it out")
        ordered = pa.types.is_dictionary(array.type) and array.type.ordered
        array = flat(array)
        order = tuple(as_text(array.dictionary).to_pylist()) if ordered else tuple(order)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary.take(array.indices)
        nulls = array.null_count
        if pa.types.is_null(array.type):
            array = array.cast(pa.string())
        if pa.types.is_float16(array.type):
            array = array.cast(pa.float32())
        found = pc.value_counts(array.drop_null())
        pool, counts = found.field(0), np.asarray(found.field(1)).astype(np.int64)
        return cls(name, storage, len(array), max(total or 0, len(array)), pool, counts, nulls, order, k)

    @property
    def present(self) -> int:
        """Rows that hold a value."""
        return int(self.counts.sum())

    @property
    def distinct(self) -> int:
        return len(self.pool)

    @property
    def textual(self) -> bool:
        return is_text(self.pool.type)

    @property
    def unique(self) -> bool:
        """No value stands twice."""
        return self.distinct == self.present > 0

    @cached_property
    def text(self) -> pa.Array:
        return self.pool if self.textual else as_text(self.pool)

    @cached_property
    def head(self) -> list[str]:
        """At most 2,000 distinct texts, to look at one by one."""
        step = max(1, self.distinct // 2000)
        return self.text.take(pa.array(np.arange(0, self.distinct, step)[:2000])).to_pylist()

    def keep(self, mask: np.ndarray) -> Facts:
        """Only the distinct cells where ``mask`` is true."""
        return self if mask.all() else replace(self, pool=self.pool.filter(pa.array(mask)), counts=self.counts[mask])

    @property
    def enough(self) -> int:
        """Rows that a form must have to be that of the column: ``k``, but for tables of a few rows, which have none."""
        return self.k if self.present >= MANY * self.k else 1

    def formed(self, loose: bool) -> Facts:
        """The cells written in a form that ``k`` rows have: how one single row is written tells of it, and is not how
        the column is written. All of them where hardly any form comes again.

        Parameters
        ----------
        loose : whether numbers of any length before the mark have one form; else each digit has its place.
        """
        form = pc.replace_substring_regex(self.text, r"\d+" if loose else r"\d", "9")
        form = pc.replace_substring_regex(form, r"\p{L}+", "a")
        if loose:
            tail = pc.struct_field(pc.extract_regex(self.text, r"[.,](?P<tail>\d+)\D*$"), "tail")
            digits = pc.fill_null(pc.utf8_length(tail), 0).cast(pa.string())
            form = pc.binary_join_element_wise(form, digits, "|")
        coded = form.dictionary_encode()
        codes = np.asarray(coded.indices)
        keep = np.bincount(codes, self.counts, len(coded.dictionary))[codes] >= self.enough
        return self.keep(keep) if self.counts[keep].sum() >= FORMED * self.present else self

    @cached_property
    def levels(self) -> float:
        """How many distinct values the whole table is likely to hold (Chao 1984 from singles and pairs)."""
        if self.total <= self.rows:
            return float(self.distinct)
        once, twice = int((self.counts == 1).sum()), int((self.counts == 2).sum())
        unseen = once * (once - 1) / (2.0 * (twice + 1))
        return min(self.distinct + unseen, self.present * self.total / max(self.rows, 1))

    @property
    def repetition(self) -> float:
        """Rows of the whole table for each of its distinct values."""
        return self.present / max(self.rows, 1) * self.total / max(self.levels, 1.0)

    def held_by_k(self, levels: Sequence[str]) -> tuple[str, ...]:
        """Those of the levels that at least ``k`` rows hold, in the order given."""
        often = set(self.text.filter(pa.array(self.counts >= self.k)).to_pylist())
        return tuple(level for level in levels if level in often)

    @property
    def held(self) -> float:
        """Share of the rows whose value at least ``k`` rows hold."""
        return float(self.counts[self.counts >= self.k].sum()) / max(self.present, 1)
