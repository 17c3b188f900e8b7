"""Columns that belong together: one-hot groups, fixed combinations of levels, rows that are unique."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from fabrica.discovery.candidate import Candidate, Look, named

__all__ = ["combined", "onehot", "unique"]

WIDEST = 60  #: columns of a one-hot group, at most
LEVELS = (3, 400)  #: of a column that stands in a fixed combination
NEW = 0.1  #: share of shuffled rows whose combination must be a new one
TWICE = 20  #: pairs of rows that chance would make alike, at least, for uniqueness to mean something


def onehot(look: Look) -> Iterator[Candidate]:
    """Runs of neighbouring columns of 0 and 1 of which exactly one is 1 in each row; the longest first."""
    flags = {name: look.numbers[name] for name in look.numbers
             if set(np.unique(look.numbers[name][~np.isnan(look.numbers[name])])) <= {0.0, 1.0}}
    flags |= {c.name: np.asarray(look.cells[c.name].values.cast("double").fill_null(np.nan)) for c in look.table.columns
              if c.kind == "boolean" and c.name not in flags}
    names = [name for name in look.table.names if name in flags]
    begin = 0
    while begin < len(names):
        whole, best = np.zeros(look.rows), 0
        for end in range(begin, min(begin + WIDEST, len(names))):
            whole = whole + flags[names[end]]
            if np.nanmax(whole) > 1:
                break
            if end > begin and (whole != 1).mean() <= 1 - look.support:
                best = end + 1
                break
        if best:
            group = names[begin:best]
            yield Candidate(f"onehot({', '.join(map(named, group))})", "group", "exactly one of them in each row")
            begin = best
        else:
            begin += 1


def combined(look: Look, given: set[frozenset[str]]) -> Iterator[Candidate]:
    """Pairs of columns of levels that have far fewer combinations than chance would make; not those that are
    ``given``, where one determines the other."""
    some = {name: codes for name, (codes, _) in look.levels.items()
            if LEVELS[0] <= len(np.unique(codes[codes >= 0])) <= LEVELS[1] and look.table[name].kind == "category"}
    for a, b in combinations(some, 2):
        if frozenset((a, b)) in given:
            continue
        wide = int(some[b].max()) + 2
        pairs = (some[a] + 1) * wide + some[b] + 1
        shuffled = (some[a] + 1) * wide + some[b][look.order] + 1
        seen, counts = np.unique(pairs, return_counts=True)
        if (counts < look.k).any():  # what few rows hold is not told: it could not be drawn
            continue
        if (~np.isin(shuffled, seen)).mean() >= NEW:
            yield Candidate(f"combinations({named(a)}, {named(b)})", "group",
                            f"{len(seen)} combinations of {len(np.unique(some[a])) * len(np.unique(some[b])):,}")


def unique(look: Look) -> Iterator[Candidate]:
    """Columns, and pairs of them, that never have the same values twice, where chance would have made some alike."""
    for name, (codes, _) in look.levels.items():
        if len(np.unique(codes)) == look.rows:
            yield Candidate(f"unique({named(name)})", "unique", "no value comes twice")
    for a, b in combinations(look.levels, 2):
        one, other = look.levels[a][0], look.levels[b][0]
        alike = look.rows**2 / 2 * _alike(one) * _alike(other)
        if alike >= TWICE and len(np.unique((one + 1) * (int(other.max()) + 2) + other)) == look.rows:
            yield Candidate(f"unique({named(a)}, {named(b)})", "unique", "no pair of values comes twice")


def _alike(codes: np.ndarray) -> float:
    """The chance that two rows are alike."""
    share = np.bincount(codes + 1) / len(codes)
    return float((share**2).sum())
