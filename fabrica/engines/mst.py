"""MST: the pairs of columns that matter most and make no circle, measured once with noise; the quick sibling of AIM.

A spanning tree of pairs is chosen one by one (each by the exponential mechanism), measured, and the law of maximum
entropy with these pairs taken. It sees less than ``aim`` and takes a fraction of its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fabrica.block import Block
from fabrica.contract import Engine, Setting
from fabrica.engines.aim.fit import Plan, fitted
from fabrica.engines.aim.model import Marginals
from fabrica.run import Run

__all__ = ["Mst"]

ROOM = 20_000_000  #: cells: a pair of any two columns fits


@dataclass(frozen=True)
class Mst(Engine):
    """A spanning tree of noisy pairs."""

    title = "differential privacy: a tree of noisy pairs; needs --epsilon, a second"
    source = "McKenna, Miklau and Sheldon, Journal of Privacy and Confidentiality 11(3), 2021"
    private = "always"
    cost = 1.0
    start = 0.5

    steps: Annotated[int, Setting("steps of the fit to what was measured, at most", low=1, high=10_000)] = 60

    def fit(self, rows: Block, given: Block | None, run: Run) -> Marginals:
        return fitted(rows, Plan(ROOM, 1, max(1, len(rows.columns) - 1), self.steps, forest=True), run)
