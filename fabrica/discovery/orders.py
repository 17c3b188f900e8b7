"""Orders and equalities of columns: ``start <= end``, ``a < b <= c``, ``net == gross``.

Two columns with ranges apart are in order by accident. So an order counts only where it would break in a relevant share
of the rows if one of them were shuffled, where the two rise together, and where some rows come near the edge: minutes
in the air are fewer than miles flown, but nobody would call that a law, and no flight is near it. Rows in which a
column stands at a heap at its end (0, -200 for "none") are no witnesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, pairwise

import numpy as np

from fabrica.discovery.candidate import BREAKS, RARER, Candidate, Sample, named

__all__ = ["Ordered", "orders"]

TOGETHER = 0.2  #: rank correlation of columns in order, at least
SOME = 20_000  #: rows by which ranks are compared
HEAP = 0.01  #: share of the rows at the lowest value that makes a heap
NEAR = 0.2  #: how near, as a share of the larger number, k rows must come to the edge
FEW = 8  #: distinct values up to which numbers are marks, which are in order only with the same marks


def orders(look: Sample) -> Iterator[Candidate]:
    """Equalities; then chains of what is left where what follows over a third column is left out."""
    found = Ordered(look)
    for a, b in found.equal:
        yield Candidate(f"{named(a)} == {named(b)}", "formula", "equal wherever both are there")
    for chain in found.chains:
        said = named(chain[0])
        for a, b in pairwise(chain):
            said += f" {'<' if found.below[a, b] else '<='} {named(b)}"
        yield Candidate(said, "order", f"shuffled, {found.share(chain):.0%} of the rows would break it")


@dataclass(frozen=True)
class Ordered:
    """The orders among the columns of a look.

    Parameters
    ----------
    look : the sample. ``equal`` are pairs of equal columns; ``below`` is (low, high) -> whether strictly.
    """

    look: Sample
    equal: list[tuple[str, str]] = field(default_factory=list)
    below: dict[tuple[str, str], bool] = field(default_factory=dict)
    _shares: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        same: set[str] = set()
        for a, b in combinations(self.columns, 2):
            if self.columns[a][0] != self.columns[b][0] or {a, b} & same:
                continue
            sort, one = self.columns[a]
            sign, share = compared(self.look, one, self.columns[b][1], sort == "number")
            if sign == "==":
                self.equal.append((a, b))
                same.add(b)
            elif sign:
                pair = (a, b) if sign[0] == "<" else (b, a)
                self.below[pair] = len(sign) == 1
                self._shares[pair] = share
        for pair in [p for p in self.below if set(p) & same]:
            del self.below[pair]

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, np.ndarray]]:
        """name -> sort and (n,) values."""
        return {**{name: ("number", values) for name, values in self.look.numbers.items()}, **self.look.moments}

    @cached_property
    def direct(self) -> list[tuple[str, str]]:
        """Orders that do not follow over a third column that is there wherever both are."""
        return [(a, b) for (a, b), strict in self.below.items()
                if not any((a, c) in self.below and (c, b) in self.below and self._there(a, c, b)
                           and (not strict or self.below[a, c] or self.below[c, b]) for c in self.columns)]

    def _there(self, a: str, between: str, b: str) -> bool:
        lacks = self.look.missing
        return not (lacks[between] & ~lacks[a] & ~lacks[b]).any()

    @cached_property
    def chains(self) -> list[list[str]]:
        """The direct orders, joined where one ends as the next begins; each stands once."""
        left, found = list(self.direct), []
        while left:
            chain = list(left.pop(0))
            while (after := next((p for p in left if p[0] == chain[-1]), None)) is not None:
                chain.append(after[1])
                left.remove(after)
            while (before := next((p for p in left if p[1] == chain[0]), None)) is not None:
                chain.insert(0, before[0])
                left.remove(before)
            found.append(chain)
        return found

    def share(self, chain: list[str]) -> float:
        """The least share of rows that would break one of its orders if a column were shuffled."""
        return min(self._shares[pair] for pair in pairwise(chain))


def compared(look: Sample, one: np.ndarray, other: np.ndarray, near: bool) -> tuple[str, float]:
    """The sign between two columns and the share that would break it if they were shuffled; no sign where there is
    none. ``near``: whether rows must come near the edge."""
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < 10 * look.k:
        return "", 0.0
    a, b = one[both], other[both]
    allowed = (1 - look.support) * len(a)
    if (a != b).sum() <= allowed:
        return ("==", 1.0) if (a != np.roll(a, len(a) // 2)).mean() > BREAKS else ("", 0.0)
    above, below = (a > b).sum(), (a < b).sum()
    if min(above, below) > allowed:
        return "", 0.0
    low, high, flip = (a, b, False) if above <= allowed else (b, a, True)
    share = _evident(look, low, high, both, near)
    if share is not None and share < RARER * min(above, below) / len(a):
        return "", 0.0
    strict = (a == b).sum() <= allowed
    return ("", 0.0) if share is None else (("><"[not flip] + ("" if strict else "=")), share)


def _evident(look: Sample, low: np.ndarray, high: np.ndarray, both: np.ndarray, near: bool) -> float | None:
    """The share of rows that would break ``low <= high`` if they were shuffled; None where it may be an accident."""
    plain = ~(_heaped(low) | _heaped(high))
    if plain.sum() < 10 * look.k or (near and not _alike(low, high)):
        return None
    a, b = low[plain], high[plain]
    breaks = float((a > b[np.argsort(look.order[both][plain])]).mean())
    if breaks < BREAKS or _ranked(a[:SOME], b[:SOME]) < TOGETHER:
        return None
    if near and (b - a <= NEAR * np.maximum(np.abs(a), np.abs(b))).sum() < look.k:
        return None
    return breaks


def _heaped(values: np.ndarray) -> np.ndarray:
    """(n,) bool: the rows at the lowest value, where it is a heap."""
    least = values == values.min()
    return least & (least.mean() >= HEAP)


def _alike(low: np.ndarray, high: np.ndarray) -> bool:
    """Whether numbers of few values have the same values."""
    one, other = set(np.unique(low[:SOME]).tolist()), set(np.unique(high[:SOME]).tolist())
    return min(len(one), len(other)) > FEW or len(one & other) >= 0.8 * max(len(one), len(other))


def _ranked(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation, ties in the order of their rows."""
    first, second = (np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])
