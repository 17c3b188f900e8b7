"""A promise that was not kept, and how two states are compared."""

from __future__ import annotations

import json

import numpy as np

from fabrica.state import State

__all__ = ["Broken", "keep", "stored", "alike"]


class Broken(AssertionError):
    """A plugin breaks a promise; the text says which."""


def keep(fine: object, promise: str) -> None:
    """Raise ``Broken`` with the ``promise`` unless ``fine``.

    >>> keep(True, "never said")
    """
    if not fine:
        raise Broken(promise)


def stored(state: State) -> State:
    """The state as it comes back from a file: plain values through JSON, arrays copied."""
    try:
        plain = json.loads(json.dumps(state.plain, allow_nan=False))
    except (TypeError, ValueError):
        raise Broken("the plain part of a state is what JSON can hold, without NaN") from None
    for name, array in state.arrays.items():
        fine = isinstance(array, np.ndarray) and array.dtype.kind in "biuf"
        keep(fine, f"the arrays of a state are arrays of numbers ({name!r} is not)")
    return State(plain, {name: array.copy() for name, array in state.arrays.items()})


def alike(one: State, other: State, rtol: float = 1e-9) -> bool:
    """Whether two states say the same, up to rounding."""
    if json.dumps(_rounded(one.plain), sort_keys=True) != json.dumps(_rounded(other.plain), sort_keys=True):
        return False
    return set(one.arrays) == set(other.arrays) and all(
        a.shape == other.arrays[n].shape and np.allclose(a, other.arrays[n], rtol=rtol, atol=1e-12, equal_nan=True)
        for n, a in one.arrays.items())


def _rounded(plain: object) -> object:
    if isinstance(plain, float):
        return float(f"{plain:.9g}")
    if isinstance(plain, dict):
        return {k: _rounded(v) for k, v in plain.items()}
    return [_rounded(v) for v in plain] if isinstance(plain, list | tuple) else plain
