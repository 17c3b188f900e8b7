"""Secrets: what is guessed of a person, of those who have what few have, and what nearly everybody knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabrica.contract import Evidence
from fabrica.metrics.privacy import inference
from fabrica.metrics.privacy.inference import Sides
from fabrica.metrics.privacy.inference import _rarest as rarest
from fabrica.reached import Gains
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.sheets import IdentSheet
from fabrica.world import World
from metrics.attacked import FRESH, REAL, REST, TABLE, struck, tall
from metrics.worlds import find, judge


def test_columns_that_are_not_guessed_are_counted(monkeypatch):
    tried = [f for f in struck("inference", FRESH) if f.metric == "inference"]
    assert not any("untried" in f.detail for f in tried)
    monkeypatch.setattr(inference, "COLUMNS", 2)
    some = [f for f in struck("inference", FRESH) if f.metric == "inference" and f.value is not None]
    assert {f.detail["untried"] for f in some} == {len(REAL.values) - 2} and sum(1 for f in some if f.place) <= 2


def test_a_secret_told_by_rows_that_trees_do_not_see_counts_as_much(monkeypatch):
    """Trees that learn from a half of the twin see a half of what it gives away, and are as much less sure."""
    of_all = find(struck("inference", FRESH), "inference", "sex")
    monkeypatch.setattr(inference, "LEARN", 750)
    of_half = find(struck("inference", FRESH), "inference", "sex")
    assert of_half.detail["seen"] == 0.5 and "seen" not in of_all.detail
    assert of_half.high - of_half.value > 1.5 * (of_all.high - of_all.value)


def test_a_rare_value_is_named_only_where_enough_people_have_it():
    found = [f for f in struck("inference", REAL) if f.metric == "inference_rare" and f.place]
    assert {f.place[0] for f in found} <= {"sex", "town"} and found
    for one in found:
        code = list(REAL.levels[one.place[0]]).index(one.detail["value"])
        assert (REAL.values[one.place[0]] == code).sum() >= one.detail["members"] >= 100
    many = replace(World.of(Evidence(TABLE, REAL, FRESH, REST), Run(1, workers=1)), k=10_000)
    sides = Sides.of(many, Run(1))
    assert rarest(many, sides, "town")[0] is None and rarest(many, sides, "age")[0] is None


def ailing(rows: int, seed: int) -> IdentSheet:
    """People of whom each of twelve ailments strikes five in a thousand, so that nearly everybody has none."""
    own, random = tall(rows, seed), np.random.default_rng(seed + 50)
    ills = {f"ill{i}": (random.random(rows) < 0.005).astype(np.int32) for i in range(12)}
    return IdentSheet(rows, {"age": own.values["age"], "weight": own.values["weight"], **ills},
                      {name: ["no", "yes"] for name in ills})


def test_secrets_of_few_are_found_out_where_each_column_is_guessed_anyway():
    """In the twin of a leak one in two of those who are ill stands as they are."""
    real, rest, fresh = (ailing(rows, seed) for rows, seed in ((2_500, 1), (2_400, 2), (2_500, 3)))
    ill = np.flatnonzero(np.any([real.values[f"ill{i}"] == 1 for i in range(12)], axis=0))[::2]
    leaky = IdentSheet(2_500, {n: np.r_[v[len(ill):], real.values[n][ill]] for n, v in fresh.values.items()},
                       real.levels)
    schema = Table("t", tuple(Column(n, "category" if n in real.levels else "decimal") for n in real.values))
    leak, none = (judge("inference", real, twin, rest, schema=schema) for twin in (leaky, fresh))
    ills = [find(some, "inference", f"ill{i}") for some in (leak, none) for i in range(12)]
    assert all(one.value is None or one.high - one.low > 0.4 for one in ills)  # a column alone tells nothing
    found, nothing = find(leak, "inference_few"), find(none, "inference_few")
    assert found.low > 0.3 and found.detail["columns"] == 12
    assert nothing.low < 0.03 < nothing.high + 0.03 < 0.1


def flagged(rows: int, seed: int) -> IdentSheet:
    """People of whom one in twenty-five has each of ten flags, and twice as many have gained something."""
    own, random = tall(rows, seed), np.random.default_rng(seed + 50)
    flags = {f"flag{i}": (random.random(rows) < 0.04).astype(np.int32) for i in range(10)}
    gain = np.where(random.random(rows) < 0.08, random.integers(1, 9, rows) * 100.0, 0.0)
    return IdentSheet(rows, {"age": own.values["age"], "weight": own.values["weight"], "gain": gain, **flags},
                      {name: ["no", "yes"] for name in flags})


def test_one_flag_or_number_among_many_that_gives_few_away_has_its_own_number():
    """In the twin everybody stands with their age, weight and one more column, the others are strangers'."""
    real, rest, fresh = (flagged(rows, seed) for rows, seed in ((4_000, 1), (6_000, 2), (4_000, 3)))
    schema = Table("t", tuple(Column(n, "category" if n in real.levels else "decimal") for n in real.values))
    said = {}
    for leak in ("flag3", "gain"):
        own = ("age", "weight", leak)
        twin = IdentSheet(4_000, {n: (real if n in own else fresh).values[n] for n in real.values}, real.levels)
        found = judge("inference", real, twin, rest, schema=schema)
        said[leak] = {name: find(found, "inference_few", *name) for name in ((), ("flag3",), ("gain",), ("flag4",))}
    for leak, other in (("flag3", "gain"), ("gain", "flag3")):
        here = said[leak]
        assert here[leak,].low > 0.05 + here[other,].high and here[leak,].low > 3 * here[()].value, leak
        assert abs(here["flag4",].value) < 0.05, leak


def test_secrets_that_nearly_everybody_is_guessed_by_are_no_number():
    found = Gains(np.zeros(1_000), np.zeros(1_000), 0.98).finding("x")
    assert found.value is None and "too few to find out anything of" in found.problem
    assert Gains(np.zeros(9_000), np.zeros(9_000), 0.995).finding("x").value is None  # 45 are left, one in two hundred
    assert Gains(np.ones(1_000), np.zeros(1_000), 0.9).finding("x").high == 1.0
