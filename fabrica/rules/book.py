"""The rules of a table together: the table that is learned, the way to it and back, and the mending of finished rows.

Rules that are encoded away are restored in the order in which they need each other. Then all rules are held against all
rows, and those that break one are mended (``mend.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import notation, sound
from fabrica.contract import Cells
from fabrica.errors import SchemaError
from fabrica.rules.group import Grouped
from fabrica.rules.law import Kept, Law, Rows, placed, taken
from fabrica.rules.lookup import Looked
from fabrica.rules.mend import Mending
from fabrica.rules.read import understood
from fabrica.rules.sense import demand_sense, sorted_by_need
from fabrica.rules.unique import Distinct, Unique
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.state import State

__all__ = ["Reduced", "Rulebook", "learned", "planned"]

@dataclass(frozen=True)
class Reduced:
    """Rows of the table that is learned: columns as the user has them, and typed cells where there are no such."""

    columns: tuple[pa.Array | Cells, ...]
    num_rows: int

    def column(self, i: int) -> Any:
        return self.columns[i]


@dataclass(frozen=True, eq=False)
class Rulebook:
    """How the rules of a table are kept.

    Parameters
    ----------
    outer : the table as the user has it.
    kept : its rules. steps : numbers of those that are encoded away, in the order in which they are restored.
    """

    outer: Table
    kept: tuple[Kept, ...] = ()
    steps: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.kept)

    # ---------------------------------------------------------------- the table that is learned

    @cached_property
    def inner(self) -> Table:
        """The table that is learned."""
        drops = {name for kept in self.kept for name in kept.drops}
        adds = {place: column for kept in self.kept for place, column in kept.adds}
        columns: list[Column] = []
        for column in self.outer.columns:
            columns += [column] if column.name not in drops else []
            columns += [adds[column.name]] if column.name in adds else []
        if not columns:
            raise SchemaError("they leave no column to be learned", where="rules", hint="leave one of them out")
        names = {column.name for column in columns}
        key = self.outer.primary_key if set(self.outer.primary_key) <= names else ()
        return replace(self.outer, columns=tuple(columns), primary_key=key, rules=())

    @cached_property
    def plain(self) -> frozenset[str]:
        """Columns that come out of the inner table as they are drawn, unless they are mended."""
        given = {name for i in self.steps for name in self.kept[i].law.gives if self._given(self.kept[i])}
        return frozenset(set(self.outer.names) - given)

    @staticmethod
    def _given(kept: Kept) -> bool:
        return bool(kept.drops) or kept.law.follows

    @cached_property
    def free(self) -> frozenset[str]:
        """Plain columns that no rule speaks of but to compute others from them: nothing mends them."""
        asked = {name for kept in self.kept if not (kept.built and (kept.law.follows or kept.drops))
                 and not isinstance(kept, Distinct) for name in self.closure(kept.law.columns)}
        return self.plain - asked

    def roots(self, names: Iterable[str]) -> frozenset[str]:
        """The inner columns from which outer columns are restored."""
        found, left = set[str](), list(names)
        while left:
            name = left.pop()
            maker = self._maker.get(name)
            if maker is None:
                found.add(name)
                continue
            found |= {column.name for _, column in maker.adds} | ({name} if name not in maker.drops else set())
            left += list(maker.law.needs)
        return frozenset(found)

    @cached_property
    def _maker(self) -> dict[str, Kept]:
        """Outer column -> the rule that restores it."""
        return {name: self.kept[i] for i in self.steps for name in self.kept[i].law.gives if self._given(self.kept[i])}

    def reduce(self, batch: pa.RecordBatch | pa.Table, first_row: int = 0) -> Reduced:
        """Rows of the outer table as rows of the inner one."""
        if not self.kept:
            return Reduced(tuple(batch.column(i) for i in range(len(self.outer.columns))), batch.num_rows)
        wanted = [kept for kept in self.kept if kept.adds]
        read = cells_of(self.outer, {name for kept in wanted for name in kept.law.columns}, batch, first_row)
        made = {name: cells for kept in wanted for name, cells in kept.reduce(read).items()}
        return Reduced(tuple(made[c.name] if c.name in made else batch.column(c.name) for c in self.inner.columns),
                       batch.num_rows)

    # ---------------------------------------------------------------- and back

    def restore(self, inner: Rows, run: Run, names: Iterable[str] | None = None) -> dict[str, Cells]:
        """Outer cells (of some columns only, if said) from inner ones, not mended yet."""
        wanted = set(self.outer.names if names is None else names)
        found = {name: cells for name, cells in inner.items() if name in self.outer.names}
        for i in self.steps:
            kept = self.kept[i]
            if not self._given(kept) or (names is not None and not wanted & set(kept.law.gives)
                                         and not self._needed(kept, wanted)):
                continue
            if all(name in found for name in kept.law.needs):
                found.update(kept.restore(inner, found, run.child(i)))
        return {name: found[name] for name in self.outer.names if name in found and (names is None or name in wanted)}

    def _needed(self, kept: Kept, wanted: set[str]) -> bool:
        """Whether one of the wanted columns is restored from what the rule gives."""
        left, seen = list(wanted), set[str]()
        while left:
            name = left.pop()
            if name in kept.law.gives:
                return True
            if name in seen or name not in self._maker:
                continue
            seen.add(name)
            left += list(self._maker[name].law.needs)
        return False

    def breaking(self, rows: Rows, restored: bool = False, only: Collection[int] | None = None, drawn: bool = False
                 ) -> dict[int, np.ndarray]:
        """Rule -> (n,) which rows break it; only rules that some row breaks, and whose columns are there. ``restored``:
        the rows have just been, so that tables and groups need no second look; ``only`` some rules are asked;
        ``drawn``: strays count too."""
        found = {}
        for i, kept in enumerate(self.kept):
            sure = restored and kept.built and isinstance(kept, Looked | Grouped)
            if only is not None and i not in only:
                continue
            if not sure and all(name in rows for name in kept.law.columns):
                bad = kept.strays(rows) if drawn else kept.broken(rows)
                if bad.any():
                    found[i] = bad
        return found

    def mended(self, rows: Rows, run: Run) -> dict[str, Cells]:
        """Finished rows that were edited so mended that they obey: formulas are computed, the rest is mended; a row
        that cannot be takes all columns that rules speak of from one that obeys. Uniqueness is not looked at.

        Raises
        ------
        SchemaError : no row obeys.
        """
        cells, broken = self.settled(rows, run)
        where, fine = np.flatnonzero(broken), np.flatnonzero(~broken)
        if len(where):
            if not len(fine):
                raise SchemaError("no row obeys all of them after the changes", where="rules")
            lender = run.child("whole").random().choice(fine, len(where))
            asked = self.closure(n for k in self.kept if not isinstance(k, Distinct) for n in k.law.columns)
            for name in {*asked, *(n for k in self.kept if k.built for n in k.law.gives)} & set(cells):
                if self.outer[name].kind != "key":
                    cells[name] = placed(cells[name], where, cells[name].take(lender))
        return cells

    def settled(self, rows: Rows, run: Run, restored: bool = False) -> tuple[dict[str, Cells], np.ndarray]:
        """The rows with those that break a rule mended, and (n,) bool: those that still break one."""
        return Mending(self).settled(rows, run, restored)

    @cached_property
    def told(self) -> tuple[str, ...]:
        """The columns that rules speak of."""
        return tuple(dict.fromkeys(name for kept in self.kept for name in (*kept.law.columns, *kept.law.gives)))

    def closure(self, names: Iterable[str]) -> tuple[str, ...]:
        """The columns that must go together for these to change: the sources of those that are computed, all of a
        group."""
        found, left = dict[str, None](), list(names)
        seen: set[str] = set()
        while left:
            name = left.pop(0)
            if name in seen:
                continue
            seen.add(name)
            maker = self._maker.get(name)
            if maker is not None and maker.law.follows:
                left += list(maker.law.needs)
                if name not in maker.drops:
                    found[name] = None
            elif maker is not None and len(maker.law.gives) > 1:
                found.update(dict.fromkeys(maker.law.gives))
            else:
                found[name] = None
        return tuple(found)

    def again(self, rows: Rows, run: Run) -> dict[str, Cells]:
        """The rows with all columns that are functions of others computed again."""
        found = dict(rows)
        for i in self.steps:
            law = self.kept[i].law
            if law.follows and all(name in found for name in law.columns):
                base = found if not self.kept[i].drops else {n: c for n, c in found.items() if n not in law.gives}
                found.update(self.kept[i].restore(base, found, run))
        return found

    @cached_property
    def unique(self) -> tuple[Unique, ...]:
        """Rules that speak of the whole sample, and that are not sure by themselves."""
        return tuple(k.law for k in self.kept if isinstance(k, Distinct) and not k.law.sure)

    # ---------------------------------------------------------------- cells that were missing

    def sources(self, name: str) -> tuple[str, ...]:
        """The outer columns from which an inner column is reduced."""
        made = (kept.law.columns for kept in self.kept for _, column in kept.adds if column.name == name)
        return next(made, (name,))

    def filled(self, inner: Rows, batch: pa.RecordBatch, lacks: Mapping[str, np.ndarray], run: Run
               ) -> dict[str, Cells]:
        """Outer cells of the rows of ``batch``, of which some were missing (``lacks``, column -> (n,) bool) and are now
        drawn as ``inner`` has them; what is known stays. What follows from what is known is computed."""
        names = [name for name in self.outer.names if name in lacks]
        known = cells_of(self.outer, lacks, batch)
        first = {n: self._over(c, known[n], lacks[n]) if n in known else c for n, c in inner.items()}
        made = self.restore(first, run.child("restore"), names)
        cells = {n: self._over(made[n], known[n], lacks[n]) for n in names if n in made}
        for kept in self.kept:
            new = kept.solved(inner, cells, lacks) if kept.built else {}
            cells.update({n: self._over(c, cells[n], lacks[n]) for n, c in new.items()})
        for kept in self.kept:
            there = all(n in cells for n in kept.law.columns)
            where = np.flatnonzero(kept.broken(cells)) if there else np.empty(0, np.int64)
            if len(where):
                for name, fixed in kept.fixed(taken(cells, where), run.child(kept.law.text)).items():
                    free = lacks[name][where]
                    cells[name] = placed(cells[name], where[free], fixed.take(np.flatnonzero(free)))
        return cells

    @staticmethod
    def _over(drawn: Cells, known: Cells, lacks: np.ndarray) -> Cells:
        """The drawn cells where they were lacking, else those that are known."""
        where = np.flatnonzero(~lacks)
        return placed(drawn, where, known.take(where)) if len(where) else drawn

    def broken(self, batch: pa.RecordBatch | pa.Table) -> np.ndarray:
        """(n,) bool: the rows of the user's table that break a rule."""
        bad = self.breaking(cells_of(self.outer, {n for k in self.kept for n in k.law.columns}, batch))
        return np.logical_or.reduce([*bad.values(), np.zeros(batch.num_rows, bool)])

    # ---------------------------------------------------------------- words and state

    def words(self) -> list[str]:
        return [f"rule {kept.law.text}: {kept.words()}" for kept in self.kept]

    def state(self) -> State:
        return State.nest({str(i): kept.state() for i, kept in enumerate(self.kept)}, {"laws": len(self.kept)})

    @classmethod
    def from_state(cls, table: Table, state: State | None) -> Rulebook:
        """Of the rules of a table, with what was learned of them."""
        if state is None:
            sound.demand(not table.rules, "rules of which nothing was learned")
            return cls(table)
        laws, steps = planned(table)
        sound.demand(sound.whole(state, "laws", 0, len(laws)) == len(laws), "rules that are not the table's")
        kept = tuple(law.stored(state.part(str(i)), i in steps) for i, law in enumerate(laws))
        return cls(table, kept, steps)


def planned(table: Table) -> tuple[list[Law], tuple[int, ...]]:
    """The laws of a table, and the numbers of those that are encoded away, in the order of their restoring."""
    laws = understood(table.rules, table)
    demand_sense(laws, table)
    return laws, tuple(sorted_by_need(laws))


def cells_of(table: Table, names: Iterable[str], batch: pa.RecordBatch | pa.Table, first_row: int = 0
             ) -> dict[str, Cells]:
    """Typed cells of some columns of a batch."""
    return {n: notation.read(table[n], batch.column(n), first_row=first_row) for n in table.names if n in set(names)}


def learned(table: Table, batches: Iterable[pa.RecordBatch], k: int, run: Run) -> Rulebook:
    """How the rules of a table are kept, after a look at all its rows.

    Raises
    ------
    ExpressionError, SchemaError : a rule cannot be understood, contradicts another, or is broken by real rows (with
        their count); before anything is learned.
    """
    if not table.rules:
        return Rulebook(table)
    laws, steps = planned(table)
    studies = [law.study(k, i in steps) for i, law in enumerate(laws)]
    asked, rows = {name for law in laws for name in law.columns}, 0
    for batch in batches:
        cells = cells_of(table, asked, batch, rows)
        for study in studies:
            study.look(cells)
        rows += batch.num_rows
        run.tell(rows, rows, "holding the rules against the rows")
    _demand_kept(laws, [study.broken for study in studies], rows)
    return Rulebook(table, tuple(study.kept() for study in studies), steps)


def _demand_kept(laws: Sequence[Law], broken: Sequence[int], rows: int) -> None:
    """Real rows must obey."""
    bad = [(law, count) for law, count in zip(laws, broken, strict=True) if count]
    if not bad:
        return
    said = "; ".join(f"{count:,} of {rows:,} rows break {law.text!r}" for law, count in bad)
    raise SchemaError(said, where="rules", hint="leave a rule out that is none, loosen it, or set the rows right first")

