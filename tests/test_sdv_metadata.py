"""SDV's metadata JSON in its three layouts."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica.errors import FabricaError
from fabrica.schema import ForeignKey, Schema
from fabrica.sdv_metadata import from_sdv, is_sdv

GUESTS = {
    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
    "primary_key": "guest",
    "alternate_keys": ["card"],
    "columns": {
        "guest": {"sdtype": "email", "pii": True},
        "card": {"sdtype": "credit_card_number", "pii": True},
        "rewards": {"sdtype": "boolean"},
        "room": {"sdtype": "categorical"},
        "class": {"sdtype": "categorical", "order": ["low", "high"]},
        "rank": {"sdtype": "categorical", "order_by": "alphabetical"},
        "fee": {"sdtype": "numerical", "computer_representation": "Float"},
        "nights": {"sdtype": "numerical", "computer_representation": "Int64"},
        "any": {"sdtype": "numerical"},
        "in": {"sdtype": "datetime", "datetime_format": "%d %b %Y"},
        "paid": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d %T"},
        "address": {"sdtype": "address", "pii": True},
        "who": {"sdtype": "unknown", "pii": True},
        "lat": {"sdtype": "latitude"},
        "lon": {"sdtype": "longitude"},
        "group": {"sdtype": "id", "regex_format": "G_[0-9]{3}"},
    },
}
KINDS = {
    "guest": "key",
    "card": "key",
    "rewards": "boolean",
    "room": "category",
    "class": "ordinal",
    "rank": "category",
    "fee": "decimal",
    "nights": "integer",
    "any": "decimal",
    "in": "date",
    "paid": "datetime",
    "address": "text",
    "who": "text",
    "lat": "latitude",
    "lon": "longitude",
    "group": "category",
}
HOTELS = {
    "METADATA_SPEC_VERSION": "V1",
    "tables": {
        "hotels": {
            "primary_key": "hotel_id",
            "columns": {
                "hotel_id": {"sdtype": "id", "regex_format": "HID_[0-9]{3}"},
                "city": {"sdtype": "categorical"},
            },
        },
        "guests": {
            "primary_key": "email",
            "columns": {"email": {"sdtype": "email"}, "hotel_id": {"sdtype": "id", "regex_format": "HID_[0-9]{3}"}},
        },
    },
    "relationships": [
        {
            "parent_table_name": "hotels",
            "parent_primary_key": "hotel_id",
            "child_table_name": "guests",
            "child_foreign_key": "hotel_id",
        }
    ],
}


def test_each_sdtype_becomes_its_kind():
    table = from_sdv(GUESTS).table
    assert {c.name: c.kind for c in table.columns} == KINDS
    assert table.primary_key == ("guest",)
    assert table["class"].levels == ("low", "high")
    assert table["in"].notation == "%d %b %Y" and table["paid"].notation == "%Y-%m-%d %H:%M:%S"
    assert table["lat"].partner == "lon" and table["lon"].partner == "lat"
    assert table["guest"].notation == {"kind": "email"}


@pytest.mark.parametrize("version", ["V1", "MULTI_TABLE_V1"])
def test_several_tables_keep_their_relationships(version):
    schema = from_sdv({**HOTELS, "METADATA_SPEC_VERSION": version})
    assert [t.name for t in schema.tables] == ["hotels", "guests"]
    assert schema.foreign_keys == (ForeignKey("guests", ("hotel_id",), "hotels", ("hotel_id",)),)
    assert schema.tables[0]["hotel_id"].notation == {"template": "HID_###"}
    assert schema.tables[1]["hotel_id"].kind == "category"
    assert Schema.from_json(schema.to_json()) == schema


def test_another_version_is_told():
    with pytest.raises(FabricaError, match="V9"):
        from_sdv({"METADATA_SPEC_VERSION": "V9", "columns": {}})


@pytest.mark.parametrize(
    ("plain", "known"),
    [
        (GUESTS, True),
        (HOTELS, True),
        ({"age": "integer"}, False),
        ([], False),
        ({"columns": {"a": {"sdtype": "id"}}}, True),
    ],
)
def test_the_metadata_is_recognised(plain, known):
    assert is_sdv(plain) is known


ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@pytest.mark.parametrize("name", ["primary_key", "alternate_keys", "columns", "column_relationships"])
@pytest.mark.parametrize("value", [5, [5], {"a": 5}, [[5]]], ids=str)
def test_a_field_of_the_wrong_shape_is_refused_or_harmless(name, value):
    try:
        assert from_sdv({**GUESTS, name: value}).table
    except FabricaError as error:
        assert "SDV metadata" in str(error)


@settings(deadline=None, max_examples=60)
@given(
    ANYTHING,
    st.sampled_from(
        [
            "primary_key",
            "alternate_keys",
            "columns",
            "column_relationships",
            "tables",
            "relationships",
            "column",
            "table",
        ]
    ),
)
def test_metadata_of_any_shape_is_read_or_refused_in_one_sentence(value, where):
    plain = {**GUESTS, where: value}
    if where == "column":
        plain = {**GUESTS, "columns": {"a": {"sdtype": "id", "regex_format": value, "order": value}}}
    elif where in ("table", "relationships"):
        plain = {**HOTELS, "relationships": value} if where == "relationships" else {**HOTELS, "tables": {"a": value}}
    with contextlib.suppress(FabricaError):
        from_sdv(plain)
