"""A column as a row of questions: a binary tree over its codes, halved by mass again and again.

A distribution over many codes becomes a product of branches (Bengio and Morin, "Hierarchical probabilistic neural
network language model", AISTATS 2005), so that one binary model a level learns any column, and the probability of
each code is exact. The first question parts the protected rest from the others, however few they are, and the next
what is missing from what is not; then each node is cut where its mass is halved. Point masses end early. Where one side
would stand for too few rows nothing is asked: codes inside are drawn by their shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrica import sound
from fabrica.block import Coded
from fabrica.state import State

__all__ = ["Hierarchy"]

HALF = 0.5  #: of a row, added to each code inside a leaf (Krichevsky and Trofimov, IEEE Trans. Inf. Theory 27, 1981)
DEEPEST = 24  #: levels of questions


@dataclass(frozen=True)
class Hierarchy:
    """The tree of one column; it follows from these alone.

    Parameters
    ----------
    counts : (size,) int64: learned rows of each code.
    order : (size,) int64: the codes as they stand from left to right.
    absent : how many codes at the low end mean "missing"; rest : the protected code or None.
    least : rows on either side of a question, at least; only the rest is parted whatever it holds, and counts as so
        many at least.
    """

    counts: np.ndarray
    order: np.ndarray
    absent: int
    rest: int | None
    least: int

    @classmethod
    def over(cls, column: Coded, line: np.ndarray, least: int) -> Hierarchy:
        """The hierarchy of a column whose codes are sorted by ``line`` (size,); missing codes first, the rest last."""
        group = np.where(np.arange(column.size) < column.absent, 0, 1)
        if column.rest is not None:
            group[column.rest] = 2
        counts = column.counts(least).astype(np.int64)
        return cls(counts, np.lexsort((line, group)), column.absent, column.rest, least)

    @cached_property
    def place(self) -> np.ndarray:
        """(size,) where each code stands."""
        found = np.empty(len(self.order), np.int64)
        found[self.order] = np.arange(len(self.order))
        return found

    @cached_property
    def below(self) -> np.ndarray:
        """(size + 1,) learned rows that stand before each place."""
        return np.concatenate([[0], np.cumsum(self.counts[self.order])])

    @cached_property
    def _grown(self) -> tuple[np.ndarray, ...]:
        """Nodes level by level: where each begins, is cut and ends, its left child (0 at a leaf), and where each level
        begins."""
        nodes, left, cuts, levels, first = [(0, len(self.order))], [], [], [0], 0
        while first < len(nodes):
            last = len(nodes)
            for begin, end in nodes[first:last]:
                cut = self._cut(begin, end) if len(levels) <= DEEPEST else 0
                cuts.append(cut)
                left.append(len(nodes) if cut else 0)
                if cut:
                    nodes += [(begin, cut), (cut, end)]
            levels.append(last)
            first = last
        span = np.array(nodes, np.int64)
        return span[:, 0], np.array(cuts, np.int64), span[:, 1], np.array(left, np.int64), np.array(levels, np.int64)

    def _cut(self, begin: int, end: int) -> int:
        """The place from which codes go to the right; 0 where nothing is asked."""
        total = self.below[end] - self.below[begin]
        if end - begin < 2:
            return 0
        if self.rest is not None and end == len(self.order) and self._fewer(begin, end - 1, end) > 0:
            return end - 1
        if begin < self.absent < end and self._fewer(begin, self.absent, end) >= self.least:
            return self.absent
        inside = self.below[begin + 1 : end]
        cut = begin + 1 + int(np.argmin(np.abs(2 * (inside - self.below[begin]) - total)))
        return cut if self._fewer(begin, cut, end) >= self.least else 0

    def _fewer(self, begin: int, cut: int, end: int) -> int:
        """Learned rows on that side of a cut which has fewer."""
        return int(min(self.below[cut] - self.below[begin], self.below[end] - self.below[cut]))

    @property
    def begin(self) -> np.ndarray:
        return self._grown[0]

    @property
    def cut(self) -> np.ndarray:
        return self._grown[1]

    @property
    def end(self) -> np.ndarray:
        return self._grown[2]

    @property
    def left(self) -> np.ndarray:
        """(M,) the left child of each node, the right one follows it; 0 at a leaf."""
        return self._grown[3]

    @property
    def levels(self) -> np.ndarray:
        """(D + 1,) where each level's nodes begin; the last level has leaves only."""
        return self._grown[4]

    @property
    def depth(self) -> int:
        """How many levels have questions."""
        return len(self.levels) - 2

    @cached_property
    def mass(self) -> np.ndarray:
        """(M,) learned rows of each node."""
        return self.below[self.end] - self.below[self.begin]

    @cached_property
    def share(self) -> np.ndarray:
        """(M,) of each node's rows those that go right; 0.5 at a leaf."""
        inner = self.left > 0
        right = np.where(inner, self.mass[np.where(inner, self.left + 1, 0)], 0)
        return np.where(inner, right / np.maximum(self.mass, 1), 0.5)

    @cached_property
    def odds(self) -> np.ndarray:
        """(M,) float64: the log-odds of going right, before anything is known."""
        return np.log(self.share) - np.log1p(-self.share)

    @cached_property
    def threshold(self) -> np.ndarray:
        """(M,) the share of all rows that stand left of each node's cut, in [0, 1]."""
        return self.below[np.where(self.left > 0, self.cut, self.begin)] / max(int(self.below[-1]), 1)

    @cached_property
    def middle(self) -> np.ndarray:
        """(size,) the middle of each code among all rows, in [0, 1], as they stand."""
        half = (self.below[1:] + self.below[:-1]) / 2 / max(int(self.below[-1]), 1)
        return half[self.place]

    @cached_property
    def guarded(self) -> bool:
        """Whether the first question parts so few people that nothing may be learned of who they are."""
        return bool(self.shown) and self.counts[self.order[-1]] <= self.least

    @cached_property
    def shown(self) -> int:
        """The node below which everything may be shown: the root, or where there is a protected rest its sibling."""
        apart = self.rest is not None and self.left[0] > 0 and self.cut[0] == len(self.order) - 1
        return int(self.left[0]) if apart else 0

    @cached_property
    def valued(self) -> int:
        """The node below which the rest is shown: below ``shown``, those who have a value, where it is asked."""
        asked = self.left[self.shown] > 0 and self.cut[self.shown] == self.absent > 0
        return int(self.left[self.shown]) + 1 if asked else self.shown

    def inside(self, leaves: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(n,) codes in the leaves (n,) at ``u`` (n,) in [0, 1): by their shares, never one that nobody has."""
        low, high = self.below[self.begin[leaves]], self.below[self.end[leaves]]
        at = np.minimum(low + np.floor(u * (high - low)).astype(np.int64), np.maximum(high - 1, low))
        return self.order[np.clip(np.searchsorted(self.below, at, "right") - 1, 0, len(self.order) - 1)]

    @cached_property
    def log_inside(self) -> np.ndarray:
        """(size,) log of each code's share of its leaf, smoothed by half a row for each code, so that a code which
        nobody had is unlikely and not impossible."""
        found = np.empty(len(self.order))
        for leaf in np.flatnonzero(self.left == 0):
            codes = self.order[self.begin[leaf] : self.end[leaf]]
            smooth = self.counts[codes] + HALF
            found[codes] = np.log(smooth / smooth.sum())
        return found

    def state(self) -> State:
        return State({"least": self.least}, {"counts": self.counts, "order": self.order})

    @classmethod
    def from_state(cls, state: State, column: Coded) -> Hierarchy:
        counts = sound.array(state, "counts", size=column.size, low=0, high=1e12, kind=np.int64)
        order = sound.array(state, "order", size=column.size, low=0, high=column.size - 1, kind=np.int64)
        sound.demand(bool((np.bincount(order, minlength=column.size) == 1).all()), "an order that leaves out a code")
        sound.demand(bool((np.sort(order[: column.absent]) == np.arange(column.absent)).all())
                     and column.rest in (None, order[-1]), "an order that mixes what stands apart")
        return cls(counts, order, column.absent, column.rest, sound.whole(state, "least", 1, 1_000_000_000))
