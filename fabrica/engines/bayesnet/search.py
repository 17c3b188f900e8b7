"""Which earlier columns a column is drawn from, how finely each is cut, and how much its counts are trusted.

Parents are added one by one (GreedyBayes: Zhang et al., "PrivBayes", SIGMOD 2014, TODS 2017). What a candidate brings
is not the mutual information in the table, which grows with every empty cell, but how much likelier it makes each
row when that row is left out of all counts: an estimate of what it brings for new rows. Each row's probability is
that of its counts, mixed with that of the table before the new parent (a hierarchical Dirichlet prior: MacKay and Peto,
"A hierarchical Dirichlet language model", Natural Language Engineering 1, 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrica.kernels import kernel, part
from fabrica.tokens import HALF

__all__ = ["Parent", "Seen", "alone", "gains", "parents"]

STRENGTHS = np.array([0.25, 2.0, 8.0, 32.0, 128.0, 512.0])  #: rows that the table before counts for
SURE = 1e-3  #: the least strength: a row that is alone in its cell has no chance without the others
WORTH = 8.0  #: nats over all rows that a parent must bring


@dataclass(frozen=True)
class Parent:
    """An earlier ``column``, the ``groups`` (K,) int32 of its tokens, and the ``strength`` of the prior: the rows that
    the table without this parent counts for."""

    column: int
    groups: np.ndarray
    strength: float

    @property
    def size(self) -> int:
        return int(self.groups.max()) + 1


@dataclass(frozen=True)
class Seen:
    """The rows of one column on their way down: ``queue`` are the rows, node after node, that are still in a node of
    their own; ``start`` (M+1,) where each node begins; ``chance`` (n,) how likely each row is, left out."""

    child: np.ndarray
    size: int
    queue: np.ndarray
    start: np.ndarray
    chance: np.ndarray

    def gains(self, tokens: np.ndarray, groups: np.ndarray, k: int) -> np.ndarray:
        """(S,) nats that a parent with these ``tokens`` (n,) and ``groups`` would bring, for each of the strengths."""
        return _gains(self.queue, self.start, tokens, groups, self.child, self.chance, int(groups.max()) + 1,
                      self.size, STRENGTHS, k)

    def deeper(self, tokens: np.ndarray, parent: Parent, k: int) -> Seen:
        chance = self.chance.copy()
        node = _deepen(self.queue, self.start, tokens, parent.groups, self.child, chance, parent.size, self.size,
                       max(parent.strength, SURE), k)
        queue = self.queue[node >= 0]
        node = node[node >= 0]
        order = np.argsort(node, kind="stable")
        start = np.concatenate([np.flatnonzero(np.diff(node[order], prepend=-1)), [len(node)]])
        return Seen(self.child, self.size, queue[order], start, chance)


def alone(child: np.ndarray, size: int) -> Seen:
    """The rows of a column before it has a parent; ``child`` (n,) are its tokens."""
    counts = np.bincount(child, minlength=size)
    chance = (counts[child] - 1 + HALF) / (len(child) - 1 + HALF * size)
    return Seen(child, size, np.arange(len(child)), np.array([0, len(child)]), chance)


def parents(
    tokens: np.ndarray, seen: Seen, offered: Sequence[tuple[int, np.ndarray]], most: int, k: int
) -> list[Parent]:
    """At most ``most`` parents of a column ``seen`` so far, out of the columns of ``tokens`` (C, n) and groups that are
    ``offered``; a cell of their table counts if ``k`` rows share it."""
    found: list[Parent] = []
    while len(found) < most and len(seen.queue) >= 2 * k:
        told = np.array([seen.gains(tokens[c], groups, k) for c, groups in offered])
        if not len(told) or told.max() < WORTH:
            break
        best, how = divmod(int(np.argmax(told)), len(STRENGTHS))
        found.append(Parent(*offered[best], float(STRENGTHS[how])))
        seen = seen.deeper(tokens[found[-1].column], found[-1], k)
    return found


def gains(tokens: np.ndarray, sizes: Sequence[int], groups: Sequence[np.ndarray], k: int) -> np.ndarray:
    """(C, C) nats a row that column i brings to column j at [j, i], alone."""
    found = np.zeros((len(sizes), len(sizes)))
    for j, size in enumerate(sizes):
        seen = alone(tokens[j], size)
        for i in range(len(sizes)):
            if i != j:
                found[j, i] = max(0.0, seen.gains(tokens[i], groups[i], k).max()) / max(1, tokens.shape[1])
    return found


@part
def _count(rows, tokens, groups, child, size, held, cell):  # type: ignore[no-untyped-def]
    """Add ``rows`` to how many each group has, and how many of each of its tokens of the child."""
    for i in rows:
        g = groups[tokens[i]]
        held[g] += 1
        cell[g * size + child[i]] += 1


@part
def _forget(rows, tokens, groups, child, size, held, cell):  # type: ignore[no-untyped-def]
    """Take back what ``_count`` added: only what was touched is cleared."""
    for i in rows:
        g = groups[tokens[i]]
        held[g] = 0
        cell[g * size + child[i]] = 0


@kernel
def _gains(queue, start, tokens, groups, child, chance, width, size, strengths, k):  # type: ignore[no-untyped-def]
    held, cell = np.zeros(width, np.int32), np.zeros(width * size, np.int32)
    total, product = np.zeros(len(strengths)), np.ones(len(strengths))
    waiting = 0
    for b in range(len(start) - 1):
        _count(queue[start[b] : start[b + 1]], tokens, groups, child, size, held, cell)
        for q in range(start[b], start[b + 1]):
            i = queue[q]
            g = groups[tokens[i]]
            if held[g] >= k:
                own, people, before = cell[g * size + child[i]] - 1.0, held[g] - 1.0, chance[i]
                for s in range(len(strengths)):
                    product[s] *= (own + strengths[s] * before) / ((people + strengths[s]) * before)
                waiting += 1
                if waiting == 6:  # one logarithm for a few rows
                    waiting = 0
                    for s in range(len(strengths)):
                        total[s] += np.log(product[s])
                        product[s] = 1.0
        _forget(queue[start[b] : start[b + 1]], tokens, groups, child, size, held, cell)
    return total + np.log(product)


@kernel
def _deepen(queue, start, tokens, groups, child, chance, width, size, strength, k):  # type: ignore[no-untyped-def]
    held, cell = np.zeros(width, np.int32), np.zeros(width * size, np.int32)
    node = np.empty(len(queue), np.int64)
    for b in range(len(start) - 1):
        _count(queue[start[b] : start[b + 1]], tokens, groups, child, size, held, cell)
        for q in range(start[b], start[b + 1]):
            i = queue[q]
            g = groups[tokens[i]]
            node[q] = b * width + g if held[g] >= k else -1
            if held[g] >= k:
                own = cell[g * size + child[i]] - 1.0
                chance[i] = (own + strength * chance[i]) / (held[g] - 1.0 + strength)
        _forget(queue[start[b] : start[b + 1]], tokens, groups, child, size, held, cell)
    return node
