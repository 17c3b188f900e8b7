"""A feature that no single column holds: the place of a sum over several earlier columns.

``sums.py`` and ``crosses.py`` find such features while the engine learns; here is what is left of them: a number for
each code of each column, and the edges between which their sum falls. A sum of columns, the cells of a table of two
columns: both are this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fabrica import sound
from fabrica.state import State

__all__ = ["PLACES", "ROOM", "Derived"]

PLACES = 255  #: of a feature, at most
ROOM = 4  #: derived features of a column, at most


@dataclass(frozen=True)
class Derived:
    """What each code adds, and where the sum is cut.

    columns (F,) int32: earlier columns. tables: F arrays (size,) float32, what each of their codes adds.
    edges (E,) float32, ascending, E < 255: a sum above the i-th of them has a place beyond i.

    >>> both = Derived(np.array([0, 1]), (np.array([0, 2], "f4"), np.array([0, 1], "f4")), np.array([0.5, 1.5, 2.5]))
    >>> both.places([np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])].__getitem__).tolist()
    [0, 1, 2, 3]
    """

    columns: np.ndarray
    tables: tuple[np.ndarray, ...]
    edges: np.ndarray

    def places(self, codes: Callable[[int], np.ndarray]) -> np.ndarray:
        """(n,) uint8: the place of each row, ``codes(c)`` (n,) being the codes of column c."""
        return np.searchsorted(self.edges, self.sums(codes), "left").astype(np.uint8)

    def sums(self, codes: Callable[[int], np.ndarray]) -> np.ndarray:
        """(n,) float32."""
        parts = zip(self.columns, self.tables, strict=True)
        first, table = next(parts)
        found = table[codes(first)]
        for column, table in parts:
            found += table[codes(column)]
        return found

    def state(self) -> State:
        return State({}, {"columns": self.columns, "weights": np.concatenate(self.tables), "edges": self.edges})

    @classmethod
    def from_state(cls, state: State, lengths: Sequence[int]) -> Derived:
        """Read and check; ``lengths`` (j,) are the codes of the earlier columns."""
        columns = sound.array(state, "columns", low=0, high=len(lengths) - 1, kind=np.int32)
        ends = np.cumsum([lengths[c] for c in columns])
        sound.demand(len(columns) > 0, "a sum of nothing")
        weights = sound.array(state, "weights", size=int(ends[-1]), kind=np.float32)
        edges = sound.array(state, "edges", ascending=True, kind=np.float32)
        sound.demand(len(edges) < PLACES, "a feature with too many places")
        return cls(columns, tuple(np.split(weights, ends[:-1])), edges)
