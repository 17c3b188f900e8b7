"""One column of the copula: its codes as neighbouring intervals of a normal variable nobody sees.

The codes stand in an ``order``; each takes as much of the normal's mass as its share of the rows, so the thresholds are
quantiles of the cumulative shares (Pearson's tetrachoric idea, 1900; Olsson, Psychometrika 44, 1979). A number with
hundreds of codes is all but continuous and a flag is one threshold: they need no different treatment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from fabrica import sound
from fabrica.block import Block, Coded
from fabrica.state import State

__all__ = ["Margin", "FAR", "scored"]

FEW = 5  #: people of the protected rest that are told of, at least
FAR = 37.0  #: where the normal ends: its density is still a number there


def _borders(shares: np.ndarray) -> np.ndarray:
    """(K + 1,) the normal quantiles between which codes with these ``shares`` (K,) lie, in their order."""
    upto = np.concatenate([[0.0], np.cumsum(shares)])
    return np.clip(ndtri(np.clip(upto / max(upto[-1], 1e-300), 0, 1)), -FAR, FAR)


def _density(z: np.ndarray) -> np.ndarray:
    return np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


def scored(shares: np.ndarray) -> np.ndarray:
    """(K,) the mean of the normal in each of the intervals that ``shares`` (K,) cut; 0 where nobody is.

    >>> scored(np.array([0.5, 0.0, 0.5])).round(3).tolist()
    [-0.798, 0.0, 0.798]
    """
    density = _density(_borders(shares))
    return np.where(shares > 0, (density[:-1] - density[1:]) / np.maximum(shares, 1e-300), 0.0)


@dataclass(frozen=True)
class Margin:
    """What is known of one column.

    column : the alphabet, without rows. shares (size,): how often each code was seen. order (size,) int32: the codes
    from the low end of the normal to the high one.
    """

    column: Coded
    shares: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, column: Coded) -> Margin:
        """Codes of an ordered column in their order; levels from the commonest on, until a better order is known."""
        counts = column.counts(FEW)
        order = np.arange(column.size) if column.ordered else np.argsort(-counts, kind="stable")
        shares = counts / counts.sum() if counts.sum() else np.full(column.size, 1 / column.size)
        return cls(column.empty(), shares, order.astype(np.int32))

    @classmethod
    def read(cls, state: State, alphabet: Block) -> tuple[Margin, ...]:
        """The margins of an alphabet's columns, checked; the arrays of column j are called "j.shares", "j.order"."""
        margins = []
        for j, column in enumerate(alphabet):
            shares = sound.array(state, f"{j}.shares", size=column.size, low=0, high=1)
            order = sound.array(state, f"{j}.order", size=column.size, low=0, high=column.size - 1, kind=np.int32)
            sound.demand(abs(shares.sum() - 1) < 1e-6, "shares that do not sum to one")
            sound.demand(len(np.unique(order)) == column.size, "an order that names a code twice")
            margins.append(cls(column, shares, order))
        return tuple(margins)

    def ordered(self, order: np.ndarray) -> Margin:
        return replace(self, order=order.astype(np.int32))

    @cached_property
    def drawn(self) -> np.ndarray:
        """(size,) how often each code is drawn: the protected rest never, unless there is nothing else."""
        return self.column.shown(self.shares) / self.shares.sum()

    @cached_property
    def scores(self) -> np.ndarray:
        """(size,) the mean of the normal over each code's interval."""
        return self._by_code(scored(self.shares[self.order]))

    @cached_property
    def intervals(self) -> tuple[np.ndarray, np.ndarray]:
        """(size,) where each code's interval begins and ends."""
        borders = _borders(self.shares[self.order])
        return self._by_code(borders[:-1]), self._by_code(borders[1:])

    def powers(self, terms: int) -> np.ndarray:
        """(terms,) the covariance of the scores with the normal's Hermite polynomials of degree 1, 2, …

        The integral of the polynomial of degree k over an interval is that of degree k - 1 times the density, at
        its ends; the polynomials are normed, so the recursion stays small.
        """
        borders, scores = _borders(self.shares[self.order]), scored(self.shares[self.order])
        before, now, density = np.zeros_like(borders), np.ones_like(borders), _density(borders)
        found = np.empty(terms)
        for k in range(1, terms + 1):
            ends = now * density
            found[k - 1] = scores @ (ends[:-1] - ends[1:]) / np.sqrt(k)
            before, now = now, (borders * now - np.sqrt(k - 1) * before) / np.sqrt(k)
        return found

    def at(self, u: np.ndarray) -> np.ndarray:
        """(n,) codes at the shares ``u`` (n,) of the normal's mass."""
        upto = np.cumsum(self.drawn[self.order])
        return self.order[_held(np.searchsorted(upto, u * upto[-1], "right"), upto)]

    def evenly(self, size: int, shift: float) -> np.ndarray:
        """(size,) codes from the low end to the high one, each as often as its share says, to one row."""
        upto = np.cumsum(self.drawn[self.order])
        upto = np.minimum(np.floor(upto / upto[-1] * size + shift), size).astype(np.int64)
        last = int(np.flatnonzero(self.drawn[self.order])[-1])
        upto[last:] = size
        return np.repeat(self.order, np.diff(upto, prepend=0))

    def _by_code(self, values: np.ndarray) -> np.ndarray:
        found = np.empty(len(values))
        found[self.order] = values
        return found


def _held(places: np.ndarray, upto: np.ndarray) -> np.ndarray:
    """Places within the codes that somebody has: rounding may lead past the last of them."""
    return np.minimum(places, int(np.searchsorted(upto, upto[-1], "left")))
