"""Donors: rows that obey give a cell, or several together, to rows that do not (hot deck; Andridge and Little, Int.
Stat. Rev. 78, 2010).

A donor agrees in the rule's other columns, or comes near where they are numbers; so the law of the cell given those
columns is that of the rows that obey.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from fabrica import absence
from fabrica.contract import Cells
from fabrica.rules.law import Rows
from fabrica.rules.scale import MOMENTS, NUMBERS, Scale
from fabrica.schema import Table

__all__ = ["near", "tried"]

TRIES = 10  #: donors that a row asks, from near to far
WIDE = 4  #: neighbours on either side from which the first is drawn; twice as many each further time

Obeys = Callable[[np.ndarray, np.ndarray], np.ndarray]  #: rows, their donors -> which of them would obey


def near(table: Table, match: Sequence[str], asking: Rows, giving: Rows, random: np.random.Generator
         ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The donors in an order in which like stand together: (m,) their numbers in it, (n,) where each asking row would
    stand, and (m + n,) the class of rows that agree in all levels: of the donors in that order, then of those who ask.
    """
    many, few = len(next(iter(giving.values()))), len(next(iter(asking.values())))
    levels, numbers = np.zeros(many + few, np.int64), []
    for name in match:
        column = table[name]
        if column.kind in (*NUMBERS, *MOMENTS):
            both = [Scale(column).numbers(rows[name]) for rows in (giving, asking)]
            lacks = np.concatenate([absence.kinds(rows[name]) > 0 for rows in (giving, asking)])
            numbers.append(np.concatenate(both))
            levels = levels * 2 + lacks
        else:
            codes = _codes(giving[name], asking[name]) + 1
            levels = np.unique(levels * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1].reshape(-1)
    order = np.lexsort((random.random(many + few), *numbers[::-1], levels))  # those who agree stand in any order
    giver = order < many
    before = np.cumsum(giver)
    place = np.empty(few, np.int64)
    place[order[~giver] - many] = before[~giver]
    donors = order[giver]
    return donors, place, np.concatenate([levels[donors], levels[many:]])


def _codes(giving: Cells, asking: Cells) -> np.ndarray:
    """(m + n,) numbers of the texts of both; -1 where missing."""
    both = [values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
            for values in (giving.values, asking.values)]
    kind = next((v.type for v in both if not pa.types.is_null(v.type)), pa.string())
    coded = pa.chunked_array([v.cast(kind) for v in both]).combine_chunks().dictionary_encode()
    return coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def tried(table: Table, match: Sequence[str], asking: Rows, giving: Rows, obeys: Obeys,
          random: np.random.Generator) -> np.ndarray:
    """(n,) number of the donor with which each asking row would obey; -1 where none was found.

    ``obeys`` tells of some asking rows and a donor for each which would obey.
    """
    donors, place, classes = near(table, match, asking, giving, random)
    few, found = len(place), np.full(len(place), -1, np.int64)
    left, width = np.arange(few), WIDE
    for _ in range(TRIES):
        if not len(left) or not len(donors):
            break
        at = place[left] + random.integers(-width, width, len(left))
        low = np.searchsorted(classes[: len(donors)], classes[len(donors):][left])
        high = np.searchsorted(classes[: len(donors)], classes[len(donors):][left], "right")
        at = np.clip(at, low, np.maximum(high - 1, low))  # within those who agree in the levels
        have = np.flatnonzero(high > low)
        fine = have[obeys(left[have], donors[at[have]])] if len(have) else have
        found[left[fine]] = donors[at[fine]]
        left, width = np.delete(left, fine), 2 * width
    return found
