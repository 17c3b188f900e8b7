"""A network goes forward without torch as it does with it; raking meets the margins it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.nets import forward
from fabrica.nets.raking import raked
from fabrica.tokens import Token, Tokens


def normal(*shape: int, key: int = 1) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key)).normal(size=shape).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


@pytest.mark.parametrize(("n", "k", "m"), [(1, 1, 1), (3, 5, 2), (4, 4, 4), (9, 7, 33), (0, 3, 2), (5, 0, 3)])
def test_products_are_those_of_numpy(n: int, k: int, m: int):
    left, right, bias = normal(n, k), normal(k, m, key=2), normal(m, key=3)
    assert forward.affine(left, right, bias) == pytest.approx(left @ right + bias, abs=1e-5)


def test_swish_and_softmax_are_what_they_are_called():
    x = 6 * normal(50, 9)
    assert forward.swish(x) == pytest.approx(x / (1 + np.exp(-x.astype(np.float64))), abs=1e-5)
    assert forward.probabilities(x, normal(9, key=2)) == pytest.approx(softmax(x + normal(9, key=2)), abs=1e-5)
    cumulated, expected = forward.cumulated(x)
    assert cumulated / cumulated[:, -1:] == pytest.approx(np.cumsum(softmax(x), 1), abs=1e-5)
    assert expected == pytest.approx(softmax(x) @ np.arange(9), abs=1e-3)


def test_a_system_is_solved():
    root = normal(30, 30).astype(np.float64)
    matrix, right = root @ root.T + np.eye(30), normal(30, key=2).astype(np.float64)
    assert matrix @ forward.solved(matrix, right) == pytest.approx(right, abs=1e-8)


def test_draws_fall_as_often_as_they_should_and_never_on_what_is_out_of_reach():
    logits = np.tile(np.array([-1e29, 0, 1, -1e29, 2, -1e29], np.float32), (10_000, 1))
    cumulated, _ = forward.cumulated(logits)
    u = np.concatenate([np.linspace(0, 1, 9_999), [1.0]])
    found = np.bincount(forward.draw(cumulated, u), minlength=6) / 10_000
    assert found == pytest.approx(softmax(logits)[0], abs=2e-4)
    assert found[[0, 3, 5]].sum() == 0


def token(counts: np.ndarray, rest: int | None = None) -> Token:
    codes = np.repeat(np.arange(len(counts)), counts)
    return Tokens.of(Block.of([coded("a", len(counts), codes, rest=rest)]), 10_000).columns[0]


@pytest.mark.parametrize("size", [2, 12, 600])
@pytest.mark.parametrize("sharp", [0.3, 3.0])
def test_raked_margins_are_those_asked_for(size: int, sharp: float):
    wanted = token(np.random.Generator(np.random.Philox(3)).integers(5, 100, size))
    hidden, head = normal(6000, 8), sharp * normal(8, size, key=2) / np.sqrt(8).astype(np.float32)
    bias = raked(hidden, head, np.log(wanted.seen).astype(np.float32), wanted)
    assert np.abs(softmax(hidden @ head + bias).mean(0) - wanted.share).sum() / 2 < 0.004


def test_what_may_not_be_drawn_is_left_out_of_raking():
    wanted = token(np.array([30, 50, 20]), rest=1)
    bias = raked(normal(4000, 4), normal(4, 3, key=2), np.zeros(3, np.float32), wanted)
    shown = softmax((normal(4000, 4) @ normal(4, 3, key=2) + bias)[:, [0, 2]])
    assert bias[1] == 0 and shown.mean(0) == pytest.approx([0.6, 0.4], abs=1e-3)
