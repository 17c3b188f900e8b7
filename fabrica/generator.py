"""Generators, and what a scenario may wish of them: the contract of the kinds in ``scenarios/``.

A generator is anything with a schema and rows: a learned model is one, a simulator another. A kind is a Tilt of its
law, an Injection of rows of another law, or an Edit of cells. It knows a generator and its rows as typed cells, and no
more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fabrica.contract import Cells
from fabrica.errors import ExpressionError
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["CellsOf", "Drawn", "Edit", "Factor", "Generator", "Hardly", "Injection", "Kind", "Law", "Look", "Tilt"]

CellsOf = Mapping[str, Cells]  #: column -> (n,) typed cells


class Factor(ABC):
    """How welcome a row is, told from a few of its columns: a condition is 1 where it is true and 0 elsewhere."""

    columns: tuple[str, ...]  #: that it looks at

    @abstractmethod
    def weights(self, cells: CellsOf) -> np.ndarray:
        """(n,) in [0, 1]."""


@dataclass(frozen=True)
class Drawn:
    """Rows of a generator without their keys, which are made when it is known which rows there are.

    Parameters
    ----------
    cells : column -> (n,) typed cells.
    share : what share of the generator's rows the factors keep, about.
    differ : how many of the rows differ, where too few were found; else n.
    source : (n,) what the generator needs to finish the rows.
    """

    cells: CellsOf
    share: float = 1.0
    differ: int = 0
    source: Any = None

    def __len__(self) -> int:
        return len(next(iter(self.cells.values()))) if self.cells else 0


class Hardly(ExpressionError):
    """Hardly any row is kept by what is asked; ``drawn`` are the few that are, None where there are none."""

    drawn: Drawn | None = None


class Generator(ABC):
    """Anything with a schema and rows: a learned model, a simulator."""

    table: Table

    @abstractmethod
    def under(self, factors: Sequence[Factor], run: Run) -> Generator:
        """The same with a law in proportion to its own probability times the ``factors``.

        Raises
        ------
        ExpressionError : no row can be kept.
        """

    @abstractmethod
    def rows(self, size: int, run: Run) -> Drawn:
        """``size`` rows.

        Raises
        ------
        ExpressionError : hardly any row is kept by the factors.
        """

    @abstractmethod
    def joined(self, parts: Sequence[Drawn], order: np.ndarray) -> Drawn:
        """The rows of all parts together, in another order."""

    @abstractmethod
    def finished(self, rows: Drawn, numbers: range, run: Run) -> CellsOf:
        """The cells of all columns, keys too; ``numbers`` are those of the rows in the whole sample."""

    def broken(self, cells: CellsOf) -> np.ndarray:
        """(n,) bool: the finished rows that break a rule which all rows of the generator obey."""
        return np.zeros(len(next(iter(cells.values()))), bool)


@dataclass(frozen=True)
class Look:
    """Rows of a generator by which the numbers of a scenario are found: weighted, so that rare regions have many.

    Parameters
    ----------
    cells : column -> (n,) typed cells.
    weights : (n,) their weights, which sum to one, as rows of the generator.
    share : of what the generator makes when nothing is asked of it.
    """

    cells: CellsOf
    weights: np.ndarray
    share: float = 1.0


class Kind(ABC):
    """Something that a scenario may wish for. One file in ``scenarios/``, read from plain values and held against the
    table before any work starts."""

    title: ClassVar[str]  #: one line: what it does
    source: ClassVar[str]  #: the paper

    @property
    def asks(self) -> Sequence[str]:
        """Columns whose values as they are drawn it speaks of."""
        return ()

    @classmethod
    @abstractmethod
    def read(cls, plain: Any, table: Table, where: str) -> Kind:
        """From what a person wrote; ``where`` it stands.

        Raises
        ------
        InputError : it is not as it must be. UnknownName : a column that is not there. ExpressionError : a condition.
        """

    def found(self) -> Mapping[str, Any]:
        """What came of it, for the manifest: plain values."""
        return {}


class Tilt(Kind):
    """A wish about the law that all rows follow."""

    def regions(self, look: Look) -> Sequence[Sequence[Factor]]:
        """Parts of the law that a look must have many rows of, each the product of some factors; a first ``look``
        shows how many it has."""
        return ()

    @abstractmethod
    def factors(self, look: Look) -> Sequence[Factor]:
        """What makes the law as it is wished, where the ``look`` shows the law as it is without this tilt."""

    def mended(self, cells: CellsOf, run: Run) -> CellsOf:
        """Finished rows as they must be, where drawing alone cannot make them so."""
        return cells

    def breaks(self, cells: CellsOf) -> np.ndarray:
        """(n,) bool: the rows, edited since, that it does not allow."""
        return np.zeros(len(next(iter(cells.values()))), bool)

    @property
    def computes(self) -> Mapping[str, str]:
        """Columns that ``mended`` computes -> what says so."""
        return {}

    def came(self, look: Look) -> Mapping[str, Any]:
        """What came of it, told from a ``look`` at the law under all tilts, for the manifest: plain values."""
        return {}


class Law(ABC):
    """What an injection draws from."""

    beyond: bool = False  #: whether it lies outside of what the generator makes: its rows weigh nothing

    @abstractmethod
    def draw(self, size: int, run: Run) -> Drawn: ...

    @abstractmethod
    def ratio(self, cells: CellsOf) -> np.ndarray:
        """(n,) its density over that of the generator, at any rows of it."""

    def holds(self, cells: CellsOf) -> np.ndarray:
        """(n,) bool: the finished rows that are what was wished for."""
        return np.ones(len(next(iter(cells.values()))), bool)

    def found(self) -> Mapping[str, Any]:
        """What came of it, for the manifest: plain values."""
        return {}


class Injection(Kind):
    """A wish for rows of a law of their own."""

    share: float  #: of all rows

    @property
    def sets(self) -> Sequence[str]:
        """Columns to which it gives values of its own."""
        return ()

    @abstractmethod
    def law(self, generator: Generator, look: Look, run: Run) -> Law: ...


class Edit(Kind):
    """A wish about the cells of finished rows."""

    @abstractmethod
    def edited(self, cells: CellsOf, run: Run) -> CellsOf:
        """The columns that change, told from rows (n,) of which nothing was edited yet."""
