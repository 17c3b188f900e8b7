"""The shared mathematics, against loops and against libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.statistics import Binned, Resamples, auc, common_bins, correlation, cross, own_bins, roc, spread, wilson
from fabrica.vantage import Points

from .worlds import sheet


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=2, max_size=20))
def test_auc_counts_pairs(rows):
    truth, score = (np.array(v) for v in zip(*rows, strict=True))
    yes, no = score[truth == 1], score[truth == 0]
    if len(yes) and len(no):
        wins = np.mean([[1.0 if a > b else 0.5 if a == b else 0.0 for b in no] for a in yes])
        assert auc(truth, score)[0] == pytest.approx(wins)


def test_auc_error_is_that_of_repeated_samples():
    draw = np.random.default_rng(0)
    got = []
    for _ in range(200):
        truth = np.r_[np.ones(60), np.zeros(90)]
        got.append(auc(truth, draw.normal(truth * 0.7, 1)))
    spread_of_values = np.std([v for v, _ in got])
    assert np.sqrt(np.mean([e for _, e in got])) == pytest.approx(spread_of_values, rel=0.2)


def test_roc_runs_from_corner_to_corner():
    fpr, tpr = roc(np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.9, 0.8, 0.7, 0.6]))
    assert (fpr[0], fpr[-1], tpr[-1]) == (0, 1, 1)
    assert (np.diff(tpr) >= 0).all()


def test_correlation_is_that_of_pandas_with_gaps_and_offsets():
    pd = pytest.importorskip("pandas")
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 4)) + np.array([0, 1e6, 0, 0])
    x[:, 2] = x[:, 1] * 2 + x[:, 0]
    x[draw.random(x.shape) < 0.2] = np.nan
    x[:, 3] = 5
    assert correlation(x) == pytest.approx(pd.DataFrame(x).corr().to_numpy(), abs=1e-8, nan_ok=True)


def test_a_constant_has_no_correlation_however_large():
    x = np.column_stack([np.full(50, 0.1 + 1e9), np.arange(50.0)])
    assert np.isnan(correlation(x)[0, 1])


def test_crossing_keeps_combinations_apart():
    a, b = Binned((np.array([0, 1, 1]), np.array([1, 0])), 2), Binned((np.array([2, 2, 0]), np.array([0, 2])), 3)
    both = cross(a, b)
    assert [c.tolist() for c in both.codes] == [[2, 5, 3], [3, 2]]
    assert both.size == 6


def test_bins_give_missing_a_place_of_its_own():
    s = sheet({"k": ["a", "b"]}, x=[np.nan, 0, 5, 10], k=[-1, 0, 1, 1])
    assert common_bins([s])["x"].codes[0][0] == 0 and own_bins([s])["x"].codes[0][0] == 0
    assert common_bins([s])["k"].codes[0].tolist() == [0, 1, 2, 2]
    for bins in (common_bins([s]), own_bins([s])):
        assert all(b.codes[0].max() < b.size for b in bins.values())


def test_own_bins_live_with_numbers_too_close_for_ten_bins():
    s = sheet(x=[1.0, np.nextafter(1.0, 2)])
    assert own_bins([s])["x"].codes[0].max() < own_bins([s])["x"].size


def test_resamples_draw_the_twins_size():
    draws = Resamples.of(50, 20, 7, np.random.default_rng(0))
    assert (draws.real.sum(1) == 20).all() and (draws.synthetic.sum(1) == 20).all()
    assert draws.real.shape == (7, 50) and draws.synthetic.shape == (7, 20)


def test_spread_holds_its_value():
    got = spread(np.array([0.1, 0.2, 0.3, 0.05, 0.15, 0.4]), 2)
    assert got.low <= got.value <= got.high and got.floor == pytest.approx(0.1) and got.holdout == 0.4


@given(st.integers(1, 200), st.data())
def test_wilson_holds_the_share(rows, data):
    hits = data.draw(st.integers(0, rows))
    low, high = wilson(hits, rows)
    assert 0 <= low <= hits / rows <= high <= 1


@pytest.mark.parametrize(("numbers", "levels"), [(2, 1), (1, 0), (0, 2), (3, 2)])
def test_the_nearest_of_the_same_levels_is_the_nearest_of_all_within_the_radius(numbers, levels):
    random = np.random.default_rng(numbers)
    names = tuple(f"c{i}" for i in range(numbers + levels))

    def points(rows):
        return Points(random.random((rows, numbers)).astype(np.float32),
                      random.integers(0, 3, (rows, levels)).astype(np.int32), names)

    people, twin = points(300), points(200)
    found = people.alike(twin, 0.2)
    far, _ = people.nearest(twin)
    for i in range(300):
        assert (found[i] < 0) == (far[i, 0] > 0.2)
        if found[i] >= 0:
            there = np.abs(people.numbers[i] - twin.numbers[found[i]]).sum()
            assert there == pytest.approx(far[i, 0], abs=1e-6) and (people.levels[i] == twin.levels[found[i]]).all()
    assert (found >= 0).any()
