"""Noisy histograms: what they cost, what one unit changes, and that mass comes out where it is."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica.privacy.door import measure
from fabrica.privacy.histogram import BRANCHES, leaves, shape
from fabrica.privacy.ledger import Purse
from fabrica.privacy.terms import Privacy


def through(purse: Purse):
    """Measures with noise, and pays."""
    return partial(measure, purse)


def test_it_costs_what_was_said_and_not_more():
    purse = Purse.of(Privacy(1.0))
    rho = purse.budget / 3
    leaves(np.random.default_rng(1).integers(0, 5_000, 10_000), 5_000, 1e4, rho, through(purse), "age")
    levelled = shape(5_000)[0]
    assert 2 <= len(purse.events) <= levelled  # levels at which nothing was left to divide cost nothing
    each = float(purse.ledger().rho) / len(purse.events)
    assert 0.99 * float(rho) < each * levelled and purse.events[0].rho * levelled <= rho and purse.left > 0


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 4_000), st.integers(1, 300))
def test_one_unit_changes_one_count_of_each_level_by_one(seed, cells, units):
    """With the noise of both worlds the same, all that is looked at differs in one number a level at most, by one: so
    the sensitivity is 1."""
    random = np.random.default_rng(seed)
    places = random.integers(0, cells, units)
    worlds = []
    for some in (places, places[:-1]):
        seen: list = []

        def recorded(counts, rho, what, seen=seen):
            seen.append(counts.copy())
            return np.full(len(counts), 1e9), 1.0  # every node is divided in both worlds

        leaves(some, cells, 1e9, Fraction(1), recorded, "x")
        worlds.append(seen)
    for one, other in zip(*worlds, strict=True):
        assert np.abs(one - other).sum() <= 1
    assert np.abs(worlds[0][0] - worlds[1][0]).sum() == 1 and len(worlds[0]) == len(worlds[1])


@given(st.integers(0, 10_000), st.integers(1, 3_000), st.integers(1, 500))
def test_without_noise_every_count_is_right(seed, cells, units):
    places = np.random.default_rng(seed).integers(0, cells, units)
    found = leaves(places, cells, units, Fraction(1), lambda counts, *_: (counts, 1e-12), "x")
    known = np.histogram(places, found.edges)[0]
    assert found.edges[0] == 0 and found.edges[-1] == cells and (np.diff(found.edges) > 0).all()
    assert np.allclose(found.mass, known) and found.total == units


def test_a_point_mass_comes_out_by_itself_and_empty_stretches_stay_whole():
    random = np.random.default_rng(1)
    places = np.concatenate([np.full(9_000, 12_345), np.clip(random.normal(40_000, 500, 6_000), 0, 99_999).astype(int)])
    purse = Purse.of(Privacy(1.0))
    found = leaves(places, 100_000, 15_000, purse.budget / 10, through(purse), "gain")
    alone = np.flatnonzero(found.edges == 12_345)[0]
    assert found.edges[alone + 1] == 12_346 and abs(found.mass[alone] - 9_000) < 500
    assert abs(found.total - 15_000) < 300 and found.mass.sum() == pytest.approx(found.total)
    assert len(found.mass) < 20 * BRANCHES
    middle = (found.edges[:-1] > 50_000) & (found.edges[1:] < 90_000)
    assert found.mass[middle].sum() < 1_000


def test_nobody_there_is_no_error():
    purse = Purse.of(Privacy(1.0))
    found = leaves(np.zeros(0, np.int64), 1_000, 0.0, purse.budget, through(purse), "x")
    assert found.edges[-1] == 1_000 and (found.mass >= 0).all() and np.isfinite(found.mass).all()
