"""Functional dependencies between columns of few values: ``state -> region``, ``carrier, flight -> origin``.

A column determines another where each of its levels has one level of the other (Huhtala et al., "TANE", The Computer
Journal 42, 1999). Columns that determine each other are one class; of each class one column speaks, and what follows
over a third column is left out.

Rows are no independent witnesses where they repeat the attributes of one thing: in a table of fuel per hour, fifteen
power stations stand in thousands of rows. So where a third column determines both (``station -> fuel``,
``station -> owner``), its levels are the witnesses, and ``owner -> fuel`` must be evident among those fifteen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from fabrica.discovery.candidate import BREAKS, LEVELS, RARER, Candidate, Sample, named

__all__ = ["Determined", "agreeing", "dependencies", "surprise"]

GIVE = (*LEVELS, "integer", "date")  #: kinds that may determine others
PAIRS = 14  #: columns of which pairs may determine a third, at most
EACH = 2  #: pairs, or habits, that are told of one dependent column, at most
GAPS = 0.05  #: share of missing cells of such a column, at most: else it may hold among the others only
QUICK = 2_000  #: rows by which most are ruled out
NOISE = 0.03  #: how much less a share may be among so few rows
SURPRISE = 18.0  #: how unlikely agreement by chance must be, as a negative natural logarithm


def dependencies(look: Sample, found: Determined) -> Iterator[Candidate]:
    """Single columns first; then pairs of which neither does it alone."""
    for name in found.names:
        first = found.first[name]
        if first != name:
            yield Candidate(f"{named(first)} -> {named(name)}", "dependency",
                            f"and back: {found.size(name)} levels, one for one")
    for a, b in found.direct:
        yield Candidate(f"{named(a)} -> {named(b)}", "dependency",
                        f"{found.size(a):,} levels, each with one of {found.size(b):,}")
    for a, b, c in found.pairs:
        yield Candidate(f"{named(a)}, {named(b)} -> {named(c)}", "dependency", "neither does it alone")


@dataclass(frozen=True)
class Determined:
    """Which columns of a look determine which.

    Parameters
    ----------
    look : the sample; its ``levels`` are the columns, of which ``givers`` may determine.
    """

    look: Sample
    _held: dict[tuple[tuple[str, ...], str], bool] = field(default_factory=dict, compare=False)

    @cached_property
    def names(self) -> list[str]:
        return [name for name in self.look.levels if self.size(name) > 1]

    @cached_property
    def givers(self) -> list[str]:
        """Columns that may determine others: not measures."""
        return [name for name in self.names if self.look.table[name].kind in GIVE]

    def size(self, name: str) -> int:
        return self.look.sizes[name]

    @cached_property
    def open(self) -> set[str]:
        """Columns of which enough rows would break a dependency by chance."""
        counts = {name: np.bincount(self.look.coded(name)[self.look.coded(name) >= 0]) for name in self.names}
        return {name for name, count in counts.items() if count.max() <= (1 - BREAKS) * count.sum()}

    @cached_property
    def plain(self) -> set[tuple[str, str]]:
        """(a, b): a determines b, by all rows; keys are among the a."""
        return {(a, b) for a in (*self.givers, *self.look.references) for b in self.names
                if a != b and self.determines((a,), b)}

    @cached_property
    def sure(self) -> set[tuple[str, str]]:
        """(a, b): a determines b, also by the witness of the things that both belong to."""
        return {(a, b) for a, b in self.plain if a in self.givers and self.witnessed((a,), b)}

    @cached_property
    def first(self) -> dict[str, str]:
        """Each column -> the column that speaks for its class."""
        return {name: next(b for b in self.names if b == name or {(name, b), (b, name)} <= self.sure)
                for name in self.names}

    @cached_property
    def heads(self) -> list[str]:
        return [name for name in self.names if self.first[name] == name]

    @cached_property
    def direct(self) -> list[tuple[str, str]]:
        """What is sure among heads and does not follow over a third; of habits a few for each column."""
        found = [(a, b) for a in self.heads for b in self.heads if (a, b) in self.sure
                 and not any((a, c) in self.sure and (c, b) in self.sure for c in self.heads if c not in (a, b))]
        if self.look.support == 1:
            return found
        best = sorted(found, key=lambda pair: -agreeing(*self._codes(pair[:1], pair[1], self.look.order)))
        return [(a, b) for i, (a, b) in enumerate(best) if sum(c == b for _, c in best[:i]) < EACH]

    @cached_property
    def pairs(self) -> list[tuple[str, str, str]]:
        """(a, b, c): a and b together determine c, neither does alone, and no coarser pair does."""
        heads = [n for n in self.heads if self.look.missing[n].mean() <= GAPS]
        kinds = LEVELS if self.look.support < 1 else GIVE  # numbers of many values hardly ever come twice in pairs
        some = sorted((n for n in heads if self.look.table[n].kind in kinds), key=self.size)[:PAIRS]
        found: list[tuple[str, str, str]] = []
        for a, b in sorted(combinations(some, 2), key=lambda pair: self.size(pair[0]) * self.size(pair[1])):
            if not {(a, b), (b, a)} & self.plain:
                found += [(a, b, c) for c in heads if c not in (a, b) and not {(a, c), (b, c)} & self.plain
                          and self.determines((a, b), c) and self.witnessed((a, b), c)]
        return self._minimal(found)

    def _minimal(self, found: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        kept: list[tuple[str, str, str]] = []
        for a, b, c in found:
            over = any((x, y) == (a, b) and (d, c) in self.plain for x, y, d in found)
            coarser = any(z == c and self._finer({a, b}, {x, y}) for x, y, z in kept)
            if not over and not coarser and sum(z == c for _, _, z in kept) < EACH:
                kept.append((a, b, c))
        return kept

    def _finer(self, fine: set[str], coarse: set[str]) -> bool:
        """Whether the columns ``fine`` determine all of ``coarse``."""
        return all(c in fine or any((f, c) in self.plain for f in fine) for c in coarse)

    # ---------------------------------------------------------------- one dependency

    def determines(self, given: tuple[str, ...], then: str) -> bool:
        """Whether rows agree as they must, and would not by chance."""
        asked = (given, then)
        if asked not in self._held:
            self._held[asked] = then in self.open and self._quick(given, then) and self._evident(given, then, None)
        return self._held[asked]

    def witnessed(self, given: tuple[str, ...], then: str) -> bool:
        """Whether it is evident too among the levels of each column that determines all of these, and more."""
        return all(self._evident(given, then, unit) for unit in (*self.givers, *self.look.references)
                   if unit not in given and all(unit == n or (unit, n) in self.plain for n in (*given, then))
                   and not (len(given) == 1 and (unit == then or self._distinct(unit) <= self._distinct(given[0]))))

    def _distinct(self, name: str) -> int:
        return int(self.look.coded(name).max()) + 1 if name in self.look.references else self.size(name)

    def _quick(self, given: tuple[str, ...], then: str) -> bool:
        whole, other = self._codes(given, then, np.arange(min(QUICK, self.look.rows)))
        return len(whole) == 0 or agreeing(whole, other) >= self.look.support - NOISE

    def _evident(self, given: tuple[str, ...], then: str, unit: str | None) -> bool:
        """``unit``: whose levels are the witnesses; None for all rows."""
        rows = self.look.order if unit is None else self._witnesses(unit)
        whole, other = self._codes(given, then, rows)
        groups = len(np.unique(whole))
        if groups < 2 or len(whole) < 2 * groups or (unit is None and groups * self.look.k > len(whole)):
            return False
        held = agreeing(whole, other)
        if held < self.look.support or surprise(whole, other) < SURPRISE:
            return False
        shuffled = np.roll(other, len(other) // 2)  # the rows are in a random order
        if 1 - agreeing(whole, shuffled) < max(BREAKS, RARER * (1 - held)):
            return False
        return len(given) == 1 or all(self._needed(part, given, then, rows) for part in given)

    def _needed(self, part: str, given: tuple[str, ...], then: str, rows: np.ndarray) -> bool:
        """Whether one column of several leaves open what the others settle, beyond chance: the witnesses are the rows
        of its levels that have several values."""
        keys = [self._codes(names, then, rows, given)[0] for names in ((part,), given)]
        other = self._codes(given, then, rows)[1]
        level = np.unique(keys[0], return_inverse=True)[1]
        size = np.bincount(level)
        pairs, counts = np.unique(level * (int(other.max()) + 1) + other, return_counts=True)
        alike = np.bincount(pairs // (int(other.max()) + 1), counts.astype(float) ** 2) / size**2
        cells = np.bincount(np.unique(np.stack([level, keys[1]]), axis=1)[0], minlength=len(size))
        apart = len(other) - agreeing(level, other) * len(other)
        return bool(apart >= 2 * self.look.k and -((size - cells) * np.log(alike)).sum() >= SURPRISE)

    def _witnesses(self, unit: str) -> np.ndarray:
        """One row for each level."""
        codes = self.look.coded(unit)[self.look.order]
        levels, at = np.unique(codes, return_index=True)
        return self.look.order[np.sort(at[levels >= 0])]

    def _codes(self, given: tuple[str, ...], then: str, rows: np.ndarray, asked: tuple[str, ...] = ()
               ) -> tuple[np.ndarray, np.ndarray]:
        """(m,) number of each row's key and of its value, where nothing of these, and of what is ``asked``, is
        missing."""
        whole, there = np.zeros(len(rows), np.int64), np.ones(len(rows), bool)
        for name in given:
            codes = self.look.coded(name)[rows]
            whole = whole * (int(codes.max(initial=0)) + 2) + codes
        for name in asked or given:
            there &= self.look.coded(name)[rows] >= 0
        other = self.look.coded(then)[rows]
        there &= other >= 0
        return whole[there], other[there]


def agreeing(given: np.ndarray, other: np.ndarray) -> float:
    """Share of the rows whose ``other`` (n,) is the commonest among those with the same ``given`` (n,).

    >>> agreeing(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 7]))
    0.75
    """
    low = int(other.min())
    wide = int(other.max()) - low + 1
    pairs, counts = np.unique(given * wide + (other - low), return_counts=True)
    starts = np.flatnonzero(np.diff(pairs // wide, prepend=pairs[0] // wide - 1))
    return float(np.maximum.reduceat(counts, starts).sum() / len(given))


def surprise(given: np.ndarray, other: np.ndarray) -> float:
    """How unlikely it is that all rows of a key have one value by chance: minus the logarithm. Each row after the first
    of its key is a witness, and agrees by chance as often as two rows are alike.

    >>> round(surprise(np.array([0, 0, 0, 1, 1]), np.array([5, 5, 5, 7, 7])), 2)
    1.96
    """
    share = np.unique(other, return_counts=True)[1] / len(other)
    return float(-(len(given) - len(np.unique(given))) * np.log((share**2).sum()))
