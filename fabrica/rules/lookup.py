"""Dependencies and hierarchies: ``state -> region``, ``a, b -> c``, ``state in region``.

The dependent column is looked up. The table holds only keys and values that at least k rows hold together; a key that
it does not know takes the value of its neighbour in the order of the keys: whatever the key is, the value is a
function of it. A key with which the value is sometimes missing leaves it so where it was learned to be; where a key is
missing the value is as it was learned. (Functional dependencies: Armstrong 1974.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from fabrica import absence, sound
from fabrica.contract import Cells
from fabrica.errors import SchemaError
from fabrica.rules.counts import Counts
from fabrica.rules.law import Kept, Law, Rows, Study, placed
from fabrica.rules.pool import Chain, Pool, chained
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.state import State

__all__ = ["Lookup"]

HIDDEN = 0.05  #: share of rows with protected keys from which the value is learned too, to keep its law


@dataclass(frozen=True)
class Lookup(Law):
    """Rows that agree in ``given`` agree in ``then``."""

    given: tuple[str, ...]
    then: str
    table: Table = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.given, self.then)

    @property
    def gives(self) -> tuple[str, ...]:
        return (self.then,)

    @property
    def needs(self) -> tuple[str, ...]:
        return self.given

    @property
    def follows(self) -> bool:
        return True

    @property
    def known(self) -> tuple[Column, ...]:
        return tuple(self.table[name] for name in self.columns)

    def study(self, k: int, built: bool) -> Study:
        return _Study(self, k, built)

    def stored(self, state: State, built: bool) -> Kept:
        pools = tuple(Pool.from_state(c, state.part(str(i))) for i, c in enumerate(self.known))
        chain = chained(pools[:-1], state.part("keys"))
        sound.demand(len(chain.codes) > 0, "a table without keys")
        values = sound.array(state.part("keys"), "value", size=len(chain.codes), low=0, high=pools[-1].size - 1,
                             kind=np.int64)
        sometimes = sound.array(state.part("keys"), "sometimes", size=len(chain.codes), low=0, high=1, kind=np.int64)
        learned, way = sound.plain(state, "learned", bool), sound.whole(state, "way", 1, 255)
        return Looked(self, built, pools[:-1], pools[-1], chain, values, sometimes > 0, learned, way)


class _Study(Study):
    """Counts keys with their values."""

    def __init__(self, law: Lookup, k: int, built: bool):
        self.law, self.k, self.built, self.counts = law, k, built, Counts(law.known)
        self._told: tuple[list[Cells], np.ndarray] | None = None

    def look(self, rows: Rows) -> None:
        self.counts.add(rows)

    @property
    def told(self) -> tuple[list[Cells], np.ndarray]:
        self._told = self._told or self.counts.done()
        return self._told

    def _keyed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(m,) number of each entry's key, whether no part of the key is missing, and whether there is a value."""
        cells, _ = self.told
        codes = [Pool.of(c, cell.values).code(cell) for c, cell in zip(self.law.known[:-1], cells[:-1], strict=True)]
        key = np.unique(np.stack(codes, 1), axis=0, return_inverse=True)[1].reshape(-1)
        whole = np.all([absence.kinds(cell) == 0 for cell in cells[:-1]], axis=0)
        return key, whole, absence.kinds(cells[-1]) == 0

    @property
    def broken(self) -> int:  # type: ignore[override]
        """Rows whose value is not the commonest of their key."""
        key, whole, valued = self._keyed()
        counts = self.told[1]
        asked = whole & valued
        every = np.bincount(key[asked], counts[asked], int(key.max(initial=-1)) + 1)
        most = np.zeros(len(every))
        np.maximum.at(most, key[asked], counts[asked])
        return int((every - most).sum())

    def kept(self) -> Kept:
        cells, counts = self.told
        key, whole, valued = self._keyed()
        safe = whole & (counts >= self.k)
        if not safe.any():
            keys = ", ".join(map(repr, self.law.given))
            raise SchemaError(f"no value of {keys} may be told: fewer than {self.k} rows hold each",
                              where=repr(self.law.text), hint="leave the rule out, or drop the column")
        order = np.flatnonzero(safe)
        order = order[np.lexsort((-counts[order], ~valued[order], key[order]))]  # values before missing ones
        order = order[np.append(True, np.diff(key[order]) > 0)]
        at = pa.array(order)
        pools = [Pool.of(c, cell.values.take(at)) for c, cell in zip(self.law.known, cells, strict=True)]
        codes = [p.code(cell.take(order)) for p, cell in zip(pools, cells, strict=True)]
        sizes = [p.size for p in pools[:-1]]
        chain = Chain.of(sizes, np.stack(codes[:-1], 1))
        place, values = chain.find(codes[:-1]), np.empty(len(order), np.int64)
        values[place] = codes[-1]
        some, none = (np.bincount(key[m], counts[m], int(key.max()) + 1) for m in (whole & valued, whole & ~valued))
        sometimes = np.empty(len(order), bool)
        sometimes[place] = ((some >= self.k) & (none >= self.k))[key[order]]
        learned = self._learned(np.minimum(some, none).sum(), whole, valued)
        ways = np.bincount(absence.kinds(cells[-1]), counts * ~whole, 256)
        return Looked(self.law, self.built, tuple(pools[:-1]), pools[-1], chain, values, sometimes, learned,
                      1 + int(np.argmax(ways[1:])))

    def _learned(self, mixed: float, whole: np.ndarray, valued: np.ndarray) -> bool:
        """Whether the column is learned beside the table: where its values stand without a key, where it is missing in
        some rows of a key only (``mixed`` of them), or where many keys are protected."""
        counts = self.told[1]
        return bool(counts[~whole & valued].sum() >= self.k or mixed >= self.k
                    or counts[whole & (counts < self.k)].sum() > HIDDEN * counts.sum())


@dataclass(frozen=True, eq=False)
class Looked(Kept):
    """A dependency as a table.

    Parameters
    ----------
    given, then : the values of the columns.
    keys : their combinations. values : (m,) the code of each one's value. sometimes : (m,) bool, whether it is
        missing in a part of the key's rows.
    learned : whether the column is learned too, and written over. way : how it is missing where a key is, if not.
    """

    law: Lookup
    built: bool
    given: tuple[Pool, ...]
    then: Pool
    keys: Chain
    values: np.ndarray
    sometimes: np.ndarray
    learned: bool
    way: int

    @property
    def drops(self) -> tuple[str, ...]:
        return () if self.learned or not self.built else (self.law.then,)

    def _codes(self, rows: Rows, near: bool) -> list[np.ndarray]:
        return [pool.code(rows[name], near) for name, pool in zip(self.law.given, self.given, strict=True)]

    def restore(self, inner: Rows, outer: Rows, run: Run) -> dict[str, Cells]:
        codes = self._codes(outer, True)
        whole = np.all([c < len(p.values) for c, p in zip(codes, self.given, strict=True)], axis=0)
        key = self.keys.near(codes)
        told = np.where(whole, self.values[key], len(self.then.values) + self.way)
        found, base = self.then.cells(told), inner.get(self.law.then)
        if base is None:
            return {self.law.then: found}
        use = np.flatnonzero(whole & ~(self.sometimes[key] & (absence.kinds(base) > 0)))
        return {self.law.then: placed(base, use, found.take(use))}

    def broken(self, rows: Rows) -> np.ndarray:
        at = self.keys.find(self._codes(rows, False))
        said = self.then.code(rows[self.law.then])
        known = np.all([c < len(p.values) for c, p in zip(self._codes(rows, False), self.given, strict=True)], axis=0)
        told = self.values[np.maximum(at, 0)]
        both = (absence.kinds(rows[self.law.then]) == 0) & (told < len(self.then.values))
        return (at >= 0) & known & both & (said != told)

    def strays(self, rows: Rows) -> np.ndarray:
        """Where it is only held against finished rows, of a key that is not known too: its value must be that of the
        neighbour, missing where the neighbour has none, or two drawn rows would disagree."""
        if self.built:
            return self.broken(rows)
        codes, said = self._codes(rows, True), self.then.code(rows[self.law.then])
        known = np.all([c < len(p.values) for c, p in zip(codes, self.given, strict=True)], axis=0)
        told = self.values[self.keys.near(codes)]
        there = absence.kinds(rows[self.law.then]) == 0
        return known & there & ((told >= len(self.then.values)) | (said != told))

    @property
    def yields(self) -> tuple[str, ...]:
        return () if self.built else (self.law.then,)

    def words(self) -> str:
        how = f"looked up in a table of {len(self.values):,} keys" if self.built else "held against finished rows"
        return f"{self.law.then!r} is {how}" if self.built else how

    def state(self) -> State:
        pools = {str(i): pool.state() for i, pool in enumerate((*self.given, self.then))}
        arrays = {str(i): np.ascontiguousarray(column) for i, column in enumerate(self.keys.codes.T)}
        return State.nest({**pools, "keys": State({}, {**arrays, "value": self.values,
                                                      "sometimes": self.sometimes.astype(np.int64)})},
                          {"learned": self.learned, "way": self.way})
