"""Who holds each level: a few people of each are kept, so that it is known whether ``most`` of them do.

A tally of parts merges: where either part has ``most`` people of a level, both together have, and else all of them were
kept. So a table is surveyed in parts, and of each level no more people are held in memory than are asked for. They are
marks (``crowd.marks``), and nothing that is kept of a column holds one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Holders"]


@dataclass(frozen=True)
class Holders:
    """Parameters
    ----------
    level, who : (n,) int64 and (n,) uint64, pairs of the number of a level and the mark of somebody who holds it, each
        once, sorted; of each level at most ``most``.

    >>> Holders.of(np.array([0, 0, 0, 1]), np.array([7, 7, 8, 7], np.uint64), most=5).counts(2).tolist()
    [2, 1]
    """

    level: np.ndarray
    who: np.ndarray
    most: int

    @classmethod
    def of(cls, level: np.ndarray, who: np.ndarray, most: int) -> Holders:
        """Of cells (n,) with the number of a level and whose each is; pairs may stand several times."""
        order = np.lexsort((who, level))
        level, who = level[order].astype(np.int64), who[order]
        once = np.r_[True, (level[1:] != level[:-1]) | (who[1:] != who[:-1])][: len(level)]
        level, who = level[once], who[once]
        rank = np.arange(len(level)) - np.searchsorted(level, level)
        return cls(level[rank < most], who[rank < most], most)

    def merge(self, other: Holders) -> Holders:
        """Both together; the same numbers mean the same levels."""
        return Holders.of(np.r_[self.level, other.level], np.r_[self.who, other.who], self.most)

    def numbered(self, number: np.ndarray) -> Holders:
        """The same where each level has another number; levels of which that is below 0 are left out."""
        level = number[self.level]
        return Holders.of(level[level >= 0], self.who[level >= 0], self.most)

    def counts(self, size: int) -> np.ndarray:
        """(size,) how many people hold each of so many levels, up to ``most``."""
        return np.bincount(self.level, minlength=size)
