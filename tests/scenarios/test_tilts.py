"""Shifts and fairness against brute force on joints that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import column, exact, joint, raked, share, staged

import fabrica
from fabrica.checks import Broken, Joint, check_scenario
from fabrica.errors import FabricaError, InputError
from fabrica.generator import Factor, Look, Tilt
from fabrica.scenarios.fair import Fair
from fabrica.scenarios.shift import Shift

NEAR = 0.006  #: 131,072 rows tell a share to about .0014


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.floats(0.1, 0.6), st.floats(0.05, 0.3), st.floats(0.05, 0.5))
def test_new_shares_are_reached_and_the_law_is_the_nearest_one(seed, a, x, rare):
    """Of one column, of several (raking), and of a level that hardly any row of a look has."""
    world = joint(seed)
    plain = {"shift": {"s": {"a": a}, "y": {"x": x, "y": 0.3}, "c": {"rare": rare}}}
    law = exact(world, staged(world, plain))
    known = raked(world, {"s": {"a": a}, "y": {"x": x, "y": 0.3}, "c": {"rare": rare}})
    for name, value, wished in (("s", "a", a), ("y", "x", x), ("y", "y", 0.3), ("c", "rare", rare)):
        assert abs(share(world, law, **{name: value}) - wished) < 2 * NEAR
    assert np.abs(law - known).sum() / 2 < 0.02


def test_a_shift_that_does_not_rake_is_caught():
    """The careless twin: each column by itself."""
    world = joint(3)
    law = world.chances.copy()
    for name, level, wished in (("s", "a", 0.9), ("y", "x", 0.8)):
        inside = column(world, name) == level
        own = world.chances[inside].sum()
        law *= np.where(inside, wished / own, (1 - wished) / (1 - own))
    law /= law.sum()
    known = raked(world, {"s": {"a": 0.9}, "y": {"x": 0.8}})
    assert np.abs(law - known).sum() / 2 > 0.02
    found = exact(world, staged(world, {"shift": {"s": {"a": 0.9}, "y": {"x": 0.8}}}))
    assert np.abs(found - known).sum() / 2 < 0.02


def test_all_else_follows_as_learned():
    world = joint(5)
    law = exact(world, staged(world, {"shift": {"s": {"a": 0.9}}}))
    for level in "ab":
        inside = column(world, "s") == level
        assert np.allclose(law[inside] / law[inside].sum(), world.chances[inside] / world.chances[inside].sum())


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(28, 60), st.none() | st.floats(9, 18))
def test_a_new_mean_is_that_of_the_exponential_tilt(seed, mean, std):
    world = joint(seed)
    wished = {"mean": mean} | ({"std": std} if std else {})
    law = exact(world, staged(world, {"shift": {"age": wished}}))
    ages = column(world, "age")
    there = np.array([v is not None for v in ages])
    values, own = ages[there].astype(float), law[there] / law[there].sum()
    assert abs(own @ values - mean) < 0.3
    if std:
        assert abs((own @ (values - own @ values) ** 2) ** 0.5 - std) < 0.3
    assert abs(law[~there].sum() - world.chances[~there].sum()) < NEAR  # as many are missing as before
    ratio = np.log(own / (world.chances[there] / world.chances[there].sum()))
    features = np.vander(values, 3 if std else 2)
    left = ratio - features @ np.linalg.lstsq(features, ratio, rcond=None)[0]
    assert np.abs(left).max() < 1e-6  # log-linear in the moments, and in nothing else


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0, 1), st.booleans())
def test_any_point_of_the_dial_is_reached(seed, parity, explained):
    world = joint(seed)
    legitimate = ["c"] if explained else []
    law = exact(world, staged(world, {"fair": {"protected": "s", "outcome": "y", "parity": parity,
                                               "given": legitimate}}))
    for known in ({"c": "common"},) if explained else ({},):
        there = share(world, world.chances, **known)
        for y in "xyz":
            common = share(world, world.chances, y=y, **known) / there
            for s in "ab":
                own = share(world, world.chances, y=y, s=s, **known) / share(world, world.chances, s=s, **known)
                now = share(world, law, y=y, s=s, **known) / share(world, law, s=s, **known)
                assert abs(now - ((1 - parity) * own + parity * common)) < 2 * NEAR
    for y in "xyz":
        assert abs(share(world, law, y=y) - share(world, world.chances, y=y)) < NEAR
    assert abs(share(world, law, s="a") - share(world, world.chances, s="a")) < NEAR


def test_an_outcome_that_a_group_never_has_is_not_made_and_no_group_shrinks():
    columns = {"s": ["a", "a", "b", "b", "b"], "y": ["x", "y", "x", "y", "z"]}
    world = Joint.of(columns, {"s": "category", "y": "category"}, [0.1, 0.3, 0.2, 0.1, 0.3])
    law = exact(world, staged(world, {"fair": {"protected": "s", "outcome": "y", "parity": 1}}))
    assert abs(share(world, law, s="a") - 0.4) < NEAR
    for y, wished in (("x", 0.3), ("y", 0.4), ("z", 0.3)):
        assert abs(share(world, law, s="b", y=y) / share(world, law, s="b") - wished) < 2 * NEAR
    assert abs(share(world, law, s="a", y="x") / share(world, law, s="a") - 3 / 7) < 2 * NEAR


def test_groups_become_equally_large():
    world = joint(2)
    law = exact(world, staged(world, {"fair": {"protected": ["s", "y"], "outcome": "c", "parity": 0, "sizes": 1}}))
    for s in "ab":
        for y in "xyz":
            assert abs(share(world, law, s=s, y=y) - 1 / 6) < NEAR


def test_shift_and_fairness_hold_together():
    world = joint(7)
    law = exact(world, staged(world, {"shift": {"y": {"x": 0.5}, "age": {"mean": 50}},
                                      "fair": {"protected": "s", "outcome": "y", "parity": 1}}))
    assert abs(share(world, law, y="x") - 0.5) < NEAR
    rates = [share(world, law, y="x", s=s) / share(world, law, s=s) for s in "ab"]
    assert abs(rates[0] - rates[1]) < 2 * NEAR
    ages = column(world, "age")
    there = np.array([v is not None for v in ages])
    assert abs(law[there] @ ages[there].astype(float) / law[there].sum() - 50) < 0.3


def test_the_order_in_the_file_does_not_matter():
    world = joint(8)
    one = {"shift": {"y": {"x": 0.5}, "s": {"a": 0.3}}, "given": "age >= 30"}
    other = {"given": "age >= 30", "shift": {"s": {"a": 0.3}, "y": {"x": 0.5}}}
    assert np.abs(exact(world, staged(world, one)) - exact(world, staged(world, other))).sum() < 2 * NEAR


@pytest.mark.parametrize(("plain", "words"), [
    ({"shift": {"s": {"a": 0.7, "b": 0.5}}}, "sum to 1.2"), ({"shift": {"t": {"a": 0.7}}}, "no column named 't'"),
    ({"shift": {"s": {"a": 1.7}}}, "between 0 and 1"), ({"shift": {"s": {}}}, "must be a mapping"),
    ({"shift": {"s": {"mean": 3}}}, "kind category"), ({"shift": {"age": {"mean": "old"}}}, "must be a number"),
    ({"shift": {"age": {"std": 0}}}, "above 0"), ({"shift": {"age": {"mean": 300}}}, "too few values"),
    ({"shift": {"age": {"20..40": 0.3, "40..50": 0.2}}}, "overlap"), ({"shift": 3}, "mapping"),
    ({"shift": {"s": {"a": 0.4, "b": 0.4}}}, "sum to 1"),
    ({"fair": {"protected": "s", "outcome": "s"}}, "named twice"), ({"fair": {"protected": "s"}}, "`outcome`"),
    ({"fair": {"protected": "s", "outcome": "y", "parity": 2}}, "between 0 and 1"),
    ({"fair": {"protected": "s", "outcome": "y", "dial": 2}}, "no word named 'dial'"),
    ({"fair": "sex"}, "must be a mapping"), ({"given": "age >= 300"}, "no row satisfies"),
    ({"given": 3}, "must be a condition"), ({"shfit": {}}, "did you mean|shift"), ([1], "must be a mapping"),
    ({"inject": {}}, "must be a list"), ({"origin": "nowhere"}, "file or columns"), ({"rows": -1}, "whole number")])
def test_what_cannot_be_is_said(plain, words):
    with pytest.raises(FabricaError, match=words):
        staged(joint(), plain)


# ---------------------------------------------------------------- promises


def test_the_kinds_keep_their_promises():
    world = joint()
    check_scenario(Shift.read({"s": {"a": 0.9}}, world.table, "here"), world)
    check_scenario(Shift.read({"age": {"mean": 40, "std": 12}}, world.table, "here"), world)
    check_scenario(Fair.read({"protected": "s", "outcome": "y"}, world.table, "here"), world)


def test_a_careless_tilt_is_caught():
    class Twice(Factor):
        columns = ("s",)

        def weights(self, cells):
            return np.full(len(cells["s"]), 2.0)

    class Careless(Tilt):
        @classmethod
        def read(cls, plain, table, where):
            return cls()

        def factors(self, look: Look):
            return (Twice(),)

    with pytest.raises(Broken, match="between 0 and 1"):
        check_scenario(Careless(), joint())


def test_errors_name_the_place_in_the_file(tmp_path):
    from fabrica.scenario import Scenario

    file = tmp_path / "stress.yaml"
    file.write_text("rows: 10\nshift:\n  s:\n    a: 0.5\n  y: {x: 1.5}\n")
    with pytest.raises(InputError, match=r"stress.yaml, line 5, shift, y, x: must be a number between 0 and 1"):
        Scenario.load(file).bound(joint().table)


def test_wishes_that_contradict_each_other_are_said():
    same = Joint.of({"a": ["p", "q"], "b": ["p", "q"]}, {"a": "category", "b": "category"}, [0.4, 0.6])
    staged(same, {"shift": {"a": {"p": 0.7}, "b": {"q": 0.3}}})
    with pytest.raises(FabricaError, match="contradict each other"):
        staged(same, {"shift": {"a": {"p": 0.7}, "b": {"q": 0.7}}})


def test_small_groups_are_made_fair_too():
    """One in two hundred; its own outcome is hardly seen in a look at all rows."""
    random = np.random.default_rng(1)
    group = random.choice(["many", "some", "few"], 40_000, p=[0.695, 0.3, 0.005])
    yes = random.random(40_000) < np.select([group == "many", group == "some"], [0.4, 0.2], 0.1)
    model = fabrica.fit(pd.DataFrame({"group": group, "bill": np.where(yes, "paid", "late")}), engine="trees",
                        seed=1)
    played = model.play({"fair": {"protected": "group", "outcome": "bill", "parity": 1, "sizes": 1}}, 30_000)
    rates = (played.data["bill"] == "paid").groupby(played.data["group"]).mean()
    assert rates.max() - rates.min() < 0.025 and (played.data["group"].value_counts() > 9_500).all()
    came = played.manifest["tilts"][0]["came"]["groups"]
    assert set(came) == {"many", "some", "few"} and abs(came["few"]["outcomes"]["paid"] - rates["few"]) < 0.02


def test_too_many_combinations_of_groups_are_said():
    frame = pd.DataFrame(np.random.default_rng(1).integers(0, 40, (2_000, 5)).astype(str), columns=list("abcde"))
    model = fabrica.fit(frame, engine="independent", seed=1)
    with pytest.raises(FabricaError, match="more combinations"):
        model.play({"fair": {"protected": list("abcd"), "outcome": "e"}}, 100)
