"""All that the engine sees of the rows: which sets of columns to measure, and their noisy counts.

In each round the exponential mechanism chooses, one after the other, the sets that the law so far gets most wrong, and
each is counted with noise. One row changes one cell of a table by one. So the score of a set, |counts - expected|
summed over its cells less what noise would add, changes by one at most; what is expected, what noise would add and
which sets still fit is known without the rows. (AIM: McKenna, Mullins, Sheldon & Miklau, VLDB 2022.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

import numpy as np

from fabrica.estimation import Measured
from fabrica.run import Run

__all__ = ["Rows", "look", "measured"]

Set = tuple[int, ...]  #: of columns, ascending
CHOOSING = Fraction(1, 10)  #: of a round's price, for its choices
PENALTY = 0.6  #: of the error that noise is expected to bring, that a set has to outdo


@dataclass(frozen=True)
class Rows:
    """The bins of each row, (C, n), how many bins each column has, and what it is called."""

    bins: np.ndarray
    sizes: tuple[int, ...]
    names: tuple[str, ...] = ()
    seen: dict[Set, np.ndarray] = field(default_factory=dict, repr=False)

    def counts(self, columns: Set) -> np.ndarray:
        """int64, an axis a column."""
        if columns not in self.seen:
            shape = tuple(self.sizes[c] for c in columns)
            place = np.zeros(self.bins.shape[1], np.int64)
            for c, size in zip(columns, shape, strict=True):
                place = place * size + self.bins[c]
            self.seen[columns] = np.bincount(place, minlength=math.prod(shape)).reshape(shape).astype(np.int32)
        return self.seen[columns].astype(np.int64)


def look(rows: Rows, candidates: Sequence[Set], expected: Callable[[Set], np.ndarray],
         fits: Callable[[Sequence[Set]], bool], most: int, rho: Fraction, run: Run) -> list[Measured]:
    """Choose at most ``most`` of the ``candidates`` and measure them.

    Parameters
    ----------
    expected : whole numbers, an axis a column: what the law so far says of a set, by what is known already.
    fits : whether the law can hold some sets together.
    rho : what all of it may cost, in zCDP.
    """
    each = rho * (1 - CHOOSING) / most
    noise = PENALTY * math.sqrt(2 / math.pi) * run.purse.terms.rows / math.sqrt(2 * float(each))
    left = list(candidates)
    scores = [int(np.abs(rows.counts(one) - expected(one)).sum()) - round(noise * rows.counts(one).size)
              for one in left]
    found = list[Measured]()
    while left and len(found) < most:
        place = run.chosen(scores, rho * CHOOSING / most, "which columns hang together otherwise than known",
                           fits=partial(_fits, fits, [one.columns for one in found], left))
        if place is None:
            break
        found.append(measured(rows, left.pop(place), each, run))
        del scores[place]
    return found


def _fits(fits: Callable[[Sequence[Set]], bool], taken: Sequence[Set], left: Sequence[Set], place: int) -> bool:
    return fits([*taken, left[place]])


def measured(rows: Rows, columns: Set, rho: Fraction, run: Run) -> Measured:
    """The noisy counts of a set of columns."""
    said = " and ".join(rows.names[c] for c in columns)
    noisy, variance = run.noisy(rows.counts(columns), rho, f"{said}, counts together")
    return Measured(columns, noisy.astype(np.float64), variance)
