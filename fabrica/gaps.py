"""Where a column is empty: wide gaps between its values, and the pieces that they and the point masses cut it into.

A group of rows averaged across a gap would draw values where nobody is. A gap is wide where it is longer than what the
nearest ``NEAR`` rows on either side of it span, and ``TIMES`` longer than what they span on one side; a point mass
spans nothing. Of what fewer than k rows hold between wide gaps nothing may be said: these rows are counted with the
nearer piece. At the ends of a column lies its tail, so there a few rows are left out only where they are ``BEYOND``
spans of all the rest away (three rows of 9999-12-31).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.kernels import kernel
from fabrica.tally import Tally

__all__ = ["Piece", "pieces"]

NEAR = 8  #: rows, at least, that tell how closely values lie beside a gap
TIMES = 8.0  #: how much longer than the closer side's span a wide gap is
BEYOND = 4.0  #: spans of all other rows between them and a few rows that are left out
MOST = 512  #: wide gaps that are kept, the widest


@dataclass(frozen=True)
class Piece:
    """Distinct values ``first`` to ``last`` (included): a point mass, or a stretch that k rows or more hold.

    ``before`` and ``after`` are rows outside that are counted with it; ``far`` says on which side it ends at a wide
    gap.
    """

    first: int
    last: int
    mass: bool
    before: float
    after: float
    far: tuple[bool, bool]


def pieces(tally: Tally, k: int) -> list[Piece]:
    """The pieces of a column, from low to high.

    >>> sentinel = np.r_[np.full(9, -99.0), np.linspace(3, 4, 50)]
    >>> [(p.first, p.last, p.mass, p.far) for p in pieces(Tally.of(sentinel), 5)]
    [(0, 0, True, (False, True)), (1, 50, False, (True, False))]
    """
    values, counts, point = tally.values, tally.counts, tally.points(k)
    half = values.astype(np.float64) / 2  # the distance of two huge numbers is still a number
    near = float(max(k, NEAR))
    mean = np.zeros(len(values), bool) if tally.merged is None else tally.merged
    told = np.where(mean, np.minimum(counts, near - 1), counts)  # one mean tells of no span
    left = _spans(half, told, point, near, float(k))
    right = _spans(*(np.ascontiguousarray(a[::-1]) for a in (-half, told, point)), near, float(k))[::-1]
    wide = _wide(half, told, point, mean, left, np.ascontiguousarray(right), near, float(k), TIMES, BEYOND)
    wide = _widest(wide, np.diff(half))
    begin = np.flatnonzero(np.concatenate([[True], wide | point[1:] | point[:-1]]))
    end = np.append(begin[1:], len(values)) - 1
    begin = begin[~_joined(begin, end, np.add.reduceat(counts, begin), point[begin], half, k)]
    rows, end = np.add.reduceat(counts, begin), np.append(begin[1:], len(values)) - 1
    solid = np.flatnonzero(point[begin] | (rows >= k))
    before, after = _given(begin, end, rows, solid, half)
    edge = np.concatenate([[False], wide, [False]])
    return [Piece(int(begin[p]), int(end[p]), bool(point[begin[p]]), float(before[i]), float(after[i]),
                  (bool(edge[begin[p]]), bool(edge[end[p] + 1]))) for i, p in enumerate(solid)]


def _widest(wide: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """The ``MOST`` widest of the wide gaps."""
    if wide.sum() > MOST:
        wide &= gap >= np.partition(gap[wide], -MOST)[-MOST]
    return wide


@kernel
def _joined(begin, end, rows, mass, half, k):  # type: ignore[no-untyped-def]
    """(p,) whether a piece is one with the piece before it: neighbours of fewer than k rows each that together hold k.

    A piece that lies nearer to a piece of k rows than to its neighbour is not of their company.
    """
    joins = np.zeros(len(begin), np.bool_)
    i, size = 0, len(begin)
    while i < size:
        if mass[i] or rows[i] >= k:
            i += 1
            continue
        j = i
        while j + 1 < size and not mass[j + 1] and rows[j + 1] < k:
            j += 1
        first, last = i, j
        while i > 0 and first < last and half[begin[first]] - half[end[i - 1]] < (
                half[begin[first + 1]] - half[end[first]]):
            first += 1
        while j < size - 1 and first < last and half[begin[j + 1]] - half[end[last]] < (
                half[begin[last]] - half[end[last - 1]]):
            last -= 1
        if rows[first : last + 1].sum() >= k:
            joins[first + 1 : last + 1] = True
        i = j + 1
    return joins


def _given(
    begin: np.ndarray, end: np.ndarray, rows: np.ndarray, solid: np.ndarray, half: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(before, after) of each solid piece: the rows of the others, with the nearer one or in halves with both."""
    before, after = np.zeros(len(solid)), np.zeros(len(solid))
    rest = np.setdiff1d(np.arange(len(begin)), solid)
    right = np.searchsorted(solid, rest)
    left = np.clip(right - 1, 0, None)
    next_one = np.minimum(right, len(solid) - 1)
    to_left = np.where(right > 0, half[begin[rest]] - half[end[solid[left]]], np.inf)
    to_right = np.where(right < len(solid), half[begin[solid[next_one]]] - half[end[rest]], np.inf)
    shared = np.where(to_left <= to_right / 4, rows[rest], np.where(to_right < to_left / 4, 0, rows[rest] // 2))
    np.add.at(after, left, shared)  # whole rows: half a row would tell of one in between
    np.add.at(before, next_one, rows[rest] - shared)
    return before, after


@kernel
def _spans(half, counts, point, near, k):  # type: ignore[no-untyped-def]
    """(d,) what the nearest ``near`` rows up to each value span; beyond a point mass nobody is near."""
    spans = np.empty(len(half))
    first, held = 0, 0.0
    for i in range(len(half)):
        if point[i]:
            first, held = i, 0.0
        held += counts[i]
        while held - counts[first] >= near:
            held -= counts[first]
            first += 1
        spans[i] = half[i] - half[first] if held >= k or point[first] else np.inf
    return spans


@kernel
def _wide(half, counts, point, mean, left, right, near, k, times, beyond):  # type: ignore[no-untyped-def]
    """(d-1,) whether the gap after each value is wide; ``left`` and ``right`` are the spans up to and from it."""
    size = len(half)
    wide = np.zeros(max(0, size - 1), np.bool_)
    for i in range(size - 1):
        gap, one, other = half[i + 1] - half[i], left[i], right[i + 1]
        wide[i] |= gap > max(one, other) and gap > times * min(one, other)
        j, held = i + 1, counts[i + 1]  # a few values between two wide gaps
        while not point[j] and not mean[j] and held < near and j < size - 1 and j < i + 16:
            second, other = half[j + 1] - half[j], right[j + 1]
            narrow = min(gap, second)
            if narrow > max(one, other) and narrow > times * min(one, other):
                wide[i] = wide[j] = True
            j += 1
            held += counts[j]
    held = 0.0
    for i in range(size - 1):  # a few values beyond either end
        held += counts[i]
        if held >= k or point[i]:
            break
        wide[i] |= (half[i + 1] - half[i]) / beyond > half[size - 1] - half[i + 1]
    held = 0.0
    for i in range(size - 1, 0, -1):
        held += counts[i]
        if held >= k or point[i]:
            break
        wide[i - 1] |= (half[i] - half[i - 1]) / beyond > half[i - 1] - half[0]
    return wide
