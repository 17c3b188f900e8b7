"""The sums over earlier columns that tell most of a target.

A threshold on one column cuts along an axis; where a target follows a sum (total = net + tax), a tree would need a
stair of cuts and would run out of people. Each column is replaced by its embedding (``embed.py``), so that a linear
function of it is any smooth function of the column. The sums are then the canonical variates of the embedded target
and the embedded earlier columns (Hotelling, Biometrika 28, 1936): the alternating conditional expectations of Breiman
and Friedman (JASA 80, 1985) in closed form. A few hundred weights learned from thousands of people tell of nobody; a
sum that tells hardly more than the best single column is not worth its time at sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.block import Block
from fabrica.engines.trees.derived import PLACES, Derived
from fabrica.engines.trees.embed import NARROW, embedding, narrow
from fabrica.run import Run

__all__ = ["Covariance"]

ROWS = 20_000  #: that covariances are learned from, at most
MOST = 2  #: sums for each target
TERMS = 10  #: columns in a sum, at most
LEFT = 0.75  #: of the variance that the best single column leaves unexplained, what a sum may leave
WEAK = 0.1  #: squared canonical correlation below which a sum tells too little
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
        vectors = [embedding(column, random, WAVES)[: NARROW + 1] for column in block]
        begin = np.cumsum([0, *(v.shape[1] for v in vectors)])
        width = int(begin[-1])
        rows = 0 if not 0 < width <= WIDEST else min(len(block), ROWS, int(PRODUCTS / (width + 1) ** 2))
        if rows == 0:
            return cls(block, (), begin, np.zeros((0, 0)), 0)
        some = np.sort(random.permutation(len(block))[:rows])
        found = np.concatenate([v[narrow(c.codes[some])] for v, c in zip(vectors, block, strict=True)], 1)
        centre = found.mean(0)
        found -= centre
        middles = np.split(centre, begin[1:-1])
        return cls(block, tuple(v - m for v, m in zip(vectors, middles, strict=True)), begin,
                   (found.T @ found).astype(np.float64) / rows, rows)

    def sums(self, j: int, looked: np.ndarray) -> list[Derived]:
        """The sums over columns ``looked`` (F,) that are worth their time for column j, the best first."""
        if self.rows < 2 * PEOPLE * WAVES or len(looked) < 2:
            return []
        alone = np.array([self._variates(j, looked[i : i + 1])[0].max(initial=0.0) for i in range(len(looked))])
        looked = looked[np.argsort(-alone, kind="stable")]
        looked = looked[np.cumsum([self._width(f) for f in looked]) * PEOPLE <= self.rows]
        if len(looked) < 2:
            return []
        told, weights = self._variates(j, looked)
        found = []
        for d in range(min(MOST, len(told))):
            if told[d] < WEAK or (d == 0 and 1 - told[0] > LEFT * (1 - alone.max())):
                break
            found.append(self._sum(j, d, looked, weights[:, d]))
        return found

    def _width(self, f: int) -> int:
        return int(self.begin[f + 1] - self.begin[f])

    def _dimensions(self, columns: np.ndarray) -> np.ndarray:
        return np.concatenate([np.arange(self.begin[f], self.begin[f + 1]) for f in columns])

    def _variates(self, j: int, looked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(R,) squared canonical correlations, falling, and (W', R) the weights of the embedded columns ``looked``."""
        here, there = self._dimensions(np.array([j])), self._dimensions(looked)
        own, others = _ridged(self.matrix[np.ix_(here, here)]), _ridged(self.matrix[np.ix_(there, there)])
        cross = self.matrix[np.ix_(there, here)]
        weights = np.linalg.solve(others, cross)
        white = np.linalg.inv(np.linalg.cholesky(own))
        told, axes = np.linalg.eigh(white @ (cross.T @ weights) @ white.T)
        return told[::-1], (weights @ white.T @ axes)[:, ::-1]

    def _sum(self, j: int, d: int, looked: np.ndarray, weights: np.ndarray) -> Derived:
        """The d-th variate over the columns that matter most in it."""
        if len(looked) > TERMS:
            ends = np.cumsum([self._width(f) for f in looked])
            terms = zip(np.split(weights, ends[:-1]), map(self._dimensions, looked[:, None]), strict=True)
            share = np.array([w @ self.matrix[np.ix_(at, at)] @ w for w, at in terms])
            looked = np.sort(looked[np.argsort(-share, kind="stable")[:TERMS]])
            weights = self._variates(j, looked)[1][:, d]
        ends = np.cumsum([self._width(f) for f in looked])
        tables = tuple((self.vectors[f] @ w).astype(np.float32)
                       for f, w in zip(looked, np.split(weights, ends[:-1]), strict=True))
        whole = Derived(looked.astype(np.int32), tables, np.empty(0, np.float32))
        sums = whole.of([narrow(self.block.columns[f].codes) for f in looked])[1]
        cuts = np.quantile(sums, np.arange(1, PLACES) / PLACES, method="lower")
        return Derived(whole.columns, tables, np.unique(cuts))


def _ridged(matrix: np.ndarray) -> np.ndarray:
    return matrix + np.eye(len(matrix)) * (RIDGE * np.trace(matrix) / max(len(matrix), 1) + 1e-9)
