"""The search: a look at a sample, candidates of every kind, what follows from others left out, all rows asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from fabrica import notation
from fabrica.dataset import Dataset
from fabrica.discovery.calendar import parts, spans
from fabrica.discovery.candidate import Candidate, Candidates, Look
from fabrica.discovery.dependencies import dependencies
from fabrica.discovery.groups import combined, onehot, unique
from fabrica.discovery.nulls import nulls
from fabrica.discovery.orders import orders
from fabrica.discovery.ranges import patterns, ranges
from fabrica.discovery.sums import sums
from fabrica.errors import FabricaError
from fabrica.rules.formula import Formula
from fabrica.rules.law import Law
from fabrica.rules.read import understood
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["discovered"]

SAMPLE = 50_000  #: rows that are looked at
KINDS = ("formula", "dependency", "order", "group", "missing", "unique", "pattern", "range")


def discovered(dataset: Dataset, table: Table, support: float, k: int, run: Run) -> Candidates:
    """Candidates that hold in at least the share ``support`` of all rows.

    Parameters
    ----------
    dataset : the rows. table : their schema. k : rows that whatever is told must stand for.
    """
    sample = dataset.sample(SAMPLE, run.child("sample"))
    look = _look(sample, table, support, k, run)
    run.tell(0, 2, "looking for rules")
    found = _pruned(list(_found(look)), table)
    run.tell(1, 2, "holding them against all rows")
    held = [one for one in _held(found, dataset, table) if one.rows and one.support >= support]
    return Candidates(tuple(sorted(held, key=lambda one: (KINDS.index(one.kind), one.broken > 0))))


def _look(sample: pa.Table, table: Table, support: float, k: int, run: Run) -> Look:
    cells = {c.name: notation.read(replace(c, lenient=True), sample.column(c.name)) for c in table.columns}
    return Look(table, cells, sample.num_rows, run.child("order").random().permutation(sample.num_rows), k, support)


def _found(look: Look) -> Iterator[Candidate]:
    yield from sums(look)
    yield from parts(look)
    yield from spans(look)
    yield from onehot(look)
    yield from orders(look)
    tied = list(dependencies(look))
    yield from tied
    yield from combined(look, {frozenset(_columns(one, look.table)) for one in tied})
    yield from nulls(look)
    yield from unique(look)
    yield from patterns(look)
    yield from ranges(look)


def _columns(one: Candidate, table: Table) -> tuple[str, ...]:
    try:
        return tuple(name for law in understood([one.text], table) for name in law.columns)
    except FabricaError:  # a rule that cannot be kept is no candidate
        return ()


def _pruned(found: list[Candidate], table: Table) -> list[Candidate]:
    """Without what cannot be kept, what is said twice, and what follows from a formula or from a group."""
    kept: list[Candidate] = []
    formulas: dict[str, set[str]] = {}
    grouped: set[str] = set()
    for one in found:
        columns = set(_columns(one, table))
        if not columns or one.text in {other.text for other in kept}:
            continue
        law = understood([one.text], table)[0]
        if isinstance(law, Formula):
            if law.target in formulas or columns in formulas.values():  # the same said the other way round
                continue
            formulas[law.target] = columns
        elif _follows(one, columns, law, formulas, grouped):
            continue
        grouped |= columns if one.text.startswith("onehot") else set()
        kept.append(one)
    return kept


def _follows(one: Candidate, columns: set[str], law: Law, formulas: dict[str, set[str]], grouped: set[str]) -> bool:
    """Whether a formula or a one-hot group says it already."""
    if one.kind == "range":
        return bool(columns & (set(formulas) | grouped))
    if one.kind == "dependency" and law.columns[-1] in formulas:
        return True
    by_formula = any(target in columns and columns <= every for target, every in formulas.items())
    return one.kind in ("order", "dependency") and (by_formula or columns <= grouped)


def _held(found: Iterable[Candidate], dataset: Dataset, table: Table) -> list[Candidate]:
    """The candidates with their counts over all rows."""
    every = list(found)
    studies = [[law.study(1, False) for law in understood([one.text], table)] for one in every]
    names = {name for one in every for name in _columns(one, table)}
    rows = 0
    for batch in dataset.batches():
        cells = {c.name: notation.read(replace(c, lenient=True), batch.column(c.name)) for c in table.columns
                 if c.name in names}
        for group in studies:
            for study in group:
                study.look(cells)
        rows += batch.num_rows
    return [replace(one, rows=rows, broken=max(study.broken for study in group))
            for one, group in zip(every, studies, strict=True)]
