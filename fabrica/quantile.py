"""How a quantile function is learned from a tally: point masses, groups of at least k rows, and where codes are cut.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fabrica.kernels import kernel
from fabrica.tally import KNOTS, same

__all__ = ["quantile_function", "edges"]


def quantile_function(
    values: np.ndarray,
    counts: np.ndarray,
    point: np.ndarray,
    k: int,
    bounds: tuple[float, float] | None,
    decimals: int | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(cum, knots, mass): mass[i] says that the step from knot i to i+1 is a point mass.

    What lies between point masses begins half a rounding step beside them, so that rounding adds nothing to them.
    """
    whole = values.dtype.kind == "i"
    half = 1.0 if whole else 0.0 if decimals is None or decimals > 15 else 0.5 * 10.0**-decimals
    total = counts.sum()
    before = np.concatenate([[0.0], np.cumsum(counts)])
    marks = np.flatnonzero(point)
    borders = np.concatenate([[-1], marks, [len(values)]])
    weight = before[borders[1:]] - before[borders[:-1] + 1]  # of each stretch between point masses
    joins = (weight < k) & (len(marks) > 0)  # too few to be told: counted with the point masses beside them
    given = np.where(joins, weight, 0.0)
    left_one = np.append(np.floor(given[1:-1] / 2), given[-1:])  # whole rows: half a row would tell of one in between
    starts, stops = before[marks] - given[:-1] + np.append(0, left_one[:-1])[: len(marks)], before[marks + 1] + left_one
    knots: list[np.ndarray] = []
    cum: list[np.ndarray] = []
    group = max(k, total / KNOTS)
    for i, (left, right) in enumerate(pairwise(borders)):
        if left >= 0:
            knots.append(values[[left, left]])
            cum.append(np.array([starts[i - 1], stops[i - 1]]))
        if right - left > 1 and not joins[i]:
            light = slice(left + 1, right)
            low = float(values[left]) + half if left >= 0 else (bounds[0] if bounds else None)
            high = float(values[right]) - half if right < len(values) else (bounds[1] if bounds else None)
            c, v = _light(values[light], counts[light], group, low, high, (left >= 0, right < len(values)))
            v = np.round(v, decimals) if decimals is not None and half and v[0] == v[-1] else v
            if whole:  # bit for bit between its neighbours
                v = same(v, values)
                v = np.maximum(v, values[left] + 1) if left >= 0 else v
                v = np.minimum(v, values[right] - 1) if right < len(values) else v
            knots.append(v)
            cum.append(before[left + 1] + c)
    all_knots, all_cum = np.concatenate(knots), np.concatenate(cum) / total
    all_cum[0], all_cum[-1] = 0.0, 1.0
    all_knots = np.maximum.accumulate(all_knots)
    mass = (all_knots[1:] == all_knots[:-1]) & (np.diff(all_cum) > 0)
    return all_cum, all_knots, np.append(mass, False)


def _light(
    values: np.ndarray, counts: np.ndarray, group: float, low: float | None, high: float | None, near: tuple[bool, bool]
) -> tuple[np.ndarray, np.ndarray]:
    """(cum, knots) of a stretch without point masses between ``low`` and ``high`` (None at an end of the column).

    Where ``near`` says that an end is a point mass (99999, often), the group beside it keeps its mean: it reaches as
    far to that side as to its other.
    """
    groups = max(1, int(counts.sum() // group))
    label = _groups(counts, counts.sum() / groups, group)
    mass = np.bincount(label, counts)
    mean = np.bincount(label, counts * values) / mass
    border = (mean[1:] + mean[:-1]) / 2
    first = mean[0] if low is None else low
    last = mean[-1] if high is None else high
    reach = (border[0] if len(border) else last) - mean[0], mean[-1] - (border[-1] if len(border) else first)
    first = max(first, mean[0] - reach[0]) if near[0] and reach[0] > 0 else first
    last = min(last, mean[-1] + reach[1]) if near[1] and reach[1] > 0 else last
    return np.concatenate([[0.0], np.cumsum(mass)]), np.concatenate([[first], border, [last]])


def edges(cum: np.ndarray, knots: np.ndarray, mass: np.ndarray, codes: int, total: float, k: int) -> np.ndarray:
    """Where codes are cut: around atoms, and at equal mass between them, never inside a point mass.

    A cut that would leave fewer than k rows on either side of it is not made.
    """
    starts = np.flatnonzero(mass)
    weight = cum[starts + 1] - cum[starts]
    atom = np.ones(len(starts), bool) if len(starts) <= codes // 2 else weight >= 1 / codes
    fixed = np.unique(np.concatenate([[0.0, 1.0], cum[starts[atom]], cum[starts[atom] + 1]]))
    inside = set(cum[starts[atom]].tolist())
    found = [0.0]
    least = k / total * (1 - 1e-9)
    low_mass, high_mass = cum[starts[~atom]], cum[starts[~atom] + 1]
    for low, high in pairwise(fixed):
        if high - found[-1] < least:  # less than a row of rounding
            continue
        pieces = min(round((high - low) * codes), int((high - low) * total / k))
        if low not in inside and pieces > 1:
            cut = np.linspace(low, high, pieces + 1)[1:-1]
            if len(low_mass):  # a cut inside a point mass moves to the nearer end of it
                i = np.clip(np.searchsorted(low_mass, cut, "right") - 1, 0, None)
                within = (cut > low_mass[i]) & (cut < high_mass[i])
                nearer = np.where(cut - low_mass[i] < high_mass[i] - cut, low_mass[i], high_mass[i])
                cut = np.where(within, nearer, cut)
            for at in cut.tolist():
                if at - found[-1] >= least and high - at >= least:
                    found.append(at)
        found.append(float(high))
    found[-1] = 1.0
    return np.array(found)


@kernel
def _groups(counts, aim, least):  # type: ignore[no-untyped-def]
    """The group of each value: about ``aim`` rows each and never fewer than ``least``, also in the last."""
    label = np.empty(len(counts), np.int64)
    group, held, seen, begin = 0, 0.0, 0.0, 0
    for i in range(len(counts)):
        if held >= least and seen + counts[i] / 2 > (group + 1) * aim:
            group, held, begin = group + 1, 0.0, i
        label[i] = group
        held += counts[i]
        seen += counts[i]
    if held < least and group > 0:
        label[begin:] = group - 1
    return label
