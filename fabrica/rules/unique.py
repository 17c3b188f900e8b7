"""Uniqueness: ``unique(a, b)``. A stage over the whole sample: what comes a second time is drawn again.

Rows are remembered by 64 bits of their cells (two different rows are taken for one with a chance of 3 in 100 million at
a million rows, which costs a draw). Rows in which a cell is missing are not compared, as in SQL.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from fabrica import absence
from fabrica.rules.law import Kept, Law, Rows, Study
from fabrica.rules.pool import plain
from fabrica.schema import Table
from fabrica.state import State

__all__ = ["Seen", "Unique"]

MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Unique(Law):
    """No two rows agree in all ``members``."""

    members: tuple[str, ...]
    table: Table = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return self.members

    @property
    def sure(self) -> bool:
        """Whether a key that is made afresh is among the members."""
        return any(self.table[name].kind == "key" and not self.table[name].refers for name in self.members)

    def study(self, k: int, built: bool) -> Study:
        return _Study(self)

    def stored(self, state: State, built: bool) -> Kept:
        return Apart(self)


class _Study(Study):
    def __init__(self, law: Unique):
        self.law, self.seen = law, Seen()

    def look(self, rows: Rows) -> None:
        again = self.seen.again(self.law, rows)
        self.broken += len(again)
        self.seen.add(self.law, rows, np.delete(np.arange(len(rows[self.law.members[0]])), again))

    def kept(self) -> Kept:
        return Apart(self.law)


@dataclass(frozen=True, eq=False)
class Apart(Kept):
    """Uniqueness; a single row never breaks it."""

    law: Unique
    built: bool = False

    def broken(self, rows: Rows) -> np.ndarray:
        return np.zeros(len(rows[self.law.members[0]]), bool)

    def words(self) -> str:
        return "keys are made afresh" if self.law.sure else "what comes a second time is drawn again"


class Seen:
    """Rows that were seen so far, by their marks: sorted runs, joined when they are of a size."""

    def __init__(self) -> None:
        self.runs: list[np.ndarray] = []

    def again(self, law: Unique, rows: Rows) -> np.ndarray:
        """Numbers of the rows that came before, here or earlier."""
        marks, whole = _marks(law, rows)
        first = np.unique(marks, return_index=True)[1]
        old = np.ones(len(marks), bool)
        old[first] = False
        for run in self.runs:
            place = np.minimum(np.searchsorted(run, marks), len(run) - 1)
            old |= run[place] == marks
        return whole[old]

    def add(self, law: Unique, rows: Rows, where: np.ndarray) -> None:
        """Remember rows that stay."""
        marks, whole = _marks(law, rows)
        new = np.unique(marks[np.isin(whole, where)])
        while len(new) and self.runs and len(self.runs[-1]) <= 2 * len(new):
            new = np.union1d(self.runs.pop(), new)
        if len(new):
            self.runs.append(new)


def _marks(law: Unique, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The marks of the rows that lack nothing, and their numbers."""
    whole = np.flatnonzero(np.all([absence.kinds(rows[name]) == 0 for name in law.members], axis=0))
    found = np.zeros(len(whole), np.uint64)
    for name in law.members:
        found = _mixed(found ^ _mark(plain(law.table[name], rows[name].take(whole))))
    return found, whole


def _mixed(found: np.ndarray) -> np.ndarray:
    """Bits spread evenly (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        found = found + MIX
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


def _mark(values: pa.Array) -> np.ndarray:
    """(n,) 64 bits of each value."""
    kind = values.type
    if pa.types.is_string(kind):
        coded = values.dictionary_encode()
        own = np.array([int.from_bytes(hashlib.blake2b(str(t).encode(), digest_size=8).digest(), "little")
                        for t in coded.dictionary.to_pylist()], np.uint64)
        return own[coded.indices.to_numpy()] if len(own) else np.zeros(len(values), np.uint64)
    if pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    elif pa.types.is_temporal(kind):
        values = values.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    found = values.to_numpy(zero_copy_only=False)
    return (found + 0.0).view(np.uint64) if found.dtype.kind == "f" else found.astype(np.int64).view(np.uint64)
