"""Rows crossed by the groups of several columns: a cell for each combination of protected group, explanation, outcome.

Shared by what makes rows fair (``scenarios/fair.py``) and by what measures it (``fairness.py``), so that both mean the
same groups: Simpson's paradox is made of two who do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrica import wish
from fabrica.contract import Cells
from fabrica.errors import InputError
from fabrica.generator import CellsOf, Factor, Look

__all__ = ["Cross", "Cut", "cut", "placed"]

LEVELS = 50  #: of a protected attribute or an outcome, at most
BINS = 5  #: quantiles of a numeric legitimate factor


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

    @property
    def words(self) -> tuple[str, ...]:
        """Each group for a person."""
        ends = [f"{edge:g}" for edge in self.edges]
        spans = [f"{low} .. {high}".strip() for low, high in zip(["", *ends], [*ends, ""], strict=True)]
        return (*(spans if self.edges else map(str, self.levels)), "none of these")

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

    @classmethod
    def only(cls, cut: Cut, group: int) -> Cross:
        """1 in a group of one column, else 0."""
        return cls((cut,), (np.arange(cut.size) == group).astype(float))

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(cut.column for cut in self.cuts)

    def weights(self, cells: CellsOf) -> np.ndarray:
        return self.ratios[tuple(cut.of(cells[cut.column]) for cut in self.cuts)]

    def __str__(self) -> str:
        return f"fair over {', '.join(self.columns)}"


def cut(name: str, look: Look, binned: bool) -> Cut:
    """Groups of a column: its levels; where it may be ``binned`` and has many numbers, their quantiles.

    Raises
    ------
    InputError : it has more levels than can be told apart.
    """
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


def placed(cuts: Sequence[Cut], cells: CellsOf) -> np.ndarray:
    """(n,) the number of each row's combination; all 0 where there are no cuts.

    >>> import pyarrow as pa
    >>> cells = {"sex": Cells(pa.array(["f", "m", "f"])), "age": Cells(pa.array([20, 50, 70]))}
    >>> placed([Cut("sex", ("f", "m")), Cut("age", edges=(30.0, 60.0))], cells).tolist()
    [0, 5, 2]
    """
    if not cuts:
        return np.zeros(len(next(iter(cells.values()))), int)
    return np.ravel_multi_index([cut.of(cells[cut.column]) for cut in cuts], [cut.size for cut in cuts])
