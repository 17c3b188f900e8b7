"""Counts over a long grid, fine where there is mass and coarse where there is none: a tree of noisy histograms.

The grid's cells are divided into ``BRANCHES`` parts, those again, and so on; the nodes of one level are one histogram,
of which one unit changes one count by one. Only nodes with a noisy count that is clearly there are divided, so the
cells of an empty stretch are never drawn; what is divided is told from noise that was paid for (post-processing). A
point mass comes out as a leaf of one cell by itself. (Hierarchical histograms: Hay, Rastogi, Miklau & Suciu, VLDB 2010;
adaptive division: Zhang, Xiao & Xie, "PrivTree", SIGMOD 2016.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fabrica.privacy.noise import grid

__all__ = ["BRANCHES", "Leaves", "Measure", "leaves", "levels"]

BRANCHES = 16
CLEAR = 6.0  #: standard deviations of noise above which a node is divided
SHARE = 1 / 64  #: of the whole, above which it is too
THERE = 1.5  #: standard deviations of noise below which a leaf counts as empty

#: counts (n,) int64, the variance of their noise, what they are -> (n,) noisy counts; pays for them
Measure = Callable[[np.ndarray, Fraction, str], np.ndarray]


@dataclass(frozen=True)
class Leaves:
    """Parameters
    ----------
    edges : (m + 1,) int64 cells at which leaves begin, and the end of the grid.
    mass : (m,) float64, not negative: about how many units lie in each leaf. They sum to ``total``.
    total : about how many units there are.
    """

    edges: np.ndarray
    mass: np.ndarray
    total: float


def levels(cells: int) -> int:
    """How often a grid of so many cells is divided.

    >>> levels(1), levels(16), levels(17)
    (1, 1, 2)
    """
    found = 1
    while BRANCHES**found < cells:
        found += 1
    return found


def leaves(places: np.ndarray, cells: int, rho: Fraction, measure: Measure, what: str) -> Leaves:
    """The leaves of a grid of ``cells``.

    Parameters
    ----------
    places : (n,) the cell of each unit, in 0 … cells - 1. A unit must not stand twice.
    rho : what it may cost, in zCDP.
    measure : the door through which noisy counts come.

    >>> found = leaves(np.full(1_000, 7), 100, Fraction(10), lambda counts, *_: counts, "x")
    >>> [(int(begin), float(mass)) for begin, mass in zip(found.edges, found.mass) if mass]
    [(7, 1000.0)]
    """
    ranked, depth = np.sort(places), levels(cells)
    variance = grid(Fraction(depth + 1) / (2 * rho))
    sigma = float(variance) ** 0.5
    total = max(float(measure(np.array([len(ranked)]), variance, f"{what}: how many")[0]), 1.0)
    begin, width, mass = np.zeros(1, np.int64), BRANCHES**depth, np.array([total])
    done_begin, done_mass = [], []
    while width > 1 and len(begin):
        width //= BRANCHES
        first = (begin[:, None] + width * np.arange(BRANCHES)).ravel()
        inside = first < cells
        counts = np.searchsorted(ranked, np.minimum(first + width, cells)) - np.searchsorted(ranked, first)
        noisy = np.zeros(len(first))
        noisy[inside] = measure(counts[inside], variance, f"{what}: counts of {width:,} cells each")
        part = inside.reshape(-1, BRANCHES)
        own = _agreed(noisy.reshape(-1, BRANCHES), mass, part)
        deeper = part & (width > 1) & (own > max(CLEAR * sigma, SHARE * total))
        own = _shared(np.where(own < THERE * sigma, 0.0, own), mass, part, deeper).ravel()
        deeper = deeper.ravel()
        done_begin.append(first[inside & ~deeper])
        done_mass.append(own[inside & ~deeper])
        begin, mass = first[deeper], own[deeper]
    starts, weight = np.concatenate(done_begin), np.concatenate(done_mass)
    order = np.argsort(starts)
    weight = weight[order] if weight.any() else np.ones(len(weight))
    return Leaves(np.append(starts[order], cells), weight * (total / weight.sum()), total)


def _agreed(noisy: np.ndarray, parent: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Children (p, b) that agree better with their parents (p,): what is lacking is shared by all, the parent among
    them."""
    lacking = (parent - noisy.sum(1)) / (inside.sum(1) + 1)
    return np.where(inside, noisy + lacking[:, None], 0.0)


def _shared(own: np.ndarray, parent: np.ndarray, inside: np.ndarray, deeper: np.ndarray) -> np.ndarray:
    """Children (p, b) of which those that end here share what those that are divided leave of their parent's mass;
    where nobody is left, all alike."""
    ends = np.where(deeper, 0.0, own)
    nobody = (ends.sum(1) <= 0) & ~deeper.any(1)
    ends = np.where(nobody[:, None], inside, ends)
    left = np.maximum(parent - np.where(deeper, own, 0.0).sum(1), 0.0)
    return np.where(deeper, own, ends * (left / np.maximum(ends.sum(1), 1e-300))[:, None])
