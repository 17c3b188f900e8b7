"""Sequential trees: each column is drawn from the leaf of a tree that looks at the columns before it.

The joint is a chain of conditionals, p(a) p(b | a) p(c | a, b) …, each held by an ensemble of histogram trees
(sequential CART synthesis: Reiter, "Using CART to generate partially synthetic public use microdata", JOS 21(3),
2005; the split is that of distributional random forests, see ``grow.py``). A row takes one tree of the ensemble for
each column, so the draw is from the ensemble's average. Leaves hold at least ``leaf`` people (``pure`` where one level
dominates) and a split must pay its ``price``: together they keep the engine from copying people, and whoever asks for
a larger ``k`` gets more of both.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from fabrica.block import Block, Coded
from fabrica.contract import Conditional, Engine, Masked, Model, Setting
from fabrica.engines.trees.derived import ROOM
from fabrica.engines.trees.embed import NARROW, embedding, leading, narrow
from fabrica.engines.trees.features import Features, View, placed
from fabrica.engines.trees.grow import grow
from fabrica.engines.trees.stage import Grown, Stage
from fabrica.errors import ModelFileError
from fabrica.picker import Picker
from fabrica.rejection import Keep
from fabrica.run import Run
from fabrica.state import State
from fabrica.uniforms import even

__all__ = ["Trees"]

USUAL, LEAF = 5, 15  #: a k that asks for no more than is usual, and people in a leaf of it where nobody says how many
SAFE = 5.0  #: a price at which the attack on half of a table is near chance (``benchmarks/trade.py``)
CANDIDATES = 32  #: for each row of which cells are filled in
SHORT = 2_048  #: rows that are filled in together
KEPT = 0.3  #: share of the rows that is then kept, which brings back most of what the price has cost


@dataclass(frozen=True)
class Trees(Engine):
    """Sequential trees."""

    title = "the default: sharp on mixed tables, learned in seconds, sampled by the hundred thousand a second"
    source = "Reiter, JOS 21(3), 2005; Cevid et al., JMLR 23(333), 2022"
    cost = 7.0

    trees: Annotated[int, Setting("trees for each column", low=1, high=200, search=(3, 12))] = 5
    leaf: Annotated[int, Setting("people in a leaf, at least; 0: fifteen, and three for each of a larger `k`",
                                 low=0, high=1_000_000, search=(5, 100))] = 0
    price: Annotated[
        float, Setting("gain that a split must bring, in variances of one person; more in proportion for a `k` above 5",
                       low=0, high=1000, search=(1, 8))] = 3.0
    pure: Annotated[
        int, Setting("people in a leaf where one level dominates; 0: as `leaf`",
                     low=0, high=1_000_000, search=(5, 50))] = 10
    share: Annotated[float, Setting("share of the people that each tree sees", low=0.05, high=1)] = 0.7
    k: Annotated[int, Setting("people that a leaf stands for at least, whatever else is set",
                              low=1, high=10_000)] = USUAL
    features: Annotated[int, Setting("earlier columns that a column may look at", low=1, high=1000)] = 40

    keep: Keep = 1.0

    def safer(self) -> Trees | None:
        return replace(self, price=SAFE, keep=min(self.keep, KEPT)) if self.price < SAFE else None

    @property
    def least(self) -> int:
        """People that a leaf holds at least."""
        return max(self.leaf or round(LEAF * self.calm), self.k)

    @property
    def calm(self) -> float:
        """How many times as far from single people this is to stay as is usual."""
        return max(1.0, self.k / USUAL)

    def fit(self, rows: Block, given: Block | None, run: Run) -> TreesModel:
        table = Features.of(rows, self.features, run)
        stages = run.map(lambda j: self._stage(table, j, run), range(1, len(rows.columns)))
        model = TreesModel(rows.empty(), _first(rows), tuple(stages))
        return replace(model, picker=Picker.learned(rows, model.made, self.keep, run.child("picker"), k=self.k))

    def _stage(self, table: Features, j: int, run: Run) -> Stage:
        """The trees of column j: as many as asked for, or fewer where its part of the budget is used up."""
        target, here = table.rows.columns[j], run.child("column").child(j)
        began, budget = time.monotonic(), run.left() * run.workers * 2 / (len(table.rows.columns) - j + 1)
        views, derived = table.views(j, self.k, here.child("derived"))
        grown = []
        for t in range(self.trees):
            run.tell((j - 1) * self.trees + t, (len(table.rows.columns) - 1) * self.trees, "growing trees")
            grown.append(self._tree(target, views, here.child(t)))
            if t + 1 < self.trees and (time.monotonic() - began) * (t + 2) / (t + 1) > budget:
                run.cut()
                break
        key = leading(target, embedding(target, here.child("key").random()))
        return Stage.of(grown, np.array([v.column for v in views]), derived, target, key, self.k)

    def _tree(self, target: Coded, views: Sequence[View], run: Run) -> Grown:
        random, count = run.random(), len(target)
        vectors = embedding(target, random)
        aim = vectors if target.grid is None and target.size > 2 else leading(target, vectors)
        orders, places = placed(views, aim[target.codes].astype(np.float64))
        seen = np.sort(random.permutation(count)[: max(1, round(self.share * count))])
        pure = 0 if target.grid is not None or not self.pure else max(self.pure, self.k)
        tree = grow(places, vectors, target.codes, seen, self.least, self.price * self.calm, pure)
        return Grown(tree, orders, tree.leaves(places))


def _first(rows: Block) -> np.ndarray:
    """The first column's codes, sorted, the protected rest last: it has nothing to look at."""
    if not rows.columns:
        return np.empty(0, np.uint8)
    column = rows.columns[0]
    codes = np.sort(column.codes)
    return codes if column.rest is None else np.concatenate([codes[codes != column.rest], codes[codes == column.rest]])


@dataclass(frozen=True)
class TreesModel(Model, Masked, Conditional):
    """What was learned: the first column's codes, then a stage for each column."""

    alphabet: Block
    first: np.ndarray
    stages: tuple[Stage, ...]
    picker: Picker | None = None

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        return self.made(size, run) if self.picker is None else self.picker.drawn(size, self.made, run)

    def made(self, size: int, run: Run) -> Block:
        """Fresh rows before any is rejected."""
        return self._walked(size, {}, run)[0]

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        rows, left = self._walked(size, allowed, run)
        return rows, left if self.picker is None else left + self.picker.log_kept(rows)

    def _walked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        """Rows column by column, and (n,) the logarithm of what ``allowed`` has left of their probability."""
        left = np.zeros(size)
        if not self.alphabet.columns:
            return Block((), size), left
        seen = np.empty((size, len(self.alphabet.columns) + ROOM), np.uint16)
        u = even(size, run.child(0).random())
        if 0 in allowed:
            codes, shown, whole = self._masked_opening(u, allowed[0], run.child("rest").random())
            left += np.log(whole) if whole > 0 else -np.inf
        else:
            codes, shown = self._opening(u)
        columns = [self.alphabet.columns[0].filled(shown)]
        for j, stage in enumerate(self.stages, start=1):
            seen[:, j - 1] = narrow(codes)
            if j in allowed:
                codes, shown, share = stage.masked(seen, allowed[j], run.child(j).random())
                with np.errstate(divide="ignore"):
                    left += np.log(share)
            else:
                codes, shown = stage.draw(seen, run.child(j).random())
            columns.append(self.alphabet.columns[j].filled(shown))
        return Block.of(columns, size), left

    def complete(self, rows: Block, known: np.ndarray, run: Run) -> Block:
        """Candidates for each row are walked from the first column to the last; one of them is taken by how likely it
        makes what is known after what is not (sampling importance resampling; Rubin 1988)."""
        codes = [column.codes.copy() for column in rows]
        lacking = np.flatnonzero(~known.all(1))
        for number, start in enumerate(range(0, len(lacking), SHORT)):
            part = lacking[start : start + SHORT]
            for j, found in enumerate(self._completed(rows.take(part), known[part], run.child(number))):
                codes[j][part] = found
        return Block.of([c.filled(found) for c, found in zip(rows, codes, strict=True)], len(rows))

    def _completed(self, rows: Block, known: np.ndarray, run: Run) -> list[np.ndarray]:
        """(n,) codes of each column."""
        size, columns = len(rows) * CANDIDATES, len(rows.columns)
        seen, weight = np.zeros((size, columns + ROOM), np.uint16), np.zeros(size)
        free, made = np.zeros(size, bool), list[np.ndarray]()  # rows of which something before was drawn
        for j, column in enumerate(rows):
            held, own = np.repeat(known[:, j], CANDIDATES), np.repeat(column.codes, CANDIDATES)
            random = run.child(j).random()
            drawn, shown = self._opening(random.random(size)) if j == 0 else self.stages[j - 1].draw(seen, random)
            asked = np.flatnonzero(held & free)
            if len(asked):
                weight[asked] += np.log(self.stages[j - 1].chance(
                    seen[asked], own[asked].astype(np.int64), column.ordered, column.absent))
            seen[:, j] = narrow(np.where(held, own, drawn))
            made.append(np.where(held, own, shown))
            free |= ~held
        chance = weight.reshape(-1, CANDIDATES) + run.child("choice").random().gumbel(size=(len(rows), CANDIDATES))
        chosen = np.arange(len(rows)) * CANDIDATES + chance.argmax(1)
        return [found[chosen] for found in made]

    def _masked_opening(self, u: np.ndarray, allowed: np.ndarray, random: np.random.Generator
                        ) -> tuple[np.ndarray, np.ndarray, float]:
        """As ``_opening``, with what is shown drawn in proportion to ``allowed``; and the share that this leaves."""
        missing, common, count = self._parts
        below = np.concatenate([[0.0], np.cumsum(allowed[self.first[:common]])])
        if below[-1] <= 0:
            return *self._opening(u), 0.0
        again = (below[-1] - below[missing]) / (common - missing) * (count - common) / count
        share = below[-1] / count + again
        hidden = random.random(len(u)) * share < again
        goal = np.where(hidden, below[missing] + u * (below[-1] - below[missing]), u * below[-1])
        shown = self.first[np.clip(np.searchsorted(below, goal, "right") - 1, 0, common - 1)]
        return np.where(hidden, self.first[-1], shown), shown, float(share)

    @property
    def _parts(self) -> tuple[int, int, int]:
        """From where in the first column's codes there are values that may be shown, to where, and their number; from 0
        where there are none."""
        column, count = self.alphabet.columns[0], len(self.first)
        common = int((self.first != column.rest).sum()) if column.rest is not None else count
        missing = int((self.first < column.absent).sum())
        return missing if missing < (common or count) else 0, common or count, count

    def _opening(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first column's codes at ``u`` (n,) in [0, 1), and what is shown of them: a common level for the rest."""
        missing, common, count = self._parts
        codes = self.first[np.minimum((u * count).astype(np.int64), count - 1)]
        if common == count:
            return codes, codes
        again = missing + (u * count - common) / (count - common) * (common - missing)
        again = np.clip(again, missing, common - 1).astype(np.int64)
        return codes, np.where(codes == self.alphabet.columns[0].rest, self.first[again], codes)

    def words(self) -> list[str]:
        leaves = sum(len(s.start) - 1 for s in self.stages)
        return [f"{sum(len(s.roots) for s in self.stages)} trees with {leaves} leaves",
                *([] if self.picker is None else self.picker.words())]

    def state(self) -> State:
        parts = {f"stage{j}": s.state() for j, s in enumerate(self.stages, start=1)}
        return State.nest({"alphabet": self.alphabet.state(), "first": State({}, {"codes": self.first}), **parts,
                           **Picker.parts(self.picker)})

    @classmethod
    def from_state(cls, state: State) -> TreesModel:
        alphabet = Block.from_state(state.part("alphabet"))
        columns = alphabet.columns
        first = state.part("first").arrays["codes"]
        if columns and (first.dtype != columns[0].codes.dtype or not len(first) or first.max() >= columns[0].size
                        or (first[: (first != columns[0].rest).sum()] == columns[0].rest).any()):
            raise ModelFileError("the first column of this model is damaged")
        lengths = [min(c.size, NARROW + 1) for c in columns]
        stages = tuple(Stage.from_state(state.part(f"stage{j}"), lengths[:j], columns[j])
                       for j in range(1, len(columns)))
        return cls(alphabet, first, stages, Picker.from_parts(state, columns))
