"""A feature that no single column holds: the place of a sum over several earlier columns.

``sums.py`` and ``crosses.py`` find such features while the engine learns; here is what is left of them: a number for
each code of each column, and the edges between which their sum falls. A sum of columns, the cells of a table of two
columns: both are this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrica import sound
from fabrica.kernels import kernel
from fabrica.state import State

__all__ = ["CROSSES", "PLACES", "ROOM", "Derived"]

PLACES = 255  #: of a feature, at most
CROSSES = 2  #: crosses of columns that a target looks at, at most
ROOM = 1 + CROSSES  #: derived features of a column, at most: a sum and crosses


@dataclass(frozen=True)
class Derived:
    """What each code adds, and where the sum is cut.

    columns (F,) int32: earlier columns. tables: F arrays (size,) float32, what each of their codes adds.
    edges (E,) float32, ascending, E < 255: a sum above the i-th of them has a place beyond i.

    >>> first, second, edges = np.array([0, 2], "f4"), np.array([0, 1], "f4"), np.array([0.5, 1.5, 2.5], "f4")
    >>> both = Derived(np.array([0, 1]), (first, second), edges)
    >>> both.places(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint16)).tolist()
    [0, 1, 2, 3]
    """

    columns: np.ndarray
    tables: tuple[np.ndarray, ...]
    edges: np.ndarray

    @cached_property
    def _flat(self) -> tuple[np.ndarray, np.ndarray]:
        """(F,) where each table begins, and all of them in a row."""
        begin = np.cumsum([0, *(len(t) for t in self.tables)])[:-1]
        return begin.astype(np.int64), np.concatenate(self.tables)

    def places(self, codes: np.ndarray) -> np.ndarray:
        """(n,) uint8: the place of each row of earlier ``codes`` (n, C) uint16."""
        return _places(codes, self.columns, *self._flat, self.edges)

    def of(self, columns: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """((n,) uint8 places, (n,) float32 sums) of rows whose codes of the F columns are ``columns``."""
        sums = np.zeros(len(columns[0]), np.float32)
        for codes, table in zip(columns, self.tables, strict=True):
            sums += table[codes]
        return np.searchsorted(self.edges, sums, "left").astype(np.uint8), sums

    def state(self) -> State:
        return State({}, {"columns": self.columns, "weights": self._flat[1], "edges": self.edges})

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


@kernel
def _places(codes, columns, begin, weights, edges):  # type: ignore[no-untyped-def]
    out = np.empty(len(codes), np.uint8)
    for i in range(len(codes)):
        total = np.float32(0.0)
        for f in range(len(columns)):
            total += weights[begin[f] + codes[i, columns[f]]]
        low, high = 0, len(edges)
        while low < high:
            middle = (low + high) >> 1
            if edges[middle] < total:
                low = middle + 1
            else:
                high = middle
        out[i] = low
    return out
