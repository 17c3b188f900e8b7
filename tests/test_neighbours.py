"""Neighbours are those whom everybody finds who measures each distance, however many are held against at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fabrica.neighbours import SIDE, near_both, nearest_few


def table(random, rows, numbers, levels):
    """Numbers on a lattice, so that sums are exact and many are equally far."""
    return (random.integers(0, 5, (rows, numbers)) / np.float32(4)).astype(np.float32), random.integers(
        0, 3, (rows, levels)).astype(np.int32)


def apart(own, other):
    """(n, m) every distance."""
    (numbers, levels), (others, other_levels) = own, other
    return (np.abs(numbers[:, None] - others[None]).sum(2, dtype=np.float32)
            + (levels[:, None] != other_levels[None]).sum(2)).astype(np.float32)


@given(st.integers(0, 10**6), st.integers(0, 4), st.integers(0, 4),
       st.sampled_from([0, 1, 7, SIDE - 1, SIDE, SIDE + 1, 2 * SIDE + 3]), st.integers(1, 6))
def test_the_nearest_are_those_of_whoever_measures_all(seed, numbers, levels, others, k):
    random = np.random.default_rng(seed)
    own, other = table(random, 5, numbers, levels), table(random, others, numbers, levels)
    found, which = nearest_few(*own, *other, k)
    every = apart(own, other)
    first = np.argsort(every, axis=1, kind="stable")[:, :k]
    many = first.shape[1]
    np.testing.assert_array_equal(which[:, :many], first)  # of those equally far the first
    np.testing.assert_array_equal(found[:, :many], np.take_along_axis(every, first, 1))
    assert (which[:, many:] == -1).all() and (found[:, many:] > 1e29).all()


@given(st.integers(0, 10**6), st.sampled_from([0, 3, SIDE, SIDE + 1]), st.sampled_from([0.0, 0.25, 1.0, 2.5]))
def test_one_must_be_near_in_both_halves(seed, others, radius):
    random = np.random.default_rng(seed)
    halves = [(table(random, 6, a, b), table(random, others, a, b)) for a, b in ((2, 1), (1, 3))]
    far = np.full(6, radius, np.float32)
    found = near_both(*halves[0][0], *halves[0][1], far, *halves[1][0], *halves[1][1], far)
    both = np.logical_and(*(apart(*half) <= radius for half in halves))
    np.testing.assert_array_equal(found, both.any(1))


def test_what_is_left_of_the_last_part_is_nobody():
    """The careless twin looks at a whole part always, and meets zeros or those of the part before."""
    own = np.zeros((1, 2), np.float32), np.zeros((1, 0), np.int32)
    other = np.ones((SIDE + 1, 2), np.float32), np.zeros((SIDE + 1, 0), np.int32)
    assert nearest_few(*own, *other, 1)[0].item() == 2.0
    few = np.ones((3, 2), np.float32), np.zeros((3, 0), np.int32)
    assert nearest_few(*own, *few, 4)[1].tolist() == [[0, 1, 2, -1]]
