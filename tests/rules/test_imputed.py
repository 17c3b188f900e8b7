"""Missing cells of a table with rules: what is there stays, what is filled in obeys, what follows is computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import fabrica

RULES = ["total == net + tax", "end >= start", "state -> region", "packs is null when smoker == 'no'",
         "onehot(a, b, c)", "not (region == 'south' and net > 80)"]


def people(rows: int = 3_000) -> pd.DataFrame:
    random = np.random.default_rng(1)
    state = random.choice(["AA", "AB", "BA"], rows)
    region = np.where(state == "BA", "south", "north")
    net = np.round(np.where(region == "south", random.uniform(0, 80, rows), random.uniform(0, 120, rows)), 2)
    tax = np.round(net * random.choice([0.07, 0.19], rows), 2)
    start = np.datetime64("2024-01-01") + random.integers(0, 300, rows)
    smoker, pick = random.choice(["yes", "no"], rows), random.integers(0, 3, rows)
    return pd.DataFrame({
        "net": net, "tax": tax, "total": np.round(net + tax, 2), "start": start,
        "end": start + random.geometric(0.2, rows) - 1, "state": state, "region": region, "smoker": smoker,
        "packs": pd.Series(random.poisson(9, rows) + 1.0).mask(smoker == "no"),
        **{name: (pick == i).astype(float) for i, name in enumerate("abc")}})


@pytest.fixture(scope="module")
def model():
    return fabrica.fit(people(), engine="trees", seed=1, rules=RULES, trees=5)


def test_filled_rows_obey_and_what_is_there_stays(model):
    truth, random = people(1_500), np.random.default_rng(3)
    holes = truth.copy()
    for name in holes:
        holes[name] = holes[name].mask(random.random(len(holes)) < 0.25)
    full = model.impute(holes, seed=1)
    for name in holes:
        there = holes[name].notna()
        assert (full[name][there] == holes[name][there]).all(), name
    whole = full[["net", "tax", "total"]].notna().all(axis=1)
    assert np.isclose(full.total, full.net + full.tax, atol=0.0049)[whole].all() and whole.mean() > 0.95
    both = full[["start", "end"]].notna().all(axis=1)
    assert (full.end >= full.start)[both].all() and both.mean() > 0.95
    assert full.packs[full.smoker == "no"].isna().all()
    assert set(zip(full.state, full.region, strict=True)) - {("AA", "north"), ("AB", "north"), ("BA", "south")} <= {
        (s, r) for s, r in zip(full.state, full.region, strict=True) if not (isinstance(s, str) and isinstance(r, str))}
    assert not ((full.region == "south") & (full.net > 80)).any()
    ones = full[["a", "b", "c"]]
    assert (ones.sum(axis=1)[ones.notna().all(axis=1)] == 1).all() and ones.notna().all(axis=1).mean() > 0.9


def test_what_follows_from_the_known_is_computed(model):
    truth = people(400)
    holes = truth.copy()
    holes.loc[:99, "total"] = holes.loc[100:199, "tax"] = holes.loc[200:299, "net"] = holes.loc[300:, "region"] = None
    full = model.impute(holes, seed=1)
    for name in ("net", "tax", "total"):
        assert np.allclose(full[name], truth[name], atol=1e-9)
    assert (full.region == truth.region).all()


def test_a_known_end_bounds_the_start_that_is_filled_in(model):
    holes = people(500).assign(start=None)
    full = model.impute(holes, seed=1)
    assert (pd.to_datetime(full.start) <= pd.to_datetime(full.end)).all() and full.start.notna().all()


def test_a_row_that_broke_a_rule_keeps_what_it_said(model):
    odd = people(50).assign(total=1.0, packs=None)
    full = model.impute(odd, seed=1)
    assert (full.total == 1.0).all() and full.net.equals(odd.net)


def test_rows_that_break_a_rule_are_impossible():
    frame = people()
    model = fabrica.fit(frame, engine="bayesnet", seed=1, rules=RULES)
    odd = frame.head(20).assign(total=lambda f: f.total + 1)
    assert np.isfinite(model.log_prob(frame.head(20))).all() and np.isneginf(model.log_prob(odd)).all()
