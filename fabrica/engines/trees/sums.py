"""The sum over earlier columns that tells most of a target.

A threshold on one column cuts along an axis; where a target follows a sum (total = net + tax), a tree would need a
stair of cuts and would run out of people. Each column is replaced by its embedding (``embed.py``), so that a linear
function of it is any smooth function of the column. The sum is then the first canonical variate of the embedded target
and the embedded earlier columns (Hotelling, Biometrika 28, 1936): the alternating conditional expectations of Breiman
and Friedman (JASA 80, 1985) in closed form. A few hundred weights are learned from thousands of people, and the sum is
cut between the means of groups of people, never at one; a sum that tells hardly more than the best single column is not
worth its time at sampling.

The covariances are sums of whole numbers and the weights are rounded, so that linear algebra which adds up in another
order, as with another number of threads, next to never learns another sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.block import Block
from fabrica.engines.trees.derived import PLACES, Derived
from fabrica.engines.trees.embed import NARROW, embedding, narrow
from fabrica.quantile import groups
from fabrica.run import Run

__all__ = ["Covariance"]

ROWS = 20_000  #: that covariances are learned from, at most
TERMS = 10  #: columns in a sum, at most
LEFT = 0.75  #: of the variance that the best single column leaves unexplained, what a sum may leave
FINE = 1 << 12  #: steps of one, to which embedded columns and weights are rounded
PEOPLE = 20  #: rows for each weight, at least
RIDGE = 1e-4  #: of the mean variance
WAVES = 10  #: cosines of an ordered column
WIDEST = 4000  #: dimensions of all columns beyond which sums are not sought
PRODUCTS = 3e10  #: multiplications that the covariances may cost


@dataclass(frozen=True)
class Covariance:
    """How all embedded columns vary together.

    vectors: for each column (size, R), centred. begin (C+1,): where each column's dimensions begin in ``matrix``
    (W, W), the covariance over ``rows`` rows of ``block``.
    """

    block: Block
    vectors: tuple[np.ndarray, ...]
    begin: np.ndarray
    matrix: np.ndarray
    rows: int

    @classmethod
    def of(cls, block: Block, run: Run) -> Covariance:
        random = run.random()
        vectors = [np.round(embedding(c, random, WAVES)[: NARROW + 1] * FINE).astype(np.float64) for c in block]
        begin = np.cumsum([0, *(v.shape[1] for v in vectors)])
        width = int(begin[-1])
        rows = 0 if not 0 < width <= WIDEST else min(len(block), ROWS, int(PRODUCTS / (width + 1) ** 2))
        if rows == 0:
            return cls(block, (), begin, np.zeros((0, 0)), 0)
        some = np.sort(random.permutation(len(block))[:rows])
        found = np.concatenate([v[narrow(c.codes[some])] for v, c in zip(vectors, block, strict=True)], 1)
        total, products = found.sum(0), found.T @ found  # exact: whole numbers below 2^53
        matrix = (products - np.outer(total, total) / rows) / rows / FINE**2
        middles = np.split(total / rows, begin[1:-1])
        centred = tuple((v - m) / FINE for v, m in zip(vectors, middles, strict=True))
        return cls(block, centred, begin, matrix, rows)

    def sum(self, j: int, looked: np.ndarray, k: int) -> Derived | None:
        """The sum over columns ``looked`` (F,) that tells most of column j, cut between the means of groups of ``k``
        people or more; None where it is not worth its time."""
        if self.rows < 2 * PEOPLE * WAVES or len(looked) < 2:
            return None
        alone = np.array([self._variate(j, looked[i : i + 1])[0] for i in range(len(looked))])
        looked = looked[np.argsort(-alone, kind="stable")]
        looked = looked[np.cumsum([self._width(f) for f in looked]) * PEOPLE <= self.rows]
        if len(looked) > TERMS:  # those that matter most in the sum of all
            looked = looked[np.argsort(-self._shares(looked, self._variate(j, looked)[1]), kind="stable")[:TERMS]]
        looked = np.sort(looked)
        told, weights = self._variate(j, looked) if len(looked) > 1 else (0.0, np.empty(0))
        if 1 - told > LEFT * (1 - alone.max()):
            return None
        return self._derived(looked, weights, k)

    def _width(self, f: int) -> int:
        return int(self.begin[f + 1] - self.begin[f])

    def _dimensions(self, columns: np.ndarray) -> np.ndarray:
        return np.concatenate([np.arange(self.begin[f], self.begin[f + 1]) for f in columns])

    def _variate(self, j: int, looked: np.ndarray) -> tuple[float, np.ndarray]:
        """The first squared canonical correlation, and (W',) the weights of the embedded columns ``looked``."""
        here, there = self._dimensions(np.array([j])), self._dimensions(looked)
        own, others = _ridged(self.matrix[np.ix_(here, here)]), _ridged(self.matrix[np.ix_(there, there)])
        cross = self.matrix[np.ix_(there, here)]
        weights = np.linalg.solve(others, cross)
        white = np.linalg.inv(np.linalg.cholesky(own))
        told, axes = np.linalg.eigh(white @ (cross.T @ weights) @ white.T)
        return float(told[-1]), weights @ white.T @ axes[:, -1]

    def _terms(self, looked: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
        return np.split(weights, np.cumsum([self._width(f) for f in looked])[:-1])

    def _shares(self, looked: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(F,) the variance of each column's term."""
        at = [self._dimensions(np.array([f])) for f in looked]
        return np.array([w @ self.matrix[np.ix_(i, i)] @ w
                         for w, i in zip(self._terms(looked, weights), at, strict=True)])

    def _derived(self, looked: np.ndarray, weights: np.ndarray, k: int) -> Derived:
        weights = weights * np.sign(weights[np.argmax(np.abs(weights))])
        terms = [self.vectors[f] @ w for f, w in zip(looked, self._terms(looked, weights), strict=True)]
        step = max(float(np.abs(t).max()) for t in terms) / FINE
        tables = tuple(np.round(t / step).astype(np.float32) for t in terms)
        whole = Derived(looked.astype(np.int32), tables, np.empty(0, np.float32))
        sums = whole.of([narrow(self.block.columns[f].codes) for f in looked])[1]
        return Derived(whole.columns, tables, _borders(sums, k))


def _borders(sums: np.ndarray, k: int) -> np.ndarray:
    """(E,) float32, ascending: about half way between the means of neighbouring groups of people, and beside the whole
    numbers that sums are, so that no border is anybody's own."""
    values, counts = np.unique(sums.astype(np.float64), return_counts=True)
    label = groups(counts.astype(np.float64), len(sums) / (PLACES - 1), k)
    mean = np.bincount(label, counts * values) / np.bincount(label, counts)
    return (np.floor((mean[1:] + mean[:-1]) / 2) + 0.5).astype(np.float32)


def _ridged(matrix: np.ndarray) -> np.ndarray:
    return matrix + np.eye(len(matrix)) * (RIDGE * np.trace(matrix) / max(len(matrix), 1) + 1e-9)
