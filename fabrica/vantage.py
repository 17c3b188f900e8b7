"""Where an attacker stands: a space in which rows are near or far, built from rows that the attacker holds.

Numbers lie at their middle rank among those rows, from 0 to 1, so that no column outweighs another by its unit; levels
differ or do not. A missing number lies in the middle and differs from every number by a level. The space is never built
from the people who are attacked: what their values do to the scales would be knowledge that nobody has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrica.contract import Sheet
from fabrica.neighbours import nearest_alike, nearest_few
from fabrica.rows import level_marks

__all__ = ["Points", "Vantage"]


@dataclass(frozen=True)
class Points:
    """Rows as an attacker sees them: ``numbers`` (n, A) float32 in [0, 1], ``levels`` (n, B) int32; ``columns`` says
    of each of the A + B coordinates, the numbers first, to which column it belongs."""

    numbers: np.ndarray
    levels: np.ndarray
    columns: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray | slice) -> Points:
        return Points(self.numbers[rows], self.levels[rows], self.columns)

    def among(self, names: Sequence[str]) -> Points:
        """The coordinates of some columns alone."""
        wanted, many = set(names), self.numbers.shape[1]
        a = [i for i in range(many) if self.columns[i] in wanted]
        b = [i for i in range(many, len(self.columns)) if self.columns[i] in wanted]
        return Points(np.ascontiguousarray(self.numbers[:, a]),
                      np.ascontiguousarray(self.levels[:, [i - many for i in b]]),
                      tuple(self.columns[i] for i in (*a, *b)))

    def nearest(self, others: Points, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """(n, k) distances to the nearest ``k`` of the others, ascending, and which they are: the sum over the numbers
        of how far they are apart, and 1 for each level that differs."""
        found: tuple[np.ndarray, np.ndarray] = nearest_few(self.numbers, self.levels, others.numbers, others.levels, k)
        return found

    def alike(self, others: Points, radius: float) -> np.ndarray:
        """(n,) which of the others is nearest among those that differ in no level and in numbers by no more than
        ``radius``, all together; -1 where there is none.

        >>> space = Vantage.of(Sheet(4, {"age": np.array([20.0, 30.0, 40.0, 50.0])}, {}))
        >>> age = lambda *years: space.points(Sheet(len(years), {"age": np.array(years, float)}, {}))
        >>> age(40, 99).alike(age(30, 40), 0.2).tolist()
        [1, -1]
        """
        order, which, _ = self._among(others, radius, len(others) + 1)
        return np.where(which < 0, -1, order[which])

    def alone(self, others: Points, radius: float) -> np.ndarray:
        """(n,) bool: whether at most one of the others is as near as ``radius`` in the sense of ``alike``: among people
        of whom one belongs to, oneself.

        >>> space = Vantage.of(Sheet(4, {"age": np.array([20.0, 30.0, 40.0, 50.0])}, {}))
        >>> age = space.points(Sheet(3, {"age": np.array([20.0, 50.0, 50.0])}, {}))
        >>> age.alone(age, 0.1).tolist()
        [True, False, False]
        """
        return np.asarray(self._among(others, radius, 2)[2] < 2)

    def _among(self, others: Points, radius: float, enough: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        own, other = level_marks(self.levels), level_marks(others.levels)
        keys = (other,) if not others.numbers.shape[1] else (others.numbers[:, 0], other)
        order = np.lexsort(keys)
        return order, *nearest_alike(own, self.numbers, other[order], others.numbers[order], np.float32(radius), enough)

    def beside(self, others: Points) -> Points:
        """These rows, and others of the same space after them."""
        return Points(np.concatenate([self.numbers, others.numbers]), np.concatenate([self.levels, others.levels]),
                      self.columns)


@dataclass(frozen=True)
class Vantage:
    """The space: the sorted values of each numeric column that the attacker holds, and the columns of levels."""

    known: dict[str, np.ndarray]
    levels: tuple[str, ...]

    @classmethod
    def of(cls, *held: Sheet) -> Vantage:
        """The space of one who holds some tables.

        >>> space = Vantage.of(Sheet(4, {"age": np.array([20.0, 30.0, 40.0, np.nan])}, {}))
        >>> space.points(Sheet(2, {"age": np.array([30.0, 99.0])}, {})).numbers.ravel().tolist()
        [0.5, 1.0]
        """
        known = {}
        for name in held[0].numeric:
            values = np.concatenate([sheet.values[name] for sheet in held])
            known[name] = np.sort(values[~np.isnan(values)])
        return cls(known, tuple(held[0].categorical))

    def points(self, sheet: Sheet) -> Points:
        numbers, levels, names, holes = [], [], [], []
        for name, known in self.known.items():
            values = sheet.values[name]
            absent = np.isnan(values)
            ends = (np.searchsorted(known, np.where(absent, 0, values), side) for side in ("left", "right"))
            place = np.sum(list(ends), axis=0) / (2 * max(1, len(known)))
            numbers.append(np.where(absent, 0.5, place).astype(np.float32))
            names.append(name)
            holes.append(absent.astype(np.int32))
        levels = [*holes, *(sheet.values[name].astype(np.int32) for name in self.levels)]
        shape = (sheet.rows, 0)
        return Points(np.stack(numbers, 1) if numbers else np.zeros(shape, np.float32),
                      np.stack(levels, 1) if levels else np.zeros(shape, np.int32),
                      (*names, *names, *self.levels))
