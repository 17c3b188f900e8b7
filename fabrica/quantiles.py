"""How a quantile function and its alphabet are learned from tallied values.

The rows between point masses are averaged in groups of at least k (microaggregation; Domingo-Ferrer and Mateo-Sanz,
IEEE TKDE 2002) and the groups' borders are the knots, so no stored number belongs to fewer than k rows.

Where two groups lie far apart for their own width, the function jumps: each side ends at its mean ± √3 spreads, the end
of a uniform piece of that spread, and nothing is drawn in between. So a sentinel (-200), a second mode or an empty
stretch stays what it is.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fabrica.kernels import kernel
from fabrica.tally import KNOTS, same_type

__all__ = ["alphabet", "quantile_function"]

WIDE = 4.0  #: a gap is as many times wider than what the k rows on either side of it span


def quantile_function(
    values: np.ndarray,
    counts: np.ndarray,
    point: np.ndarray,
    k: int,
    bounds: tuple[float, float] | None,
    decimals: int | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(cum, knots, mass, jumps): mass[i] says that the step from knot i to i+1 is a point mass; jumps are cumulative
    probabilities at which nothing is drawn between two knots.

    What lies between point masses begins half a rounding step beside them, so that rounding adds nothing to them.
    """
    whole = values.dtype.kind == "i"
    half = 1.0 if whole else 0.0 if decimals is None or decimals > 15 else 0.5 * 10.0**-decimals
    total, before = counts.sum(), np.concatenate([[0.0], np.cumsum(counts)])
    marks = np.flatnonzero(point)
    borders = np.concatenate([[-1], marks, [len(values)]])
    starts, stops, joins = _masses(before, marks, borders, k)
    knots: list[np.ndarray] = []
    cum: list[np.ndarray] = []
    jumps: list[np.ndarray] = []
    group = max(k, total / KNOTS)
    for i, (left, right) in enumerate(pairwise(borders)):
        if left >= 0:
            knots.append(values[[left, left]])
            cum.append(np.array([starts[i - 1], stops[i - 1]]))
        if right - left > 1 and not joins[i]:
            light = slice(left + 1, right)
            low = float(values[left]) + half if left >= 0 else (bounds[0] if bounds else None)
            high = float(values[right]) - half if right < len(values) else (bounds[1] if bounds else None)
            c, v, far = _light(values[light], counts[light], group, low, high, (left >= 0, right < len(values)))
            v = _rounded_masses(v, decimals) if decimals is not None and half else v
            if whole:  # bit for bit between its neighbours
                v = same_type(v, values)
                v = np.maximum(v, values[left] + 1) if left >= 0 else v
                v = np.minimum(v, values[right] - 1) if right < len(values) else v
            knots.append(v)
            cum.append(before[left + 1] + c)
            jumps.append(before[left + 1] + far)
    all_knots, all_cum = np.concatenate(knots), np.concatenate(cum) / total
    all_cum[0], all_cum[-1] = 0.0, 1.0
    all_knots = np.maximum.accumulate(all_knots)
    mass = (all_knots[1:] == all_knots[:-1]) & (np.diff(all_cum) > 0)
    return all_cum, all_knots, np.append(mass, False), np.concatenate([np.empty(0), *jumps]) / total


def _masses(
    before: np.ndarray, marks: np.ndarray, borders: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """((m,) where each point mass starts, (m,) where it stops, (m+1,) which stretches between them are too few to be
    told and are counted with the masses beside them)."""
    weight = before[borders[1:]] - before[borders[:-1] + 1]
    joins = (weight < k) & (len(marks) > 0)
    given = np.where(joins, weight, 0.0)
    left_one = np.append(np.floor(given[1:-1] / 2), given[-1:])  # whole rows: half a row would tell of one in between
    starts = before[marks] - given[:-1] + np.append(0, left_one[:-1])[: len(marks)]
    return starts, before[marks + 1] + left_one, joins


def _rounded_masses(knots: np.ndarray, decimals: int) -> np.ndarray:
    """The knots of flat steps as the column writes its values."""
    flat = knots[1:] == knots[:-1]
    return np.where(np.append(flat, False) | np.append(False, flat), np.round(knots, decimals), knots)


def _light(
    values: np.ndarray, counts: np.ndarray, group: float, low: float | None, high: float | None, near: tuple[bool, bool]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(cum, knots, jumps) of a stretch without point masses, in rows from its beginning, between ``low`` and ``high``
    (None at an end of the column); ``near`` says which of them are point masses."""
    cuts = _breaks(values.astype(np.float64), counts, group)
    edges = [0, *cuts, len(values)]
    cum, knots, seen = [], [], 0.0
    for begin, end in pairwise(edges):
        part = slice(begin, end)
        c, v = _piece(values[part], counts[part], group, low if begin == 0 else -np.inf,
                      high if end == len(values) else np.inf, (near[0] or begin > 0, near[1] or end < len(values)))
        cum.append(seen + c)
        knots.append(v)
        seen += c[-1]
    return np.concatenate(cum), np.concatenate(knots), np.array([c[0] for c in cum[1:]])


def _breaks(values: np.ndarray, counts: np.ndarray, group: float) -> list[int]:
    """Where a stretch of values is cut at gaps: each is the first value behind a gap, and no part has fewer than
    ``group`` rows."""
    rows = np.cumsum(counts)
    behind, ahead = rows[:-1] - group, rows[:-1] + group
    fine = (behind >= 0) & (ahead <= rows[-1])
    first = np.searchsorted(rows, behind, "right")
    last = np.minimum(np.searchsorted(rows, ahead, "left"), len(values) - 1)
    span = np.maximum(values[:-1] / 2 - values[first] / 2, values[last] / 2 - values[1:] / 2)  # halves: no overflow
    found, held = [], 0.0
    for i in np.flatnonzero(fine & (values[1:] / 2 - values[:-1] / 2 > WIDE * span) & (span > 0)):
        if rows[i] - held >= group:
            found.append(int(i) + 1)
            held = rows[i]
    return found


def _piece(
    values: np.ndarray, counts: np.ndarray, group: float, low: float | None, high: float | None, free: tuple[bool, bool]
) -> tuple[np.ndarray, np.ndarray]:
    """(cum, knots) of values without a gap.

    An end at which ``low`` or ``high`` is None is the mean of the outermost group. A ``free`` end lies where its group
    lets it, and not beyond them: as far to that side of the mean as the group reaches to its other, so that it keeps
    its mean (√3 spreads, where there is one group). Any other end is ``low`` or ``high``.
    """
    label = _groups(counts, counts.sum() / max(1, int(counts.sum() // group)), group)
    mass = np.bincount(label, counts)
    mean = np.bincount(label, counts * values) / mass
    border = mean[:-1] / 2 + mean[1:] / 2
    spread = (3 * np.bincount(label, counts * (values - mean[label]) ** 2) / mass) ** 0.5
    reach = (border[0] - mean[0], mean[-1] - border[-1]) if len(border) else (spread[0], spread[0])
    first = mean[0] if low is None else max(low, mean[0] - reach[0]) if free[0] else low
    last = mean[-1] if high is None else min(high, mean[-1] + reach[1]) if free[1] else high
    first = max(first, 0.0) if free[0] and values[0] >= 0 else first
    return np.concatenate([[0.0], np.cumsum(mass)]), np.concatenate([[first], border, [last]])


def alphabet(
    cum: np.ndarray, knots: np.ndarray, mass: np.ndarray, jumps: np.ndarray, codes: int, total: float, k: int
) -> np.ndarray:
    """Where codes are cut: around atoms, at jumps, and at equal mass between them, never inside a point mass.

    A cut that would leave fewer than k rows on either side of it is not made.
    """
    starts = np.flatnonzero(mass)
    weight = cum[starts + 1] - cum[starts]
    atom = np.ones(len(starts), bool) if len(starts) <= codes // 2 else weight >= 1 / codes
    jumps = jumps if len(jumps) <= codes // 4 else jumps[:0]
    fixed = np.unique(np.concatenate([[0.0, 1.0], jumps, cum[starts[atom]], cum[starts[atom] + 1]]))
    inside = set(cum[starts[atom]].tolist())
    edges = [0.0]
    least = k / total * (1 - 1e-9)
    low_mass, high_mass = cum[starts[~atom]], cum[starts[~atom] + 1]
    for low, high in pairwise(fixed):
        if high - edges[-1] < least:  # less than a row of rounding
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
                if at - edges[-1] >= least and high - at >= least:
                    edges.append(at)
        edges.append(float(high))
    edges[-1] = 1.0
    return np.array(edges)


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
