"""The profile of HIPAA's Safe Harbor: what leaves the table before it is learned."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pyarrow as pa
import pytest

import fabrica
from fabrica import filed
from fabrica.artefacts import traces
from fabrica.errors import UnknownName
from fabrica.identifying import KINDS
from fabrica.profile import SPARSE

ROWS = 400


def patients(typed: bool = False) -> pa.Table:
    days = [dt.date(1925 + i % 90, 1 + i % 12, 1 + i % 28) for i in range(ROWS)]
    seen = [dt.date(2019 + i % 5, 1 + i % 12, 1 + i % 28) for i in range(ROWS)]
    return pa.table({
        "mrn": [f"MRN{i * 7919 % 10**7:07}" for i in range(ROWS)],
        "dob": days if typed else [str(d) for d in days], "admitted": seen if typed else [str(d) for d in seen],
        "age": [i % 101 if typed else str(i % 101) for i in range(ROWS)],
        "zip": [["03601", "10027", "94110", "10026-1234"][i % 4] for i in range(ROWS)],
        "city": [["Boston", "Albany", "Reno"][i % 3] for i in range(ROWS)],
        "email": [f"ann.lee{i}@mail.example" for i in range(ROWS)],
        "note": [f"patient number {i} came from Boston on the {i % 28}th and left again" for i in range(ROWS)],
        "dose": [1.5 * (i % 9) for i in range(ROWS)]})


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("frame", ["arrow", "pandas"])
def test_safe_harbor(typed, frame):
    data = patients(typed) if frame == "arrow" else patients(typed).to_pandas()
    twin = fabrica.fit(data, engine="independent", profile="hipaa").sample(1_000, seed=1)
    rows = twin if isinstance(twin, pd.DataFrame) else twin.to_pandas()
    assert {int(v) for v in rows["age"]} <= set(range(91))
    assert set(rows["zip"].dropna()) == {"000", "941", "100"}
    assert rows["city"].isna().all() and rows["note"].isna().all()
    born, seen = ({int(float(v)) for v in rows[name].dropna()} for name in ("dob", "admitted"))
    assert min(born) >= dt.datetime.now(dt.UTC).year - 90 and max(born) <= 2014 and seen <= set(range(2019, 2024))
    real = patients().to_pandas()
    assert not set(rows["email"]) & set(real["email"]) and not set(rows["mrn"]) & set(real["mrn"])


def test_the_model_of_a_profile_holds_nothing_finer(tmp_path):
    path = tmp_path / "p.csv"
    patients().to_pandas().to_csv(path, index=False)
    model = fabrica.fit(path, engine="independent", profile="hipaa")
    (tmp_path / "schema.json").write_text(json.dumps(model.table.to_json()))
    places = [model.save(tmp_path / "m.fab"), tmp_path / "schema.json"]
    assert traces(places, {"city": "Boston", "zip": "10027", "month": "%m"}) == []
    coarse = fabrica.fit(path, engine="independent").save(tmp_path / "careless.fab")
    assert {t.name for t in traces([coarse], {"city": "Boston", "zip": "10027", "month": "%m"})} >= {"city", "month"}


@pytest.mark.parametrize("more", [{}, {"valid_to": ["9999-12-31"] * 800}])
def test_nobody_above_ninety_is_told_whatever_other_columns_say(more):
    years = [1916 + i % 90 for i in range(800)]
    data = pa.table({"birth_date": [f"{y}-06-01" for y in years], **more})
    twin = fabrica.fit(data, engine="independent", profile="hipaa").sample(900, seed=1)
    born = {int(float(y)) for y in twin["birth_date"].to_pylist() if y is not None}
    assert min(born) == dt.datetime.now(dt.UTC).year - 90 and max(born) >= 2000


def test_synth_and_recipe_know_it(tmp_path):
    from fabrica.recipe import Recipe

    path = tmp_path / "p.csv"
    patients().to_pandas().to_csv(path, index=False)
    report, files = filed.make(Recipe(str(path), "independent", profile="hipaa"), tmp_path / "out")
    twin = pd.read_csv(files["data.csv"], dtype=str)
    assert twin["city"].isna().all() and twin["zip"].str.len().max() == 3
    assert Recipe.load(files["recipe.json"]).profile == "hipaa" and report is not None


def test_an_unknown_profile_is_told():
    with pytest.raises(UnknownName, match="hipaa"):
        fabrica.fit(patients(), engine="independent", profile="gdpr")


def test_every_class_of_safe_harbor_has_a_kind():
    """A to R but for P and Q, fingers and faces, which no table of values holds, and E, which is D's form."""
    assert {k.safe_harbor for k in KINDS.values()} - {""} == set("ABCDFGHIJKLMNOR")
    assert len(SPARSE) == len(set(SPARSE)) == 17
