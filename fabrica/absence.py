"""Missing cells: which marker stands where a value is missing, as codes at the low end of every alphabet.

A column may know several ways to say "no value" (a true null, ``?``, ``NA``). Each is a code of its own, so an engine
learns when which of them occurs together with all other columns: missing not at random survives.
"""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from fabrica.contract import Cells

__all__ = ["kinds", "counted", "numbered", "coded", "told"]


def kinds(cells: Cells) -> np.ndarray:
    """(n,) uint8: 0 where a value is present, i > 0 for the i-th way of being missing.

    >>> import pyarrow as pa
    >>> kinds(Cells(pa.array([1, None, 3]))).tolist()
    [0, 1, 0]
    """
    if cells.absent is not None:
        return cells.absent
    if cells.values.null_count == 0:
        return np.zeros(len(cells.values), np.uint8)
    return pc.is_null(cells.values).to_numpy(zero_copy_only=False).astype(np.uint8)


def counted(cells: Cells) -> np.ndarray:
    """(256,) how often each way of being missing occurs; entry 0 counts the present cells."""
    return np.bincount(kinds(cells), minlength=256)


def numbered(counts: np.ndarray) -> tuple[int, ...]:
    """The ways of being missing that occur, in order: their place is their code."""
    return tuple(int(i) for i in np.flatnonzero(counts[1:]) + 1)


def coded(kind: np.ndarray, markers: tuple[int, ...]) -> np.ndarray:
    """(n,) int64: the code of each way of being missing; 0 where a value is present or the way was never learned.

    >>> coded(np.array([0, 2, 1], np.uint8), (1, 2)).tolist()
    [0, 1, 0]
    """
    codes = np.zeros(256, np.int64)
    codes[list(markers)] = np.arange(len(markers))
    return codes[kind]


def told(codes: np.ndarray, markers: tuple[int, ...]) -> np.ndarray | None:
    """(n,) uint8 the way of being missing that each code stands for, 0 for a value; None where there are no markers.

    >>> told(np.array([0, 1, 2, 9]), (1, 2)).tolist()
    [1, 2, 0, 0]
    """
    if not markers:
        return None
    return np.array((*markers, 0), np.uint8)[np.minimum(codes, len(markers))]
