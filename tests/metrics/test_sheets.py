"""Sheets: every kind becomes comparable numbers, levels mean the same everywhere, rows can be picked."""

from __future__ import annotations

import datetime as dt
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fabrica
from fabrica.errors import InputError, SchemaError
from fabrica.schema import Column, Table
from fabrica.sheets import LIMIT, OTHERS, sheets


def held(batch_rows: int = 3, **columns):
    table = pa.table(columns)
    return SimpleNamespace(rows=table.num_rows, batches=lambda: table.to_batches(max_chunksize=batch_rows))


def of(*columns: Column) -> Table:
    return Table("t", columns)


def test_levels_mean_the_same_in_every_sheet():
    table = of(Column("k", "category"))
    a, b = sheets(table, held(k=["x", "y", None, "x"]), held(k=["z", "y"]))
    assert a.levels["k"] == b.levels["k"] == ["x", "y", "z"]
    assert a.values["k"].tolist() == [0, 1, -1, 0] and b.values["k"].tolist() == [2, 1]
    assert a.values["k"].dtype == np.int32 and (a.rows, b.rows) == (4, 2)


def test_declared_levels_keep_their_order():
    a, = sheets(of(Column("k", "ordinal", levels=("low", "mid", "high"))), held(k=["high", "low", "huge"]))
    assert a.levels["k"] == ["low", "mid", "high", "huge"]
    assert a.values["k"].tolist() == [2, 0, 3]


def test_all_but_the_commonest_levels_are_one():
    texts = [f"v{i}" for i in range(LIMIT + 50)] + ["v3"] * 3
    a, = sheets(of(Column("k", "category")), held(batch_rows=4000, k=texts))
    assert len(a.levels["k"]) == LIMIT + 1 and a.levels["k"][-1] == OTHERS
    assert (a.values["k"] == LIMIT).sum() == 50
    assert "v3" in a.levels["k"]


def test_moments_are_days_and_seconds():
    day, when = dt.date(1970, 1, 3), dt.datetime(1970, 1, 1, 0, 1)
    table = of(Column("d", "date", "date32[day]"), Column("w", "datetime", "timestamp[us]", unit="us"),
               Column("t", "time", "time32[s]", unit="s"), Column("l", "duration", "duration[ms]", unit="ms"))
    a, = sheets(table, held(d=pa.array([day, None]), w=pa.array([when, None], pa.timestamp("us")),
                            t=pa.array([dt.time(1, 0), None], pa.time32("s")),
                            l=pa.array([dt.timedelta(seconds=2), None], pa.duration("ms"))))
    assert [a.values[n][0] for n in "dwtl"] == [2, 60, 3600, 2]
    assert all(np.isnan(a.values[n][1]) for n in "dwtl")


def test_texts_are_measured_keys_and_empties_are_not_compared():
    table = of(Column("note", "text"), Column("id", "key"), Column("void", "empty", "null"))
    a, b = sheets(table, held(note=["one two", None], id=["a", "b"], void=pa.nulls(2)),
                  held(note=["one two"], id=["b"], void=pa.nulls(1)))
    assert list(a.values) == ["note (length)", "note (words)"]
    assert a.values["note (length)"][0] == 7 and a.values["note (words)"][0] == 2
    assert np.isnan(a.values["note (words)"][1])
    assert b.idents["id"][0] == a.idents["id"][1] and b.idents["note"][0] == a.idents["note"][0]
    assert a.idents["void"].tolist() == [-1, -1] and a.idents["note"][1] == -1
    taken = a.take(np.array([1]))
    assert taken.rows == 1 and taken.idents["id"].tolist() == [a.idents["id"][1]]


def test_a_derived_name_never_hides_a_column():
    table = of(Column("n", "text"), Column("n (length)", "integer", "int64"))
    a, = sheets(table, held(**{"n": ["abc"], "n (length)": [99]}))
    assert a.values["n (length)"].tolist() == [99] and a.values["n (length)'"].tolist() == [3]


def test_picked_rows_come_from_every_batch():
    table = of(Column("x", "integer", "int64"))
    data = held(x=list(range(10)))
    a, b = sheets(table, data, data, keep=[np.array([0, 2, 3, 9]), None])
    assert a.values["x"].tolist() == [0, 2, 3, 9] and a.rows == 4 and b.rows == 10


def test_a_word_among_the_twins_numbers_is_a_misfit_and_a_fraction_a_number():
    table = of(Column("x", "integer", "string"))
    a, b = sheets(table, held(x=["1", "2"]), held(x=["1.5", "many", None, "4"]))
    assert not a.misfits
    assert b.values["x"].tolist()[0] == 1.5 and np.isnan(b.values["x"][1])
    assert b.misfits["x"].tolist() == [False, True, False, False]
    with pytest.raises(InputError, match="column 'x'") as error:
        sheets(table, held(x=["1", "SECRET"]))
    assert "SECRET" not in str(error.value)


def test_other_columns_are_named():
    table = of(Column("a", "integer", "int64"), Column("b", "integer", "int64"))
    good = held(a=[1], b=[2])
    with pytest.raises(SchemaError, match="synthetic table lacks 'b' and has in addition 'c'"):
        sheets(table, good, held(a=[1], c=[2]))
    with pytest.raises(SchemaError, match="holdout table lacks 'a'"):
        sheets(table, good, good, held(b=[2]))


def test_infinities_are_no_numbers():
    table = of(Column("x", "decimal", "double"))
    _, b = sheets(table, held(x=[1.0, 2.0]), held(x=[float("inf"), 3.0]))
    assert np.isnan(b.values["x"][0]) and b.values["x"][1] == 3


def test_huge_numbers_are_measured_like_others():
    """Squares of 1e308 are infinite; a unit is no part of any metric."""
    random = np.random.default_rng(1)
    small = pd.DataFrame({"a": random.choice([1.0, -1.0, 0.25, 0.5], 400), "b": random.integers(0, 9, 400)})
    twin = small.sample(frac=1, random_state=1, ignore_index=True).assign(b=random.integers(0, 9, 400))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain, huge = (fabrica.evaluate(a.assign(a=a["a"] * unit), b.assign(a=b["a"] * unit), seed=1)
                       for unit in (1.0, 2.0**1023) for a, b in [(small, twin)])
    for name in ("shape", "trend_common", "detector_auc", "coverage"):
        one, other = (report.find(name) for report in (plain, huge))
        assert one.value is not None and one.value == pytest.approx(other.value, abs=0.02)
