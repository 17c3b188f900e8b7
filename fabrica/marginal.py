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

import numpy as np

from fabrica import sound
from fabrica.kernels import kernel
from fabrica.quantile import edges, quantile_function
from fabrica.state import State
from fabrica.tally import Tally

__all__ = ["Marginal"]


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
        cum, knots, mass = quantile_function(tally, k, bounds, decimals)
        cuts = edges(cum, knots, mass, codes, total, k)
        assert np.diff(cuts).min() * total > k * (1 - 1e-6), "no code stands for fewer than k rows"
        return cls(cum, knots, cuts, decimals)

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
        """(n,) cumulative probability of each value; the middle of its mass for a point mass. A value in a gap belongs
        to the nearer side."""
        left, right = np.searchsorted(self.knots, values, "left"), np.searchsorted(self.knots, values, "right")
        last = len(self.knots) - 1
        low, high = np.clip(left - 1, 0, last), np.clip(left, 0, last)
        begin = self.knots[low].astype(np.float64) / 2  # halves: the distance of two huge numbers is still a number
        gap = self.knots[high] / 2 - begin
        inside = np.clip(values, self.knots[0], self.knots[-1]) / 2
        share = np.where(gap > 0, (inside - begin) / np.where(gap > 0, gap, 1), 0.0)
        between = self.cum[low] + np.clip(share, 0, 1) * (self.cum[high] - self.cum[low])
        exact = (self.cum[np.clip(left, 0, last)] + self.cum[np.clip(right - 1, 0, last)]) / 2
        return self._beside_gaps(np.where(right > left, exact, between), values)

    def _beside_gaps(self, position: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Positions (n,) a little off the jumps, so that each value is surely on its own side of every gap."""
        low = np.flatnonzero((self.cum[1:] == self.cum[:-1]) & (self.knots[1:] > self.knots[:-1]))
        low = low[(low > 0) & (low < len(self.cum) - 2)]
        if not len(low):
            return position
        below = self.cum[low] - (self.cum[low] - self.cum[low - 1]) / 8
        above = self.cum[low + 1] + (self.cum[low + 2] - self.cum[low + 1]) / 8
        side = np.searchsorted(_middle(self.knots[low], self.knots[low + 1]), values)
        return np.clip(position, np.append(0.0, above)[side], np.append(below, 1.0)[side])

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


def _middle(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,) halfway between ``low`` and ``high`` (n,), and always below ``high``."""
    if low.dtype.kind == "i":
        return low + ((high.view(np.uint64) - low.view(np.uint64) - 1) // 2).astype(np.int64)
    return np.minimum(low / 2 + high / 2, np.nextafter(high, -np.inf))


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
