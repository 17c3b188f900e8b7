"""People who were learned from are no controls, and are told wherever they stand in a holdout."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fabrica.apart import demand_apart, repeated
from fabrica.contract import Evidence, Sheet
from fabrica.counted import filled
from fabrica.errors import InputError, NotComputable
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.world import World
from metrics.attacked import FRESH, REAL, REST, TABLE, common


def test_a_holdout_that_was_learned_from_is_no_control_where_most_rows_are_common():
    schema = Table("t", (Column("town", "category"), Column("age", "decimal"), Column("pay", "decimal")))
    real, twin = common(3_000, 1), common(3_000, 2)
    World.of(Evidence(schema, real, twin, common(1_500, 3)), Run(1, workers=1))
    with pytest.raises(NotComputable, match="are learned from too"):
        World.of(Evidence(schema, real, twin, real.take(np.arange(1_500))), Run(1, workers=1))


@pytest.mark.parametrize("share", [0.05, 0.6])
def test_a_holdout_that_was_learned_from_is_no_control(share):
    rows = np.arange(int(share * REST.rows))
    both = {n: np.concatenate([REAL.values[n][rows], REST.values[n][len(rows):]]) for n in REST.values}
    mixed = Sheet(REST.rows, both, REST.levels)
    with pytest.raises(NotComputable, match="are learned from too"):
        World.of(Evidence(TABLE, REAL, FRESH, mixed), Run(1, workers=1))


def test_rows_that_many_people_have_alike_may_stand_on_both_sides():
    random = np.random.default_rng(3)
    table = Table("people", (Column("sex", "category"),))
    real, rest = (Sheet(n, {"sex": random.integers(0, 2, n).astype(np.int32)}, {"sex": ["f", "m"]}) for n in (900, 400))
    assert World.of(Evidence(table, real, real, rest), Run(1, workers=1)).controls.rows == 200


@pytest.mark.parametrize(("real", "rest"), [(1, 2), (2, 1), (2, 2), (3, 3)])
def test_a_holdout_that_was_learned_from_is_told_where_rows_stand_several_times(real, rest):
    """The careless twin looks only at rows that stand once among the real ones."""
    rows = np.arange(REST.rows // 2)
    other = REST.take(np.arange(REST.rows // 2, REST.rows))
    assert "are learned from too" in repeated(REST.take(np.tile(rows, real)), REST.take(np.tile(rows, rest)))
    assert repeated(REST.take(np.tile(rows, real)), other.take(np.tile(np.arange(other.rows), rest))) == ""


@pytest.mark.parametrize("times", [2, 3, 5])
def test_rows_that_all_stand_several_times_may_be_divided_by_chance(times):
    """Each row has doubles, and some of them fall on the other side."""
    order = np.random.default_rng(times).permutation(np.tile(np.arange(REST.rows), times))
    cut = 2 * len(order) // 3
    assert repeated(REST.take(order[:cut]), REST.take(order[cut:])) == ""


def test_however_common_rows_are_those_who_divide_them_by_chance_are_not_refused():
    """The careless twin counts rows: one kind of row that stands often on one side and once on the other is many."""
    refused = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        kinds = random.integers(0, (5, 30, 200)[seed % 3], 600) ** 2
        sides = np.split(random.permutation(kinds), [(150, 300, 450)[seed // 3 % 3]])
        refused += repeated(*(Sheet(len(side), {"a": side.astype(float)}, {}) for side in sides)) != ""
    assert refused == 0


@pytest.mark.parametrize("step", [2, 3])
def test_every_so_many_th_row_of_a_sorted_table_is_no_division_by_chance_and_that_is_what_is_said(step):
    """Both sides are more alike than those of a random division, which is not refused."""
    table = ages(6_000, 1, 60).sort_by([("age", "ascending"), ("pay", "ascending")])
    every = np.arange(table.num_rows) % step == 0
    for here in (every, np.random.default_rng(1).permutation(every)):
        sides = [table.filter(pa.array(~here)), ages(4_000, 2, 60), table.filter(pa.array(here))]
        if here is every:
            with pytest.raises(InputError, match=r"or are every n-th row of a sorted table, .*people, at random"):
                held(*sides)
        else:
            held(*sides)


def ages(rows: int, seed: int, levels: int) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table({"age": random.integers(0, levels, rows), "pay": random.integers(0, levels, rows)})


def held(real: pa.Table, twin: pa.Table, rest: pa.Table) -> None:
    demand_apart(Table("t", (Column("age", "integer", "int64"), Column("pay", "integer", "int64"))), filled(real),
                 filled(rest), None, Run(1, workers=1), filled(twin))


@pytest.mark.parametrize("alike", [lambda twin: twin, lambda twin: twin.take(np.arange(400)[::-1]),
                                   lambda twin: pa.concat_tables([twin, twin]), lambda twin: twin.slice(200)])
def test_a_twin_is_not_its_own_holdout(alike):
    twin = ages(400, 2, 900)
    with pytest.raises(InputError, match="the holdout is the synthetic table"):
        held(ages(500, 1, 900), twin, alike(twin))


def test_a_holdout_that_has_rows_of_the_twin_is_refused_and_a_twin_that_copies_people_is_not():
    real, twin, rest = (ages(500, seed, 900) for seed in (1, 2, 3))
    with pytest.raises(InputError, match="rows of the holdout stand in the synthetic table"):
        held(real, twin, pa.concat_tables([rest.slice(0, 400), twin.slice(0, 100)]))
    held(real, pa.concat_tables([twin, real]), rest)


def test_a_coarse_twin_may_have_the_rows_of_a_holdout_and_is_none_where_all_stand_in_their_order():
    twin = ages(400, 2, 4)
    held(ages(500, 1, 4), twin, ages(300, 3, 4))  # each of its rows stands in the twin
    held(ages(500, 1, 900), ages(400, 2, 900), ages(300, 3, 900))
    with pytest.raises(InputError, match="the holdout is the synthetic table"):
        held(ages(500, 1, 4), twin, twin)
