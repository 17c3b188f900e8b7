"""A column learned from noisy counts alone: which of its values are missing, how far they reach, how they lie.

Values lie on a lattice of whole numbers (units, hundredths, days). Where no bounds are public, noisy counts of
magnitudes (0, 1, 2-3, 4-7, … and their negatives) tell how far it reaches; whatever lies beyond counts as its end. A
tree of counts then tells how many lie where (``privacy.histogram``), and its leaves are the column's marginal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from fabrica.block import Told
from fabrica.marginal import Marginal
from fabrica.privacy.histogram import Leaves, leaves, shape
from fabrica.run import Run

__all__ = ["Lattice", "Numbers", "Presence", "clipped", "numbers", "presence", "settled"]

THERE = 3.0  #: standard deviations above which a way of being missing is there
SURE = 4.5  #: and above which a magnitude is: there are two hundred of them
TAIL = 2.0  #: and above which a leaf at an end is, where the ends are nobody's word
LIKELY = 2.5  #: and above which the next one to a sure one is
FAR = 52  #: doublings of the lattice's step within which values lie
NEAR = 40  #: halvings
FINE = 1 << 16  #: steps of a lattice that is laid over numbers with any fraction


@dataclass(frozen=True)
class Presence:
    """How many rows have a value and how many are missing in which way, about.

    Parameters
    ----------
    counts : (256,) at least 0; entry 0 of those that are there; a way that is not surely there counts as none.
    variance : of the noise of each.
    """

    counts: np.ndarray
    variance: float

    @property
    def total(self) -> float:
        return float(self.counts.sum())

    @property
    def share(self) -> np.ndarray:
        """(256,) of each."""
        return self.counts / max(self.total, 1e-9)

    @property
    def markers(self) -> tuple[int, ...]:
        """The ways of being missing that are there, the commonest first."""
        return tuple(int(i) for i in np.argsort(-self.counts[1:], kind="stable") + 1 if self.counts[i] > 0)


def presence(kinds: np.ndarray, ways: int, rho: Fraction, run: Run, what: str) -> Presence:
    """Count which of the ``kinds`` (n,) of being missing (0: not) occur; ``ways`` is how many there may be."""
    noisy, variance = run.noisy(np.bincount(kinds, minlength=1 + ways)[: 1 + ways], rho, f"{what}, missing or not")
    return settled(noisy, variance)


def settled(noisy: np.ndarray, variance: float) -> Presence:
    """Noisy counts of kinds as a ``Presence``."""
    counts = np.zeros(256)
    counts[: len(noisy)] = np.where(noisy > THERE * variance**0.5, noisy, 0.0)
    counts[0] = max(float(noisy[0]), 0.0)
    return Presence(counts if counts.any() else np.eye(256)[0], variance)


@dataclass(frozen=True)
class Lattice:
    """Where values lie: at whole multiples of ``step``; ``exact`` where they do lie there and are not only near it.

    >>> Lattice(0.25, True).places(np.array([1.0, -0.5])).tolist()
    [4, -2]
    """

    step: float
    exact: bool = True

    @classmethod
    def over(cls, low: float, high: float) -> Lattice:
        """For numbers with any fraction: a power of two, of which about ``FINE`` reach from one end to the other."""
        return cls(float(2.0 ** np.ceil(np.log2(max(high - low, 1e-300) / FINE))), False)

    def places(self, values: np.ndarray) -> np.ndarray:
        """(n,) int64."""
        far = 2.0**FAR
        near = np.clip(values, -far * self.step, far * self.step)  # or the quotient of a huge number is none
        return np.clip(np.rint(near / self.step), -far, far).astype(np.int64)


@dataclass(frozen=True)
class Numbers:
    """What is known of a column of numbers: its marginal (None: of no value enough is known), what is missing, and
    the counts of its codes: those of the markers first."""

    marginal: Marginal | None
    presence: Presence
    told: Told


def numbers(values: np.ndarray, kinds: np.ndarray, ways: int, lattice: Lattice | None,
            bounds: tuple[float, float] | None, decimals: int | None, rho: Fraction, run: Run, what: str) -> Numbers:
    """Learn a column of numbers.

    Parameters
    ----------
    values : (n,) of the rows that have one, finite. kinds : (m,) of being missing, of all rows; of ``ways`` ways.
    lattice : where they lie; None for any fraction. bounds : public ends; None where none are.
    decimals : digits that values are rounded to; None to leave them. rho : what it may cost, in zCDP.

    Raises
    ------
    BudgetSpent : the budget does not reach.
    """
    deep = shape(FINE)[0] if lattice is None or bounds is None else shape(_width(lattice, bounds))[0]
    first = rho / (1 + deep)
    if bounds is None:
        unit, near = (1.0, NEAR) if lattice is None else (lattice.step, 0)
        reach, there = _reach(values, kinds, ways, unit, near, first, run, what)
        if reach is None:
            return Numbers(None, there, _markers(there))
    else:
        reach, there = bounds, presence(kinds, ways, first, run, what)
    grid = lattice or Lattice.over(*reach)
    low, high = (int(grid.places(np.array([end]))[0]) for end in reach)
    places = np.clip(grid.places(values), low, high) - low
    found = leaves(places, high - low + 1, there.counts[0], rho - first, run.noisy, what)
    found = _within(found) if bounds is None else found
    marginal, masses = _marginal(found, low, grid, decimals, reach)
    told = _markers(there)
    variance = np.append(told.variance, np.full(len(masses), found.variance))
    return Numbers(marginal, there, Told(np.append(told.counts, masses), variance))


def _width(lattice: Lattice, bounds: tuple[float, float]) -> int:
    low, high = lattice.places(np.array(bounds, np.float64))
    return int(high - low) + 1


def _markers(there: Presence) -> Told:
    counts = there.counts[list(there.markers)]
    return Told(counts, np.full(len(counts), there.variance))


def _reach(values: np.ndarray, kinds: np.ndarray, ways: int, unit: float, near: int, rho: Fraction, run: Run, what: str
           ) -> tuple[tuple[float, float] | None, Presence]:
    """(low, high) between which almost all values lie, None where too few do; and which are missing: one row adds one
    to one of all these counts."""
    classes = _magnitudes(values, unit, near) + FAR + near
    missing = np.bincount(kinds, minlength=1 + ways)[1 : 1 + ways]
    counts = np.concatenate([missing, np.bincount(classes, minlength=2 * (FAR + near) + 1)])
    noisy, variance = run.noisy(counts, rho, f"{what}, missing or of which magnitude")
    there = _there(noisy[ways:], variance**0.5)
    counted = settled(np.append(int(noisy[ways:][there].sum()), noisy[:ways]), variance)
    if not len(there):
        return None, counted
    low, high = (int(place) - FAR - near for place in there[[0, -1]])
    return (_end(low, False, unit, near), _end(high, True, unit, near)), counted


def _magnitudes(values: np.ndarray, unit: float, near: int) -> np.ndarray:
    """(n,) int64: 0, or the doublings of ``unit`` up to the value with its sign; ``near`` halvings of it count too, and
    where none do the values are whole multiples.

    >>> _magnitudes(np.array([0.0, 1.0, 2.0, 3.0, -4.0]), 1.0, 0).tolist()
    [0, 1, 2, 2, -3]
    """
    large = np.clip(np.abs(values), 0, unit * 2.0**FAR) / unit
    exponent = np.clip(np.frexp(large if near else np.rint(large))[1], -near, FAR) + near
    return np.where(large < (2.0**-near if near else 0.5), 0, exponent) * np.sign(values).astype(np.int64)


def _there(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """The classes that some rows are in: those that stand out of the noise, and their neighbours that do so less.

    >>> _there(np.array([1.0, 3.0, 9.0, 0.0, 3.0]), 1.0).tolist()
    [1, 2]
    """
    sure = np.flatnonzero(noisy > SURE * sigma)
    if not len(sure):
        return sure
    first, last = int(sure[0]), int(sure[-1])
    likely = noisy > LIKELY * sigma
    while first > 0 and likely[first - 1]:
        first -= 1
    while last + 1 < len(noisy) and likely[last + 1]:
        last += 1
    return np.concatenate([np.arange(first, sure[0]), sure, np.arange(sure[-1] + 1, last + 1)])


def _end(magnitude: int, upper: bool, unit: float, near: int) -> float:
    """The lowest or the highest value of a class of magnitudes."""
    if not magnitude:
        return 0.0
    big = 2.0 ** (abs(magnitude) - near)
    far = big - 1 if big > 1 else big  # the last whole number below the next power
    return unit * (far if upper else big / 2) if magnitude > 0 else -unit * (big / 2 if upper else far)


def _within(found: Leaves) -> Leaves:
    """The leaves without mass at the ends that is hardly told from noise: a class of magnitudes reaches beyond what its
    values do, and nobody has said how far they may."""
    sigma, keep = found.variance**0.5, np.ones(len(found.mass), bool)
    for order in (slice(None), slice(None, None, -1)):
        mass = found.mass[order]
        sure = (mass > TAIL * sigma) | (np.cumsum(mass) > SURE * sigma)
        keep[order][: int(np.argmax(sure)) if sure.any() else 0] = False
    mass = found.mass * keep
    return replace(found, mass=mass * (found.total / mass.sum())) if mass.any() else found


def _marginal(found: Leaves, low: int, grid: Lattice, decimals: int | None, reach: tuple[float, float]
              ) -> tuple[Marginal, np.ndarray]:
    """The quantile function of the leaves, and the masses of its codes: a leaf with any mass is a code, one of a single
    cell a point mass; over an empty one the function jumps."""
    begin, end = found.edges[:-1] + low, found.edges[1:] + low
    point = (end - begin == 1) & (grid.exact | _alone(found))
    left = np.where(point, begin, begin - 0.5) * grid.step
    right = np.where(point, begin, end - 0.5) * grid.step
    if grid.exact and decimals is not None:  # or three tenths are 0.30000000000000004
        left, right = (np.where(point, np.round(side, decimals), side) for side in (left, right))
    if not grid.exact:
        left, right = np.clip(left, *reach), np.clip(right, *reach)
    upto = np.append(0.0, np.cumsum(found.mass) / found.mass.sum())
    upto[-1] = 1.0
    some = np.diff(upto) > 1e-12
    cum = np.stack([upto[:-1], upto[1:]], 1)[some].ravel()
    knots = np.stack([left, right], 1)[some].ravel()
    cum[0], cum[-1] = 0.0, 1.0
    edges = np.append(cum[::2], 1.0)
    return Marginal(cum, np.maximum.accumulate(knots), edges, decimals), found.mass[some]


def _alone(found: Leaves) -> np.ndarray:
    """(m,) whether a leaf of one cell has no other of the kind beside it: a value of its own and not a fine piece."""
    single = np.diff(found.edges) == 1
    beside = np.append(single[1:], False) & (np.append(found.mass[1:], 0) > found.mass / 8)
    before = np.append(False, single[:-1]) & (np.append(0, found.mass[:-1]) > found.mass / 8)
    return single & ~beside & ~before


def clipped(counts: Sequence[float] | np.ndarray) -> np.ndarray:
    """Shares out of noisy counts: not negative, one in all; even ones where nothing is left."""
    found = np.maximum(np.asarray(counts, np.float64), 0.0)
    return found / found.sum() if found.sum() > 0 else np.full(len(found), 1 / max(len(found), 1))
