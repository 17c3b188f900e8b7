"""The doors through which something of a table leaves: noisy counts, a choice, names. Each pays before it looks.

How much one row changes is said by who asks (``sensitivity``); of a unit several rows may count (``Privacy.rows``), so
what it changes is so many times as much.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from fabrica.privacy.event import Gaussian, Keys, Selection
from fabrica.privacy.ledger import Purse
from fabrica.privacy.noise import gaussian, grid
from fabrica.privacy.selection import chosen as exponential

__all__ = ["choose", "measure", "names"]


def measure(purse: Purse, counts: np.ndarray, rho: Fraction, what: str, sensitivity: int = 1
            ) -> tuple[np.ndarray, float]:
    """Counts of any shape with discrete Gaussian noise: (noisy int64, the variance of each).

    Parameters
    ----------
    counts : whole numbers. rho : what it may cost, in zCDP.
    what : is measured, in words without a value of the table.
    sensitivity : the Euclidean length by which one row changes the counts at most.

    >>> from fabrica.privacy.terms import Privacy
    >>> purse = Purse.of(Privacy(1.0))
    >>> noisy, variance = measure(purse, np.array([100, 200]), purse.left / 2, "counts of sex")
    >>> variance, len(purse.events)
    (41.0625, 1)
    """
    counts = _whole(counts)
    changed = Fraction(sensitivity) * purse.terms.rows
    variance = grid(changed**2 / (2 * rho))
    purse.pay(Gaussian(what, counts.size, changed, variance))
    return counts + gaussian(variance, counts.size).reshape(counts.shape), float(variance)


def choose(purse: Purse, scores: Sequence[int], rho: Fraction, what: str, sensitivity: int = 1,
           fits: Callable[[int], bool] | None = None) -> int | None:
    """The place of one of the whole-numbered ``scores``, the higher the likelier, among those that ``fits`` lets in;
    None where it lets none in. ``sensitivity`` is how much one row changes each score at most."""
    changed = Fraction(sensitivity) * purse.terms.rows
    epsilon = Fraction(math.isqrt(int(8 * rho * 4**40)), 2**40)
    purse.pay(Selection(what, 1, changed, epsilon))
    return exponential([int(s) for s in _whole(scores)], epsilon, changed, fits)


def names(purse: Purse, counts: np.ndarray, rho: Fraction, delta: Fraction, what: str
          ) -> tuple[np.ndarray, np.ndarray, float]:
    """Which of the names that occur may be told: (their places, their noisy counts, the variance of each).

    Parameters
    ----------
    counts : (m,) how many rows have each name that occurs, 1 at least; a row has one name.
    delta : the probability with which a name may be told that only one unit has.
    """
    counts, rows = _whole(counts), purse.terms.rows
    variance = grid(Fraction(rows) ** 2 / (2 * rho))
    above = rows + farther(variance, delta / rows)
    purse.pay(Keys(what, 0, Fraction(rows), variance, delta, above))  # how many occur is not told
    noisy = counts + gaussian(variance, len(counts))
    told = np.flatnonzero(noisy > above)
    return told, noisy[told], float(variance)


def farther(variance: Fraction, delta: Fraction) -> int:
    """A whole number that a discrete Gaussian variable exceeds with the probability ``delta`` at most: its upper tail
    from t + 1 on is below that of the continuous one from t on (Canonne, Kamath & Steinke 2020, proposition 25).

    >>> farther(Fraction(100), Fraction(1, 10**6))
    48
    """
    sigma, low, high = float(variance) ** 0.5, 0.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if math.erfc(middle / math.sqrt(2)) / 2 <= float(delta) else (middle, high)
    return math.ceil(high * sigma)


def _whole(numbers: Sequence[int] | np.ndarray) -> np.ndarray:
    """int64; floats are refused, for their noise would not be exact."""
    found = np.asarray(numbers)
    if found.dtype.kind not in "iu":
        raise ValueError("counts and scores must be whole numbers")
    return found.astype(np.int64)
