"""The Bayesian network under privacy: scores change by what is said, rows are seen through doors, ties come out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.block import Block, Told
from fabrica.checks.engines import coded
from fabrica.engines.bayesnet import BayesNet
from fabrica.engines.bayesnet.private import PARTS, SENSITIVITY, parts, score
from fabrica.privacy.ledger import Purse
from fabrica.privacy.terms import Privacy
from fabrica.run import Run


def chance(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key))


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 9))
def test_one_row_changes_a_score_by_what_is_said(key, groups, size):
    random = chance(key)
    counts = random.integers(0, 40, (groups, size))
    own = parts(Told(random.normal(10, 20, size), np.ones(size)))
    assert own.sum() <= PARTS and (own >= 0).all()
    for cell in np.ndindex(counts.shape):
        more = counts.copy()
        more[cell] += 1
        assert abs(score(more, own) - score(counts, own)) <= SENSITIVITY


def test_a_careless_score_changes_by_more():
    """One that takes the column's own counts as they are: with one row all that is expected moves."""
    def careless(counts: np.ndarray) -> int:
        return score(counts, np.floor(counts.sum(0) / counts.sum() * PARTS).astype(np.int64))

    assert careless(np.array([[57, 0, 0], [0, 3, 0]])) - careless(np.array([[57, 0, 0], [0, 2, 0]])) > SENSITIVITY


def table(key: int, rows: int) -> Block:
    random = chance(key)
    a = random.integers(0, 6, rows)
    return Block.of([coded("a", 6, a), coded("b", 7, np.where(random.random(rows) < 0.03, 6, a), rest=6),
                     coded("c", 30, np.minimum(a * 5 + random.integers(0, 5, rows), 29), ordered=True)])


def learned(block: Block, epsilon: float = 2.0) -> tuple:
    purse = Purse.of(Privacy(epsilon))
    return BayesNet().fit(block, None, Run(1).paying(purse)), purse.ledger()


def test_ties_come_out_and_each_look_is_written_down():
    model, ledger = learned(table(1, 20_000))
    drawn = model.sample(5_000, None, Run(2))
    a, b, c = (one.codes.astype(int) for one in drawn)
    assert (a == b).mean() > 0.9 and (a == c // 5).mean() > 0.9 and b.max() < 6
    kinds = [type(event).__name__ for event in ledger.events]
    assert kinds[:3] == ["Gaussian"] * 3 and kinds.count("Selection") == 2 and len(kinds) == 7
    assert 1.9 < ledger.epsilon() <= 2.0
    assert learned(table(1, 300), 0.1)[1].epsilon() <= 0.1


@pytest.mark.parametrize("careless", [False, True])
def test_all_that_is_learned_came_through_a_door(monkeypatch, careless):
    """Two tables that have nothing in common give one model where the doors say the same; a table that is counted
    without noise shows."""
    def noisy(self, counts, rho, what, sensitivity=1):
        seen = counts if careless and counts.ndim > 1 else 0
        return np.arange(counts.size).reshape(counts.shape) % 7 * 30 + seen, 4.0

    monkeypatch.setattr(Run, "noisy", noisy)
    monkeypatch.setattr(Run, "chosen", lambda self, scores, *_: len(scores) - 1)
    other = Block.of([replace(c, codes=chance(9).integers(0, c.size, 700).astype(c.codes.dtype), reals=None)
                      for c in table(1, 700)])
    one, two = (learned(block)[0].state().arrays for block in (table(1, 400), other))
    assert all(np.array_equal(one[name], two[name]) for name in one) != careless
