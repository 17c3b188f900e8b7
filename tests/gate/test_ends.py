"""Extremes that stand in a twin are told from luck: fresh people do not fail by the grid of a column, copies do."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fabrica.gatehouse.counts import COPIED
from fabrica.gatehouse.ends import Ends, chance

PEOPLE, TIMES = 1_000, 60


def prices(random, n):
    exact = np.round(random.lognormal(4, 1.2, n), 2)
    return np.where(random.random(n) < 0.5, np.round(exact), exact)


def pay(random, n):
    exact = random.lognormal(4, 0.6, n)
    return np.where(random.random(n) < 0.5, 1_000 * np.round(exact), np.round(1_000 * exact))


#: step, how people are drawn, and whether one copied extreme is sure to be told
WORLDS = {
    "whole numbers of 0 to 90": (1.0, lambda random, n: random.integers(0, 91, n).astype(float), False),
    "ages": (1.0, lambda random, n: np.maximum(17.0, np.round(random.normal(45, 18, n))), False),
    "money with cents": (0.01, lambda random, n: np.round(random.exponential(900, n), 2), True),
    "prices, half of them whole": (0.01, prices, True),
    "pay, half of it in thousands": (1.0, pay, False),
    "a heavy tail": (1.0, lambda random, n: np.floor(10 * random.pareto(0.8, n)), True),
    "counts": (1.0, lambda random, n: random.poisson(1.5, n).astype(float), False),
}


def luck(world, seed, k, copied=0):
    """The chance of the extremes that a fresh sample meets, with the largest real ones put among it."""
    step, draw, _ = WORLDS[world]
    random, ends = np.random.default_rng(seed), Ends(k)
    real = draw(random, PEOPLE)
    ends.add(pa.array(real), None)
    twin = pa.array(np.concatenate([draw(random, PEOPLE), np.sort(real)[PEOPLE - copied:]]))
    return ends.met(twin.filter(ends.beyond(twin)).unique().to_numpy(), step)


@pytest.mark.parametrize("world", WORLDS)
def test_fresh_people_hardly_ever_fail_by_luck(world):
    failed = sum(chance(luck(world, seed, k)) < COPIED for seed in range(TIMES) for k in (5, 11))
    assert failed <= 0.05 * 2 * TIMES


@pytest.mark.parametrize("world", [world for world, (*_, told) in WORLDS.items() if told])
def test_one_copied_extreme_fails(world):
    assert sum(chance(luck(world, seed, 11, copied=1)) < COPIED for seed in range(TIMES)) >= 0.75 * TIMES


def test_luck_of_many_columns_does_not_add_up_and_small_excesses_do():
    fresh, leaky = [], []
    for seed in range(20):
        fresh.append(chance([one for world in WORLDS for one in luck(world, seed, 11)]))
        leaky.append(chance([one for column in range(8) for one in luck("ages", 100 * seed + column, 11, copied=3)]))
    alone = [chance(luck("ages", 100 * seed, 11, copied=3)) for seed in range(20)]
    assert sum(p < COPIED for p in fresh) <= 1
    assert sum(p < 0.1 for p in leaky) >= 10 > sum(p < 0.1 for p in alone)


def test_the_luck_of_a_lone_number_is_one_in_the_places_of_the_outer_half():
    ends = Ends(5)
    ends.add(pa.array([*np.arange(91.0), 412.0]), None)
    [*_, last] = (one for one in ends.met(np.array([412.0]), 1.0) if one.hit)
    assert last.last and last.luck == pytest.approx(1 / ((412 - 87) / 2)) and chance([last]) < COPIED


@pytest.mark.parametrize(("round_to", "share", "lift"), [(1, 1.0, 1), (100, 0.5, 50)])
def test_endings_that_numbers_like_make_luck_and_those_they_seem_to_like_by_chance_do_not(round_to, share, lift):
    for seed in range(10):
        random, ends = np.random.default_rng(seed), Ends(5)
        money = random.integers(0, 100_000, 800)
        rounded = np.where(random.random(800) < share, round_to * (money // round_to), money).astype(float)
        ends.add(pa.array([*rounded, 1_234_000.0]), None)
        [*_, last] = (one for one in ends.met(np.array([1_234_000.0]), 1.0) if one.hit)
        places = (1_234_000 - np.sort(rounded)[-4]) / 2
        if round_to == 1:
            assert last.luck == pytest.approx(1 / places)
        else:  # half of them have the ending, and are fewer different values
            assert lift / 2.5 < last.luck * places < 1.5 * lift


def test_a_number_that_everybody_knows_tells_nothing():
    ends = Ends(5)
    ends.add(pa.array([*np.arange(91.0), 412.0]), None)
    assert not any(one.hit for one in ends.met(np.array([412.0]), 1.0, known=[0.0, 412.0]))
