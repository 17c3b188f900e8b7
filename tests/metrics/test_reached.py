"""What an attack has reached: bounds that hold, the worst of many places, scores that are equal, too few people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom, norm

from fabrica.attack import Attack
from fabrica.bounds import caught, one_of, residual, share
from fabrica.reached import Gains, Guesses, Scores
from fabrica.run import Run


@pytest.mark.parametrize(("a", "c", "n", "m"), [(0.1, 0.1, 200, 300), (0.3, 0.25, 300, 200), (0.02, 0.01, 400, 400),
                                                (0.6, 0.5, 150, 200), (0.05, 0.05, 300, 100),
                                                (1e-4, 1e-4, 20_000, 4_000)])
def test_the_bounds_of_a_risk_hold_in_nineteen_of_twenty_worlds(a, c, n, m):
    """By every pair of counts, each as likely as it is; the last is where Wilson's limits hold in 92 % only."""
    truth, upper, lower = (a - c) / (1 - c), 0.0, 0.0
    own, other = (binom.pmf(np.arange(k + 1), k, p) for k, p in ((n, a), (m, c)))
    for x in np.flatnonzero(own > 1e-7):
        for y in np.flatnonzero(other > 1e-7):
            _, low, high = residual(int(x), n, int(y), m)
            upper += own[x] * other[y] * (truth <= high + 1e-12)
            lower += own[x] * other[y] * (truth >= low - 1e-12)
    assert upper > 0.945 and lower > 0.945
    assert min(upper, lower) < 0.99  # and they are no wider than that


def test_bounds_narrow_with_people_and_hold_the_value():
    for hits, luck in ((0, 0), (5, 5), (40, 10)):
        few, many = residual(hits, 100, luck, 100), residual(10 * hits, 1_000, 10 * luck, 1_000)
        assert few[0] == pytest.approx(many[0]) and few[1] <= many[1] <= many[0] <= many[2] <= few[2]
    with pytest.raises(ZeroDivisionError):
        residual(5, 100, 100, 100)
    assert share(0, 300)[1] == pytest.approx(0.00994, abs=1e-4) and share(7, 7) == (pytest.approx(0.65184, abs=1e-4), 1)


def test_the_bound_of_those_who_are_caught_holds():
    random, truth, kept = np.random.default_rng(1), norm.sf(norm.isf(0.01) - 1.0), 0
    for _ in range(400):
        value, high = caught(random.normal(1, 1, 400), random.normal(0, 1, 500), 0.01)
        kept += truth <= high
        assert 0 <= value <= 1
    assert kept >= 375
    assert caught(np.ones(50), np.zeros(50), 0.01) == (1.0, 1.0)


def test_the_bound_of_those_who_are_caught_holds_at_a_cliff():
    """The worst law: of members 5 % score right above the true level and all the others below every control. Who takes
    the level of the controls at hand for the true one, and bounds the share above it, promises too much."""
    random, kept, careless = np.random.default_rng(3), 0, 0
    for _ in range(1_000):
        members, controls = np.where(random.random(400) < 0.05, 0.99, -1.0), random.random(400)
        kept += caught(members, controls, 0.01)[1] >= 0.05
        careless += share(int((members > np.sort(controls)[-5]).sum()), 400)[1] >= 0.05
    assert kept >= 935 and careless < 800


def test_what_is_hard_to_guess_of_a_person_cancels_out():
    """Members are easier to guess by luck; two attackers who know as much of both sides show no risk, and their
    difference is much surer than either."""
    random = np.random.default_rng(2)
    easy, hard = random.random(2_000) < 0.85, random.random(2_000) < 0.80
    flips = [random.random(2_000) < 0.02 for _ in range(4)]
    own, other = ((who ^ a).astype(float) - (who ^ b) for who, (a, b) in ((easy, flips[:2]), (hard, flips[2:])))
    gains = Gains(own, other, float((hard ^ flips[2]).mean())).finding("x")
    plain = Guesses(int(easy.sum()), 2_000, int(hard.sum()), 2_000).finding("x")
    assert gains.low < 0 < gains.high and plain.low > 0  # the plain number takes luck for a leak
    assert gains.high - gains.low < 0.6 * (plain.high - plain.low)
    leak = Gains(np.where(random.random(2_000) < 0.1, 1.0, 0.0), np.zeros(2_000), 0.5).finding("x")
    assert leak.low > 0.15 and leak.value == pytest.approx(0.2, abs=0.05)


def test_scores_and_guesses_of_few_people_are_no_numbers():
    assert Guesses(5, 50, 5, 500).finding("x").problem and Guesses(500, 500, 500, 500).finding("x").problem
    assert Scores(np.zeros(20), np.zeros(500)).finding("x").problem
    assert Gains(np.zeros(50), np.zeros(500), 0.1).finding("x").problem
    even = Scores(np.zeros(500), np.zeros(500)).finding("x")
    assert even.value == 0.5 and even.high > 0.5 and even.detail["caught_at_0.01"] == pytest.approx(0.01)


@dataclass(frozen=True)
class Lucky(Attack):
    """An attack on twenty columns that finds nothing, in a world of chance."""

    title, source, story = "for tests", "nobody", "nobody"
    numbers = {"lucky": ("holdout",)}  # noqa: RUF012

    def strike(self, world, run):
        hits = run.random().binomial(500, 0.2, (20, 2))
        return {("lucky", f"c{i}"): Guesses(int(a), 500, int(b), 500) for i, (a, b) in enumerate(hits)}


def test_whoever_looks_at_twenty_columns_finds_something_by_luck_and_is_not_believed():
    careless = alarms = 0
    for seed in range(200):
        worst, *places = Lucky().made(None, Run(seed), control=False)
        careless += any(one.low > 0 for one in places)
        alarms += worst.low > 0
        assert worst.high == max(one.high for one in places)
        assert worst.detail["worst"] in {one.place[0] for one in places}
    assert careless > 100 and alarms <= 18
    assert one_of(1) == pytest.approx(1.64485, abs=1e-5) and one_of(20) > 2.8


def test_members_with_equal_scores_are_found_as_often_as_a_coin_accuses_them():
    members, controls = np.r_[np.ones(600), np.zeros(400)], np.r_[np.ones(30), np.zeros(970)]
    value, high = caught(members, controls, 0.01)
    assert value == pytest.approx(0.6 / 3) and high > 0.6  # a third of the 3 % at the top may be accused


def test_a_control_that_sees_a_part_is_found_by_what_it_would_see_of_the_whole():
    """The careless twin holds what was seen of a quarter against what must be found of all."""
    quarter = Guesses(330, 1_200, 240, 1_200, seen=0.25)
    assert quarter.finding("x").low < 0.09 and quarter.found and not Guesses(330, 1_200, 240, 1_200).found
    assert not Guesses(250, 1_200, 240, 1_200, seen=0.25).found
    members, controls = np.linspace(0, 1, 900) + 0.08, np.linspace(0, 1, 900)
    assert Scores(members, controls, seen=0.25).found and not Scores(members, controls).found
    gains = np.full(900, 0.05), np.zeros(900)
    assert Gains(*gains, 0.1, seen=0.25).found and not Gains(*gains, 0.1).found
