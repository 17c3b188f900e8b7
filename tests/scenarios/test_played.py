"""Scenarios as a whole: seeds, workers, engines, files, and what cannot be."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from known import STRESS, exact, joint, played, staged

import fabrica
from fabrica.errors import FabricaError
from fabrica.run import Run
from fabrica.scenario import Scenario


def test_workers_do_not_matter_and_seeds_do():
    one, two, other = (played(joint(), STRESS, 9_000, seed, workers) for seed, workers in ((1, 1), (1, 3), (2, 1)))
    assert all((one[0][name] == two[0][name]).all() for name in one[0]) and (one[2] == two[2]).all()
    assert not (one[0]["y"] == other[0]["y"]).all()


def test_an_empty_scenario_is_the_model():
    world = joint()
    stage = staged(world, {})
    assert np.allclose(exact(world, stage), world.chances)
    _, injection, weight = played(world, {}, 500)
    assert not injection.any() and (weight == 1).all()


@pytest.mark.parametrize(("told", "words"), [
    ({"kind": "raer", "share": 0.1}, "no kind of injection named 'raer'"), ({"share": 0.1}, "needs a `kind`"),
    ({"kind": "rare", "share": 0.1}, "`where` is missing"), ({"kind": "rare", "where": "s == 'a'"}, "`share`"),
    ({"kind": "rare", "where": "s == 'a'", "share": 1.1}, "between 0 and 1"),
    ({"kind": "rare", "where": "s.x()", "share": 0.1}, "means nothing"),
    ({"kind": "rare", "where": "c == 'never'", "share": 0.1}, "no row"),
    ({"kind": "rare", "where": "s == 'a'", "share": 0.1, "intensity": "high"}, "must be a number"),
    ({"kind": "tail", "column": "s", "share": 0.1}, "kind category"),
    ({"kind": "tail", "column": "age", "share": 0.1, "beyond": "q0"}, "quantile"),
    ({"kind": "tail", "column": "age", "share": 0.1, "beyond": "q9", "below": "q1"}, "either"),
    ({"kind": "combine", "of": ["s == 'a'"], "share": 0.1}, "two conditions"),
    ({"kind": "combine", "of": ["s == 'a'", "s == 'b'"], "share": 0.1}, "look at the column 's'"),
    ({"kind": "shift", "share": 0.1}, "no kind of injection"),
    ({"kind": "pattern", "share": 0.1}, "no kind of injection"),
    ("rare", "needs a `kind`")])
def test_what_cannot_be_is_said(told, words):
    with pytest.raises(FabricaError, match=words):
        staged(joint(), {"inject": [told]})


def test_shares_and_rows_must_suffice():
    half = {"kind": "rare", "where": "s == 'a'", "share": 0.6}
    with pytest.raises(FabricaError, match=r"sum to 1\.2"):
        staged(joint(), {"inject": [half, half]})
    few = {"kind": "rare", "where": "s == 'a'", "share": 0.01}
    with pytest.raises(FabricaError, match="too few"):
        played(joint(), {"inject": [few] * 5}, 3)


@pytest.mark.parametrize("engine", ["trees", "bayesnet", "boosted", "copula"])
def test_learned_tables_play_scenarios(engine):
    """On engines that draw masked columns and on one that does not: goals reached, keys whole, weights fine."""
    random = np.random.default_rng(3)
    rows = 6_000
    sex = random.choice(["f", "m"], rows, p=[0.4, 0.6])
    age = np.round(random.normal(np.where(sex == "f", 45, 40), 12)).clip(18, 90).astype(int)
    rich = np.where(random.random(rows) < 1 / (1 + np.exp(3 - age / 25 - 0.8 * (sex == "m"))), "yes", "no")
    frame = pd.DataFrame({"id": [f"P{i:05d}" for i in range(rows)], "sex": sex, "age": age, "rich": rich,
                          "pay": np.round(random.gamma(2, 20 + 30 * (rich == "yes")), 1)})
    model = fabrica.fit(frame, engine=engine, seed=1)
    plain = {"shift": {"rich": {"yes": 0.6}, "age": {"mean": 50}},
             "fair": {"protected": "sex", "outcome": "rich", "parity": 1},
             "inject": [{"kind": "rare", "where": "age > 70 and sex == 'f'", "share": 0.1}], "missing": {"pay": 0.25},
             "origin": "columns"}
    made = model.play(plain, 20_000, seed=1).data
    own = made[made["injection_id"].isna()]
    assert made["id"].is_unique and len(own) == 18_000
    assert abs((own["rich"] == "yes").mean() - 0.6) < 0.02 and abs(own["age"].mean() - 50) < 0.4
    rates = own.groupby("sex")["rich"].apply(lambda r: (r == "yes").mean())
    assert abs(rates["f"] - rates["m"]) < 0.04
    assert abs(made["pay"].isna().mean() - 0.25) < 0.02
    free = model.sample(40_000, seed=5)
    assert abs(np.average(made["age"], weights=made["weight"]) - free["age"].mean()) < 1
    assert abs(np.average(made["rich"] == "yes", weights=made["weight"]) - (free["rich"] == "yes").mean()) < 0.03


def test_the_run_is_told_and_stopped():
    from fabrica.errors import Interrupted

    run = Run(1)
    run.cancel()
    stage = staged(joint(), {})
    with pytest.raises(Interrupted):
        list(stage.windows(10, run))


def test_a_scenario_goes_out_as_json_and_comes_back():
    scenario = Scenario.from_json({**STRESS, "rows": 100, "origin": "columns", "missing": {"s": 0.1}})
    assert Scenario.from_json(json.loads(json.dumps(scenario.to_json()))) == scenario
