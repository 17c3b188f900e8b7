"""Evaluation: two or three tables under one schema in, one report out.

The tables become sheets of numbers (``fabrica/sheets.py``), every metric of the catalog judges them, and a few
plain series are kept for the pictures (``fabrica/drawings.py``). Tables of more than ``CEILING`` rows are judged on
a random sample of their rows; a synthetic table of more rows than the original is judged on a sample of the
original's size, as in the published protocol; attackers hold all of it, up to ``HELD``. Either is said in
``facts["notes"]``.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from fabrica import catalog
from fabrica.attack import Attack
from fabrica.contract import Evidence, Maker, Metric
from fabrica.crowd import people
from fabrica.drawings import drawings
from fabrica.errors import InputError, NotComputable, UnknownName
from fabrica.protected import one_group
from fabrica.report import Finding, Report
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.sheets import Batches, IdentSheet, sheets
from fabrica.statistics import WIDE
from fabrica.verdict import told
from fabrica.version import VERSION
from fabrica.world import HELD

__all__ = ["evaluate", "usual", "CEILING"]

CEILING = 100_000  #: rows of a table that are judged at most
HEAVY = 12  #: times as long as others a heavy metric takes, about: so that progress is even


def evaluate(
    real: Batches,
    synthetic: Batches,
    holdout: Batches | None = None,
    *,
    table: Table,
    target: str | None = None,
    metrics: Sequence[str] | None = None,
    attacks: bool = False,
    k: int = Evidence.k,
    unit: str | None = None,
    protected: Sequence[str] = (),
    maker: Callable[[Evidence, Sequence[np.ndarray | None]], Maker] | None = None,
    run: Run,
) -> Report:
    """Judge ``synthetic`` against the rows it was learned from and, where given, against rows nobody learned from.

    Parameters
    ----------
    real, synthetic, holdout : objects with ``rows`` and ``batches()``, all with the columns of ``table``.
    table : what the columns mean.
    target : the column to be predicted, for the utility metrics.
    metrics : names from ``fabrica list metrics``; None takes all but heavy ones. attacks : whether those are taken too.
    k : real rows that must hold whatever is told by name. unit : the column that says whose rows they are; None where
        each is another's. protected : columns whose levels must not be treated worse than others; without one, no
        metric of fairness is measured that is not named. maker : gives who can learn again from the rows that are
        judged (``Workshop.maker``), for the attacks that need it. run : chance, progress and workers.

    Raises
    ------
    SchemaError : the tables differ in their columns.
    UnknownName : there is no such target, protected column or metric.
    InputError : the original or the synthetic table has no rows, the original does not fit its schema, or a column of
        the holdout is of another kind.

    >>> import pyarrow as pa
    >>> from dataclasses import dataclass
    >>> from fabrica.schema import Column
    >>> @dataclass
    ... class Held:
    ...     table: pa.Table
    ...     @property
    ...     def rows(self): return self.table.num_rows
    ...     def batches(self): return self.table.to_batches()
    >>> held = Held(pa.table({"age": [20, 30, 40, 50]}))
    >>> report = evaluate(held, held, table=Table("people", (Column("age", "integer", "int64"),)),
    ...                   metrics=["shape"], run=Run(7, workers=1))
    >>> report.find("shape").value
    0.0
    """
    _demand_known(table, (target, unit, *protected), metrics or ())
    started = time.perf_counter()
    chosen = usual(attacks, bool(protected)) if metrics is None else list(dict.fromkeys(metrics))
    held = HELD if any(issubclass(catalog.get("metrics", name), Attack) for name in chosen) else CEILING
    evidence, notes, keep = _evidence(real, synthetic, holdout, table, target, held, run.child("sample"))
    evidence = replace(evidence, k=k, unit=unit, protected=tuple(protected))
    notes += [f"Everybody is of one group of the protected column {name!r}, so nobody is compared by it."
              for name in one_group(evidence)]
    if maker is not None:
        evidence = replace(evidence, maker=maker(evidence, [keep[0], *keep[2:]]))
    seconds = {"reading": time.perf_counter() - started}
    findings = _judged(chosen, evidence, seconds, run)
    pictures = drawings(evidence, findings)
    seconds["all"] = time.perf_counter() - started
    rows = {"real": real.rows, "synthetic": synthetic.rows, "holdout": None if holdout is None else holdout.rows}
    facts = _facts(evidence, rows, seconds, notes, run.seed)
    if unit is not None:
        facts["people"] = {"unit": unit, "real": people(unit, real),
                           **({} if holdout is None else {"holdout": people(unit, holdout)})}
    report = Report(tuple(findings), facts, pictures)
    return replace(report, facts=facts | {"verdict": told(report)})


def _demand_known(table: Table, columns: Iterable[str | None], metrics: Iterable[str]) -> None:
    """Raises ``UnknownName`` where there is no such column or metric."""
    for column in columns:
        if column is not None:
            table[column]
    known = catalog.names("metrics")
    for name in metrics:
        if name not in known:
            raise UnknownName("metric", name, known)


def _facts(evidence: Evidence, rows: Mapping[str, int | None], seconds: Mapping[str, float], notes: list[str],
           seed: int) -> dict[str, Any]:
    """What a reader needs to place the findings."""
    table, holdout = evidence.table, evidence.holdout
    return {
        "rows": dict(rows),
        "judged": {"real": evidence.real.rows, "synthetic": evidence.synthetic.rows,
                   "holdout": None if holdout is None else holdout.rows},
        "columns": len(table.columns), "table": table.name, "target": evidence.target, "seed": seed,
        **({"protected": list(evidence.protected)} if evidence.protected else {}),
        "seconds": {name: round(spent, 3) for name, spent in seconds.items()}, "versions": _versions(), "notes": notes,
    }


def usual(attacks: bool, protected: bool = False) -> list[str]:
    """The metrics that are measured where none is named: all but attacks and others that take long, or those too; those
    of fairness only where a column is protected."""
    found = [(name, catalog.get("metrics", name)) for name in catalog.names("metrics")]
    return [name for name, metric in found if (attacks or not metric.heavy)
            and (protected or "protected" not in metric.needs)]


def _judged(names: list[str], evidence: Evidence, seconds: dict[str, float], run: Run) -> list[Finding]:
    findings: list[Finding] = []
    metrics: list[Metric] = [catalog.get("metrics", name)() for name in names]
    spans = [HEAVY if metric.heavy else 1 for metric in metrics]
    for step, (name, metric) in enumerate(zip(names, metrics, strict=True)):
        run.child("evaluate").tell(sum(spans[:step]), sum(spans), name)
        started = time.perf_counter()
        try:
            findings += map(_plain, metric.judge(evidence, run.child("evaluate").child(name).quiet()))
        except NotComputable as why:
            findings.append(Finding(name, None, problem=why.what))
        seconds[name] = time.perf_counter() - started
    run.child("evaluate").tell(sum(spans), sum(spans), "done")
    return findings


def _plain(finding: Finding) -> Finding:
    """The same finding with Python's own floats, so that it can be written as JSON."""
    names = ("value", "low", "high", "floor", "floor_low", "floor_high")
    plain: dict[str, Any] = {n: float(v) for n in names if (v := getattr(finding, n)) is not None}
    return replace(finding, **plain)


def _evidence(real: Batches, synthetic: Batches, holdout: Batches | None, table: Table, target: str | None, held: int,
              run: Run) -> tuple[Evidence, list[str], list[np.ndarray | None]]:
    """The sheets of the rows that are judged, what must be said about the choice, and which rows they are."""
    notes: list[str] = []
    keep: list[np.ndarray | None] = []
    for role, dataset in (("real", real), ("synthetic", synthetic), ("holdout", holdout)):
        if dataset is None:
            continue
        if role != "holdout" and not dataset.rows:
            raise InputError(f"the {role} table has no rows", hint="there is nothing to compare")
        keep.append(_pick(dataset.rows, held if role == "synthetic" else CEILING, run.child(role)))
        judged = min(CEILING, real.rows) if role == "synthetic" else CEILING
        if dataset.rows > judged:
            notes.append(f"The {role} table has {dataset.rows:,} rows; a random {judged:,} of them were judged.")
    if holdout is not None and not holdout.rows:
        notes.append("The holdout has no rows and was left out.")
        holdout, keep = None, keep[:2]
    if holdout is None:
        notes.append("There is no holdout: what only rows nobody learned from can show is not measured.")
    got = sheets(table, *(d for d in (real, synthetic, holdout) if d is not None), keep=keep)
    if holdout is not None:
        _demand_alike(table, got[2])
    notes += _left_out(table)
    if (columns := len(got[0].values)) > WIDE:
        notes.append(f"The table has {columns:,} columns that are compared; pairs were measured among every so many-th "
                     f"of them, {WIDE} in all.")
    few = _pick(got[1].rows, got[0].rows, run.child("few"))
    evidence = Evidence(table, got[0], got[1] if few is None else got[1].take(few),
                        got[2] if holdout is not None else None, target, whole=got[1],
                        seen=got[1].rows / synthetic.rows, judged=got[0].rows / real.rows)
    return evidence, notes, keep


def _demand_alike(table: Table, rest: IdentSheet) -> None:
    """Raises ``InputError`` where a column of the holdout is of another kind: most cells are no values of it."""
    for name, wrong in rest.misfits.items():
        values = rest.values.get(name, np.zeros(0))
        if wrong.sum() > (np.isfinite(values) if values.dtype.kind == "f" else values >= 0).sum():
            raise InputError(f"holds values of another kind than the original's ({table[name].kind})",
                             where=f"the holdout, column {name!r}",
                             hint="give real rows that are written like those that were learned from")


def _pick(rows: int, limit: int, run: Run) -> np.ndarray | None:
    if rows <= limit:
        return None
    return np.sort(run.random().choice(rows, limit, replace=False, shuffle=False))


def _left_out(table: Table) -> list[str]:
    said = {"key": "checked for validity, not compared", "text": "compared by length and number of words",
            "empty": "not compared"}
    notes = []
    for kind, what in said.items():
        names = [c.name for c in table.columns if c.kind == kind]
        if names:
            some = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
            notes.append(f"{kind.capitalize()} columns are {what}: {some}.")
    return notes


def _versions() -> dict[str, Any]:
    found = {"fabrica": VERSION, "python": platform.python_version(), "numpy": np.__version__}
    for name in ("xgboost-cpu", "xgboost"):
        try:
            return found | {"xgboost": version(name)}
        except ModuleNotFoundError:
            continue
    return found
