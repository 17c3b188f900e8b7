"""Distributions by the names and parameters of the field, and one column's law: a quantile function and its inverse.

A law is declared, not learned: ``normal`` with ``mean`` and ``std``, ``gamma`` with ``shape`` and ``scale``. Where the
field knows several ways to say the same, each is a *form* (``lognormal`` by the mean and deviation of its values or of
their logarithms). Every value is drawn as the quantile at a position in [0, 1], so a law is exact whatever drew the
position (inverse transform sampling: Devroye, "Non-Uniform Random Variate Generation", 1986, chapter II). Bounds
truncate: the law is that of the values inside them, not a heap at their ends. The quantile functions are SciPy's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fabrica.errors import SchemaError, UnknownName

__all__ = ["HUGE", "LAWS", "OTHERS", "Distribution", "Law", "law", "number"]

FIRST, LAST = 2.0**-60, 1 - 2.0**-53  #: the smallest and the largest position
SUPPORT = 1 << 22  #: values of a discrete law that are kept in a table; beyond it SciPy is asked each time
TAIL = 1e-16  #: mass that a table may leave out at an end
MASS = 1e-9  #: what bounds must hold of the tail that begins at them, or digits would be lost
HUGE = 2.0**62  #: beyond it whole numbers do not fit a column
LOOKED = 65  #: positions at which a law is asked before it is believed
OTHERS = "give other parameters, or `bounds`"

Form = tuple[tuple[str, ...], Callable[..., tuple[str, dict[str, float]]]]


@dataclass(frozen=True)
class Distribution:
    """What it is, its forms, and whether its values are whole numbers.

    A form is the parameters with their ranges (``"std > 0"``) and a function from them to SciPy's name and arguments.
    """

    title: str
    forms: tuple[Form, ...]
    whole: bool = False

    def said(self) -> list[str]:
        """The forms as a person writes them: ``mean, std > 0``."""
        return [", ".join(names) for names, _ in self.forms]


def _moments(mean: float, std: float) -> dict[str, float]:
    """Sigma and scale of the lognormal whose values have this mean and deviation."""
    spread = math.log1p((std / mean) ** 2)
    return {"s": math.sqrt(spread), "scale": mean * math.exp(-spread / 2)}


def _beta(mean: float, std: float) -> dict[str, float]:
    weight = mean * (1 - mean) / std**2 - 1
    if weight <= 0:
        raise SchemaError("`std` must be below the square root of mean * (1 - mean)")
    return {"a": mean * weight, "b": (1 - mean) * weight}


def _between(low: float, high: float) -> dict[str, float]:
    if not low < high:
        raise SchemaError("`low` must be below `high`")
    return {"loc": low, "scale": high - low}


def _peak(low: float, mode: float, high: float) -> float:
    """Where between ``low`` and ``high`` the mode is, as a share."""
    _between(low, high)
    if not low <= mode <= high:
        raise SchemaError("`mode` must be between `low` and `high`")
    return (mode - low) / (high - low)


def _overdispersed(mean: float, std: float) -> dict[str, float]:
    if std**2 <= mean:
        raise SchemaError("`std` must be above the square root of the mean", hint="otherwise take poisson or binomial")
    return {"n": mean**2 / (std**2 - mean), "p": mean / std**2}


#: name -> distribution. What has no scale of its own is not here: levels, dates and keys are columns, not numbers
LAWS: dict[str, Distribution] = {
    "normal": Distribution("the bell curve", (
        (("mean", "std > 0"), lambda mean, std: ("norm", {"loc": mean, "scale": std})),)),
    "lognormal": Distribution("a positive number whose logarithm is normal: incomes, sizes; `mean` and `std` are those "
                              "of the values, `mu` and `sigma` those of their natural logarithms", (
        (("mean > 0", "std > 0"), lambda mean, std: ("lognorm", _moments(mean, std))),
        (("mu", "sigma > 0"), lambda mu, sigma: ("lognorm", {"s": sigma, "scale": math.exp(mu)})),
        (("median > 0", "sigma > 0"), lambda median, sigma: ("lognorm", {"s": sigma, "scale": median})))),
    "uniform": Distribution("every number between two alike", (
        (("low", "high"), lambda low, high: ("uniform", _between(low, high))),)),
    "exponential": Distribution("waiting times without memory", (
        (("mean > 0",), lambda mean: ("expon", {"scale": mean})),
        (("scale > 0",), lambda scale: ("expon", {"scale": scale})),
        (("rate > 0",), lambda rate: ("expon", {"scale": 1 / rate})))),
    "gamma": Distribution("a sum of waiting times: amounts, rain", (
        (("shape > 0", "scale > 0"), lambda shape, scale: ("gamma", {"a": shape, "scale": scale})),
        (("shape > 0", "rate > 0"), lambda shape, rate: ("gamma", {"a": shape, "scale": 1 / rate})),
        (("mean > 0", "std > 0"), lambda mean, std: ("gamma", {"a": (mean / std) ** 2, "scale": std**2 / mean})))),
    "beta": Distribution("a share between 0 and 1", (
        (("a > 0", "b > 0"), lambda a, b: ("beta", {"a": a, "b": b})),
        (("alpha > 0", "beta > 0"), lambda alpha, beta: ("beta", {"a": alpha, "b": beta})),
        (("mean in (0, 1)", "std > 0"), lambda mean, std: ("beta", _beta(mean, std))))),
    "weibull": Distribution("lifetimes that age", (
        (("shape > 0", "scale > 0"), lambda shape, scale: ("weibull_min", {"c": shape, "scale": scale})),)),
    "pareto": Distribution("a power law from `low` on: cities, losses", (
        (("shape > 0", "low > 0"), lambda shape, low: ("pareto", {"b": shape, "scale": low})),
        (("shape > 0", "scale > 0"), lambda shape, scale: ("pareto", {"b": shape, "scale": scale})))),
    "triangular": Distribution("an estimate: least, likeliest, most", (
        (("low", "mode", "high"), lambda low, mode, high: (
            "triang", {"c": _peak(low, mode, high), **_between(low, high)})),)),
    "pert": Distribution("the same, smooth: the beta of project planning", (
        (("low", "mode", "high"), lambda low, mode, high: (
            "beta", {"a": 1 + 4 * _peak(low, mode, high), "b": 5 - 4 * _peak(low, mode, high),
                     **_between(low, high)})),)),
    "student": Distribution("a bell with heavy tails around `mean`: returns", (
        (("df > 0", "mean", "scale > 0"), lambda df, mean, scale: ("t", {"df": df, "loc": mean, "scale": scale})),)),
    "logistic": Distribution("a bell with tails a little heavier than the normal's", (
        (("mean", "scale > 0"), lambda mean, scale: ("logistic", {"loc": mean, "scale": scale})),)),
    "integers": Distribution("every whole number from `low` to `high` alike", (
        (("low whole", "high whole"), lambda low, high: (
            "randint", {"low": low, "high": low + _between(low - 1, high)["scale"]})),), whole=True),
    "poisson": Distribution("counts of rare events", (
        (("mean > 0",), lambda mean: ("poisson", {"mu": mean})),
        (("rate > 0",), lambda rate: ("poisson", {"mu": rate}))), whole=True),
    "binomial": Distribution("successes in `n` trials", (
        (("n whole > 0", "p in [0, 1]"), lambda n, p: ("binom", {"n": n, "p": p})),), whole=True),
    "negative_binomial": Distribution("counts that vary more than Poisson's: failures before the n-th success", (
        (("n > 0", "p in (0, 1]"), lambda n, p: ("nbinom", {"n": n, "p": p})),
        (("mean > 0", "std > 0"), lambda mean, std: ("nbinom", _overdispersed(mean, std)))), whole=True),
    "geometric": Distribution("trials up to the first success, at least 1", (
        (("p in (0, 1]",), lambda p: ("geom", {"p": p})),), whole=True),
}


# ---------------------------------------------------------------- parameters

_RANGES: dict[str, Callable[[float], bool]] = {
    "": lambda v: True, "> 0": lambda v: v > 0, "whole": lambda v: v == int(v),
    "whole > 0": lambda v: v == int(v) and v > 0, "in (0, 1)": lambda v: 0 < v < 1, "in [0, 1]": lambda v: 0 <= v <= 1,
    "in (0, 1]": lambda v: 0 < v <= 1,
}


def number(value: Any, name: str) -> float:
    """A plain finite number out of a specification."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        reads = isinstance(value, str) and _reads(value)  # YAML takes 1e6 for a text
        raise SchemaError(f"`{name}` must be a number",
                          hint=f"write {name}: {value} as a number, such as {float(value)!r}" if reads else None)
    return float(value)


def _reads(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def law(name: str, said: Mapping[str, Any], bounds: tuple[float, float] | None = None) -> Law:
    """The law ``name`` with the parameters ``said``.

    >>> law("normal", {"mean": 10, "std": 2}).values(np.array([0.5])).tolist()
    [10.0]
    """
    if name not in LAWS:
        raise UnknownName("distribution", name, list(LAWS))
    known = LAWS[name]
    for names, make in known.forms:
        plain = [one.partition(" ")[0] for one in names]
        if set(plain) == set(said):
            values = {p: _parameter(p, said[p], text.partition(" ")[2]) for p, text in zip(plain, names, strict=True)}
            try:
                return Law(name, values, bounds, *make(**values))
            except ArithmeticError:
                raise SchemaError(f"this {name} has values that no column can hold", hint=OTHERS) from None
    forms = ", or ".join(f"{{{one}}}" for one in known.said())
    given = ", ".join(map(str, said)) or "none"
    raise SchemaError(f"{name} has other parameters than these: {given}", hint=f"it takes {forms}")


def _parameter(name: str, value: Any, wanted: str) -> float:
    found = number(value, name)
    if not _RANGES[wanted](found):
        raise SchemaError(f"`{name}` must be {wanted.replace('whole', 'a whole number').strip()}, not {value}")
    return found


# ---------------------------------------------------------------- the law of a column


@dataclass(frozen=True)
class Law:
    """One distribution with its parameters, inside bounds.

    name, parameters, bounds : as declared. family, arguments : the same as SciPy says it.
    """

    name: str
    parameters: dict[str, float]
    bounds: tuple[float, float] | None
    family: str
    arguments: dict[str, float]

    def __post_init__(self) -> None:
        with np.errstate(all="ignore"):
            ends = self.values(np.linspace(0, 1, LOOKED))
        if not np.isfinite(ends).all() or (self.whole and np.abs(ends).max() > HUGE):
            raise SchemaError(f"this {self.name} has values that no column can hold", hint=OTHERS)

    @property
    def whole(self) -> bool:
        return LAWS[self.name].whole

    @cached_property
    def steady(self) -> bool:
        """Whether it has a variance, without which a correlation of values says nothing."""
        return self.bounds is not None or bool(np.isfinite(self._frozen.var()))

    @cached_property
    def _frozen(self) -> Any:
        from scipy import stats

        return getattr(stats, self.family)(**self.arguments)

    @cached_property
    def _inside(self) -> tuple[bool, float, float]:
        """Whether the upper tail is looked at, where no digit is lost; the mass beyond either bound on that side."""
        if self.bounds is None:
            return False, 0.0, 1.0
        low, high = self.bounds
        if self.whole:
            low, high = math.ceil(low) - 1.0, math.floor(high)
        elif not low < high:
            raise SchemaError("`bounds` must be [low, high]", hint="for one value take the distribution constant")
        upper = bool(self._frozen.cdf(low) > 0.5)
        first, last = map(float, (self._frozen.sf if upper else self._frozen.cdf)([low, high]))
        if not abs(last - first) > max(MASS * max(first, last), 1e-280):
            raise SchemaError(f"the bounds hold nothing of this {self.name}", hint="widen them")
        return upper, first, last

    @cached_property
    def table(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(values, cumulative probabilities) of a discrete law of few values; else None."""
        if not self.whole:
            return None
        low, high = (float(v) for v in self._asked(np.array([TAIL, 1.0])))
        if not high - low <= SUPPORT:
            return None
        values = np.arange(low, high + 1)
        upper, first, last = self._inside
        mass = (self._frozen.sf if upper else self._frozen.cdf)(values)
        cum = np.clip((mass - first) / (last - first), 0.0, 1.0)
        cum[-1] = 1.0
        return values, np.maximum.accumulate(cum)

    def values(self, position: np.ndarray) -> np.ndarray:
        """(n,) float64 the quantiles at positions (n,) in [0, 1]."""
        if self.table is not None:
            values, cum = self.table
            return values[np.minimum(np.searchsorted(cum, position), len(values) - 1)]
        return self._asked(position)

    def _asked(self, position: np.ndarray) -> np.ndarray:
        """The quantiles as SciPy gives them."""
        upper, first, last = self._inside
        mass = first + np.clip(position, FIRST, LAST) * (last - first)
        found = np.asarray((self._frozen.isf if upper else self._frozen.ppf)(mass), np.float64)
        found = np.maximum(found, self._frozen.support()[0])  # SciPy's quantile of nothing is below it
        if self.bounds is None:
            return found
        low, high = self.bounds
        return np.clip(found, math.ceil(low), math.floor(high)) if self.whole else np.clip(found, low, high)

    def position(self, values: np.ndarray) -> np.ndarray:
        """(n,) the cumulative probability of each value; the middle of its mass for a whole number."""
        upto = self._upto(values)
        return (upto + self._upto(values - 1)) / 2 if self.whole else upto

    def _upto(self, values: np.ndarray) -> np.ndarray:
        upper, first, last = self._inside
        mass = (self._frozen.sf if upper else self._frozen.cdf)(values)
        return np.clip((np.asarray(mass) - first) / (last - first), 0.0, 1.0)

    def words(self) -> str:
        said = ", ".join(f"{name} {value:g}" for name, value in self.parameters.items())
        within = "" if self.bounds is None else f", between {self.bounds[0]:g} and {self.bounds[1]:g}"
        return f"{self.name} with {said}{within}"
