"""Noisy sums over rows that chance takes, one after the other: what a network learns from under privacy.

All steps are paid before the first. Which rows are taken is drawn here, each on its own (Poisson sampling), and not by
who asks: batches of a shuffled table would have another price. What a row adds must be whole numbers of a Euclidean
length of ``bound`` at most, and depend on nothing but the row and what is known already. (Abadi et al., "Deep learning
with differential privacy", CCS 2016.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fabrica.errors import BudgetSpent, SettingError
from fabrica.privacy.event import SampledGaussian
from fabrica.privacy.ledger import Purse
from fabrica.privacy.noise import gaussian, taken

__all__ = ["Sums"]

SIGMA = 1 << 24  #: standard deviation of the noise, in the units of the sums
LEAST = 64  #: units that a row may add, at least: with fewer nothing would be left of it


@dataclass
class Sums:
    """Steps that are paid for.

    Parameters
    ----------
    rows : how many there are. event : what was paid for. done : how many of its steps were taken.
    """

    rows: int
    event: SampledGaussian
    done: int = 0

    @classmethod
    def bought(cls, purse: Purse, rows: int, share: float, steps: int, values: int, what: str) -> Sums:
        """Sums of so many ``values`` in so many ``steps``, for all that is left.

        Parameters
        ----------
        share : of the rows that is taken in a step, on average. what : is summed, in words without a value.

        >>> from fabrica.privacy.terms import Privacy
        >>> sums = Sums.bought(Purse.of(Privacy(3.0)), 1_000, 0.1, 20, 2, "steps")
        >>> len(sums.next(lambda rows: np.array([len(rows), 0])))
        2

        Raises
        ------
        SettingError : several rows of one unit count.
        BudgetSpent : nothing is left.
        """
        if purse.terms.rows > 1:
            raise SettingError("must be 1 where rows are taken by chance, for that hides one row and not all of one's",
                               where="rows of one unit", hint="leave --unit-rows out, or take the engine aim")
        rate = Fraction(min(2**32, max(1, round(share * 2**32))), 2**32)
        bound = int(SIGMA / purse.quietest(rate, steps))
        if bound < LEAST:
            raise BudgetSpent("hardly anything is left to learn with", where="the privacy budget",
                              hint="give a larger epsilon")
        event = SampledGaussian(what, values, Fraction(bound), Fraction(SIGMA**2), rate, steps)
        purse.pay(event)
        return cls(rows, event)

    @property
    def bound(self) -> int:
        """The Euclidean length of what a row may add, at most."""
        return int(self.event.sensitivity)

    @property
    def share(self) -> float:
        """The share of the rows that is taken in a step, on average."""
        return float(self.event.rate)

    def next(self, total: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The noisy ``total`` (values,) of the rows (places) that chance takes; int64.

        Raises
        ------
        BudgetSpent : all steps that were paid for are done.
        """
        if self.done >= self.event.steps:
            raise BudgetSpent(f"only {self.event.steps:,} steps were paid for", where="the privacy budget")
        self.done += 1
        found = total(taken(self.event.rate, self.rows))
        if found.dtype.kind not in "iu" or found.shape != (self.event.values,):
            raise ValueError("sums must be whole numbers, as many as were paid for")
        return found + gaussian(self.event.variance, self.event.values)
