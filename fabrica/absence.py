"""Missing cells: which marker stands where a value is missing, as codes at the low end of every alphabet.

A column may know several ways to say "no value" (a true null, ``?``, ``NA``). Each is a code of its own, so an engine
learns when which of them occurs together with all other columns: missing not at random survives. What fewer than k rows
have is not told: a rare way of being missing counts as the commonest, and where all of them together are rare, such
cells count as any value.
"""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from fabrica import sound
from fabrica.contract import Cells
from fabrica.state import State

__all__ = ["kinds", "counted", "protected", "numbered", "coded", "lost", "told", "stored"]


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


def protected(counts: np.ndarray, k: int) -> np.ndarray:
    """The same counts, each of them 0 or at least ``k`` (but for the present ones where nothing is missing).

    >>> protected(np.array([90, 3, 7]), 5).tolist(), protected(np.array([90, 1, 3]), 5).tolist()
    ([90, 0, 10], [94, 0, 0])
    """
    held = np.array(counts)
    if not held[1:].any():
        return held
    most = 1 + int(np.argmax(held[1:]))
    rare = held < k
    rare[[0, most]] = False
    held[most] += held[rare].sum()
    held[rare] = 0
    into, out = (0, most) if held[most] < k else (most, 0)
    if held[out] < k:
        held[into] += held[out]
        held[out] = 0
    return held


def numbered(counts: np.ndarray) -> tuple[int, ...]:
    """The ways of being missing that occur in ``protected`` counts, the commonest first: their place is their code."""
    return tuple(int(i) for i in np.argsort(-counts[1:], kind="stable") + 1 if counts[i])


def coded(kind: np.ndarray, markers: tuple[int, ...]) -> np.ndarray:
    """(n,) int64: the code of each way of being missing; 0 where a value is present.

    A way that was not learned counts as the commonest, whose code is 0.

    >>> coded(np.array([0, 2, 1], np.uint8), (1, 2)).tolist()
    [0, 1, 0]
    """
    codes = np.zeros(max(256, 1 + max((int(kind.max(initial=0)), *markers))), np.int64)
    codes[list(markers)] = np.arange(len(markers))
    return codes[kind]


def lost(kind: np.ndarray, markers: tuple[int, ...]) -> np.ndarray:
    """Rows that are missing though no way of being missing was learned: they count as any value."""
    return np.flatnonzero(kind) if not markers else np.empty(0, np.int64)


def stored(state: State) -> tuple[int, ...]:
    """The ways of being missing out of a model file: each 1..255, each once."""
    found = sound.plain(state, "markers", (list, tuple))
    fine = all(type(m) is int and 1 <= m <= 255 for m in found)
    sound.demand(fine and len(set(found)) == len(found), "missing markers that make no sense")
    return tuple(found)


def told(codes: np.ndarray, markers: tuple[int, ...]) -> np.ndarray | None:
    """(n,) uint8 the way of being missing that each code stands for, 0 for a value; None where there are no markers.

    >>> told(np.array([0, 1, 2, 9]), (1, 2)).tolist()
    [1, 2, 0, 0]
    """
    if not markers:
        return None
    return np.array((*markers, 0), np.uint8)[np.minimum(codes, len(markers))]
