"""Fixed combinations and one-hot groups: ``combinations(a, b)``, ``onehot(a, b, c)``.

The columns become one, whose levels are the combinations that at least k rows hold (of a one-hot group the names of
its columns); no other is ever drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence, sound
from fabrica.contract import Cells
from fabrica.errors import SchemaError
from fabrica.rules.counts import Counts
from fabrica.rules.law import Kept, Law, Rows, Study
from fabrica.rules.pool import Chain, Pool, chained
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.state import State

__all__ = ["Group"]

LONGEST = 40  #: characters of a cell in the name of a combination


@dataclass(frozen=True)
class Group(Law):
    """Columns whose combinations are those that were seen; of a one-hot group exactly one is true."""

    members: tuple[str, ...]
    onehot: bool
    table: Table = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return self.members

    @property
    def gives(self) -> tuple[str, ...]:
        return self.members

    @property
    def known(self) -> tuple[Column, ...]:
        return tuple(self.table[name] for name in self.members)

    @property
    def name(self) -> str:
        """Of the column that is learned."""
        return _unlike(" + ".join(self.members), self.table.names)

    def study(self, k: int, built: bool) -> Study:
        return _Study(self, k, built)

    def stored(self, state: State, built: bool) -> Kept:
        pools = tuple(Pool.from_state(c, state.part(str(i))) for i, c in enumerate(self.known))
        chain = chained(pools, state.part("held"))
        sound.demand(len(chain.codes) > 0, "a group without combinations")
        return Grouped(self, built, pools, chain)

    def odd(self, cells: list[Cells]) -> np.ndarray:
        """(n,) bool: where a one-hot group is false: two are true, or none of which nothing is missing is."""
        if not self.onehot:
            return np.zeros(len(cells[0]), bool)
        ones, missing, strange = (np.zeros(len(cells[0]), np.int64) for _ in range(3))
        for cell in cells:
            lacks = absence.kinds(cell) > 0
            value = cell.values.cast(pa.float64()) if not pa.types.is_boolean(cell.values.type) else (
                cell.values.cast(pa.int8()).cast(pa.float64()))
            number = value.fill_null(0.0).to_numpy(zero_copy_only=False)
            ones += ~lacks & (number == 1)
            strange += ~lacks & (number != 0) & (number != 1)
            missing += lacks
        return (strange > 0) | (ones > 1) | ((ones == 0) & (missing == 0))


def _unlike(name: str, names: list[str]) -> str:
    while name in names:
        name += "'"
    return name


class _Study(Study):
    """Counts combinations."""

    def __init__(self, law: Group, k: int, built: bool):
        self.law, self.k, self.built, self.counts = law, k, built, Counts(law.known)

    def look(self, rows: Rows) -> None:
        self.counts.add(rows)
        self.broken += int(self.law.odd([rows[name] for name in self.law.members]).sum())

    def kept(self) -> Kept:
        cells, counts = self.counts.done()
        order = np.flatnonzero(counts >= self.k)
        if not len(order):
            raise SchemaError(f"no combination may be told: fewer than {self.k} rows hold each",
                              where=repr(self.law.text), hint="leave the rule out")
        few = [cell.take(order) for cell in cells]
        pools = tuple(Pool.of(c, cell.values) for c, cell in zip(self.law.known, few, strict=True))
        codes = np.stack([p.code(cell) for p, cell in zip(pools, few, strict=True)], 1)
        return Grouped(self.law, self.built, pools, Chain.of([p.size for p in pools], codes))


@dataclass(frozen=True, eq=False)
class Grouped(Kept):
    """Columns as one: ``held`` are the combinations of the codes of their ``pools``."""

    law: Group
    built: bool
    pools: tuple[Pool, ...]
    held: Chain

    @property
    def drops(self) -> tuple[str, ...]:
        return self.law.members if self.built else ()

    @property
    def adds(self) -> tuple[tuple[str, Column], ...]:
        return ((self.law.members[0], Column(self.law.name, "category", "string")),) if self.built else ()

    @cached_property
    def levels(self) -> list[str]:
        """The name of each combination."""
        columns = [_texts(pool, codes) for pool, codes in zip(self.pools, self.held.codes.T, strict=True)]
        found: dict[str, None] = {}
        for i, cells in enumerate(zip(*columns, strict=True)):
            true = [n for n, c in zip(self.law.members, cells, strict=True) if c in ("1", "1.0", "true")]
            text = true[0] if self.law.onehot and len(true) == 1 else " | ".join(cells)
            found[f"{text} ({i})" if text in found else text] = None
        return list(found)

    def reduce(self, rows: Rows) -> dict[str, Cells]:
        """Combinations that may not be told have each a level of its own, which the codec protects."""
        codes = [pool.code(rows[name]) for name, pool in zip(self.law.members, self.pools, strict=True)]
        at, levels = self.held.find(codes), self.levels
        rare = np.flatnonzero(at < 0)
        if len(rare):
            counted = Counts(self.law.known)
            few = {name: rows[name].take(rare) for name in self.law.members}
            counted.add(few)
            cells, _ = counted.done()
            pools = [Pool.of(c, cell.values) for c, cell in zip(self.law.known, cells, strict=True)]
            own = np.stack([p.code(few[name]) for name, p in zip(self.law.members, pools, strict=True)], 1)
            order, number = np.unique(own, axis=0, return_inverse=True)
            at[rare] = len(levels) + number.reshape(-1)
            levels = [*levels, *(_digest(pools, codes) for codes in order)]
        values = pa.DictionaryArray.from_arrays(pa.array(at.astype(np.int32)), pa.array(levels, pa.string()))
        return {self.law.name: Cells(values)}

    def restore(self, inner: Rows, outer: Rows, run: Run) -> dict[str, Cells]:
        values = inner[self.law.name].values
        levels = pa.array(self.levels, pa.string())
        if not pa.types.is_dictionary(values.type):
            values = values.cast(pa.string()).dictionary_encode()
        lut = np.append(pc.index_in(values.dictionary, levels).fill_null(0).to_numpy(zero_copy_only=False), 0)
        at = lut[values.indices.fill_null(-1).to_numpy(zero_copy_only=False)].astype(np.int64)
        codes = self.held.codes[at]
        return {name: pool.cells(codes[:, i]) for i, (name, pool) in
                enumerate(zip(self.law.members, self.pools, strict=True))}

    def broken(self, rows: Rows) -> np.ndarray:
        """Where a whole combination is none of those that are held, and where a one-hot group is false."""
        cells = [rows[name] for name in self.law.members]
        at = self.held.find([pool.code(cell) for pool, cell in zip(self.pools, cells, strict=True)])
        if self.law.onehot:
            return self.law.odd(cells)
        return (at < 0) & np.all([absence.kinds(cell) == 0 for cell in cells], axis=0)

    def words(self) -> str:
        if not self.built:
            return "held against finished rows"
        return f"one column of {len(self.held.codes):,} {'levels' if self.law.onehot else 'combinations'}"

    def state(self) -> State:
        arrays = {str(i): np.ascontiguousarray(column) for i, column in enumerate(self.held.codes.T)}
        pools = {str(i): pool.state() for i, pool in enumerate(self.pools)}
        return State.nest({**pools, "held": State({}, arrays)})


def _texts(pool: Pool, codes: np.ndarray) -> list[str]:
    known = [str(v).lower() if isinstance(v, bool) else str(v).strip()[:LONGEST] for v in pool.values.to_pylist()]
    return [known[c] if c < len(known) else "" for c in codes]


def _digest(pools: list[Pool], codes: np.ndarray) -> str:
    """A name for a combination that may not be told; it is the same in every part of a table, and goes no further."""
    import hashlib

    cells = [str(pool.values[int(c)].as_py()) if c < len(pool.values) else f"\0{c - len(pool.values)}"
             for pool, c in zip(pools, codes, strict=True)]
    return "rare " + hashlib.blake2b("\x1f".join(cells).encode(), digest_size=12).hexdigest()
