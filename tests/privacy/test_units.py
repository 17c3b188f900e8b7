"""Whose rows they are, without an epsilon: people are counted and not their rows, and nobody is on two sides."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import fabrica
from fabrica.artefacts import traces
from fabrica.cli.commands import _outcome as cli
from fabrica.errors import SettingError, UnknownName
from fabrica.units import enough

PEOPLE, EACH = 300, 8
ALONE = {"illness": "Fibrodysplasia ossificans", "work": "Kurz & Sohn GmbH", "income": 987_654_321.37}


@pytest.fixture(scope="module")
def visits() -> pa.Table:
    """Patient 17 alone has an illness, an employer and an income, in all of eight rows."""
    random = np.random.default_rng(1)
    who = np.repeat(np.arange(PEOPLE), EACH)
    table = {"patient_id": [f"P{100_000 + 7 * i}" for i in who],
             "illness": random.choice(["I10", "E11", "J45"], PEOPLE)[who].tolist(),
             "work": random.choice(["bank", "school", "farm"], PEOPLE)[who].tolist(),
             "income": np.round(random.lognormal(10, 0.5, PEOPLE), 2)[who].tolist(),
             "dose": random.integers(1, 9, PEOPLE * EACH).tolist()}
    for name, value in ALONE.items():
        for row in np.flatnonzero(who == 17):
            table[name][row] = value
    return pa.table(table)


@pytest.mark.parametrize("engine", ["independent", "trees", "bayesnet"])
def test_what_one_person_has_in_many_rows_stands_nowhere(visits, engine, tmp_path):
    model = fabrica.fit(visits, engine=engine, unit="patient_id")
    twin = model.sample(5_000, seed=1)
    pyarrow.csv.write_csv(twin, tmp_path / "twin.csv")
    assert traces([model.save(tmp_path / "m.fab"), tmp_path / "twin.csv"], ALONE) == []
    assert {"bank", "school", "farm"} <= set(twin["work"].to_pylist())
    assert any("stands in 35 rows" in note for note in model.facts["notes"])


def test_counting_rows_would_give_that_person_away_and_is_told(visits, tmp_path):
    model = fabrica.fit(visits, engine="independent")
    assert {t.name for t in traces([model.save(tmp_path / "m.fab")], ALONE)} >= {"illness", "work"}
    assert any("--unit patient_id" in note for note in model.facts["notes"])


def test_the_command_keeps_people_on_one_side(visits, tmp_path, capsys):
    pyarrow.csv.write_csv(visits, tmp_path / "v.csv")
    asked = ["synth", str(tmp_path / "v.csv"), "-o", str(tmp_path / "out"), "--engine", "independent", "-q"]
    assert cli([*asked, "--unit", "patient_id"]) == 0
    assert traces([tmp_path / "out"], ALONE) == []
    assert fabrica.Recipe.load(tmp_path / "out" / "recipe.json").unit == "patient_id"
    rows = fabrica.load(tmp_path / "out" / "model.fab").facts["rows"]
    assert rows % EACH == 0 and 0.7 < rows / visits.num_rows < 0.9  # whole people were put aside
    assert cli([*asked, "--unit", "nobody"]) == 2 and "no column named 'nobody'" in capsys.readouterr().err
    assert cli([*asked, "--unit-rows", "3"]) == 2


def test_rows_enough_for_k_units_cannot_be_held_by_fewer():
    """By brute force over random tables: whatever so many rows hold, k units hold."""
    random = np.random.default_rng(2)
    for _ in range(200):
        who = random.integers(0, random.integers(1, 12), random.integers(1, 60))
        k = int(random.integers(1, 7))
        rows = enough([pa.record_batch({"who": who})], "who", k)
        sizes = np.sort(np.bincount(who))[::-1]
        exact = 1 + int(sizes[: k - 1].sum()) + max(0, k - 1 - int((sizes > 0).sum()))
        assert rows == (exact if exact == k else 5 * -(-exact // 5) if exact < 100 else 10 * -(-exact // 10))
        if rows <= len(who):
            assert all(len(set(random.permutation(who)[:rows].tolist())) >= k for _ in range(20))
    gaps = pa.record_batch({"who": pa.array(["a", "a", None, None])})
    assert enough([gaps], "who", 3) == 5


def test_units_that_cannot_be_are_told(visits):
    with pytest.raises(UnknownName, match="no column named 'nobody'"):
        fabrica.fit(visits, unit="nobody")
    few = pa.table({"who": ["a"] * 11_000 + ["b", "c"] * 10, "x": list(range(11_020))})
    with pytest.raises(SettingError, match="would have to stand in 1"):
        fabrica.fit(few, unit="who")
    with pytest.raises(SettingError, match="beside the terms"):
        fabrica.Recipe("t.csv", privacy={"epsilon": 1.0, "unit": "a"}, unit="b")
    with pytest.raises(SettingError, match="beside the terms"):  # it would hide a row and not a person
        fabrica.fit(visits, privacy=1.0, unit="patient_id")


def test_a_report_under_an_epsilon_shows_what_people_hold_and_not_what_rows_do(visits, tmp_path):
    pyarrow.csv.write_csv(visits, tmp_path / "v.csv")
    asked = ["--epsilon", "5", "--engine", "mst", "--unit", "patient_id", "-q"]
    assert cli(["synth", str(tmp_path / "v.csv"), "-o", str(tmp_path / "out"), *asked]) == 0
    assert traces([tmp_path / "out"], ALONE) == []
