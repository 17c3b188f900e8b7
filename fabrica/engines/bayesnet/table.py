"""One column given its parents: counts that fall back on those of fewer parents.

The table is a tree. Its root holds the counts of the whole column; below it a node for each group of the first parent,
below each of them one for each group of the second, and so on, as long as ``k`` rows share the node. A node's
probabilities are its counts, mixed with the probabilities of the node above (MacKay and Peto 1995; trees of contexts:
Willems, Shtarkov and Tjalkens, IEEE Trans. Inf. Theory 41, 1995). So a rare combination of parents says what it
knows and leaves the rest to a commoner one; nothing stands empty and nothing is uniform for want of data. Only counts
that are not zero are kept, so thousands of levels take no more room than the rows have.

A node less those below it leaves ``k`` rows or none, so what was left out does not follow from what is kept
(complementary suppression: Willenborg and de Waal, "Elements of Statistical Disclosure Control", 2001). Inside a node
counts are exact, and one may be a single row's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrica import sound
from fabrica.engines.bayesnet.search import Parent
from fabrica.kernels import kernel
from fabrica.state import State
from fabrica.tokens import HALF
from fabrica.uniforms import GOLDEN, shuffled

__all__ = ["Table"]

ROUNDS = 3  #: of fitting averages
MOST = 2**31 - 1  #: places or rows, as many as the arrays can say
ROOM = 8_000_000  #: numbers that a table may take when it is spread out for drawing


@dataclass(frozen=True)
class Table:
    """What was counted for one column.

    size : its tokens. parents : the columns that the levels of the tree ask. Where a column is drawn in two steps, the
    second one's first parent is the first step, which it follows whatever ``k`` (``strength`` 0).
    up (N,) int32: the node above; the root, node 0, is above itself. own (N,): the share of a node's draws that is from
    its own counts. link (N,) int32: where the nodes below stand in ``links`` (-1: there are none), in which -1 is a
    group that too few rows share. start (N+1,) int32: where a node's cells begin in ``cells``, its tokens, ascending,
    and ``upto``, the rows of the node with these tokens and those before.
    """

    size: int
    parents: tuple[Parent, ...]
    up: np.ndarray
    own: np.ndarray
    link: np.ndarray
    links: np.ndarray
    start: np.ndarray
    cells: np.ndarray
    upto: np.ndarray

    @classmethod
    def of(cls, tokens: np.ndarray, child: np.ndarray, size: int, parents: Sequence[Parent], k: int) -> Table:
        """Count ``child`` (n,) given its parents among ``tokens`` (C, n)."""
        child = child.astype(np.int64)
        rows, node = np.arange(len(child)), np.zeros(len(child), np.int64)
        first, count, places = 0, 1, 0
        ups, owns, counted = [np.zeros(1, np.int64)], [np.ones(1)], [_counted(child)]
        links: list[np.ndarray] = []
        link: list[np.ndarray] = []
        for parent in parents:
            key = (node - first) * parent.size + parent.groups[tokens[parent.column, rows]]
            held = np.bincount(key, minlength=count * parent.size)
            full = np.flatnonzero(_full(held.reshape(count, parent.size), k if parent.strength else 1))
            below = np.full(len(held), -1)
            below[full] = first + count + np.arange(len(full))
            link.append(places + np.arange(count) * parent.size)
            links.append(below)
            ups.append(first + full // parent.size)
            owns.append(held[full] / (held[full] + parent.strength))
            rows, node = rows[below[key] >= 0], below[key][below[key] >= 0]
            first, count, places = first + count, len(full), places + len(below)
            counted.append(_counted(node * size + child[rows]))
        link.append(np.full(count, -1))
        cells, rows_of = (np.concatenate(side) for side in zip(*counted, strict=True))
        start = np.searchsorted(cells // size, np.arange(first + count + 1))
        upto = np.cumsum(rows_of)
        upto -= np.repeat(np.concatenate([[0], upto])[start[:-1]], np.diff(start))
        whole = (np.concatenate(a).astype(np.int32) if a else np.empty(0, np.int32) for a in (ups, link, links))
        up, link_, links_ = whole
        return cls(size, tuple(parents), up, np.concatenate(owns), link_, links_, start.astype(np.int32),
                   (cells % size).astype(np.int32), upto.astype(np.int32))

    @cached_property
    def _asked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(P,) the parents' columns, (P,) where each one's groups begin in all groups, and all groups."""
        groups = [p.groups for p in self.parents]
        begin = np.concatenate([[0], np.cumsum([len(g) for g in groups])])[:-1].astype(np.int64)
        columns = np.array([p.column for p in self.parents], np.int64)
        return columns, begin, np.concatenate([np.empty(0, np.int32), *groups]).astype(np.int32)

    @cached_property
    def _rank(self) -> np.ndarray:
        """(N,) the place of each node in the order of the mean of its tokens: neighbours expect alike."""
        counts = _singles(self.upto, self.start)
        mean = np.add.reduceat(counts * self.cells.astype(np.float64), self.start[:-1])
        rank = np.empty(len(self.up), np.int32)
        rank[np.argsort(mean / np.add.reduceat(counts, self.start[:-1]), kind="stable")] = np.arange(len(rank))
        return rank

    def nodes(self, seen: np.ndarray) -> np.ndarray:
        """(n,) int32 the deepest node of each row of earlier tokens ``seen`` (C, n) int32."""
        return _nodes(seen, *self._asked, self.link, self.links)

    def draw(self, seen: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(n,) int32 tokens of rows whose earlier tokens are ``seen`` (C, n)."""
        queue, shift = shuffled(seen.shape[1], random), random.random()
        return _draw(self.nodes(seen), self._rank, self._spread, self.up, self.own, self.start, self.cells, self.upto,
                     queue, shift, GOLDEN)

    def chances(self, seen: np.ndarray) -> np.ndarray:
        """(n, K) how likely each token is drawn in rows whose earlier tokens are ``seen`` (C, n)."""
        node = self.nodes(seen)
        if self._fits:
            return self._even[node]
        every = [_chance(node, np.full(len(node), t, np.int32), self.up, self.own, self.start, self.cells, self.upto)
                 for t in range(self.size)]
        return np.stack(every, 1)

    @cached_property
    def _even(self) -> np.ndarray:
        """(N, K) the probabilities of each node's tokens, without rows if they would take too much room.

        Small nodes lean on the node above more than large ones do, so the average over the nodes below one would not be
        that of the node itself, and the column's margin would be lost. So tokens of which there is too little on
        average are raised in all of them, and the others lowered (iterative proportional fitting: Deming and
        Stephan 1940; for the same reason: Kneser and Ney, ICASSP 1995).
        """
        if not self._fits:
            return np.empty((0, self.size))
        found = np.zeros((len(self.up), self.size))
        node, depth = np.repeat(np.arange(len(self.up)), np.diff(self.start)), _depths(self.up)
        found[node, self.cells] = _singles(self.upto, self.start)
        people = found.sum(1)
        found *= (self.own / people)[:, None]
        for d in range(1, int(depth.max()) + 1):
            here = np.flatnonzero(depth == d)
            found[here] += (1 - self.own[here])[:, None] * found[self.up[here]]
            found[here] = _levelled(found[here], people[here], self.up[here], found)
        return found

    @cached_property
    def _fits(self) -> bool:
        return len(self.up) * self.size <= ROOM

    @cached_property
    def _spread(self) -> np.ndarray:
        """(N, K) float32 the cumulated probabilities: tokens lie in their order, so that what nodes draw side by side
        evens out. Where there is no room, a walk up the tree draws in pieces."""
        return np.cumsum(self._even, axis=1).astype(np.float32)

    def log_prob(self, seen: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """(n,) nats of ``tokens`` (n,) in rows whose earlier tokens are ``seen`` (C, n)."""
        node = self.nodes(seen)
        chance = (self._even[node, tokens] if self._fits else
                  _chance(node, tokens, self.up, self.own, self.start, self.cells, self.upto))
        people, width = self._room(seen)
        return np.log((people * chance + HALF) / (people + HALF * width))

    def _room(self, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) the rows that were counted and (n,) the tokens there are: after a first step, those that it leaves."""
        last = self.upto[self.start[1:] - 1].astype(np.float64)
        if not self.parents or self.parents[0].strength:
            return last[:1], np.array([self.size])
        first = self.parents[0]
        below = self.links[: first.size]
        people = np.where(below >= 0, last[below], 0.0)
        group = first.groups[seen[first.column]]
        return people[group], np.bincount(first.groups)[group]

    def state(self) -> State:
        columns, _, groups = self._asked
        strength = np.array([p.strength for p in self.parents])
        return State({}, {"columns": columns, "groups": groups, "strength": strength, "up": self.up, "own": self.own,
                          "link": self.link, "links": self.links, "start": self.start, "cells": self.cells,
                          "upto": self.upto})

    @classmethod
    def from_state(cls, state: State, size: int, earlier: Sequence[int], sizes: Sequence[int]) -> Table:
        """Read and check: walks must end and stay inside; ``size`` are the tokens, ``earlier`` the columns that may be
        asked, ``sizes`` (C,) the tokens of all."""
        columns = sound.array(state, "columns", low=0, high=len(sizes) - 1, kind=np.int64)
        sound.demand(set(columns.tolist()) <= set(earlier), "a column that asks a later one")
        ends = np.cumsum([0, *(sizes[c] for c in columns)])
        groups = sound.array(state, "groups", size=int(ends[-1]), low=0, high=1 << 20, kind=np.int32)
        strength = sound.array(state, "strength", size=len(columns), low=0, high=1e9)
        parents = tuple(Parent(int(c), groups[a:b], float(s))
                        for c, a, b, s in zip(columns, ends[:-1], ends[1:], strength, strict=True))
        up = sound.array(state, "up", low=0, high=MOST, kind=np.int32)
        own = sound.array(state, "own", size=len(up), low=0, high=1)
        link = sound.array(state, "link", size=len(up), low=-1, high=MOST, kind=np.int32)
        links = sound.array(state, "links", low=-1, high=len(up) - 1, kind=np.int32)
        start = sound.array(state, "start", size=len(up) + 1, low=0, high=MOST, ascending=True, kind=np.int32)
        cells = sound.array(state, "cells", low=0, high=size - 1, kind=np.int32)
        upto = sound.array(state, "upto", size=len(cells), low=1, high=MOST, kind=np.int32)
        found = cls(size, parents, up, own, link, links, start, cells, upto)
        found._check()
        return found

    def _check(self) -> None:
        nodes = np.arange(len(self.up))
        sound.demand(len(nodes) > 0 and bool((self.up[1:] < nodes[1:]).all()) and self.up[0] == 0 and self.own[0] == 1,
                     "tables that lead nowhere")
        fine = self.start[0] == 0 and self.start[-1] == len(self.cells) and bool((np.diff(self.start) > 0).all())
        sound.demand(fine, "tables with nobody in them")
        inner = np.ones(len(self.cells), bool)
        inner[self.start[:-1]] = False
        rising = (np.diff(self.cells, prepend=-1)[inner] > 0).all() and (np.diff(self.upto, prepend=0)[inner] > 0).all()
        sound.demand(bool(rising), "tables out of order")
        depth = _depths(self.up)
        asks = self.link >= 0
        sizes = np.array([p.size for p in self.parents] + [0])
        sound.demand(bool((depth <= len(self.parents)).all()) and not (asks & (depth == len(self.parents))).any(),
                     "tables that are too deep")
        second = bool(self.parents) and self.parents[0].strength == 0
        sound.demand(not second or bool(self.link[0] == 0 and (self.own[depth == 1] == 1).all()),
                     "a second step that does not follow the first")
        sound.demand(bool((self.link[asks] + sizes[depth[asks]] <= len(self.links)).all()), "tables that lead outside")
        for node in np.flatnonzero(asks):
            below = self.links[self.link[node]: self.link[node] + sizes[depth[node]]]
            sound.demand(bool((self.up[below[below >= 0]] == node).all() and (below != 0).all()), "tables that loop")


def _levelled(below: np.ndarray, people: np.ndarray, up: np.ndarray, above: np.ndarray) -> np.ndarray:
    """(M, K) the probabilities of nodes, changed so that on average over the ``people`` (M,) of those below one node
    ``up`` (M,), ascending, they are those of ``above`` (N, K) there."""
    first = np.flatnonzero(np.diff(up, prepend=-1))
    which = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(up))))
    due = np.add.reduceat(people, first)[:, None] * above[up[first]]
    for _ in range(ROUNDS if len(up) else 0):
        average = np.add.reduceat(people[:, None] * below, first)
        below = below * (due / np.maximum(average, 1e-300))[which]
        below /= below.sum(1, keepdims=True)
    return below


def _singles(upto: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The counts that were added up to ``upto`` from each ``start`` on."""
    counts = np.diff(upto, prepend=0)
    counts[start[:-1]] = upto[start[:-1]]
    return counts


def _depths(up: np.ndarray) -> np.ndarray:
    """(N,) how deep each node hangs; the node above stands before it."""
    depth = np.zeros(len(up), np.int64)
    for node in range(1, len(up)):
        depth[node] = depth[up[node]] + 1
    return depth


def _full(held: np.ndarray, k: int) -> np.ndarray:
    """(M, G) which groups of nodes, of ``held`` (M, G) rows, get a node: those of ``k`` rows. Where the others number
    fewer than ``k`` together, node less groups would be their rows, so the smallest full one stays with them."""
    full = held >= k
    left = np.where(full, 0, held).sum(1)
    short = np.flatnonzero((left > 0) & (left < k))
    full[short, np.where(full, held, held.sum() + 1)[short].argmin(1)] = False
    return full


def _counted(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.unique(keys, return_counts=True)


@kernel
def _nodes(seen, columns, begin, groups, link, links):  # type: ignore[no-untyped-def]
    out = np.zeros(seen.shape[1], np.int32)
    for i in range(len(out)):
        node = 0
        for d in range(len(columns)):
            if link[node] < 0:
                break
            below = links[link[node] + groups[begin[d] + seen[columns[d], i]]]
            if below < 0:
                break
            node = below
        out[i] = node
    return out


@kernel
def _draw(node, rank, spread, up, own, start, cells, upto, queue, shift, golden):  # type: ignore[no-untyped-def]
    size = len(node)
    first = np.zeros(len(rank) + 1, np.int64)
    for i in range(size):
        first[rank[node[i]] + 1] += 1
    for r in range(len(rank)):
        first[r + 1] += first[r]
    out = np.empty(size, np.int32)
    for q in range(size):  # in an order of this column's own: a shared one would tie columns together
        i = queue[q]
        r = rank[node[i]]
        v, here = first[r] * golden + shift, node[i]
        v -= np.floor(v)
        first[r] += 1
        if len(spread):
            low, high = 0, spread.shape[1] - 1
            v *= spread[here, high]
            while low < high:
                middle = (low + high) // 2
                if spread[here, middle] > v:
                    high = middle
                else:
                    low = middle + 1
            out[i] = low
        else:
            while v >= own[here] and here != 0:  # from the counts of the node above
                v = (v - own[here]) / (1 - own[here])
                here = up[here]
            low, high = start[here], start[here + 1] - 1
            people = v / own[here] * upto[high]
            while low < high:
                middle = (low + high) // 2
                if upto[middle] > people:
                    high = middle
                else:
                    low = middle + 1
            out[i] = cells[low]
    return out


@kernel
def _chance(node, tokens, up, own, start, cells, upto):  # type: ignore[no-untyped-def]
    out = np.empty(len(node))
    for i in range(len(node)):
        here, part, total, token = node[i], 1.0, 0.0, tokens[i]
        while part > 0:
            low, high = start[here], start[here + 1] - 1
            people = upto[high]
            while low < high:
                middle = (low + high) // 2
                if cells[middle] >= token:
                    high = middle
                else:
                    low = middle + 1
            if cells[low] == token:
                before = upto[low - 1] if low > start[here] else 0
                total += part * own[here] * (upto[low] - before) / people
            part *= 1 - own[here]  # nothing is left at the root
            here = up[here]
        out[i] = total
    return out
