"""A small joint law that is known exactly, as a generator: by it scenarios are held against brute force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from fabrica.contract import Cells
from fabrica.errors import ExpressionError
from fabrica.generator import CellsOf, Drawn, Factor, Generator
from fabrica.run import Run
from fabrica.schema import Column, Table

__all__ = ["Joint"]


@dataclass(frozen=True)
class Joint(Generator):
    """Rows of which each combination of values has a known probability.

    Parameters
    ----------
    table : the schema.
    cells : column -> (m,) the values of each combination.
    chances : (m,) how likely each is; they sum to one.
    share : of the untouched law that factors have kept.

    >>> coin = Joint.of({"side": ["head", "tail"]}, {"side": "category"}, [0.5, 0.5])
    >>> len(coin.rows(10, Run(1)))
    10
    """

    table: Table
    cells: CellsOf
    chances: np.ndarray
    share: float = 1.0

    @classmethod
    def of(cls, values: Mapping[str, Sequence[object]], kinds: Mapping[str, str], chances: Sequence[float]) -> Joint:
        """From plain values: column -> (m,) values, column -> kind, (m,) chances up to a constant."""
        table = Table("joint", tuple(Column(name, kinds[name]) for name in values))
        weights = np.asarray(chances, np.float64)
        return cls(table, {name: Cells(pa.array(list(column))) for name, column in values.items()},
                   weights / weights.sum())

    def under(self, factors: Sequence[Factor], run: Run) -> Joint:
        left = self.chances * self.factor(factors)
        if left.sum() <= 0:
            raise ExpressionError("no row satisfies it", where=" and ".join(map(str, factors)))
        return replace(self, chances=left / left.sum(), share=self.share * float(left.sum()))

    def factor(self, factors: Sequence[Factor]) -> np.ndarray:
        """(m,) what the factors say of each combination."""
        return np.prod([factor.weights(self.cells) for factor in factors] or [np.ones(len(self.chances))], 0)

    def rows(self, size: int, run: Run) -> Drawn:
        picked = run.random().choice(len(self.chances), size, p=self.chances)
        return Drawn({name: cells.take(picked) for name, cells in self.cells.items()}, self.share, size, picked)

    def joined(self, parts: Sequence[Drawn], order: np.ndarray) -> Drawn:
        cells = {name: Cells.concat([part.cells[name] for part in parts]).take(order) for name in self.cells}
        return Drawn(cells, parts[0].share, len(order), np.concatenate([part.source for part in parts])[order])

    def finished(self, rows: Drawn, numbers: range, run: Run) -> CellsOf:
        return rows.cells
