"""Attacks: they find people who were copied, nobody where the twin is a fresh sample, and know when they are broken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from fabrica import catalog
from fabrica.attack import Attack
from fabrica.contract import Evidence
from fabrica.metrics.privacy.reconstruction import _least_squares, _sets
from fabrica.reached import Guesses
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.sheets import IdentSheet
from fabrica.world import World
from metrics.attacked import FRESH, REAL, REST, TABLE, common, struck, tall
from metrics.worlds import find, judge

ATTACKS = [name for name in catalog.names("metrics") if issubclass(catalog.get("metrics", name), Attack)
           and not catalog.get("metrics", name).learns]  # the others are tried in test_learning_again.py


NUMBERS = [number for name in ATTACKS for number in catalog.get("metrics", name).numbers]


@pytest.mark.parametrize("name", ATTACKS)
def test_a_copy_of_the_people_is_found_out_and_a_fresh_sample_is_not(name):
    for number in set(catalog.get("metrics", name).numbers) - {"inference_few"}:  # nobody here has what few have
        copy, fresh = (find(struck(name, twin), number) for twin in (REAL, FRESH))
        nothing = 0.5 if fresh.unit == "AUC" else 0.0
        assert copy.low > nothing + 0.03 and copy.value > fresh.high, number
        assert fresh.low < nothing + 0.03 < fresh.high + 0.1, number
        assert fresh.detail["control"] == "found", number


def test_fifteen_isolated_people_among_fifteen_hundred_do_not_go_unseen():
    """One row in a hundred is a real one, of the people who are least like others: averages do not move."""
    world = World.of(Evidence(TABLE, REAL, FRESH, REST), Run(1, workers=1))
    apart = world.space.points(world.everybody).nearest(world.points["reference"], 5)[0].mean(1)
    who = np.argsort(-apart)[:15]
    values = {n: v.copy() for n, v in FRESH.values.items()}
    for name, cells in values.items():
        cells[:15] = REAL.values[name][who]
    leaky = IdentSheet(FRESH.rows, values, FRESH.levels)
    assert find(struck("verbatim", leaky), "verbatim").low > 0.002
    assert find(struck("outliers", leaky), "outliers").value > find(struck("outliers", FRESH), "outliers").value
    assert abs(find(struck("membership", leaky), "membership").value - 0.5) < 0.05  # what averages see


def test_one_in_eighty_of_whom_one_cell_was_changed_are_found_by_all_columns_but_one_alone():
    values, kept = {n: v.copy() for n, v in FRESH.values.items()}, np.random.default_rng(2).integers(0, 5, 120)
    for i, (name, cells) in enumerate(values.items()):
        cells[:120][kept != i] = REAL.values[name][:120][kept != i]
    leaky = IdentSheet(FRESH.rows, values, FRESH.levels)
    said = {name: find(struck(name.replace("_near", ""), leaky), name)
            for name in ("verbatim", "verbatim_near", "verbatim_but_one")}
    assert said["verbatim_but_one"].low > 0.05 > said["verbatim"].high
    assert said["verbatim_near"].high < 0.06


@dataclass(frozen=True)
class Blind(Attack):
    """A careless twin of an attack: its questions fail in silence and count as safety."""

    title, source, story = "for tests", "nobody", "nobody"
    numbers = {"blind": ("holdout",)}  # noqa: RUF012

    def strike(self, world, run):
        return {("blind",): Guesses(0, 500, 0, 500)}


def test_an_attack_that_finds_nobody_who_was_planted_says_so():
    found = judge("", REAL, REAL, REST, metric=Blind())[0]
    assert found.value == 0 and found.detail["control"] == "missed"


def test_without_people_to_compare_with_nothing_is_said():
    for name in ATTACKS:
        for rest in (None, tall(150, 5)):
            found = judge(name, REAL, FRESH, rest)
            assert found and all(f.value is None and f.problem for f in found)


def test_nobody_stands_on_two_sides_and_the_space_knows_nothing_of_members():
    serial = IdentSheet(REST.rows, {**REST.values, "weight": np.arange(REST.rows) / 10}, REST.levels)
    world = World.of(Evidence(TABLE, REAL, FRESH, serial), Run(1, workers=1))
    known, others, controls = (set(s.values["weight"]) for s in (world.reference, world.others, world.controls))
    assert not known & others and len(known | others) == REST.rows and controls <= others
    world = World.of(Evidence(TABLE, REAL, FRESH, REST), Run(1, workers=1))
    odd = IdentSheet(REAL.rows, {**REAL.values, "age": REAL.values["age"] * 1e6}, REAL.levels)
    same = World.of(Evidence(TABLE, odd, FRESH, REST), Run(1, workers=1))
    assert all((same.space.known[n] == world.space.known[n]).all() for n in world.space.known)


def test_planted_people_stand_in_the_twin_and_are_the_only_ones_attacked():
    world = World.of(Evidence(TABLE, REAL, FRESH, REST), Run(1, workers=1))
    small = replace(world, members=REAL.take(np.arange(100)))
    planted = small.planted(0.01, Run(2))
    assert planted.dose == 100 / world.twin.rows and world.dose == 0
    assert planted.members.rows == 100 and planted.twin.rows == world.twin.rows and planted.controls is world.controls
    assert (planted.points["members"].nearest(planted.points["twin"])[0] == 0).all()
    assert (world.points["twin"].numbers != planted.points["twin"].numbers).any()
    whole = small.planted(1.0, Run(2))
    assert whole.twin is whole.members and whole.twin.rows == 100 and whole.dose == 1


def test_sides_that_are_not_of_one_kind_are_told_without_the_twin():
    """Half of the holdout is older by ten years: an attack on the two sides would find that, and no leak."""
    same = find(struck("alike", FRESH), "alike")
    older = {**REST.values, "age": REST.values["age"] + 10 * (np.arange(REST.rows) % 2)}
    other = find(judge("alike", REAL, FRESH, IdentSheet(REST.rows, older, REST.levels)), "alike")
    assert same.low < 0.5 < same.high and other.low > 0.52
    assert judge("alike", REAL, REAL, REST)[0].value == same.value  # the twin is not looked at


def test_each_person_of_the_holdout_is_a_control_once_and_each_member_attacked_once():
    world = World.of(Evidence(TABLE, REAL, FRESH, REST), Run(1, workers=1))
    one, other = world.folds(Run(2))
    assert one.reference is other.others is world.reference and one.others is other.reference is world.others
    assert one.everybody.rows + other.everybody.rows == REAL.rows
    assert one.controls.rows == other.controls.rows == one.members.rows == other.members.rows == 750
    found = np.sort(np.concatenate([fold.everybody.values["pay"] for fold in (one, other)]))
    assert np.array_equal(found, np.sort(REAL.values["pay"]), equal_nan=True)
    assert find(struck("outliers", FRESH), "outliers").detail["controls"] >= 2 * 0.05 * 1_200


@pytest.mark.slow
@pytest.mark.parametrize("name", ["outliers", "membership", "singling_out", "reconstruction"])
def test_the_bounds_hold_in_nineteen_of_twenty_worlds_without_a_leak(name):
    """Members, controls and the twin are fresh samples of one law: the risk is nothing, exactly."""
    upper = lower = 0
    for seed in range(80):
        real, rest, twin = (tall(rows, 10 * seed + i) for i, rows in enumerate((1_200, 1_600, 1_200)))
        world = World.of(Evidence(TABLE, real, twin, rest), Run(seed, workers=1).child("world"))
        found = catalog.get("metrics", name)().made(world, Run(seed, workers=1), control=False)[0]
        nothing = found.floor
        upper += found.high >= nothing
        lower += found.low <= nothing
    assert min(upper, lower) >= 71  # of 80; with 95 % as few come out in one of a hundred


@dataclass(frozen=True)
class Half(Attack):
    """A careless twin of an attack on two columns: it works for one, and its questions about the other fail."""

    title, source, story = "for tests", "nobody", "nobody"
    numbers = {"half": ("holdout",)}  # noqa: RUF012

    def strike(self, world, run):
        whole = world.members.rows == world.twin.rows or world.everybody is world.members
        return {("half", "age"): Guesses(400 if whole else 0, 500, 0, 500), ("half", "town"): Guesses(0, 500, 0, 500)}


def test_people_found_by_one_column_say_nothing_of_another():
    age, town = (find(judge("", REAL, REAL, REST, metric=Half()), "half", name) for name in ("age", "town"))
    assert (age.detail["control"], town.detail["control"]) == ("found", "missed")


def test_secrets_are_solved_for_out_of_exact_counts_and_of_no_others():
    """What is expected knows nothing; of the people themselves the counts tell most secrets, of others none."""
    random = np.random.default_rng(4)
    secret = (random.random(REAL.rows) < 0.5).astype(float)
    sets = _sets(list(REAL.values), random)
    even = np.full(REAL.rows, 0.5)
    own = _least_squares(REAL, REAL, secret, even, sets)
    assert ((own > 0.5) == (secret > 0.5)).mean() > 0.8  # many are alike in all bins
    other = _least_squares(REAL, FRESH, secret, even, sets)
    assert abs(((other > 0.5) == (secret > 0.5)).mean() - 0.5) < 0.05


def test_people_are_planted_of_whom_the_attack_can_find_where_most_are_like_others():
    """A careless twin plants anybody, and nine in ten of them are no prey."""
    schema = Table("t", (Column("town", "category"), Column("age", "decimal"), Column("pay", "decimal")))
    evidence = Evidence(schema, common(3_000, 1), common(3_000, 2), common(3_000, 3))
    found = find(list(catalog.get("metrics", "verbatim")().judge(evidence, Run(1, workers=1))), "verbatim_near")
    assert found.detail["control"] == "found" and found.detail["tries"] < 500
    world = World.of(evidence, Run(1, workers=1))
    anybody = catalog.get("metrics", "verbatim")().strike(world.planted(0.01, Run(1)), Run(1))["verbatim_near",]
    assert not anybody.found
