"""Utility: the twin teaches as well as the original, or it does not, for each sort of target."""

from __future__ import annotations

import numpy as np
import pytest

from .worlds import find, judge, people, sheet, shuffled


@pytest.mark.parametrize(("target", "measure"), [("sex", "AUC"), ("town", "accuracy"), ("pay", "R2")])
def test_each_sort_of_target(target, measure):
    real, fresh, rest = people(900, 1), people(900, 2), people(900, 3)
    good = find(judge("utility", real, fresh, rest, target=target), "utility")
    bad = find(judge("utility", real, shuffled(fresh), rest, target=target), "utility")
    assert good.unit == measure and good.low <= good.value <= good.high
    assert abs(good.detail["gap"]) < 0.08
    if target != "sex":  # sex follows nothing: there is nothing to learn
        assert bad.detail["gap"] > 0.15
        assert "much worse" in bad.detail["words"]


@pytest.mark.parametrize("gap", [0.0, np.nan])
def test_a_number_with_two_values_is_predicted_as_two_levels(gap):
    def coded(rows, seed):
        base = people(rows, seed)
        rich = np.where(base.values["age"] > 55, 1.0, 0.0)
        rich[:20] = gap
        return sheet(age=base.values["age"] + np.random.default_rng(seed).normal(0, 15, rows), rich=rich)

    got = find(judge("utility", coded(600, 1), coded(600, 2), coded(600, 3), target="rich"), "utility")
    assert got.unit == "AUC" and got.value > 0.8 and got.detail["left_out_rows"] == (20 if gap else 0)


def test_the_original_as_twin_has_no_gap():
    real = people(400, 1)
    same = find(judge("utility", real, real, people(400, 2), target="pay"), "utility")
    assert same.value == same.floor and same.detail["gap"] == 0


def test_a_twin_with_one_level_teaches_nothing():
    real = people(300, 1)
    flat = type(real)(300, {**real.values, "sex": np.zeros(300, np.int32)}, real.levels)
    assert find(judge("utility", real, flat, people(300, 2), target="sex"), "utility").value == 0.5
    town = type(real)(300, {**real.values, "town": np.zeros(300, np.int32)}, real.levels)
    rest = people(300, 2)
    got = find(judge("utility", real, town, rest, target="town"), "utility")
    assert got.value == pytest.approx((rest.values["town"] == 0).mean())


def test_what_cannot_be_measured_is_said():
    real, rest = people(200, 1), people(200, 2)
    assert judge("utility", real, real, rest)[0].problem == "no target was declared"
    assert judge("utility", real, real, target="sex")[0].problem == "there is no holdout to be predicted"
    assert "30 rows" in judge("utility", real, people(20, 2), rest, target="sex")[0].problem
    one = sheet(x=np.arange(50))
    assert judge("utility", one, one, one, target="x")[0].problem
    many = sheet({"k": [str(i) for i in range(80)]}, k=np.tile(np.arange(80), 2), x=np.arange(160))
    assert "80 levels" in judge("utility", many, many, many, target="k")[0].problem
    assert judge("utility", *(sheet(x=np.arange(60), y=np.ones(60)) for _ in range(3)), target="y")[0].problem
