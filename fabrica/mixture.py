"""A law of many columns as a mixture of laws in which no two hang together, nearest to noisy marginals.

    p(x) = sum over k of w_k * product over columns of B_k(x_c)

A junction tree of dense columns can hold few of their pairs; a mixture has no such limit, for any marginal is a sum of
products. It is found by gradient descent (Adam; Kingma & Ba, ICLR 2015) on what the marginals differ from noisy ones
by, from components that each lean to some codes. (Mixtures of products for private data: Liu, Vietri & Wu, "Iterative
methods for private synthetic data", NeurIPS 2021; Aydore et al., "Differentially private query release through
adaptive projection", ICML 2021.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrica.estimation import Measured
from fabrica.junction import Columns
from fabrica.uniforms import even_in_order

__all__ = ["Mixture", "mixed"]

RATE = 0.2  #: of Adam, in the beginning; it falls to nothing as a cosine does
LEAN = 1.0  #: standard deviation of the logarithms by which components differ in the beginning
FADE, FADE_SQUARES, TINY = 0.9, 0.99, 1e-8  #: of Adam


@dataclass(frozen=True)
class Mixture:
    """Parameters
    ----------
    weights : (K,) of the components, one in all. tables : of each column (K, size), each row one in all.
    """

    weights: np.ndarray
    tables: tuple[np.ndarray, ...]

    def marginal(self, columns: Columns) -> np.ndarray:
        """The table of probabilities of some columns.

        >>> Mixture(np.array([0.5, 0.5]), (np.eye(2), np.eye(2))).marginal((0, 1)).tolist()
        [[0.5, 0.0], [0.0, 0.5]]
        """
        return _product([self.tables[c] for c in columns], self.weights)

    def sample(self, size: int, random: np.random.Generator) -> np.ndarray:
        """(C, size) int64 codes; each component has its share of rows, and its codes are spread evenly over them."""
        upto = np.cumsum(self.weights, dtype=np.float64)
        u = (np.arange(size) + random.random(size)) / max(size, 1)
        which = np.minimum(np.searchsorted(upto, u * upto[-1], "right"), len(upto) - 1)
        random.shuffle(which)
        codes = np.zeros((len(self.tables), size), np.int64)
        for c, table in enumerate(self.tables):
            share = np.cumsum(table, 1, dtype=np.float64)
            share /= share[:, -1:]
            flat = (share + np.arange(len(table))[:, None]).ravel()
            drawn = np.searchsorted(flat, which + even_in_order(which, random), "right") - which * table.shape[1]
            codes[c] = np.clip(drawn, 0, table.shape[1] - 1)
        return codes

    def under(self, parts: Mapping[int, np.ndarray]) -> tuple[Mixture, float]:
        """The law of the rows that a fair chance ``parts`` (column -> (size,)) keeps, and the logarithm of how many
        that are, -inf where none."""
        weights, tables = self.weights.astype(np.float64), list(self.tables)
        for c, part in parts.items():
            kept = tables[c] * part
            held = kept.sum(1)
            weights = weights * held
            tables[c] = np.where(held[:, None] > 0, kept / np.maximum(held, 1e-300)[:, None], tables[c])
        whole = weights.sum()
        if whole <= 0:
            return self, -np.inf
        return replace(self, weights=weights / whole, tables=tuple(tables)), float(np.log(whole))

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """(n,) the logarithm of the probability of rows of codes (C, n)."""
        with np.errstate(divide="ignore"):
            logs = np.log(self.weights.astype(np.float64))[:, None] + sum(
                np.log(table.astype(np.float64))[:, codes[c]] for c, table in enumerate(self.tables))
            top = logs.max(0)
            top = np.where(np.isfinite(top), top, 0.0)
            return np.log(np.exp(logs - top).sum(0)) + top


def mixed(sizes: Sequence[int], measured: Sequence[Measured], total: float, components: int, steps: int,
          random: np.random.Generator) -> Mixture:
    """The mixture whose marginals are nearest to the ``measured`` ones, which hold each column alone too.

    Parameters
    ----------
    total : how many rows there are, about. components : K. steps : of gradient descent.
    """
    logs = [_start(c, size, measured, components, random) for c, size in enumerate(sizes)]
    logs.append(np.zeros((1, components), np.float32))
    first, second = ([np.zeros_like(one) for one in logs] for _ in range(2))
    for step in range(steps):
        tables, weights = [_softmax(one) for one in logs[:-1]], _softmax(logs[-1])[0]
        slopes = _slopes(tables, weights, measured, total)
        rate = RATE * (1 + np.cos(np.pi * step / steps)) / 2
        for i, slope in enumerate(slopes):
            first[i] += (1 - FADE) * (slope - first[i])
            second[i] += (1 - FADE_SQUARES) * (slope**2 - second[i])
            size = np.sqrt(second[i] / (1 - FADE_SQUARES ** (step + 1))) + TINY
            logs[i] -= rate * first[i] / (1 - FADE ** (step + 1)) / size
    return Mixture(_softmax(logs[-1])[0], tuple(_softmax(one) for one in logs[:-1]))


def _start(column: int, size: int, measured: Sequence[Measured], components: int, random: np.random.Generator
           ) -> np.ndarray:
    """Components around the column's own shares."""
    own = next((one.counts for one in measured if one.columns == (column,)), np.ones(size))
    share = np.maximum(own, 0) / max(np.maximum(own, 0).sum(), 1e-300)
    return (np.log(share + 1e-4) + LEAN * random.standard_normal((components, size))).astype(np.float32)


def _softmax(logs: np.ndarray) -> np.ndarray:
    found = np.exp(logs - logs.max(1, keepdims=True))
    return found / found.sum(1, keepdims=True)


def _product(tables: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Sum over components of the weighted outer products of (K, size) tables."""
    joint = weights[:, None] * tables[0]
    for table in tables[1:-1]:
        joint = (joint[:, :, None] * table[:, None, :]).reshape(len(table), -1)
    found = joint.sum(0) if len(tables) == 1 else joint.T @ tables[-1]
    return found.reshape([table.shape[1] for table in tables])


def _slopes(tables: Sequence[np.ndarray], weights: np.ndarray, measured: Sequence[Measured], total: float
            ) -> list[np.ndarray]:
    """How fast what the marginals differ by grows with each logarithm, those of the weights last."""
    by_table, by_weight = [np.zeros_like(table) for table in tables], np.zeros_like(weights)
    for one in measured:
        own = [tables[c] for c in one.columns]
        apart = (total * (total * _product(own, weights) - one.counts) / one.variance).astype(np.float32)
        for i, c in enumerate(one.columns):
            pull = _pull(np.moveaxis(apart, i, 0), [own[j] for j in range(len(own)) if j != i])
            by_table[c] += weights[:, None] * pull
            if i == 0:
                by_weight += (pull * own[0]).sum(1)
    slopes = [table * (slope - (slope * table).sum(1, keepdims=True))
              for slope, table in zip(by_table, tables, strict=True)]
    return [*slopes, (weights * (by_weight - (by_weight * weights).sum()))[None, :]]


def _pull(apart: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """(K, size): a table whose first axis is a column, summed with the weights of each component over the others."""
    if not others:
        return np.broadcast_to(apart, (1, len(apart)))
    joint = others[0]
    for table in others[1:]:
        joint = (joint[:, :, None] * table[:, None, :]).reshape(len(table), -1)
    return joint @ apart.reshape(len(apart), -1).T
