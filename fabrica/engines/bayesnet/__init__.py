"""A Bayesian network over tokens: each column given at most a few earlier ones, as counts that fall back.

The joint is a chain of conditionals, each over few parents (k-dependence: Sahami, KDD 1996), found greedily
(``search.py``), over columns cut coarser where they serve as parents (``parent.py``), and held as trees of counts
(``table.py``); columns with many tokens are drawn in two steps (``column.py``). It knows how likely a row is. (Zhang,
Cormode, Procopiuc, Srivastava and Xiao, "PrivBayes", SIGMOD 2014, TODS 2017.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from fabrica import sound
from fabrica.block import Block
from fabrica.contract import Engine, Likelihood, Masked, Model, Setting
from fabrica.engines.bayesnet.column import Column
from fabrica.engines.bayesnet.parent import resolutions
from fabrica.engines.bayesnet.private import MOST, learned_privately
from fabrica.engines.bayesnet.search import gains
from fabrica.picker import Picker
from fabrica.rejection import Keep
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Tokens

__all__ = ["BayesNet"]

ROWS = 30_000  #: by which parents are found, at most
PAIRS = 4e8  #: cells that the look at all pairs may cost
OFFERED = 16  #: columns that are offered as parents of one, at most
MIDDLE = 1  #: the resolution by which pairs are compared
KEPT = 0.2  #: share of the rows that is kept where it shall be sharp


@dataclass(frozen=True)
class BayesNet(Engine):
    """Bayesian network."""

    title = "counts given a few earlier columns: learned in a second, says how likely a row is; less sharp than trees"
    source = "Zhang et al., ACM TODS 42(4), 2017; MacKay and Peto, Nat. Lang. Eng. 1(3), 1995"
    cost = 12.0  # as sharp as it can be
    private = "can"

    parents: Annotated[
        int, Setting("earlier columns that a column is drawn from, at most", low=0, high=12, search=(2, 7))] = 5
    bins: Annotated[int, Setting("tokens of a numeric column, about", low=2, high=1024, search=(24, 160))] = 64
    k: Annotated[int, Setting("rows that a combination of parents must have to count, as must those left out together; "
                              "a count inside one may be of a single row", low=1, high=10_000)] = 5
    keep: Keep = 1.0

    def safer(self) -> BayesNet | None:
        return replace(self, keep=1.0) if self.keep < 1 else None

    def sharper(self) -> BayesNet | None:
        return replace(self, keep=KEPT) if self.keep > KEPT else None

    def fit(self, rows: Block, given: Block | None, run: Run) -> BayesNetModel:
        if run.private:
            return BayesNetModel(*learned_privately(rows, min(self.parents, MOST), self.k, run))
        if not len(rows):  # of nobody nothing is known: each code once, and no column asks another
            most = max((c.size for c in rows), default=1)
            every = Block.of([c.filled(np.arange(most) % c.size) for c in rows], most)
            return replace(self, parents=0).fit(every, given, run)
        tokens = Tokens.of(rows, self.bins, self.k)
        words = np.ascontiguousarray(tokens.encode(rows).T)
        some = np.sort(run.child("rows").random().permutation(len(rows))[:ROWS])
        few = np.ascontiguousarray(words[:, some])
        groups = [resolutions(t) for t in tokens.columns]
        told = self._pairs(tokens, few, groups)
        order = sorted(range(len(words)), key=lambda j: tokens.sizes[j])  # small ones make full tables as parents

        def column(step: int) -> Column:
            run.tell(step, len(order), "counting")
            j, earlier = order[step], order[:step]
            best = sorted(earlier, key=lambda c: -told[j, c])[:OFFERED]
            offered = [(c, g) for c in best for g in groups[c]]
            return Column.of(j, tokens.columns[j], words, few, offered, self.parents, self.k)

        model = BayesNetModel(tokens, tuple(run.map(column, range(len(order)))))
        return replace(model, picker=Picker.learned(rows, model.made, self.keep, run.child("picker"), k=self.k))

    def _pairs(self, tokens: Tokens, words: np.ndarray, groups: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
        """(C, C) nats a row that column i brings to column j at [j, i], alone."""
        count = len(tokens.columns)
        few = int(min(words.shape[1], PAIRS / max(count, 1) ** 2 / 4))
        one = [g[min(MIDDLE, len(g) - 1)] if g else np.zeros(s, np.int32)
               for g, s in zip(groups, tokens.sizes, strict=True)]
        return gains(np.ascontiguousarray(words[:, :few]), tokens.sizes, one, self.k)


@dataclass(frozen=True)
class BayesNetModel(Model, Likelihood, Masked):
    """Tokens, and the columns in the order in which they are drawn."""

    tokens: Tokens
    columns: tuple[Column, ...]
    picker: Picker | None = None

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        return self.made(size, run) if self.picker is None else self.picker.drawn(size, self.made, run)

    def made(self, size: int, run: Run) -> Block:
        """Fresh rows before any is rejected."""
        return self._drawn(size, {}, run)[0]

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        rows, left = self._drawn(size, allowed, run)
        return rows, left if self.picker is None else left + self.picker.log_kept(rows)

    def _drawn(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        """Rows column by column, and (n,) the logarithm of what ``allowed`` has left of their probability."""
        seen, left = np.zeros((len(self.columns), size), np.int32), np.zeros(size)
        drawn = list(self.tokens.alphabet.columns)
        for column in self.columns:
            random = run.child(column.j).random()
            if column.j in allowed:
                codes, share = column.masked(seen, allowed[column.j], random)
                with np.errstate(divide="ignore"):
                    left += np.log(share)
            else:
                codes = column.draw(seen, random)
            drawn[column.j] = drawn[column.j].filled(codes)
        return Block.of(drawn, size), left

    def log_prob(self, rows: Block, run: Run) -> np.ndarray:
        """The likelihood of what the counts say, without the choice that a picker adds."""
        seen = np.ascontiguousarray(self.tokens.encode(rows).T)
        found = self.tokens.log_inside(rows)
        for column in self.columns:
            found += column.log_prob(seen)
        return found

    def words(self) -> list[str]:
        names = [c.name for c in self.tokens.alphabet]
        asked = [dict.fromkeys(names[p.column] for t in c.tables for p in t.parents if p.column != c.j)
                 for c in self.columns]
        own = [f"{names[c.j]} given {', '.join(a) or 'nothing'}: {sum(len(t.up) for t in c.tables)} tables"
               for c, a in zip(self.columns, asked, strict=True)]
        return own if self.picker is None else [*own, *self.picker.words()]

    def state(self) -> State:
        parts = {f"column{c.j}": c.state() for c in self.columns}
        order = State({}, {"order": np.array([c.j for c in self.columns], np.int32)})
        return State.nest({"tokens": self.tokens.state(), "order": order, **parts, **Picker.parts(self.picker)})

    @classmethod
    def from_state(cls, state: State) -> BayesNetModel:
        tokens = Tokens.from_state(state.part("tokens"))
        count = len(tokens.columns)
        order = sound.array(state.part("order"), "order", size=count, low=0, high=count - 1, kind=np.int32).tolist()
        sound.demand(len(set(order)) == count, "an order that names a column twice")
        columns = tuple(Column.from_state(state.part(f"column{j}"), j, tokens.columns[j], order[:step], tokens.sizes)
                        for step, j in enumerate(order))
        return cls(tokens, columns, Picker.from_parts(state, tokens.alphabet.columns))
