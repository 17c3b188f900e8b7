"""The price of noisy sums over rows that chance takes: a Rényi divergence for each order, and epsilon out of them.

A row is taken with the probability q, the sum has Gaussian noise of z times what one row changes. For a whole order a
the Rényi divergence of one step is at most

    log( sum over k of C(a, k) (1 - q)^(a - k) q^k exp((k² - k) / (2 z²)) ) / (a - 1)

(Mironov, Talwar & Zhang, "Rényi differential privacy of the sampled Gaussian mechanism", 2019). That is as true of
discrete noise on whole numbers, of any dimension: the expectation of the k-th power of the ratio of two discrete
Gaussians v apart is a ratio of two sums over the lattice, one of them moved by k v, which is a move of the lattice
onto itself; so it is exp((k² - k) |v|² / (2 s)), as for the continuous one. The other direction (a row less) is no
dearer, since x -> v - x exchanges the two Gaussians and maps the lattice onto itself (their theorem 5). What other
rows add is a mixture, and the divergence is quasi-convex.

Between whole orders (a - 1) times the divergence is convex, so a chord is above it (Wang, Balle & Kasiviswanathan,
"Subsampled Rényi differential privacy and analytical moments accountant", AISTATS 2019). From order to (epsilon, delta)
leads the conversion of Canonne, Kamath & Steinke (2020, proposition 12).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

__all__ = ["ORDERS", "best", "epsilon_under", "sampled"]

#: that are tried: whole ones, with some between where they are small
ORDERS: tuple[float, ...] = (*(1 + i / 8 for i in range(1, 80)), *map(float, range(11, 64)),
                             *(float(round(64 * 2 ** (i / 4))) for i in range(21)))
SURELY = 1 + 1e-9  #: rounding is on the safe side


def sampled(order: float, rate: float, apart: float) -> float:
    """The divergence of one step at an ``order`` above 1.

    Parameters
    ----------
    rate : the probability with which a row is taken.
    apart : what one row changes over the standard deviation of the noise, 1 / z.

    >>> round(sampled(2, 0.01, 1.0), 9) == round(math.log(1 + 0.01**2 * (math.e - 1)), 9)
    True
    >>> sampled(3, 1.0, 0.5) / (3 * 0.5**2 / 2) < 1 + 1e-8
    True
    """
    whole = order * apart**2 / 2  # what it would be if all rows were taken
    if rate >= 1:
        return whole * SURELY
    low = math.floor(order)
    part = order - low
    chord = 0.0 if low == 1 else _log_moment(low, rate, apart)
    if part:
        chord = (1 - part) * chord + part * _log_moment(low + 1, rate, apart)
    return min(whole, chord / (order - 1)) * SURELY


@lru_cache(maxsize=4096)
def _log_moment(order: int, rate: float, apart: float) -> float:
    """(order - 1) times the divergence at a whole order; the terms are what they exceed those of no noise by, whose
    sum is 1."""
    k = np.arange(2, order + 1, dtype=np.float64)
    logs = _log_choose(order)[2:] + k * math.log(rate) + (order - k) * math.log1p(-rate)
    power = (k * k - k) * apart**2 / 2
    logs += np.where(power > 30, power, np.log(np.expm1(np.minimum(power, 30.0))))
    top = float(logs.max())
    return float(np.logaddexp(0.0, top + math.log(float(np.exp(logs - top).sum()))))


@lru_cache(maxsize=512)
def _log_choose(order: int) -> np.ndarray:
    """(order + 1,) logarithms of the binomial coefficients."""
    return np.array([math.lgamma(order + 1) - math.lgamma(k + 1) - math.lgamma(order - k + 1)
                     for k in range(order + 1)])


def epsilon_under(divergence: Callable[[float], float], delta: float) -> float:
    """The least epsilon at ``delta`` of whatever has a ``divergence`` (order -> nats).

    >>> round(epsilon_under(lambda order: 0.02436 * order, 1e-6), 2)
    1.0
    """
    return max(0.0, min(_epsilon(order, divergence(order), delta) for order in ORDERS))


def best(divergence: Callable[[float], float], delta: float) -> float:
    """The order at which epsilon is least."""
    return min(ORDERS, key=lambda order: _epsilon(order, divergence(order), delta))


def _epsilon(order: float, nats: float, delta: float) -> float:
    return nats + math.log1p(-1 / order) - (math.log(delta) + math.log(order)) / (order - 1)
