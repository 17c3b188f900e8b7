"""The schema as a plain value: JSON out and in, refusals that say where, words that are safe to show."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica.errors import FabricaError, SchemaError, UnknownName
from fabrica.inference import load_overrides, with_overrides
from fabrica.schema import KINDS, UNITS, Column, ForeignKey, Schema, Table, describe, rows_of

NAMES = st.text(min_size=1, max_size=8)
COLUMNS = st.builds(
    Column,
    name=NAMES,
    kind=st.sampled_from(sorted(KINDS)),
    decimals=st.none() | st.integers(0, 12),
    unit=st.none() | st.sampled_from(UNITS),
    missing=st.lists(NAMES, max_size=3),
    levels=st.lists(NAMES, max_size=3),
    bounds=st.none() | st.tuples(st.integers(-5, 0), st.integers(1, 5)),
    lenient=st.booleans(),
    why=NAMES,
    notation=st.none() | NAMES | st.dictionaries(NAMES, st.integers(), max_size=2),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(COLUMNS, max_size=4, unique_by=lambda c: c.name))
def test_json_out_is_json_in(columns):
    schema = Schema((Table("t", tuple(columns)),))
    assert Schema.from_json(json.loads(schema.dumps())) == schema


@settings(deadline=None, max_examples=100)
@given(
    field=st.sampled_from(
        [
            "missing",
            "levels",
            "bounds",
            "lenient",
            "decimals",
            "unit",
            "storage",
            "why",
            "partner",
            "name",
            "kind",
            "timezone",
        ]
    ),
    value=ANYTHING,
)
def test_a_field_of_any_shape_is_taken_or_refused_in_one_sentence(field, value):
    plain = {
        "fabrica_schema": 1,
        "tables": [{"name": "t", "columns": [{"name": "a", "kind": "integer", field: value}]}],
    }
    try:
        schema = Schema.from_json(plain)
    except FabricaError:
        return
    assert Schema.from_json(schema.to_json()) == schema


@settings(deadline=None, max_examples=100)
@given(ANYTHING)
def test_any_json_is_a_schema_or_one_sentence(plain):
    for thing in (
        plain,
        {"tables": plain},
        {"tables": [plain]},
        {"tables": [{"columns": plain}]},
        {"tables": [{"columns": [], "primary_key": plain}]},
        {"tables": [], "foreign_keys": plain},
    ):
        with contextlib.suppress(FabricaError):
            Schema.from_json(thing)


def test_a_future_version_is_told_apart():
    with pytest.raises(SchemaError, match="version 2"):
        Schema.from_json({"fabrica_schema": 2, "tables": []})


def test_foreign_keys_travel_too():
    schema = Schema(
        (Table("a", (Column("id", "key"),), ("id",)), Table("b", (Column("a_id", "integer"),))),
        (ForeignKey("b", ("a_id",), "a", ("id",)),),
    )
    assert Schema.from_json(json.loads(schema.dumps())) == schema


def test_names_that_stand_twice_or_nowhere_are_refused():
    with pytest.raises(SchemaError, match="twice"):
        Table("t", (Column("a", "integer"), Column("a", "text")))
    with pytest.raises(UnknownName, match="b"):
        Table("t", (Column("a", "integer"),), ("b",))
    with pytest.raises(UnknownName, match="there are"):
        Column("a", "number")


def test_a_schema_shows_itself_with_every_word_escaped():
    bad = "<img src=x onerror=alert(1)>"
    shown = Schema((Table(bad, (Column(bad, "category", missing=(bad,), why=bad),)),))._repr_html_()
    assert "<img" not in shown and shown.count("&lt;img") == 4


def test_words_name_what_is_said_of_a_column():
    table = Table(
        "t",
        (
            Column("fee", "decimal", decimals=2, notation={"prefix": "$"}, missing=("?",), why="amounts"),
            Column("when", "datetime", unit="m", timezone="UTC", notation="%Y"),
            Column("size", "ordinal", levels=("S", "L"), bounds=None),
        ),
    )
    assert rows_of(table)[0] == ("fee", "decimal", "2 decimals, prefix '$'", "'?'", "amounts")
    assert [len(row) for row in rows_of(table)] == [5, 5, 5]
    assert "S < L" in describe(table) and describe(table).count("\n") == 3


# ---------------------------------------------------------------- overrides

TABLE = Table("t", (Column("zip", "integer", "int64", why="whole numbers"), Column("x", "decimal", decimals=2)))


@pytest.mark.parametrize(
    "said",
    [
        {"zip": "category"},
        {"zip": {"kind": "category"}},
        Schema((Table("t", (Column("zip", "category"),)),)).to_json(),
        Table("t", (Column("zip", "category"),)),
        Schema((Table("t", (Column("zip", "category"),)),)),
        {"columns": {"zip": {"sdtype": "categorical"}}},
    ],
    ids=lambda s: type(s).__name__,
)
def test_overrides_come_in_many_shapes(said):
    changed = with_overrides(TABLE, said)
    assert changed["zip"].kind == "category" and changed["zip"].storage == "int64" and changed["x"] == TABLE["x"]


def test_a_new_kind_drops_what_belonged_to_the_old():
    assert with_overrides(TABLE, {"x": "category"})["x"].decimals is None
    assert with_overrides(TABLE, {"x": {"missing": [-999]}})["x"] == Column(
        "x", "decimal", decimals=2, missing=("-999",), why="declared"
    )


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"nope": "category"}, "nope"),
        ({"zip": "categorie"}, "categorie"),
        ({"zip": {"kid": "x"}}, "kid"),
        ({"zip": 5}, "zip"),
        ({"zip": {"bounds": [2, 1]}}, "bounds"),
        ({"zip": {"decimals": "two"}}, "decimals"),
        ([1], "map"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(said, word):
    with pytest.raises(FabricaError, match=word):
        with_overrides(TABLE, said)


def test_files_of_overrides_are_yaml_or_json(tmp_path):
    yaml, plain = tmp_path / "o.yaml", tmp_path / "o.json"
    yaml.write_text("zip: category\nx: {kind: decimal, missing: [-999, '?']}\n", encoding="utf-8")
    plain.write_text(
        json.dumps({"zip": "category", "x": {"kind": "decimal", "missing": [-999, "?"]}}), encoding="utf-8"
    )
    assert with_overrides(TABLE, load_overrides(yaml)) == with_overrides(TABLE, load_overrides(plain))
    assert with_overrides(TABLE, yaml)["x"].missing == ("-999", "?")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"zip: [category\nx: y: z", "line"),
        (b"- a\n- b", "map"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"!!python/object/apply:os.system ['true']", "YAML"),
        (b"", "map"),
    ],
)
def test_a_broken_file_of_overrides_names_file_and_line(tmp_path, text, word):
    path = tmp_path / "o.yaml"
    path.write_bytes(text)
    with pytest.raises(FabricaError, match=word) as caught:
        load_overrides(path)
    assert "o.yaml" in str(caught.value)


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(FabricaError, match=r"nowhere\.yaml"):
        load_overrides("nowhere.yaml")
