"""Tails: the law is found, carried on from the threshold, ends where its column does, and weighs nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import played, staged

import fabrica
from fabrica.checks import Joint
from fabrica.errors import FabricaError
from fabrica.scenarios.tail import Pareto


@settings(max_examples=25)
@given(st.floats(-0.3, 0.5), st.floats(0.1, 1000), st.integers(0, 999))
def test_the_pareto_law_is_found_from_its_own_draws(shape, scale, seed):
    values = Pareto(shape, scale).quantile(np.random.default_rng(seed).random(100_000))
    found = Pareto.of(values, np.ones(len(values)))
    assert abs(found.shape - shape) < 0.06 and abs(found.scale / scale - 1) < 0.06
    further = found.beyond(scale)
    over = values[values > scale] - scale
    if len(over) > 500:
        assert abs(np.quantile(over, 0.5) / further.quantile(np.array([0.5]))[0] - 1) < 0.25


@pytest.mark.parametrize("engine", ["trees", "independent"])
def test_tails_go_on_where_the_data_ends(engine):
    """An exponential column: beyond the highest of 20,000 values the known law has e-foldings that are known."""
    random = np.random.default_rng(1)
    amount = np.round(random.exponential(100, 20_000), 2)
    frame = pd.DataFrame({"amount": amount, "big": np.where(amount > 300, "yes", "no"), "id": np.arange(20_000)})
    model = fabrica.fit(frame, engine=engine, seed=1)
    played = model.play({"inject": [{"kind": "tail", "column": "amount", "beyond": "q99.9", "share": 0.2}]}, 20_000)
    injected = np.asarray(played.origin["injection_id"].is_valid())
    there = played.data["amount"][injected].to_numpy()
    threshold = played.manifest["injections"][0]["parameters"]["threshold"]
    assert injected.sum() == 4_000 and (there > threshold).all() and there.max() > amount.max()
    assert 70 < (there - threshold).mean() < 140  # 100 in truth
    assert (np.round(there, 2) == there).all() and played.data["id"].is_unique
    assert played.data["big"][injected].eq("yes").mean() > (0.99 if engine == "trees" else 0.03)
    weight = played.origin["weight"].to_numpy()
    assert abs(np.average(played.data["amount"], weights=weight) / 100 - 1) < 0.03
    assert played.data["amount"].mean() > 200


def test_a_tail_weighs_nothing_however_heavy():
    """Values that are heavier than the model's beyond the threshold would bend the weighted mean, were they weighed."""
    amount = np.random.default_rng(1).pareto(1.5, 20_000).round(3)
    model = fabrica.fit(pd.DataFrame({"amount": amount, "x": ["a", "b"] * 10_000}), engine="independent", seed=1)
    played = model.play({"inject": [{"kind": "tail", "column": "amount", "beyond": "q90", "share": 0.3}]}, 40_000)
    weight = played.origin["weight"].to_numpy()
    injected = np.asarray(played.origin["injection_id"].is_valid())
    alone = played.data["amount"].to_numpy()[~injected]
    assert (weight[injected] == 0).all() and np.average(played.data["amount"], weights=weight) == pytest.approx(
        alone.mean())


@pytest.mark.parametrize(("told", "words"), [
    ({"beyond": "min"}, "the other end"), ({"below": "max"}, "the other end"), ({"beyond": "q20"}, "in the middle"),
    ({"below": "q60"}, "in the middle"), ({"beyond": 200}, "ends before"), ({"below": -1}, "can lie beyond")])
def test_ends_that_are_none_are_said(told, words):
    numbers = Joint.of({"age": list(range(60))}, {"age": "integer"}, np.ones(60).tolist())
    with pytest.raises(FabricaError, match=words):
        staged(numbers, {"inject": [{"kind": "tail", "column": "age", "share": 0.1, **told}]})


def test_a_tail_ends_where_its_column_does():
    """At zero, which no value passes, and at declared bounds."""
    numbers = Joint.of({"x": list(range(1, 100))}, {"x": "integer"}, np.ones(99).tolist())
    columns, injection, _ = played(numbers, {"inject": [{"kind": "tail", "column": "x", "below": "q5", "share": 0.5}]},
                                   4_000)
    there = columns["x"][injection == 1].astype(int)
    assert there.min() >= 0 and there.max() < 6 and len(np.unique(there)) > 3
    bounded = Joint(replace(numbers.table, columns=(replace(numbers.table.columns[0], bounds=(0, 102)),)),
                    numbers.cells, np.exp(-np.arange(99) / 20) / np.exp(-np.arange(99) / 20).sum())
    columns, injection, _ = played(bounded, {"inject": [{"kind": "tail", "column": "x", "beyond": 90, "share": 0.5}]},
                                   4_000)
    there = columns["x"][injection == 1].astype(int)
    assert there.max() == 102 and there.min() == 91 and (there == 102).mean() < 0.2


def test_the_lower_end_and_whole_numbers():
    frame = pd.DataFrame({"depth": -np.random.default_rng(2).geometric(0.05, 20_000), "x": ["a", "b"] * 10_000})
    model = fabrica.fit(frame, engine="independent", seed=1)
    played = model.play({"inject": [{"kind": "tail", "column": "depth", "below": "min", "share": 0.01}]}, 10_000)
    injected = np.asarray(played.origin["injection_id"].is_valid())
    depth = played.data["depth"]
    assert depth.dtype == np.int64 and depth[injected].max() < depth[~injected].min()
    assert played.manifest["injections"][0]["beyond_the_model"]
    assert (played.origin["weight"].to_numpy()[injected] == 0).all()
