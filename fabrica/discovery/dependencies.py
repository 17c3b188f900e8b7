"""Functional dependencies between columns of few values: ``state -> region``, ``carrier, flight -> origin``.

A column determines another where each of its levels has one level of the other (Huhtala et al., "TANE", The Computer
Journal 42, 1999). Columns that determine each other are one class; of each class one column speaks, and what follows
over a third column is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from fabrica.discovery.candidate import BREAKS, Candidate, Look, named

__all__ = ["agreeing", "dependencies"]

EACH = 10  #: rows that a level of what determines must stand for, in the mean
PAIRS = 14  #: columns of which pairs may determine a third, at most
GAPS = 0.05  #: share of missing cells of such a column, at most: else it may hold among the others only


def dependencies(look: Look) -> Iterator[Candidate]:
    """Single columns first; then pairs of which neither does it alone."""
    names = list(look.levels)
    sure = {(a, b) for a in names for b in names if a != b and _determines(look, (a,), b)}
    first = {name: next(b for b in names if b == name or ((name, b) in sure and (b, name) in sure)) for name in names}
    for name in names:
        if first[name] != name:
            yield Candidate(f"{named(first[name])} -> {named(name)}", "dependency", "each goes with one of the other")
    heads = [name for name in names if first[name] == name]
    for a in heads:
        for b in heads:
            between = any((a, c) in sure and (c, b) in sure for c in heads if c not in (a, b))
            if (a, b) in sure and not between:
                yield Candidate(f"{named(a)} -> {named(b)}", "dependency",
                                f"{_levels(look, a)} levels, each with one of {_levels(look, b)}")
    yield from _pairs(look, heads, sure)


def _pairs(look: Look, heads: list[str], sure: set[tuple[str, str]]) -> Iterator[Candidate]:
    heads = [name for name in heads if look.missing[name].mean() <= GAPS]
    some = sorted(heads, key=lambda name: _levels(look, name))[:PAIRS]
    for a, b in combinations([name for name in heads if name in some], 2):
        if (a, b) in sure or (b, a) in sure:
            continue
        for c in heads:
            if c not in (a, b) and (a, c) not in sure and (b, c) not in sure and _determines(look, (a, b), c):
                yield Candidate(f"{named(a)}, {named(b)} -> {named(c)}", "dependency", "neither does it alone")


def _levels(look: Look, name: str) -> int:
    codes = look.levels[name][0]
    return len(np.unique(codes[codes >= 0]))


def _determines(look: Look, given: tuple[str, ...], then: str) -> bool:
    """Whether rows agree as they must, and would not if the dependent column were shuffled."""
    whole = np.zeros(look.rows, np.int64)
    there = np.ones(look.rows, bool)
    for name in given:
        codes, levels = look.levels[name]
        whole = whole * (len(levels) + 1) + codes
        there &= codes >= 0
    _, whole = np.unique(whole[there], return_inverse=True)
    other = look.levels[then][0][there]
    if not len(whole) or whole.max() == 0 or (whole.max() + 1) * EACH > len(whole):
        return False
    if agreeing(whole, other) < look.support:
        return False
    shuffled = other[np.argsort(look.order[there], kind="stable")]
    return agreeing(whole, shuffled) <= 1 - max(BREAKS, 2 * (1 - look.support))


def agreeing(given: np.ndarray, other: np.ndarray) -> float:
    """Share of the rows whose ``other`` (n,) is the commonest among those with the same ``given`` (n,).

    >>> agreeing(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 7]))
    0.75
    """
    low = int(other.min())
    wide = int(other.max()) - low + 1
    pairs, counts = np.unique(given * wide + (other - low), return_counts=True)
    best = np.zeros(int(given.max()) + 1, np.int64)
    np.maximum.at(best, pairs // wide, counts)
    return float(best.sum() / len(given))
