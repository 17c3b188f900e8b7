"""How inner loops are compiled: numba, cached on disk, without the interpreter's lock.

Numba is imported when the first kernel is called, not when the module is, so that ``import fabrica`` stays quick.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

__all__ = ["fused", "kernel", "part"]

#: what a compiler may do to sums of floats: fuse products into them and take them in another order
FUSED = frozenset({"contract", "reassoc", "nsz", "arcp"})


def kernel(fn: Callable[..., Any], fast: frozenset[str] = frozenset()) -> Callable[..., Any]:
    """Compile ``fn`` at its first call; ``fast`` are liberties with floats (``FUSED``).

    >>> @kernel
    ... def double(x):
    ...     return 2 * x
    >>> double(21)
    42
    """
    compiled: list[Callable[..., Any]] = []

    @functools.wraps(fn)
    def call(*args: Any) -> Any:
        if not compiled:
            compiled.append(_compiled(fn, fast))
        return compiled[0](*args)

    return call


def fused(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel whose sums may be fused and reordered: the same on one machine, within rounding on another."""
    return kernel(fn, FUSED)


def part(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A piece that kernels of the same file call; it is compiled into each of them.

    >>> @part
    ... def half(x):
    ...     return x / 2
    >>> half(4)
    2.0
    """
    fn.is_part = True  # type: ignore[attr-defined]
    return fn


def _compiled(fn: Callable[..., Any], fast: frozenset[str]) -> Callable[..., Any]:
    """The compiled function, cached where there is a place for a cache (a notebook or a locked disk may have none)."""
    import numba

    how: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": set(fast)}
    whole = _whole(fn, numba.njit(**how))
    try:
        return numba.njit(cache=True, **how)(whole)
    except RuntimeError:
        return numba.njit(**how)(whole)


def _whole(fn: Callable[..., Any], jit: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its parts compiled by ``jit``, and their parts in turn."""
    assert isinstance(fn, FunctionType)
    found = {name: fn.__globals__[name] for name in fn.__code__.co_names if name in fn.__globals__}
    parts = {name: jit(_whole(piece, jit)) for name, piece in found.items() if getattr(piece, "is_part", False)}
    if not parts:
        return fn
    twin = FunctionType(fn.__code__, {**fn.__globals__, **parts}, fn.__name__, fn.__defaults__, fn.__closure__)
    twin.__module__, twin.__qualname__ = fn.__module__, fn.__qualname__
    return twin
