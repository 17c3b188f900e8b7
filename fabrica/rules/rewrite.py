"""Texts that fit a regular expression, drawn by walking through it: a letter of a class, a branch, a number of turns.

What the walk cannot do (looking around, references, anchors within) gives nothing, and a donor must help.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["written"]

MORE = 8  #: turns beyond the least, where there is no other end
CLASSES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_SPACE": " ",
           "CATEGORY_WORD": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"}
PRINTED = "".join(map(chr, range(32, 127)))


class _Unknown(Exception):
    """A piece of a pattern that the walk does not know."""


def written(pattern: str, rows: int, random: np.random.Generator) -> list[str] | None:
    """``rows`` texts that fit; None where the pattern is beyond us.

    >>> [len(t) for t in written("[A-Z]{3}-[0-9]+", 1, np.random.Generator(np.random.Philox(1)))][0] >= 5
    True
    """
    try:
        tree = re._parser.parse(pattern)  # type: ignore[attr-defined]
        texts = _walk(tree, rows, random).tolist()
    except (_Unknown, re.error, RecursionError):
        return None
    fits = pc.match_substring_regex(pa.array(texts, pa.string()), f"^(?:{pattern})$")
    return texts if pc.all(fits).as_py() is not False else None


def _walk(tree: Any, rows: int, random: np.random.Generator) -> np.ndarray:
    """(rows,) texts of a piece of a pattern."""
    found = np.full(rows, "", object)
    for name, said in tree:
        found = found + _one(str(name), said, rows, random)
    return found


def _one(name: str, said: Any, rows: int, random: np.random.Generator) -> np.ndarray:
    if name == "LITERAL":
        return np.full(rows, chr(said), object)
    if name in ("ANY", "IN", "NOT_LITERAL"):
        letters = PRINTED[1:] if name == "ANY" else _letters(said) if name == "IN" else PRINTED.replace(chr(said), "")
        return np.array(list(letters), object)[random.integers(len(letters), size=rows)]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inner = said
        high = min(int(high), int(low) + MORE)
        times, found = random.integers(low, high + 1, rows), np.full(rows, "", object)
        for turn in range(high):
            where = np.flatnonzero(times > turn)
            found[where] = found[where] + _walk(inner, len(where), random)
        return found
    if name == "SUBPATTERN":
        return _walk(said[3], rows, random)
    if name == "BRANCH":
        which, found = random.integers(len(said[1]), size=rows), np.full(rows, "", object)
        for i, branch in enumerate(said[1]):
            where = np.flatnonzero(which == i)
            found[where] = _walk(branch, len(where), random)
        return found
    raise _Unknown(name)


def _letters(said: Any) -> str:
    """The letters of a class."""
    found, flip = "", False
    for name, what in said:
        if str(name) == "NEGATE":
            flip = True
        elif str(name) == "LITERAL":
            found += chr(what)
        elif str(name) == "RANGE":
            found += "".join(map(chr, range(what[0], min(what[1], what[0] + 255) + 1)))
        elif str(name) == "CATEGORY" and str(what) in CLASSES:
            found += CLASSES[str(what)]
        else:
            raise _Unknown(str(name))
    found = "".join(c for c in PRINTED if c not in found) if flip else found
    if not found:
        raise _Unknown("an empty class")
    return found
