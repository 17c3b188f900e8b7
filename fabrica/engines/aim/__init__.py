"""AIM: noisy marginals, chosen round by round where the law so far is wrong, and the law of maximum entropy with them.

Everything is known through noise. The codes' own counts come with the codec or are measured; then in each round a few
pairs (and triples with a target) are chosen and measured (``look``), and the law on a junction tree that is nearest to
all of them is found (``estimation``). The tree may hold so many cells and no more, which bounds time and memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fabrica.block import Block
from fabrica.contract import Engine, Setting
from fabrica.engines.aim.fit import Plan, fitted
from fabrica.engines.aim.model import Marginals
from fabrica.run import Run

__all__ = ["Aim"]


@dataclass(frozen=True)
class Aim(Engine):
    """Differentially private marginals."""

    title = "differential privacy: noisy marginals where they matter most; needs --epsilon, seconds"
    source = "McKenna, Mullins, Sheldon and Miklau, VLDB 15(11), 2022; Cai et al. (PrivMRF), VLDB 14(11), 2021"
    private = "always"
    cost = 8.0
    start = 2.0

    cells: Annotated[int, Setting("numbers that the law may have, at most", low=100, high=20_000_000)] = 1_000_000
    rounds: Annotated[int, Setting("times that sets are chosen", low=1, high=100)] = 6
    sets: Annotated[int, Setting("sets of columns that are measured in a round", low=1, high=1_000)] = 8
    steps: Annotated[int, Setting("steps of the last fit to what was measured, at most", low=1, high=10_000)] = 60
    law: Annotated[str, Setting("what holds the marginals: a junction tree, a mixture of products, or whichever serves",
                                choices=("auto", "tree", "mixture"))] = "auto"
    target: Annotated[str, Setting("a column whose bonds with each two others are looked at too; empty: none")] = ""

    def fit(self, rows: Block, given: Block | None, run: Run) -> Marginals:
        return fitted(rows, Plan(self.cells, self.rounds, self.sets, self.steps, self.target,
                                 law=self.law), run)
