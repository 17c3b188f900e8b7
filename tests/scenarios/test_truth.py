"""What a manifest says is true of the finished rows, whatever rules, bounds and conditions do to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from known import column, joint, played, share, staged

import fabrica
from fabrica.checks import Joint
from fabrica.errors import FabricaError


def rules_world() -> Joint:
    random = np.random.default_rng(1)
    net, tax, total = (random.integers(0, 30, 4_000) for _ in range(3))
    levels = random.choice(["x", "y"], 4_000)
    return Joint.of({"net": net.tolist(), "tax": tax.tolist(), "total": total.tolist(), "y": levels.tolist()},
                    {"net": "integer", "tax": "integer", "total": "integer", "y": "category"}, np.ones(4_000).tolist())


def test_rules_of_a_scenario_hold_in_all_rows_also_in_injected_ones():
    plain = {"rules": ["total == net + tax", "tax <= net", "not (y == 'x' and net > 20)"],
             "inject": [{"kind": "tail", "column": "net", "beyond": "max", "share": 0.1},
                        {"kind": "combine", "of": ["y == 'x'", "net > 10"], "share": 0.1}]}
    columns, injection, _ = played(rules_world(), plain, 5_000)
    net, tax, total = (columns[name].astype(int) for name in ("net", "tax", "total"))
    assert (total == net + tax).all() and (tax <= net).all() and not ((columns["y"] == "x") & (net > 20)).any()
    assert (net[injection == 1] > 29).all()
    world = rules_world()
    before = column(world, "tax") <= column(world, "net")
    assert abs((tax[injection == 0] == 3).mean() - (column(world, "tax")[before] == 3).mean()) < 0.04


def test_injected_rows_satisfy_what_is_given():
    """Whole rows, not only those columns that an injection leaves as they were drawn."""
    world = rules_world()
    columns, injection, _ = played(world, {"given": "net <= 31 and not (y == 'x' and tax > 20)", "inject": [
        {"kind": "tail", "column": "net", "beyond": "q50.1", "share": 0.2},
        {"kind": "combine", "of": ["y == 'x'", "tax > 10"], "share": 0.2}]}, 5_000)
    net, tax = columns["net"].astype(int), columns["tax"].astype(int)
    assert (net <= 31).all() and not ((columns["y"] == "x") & (tax > 20)).any()
    assert (net[injection == 1] > 14).all() and (tax[injection == 2] > 10).all()
    assert (columns["y"][injection == 2] == "x").all()


@pytest.mark.parametrize(("plain", "words"), [
    ({"given": "net <= 29", "inject": [{"kind": "tail", "column": "net", "beyond": "max", "share": 0.1}]}, "undo it"),
    ({"rules": ["not (y == 'x' and net > 20)"],
      "inject": [{"kind": "combine", "of": ["y == 'x'", "net > 20"], "share": 0.1}]}, "undo it"),
    ({"given": "total > 40", "rules": ["total == net + tax"]}, "is computed when"),
    ({"shift": {"total": {"mean": 40}}, "rules": ["total == net + tax"]}, "is computed when"),
    ({"inject": [{"kind": "rare", "where": "total > 40", "share": 0.1}], "rules": ["total == net + tax"]},
     "is computed when")])
def test_what_undoes_a_wish_is_said(plain, words):
    stage_and_play = lambda: played(rules_world(), plain, 1_000)  # noqa: E731
    with pytest.raises(FabricaError, match=words):
        stage_and_play()


def test_weights_say_what_they_cannot_undo():
    world = joint()
    assert staged(world, {"shift": {"s": {"a": 0.9}}}).bare == 0
    gone = share(world, world.chances, s="b")
    assert abs(staged(world, {"shift": {"s": {"a": 1}}}).bare - gone) < 0.01
    assert abs(staged(world, {"inject": [{"kind": "rare", "where": "s == 'a'", "share": 1}]}).bare - gone) < 0.01
    frame = pd.DataFrame({"s": ["a", "b"] * 500, "x": range(1_000)})
    played = fabrica.fit(frame, engine="independent", seed=1).play({"shift": {"s": {"a": 1}}}, 100)
    assert "are not those of the model" in played.manifest["weights"]["mean"]
    assert 0.4 < played.manifest["weights"]["without_rows"] < 0.6


def test_how_many_rows_differ_is_told():
    """Of a region that hardly any row of the model lies in the few that are found stand several times."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame({name: random.integers(0, 40, 6_000) for name in "abc"} | {"z": random.normal(size=6_000)})
    model, notes = fabrica.fit(frame, engine="independent", seed=1), []
    rare = "a == b + 20 and b == c + 11 and abs(z - a) < 36.5"
    made = model.play({"inject": [{"kind": "rare", "where": rare, "share": 0.5}]}, 20_000, seed=1,
                      listener=lambda news: notes.append(news.note))
    differ = len(made.data.drop_duplicates())
    assert differ <= made.manifest["different_rows"] < 15_000 and made.manifest["weights"]["worth_rows"] < 15_000
    assert any("stand several times" in note for note in notes)
    assert model.play({"shift": {"a": {"3": 0.5}}}, 2_000).manifest["different_rows"] == 2_000


@pytest.mark.parametrize(("rules", "words"), [
    (["net -> y"], "must be learned"), (["unique(net)"], "must be learned"), (["net > tax", "tax > net"], "net"),
    (["total == net + tax", "net == total - tax"], "net|total"), (["net >"], "expected"), ("net > 3", "must be a list"),
    (["__import__('os')"], "rule 1")])
def test_rules_that_cannot_be_kept_are_said(rules, words):
    with pytest.raises(FabricaError, match=words):
        staged(rules_world(), {"rules": rules})


def test_rules_of_a_model_are_kept_in_its_scenarios_or_it_is_said_why_not():
    random = np.random.default_rng(5)
    net, tax = random.integers(9, 90, 3_000), random.integers(0, 9, 3_000)
    frame = pd.DataFrame({"net": net, "tax": tax, "total": net + tax, "kind": random.choice(list("ab"), 3_000)})
    model = fabrica.fit(frame, engine="independent", rules=["total == net + tax", "tax <= net"], seed=1)
    plain = {"shift": {"kind": {"a": 0.9}}, "inject": [{"kind": "tail", "column": "net", "beyond": "max", "share": 0.1},
                                                       {"kind": "rare", "where": "total > 90", "share": 0.1}]}
    made = model.play(plain, 4_000).data
    assert (made["total"] == made["net"] + made["tax"]).all() and (made["tax"] <= made["net"]).all()
    assert (made["net"] > 89).sum() >= 400 and ((made["total"] > 90).mean()) > 0.15
    with pytest.raises(FabricaError, match="is computed"):
        model.play({"inject": [{"kind": "tail", "column": "total", "share": 0.1}]}, 100)


def test_rows_that_must_differ_do_in_a_scenario_and_stay_what_they_were():
    """Second comers are drawn again from the law that they were of: injected rows too, and the share that is asked."""
    days = pd.DataFrame({"ticket": np.arange(1_200), "day": np.repeat(np.arange(60), 20),
                         "slot": np.tile(np.arange(20), 60)})
    days["late"] = (days["slot"] > 14).map({True: "yes", False: "no"})
    plain = {"given": ["day < 50"], "shift": {"late": {"yes": 0.4}},
             "inject": [{"kind": "rare", "where": "day < 10", "share": 0.2}]}
    loose = fabrica.fit(days, engine="trees", seed=1).play(plain, 400).data
    assert loose.duplicated(["day", "slot"]).sum() > 20
    made = fabrica.fit(days, engine="trees", rules=["unique(day, slot)"], seed=1).play(plain, 400)
    assert not made.data.duplicated(["day", "slot"]).any() and made.data["ticket"].is_unique
    assert (made.data["day"] < 50).all() and 20 < made.manifest["drawn_again"] < 300
    injected = made.origin["injection_id"].to_pandas() == 1
    assert injected.sum() == 80 and (made.data["day"][injected] < 10).all()
    first = made.data["day"] < 10
    weights = made.origin["weight"].to_numpy()
    assert weights[first].max() < weights[~first].max()
    assert abs(float((made.data["late"][~injected] == "yes").mean()) - 0.4) < 0.07
    with pytest.raises(FabricaError, match="hardly more than"):
        fabrica.fit(days, engine="independent", rules=["unique(day, slot)"], seed=1).play(
            {"inject": [{"kind": "rare", "where": "day < 2", "share": 0.5}]}, 400)
