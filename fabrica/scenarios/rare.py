"""``rare``: rows of a region of the joint, more of them than the model makes, from camouflaged to plain.

    inject: [{kind: rare, where: "claim == 'fraud' and age > 70", share: 0.002, intensity: 0.8}]

``intensity`` says how much the rows show in their other columns that they belong to the region: 0.5 as learned, 1 plain
(what is typical of the region and of nothing else), 0 camouflaged (what is typical of everybody). It tilts the law of
the region by exp(t z), where z is the standardised naive Bayes log ratio of the other columns (Hand & Yu, "Idiot's
Bayes", Int. Stat. Rev. 69, 2001): exponential tilting by a statistic of the row (Siegmund 1976).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import wish
from fabrica.contract import Cells
from fabrica.expression import Expression
from fabrica.generator import CellsOf, Drawn, Factor, Generator, Injection, Law, Look
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["Rare"]

SHOWN = 20_000  #: rows of the region by which it is known what is typical of it
BINS = 12  #: of a number
LEVELS = 60  #: of a column that are told apart
FAR = 2.0  #: standard deviations up to which a row's typicality counts
STRONGEST = 2.0  #: slope of the tilt at full intensity
ADDED = 0.5  #: rows that are added to each bin


@dataclass(frozen=True)
class Typical:
    """The log ratio of a column's bins or levels between the region and all rows."""

    column: str
    edges: np.ndarray | None
    levels: Mapping[Any, int]
    scores: np.ndarray  #: (bins + 1,), the last for what is missing or new

    @classmethod
    def of(cls, name: str, inside: Cells, outside: Cells, weights: np.ndarray) -> Typical:
        edges, levels = None, {}
        if _numeric(inside):
            values = wish.numbers(outside)
            there = ~np.isnan(values)
            at = np.arange(1, BINS) / BINS
            edges = np.unique([wish.weighted_quantile(values[there], weights[there], q) for q in at]) if (
                there.any()) else np.zeros(1)
        else:
            codes, names = wish.levels(outside)
            common = np.argsort(-np.bincount(codes, weights, len(names)), kind="stable")[:LEVELS]
            levels = {names[i]: place for place, i in enumerate(common.tolist()) if names[i] is not None}
        bare = cls(name, edges, levels, np.zeros(0))
        size = (len(edges) + 1 if edges is not None else len(levels)) + 1
        one = np.bincount(bare._bins(inside), minlength=size) + ADDED
        other = np.bincount(bare._bins(outside), weights * len(weights), size) + ADDED
        return cls(name, edges, levels, np.log(one / one.sum()) - np.log(other / other.sum()))

    def _bins(self, cells: Cells) -> np.ndarray:
        if self.edges is not None:
            values = wish.numbers(cells)
            return np.where(np.isnan(values), len(self.edges) + 1, np.searchsorted(self.edges, values, "right"))
        codes, names = wish.levels(cells)
        return np.array([self.levels.get(name, len(self.levels)) for name in names])[codes]

    def score(self, cells: Cells) -> np.ndarray:
        """(n,) how much more likely the cells are in the region, as a logarithm."""
        return self.scores[self._bins(cells)]


@dataclass(frozen=True)
class Intensity(Factor):
    """exp(slope z) of how typical a row is of its region, at most 1."""

    parts: tuple[Typical, ...]
    middle: float
    scale: float
    slope: float

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(part.column for part in self.parts)

    def score(self, cells: CellsOf) -> np.ndarray:
        """(n,) the naive Bayes log ratio, standardised within the region."""
        whole = np.sum([part.score(cells[part.column]) for part in self.parts], 0)
        return np.clip((whole - self.middle) / self.scale, -FAR, FAR)

    def weights(self, cells: CellsOf) -> np.ndarray:
        return np.exp(self.slope * self.score(cells) - abs(self.slope) * FAR)

    def __str__(self) -> str:
        return "intensity"


@dataclass(frozen=True)
class Region(Law):
    """The generator's rows that satisfy ``where``, tilted by their intensity."""

    generator: Generator
    where: Expression
    tilt: Factor | None
    held: float  #: share of the generator's rows that lie in the region
    share: float  #: mean of the factors among all rows of the generator

    def draw(self, size: int, run: Run) -> Drawn:
        return self.generator.rows(size, run)

    def holds(self, cells: CellsOf) -> np.ndarray:
        return self.where.truth(cells)

    def ratio(self, cells: CellsOf) -> np.ndarray:
        welcome = self.where.weights(cells) * (1.0 if self.tilt is None else self.tilt.weights(cells))
        return welcome / self.share

    def found(self) -> Mapping[str, Any]:
        return {"share_as_learned": self.held}


@dataclass(frozen=True)
class Rare(Injection):
    """Rows that satisfy ``where``.

    Parameters
    ----------
    where : the region.
    share : of all rows.
    intensity : 0 camouflaged … 0.5 as learned … 1 plain.
    """

    title = "rows of a rare region of the joint, from camouflaged to plain"
    source = "Hand & Yu, Idiot's Bayes (Int. Stat. Rev. 69, 2001); Siegmund, Importance sampling (Ann. Stat. 4, 1976)"

    where: Expression
    share: float
    intensity: float = 0.5

    @classmethod
    def read(cls, plain: Any, table: Table, where: str) -> Rare:
        told = wish.fields(plain, ("where", "share", "intensity"), where, ("where", "share"))
        return cls(wish.condition(told["where"], table, f"{where}, where"),
                   wish.share(told["share"], f"{where}, share"),
                   wish.share(told.get("intensity", 0.5), f"{where}, intensity"))

    @property
    def asks(self) -> Sequence[str]:
        return self.where.columns

    def law(self, generator: Generator, look: Look, run: Run) -> Law:
        region = generator.under([self.where], run.child("region"))
        some = region.rows(SHOWN, run.child("look"))
        share = some.share / look.share
        tilt = self._tilt(some, look)
        if self.intensity == 0.5 or not tilt.parts:
            return Region(region, self.where, None, share, share)
        mean = float(tilt.weights(some.cells).mean())
        return Region(region.under([tilt], run.child("tilt")), self.where, tilt, share, share * mean)

    def _tilt(self, some: Drawn, look: Look) -> Intensity:
        names = [name for name in some.cells if name not in self.where.columns]
        parts = tuple(Typical.of(name, some.cells[name], look.cells[name], look.weights) for name in names)
        whole = np.sum([part.score(some.cells[part.column]) for part in parts], 0) if parts else np.zeros(len(some))
        return Intensity(parts, float(whole.mean()), float(whole.std()) or 1.0,
                         STRONGEST * (2 * self.intensity - 1))

    def found(self) -> Mapping[str, Any]:
        return {"where": str(self.where), "intensity": self.intensity}


def _numeric(cells: Cells) -> bool:
    kind = cells.values.type
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)
