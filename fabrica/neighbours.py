"""Nearest neighbours among rows of numbers and levels, by brute force: exact, and quick enough for thousands."""

from __future__ import annotations

import numpy as np

from fabrica.kernels import kernel

__all__ = ["near_both", "nearest_alike", "nearest_few", "nearest_rows"]


@kernel
def nearest_rows(numbers, levels, other_numbers, other_levels):  # type: ignore[no-untyped-def]
    """(n,) distance of each row to the nearest of the others, and (n,) which it is.

    ``numbers`` (n, A) float32 count by their difference, ``levels`` (n, B) int32 by 1 where they differ.
    """
    n, m = len(numbers), len(other_numbers)
    out, which = np.empty(n, np.float32), np.zeros(n, np.int64)
    for i in range(n):
        best = np.float32(1e30)
        for k in range(m):
            d = np.float32(0)
            for a in range(numbers.shape[1]):
                d += abs(numbers[i, a] - other_numbers[k, a])
            if d < best:
                for b in range(levels.shape[1]):
                    d += np.float32(levels[i, b] != other_levels[k, b])
                if d < best:
                    best, which[i] = d, k
        out[i] = best
    return out, which


@kernel
def nearest_few(numbers, levels, other_numbers, other_levels, k):  # type: ignore[no-untyped-def]
    """(n, k) distances of each row to the nearest ``k`` of the others, the nearest first, and (n, k) which they are;
    as ``nearest_rows``. Where there are fewer others the last ones are far (1e30) and -1."""
    n, m = len(numbers), len(other_numbers)
    out, which = np.full((n, k), np.float32(1e30)), np.full((n, k), -1)
    for i in range(n):
        far = np.float32(1e30)
        for r in range(m):
            d = np.float32(0)
            for b in range(levels.shape[1]):
                d += np.float32(levels[i, b] != other_levels[r, b])
            if d >= far:
                continue
            for a in range(numbers.shape[1]):
                d += abs(numbers[i, a] - other_numbers[r, a])
            if d >= far:
                continue
            place = k - 1
            while place > 0 and out[i, place - 1] > d:
                out[i, place], which[i, place] = out[i, place - 1], which[i, place - 1]
                place -= 1
            out[i, place], which[i, place] = d, r
            far = out[i, k - 1]
    return out, which


@kernel
def near_both(numbers, levels, other_numbers, other_levels, radius,  # type: ignore[no-untyped-def]
              numbers2, levels2, other_numbers2, other_levels2, radius2):
    """(n,) whether one of the others is within (n,) ``radius`` of a row and, in other columns, within ``radius2``; as
    ``nearest_few``."""
    out = np.zeros(len(numbers), np.bool_)
    for i in range(len(numbers)):
        for r in range(len(other_numbers)):
            d = np.float32(0)
            for b in range(levels.shape[1]):
                d += np.float32(levels[i, b] != other_levels[r, b])
            for a in range(numbers.shape[1]):
                d += abs(numbers[i, a] - other_numbers[r, a])
            if d > radius[i]:
                continue
            d = np.float32(0)
            for b in range(levels2.shape[1]):
                d += np.float32(levels2[i, b] != other_levels2[r, b])
            for a in range(numbers2.shape[1]):
                d += abs(numbers2[i, a] - other_numbers2[r, a])
            if d <= radius2[i]:
                out[i] = True
                break
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
