"""Nearest neighbours among rows of numbers and levels, by brute force: exact, and quick enough for a million.

The others are turned on their side, some hundred at a time, so that the processor takes several of them at once for
each column and they stay in its cache until all rows have been held against them. Numbers, (n, A) float32, count by
their difference, levels, (n, B) int32, by 1 where they differ; of two that are equally far the first counts.
"""

from __future__ import annotations

import numpy as np

from fabrica.kernels import kernel, part

__all__ = ["near_both", "nearest_alike", "nearest_few"]

SIDE = 512  #: others that are turned at a time


@part
def _turned(cells, start, side):  # type: ignore[no-untyped-def]
    """Of some rows from ``start`` on each column as a row, into ``side`` (columns, SIDE)."""
    for c in range(min(side.shape[1], len(cells) - start)):
        for a in range(cells.shape[1]):
            side[a, c] = cells[start + c, a]


@part
def _far(i, numbers, levels, number_side, level_side, d):  # type: ignore[no-untyped-def]
    """How far row ``i`` is from each of the turned ones, into ``d`` (SIDE,)."""
    d[:] = np.float32(0)
    for b in range(level_side.shape[0]):
        own = levels[i, b]
        for c in range(len(d)):
            d[c] += np.float32(own != level_side[b, c])
    for a in range(number_side.shape[0]):
        x = numbers[i, a]
        for c in range(len(d)):
            d[c] += abs(x - number_side[a, c])


@kernel
def nearest_few(numbers, levels, other_numbers, other_levels, k):  # type: ignore[no-untyped-def]
    """(n, k) distances of each row to the nearest ``k`` of the others, the nearest first, and (n, k) which they are.
    Where there are fewer others the last ones are far (1e30) and -1."""
    n, m = len(numbers), len(other_numbers)
    out, which = np.full((n, k), np.float32(1e30)), np.full((n, k), -1)
    number_side = np.zeros((numbers.shape[1], SIDE), np.float32)
    level_side, d = np.zeros((levels.shape[1], SIDE), np.int32), np.zeros(SIDE, np.float32)
    for start in range(0, m, SIDE):
        _turned(other_numbers, start, number_side)
        _turned(other_levels, start, level_side)
        for i in range(n):
            _far(i, numbers, levels, number_side, level_side, d)
            far = out[i, k - 1]
            for c in range(min(SIDE, m - start)):
                if d[c] < far:
                    place = k - 1
                    while place > 0 and out[i, place - 1] > d[c]:
                        out[i, place], which[i, place] = out[i, place - 1], which[i, place - 1]
                        place -= 1
                    out[i, place], which[i, place] = d[c], start + c
                    far = out[i, k - 1]
    return out, which


@kernel
def near_both(numbers, levels, other_numbers, other_levels, radius,  # type: ignore[no-untyped-def]
              numbers2, levels2, other_numbers2, other_levels2, radius2):
    """(n,) whether one of the others is within (n,) ``radius`` of a row and, in other columns, within ``radius2``."""
    n, m = len(numbers), len(other_numbers)
    out, d, d2 = np.zeros(n, np.bool_), np.zeros(SIDE, np.float32), np.zeros(SIDE, np.float32)
    number_side = np.zeros((numbers.shape[1], SIDE), np.float32)
    number_side2 = np.zeros((numbers2.shape[1], SIDE), np.float32)
    level_side, level_side2 = np.zeros((levels.shape[1], SIDE), np.int32), np.zeros((levels2.shape[1], SIDE), np.int32)
    for start in range(0, m, SIDE):
        _turned(other_numbers, start, number_side)
        _turned(other_levels, start, level_side)
        _turned(other_numbers2, start, number_side2)
        _turned(other_levels2, start, level_side2)
        for i in range(n):
            if out[i]:
                continue
            _far(i, numbers, levels, number_side, level_side, d)
            _far(i, numbers2, levels2, number_side2, level_side2, d2)
            for c in range(min(SIDE, m - start)):
                out[i] |= d[c] <= radius[i] and d2[c] <= radius2[i]
    return out


@kernel
def nearest_alike(marks, numbers, other_marks, other_numbers, radius, enough):  # type: ignore[no-untyped-def]
    """(n,) which of the others is nearest to each row among those of the same mark, -1 where none is within ``radius``,
    and (n,) how many are; it is looked no further once there are ``enough``.

    ``marks`` (n,) uint64 are equal where all levels are; ``numbers`` (n, A) float32 count by their difference. The
    others are sorted by mark and, within a mark, by their first number, if there is one.
    """
    n, m, width = len(marks), len(other_marks), numbers.shape[1]
    which, many = np.full(n, -1), np.zeros(n, np.int64)
    for i in range(n):
        low, high = 0, m
        while low < high:  # the first of the others with this mark whose first number is not too small
            middle = (low + high) // 2
            less = other_marks[middle] < marks[i] or (other_marks[middle] == marks[i] and width > 0
                                                      and other_numbers[middle, 0] < numbers[i, 0] - radius)
            low, high = (middle + 1, high) if less else (low, middle)
        best = radius
        for r in range(low, m):
            if other_marks[r] != marks[i] or (width > 0 and other_numbers[r, 0] > numbers[i, 0] + radius):
                break
            d = np.float32(0)
            for a in range(width):
                d += abs(numbers[i, a] - other_numbers[r, a])
                if d > radius:
                    break
            many[i] += d <= radius
            if d < best or (d == best and which[i] < 0):
                best, which[i] = d, r
            if many[i] >= enough:
                break
    return which, many
