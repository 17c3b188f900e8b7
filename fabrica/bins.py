"""Codes joined to bins: what noise cannot tell apart is measured together, and drawn apart by what is known of it.

A code that is clearly there in noisy counts stands alone; ordered ones are joined with their neighbours and small
levels with each other until a bin stands out of the noise. Within a bin codes are drawn in proportion to their own
noisy counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from fabrica.block import Block, Coded, Told
from fabrica.run import Run
from fabrica.tokens import Token
from fabrica.uniforms import even_in_order

__all__ = ["Bins", "binned", "counted", "joined", "spoken"]

SINGLES = Fraction(1, 4)  #: of the budget, for the counts of codes that no codec has told
WIDE, LONG = 20, 15_000  #: columns above which, and rows below which, columns are cut into fewer bins
FINE, COARSE = 32, 20  #: bins of an ordered column, about
HEAVY = 32  #: one over the share of rows with which a code stands alone
CLEAR = 4.0  #: standard deviations that a bin of ordered codes must have
SMALL = 3.0  #: and below which a level is joined with others
FAR = 4.0  #: standard deviations from the others, of a column that does not say how many rows there are
LEAST = 1 / 400  #: of the rows, that a bin of ordered codes must have


@dataclass(frozen=True)
class Bins:
    """Parameters
    ----------
    of : (codes,) the bin of each code, ascending for ordered codes; ``size`` for the protected rest, of which nothing
        is drawn.
    share : (codes,) of its bin's rows that have the code; sums to 1 in each bin.
    size : how many bins there are. absent : how many of them, the first, are ways of being missing.
    """

    of: np.ndarray
    share: np.ndarray
    size: int
    absent: int

    @property
    def rest(self) -> bool:
        """Whether there is a protected rest."""
        return bool(self.of.max(initial=-1) == self.size)

    def under(self, mask: np.ndarray) -> tuple[Bins, np.ndarray]:
        """The same bins with codes drawn as often as a fair chance ``mask`` (codes,) keeps them, and the share of each
        bin (size,) that it keeps."""
        kept = self.share * mask
        part = np.bincount(self.of, kept, self.size + 1)[: self.size]
        whole = np.append(part, 0.0)[self.of]
        return replace(self, share=np.where(whole > 0, kept / np.maximum(whole, 1e-300), self.share)), part

    def token(self, column: Coded, told: Told) -> Token:
        """The tokens of the column: runs of codes of one bin where it is ordered, else each code; ``told`` says about
        how many rows each bin has."""
        counts = self.share * np.append(np.maximum(told.counts, 0.0), 0.0)[self.of]
        new = np.ones(column.size, bool)
        new[1:] = np.diff(self.of) != 0 if column.ordered else True
        return Token(column.empty(), (np.cumsum(new) - 1).astype(np.int32), counts)

    def of_tokens(self, token: Token) -> np.ndarray:
        """(K,) the bin of each token."""
        return self.of[token.start[:-1]]

    def drawn(self, bins: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(n,) codes for the bins (n,) of rows, spread evenly within each bin."""
        order = np.argsort(self.of, kind="stable")
        if self.size == len(order):
            return order[bins]
        order = order[: len(order) - self.rest]
        first = np.searchsorted(self.of[order], np.arange(self.size))
        upto = np.cumsum(self.share[order])
        before = np.append(0.0, upto)[first]
        u = even_in_order(bins, random)
        goal = before[bins] + u * (np.append(before[1:], upto[-1]) - before)[bins]
        last = np.append(first[1:], len(order)) - 1
        place = np.clip(np.searchsorted(upto, goal, "right"), first[bins], last[bins])
        return order[place]


def counted(rows: Block, run: Run) -> tuple[float, list[Bins], list[Told]]:
    """About how many rows there are, the bins of each column and how many rows they have: by what noise has told of the
    codes, or is asked now."""
    unknown = sum(c.told is None for c in rows)
    price = run.purse.left * SINGLES / max(unknown, 1)
    told = [_asked(c, price, run) if c.told is None else c.told for c in rows]
    total = _rows(told)
    most = COARSE if len(told) > WIDE or total < LONG else FINE
    cut = [joined(c, t, total, most) for c, t in zip(rows, told, strict=True)]
    return total, [bins for bins, _ in cut], [counts for _, counts in cut]


def _rows(told: Sequence[Told]) -> float:
    """How many rows there are, about: each column says it as well as its noise allows. One of which hardly anything is
    known is far off and says nothing.

    >>> round(_rows([Told(np.full(2, 50.0), np.ones(2)), Told(np.array([98.0]), np.ones(1)),
    ...               Told(np.zeros(1), np.ones(1))]), 1)
    98.7
    """
    sums = np.array([one.counts.sum() for one in told] or [0.0])
    variance = np.array([max(one.variance.sum(), 1e-9) for one in told] or [1.0])
    near = np.abs(sums - np.median(sums)) <= FAR * variance**0.5
    weight = near / variance if near.any() else np.ones(len(sums))
    return max(1.0, float((weight * sums).sum() / weight.sum()))


def _asked(column: Coded, price: Fraction, run: Run) -> Told:
    counts = np.bincount(column.codes, minlength=column.size)
    noisy, variance = run.noisy(counts, price, f"{column.name}, counts of codes")
    return Told(noisy.astype(np.float64), np.full(column.size, variance))


def binned(rows: Block, bins: Sequence[Bins]) -> np.ndarray:
    """(C, n) int64 the bin of each cell; ``size`` for the protected rest."""
    return np.stack([b.of[c.codes] for b, c in zip(bins, rows, strict=True)]) if bins else (
        np.zeros((0, len(rows)), np.int64))


def spoken(rows: Block, bins: Sequence[Bins]) -> np.ndarray:
    """(C, n) int64 the bin of each cell, -1 for the protected rest, of which nothing is learned."""
    found = binned(rows, bins)
    found[found == np.array([b.size for b in bins], np.int64)[:, None]] = -1
    return found


def joined(column: Coded, told: Told, total: float, most: int) -> tuple[Bins, Told]:
    """The bins of a column and about how many rows each has, those of the protected rest given to the others;
    ``most`` says into how many its ordered codes are cut, about.

    >>> counts = np.array([500.0, 3.0, 2.0, 495.0])
    >>> joined(Coded("town", 4, np.zeros(0, np.uint8)), Told(counts, np.full(4, 4.0)), 1000, 32)[0].of.tolist()
    [0, 2, 2, 1]
    """
    drawn, variance = np.arange(column.size) != column.rest, told.variance
    if told.counts[drawn].sum() < SMALL * variance[drawn].sum() ** 0.5:  # hardly anybody but the rest
        column, drawn = replace(column, rest=None), np.ones(column.size, bool)
    counts = column.shown(told.counts)
    mass, sigma = np.maximum(counts, 0.0), np.sqrt(variance)
    of = np.empty(column.size, np.int64)
    cut = _ordered(column, mass, sigma, total, most) if column.ordered else _nominal(column, mass, sigma)
    of[drawn] = cut[drawn]
    size = int(of[drawn].max(initial=-1)) + 1
    of[~drawn] = size
    whole, many = (np.bincount(of, weights, size + 1) for weights in (mass, drawn))
    share = np.where(whole[of] > 0, mass / np.maximum(whole[of], 1e-300), 1 / np.maximum(many[of], 1)) * drawn
    absent = int(of[: column.absent].max(initial=-1)) + 1
    return Bins(of, share, size, absent), Told(np.bincount(of, counts, size + 1)[:size],
                                               np.maximum(np.bincount(of, variance, size + 1)[:size], 1e-9))


def _nominal(column: Coded, mass: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Small levels share the last bin; each way of being missing is a bin of its own."""
    small = mass < SMALL * sigma
    small[: column.absent] = False
    own = ~small
    if column.rest is not None:
        small[column.rest] = own[column.rest] = False
    if small.sum() < 2:
        own, small = own | small, small & False
    of = np.zeros(column.size, np.int64)
    of[own] = np.arange(int(own.sum()))
    of[small] = int(own.sum())
    return of


def _ordered(column: Coded, mass: np.ndarray, sigma: np.ndarray, total: float, most: int) -> np.ndarray:
    """Neighbours are joined from low to high until they have enough; heavy codes stand alone."""
    alone = mass > total / HEAVY
    alone[: column.absent] = True
    rest = mass[~alone].sum()
    of, here, held, noise = np.empty(column.size, np.int64), 0, 0.0, 0.0
    enough = max(rest / most, LEAST * total)
    begun = False
    for code in range(column.size):
        if code == column.rest:
            continue
        if alone[code]:
            here += begun
            of[code], begun, held, noise = here, False, 0.0, 0.0
            here += 1
            continue
        of[code], begun = here, True
        held, noise = held + mass[code], noise + sigma[code] ** 2
        if held >= max(enough, CLEAR * min(noise, 16 * sigma[code] ** 2) ** 0.5):
            here, begun, held, noise = here + 1, False, 0.0, 0.0
    return of
