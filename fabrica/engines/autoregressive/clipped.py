"""The gradients of single rows, cut to a length and summed as whole numbers, without ever being written down.

Of a layer that a row passes once, the row's gradient is an outer product, so its length is the product of two lengths
(Goodfellow, "Efficient per-example gradient computations", 2015; ghost clipping: Li, Tramer, Liang & Hashimoto, ICLR
2022). The length of the whole gradient is known before any number of it is; then the row's part is added to the sum,
each number cut off to a whole one. So no number of it can be longer than it was, sums of whole numbers have no
rounding, and each row goes through the same instructions whatever others there are: one row more or less changes the
sum by at most ``bound``, with no room left for the last digits of floats (Mironov, CCS 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrica.kernels import fused, part

__all__ = ["Frame", "nats", "summed"]

SURELY = 1 - 1e-5  #: rounding of single floats is on the safe side: lengths are known to 1e-6 and better
TOP = np.float32(80)  #: beyond which an exponential is not asked for
MOST = 2.0**31 - 1  #: that a few rows are summed to, before 64 bits take it over


@dataclass(frozen=True)
class Frame:
    """Where the weights of each column's network stand in one long array.

    Parameters
    ----------
    sizes : tokens of each column. hidden : numbers in each layer.

    >>> frame = Frame((3, 2), 4)
    >>> frame.length, frame.parts(np.arange(frame.length))[1]["first"].shape
    (85, (3, 4))
    """

    sizes: tuple[int, ...]
    hidden: int

    @cached_property
    def starts(self) -> np.ndarray:
        """(C + 1,) the first token of each column, and how many there are."""
        return np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    @cached_property
    def offsets(self) -> np.ndarray:
        """(C + 1,) where the weights of each column begin, and how many there are."""
        h, own, before = self.hidden, np.array(self.sizes, np.int64), self.starts[:-1]
        return np.concatenate([[0], np.cumsum(before * h + h + h * h + h + own * h + own)]).astype(np.int64)

    @property
    def length(self) -> int:
        return int(self.offsets[-1])

    def parts(self, weights: np.ndarray) -> list[dict[str, np.ndarray]]:
        """The layers of each column as views: ``first`` (tokens before, h), ``first_bias`` (h,), ``second`` (h, h),
        ``second_bias`` (h,), ``head`` (own tokens, h), ``bias`` (own tokens,)."""
        h, found = self.hidden, []
        for j, own in enumerate(self.sizes):
            at, layers = int(self.offsets[j]), {}
            for name, shape in (("first", (int(self.starts[j]), h)), ("first_bias", (h,)), ("second", (h, h)),
                                ("second_bias", (h,)), ("head", (own, h)), ("bias", (own,))):
                layers[name] = weights[at : at + int(np.prod(shape))].reshape(shape)
                at += int(np.prod(shape))
            found.append(layers)
        return found


def summed(rows: np.ndarray, frame: Frame, weights: np.ndarray, most: float, bound: int) -> np.ndarray:
    """(length,) int64 the sum of the gradients of ``rows`` (n, C), tokens or -1 where a cell says nothing: each cut to
    the length ``most``, which is ``bound`` in units of the sum."""
    total = np.zeros(frame.length, np.int64)
    _summed(rows, frame.starts, frame.offsets, frame.hidden, weights, np.float64(most), np.float64(bound * SURELY),
            total)
    return total


def nats(rows: np.ndarray, frame: Frame, weights: np.ndarray) -> np.ndarray:
    """(n,) minus the log-probability of each row."""
    out = np.empty(len(rows))
    _nats(rows, frame.starts, frame.offsets, frame.hidden, weights, out)
    return out


@part
def _exp(x):  # type: ignore[no-untyped-def]
    """exp(x) to about 1e-5, as plain arithmetic that a compiler does side by side: exp(x / 64) by its series, squared
    six times."""
    f = min(max(x, -TOP), TOP) * np.float32(1 / 64)
    f = np.float32(1) + f * (np.float32(1) + f * (np.float32(1 / 2) + f * (np.float32(1 / 6) + f * (
        np.float32(1 / 24) + f * np.float32(1 / 120)))))
    f *= f
    f *= f
    f *= f
    f *= f
    f *= f
    return f * f


@part
def _swish(x, slope, h):  # type: ignore[no-untyped-def]
    """x / (1 + exp(-x)) in its place, and its ``slope``."""
    for q in range(h):
        slope[q] = np.float32(1) / (np.float32(1) + _exp(-x[q]))
    for q in range(h):
        s = slope[q]
        slope[q] = s * (np.float32(1) + x[q] * (np.float32(1) - s))
        x[q] *= s


@part
def _forward(row, j, starts, at, h, weights, u, du, w, dw, v, chance):  # type: ignore[no-untyped-def]
    """The layers of column j for one row: ``u`` and ``v`` (h,) after them, ``du`` and ``dw`` (h,) the slopes of the
    swish, ``chance`` (K,) the probability of each token."""
    for q in range(h):
        u[q] = weights[at + starts[j] * h + q]
    for c in range(j):
        if row[c] >= 0:
            here = at + (starts[c] + row[c]) * h
            for q in range(h):
                u[q] += weights[here + q]
    at += starts[j] * h + h
    _swish(u, du, h)
    for q in range(h):
        w[q] = weights[at + h * h + q]
    for p in range(h):
        for q in range(h):
            w[q] += u[p] * weights[at + p * h + q]
    _swish(w, dw, h)
    for q in range(h):
        v[q] = u[q] + w[q]
    at += h * h + h
    size = starts[j + 1] - starts[j]
    top = np.float32(-1e30)
    for k in range(size):
        x = weights[at + size * h + k]
        for q in range(h):
            x += v[q] * weights[at + k * h + q]
        chance[k] = x
        top = max(top, x)
    whole = np.float32(0)
    for k in range(size):
        chance[k] = _exp(chance[k] - top)
    for k in range(size):
        whole += chance[k]
    for k in range(size):
        chance[k] /= whole


@part
def _squares(values, size):  # type: ignore[no-untyped-def]
    total = 0.0
    for q in range(size):
        total += np.float64(values[q]) * np.float64(values[q])
    return total


@part
def _add(total, at, left, size, right, h, times):  # type: ignore[no-untyped-def]
    """Add the outer product of ``left`` (size,) and ``right`` (h,), ``times`` as much, in whole numbers cut off."""
    for p in range(size):
        much = left[p] * times
        for q in range(h):
            total[at + p * h + q] += np.int32(much * right[q])


@part
def _add_one(total, at, right, h, times):  # type: ignore[no-untyped-def]
    for q in range(h):
        total[at + q] += np.int32(times * right[q])


@fused
def _summed(rows, starts, offsets, h, weights, most, bound, total):  # type: ignore[no-untyped-def]
    n, columns = rows.shape
    wide = np.max(starts[1:] - starts[:-1])
    u, v = np.empty((columns, h), np.float32), np.empty((columns, h), np.float32)
    slope, back = np.empty((columns, h), np.float32), np.empty((columns, h), np.float32)
    du, w = np.empty(h, np.float32), np.empty(h, np.float32)
    chance = np.empty((columns, wide), np.float32)
    few, held = np.zeros(len(total), np.int32), 0
    for i in range(n):
        row, squares, known = rows[i], 0.0, 0
        for j in range(columns):
            if row[j] < 0:
                continue
            size, at = starts[j + 1] - starts[j], offsets[j]
            _forward(row, j, starts, at, h, weights, u[j], du, w, slope[j], v[j], chance[j])
            chance[j, row[j]] -= np.float32(1)
            at += starts[j] * h + h
            head = at + h * h + h
            for q in range(h):
                back[j, q] = np.float32(0)
            for k in range(size):
                for q in range(h):
                    back[j, q] += chance[j, k] * weights[head + k * h + q]
            for q in range(h):
                slope[j, q] *= back[j, q]
            for p in range(h):
                x = back[j, p]
                for q in range(h):
                    x += slope[j, q] * weights[at + p * h + q]
                w[p] = x
            for q in range(h):
                back[j, q] = w[q] * du[q]
            squares += _squares(chance[j], size) * (_squares(v[j], h) + 1.0)
            squares += _squares(slope[j], h) * (_squares(u[j], h) + 1.0)
            squares += _squares(back[j], h) * (known + 1.0)
            known += 1
        length = np.sqrt(squares)
        if not length < 1e30:  # no number: such a row adds nothing
            continue
        times = np.float32(bound / max(length, most))
        for j in range(columns):
            if row[j] < 0:
                continue
            size, at = starts[j + 1] - starts[j], offsets[j]
            for c in range(j):
                if row[c] >= 0:
                    _add_one(few, at + (starts[c] + row[c]) * h, back[j], h, times)
            at += starts[j] * h
            _add_one(few, at, back[j], h, times)
            _add(few, at + h, u[j], h, slope[j], h, times)
            _add_one(few, at + h + h * h, slope[j], h, times)
            at += h + h * h + h
            _add(few, at, chance[j], size, v[j], h, times)
            _add_one(few, at + size * h, chance[j], size, times)
        held += 1
        if (held + 1) * bound > MOST:  # no number of a row is above the bound, so none of the few is too large
            total += few
            few[:] = 0
            held = 0
    total += few


@fused
def _nats(rows, starts, offsets, h, weights, out):  # type: ignore[no-untyped-def]
    columns = rows.shape[1]
    u, du, w = np.empty(h, np.float32), np.empty(h, np.float32), np.empty(h, np.float32)
    dw, v = np.empty(h, np.float32), np.empty(h, np.float32)
    chance = np.empty(np.max(starts[1:] - starts[:-1]), np.float32)
    for i in range(len(rows)):
        row, total = rows[i], 0.0
        for j in range(columns):
            if row[j] >= 0:
                _forward(row, j, starts, offsets[j], h, weights, u, du, w, dw, v, chance)
                total -= np.log(max(np.float64(chance[row[j]]), 1e-30))
        out[i] = total
