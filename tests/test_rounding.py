"""Rounded rows stay rounded, in the shares and in the places in which they were; nothing else changes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from fabrica.checks.promise import stored
from fabrica.codecs.number import Number, NumberCoder
from fabrica.contract import Cells
from fabrica.errors import ModelFileError
from fabrica.rounding import Rounding
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.tally import Tally

N = 20_000


def chance(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key))


def drawn(values: np.ndarray, decimals: int, rows: int = N) -> np.ndarray:
    """A twin of one column, through its codec."""
    whole = decimals == 0
    column = Column("x", "integer", "int64") if whole else Column("x", "decimal", "double", decimals=decimals)
    cells = (Cells(pa.array(values.astype(np.int64) if whole else values)),)
    coder = Number().learn((column,), Number().survey((column,), cells, Run(0)), Run(0))
    coded = coder.encode(cells, Run(1))
    codes = coded[0].filled(coded[0].codes[chance(99).integers(0, len(values), rows)])
    back = coder.decode((codes,), range(rows), Run(2))
    return back[0].values.to_numpy(zero_copy_only=False).astype(np.float64)


def share(values: np.ndarray, step: float, decimals: int) -> float:
    return float((np.round(values * 10.0**decimals) % round(step * 10.0**decimals) == 0).mean())


@pytest.mark.parametrize(("decimals", "steps", "shares"), [
    (0, (100,), (0.95,)), (0, (100, 1000), (0.3, 0.5)), (2, (0.25,), (1.0,)), (2, (0.05, 1), (0.5, 0.2)),
    (0, (5,), (0.6,)), (1, (0.5, 10), (0.4, 0.4)),
])
def test_as_many_rows_are_rounded_as_were(decimals: int, steps: tuple, shares: tuple) -> None:
    r = chance(1)
    smooth = r.lognormal(13 if decimals == 0 else 8, 0.8, N)  # hardly a value is held by five
    step = r.choice([10.0**-decimals, *steps], N, p=[1 - sum(shares), *shares])
    real = np.round(np.round(smooth / step) * step, decimals)
    got = drawn(real, decimals)
    for s in steps:
        assert abs(share(got, s, decimals) - share(real, s, decimals)) < 0.03
    assert ks_2samp(real, got).statistic < 0.015


def test_small_salaries_exact_and_large_ones_in_thousands() -> None:
    r = chance(2)
    salary = r.lognormal(10, 1, N)
    real = np.where(salary > 30_000, np.round(salary / 1000) * 1000, np.round(salary))
    got = drawn(real, 0)
    assert share(got[got > 40_000], 1000, 0) > 0.97
    assert share(got[got < 15_000], 1000, 0) < 0.02


def test_who_does_not_round_is_left_alone() -> None:
    r = chance(3)
    for values, decimals in ((np.round(r.normal(0, 1e5, N)), 0), (np.round(r.normal(size=N), 4), 4)):
        assert Rounding.learn(Tally.of(values), decimals, 5) is None


def test_point_masses_neither_move_nor_grow() -> None:
    """Half of the rows hold 1000 exactly; the others are rounded to tens around it."""
    r = chance(4)
    real = np.where(r.random(N) < 0.5, 1000, np.round(r.normal(1000, 4000, N) / 10) * 10)
    real = np.where(r.random(N) < 0.2, real + r.integers(0, 10, N), real)
    got = drawn(real, 0, len(real))
    assert abs((got == 1000).mean() - (real == 1000).mean()) < 0.01


def test_nothing_is_rounded_beyond_the_ends() -> None:
    rounding = Rounding(0, np.array([100.0]), np.empty(0), np.ones((1, 1)), np.empty(0))
    got = rounding.apply(np.array([15.0, 130.0, 180.0]), np.zeros(3), (10.0, 190.0))
    assert got.tolist() == [100.0, 100.0, 100.0]
    assert rounding.apply(np.array([15.0, 40.0]), np.zeros(2), (10.0, 50.0)).tolist() == [15.0, 40.0]


@given(st.lists(st.sampled_from([5, 10, 50, 100, 1000]), min_size=60, max_size=400), st.integers(0, 2**32))
def test_where_every_row_is_rounded_every_draw_is(steps: list[int], seed: int) -> None:
    """A coarser step that may be luck gives its rows to the finer one; a few rows beside them say nothing."""
    r = chance(seed)
    rows = np.r_[np.round(r.uniform(1e5, 1e7, len(steps)) / steps) * steps, r.integers(10**6, 10**7, seed % 5)]
    rounding = Rounding.learn(Tally.of(rows), 0, 5)
    assert rounding is not None and rounding.shares.sum(1) == pytest.approx(1)
    assert (rounding.apply(r.uniform(1e5, 1e7, 500), r.random(500), (0, 2e7)) % 5 == 0).all()


def test_numbers_beyond_two_to_the_53_come_back_bit_for_bit() -> None:
    far = np.int64(2**63 - 1)
    values = pa.array(np.r_[np.round(chance(6).lognormal(13, 1, N) / 100).astype(np.int64) * 100, np.full(500, far)])
    column, cells = Column("x", "integer", "int64"), (Cells(values),)
    coder = Number().learn((column,), Number().survey((column,), cells, Run(0)), Run(0))
    back = coder.decode(coder.encode(cells, Run(1)), range(len(values)), Run(2))[0].values.to_numpy()
    assert (back == far).sum() == 500 and back[back != far].max() < 2**40


def test_a_number_coder_keeps_its_rounding() -> None:
    values = pa.array(np.round(chance(7).lognormal(13, 1, N) / 100).astype(np.int64) * 100)
    column, cells = Column("x", "integer", "int64"), (Cells(values),)
    coder = Number().learn((column,), Number().survey((column,), cells, Run(0)), Run(0))
    again = NumberCoder.from_state(stored(coder.state()))
    codes = coder.encode(cells, Run(1))[0]
    drawn = [c.decode((codes.filled(codes.codes),), range(N), Run(2))[0].values for c in (coder, again)]
    assert drawn[0].equals(drawn[1]) and (drawn[1].to_numpy() % 100 == 0).all()


def test_a_few_rows_say_nothing_of_how_they_round() -> None:
    assert Rounding.learn(Tally.of(np.arange(30.0) * 100), 0, 5) is None


def test_a_state_comes_back_and_a_damaged_one_is_refused() -> None:
    r = chance(5)
    rounding = Rounding.learn(Tally.of(np.round(r.lognormal(10, 1, 5000) / 50) * 50), 0, 5)
    assert rounding is not None and "rounded to 50" in rounding.words()
    state = stored(rounding.state())
    again = Rounding.from_state(state)
    x, u = r.lognormal(10, 1, 1000), r.random(1000)
    assert (again.apply(x, u, (0, 1e9)) == rounding.apply(x, u, (0, 1e9))).all()
    for name, wrong in (("steps", np.array([-1.0])), ("shares", rounding.shares.ravel() + 1), ("bands", np.zeros(3))):
        with pytest.raises(ModelFileError):
            Rounding.from_state(type(state)(state.plain, {**state.arrays, name: wrong}))


def test_borders_of_bands_are_nobodys_value() -> None:
    rows = np.unique(np.round(chance(8).lognormal(12, 1, N) / 25) * 25 + 0.37)
    rounding = Rounding.learn(Tally.of(rows - 0.37), 2, 5)
    assert rounding is not None and len(rounding.bands) > 20
    assert np.isin(rounding.bands, rows - 0.37).mean() < 0.2, "a mean of rows may fall on one by chance"


def test_a_step_that_fewer_than_k_rows_keep_to_is_not_told() -> None:
    rows = np.r_[np.arange(30) * 35.0, np.arange(30) * 35.0 + 1]
    assert Rounding.learn(Tally.of(rows), 0, 5) is not None, "22 of 60 beyond chance"
    assert Rounding.learn(Tally.of(rows), 0, 25) is None


def test_a_rare_finer_step_is_not_taken_for_no_step() -> None:
    r = chance(11)
    rows = np.where(r.random(10_000) < 0.97, np.round(r.lognormal(13, 1, 10_000) / 1000) * 1000,
                    np.round(r.lognormal(13, 1, 10_000) / 10) * 10)
    got = drawn(rows, 0)
    assert (got % 10 == 0).all() and abs((got % 1000 == 0).mean() - (rows % 1000 == 0).mean()) < 0.02


def test_smooth_columns_are_hardly_ever_taken_for_rounded_ones() -> None:
    found = [Rounding.learn(Tally.of(np.round(chance(s).uniform(1e5, 1e7, 3000))), 0, 5) for s in range(300)]
    assert sum(f is not None for f in found) <= 3
