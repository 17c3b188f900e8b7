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
from fabrica.crossing import Cross, Cut, cut, placed
from fabrica.errors import InputError
from fabrica.generator import Factor, Look, Tilt
from fabrica.schema import Table

__all__ = ["Fair"]

MOST = 1 << 18  #: combinations of groups, explanations and outcomes that are told apart, at most
SMALL, OWN = 0.02, 24  #: share of the rows below which a group gets rows of its own to look at; so many groups at most
FEW = 30  #: rows of the look that a group must be worth; smaller ones count as one group


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

    @property
    def asks(self) -> Sequence[str]:
        return (*self.protected, *self.legitimate, self.outcome)

    def regions(self, look: Look) -> Sequence[Sequence[Factor]]:
        """The small groups: what is told of their outcomes must not be luck."""
        cuts = [cut(name, look, False) for name in self.protected]
        shape = _shape(cuts)
        share = np.bincount(placed(cuts, look.cells), look.weights, int(np.prod(shape)))
        small = [g for g in np.argsort(-share) if 0 < share[g] < SMALL and share[g] * len(look.weights) >= FEW][:OWN]
        return [tuple(Cross.only(one, int(i)) for one, i in zip(cuts, np.unravel_index(g, shape), strict=True))
                for g in small]

    def came(self, look: Look) -> Mapping[str, Any]:
        protected, outcome = [cut(name, look, False) for name in self.protected], cut(self.outcome, look, False)
        s, y = placed(protected, look.cells), outcome.of(look.cells[self.outcome])
        size = int(np.prod(_shape(protected)))
        mass = np.bincount(s * outcome.size + y, look.weights, size * outcome.size).reshape(size, -1)
        worth = np.bincount(s, look.weights, size) ** 2 / np.maximum(np.bincount(s, look.weights**2, size), 1e-300)
        names = [" / ".join(one.words[i] for one, i in zip(protected, place, strict=True))
                 for place in np.ndindex(*_shape(protected))]
        told = np.flatnonzero(worth >= FEW)
        return {"groups": {names[g]: {"share": float(mass[g].sum()), "outcomes": {
            word: float(one) for word, one in zip(outcome.words, mass[g] / mass[g].sum(), strict=True) if one > 0}}
            for g in told}}

    def factors(self, look: Look) -> Sequence[Factor]:
        protected, legitimate, outcome = (
            [cut(name, look, binned) for name in names] for names, binned in
            ((self.protected, False), (self.legitimate, True), ((self.outcome,), False)))
        cuts = (*protected, *legitimate, *outcome)
        shape = _shape(cuts)
        place = placed(cuts, look.cells)
        mass = np.bincount(place, look.weights, int(np.prod(shape)))
        worth = np.bincount(place, look.weights**2, int(np.prod(shape)))
        sizes = (int(np.prod([c.size for c in some])) for some in (protected, legitimate, outcome))
        s, explained, y = sizes
        ratios = self._ratios(mass.reshape(s, explained, y), worth.reshape(s, explained, y))
        return (Cross(cuts, (ratios / ratios.max()).reshape(shape)),)

    def _ratios(self, mass: np.ndarray, worth: np.ndarray) -> np.ndarray:
        """(S, L, Y) what the law is multiplied with. Of cells worth fewer than ``FEW`` rows the group is left as it
        is, since nobody knows its outcomes. An outcome that a group never has cannot be made; its others share the
        rest, so that the group stays as large as it is."""
        group = mass.sum(2, keepdims=True)  # P(s, l)
        rows = group[..., 0] ** 2 / np.maximum(worth.sum(2), 1e-300)
        own = mass / np.maximum(group, 1e-300)
        known = mass * (rows >= FEW)[..., None]
        common = known.sum(0) / np.maximum(known.sum((0, 2)), 1e-300)[:, None]  # P(y | l)
        wished = (1 - self.parity) * own + self.parity * common[None]
        wished = np.where(own > 0, wished, 0.0)
        wished = wished / np.maximum(wished.sum(2, keepdims=True), 1e-300)
        found = wished / np.maximum(own, 1e-300)
        found = np.where((rows >= FEW)[..., None], found, 1.0)
        share = mass.sum((1, 2))
        there = share > 0
        level = np.where(there, (1 - self.sizes) + self.sizes / np.maximum(share * there.sum(), 1e-300), 1.0)
        return found * level[:, None, None]

    def found(self) -> Mapping[str, Any]:
        return {"protected": list(self.protected), "outcome": self.outcome, "parity": self.parity, "sizes": self.sizes,
                **({"given": list(self.legitimate)} if self.legitimate else {})}


def _shape(cuts: Sequence[Cut]) -> tuple[int, ...]:
    """How many groups each cut makes.

    Raises
    ------
    InputError : there are too many combinations.
    """
    shape = tuple(one.size for one in cuts)
    if np.prod([float(size) for size in shape]) > MOST:
        raise InputError(f"{', '.join(one.column for one in cuts)} have more combinations than can be told apart",
                         where="fair", hint="name fewer columns")
    return shape


def _names(plain: Any) -> tuple[str, ...]:
    return tuple(map(str, plain)) if isinstance(plain, list | tuple) else (str(plain),)
