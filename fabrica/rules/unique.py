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
from fabrica.kernels import kernel
from fabrica.rules.law import Kept, Law, Rows, Study
from fabrica.rules.pool import plain
from fabrica.schema import Table
from fabrica.state import State

__all__ = ["Seen", "Unique"]

FEWEST = 1 << 12  #: slots of a table, at least
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
        return Distinct(self)


class _Study(Study):
    def __init__(self, law: Unique):
        self.law, self.seen = law, Seen()

    def look(self, rows: Rows) -> None:
        again = self.seen.again(self.law, rows)
        self.broken += len(again)
        self.seen.add(self.law, rows, np.delete(np.arange(len(rows[self.law.members[0]])), again))

    def kept(self) -> Kept:
        return Distinct(self.law)


@dataclass(frozen=True, eq=False)
class Distinct(Kept):
    """Uniqueness; a single row never breaks it."""

    law: Unique
    built: bool = False

    def broken(self, rows: Rows) -> np.ndarray:
        return np.zeros(len(rows[self.law.members[0]]), bool)

    def words(self) -> str:
        return "keys are made afresh" if self.law.sure else "what comes a second time is drawn again"


class Seen:
    """Rows that were seen so far, by their marks: a table with open addressing, half empty at least."""

    def __init__(self) -> None:
        self.slots, self.used = np.zeros(FEWEST, np.uint64), 0

    def again(self, law: Unique, rows: Rows) -> np.ndarray:
        """Numbers of the rows that came before, here or earlier."""
        marks, whole = _marks(law, rows)
        here, before = np.zeros((2, len(marks)), bool)
        _put(np.zeros(_room(len(marks)), np.uint64), marks, here)
        _has(self.slots, marks, before)
        return whole[here | before]

    def add(self, law: Unique, rows: Rows, where: np.ndarray) -> None:
        """Remember rows that stay."""
        marks, whole = _marks(law, rows)
        stays = np.zeros(len(next(iter(rows.values()))), bool)
        stays[where] = True
        marks = marks[stays[whole]]
        self.used += len(marks)
        if _room(self.used) > len(self.slots):
            old, self.slots = self.slots[self.slots > 0], np.zeros(_room(self.used), np.uint64)
            _put(self.slots, old, np.zeros(len(old), bool))
        _put(self.slots, marks, np.zeros(len(marks), bool))


def _room(rows: int) -> int:
    """Slots for as many marks: a power of two."""
    return max(FEWEST, 1 << (2 * rows).bit_length())


@kernel
def _put(slots: np.ndarray, marks: np.ndarray, old: np.ndarray) -> None:
    """Put marks (n,) into the table, and say which of them were there."""
    top = np.uint64(slots.size - 1)
    for i in range(marks.size):
        at = marks[i] & top
        while slots[at] != 0 and slots[at] != marks[i]:
            at = (at + np.uint64(1)) & top
        old[i] = slots[at] == marks[i]
        slots[at] = marks[i]


@kernel
def _has(slots: np.ndarray, marks: np.ndarray, old: np.ndarray) -> None:
    """Say which marks (n,) are in the table."""
    top = np.uint64(slots.size - 1)
    for i in range(marks.size):
        at = marks[i] & top
        while slots[at] != 0 and slots[at] != marks[i]:
            at = (at + np.uint64(1)) & top
        old[i] = slots[at] == marks[i]


def _marks(law: Unique, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The marks of the rows that lack nothing, and their numbers."""
    whole = np.flatnonzero(np.all([absence.kinds(rows[name]) == 0 for name in law.members], axis=0))
    found = np.zeros(len(whole), np.uint64)
    for name in law.members:
        found = _mixed(found ^ _mark(plain(law.table[name], rows[name].take(whole))))
    return np.maximum(found, np.uint64(1)), whole  # an empty slot is 0


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
