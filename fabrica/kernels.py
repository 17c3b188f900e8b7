"""How inner loops are compiled: numba, cached on disk, without the interpreter's lock.

Numba is imported when the first kernel is called, not when the module is, so that ``import fabrica`` stays quick.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["fused", "kernel"]


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


def _compiled(fn: Callable[..., Any], fast: frozenset[str]) -> Callable[..., Any]:
    """The compiled function, cached where there is a place for a cache (a notebook or a locked disk may have none)."""
    import numba

    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=set(fast))(fn)
    except RuntimeError:
        return numba.njit(nogil=True, error_model="numpy", fastmath=set(fast))(fn)
