"""Counts over a long grid, fine where there is mass and coarse where there is none: a tree of noisy histograms.

The grid's cells are divided into about ``BRANCHES`` parts, those again, and so on; the nodes of one level are one
histogram, of which one unit changes one count by one. Only nodes with a noisy count that is clearly there are divided,
so the cells of an empty stretch are never drawn; what is divided is told from noise that was paid for
(post-processing). A point mass comes out as a leaf of one cell by itself. (Hierarchical histograms: Hay, Rastogi,
Miklau & Suciu, VLDB 2010; adaptive division: Zhang, Xiao & Xie, "PrivTree", SIGMOD 2016.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

__all__ = ["BRANCHES", "Leaves", "Measure", "leaves", "shape"]

BRANCHES = 16  #: about
CLEAR = 6.0  #: standard deviations of noise above which a node is divided
SHARE = 1 / 64  #: of the whole, above which it is too
SOFT = 2.0  #: standard deviations of noise that are taken off where few cells have all the mass

#: whole counts (n,), what they may cost, what they are -> (noisy counts (n,), variance of each); pays for them
Measure = Callable[[np.ndarray, Fraction, str], tuple[np.ndarray, float]]


@dataclass(frozen=True)
class Leaves:
    """Parameters
    ----------
    edges : (m + 1,) int64 cells at which leaves begin, and the end of the grid.
    mass : (m,) float64, not negative: about how many units lie in each leaf. They sum to ``total``.
    variance : of the noise of a leaf. total : about how many units there are.
    """

    edges: np.ndarray
    mass: np.ndarray
    variance: float
    total: float


def shape(cells: int) -> tuple[int, int]:
    """(how often a grid of so many cells is divided, into how many parts).

    >>> shape(1), shape(24), shape(74), shape(1_500_000)
    ((1, 1), (1, 24), (2, 9), (5, 18))
    """
    levels = max(1, round(math.log(max(cells, 2), BRANCHES)))
    parts = max(1, math.ceil(cells ** (1 / levels) - 1e-9))
    while parts**levels < cells:
        parts += 1
    return levels, parts


def leaves(places: np.ndarray, cells: int, total: float, rho: Fraction, measure: Measure, what: str) -> Leaves:
    """The leaves of a grid of ``cells``.

    Parameters
    ----------
    places : (n,) the cell of each row, in 0 … cells - 1; how many of them are one unit's the door knows.
    total : about how many there are.
    rho : what it may cost, in zCDP; each level the same.
    measure : the door through which noisy counts come.

    >>> found = leaves(np.full(1_000, 7), 100, 1_000, Fraction(1), lambda counts, *_: (counts, 0.1), "x")
    >>> [(int(begin), float(mass)) for begin, mass in zip(found.edges, found.mass) if mass]
    [(7, 1000.0)]
    """
    levels, parts = shape(cells)
    ranked, total = np.sort(places), max(total, 1.0)
    begin, width, mass = np.zeros(1, np.int64), parts**levels, np.array([total])
    done_begin, done_mass, variance = list[np.ndarray](), list[np.ndarray](), 0.0
    while (width > 1 and len(begin)) or not done_begin:
        width = max(1, width // parts)
        first = (begin[:, None] + width * np.arange(parts)).ravel()
        inside = first < cells
        counts = np.searchsorted(ranked, np.minimum(first + width, cells)) - np.searchsorted(ranked, first)
        noisy = np.zeros(len(first))
        told, variance = measure(counts[inside], rho / levels, f"{what}, counts of {width:,} values each")
        noisy[inside] = told
        sigma, part = variance**0.5, inside.reshape(-1, parts)
        own = _agreed(noisy.reshape(-1, parts), mass, part)
        deeper = part & (width > 1) & (own > max(CLEAR * sigma, SHARE * total))
        own = _shared(_calmed(own, part, sigma), mass, part, deeper).ravel()
        deeper = deeper.ravel()
        done_begin.append(first[inside & ~deeper])
        done_mass.append(own[inside & ~deeper])
        begin, mass = first[deeper], own[deeper]
    starts, weight = np.concatenate(done_begin), np.concatenate(done_mass)
    order = np.argsort(starts)
    weight = weight[order] if weight.any() else np.ones(len(weight))
    return Leaves(np.append(starts[order], cells), weight * (total / weight.sum()), variance, total)


def _agreed(noisy: np.ndarray, parent: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Children (p, b) that agree better with their parents (p,): what is lacking is shared by all, the parent among
    them."""
    lacking = (parent - noisy.sum(1)) / (inside.sum(1) + 1)
    return np.where(inside, noisy + lacking[:, None], 0.0)


def _calmed(own: np.ndarray, inside: np.ndarray, sigma: float) -> np.ndarray:
    """Children (p, b) with less noise: drawn together towards their mean (James & Stein 1961) or, where few of them
    have all the mass, towards nothing (soft thresholds), whichever Stein's unbiased estimate says is nearer to the
    truth (SURE; Donoho & Johnstone, "Adapting to unknown smoothness via wavelet shrinkage", JASA 90, 1995)."""
    size = inside.sum(1, keepdims=True)
    middle = np.where(inside, own, 0.0).sum(1, keepdims=True) / size
    apart = np.where(inside, own - middle, 0.0)
    spread, free = np.maximum((apart**2).sum(1, keepdims=True), 1e-300), np.maximum(size - 3, 0)
    keep = np.maximum(1 - free * sigma**2 / spread, 0.0)
    smooth = np.where(inside, middle + keep * apart, 0.0)
    risk = np.where(keep > 0, size * sigma**2 - free**2 * sigma**4 / spread, spread - (size - 2) * sigma**2)
    low = np.minimum(np.abs(own), SOFT * sigma)
    sparse = np.sign(own) * (np.abs(own) - low) * inside
    risk_sparse = (np.where(inside, sigma**2 + low**2 - 2 * sigma**2 * (np.abs(own) <= SOFT * sigma), 0.0)).sum(
        1, keepdims=True)
    return np.maximum(np.where(risk <= risk_sparse, smooth, sparse), 0.0)


def _shared(own: np.ndarray, parent: np.ndarray, inside: np.ndarray, deeper: np.ndarray) -> np.ndarray:
    """Children (p, b) of which those that end here share what those that are divided leave of their parent's mass;
    where nobody is left, all alike."""
    ends = np.where(deeper, 0.0, own)
    nobody = (ends.sum(1) <= 0) & ~deeper.any(1)
    ends = np.where(nobody[:, None], inside, ends)
    left = np.maximum(parent - np.where(deeper, own, 0.0).sum(1), 0.0)
    return np.where(deeper, own, ends * (left / np.maximum(ends.sum(1), 1e-300))[:, None])
