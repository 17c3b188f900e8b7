"""Each column left out by itself: where one makes everybody differ, copies of whom just that was drawn afresh are found
at its place, and people who are planted stand at every place for what it is about."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from fabrica.contract import Evidence, Sheet
from fabrica.metrics.privacy.verbatim_but_one import VerbatimButOne
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.world import World
from metrics.attacked import FRESH, REAL, REST, TABLE

NAMES = ("town", "trade", "age", "amount")
PEOPLE = Table("t", tuple(Column(n, "category" if n in ("town", "trade") else "decimal") for n in NAMES))


def payers(rows: int, seed: int, missing: float = 0.1) -> Sheet:
    """Categories and an age that some share, and an amount that nobody does."""
    random = np.random.default_rng(seed)
    cells = {"town": random.integers(0, 12, rows), "trade": random.integers(0, 20, rows),
             "age": random.integers(18, 90, rows).astype(float), "amount": np.round(random.normal(1e4, 3e3, rows), 2)}
    cells["amount"][random.random(rows) < missing] = np.nan
    return Sheet(rows, cells, {"town": tuple("abcdefghijkl"), "trade": tuple("abcdefghijklmnopqrst")})


def rows_of(sheet: Sheet, without: str) -> list[tuple]:
    cells = (np.nan_to_num(v, nan=-9.0).tolist() for n, v in sheet.values.items() if n != without)
    return list(zip(*cells, strict=True))


def test_each_place_counts_those_who_are_alone_without_its_column_by_hand():
    world = World.of(Evidence(PEOPLE, payers(900, 1), payers(1_200, 2), payers(800, 3)), Run(1, workers=1))
    struck = VerbatimButOne().strike(world, Run(1))
    for name in NAMES:
        own, other, made = (rows_of(side, name) for side in (world.everybody, world.strangers, world.twin))
        often, there = Counter([*own, *other]), set(made)
        alone = [[row for row in side if often[row] == 1] for side in (own, other)]
        expected = [count for side in alone for count in (sum(row in there for row in side), len(side))]
        found = struck["verbatim_without", name]
        assert [found.hits, found.tries, found.control_hits, found.control_tries] == expected
    assert struck["verbatim_without", "amount"].control_hits > 20 > struck["verbatim_without", "town"].control_hits


def test_people_of_whom_the_one_column_that_tells_them_apart_was_drawn_afresh_are_found_at_its_place_alone():
    real, twin = payers(6_000, 1), payers(6_000, 2)
    copied = {n: v.copy() for n, v in twin.values.items()}
    for name in NAMES[:3]:
        copied[name][:300] = real.values[name][:300]
    evidence = Evidence(PEOPLE, real, Sheet(6_000, copied, twin.levels), payers(4_000, 3))
    found = {(one.metric, *one.place): one for one in VerbatimButOne().judge(evidence, Run(1, workers=1))}
    here = found["verbatim_without", "amount"]
    assert here.low > 0.02 and here.detail["control"] == "found"
    assert here.detail["tries"] < found["verbatim_but_one",].detail["tries"]
    assert found["verbatim_without",].detail["worst"] == "amount"
    for name in NAMES[:3]:
        other = found["verbatim_without", name]
        assert other.high < 0.02 and other.detail["control"] == "found"


def test_planted_people_are_found_at_every_place_and_by_no_other_column():
    """The careless twin leaves out the first column wherever it is asked for another: of people who stand there with
    one changed cell it must find nobody at another's place, or its control would say nothing."""
    world = World.of(Evidence(TABLE, REAL, FRESH, REST), Run(1, workers=1))
    planted = VerbatimButOne().plant(world, Run(2))
    again = VerbatimButOne().strike(planted, Run(3))
    assert all(one.found for one in again.values()) and len(again) == len(REAL.values) + 1
    own, made = planted.everybody.rows, planted.twin.rows - world.twin.rows
    assert made == own * len(REAL.values) and planted.dose == made / planted.twin.rows
    assert all(f.detail["dose"] == planted.dose for f in VerbatimButOne().made(world, Run(2)) if f.place)
    for i, name in enumerate(REAL.values):
        here = planted.twin.take(world.twin.rows + np.arange(i * own, (i + 1) * own))
        kept = [rows_of(here, other) == rows_of(planted.everybody, other) for other in REAL.values]
        assert kept == [other == name for other in REAL.values]
        new, old, there = (np.nan_to_num(s.values[name], nan=-9.0) for s in (here, planted.everybody, world.twin))
        assert (new != old).all() and np.isin(new, there).all()


@pytest.mark.parametrize("constant", [0.0, np.nan])
def test_a_column_that_is_always_the_same_changes_nothing(constant):
    sides = [Sheet(s.rows, {**s.values, "same": np.full(s.rows, constant)}, s.levels) for s in (REAL, FRESH, REST)]
    table = replace(TABLE, columns=(*TABLE.columns, Column("same", "decimal")))
    world = World.of(Evidence(table, *sides), Run(1, workers=1))
    attack = VerbatimButOne()
    assert attack.strike(attack.plant(world, Run(2)), Run(3))["verbatim_without", "same"].found
