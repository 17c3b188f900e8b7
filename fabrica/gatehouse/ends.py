"""Ends: real numbers beyond the k-th largest (and below the k-th smallest) that stand in the twin; whether by luck.

*The null.* The twin fills the places beyond the k-th person without regard to where the others stand, and ever more
thinly outwards, but for endings that real numbers like (whole euros, hundreds, full hours). A fresh sample of the same
population does so wherever its tail does not rise. *Luck.* Then a real number ``d`` places beyond the k-th is met with
a probability of at most ``D / w``: ``D`` different numbers of the twin stand in the ``w`` places, half of ``d``, that
end with it, and each of those is filled as often as the last one or more often. Where real numbers have its ending
``lift`` times as often as another, times that: those that enough people reach show it, and an ending counts that they
have surely oftener than the coarser ones explain (Bonferroni over all that are looked at), for the largest of many
lifts is large by luck. Where the k-th longest stay is 90 days, a lone twin number of 412 that
equals a real one has a luck of 1/161; one of 91 has 1. *The test.* Each number that is met counts ``-log2(luck)`` bits,
in quarters, over all ends of all columns; under the null numbers are met independently, and the chance of so many bits
is summed exactly. So one far number that no luck gives tells, and a few near ones tell together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import binom

__all__ = ["Ends", "Met", "chance"]

SHOWN = 1_000  #: different real numbers at either end that show which endings they like
OUTER = 100  #: of them that show which endings the outermost like, which are often rounder
OFTEN = 5  #: of them that must have an ending before it is one that they like
SURE = 0.05  #: chance that any ending is thought to be liked that is not
ENDINGS = tuple(sorted({a * 10**e for a in (1, 6, 36, 864) for e in range(1, 13)}))  #: hundreds, hours, days
QUARTERS = 200  #: of a bit, that a number counts at most


@dataclass(frozen=True)
class Met:
    """A real number that fewer than k people reach: ``luck``, the chance that the twin meets it, whether it has
    (``hit``), and whether it is the ``last`` of its side."""

    luck: float
    hit: bool
    last: bool


def chance(met: Iterable[Met]) -> float:
    """How likely so much is met by luck alone, by the bits of what is met.

    >>> round(chance([Met(1 / 64, True, True)]), 4), round(chance([Met(1 / 2, True, False)] * 2), 4)
    (0.0156, 0.25)
    >>> round(chance([Met(1 / 8, True, True)] + [Met(1 / 8, False, True)] * 19), 4)  # one of twenty columns
    0.9308
    """
    all_of_them = [(one, min(QUARTERS, int(-4 * log2(one.luck)) if one.luck else QUARTERS)) for one in met]
    bits = sum(weight for one, weight in all_of_them if one.hit)
    fewer = np.zeros(bits)  # the chance of each sum below what was found
    fewer[:1] = 1.0
    for one, weight in all_of_them:
        if weight > 0 and one.luck:
            more = np.zeros(bits)
            more[weight:] = fewer[:-weight] * one.luck
            fewer = fewer * (1 - one.luck) + more
    return float(max(0.0, 1.0 - fewer.sum())) if bits else 1.0


@dataclass
class Ends:
    """Who reaches farthest to either side, and how far; ``k`` people of each side are remembered."""

    k: int
    high: dict[object, float] = field(default_factory=dict)
    low: dict[object, float] = field(default_factory=dict)
    shown: tuple[np.ndarray, np.ndarray] = (np.zeros(0), np.zeros(0))
    rows: int = 0

    def add(self, cells: pa.Array, who: pa.Array | None) -> None:
        values = cells.to_numpy(zero_copy_only=False)
        owners: Sequence[object] = range(self.rows, self.rows + len(values)) if who is None else who.to_pylist()
        self.rows += len(values)
        self._reach(self.high, values, owners)
        self._reach(self.low, -values, owners)
        some = np.unique(values)
        high, low = self.shown
        self.shown = np.union1d(high, some[-SHOWN:])[-SHOWN:], np.union1d(low, -some[:SHOWN])[-SHOWN:]

    def _reach(self, end: dict[object, float], values: np.ndarray, owners: Sequence[object]) -> None:
        for place in np.argsort(-values, kind="stable"):
            value, owner = float(values[place]), owners[place]
            if len(end) >= self.k and value <= min(end.values()):
                return
            end[owner] = max(value, end.get(owner, -np.inf))
            if len(end) > self.k:
                del end[min(end, key=end.__getitem__)]

    def few(self, k: int) -> pa.Array:
        """How far those reach who go farther than the ``k``-th to one side."""
        high, low = (_beyond(end, _line(end, k)) for end in (self.high, self.low))
        return pa.array(np.union1d(high, -low))

    def beyond(self, made: pa.Array) -> pa.Array:
        """(n,) bool: the values that go farther than the ``k``-th person to one side."""
        return pc.or_(pc.greater(made, _line(self.high, self.k)), pc.less(made, -_line(self.low, self.k)))

    def met(self, made: np.ndarray, step: float, known: Sequence[float] = ()) -> list[Met]:
        """What luck has to do with each real number beyond the ``k``-th person of either side.

        Parameters
        ----------
        made : different values of the twin, all those beyond. step : how far two values are apart at least, 0 where
            they may be as near as they like. known : values that everybody knows, which tell nothing.
        """
        found = []
        for end, sign, shown in ((self.high, 1.0, self.shown[0]), (self.low, -1.0, self.shown[1])):
            line = _line(end, self.k)
            real = np.setdiff1d(_beyond(end, line), sign * np.array(known, float))
            mine = np.unique(sign * made[sign * made > line])
            if len(real) and len(mine):
                lucks = _lucks(real, mine, line, step, shown) if step else np.zeros(len(real))
                found += [Met(float(luck), value in mine, value == real[-1])
                          for luck, value in zip(lucks, real, strict=True)]
        return found


def _line(end: Mapping[object, float], k: int) -> float:
    return min(end.values()) if len(end) >= k else -np.inf


def _beyond(end: Mapping[object, float], line: float) -> np.ndarray:
    """Different values beyond the line, from near to far."""
    values = np.unique(np.array(list(end.values()), float))
    return values[values > line]


def _lucks(real: np.ndarray, mine: np.ndarray, line: float, step: float, shown: np.ndarray) -> np.ndarray:
    """(r,) the chance that each real number is met by one of ``mine``; all from near to far. The endings that numbers
    like are seen in those within the line: in all that are shown, and in the outermost where those surely like them
    more."""
    stride, known = _stride(shown, step), _places(shown[shown <= line], step)
    start = line / step if np.isfinite(line) else _places(np.array([min(real[0], mine[0])]), step)[0] - stride
    here, made = _places(real, step), _places(mine, step)
    wide = np.maximum(stride, (here - start) / 2)
    there = np.searchsorted(made, here, "right") - np.searchsorted(made, here - wide, "right")
    lift = np.array([_lift(place, known[-OUTER:], _lift(place, known, stride)) for place in here])
    return np.minimum(1.0, there * lift / wide)


def _places(values: np.ndarray, step: float) -> np.ndarray:
    return np.round(values / step)


def _stride(shown: np.ndarray, step: float) -> float:
    """Of how many steps all real numbers of an end are multiples; 1 where there are few of them."""
    apart = np.minimum(np.diff(_places(shown, step)), 2.0**62)
    return float(max(1, np.gcd.reduce(apart.astype(np.int64)))) if len(apart) >= OFTEN else 1.0


def _lift(place: float, known: np.ndarray, lift: float) -> float:
    """How many times as often as by chance known numbers have the endings of one; ``lift`` where they show no more."""
    for ending in ENDINGS:
        there = int((np.mod(known, ending) == np.mod(place, ending)).sum())
        luck = min(1.0, lift / ending)
        if there >= OFTEN and binom.sf(there - 1, len(known), luck) < SURE / len(ENDINGS):
            lift = there / len(known) * ending
    return lift
