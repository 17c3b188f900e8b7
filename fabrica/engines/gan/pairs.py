"""How far made rows are from real ones: the mean over pairs of columns of the share of rows that is misplaced (total
variation). A game's losses say who is winning, not how good the rows are; this does.
"""

from __future__ import annotations

import numpy as np

__all__ = ["Pairs"]

CELLS = 32  #: tokens of a column that are told apart
MOST = 300  #: pairs that are looked at


class Pairs:
    """Counts of pairs of columns among token rows (n, C); ``random`` chooses the pairs where there are too many.

    >>> rows = np.arange(8).reshape(-1, 1) // [1, 4] % 2
    >>> pairs = Pairs(rows, np.random.default_rng(1))
    >>> pairs.error(rows), pairs.error(rows * 0)
    (0.0, 0.75)
    """

    def __init__(self, rows: np.ndarray, random: np.random.Generator):
        left, right = np.triu_indices(rows.shape[1], min(1, rows.shape[1] - 1))  # one column: with itself
        some = random.permutation(len(left))[:MOST]
        self.pairs = list(zip(left[some], right[some], strict=True))
        self.seen = self._shares(rows)

    def error(self, rows: np.ndarray) -> float:
        """Mean total variation between the pairs of ``rows`` and those that were seen."""
        return float(np.abs(self._shares(rows) - self.seen).sum(1).mean() / 2)

    def _shares(self, rows: np.ndarray) -> np.ndarray:
        """(P, cells) shares of the pairs' values."""
        cells = np.ascontiguousarray((rows % CELLS).T)
        counts = [np.bincount(cells[i] * CELLS + cells[j], minlength=CELLS**2) for i, j in self.pairs]
        return np.stack(counts) / len(rows)
