"""Moments: rhythms, far years, time zones, ends that are not told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from column_worlds import moment
from hypothesis import given
from hypothesis import strategies as st

from fabrica.codecs.moment import Moment, MomentCoder, _ends, _kept
from fabrica.contract import Cells
from fabrica.errors import SchemaError
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.tally import Tally


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def there(column: Column, cells: Cells, **settings: int) -> MomentCoder:
    codec = Moment(**settings)  # type: ignore[arg-type]
    return codec.learn((column,), codec.survey((column,), (cells,), Run(0)), Run(0))


def back(coder: MomentCoder, cells: Cells, seed: int = 1) -> pa.Array:
    coded = tuple(replace(c, reals=None) for c in coder.encode((cells,), Run(seed)))
    return coder.decode(coded, range(len(cells)), Run(seed))[0].values


def ticks(values: pa.Array) -> np.ndarray:
    return np.asarray(values.view(pa.int32() if values.type.bit_width == 32 else pa.int64()))


def roles(coder: MomentCoder) -> tuple[str, ...]:
    return tuple(p.role for p in coder.parts)


@pytest.mark.parametrize(
    ("said", "values", "expected"),
    [
        ({"kind": "date"}, np.arange(3000) % 300, ("day",)),
        ({"kind": "date"}, np.arange(3000) * 3, ("week", "weekday")),
        ({"kind": "datetime", "unit": "s"}, np.arange(3000) * 86400 * 3 + 3600, ("week", "weekday")),
        (
            {"kind": "datetime", "unit": "s"},
            np.arange(3000) * 86400 * 3 + np.arange(3000) % 9,
            ("week", "weekday", "time"),
        ),
        ({"kind": "datetime", "unit": "h"}, np.arange(3000) % 100 * 3600, ("day", "time")),
        ({"kind": "time", "unit": "us"}, np.arange(3000), ("time",)),
        ({"kind": "duration", "unit": "ms"}, np.arange(3000), ("time",)),
    ],
)
def test_parts_are_what_varies(said: dict[str, str], values: np.ndarray, expected: tuple[str, ...]) -> None:
    column, cells = moment(values, **said)
    coder = there(column, cells)
    assert roles(coder) == expected
    names = [c.name for c in coder.encode((cells,), Run(0))]
    assert names == ["when", *(f"when {r}" for r in expected[1:])]


def test_weekdays_and_hours_come_back_as_they_were() -> None:
    random = chance()
    day = random.integers(0, 6000, 20_000)
    day = day[(day + 3) % 7 < 5]  # nothing happens at weekends
    hour = random.integers(8, 18, len(day))
    column, cells = moment(day * 86400 + hour * 3600, kind="datetime", unit="h")
    found = ticks(back(there(column, cells), cells))
    assert not (((found // 86400 + 3) % 7) >= 5).any()
    assert set(found // 3600 % 24) == set(range(8, 18)) and not (found % 3600).any()
    weekday = np.bincount((found // 86400 + 3) % 7, minlength=7)
    assert (weekday == np.bincount((day + 3) % 7, minlength=7)).all()


YEAR_1, YEAR_9999 = -62_135_596_800, 253_402_300_799


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York", "+05:30"])
def test_the_first_and_the_last_year(zone: str | None) -> None:
    values = np.r_[
        np.full(500, YEAR_1 + 86400), np.full(500, YEAR_9999 - 86400), chance().integers(-(10**10), 10**9, 1000)
    ]
    column, cells = moment(values, kind="datetime", unit="s", timezone=zone)
    found = back(there(column, cells), cells)
    assert found.type == pa.timestamp("s", zone)
    assert set(values[:1000]) <= set(ticks(found).tolist())
    years = {v.year for v in found.cast(pa.timestamp("s")).to_pylist()}
    assert min(years) == 1 and max(years) == 9999
    column, cells = moment(values // 86400, kind="date")
    assert {dt.date(1, 1, 2), dt.date(9999, 12, 30)} <= set(back(there(column, cells), cells).to_pylist())


def test_days_of_nanoseconds_stay_within_64_bits() -> None:
    values = chance().integers(-(2**63) + 10, 2**63 - 10, 5000)
    column, cells = moment(values, kind="datetime", unit="ns")
    found = ticks(back(there(column, cells), cells))
    assert np.corrcoef(values.astype(float), found.astype(float))[0, 1] > 0.99


def test_wall_clock_of_a_zone_survives_the_change_of_the_clocks() -> None:
    """Noon stays noon in summer and in winter; hours that do not exist are moved, those that are twice come early."""
    noon = pa.array([dt.datetime(2020, 1, 1, 12) + dt.timedelta(days=int(i)) for i in chance().integers(0, 1400, 4000)])
    import pyarrow.compute as pc

    cells = Cells(pc.assume_timezone(noon.cast(pa.timestamp("s")), "Europe/Berlin"))
    column = Column("when", "datetime", unit="s", timezone="Europe/Berlin")
    coder = there(column, cells)
    assert "time" not in roles(coder)
    assert {v.hour for v in pc.local_timestamp(back(coder, cells)).to_pylist()} == {12}
    night = pa.array([dt.datetime(2021, 3, 28, 2, 30)] * 10).cast(pa.timestamp("s"))
    ambiguous = pa.array([dt.datetime(2021, 10, 31, 2, 30)] * 10).cast(pa.timestamp("s"))
    clock = coder.clock
    for wall in (night, ambiguous):
        assert len(clock.cells(np.asarray(wall.view(pa.int64())), None).values) == 10


def test_extremes_are_means_of_k_rows() -> None:
    days = np.r_[chance().integers(0, 10_000, 5000), -4000, 30_000]
    column, cells = moment(days, kind="date")
    coder = there(column, cells)
    found = ticks(back(coder, cells))
    rows = np.sort(days)
    assert rows[:5].mean() - 1 <= found.min() and found.max() <= rows[-5:].mean() + 1
    assert -4000 not in coder.ends and 30_000 not in coder.ends
    bounded = there(replace(column, bounds=("1950-01-01", "2060-01-01")), cells)  # type: ignore[arg-type]
    assert bounded.ends == (-7305, 32_872)
    with pytest.raises(SchemaError, match="2020-01-31"):
        there(replace(column, bounds=("soon", "then")), cells)  # type: ignore[arg-type]


@given(st.lists(st.integers(-20_000, 20_000), min_size=5, max_size=60), st.integers(0, 8))
def test_dates_of_any_kind(days: list[int], missing: int) -> None:
    column, cells = moment(np.array(days + [0] * missing), np.arange(len(days) + missing) >= len(days), kind="date")
    found = back(there(column, cells), cells)
    assert found.null_count == (missing if missing >= 5 else 0) and found.type == pa.date32()
    present = ticks(found.drop_null())
    assert min(days) - 1 <= present.min() and present.max() <= max(days) + 1


def test_rows_without_a_moment_do_not_contradict_themselves() -> None:
    """Their further parts look like everybody's, so an engine learns nothing wrong of weekdays."""
    day = np.arange(10_000) * 7  # always a Thursday
    column, cells = moment(day, chance().random(10_000) < 0.5, kind="date")
    _, weekday = there(column, cells).encode((cells,), Run(0))
    assert len(set(weekday.codes)) == 1 and weekday.absent == 0
    assert ((weekday.reals >= 0) & (weekday.reals <= 1)).all()


@pytest.mark.parametrize("far", [2932896, -25567], ids=["9999-12-31", "1900-01-01"])
@pytest.mark.parametrize("held", [1, 4, 5, 300])
def test_no_day_is_drawn_between_a_far_sentinel_and_the_days(far: int, held: int) -> None:
    days = chance(2).integers(18_000, 19_500, 3000)
    column, cells = moment(np.r_[days, np.full(held, far)], kind="date")
    coder = there(column, cells)
    found = ticks(back(coder, cells))
    bulk = found[found != far]
    assert held >= 5 or (days.min() <= coder.ends[0] and coder.ends[1] <= days.max()), "nor does it move an end"
    assert (found == far).sum() == (held if held >= 5 else 0), "a day of fewer than k rows is not told"
    assert days.min() - 6 <= bulk.min() and bulk.max() <= days.max() + 6


@given(st.lists(st.tuples(st.integers(-3000, 3000), st.integers(1, 9)), min_size=1, max_size=40), st.integers(2, 9))
def test_ends_are_means_of_k_rows_however_few_share_a_week(found: list[tuple[int, int]], k: int) -> None:
    days = Tally.of(np.repeat([70 * day for day, _ in found], [held for _, held in found]))
    if days.total < k:
        return
    kept = _kept(days, k)
    rows = np.repeat(kept.values, kept.counts.astype(int))
    assert len(rows) >= k
    assert _ends(kept, k)[0] == np.ceil(rows[:k].mean())


def test_seven_dates_and_many_missing_tell_nobodys_date() -> None:
    days = np.array([-9000, 100, 5000, 9000, 12_000, 15_000, 19_990])
    column, cells = moment(np.r_[days, np.zeros(60, int)], np.arange(67) >= 7, kind="date")
    assert not set(there(column, cells).ends) & set(days.tolist())
