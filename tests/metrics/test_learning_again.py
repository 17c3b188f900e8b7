"""Attacks that learn again: they find who is remembered, nobody where nothing is, and say so where they cannot."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from fabrica import catalog
from fabrica.contract import Evidence, Maker, Sheet
from fabrica.errors import NotComputable
from fabrica.metrics.privacy import canaries
from fabrica.run import Run
from fabrica.schema import Column, Table
from metrics.attacked import FRESH, REAL, REST, TABLE, tall
from metrics.worlds import find

MEMBERS, PEOPLE = REAL.rows, REAL.rows + REST.rows
LEARNING = ["likelihood", "shadow", "canaries"]


def cells(rows: np.ndarray) -> Sheet:
    """Rows by their numbers."""
    values = {n: np.concatenate([REAL.values[n], REST.values[n]])[rows] for n in REAL.values}
    return Sheet(len(rows), values, REAL.levels)


@dataclass(frozen=True)
class Ignorant(Maker):
    """Looks at nobody: its twins are fresh people, and its likelihoods are noise; ``remembers`` makes the first so many
    rows likelier than that."""

    remembers: float = 0.0

    def twin(self, rows, size, run):
        return tall(size, int(run.random().integers(1 << 30)))

    def log_prob(self, rows, run, learned=None):
        noise = np.random.default_rng(7 if learned is None else 8).normal(0, 1, PEOPLE)
        return -20 + noise[rows] + (self.remembers * (rows < MEMBERS) if learned is None else 0.0)

    def artefacts(self, planted, folder, run):
        (folder / "twin.csv").write_text("town\nOslo\n")


@dataclass(frozen=True)
class Copying(Ignorant):
    """Its twins are rows as they are, and its files tell all."""

    def twin(self, rows, size, run):
        return cells(rows[run.random().integers(0, len(rows), size)])

    def artefacts(self, planted, folder, run):
        (folder / "model.json").write_text(json.dumps([{"cell": v} for one in planted for v in one.values()]))


EVIDENCE = Evidence(TABLE, REAL, FRESH, REST)


def told(name: str, maker: Maker | None, evidence: Evidence = EVIDENCE, run: Run | None = None):
    metric = catalog.get("metrics", name)()
    return find(list(metric.judge(replace(evidence, maker=maker), run or Run(3, workers=1))), name)


@pytest.mark.parametrize("name", ["likelihood", "shadow"])
def test_who_remembers_is_found_and_who_looks_at_nobody_is_not(name):
    loud, quiet = told(name, Copying(1.0)), told(name, Ignorant())
    assert loud.low > 0.6 > quiet.high and quiet.low < 0.5 < quiet.high + 0.02
    assert loud.detail["control"] == quiet.detail["control"] == "found"


def test_the_worst_of_the_targets_is_told_with_bounds_for_all():
    loud, quiet = told("shadow", Copying()).detail, told("shadow", Ignorant()).detail
    assert loud["targets"] == 12 and loud["worlds"] == 200
    assert quiet["worst_low"] < 0.5 < quiet["worst_auc"] < quiet["worst_upper"]
    assert loud["worst_low"] > 0.7 and loud["epsilon_at_least"] > 0.5 > quiet["epsilon_at_least"]


def test_where_time_is_out_too_few_worlds_are_no_safety():
    with pytest.raises(NotComputable, match="only 0 small worlds"):
        metric = catalog.get("metrics", "shadow")()
        from fabrica.world import World

        metric.strike(World.of(replace(EVIDENCE, maker=Ignorant()), Run(1)), Run(1, budget=1e-9))
    found = told("shadow", Ignorant(), run=Run(1, workers=1, budget=1e-9))
    assert found.value is None and "60 are needed" in found.problem


@pytest.mark.parametrize("name", LEARNING)
def test_without_a_maker_nothing_is_said(name):
    try:
        found = told(name, None)
        assert found.value is None and "needs to learn again" in found.problem
    except NotComputable as why:
        assert "needs to learn again" in why.what


def test_an_engine_without_likelihoods_is_no_safe_one():
    class Silent(Ignorant):
        def log_prob(self, rows, run, learned=None):
            raise NotComputable("engine 'gan' knows no likelihoods")

    found = told("likelihood", Silent())
    assert found.value is None and found.problem == "engine 'gan' knows no likelihoods"


# ---------------------------------------------------------------- canaries


KINDS = Table("t", (*TABLE.columns, Column("name", "text", "string"), Column("born", "date", "date32[day]"),
                    Column("few", "integer", "int8"),
                    Column("town2", "category", "string", levels=("a",), public=True)))


def test_canaries_are_found_in_the_files_of_who_tells_and_not_in_others():
    loud, quiet = told("canaries", Copying()), told("canaries", Ignorant())
    assert loud.value == 1 and loud.low > 0.9 and loud.detail["places"] == ["model.json"]
    assert quiet.value == 0 and quiet.high == pytest.approx(1 - 0.05 ** (1 / 45)) and quiet.detail["planted"] == 45
    assert loud.detail["control"] == quiet.detail["control"] == "found" and quiet.floor == 0


def test_a_search_that_sees_nothing_says_so(monkeypatch):
    monkeypatch.setattr(canaries, "traces", lambda paths, values: [])
    assert told("canaries", Copying()).detail["control"] == "missed"


def test_every_kind_of_column_gets_what_nobody_else_has():
    cells_of = {"pay": Column("pay", "integer", "int64"), "age": Column("age", "decimal", "double")}
    table = Table("t", (*KINDS.with_columns(cells_of).columns,))
    planted = canaries._people([c for c in table.columns if canaries._ways(c, EVIDENCE)], 60, EVIDENCE, Run(2))
    values = [v for person in planted for v in person.values()]
    assert {name for person in planted for name in person} == set(KINDS.names) - {"few", "town2"}
    assert len(set(map(str, values))) == len(values) == 60
    assert any(isinstance(v, float) and abs(v) < 1000 for v in values)  # a number among the others, with odd digits
    assert any(isinstance(v, int) and v < -1e8 for v in values) and any(isinstance(v, int) and v > 1e8 for v in values)
    assert all(len(str(canaries._sought(v))) >= 7 for v in values)  # nothing so short that it stands everywhere
