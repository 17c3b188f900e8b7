"""Boosted hierarchies: each column is drawn by a few questions, each answered by boosted trees.

The joint is a chain of conditionals, p(a) p(b | a) p(c | a, b) …, and each conditional a chain of branches in a
binary tree over the column's codes (``hierarchy.py``). All branches of one level share one gradient-boosted model
(``boost.py``, ``grow.py``), which starts from each branch's own share and sees the columns before, the branch, and how
far the branch's threshold lies from where the row is expected (``reference.py``). Boosted trees predict tables better
than anything else of their cost (Grinsztajn, Oyallon, Varoquaux, NeurIPS 2022), and here every conditional is such a
prediction: sharper than a leaf's rows, and no row of anybody is kept. Rows that nobody learned from stop each model
early.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

import numpy as np

from fabrica import sound
from fabrica.block import Block
from fabrica.boosters.boost import Boosting
from fabrica.boosters.grow import Guard
from fabrica.contract import Engine, Likelihood, Masked, Model, Setting
from fabrica.engines.boosted.context import Context, coarser, line
from fabrica.engines.boosted.hierarchy import Hierarchy
from fabrica.engines.boosted.stage import Stage, Task
from fabrica.picker import Picker
from fabrica.rejection import PAYS, Keep
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Boosted"]

ROWS = 250_000  #: that are learned from, at most
MOVED = 1 << 14  #: rows by which it is known how far nodes are moved where nothing is asked
HESSIAN = 0.5  #: its sum in a leaf, at least: no odds are told beyond what so many rows can know


@dataclass(frozen=True)
class Boosted(Engine):
    """Boosted hierarchies."""

    title = "boosted trees for each branch: as sharp as trees, tells how likely rows are; 30,000 rows a second at most"
    source = "Friedman, Ann. Stat. 29(5), 2001; Morin and Bengio, AISTATS 2005"
    cost = 12.0

    rounds: Annotated[
        int, Setting("trees of a level, at most; rows kept aside stop it earlier", low=0, high=5000)] = 200
    rate: Annotated[
        float, Setting("share of its way that each tree is taken", low=0.005, high=1, search=(0.05, 0.3))] = 0.15
    leaves: Annotated[int, Setting("leaves of a tree, at most", low=2, high=256, search=(8, 128))] = 31
    leaf: Annotated[int, Setting("people in a leaf, at least", low=1, high=1_000_000, search=(20, 200))] = 50
    ridge: Annotated[
        float, Setting("added to each leaf's hessian: more is calmer", low=0, high=10_000, search=(1, 30))] = 3.0
    price: Annotated[
        float, Setting("gain that a split must bring; chance alone gives one", low=0, high=1000, search=(0, 4))] = 0.0
    patience: Annotated[
        int, Setting("trees that may fail to help before a level stops; 0: it never does", low=0, high=1000)] = 6
    k: Annotated[int, Setting("people that a leaf or a branch stands for at least", low=1, high=10_000)] = 5
    features: Annotated[int, Setting("earlier columns that a column may look at", low=1, high=1000)] = 24
    keep: Keep = 0.4

    def fit(self, rows: Block, given: Block | None, run: Run) -> BoostedModel:
        if len(rows) > ROWS:
            rows = rows.take(np.sort(run.child("rows").random().permutation(len(rows))[:ROWS]))
        context = Context.of(rows, self.features, run.child("context"))
        stages = run.map(lambda j: self._stage(rows, context, j, run), range(len(rows.columns)))
        model = BoostedModel(rows.empty(), context.tables, context.column, tuple(stages))
        return replace(model, picker=Picker.learned(rows, model.made, self.keep, run.child("picker"), PAYS, self.k))

    def _stage(self, rows: Block, context: Context, j: int, run: Run) -> Stage:
        """Column j, in its part of the budget."""
        began, budget = time.monotonic(), run.left() * run.workers / max(len(rows.columns) - j, 1)
        run.tell(j, len(rows.columns), "boosting columns")
        target, looked = rows.columns[j], context.looked[j]
        placed = np.ascontiguousarray(context.placed[:, looked])
        hierarchy = Hierarchy.over(target, line(target, coarser(placed), target.codes), self.k)
        task = Task(target, rows.columns[:j], looked, context.column, placed, context.nominal[looked], hierarchy)

        def late(share: float) -> bool:
            over = time.monotonic() - began > share * budget
            if over:
                run.cut()
            return over

        return Stage.learn(task, self._how, late, run.child("column").child(j))

    @property
    def _how(self) -> Boosting:
        guard = Guard(self.leaves, max(self.leaf, self.k), HESSIAN, self.ridge, self.price)
        return Boosting(self.rounds, self.rate, self.patience, guard)


@dataclass(frozen=True)
class BoostedModel(Model, Likelihood, Masked):
    """What was learned.

    tables, column : for each feature of the context the place of each code, and its column. stages : one a column.
    """

    alphabet: Block
    tables: tuple[np.ndarray, ...]
    column: np.ndarray
    stages: tuple[Stage, ...]
    picker: Picker | None = None

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        return self.made(size, run) if self.picker is None else self.picker.drawn(size, self.made, run)

    def made(self, size: int, run: Run) -> Block:
        """Fresh rows before any is rejected."""
        placed, codes = np.empty((size, len(self.tables)), np.uint8), list[np.ndarray]()
        columns = []
        for j, (stage, column) in enumerate(zip(self.stages, self.alphabet, strict=True)):
            found, shown, _ = stage.draw(codes, placed[:, stage.looked], run.child(j).random())
            codes.append(found)
            self._place(placed, j, found)
            columns.append(column.filled(shown))
        return Block.of(columns, size)

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        placed, codes = np.empty((size, len(self.tables)), np.uint8), list[np.ndarray]()
        columns, left = [], np.zeros(size)
        for j, (stage, column) in enumerate(zip(self.stages, self.alphabet, strict=True)):
            random, context = run.child(j).random(), placed[:, stage.looked]
            if j in allowed:
                found, shown, share = stage.masked(codes, context, allowed[j], self._moved[j], random)
                left += share
            else:
                found, shown, _ = stage.draw(codes, context, random, self._moved[j])
            codes.append(found)
            self._place(placed, j, found)
            columns.append(column.filled(shown))
        rows = Block.of(columns, size)
        return rows, left if self.picker is None else left + self.picker.log_kept(rows)

    def log_prob(self, rows: Block, run: Run) -> np.ndarray:
        """The likelihood of the model as it was learned, without the calibration and the choice that sampling adds."""
        placed, codes = np.empty((len(rows), len(self.tables)), np.uint8), list[np.ndarray]()
        total = np.zeros(len(rows))
        for j, (stage, column) in enumerate(zip(self.stages, rows, strict=True)):
            total += stage.log_prob(codes, placed[:, stage.looked], column.codes)
            codes.append(column.codes)
            self._place(placed, j, column.codes)
        return total

    @cached_property
    def _moved(self) -> tuple[np.ndarray, ...]:
        """The logits by which each stage's nodes are moved where nothing is asked, of rows that are always the same."""
        placed, codes, run = np.empty((MOVED, len(self.tables)), np.uint8), list[np.ndarray](), Run(0, workers=1)
        found = []
        for j, stage in enumerate(self.stages):
            drawn, _, moved = stage.draw(codes, placed[:, stage.looked], run.child(j).random())
            codes.append(drawn)
            found.append(moved)
            self._place(placed, j, drawn)
        return tuple(found)

    def _place(self, placed: np.ndarray, j: int, codes: np.ndarray) -> None:
        for g in np.flatnonzero(self.column == j):
            placed[:, g] = self.tables[g][codes]

    def words(self) -> list[str]:
        trees = sum(len(f) for s in self.stages for f in s.levels)
        return [f"{trees} boosted trees for {sum(s.hierarchy.depth for s in self.stages)} levels of questions",
                *([] if self.picker is None else self.picker.words())]

    def state(self) -> State:
        own = State({}, {"column": self.column, **{f"table{g}": t for g, t in enumerate(self.tables)}})
        parts = {f"stage{j}": s.state() for j, s in enumerate(self.stages)}
        return State.nest({"alphabet": self.alphabet.state(), "context": own, **parts, **Picker.parts(self.picker)})

    @classmethod
    def from_state(cls, state: State) -> BoostedModel:
        alphabet, own = Block.from_state(state.part("alphabet")), state.part("context")
        columns = alphabet.columns
        column = sound.array(own, "column", low=0, high=len(columns) - 1, ascending=True, kind=np.int64)
        tables = tuple(sound.array(own, f"table{g}", size=columns[c].size, low=0, high=255, kind=np.uint8)
                       for g, c in enumerate(column))
        stages = tuple(Stage.from_state(state.part(f"stage{j}"), one, columns[:j], int((column < j).sum()))
                       for j, one in enumerate(columns))
        return cls(alphabet, tables, column, stages, Picker.from_parts(state, columns))
