"""Notations read and write each other's text: read(write(x)) == x, write(read(text)) == text."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica.contract import Cells
from fabrica.errors import FabricaError, InputError
from fabrica.notation import arrow_type, cell_type, misfits, read, write
from fabrica.schema import Column

few = settings(max_examples=20, deadline=None)

CANARY = "qx7canary"

NUMERALS = [
    None,
    {"prefix": "$", "thousands": ","},
    {"prefix": "$", "thousands": ",", "negative": "brackets"},
    {"prefix": "$", "negative": "inside"},
    {"suffix": " €", "thousands": ".", "decimal": ","},
    {"thousands": " ", "decimal": ","},
    {"suffix": "%"},
    {"plus": True},
    {"prefix": " "},
    {"zeros": 6},
    {"width": 24},
]

PATTERNS = {
    "date": ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%-m/%-d/%Y", "%d-%b-%Y", "%d %^b %Y", "%B %d, %Y", "%a, %d %b %Y",
             "%-d %B %Y", "%Y%m%d", "%Y-%j"],
    "datetime": ["%Y-%m-%d %H:%M:%S.%6f", "%Y-%m-%dT%H:%M:%S.%fZ", "%d/%m/%Y %-I:%M:%S.%-f %p", "%Y%m%d%H%M%S%f",
                 "%b %d %Y %H:%M:%S.%6f %z", "%Y-%m-%dT%H:%M:%S.%f%+z"],
    "time": ["%H:%M:%S.%f", "%-H:%M:%S.%f", "%I:%M:%S.%f %p"],
}


def the_same(column: Column, texts: list, kind: pa.DataType | None = None) -> None:
    """These cells come back exactly as they stand."""
    array = pa.array(texts, kind or pa.string())
    back = write(column, read(column, array))
    if pa.types.is_dictionary(back.type) and not pa.types.is_dictionary(array.type):
        back = back.dictionary_decode()
    assert back.type == array.type
    assert back.equals(array), (back, array)


def cells_come_back(column: Column, values: pa.Array) -> None:
    assert read(column, write(column, Cells(values))).values.equals(values)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("notation", NUMERALS, ids=str)
@few
@given(values=st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-2000, 2000)), min_size=1))
def test_whole_numbers_survive_every_notation(notation, values):
    cells_come_back(Column("n", "integer", notation=notation), pa.array(values, pa.int64()))


@pytest.mark.parametrize("least", [0, 1, "all"])
@pytest.mark.parametrize("notation", NUMERALS, ids=str)
@few
@given(values=st.lists(st.one_of(st.none(), st.integers(-(10**13), 10**13), st.integers(-3000, 3000)), min_size=1),
       decimals=st.integers(1, 6))
def test_decimals_survive_every_notation(notation, least, values, decimals):
    values = [None if v is None else float(f"{v}e-{decimals}") for v in values]
    values = [0.0 if v == 0 else v for v in values]
    column = Column("n", "decimal", decimals=decimals,
                    notation={**(notation or {}), "least": decimals if least == "all" else least})
    cells_come_back(column, pa.array(values, pa.float64()))


@pytest.mark.parametrize("power", ["", "e", "E"])
@few
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_any_finite_float_survives_as_text(power, values):
    values = [v + 0.0 for v in values]
    column = Column("n", "decimal", notation={"power": power, "least": 1} if power else None)
    cells_come_back(column, pa.array(values))


@pytest.mark.parametrize(("notation", "decimals", "texts"), [
    ({"least": 2}, 2, ["1.50", "-0.05", "100.00", None]),
    ({"least": 1}, 3, ["1.0", "0.125", "-7.5"]),
    (None, 9, ["0.00000005", "1", "123456789.123456789"[:15]]),
    ({"prefix": "$", "thousands": ",", "least": 2}, 2, ["$1,200.50", "-$5.00", "$1,234,567.89"]),
    ({"prefix": "$", "negative": "brackets", "least": 2}, 2, ["$1.50", "($5.00)"]),
    ({"suffix": " €", "thousands": ".", "decimal": ",", "least": 2}, 2, ["1.200,50 €", "-5,00 €"]),
    ({"suffix": "%"}, 1, ["12%", "12.5%", "-3%"]),
    ({"power": "e", "least": 1}, 9, ["9.83e-05", "0.5", "0.0"]),
    ({"least": 7}, 7, ["0.0000001", "12345678.0000000"]),
])
def test_texts_of_numbers_come_back(notation, decimals, texts):
    the_same(Column("n", "decimal", decimals=decimals, notation=notation), texts)


@pytest.mark.parametrize("text", ["0x1F", " 5", "1e3", "1.5", "--1", "", "1,000", "99999999999999999999", "٣"])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(InputError, match="row 2 "):
        read(Column("n", "integer"), pa.array(["1", text]))


def test_leading_zeros_would_be_lost_and_are_told():
    assert misfits(Column("n", "integer"), pa.array(["7", "007", None])).tolist() == [False, True, False]
    assert not misfits(Column("n", "integer", notation={"zeros": 3}), pa.array(["007", "1234"])).any()


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "halffloat",
                                  "float", "double", "decimal128(10, 2)", "decimal256(40, 0)"])
def test_every_arrow_number_comes_back(kind):
    numbers = [1, None, 7, 100]
    if kind.startswith("decimal"):
        numbers = [n if n is None else decimal.Decimal(n) for n in numbers]
    for meaning in ("integer", "decimal", "category", "key"):
        the_same(Column("n", meaning, kind), numbers, arrow_type(kind))


def test_numbers_beyond_64_bits_never_wrap():
    column = Column("n", "integer", "uint64")
    with pytest.raises(InputError, match="row 2 "):
        read(column, pa.array([1, 2**63], pa.uint64()))
    the_same(Column("n", "category", "uint64"), [1, 2**64 - 1], pa.uint64())


def test_not_a_number_is_missing_and_infinity_only_by_declaration():
    odd = pa.array([1.5, math.nan, math.inf])
    with pytest.raises(InputError, match="row 3 "):
        read(Column("x", "decimal", "double"), odd)
    column = Column("x", "decimal", "double", missing=("nan", "inf"))
    cells = read(column, odd)
    assert cells.absent.tolist() == [0, 1, 2]
    back = write(column, cells).to_pylist()
    assert back[0] == 1.5 and math.isnan(back[1]) and back[2] == math.inf


# ---------------------------------------------------------------- missing markers


@few
@given(st.lists(st.sampled_from(["1", "22", "?", " ?", "NA", "", None]), min_size=1))
def test_each_missing_marker_comes_back_as_itself(texts):
    for kind in ("integer", "category", "text", "ordinal"):
        column = Column("n", kind, missing=("?", " ?", "NA", ""))
        cells = read(column, pa.array(texts, pa.string()))
        assert cells.values.null_count == sum(t not in ("1", "22") for t in texts)
        the_same(column, texts)


def test_the_true_null_is_the_last_marker():
    cells = read(Column("n", "integer", missing=("?", "NA")), pa.array(["1", "NA", None, "?"]))
    assert cells.absent.tolist() == [0, 2, 3, 1]
    assert read(Column("n", "integer"), pa.array(["1", None])).absent is None


def test_numbers_that_mean_missing():
    column = Column("n", "integer", "int64", missing=("-999",))
    assert read(column, pa.array([5, -999, None])).values.to_pylist() == [5, None, None]
    the_same(column, [5, -999, None], pa.int64())
    the_same(Column("n", "decimal", "double", missing=("-200", "nan")), [5.5, -200.0, None], pa.float64())


def test_without_absent_a_null_becomes_the_first_marker():
    column = Column("n", "integer", missing=("?", "NA"))
    assert write(column, Cells(pa.array([1, None]))).to_pylist() == ["1", "?"]


def test_odd_cells_of_a_lenient_column_count_as_missing():
    cells = read(Column("n", "integer", lenient=True), pa.array(["1", CANARY, "3"]))
    assert cells.values.to_pylist() == [1, None, 3]


# ---------------------------------------------------------------- words


@few
@given(st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=1))
def test_any_text_comes_back(texts):
    texts = [t if t is None else t.encode("utf-8", "ignore").decode() for t in texts]
    for kind in ("category", "text", "key", "constant"):
        the_same(Column("t", kind), texts)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(),
                                  pa.dictionary(pa.int8(), pa.string()),
                                  pa.dictionary(pa.int32(), pa.large_string(), ordered=True)], ids=str)
@pytest.mark.parametrize("meaning", ["category", "ordinal", "text", "key"])
def test_every_arrow_text_comes_back(kind, meaning):
    array = pa.array(["b", "a", None, "b"])
    if pa.types.is_dictionary(kind):
        array = array.dictionary_encode()
        array = pa.DictionaryArray.from_arrays(array.indices.cast(kind.index_type),
                                               array.dictionary.cast(kind.value_type), ordered=kind.ordered)
    else:
        array = array.cast(kind)
    column = Column("t", meaning, str(kind))
    back = write(column, read(column, pa.chunked_array([array, array])))
    assert back.to_pylist() == array.to_pylist() * 2
    assert back.type == kind or (pa.types.is_dictionary(back.type) and not pa.types.is_dictionary(kind))


def test_a_dictionary_of_levels_is_kept_all_the_way():
    column = Column("t", "category", missing=("?",))
    cells = read(column, pa.array(["x", "?", "y", None, "x"]).dictionary_encode())
    assert pa.types.is_dictionary(cells.values.type) and "?" not in cells.values.dictionary.to_pylist()
    assert pa.types.is_dictionary(write(column, cells).type)


@pytest.mark.parametrize("words", [["no", "yes"], ["N", "Y"], [" False", " True"], ["0", "1"], ["f", "t"]])
def test_booleans_keep_their_words(words):
    the_same(Column("b", "boolean", notation=words), [words[1], words[0], None])
    with pytest.raises(InputError, match="row 1 "):
        read(Column("b", "boolean", notation=words), pa.array([words[1] + "x"]))


def test_typed_booleans_bytes_and_nulls_come_back():
    the_same(Column("b", "boolean", "bool"), [True, False, None], pa.bool_())
    the_same(Column("b", "category", "bool"), [True, False, None], pa.bool_())
    the_same(Column("b", "boolean", "int64", notation=["0", "1"]), [0, 1, None], pa.int64())
    the_same(Column("b", "category", "binary"), [b"\x00\xff", None], pa.binary())
    the_same(Column("b", "empty", "null"), [None, None], pa.null())
    the_same(Column("b", "empty", missing=("", " ")), ["", None, " "])


# ---------------------------------------------------------------- moments

DAYS = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))
LATE = st.dates(dt.date(1969, 1, 1), dt.date(2068, 12, 31))


@pytest.mark.parametrize("pattern", PATTERNS["date"])
@few
@given(days=st.lists(st.one_of(st.none(), DAYS), min_size=1))
def test_days_of_all_centuries_survive_every_pattern(pattern, days):
    cells_come_back(Column("d", "date", notation=pattern), pa.array(days, pa.date32()))


@few
@given(days=st.lists(LATE, min_size=1))
def test_years_of_two_digits_are_those_of_posix(days):
    cells_come_back(Column("d", "date", notation="%d.%m.%y"), pa.array(days, pa.date32()))


@few
@given(day=DAYS)
def test_patterns_agree_with_the_standard_library(day):
    for pattern in ("%Y-%m-%d", "%d %b %Y", "%B %d, %Y", "%a %d/%m/%y", "%j"):
        want = day.strftime(pattern) if day.year >= 1000 else None
        if want is not None:
            assert write(Column("d", "date", notation=pattern), Cells(pa.array([day]))).to_pylist() == [want]


@pytest.mark.parametrize("zone", [None, "UTC", "+02:00", "-09:30"])
@pytest.mark.parametrize("pattern", PATTERNS["datetime"])
@few
@given(moments=st.lists(st.one_of(st.none(), st.datetimes(dt.datetime(3, 1, 1), dt.datetime(9990, 1, 1))), min_size=1))
def test_moments_survive_every_pattern(pattern, zone, moments):
    column = Column("m", "datetime", notation=pattern, unit="us", timezone=zone)
    cells_come_back(column, pa.array(moments, pa.timestamp("us")).cast(pa.timestamp("us", zone)))


@pytest.mark.parametrize("pattern", PATTERNS["time"])
@few
@given(times=st.lists(st.one_of(st.none(), st.times()), min_size=1))
def test_times_survive_every_pattern(pattern, times):
    cells_come_back(Column("t", "time", notation=pattern, unit="us"), pa.array(times, pa.time64("us")))


@pytest.mark.parametrize("pattern", ["%H:%M:%S", "%-H:%M:%S", "iso"])
@few
@given(seconds=st.lists(st.one_of(st.none(), st.integers(-500 * 3600, 500 * 3600)), min_size=1))
def test_lengths_of_time_go_beyond_a_day(pattern, seconds):
    cells_come_back(Column("t", "duration", notation=pattern, unit="s"), pa.array(seconds, pa.duration("s")))


@pytest.mark.parametrize(("column", "texts"), [
    (Column("m", "datetime", unit="s", timezone="UTC", notation="%Y-%m-%dT%H:%M:%SZ"), ["2024-01-01T00:00:01Z"]),
    (Column("m", "datetime", unit="s", timezone="+02:00", notation="%Y-%m-%d %H:%M:%S+0200"),
     ["2024-01-01 00:00:01+0200"]),
    (Column("m", "datetime", unit="ns", notation="%Y-%m-%d %H:%M:%S.%9f"), ["1680-01-01 00:00:00.000000001", None]),
    (Column("m", "datetime", unit="m", notation="%m/%d/%Y %-I:%M %p"), ["01/02/2003 1:05 PM", "01/02/2003 12:05 AM"]),
    (Column("d", "duration", unit="s", notation="%H:%M:%S"), ["25:59:01", "05:00:00"]),
    (Column("d", "date", notation="%Y-%m"), ["2024-02"]),
])
def test_texts_of_moments_come_back(column, texts):
    the_same(column, texts)


def test_a_fixed_offset_is_kept_as_the_instant():
    column = Column("m", "datetime", unit="s", timezone="+02:00", notation="%Y-%m-%d %H:%M:%S+02:00")
    value = read(column, pa.array(["2024-01-01 01:00:00+02:00"])).values
    assert value.cast(pa.int64()).to_pylist() == [int(dt.datetime(2023, 12, 31, 23, tzinfo=dt.UTC).timestamp())]


@pytest.mark.parametrize("text", ["2023-02-29", "2023-13-01", "2023-00-10", "2023-1-01", "20230101", "0000-99-99",
                                  "é023-01-01",
                                  "2023-01-01 "])
def test_days_that_do_not_exist_are_refused(text):
    with pytest.raises(InputError, match="row 2 "):
        read(Column("d", "date", notation="%Y-%m-%d"), pa.array(["2024-02-29", text]))


def test_nanoseconds_that_overflow_are_refused_not_wrapped():
    column = Column("m", "datetime", unit="ns", notation="%Y-%m-%d %H:%M:%S")
    with pytest.raises(InputError):
        read(column, pa.array(["1066-10-14 00:00:00"]))


def test_an_unknown_field_of_a_pattern_is_one_sentence():
    with pytest.raises(FabricaError, match="%Q"):
        read(Column("d", "date", notation="%Q"), pa.array(["x"]))


@pytest.mark.parametrize(("column", "kind", "values"), [
    (Column("x", "date", "date32[day]"), pa.date32(), [dt.date(1066, 10, 14), None]),
    (Column("x", "date", "date64[ms]"), pa.date64(), [dt.date(2066, 10, 14), None]),
    (Column("x", "datetime", "timestamp[s]", unit="s"), pa.timestamp("s"), [dt.datetime(1066, 1, 1), None]),
    (Column("x", "datetime", "timestamp[ns, tz=Europe/Berlin]", unit="D", timezone="Europe/Berlin"),
     pa.timestamp("ns", "Europe/Berlin"), [dt.datetime(2020, 1, 1), None]),
    (Column("x", "time", "time32[s]", unit="m"), pa.time32("s"), [dt.time(1, 2), None]),
    (Column("x", "time", "time64[ns]", unit="us"), pa.time64("ns"), [dt.time(1, 2, 3, 4), None]),
    (Column("x", "duration", "duration[ms]", unit="s"), pa.duration("ms"), [dt.timedelta(3), None]),
    (Column("x", "date", "int64", notation="%Y%m%d"), pa.int64(), [20120214, None]),
    (Column("x", "datetime", "int64", unit="ms"), pa.int64(), [1_500_000_000_123, None]),
    (Column("x", "decimal", "decimal128(10, 2)", decimals=2), pa.decimal128(10, 2), [decimal.Decimal("1.50"), None]),
], ids=lambda v: v.storage if isinstance(v, Column) else "")
def test_typed_columns_come_back(column, kind, values):
    the_same(column, values, kind)
    assert read(column, pa.array(values, kind)).values.type == (
        cell_type(column) if column.kind != "decimal" else pa.float64())


def test_typed_moments_finer_than_the_unit_do_not_fit():
    column = Column("x", "datetime", "timestamp[us]", unit="s")
    moments = pa.array([dt.datetime(2020, 1, 1, 0, 0, 0, 5), dt.datetime(2020, 1, 1)])
    assert misfits(column, moments).tolist() == [True, False]


# ---------------------------------------------------------------- storage and errors


@pytest.mark.parametrize("kind", [
    pa.int8(), pa.float16(), pa.float64(), pa.date32(), pa.date64(), pa.time32("ms"), pa.time64("ns"),
    pa.duration("us"), pa.timestamp("us"), pa.timestamp("ns", "America/New_York"), pa.decimal128(10, 2),
    pa.decimal256(50, 2),
    pa.dictionary(pa.int8(), pa.string(), ordered=True), pa.dictionary(pa.int32(), pa.timestamp("us", "UTC")),
    pa.string_view(), pa.large_string(), pa.bool_(), pa.null(), pa.binary(16), pa.large_binary()], ids=str)
def test_every_arrow_type_is_read_from_its_name(kind):
    assert arrow_type(str(kind)) == kind


@pytest.mark.parametrize("storage", ["", "int65", "timestamp[xs]", "dictionary<values=int65, indices=int8, ordered=0>",
                                     "decimal128(99, 2)", "fixed_size_binary[-1]"])
def test_a_storage_that_is_none_is_one_sentence(storage):
    with pytest.raises(FabricaError):
        arrow_type(storage)


@pytest.mark.parametrize("kind", ["integer", "decimal", "boolean", "date", "datetime", "time", "duration",
                                  "latitude", "empty"])
def test_errors_name_row_and_column_and_never_a_value(kind):
    column = Column("where", kind, unit="s" if kind in ("datetime", "time", "duration") else None)
    with pytest.raises(InputError) as caught:
        read(column, pa.array([None, None, CANARY]), first_row=1000)
    assert "row 1003" in str(caught.value) and "'where'" in str(caught.value) and CANARY not in str(caught.value)


def test_a_repeated_column_and_a_unique_one_read_alike():
    texts = [f"{i % 7}.50" for i in range(500)]
    column = Column("n", "decimal", decimals=2, notation={"least": 2})
    for array in (pa.array(texts), pa.array(texts).dictionary_encode(), pa.chunked_array([texts[:100], texts[100:]])):
        assert read(column, array).values.to_pylist() == [float(t) for t in texts]


def test_no_rows_are_no_problem():
    for kind in ("integer", "decimal", "category", "text", "date", "datetime", "boolean", "empty", "duration"):
        column = Column("n", kind, missing=("?",))
        assert len(write(column, read(column, pa.array([], pa.string())))) == 0


def test_slices_read_as_what_they_show():
    array = pa.array(["x", "2024-01-01", "2024-01-02", "y"])[1:3]
    days = read(Column("d", "date", notation="%Y-%m-%d"), array).values.to_pylist()
    assert days == [dt.date(2024, 1, 1), dt.date(2024, 1, 2)]
    assert read(Column("c", "category"), array).values.to_pylist() == ["2024-01-01", "2024-01-02"]
    assert np.asarray(misfits(Column("n", "integer"), pa.array(["x", "1", "2"])[1:])).tolist() == [False, False]


HOSTILE = [{"prefix": 5}, {"width": 10**9}, {"plus": 1}, {"zeros": -1}, {"pre": "x"}, [1, 2, 3], "x", 7,
           {"negative": "x"},
           {"a": {}}, ["a", "a"]]


@pytest.mark.parametrize("notation", HOSTILE, ids=str)
@pytest.mark.parametrize("kind", ["integer", "decimal", "boolean", "date", "datetime", "duration"])
def test_a_hostile_notation_is_one_sentence(kind, notation):
    column = Column("n", kind, notation=notation, unit="s")
    plain = {"integer": pa.int64(), "decimal": pa.float64(), "boolean": pa.bool_()}
    with contextlib.suppress(FabricaError):
        read(column, pa.array(["1"]))
    with contextlib.suppress(FabricaError):
        write(column, Cells(pa.nulls(1, plain.get(kind) or cell_type(column))))
