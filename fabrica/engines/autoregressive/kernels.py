"""The inner loops of the sampler: a column's layers, its softmax and its draws, for some thousand rows at a time.

What the columns before say is looked up from tables (a token's part of the first layer is known beforehand); two small
products follow. ``exp`` is a power of two and a polynomial (Schraudolph, "A fast, compact approximation of the
exponential function", Neural Computation 11, 1999; with an error of 1e-7 here), which compilers turn into vector
instructions. Nothing is left to an algebra library, whose sums depend on the number of its threads.
"""

from __future__ import annotations

import numpy as np

from fabrica.kernels import fused

__all__ = ["NEVER", "add_product", "draw", "first", "log_drawn", "log_share", "silu", "spread"]

NEVER = -1e29  #: the bias of a token that is never drawn
F = np.float32
LOG2E = F(1.4426950408889634)  #: exp(x) = 2 ** (x * LOG2E)


@fused
def first(tokens, before, starts, tables, bias):  # type: ignore[no-untyped-def]
    """(n, h) the first layer of a column that sees the columns ``before`` (b,) of ``tokens`` (n, C): ``bias`` (h,) and
    what each token adds, ``tables`` (S, h), where a column's tokens begin at its ``starts`` (C,)."""
    n, h = tokens.shape[0], len(bias)
    out = np.empty((n, h), np.float32)
    for i in range(n):
        row = out[i]
        for q in range(h):
            row[q] = bias[q]
        for b in before:
            added = tables[starts[b] + tokens[i, b]]
            for q in range(h):
                row[q] += added[q]
    return out


@fused
def silu(values):  # type: ignore[no-untyped-def]
    """x / (1 + exp(-x)) of every number of an array, in place."""
    flat = values.reshape(-1)
    size = 256
    power, e = np.empty(size, np.int32), np.empty(size, np.float32)
    scale = power.view(np.float32)
    for start in range(0, len(flat), size):
        count = min(size, len(flat) - start)
        here = flat[start : start + count]
        for q in range(count):
            v = min(max(-here[q], F(-80)), F(80)) * LOG2E
            whole = np.floor(v)
            f = v - whole
            e[q] = F(1) + f * (F(0.69315173) + f * (F(0.24015969) + f * (
                F(0.05581672) + f * (F(0.00899392) + f * F(0.00187794)))))
            power[q] = (np.int32(whole) + np.int32(127)) << np.int32(23)
        for q in range(count):
            here[q] = here[q] / (F(1) + e[q] * scale[q])


@fused
def add_product(left, right, out):  # type: ignore[no-untyped-def]
    """Add the product of (n, k) and (k, m) to ``out`` (n, m): two rows and four terms at a time."""
    n, k = left.shape
    m = right.shape[1]
    for i in range(0, n - 1, 2):
        o1, o2 = out[i], out[i + 1]
        for p in range(0, k - 3, 4):
            w1, w2, w3, w4 = right[p], right[p + 1], right[p + 2], right[p + 3]
            a1, a2, a3, a4 = left[i, p], left[i, p + 1], left[i, p + 2], left[i, p + 3]
            b1, b2, b3, b4 = left[i + 1, p], left[i + 1, p + 1], left[i + 1, p + 2], left[i + 1, p + 3]
            for q in range(m):
                o1[q] += a1 * w1[q] + a2 * w2[q] + a3 * w3[q] + a4 * w4[q]
                o2[q] += b1 * w1[q] + b2 * w2[q] + b3 * w3[q] + b4 * w4[q]
        for p in range(k - k % 4, k):
            for q in range(m):
                o1[q] += left[i, p] * right[p, q]
                o2[q] += left[i + 1, p] * right[p, q]
    for i in range(n - n % 2, n):
        for p in range(k):
            for q in range(m):
                out[i, q] += left[i, p] * right[p, q]


@fused
def spread(logits):  # type: ignore[no-untyped-def]
    """Turn logits (n, K) into cumulated shares, in place; (n,) the expected place of each row's token.

    The shares of a row are not divided by their sum, which is the last of them.
    """
    n, k = logits.shape
    power = np.empty(k, np.int32)
    scale = power.view(np.float32)
    expected = np.empty(n, np.float32)
    for i in range(n):
        o = logits[i]
        top = o[0]
        for q in range(1, k):
            top = max(top, o[q])
        for q in range(k):
            v = max((o[q] - top) * LOG2E, F(-127))
            whole = np.floor(v)
            f = v - whole
            o[q] = F(1) + f * (F(0.69315173) + f * (F(0.24015969) + f * (
                F(0.05581672) + f * (F(0.00899392) + f * F(0.00187794)))))
            power[q] = (np.int32(whole) + np.int32(127)) << np.int32(23)  # a power of -127 is zero
        total, place = F(0), F(0)
        for q in range(k):
            total += o[q] * scale[q]
            o[q] = total
            place += total
        expected[i] = F(k) - place / total
    return expected


@fused
def draw(cumulated, u):  # type: ignore[no-untyped-def]
    """(n,) int32 tokens at ``u`` (n,) in [0, 1) of cumulated shares (n, K), by bisection."""
    n, k = cumulated.shape
    out = np.empty(n, np.int32)
    for i in range(n):
        total = cumulated[i, k - 1]
        wanted = min(F(u[i]) * total, total * F(0.9999999))
        low, high = 0, k - 1
        while low < high:
            middle = (low + high) >> 1
            if cumulated[i, middle] > wanted:
                high = middle
            else:
                low = middle + 1
        out[i] = low
    return out


@fused
def log_drawn(cumulated, tokens):  # type: ignore[no-untyped-def]
    """(n,) float64 log-probability of drawn ``tokens`` (n,) under cumulated shares (n, K)."""
    n, k = cumulated.shape
    out = np.empty(n, np.float64)
    for i in range(n):
        below = cumulated[i, tokens[i] - 1] if tokens[i] else F(0)
        out[i] = np.log(max(np.float64(cumulated[i, tokens[i]] - below), 1e-30) / np.float64(cumulated[i, k - 1]))
    return out


@fused
def log_share(logits, tokens):  # type: ignore[no-untyped-def]
    """(n,) float64 log-probability of ``tokens`` (n,) under logits (n, K)."""
    n, k = logits.shape
    out = np.empty(n, np.float64)
    for i in range(n):
        top = logits[i, 0]
        for q in range(1, k):
            top = max(top, logits[i, q])
        total = 0.0
        for q in range(k):
            total += np.exp(np.float64(logits[i, q] - top))
        out[i] = np.float64(logits[i, tokens[i]] - top) - np.log(total)
    return out
