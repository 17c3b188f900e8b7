"""The law on a junction tree that is nearest to noisy marginals, and else as even as can be.

    minimise over laws mu of the tree   F(mu) = sum over m of |N mu_m - y_m|² / (2 variance_m)

by mirror descent: each measured marginal has a potential of its own, and the gradient by it is taken off that, so the
law stays of maximum entropy among those with its marginals (McKenna, Sheldon & Miklau, "Graphical-model based
estimation and inference for differential privacy", ICML 2019). First a few steps scaled by each cell's own mass, which
come near at once and then stall beside the optimum; then plain ones. Both shorten a step until F falls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabrica.junction import Columns, JunctionTree

__all__ = ["Estimate", "Measured", "estimated", "loss"]

SCALED = 40  #: steps scaled by the mass of each cell, at most
HALVINGS = 12  #: of a step, until it is given up
ENOUGH = 1e-4  #: share of F by which a step must lower it, for going on
GROWS, SHRINKS = 1.4, 0.5
SOFT = 10.0  #: standard deviations of noise that are added to each cell's mass where steps are scaled


@dataclass(frozen=True)
class Measured:
    """A noisy table of counts of some columns.

    Parameters
    ----------
    columns : ascending. counts : noisy, an axis a column. variance : of the noise of each, one or an axis a column.
    """

    columns: Columns
    counts: np.ndarray
    variance: float | np.ndarray


@dataclass(frozen=True)
class Estimate:
    """A law: the cliques' marginals (``JunctionTree.calibrated``), and the potential of each measured marginal, from
    which another estimate may begin."""

    laws: list[np.ndarray]
    potentials: list[np.ndarray]


def estimated(tree: JunctionTree, measured: Sequence[Measured], total: float, steps: int,
              start: Sequence[np.ndarray] = ()) -> Estimate:
    """The law nearest to some marginals.

    Parameters
    ----------
    measured : each within a clique of the tree. total : how many rows there are, about.
    steps : plain ones, at most.
    start : potentials of the first of them to begin with; of the others they are even.

    >>> tree = JunctionTree.of([2, 2], [(0, 1)])
    >>> found = estimated(tree, [Measured((0,), np.array([30.0, 10.0]), 1.0)], 40, 50)
    >>> found.laws[0].round(3).tolist()
    [[0.375, 0.375], [0.125, 0.125]]
    """
    potentials = [np.array(p) for p in start] + [np.zeros(tree.shape(m.columns)) for m in measured[len(start) :]]
    inside = nests(tree, [one.columns for one in measured])

    def law(of: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray], float]:
        """(marginals of the cliques, of the measured sets, F)."""
        laws = tree.calibrated([nest.joined(of, tree.sizes) for nest in inside])
        now = _marginals(inside, laws)
        return laws, now, _loss(now, measured, total)

    laws, now, lost = law(potentials)
    for by_mass, many in ((True, SCALED), (False, steps)):
        size = 1.0 if by_mass else _first(measured, total)
        for _ in range(many):
            slopes = _slopes(now, measured, total, by_mass)
            for _ in range(HALVINGS):
                tried = [p + size * s for p, s in zip(potentials, slopes, strict=True)]
                found = law(tried)
                if found[2] < lost:
                    break
                size *= SHRINKS
            else:
                break
            fell, potentials, size = lost - found[2], tried, size * GROWS
            laws, now, lost = found
            if fell < ENOUGH * lost:
                break
    return Estimate(laws, potentials)


def loss(tree: JunctionTree, laws: Sequence[np.ndarray], measured: Sequence[Measured], total: float) -> float:
    """F of a law."""
    return _loss(_marginals(nests(tree, [one.columns for one in measured]), laws), measured, total)


@dataclass(frozen=True)
class Nest:
    """Sets of columns within a table, each reached by summing out one column after the other, the largest first: sets
    that lack the same columns go the same way, so the large tables are passed over as seldom as can be.

    Parameters
    ----------
    columns : of the table. here : numbers of the sets that are these columns.
    inner : (axis that is summed out, the nest of what is left).
    """

    columns: Columns
    here: tuple[int, ...]
    inner: tuple[tuple[int, Nest], ...]

    @classmethod
    def of(cls, columns: Columns, sets: Mapping[int, Columns], sizes: Sequence[int]) -> Nest:
        """The nest of some numbered ``sets`` within ``columns``."""
        ways: dict[int, dict[int, Columns]] = {}
        for m, one in sets.items():
            lacking = [i for i, c in enumerate(columns) if c not in one]
            if lacking:
                ways.setdefault(max(lacking, key=lambda i: (sizes[columns[i]], -i)), {})[m] = one
        inner = [(axis, cls.of(columns[:axis] + columns[axis + 1 :], some, sizes)) for axis, some in ways.items()]
        return cls(columns, tuple(m for m, one in sets.items() if len(one) == len(columns)), tuple(inner))

    def joined(self, potentials: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
        """The sum of the potentials of all sets, over these columns."""
        whole = np.zeros([sizes[c] for c in self.columns])
        for m in self.here:
            whole += potentials[m]
        for axis, nest in self.inner:
            whole += np.expand_dims(nest.joined(potentials, sizes), axis)
        return whole

    def marginals(self, law: np.ndarray, found: dict[int, np.ndarray]) -> None:
        """Put those of all sets into ``found``."""
        found.update(dict.fromkeys(self.here, law))
        for axis, nest in self.inner:
            nest.marginals(law.sum(axis), found)


def nests(tree: JunctionTree, sets: Sequence[Columns]) -> list[Nest]:
    """The nest of each clique: a set is within the smallest that holds it."""
    homes = [tree.holder(one) for one in sets]
    return [Nest.of(clique, {m: one for m, one in enumerate(sets) if homes[m] == i}, tree.sizes)
            for i, clique in enumerate(tree.cliques)]


def _marginals(inside: Sequence[Nest], laws: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Those of all sets, in their order."""
    found: dict[int, np.ndarray] = {}
    for nest, law in zip(inside, laws, strict=True):
        nest.marginals(law, found)
    return [found[m] for m in range(len(found))]


def _loss(now: Sequence[np.ndarray], measured: Sequence[Measured], total: float) -> float:
    return float(sum(((total * law - one.counts) ** 2 / (2 * one.variance)).sum()
                     for law, one in zip(now, measured, strict=True)))


def _first(measured: Sequence[Measured], total: float) -> float:
    """A first length of plain steps: the inverse of how fast the gradient can change."""
    return 1.0 / max(total * sum(float(np.max(1 / np.asarray(one.variance))) for one in measured), 1e-300)


def _slopes(now: Sequence[np.ndarray], measured: Sequence[Measured], total: float, by_mass: bool) -> list[np.ndarray]:
    """What the potentials go up by for a step of length 1."""
    found = []
    for law, one in zip(now, measured, strict=True):
        apart = one.counts - total * law
        found.append(apart / (total * law + SOFT * np.sqrt(one.variance)) if by_mass else apart / one.variance)
    return found
