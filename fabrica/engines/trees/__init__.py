"""Sequential trees: each column is drawn from the leaf of a tree that looks at the columns before it.

The joint is a chain of conditionals, p(a) p(b | a) p(c | a, b) …, each held by an ensemble of histogram trees
(sequential CART synthesis: Reiter, "Using CART to generate partially synthetic public use microdata", JOS 21(3),
2005; the split is that of distributional random forests, see ``grow.py``). A row takes one tree of the ensemble for
each column, so the draw is from the ensemble's average. Leaves hold at least ``leaf`` people and a split must pay
its ``price``: together they keep the engine from copying people.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from fabrica.block import Block
from fabrica.contract import Engine, Model, Setting
from fabrica.engines.trees.embed import bins_of, embedding, leading, reordered
from fabrica.engines.trees.grow import Tree, grow
from fabrica.engines.trees.screen import screened
from fabrica.engines.trees.stage import Stage
from fabrica.errors import ModelFileError
from fabrica.run import Run
from fabrica.state import State
from fabrica.uniforms import even

__all__ = ["Trees"]


@dataclass(frozen=True)
class Trees(Engine):
    """Sequential trees."""

    title = "the default: sharp on mixed tables, seconds to learn, a million rows a minute and more"
    source = "Reiter, JOS 21(3), 2005; Cevid et al., JMLR 23(333), 2022"

    trees: Annotated[int, Setting("trees for each column", low=1, high=200)] = 5
    leaf: Annotated[int, Setting("people in a leaf, at least", low=1, high=1_000_000)] = 25
    price: Annotated[float, Setting("gain that a split must bring, in variances of one person", low=0, high=1000)] = 1.0
    pure: Annotated[int, Setting("people in a leaf of one single level, at least; 0 for none", low=0, high=1_000_000)] = 10
    share: Annotated[float, Setting("share of the people that each tree sees", low=0.05, high=1)] = 0.7
    features: Annotated[int, Setting("earlier columns that a column may look at", low=1, high=1000)] = 40

    def fit(self, rows: Block, given: Block | None, run: Run) -> TreesModel:
        table = Binned.of(rows, self.features, run)
        grown: list[list[Tree]] = [[] for _ in rows]
        for t in range(self.trees):
            began = time.monotonic()

            def one(j: int, t: int = t) -> Tree:
                run.tell(t * len(rows.columns) + j, self.trees * len(rows.columns), "growing trees")
                return self._tree(rows, table, j, run.child("tree").child(t).child(j))

            for j, tree in zip(range(1, len(rows.columns)), run.map(one, range(1, len(rows.columns))), strict=True):
                grown[j].append(tree)
            if run.left() < 2 * (time.monotonic() - began):
                break  # the budget has no room for another round
        return TreesModel(rows.empty(), table.luts, _first(rows), tuple(_stages(rows, table, grown, run)))

    def _tree(self, rows: Block, table: Binned, j: int, run: Run) -> Tree:
        random, target = run.random(), rows.columns[j]
        vectors = embedding(target, random)
        along = leading(target, vectors)[target.codes].astype(np.float64)
        looked = table.looked[j]
        order = np.tile(np.arange(256, dtype=np.uint8), (j, 1))
        for f in looked:
            if rows.columns[f].grid is None:
                order[f] = reordered(table.bins[:, f], table.sizes[f], along)
        seen = np.sort(random.permutation(len(rows))[: max(1, round(self.share * len(rows)))])
        return grow(table.bins, order, vectors, target.codes, seen, looked, self.leaf, self.price,
                    0 if target.grid is not None else self.pure)


@dataclass(frozen=True)
class Binned:
    """The table as features: bins (n, C) uint8, luts: code -> bin a column, sizes (C,) and looked: which earlier
    columns each column sees."""

    bins: np.ndarray
    luts: tuple[np.ndarray, ...]
    sizes: tuple[int, ...]
    looked: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, rows: Block, features: int, run: Run) -> Binned:
        luts = tuple(bins_of(c) for c in rows)
        bins = np.empty((len(rows), len(luts)), np.uint8)
        for j, (column, lut) in enumerate(zip(rows, luts, strict=True)):
            bins[:, j] = lut[column.codes]
        sizes = tuple(int(lut.max()) + 1 for lut in luts)
        return cls(bins, luts, sizes, screened(rows, features, run.child("screen")))


def _first(rows: Block) -> np.ndarray:
    """The first column's codes, sorted: it has nothing to look at."""
    if not rows.columns:
        return np.empty(0, np.uint8)
    column = rows.columns[0]
    shown = column.codes[column.codes != column.rest] if column.rest is not None else column.codes
    return np.sort(shown if len(shown) else column.codes)


def _stages(rows: Block, table: Binned, grown: Sequence[Sequence[Tree]], run: Run) -> list[Stage]:
    def one(j: int) -> Stage:
        column = rows.columns[j]
        key = leading(column, embedding(column, run.child("key").child(j).random()))
        return Stage.of(grown[j], table.bins, column.codes, key, column.rest)

    return run.map(one, range(1, len(rows.columns)))


@dataclass(frozen=True)
class TreesModel(Model):
    """What was learned: the first column's codes, then a stage for each column."""

    alphabet: Block
    luts: tuple[np.ndarray, ...]
    first: np.ndarray
    stages: tuple[Stage, ...]

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        if not self.alphabet.columns:
            return Block((), size)
        bins = np.empty((size, len(self.luts)), np.uint8)
        u = even(size, run.child(0).random())
        codes = self.first[np.minimum((u * len(self.first)).astype(np.int64), len(self.first) - 1)]
        columns = [self.alphabet.columns[0].filled(codes)]
        bins[:, 0] = self.luts[0][codes]
        for j, stage in enumerate(self.stages, start=1):
            codes = stage.draw(bins, run.child(j).random())
            bins[:, j] = self.luts[j][codes]
            columns.append(self.alphabet.columns[j].filled(codes))
        return Block.of(columns, size)

    def words(self) -> list[str]:
        leaves = sum(len(s.start) - 1 for s in self.stages)
        return [f"{sum(len(s.roots) for s in self.stages)} trees with {leaves} leaves"]

    def state(self) -> State:
        parts = {f"stage{j}": s.state() for j, s in enumerate(self.stages, start=1)}
        return State.nest({"alphabet": self.alphabet.state(), "first": State({}, {"codes": self.first}), **parts})

    @classmethod
    def from_state(cls, state: State) -> TreesModel:
        alphabet = Block.from_state(state.part("alphabet"))
        columns = alphabet.columns
        first = state.part("first").arrays["codes"]
        if columns and (first.dtype != columns[0].codes.dtype or not len(first) or first.max() >= columns[0].size):
            raise ModelFileError("the first column of this model is damaged")
        stages = tuple(Stage.from_state(state.part(f"stage{j}"), j, columns[j].size) for j in range(1, len(columns)))
        return cls(alphabet, tuple(bins_of(c) for c in columns), first, stages)
