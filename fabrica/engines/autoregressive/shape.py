"""The sizes of the layers, which follow from the table where the user does not say.

The more there is to tell about a column (its entropy), the wider its network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.tokens import Tokens

__all__ = ["WIDE", "Shape"]

WIDE = 40  #: a table with more columns than this sums up the columns before in a shared state
STATE = 96  #: numbers of the shared state
LEAST, MOST = 48, 128  #: numbers in a hidden layer


@dataclass(frozen=True)
class Shape:
    """``hidden`` numbers in each column's layers; ``shared`` numbers of the shared state, 0 where every column looks at
    all columns before it by itself."""

    hidden: int
    shared: int

    @classmethod
    def of(cls, tokens: Tokens, hidden: int = 0) -> Shape:
        columns = len(tokens.columns)
        return cls(hidden or wide_enough(tokens), STATE if columns > WIDE else 0)


def wide_enough(tokens: Tokens) -> int:
    """16 numbers for each half nat of a column's mean entropy, within bounds."""
    entropies = [-float(np.sum(t.seen * np.log(np.maximum(t.seen, 1e-300)))) for t in tokens.columns]
    steps = round(2 * float(np.mean(entropies))) if entropies else 0
    return int(np.clip(16 * steps, LEAST, MOST if len(entropies) <= WIDE else 64))
