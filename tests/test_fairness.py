"""Gaps between groups against what is known of them: strata, pairs, weights, intervals."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.contract import Cells
from fabrica.crossing import Cut, placed
from fabrica.errors import NotComputable
from fabrica.fairness import DRAWS, Tally, accuracy, area, differences, gap, judged, redrawn, resamples
from fabrica.interval import Interval
from fabrica.run import Run
from fabrica.statistics import auc


def tallied(seed: int, groups: int, strata: int) -> Tally:
    random = np.random.default_rng(seed)
    rows = random.integers(0, 40, (groups, strata)).astype(float)
    return Tally(rows, np.floor(rows * random.random((groups, strata))))


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 4))
def test_the_gap_is_that_of_mantel_and_haenszel_by_hand(seed, groups, strata):
    tally, most = tallied(seed, groups, strata), 0.0
    for a, b in combinations(range(groups), 2):
        top = bottom = 0.0
        for stratum in range(strata):
            n, m = tally.rows[a, stratum], tally.rows[b, stratum]
            if n and m:
                weight = n * m / (n + m)
                top += weight * (tally.hits[a, stratum] / n - tally.hits[b, stratum] / m)
                bottom += weight
        most = max(most, abs(top / bottom) if bottom else 0.0)
    assert gap(tally) == pytest.approx(most)


@given(st.floats(0, 0.4), st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50), st.floats(0, 0.6)), min_size=1,
                                   max_size=5))
def test_a_difference_that_is_the_same_everywhere_is_the_gap(difference, strata):
    """Whatever the strata and however groups are spread over them."""
    rows = np.array([[n, m] for n, m, _ in strata], float).T
    rates = np.array([[rate + difference, rate] for _, _, rate in strata]).T
    assert gap(Tally(rows, rows * rates)) == pytest.approx(difference)


def test_a_gap_that_forgets_its_strata_is_caught():
    """Berkeley's admissions: two departments that admit alike, to which groups apply unlike (Bickel et al. 1975)."""
    tally = Tally(np.array([[80.0, 20.0], [20.0, 80.0]]), np.array([[8.0, 12.0], [2.0, 48.0]]))
    assert gap(tally) == pytest.approx(0.0)
    flat = Tally(tally.rows.sum(1, keepdims=True), tally.hits.sum(1, keepdims=True))
    assert gap(flat) == pytest.approx(0.3)


def test_a_stratum_of_one_group_counts_nothing():
    known = Tally(np.array([[10.0, 0.0], [10.0, 500.0]]), np.array([[5.0, 0.0], [3.0, 500.0]]))
    assert gap(known) == pytest.approx(0.2)


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_a_weighted_row_is_as_many_rows(seed, rows):
    random = np.random.default_rng(seed)
    cell, yes, weights = random.integers(0, 6, rows), random.random(rows) < 0.5, random.integers(0, 4, (2, rows))
    score, truth = random.integers(0, 5, rows) / 5, random.random(rows) < 0.5
    tally = Tally.of(cell, yes, (3, 2), weights)
    for i in range(2):
        again = np.repeat(np.arange(rows), weights[i])
        one = Tally.of(cell[again], yes[again], (3, 2))
        assert (tally.rows[i] == one.rows).all() and (tally.hits[i] == one.hits).all()
        if len(again):
            assert accuracy(yes, truth, weights[[i]])[0] == pytest.approx((yes == truth)[again].mean())
        if len(set(truth[again])) == 2:
            assert area(score, truth, weights[[i]])[0] == pytest.approx(auc(truth[again].astype(int), score[again])[0])


def test_rows_of_one_outcome_have_no_curve():
    with pytest.raises(NotComputable):
        area(np.array([0.1, 0.2]), np.array([True, True]), np.ones((1, 2)))


def test_intervals_are_as_wide_as_theory_says():
    """The variance of a difference of two shares; resampled rows and resampled tallies agree."""
    random = np.random.default_rng(1)
    cell = np.repeat([0, 1], [1_000, 500])
    yes = random.random(1_500) < np.where(cell == 0, 0.6, 0.2)
    tally = Tally.of(cell, yes, (2, 1))
    known = float(np.sqrt((tally.rates * (1 - tally.rates) / tally.rows[:, 0]).sum()))
    weights = resamples(1_500, Run(1).random())
    assert (weights[0] == 1).all() and len(weights) == 1 + DRAWS
    for draws in (gap(redrawn(tally, Run(2).random())), gap(Tally.of(cell, yes, (2, 1), weights))):
        number = Interval.of([draws], 0, 1)
        assert number.value == pytest.approx(float(gap(tally)))
        assert (number.high - number.low) / (2 * 1.96) == pytest.approx(known, rel=0.25)


def test_what_repetitions_differ_by_is_in_the_interval():
    sharp = np.full(1 + DRAWS, 0.3)
    assert Interval.of([sharp, sharp], 0, 1) == Interval(0.3, 0.3, 0.3)
    apart = Interval.of([sharp, sharp + 0.1], -9, 9)
    assert apart.value == pytest.approx(0.35) and apart.high - apart.low == pytest.approx(2 * 12.7062 * 0.05, rel=1e-4)


@pytest.mark.parametrize("repeats", [2, 3, 5])
def test_few_repetitions_promise_no_more_than_they_know(repeats):
    """About 95 in 100 hold the truth; with two standard errors it would be 70 of two repetitions, 87 of five."""
    random = np.random.default_rng(repeats)
    held = 0
    for _ in range(1_000):
        found = Interval.of([one + 0.2 * random.normal(size=1 + DRAWS) for one in random.normal(size=repeats)])
        held += found.low <= 0 <= found.high
    assert 0.9 < held / 1_000 < 0.99


@pytest.mark.parametrize(("groups", "size", "apart"), [(2, 1_000, 0.0), (10, 100, 0.0), (10, 1_000, 0.0),
                                                       (10, 1_000, 0.02), (5, 300, 0.1)])
def test_the_largest_gap_of_many_groups_is_no_larger_for_their_luck(groups, size, apart):
    """One group is better off by ``apart`` and all others are alike: about 95 of 100 intervals hold that."""
    random, rate = np.random.default_rng(1), np.full(groups, 0.3)
    rate[0] += apart
    held, widths = 0, []
    for _ in range(200):
        tally = Tally(np.full((groups, 1), float(size)), random.binomial(size, rate).astype(float)[:, None])
        found = Interval.widest([differences(redrawn(tally, random))])
        assert found.value == pytest.approx(float(gap(tally)))
        held += found.low <= apart <= found.high
        widths.append(found.high - found.low)
    assert held >= 178 and np.mean(widths) < 14 * (0.21 / size) ** 0.5


def test_a_classifier_is_judged_by_group():
    """Ten rows of each of two groups, all of it by hand."""
    cell, truth = np.repeat([0, 1], 10), np.tile([True] * 4 + [False] * 6, 2)
    score = np.concatenate([truth[:10] * 0.8, [0.9, 0.1, 0.1, 0.1], [0.6] * 2, [0.2] * 4])
    found = judged(score, truth, cell, (2, 1), (0, 1), (0, 1), np.ones((1, 20), np.uint8))
    assert found.accuracy[0] == pytest.approx(15 / 20)
    assert found.rates.tolist() == pytest.approx([0.4, 0.3]) and np.abs(found.apart[0]).max() == pytest.approx(0.1)
    assert found.true.tolist() == pytest.approx([1.0, 0.25]) and np.abs(found.rightly[0]).max() == pytest.approx(0.75)
    assert judged(score, truth, cell, (2, 1), (0, 1), (0,), np.ones((1, 20), np.uint8)).rightly is None


def test_cells_are_placed_by_level_and_by_bin():
    import pyarrow as pa

    cells = {"s": Cells(pa.array(["a", "b", None, "new"])), "x": Cells(pa.array([1.0, 2.0, None, 9.0]))}
    cuts = [Cut("s", ("a", "b")), Cut("x", edges=(2.0, 5.0))]
    assert placed(cuts, cells).tolist() == [0, 5, 11, 10]
    assert placed([], cells).tolist() == [0, 0, 0, 0]


def test_what_a_gap_has_fallen_by_is_told_of_the_means_and_not_of_each_luck():
    """Three groups, four draws: the largest of three lucky differences of each draw would make less of it."""
    random, held, told = np.random.default_rng(1), 0, []
    wide, narrow = np.array([0.15, 0.1, -0.05]), np.array([0.05, 0.03, -0.02])

    def fallen(before, after):
        return np.abs(before).max(-1) - np.abs(after).max(-1)

    for _ in range(300):
        shared = 0.004 * random.normal(size=(1 + DRAWS, 3))
        shared[1:] += shared[0]
        draws = [[known + shared + 0.04 * random.normal(size=3) for _ in range(4)] for known in (wide, narrow)]
        found = Interval.of_means(fallen, *draws)
        told.append(found.value)
        held += found.low <= 0.1 <= found.high
    assert held >= 270 and abs(np.mean(told) - 0.1) < 0.02
