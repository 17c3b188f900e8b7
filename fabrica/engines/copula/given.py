"""The normals behind a row of which some cells are known.

A known cell tells the interval of its normal. Inside the intervals the known normals follow a truncated multivariate
normal, drawn by Gibbs sampling, one coordinate after the other from its truncated conditional (Geweke 1991; Robert,
Statistics and Computing 5, 1995). Given them, the others are normal, with a mean that is linear in them.
"""

from __future__ import annotations

import math

import numpy as np

from fabrica.kernels import kernel

__all__ = ["inside", "beyond"]

SWEEPS = 25


def inside(low: np.ndarray, high: np.ndarray, correlation: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """(n, K) normals with this ``correlation`` (K, K), each between ``low`` and ``high`` (n, K); ``seeds`` (n,) uint64
    give each row its own chance, whatever rows are beside it."""
    precise = np.linalg.inv(correlation)
    own = np.diag(precise)
    weights = -precise / own[:, None]
    np.fill_diagonal(weights, 0.0)
    return _gibbs(low, high, weights, 1 / np.sqrt(own), seeds, SWEEPS)


def beyond(known: np.ndarray, correlation: np.ndarray, mask: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(n, U) the normals of the columns outside ``mask`` (C,) given those inside, ``known`` (n, K); ``noise`` (n, U)
    is standard normal."""
    cross = correlation[np.ix_(~mask, mask)]
    slope = np.linalg.solve(correlation[np.ix_(mask, mask)], cross.T)
    left = correlation[np.ix_(~mask, ~mask)] - cross @ slope
    return known @ slope + noise @ np.linalg.cholesky(left).T


@kernel
def _gibbs(low, high, weights, spread, seeds, sweeps):  # type: ignore[no-untyped-def]
    def below(x):  # type: ignore[no-untyped-def]
        return 0.5 * math.erfc(-x * 0.7071067811865476)

    def quantile(p):  # type: ignore[no-untyped-def]  # for p <= 0.5 (Acklam 2003, a step of Halley's after it)
        if p < 1e-300:
            return -37.0
        if p < 0.02425:
            q = math.sqrt(-2 * math.log(p))
            x = (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q
                   - 2.549732539343734) * q + 4.374664141464968) * q + 2.938163982698783) / (
                (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q
                 + 3.754408661907416) * q + 1)
        else:
            q = p - 0.5
            r = q * q
            x = (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r
                   + 1.383577518672690e+02) * r - 3.066479806614716e+01) * r + 2.506628277459239) * q / (
                ((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r
                  + 6.680131188771972e+01) * r - 1.328068155288572e+01) * r + 1)
        e = (below(x) - p) * 2.5066282746310002 * math.exp(x * x / 2)
        return x - e / (1 + x * e / 2)

    count, known = low.shape
    out = np.empty((count, known))
    for i in range(count):
        state = seeds[i]
        for k in range(known):  # the end that is nearer to the middle of the normal
            out[i, k] = min(max(0.0, low[i, k]), high[i, k])
        for _ in range(sweeps):
            for k in range(known):
                mean = 0.0
                for j in range(known):
                    mean += weights[k, j] * out[i, j]
                state += np.uint64(0x9E3779B97F4A7C15)
                z = state
                z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                u = (np.float64((z ^ (z >> np.uint64(31))) >> np.uint64(11)) + 0.5) / 9007199254740992.0
                a, b = (low[i, k] - mean) / spread[k], (high[i, k] - mean) / spread[k]
                turned = a > 0  # far tails are exact at the low end only
                if turned:
                    a, b = -b, -a
                first, last = below(a), below(b)
                p = first + u * (last - first)
                x = quantile(p) if p <= 0.5 else -quantile(below(-b) + (1 - u) * (below(-a) - below(-b)))
                x = min(max(x, a), b)
                out[i, k] = min(max(mean + spread[k] * (-x if turned else x), low[i, k]), high[i, k])
    return out
