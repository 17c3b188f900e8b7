"""Injected rows: their laws, their weights, and what goes missing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import column, exact, joint, played, share, staged

import fabrica
from fabrica.checks import Broken, Joint, check_scenario
from fabrica.contract import Cells
from fabrica.errors import FabricaError
from fabrica.generator import Drawn, Injection, Law
from fabrica.run import Run
from fabrica.scenario import Scenario
from fabrica.scenarios.combine import Combine
from fabrica.scenarios.missing import Missing
from fabrica.scenarios.rare import Rare
from fabrica.scenarios.tail import Pareto, Tail

ROWS = 60_000
STRESS = {"given": "age >= 30 or age is null", "shift": {"y": {"x": 0.5}}, "fair": {"protected": "s", "outcome": "y"},
          "inject": [{"kind": "rare", "where": "c == 'rare' and age > 50", "share": 0.1, "intensity": 0.8},
                     {"kind": "rare", "where": "s == 'a'", "share": 0.2},
                     {"kind": "combine", "of": ["c == 'rare'", "age == 30"], "share": 0.05}]}


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_weights_undo_the_scenario(seed):
    """Weighted shares are those of the law under the condition; unweighted ones are far from them."""
    world = joint(seed)
    columns, injection, weight = played(world, STRESS, ROWS, seed)
    law = np.array([a is None or a >= 30 for a in column(world, "age")]) * world.chances
    law /= law.sum()
    worth = weight.sum() ** 2 / (weight**2).sum()
    far = 0.0
    for name, value in (("c", "rare"), ("s", "a"), ("y", "x"), ("age", 70)):
        known, found = share(world, law, **{name: value}), weight[columns[name] == value].sum() / len(weight)
        assert abs(found - known) < 5 * (known * (1 - known) / worth) ** 0.5 + 0.01
        far = max(far, abs((columns[name] == value).mean() - known))
    assert far > 0.05 and abs(weight.mean() - 1) < 0.02
    assert (weight[injection == 3] == 0).all() and (weight[injection < 3] > 0).all()


def test_there_are_as_many_as_was_said_and_each_is_what_it_should_be():
    columns, injection, _ = played(joint(), STRESS, 20_000)
    assert np.bincount(injection).tolist() == [13_000, 2_000, 4_000, 1_000]
    first = injection == 1
    assert (columns["c"][first] == "rare").all() and all(a > 50 for a in columns["age"][first])
    assert (columns["s"][injection == 2] == "a").all()
    assert all(a is None or a >= 30 for a in columns["age"])
    assert (columns["c"][injection == 3] == "rare").all() and (columns["age"][injection == 3] == 30).all()


def test_rows_of_a_region_are_distributed_as_the_model_has_them_there():
    world = joint(4)
    columns, injection, _ = played(world, {"inject": [{"kind": "rare", "where": "c == 'rare'", "share": 1}]}, ROWS)
    assert (injection == 1).all()
    there = column(world, "c") == "rare"
    law = world.chances * there / world.chances[there].sum()
    for name, value in (("s", "a"), ("y", "x"), ("age", 70)):
        known = share(world, law, **{name: value})
        assert abs((columns[name] == value).mean() - known) < 5 * (known * (1 - known) / ROWS) ** 0.5


def test_intensity_makes_plain_or_camouflaged():
    """By how well the other columns tell the region: the share of the likelier group."""
    random = np.random.default_rng(1)
    chances = {(c, s, y): w * (p if s == "a" else 1 - p) * (q if y == "x" else 1 - q)
               for c, w, p, q in (("rare", 0.01, 0.7, 0.65), ("common", 0.99, 0.4, 0.45)) for s in "ab" for y in "xy"}
    world = Joint.of(dict(zip("csy", map(list, zip(*chances, strict=True)), strict=True)),
                     dict.fromkeys("csy", "category"), list(chances.values()))
    shown = []
    for intensity in (0.0, 0.25, 0.5, 0.75, 1.0):
        plain = {"inject": [{"kind": "rare", "where": "c == 'rare'", "share": 1, "intensity": intensity}]}
        columns, _, _ = played(world, plain, 20_000, int(random.integers(99)))
        shown.append(((columns["s"] == "a").mean() + (columns["y"] == "x").mean()) / 2)
    assert shown == sorted(shown) and shown[0] < 0.45 and shown[-1] > 0.85
    assert abs(shown[2] - 0.675) < 0.02


# ---------------------------------------------------------------- tails


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


# ---------------------------------------------------------------- missing


@settings(max_examples=15)
@given(st.floats(0.3, 1), st.integers(0, 99))
def test_cells_go_missing_at_the_rate_where_they_should(rate, seed):
    world = joint(seed)
    plain = {"missing": {"y": {"rate": rate, "when": "age < 40"}, "age": {"rate": rate, "when": "y == 'x'"}, "s": rate}}
    columns, _, _ = played(world, plain, ROWS, seed)
    bare, _, _ = played(world, {}, ROWS, seed)
    assert (bare["y"] == "x").any() and all((columns[n][[v is not None for v in columns[n]]]
                                             == bare[n][[v is not None for v in columns[n]]]).all() for n in "sy")
    lacks = {name: np.array([v is None for v in columns[name]]) for name in columns}
    young = np.array([a is not None and a < 40 for a in bare["age"]])  # as it was before any cell went missing
    assert abs(lacks["y"][young].mean() - rate) < 0.02 and not lacks["y"][~young].any()
    assert abs(lacks["s"].mean() - rate) < 0.02
    inside = bare["y"] == "x"
    was = np.array([a is None for a in bare["age"]])
    assert abs(lacks["age"][inside].mean() - max(rate, was[inside].mean())) < 0.02
    assert (lacks["age"][~inside] == was[~inside]).all()


def test_missing_not_at_random():
    columns, _, _ = played(joint(), {"missing": {"age": {"rate": 1, "when": "age >= 60"}}}, 5_000)
    assert max(a for a in columns["age"] if a is not None) < 60


def test_markers_of_a_text_file_are_used(tmp_path):
    rows = ["age,note"] + [f"{20 + i % 50},{'?' if i % 4 == 0 else 'ok'}" for i in range(2_000)]
    (tmp_path / "in.csv").write_text("\n".join(rows))
    fabrica.fit(tmp_path / "in.csv", engine="independent", schema={"note": {"missing": ["?"]}}).save(tmp_path / "m.fab")
    Scenario.from_json({"missing": {"note": 0.9}})
    (tmp_path / "s.yaml").write_text("{rows: 1000, missing: {note: 0.9, age: 0.5}}")
    from fabrica.cli.commands import _outcome

    assert _outcome(["sample", str(tmp_path / "m.fab"), "--scenario", str(tmp_path / "s.yaml"), "-o",
                     str(tmp_path / "out"), "-q"]) == 0
    lines = (tmp_path / "out" / "data.csv").read_text().splitlines()[1:]
    assert 860 < sum(line.endswith(",?") for line in lines) < 940
    assert 440 < sum(line.startswith(",") for line in lines) < 560


# ---------------------------------------------------------------- the whole


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


# ---------------------------------------------------------------- promises


def test_the_kinds_keep_their_promises():
    world = joint()
    for kind, told in ((Rare, {"where": "c == 'rare'", "share": 0.1}), (Rare, {"where": "s == 'a'", "share": 1,
                       "intensity": 0.1}), (Combine, {"of": ["s == 'a'", "c == 'rare'"], "share": 0.5}),
                       (Missing, {"age": 0.5}), (Missing, {"y": {"rate": 1, "when": "age > 30"}})):
        check_scenario(kind.read(told, world.table, "here"), world)
    numbers = Joint.of({"x": list(range(1000))}, {"x": "integer"}, np.exp(-np.arange(1000) / 100).tolist())
    check_scenario(Tail.read({"column": "x", "share": 0.1, "beyond": "q95"}, numbers.table, "here"), numbers)


def test_a_careless_law_is_caught():
    """A density that forgets how rare its region is."""
    world = joint()

    class Careless(Rare):
        def law(self, generator, look, run):
            inner = super().law(generator, look, run)

            class Unscaled(Law):
                def draw(self, size, run):
                    return inner.draw(size, run)

                def ratio(self, cells):
                    return inner.where.weights(cells)

            return Unscaled()

    with pytest.raises(Broken, match="integrates to one"):
        check_scenario(Careless.read({"where": "s == 'a'", "share": 0.1}, world.table, "here"), world)


def test_a_law_that_draws_other_rows_than_it_says_is_caught():
    """One row again and again, and rows of the region by another law than that of the density."""
    world = joint()

    def careless(drawn):
        class Careless(Rare):
            def law(self, generator, look, run):
                inner = super().law(generator, look, run)

                class Other(Law):
                    def draw(self, size, run):
                        return drawn(generator, inner, size, run)

                    def ratio(self, cells):
                        return inner.ratio(cells)

                return Other()

        return Careless.read({"where": "s == 'a'", "share": 0.1}, world.table, "here")

    def one(generator, inner, size, run):
        return generator.joined([inner.draw(1, run)], np.zeros(size, int))

    def some(generator, inner, size, run):
        return generator.under([Rare.read({"where": "s == 'a' and y == 'x'", "share": 1}, world.table, "").where],
                               run.child("some")).rows(size, run)

    for drawn in (one, some):
        with pytest.raises(Broken, match="is distributed as"):
            check_scenario(careless(drawn), world)


def test_a_careless_edit_is_caught():
    class Loud(Missing):
        def edited(self, cells, run):
            return {self.column: Cells(pa.nulls(3))}

    with pytest.raises(Broken, match="as many cells"):
        check_scenario(Loud("s", 1.0), joint())


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


def test_an_injection_of_ones_own_is_one_class():
    """A burst: one payment a hundred times, a little changed. It lies beyond the model."""

    class Burst(Injection):
        title, source = "one row again and again, with other amounts", "a test"
        share = 0.1

        @classmethod
        def read(cls, plain, table, where):
            return cls()

        def law(self, generator, look, run):
            class Repeated(Law):
                beyond = True

                def draw(self, size, run):
                    rows = generator.rows(1, run.child("one"))
                    again = generator.joined([rows], np.zeros(size, int))
                    amounts = run.child("amounts").random().integers(1, 9, size)
                    return Drawn({**again.cells, "age": Cells(pa.array(amounts, pa.int64()))}, source=again.source)

                def ratio(self, cells):
                    return np.zeros(len(cells["age"]))

            return Repeated()

    check_scenario(Burst(), joint())
    plain = {"inject": [Burst(), {"kind": "rare", "where": "s == 'a'", "share": 0.1}]}
    columns, injection, weight = played(joint(), plain, 1_000)
    mine = injection == 1
    assert mine.sum() == 100 and len(set(columns["y"][mine])) == 1 and max(columns["age"][mine]) < 9
    assert (weight[mine] == 0).all() and (weight[~mine] > 0).all()
    json.dumps(Scenario.from_json(plain).to_json())


def test_a_scenario_goes_out_as_json_and_comes_back():
    scenario = Scenario.from_json({**STRESS, "rows": 100, "origin": "columns", "missing": {"s": 0.1}})
    assert Scenario.from_json(json.loads(json.dumps(scenario.to_json()))) == scenario


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


def test_wishes_that_contradict_each_other_are_said():
    same = Joint.of({"a": ["p", "q"], "b": ["p", "q"]}, {"a": "category", "b": "category"}, [0.4, 0.6])
    staged(same, {"shift": {"a": {"p": 0.7}, "b": {"q": 0.3}}})
    with pytest.raises(FabricaError, match="contradict each other"):
        staged(same, {"shift": {"a": {"p": 0.7}, "b": {"q": 0.7}}})


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


def test_cells_that_a_rule_needs_do_not_go_missing():
    random = np.random.default_rng(5)
    smoker = random.choice(["yes", "no"], 2_000)
    frame = pd.DataFrame({"smoker": smoker, "packs": pd.Series(random.integers(1, 40, 2_000), dtype="Int64").mask(
        smoker == "no"), "age": random.integers(20, 80, 2_000)})
    model = fabrica.fit(frame, engine="independent", seed=1, rules=[
        "packs is null when smoker == 'no'", "packs is not null when smoker == 'yes'"])
    made = model.play({"rules": ["age is not null when age < 200"], "missing": {"packs": 0.9, "age": 0.5}}, 4_000).data
    assert (made["packs"].isna() == (made["smoker"] == "no")).all()
    assert 0.4 < made["age"].isna().mean() < 0.6
    kept = model.play({"rules": ["age is not null"], "missing": {"age": 0.5}}, 1_000).data
    assert kept["age"].notna().all()


def test_how_many_rows_differ_is_told():
    frame = pd.DataFrame({"x": np.repeat(["a", "b"], [9_900, 100]), "y": np.random.default_rng(1).normal(size=10_000)})
    model = fabrica.fit(frame, engine="independent", seed=1)
    assert model.play({"shift": {"x": {"b": 0.5}}}, 2_000).manifest["different_rows"] == 2_000


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
