"""What a column means is guessed right, said, verified on every row, and every guess gives the cells back."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import re
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica.counted import filled
from fabrica.encoder import Encoder
from fabrica.encoder import learn as encode
from fabrica.errors import FabricaError
from fabrica.inference import infer, verify
from fabrica.inference.facts import Facts
from fabrica.inference.keys import template
from fabrica.inference.people import _card
from fabrica.job import guess
from fabrica.notation import read, write
from fabrica.run import Run
from fabrica.schema import Column, Schema

DATA = Path(__file__).parents[2] / "shared" / "data"
CANARY = "qx7canary"
few = settings(max_examples=30, deadline=None)


def guessed(values, kind=None, name="x", **more) -> Column:
    table, _ = infer(pa.table({name: pa.array(values, kind)}), **more)
    return table.columns[0]


def comes_back(column: Column, array) -> bool:
    back = write(column, read(column, array))
    if pa.types.is_dictionary(back.type) and not pa.types.is_dictionary(array.type):
        back = back.dictionary_decode()
    return back.equals(array)


def spread(make, n=200) -> list[str]:
    return [make(i) for i in range(n)]


R = random.Random(7)
WORDS = [R.choice(["red", "green", "blue", "grey"]) for _ in range(200)]
BITS = ["the", "cat", "sat", "on", "a", "mat", "and", "ate", "some", "fish"]
SENTENCES = [" ".join(R.choice(BITS) for _ in range(12)) for _ in range(200)]
NAMES = [
    f"{R.choice('ABCDEFGH')}{R.choice('aeiou')}{R.choice('lmnrst')}{R.choice('aeiou')}{i:x} Smith" for i in range(200)
]
DAY = dt.date(2020, 1, 1)


@pytest.mark.parametrize(
    ("values", "kind", "more"),
    [
        (spread(lambda i: str(i % 60)), "integer", {}),
        (spread(lambda i: str(i % 2)), "integer", {}),
        (spread(lambda i: f"{i % 40}.0"), "integer", {"notation": {"suffix": ".0"}}),
        (spread(lambda i: f"{i * i % 97 / 4:.2f}"), "decimal", {"decimals": 2, "notation": {"least": 2}}),
        (spread(lambda i: repr(i % 97 / 4)), "decimal", {"decimals": 2, "notation": {"least": 1}}),
        (spread(lambda i: repr(i / 7)), "decimal", {"decimals": None}),
        (spread(lambda i: f"${i * 37:,}.50"), "decimal", {"notation": {"prefix": "$", "thousands": ",", "least": 2}}),
        (
            spread(lambda i: f"(${i}.50)" if i % 3 else f"${i}.25"),
            "decimal",
            {"notation": {"prefix": "$", "negative": "brackets", "least": 2}},
        ),
        (spread(lambda i: f"-${i}.50" if i % 3 else f"${i}.25"), "decimal", {"notation": {"prefix": "$", "least": 2}}),
        (
            spread(lambda i: f"{i * 37:,}.50".translate(str.maketrans(",.", ".,")) + " €"),
            "decimal",
            {"notation": {"suffix": " €", "thousands": ".", "decimal": ",", "least": 2}},
        ),
        (spread(lambda i: f"{i},5"), "decimal", {"decimals": 1, "notation": {"decimal": ",", "least": 1}}),
        (spread(lambda i: f"{i % 90}%"), "integer", {"notation": {"suffix": "%"}}),
        (spread(lambda i: f"{i - 100:+d}"), "integer", {"notation": {"plus": True}}),
        (spread(lambda i: f" {i % 70}"), "integer", {"notation": {"prefix": " "}}),
        (spread(lambda i: f"{i * 7 % 150:5d}"), "integer", {"notation": {"width": 5}}),
        (spread(lambda i: f"{i % 30:05d}"), "category", {}),
        (spread(lambda i: ["yes", "no"][i % 2]), "boolean", {"notation": ["no", "yes"]}),
        (spread(lambda i: ["Y", "N"][i % 2]), "boolean", {"notation": ["N", "Y"]}),
        (spread(lambda i: ["TRUE", "FALSE"][i % 2]), "boolean", {"notation": ["FALSE", "TRUE"]}),
        (spread(lambda i: ["m", "f"][i % 2]), "category", {}),
        (WORDS, "category", {}),
        (spread(lambda i: ["Low", "Medium", "High"][i % 3]), "ordinal", {"levels": ("Low", "Medium", "High")}),
        (
            spread(lambda i: ["2. mid", "1. low", "10. top"][i % 3]),
            "ordinal",
            {"levels": ("1. low", "2. mid", "10. top")},
        ),
        (
            spread(lambda i: ["18-24", "65+", "25-34", "<18"][i % 4]),
            "ordinal",
            {"levels": ("<18", "18-24", "25-34", "65+")},
        ),
        (
            spread(lambda i: ["Agree", "Disagree", "Neutral"][i % 3]),
            "ordinal",
            {"levels": ("Disagree", "Neutral", "Agree")},
        ),
        (spread(lambda i: str(DAY + dt.timedelta(i))), "date", {"notation": "%Y-%m-%d"}),
        (spread(lambda i: (DAY + dt.timedelta(i)).strftime("%d/%m/%Y")), "date", {"notation": "%d/%m/%Y"}),
        (spread(lambda i: (DAY + dt.timedelta(i)).strftime("%m/%d/%Y")), "date", {"notation": "%m/%d/%Y"}),
        (spread(lambda i: (DAY + dt.timedelta(i)).strftime("%-m/%-d/%y")), "date", {"notation": "%-m/%-d/%y"}),
        (spread(lambda i: (DAY + dt.timedelta(i)).strftime("%d-%b-%Y")), "date", {"notation": "%d-%b-%Y"}),
        (spread(lambda i: (DAY + dt.timedelta(i)).strftime("%d-%b-%y").upper()), "date", {"notation": "%d-%^b-%y"}),
        (spread(lambda i: (DAY + dt.timedelta(i)).strftime("%B %d, %Y")), "date", {"notation": "%B %d, %Y"}),
        (spread(lambda i: (DAY + dt.timedelta(i)).strftime("%Y%m%d")), "date", {"notation": "%Y%m%d"}),
        (spread(lambda i: f"{i % 28 + 1:02d}.{i % 12 + 1:02d}.1066"), "date", {"notation": "%d.%m.%Y"}),
        (
            spread(lambda i: f"{DAY + dt.timedelta(i)} 00:00:00"),
            "datetime",
            {"unit": "D", "notation": "%Y-%m-%d %H:%M:%S"},
        ),
        (
            spread(lambda i: f"{DAY + dt.timedelta(i)}T{i % 24:02d}:00:00Z"),
            "datetime",
            {"unit": "h", "timezone": "UTC"},
        ),
        (
            spread(lambda i: f"{DAY}T{i % 24:02d}:{i % 60:02d}:07.125+02:00"),
            "datetime",
            {"unit": "ms", "timezone": "+02:00"},
        ),
        (
            spread(lambda i: f"{i % 12 + 1:02d}/{i % 28 + 1:02d}/2020 {i % 12 + 1}:05 {'AP'[i % 2]}M"),
            "datetime",
            {"unit": "m", "notation": "%m/%d/%Y %-I:%M %p"},
        ),
        (spread(lambda i: f"{i % 24:02d}:{i % 60:02d}"), "time", {"unit": "m", "notation": "%H:%M"}),
        (spread(lambda i: f"{i % 28:02d}:{i % 60:02d}:01"), "duration", {"unit": "s"}),
        (spread(lambda i: f"PT{i % 23 + 1}H"), "duration", {"notation": "iso"}),
        (
            spread(lambda i: f"INV-{i + 1:05d}"),
            "key",
            {"notation": {"kind": "sequence", "start": 1, "step": 1, "width": 5, "prefix": "INV-"}},
        ),
        (spread(lambda i: f"K{i * 7919 % 100000:05d}"), "key", {"notation": {"template": "K#####"}}),
        (spread(lambda i: str(uuid.UUID(int=i * 2**64 + 9))), "key", {"notation": {"kind": "uuid"}}),
        (spread(lambda i: f"a{i}@b.org"), "key", {"personal": "email"}),
        (spread(lambda i: str(i + 1)), "key", {"notation": {"kind": "sequence", "start": 1, "step": 1}}),
        (NAMES, "text", {}),
        (SENTENCES, "text", {}),
        (["same"] * 50, "constant", {}),
        (["", " ", ""], "empty", {"missing": ("", " ")}),
        ([None] * 9, "empty", {}),
        (spread(lambda i: str(2**70 + i % 9)), "category", {}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_text_is_read_as_what_it_says_and_comes_back(values, kind, more):
    column = guessed(values, pa.string())
    assert (column.kind, {k: getattr(column, k) for k in more}) == (kind, more)
    assert column.why and comes_back(column, pa.array(values, pa.string()))


TIMES = [dt.datetime(2020, 1, 1) + dt.timedelta(hours=i) for i in range(60)]


@pytest.mark.parametrize(
    ("values", "storage", "kind", "more"),
    [
        ([1, 5, 1, None], pa.int16(), "integer", {}),
        ([1.0, 5.0, 1.0, None], pa.float64(), "integer", {}),
        ([0.25, 1.5, None], pa.float64(), "decimal", {"decimals": 2}),
        ([0.1 + 0.2, 1.5], pa.float64(), "decimal", {"decimals": None}),
        ([0.1, 1.5, 7.3], pa.float32(), "decimal", {"decimals": 1}),
        ([1.5, float("inf"), 2.5], pa.float64(), "decimal", {"missing": ("inf",)}),
        ([True, False], pa.bool_(), "boolean", {}),
        (TIMES, pa.timestamp("ns", "UTC"), "datetime", {"unit": "h", "timezone": "UTC"}),
        (TIMES[::24], pa.timestamp("us"), "datetime", {"unit": "D"}),
        ([dt.date(1066, 1, 1), dt.date(2999, 1, 1)], pa.date32(), "date", {"unit": "D"}),
        ([dt.time(1, 2), dt.time(3, 4)], pa.time64("us"), "time", {"unit": "m"}),
        ([dt.timedelta(seconds=5), dt.timedelta(1)], pa.duration("ns"), "duration", {"unit": "s"}),
        ([2**63, 2**63, 2**64 - 1, 2**64 - 1], pa.uint64(), "category", {}),
        (list(range(60)), pa.int32(), "key", {}),
        ([b"a", b"b", b"a", b"b"], pa.binary(), "category", {}),
        ([None, None], pa.null(), "empty", {}),
        ([20120214 + i % 9 for i in range(60)], pa.int64(), "date", {"notation": "%Y%m%d"}),
    ],
    ids=str,
)
def test_typed_columns_are_read_by_type_and_content(values, storage, kind, more):
    name = "date" if more.get("notation") == "%Y%m%d" else "x"
    column = guessed(values, storage, name=name)
    assert (column.kind, {k: getattr(column, k) for k in more}) == (kind, more)
    assert column.storage == str(storage) and comes_back(column, pa.array(values, storage))


def test_ordered_dictionaries_are_ordinal():
    codes = pa.array([1, 0] * 6 + [2], pa.int8())
    array = pa.DictionaryArray.from_arrays(codes, pa.array(["lo", "hi", CANARY]), ordered=True)
    column = infer(pa.table({"x": array}))[0].columns[0]
    assert column.kind == "ordinal" and column.levels == ("lo", "hi") and comes_back(column, array)
    assert not column.public and infer(pa.table({"x": array[-3:]}))[0]["x"].levels == ()


def test_guessed_levels_are_those_of_five_rows_and_declared_ones_are_public():
    values = ["low"] * 40 + ["medium"] * 40 + ["very high"]
    assert guessed(values).levels == ("low", "medium") and not guessed(values).public
    said = guessed(values, overrides={"x": {"kind": "ordinal", "levels": ["low", "medium", "very high"]}})
    assert said.public and guessed(values, overrides={"x": "ordinal"}).levels == ("low", "medium")
    assert guessed([1, 2, 3], overrides={"x": {"bounds": [0, 9]}}).public
    with pytest.raises(FabricaError, match="bounds are for numbers"):
        guessed(values, overrides={"x": {"bounds": [0, 9]}})
    again = infer(pa.table({"x": values}), overrides=Schema((infer(pa.table({"x": values}))[0],)))[0]["x"]
    assert again.levels == ("low", "medium") and not again.public


def test_all_rows_tell_which_levels_five_of_them_hold():
    first = pa.table({"x": ["low", "medium", "high"] * 9, "y": ["b", "a", "b"] * 9})
    late = pa.record_batch({"x": ["very high"] * 5 + ["extreme"] * 4, "y": ["c"] * 5 + [CANARY] * 4})
    orders = {"y": ("b", "a", CANARY, "c")}
    table, _ = infer(first, rows=36, orders=orders)
    assert table["y"].levels == ("b", "a")
    wider, _ = verify(table, [*first.to_batches(), late], orders=orders)
    assert wider["x"].levels == ("low", "medium", "high", "very high") and wider["y"].levels == ("b", "a", "c")


# ---------------------------------------------------------------- keys


def test_unique_measurements_are_no_keys():
    x = np.random.default_rng(0).normal(size=500)
    assert guessed(x.tolist(), pa.float64(), name="customer_id").kind == "decimal"
    assert guessed([repr(v) for v in x.tolist()]).kind == "decimal"
    assert guessed(np.unique((x * 1e6).astype(int)).tolist()).kind == "integer"
    assert guessed((np.arange(31) + 1990).tolist(), name="year").kind == "integer"


def test_a_careless_guess_would_take_uniqueness_for_a_key():
    def careless(values):
        return len(set(values)) == len(values)

    salaries = [str(v) for v in random.Random(1).sample(range(20_000, 90_000), 400)]
    assert careless(salaries) and guessed(salaries, name="salary").kind == "integer"


def test_numbers_named_as_identifiers_are_keys_and_those_that_repeat_are_not():
    ids = random.Random(1).sample(range(10**6), 300)
    assert guessed(ids, name="user_id").kind == "key"
    assert guessed([ids[i % 30] for i in range(300)], name="station_id").kind == "integer"


PEOPLE = random.Random(2).sample(range(10_000, 99_999), 3000)


@pytest.mark.parametrize(
    ("name", "values", "kind", "distinct"),
    [
        ("user_id", [PEOPLE[i % 1500] for i in range(3000)], "key", 1500),
        ("stationId", [PEOPLE[i % 80] for i in range(3000)], "integer", None),
        ("stationId", [PEOPLE[i % 80] for i in range(3000)] + PEOPLE[80:90], "category", None),
        ("userId", [PEOPLE[i % 80] for i in range(3000)], "key", 80),
        ("phone", [5550000 + PEOPLE[i % 80] for i in range(3000)], "key", 80),
        ("telephone", [f"A19{i % 2}" for i in range(3000)], "category", None),
        ("subject_id", [PEOPLE[i % 80] for i in range(3000)], "key", 80),
        ("patient", [f"P{PEOPLE[i % 80]}" for i in range(3000)], "key", 80),
        ("patient", [["old", "young"][i % 2] for i in range(3000)], "category", None),
        ("OrderCode", [PEOPLE[i % 80] for i in range(3000)], "category", None),
        ("price", [PEOPLE[i % 1500] for i in range(3000)], "integer", None),
        ("spouse_id", [*PEOPLE[:50], None], "key", None),
        ("index", [-(i % 90) for i in range(200)], "integer", None),
    ],
)
def test_identifiers_that_come_again_are_references(name, values, kind, distinct):
    for column, array in ((guessed(values, name=name), pa.array(values)),):
        assert column.kind == kind and comes_back(column, array)
        assert not distinct or (column.refers and column.notation["distinct"] == distinct)
        assert not {str(v) for v in values} & set(json.dumps(column.to_json()).replace('"', " ").split())
    texts = guessed([None if v is None else str(v) for v in values], name=name)
    assert (texts.kind, texts.refers) == (kind, bool(distinct))


def iban(p: int) -> str:
    bban = f"1203{p:014}"
    return f"DE{98 - int(bban + '131400') % 97:02}{bban}"


def card(p: int) -> str:
    return next(c for d in range(10) if _card(c := f"400012{p:09}{d}"))


EMAIL, PHONE = r"[^@ ]+@[^@ ]+\.[a-z]+", r"\+49 30 \d{7}"


@pytest.mark.parametrize(("one", "other", "name"), [
    (lambda p: f"ann.{p}@mail.example", EMAIL, "contact"),
    (lambda p: f"Ann {p % 7} <ann.{p}@mail.example>", EMAIL, "contact"),
    (lambda p: f"ann.{p}@mail.example" if p % 3 else f"+49 30 {p:07}", EMAIL, "contact"),
    (lambda p: "info@practice.example", EMAIL, "contact"),
    (iban, r"DE\d{20}", "account"), (card, r"4\d{15}", "x"),
    (lambda p: " ".join(re.findall("....", card(p))), r"4\d{3}( \d{4}){3}", "x"),
    (lambda p: f"10.{p % 200}.{p // 200 % 200}.7", r"(198\.1[89]|192\.0|198\.51|203\.0)\.\d+\.\d+", "x"),
    (lambda p: f"+49 30 {p:07}", r"\+49 \d\d \d{8}", "contact"),
    (lambda p: f"(555) {p % 900 + 100}-{p % 9000 + 1000}", r"\(\d{3}\) 555-01\d\d", "contact"),
    (lambda p: f"030 {p:07}", r"0\d{3} \d{7}", "phone2"),
    (lambda p: f"{p % 900 + 100}-12-{p % 9000 + 1000}", r"9\d\d-\d\d-\d{4}", "x"),
    (lambda p: f"{p:08x}-0000-4abc-8abc-{p:012x}", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}",
     "x"),
])
def test_addresses_of_people_are_made_afresh_whatever_their_column_is_called(one, other, name):
    """A person with five rows is still one person."""
    real = [one(PEOPLE[i % 80]) for i in range(3000)]
    data = pa.table({name: real, "x0": np.arange(3000) % 7})
    table, notes = infer(data)
    assert table[name].refers and any("made afresh" in n for n in notes)
    encoder = encode(table, data.to_batches(), Run(1))
    twin = encoder.decode(encoder.encode(data, Run(2)), range(3000), Run(3))[name].to_pylist()
    assert not set(twin) & set(real) and all(re.fullmatch(other, v) for v in twin) and len(set(twin)) <= 80


@pytest.mark.parametrize(("name", "values"), [
    ("guest_number", [str(1 + i % 8) for i in range(400)]), ("card_code", [f"C{i % 3}" for i in range(400)]),
    ("isin", [f"US17708425{i % 40:02}" for i in range(400)]), ("sku", [f"AB19CDEF71{i % 40:02}" for i in range(400)]),
    ("tel", ["yes", "no"] * 200)])
def test_counts_and_codes_of_things_are_no_people(name, values):
    assert not infer(pa.table({name: values}))[0][name].refers


def test_whoever_is_declared_a_key_looks_and_comes_again_as_before():
    ids = [PEOPLE[i % 50] for i in range(1500)]
    data = pa.table({"who": [f"Ann{p} Lee" for p in ids], "no": ids})
    table = infer(data, overrides={"who": "key", "no": "key"})[0]
    for column, look in ((table["who"], r"Ann\d{5} Lee"), (table["no"], r"[1-9]\d{4}")):
        twin = encode(table, data.to_batches(), Run(1))
        drawn = twin.decode(twin.encode(data, Run(2)), range(1500), Run(3))[column.name].to_pylist()
        assert 40 <= len(set(drawn)) <= 50 and all(re.fullmatch(look, str(v)) for v in drawn)
        assert not set(drawn) & set(data[column.name].to_pylist())


def test_identifiers_of_which_hardly_any_comes_again_stay_each_its_own():
    ids = [*PEOPLE, *PEOPLE[:40]]
    column = infer(pa.table({"rental_id": ids}))[0]["rental_id"]
    assert column.kind == "key" and not column.refers


def test_full_names_that_come_back_are_made_afresh():
    people = [f"{a} {b}" for a in ("Ann", "Bob", "Cy", "Di", "Ed") for b in ("Lee", "Mc Coy", "O'Hara", "Stone", "Ray")]
    table, notes = infer(pa.table({"kunde": people * 40}))
    assert table["kunde"].refers and table["kunde"].personal == "person" and any("made afresh" in n for n in notes)


@pytest.mark.parametrize(("rows", "k", "told"), [(3, 5, True), (30, 5, False), (30, 50, True)])
def test_a_table_of_fewer_than_k_rows_says_so(rows, k, told):
    notes = guess(filled(pa.table({"x": list(range(rows))})), Run(1), k=k)[1]
    assert any(f"fewer than {k} rows" in n for n in notes) == told


def test_how_many_people_there_are_is_told_roughly():
    both = [["a@x.example", "b@y.example"][i == 7] for i in range(3000)]
    assert infer(pa.table({"contact": both}))[0]["contact"].notation["people"] == 1


def test_bounds_of_dates_are_dates():
    days = pa.table({"day": [f"2024-03-{d:02}" for d in range(1, 29)] * 9})
    column = infer(days, overrides={"day": {"bounds": ["2024-01-01", "2024-12-31"]}})[0]["day"]
    assert column.bounds == ("2024-01-01", "2024-12-31")
    assert infer(days, overrides={"day": {"bounds": [dt.date(2024, 1, 1), dt.date(2024, 12, 31)]}})[0]["day"] == column
    for wrong in (["2024-01-01", 5], ["2024-12-31", "2024-01-01"]):
        with pytest.raises(FabricaError, match="bounds"):
            infer(days, overrides={"day": {"bounds": wrong}})
    with pytest.raises(FabricaError, match="in numbers"):
        infer(pa.table({"x": [1, 2, 3]}), overrides={"x": {"bounds": ["1", "3"]}})


def test_a_date_that_loses_its_time_of_day_says_so():
    when = pa.table({"when": [f"2024-03-{d:02} {h:02}:15:00" for d in range(1, 29) for h in range(24)]})
    assert any("times of day are left out" in n for n in infer(when, overrides={"when": "date"})[1])
    days = pa.table({"when": [f"2024-03-{d:02}" for d in range(1, 29)] * 9})
    assert not any("left out" in n for n in infer(days, overrides={"when": "date"})[1])


def test_names_that_come_back_are_told():
    names = [f"{a}{b}" for a in ("Ann", "Bob", "Cy", "Di", "Ed") for b in ("ton", "ley", "man", "ski", "sen")]
    data = pa.table({"patient_name": names * 40, "x": np.arange(1000) % 7})
    assert any("'patient_name'" in n and "need not be" in n for n in infer(data)[1])
    assert not any("need not be" in n for n in infer(data.rename_columns(["town", "x"]))[1])


def test_long_numbers_keep_their_digits_and_their_beginning():
    keys = [f"8901{random.Random(i).randrange(10**16):016}" for i in range(300)]
    assert guessed(keys, name="iccid").notation == {"template": "8901" + "#" * 16}


def test_a_column_of_other_rows_refers_to_them_and_says_so():
    dense = np.random.default_rng(0).permutation(3000) + 1
    case = [None, *dense[:1000].tolist() * 2, *[None] * 999]
    table, notes = infer(pa.table({"id": dense, "case.id": case, "age": dense % 80, "num": np.sort(dense % 2990)}))
    assert [c.kind for c in table.columns] == ["key", "key", "integer", "integer"]
    assert table["case.id"].notation == {
        "kind": "reference", "to": "id", "distinct": 1000, "look": table["id"].notation}
    assert [n for n in notes if "refers to 'id'" in n and "not learned" in n] == [notes[0]]
    sparse = [f"M{p}" for p in PEOPLE]
    table, _ = infer(pa.table({"code": sparse, "boss": [*sparse[:600]] * 5}))
    assert table["boss"].refers and table["boss"].notation["to"] == "code"
    assert infer(pa.table({"code": sparse, "boss": [*sparse[:600]] * 5}), overrides={"boss": "category"})[0][
        "boss"].kind == "category"


def test_a_reference_follows_what_the_user_says_of_its_key():
    data = pa.table({"id": PEOPLE, "case.id": PEOPLE[:600] * 5})
    table, _ = infer(data, overrides={"id": {"notation": {"template": "X-######"}}})
    assert table["case.id"].notation["look"] == {"template": "X-######"}
    assert infer(data, overrides={"id": "integer"})[0]["case.id"].notation["to"] is None
    late = [pa.record_batch({"id": PEOPLE[:600], "case.id": PEOPLE[:600]})]
    wider, notes = verify(infer(data)[0], [*data.to_batches(), *late])
    assert wider["id"].refers and wider["case.id"].notation["to"] is None and "not unique" in notes[0]
    with pytest.raises(FabricaError, match="no column named 'ids'"):
        infer(data, overrides={"case.id": {"notation": {"kind": "reference", "to": "ids", "distinct": 5}}})


def test_a_twin_points_at_its_own_rows_as_often_as_the_real_ones_do():
    real = random.Random(3).sample(PEOPLE, 600)
    data = pa.table({"id": PEOPLE, "case.id": pa.array([*real * 4, *[None] * 600])})
    table = infer(data)[0]
    encoder = encode(table, data.to_batches(), Run(1))
    encoder = Encoder.from_state(table, encoder.state())
    for rows in (range(0, 400), range(400, 3000)):
        twin = encoder.decode(encoder.encode(data[rows.start : rows.stop], Run(2)), rows, Run(3))
        ids = set(encoder.decode(encoder.encode(data[: rows.stop], Run(2)), range(rows.stop), Run(3))["id"].to_pylist())
        drawn = twin["case.id"].drop_null().to_pylist()
        assert set(drawn) <= ids and twin["case.id"].null_count == data["case.id"][rows.start : rows.stop].null_count
        assert 0.8 < len(set(drawn)) / (rows.stop / 5) <= 1


@few
@given(st.lists(st.from_regex(r"[A-Z]{2}-[0-9]{4}[a-f]", fullmatch=True), min_size=6, max_size=30, unique=True))
def test_templates_hold_no_letter_or_digit_that_varies(codes):
    found, share = template(codes)
    assert share == 1.0
    for i, seen in enumerate(map(set, zip(*codes, strict=True))):
        literal = found.replace("\\", "")[i]
        assert literal in "#Aa" or seen == {literal}


def test_a_template_is_bounded_by_what_five_rows_share():
    assert template(["AB-1", "AB-2"])[0] == "AA-#"
    assert template([f"AB-{i}" for i in range(9)])[0] == "\\AB-#"


# ---------------------------------------------------------------- missing and mixed


@pytest.mark.parametrize("marker", ["?", " ?", "NA", "N/A", "null", "", "  ", "-", "None", "nan", "#N/A"])
def test_markers_among_numbers_are_missing_and_come_back(marker):
    values = [*spread(lambda i: str(i % 50)), marker, marker]
    column = guessed(values)
    assert column.kind == "integer" and column.missing == (marker,) and comes_back(column, pa.array(values))


def test_numbers_with_a_few_words_are_a_mixed_column_that_comes_back():
    values = spread(lambda i: "varies" if i % 9 == 0 else str(i))
    table, notes = infer(pa.table({"x": values}))
    assert table["x"].kind == "integer" and table["x"].missing == ("varies",)
    assert any("mixed" in n for n in notes) and comes_back(table["x"], pa.array(values))


def test_a_rare_odd_value_is_never_written_into_the_schema():
    values = [*spread(lambda i: str(i % 900), 5000), CANARY]
    table, notes = infer(pa.table({"x": values}))
    assert table["x"].kind == "integer" and table["x"].lenient
    assert CANARY not in json.dumps(table.to_json()) + "".join(notes)
    assert read(table["x"], pa.array(values)).values.null_count == 1


def test_namibia_stays_a_level():
    codes = [a + b for a in "ABCDEFG" for b in "XYZ"] * 9 + ["NA"] * 9
    assert guessed(codes).missing == ()


def test_a_declared_marker_is_missing_before_anything_is_guessed():
    column = guessed([5, -999, 7, -999], overrides={"x": {"missing": [-999]}})
    assert column.kind == "integer" and column.missing == ("-999",)
    assert guessed(["5.5", "gone", "7.5"], overrides={"x": {"missing": ["gone"]}}).kind == "decimal"


# ---------------------------------------------------------------- notes, overrides, places


def test_numbers_that_come_back_in_another_writing_are_said():
    table, notes = infer(pa.table({"x": ["1.50", "1.5", "2.25", "3.125"]}))
    assert table["x"].kind == "decimal" and "another way" in notes[0]


def test_ambiguous_days_are_said():
    days = [f"0{a}/0{b}/2020" for a in (3, 1, 2, 9, 4) for b in (5, 2, 7)]
    table, notes = infer(pa.table({"day": days}))
    assert table["day"].kind == "date" and "other way round" in table["day"].why and len(notes) == 1


def test_the_order_of_rows_tells_day_from_month():
    days = [f"{d:02d}/{m:02d}/2020" for m in range(1, 13) for d in range(1, 13)]
    assert guessed(days).notation == "%d/%m/%Y"
    assert guessed([f"{m}/{d}/{y}" for d, m, y in (x.split("/") for x in days)]).notation == "%m/%d/%Y"


def test_a_place_is_a_latitude_with_its_longitude():
    east, north = [f"{i / 7:.5f}" for i in range(60)], [f"{i / 9:.5f}" for i in range(60)]
    table, _ = infer(
        pa.table({"pickup_lat": north, "pickup_lon": east, "Longitude": east, "flat": north, "Lat": north})
    )
    assert [c.kind for c in table.columns] == ["latitude", "longitude", "longitude", "decimal", "latitude"]
    assert table["pickup_lat"].partner == "pickup_lon" and table["Longitude"].partner == "Lat"
    far = [f"{i * 10}.5" for i in range(60)]
    assert infer(pa.table({"lat": far, "lon": far}))[0]["lat"].kind == "decimal"


def test_a_declared_kind_still_finds_its_notation():
    sample = pa.table(
        {"d": ["01/02/2020", "03/04/2020"], "zip": ["00501", "10001"], "n": ["$5", "$7"], "b": ["0", "1"]}
    )
    table, _ = infer(sample, overrides={"d": "datetime", "zip": "key", "n": "decimal", "b": "boolean"})
    assert [c.kind for c in table.columns] == ["datetime", "key", "decimal", "boolean"]
    assert table["n"].notation == {"prefix": "$"} and table["b"].notation == ["0", "1"]
    for c in table.columns:
        assert comes_back(c, sample.column(c.name).combine_chunks())


def test_an_unknown_column_in_overrides_names_those_there_are():
    with pytest.raises(FabricaError, match="there are: x"):
        guessed(["1"], overrides={"y": "integer"})


def test_lists_are_refused_with_advice():
    with pytest.raises(FabricaError, match="flatten"):
        guessed([[1], [2]], pa.list_(pa.int64()))


def test_levels_of_a_large_table_are_told_from_free_text():
    r = np.random.default_rng(0)
    cities = [f"City {v}" for v in r.integers(0, 20_000, 20_000)]
    assert guessed(cities, rows=2_000_000).kind == "category"
    assert guessed([f"Name {v}" for v in r.permutation(20_000)], rows=2_000_000).kind == "text"


# ---------------------------------------------------------------- verify


@pytest.mark.parametrize(
    ("first", "later", "kind"),
    [
        (["1", "2", "3"], ["1.5", "2.5"], "decimal"),
        (["1", "2", "3"] * 9, ["007", "1"] * 9, "category"),
        (["a", "a", "a"], ["b", "b", "b"], "category"),
        (["10:00:00", "11:00:00"], ["25:00:00"], "duration"),
        (["", ""], ["5", "6", "5"], "integer"),
        ([f"K-{i:04d}" for i in range(50)], ["K-0001"] * 20, "category"),
    ],
)
def test_later_rows_widen_the_guess_and_it_is_said(first, later, kind):
    table, _ = infer(pa.table({"x": first}))
    batches = [pa.record_batch({"x": first}), pa.record_batch({"x": later})]
    wider, notes = verify(table, batches)
    assert wider["x"].kind == kind != table["x"].kind and len(notes) == 1
    again, silence = verify(wider, batches)
    assert again == wider and not silence
    for batch in batches:
        assert comes_back(wider["x"], batch.column(0))


def test_a_few_later_oddities_count_as_missing():
    good = pa.record_batch({"x": [str(i % 500) for i in range(5000)]})
    table, _ = infer(pa.Table.from_batches([good]))
    wider, notes = verify(table, [good, pa.record_batch({"x": [CANARY]})])
    assert wider["x"].kind == "integer" and wider["x"].lenient and CANARY not in "".join(notes)


@pytest.mark.parametrize("rows", [3, 4, 5, 6])
def test_a_later_word_is_a_marker_only_where_five_rows_hold_it(rows):
    good = pa.record_batch({"x": [str(i % 900) for i in range(9000)]})
    table, _ = infer(pa.Table.from_batches([good]), rows=18_000)
    late = pa.record_batch({"x": [*map(str, range(9000 - rows)), *[CANARY] * rows]})
    for batches in ([good, late], [late, good], [late.slice(0, 8998), late.slice(8998), good]):
        wider, notes = verify(table, batches)
        assert wider["x"].kind == "integer" and len(notes) == 1 and CANARY not in notes[0]
        assert wider["x"].missing == ((CANARY,) if rows >= 5 else ())
        assert "does not fit" not in notes[0] and "read as 'integer'" not in notes[0]
        assert rows >= 5 or "fewer than 5 later cell(s)" in notes[0]
        assert verify(wider, batches) == (wider, [])


def test_notes_of_a_sample_tell_no_count_below_five():
    _, notes = infer(pa.table({"x": [*map(str, range(900)), *map(str, range(900)), "odd", "word"]}))
    assert any("fewer than 5 odd" in n for n in notes), notes


def test_a_constant_that_is_late_is_still_watched():
    table = infer(pa.table({"x": ["a", "a"]}))[0]
    batches = [pa.record_batch({"x": pa.array(v, pa.string())}) for v in ([None, None], ["a"] * 6, ["b"] * 6)]
    assert verify(table, batches)[0]["x"].kind == "category"


def test_what_fits_stays_as_it_was():
    batch = pa.record_batch({"x": ["1", "2", "3"], "y": ["a", "b", "a"], "z": [1.5, None, 2.5]})
    table, _ = infer(pa.Table.from_batches([batch]))
    assert verify(table, [batch, batch]) == (table, [])


# ---------------------------------------------------------------- any table


CELLS = st.one_of(
    st.none(),
    st.sampled_from(["", "?", "1", "1.5", "01", "2020-01-01", "yes", "no", "$5", "-", "12:30", "a b"]),
    st.text(max_size=6).map(lambda t: t.encode("utf-8", "ignore").decode()),
)


@few
@given(st.lists(CELLS, min_size=0, max_size=40))
def test_any_column_is_guessed_and_comes_back_or_is_lenient(values):
    array = pa.array(values, pa.string())
    column = guessed(values, pa.string())
    if not column.lenient and column.kind != "decimal":  # one number may be written in two ways: 1.5 and 1.50
        assert comes_back(column, array)


def test_no_rows_no_columns_many_columns():
    assert guessed([], pa.string()).kind == "empty"
    assert infer(pa.table({}))[0].columns == ()
    assert len(infer(pa.table({f"c{i}": ["1", "2"] for i in range(300)}))[0].columns) == 300


# ---------------------------------------------------------------- real files

REAL = {
    "adult/train.csv": {"age": "integer", "workclass": "category", "fnlwgt": "integer", "income": "category"},
    "air_quality_uci/air_quality_uci.csv": {"Date": "date", "Time": "time", "CO(GT)": "decimal", "NMHC(GT)": "integer"},
    "bank_marketing/bank_marketing.csv": {
        "default": "boolean",
        "month": "ordinal",
        "job": "category",
        "pdays": "integer",
    },
    "bike_sharing/bike_sharing.csv": {"instant": "key", "dteday": "date", "temp": "decimal", "cnt": "integer"},
    "california_housing/california_housing.csv": {
        "longitude": "longitude",
        "latitude": "latitude",
        "total_bedrooms": "integer",
        "ocean_proximity": "category",
    },
    "chinook/Customer.csv": {"CustomerId": "key", "Email": "key", "Address": "key", "Country": "category"},
    "chinook/Invoice.csv": {"InvoiceDate": "datetime", "Total": "decimal", "CustomerId": "key"},
    "diamonds/diamonds.csv": {"cut": "ordinal", "carat": "decimal", "price": "integer", "color": "category"},
    "ev_charging/ev_charging_sessions.csv": {"sessionId": "key", "created": "datetime", "weekday": "ordinal"},
    "german_credit/german_credit.csv": {"status": "category", "amount": "integer", "risk": "integer"},
    "gtfs_cairns/calendar.csv": {"service_id": "key", "start_date": "date", "monday": "integer"},
    "gtfs_cairns/stops.csv": {
        "stop_lat": "latitude",
        "stop_lon": "longitude",
        "stop_desc": "empty",
        "stop_name": "text",
    },
    "gtfs_cairns/stop_times.csv": {"arrival_time": "duration", "stop_sequence": "integer", "trip_id": "key"},
    "magic/train.csv": {"Length": "decimal", "class": "category"},
    "metro_traffic/metro_interstate_traffic.csv": {"date_time": "datetime", "holiday": "category", "temp": "decimal"},
    "mimic3_demo/admissions.csv": {
        "row_id": "key",
        "admittime": "datetime",
        "religion": "category",
        "diagnosis": "text",
    },
    "northwind/Orders.csv": {"OrderID": "key", "OrderDate": "datetime", "Freight": "decimal", "ShipCity": "category"},
    "rts_gmlc/bus.csv": {"lat": "latitude", "lng": "longitude", "Bus ID": "key", "V Mag": "decimal"},
    "sakila/film.csv": {"film_id": "key", "title": "text", "description": "text", "rating": "category"},
    "shoppers/train.csv": {"Month": "ordinal", "Weekend": "boolean", "BounceRates": "decimal", "Browser": "integer"},
}


@pytest.mark.parametrize("file", REAL)
def test_real_files_are_understood_and_come_back(file):
    path = DATA / file
    if not path.exists():
        pytest.skip(f"the real table {file} is not here")
    with path.open(encoding="utf-8", newline="") as lines:
        names = next(csv.reader(lines))
    table = pyarrow.csv.read_csv(
        path,
        convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
    )
    table = table.take(np.arange(0, len(table), max(1, len(table) // 8000)))
    schema, _ = infer(table)
    assert {n: schema[n].kind for n in REAL[file]} == REAL[file]
    for column in schema.columns:
        cells = table.column(column.name)
        if column.kind in ("integer", "decimal"):  # a number of digits that fewer than k rows have is not the column's
            cells = cells.filter(pc.is_in(cells, Facts.of(column.name, cells).formed(loose=True).text))
        assert comes_back(column, cells.combine_chunks()), column


# ---------------------------------------------------------------- nothing of few people


def test_a_guessed_order_makes_no_rare_level_public_and_a_declared_one_does():
    values = ["low"] * 40 + ["medium"] * 40 + ["very high"]
    for said, drawn in ((None, False), ({"x": {"kind": "ordinal", "levels": ["low", "medium", "very high"]}}, True)):
        table = infer(pa.table({"x": values}), overrides=said)[0]
        coder = encode(table, pa.table({"x": values}).to_batches(), Run(1)).coders[0]
        assert ("very high" in coder.levels) is drawn and coder.levels[:2] == ("low", "medium")


def test_a_categorical_tells_no_level_of_few_people():
    frame = pd.DataFrame({"x": pd.Categorical(["a", "b"] * 9 + [CANARY], ["b", CANARY, "a"], ordered=True)})
    table, notes = guess(filled(frame), Run(1))
    assert table["x"].levels == ("b", "a") and CANARY not in json.dumps(table.to_json()) + "".join(notes)


@pytest.mark.parametrize("value", [CANARY, 918273645, 9182.5, "918273645", "$918273645", dt.date(1918, 2, 7)])
def test_the_constant_of_a_tiny_table_stands_nowhere(value):
    data = pa.table({"x": [value] * 4})
    table, notes = infer(data)
    state = encode(table, data.to_batches(), Run(1)).state()
    assert str(value) not in json.dumps(table.to_json()) + "".join(notes) + repr(state)
