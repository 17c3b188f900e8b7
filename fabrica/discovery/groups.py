"""Columns that belong together: one-hot groups, fixed combinations of levels, rows that are unique."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from fabrica.discovery.candidate import Candidate, Sample, named
from fabrica.discovery.dependencies import Determined

__all__ = ["combined", "onehot", "unique"]

WIDEST = 60  #: columns of a one-hot group, at most
LEVELS = (3, 400)  #: of a column that stands in a fixed combination
NEW = 0.1  #: share of shuffled rows whose combination must be a new one
TWICE = 20  #: pairs of rows that chance would make alike, at least, for uniqueness to mean something


def onehot(look: Sample) -> Iterator[Candidate]:
    """Runs of neighbouring columns of 0 and 1 of which exactly one is 1 in each row; the longest first."""
    if look.rows < 10 * look.k:
        return
    flags = {name: look.numbers[name] for name in look.numbers
             if set(np.unique(look.numbers[name][~np.isnan(look.numbers[name])])) <= {0.0, 1.0}}
    flags |= {c.name: np.asarray(look.cells[c.name].values.cast("double").fill_null(np.nan)) for c in look.table.columns
              if c.kind == "boolean" and c.name not in flags}
    names = [name for name in look.table.names if name in flags]
    begin = 0
    while begin < len(names):
        end = _whole(look, [flags[name] for name in names[begin:begin + WIDEST]])
        if end:
            yield Candidate(f"onehot({', '.join(map(named, names[begin:begin + end]))})", "group",
                            "exactly one of them in each row")
        begin += end or 1


def _whole(look: Sample, flags: list[np.ndarray]) -> int:
    """How many of the first columns add up to 1 in each row; 0 where none do. Each must be 1 in k rows."""
    whole = np.zeros(look.rows)
    for i, flag in enumerate(flags, 1):
        whole = whole + flag
        if (flag == 1).sum() < look.k or (whole > 1).mean() > 1 - look.support:
            return 0
        if i > 1 and (whole != 1).mean() <= 1 - look.support:
            return i
    return 0


def combined(look: Sample, found: Determined) -> Iterator[Candidate]:
    """Pairs of columns of levels that have far fewer combinations than chance would make; not those of which one
    determines the other, or both of which are attributes of a third."""
    some = [name for name in found.heads if LEVELS[0] <= found.size(name) <= LEVELS[1]
            and look.table[name].kind in ("category", "ordinal")]
    for a, b in combinations(some, 2):
        units = [u for u in (*found.givers, *look.references) if {(u, a), (u, b)} <= found.plain]
        if units or {(a, b), (b, a)} & found.plain or any(a in p and b in p for p in found.pairs):
            continue
        one, other = look.levels[a][0], look.levels[b][0]
        wide = int(other.max()) + 2
        seen, counts = np.unique((one + 1) * wide + other + 1, return_counts=True)
        new = ~np.isin((one + 1) * wide + other[look.order] + 1, seen)
        if (counts >= look.k).all() and new.mean() >= NEW:  # what few rows hold could not be drawn
            yield Candidate(f"combinations({named(a)}, {named(b)})", "group",
                            f"{len(seen)} of {found.size(a) * found.size(b):,} combinations stand in the table")


def unique(look: Sample) -> Iterator[Candidate]:
    """Pairs of columns that never have the same values twice, where chance would have made some alike; keys that come
    again are among them."""
    every = {**look.references, **{name: codes for name, (codes, _) in look.levels.items()
                                   if look.table[name].kind not in ("decimal", "latitude", "longitude")}}
    alike = {name: float(((np.bincount(codes + 1) / len(codes)) ** 2).sum()) for name, codes in every.items()}
    for a, b in combinations([n for n in look.table.names if n in every], 2):
        if look.rows**2 / 2 * alike[a] * alike[b] < TWICE:
            continue
        one, other = every[a], every[b]
        there = (one >= 0) & (other >= 0)
        if len(np.unique(one[there] * (int(other.max()) + 1) + other[there])) == there.sum() > look.rows / 2:
            yield Candidate(f"unique({named(a)}, {named(b)})", "unique",
                            f"by chance {look.rows**2 / 2 * alike[a] * alike[b]:,.0f} pairs of rows would be alike")
