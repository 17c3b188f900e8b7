"""Even draws cover evenly, whoever asks and in whatever order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fabrica.uniforms import even, even_in_order, shuffled

SEEDS = st.integers(0, 2**32)


def chance(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def discrepancy(u: np.ndarray) -> float:
    """Star discrepancy of points in [0, 1) (Niederreiter 1992, theorem 2.6)."""
    n = len(u)
    return 1 / (2 * n) + float(np.abs(np.sort(u) - (2 * np.arange(n) + 1) / (2 * n)).max())


@given(st.integers(1, 500), SEEDS)
def test_even_has_one_point_in_each_cell(size: int, seed: int) -> None:
    u = even(size, chance(seed))
    assert ((u >= 0) & (u < 1)).all()
    assert sorted(np.floor(u * size + 1e-9).astype(int) % size) == list(range(size))
    assert discrepancy(u) <= 1 / size + 1e-9


@given(st.integers(0, 1))
def test_even_of_hardly_anything(size: int) -> None:
    assert len(even(size, chance(0))) == size
    assert len(even_in_order(np.zeros(size), chance(0))) == size


def test_even_is_shuffled_and_each_row_sees_a_uniform_number() -> None:
    first = np.array([even(8, chance(s))[0] for s in range(2000)])
    assert discrepancy(first) < 0.04
    assert even(50, chance(1)).tolist() != even(50, chance(2)).tolist()


@given(st.integers(0, 3000), SEEDS)
def test_shuffled_holds_every_number_once(size: int, seed: int) -> None:
    assert sorted(shuffled(size, chance(seed)).tolist()) == list(range(size))


def test_every_order_is_as_likely_as_any_other() -> None:
    found = [tuple(shuffled(4, chance(s)).tolist()) for s in range(12_000)]
    counts = np.array([found.count(order) for order in permutations(range(4))])
    assert ((counts - 500) ** 2 / 500).sum() < 60, "chi-squared of 23 degrees: 49.7 at one in a thousand"


@given(st.integers(200, 2000), st.integers(1, 9), SEEDS)
def test_each_stretch_of_the_order_gets_its_share(size: int, groups: int, seed: int) -> None:
    random = chance(seed)
    order = random.integers(0, groups, size)
    u = even_in_order(order, random)
    assert ((u >= 0) & (u < 1)).all()
    for group in range(groups):
        inside = u[order == group]
        if len(inside) >= 20:
            assert discrepancy(inside) <= 3 * (1 + np.log(len(inside))) / len(
                inside
            )  # of order log n / n, not 1 / sqrt n


def test_independent_draws_would_not_pass() -> None:
    u = chance(3).random(1000)
    assert discrepancy(u) > 3 * (1 + np.log(1000)) / 1000 / 2
