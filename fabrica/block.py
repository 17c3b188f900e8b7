"""Encoded columns: all that an engine ever sees.

A codec maps each column to a small integer alphabet (``codes``) whose order has a meaning where
``ordered`` is true. ``absent`` codes at the low end of the alphabet are kinds of missingness. A code that
may be learned from but must never be drawn (people with rare levels) is the ``rest``. ``grid`` places
each ordered code in [0, 1] inside the column's learned marginal, and ``reals`` places each row there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrica.state import State

__all__ = ["Coded", "Block", "Told", "code_type"]


def code_type(size: int) -> np.dtype:
    """The narrowest unsigned type for an alphabet of ``size``."""
    return np.dtype(np.uint8 if size <= 1 << 8 else np.uint16 if size <= 1 << 16 else np.uint32)


@dataclass(frozen=True)
class Told:
    """What noisy counts have told of a column's codes; their price is paid.

    Parameters
    ----------
    counts : (size,) about how many rows have each code; may be negative. variance : (size,) of the noise of each.
    """

    counts: np.ndarray
    variance: np.ndarray


@dataclass(frozen=True)
class Coded:
    """One encoded column of n rows.

    Parameters
    ----------
    name : the column's name, with a suffix where one column gives several (``when.time``).
    size : alphabet size; every code is in [0, size).
    codes : (n,) unsigned integers.
    ordered : whether codes from ``absent`` on are sorted by value.
    absent : how many codes at the low end mean "missing" (one for each missing marker).
    rest : the code of protected rare levels, never to be sampled; None where there is none.
    grid : (size,) position of each code's middle in the marginal, in [0, 1]; NaN where absent; None if nominal.
    reals : (n,) position of each row in the marginal, in [0, 1]; NaN where absent; None if not known.
    axes : (size, A) position of each code along each of A axes, in [0, 1], where codes lie in a plane and not on a
        line (places); NaN where absent; else None.
    told : how many rows have each code, where that may be known through noise alone; else None.
    """

    name: str
    size: int
    codes: np.ndarray
    ordered: bool = False
    absent: int = 0
    rest: int | None = None
    grid: np.ndarray | None = None
    reals: np.ndarray | None = None
    axes: np.ndarray | None = None
    told: Told | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def counts(self, least: int) -> np.ndarray:
        """(size,) float64: how many rows have each code; of the protected rest none or ``least`` at least, since how
        few they are is nobody's business."""
        found = np.bincount(self.codes, minlength=self.size).astype(np.float64)
        if self.rest is not None and 0 < found[self.rest] < least:
            found[self.rest] = least
        return found

    def shown(self, counts: np.ndarray) -> np.ndarray:
        """(size,) float64: ``counts`` (size,) as they may be drawn: those of the protected rest are added to the codes
        that are present, in proportion, for the rest has values too; where there are none, to the missing ones.

        >>> Coded("town", 4, np.zeros(0, np.uint8), absent=1, rest=3).shown(np.array([5.0, 3.0, 1.0, 4.0])).tolist()
        [5.0, 6.0, 2.0, 0.0]
        """
        found = np.array(counts, np.float64)
        if self.rest is None:
            return found
        held, found[self.rest] = found[self.rest], 0.0
        for part in (found[self.absent :], found[: self.absent]):
            if (there := part.sum()) > 0:
                part *= (there + held) / there
                return found
        return np.array(counts, np.float64)

    def take(self, rows: np.ndarray | slice) -> Coded:
        return replace(self, codes=self.codes[rows], reals=None if self.reals is None else self.reals[rows])

    def empty(self) -> Coded:
        """The same alphabet without rows: what a model keeps to know its columns."""
        return replace(self, codes=self.codes[:0], reals=None)

    def filled(self, codes: np.ndarray, reals: np.ndarray | None = None) -> Coded:
        """The same alphabet with other rows."""
        return replace(self, codes=codes.astype(code_type(self.size), copy=False), reals=reals)


@dataclass(frozen=True)
class Block:
    """Encoded columns of equal length, in the table's order; ``offsets`` groups rows where they are ragged."""

    columns: tuple[Coded, ...]
    rows: int
    offsets: np.ndarray | None = None

    @classmethod
    def of(cls, columns: Iterable[Coded], rows: int | None = None) -> Block:
        columns = tuple(columns)
        rows = len(columns[0]) if rows is None else rows
        if any(len(c) != rows for c in columns):
            raise ValueError("columns of a block differ in length")
        return cls(columns, rows)

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[Coded]:
        return iter(self.columns)

    def select(self, names: Sequence[str]) -> Block:
        by_name = {c.name: c for c in self.columns}
        return Block(tuple(by_name[n] for n in names), self.rows, self.offsets)

    def take(self, rows: np.ndarray | slice) -> Block:
        length = len(range(*rows.indices(self.rows))) if isinstance(rows, slice) else (
            int(rows.sum()) if rows.dtype == bool else len(rows))
        return Block(tuple(c.take(rows) for c in self.columns), length)

    def empty(self) -> Block:
        return Block(tuple(c.empty() for c in self.columns), 0)

    def state(self) -> State:
        """The alphabets, without the rows."""
        said = ("name", "size", "ordered", "absent", "rest")
        plain = [{key: getattr(c, key) for key in said} for c in self]
        grids = {str(i): c.grid for i, c in enumerate(self) if c.grid is not None}
        axes = {f"{i}.axes": c.axes for i, c in enumerate(self) if c.axes is not None}
        return State({"columns": plain}, {**grids, **axes})

    @classmethod
    def from_state(cls, state: State) -> Block:
        columns = [Coded(**p, codes=np.empty(0, code_type(p["size"])), grid=state.arrays.get(str(i)),
                         axes=state.arrays.get(f"{i}.axes")) for i, p in enumerate(state.plain["columns"])]
        return cls(tuple(columns), 0)

    @staticmethod
    def concat(blocks: Sequence[Block]) -> Block:
        first = blocks[0]
        columns = []
        for i, column in enumerate(first.columns):
            parts = [b.columns[i] for b in blocks]
            reals = None if any(p.reals is None for p in parts) else np.concatenate([p.reals for p in parts])
            columns.append(replace(column, codes=np.concatenate([p.codes for p in parts]), reals=reals))
        return Block(tuple(columns), sum(b.rows for b in blocks))
