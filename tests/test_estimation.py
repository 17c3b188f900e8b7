"""Laws from noisy marginals: the optimum that brute force finds, what is known exactly, and evenness elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from fabrica.estimation import Measured, estimated, loss
from fabrica.junction import JunctionTree


def world(seed: int, sizes: list[int]) -> np.ndarray:
    joint = np.random.default_rng(seed).gamma(0.7, 1.0, sizes)
    return joint / joint.sum()


def folded(joint: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    return joint.sum(tuple(i for i in range(joint.ndim) if i not in columns))


def whole(tree: JunctionTree, laws: list[np.ndarray]) -> np.ndarray:
    """The joint of all columns."""
    columns, joint = range(len(tree.sizes)), np.zeros(tree.sizes)
    for clique, factor in zip(tree.cliques, tree.factors(laws), strict=True):
        joint = joint + factor.reshape([tree.sizes[c] if c in clique else 1 for c in columns])
    return np.exp(joint)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_it_reaches_what_brute_force_reaches(seed):
    """The least squared distance over all laws of the whole joint, found by another optimiser."""
    sizes, total = [3, 2, 3], 1_000.0
    joint, random = world(seed, sizes), np.random.default_rng(seed)
    measured = [Measured(c, total * folded(joint, c) + random.normal(0, 20, folded(joint, c).shape), 400.0)
                for c in ((0, 1), (1, 2), (0,))]
    tree = JunctionTree.of(sizes, [m.columns for m in measured])

    def far(theta):
        law = np.exp(theta - theta.max()).reshape(sizes)
        law /= law.sum()
        return sum(((total * folded(law, m.columns) - m.counts) ** 2).sum() / 800 for m in measured)

    best = min(minimize(far, random.normal(size=18), method="L-BFGS-B").fun for _ in range(3))
    found = loss(tree, estimated(tree, measured, total, 400).laws, measured, total)
    assert found <= best * 1.02 + 0.02


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_without_noise_the_marginals_are_those_and_all_else_is_even(seed):
    """A chain: what is not measured is independent given what is."""
    sizes = [3, 4, 2]
    joint = world(seed, sizes)
    measured = [Measured(c, 1e4 * folded(joint, c), 1.0) for c in ((0, 1), (1, 2))]
    tree = JunctionTree.of(sizes, [m.columns for m in measured])
    beliefs = estimated(tree, measured, 1e4, 2_000).laws
    for one in measured:
        assert np.abs(tree.marginal(beliefs, one.columns) - one.counts / 1e4).max() < 2e-3
    even = folded(joint, (0, 1))[:, :, None] * (folded(joint, (1, 2)) / folded(joint, (1,))[:, None])[None]
    assert np.abs(whole(tree, beliefs) - even).max() < 2e-3


def test_a_warm_start_goes_on_where_it_was():
    sizes, joint = [4, 4, 4], world(1, [4, 4, 4])
    measured = [Measured(c, 5_000 * folded(joint, c), 50.0) for c in ((0, 1), (1, 2))]
    tree = JunctionTree.of(sizes, [m.columns for m in measured])
    first = estimated(tree, measured, 5_000, 30)
    more = estimated(tree, measured, 5_000, 30, first.potentials)
    assert loss(tree, more.laws, measured, 5_000) <= loss(tree, first.laws, measured, 5_000) * (1 + 1e-9)


def test_nothing_measured_is_even():
    tree = JunctionTree.of([2, 3], [])
    assert [b.tolist() for b in estimated(tree, [], 10, 5).laws] == [[0.5, 0.5], pytest.approx([1 / 3] * 3)]
