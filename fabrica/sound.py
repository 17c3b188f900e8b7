"""What comes out of a model file is checked before it is believed: shapes, ranges, order, finite numbers.

A model file may be damaged or hostile. Coders read their state through these few questions, so that no kernel ever
looks outside an array and every fault is one clear ``ModelFileError``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fabrica.errors import ModelFileError
from fabrica.state import State

__all__ = ["array", "plain", "whole", "share", "texts", "markers", "demand"]


def demand(fine: bool, what: str) -> None:
    """Raise ``ModelFileError`` with ``what`` is wrong unless ``fine``.

    >>> demand(True, "never said")
    """
    if not fine:
        raise ModelFileError(f"the model holds {what}", hint="it is damaged or was changed by hand; fit it again")


def array(
    state: State,
    name: str,
    *,
    size: int | None = None,
    low: float = -np.inf,
    high: float = np.inf,
    ascending: bool = False,
    kind: Any = np.float64,
) -> np.ndarray:
    """The array ``name`` (n,) as ``kind``: finite, in [low, high], of ``size`` entries, never falling if ``ascending``.

    >>> array(State({}, {"edges": np.array([0.0, 1.0])}), "edges", low=0, high=1, ascending=True).tolist()
    [0.0, 1.0]
    """
    found = state.arrays.get(name)
    if not isinstance(found, np.ndarray) or found.ndim != 1 or found.dtype.kind not in "fiub":
        raise ModelFileError(f"the model has no list of numbers {name!r}")
    found = found.astype(np.float64) if found.dtype.kind == "f" else found  # a half float overflows at the bounds
    demand(size is None or len(found) == size, f"a list {name!r} of a wrong length")
    if len(found):
        fine = bool(np.isfinite(found).all()) and found.min() >= low and found.max() <= high
        demand(bool(fine), f"a number in {name!r} that is out of range")
        demand(not ascending or bool((found[1:] >= found[:-1]).all()), f"a list {name!r} that is out of order")
    return np.ascontiguousarray(found, kind)


def plain(state: State, name: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
    """The plain value ``name``, of one of the types ``kind``; ``default`` where it is not there.

    >>> plain(State({"k": 5}), "k", int)
    5
    """
    value = state.plain.get(name, default)
    if value is ...:
        raise ModelFileError(f"the model does not say {name!r}")
    kinds = kind if isinstance(kind, tuple) else (kind,)
    fine = isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)
    demand(fine or value is default, f"a value {name!r} of a wrong type")
    return value


def whole(state: State, name: str, low: int, high: int) -> int:
    """The whole number ``name`` in [low, high]."""
    value = plain(state, name, int)
    demand(low <= value <= high, f"a number {name!r} that is out of range")
    return int(value)


def share(state: State, name: str) -> float:
    """The share ``name``, in [0, 1]."""
    value = plain(state, name, (int, float))
    demand(0 <= value <= 1, f"a share {name!r} that is out of range")
    return float(value)


def texts(state: State, name: str) -> tuple[str, ...]:
    """The list of texts ``name``."""
    found = plain(state, name, (list, tuple))
    demand(all(isinstance(t, str) for t in found), f"a list {name!r} that is not of texts")
    return tuple(found)


def markers(state: State) -> tuple[int, ...]:
    """The ways of being missing, each 1..255, ascending."""
    found = plain(state, "markers", (list, tuple))
    fine = all(isinstance(m, int) and not isinstance(m, bool) and 1 <= m <= 255 for m in found)
    demand(fine and list(found) == sorted(set(found)), "missing markers that make no sense")
    return tuple(found)
