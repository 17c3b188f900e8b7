"""What a checked expression computes: nodes that work on whole columns of typed cells.

Truth has three values (Kleene, "Introduction to metamathematics", 1952): what is missing is neither above nor below,
and a row whose truth is not known does not satisfy. Everything is done by Arrow's kernels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Call", "Compare", "Fixed", "Logic", "Look", "Math", "Member", "Null", "Part", "Values", "trimmed"]

Values = Mapping[str, pa.Array]  #: column -> (n,) typed cells as ``notation.read`` gives them

COMPARE: dict[str, Callable[..., Any]] = {
    "==": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}
NEAR = 1e-9  #: share of itself by which computed numbers without known decimals may differ and be equal
DAY = 86_400_000_000  #: microseconds


class Part(ABC):
    """A node: ``sort`` of what it gives, and how it is computed."""

    sort: str

    @abstractmethod
    def of(self, values: Values) -> Any:
        """(n,) Arrow array, or an Arrow scalar."""

    def margins(self, values: Values) -> Iterator[np.ndarray]:
        """(n,) float64 how far each row lies above what it is compared with, NaN where that is not known: for each
        comparison of numbers or moments. Where one changes its sign, truth may change."""
        return iter(())


@dataclass(frozen=True)
class Look(Part):
    """A column: levels as trimmed texts, with an order as their rank; moments as microseconds of the wall clock."""

    name: str
    sort: str
    ranks: tuple[str, ...] = ()

    def of(self, values: Values) -> Any:
        found = values[self.name]
        if self.sort == "ranked":
            return _each(found, lambda pool: pc.index_in(trimmed(pool), pa.array(self.ranks, pa.string())))
        if self.sort == "level":
            return found if pa.types.is_null(found.type) else _each(found, trimmed)
        if self.sort == "moment":
            return ticks(found)
        return found


@dataclass(frozen=True)
class Fixed(Part):
    """One value."""

    scalar: pa.Scalar
    sort: str

    def of(self, values: Values) -> Any:
        return self.scalar


@dataclass(frozen=True)
class Math(Part):
    """Arithmetic; what is no finite number (a division by zero) is not known. Moments differ by days."""

    name: str
    one: Part
    other: Part
    sort: str = "number"

    def of(self, values: Values) -> Any:
        one, other = (part.of(values).cast(pa.float64(), safe=False) for part in (self.one, self.other))
        if self.one.sort == "moment":
            return pc.divide(pc.subtract(one, other), float(DAY))
        if self.name == "%":
            return _finite(pc.subtract(one, pc.multiply(other, pc.floor(pc.divide(one, other)))))
        work = {"+": pc.add, "-": pc.subtract, "*": pc.multiply, "/": pc.divide}[self.name]
        return _finite(work(one, other))


@dataclass(frozen=True)
class Call(Part):
    """A function of the language."""

    name: str
    args: tuple[Part, ...]
    sort: str

    def of(self, values: Values) -> Any:
        return CALLS[self.name](*(part.of(values) for part in self.args))


@dataclass(frozen=True)
class Compare(Part):
    """A comparison; numbers that were computed are equal within ``slack`` (None: within ``NEAR`` of themselves)."""

    name: str
    one: Part
    other: Part
    slack: float | None = 0.0
    sort: str = "truth"

    def margins(self, values: Values) -> Iterator[np.ndarray]:
        yield from _apart(self.one, self.other, values)

    def of(self, values: Values) -> Any:
        if _by_level(self.one, self.other, values):
            column, scalar = values[self.one.name], self.other.of(values)  # type: ignore[attr-defined]
            return _each(column, lambda pool: COMPARE[self.name](trimmed(pool), scalar))
        one, other = self.one.of(values), self.other.of(values)
        if pa.types.is_null(one.type) or pa.types.is_null(other.type):
            return pc.and_kleene(pc.is_valid(one), pa.scalar(None, pa.bool_()))
        if self.slack == 0.0:
            return COMPARE[self.name](one, other)
        one, other = one.cast(pa.float64(), safe=False), other.cast(pa.float64(), safe=False)
        apart = pc.subtract(one, other)
        slack = pc.multiply(pc.add(pc.abs(one), pc.abs(other)), NEAR) if self.slack is None else pa.scalar(self.slack)
        if self.name in ("==", "!="):
            near = pc.less_equal(pc.abs(apart), slack)
            return near if self.name == "==" else pc.invert(near)
        leans = {"<": pc.negate(slack), "<=": slack, ">": slack, ">=": pc.negate(slack)}[self.name]
        return COMPARE[self.name](apart, leans)


@dataclass(frozen=True)
class Member(Part):
    """Whether a value is one of some or lies in a span, both ends included."""

    what: Part
    those: tuple[Part, ...]
    spans: tuple[tuple[Part | None, Part | None], ...] = ()
    sort: str = "truth"

    def margins(self, values: Values) -> Iterator[np.ndarray]:
        for one in (*self.those, *(end for span in self.spans for end in span if end is not None)):
            yield from _apart(self.what, one, values)

    def of(self, values: Values) -> Any:
        if isinstance(self.what, Look) and self.what.sort == "level" and pa.types.is_dictionary(
                values[self.what.name].type):
            return _each(values[self.what.name], lambda pool: self._among(trimmed(pool), values))
        return self._among(self.what.of(values), values)

    def _among(self, what: Any, values: Values) -> Any:
        found = [pc.equal(what, one.of(values)) for one in self.those]
        for low, high in self.spans:
            above = None if low is None else pc.greater_equal(what, low.of(values))
            below = None if high is None else pc.less_equal(what, high.of(values))
            inside = [part for part in (above, below) if part is not None]
            found.append(inside[0] if len(inside) == 1 else pc.and_kleene(*inside))
        return _folded(pc.or_kleene, found)


@dataclass(frozen=True)
class Null(Part):
    """Whether there is no value."""

    what: Part
    sort: str = "truth"

    def of(self, values: Values) -> Any:
        return pc.is_null(self.what.of(values))


@dataclass(frozen=True)
class Logic(Part):
    """``and``, ``or``, ``not``."""

    name: str
    args: tuple[Part, ...]
    sort: str = "truth"

    def margins(self, values: Values) -> Iterator[np.ndarray]:
        for part in self.args:
            yield from part.margins(values)

    def of(self, values: Values) -> Any:
        found = [part.of(values) for part in self.args]
        if self.name == "not":
            return pc.invert(found[0])
        return _folded(pc.and_kleene if self.name == "and" else pc.or_kleene, found)


def _apart(one: Part, other: Part, values: Values) -> Iterator[np.ndarray]:
    """How far one lies above the other, where both are numbers or moments."""
    if {one.sort, other.sort} <= {"number", "moment"}:
        found = [part.of(values) for part in (one, other)]
        if not any(pa.types.is_null(part.type) for part in found):
            apart = pc.subtract(*(part.cast(pa.float64(), safe=False) for part in found))
            if not isinstance(apart, pa.Scalar):
                yield np.asarray(apart.fill_null(float("nan")))


def _folded(work: Callable[..., Any], found: list[Any]) -> Any:
    whole = found[0]
    for one in found[1:]:
        whole = work(whole, one)
    return whole


def _by_level(one: Part, other: Part, values: Values) -> bool:
    """Whether it is enough to look at the distinct levels of a column."""
    return isinstance(one, Look) and one.sort == "level" and isinstance(other, Fixed) and pa.types.is_dictionary(
        values[one.name].type)


def _finite(found: Any) -> Any:
    return pc.if_else(pc.is_finite(found), found, pa.scalar(None, pa.float64()))


def _each(values: Any, work: Callable[[Any], Any]) -> Any:
    """``work`` on the distinct values of a dictionary, else on all."""
    if pa.types.is_dictionary(values.type):
        return work(values.dictionary).take(values.indices)
    return work(values)


def trimmed(texts: Any) -> Any:
    """Texts without space around them."""
    return pc.utf8_trim_whitespace(texts.cast(pa.string()))


def ticks(values: Any) -> Any:
    """Moments (array or scalar) as whole microseconds of the wall clock."""
    kind = values.type
    if pa.types.is_timestamp(kind) and kind.tz:
        values = pc.local_timestamp(values)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return values.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    target = pa.duration("us") if pa.types.is_duration(kind) else pa.time64("us")
    return values.cast(target, safe=False).cast(pa.int64())


def _parted(work: Callable[..., Any]) -> Callable[[Any], Any]:
    """A part of the calendar from microseconds."""
    return lambda found: work(found.cast(pa.timestamp("us"))).cast(pa.float64())


def _number(work: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *found: _finite(work(*(one.cast(pa.float64(), safe=False) for one in found)))


CALLS: dict[str, Callable[..., Any]] = {
    "abs": _number(pc.abs), "round": _number(pc.round), "floor": _number(pc.floor), "ceil": _number(pc.ceil),
    "sqrt": _number(pc.sqrt), "log": _number(pc.ln), "exp": _number(pc.exp),
    "min": _number(lambda a, b: pc.min_element_wise(a, b, skip_nulls=False)),
    "max": _number(lambda a, b: pc.max_element_wise(a, b, skip_nulls=False)),
    "length": lambda texts: pc.utf8_length(texts).cast(pa.float64()), "lower": pc.utf8_lower,
    "matches": lambda texts, pattern: pc.match_substring_regex(texts, f"^(?:{pattern.as_py()})$"),
    "year": _parted(pc.year), "month": _parted(pc.month), "day": _parted(pc.day),
    "weekday": _parted(lambda when: pc.add(pc.day_of_week(when), 1)), "hour": _parted(pc.hour),
}
#: functions: sorts of their arguments, sort of the result
TAKES: dict[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(("abs", "round", "floor", "ceil", "sqrt", "log", "exp"), (("number",), "number")),
    **dict.fromkeys(("min", "max"), (("number", "number"), "number")),
    **dict.fromkeys(("year", "month", "day", "weekday", "hour"), (("moment",), "number")),
    "length": (("level",), "number"), "lower": (("level",), "level"), "matches": (("level", "level"), "truth"),
}
