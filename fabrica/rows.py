"""Rows as wholes: which are equal, and how often each stands in another table."""

from __future__ import annotations

import numpy as np

from fabrica.contract import Sheet

__all__ = ["counted", "level_marks", "row_marks"]


def row_marks(sheet: Sheet) -> np.ndarray:
    """(rows,) uint64: equal rows have equal marks, different ones almost surely (2**-64) different ones."""
    texts = [v for n, v in getattr(sheet, "idents", {}).items() if _is_text(sheet, n)]
    marks = np.zeros(sheet.rows, np.uint64)
    for values in (*sheet.values.values(), *texts):
        if values.dtype.kind == "f":
            plain = np.round(values, 6) + 0.0  # no negative zero
            plain[np.isnan(plain)] = np.nan
            values = plain
        word = values.astype(np.float64).view(np.uint64)
        with np.errstate(over="ignore"):
            marks = _mixed(marks * np.uint64(0x9E3779B97F4A7C15) + _mixed(word))
    return marks


def level_marks(levels: np.ndarray) -> np.ndarray:
    """(n,) uint64 of (n, B) whole numbers: equal rows have equal marks, different ones almost surely different ones."""
    marks = np.zeros(len(levels), np.uint64)
    with np.errstate(over="ignore"):
        for column in levels.T:
            marks = _mixed(marks * np.uint64(0x9E3779B97F4A7C15) + _mixed(column.astype(np.int64).view(np.uint64)))
    return marks


def _is_text(sheet: Sheet, name: str) -> bool:
    return f"{name} (length)" in sheet.values


def _mixed(word: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        word = word + np.uint64(0x9E3779B97F4A7C15)
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
