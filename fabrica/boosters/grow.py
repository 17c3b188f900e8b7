"""One tree of a boosted model: histograms of gradients, the best leaf split first.

Newton boosting over histograms (Friedman, Annals of Statistics 29(5), 2001; Chen and Guestrin, KDD 2016), grown leaf by
leaf with the larger child's histogram got by subtraction (Ke et al., "LightGBM", NIPS 2017). A row's gradient, hessian
and its count of one stand side by side in one whole number of 64 bits, so that a histogram is one addition a cell, and
sums are exact in any order. Both are rounded by an even dither, so that sums are right although bits are few; leaf
values come from the gradients as they are.

A split sends a range of places to the left: [0, t] or, for nominal features, one place alone. A node is one number,
``left << 32 | feature << 16 | low << 8 | width``: a place v goes left where v - low, wrapped to eight bits, is at most
``width``. A leaf leads to itself, so that rows may be walked down side by side without asking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.kernels import kernel, part
from fabrica.uniforms import GOLDEN

__all__ = ["DEPTH", "PLACES", "Guard", "Packing", "grow"]

PLACES = 256  #: of a feature, at most
DEPTH = 8  #: of a tree, at most


@dataclass(frozen=True)
class Guard:
    """What keeps a tree from leaning on few people.

    leaves : at most; least : rows of a leaf, at least; hessian : its sum in a leaf, at least; ridge : added to it;
    price : gain that a split must bring; a split by chance brings one on average.
    """

    leaves: int
    least: int
    hessian: float
    ridge: float
    price: float = 0.0


@dataclass(frozen=True)
class Packing:
    """How many bits of 64 the sums of ``rows`` gradients, hessians and ones may take."""

    count: int
    hessian: int

    @classmethod
    def of(cls, rows: int) -> Packing:
        """
        >>> Packing.of(30_000)
        Packing(count=15, hessian=22)
        """
        count = max(1, int(rows).bit_length())
        return cls(count, (64 - count) * 45 // 100)

    def pack(
        self, gradient: np.ndarray, hessian: np.ndarray, rows: np.ndarray, turn: int
    ) -> tuple[np.ndarray, tuple[float, float]]:
        """(n,) int64 packed numbers of ``rows`` (m,) of all n, and the worth of one unit of gradient and hessian;
        ``turn`` shifts the dither."""
        packed, g_unit, h_unit = _pack(gradient, hessian, rows, self.count, self.hessian, (turn * GOLDEN) % 1.0)
        return packed, (g_unit, h_unit)


def grow(
    placed: np.ndarray, nominal: np.ndarray, packed: np.ndarray, units: tuple[float, float], packing: Packing,
    rows: np.ndarray, guard: Guard,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Grow a tree over ``placed`` (n, F) uint8.

    ``nominal`` (F,) bool: where a single place may be parted. ``rows`` (m,) int32 come to stand leaf by leaf.
    Returns nodes (N,) int64, where the rows of each begin and end (N, 2), and the gain of the first split.
    """
    asked = (guard.least, float(guard.hessian), float(guard.ridge), float(guard.price))
    return _grow(placed, nominal, packed, units, (packing.count, packing.hessian), rows, guard.leaves, asked, DEPTH)


@kernel
def _pack(gradient, hessian, rows, count_bits, hessian_bits, shift):  # type: ignore[no-untyped-def]
    slope, curve = 1e-12, 1e-12
    for i in range(len(rows)):
        slope += abs(gradient[rows[i]])
        curve += hessian[rows[i]]
    gradient_bits = 64 - count_bits - hessian_bits
    g_scale = ((1 << (gradient_bits - 1)) - 2 - len(rows)) / slope
    h_scale = ((1 << hessian_bits) - 2 - len(rows)) / curve
    packed = np.zeros(len(gradient), np.int64)
    for i in range(len(rows)):
        row = rows[i]
        dither = (row * 0.6180339887498949 + shift) % 1.0
        g = np.int64(np.floor(gradient[row] * g_scale + dither))
        h = np.int64(np.floor(hessian[row] * h_scale + dither))
        packed[row] = (g << (count_bits + hessian_bits)) + (h << count_bits) + 1
    return packed, 1.0 / g_scale, 1.0 / h_scale


@part
def _add(sums, placed, packed, rows):  # type: ignore[no-untyped-def]
    """Add the packed numbers of ``rows`` to their cells, 256 for each feature."""
    looked = placed.shape[1]
    for i in range(len(rows)):
        row = rows[i]
        one = packed[row]
        for f in range(looked):
            sums[f * 256 + np.int64(placed[row, f])] += one


@part
def _best(own, nominal, units, bits, guard, room):  # type: ignore[no-untyped-def]
    """(gain, feature, low, width) of the best split of a node with the cells ``own``; ``room`` (4, 256) is for sums."""
    g_unit, h_unit = units
    count_bits, hessian_bits = bits
    least, hessian, ridge, price = guard
    count_mask, hessian_mask, g_shift = (1 << count_bits) - 1, (1 << hessian_bits) - 1, count_bits + hessian_bits
    lower_g, lower_h, lower_n, found = room[0], room[1], room[2], room[3]
    total = np.int64(0)
    for b in range(256):
        total += own[b]
    g_all, h_all = (total >> g_shift) * g_unit, (total >> count_bits & hessian_mask) * h_unit
    n_all = float(total & count_mask)
    whole = g_all * g_all / (h_all + ridge)
    best, feature, low, width = price + 1e-9, -1, 0, 0
    for f in range(len(nominal)):
        ways = 2 if nominal[f] else 1
        for way in range(ways):  # all up to a place; one place alone
            run, bins = np.int64(0), 0
            for b in range(256):
                cell = own[f * 256 + b]
                run = run + cell if way == 0 else cell
                lower_g[b] = (run >> g_shift) * g_unit
                lower_h[b] = (run >> count_bits & hessian_mask) * h_unit
                lower_n[b] = float(run & count_mask)
                if cell != 0:
                    bins = b + 1
                if way == 0 and run == total:
                    break
            for b in range(bins):
                g, h, n = lower_g[b], lower_h[b], lower_n[b]
                other_g, other_h = g_all - g, h_all - h
                gain = g * g / (h + ridge) + other_g * other_g / (other_h + ridge) - whole
                fine = (n >= least) & (n_all - n >= least) & (h >= hessian) & (other_h >= hessian)
                found[b] = gain if fine else 0.0
            for b in range(bins):
                if found[b] > best:
                    best, feature = found[b], f
                    low, width = (0, b) if way == 0 else (b, 0)
    return (best if feature >= 0 else 0.0), feature, low, width


@part
def _divide(rows, places, low, width, spare):  # type: ignore[no-untyped-def]
    """Bring the rows that go left to the front, in order; how many they are."""
    left, right = 0, 0
    for i in range(len(rows)):
        row = rows[i]
        if ((np.int64(places[row]) - low) & 255) <= width:
            rows[left] = row
            left += 1
        else:
            spare[right] = row
            right += 1
    for i in range(right):
        rows[left + i] = spare[i]
    return left


@kernel
def _grow(placed, nominal, packed, units, bits, rows, leaves, guard, deepest):  # type: ignore[no-untyped-def]
    limit, least = 2 * leaves - 1, guard[0]
    sums, room = np.zeros((leaves, placed.shape[1] * 256), np.int64), np.empty((4, 256))  # a slot for each leaf
    slot, depth = np.zeros(limit, np.int32), np.zeros(limit, np.int32)
    nodes, ends = np.empty(limit, np.int64), np.zeros((limit, 2), np.int64)
    gains, splits = np.zeros(limit), np.zeros((limit, 3), np.int64)
    spare = np.empty_like(rows)
    nodes[0], ends[0, 1] = 255, len(rows)
    small, large, born, slots, first = 0, -1, 1, 1, 0.0
    while True:
        _add(sums[slot[small]], placed, packed, rows[ends[small, 0] : ends[small, 1]])
        if large >= 0:
            sums[slot[large]] -= sums[slot[small]]
        for turn in range(2):
            node = small if turn == 0 else large
            if node < 0 or ends[node, 1] - ends[node, 0] < 2 * least or depth[node] >= deepest:
                continue
            gains[node], splits[node, 0], splits[node, 1], splits[node, 2] = _best(
                sums[slot[node]], nominal, units, bits, guard, room)
        if born == 1:
            first = gains[0]
        node = int(np.argmax(gains[:born]))
        if born + 2 > limit or gains[node] <= 0.0:
            break
        gains[node] = 0.0
        f, low, width = splits[node, 0], splits[node, 1], splits[node, 2]
        start, end = ends[node, 0], ends[node, 1]
        left = start + _divide(rows[start:end], placed[:, f], low, width, spare)
        nodes[node] = born << 32 | f << 16 | low << 8 | width
        for child in range(born, born + 2):
            nodes[child], depth[child] = child << 32 | 255, depth[node] + 1
        ends[born, 0], ends[born, 1], ends[born + 1, 0], ends[born + 1, 1] = start, left, left, end
        small, large = (born, born + 1) if left - start <= end - left else (born + 1, born)
        slot[small], slot[large] = slots, slot[node]
        slots += 1
        born += 2
    return nodes[:born].copy(), ends[:born].copy(), first
