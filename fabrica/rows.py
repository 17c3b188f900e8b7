"""Rows as wholes: which are equal, and how often each stands in another table.

The mark of a row is the sum of the marks of its cells, so that what a row is without a column is a difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Sheet

__all__ = ["cell_marks", "counted", "level_marks", "marked", "recognised", "row_marks"]

ODD = 0x9E3779B97F4A7C15


def row_marks(sheet: Sheet) -> np.ndarray:
    """(rows,) uint64: equal rows have equal marks, different ones almost surely (2**-64) different ones."""
    return sum(cell_marks(sheet), np.zeros(sheet.rows, np.uint64))


def cell_marks(sheet: Sheet) -> Iterator[np.ndarray]:
    """(rows,) uint64 of each column in turn, of which ``row_marks`` are the sum."""
    texts = [v for n, v in getattr(sheet, "idents", {}).items() if _is_text(sheet, n)]
    for column, values in enumerate((*sheet.values.values(), *texts)):
        if values.dtype.kind == "f":
            plain = np.round(values, 6) + 0.0  # no negative zero
            plain[np.isnan(plain)] = np.nan
            values = plain
        yield marked(values.astype(np.float64), column)


def level_marks(levels: np.ndarray) -> np.ndarray:
    """(n,) uint64 of (n, B) whole numbers: equal rows have equal marks, different ones almost surely different ones."""
    marks = np.zeros(len(levels), np.uint64)
    for column, words in enumerate(levels.T):
        marks += marked(words.astype(np.int64), column)
    return marks


def marked(words: np.ndarray, column: int) -> np.ndarray:
    """(n,) uint64, the marks of (n,) cells of 64 bits: equal ones have equal marks in the same column, and
    almost surely in no other."""
    return _mixed(_mixed(words.view(np.uint64)) + np.uint64((column + 1) * ODD % 2**64))


def recognised(own: np.ndarray, other: np.ndarray, made: np.ndarray, *whose: np.ndarray) -> Sequence[np.ndarray]:
    """Of the people of each of two sides, (2, people) bool: who has a row that nobody else has, on either side, and who
    stands with such a row in the twin.

    Parameters
    ----------
    own, other, made : (n,), (m,) and (t,) uint64, the marks of the rows of both sides and of the twin. whose : (n,) and
        (m,) numbers of the people whose rows they are, from 0 on; a row is a person where nothing is said.

    >>> marks = [np.array(some, np.uint64) for some in ([1, 2, 3], [3, 4], [2, 3, 5])]
    >>> [found.astype(int).tolist() for found in recognised(*marks)]
    [[[1, 1, 0], [0, 1, 0]], [[0, 1], [0, 0]]]
    """
    whose = whose or (np.arange(len(own)), np.arange(len(other)))
    found, marks, people = [], [], []
    for side, who in zip((own, other), whose, strict=True):
        order = np.lexsort((who, side))
        side, who = side[order], who[order]
        once = np.r_[True, (side[1:] != side[:-1]) | (who[1:] != who[:-1])][: len(side)]  # who has a row twice is
        marks.append(side[once])  # no less alone with it
        people.append(who[once])
    met = _met(made, np.concatenate(marks))
    for i, (side, who) in enumerate(zip(marks, people, strict=True)):
        alone = counted(side, side) + counted(side, marks[1 - i]) == 1
        there = np.isin(side[alone], met)
        some = np.zeros((2, int(whose[i].max(initial=-1)) + 1), bool)
        some[0, who[alone]] = True
        some[1, who[alone][there]] = True
        found.append(some)
    return found


def _met(made: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Those of many marks that are among some. Their number may be far larger than that of people: it is read once, and
    not sorted."""
    return made[pc.is_in(pa.array(made), value_set=pa.array(marks)).to_numpy(zero_copy_only=False)]


def _is_text(sheet: Sheet, name: str) -> bool:
    return f"{name} (length)" in sheet.values


def _mixed(word: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        word = word + np.uint64(ODD)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return word ^ (word >> np.uint64(31))


def counted(marks: np.ndarray, among_marks: np.ndarray) -> np.ndarray:
    """(rows,) how often each mark stands among the others.

    >>> counted(np.array([1, 2, 2], np.uint64), np.array([2, 2, 3], np.uint64)).tolist()
    [0, 2, 2]
    """
    there = np.sort(among_marks)
    return np.searchsorted(there, marks, "right") - np.searchsorted(there, marks, "left")
