"""``fair``: what a protected attribute tells of an outcome is taken back, as far as the dial says.

    fair: {protected: sex, outcome: income, parity: 0.7}
    fair: {protected: [sex, race], outcome: income, parity: 1, given: [education], sizes: 1}

The law becomes p(x) times a factor of protected group s, legitimate factors l and outcome y, so that

    P(y | s, l)  =  (1 - parity) P_model(y | s, l)  +  parity P_model(y | l)

which is statistical parity at 1 where there are no legitimate factors, and conditional parity (Kamiran, Žliobaitė &
Calders, "Quantifying explainable discrimination", KAIS 35, 2013) where there are. The shares of outcomes and of groups
stay as they are. ``sizes`` makes the groups (of s) equally large, in the same way. Reweighting is that of Kamiran &
Calders, "Data preprocessing techniques for classification without discrimination", KAIS 33, 2012; here the law is
reweighted and not the rows. It makes no claim about a population: the result is not representative, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrica import wish
from fabrica.contract import Cells
from fabrica.errors import InputError
from fabrica.generator import CellsOf, Factor, Look, Tilt
from fabrica.schema import Table

__all__ = ["Fair"]

LEVELS = 50  #: of a protected attribute or an outcome, at most
BINS = 5  #: quantiles of a numeric legitimate factor
FEW = 30  #: rows of the look that a group must be worth; smaller ones count as one group


@dataclass(frozen=True)
class Cut:
    """How a column's cells become groups: by level, or by the bins of its numbers."""

    column: str
    levels: tuple[Any, ...] = ()
    edges: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Groups, with one for what is missing or new."""
        return (len(self.edges) + 1 if self.edges else len(self.levels)) + 1

    def of(self, cells: Cells) -> np.ndarray:
        """(n,) the number of each cell's group."""
        if self.edges:
            values = wish.numbers(cells)
            return np.where(np.isnan(values), self.size - 1, np.searchsorted(self.edges, values, "right"))
        codes, names = wish.levels(cells)
        known = {level: i for i, level in enumerate(self.levels)}
        return np.array([known.get(name, self.size - 1) for name in names])[codes]


@dataclass(frozen=True)
class Cross(Factor):
    """A number for each combination of groups."""

    cuts: tuple[Cut, ...]
    ratios: np.ndarray  #: an axis a cut

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(cut.column for cut in self.cuts)

    def weights(self, cells: CellsOf) -> np.ndarray:
        return self.ratios[tuple(cut.of(cells[cut.column]) for cut in self.cuts)]

    def __str__(self) -> str:
        return f"fair over {', '.join(self.columns)}"


@dataclass(frozen=True)
class Fair(Tilt):
    """Parity of an outcome between the groups of protected attributes.

    Parameters
    ----------
    protected : columns whose combinations are the groups.
    outcome : the column that groups should have alike.
    parity : 0 as learned … 1 the same in all groups (of the same legitimate factors).
    legitimate : columns that may explain a difference.
    sizes : 0 as learned … 1 all groups equally large.
    """

    title = "statistical or conditional parity of an outcome between protected groups, equal group sizes; a dial"
    source = "Kamiran & Calders, Data preprocessing for classification without discrimination (KAIS 33, 2012)"

    protected: tuple[str, ...]
    outcome: str
    parity: float = 1.0
    legitimate: tuple[str, ...] = ()
    sizes: float = 0.0

    @classmethod
    def read(cls, plain: Any, table: Table, where: str) -> Fair:
        told = wish.fields(plain, ("protected", "outcome", "parity", "given", "sizes"), where, ("protected", "outcome"))
        protected, legitimate = _names(told["protected"]), _names(told.get("given") or ())
        outcome = str(told["outcome"])
        for name in (*protected, *legitimate, outcome):
            wish.column(name, table, where)
        if not protected:
            raise InputError("`protected` names no column", where=where)
        every = [*protected, *legitimate, outcome]
        twice = [name for name in every if every.count(name) > 1]
        if twice:
            raise InputError(f"the column {twice[0]!r} is named twice", where=where)
        return cls(protected, outcome, wish.share(told.get("parity", 1.0), f"{where}, parity"), legitimate,
                   wish.share(told.get("sizes", 0.0), f"{where}, sizes"))

    def factors(self, look: Look) -> Sequence[Factor]:
        protected, legitimate, outcome = (
            [_cut(name, look, binned) for name in names] for names, binned in
            ((self.protected, False), (self.legitimate, True), ((self.outcome,), False)))
        cuts = (*protected, *legitimate, *outcome)
        shape = tuple(cut.size for cut in cuts)
        place = np.ravel_multi_index([cut.of(look.cells[cut.column]) for cut in cuts], shape)
        mass = np.bincount(place, look.weights, int(np.prod(shape)))
        worth = np.bincount(place, look.weights**2, int(np.prod(shape)))
        sizes = (int(np.prod([c.size for c in some])) for some in (protected, legitimate, outcome))
        s, explained, y = sizes
        ratios = self._ratios(mass.reshape(s, explained, y), worth.reshape(s, explained, y))
        return (Cross(cuts, (ratios / ratios.max()).reshape(shape)),)

    def _ratios(self, mass: np.ndarray, worth: np.ndarray) -> np.ndarray:
        """(S, L, Y) what the law is multiplied with. Of cells worth fewer than ``FEW`` rows the group is left as it
        is, since nobody knows its outcomes."""
        group = mass.sum(2, keepdims=True)  # P(s, l)
        rows = group[..., 0] ** 2 / np.maximum(worth.sum(2), 1e-300)
        own = mass / np.maximum(group, 1e-300)
        known = mass * (rows >= FEW)[..., None]
        common = known.sum(0) / np.maximum(known.sum((0, 2)), 1e-300)[:, None]  # P(y | l)
        wished = (1 - self.parity) * own + self.parity * common[None]
        found = np.where(own > 0, wished / np.maximum(own, 1e-300), 0.0)
        found = np.where((rows >= FEW)[..., None], found, 1.0)
        share = mass.sum((1, 2))
        there = share > 0
        level = np.where(there, (1 - self.sizes) + self.sizes / np.maximum(share * there.sum(), 1e-300), 1.0)
        return found * level[:, None, None]

    def found(self) -> Mapping[str, Any]:
        return {"protected": list(self.protected), "outcome": self.outcome, "parity": self.parity, "sizes": self.sizes,
                **({"given": list(self.legitimate)} if self.legitimate else {})}


def _names(plain: Any) -> tuple[str, ...]:
    return tuple(map(str, plain)) if isinstance(plain, list | tuple) else (str(plain),)


def _cut(name: str, look: Look, binned: bool) -> Cut:
    """Groups of a column: its levels; of many numbers that are legitimate factors, their quantiles."""
    codes, names = wish.levels(look.cells[name])
    held = [names[i] for i in np.flatnonzero(np.bincount(codes, minlength=len(names))) if names[i] is not None]
    if len(held) <= (BINS if binned and held and isinstance(held[0], int | float) else LEVELS):
        return Cut(name, tuple(sorted(held, key=str)))
    try:
        values = wish.numbers(look.cells[name])
    except (ValueError, NotImplementedError):
        values = None
    if not binned or values is None:
        raise InputError(f"the column {name!r} has more than {LEVELS} levels", where="fair")
    there = ~np.isnan(values)
    edges = [wish.weighted_quantile(values[there], look.weights[there], q) for q in np.arange(1, BINS) / BINS]
    return Cut(name, edges=tuple(sorted(set(edges))))
