"""The law on a junction tree that is nearest to noisy marginals, and else as even as can be.

    minimise over laws mu of the tree   F(mu) = sum over m of |N mu_m - y_m|² / (2 variance_m)

by mirror descent on the potentials: the gradient by a marginal is taken off the potential of a clique that holds it, so
the law stays of maximum entropy among those with its marginals (McKenna, Sheldon & Miklau, "Graphical-model based
estimation and inference for differential privacy", ICML 2019). First a few steps scaled by each cell's own mass, which
come near at once and then stall beside the optimum; then plain ones. Both shorten a step until F falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrica.junction import Columns, JunctionTree

__all__ = ["Measured", "estimated", "loss"]

SCALED = 40  #: steps scaled by the mass of each cell, at most
HALVINGS = 12  #: of a step, until it is given up
ENOUGH = 1e-4  #: share of F by which a step must lower it, for going on
GROWS, SHRINKS = 1.4, 0.5
SOFT = 10.0  #: standard deviations of noise that are added to each cell's mass where steps are scaled


@dataclass(frozen=True)
class Measured:
    """A noisy table of counts of some columns.

    Parameters
    ----------
    columns : ascending. counts : noisy, an axis a column. variance : of the noise of each.
    """

    columns: Columns
    counts: np.ndarray
    variance: float


def estimated(tree: JunctionTree, measured: Sequence[Measured], total: float, steps: int,
              start: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
    """The logarithms of the cliques' marginals (``JunctionTree.calibrated``).

    Parameters
    ----------
    measured : each within a clique of the tree. total : how many rows there are, about.
    steps : plain ones, at most. start : potentials to begin with; those of the even law, if not said.

    >>> tree = JunctionTree.of([2, 2], [(0, 1)])
    >>> found = estimated(tree, [Measured((0,), np.array([30.0, 10.0]), 1.0)], 40, 50)
    >>> np.exp(found[0]).round(3).tolist()
    [[0.375, 0.375], [0.125, 0.125]]
    """
    potentials = tree.zeros() if start is None else [np.array(p) for p in start]
    homes = [tree.holder(one.columns) for one in measured]
    beliefs = tree.calibrated(potentials)
    now = loss(tree, beliefs, measured, total)
    for scaled, many in ((True, SCALED), (False, steps)):
        size = 1.0 if scaled else _first(measured, total)
        for _ in range(many):
            slope = _slope(tree, beliefs, measured, homes, total, scaled)
            moved = _moved(tree, potentials, slope, size, measured, total, now)
            if moved is None:
                break
            potentials, beliefs, after, size = moved
            fell, now = now - after, after
            if fell < ENOUGH * now:
                break
    return beliefs


def loss(tree: JunctionTree, beliefs: Sequence[np.ndarray], measured: Sequence[Measured], total: float) -> float:
    """F of a law."""
    return float(sum(((total * tree.marginal(beliefs, one.columns) - one.counts) ** 2).sum() / (2 * one.variance)
                     for one in measured))


def _first(measured: Sequence[Measured], total: float) -> float:
    """A first length of plain steps: the inverse of how fast the gradient can change."""
    return 1.0 / max(total * sum(1 / one.variance for one in measured), 1e-300)


def _slope(tree: JunctionTree, beliefs: Sequence[np.ndarray], measured: Sequence[Measured], homes: Sequence[int],
           total: float, scaled: bool) -> list[np.ndarray]:
    """What the potentials of each clique go up by for a step of length 1."""
    found = tree.zeros()
    for one, home in zip(measured, homes, strict=True):
        now = tree.marginal(beliefs, one.columns)
        apart = one.counts - total * now
        if scaled:
            way = apart / (total * now + SOFT * one.variance**0.5)
        else:
            way = apart / one.variance
        found[home] = found[home] + tree.spread(way, one.columns, home)
    return found


def _moved(tree: JunctionTree, potentials: Sequence[np.ndarray], slope: Sequence[np.ndarray], size: float,
           measured: Sequence[Measured], total: float, now: float
           ) -> tuple[list[np.ndarray], list[np.ndarray], float, float] | None:
    """Potentials after a step by which F falls, with their beliefs, F, and the length of the next; None where none
    does."""
    for _ in range(HALVINGS):
        tried = [p + size * s for p, s in zip(potentials, slope, strict=True)]
        beliefs = tree.calibrated(tried)
        after = loss(tree, beliefs, measured, total)
        if after < now:
            return tried, beliefs, after, size * GROWS
        size *= SHRINKS
    return None
