"""A recipe is read from words, kept as JSON or YAML, and tells nobody where a file lies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.errors import InputError, SettingError, UnknownName
from fabrica.model import TableModel
from fabrica.recipe import Recipe, count, seconds
from fabrica.run import Run


@pytest.mark.parametrize(("text", "wanted"), [("1000", 1000), ("1_000_000", 10**6), ("1e6", 10**6), ("1m", 10**6),
                                              ("2.5k", 2500), (7, 7), (" 12 ", 12)])
def test_counts(text, wanted):
    assert count(text) == wanted


@pytest.mark.parametrize("text", ["0", "-5", "1.5", "", "many", "1e", "1g", "nan", "inf", "0.2k1", "٣"])
def test_counts_refused(text):
    with pytest.raises(SettingError, match="at least 1"):
        count(text)


@pytest.mark.parametrize("text", ["1e19", "1e99", "9" * 30])
def test_more_rows_than_can_be_numbered_are_refused(text):
    with pytest.raises(SettingError, match=r"at most 1e\+18"):
        count(text)


def test_the_first_of_very_many_rows_are_there_at_once(model):
    batches = TableModel.load(model).sample_batches(10**18, Run(1, workers=1))
    assert next(batches).num_rows > 0


@given(st.integers(1, 10**18))
def test_any_whole_number_is_its_own_count(number):
    assert count(str(number)) == count(f"{number:_}") == number


@pytest.mark.parametrize(("text", "wanted"), [("90", 90), ("60s", 60), ("2m", 120), ("1.5h", 5400), (30, 30),
                                              (None, None)])
def test_seconds(text, wanted):
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["0", "-1", "soon", "60 seconds", "1d", "nan", "inf"])
def test_seconds_refused(text):
    with pytest.raises(SettingError, match="budget"):
        seconds(text)


@pytest.mark.parametrize("share", ["0.6", "1", "-0.1", "nan", 3])
def test_holdout_out_of_range(share):
    with pytest.raises(SettingError, match=r"between 0 and 0\.5"):
        Recipe(holdout=share)


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.one_of(st.integers(), st.booleans(), names)
recipes = st.builds(
    Recipe, data=names, engine=names, settings=st.dictionaries(names, values, max_size=3), seed=st.integers(),
    holdout=st.floats(0, 0.5), rows=st.none() | st.integers(1, 10**12), target=st.none() | names,
    budget=st.none() | st.floats(0.001, 1e6).map(lambda x: round(x, 3)), schema=st.none() | names)


@given(recipes)
def test_a_recipe_survives_json(recipe):
    assert Recipe.from_json(json.loads(recipe.dumps())) == recipe


def test_a_recipe_is_read_from_json_and_yaml(tmp_path):
    recipe = Recipe("people.csv", "independent", {"leaf": 5}, 3, 0.1, 100, "income", "2m")
    (tmp_path / "a.json").write_text(recipe.dumps())
    (tmp_path / "b.yaml").write_text(
        "data: people.csv\nengine: independent\nsettings: {leaf: 5}\nseed: 3\nholdout: 0.1\nrows: 100\n"
        "target: income\nbudget: 2m\n")
    assert Recipe.load(tmp_path / "a.json") == Recipe.load(tmp_path / "b.yaml") == recipe


@pytest.mark.parametrize(("text", "error", "match"), [
    ("[1]", InputError, "object"), ("{a: [", InputError, "neither YAML nor JSON"), ("rowz: 3", UnknownName, "rows"),
    ("fabrica_recipe: 2", InputError, "later version"), ("holdout: 0.9", SettingError, "0.5"),
    ("seed: true", SettingError, "whole number"),
    ("data: !!python/object/apply:os.system [ls]", InputError, "neither")])
def test_a_bad_recipe_says_what_is_wrong(tmp_path, text, error, match):
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(error, match=match):
        Recipe.load(tmp_path / "r.yaml")


def test_a_recipe_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"gone\.json: cannot be read"):
        Recipe.load(tmp_path / "gone.json")


def test_a_recipe_can_be_run_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = Recipe("in/people.csv", holdout="test.csv", schema="s.yaml").anchored()
    assert (found.data, found.holdout, found.schema) == tuple(
        str(tmp_path / name) for name in ("in/people.csv", "test.csv", "s.yaml"))
    assert Recipe("/data/*.csv", schema={"a": "integer"}).anchored() == Recipe("/data/*.csv", schema={"a": "integer"})
    assert Recipe().anchored() == Recipe()


def test_what_is_told_has_no_folders():
    told = Recipe("/home/anna/secret/people.csv", holdout="C:\\anna\\test.csv", schema={"age": "integer"}).told()
    assert told["data"] == "people.csv" and told["holdout"] == "test.csv" and "schema" not in told
