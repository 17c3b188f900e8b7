"""Running numbers that meet real ones: how likely luck gives so many.

Numbers that are made within the range of real ones meet some of them, and whoever is met so has lost nothing. What was
copied shows in two ways. *More than the range gives*: of the N whole numbers between the least and the largest made
one, n are made and K are those of real people; drawn by chance, so many or more are met with the chance of a
hypergeometric tail. *More who were learned from*: nobody looked at those held back, so they are met by luck alone, and
of all who are met no larger a part should have been learned from than of all there are (Fisher's exact test). The first
sees a twin that copies real numbers whoever's they are, the second one that copies out of a range that is full of them.
The smaller of the two chances counts, doubled (Bonferroni), so a good twin is accused one time in twenty.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def luck(sides: Sequence[np.ndarray], made: np.ndarray) -> float:
    """The chance that luck gives as many of the real numbers among those that were made.

    Parameters
    ----------
    sides : the different numbers of those who were learned from and, where there are any, of those held back.
    made : (n,) the different numbers of the twin.

    >>> real = [np.arange(0, 8_000, 8), np.arange(4, 2_000, 8)]
    >>> luck(real, np.arange(0, 8_000, 5)) > 0.1, luck(real, real[0][:500]) < 1e-9
    (True, True)
    """
    real = np.unique(np.concatenate(sides))
    met = [int(np.isin(side, made).sum()) for side in sides]
    if not sum(met):
        return 1.0
    low, high = int(made.min()), int(made.max())
    there = int(((real >= low) & (real <= high)).sum())
    chances = [hypergeom.sf(int(np.isin(real, made).sum()) - 1, high - low + 1, there, len(made))]
    if len(sides) > 1 and all(map(len, sides)):
        chances.append(hypergeom.sf(met[0] - 1, sum(map(len, sides)), sum(met), len(sides[0])))
    return min(1.0, 2 * float(min(chances)))
