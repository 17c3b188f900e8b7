"""``tail``: values of a column beyond what was seen, extrapolated by extreme-value theory.

    inject: [{kind: tail, column: amount, beyond: q99.9, share: 0.0005}]

What exceeds a high threshold follows a generalised Pareto law, whatever the law of the column (Pickands, "Statistical
inference using extreme order statistics", Ann. Stat. 3, 1975; Balkema & de Haan 1974). Its shape and scale are found by
probability-weighted moments (Hosking & Wallis, "Parameter and quantile estimation for the generalized Pareto
distribution", Technometrics 29, 1987) from the generator's values beyond a lower threshold, and carried on to the one
that is asked for. All other columns are those of rows with such high values as the generator makes. The law ends where
the column must: at its declared bounds, and at zero where all its values lie on one side of it. Such rows lie beyond
the generator, so they weigh nothing in an estimate of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import wish
from fabrica.contract import Cells
from fabrica.errors import InputError
from fabrica.expression import Expression
from fabrica.generator import CellsOf, Drawn, Generator, Injection, Law, Look
from fabrica.run import Run
from fabrica.schema import Column, Table

__all__ = ["Pareto", "Tail"]

FITTED = 0.05  #: share of the values by which the law is found: those beyond the quantile 95 %
BODY = 0.001  #: share of the values, at least, whose rows lend the other columns
FEW = 50  #: values beyond the lower threshold by which a law can be found
FARTHEST = 2.0**53  #: whole numbers that a float knows
SHAPES = (-0.5, 0.9)  #: beyond these the moments say nothing
QUANTILE = re.compile(r"q(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Pareto:
    """The generalised Pareto law of what exceeds a threshold.

    >>> law = Pareto(0.0, 2.0)                            # shape 0: exponential, with the mean 2
    >>> round(float(law.quantile(np.array([0.5]))[0]), 3)
    1.386
    """

    shape: float
    scale: float

    @classmethod
    def of(cls, excess: np.ndarray, weights: np.ndarray) -> Pareto:
        """From weighted exceedances (n,), by probability-weighted moments."""
        order = np.argsort(excess)
        excess, weights = excess[order], weights[order] / weights.sum()
        above = 1 - (np.cumsum(weights) - weights / 2)
        first, second = float(weights @ excess), float((weights * above) @ excess)
        apart = max(first - 2 * second, 1e-12 * first)
        shape = float(np.clip(2 - first / apart, *SHAPES))
        return cls(shape, first * (1 - shape))  # the mean of the law is scale / (1 - shape)

    @property
    def end(self) -> float:
        """The value that is never exceeded."""
        return -self.scale / self.shape if self.shape < 0 else np.inf

    def beyond(self, further: float) -> Pareto:
        """The law of what exceeds a threshold that lies ``further`` on, before the end."""
        return Pareto(self.shape, self.scale + self.shape * further)

    def up_to(self, value: float) -> float:
        """The share that lies up to a ``value``.

        >>> Pareto(0.0, 2.0).up_to(np.inf), round(Pareto(-0.5, 1.0).up_to(1.0), 2)
        (1.0, 0.75)
        """
        if value >= self.end or np.isinf(value):
            return 1.0
        if abs(self.shape) < 1e-9:
            return float(-np.expm1(-value / self.scale))
        return float(-np.expm1(-np.log1p(self.shape * value / self.scale) / self.shape))

    def quantile(self, at: np.ndarray) -> np.ndarray:
        """(n,) the values up to which the shares ``at`` (n,) in [0, 1) lie."""
        if abs(self.shape) < 1e-9:
            return -self.scale * np.log1p(-at)
        return self.scale / self.shape * np.expm1(-self.shape * np.log1p(-at))


@dataclass(frozen=True)
class Beyond(Law):
    """Rows of a column's end, with values drawn beyond a threshold."""

    generator: Generator
    column: Column
    sign: float  #: 1 for the upper end, -1 for the lower
    threshold: float
    limit: float  #: which no value passes
    pareto: Pareto
    share: float  #: of the generator's rows that lie beyond the threshold
    beyond = True

    def draw(self, size: int, run: Run) -> Drawn:
        rows = self.generator.rows(size, run.child("rows"))
        whole = self.pareto.up_to(self.sign * (self.limit - self.threshold))
        excess = self.pareto.quantile(whole * run.child("excess").random().random(size))
        values = self._written(self.sign * (self.sign * self.threshold + excess))
        mine = rows.cells[self.column.name]
        cells = Cells(values.cast(mine.values.type), None if mine.absent is None else np.zeros_like(mine.absent))
        return Drawn({**rows.cells, self.column.name: cells}, rows.share, rows.differ, rows.source)

    def _written(self, values: np.ndarray) -> pa.Array:
        """Values with the column's decimals, none of them at the threshold or before it, up to the limit."""
        column = self.column
        if column.kind == "integer" or column.decimals is not None:
            step = 10.0 ** -(column.decimals or 0)
            values = np.round(values / step) * step
            first = (np.floor(self.threshold / step + 1e-9) + 1 if self.sign > 0 else
                     np.ceil(self.threshold / step - 1e-9) - 1) * step
            values = np.maximum(values, first) if self.sign > 0 else np.minimum(values, first)
            values = np.round(values, column.decimals or 0)
        values = np.minimum(values, self.limit) if self.sign > 0 else np.maximum(values, self.limit)
        if column.kind == "integer":
            return pa.array(values.astype(np.int64))
        return pa.array(values)

    def holds(self, cells: CellsOf) -> np.ndarray:
        return self.sign * wish.numbers(cells[self.column.name]) > self.sign * self.threshold

    def ratio(self, cells: CellsOf) -> np.ndarray:
        return np.zeros(len(cells[self.column.name]))

    def found(self) -> Mapping[str, Any]:
        limit = {"limit": self.limit} if abs(self.limit) < FARTHEST else {}
        return {"threshold": self.threshold, **limit, "shape": self.pareto.shape, "scale": self.pareto.scale,
                "share_as_learned": self.share}


@dataclass(frozen=True)
class Tail(Injection):
    """Rows whose value of ``column`` lies beyond a threshold.

    Parameters
    ----------
    column : a number.
    beyond : the threshold: a number, a quantile of the generator's values such as ``q99.9``, or ``max``.
    below : the same for the lower end; one of the two.
    share : of all rows.
    """

    title = "values beyond what was seen, extrapolated by a generalised Pareto law"
    source = "Pickands (Ann. Stat. 3, 1975); Hosking & Wallis (Technometrics 29, 1987)"

    column: Column
    share: float
    beyond: float | str | None
    below: float | str | None
    table: Table
    where: str

    @classmethod
    def read(cls, plain: Any, table: Table, where: str) -> Tail:
        told = wish.fields(plain, ("column", "beyond", "below", "share"), where, ("column", "share"))
        column = wish.column(told["column"], table, where, ("integer", "decimal"))
        beyond, below = (_threshold(told.get(name), f"{where}, {name}") for name in ("beyond", "below"))
        if beyond is not None and below is not None:
            raise InputError("say either `beyond` or `below`", where=where)
        for said, word, other in ((beyond, "min", "max"), (below, "max", "min")):
            if said == word:
                raise InputError(f"`{word}` is the other end", where=where, hint=f"say {other}")
        return cls(column, wish.share(told["share"], f"{where}, share"),
                   "q99.9" if beyond is None and below is None else beyond, below, table, where)

    @property
    def asks(self) -> Sequence[str]:
        return (self.column.name,)

    @property
    def sets(self) -> Sequence[str]:
        return (self.column.name,)

    def law(self, generator: Generator, look: Look, run: Run) -> Law:
        sign = 1.0 if self.beyond is not None else -1.0
        values = sign * wish.numbers(look.cells[self.column.name])
        there = ~np.isnan(values)
        values, weights = values[there], look.weights[there]
        if len(values) < FEW or values.min() == values.max():
            raise InputError(f"the column {self.column.name!r} has too few values to extrapolate", where=self.where)
        threshold, limit = self._at(values, weights, sign), self._limit(values, sign)
        if threshold >= limit:
            raise InputError(f"no value of {self.column.name!r} can lie beyond this", where=self.where,
                             hint=f"its values end at {sign * limit + 0.0:g}")
        lower = min(wish.weighted_quantile(values, weights, 1 - FITTED), threshold)
        if (values > lower).sum() < FEW:  # many rows stand at the quantile itself: the next value below
            kinds, counts = np.unique(values, return_counts=True)
            enough = np.flatnonzero(len(values) - np.cumsum(counts) >= FEW)
            if not len(enough):
                raise InputError(f"the column {self.column.name!r} has too few values to extrapolate", where=self.where)
            lower = min(float(kinds[enough[-1]]), threshold)
        over = values > lower
        pareto = Pareto.of(values[over] - lower, weights[over])
        if threshold - lower >= pareto.end:
            raise InputError(f"the law of the end of {self.column.name!r} ends before this", where=self.where,
                             hint=f"it ends at about {sign * (lower + pareto.end):.4g}")
        body = min(threshold, wish.weighted_quantile(values, weights, 1 - BODY))
        edge = f"{sign * body:.17g}"
        high = Expression.value(self.column.name, f"{edge}.." if sign > 0 else f"..{edge}", self.table)
        share = float(weights[values > threshold].sum())
        return Beyond(generator.under([high], run), self.column, sign, sign * threshold,
                      sign * limit + 0.0,
                      pareto.beyond(max(threshold - lower, 0.0)), share)

    def _limit(self, values: np.ndarray, sign: float) -> float:
        """Where values (n,), times the sign, end for sure: at a declared bound, or at zero, which none of them
        passes."""
        bounds = self.column.bounds
        said = np.inf if bounds is None or isinstance(bounds[0], str) else max(sign * float(one) for one in bounds)
        if self.column.kind == "integer":
            said = min(said, FARTHEST)
        return min(said, 0.0) if values.max() <= 0 else said

    def _at(self, values: np.ndarray, weights: np.ndarray, sign: float) -> float:
        """The threshold, times the sign."""
        said = self.beyond if sign > 0 else self.below
        if said in ("max", "min"):
            return float(values.max())
        middle = wish.weighted_quantile(values, weights, 0.5)
        if isinstance(said, str):
            quantile = float(QUANTILE.fullmatch(said)[1]) / 100  # type: ignore[index]
            quantile = quantile if sign > 0 else 1 - quantile
            found = wish.weighted_quantile(values, weights, quantile)
            inside = quantile < 0.5
        else:
            assert said is not None
            found = float(sign * said)
            inside = found < middle
        if inside:
            raise InputError("lies in the middle of the column and is no end of it", where=self.where)
        return found

    def found(self) -> Mapping[str, Any]:
        end = {"beyond": self.beyond} if self.below is None else {"below": self.below}
        return {"column": self.column.name, **end}


def _threshold(plain: Any, where: str) -> float | str | None:
    if plain is None or plain in ("max", "min"):
        return plain
    if isinstance(plain, str):
        found = QUANTILE.fullmatch(plain)
        if not found or not 0 < float(found[1]) < 100:
            raise InputError("must be a number, a quantile such as q99.9, max or min", where=where)
        return plain
    return wish.number(plain, where)
