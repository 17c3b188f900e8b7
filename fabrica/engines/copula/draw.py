"""Rows of correlated normals as codes, with exact margins.

A column's normals are ranked among the rows drawn together, and the ranks are dealt out to the codes by their shares:
so each code comes as often as it should, to one row, and how columns hang together stays as it is (Latin hypercube
sampling with dependence: Iman and Conover, Communications in Statistics B 11, 1982). The ranks come from a count over
fine cells of the normal, which takes a fraction of the time of a sort.
"""

from __future__ import annotations

import numpy as np

from fabrica.kernels import kernel

__all__ = ["dealt"]


def dealt(noise: np.ndarray, weights: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(n,) codes: those of ``codes`` (n,), which stand from low to high, by the rank of the row in the sum of ``noise``
    (k, n) float32 weighted by ``weights`` (k,)."""
    return _dealt(noise, weights.astype(np.float32), codes)


@kernel
def _dealt(noise, weights, codes):  # type: ignore[no-untyped-def]
    size, cells, step = len(codes), 1 << 15, 1024
    cell = np.empty(size, np.uint16)
    first = np.zeros(cells + 1, np.int32)
    sums = np.empty(step, np.float32)
    for low in range(0, size, step):  # a stretch at a time, so that the sums stay in the cache
        here = min(step, size - low)
        for i in range(here):
            sums[i] = np.float32(0.0)
        for k in range(len(weights)):
            w = weights[k]
            for i in range(here):
                sums[i] += w * noise[k, low + i]
        for i in range(here):
            place = (sums[i] + np.float32(5.5)) * np.float32(cells / 11)
            one = np.int64(min(max(place, np.float32(0.0)), np.float32(cells - 1)))
            cell[low + i] = one
            first[one + 1] += 1
    for c in range(cells):
        first[c + 1] += first[c]
    out = np.empty(size, codes.dtype)
    for i in range(size):
        out[i] = codes[first[cell[i]]]
        first[cell[i]] += 1
    return out
