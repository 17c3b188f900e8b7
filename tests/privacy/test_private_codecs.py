"""What codecs learn through noise: near the truth where there is enough, nothing of the few, no value of anybody."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica import encoder as encoding
from fabrica.block import Block
from fabrica.contract import Allowance
from fabrica.inference.blind import MARKERS, blind
from fabrica.measured import NEAR, Lattice, _end, _magnitudes, numbers, presence
from fabrica.privacy.ledger import Purse
from fabrica.privacy.terms import Privacy
from fabrica.run import Run
from fabrica.schema import Column, Table

ROWS = 20_000


def through(columns: dict, table: Table, epsilon: float = 3.0) -> pa.Table:
    """The columns after codes and back, of a table of independent columns."""
    purse = Purse.of(Privacy(epsilon), names=True)
    run, whole = Run(1).paying(purse), pa.table(columns)
    encoder, block = encoding.measured(table, whole, Allowance(purse.budget, purse.risk, whole.num_rows), run)
    assert purse.ledger().epsilon() <= epsilon and all(c.told is not None for c in block if c.size > 1)
    random = np.random.default_rng(1)
    drawn = []
    for column in block:
        share = np.maximum(column.shown(column.told.counts), 0) if column.told is not None else np.ones(column.size)
        drawn.append(column.filled(random.choice(column.size, whole.num_rows, p=share / share.sum())))
    rows = range(whole.num_rows)
    return pa.Table.from_batches([encoder.decode(Block(tuple(drawn), len(rows)), rows, run)])


def test_numbers_come_back_with_their_point_masses_gaps_and_missing_cells():
    random = np.random.default_rng(1)
    x = np.where(random.random(ROWS) < 0.4, 0, np.round(random.normal(5_000, 800, ROWS)))
    cells = pa.array(np.where(random.random(ROWS) < 0.1, None, x).tolist(), pa.int64())
    for column in (Column("x", "integer", "int64"), Column("x", "integer", "int64", bounds=(0, 20_000), public=True)):
        back = through({"x": cells}, Table("t", (column,)))["x"]
        made = np.array(back.drop_null().to_pylist(), float)
        assert abs(back.null_count / ROWS - 0.1) < 0.02 and abs((made == 0).mean() - 0.4) < 0.02
        assert abs(np.median(made[made > 0]) - 5_000) < 60 and ((made > 0) & (made < 1_000)).mean() < 0.01


def test_decimals_keep_their_digits_and_free_ones_their_zeros():
    random = np.random.default_rng(2)
    fee = np.round(random.exponential(20, ROWS), 2)
    free = np.where(random.random(ROWS) < 0.3, 0, random.normal(size=ROWS))
    back = through({"fee": fee, "free": free}, Table("t", (Column("fee", "decimal", "double", decimals=2),
                                                         Column("free", "decimal", "double"))))
    made = np.array(back["fee"].to_pylist())
    assert np.allclose(made, np.round(made, 2)) and abs(np.median(made) - np.median(fee)) < 1
    made = np.array(back["free"].to_pylist())
    assert abs((made == 0).mean() - 0.3) < 0.03 and abs(made[made != 0].std() - 1) < 0.1


def test_moments_keep_weeks_weekdays_and_hours():
    random = np.random.default_rng(3)
    day = np.datetime64("2021-03-01") + random.choice([0, 1, 2, 3, 4, 7, 8, 300], ROWS)
    hour = day.astype("datetime64[s]") + (9 * 3600 + random.integers(0, 3600, ROWS)).astype("timedelta64[s]")
    table = Table("t", (Column("day", "date", "date32[day]"), Column("at", "datetime", "timestamp[s]", unit="s")))
    back = through({"day": pa.array(day), "at": pa.array(hour)}, table)
    days = np.array(back["day"].to_pylist(), "datetime64[D]")
    assert ((days < np.datetime64("2021-02-22")) | (days > np.datetime64("2022-01-04"))).mean() < 0.02
    weekday = np.bincount((days.astype(int) + 3) % 7, minlength=7) / ROWS
    assert np.abs(weekday - np.array([2, 2, 1, 1, 1, 0, 1]) / 8).max() < 0.02
    seconds = np.array(back["at"].to_pylist(), "datetime64[s]").astype(int) % 86_400
    assert ((seconds >= 8 * 3600) & (seconds < 11 * 3600)).mean() > 0.97


def test_a_level_of_one_person_is_never_told_and_a_public_one_may_be():
    towns = ["Rome"] * 9_000 + ["Oslo"] * 900 + ["Atlantis"]
    back = through({"town": towns}, Table("t", (Column("town", "category"),)))
    assert set(back["town"].to_pylist()) == {"Rome", "Oslo"}
    column = Column("town", "category", levels=("Rome", "Oslo", "Atlantis", "Kyiv"), public=True)
    told = through({"town": towns}, Table("t", (column,)))["town"].to_pylist()
    assert set(told) <= {"Rome", "Oslo", "Atlantis", "Kyiv"} and abs(told.count("Oslo") - 900) < 120


def test_the_largest_value_is_not_told():
    """The end that is told is that of a power of two which many rows reach."""
    for largest in (3e9, 7_123_456.0):
        x = np.append(np.random.default_rng(1).integers(0, 1_000, ROWS), largest)
        back = through({"x": x.astype(np.int64)}, Table("t", (Column("x", "integer", "int64"),)))
        assert max(back["x"].to_pylist()) <= 1_023


def test_free_text_and_keys_give_nobody_away():
    random = np.random.default_rng(1)
    text = [f"note {i} on a person" for i in range(2_000)]
    key = [None if random.random() < 0.2 else f"K-{i}" for i in range(2_000)]
    back = through({"text": text, "key": key}, Table("t", (Column("text", "text"), Column("key", "key"))))
    assert back["text"].null_count == 2_000 and not set(back["key"].to_pylist()) & set(key) - {None}
    assert abs(back["key"].null_count / 2_000 - 0.2) < 0.1


@given(st.floats(-2.0**40, 2.0**40), st.sampled_from([1.0, 0.01]), st.sampled_from([0, NEAR]))
def test_a_class_of_magnitudes_holds_its_values(value, unit, near):
    value = round(value / unit) * unit
    magnitude = int(_magnitudes(np.array([value]), unit, near)[0])
    low, high = _end(magnitude, False, unit, near), _end(magnitude, True, unit, near)
    assert low - 1e-6 * abs(low) <= value <= high + 1e-6 * abs(high)


def test_the_ends_of_a_column_reach_as_far_as_many_people_do():
    """One in eleven is 0, which is not quite sure by itself and is beside what is: it stays."""
    values, kept = np.arange(3_000) % 11.0, 0
    for _ in range(20):
        purse = Purse.of(Privacy(1.0))
        known = numbers(values, np.zeros(3_000, np.uint8), 1, Lattice(1.0), None, 0, purse.budget / 40,
                        Run(1).paying(purse), "x")
        assert known.marginal is not None
        kept += known.marginal.knots[0] == 0
    assert kept >= 15


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 60))
def test_any_few_numbers_are_learned_without_an_error(seed, rows):
    random = np.random.default_rng(seed)
    values = random.normal(0, 10.0 ** random.integers(-8, 9), rows)
    purse = Purse.of(Privacy(1.0))
    known = numbers(values, np.zeros(rows, np.uint8), 1, None, None, None, purse.budget, Run(1).paying(purse), "x")
    assert known.marginal is None or len(known.told.counts) == len(known.presence.markers) + known.marginal.size


def test_bounds_that_lie_beside_the_values_move_them_to_the_ends():
    purse = Purse.of(Privacy(3.0))
    known = numbers(np.full(5_000, 400.0), np.zeros(5_000, np.uint8), 1, Lattice(1.0), (0.0, 100.0), 0, purse.budget,
                    Run(1).paying(purse), "x")
    assert np.median(known.marginal.value(np.linspace(0, 1, 999, endpoint=False))) == 100


def test_presence_tells_ways_of_being_missing_that_are_there():
    purse = Purse.of(Privacy(3.0))
    kinds = np.repeat([0, 1, 2, 3], [9_000, 900, 0, 1]).astype(np.uint8)
    found = presence(kinds, 3, purse.budget, Run(1).paying(purse), "x")
    assert found.markers == (1,) and abs(found.share[1] - 0.09) < 0.02


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize(("cells", "kind", "fields"), [
    (["7", "12", "0", "-3"], "integer", {}),
    (["7.5", "12.25", "0"], "decimal", {"decimals": 2}),
    (["0.1234567", "1e-3", "2"], "decimal", {"decimals": None}),
    (["7", "NA", "12"], "integer", {"missing": ("NA",)}),
    (["7", "?", "-", "12"], "integer", {"missing": ("?", "-")}),
    (["2024-01-31", "2023-12-01"], "date", {"notation": "%Y-%m-%d"}),
    (["31/01/2024", "01/12/2023"], "date", {"notation": "%d/%m/%Y"}),
    (["01/31/2024", "12/01/2023"], "date", {"notation": "%m/%d/%Y"}),
    (["2024-01-31 10:00:00", "2023-12-01 11:30:59"], "datetime", {"notation": "%Y-%m-%d %H:%M:%S"}),
    (["10:30", "23:59"], "time", {"notation": "%H:%M"}),
    (["02-10-2012 09:00", "28-10-2012 11:00"], "datetime", {"notation": "%d-%m-%Y %H:%M", "unit": "m"}),
    (["3/10/2004", "12/1/2004", "25/12/2004"], "date", {"notation": "%-d/%-m/%Y"}),
    (["10/3/2004", "11/12/2004", "12/25/2004"], "date", {"notation": "%-m/%-d/%Y"}),
    (["03.10.2004 10:00:05", "25.12.2004 10:00:05"], "datetime", {"notation": "%d.%m.%Y %H:%M:%S", "unit": "s"}),
    (["05-Jan-2020", "17-Dec-2021"], "date", {"notation": "%d-%b-%Y"}),
    (["03/04/2020", "05/06/2020"], "category", {}),
    (["true", "false"], "boolean", {"notation": ["false", "true"]}),
    (["N", "Y"], "boolean", {"notation": ["N", "Y"]}), (["3.0", "4.0"], "integer", {}),
    (["9" * 41, "8" * 41], "category", {}),
    (["Rome", "Oslo", "none"], "category", {"missing": ()}),
    (["007", "012"], "category", {}),
    ([7.5, 2.25, None], "decimal", {"decimals": 2}),
    ([7, 2], "integer", {}),
    ([True, False], "boolean", {}),
])
def test_kinds_are_found_blindly(cells, kind, fields):
    purse = Purse.of(Privacy(1.0))
    table = pa.table({"x": pa.array(cells * 4_000)})
    found = blind(table, "t", {}, purse.budget / 10, Run(1).paying(purse))["x"]
    assert found.kind == kind and all(getattr(found, name) == value for name, value in fields.items())
    assert purse.ledger().rho <= purse.budget / 10


@pytest.mark.parametrize(("kind", "unit"), [(pa.timestamp("us"), "m"), (pa.timestamp("ns", "UTC"), "m"),
                                            (pa.timestamp("s"), "m"), (pa.duration("ms"), "m"), (pa.time64("us"), "m")])
def test_how_fine_moments_are_is_found_blindly(kind, unit):
    purse = Purse.of(Privacy(1.0))
    ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    cells = pa.array([i % 1_440 * 60 * ticks for i in range(8_000)] + [1, None])
    table = pa.table({"x": cells.cast(pa.int64()).cast(kind)})
    found = blind(table, "t", {}, purse.budget / 10, Run(1).paying(purse))["x"]
    assert found.unit == unit and purse.ledger().rho <= purse.budget / 10


@pytest.mark.parametrize(("said", "cells", "fields"), [
    ({"kind": "datetime"}, ["2022-10-24 08:13", "2022-01-01 00:00"], {"notation": "%Y-%m-%d %H:%M", "unit": "m"}),
    ({"kind": "boolean"}, ["Yes", "No"], {"notation": ["No", "Yes"]}),
    ({"kind": "key"}, ["107", "3"], {"notation": {"kind": "sequence", "start": 1, "step": 1}}),
    ({"kind": "key"}, ["A-7", "B-9"], {"notation": None}),
    ({"kind": "key", "notation": {"kind": "reference", "distinct": 9}}, ["107", "3"],
     {"notation": {"kind": "reference", "distinct": 9, "look": {"kind": "sequence", "start": 1, "step": 1}}}),
    ({"kind": "date", "notation": "%Y"}, ["2022-10-24"], {"notation": "%Y"}),
    ({"personal": "record"}, ["107", "3"], {"kind": "key"}),
])
def test_how_a_declared_column_is_written_is_found_blindly(said, cells, fields):
    purse = Purse.of(Privacy(1.0))
    table = pa.table({"x": pa.array(cells * 4_000)})
    found = blind(table, "t", {"x": said}, purse.budget / 10, Run(1).paying(purse))["x"]
    assert all(getattr(found, name) == value for name, value in fields.items())


def test_what_is_declared_is_not_looked_at():
    table = pa.table({"x": ["7", "8"] * 100})
    found = blind(table, "t", {"x": {"kind": "category", "levels": ["7", "8", "9"]}}, Fraction(1), Run(1))
    assert found["x"].kind == "category" and found["x"].public


def test_a_few_cells_do_not_make_a_kind():
    """One person's odd cell decides nothing: with it and without it the same is found."""
    purse = Purse.of(Privacy(1.0))
    for odd in ("hello", "2024-01-01", "7.55555", "NA"):
        table = pa.table({"x": ["7", "12"] * 4_000 + [odd]})
        found = blind(table, "t", {}, purse.budget / 10, Run(1).paying(purse))["x"]
        assert found.kind == "integer" and not found.missing and found.lenient


def test_markers_are_told_apart():
    assert len(set(MARKERS)) == len(MARKERS) and "NA" in MARKERS and "" in MARKERS
