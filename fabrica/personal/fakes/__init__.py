"""Fresh values for personal columns: the same person the same fake, in every column and every table of one seed.

A look says what is made (``what``), for which ``locale``, for how many ``people`` where a person has several rows,
whose person it is where a row names several (``role``), and how the real ones are written. It holds no real value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica.personal.fakes import homes, numbers, people, phones
from fabrica.personal.fakes.coined import WINDOWS
from fabrica.personal.fakes.given import GIVEN
from fabrica.run import Run
from fabrica.template import ROOM

__all__ = ["LOCALES", "MAKERS", "known", "whose", "write"]

MAKERS = {**people.MAKERS, **homes.MAKERS, **numbers.MAKERS, **phones.MAKERS}
LOCALES = tuple(GIVEN)
_TEXTS = {"role": 200, "layout": 60, "case": 5, "sign": 2, "order": 6, "before": 12, "country": 2, "lead": 1}
_FLAGS = {"whole", "abroad"}
_SAID = {"kind", "what", "locale", "people", "window", "box", "digits", *_TEXTS, *_FLAGS}


def write(look: Mapping[str, Any], rows: np.ndarray, seed: int) -> pa.Array:
    """(n,) fakes for the numbers of rows (n,) int64.

    >>> look = {"kind": "fake", "what": "email", "locale": "en_GB"}
    >>> write(look, np.arange(2), 7).to_pylist() == write(look, np.arange(2), 7).to_pylist()
    True
    """
    what, run = look["what"], Run(seed).child("people").child(look.get("role", ""))
    family = "names" if what in people.MAKERS else "homes" if what in homes.MAKERS else what  # those must agree
    return MAKERS[what](whose(look, rows, seed), look, run.child(family).key() % ROOM)


def whose(look: Mapping[str, Any], rows: np.ndarray, seed: int) -> np.ndarray:
    """(n,) int64 whose each row is: a person a row, or one of so many ``people`` by a hash of the row's number
    (splitmix64)."""
    if not look.get("people"):
        return rows
    shift = Run(seed).child("people").child(look.get("role", "")).key() % ROOM
    with np.errstate(over="ignore"):
        x = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(shift)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((x ^ (x >> np.uint64(31))) % np.uint64(look["people"])).astype(np.int64)


def known(look: Any) -> bool:
    """Whether a look makes sense: nothing else is taken from a schema or a model file.

    >>> known({"kind": "fake", "what": "email", "locale": "de_DE"}), known({"kind": "fake", "what": "x"})
    (True, False)
    """
    if not isinstance(look, dict) or look.get("kind") != "fake" or look.get("what") not in MAKERS:
        return False
    if look.get("locale") not in LOCALES or not set(look) <= _SAID:
        return False
    texts = all(
        isinstance(look.get(name, ""), str) and len(look.get(name, "")) <= most for name, most in _TEXTS.items()
    )
    flags = all(isinstance(look.get(name, False), bool) for name in _FLAGS)
    many = look.get("people")
    counts = many is None or (type(many) is int and 0 < many < 2**53)
    window, digits = look.get("window", 0), look.get("digits", 5)
    whole = type(window) is int and 0 <= window < WINDOWS and type(digits) is int and 1 <= digits <= 6
    layout, lead = look.get("layout", ""), look.get("lead", "0")
    plain = isinstance(layout, str) and not any(c.isalnum() for c in layout)
    return bool(texts and flags and counts and whole and plain and str(lead).isdigit() and _box(look))


def _box(look: Mapping[str, Any]) -> bool:
    """Whether there is a box of degrees where one is needed."""
    box = look.get("box")
    if look["what"] != "coordinates":
        return box is None
    return (
        isinstance(box, list | tuple)
        and len(box) == 4
        and all(type(n) is int for n in box)
        and (-90 <= box[0] < box[1] <= 90 and -180 <= box[2] < box[3] <= 180)
    )
