"""The correlations of the normals behind the columns, from what can be seen: the codes.

A correlation of codes, or of their scores, is too small, the more so the fewer codes there are. If two normals have the
correlation r, the scores of their codes have the covariance

    sum over k of  r^k  g_k h_k,

where g_k and h_k are the scores' covariances with the Hermite polynomials of degree k (Mehler 1866; Pearson's
tetrachoric series, 1900). It rises with r, so it has one inverse: the bridge function of Fan, Liu, Ning and Zou
("High dimensional semiparametric latent graphical model for mixed data", JRSS B 79, 2017) for any number of codes
at once, at the price of one product of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabrica.engines.copula.margin import Margin

__all__ = ["FINE", "correlations", "whole"]

FINE = 1 << 12  #: steps of one, to which scores are rounded: their products then add up exactly, in whatever order
TERMS = 96  #: of the series
MOST = 0.995  #: the largest correlation
HALVINGS = 40
PRIOR = 5.0  #: rows of independence that are added: two rows do not make a law


def whole(margin: Margin, codes: np.ndarray) -> np.ndarray:
    """(n,) the scores of ``codes`` (n,) in whole numbers of 1 / FINE."""
    return np.round(margin.scores * FINE)[codes]


def correlations(margins: Sequence[Margin], scores: np.ndarray) -> np.ndarray:
    """(C, C) the correlations of the normals behind columns whose rows score ``scores`` (n, C), in 1 / FINE."""
    count = max(len(scores), 1)
    total = scores.sum(0)
    seen = (scores.T @ scores - np.outer(total, total) / count) / count / FINE**2
    powers = np.stack([m.powers(TERMS) for m in margins])
    a, b = np.triu_indices(len(margins), 1)
    found = np.eye(len(margins))
    found[a, b] = found[b, a] = _inverse(seen[a, b], powers[a], powers[b]) * count / (count + PRIOR)
    return found


def _inverse(seen: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(P,) the correlations at which the series of the pairs has the values ``seen`` (P,), by halving."""
    terms = np.ascontiguousarray((one * other).T)
    low, high = np.full(len(seen), -MOST), np.full(len(seen), MOST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = _series(terms, middle) > seen
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(terms[0] > 1e-9, (low + high) / 2, 0.0)  # a column that is constant hangs together with none


def _series(terms: np.ndarray, r: np.ndarray) -> np.ndarray:
    """(P,) the sum of ``terms`` (T, P) times the powers of ``r`` (P,), by Horner's rule."""
    total = np.zeros(len(r))
    for term in terms[::-1]:
        total = (total + term) * r
    return total
