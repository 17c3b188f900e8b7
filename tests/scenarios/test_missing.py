"""Cells go missing at the rate and where they should, and not where a rule needs them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from known import joint, played

import fabrica
from fabrica.scenario import Scenario

ROWS = 60_000


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
