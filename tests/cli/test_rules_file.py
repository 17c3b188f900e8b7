"""Rules of a file: they go into the model, the recipe and the schema, and a mistake names its file and its rule."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import fabrica as sdk
from fabrica.errors import FabricaError


@pytest.fixture
def trips(tmp_path):
    """A small table of trips."""
    frame = pd.DataFrame({"km": [3, 5, 8, 13, 21] * 80, "extra": [1, 0, 2, 0] * 100,
                          "id": [f"T-{i:03d}" for i in range(400)]})
    frame["paid"] = frame.km + frame.extra
    frame.to_csv(tmp_path / "trips.csv", index=False)
    return tmp_path / "trips.csv"


@pytest.mark.parametrize("text", ["- paid == km + extra\n- km >= extra\n",
                                  "rules:\n  - paid == km + extra\n  - km >= extra",
                                  '["paid == km + extra", "km >= extra"]'])
def test_rules_of_a_file_go_with_the_model(fabrica, trips, tmp_path, text):
    (tmp_path / "rules.yaml").write_text(text)
    code, out, _ = fabrica("fit", trips, "--rules", "rules.yaml", "-o", "m.fab", "--engine", "independent")
    assert code == 0 and "rule paid == km + extra: 'paid' is computed" in out
    assert "rule paid == km + extra" in fabrica("inspect", "m.fab")[1]
    assert fabrica("sample", "m.fab", "-n", "500", "-o", "twin.csv")[0] == 0
    twin = pd.read_csv(tmp_path / "twin.csv")
    assert (twin.paid == twin.km + twin.extra).all() and (twin.km >= twin.extra).all()


def test_synth_writes_them_into_recipe_and_schema_which_bring_them_back(fabrica, trips, tmp_path):
    (tmp_path / "rules.yaml").write_text("- paid == km + extra\n")
    words = ["--engine", "independent", "--holdout", "0", "-q"]
    assert fabrica("synth", trips, "--rules", "rules.yaml", "-o", "out", *words)[0] == 0
    assert json.loads((tmp_path / "out/recipe.json").read_text())["rules"] == str(tmp_path / "rules.yaml")
    assert json.loads((tmp_path / "out/schema.json").read_text())["tables"][0]["rules"] == ["paid == km + extra"]
    assert fabrica("synth", "--recipe", "out/recipe.json", "-o", "again", "-q")[0] == 0
    assert (tmp_path / "again/data.csv").read_bytes() == (tmp_path / "out/data.csv").read_bytes()
    code, out, _ = fabrica("fit", trips, "--schema", "out/schema.json", "-o", "m.fab", "--engine", "independent")
    assert code == 0 and "rule paid == km + extra" in out
    assert "km + extra" not in (tmp_path / "out/report.json").read_text()


@pytest.mark.parametrize(("text", "words"), [
    ("- paid == km + extra\n- km >= far\n", ("rules.yaml", "rule 2", "no column 'far'")),
    ("- 3\n", ("rules.yaml", "rule 1", "must be a text")), ("rules: km\n", ("rules.yaml", "list of texts")),
    ("rule: [km > 0]\n", ("rules.yaml", "named 'rule'")), ("", ("rules.yaml", "holds no rules")),
    ("- km > paid\n- paid > km\n", ("rules.yaml", "would be below itself")), ("- [\n", ("rules.yaml", "line")),
    ("- km == extra\n", ("of 400 rows break", "km == extra")), ("- __import__('os').system('ls')\n", ("rule 1",))])
def test_a_mistake_names_its_file_and_its_rule_and_nothing_is_written(fabrica, trips, tmp_path, text, words):
    (tmp_path / "rules.yaml").write_text(text)
    code, out, err = fabrica("fit", trips, "--rules", "rules.yaml", "-o", "m.fab", "--engine", "independent", "-q")
    assert code == 2 and not out and all(word in err for word in words) and not (tmp_path / "m.fab").exists()
    assert len(err.strip().splitlines()) == 1


def test_a_file_that_is_not_there(fabrica, trips):
    assert "no.yaml" in fabrica("fit", trips, "--rules", "no.yaml", "-o", "m.fab", "-q")[2]


def test_from_python_a_list_or_a_file(trips, tmp_path):
    (tmp_path / "rules.yaml").write_text("- paid == km + extra\n")
    one = sdk.fit(trips, engine="independent", rules=["paid == km + extra"])
    two = sdk.fit(trips, engine="independent", rules=tmp_path / "rules.yaml")
    assert one.table == two.table and one.table.rules == ("paid == km + extra",)
    twin = sdk.synth(trips, engine="independent", rules=["paid == km + extra"], holdout=0)
    assert (twin.data["paid"].to_pandas() == (twin.data["km"].to_pandas() + twin.data["extra"].to_pandas())).all()
    with pytest.raises(FabricaError, match="list of texts"):
        sdk.fit(trips, engine="independent", rules={"a": 1})
