"""The inner loops of the chain that no other network has: its first layer, and the chances of single tokens.

What the columns before say is looked up from tables: a token's part of the first layer is known beforehand. The other
layers are those of ``nets/forward.py``.
"""

from __future__ import annotations

import numpy as np

from fabrica.kernels import fused

__all__ = ["NEVER", "first", "log_drawn", "log_share"]

NEVER = -1e29  #: the bias of a token that is never drawn
F = np.float32


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
