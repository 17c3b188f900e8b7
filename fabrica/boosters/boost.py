"""Boosting: tree after tree down the slope of a loss, stopped early by rows that no tree has seen.

The loss is that of a branch (Bernoulli, with a first guess for every row) or the square of an error. Early stopping is
the safest guard against learning people by heart: what helps only those who were learned from is never kept (Prechelt,
"Early stopping, but when?", 1998).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabrica.boosters.forest import Forest
from fabrica.boosters.grow import Guard, Packing, grow
from fabrica.kernels import kernel

__all__ = ["Boosting", "boost"]


FAR = 1.5  #: times that trees are stretched, at most


@dataclass(frozen=True)
class Boosting:
    """How to boost: at most ``rounds`` trees, each taken ``rate`` of its way; stop after ``patience`` trees that did
    not help, or never where it is 0."""

    rounds: int
    rate: float
    patience: int
    guard: Guard


def boost(
    placed: np.ndarray, nominal: np.ndarray, target: np.ndarray, base: np.ndarray, learn: np.ndarray,
    judge: np.ndarray, how: Boosting, late: Callable[[], bool] = bool, *, square: bool = False,
    people: np.ndarray | None = None, k: int = 0,
) -> Forest:
    """Trees over ``placed`` (n, F) uint8 for ``target`` (n,) in [0, 1], whose first guess is ``base`` (n,).

    ``learn`` and ``judge`` are the rows to learn from and to stop by (m,) int32. With ``square`` the loss is the square
    of the error, else that of a branch with log-odds ``base``. No tree begins when it is ``late``. Where some rows are
    ``people`` (n,) bool, a leaf with fewer than ``k`` of them is worth what it is worth without them.
    """
    trees: list[tuple[np.ndarray, np.ndarray]] = []
    score, packing, rows = base.astype(np.float64), Packing.of(len(learn)), learn.astype(np.int32)
    gradient, hessian = np.zeros(len(placed)), np.ones(len(placed))
    best, kept = _loss(score, target, judge, square), 0
    people = np.zeros(len(placed), bool) if people is None else people
    while len(trees) < min(how.rounds, kept + (how.patience or how.rounds)) and not late():
        _slopes(score, target, rows, square, gradient, hessian)
        packed, units = packing.pack(gradient, hessian, learn, len(trees))
        nodes, ends, gain = grow(placed, nominal, packed, units, packing, rows, how.guard)
        if gain <= 0:
            break
        leaves = _step(nodes, ends, rows, gradient, hessian, how.guard.ridge, how.rate, score, people, k)
        _follow(placed, nodes, leaves, judge, score)
        trees.append((nodes, leaves))
        loss = _loss(score, target, judge, square)
        if loss < best - 1e-9 or not how.patience:
            best, kept = loss, len(trees)
    forest = Forest.of(trees[:kept])
    return forest.times(_stretch(forest, placed, target, base, np.concatenate([learn, judge]), square))


def _stretch(
    forest: Forest, placed: np.ndarray, target: np.ndarray, base: np.ndarray, rows: np.ndarray, square: bool
) -> float:
    """By how much all trees together must be stretched so that they fit all ``rows`` best.

    Early stopping leaves every effect a little short, the strong ones too, and a synthetic table would show it as
    correlations that are all too small. A line search along what was learned puts the amplitude right.
    """
    if not len(forest):
        return 1.0
    told, by = np.zeros(len(rows)), 1.0
    forest.add(placed, rows, told)
    target, base = target[rows], base[rows]
    for _ in range(1 if square else 5):
        p = base + by * told if square else 1 / (1 + np.exp(-base - by * told))
        curve = np.ones(len(p)) if square else p * (1 - p)
        by += float((told * (target - p)).sum() / max((told**2 * curve).sum(), 1e-12))
        by = min(max(by, 1.0), FAR)
    return by


@kernel
def _slopes(score, target, rows, square, gradient, hessian):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        row = rows[i]
        if square:
            gradient[row] = score[row] - target[row]
        else:
            p = 1.0 / (1.0 + np.exp(-score[row]))
            gradient[row] = p - target[row]
            hessian[row] = p * (1.0 - p)


@kernel
def _loss(score, target, rows, square):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(rows)):
        s, y = score[rows[i]], target[rows[i]]
        if square:
            total += (s - y) * (s - y)
        else:
            total += max(s, 0.0) - s * y + np.log1p(np.exp(-abs(s)))
    return total / max(len(rows), 1)


@kernel
def _step(nodes, ends, rows, gradient, hessian, ridge, rate, score, people, k):  # type: ignore[no-untyped-def]
    """The value of each leaf by one Newton step, which its rows take at once."""
    values = np.zeros(len(nodes), np.float32)
    for node in range(len(nodes)):
        if nodes[node] >> 32 != node:
            continue
        g, h, found = 0.0, 0.0, 0
        for i in range(ends[node, 0], ends[node, 1]):
            found += people[rows[i]]
        for i in range(ends[node, 0], ends[node, 1]):
            if found >= k or not people[rows[i]]:
                g += gradient[rows[i]]
                h += hessian[rows[i]]
        values[node] = -rate * g / (h + ridge)
        for i in range(ends[node, 0], ends[node, 1]):
            score[rows[i]] += values[node]
    return values


@kernel
def _follow(placed, nodes, values, rows, score):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        row, node = rows[i], np.int64(0)
        while nodes[node] >> 32 != node:
            v = np.int64(placed[row, nodes[node] >> 16 & 0xFFFF])
            node = (nodes[node] >> 32) + (((v - (nodes[node] >> 8)) & 255) > (nodes[node] & 255))
        score[row] += values[node]
