"""Running numbers that meet real ones: how likely luck gives so many.

Whoever makes numbers within the range of real ones, and none of those learned from, meets some of people held back, and
whoever is met so has lost nothing. So none of those learned from may be met; and of the whole numbers between the least
and the largest made one that are free, N, of which K are those of people held back, n are made: drawn evenly, so many
or more are met with the chance of a hypergeometric tail. Numbers that are made in clumps meet more and are accused.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import hypergeom

__all__ = ["COPIED", "luck", "numbers"]

COPIED = 0.05  #: chance of so many, below which they are copies
FORM = r"^(?P<before>[^0-9]*)(?P<number>[0-9]{1,18})(?P<behind>[^0-9]*)$"


def numbers(*parts: pa.Array) -> list[np.ndarray] | None:
    """The different numbers (n,) int64 in each of some arrays of texts, sorted; None where they are no running numbers:
    digits, with the same text before and behind them in all of the first parts but the last, of which others are left
    out, for they meet nobody.

    >>> numbers(pa.array(["P-10", "P-12"]), pa.array(["P-11"]), pa.array(["P-12", "Q-1"]))
    [array([10, 12]), array([11]), array([12])]
    >>> numbers(pa.array(["P-10", "Q-12"]), pa.array(["P-11"])) is None
    True
    """
    read = [pc.extract_regex(part.cast(pa.string()), FORM) for part in parts]
    real = pa.concat_arrays(read[:-1])
    frames = pc.unique(pc.binary_join_element_wise(real.field("before"), real.field("behind"), "\n"))
    if real.null_count or len(frames) != 1:
        return None
    found = []
    for part in read:
        frame = pc.binary_join_element_wise(part.field("before"), part.field("behind"), "\n")
        mine = pc.and_(pc.is_valid(part), pc.equal(frame, frames[0])).fill_null(False)
        found.append(np.unique(part.field("number").filter(mine).cast(pa.int64()).to_numpy(zero_copy_only=False)))
    return found


def luck(own: np.ndarray, others: np.ndarray, made: np.ndarray) -> float:
    """The chance that luck gives as many of the real numbers among those that were made.

    Parameters
    ----------
    own, others, made : the different numbers (n,) of those who were learned from, of those held back, and of the twin.

    >>> own, others = np.arange(0, 8_000, 8), np.arange(4, 2_000, 8)
    >>> luck(own, others, np.arange(1, 8_000, 3)) == 0, luck(own, others, np.arange(1, 8_000, 12)) > 0.1
    (True, True)
    """
    if np.isin(own, made).any():
        return 0.0
    others = np.setdiff1d(others, own)
    met = int(np.isin(others, made).sum())
    if not met:
        return 1.0
    low, high = int(made.min()), int(made.max())
    mine, theirs = (int(((side >= low) & (side <= high)).sum()) for side in (own, others))
    return float(hypergeom.sf(met - 1, high - low + 1 - mine, theirs, len(made)))
