"""A law of many columns of codes as a junction tree: a table for each clique of columns, which agree where they meet.

Any sets of columns become cliques of a chordal graph by eliminating columns one by one, the one first that makes the
smallest table (Kjaerulff 1990). The cliques hang together in a tree so that whatever two of them share is shared by all
between (Lauritzen & Spiegelhalter, "Local computations with probabilities on graphical structures", JRSS B 50, 1988).
Potentials are arrays of logarithms, an axis a column in ascending order; two passes of messages make them tables of
probabilities, the marginals of the cliques.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from fabrica.uniforms import even_in_order

__all__ = ["JunctionTree", "TreeLaw", "cells"]

Columns = tuple[int, ...]  #: ascending


@dataclass(frozen=True)
class JunctionTree:
    """Parameters
    ----------
    sizes : (C,) codes of each column.
    cliques : maximal sets of columns, each after the one that it hangs on.
    parents : number of that one; -1 for a root. separators : the columns that they share.

    >>> tree = JunctionTree.of([2, 3, 4], [(0, 1), (1, 2)])
    >>> tree.cliques, tree.separators
    (((0, 1), (1, 2)), ((), (1,)))
    """

    sizes: tuple[int, ...]
    cliques: tuple[Columns, ...]
    parents: tuple[int, ...]
    separators: tuple[Columns, ...]

    @classmethod
    def of(cls, sizes: Sequence[int], sets: Iterable[Collection[int]]) -> JunctionTree:
        """The tree in which each of the ``sets`` lies within a clique; columns in none of them stand alone."""
        return cls.hung(sizes, _maximal(_eliminated(sizes, sets)))

    @classmethod
    def hung(cls, sizes: Sequence[int], cliques: Sequence[Columns]) -> JunctionTree:
        """The tree of the maximal cliques of a chordal graph."""
        left, order, parents, separators = list(cliques), list[Columns](), list[int](), list[Columns]()
        while left:  # Prim: of all cliques the one that shares most with one that is in already
            best = max(((len(set(one) & set(other)), -i, -j) for i, one in enumerate(left)
                        for j, other in enumerate(order)), default=(0, 0, 0))
            shared, i, j = best[0], -best[1], -best[2]
            one = left.pop(i)
            parents.append(j if shared else -1)
            separators.append(tuple(sorted(set(one) & set(order[j]))) if shared else ())
            order.append(one)
        return cls(tuple(int(s) for s in sizes), tuple(order), tuple(parents), tuple(separators))

    def shape(self, columns: Columns) -> tuple[int, ...]:
        """The axes of a table over some columns."""
        return tuple(self.sizes[c] for c in columns)

    @property
    def cells(self) -> int:
        """Numbers in all tables."""
        return sum(math.prod(self.shape(clique)) for clique in self.cliques)

    def holder(self, columns: Collection[int]) -> int:
        """The number of the smallest clique that holds all of the ``columns``.

        Raises
        ------
        KeyError : there is none.
        """
        fit = [i for i, clique in enumerate(self.cliques) if set(columns) <= set(clique)]
        if not fit:
            raise KeyError(f"no clique holds {tuple(columns)}")
        return min(fit, key=lambda i: math.prod(self.shape(self.cliques[i])))

    def zeros(self) -> list[np.ndarray]:
        """Potentials of the uniform law."""
        return [np.zeros(self.shape(clique)) for clique in self.cliques]

    def spread(self, table: np.ndarray, columns: Columns, clique: int) -> np.ndarray:
        """A table over some columns with the axes of a clique, of length 1 where it has none."""
        return table.reshape([self.sizes[c] if c in columns else 1 for c in self.cliques[clique]])

    def summed(self, law: np.ndarray, clique: int, columns: Columns) -> np.ndarray:
        """A clique's table, summed over all columns but some."""
        return law.sum(tuple(i for i, c in enumerate(self.cliques[clique]) if c not in columns))

    def calibrated(self, potentials: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The marginal of each clique under the law in proportion to exp(sum of the potentials)."""
        return self._passed(potentials)[0]

    def total(self, potentials: Sequence[np.ndarray]) -> float:
        """The logarithm of the sum over all rows of exp(sum of the potentials)."""
        return self._passed(potentials)[1]

    def _passed(self, potentials: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]:
        """Two passes of messages; what is scaled away on the way to the roots is the total."""
        tops = [float(p.max(initial=-np.inf)) for p in potentials]
        if min(tops, default=0.0) == -np.inf:
            return [np.zeros(np.shape(p)) for p in potentials], -np.inf
        laws = [np.exp(p - top) for p, top in zip(potentials, tops, strict=True)]
        sent, whole = dict[int, np.ndarray](), sum(tops)
        for i in range(len(laws) - 1, -1, -1):  # from the leaves to the roots
            parent = self.parents[i]
            message = self.summed(laws[i], i, self.separators[i])
            scale = float(message.max(initial=0.0))
            if scale <= 0:
                return [np.zeros(np.shape(p)) for p in potentials], -np.inf
            whole += math.log(scale)
            if parent >= 0:
                sent[i] = message / scale
                laws[parent] *= self.spread(sent[i], self.separators[i], parent)
            else:
                laws[i] /= scale
        for i, parent in enumerate(self.parents):  # and back
            if parent >= 0:
                back = self.summed(laws[parent], parent, self.separators[i])
                laws[i] *= self.spread(_over(back, sent[i]), self.separators[i], i)
                laws[i] /= max(laws[i].sum(), 1e-300)
        return laws, whole

    @property
    def fine(self) -> bool:
        """Whether whatever two cliques share is shared by all between them, and no column is left out."""
        before = set[int]()
        for clique, separator in zip(self.cliques, self.separators, strict=True):
            if set(clique) & before != set(separator):
                return False
            before |= set(clique)
        return before == set(range(len(self.sizes)))

    def factors(self, laws: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Potentials whose product is a law: the logarithm of each clique given what it shares with its parent."""
        found = []
        for i, law in enumerate(laws):
            shared = self.summed(law, i, self.separators[i])
            with np.errstate(divide="ignore"):
                found.append(np.log(_over(law, np.broadcast_to(self.spread(shared, self.separators[i], i), law.shape))))
        return found

    def log_prob(self, laws: Sequence[np.ndarray], codes: np.ndarray) -> np.ndarray:
        """(n,) the logarithm of the probability of rows of codes (C, n)."""
        found = np.zeros(codes.shape[1])
        for clique, factor in zip(self.cliques, self.factors(laws), strict=True):
            found += factor[tuple(codes[list(clique)])]
        return found

    def marginal(self, laws: Sequence[np.ndarray], columns: Columns) -> np.ndarray:
        """The table of probabilities of some columns, in ascending order, which one clique holds."""
        clique = self.holder(columns)
        return self.summed(laws[clique], clique, columns)

    def sample(self, laws: Sequence[np.ndarray], size: int, random: np.random.Generator) -> np.ndarray:
        """(C, size) int64 codes, clique by clique; within each combination of what is there already the draws are
        spread evenly, so that they scatter less than by chance alone."""
        codes = np.zeros((len(self.sizes), size), np.int64)
        for i, clique in enumerate(self.cliques):
            known = self.separators[i]
            new = tuple(c for c in clique if c not in known)
            if not new:
                continue
            law = np.moveaxis(laws[i], [clique.index(c) for c in known], range(len(known))).astype(np.float64)
            law = law.reshape(math.prod(self.shape(known)), -1)
            law = law / np.maximum(law.sum(1, keepdims=True), 1e-300)
            upto = np.minimum(np.cumsum(law, 1), 1.0)
            upto[:, -1] = 1.0
            rows = np.ravel_multi_index(tuple(codes[list(known)]), self.shape(known)) if known else (
                np.zeros(size, np.int64))
            u = even_in_order(rows, random)
            flat = (upto + np.arange(len(upto))[:, None]).ravel()
            drawn = np.searchsorted(flat, rows + u, "right") - rows * upto.shape[1]
            drawn = np.clip(drawn, 0, upto.shape[1] - 1)
            codes[list(new)] = np.stack(np.unravel_index(drawn, self.shape(new)))
        return codes


@dataclass(frozen=True)
class TreeLaw:
    """A law on a tree: the marginals of its cliques."""

    tree: JunctionTree
    laws: tuple[np.ndarray, ...]

    def sample(self, size: int, random: np.random.Generator) -> np.ndarray:
        """(C, size) int64 codes."""
        return self.tree.sample(self.laws, size, random)

    def under(self, parts: Mapping[int, np.ndarray]) -> tuple[TreeLaw, float]:
        """The law of the rows that a fair chance ``parts`` (column -> (size,)) keeps, and the logarithm of how many
        that are, -inf where none."""
        before = self.tree.factors(self.laws)
        after = list(before)
        for c, part in parts.items():
            home = self.tree.holder((c,))
            with np.errstate(divide="ignore"):
                after[home] = after[home] + self.tree.spread(np.log(part), (c,), home)
        whole = self.tree.total(after)
        if not np.isfinite(whole):
            return self, -np.inf
        return replace(self, laws=tuple(self.tree.calibrated(after))), whole - self.tree.total(before)

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """(n,) the logarithm of the probability of rows of codes (C, n)."""
        return self.tree.log_prob(self.laws, codes)


def cells(sizes: Sequence[int], sets: Iterable[Collection[int]]) -> int:
    """Numbers that the tables of a junction tree of the ``sets`` have together.

    >>> cells([2, 3, 4], [(0, 1), (1, 2)])
    18
    """
    return sum(math.prod(sizes[c] for c in clique) for clique in _maximal(_eliminated(sizes, sets)))


def _eliminated(sizes: Sequence[int], sets: Iterable[Collection[int]]) -> list[Columns]:
    """The sets of columns that stand together when a column is eliminated, in that order."""
    beside: dict[int, set[int]] = {c: set() for c in range(len(sizes))}
    for one in sets:
        for a, b in combinations(one, 2):
            beside[a].add(b)
            beside[b].add(a)
    logs, found = [math.log(max(s, 1)) for s in sizes], []
    while beside:
        column = min(beside, key=lambda c: (sum(logs[o] for o in beside[c]) + logs[c], c))
        others = beside.pop(column)
        found.append(tuple(sorted({column, *others})))
        for a in others:
            beside[a].discard(column)
            beside[a] |= others - {a}
    return found


def _maximal(sets: Sequence[Columns]) -> list[Columns]:
    """Those that lie in no other."""
    return [one for i, one in enumerate(sets)
            if not any(set(one) < set(other) or (one == other and j < i) for j, other in enumerate(sets))]


def _over(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """one / other, and 0 where there is nothing."""
    return np.divide(one, other, out=np.zeros(np.shape(one)), where=other > 0)
