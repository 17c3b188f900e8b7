"""From a price in zCDP to epsilon and delta, and back; and what they let an attacker reach.

rho-zCDP (Bun & Steinke, "Concentrated differential privacy", TCC 2016) adds up over mechanisms. It implies, for every
alpha > 1, (epsilon, delta) with

    delta = exp((alpha - 1) (alpha rho - epsilon)) / (alpha - 1) * (1 - 1 / alpha)^alpha

(Canonne, Kamath & Steinke, NeurIPS 2020, proposition 7); the least delta over alpha is taken, and whatever a search
misses makes it larger. Whoever tells members by a test with the false positive rate f reaches at most
min(e^epsilon f + delta, 1 - e^-epsilon (1 - delta - f)) true ones (Kairouz, Oh & Viswanath, "The composition theorem
for differential privacy", ICML 2015).
"""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["delta_of", "epsilon_of", "most_caught", "rho_of"]

STEPS = 200  #: of a search that halves what it knows


def delta_of(rho: float, epsilon: float) -> float:
    """The least delta that the conversion gives.

    >>> round(delta_of(0.02436, 1.0) * 1e6, 2)
    1.0
    """
    if rho <= 0:
        return 0.0
    low, high = 1.0 + 1e-9, max(2.0, 4 * (epsilon + 1) / rho + 4)
    for _ in range(STEPS):  # the logarithm is convex in alpha: search where its slope turns
        one, other = low + (high - low) / 3, high - (high - low) / 3
        if _log_delta(rho, epsilon, one) < _log_delta(rho, epsilon, other):
            high = other
        else:
            low = one
    return min(1.0, math.exp(min(_log_delta(rho, epsilon, (low + high) / 2), 0.0)))


def _log_delta(rho: float, epsilon: float, alpha: float) -> float:
    return (alpha - 1) * (alpha * rho - epsilon) - math.log(alpha - 1) + alpha * math.log1p(-1 / alpha)


@lru_cache(maxsize=4096)
def epsilon_of(rho: float, delta: float) -> float:
    """The least epsilon at a ``delta`` in (0, 1); rounded up in the last digits.

    >>> round(epsilon_of(0.02436, 1e-6), 3)
    1.0
    """
    if rho <= 0:
        return 0.0
    low, high = 0.0, rho + 2 * math.sqrt(rho * math.log(1 / delta)) + 1  # the looser conversion of 2016
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if delta_of(rho, middle) <= delta else (middle, high)
    return high


@lru_cache(maxsize=4096)
def rho_of(epsilon: float, delta: float) -> float:
    """The largest rho that keeps (epsilon, delta); rounded down in the last digits.

    >>> [round(rho_of(e, 1e-6), 6) for e in (0.1, 1.0, 3.0, 10.0)]
    [0.000321, 0.024356, 0.18507, 1.539279]
    """
    low, high = 0.0, epsilon + 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, epsilon) <= delta else (low, middle)
    return low


def most_caught(epsilon: float, delta: float, alarms: float) -> float:
    """The largest true positive rate of whoever tells members at the false positive rate ``alarms``.

    >>> [round(most_caught(e, 0.0, 0.01), 3) for e in (1, 2, 3, 5)]
    [0.027, 0.074, 0.201, 0.993]
    """
    if epsilon > 700:
        return 1.0
    return max(0.0, min(1.0, math.exp(epsilon) * alarms + delta, 1 - math.exp(-epsilon) * (1 - delta - alarms)))
