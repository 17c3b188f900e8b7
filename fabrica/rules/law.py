"""What every rule is: first a ``Law`` that was understood, then, when real rows were looked at, ``Kept`` by some means.

A ``Law`` knows its text and the columns it speaks of. Its ``study`` looks at all real rows, part by part, counts those
that break it, and gives what keeps it: a pair of maps between tables (``reduce`` what is learned, ``restore`` what the
user sees) for a rule that is encoded away, or a way to mend rows. Truth is Kleene's: a row breaks a rule where it is
false, not where a missing value leaves it open.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fabrica import absence
from fabrica.contract import Cells
from fabrica.expression import Expression
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State

__all__ = ["Kept", "Law", "Rows", "Study", "false", "placed", "taken"]

Rows = Mapping[str, Cells]  #: column -> (n,) typed cells


class Study(ABC):
    """Looks at real rows, part after part."""

    broken: int = 0  #: rows so far that break the law

    @abstractmethod
    def look(self, rows: Rows) -> None:
        """Look at a part."""

    @abstractmethod
    def kept(self) -> Kept:
        """What keeps the law, when all parts were looked at.

        Raises
        ------
        SchemaError : nothing may be told of what it needs to know.
        """


@dataclass(frozen=True)
class Law(ABC):
    """A rule as it was understood.

    Parameters
    ----------
    text : as the user wrote it.
    """

    text: str

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns that it speaks of."""

    @property
    def gives(self) -> tuple[str, ...]:
        """The columns that are not learned where it is encoded away: they are restored from others."""
        return ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that must be there before ``gives`` can be restored."""
        return ()

    @property
    def follows(self) -> bool:
        """Whether ``gives`` are a function of ``needs`` alone."""
        return False

    @abstractmethod
    def study(self, k: int, built: bool) -> Study:
        """A fresh look at real rows; of what fewer than ``k`` of them hold nothing may be told. ``built``: whether it
        may be encoded away, or is only held against finished rows."""

    @abstractmethod
    def stored(self, state: State, built: bool) -> Kept:
        """What keeps it, out of a model file."""


class Kept(ABC):
    """A law and how it is kept."""

    law: Law
    built: bool  #: whether it is encoded away

    @property
    def drops(self) -> tuple[str, ...]:
        """Columns that are not learned."""
        return ()

    @property
    def adds(self) -> tuple[tuple[str, Column], ...]:
        """(column of the outer table, column that is learned in its place)."""
        return ()

    def reduce(self, rows: Rows) -> dict[str, Cells]:
        """The cells of the columns that it ``adds``."""
        return {}

    def restore(self, inner: Rows, outer: Rows, run: Run) -> dict[str, Cells]:
        """The cells of the columns that it ``gives``, from what was drawn and the outer columns that it ``needs``."""
        return {}

    @abstractmethod
    def broken(self, rows: Rows) -> np.ndarray:
        """(n,) bool: the rows for which it is false."""

    def strays(self, rows: Rows) -> np.ndarray:
        """(n,) bool: the rows that were drawn for which it is false, or may be false together with other drawn rows."""
        return self.broken(rows)

    def fixed(self, rows: Rows, run: Run) -> dict[str, Cells]:
        """Columns of rows that break it, so changed that they do not; nothing where a donor must help."""
        return {}

    def solved(self, inner: Rows, outer: Rows, lacks: Mapping[str, np.ndarray]) -> dict[str, Cells]:
        """Columns (n,) of which those cells were lacking that follow from others which are known."""
        return {}

    @property
    def yields(self) -> tuple[str, ...]:
        """The columns that a donor may give by themselves, the likeliest first."""
        return ()

    @abstractmethod
    def words(self) -> str:
        """How it is kept."""

    def state(self) -> State:
        return State()


def false(expression: Expression, rows: Rows) -> np.ndarray:
    """(n,) bool: the rows for which an expression is false; not where it is true or not known."""
    found = expression.part.of({name: rows[name].values for name in expression.columns})
    if isinstance(found, pa.Scalar):
        count = len(rows[expression.columns[0]]) if expression.columns else len(next(iter(rows.values())))
        return np.full(count, found.as_py() is False)
    return ~np.asarray(found.fill_null(True)).astype(bool)


def taken(rows: Rows, where: np.ndarray) -> dict[str, Cells]:
    """Some of the rows, by their numbers."""
    return {name: cells.take(where) for name, cells in rows.items()}


def placed(old: Cells, where: np.ndarray, new: Cells) -> Cells:
    """The cells ``old`` (n,) with those at ``where`` (m,) replaced by ``new`` (m,)."""
    if len(where) == len(old):
        order = np.empty(len(old), np.int64)
        order[where] = np.arange(len(where))
        return new if (order == np.arange(len(old))).all() else new.take(order)
    order = np.arange(len(old))
    order[where] = len(old) + np.arange(len(where))
    values = pa.chunked_array([old.values, alike(new.values, old.values.type)])
    values = values.unify_dictionaries() if pa.types.is_dictionary(values.type) else values
    absent = None
    if old.absent is not None or new.absent is not None:
        absent = np.concatenate([absence.kinds(old), absence.kinds(new)])[order]
    return Cells(values.combine_chunks().take(pa.array(order)), absent)


def alike(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """The values in the type ``kind``, which another part of the column has."""
    if values.type == kind:
        return values
    if pa.types.is_dictionary(kind):
        coded = values if pa.types.is_dictionary(values.type) else values.cast(pa.string()).dictionary_encode()
        return coded.cast(kind)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(kind)
