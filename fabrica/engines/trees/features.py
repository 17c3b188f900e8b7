"""The table as trees look at it: for each column, the orders of what it may be split on.

A column is looked at in its own order, a place along each of its axes, a nominal column in an order that each tree
arranges by what its levels mean for the target. Sums and crosses of columns are derived for each target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrica.block import Block, Coded
from fabrica.engines.trees.crosses import ROWS, crosses
from fabrica.engines.trees.derived import Derived
from fabrica.engines.trees.embed import NARROW, arranged, embedding, narrow, places
from fabrica.engines.trees.screen import screened
from fabrica.engines.trees.sums import Covariance
from fabrica.run import Run

__all__ = ["Features", "View", "placed"]


@dataclass(frozen=True)
class View:
    """One look at one column of codes.

    column : its number; -1 - d for the d-th derived one.
    codes : (n,) of all people, below ``size``.
    order : (size,) uint8, the place of each code; None where a tree arranges them.
    """

    column: int
    codes: np.ndarray
    size: int
    order: np.ndarray | None


@dataclass(frozen=True)
class Features:
    """Which earlier columns each column sees (``looked``), the fixed orders of each column (``fixed``, none where it
    is nominal), and how they vary together."""

    rows: Block
    looked: tuple[np.ndarray, ...]
    fixed: tuple[tuple[np.ndarray, ...], ...]
    covariance: Covariance

    @classmethod
    def of(cls, rows: Block, features: int, run: Run) -> Features:
        return cls(rows, screened(rows, features, run.child("screen")), tuple(_orders(c) for c in rows),
                   Covariance.of(rows, run.child("covariance")))

    def views(self, j: int, k: int, run: Run) -> tuple[list[View], list[Derived]]:
        """All that column j may be split on, in the order of the columns, and the derived ones among them; sums are cut
        between the means of groups of ``k`` people or more."""
        views, looked, random = [], self.looked[j], run.random()
        for f in looked:
            codes, size = narrow(self.rows.columns[f].codes), min(self.rows.columns[f].size, NARROW + 1)
            views += [View(f, codes, size, order) for order in self.fixed[f] or (None,)]
        one = self.covariance.sum(j, looked, k)
        sums = [] if one is None else [one]
        target, some = self.rows.columns[j], random.permutation(len(self.rows))[:ROWS]
        pairs = crosses(self.rows, looked, embedding(target, random)[target.codes[some]], some)
        for d, derived in enumerate([*sums, *pairs]):
            found = derived.of([narrow(self.rows.columns[f].codes) for f in derived.columns])[0]
            size = len(derived.edges) + 1
            order = np.arange(size, dtype=np.uint8) if d < len(sums) else None
            views.append(View(-1 - d, found, size, order))
        return views, [*sums, *pairs]


def placed(views: Sequence[View], along: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """The order of each view and the place of every row in it, (n, F) uint8; nominal ones are arranged ``along`` the
    target, (n,) or (n, R)."""
    orders = [arranged(v.codes, v.size, along) if v.order is None else v.order for v in views]
    found = np.empty((len(along), len(views)), np.uint8)
    for i, (view, order) in enumerate(zip(views, orders, strict=True)):
        found[:, i] = order[view.codes]
    return orders, found


def _orders(column: Coded) -> tuple[np.ndarray, ...]:
    if column.grid is None:
        return ()
    axes = [] if column.axes is None else list(column.axes.T)
    return tuple(places(grid, column.absent)[: NARROW + 1] for grid in (column.grid, *axes))
