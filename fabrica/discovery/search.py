"""The search: a look at a sample, candidates of every kind, what follows from others left out, all rows asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fabrica import absence, notation
from fabrica.contract import Cells
from fabrica.dataset import Dataset
from fabrica.discovery.calendar import parts, spans
from fabrica.discovery.candidate import Candidate, Candidates, Sample
from fabrica.discovery.dependencies import Determined, dependencies
from fabrica.discovery.groups import combined, onehot, unique
from fabrica.discovery.nulls import nulls, zeros
from fabrica.discovery.orders import orders
from fabrica.discovery.ranges import patterns, ranges
from fabrica.discovery.sums import sums
from fabrica.errors import FabricaError
from fabrica.expression import Expression
from fabrica.rules.formula import Formula
from fabrica.rules.law import Law, Study
from fabrica.rules.read import understood
from fabrica.rules.sense import demand_sense
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["discovered"]

SAMPLE = 50_000  #: rows that are looked at
KINDS = ("formula", "dependency", "order", "group", "missing", "unique", "pattern", "range")


def discovered(dataset: Dataset, table: Table, support: float, k: int, run: Run) -> Candidates:
    """Candidates that hold in at least the share ``support`` of all rows of which they say something.

    Parameters
    ----------
    dataset : the rows. table : their schema. k : rows that whatever is told must stand for.

    Laws that all rows of a sample obey are looked for first; then, by the share, those that some rows break: so that a
    law is not left out because it follows from a habit. Ranges have no habits.
    """
    sample = dataset.sample(SAMPLE, run.child("sample"))
    random = run.child("order").random()
    mixed = random.permutation(sample.num_rows)  # in tables that are sorted the first rows are all alike
    cells = {c.name: notation.read(replace(c, lenient=True), sample.column(c.name)).take(mixed) for c in table.columns}
    order = random.permutation(sample.num_rows)
    look = Sample(table, cells, sample.num_rows, order, k)
    strict = _found(look, run)
    loose = _found(look.loosely(support), run) if support < 1 else []
    found = _pruned([*strict, *loose], table)
    sure = {one.text for one in strict}
    held = [one for one in _held(found, dataset, table, k, run) if one.rows >= 2 * k and one.support >= support
            and (one.broken == 0) >= (one.kind == "range") and (one.broken > 0 or one.text in sure)]
    # the surest first: rules that all rows obey, then those of which more is known
    held.sort(key=lambda one: (KINDS.index(one.kind), one.broken > 0, -one.support))
    return Candidates(tuple(_beside(held, table)))


def _found(look: Sample, run: Run) -> list[Candidate]:
    """The candidates of all kinds, by the sample."""
    tied = Determined(look)
    steps: tuple[Callable[[], Iterator[Candidate]], ...] = (
        lambda: onehot(look), lambda: sums(look), lambda: parts(look), lambda: spans(look), lambda: orders(look),
        lambda: dependencies(look, tied), lambda: combined(look, tied), lambda: nulls(look), lambda: zeros(look, tied),
        lambda: unique(look), lambda: patterns(look), lambda: ranges(look))
    found: list[Candidate] = []
    for i, step in enumerate(steps):
        run.tell(i, len(steps) + 1, "looking for rules")
        found += step()
    return found


# ---------------------------------------------------------------- what follows from others


@dataclass(frozen=True)
class _Said:
    """What candidates that were kept say already: formulas by their target, columns of one-hot groups and of orders."""

    formulas: dict[str, set[str]] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)
    orders: list[set[str]] = field(default_factory=list)

    def holds(self, one: Candidate, columns: set[str], law: Law) -> bool:
        """Whether a candidate follows."""
        if isinstance(law, Formula):  # the same said the other way round
            return law.target in self.formulas or columns in self.formulas.values() or columns <= self.grouped
        if one.kind == "order" and columns in self.orders:
            return True
        if one.kind == "range":
            return bool(columns & (set(self.formulas) | self.grouped))
        if one.kind == "dependency" and law.columns[-1] in self.formulas:
            return True
        by_formula = any(target in columns and columns <= every for target, every in self.formulas.items())
        tied = one.kind in ("order", "dependency", "group") or one.text.endswith("== 0")
        return tied and (by_formula or columns <= self.grouped)

    def add(self, one: Candidate, columns: set[str], law: Law) -> None:
        if isinstance(law, Formula):
            self.formulas[law.target] = columns
        if one.kind == "order":
            self.orders.append(columns)
        if one.text.startswith("onehot"):
            self.grouped.update(columns)


def _pruned(found: Sequence[Candidate], table: Table) -> list[Candidate]:
    """Without what cannot be kept, what is said twice, and what follows from a formula or from a group."""
    kept: dict[str, Candidate] = {}
    said = _Said()
    for one in found:
        laws = _laws(one, table)
        columns = {name for law in laws for name in law.columns}
        if laws and one.text not in kept and not said.holds(one, columns, laws[0]):
            said.add(one, columns, laws[0])
            kept[one.text] = one
    return list(kept.values())


def _laws(one: Candidate, table: Table) -> list[Law]:
    """What a candidate says; nothing where rules cannot say it of such columns, such as keys."""
    try:
        return understood([one.text], table)
    except FabricaError:
        return []


def _beside(held: Sequence[Candidate], table: Table) -> Iterator[Candidate]:
    """Each with what speaks against keeping it beside those before it that all rows obey."""
    laws: list[Law] = []
    for one in held:
        more = [*laws, *_laws(one, table)]
        try:
            demand_sense(more, table)
        except FabricaError as error:
            yield replace(one, clash=error.what if not one.broken else "")
            continue
        laws = laws if one.broken or one.clash else more
        yield one


# ---------------------------------------------------------------- all rows are asked


@dataclass
class _Asked:
    """Counts the rows of which a candidate says something, and those that do not obey."""

    one: Candidate
    laws: list[Law]
    studies: list[Study]
    when: Expression | None
    rows: int = 0

    @classmethod
    def of(cls, one: Candidate, table: Table, k: int) -> _Asked:
        laws = _laws(one, table)
        when = Expression.of(one.when, table) if one.when else None
        return cls(one, laws, [law.study(k, True) for law in laws], when)

    @property
    def columns(self) -> set[str]:
        return {name for law in self.laws for name in law.columns}

    def look(self, cells: dict[str, Cells]) -> None:
        for study in self.studies:
            study.look(cells)
        if self.when is not None:
            there = self.when.truth(cells)
            if " is " not in self.one.text.split(" when ")[0]:
                there &= ~self._lacks(cells, self.columns)
        else:
            there = ~np.all([self._lacks(cells, set(law.columns)) for law in self.laws], axis=0)
        self.rows += int(there.sum())

    @staticmethod
    def _lacks(cells: dict[str, Cells], names: set[str]) -> np.ndarray:
        return np.any([absence.kinds(cells[name]) > 0 for name in names], axis=0)

    def done(self) -> Candidate:
        """With the counts; and why it cannot be kept, where nothing may be told of what it needs to know."""
        broken, clash = max(study.broken for study in self.studies), ""
        if not broken:
            try:
                for study in self.studies:
                    study.kept()
            except FabricaError as error:
                clash = error.what
        return replace(self.one, rows=self.rows, broken=broken, clash=clash)


def _held(found: Sequence[Candidate], dataset: Dataset, table: Table, k: int, run: Run) -> list[Candidate]:
    """The candidates with their counts over all rows, by the code that keeps rules."""
    every = [_Asked.of(one, table, k) for one in found]
    names = {name for one in every for name in one.columns}
    for batch in dataset.batches():
        run.check()
        cells = {c.name: notation.read(replace(c, lenient=True), batch.column(c.name)) for c in table.columns
                 if c.name in names}
        for one in every:
            one.look(cells)
    run.tell(1, 1, "held against all rows")
    return [one.done() for one in every]
