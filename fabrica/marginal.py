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

__all__ = ["Counted", "Marginal"]

KNOTS = 4096  #: groups of rows whose borders are kept, at most
DISTINCT = 1 << 18  #: distinct values that a survey keeps, at most


@dataclass(frozen=True)
class Counted:
    """Sorted distinct ``values`` (d,) float64 with their ``counts`` (d,) float64: what a survey of numbers keeps.

    Above ``DISTINCT`` values, light neighbours are joined at their mean; values that hold more than 1/4096 of the rows
    stay exact, so the error of any cumulative probability stays below 1/100,000 per merge.
    """

    values: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Counted:
        """Count the finite numbers of one part."""
        v, c = np.unique(values, return_counts=True)
        return cls(v.astype(np.float64) + 0.0, c.astype(np.float64)).thinned()

    def merge(self, other: Counted) -> Counted:
        v, where = np.unique(np.concatenate([self.values, other.values]), return_inverse=True)
        return Counted(v, np.bincount(where, np.concatenate([self.counts, other.counts]), len(v))).thinned()

    def thinned(self) -> Counted:
        if len(self.values) <= DISTINCT:
            return self
        heavy = self.counts > self.counts.sum() / 4096
        group = np.cumsum(heavy | np.roll(heavy, 1) | (np.arange(len(heavy)) % 2 == 0))
        counts = np.bincount(group, self.counts)[1:]
        values = np.bincount(group, self.values * self.counts)[1:] / counts
        alone = np.bincount(group)[1:] == 1
        values[alone] = self.values[np.r_[True, np.diff(group) > 0]][alone]
        return Counted(values, counts).thinned()

    @property
    def total(self) -> float:
        return float(self.counts.sum())


@dataclass(frozen=True)
class Marginal:
    """A quantile function and its alphabet.

    Parameters
    ----------
    cum, knots : (m,) cumulative probabilities, ascending from 0 to 1, and the values there, ascending.
    edges : (B+1,) cumulative probabilities where the codes are cut.
    decimals : digits that interpolated values are rounded to; None to leave them.

    >>> m = Marginal.learn(Counted.of(np.repeat([1.0, 2.0, 5.0], [10, 20, 70])), codes=8)
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
        counted: Counted,
        *,
        codes: int = 512,
        k: int = 5,
        decimals: int | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> Marginal:
        """Learn from counted values; at most about ``codes`` codes, nothing stored for fewer than ``k`` rows.

        Of fewer than ``k`` rows nothing is known but the declared ``bounds``; without them that is a ``ValueError``.
        """
        values, counts, total = counted.values, counted.counts, counted.total
        if total < max(1, k):
            if bounds is None:
                raise ValueError("a marginal needs at least k values")
            return cls(np.array([0.0, 1.0]), np.array(bounds, np.float64), np.array([0.0, 1.0]), decimals)
        point = counts >= max(k, total / (2 * KNOTS))
        cum, knots, mass = _quantile_function(values, counts, point, k, bounds, decimals)
        edges = _edges(cum, knots, mass, codes, total, k)
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
        gap = self.knots[high] - self.knots[low]
        share = np.where(gap > 0, (values - self.knots[low]) / np.where(gap > 0, gap, 1), 0.0)
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
        knots = sound.array(state, "knots", size=len(cum), ascending=True)
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
    half = 0.0 if decimals is None or decimals > 15 else 0.5 * 10.0**-decimals
    total = counts.sum()
    before = np.concatenate([[0.0], np.cumsum(counts)])
    marks = np.flatnonzero(point)
    knots: list[np.ndarray] = []
    cum: list[np.ndarray] = []
    borders = np.concatenate([[-1], marks, [len(values)]])
    group = max(k, total / KNOTS)
    for left, right in pairwise(borders):
        if left >= 0:
            knots.append(values[[left, left]])
            cum.append(before[[left, left + 1]])
        if right - left > 1:
            light = slice(left + 1, right)
            low = values[left] + half if left >= 0 else (bounds[0] if bounds else None)
            high = values[right] - half if right < len(values) else (bounds[1] if bounds else None)
            c, v = _light(values[light], counts[light], group, low, high, k)
            knots.append(np.round(v, decimals) if decimals is not None and half and len(v) and v[0] == v[-1] else v)
            cum.append(before[left + 1] + c)
    all_knots, all_cum = np.concatenate(knots), np.concatenate(cum) / total
    all_cum[0], all_cum[-1] = 0.0, 1.0  # fewer than k rows beyond the last mass are counted with it
    mass = (np.diff(all_knots) == 0) & (np.diff(all_cum) > 0)
    return all_cum, np.maximum.accumulate(all_knots), np.append(mass, False)


def _light(
    values: np.ndarray, counts: np.ndarray, group: float, low: float | None, high: float | None, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """(cum, knots) of a stretch without point masses between ``low`` and ``high`` (None at an end of the column)."""
    weight = counts.sum()
    groups = int(weight // group)
    if groups < 1:
        if low is None or high is None:
            return np.empty(0), np.empty(0)
        return np.array([0.0, weight]), np.array([low, high])
    label = _groups(counts, weight / groups, group)
    mass = np.bincount(label, counts)
    mean = np.bincount(label, counts * values) / mass
    border = (mean[1:] + mean[:-1]) / 2
    first = mean[0] if low is None else low
    last = mean[-1] if high is None else high
    return np.concatenate([[0.0], np.cumsum(mass)]), np.concatenate([[first], border, [last]])


def _edges(cum: np.ndarray, knots: np.ndarray, mass: np.ndarray, codes: int, total: float, k: int) -> np.ndarray:
    """Where codes are cut: around atoms, and at equal mass between them, never inside a point mass."""
    starts = np.flatnonzero(mass)
    weight = cum[starts + 1] - cum[starts]
    atom = np.ones(len(starts), bool) if len(starts) <= codes // 2 else weight >= 1 / codes
    fixed = np.unique(np.concatenate([[0.0, 1.0], cum[starts[atom]], cum[starts[atom] + 1]]))
    inside = set(cum[starts[atom]].tolist())
    cuts = [fixed]
    low_mass, high_mass = cum[starts[~atom]], cum[starts[~atom] + 1]
    for low, high in pairwise(fixed):
        pieces = min(round((high - low) * codes), int((high - low) * total / k))
        if low in inside or pieces < 2:
            continue
        cut = np.linspace(low, high, pieces + 1)[1:-1]
        if len(low_mass):  # a cut inside a point mass moves to the nearer end of it
            i = np.clip(np.searchsorted(low_mass, cut, "right") - 1, 0, None)
            within = (cut > low_mass[i]) & (cut < high_mass[i])
            nearer = np.where(cut - low_mass[i] < high_mass[i] - cut, low_mass[i], high_mass[i])
            cut = np.where(within, nearer, cut)
        cuts.append(cut[(cut > low) & (cut < high)])
    edges = np.unique(np.concatenate(cuts))
    keep = np.concatenate([[True], np.diff(edges) > 1e-12])
    return edges[keep]


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
            v = low + (high - low) * ((u - cum[j]) / width if width > 0 else 0.0)
            if scale == scale:
                v = np.floor(v * scale + 0.5) / scale
            out[i] = v
    return out
