"""The nearest correlation matrix: pairs that were estimated one by one need not fit together.

Higham ("Computing the nearest correlation matrix", IMA Journal of Numerical Analysis 22, 2002): project in turn on the
matrices with no small eigenvalue and on those with ones on the diagonal, with Dykstra's correction, which is what
makes the limit the nearest one.
"""

from __future__ import annotations

import numpy as np

__all__ = ["FLOOR", "nearest"]

FLOOR = 1e-3  #: the smallest eigenvalue: no column is quite a function of others
ROUNDS = 100
CLOSE = 1e-7
STEPS = 1 << 24  #: of one, to which the result is rounded: linear algebra may add up in another order elsewhere


def nearest(matrix: np.ndarray) -> np.ndarray:
    """The correlation matrix (C, C) nearest to a symmetric ``matrix`` (C, C), well away from singular.

    >>> nearest(np.array([[1, 0.9, 0], [0.9, 1, 0.9], [0, 0.9, 1]])).round(2).tolist()
    [[1.0, 0.74, 0.11], [0.74, 1.0, 0.74], [0.11, 0.74, 1.0]]
    """
    here, owed = matrix.copy(), np.zeros_like(matrix)
    for _ in range(ROUNDS if len(matrix) else 0):
        values, axes = np.linalg.eigh(here - owed)
        if values[0] >= FLOOR:
            break
        lifted = (axes * np.maximum(values, FLOOR)) @ axes.T
        owed = lifted - (here - owed)
        moved, here = here, (lifted + lifted.T) / 2
        np.fill_diagonal(here, 1.0)
        if np.abs(moved - here).max() < CLOSE:
            break
    return _safe(here)


def _safe(matrix: np.ndarray) -> np.ndarray:
    """The rounds may end a little short of the floor: what is missing is mixed in of the identity."""
    least = float(np.linalg.eigvalsh(matrix)[0]) if len(matrix) else 1.0
    if least < FLOOR / 2:
        part = (FLOOR - least) / (1 - least)
        matrix = (1 - part) * matrix + part * np.eye(len(matrix))
    return np.round(matrix * STEPS) / STEPS
