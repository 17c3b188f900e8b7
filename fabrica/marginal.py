"""The learned marginal of a numeric column: a quantile function that is linear in pieces and flat at point masses.

``knots[i]`` is the value at cumulative probability ``cum[i]``. A value held by at least k rows is a point mass: two
neighbouring knots are equal, and every draw that falls between them returns it bit for bit. The rows between point
masses are averaged in groups of at least k (microaggregation; Domingo-Ferrer and Mateo-Sanz, IEEE TKDE 2002) and the
groups' borders are the knots, so no stored number belongs to fewer than k rows; the ends are means of the k extreme
rows, never the extremes. The alphabet cuts [0, 1] at ``edges`` into codes: heavy point masses are codes of their own
(atoms), the rest has equal mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fabrica import sound
from fabrica.kernels import kernel
from fabrica.state import State

__all__ = ["Marginal", "Tally"]

KNOTS = 4096  #: groups of rows whose borders are kept, at most
DISTINCT = 1 << 18  #: distinct values that a survey keeps, at most
EXACT = 1 << 53  #: whole numbers beyond it are kept in 64-bit integers: a float64 would lose their last digits


@dataclass(frozen=True)
class Tally:
    """Sorted distinct ``values`` (d,) with their ``counts`` (d,) float64: what a survey of numbers keeps.

    Values are float64, or int64 where whole numbers are beyond 2^53. Above ``DISTINCT`` values, light neighbours are
    joined at their mean, which is ``merged`` (d,) and never taken for a value that somebody has; values that hold more
    than 1/32768 of the rows stay exact (four times less than a point mass needs, so that a mass survives parts in which
    it is rarer), and the error of any cumulative probability stays below 1/10,000 per merge.
    """

    values: np.ndarray
    counts: np.ndarray
    merged: np.ndarray | None = None  # None: no value is a mean

    @classmethod
    def of(cls, values: np.ndarray) -> Tally:
        """Count the finite numbers of one part."""
        v, c = np.unique(values, return_counts=True)
        far = v.dtype.kind == "i" and len(v) and (v[0] < -EXACT or v[-1] > EXACT)
        return cls(v.astype(np.int64) if far else v.astype(np.float64) + 0.0, c.astype(np.float64)).thinned()

    def merge(self, other: Tally) -> Tally:
        if not len(self.values) or not len(other.values):
            return self if len(self.values) else other
        counts = np.concatenate([self.counts, other.counts])
        values = np.concatenate(_alike(self.values, other.values))
        mean = np.concatenate([self._mean, other._mean])
        order = np.lexsort((mean, values))
        values, counts, mean = values[order], counts[order], mean[order]
        new = np.concatenate([[True], (values[1:] != values[:-1]) | (mean[1:] != mean[:-1])])
        counts = np.bincount(np.cumsum(new) - 1, counts)
        return Tally(values[new], counts, mean[new] if mean.any() else None).thinned()

    def thinned(self) -> Tally:
        if len(self.values) <= DISTINCT:
            return self
        heavy = (self.counts >= self.counts.sum() / (8 * KNOTS)) & ~self._mean
        begins = heavy | np.roll(heavy, 1) | (np.arange(len(heavy)) % 2 == 0)
        begins[0] = True
        group = np.cumsum(begins) - 1
        counts = np.bincount(group, self.counts)
        mean = np.bincount(group, self.values * self.counts) / counts
        alone = np.bincount(group) == 1
        values = np.where(alone, self.values[begins], _same(mean, self.values))
        merged = np.where(alone, self._mean[begins], True)
        order = np.lexsort((merged, values))  # the mean of far whole numbers is rounded
        return Tally(values[order], counts[order], merged[order]).thinned()

    @property
    def _mean(self) -> np.ndarray:
        return np.zeros(len(self.values), bool) if self.merged is None else self.merged

    @property
    def total(self) -> float:
        return float(self.counts.sum())

    def points(self, k: int) -> np.ndarray:
        """(d,) whether k rows or more hold a value, enough of them to be a point mass."""
        return (self.counts >= max(k, self.total / (2 * KNOTS))) & ~self._mean


def _same(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Float64 ``values`` rounded to int64 if ``like`` is."""
    if like.dtype.kind != "i":
        return values
    return np.clip(np.round(values), -(2.0**63), np.nextafter(2.0**63, 0)).astype(np.int64)


def _alike(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as int64 if one of them is."""
    return _same(one, other) if one.dtype.kind == "f" else one, _same(other, one) if other.dtype.kind == "f" else other


@dataclass(frozen=True)
class Marginal:
    """A quantile function and its alphabet.

    Parameters
    ----------
    cum, knots : (m,) cumulative probabilities, ascending from 0 to 1, and the values there, ascending; int64 values
        where whole numbers are beyond 2^53.
    edges : (B+1,) cumulative probabilities where the codes are cut; no code stands for fewer than k rows.
    decimals : digits that interpolated values are rounded to; None to leave them.

    >>> m = Marginal.learn(Tally.of(np.repeat([1.0, 2.0, 5.0], [10, 20, 70])), codes=8)
    >>> m.size, m.decode(np.array([0, 1, 2]), np.zeros(3)).tolist()
    (3, [1.0, 2.0, 5.0])
    """

    cum: np.ndarray
    knots: np.ndarray
    edges: np.ndarray
    decimals: int | None = None

    @classmethod
    def learn(
        cls,
        tally: Tally,
        *,
        codes: int = 512,
        k: int = 5,
        decimals: int | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> Marginal:
        """Learn from tallied values; at most about ``codes`` codes, nothing stored for fewer than ``k`` rows.

        Of fewer than ``k`` rows nothing is known but the declared ``bounds``; without them that is a ``ValueError``.
        """
        total = tally.total
        if total < max(1, k):
            if bounds is None:
                raise ValueError("a marginal needs at least k values")
            return cls(np.array([0.0, 1.0]), np.array(bounds, np.float64), np.array([0.0, 1.0]), decimals)
        cum, knots, mass = _quantile_function(tally.values, tally.counts, tally.points(k), k, bounds, decimals)
        edges = _edges(cum, knots, mass, codes, total, k)
        assert np.diff(edges).min() * total > k * (1 - 1e-6), "no code stands for fewer than k rows"
        return cls(cum, knots, edges, decimals)

    @property
    def size(self) -> int:
        return len(self.edges) - 1

    @property
    def middle(self) -> np.ndarray:
        """(B,) the cumulative probability in the middle of each code."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def atoms(self) -> np.ndarray:
        """(B,) whether a code is one single value."""
        low = np.searchsorted(self.cum, self.edges[:-1], side="right") - 1
        return (self.knots[low] == self.knots[np.minimum(low + 1, len(self.knots) - 1)]) & (
            self.cum[np.minimum(low + 1, len(self.cum) - 1)] >= self.edges[1:] - 1e-12)

    def position(self, values: np.ndarray) -> np.ndarray:
        """(n,) cumulative probability of each value; the middle of its mass for a point mass."""
        left, right = np.searchsorted(self.knots, values, "left"), np.searchsorted(self.knots, values, "right")
        last = len(self.knots) - 1
        low, high = np.clip(left - 1, 0, last), np.clip(left, 0, last)
        begin = self.knots[low].astype(np.float64) / 2  # halves: the distance of two huge numbers is still a number
        gap = self.knots[high] / 2 - begin
        inside = np.clip(values, self.knots[0], self.knots[-1]) / 2
        share = np.where(gap > 0, (inside - begin) / np.where(gap > 0, gap, 1), 0.0)
        between = self.cum[low] + np.clip(share, 0, 1) * (self.cum[high] - self.cum[low])
        exact = (self.cum[np.clip(left, 0, last)] + self.cum[np.clip(right - 1, 0, last)]) / 2
        return np.where(right > left, exact, between)

    def code(self, position: np.ndarray) -> np.ndarray:
        """(n,) the code of each position."""
        return np.clip(np.searchsorted(self.edges, position, "right") - 1, 0, self.size - 1)

    def decode(self, codes: np.ndarray, within: np.ndarray) -> np.ndarray:
        """(n,) values at the share ``within`` (n,) in [0, 1) of each code."""
        return self.value(_spread(codes, within, self.edges))

    def value(self, position: np.ndarray) -> np.ndarray:
        """(n,) the value at each cumulative probability: point masses bit for bit, the rest rounded to the decimals."""
        if self.knots.dtype.kind == "i":
            return _far_quantile(np.ascontiguousarray(position, np.float64), self.cum, self.knots, self._guide)
        scale = np.nan if self.decimals is None or self.decimals > 15 else 10.0**self.decimals
        return _quantile(np.ascontiguousarray(position, np.float64), self.cum, self.knots, self._guide, scale)

    @property
    def _guide(self) -> np.ndarray:
        """(1025,) first knot at or after each 1/1024 of probability: where the search starts."""
        return np.searchsorted(self.cum, np.linspace(0, 1, 1025), "right").astype(np.int64)

    def state(self) -> State:
        return State({"decimals": self.decimals}, {"cum": self.cum, "knots": self.knots, "edges": self.edges})

    @classmethod
    def from_state(cls, state: State) -> Marginal:
        """Read and check: a marginal that is not monotone, finite and of matching sizes is a ``ModelFileError``."""
        cum = sound.array(state, "cum", low=0, high=1, ascending=True)
        far = isinstance(found := state.arrays.get("knots"), np.ndarray) and found.dtype == np.int64
        knots = sound.array(state, "knots", size=len(cum), ascending=True, kind=np.int64 if far else np.float64)
        edges = sound.array(state, "edges", low=0, high=1, ascending=True)
        sound.demand(len(cum) > 1 and len(edges) > 1, "a marginal without values")
        decimals = sound.plain(state, "decimals", (int, type(None)))
        sound.demand(decimals is None or -300 <= decimals <= 300, "a number of decimals that makes no sense")
        return cls(cum, knots, edges, decimals)


def _quantile_function(
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
                v = _same(v, values)
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


def _edges(cum: np.ndarray, knots: np.ndarray, mass: np.ndarray, codes: int, total: float, k: int) -> np.ndarray:
    """Where codes are cut: around atoms, and at equal mass between them, never inside a point mass.

    A cut that would leave fewer than k rows on either side of it is not made.
    """
    starts = np.flatnonzero(mass)
    weight = cum[starts + 1] - cum[starts]
    atom = np.ones(len(starts), bool) if len(starts) <= codes // 2 else weight >= 1 / codes
    fixed = np.unique(np.concatenate([[0.0, 1.0], cum[starts[atom]], cum[starts[atom] + 1]]))
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


@kernel
def _spread(codes, within, edges):  # type: ignore[no-untyped-def]
    out = np.empty(len(codes), np.float64)
    last = len(edges) - 2
    for i in range(len(codes)):
        c = min(max(int(codes[i]), 0), last)
        out[i] = edges[c] + within[i] * (edges[c + 1] - edges[c])
    return out


@kernel
def _quantile(position, cum, knots, guide, scale):  # type: ignore[no-untyped-def]
    out = np.empty(len(position), np.float64)
    last = len(cum) - 1
    for i in range(len(position)):
        u = position[i]
        j = guide[min(max(int(u * 1024), 0), 1024)] - 1
        j = min(max(j, 0), last - 1)
        while j < last - 1 and cum[j + 1] <= u:
            j += 1
        low, high = knots[j], knots[j + 1]
        if low == high:
            out[i] = low
        else:
            width = cum[j + 1] - cum[j]
            share = (u - cum[j]) / width if width > 0 else 0.0
            v = low + (high - low) * share if high - low < np.inf else low * (1 - share) + high * share
            if scale == scale:
                v = np.floor(v * scale + 0.5) / scale
            out[i] = v
    return out


@kernel
def _far_quantile(position, cum, knots, guide):  # type: ignore[no-untyped-def]
    out = np.empty(len(position), np.int64)
    last = len(cum) - 1
    for i in range(len(position)):
        u = position[i]
        j = guide[min(max(int(u * 1024), 0), 1024)] - 1
        j = min(max(j, 0), last - 1)
        while j < last - 1 and cum[j + 1] <= u:
            j += 1
        low, high = float(knots[j]), float(knots[j + 1])
        width = cum[j + 1] - cum[j]
        share = (u - cum[j]) / width if width > 0 else 0.0
        v = np.floor(low * (1 - share) + high * share + 0.5)
        if knots[j] == knots[j + 1] or not v > low:
            out[i] = knots[j]
        elif v >= high:
            out[i] = knots[j + 1]
        else:
            out[i] = int(v)
    return out
