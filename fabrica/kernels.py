"""How inner loops are compiled: numba, cached on disk, without the interpreter's lock.

Numba is imported when the first kernel is called, not when the module is, so that ``import fabrica`` stays quick.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["kernel"]


def kernel(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Compile ``fn`` at its first call.

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
            import numba

            compiled.append(numba.njit(cache=True, nogil=True, error_model="numpy")(fn))
        return compiled[0](*args)

    return call
