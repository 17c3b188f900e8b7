"""Small tables for the tests of metrics: sheets by hand, by Hypothesis, and with known connections."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from fabrica import catalog
from fabrica.contract import Evidence
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.sheets import IdentSheet


def sheet(levels: dict[str, list[str]] | None = None, **columns: Any) -> IdentSheet:
    """Columns with ``levels`` hold level numbers, the others numbers."""
    levels = levels or {}
    values = {n: np.asarray(v, np.int32 if n in levels else np.float64) for n, v in columns.items()}
    rows = len(next(iter(values.values()))) if values else 0
    return IdentSheet(rows, values, levels)


def table(real: IdentSheet, **kinds: str) -> Table:
    columns = tuple(Column(n, kinds.get(n, "category" if n in real.levels else "decimal")) for n in real.values)
    return Table("t", columns)


def judge(name: str, real: IdentSheet, twin: IdentSheet, holdout: IdentSheet | None = None, target: str | None = None,
          seed: int = 1, schema: Table | None = None, metric: Any = None) -> list[Finding]:
    """The findings of one metric (or of a stand-in for it)."""
    evidence = Evidence(schema or table(real), real, twin, holdout, target)
    return list((metric or catalog.get("metrics", name)()).judge(evidence, Run(seed, workers=1)))


def find(findings: list[Finding], metric: str, *place: str, against: str | None = None) -> Finding:
    return next(f for f in findings if f.metric == metric and f.place == place and against in (None, f.against))


def people(rows: int, seed: int, missing: float = 0.1) -> IdentSheet:
    """Age, pay that follows age, a sex, a town that follows pay; pay is missing more often for the old."""
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 90, rows).astype(float)
    pay = np.round(1000 + 40 * age + draw.normal(0, 300, rows))
    town = np.clip(((pay - 1500) / 900 + draw.normal(0, 0.5, rows)).astype(int), 0, 3)
    sex = draw.integers(0, 2, rows)
    pay = np.where(draw.random(rows) < missing * age / 54, np.nan, pay)
    return sheet({"sex": ["f", "m"], "town": ["a", "b", "c", "d"]}, age=age, pay=pay, sex=sex, town=town)


def shuffled(real: IdentSheet, seed: int = 0) -> IdentSheet:
    """The same columns without any connection."""
    draw = np.random.default_rng(seed)
    return IdentSheet(real.rows, {n: draw.permutation(v) for n, v in real.values.items()}, real.levels)


@st.composite
def two_sheets(draw: Any, numeric: int = 2, levels: int = 2, most: int = 12) -> tuple[IdentSheet, IdentSheet]:
    """Two small sheets with ties and missing cells; every numeric column has a value in both."""
    out = []
    names = {f"k{i}": ["a", "b", "c"] for i in range(levels)}
    for _ in range(2):
        rows = draw(st.integers(2, most))
        cells: dict[str, Any] = {}
        for i in range(numeric):
            cell = st.one_of(st.integers(-3, 3).map(float), st.just(np.nan))
            values = draw(st.lists(cell, min_size=rows, max_size=rows))
            values[0] = float(draw(st.integers(-3, 3)))
            cells[f"x{i}"] = values
        for name in names:
            cells[name] = draw(st.lists(st.integers(-1, 2), min_size=rows, max_size=rows))
        out.append(sheet(names, **cells))
    return out[0], out[1]
