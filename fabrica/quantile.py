"""How a quantile function is learned from a tally: point masses, groups of at least k rows, and where codes are cut.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fabrica.gaps import Piece, pieces
from fabrica.kernels import kernel
from fabrica.tally import KNOTS, Tally, same

__all__ = ["edges", "groups", "quantile_function"]


def quantile_function(
    tally: Tally, k: int, bounds: tuple[float, float] | None, decimals: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(cum, knots, mass): mass[i] says that the step from knot i to i+1 is a point mass.

    What lies between point masses begins half a rounding step beside them, so that rounding adds nothing to them. At a
    wide gap the function jumps: two knots at one cumulative probability.
    """
    values, counts = tally.values, tally.counts
    half = 1.0 if values.dtype.kind == "i" else 0.0 if decimals is None or decimals > 15 else 0.5 * 10.0**-decimals
    group = max(k, counts.sum() / KNOTS)
    knots: list[np.ndarray] = []
    cum: list[np.ndarray] = []
    begin = 0.0
    for piece in pieces(tally, k):
        if piece.mass:
            v, rows = values[[piece.first, piece.first]], np.array([0.0, counts[piece.first]])
        else:
            rows, v = _stretch(values, counts, piece, group, half, bounds)
            v = np.round(v, decimals) if decimals is not None and half and v[0] == v[-1] else v
        rows[1:] += piece.before
        rows[-1] += piece.after
        knots.append(v)
        cum.append(begin + rows)
        begin += rows[-1]
    all_knots, all_cum = np.maximum.accumulate(np.concatenate(knots)), np.concatenate(cum) / counts.sum()
    all_cum[0], all_cum[-1] = 0.0, 1.0
    mass = (all_knots[1:] == all_knots[:-1]) & (np.diff(all_cum) > 0)
    return all_cum, all_knots, np.append(mass, False)


def _stretch(
    values: np.ndarray, counts: np.ndarray, piece: Piece, group: float, half: float, bounds: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray]:
    """(rows, knots) of a piece that is no point mass, between the masses beside it or the declared bounds."""
    light, (i, j) = slice(piece.first, piece.last + 1), (piece.first - 1, piece.last + 1)
    inner = i >= 0, j < len(values)
    low = float(values[i]) + half if inner[0] else bounds[0] if bounds else None
    high = float(values[j]) - half if inner[1] else bounds[1] if bounds else None
    rows, v = _light(values[light].astype(np.float64), counts[light], group, (low, high), inner, piece.far)
    if values.dtype.kind != "i":
        return rows, v
    v = same(v, values)  # bit for bit between its neighbours
    v = np.maximum(v, values[i] + 1) if inner[0] else v
    return rows, np.minimum(v, values[j] - 1) if inner[1] else v


def _light(
    values: np.ndarray,
    counts: np.ndarray,
    group: float,
    limits: tuple[float | None, float | None],
    inner: tuple[bool, bool],
    far: tuple[bool, bool],
) -> tuple[np.ndarray, np.ndarray]:
    """(rows, knots) of a stretch without point masses between its ``limits`` (None at an end of the column).

    Where a point mass is near an ``inner`` end, the group beside it keeps its mean: it reaches as far to that side as
    to its other. Where an end is ``far`` from all others, it is half the mean deviation beyond the group's mean: surely
    within its rows, and told by no single one of them.
    """
    tiny = 2.0**-64 if np.abs(values[[0, -1]]).max() > 1e280 else 1.0  # so that sums of huge numbers are numbers
    low, high = (None if x is None else x * tiny for x in limits)
    mass, mean, spread = _means(values * tiny, counts, group)
    border = (mean[1:] + mean[:-1]) / 2
    first, last = mean[0] if low is None else low, mean[-1] if high is None else high
    reach = (border[0] if len(border) else last) - mean[0], mean[-1] - (border[-1] if len(border) else first)
    first = max(first, mean[0] - reach[0]) if inner[0] and reach[0] > 0 else first
    last = min(last, mean[-1] + reach[1]) if inner[1] and reach[1] > 0 else last
    first, last = mean[0] - spread[0] / 2 if far[0] else first, mean[-1] + spread[-1] / 2 if far[1] else last
    return np.concatenate([[0.0], np.cumsum(mass)]), np.concatenate([[first], border, [last]]) / tiny


def _means(values: np.ndarray, counts: np.ndarray, group: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, mean, mean deviation) of groups of about ``group`` rows or more."""
    label = groups(counts, counts.sum() / max(1, int(counts.sum() // group)), group)
    rows = np.bincount(label, counts)
    mean = np.bincount(label, counts * values) / rows
    return rows, mean, np.bincount(label, counts * np.abs(values - mean[label])) / rows


def edges(cum: np.ndarray, knots: np.ndarray, mass: np.ndarray, codes: int, total: float, k: int) -> np.ndarray:
    """Where codes are cut: around atoms, at gaps, and at equal mass between them, never inside a point mass.

    A cut that would leave fewer than k rows on either side of it is not made.
    """
    starts = np.flatnonzero(mass)
    weight = cum[starts + 1] - cum[starts]
    atom = np.ones(len(starts), bool) if len(starts) <= codes // 2 else weight >= 1 / codes
    jumps = cum[:-1][(cum[1:] == cum[:-1]) & (knots[1:] > knots[:-1])]
    jumps = np.setdiff1d(jumps, cum[np.concatenate([starts, starts + 1])])
    jumps = jumps if len(jumps) <= codes // 8 else jumps[:0]
    fixed = np.unique(np.concatenate([[0.0, 1.0], cum[starts[atom]], cum[starts[atom] + 1], jumps]))
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
def groups(counts, aim, least):  # type: ignore[no-untyped-def]
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
