"""A detector: how one kind of personal data is recognised in the values of a column.

The values decide. A *strong* detector has a form or check digits that other columns do not have by chance; a weak one
(nine digits, a word with a capital) only confirms what the column's name hints at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabrica.personal.sight import Sight

__all__ = ["Detector", "checked"]

CHANCE = 5  #: distinct values of which check digits say something by themselves


@dataclass(frozen=True)
class Detector:
    """One way to recognise one kind.

    Parameters
    ----------
    kind : a name of ``fabrica.personal.KINDS``.
    name : what it looks at, as ``fabrica inspect`` says it.
    test : which of the values (n,) are of the kind.
    hint : words of a column's name that speak for the kind, as a regular expression.
    alone : share of the values that must pass where the name says nothing; above 1: values alone are never enough.
    hinted : share that is enough where the name speaks for the kind.
    fewest : distinct values, at least, where the name says nothing.
    locale : where such values come from; "" where the form does not tell.
    weight : among several that pass, the highest counts.
    """

    kind: str
    name: str
    test: Callable[[Sight], np.ndarray]
    hint: str = ""
    alone: float = 0.9
    hinted: float = 0.8
    fewest: int = 1
    locale: str = ""
    weight: float = 1.0


def checked(sight: Sight, pattern: str, right: Callable[[str], bool]) -> np.ndarray:
    """(n,) bool: the values that match as a whole and of which ``right`` is true; the costly test sees only those."""
    mask = sight.matches(pattern)
    for i in np.flatnonzero(mask):
        mask[i] = right(sight.plain[i])
    return mask
