"""``shift``: a column has new shares, a new mean or a new spread; everything else follows as learned.

    shift: {income: {">50K": 0.40}, age: {"18..30": 0.3, "60..": 0.2}, hours: {mean: 45, std: 10}}

Of all laws with the new shares or moments it is the one nearest to the model in Kullback-Leibler divergence, p(x) times
a function of the column: one number a piece (raking where several columns shift; Deming & Stephan, "On a least
squares adjustment of a sampled frequency table", Ann. Math. Statist. 11, 1940), or an exponential tilt (Csiszár,
"I-divergence geometry of probability distributions", Ann. Probab. 3, 1975).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fabrica import wish
from fabrica.errors import InputError
from fabrica.expression import Expression
from fabrica.generator import CellsOf, Factor, Look, Tilt
from fabrica.schema import Table

__all__ = ["Shift"]

MOMENTS = ("mean", "std")
STEPS = 200  #: of Newton's method
CLOSE = 1e-7  #: in standard deviations
FEW = 100  #: rows of equal weight that a tilted look must be worth


@dataclass(frozen=True)
class Pieces(Factor):
    """One number for each piece of a column, and one for what is in none of them."""

    column: str
    pieces: tuple[Expression, ...]
    ratios: tuple[float, ...]  #: the last is that of the rest

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.column,)

    def weights(self, cells: CellsOf) -> np.ndarray:
        found = np.full(len(cells[self.column]), self.ratios[-1])
        for piece, ratio in zip(self.pieces, self.ratios, strict=False):
            found[piece.truth(cells)] = ratio
        return found

    def __str__(self) -> str:
        return f"shift of {self.column}"


@dataclass(frozen=True)
class Exponential(Factor):
    """exp(a z + b z²) of a column's standardised values z, at most 1; ``absent`` where a value is missing."""

    column: str
    middle: float
    scale: float
    slopes: tuple[float, float]
    top: float  #: the largest exponent that occurs
    absent: float

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.column,)

    def weights(self, cells: CellsOf) -> np.ndarray:
        z = (wish.numbers(cells[self.column]) - self.middle) / self.scale
        found = np.exp(np.minimum(self.slopes[0] * z + self.slopes[1] * z * z - self.top, 0.0))
        return np.where(np.isnan(z), self.absent, found)

    def __str__(self) -> str:
        return f"shift of {self.column}"


@dataclass(frozen=True)
class Shift(Tilt):
    """A new marginal of one column.

    Parameters
    ----------
    column : its name.
    pieces : values, or spans of values, that get a new share; they do not overlap.
    shares : theirs; what is in no piece shares the rest in proportion to what it had.
    moments : ``mean``, ``std``: new ones of the values that are there.
    """

    title = "new shares of a column's values, or a new mean and spread; all else follows as learned"
    source = "Csiszár, I-divergence geometry (Ann. Probab. 3, 1975); Deming & Stephan (Ann. Math. Statist. 11, 1940)"

    column: str
    pieces: tuple[Expression, ...] = ()
    shares: tuple[float, ...] = ()
    moments: Mapping[str, float] = field(default_factory=dict)
    where: str = "shift"

    @classmethod
    def read(cls, plain: Any, table: Table, where: str) -> Shift:
        """``plain`` is {column: {value: share}} or {column: {mean: , std: }} of one column."""
        (name, wanted), = wish.fields(plain, list(plain) if isinstance(plain, Mapping) else (), where).items()
        wish.column(name, table, where)
        if not isinstance(wanted, Mapping) or not wanted:
            raise InputError("must be a mapping of values to shares, or of mean and std to numbers", where=where)
        mixed = sorted(set(wanted) & set(MOMENTS))
        if mixed and set(wanted) - set(MOMENTS):
            raise InputError(f"`{mixed[0]}` and shares of values cannot both be wished for", where=where,
                             hint="shift the shares, or the moments")
        if mixed:
            wish.column(name, table, where, wish.NUMBERS)
            moments = {key: wish.number(one, f"{where}, {key}", *((0.0,) if key == "std" else ()))
                       for key, one in wanted.items()}
            if moments.get("std") == 0:
                raise InputError("must be a number above 0", where=f"{where}, std")
            return cls(name, moments=moments, where=where)
        shares = tuple(wish.share(one, f"{where}, {key}") for key, one in wanted.items())
        if sum(shares) > 1 + 1e-9:
            raise InputError(f"the shares sum to {sum(shares):g}, more than 1", where=where)
        pieces = tuple(wish.value(name, key, table, f"{where}, {key}") for key in wanted)
        return cls(name, pieces, shares, where=where)

    @property
    def asks(self) -> Sequence[str]:
        return (self.column,)

    def regions(self, look: Look) -> Sequence[Sequence[Factor]]:
        return tuple((piece,) for piece, share in zip(self.pieces, self.shares, strict=True) if share > 0)

    def came(self, look: Look) -> Mapping[str, Any]:
        if self.pieces:
            return {"shares": {str(piece): float(piece.truth(look.cells) @ look.weights) for piece in self.pieces}}
        values = wish.numbers(look.cells[self.column])
        there = ~np.isnan(values)
        weights = look.weights[there] / max(look.weights[there].sum(), 1e-300)
        mean = float(weights @ values[there])
        return {"mean": mean, "std": float(weights @ (values[there] - mean) ** 2) ** 0.5}

    def factors(self, look: Look) -> Sequence[Factor]:
        return (self._tilted(look) if self.moments else self._shared(look),)

    def found(self) -> Mapping[str, Any]:
        return {"column": self.column, **self.moments,
                **({"shares": {str(p): s for p, s in zip(self.pieces, self.shares, strict=True)}}
                   if self.pieces else {})}

    # ---------------------------------------------------------------- shares

    def _shared(self, look: Look) -> Pieces:
        inside = np.array([piece.truth(look.cells) for piece in self.pieces])
        if (inside.sum(0) > 1).any():
            raise InputError("the pieces overlap", where=self.where, hint="a span includes both its ends")
        held = inside @ look.weights
        rest = max(1 - held.sum(), 0.0)
        left = max(1 - sum(self.shares), 0.0)
        if left > 1e-9 and rest <= 1e-12:
            raise InputError("no value is left for the rest of the shares", where=self.where,
                             hint="let the shares sum to 1")
        ratios = [share / have if have > 0 else 0.0 for share, have in zip(self.shares, held, strict=True)]
        every = np.array([*ratios, left / rest if rest > 1e-12 else 0.0])
        return Pieces(self.column, self.pieces, tuple((every / every.max()).tolist()))

    # ---------------------------------------------------------------- moments

    def _tilted(self, look: Look) -> Exponential:
        values = wish.numbers(look.cells[self.column])
        there = ~np.isnan(values)
        mass = look.weights[there].sum()
        if mass <= 0:
            raise InputError(f"the column {self.column!r} has no values", where=self.where)
        weights, values = look.weights[there] / mass, values[there]
        middle = float(weights @ values)
        scale = float(np.sqrt(weights @ (values - middle) ** 2)) or 1.0
        z = (values - middle) / scale
        slopes = self._solved(z, weights, middle, scale)
        exponent = slopes[0] * z + slopes[1] * z * z
        top = float(exponent.max())
        tilted = weights * np.exp(exponent - top)
        if tilted.sum() ** 2 / (tilted**2).sum() < FEW:
            raise self._unreachable(values)
        return Exponential(self.column, middle, scale, slopes, top, float(tilted.sum()))

    def _solved(self, z: np.ndarray, weights: np.ndarray, middle: float, scale: float) -> tuple[float, float]:
        """The slopes by which the moments are the wished ones: the minimum of a convex function, by Newton's method
        with halved steps."""
        mean = (self.moments.get("mean", middle) - middle) / scale
        terms = [z]
        goal = [mean]
        if "std" in self.moments:
            terms.append(z * z)
            goal.append(mean**2 + (self.moments["std"] / scale) ** 2)
        features, aim = np.array(terms), np.array(goal)
        if not z.min() < mean < z.max():
            raise self._unreachable(z * scale + middle)

        def height(slopes: np.ndarray) -> float:
            exponent = slopes @ features
            return float(np.log(weights @ np.exp(exponent - exponent.max())) + exponent.max() - slopes @ aim)

        slopes = np.zeros(len(aim))
        for _ in range(STEPS):
            exponent = slopes @ features
            law = weights * np.exp(exponent - exponent.max())
            law /= law.sum()
            now = features @ law
            if np.abs(now - aim).max() < CLOSE:
                return float(slopes[0]), float(slopes[1]) if len(slopes) > 1 else 0.0
            spread = (features * law) @ features.T - np.outer(now, now) + 1e-12 * np.eye(len(aim))
            step = np.linalg.solve(spread, aim - now)
            size, here = 1.0, height(slopes)
            while size > 1e-10 and not height(slopes + size * step) <= here + 1e-12:
                size /= 2
            slopes = slopes + size * step
        raise self._unreachable(z * scale + middle)

    def _unreachable(self, values: np.ndarray) -> InputError:
        middle = np.quantile(values, [0.01, 0.99])
        return InputError("the model has too few values near this to reach it", where=self.where,
                          hint=f"98 % of its values of {self.column!r} lie between about {middle[0]:.4g} and "
                               f"{middle[1]:.4g}")
