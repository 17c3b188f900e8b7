"""Junction trees against brute force over all combinations of small alphabets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fabrica.junction import JunctionTree, cells


def drawn_world(seed: int, columns: int, sets: int) -> tuple[list[int], list[tuple[int, ...]], np.random.Generator]:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 4, columns).tolist()
    some = [tuple(sorted(random.choice(columns, min(columns, int(random.integers(1, 4))), replace=False).tolist()))
            for _ in range(sets)]
    return sizes, some, random


WORLDS = (st.integers(0, 10_000), st.integers(1, 7), st.integers(0, 9))


@given(*WORLDS)
def test_every_set_lies_in_a_clique_and_what_two_share_is_shared_by_all_between(seed, columns, sets):
    sizes, some, _ = drawn_world(seed, columns, sets)
    tree = JunctionTree.of(sizes, some)
    for one in [*some, *((c,) for c in range(columns))]:
        assert set(one) <= set(tree.cliques[tree.holder(one)])
    for i, parent in enumerate(tree.parents):
        before = set().union(*tree.cliques[:i]) if i else set()
        shared = set(tree.cliques[i]) & before
        assert parent < i and tuple(sorted(shared)) == tree.separators[i]
        assert parent < 0 or shared <= set(tree.cliques[parent])
    assert tree.cells == cells(sizes, some) == sum(math.prod(tree.shape(c)) for c in tree.cliques)


@given(*WORLDS)
def test_marginals_are_those_of_the_whole_joint(seed, columns, sets):
    sizes, some, random = drawn_world(seed, columns, sets)
    tree = JunctionTree.of(sizes, some)
    potentials = [random.normal(0, 2, p.shape) for p in tree.zeros()]
    joint = np.zeros(sizes)
    for clique, potential in zip(tree.cliques, potentials, strict=True):
        joint = joint + potential.reshape([sizes[c] if c in clique else 1 for c in range(columns)])
    joint = np.exp(joint - joint.max())
    joint /= joint.sum()
    laws = tree.calibrated(potentials)
    for one in [*some, *tree.cliques, *((c,) for c in range(columns))]:
        known = joint.sum(tuple(c for c in range(columns) if c not in one))
        assert np.allclose(tree.marginal(laws, tuple(one)), known, atol=1e-10)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(0, 6))
def test_draws_have_the_law_of_the_joint(seed, columns, sets):
    sizes, some, random = drawn_world(seed, columns, sets)
    tree = JunctionTree.of(sizes, some)
    potentials = [random.normal(0, 1, p.shape) for p in tree.zeros()]
    laws = tree.calibrated(potentials)
    joint = sum(p.reshape([sizes[c] if c in clique else 1 for c in range(columns)])
                for p, clique in zip(potentials, tree.cliques, strict=True)) - tree.total(potentials)
    factored = sum(p.reshape([sizes[c] if c in clique else 1 for c in range(columns)])
                   for p, clique in zip(tree.factors(laws), tree.cliques, strict=True))
    assert np.allclose(joint, factored)
    every = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij")).reshape(columns, -1)
    assert np.allclose(tree.log_prob(laws, every), joint.ravel())
    expected = np.exp(joint).ravel() * 20_000
    codes = tree.sample(laws, 20_000, random)
    counts = np.bincount(np.ravel_multi_index(tuple(codes), sizes), minlength=expected.size)
    assert expected.sum() == pytest.approx(20_000)
    assert ((counts - expected) ** 2 / np.maximum(expected, 1)).sum() < stats.chi2.ppf(1 - 1e-7, expected.size)


def test_impossible_cells_stay_impossible():
    tree = JunctionTree.of([2, 2, 2], [(0, 1), (1, 2)])
    potentials = tree.zeros()
    potentials[0][0, 1] = -np.inf
    laws = tree.calibrated(potentials)
    assert tree.marginal(laws, (0, 1))[0, 1] == 0
    codes = tree.sample(laws, 1_000, np.random.default_rng(1))
    assert not ((codes[0] == 0) & (codes[1] == 1)).any()
    potentials[1][1, :] = -np.inf
    laws = tree.calibrated(potentials)
    assert tree.marginal(laws, (1,)).tolist() == [1, 0] and tree.marginal(laws, (0, 1)).sum() == pytest.approx(1)
    potentials[0][:] = -np.inf
    assert tree.total(potentials) == -np.inf and not tree.calibrated(potentials)[1].any()
    with pytest.raises(KeyError, match="no clique"):
        tree.holder((0, 2))


def test_the_smallest_table_is_eliminated_first():
    """A star around a column of many codes: its arms are never joined with each other."""
    star = [(0, i) for i in range(1, 6)]
    assert cells([50, 2, 2, 2, 2, 2], star) == 5 * 100
    ring = [(i, (i + 1) % 5) for i in range(5)]
    assert cells([3] * 5, ring) == 3 * 27
