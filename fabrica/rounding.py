"""How people round: salaries in hundreds, prices in quarters, weights in fives.

Values that many rows share are point masses and come back as they are. The rows between them are drawn from a smooth
quantile function and would lose the habit: here is learned, in bands from low to high, which share of those rows is a
multiple of each step (heaping; Heitjan and Rubin, JASA 85, 1990), and drawn values are rounded by the same shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fabrica import sound
from fabrica.kernels import kernel
from fabrica.state import State
from fabrica.tally import Tally

__all__ = ["Rounding"]

HALVES = (5, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000, 100_000, 500_000, 1_000_000)  #: each divides the next
QUARTERS = (25, *HALVES[2:])
BANDS, ROWS = 24, 50  #: bands at most, and rows in a band at least
LARGE, CLEAR = 0.05, 4.0  #: share of a band's rows that a step must round, and standard errors, or it is left out
FAR = float(1 << 52)


@dataclass(frozen=True)
class Rounding:
    """Shares of rows rounded to each step.

    steps (S,) ascending, in units of 10^-``decimals``, each dividing the next. bands (B-1,): values that divide the
    bands. shares (B, S): of the rows of a band rounded to each step; the rest is not rounded. masses (m,): values that
    many rows share, ascending; no other value is rounded to or beyond them.

    >>> rounding = Rounding(2, np.array([25.0]), np.empty(0), np.ones((1, 1)), np.array([2.0]))
    >>> rounding.apply(np.array([1.13, 1.99, 2.0, 2.04]), np.full(4, 0.5), (1.0, 9.0)).tolist()
    [1.25, 1.75, 2.0, 2.25]
    """

    decimals: int
    steps: np.ndarray
    bands: np.ndarray
    shares: np.ndarray
    masses: np.ndarray

    @classmethod
    def learn(cls, tally: Tally, decimals: int, k: int) -> Rounding | None:
        """What the rows between point masses say; None where they do not round, or are too large to tell."""
        if tally.values.dtype.kind == "i":  # beyond 2^53
            return None
        point, exact = tally.points(k), np.ones(len(tally.values), bool) if tally.merged is None else ~tally.merged
        light = ~point & exact
        values, counts = tally.values[light], tally.counts[light]
        whole = np.round(values * 10.0**decimals)
        least = max(ROWS, k)
        if counts.sum() < max(least, 0.9 * tally.counts[~point].sum()) or np.abs(whole).max() > FAR:
            return None
        ends = _bands(counts, least)
        steps = np.array(_ladder(whole, counts), np.float64)
        shares = np.stack([_shares(whole[a:b], counts[a:b], steps, k) for a, b in pairwise(ends)])
        used = np.flatnonzero(shares.any(0))
        if not len(used):
            return None
        borders = np.array([_border(values, counts, cut, k) for cut in ends[1:-1]])
        return cls(decimals, steps[used], borders, shares[:, used], tally.values[point])

    def apply(self, values: np.ndarray, chance: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
        """(n,) drawn ``values`` rounded as the rows were, by uniform ``chance`` (n,); never beyond the ``ends``."""
        band = np.searchsorted(self.bands, values, "right")
        return _apply(values, band, chance, np.cumsum(self.shares[:, ::-1], 1), self.steps[::-1].copy(), self.masses,
                      10.0**self.decimals, float(ends[0]), float(ends[1]))

    def words(self) -> str:
        """What is known, for ``fabrica inspect``."""
        step = self.steps[np.argmax(self.shares.mean(0))] / 10.0**self.decimals
        return f"often rounded to {step:g}"

    def state(self) -> State:
        return State({"decimals": self.decimals}, {"steps": self.steps, "bands": self.bands,
                                                   "shares": self.shares.ravel(), "masses": self.masses})

    @classmethod
    def from_state(cls, state: State) -> Rounding:
        steps = sound.array(state, "steps", low=1, high=1e9, ascending=True)
        bands = sound.array(state, "bands", ascending=True)
        shares = sound.array(state, "shares", size=len(steps) * (len(bands) + 1), low=0, high=1)
        sound.demand(len(steps) > 0, "no step to round to")
        table = shares.reshape(-1, len(steps))
        sound.demand(bool((table.sum(1) <= 1 + 1e-9).all()), "shares beyond the whole")
        return cls(sound.whole(state, "decimals", -15, 15), steps, bands, table,
                   sound.array(state, "masses", ascending=True))


def _bands(counts: np.ndarray, least: int) -> np.ndarray:
    """(B+1,) where bands of about equal and enough rows begin among the values, and the end."""
    rows = np.cumsum(counts)
    count = int(np.clip(rows[-1] // (2 * least), 1, BANDS))
    cuts = np.searchsorted(rows, rows[-1] * np.arange(1, count) / count) + 1
    cuts = [0, *np.unique(cuts[cuts < len(counts)]), len(counts)]
    kept = [0]
    for cut in cuts[1:-1]:
        if min(rows[cut - 1] - (rows[kept[-1] - 1] if kept[-1] else 0), rows[-1] - rows[cut - 1]) >= least:
            kept.append(int(cut))
    return np.array([*kept, len(counts)])


def _border(values: np.ndarray, counts: np.ndarray, cut: int, k: int) -> float:
    """Half way between the mean of the k rows before a cut and that of the k rows behind it."""
    before, behind = np.cumsum(counts[:cut][::-1])[::-1], np.cumsum(counts[cut:])
    first, last = int((before >= k).sum()) - 1, cut + int((behind < k).sum()) + 1
    means = [np.average(values[part], weights=counts[part]) for part in (slice(first, cut), slice(cut, last))]
    return float(means[0] / 2 + means[1] / 2)


def _ladder(whole: np.ndarray, counts: np.ndarray) -> tuple[int, ...]:
    """Steps of a quarter where rows keep to quarters, and not to tens or fives."""
    total = counts.sum()
    fives, tens, quarters = (counts[whole % s == 0].sum() / total for s in (5, 10, 25))
    by_quarters, by_fives = (25 * quarters - 1) / 24, (5 * fives - 1) / 4
    return QUARTERS if by_quarters > 0.9 * by_fives and by_quarters > 2 * tens - fives + LARGE else HALVES


def _shares(whole: np.ndarray, counts: np.ndarray, steps: np.ndarray, k: int) -> np.ndarray:
    """(S,) which share of rows was rounded to each step, from coarse to fine.

    Of rows rounded to a finer step t, one in s / t is a multiple of s by chance; what is beyond it was rounded to s.
    The share that was rounded to s or coarser follows in closed form from the multiples of s and of the next finer t,
    (s seen(s) - t seen(t)) / (s - t). Of a step of which all rows are multiples nothing is left unrounded.
    """
    total = counts.sum()
    seen = np.array([counts[whole % s == 0].sum() / total for s in steps])
    finer = np.concatenate([[1.0], steps[:-1]])
    rounded = np.clip((steps * seen - finer * np.concatenate([[1.0], seen[:-1]])) / (steps - finer), 0, 1)
    luck = CLEAR * np.sqrt(finer / steps * (1 - finer / steps) / total) * steps / (steps - finer)
    found, coarser = np.zeros(len(steps)), 0.0
    for s in reversed(range(len(steps))):
        share = rounded[s] - coarser
        if share >= max(LARGE, luck[s], k / total):  # else its rows are the next finer step's
            found[s], coarser = share, rounded[s]
    every = np.flatnonzero((1 - seen) * total < k)  # steps of which (nearly) all rows are multiples
    if len(every):
        found[: every[-1]] = 0.0
        found[every[-1]] += 1 - found.sum()
    return found


@kernel
def _apply(values, band, chance, cumulative, steps, masses, scale, least, most):  # type: ignore[no-untyped-def]
    out = values.copy()
    for i in range(len(values)):
        at = np.searchsorted(masses, values[i])
        if at < len(masses) and masses[at] == values[i]:
            continue
        low = masses[at - 1] * scale if at > 0 else least * scale - 1.0
        high = masses[at] * scale if at < len(masses) else most * scale + 1.0
        for s in range(len(steps)):
            if chance[i] >= cumulative[band[i], s]:
                continue
            step = steps[s]
            near = np.floor(values[i] * scale / step + 0.5) * step
            if near <= low + 0.5:
                near += step
            elif near >= high - 0.5:
                near -= step
            if low + 0.5 < near < high - 0.5:  # else the next finer step
                out[i] = near / scale
                break
    return out
