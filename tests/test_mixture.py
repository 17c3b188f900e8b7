"""Mixtures of independent laws: what they say of themselves agrees with brute force, and they come near marginals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica.estimation import Measured
from fabrica.mixture import Mixture, mixed


def drawn(seed: int, sizes: list[int], components: int = 3) -> Mixture:
    random = np.random.default_rng(seed)
    return Mixture(random.dirichlet(np.ones(components)),
                   tuple(random.dirichlet(np.ones(size), components) for size in sizes))


def joint(law: Mixture) -> np.ndarray:
    """The law by brute force."""
    sizes = [table.shape[1] for table in law.tables]
    found = np.zeros(sizes)
    for weight, *rows in zip(law.weights, *law.tables, strict=True):
        one = np.array(weight)
        for row in rows:
            one = np.multiply.outer(one, row)
        found += one
    return found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_its_marginals_probabilities_and_masks_are_those_of_the_joint(seed):
    sizes = [3, 2, 4]
    law = drawn(seed, sizes)
    whole = joint(law)
    assert np.allclose(law.marginal((0, 2)), whole.sum(1)) and np.allclose(law.marginal((0, 1, 2)), whole)
    assert np.allclose(law.marginal((1,)), whole.sum((0, 2)))
    every = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij")).reshape(3, -1)
    assert np.allclose(np.exp(law.log_prob(every)), whole.ravel())
    part = {0: np.array([1.0, 0.5, 0.0]), 2: np.array([0.0, 1.0, 1.0, 0.25])}
    masked, left = law.under(part)
    kept = whole * part[0][:, None, None] * part[2][None, None, :]
    assert np.allclose(joint(masked), kept / kept.sum()) and left == pytest.approx(np.log(kept.sum()))
    assert law.under({1: np.zeros(2)})[1] == -np.inf


def test_draws_have_the_law_of_the_joint():
    law = drawn(1, [3, 2, 4])
    codes = law.sample(60_000, np.random.default_rng(2))
    counts = np.bincount(np.ravel_multi_index(tuple(codes), (3, 2, 4)), minlength=24) / 60_000
    assert np.abs(counts - joint(law).ravel()).max() < 0.006 and law.sample(0, np.random.default_rng(1)).shape == (3, 0)


def test_it_comes_near_the_marginals_of_a_law_that_no_small_tree_holds():
    """All pairs of four columns, measured without and with noise; with columns alone it stays far."""
    sizes, total = [5, 4, 3, 4], 10_000.0
    truth = drawn(7, sizes, 4)
    random = np.random.default_rng(1)

    def looks(noise: float, pairs: bool) -> list[Measured]:
        sets = [(i,) for i in range(4)] + [(i, j) for i in range(4) for j in range(i) if pairs]
        return [Measured(tuple(sorted(s)), total * truth.marginal(tuple(sorted(s)))
                         + noise * random.normal(size=truth.marginal(tuple(sorted(s))).shape), max(noise, 1.0) ** 2)
                for s in sets]

    def far(law: Mixture) -> float:
        return max(np.abs(law.marginal((i, j)) - truth.marginal((i, j))).sum() / 2
                   for j in range(4) for i in range(j))

    near, noisy, alone = (far(mixed(sizes, looks(*how), total, 32, 300, np.random.default_rng(3)))
                          for how in ((0.0, True), (30.0, True), (0.0, False)))
    assert near < 0.01 and noisy < 0.04 and alone > 0.06
