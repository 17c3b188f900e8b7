"""Normals of the columns in which some codes are ruled out, one after the other from what is allowed of each.

The simulator of Geweke, Hajivassiliou and Keane (Hajivassiliou, McFadden and Ruud, "Simulation of multivariate normal
rectangle probabilities", J. Econometrics 72, 1996), with a union of weighted intervals, the codes, in place of one
interval: each normal is drawn from its conditional given those before it, and what is allowed of that conditional is
the row's weight.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from fabrica.engines.copula.margin import FAR, Margin

__all__ = ["normals"]

CELLS = 1 << 22  #: of rows and codes that are looked at together


def normals(margins: Sequence[Margin], allowed: Sequence[np.ndarray], correlation: np.ndarray, size: int,
            random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of K columns with this ``correlation`` (K, K), whose codes are kept with the chances ``allowed``: (size, K)
    normals, (size, K) codes, and (size,) the logarithm of what that leaves, -inf where nothing."""
    factor = np.linalg.cholesky(correlation)
    noise, codes, left = np.zeros((size, len(margins))), np.zeros((size, len(margins)), np.int64), np.zeros(size)
    for i, (margin, mask) in enumerate(zip(margins, allowed, strict=True)):
        middle = noise[:, :i] @ factor[i, :i]
        step = max(1, CELLS // max(1, margin.column.size))
        for start in range(0, size, step):
            part = slice(start, start + step)
            noise[part, i], codes[part, i], share = _drawn(margin, mask, middle[part], factor[i, i], random)
            with np.errstate(divide="ignore"):
                left[part] += np.log(share)
    return noise @ factor.T, codes, left


def _drawn(margin: Margin, mask: np.ndarray, middle: np.ndarray, spread: float, random: np.random.Generator
           ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n,) standard normals such that ``middle`` + ``spread`` times them lies in an allowed code, (n,) which, and (n,)
    the share that is allowed."""
    order = margin.order
    borders = np.clip(ndtri(np.concatenate([[0.0], np.minimum(np.cumsum(margin.drawn[order]), 1.0)])), -FAR, FAR)
    borders[-1] = FAR
    below = ndtr((borders[None, :] - middle[:, None]) / spread)
    upto = np.cumsum(np.diff(below, axis=1) * mask[order], axis=1)
    whole = upto[:, -1]
    place = np.minimum((upto <= (random.random(len(middle)) * whole)[:, None]).sum(1), len(order) - 1)
    rows = np.arange(len(middle))
    low, high = below[rows, place], below[rows, place + 1]
    inside = ndtri(np.clip(low + random.random(len(middle)) * (high - low), 1e-300, 1 - 1e-16))
    return np.clip(inside, -FAR, FAR), order[place], np.maximum(whole, 0.0)
