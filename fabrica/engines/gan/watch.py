"""What a person sees of a game while it goes on: how well boosted trees tell made rows from real ones.

The losses of two players that learn from each other tell who is ahead, and not whether the rows are good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabrica.boosting import detect
from fabrica.contract import Sheet
from fabrica.run import Run
from fabrica.tokens import Tokens

__all__ = ["Watch"]

LEAST, MOST = 100, 1000  #: rows of either kind that trees are shown


@dataclass(frozen=True)
class Watch:
    """Real token rows (n, C) that the game is watched by."""

    tokens: Tokens
    rows: np.ndarray

    def told(self, made: np.ndarray, run: Run) -> Mapping[str, float]:
        """The detector's AUC for ``made`` token rows, 0.5 where it cannot tell; nothing where the rows are too few."""
        if min(len(made), len(self.rows)) < LEAST:
            return {}
        return {"detector AUC": detect(self._sheet(self.rows[:MOST]), self._sheet(made[:MOST]), run).auc}

    def _sheet(self, rows: np.ndarray) -> Sheet:
        """Ordered tokens as numbers, absent ones as missing, others as levels."""
        values, levels = {}, {}
        for j, token in enumerate(self.tokens.columns):
            if token.ordered:
                values[f"{j}"] = np.where(rows[:, j] < token.absent, np.nan, rows[:, j].astype(np.float64))
            else:
                values[f"{j}"] = rows[:, j].astype(np.int32)
                levels[f"{j}"] = [str(k) for k in range(token.size)]
        return Sheet(len(rows), values, levels)
