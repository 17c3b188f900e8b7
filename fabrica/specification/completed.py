"""Correlations of which only some were declared: the others are what follows from them, and nothing more.

Of all matrices that have the declared entries the one of largest determinant leaves the most to chance: two columns
whose pair was not named are independent given the columns that tie them (Dempster, "Covariance selection", Biometrics
28, 1972). Age with income at .5 and age with visits at .6 then make income and visits .3; columns that no chain of
pairs connects stay independent. It is found column by column, each regressed on those it was paired with (Hastie,
Tibshirani and Friedman, "The elements of statistical learning", 2nd ed., algorithm 17.1), for a part of the
correlations first and then for more, so that no step starts far from a matrix that exists.
"""

from __future__ import annotations

import numpy as np

__all__ = ["completed"]

PARTS = (0.25, 0.5, 0.75, 0.9, 1.0)
SWEEPS = 200
CLOSE = 1e-9


def completed(wanted: np.ndarray, named: np.ndarray) -> np.ndarray:
    """(C, C) ``wanted`` with the entries that are not ``named`` (C, C) bool filled in; where nothing fits, something
    that is not positive definite.

    >>> wanted = np.array([[1, 0.5, 0], [0.5, 1, 0.6], [0, 0.6, 1]])
    >>> completed(wanted, wanted != 0).round(3)[0].tolist()
    [1.0, 0.5, 0.3]
    """
    tied = [np.flatnonzero(row) for row in named & ~np.eye(len(named), dtype=bool)]
    found = np.eye(len(wanted))
    for part in PARTS:
        for _ in range(SWEEPS):
            before = found.copy()
            for j, others in enumerate(tied):
                if len(others):
                    _regress(found, j, others, part * wanted[others, j])
            if np.abs(found - before).max(initial=0.0) < CLOSE:
                break
    return np.where(named, wanted, found)


def _regress(found: np.ndarray, j: int, others: np.ndarray, values: np.ndarray) -> None:
    """Column ``j`` as its regression on ``others`` has it, with which it correlates by ``values``."""
    slopes = np.linalg.lstsq(found[np.ix_(others, others)], values, rcond=None)[0]
    column = np.clip(found[:, others] @ slopes, -1, 1)
    column[j] = 1.0
    found[:, j] = found[j] = column
