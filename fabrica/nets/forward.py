"""A trained network goes forward without torch: products, the swish, softmax and draws, on one thread.

An algebra library divides its sums by the cores that it finds; these loops do not, so the same seed draws the same rows
on any number of workers. Four rows meet four rows of the weights at a time, which keeps the vector units busy.
``exp`` is a power of two and a polynomial (Schraudolph, "A fast, compact approximation of the exponential function",
Neural Computation 11, 1999; its error here is 1e-7), which compilers turn into vector instructions.
"""

from __future__ import annotations

import numpy as np

from fabrica.kernels import fused, part

__all__ = ["affine", "cumulated", "draw", "masked", "probabilities", "solved", "swish"]

NEVER = np.float32(-1e29)  #: a logit of what is never drawn


def masked(logits: np.ndarray, keeps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, K) of tokens that are kept with the chance ``keeps`` (K,), and (n,) the logarithm of the share of each
    row's probability that this leaves, -inf where nothing.

    >>> moved, left = masked(np.zeros((1, 2), np.float32), np.array([1.0, 0.5]))
    >>> np.exp(left).round(3).tolist(), np.exp(moved).round(3).tolist()
    ([0.75], [[1.0, 0.5]])
    """
    chance = np.log(np.where(keeps > 0, keeps, 1)).astype(np.float32)
    moved = np.where((keeps > 0) & (logits > NEVER / 2), logits + chance, NEVER)
    with np.errstate(divide="ignore"):
        left = np.log(_total(moved)) + moved.max(1) - np.log(_total(logits)) - logits.max(1)
    return moved, np.where(moved.max(1) > NEVER / 2, left, -np.inf)


def _total(logits: np.ndarray) -> np.ndarray:
    """(n,) the sum of the powers, beside the largest of each row."""
    return np.exp(logits - logits.max(1, keepdims=True), dtype=np.float64).sum(1)


@fused
def affine(left, right, bias):  # type: ignore[no-untyped-def]
    """(n, m) float32: the product of (n, k) and (k, m), both float32 and in rows, plus (m,)."""
    n, k = left.shape
    m = right.shape[1]
    out = np.empty((n, m), np.float32)
    for i in range(n):
        for q in range(m):
            out[i, q] = bias[q]
    for i in range(0, n - 3, 4):
        o0, o1, o2, o3 = out[i], out[i + 1], out[i + 2], out[i + 3]
        for p in range(0, k - 3, 4):
            r0, r1, r2, r3 = right[p], right[p + 1], right[p + 2], right[p + 3]
            a0, a1, a2, a3 = left[i, p], left[i, p + 1], left[i, p + 2], left[i, p + 3]
            b0, b1, b2, b3 = left[i + 1, p], left[i + 1, p + 1], left[i + 1, p + 2], left[i + 1, p + 3]
            c0, c1, c2, c3 = left[i + 2, p], left[i + 2, p + 1], left[i + 2, p + 2], left[i + 2, p + 3]
            d0, d1, d2, d3 = left[i + 3, p], left[i + 3, p + 1], left[i + 3, p + 2], left[i + 3, p + 3]
            for q in range(m):
                x0, x1, x2, x3 = r0[q], r1[q], r2[q], r3[q]
                o0[q] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                o1[q] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                o2[q] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                o3[q] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
        for p in range(k - k % 4, k):
            for r in range(4):
                a = left[i + r, p]
                for q in range(m):
                    out[i + r, q] += a * right[p, q]
    for i in range(n - n % 4, n):
        for p in range(k):
            a = left[i, p]
            for q in range(m):
                out[i, q] += a * right[p, q]
    return out


@part
def _power(v):  # type: ignore[no-untyped-def]
    """2 ** v of a float32 in [-126, 128) as a number in [1, 2) and the bits of a power of two to multiply it by."""
    whole = np.floor(v)
    f = v - whole
    return np.float32(1) + f * (np.float32(0.69315173) + f * (np.float32(0.24015969) + f * (
        np.float32(0.05581672) + f * (np.float32(0.00899392) + f * np.float32(0.00187794))))), (
        np.int32(whole) + np.int32(127)) << np.int32(23)


@fused
def swish(values):  # type: ignore[no-untyped-def]
    """(n, m) x / (1 + exp(-x)) of each number (SiLU; Elfwing, Uchibe, Doya, Neural Networks 107, 2018)."""
    n, m = values.shape
    out = np.empty((n, m), np.float32)
    power = np.empty(m, np.int32)
    scale = power.view(np.float32)
    e = np.empty(m, np.float32)
    for i in range(n):
        here, o = values[i], out[i]
        for q in range(m):
            v = min(max(-here[q], np.float32(-80)), np.float32(80)) * np.float32(1.4426950408889634)
            e[q], power[q] = _power(v)
        for q in range(m):
            o[q] = here[q] / (np.float32(1) + e[q] * scale[q])
    return out


@fused
def cumulated(logits):  # type: ignore[no-untyped-def]
    """Probabilities of logits (n, K), cumulated along each row and not yet divided by their sum; (n,) the expected
    place of each row's token."""
    n, k = logits.shape
    out = np.empty((n, k), np.float32)
    power = np.empty(k, np.int32)
    scale = power.view(np.float32)
    expected = np.empty(n, np.float32)
    for i in range(n):
        here, o = logits[i], out[i]
        top = here[0]
        for q in range(1, k):
            top = max(top, here[q])
        for q in range(k):
            v = max((here[q] - top) * np.float32(1.4426950408889634), np.float32(-126))
            e, power[q] = _power(v)
            o[q] = np.float32(0) if v <= np.float32(-126) else e
        total, place = np.float32(0), np.float32(0)
        for q in range(k):
            total += o[q] * scale[q]
            o[q] = total
            place += total
        expected[i] = np.float32(k) - place / total
    return out, expected


@fused
def probabilities(logits, bias):  # type: ignore[no-untyped-def]
    """(n, K) float32 softmax of logits (n, K) + bias (K,)."""
    n, k = logits.shape
    out = np.empty((n, k), np.float32)
    power = np.empty(k, np.int32)
    scale = power.view(np.float32)
    for i in range(n):
        here, o = logits[i], out[i]
        top = here[0] + bias[0]
        for q in range(1, k):
            top = max(top, here[q] + bias[q])
        for q in range(k):
            v = max((here[q] + bias[q] - top) * np.float32(1.4426950408889634), np.float32(-126))
            e, power[q] = _power(v)
            o[q] = np.float32(0) if v <= np.float32(-126) else e
        total = np.float32(0)
        for q in range(k):
            o[q] *= scale[q]
            total += o[q]
        each = np.float32(1) / total
        for q in range(k):
            o[q] *= each
    return out


@fused
def solved(matrix, right):  # type: ignore[no-untyped-def]
    """(k,) the solution of a symmetric positive definite system (k, k), (k,) in float64 (Cholesky 1910)."""
    k = len(right)
    low = np.zeros((k, k), np.float64)
    for i in range(k):
        for j in range(i + 1):
            rest = matrix[i, j]
            for p in range(j):
                rest -= low[i, p] * low[j, p]
            low[i, j] = np.sqrt(max(rest, 1e-300)) if i == j else rest / low[j, j]
    x = right.copy()
    for i in range(k):
        for p in range(i):
            x[i] -= low[i, p] * x[p]
        x[i] /= low[i, i]
    for i in range(k - 1, -1, -1):
        x[i] /= low[i, i]
        for p in range(i):
            x[p] -= low[i, p] * x[i]
    return x


@fused
def draw(cumulated, u):  # type: ignore[no-untyped-def]
    """(n,) int32 tokens at ``u`` (n,) in [0, 1) of cumulated probabilities (n, K), by bisection."""
    n, k = cumulated.shape
    out = np.empty(n, np.int32)
    for i in range(n):
        total = cumulated[i, k - 1]
        wanted = min(np.float32(u[i]) * total, total * np.float32(0.9999999))
        low, high = 0, k - 1
        while low < high:
            middle = (low + high) >> 1
            if cumulated[i, middle] > wanted:
                high = middle
            else:
                low = middle + 1
        out[i] = low
    return out
