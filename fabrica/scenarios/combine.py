"""``combine``: rows in which features meet that co-occur never or hardly.

    inject: [{kind: combine, of: ["diabetes == 'yes'", "age < 20"], share: 0.001}]

A row is drawn for each feature, and the columns that a feature looks at are taken from its own row; all others are
those of the row of the first feature. (Where the features do co-occur in the model, ``rare`` with ``and`` draws them as
learned.) Such rows lie beyond the model, so they weigh nothing in an estimate of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrica import wish
from fabrica.errors import InputError
from fabrica.expression import Expression
from fabrica.generator import CellsOf, Drawn, Generator, Injection, Law, Look
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["Combine"]


@dataclass(frozen=True)
class Recombined(Law):
    """Rows of the first generator with some columns from those of the others."""

    generators: tuple[Generator, ...]
    of: tuple[Expression, ...]  #: the features, of which each lends its columns
    beyond = True

    def draw(self, size: int, run: Run) -> Drawn:
        first, *others = (one.rows(size, run.child(i)) for i, one in enumerate(self.generators))
        lent = {name: rows.cells[name] for rows, one in zip(others, self.of[1:], strict=True)
                for name in one.columns}
        return Drawn({**first.cells, **lent}, 0.0, first.differ, first.source)

    def ratio(self, cells: CellsOf) -> np.ndarray:
        return np.zeros(len(cells[self.of[0].columns[0]]))

    def holds(self, cells: CellsOf) -> np.ndarray:
        return np.all([one.truth(cells) for one in self.of], axis=0)


@dataclass(frozen=True)
class Combine(Injection):
    """Rows that satisfy all of several features, each drawn by itself.

    Parameters
    ----------
    of : the features; no two look at one column.
    share : of all rows.
    """

    title = "features that never or hardly co-occur, in one row"
    source = "conditional draws of parts, recombined"

    of: tuple[Expression, ...]
    share: float

    @classmethod
    def read(cls, plain: Any, table: Table, where: str) -> Combine:
        told = wish.fields(plain, ("of", "share"), where, ("of", "share"))
        if not isinstance(told["of"], list | tuple) or len(told["of"]) < 2:
            raise InputError("`of` must be a list of two conditions or more", where=where)
        of = tuple(wish.condition(one, table, f"{where}, of {i}") for i, one in enumerate(told["of"], 1))
        seen: set[str] = set()
        for one in of:
            if seen & set(one.columns):
                raise InputError(f"two of the features look at the column {sorted(seen & set(one.columns))[0]!r}",
                                 where=where, hint="put them into one feature with `and`")
            seen |= set(one.columns)
        return cls(of, wish.share(told["share"], f"{where}, share"))

    @property
    def asks(self) -> Sequence[str]:
        return tuple(name for one in self.of for name in one.columns)

    @property
    def sets(self) -> Sequence[str]:
        return tuple(name for one in self.of[1:] for name in one.columns)

    def law(self, generator: Generator, look: Look, run: Run) -> Law:
        generators = tuple(generator.under([one], run.child(i)) for i, one in enumerate(self.of))
        return Recombined(generators, self.of)

    def found(self) -> Mapping[str, Any]:
        return {"of": [str(one) for one in self.of]}
