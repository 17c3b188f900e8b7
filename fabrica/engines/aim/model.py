"""A law of bins on a junction tree, and the codes of each bin: what noisy marginals become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabrica import sound
from fabrica.bins import Bins
from fabrica.block import Block, Coded
from fabrica.contract import Likelihood, Masked, Model
from fabrica.errors import ModelFileError
from fabrica.junction import JunctionTree
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Marginals"]


@dataclass(frozen=True)
class Marginals(Model, Masked, Likelihood):
    """Parameters
    ----------
    alphabet : the codes. bins : of each column.
    beliefs : the logarithms of the marginals of the tree's cliques.
    """

    alphabet: Block
    bins: tuple[Bins, ...]
    tree: JunctionTree
    beliefs: tuple[np.ndarray, ...]

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        return self._drawn(self.beliefs, self.bins, size, run)

    def _drawn(self, beliefs: Sequence[np.ndarray], bins: Sequence[Bins], size: int, run: Run) -> Block:
        found = self.tree.sample(beliefs, size, run.child("bins").random())
        return Block(tuple(column.filled(own.drawn(found[i], run.child(i).random()))
                           for i, (column, own) in enumerate(zip(self.alphabet, bins, strict=True))), size)

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        potentials, bins, left = [np.array(b) for b in self._factors()], list(self.bins), 0.0
        for j, mask in allowed.items():
            bins[j], part = bins[j].under(mask)
            with np.errstate(divide="ignore"):
                home = self.tree.holder((j,))
                potentials[home] = potentials[home] + self.tree.spread(np.log(part), (j,), home)
        whole = self.tree.total(potentials)
        if not np.isfinite(whole):
            return self.sample(size, None, run), np.full(size, -np.inf)
        left = whole - self.tree.total(self._factors())
        return self._drawn(self.tree.calibrated(potentials), bins, size, run), np.full(size, left)

    def _factors(self) -> list[np.ndarray]:
        """Potentials whose product is the law: of each clique given what it shares with the one that it hangs on."""
        return self.tree.factors(self.beliefs)

    def log_prob(self, rows: Block, run: Run) -> np.ndarray:
        codes = [c.codes for c in rows]
        bins = [np.minimum(own.of[c], max(own.size - 1, 0)) for own, c in zip(self.bins, codes, strict=True)]
        found = self.tree.log_prob(self.beliefs, np.stack(bins)) if bins else np.zeros(len(rows))
        with np.errstate(divide="ignore"):
            return found + sum(np.log(own.share[c]) for own, c in zip(self.bins, codes, strict=True))

    def state(self) -> State:
        arrays = {f"clique.{i}": b for i, b in enumerate(self.beliefs)}
        for i, own in enumerate(self.bins):
            arrays |= {f"of.{i}": own.of, f"share.{i}": own.share}
        cliques = [list(clique) for clique in self.tree.cliques]
        return State.nest({"alphabet": self.alphabet.state(), "law": State({"cliques": cliques}, arrays)})

    @classmethod
    def from_state(cls, state: State) -> Marginals:
        alphabet, law = Block.from_state(state.part("alphabet")), state.part("law")
        bins = tuple(_bins(law, i, column) for i, column in enumerate(alphabet))
        said = sound.plain(law, "cliques", list)
        fine = all(isinstance(c, list) and all(type(i) is int and 0 <= i < len(bins) for i in c) for c in said)
        sound.demand(fine, "columns that are not the table's")
        tree = JunctionTree.hung([b.size for b in bins], [tuple(sorted(set(c))) for c in said])
        sound.demand([list(c) for c in tree.cliques] == said and tree.fine, "cliques that are no junction tree")
        beliefs = []
        for i, clique in enumerate(tree.cliques):
            found = law.arrays.get(f"clique.{i}")
            if found is None or found.shape != tree.shape(clique) or found.dtype != np.float64:
                raise ModelFileError("the model holds a law of another shape")
            sound.demand(not np.isnan(found).any() and bool((found <= 1e-9).all()), "a law that makes no sense")
            beliefs.append(found)
        return cls(alphabet, bins, tree, tuple(beliefs))


def _bins(law: State, i: int, column: Coded) -> Bins:
    """The bins of a column out of a model file."""
    of = sound.array(law, f"of.{i}", size=column.size, low=0, high=column.size, kind=np.int64)
    share = sound.array(law, f"share.{i}", size=column.size, low=0, high=1)
    drawn = np.arange(column.size) != (column.rest if share[column.rest or 0] == 0 else None)
    size = int(of[drawn].max(initial=-1)) + 1
    sound.demand(bool((of[~drawn] == size).all()) and bool((np.bincount(of[drawn], minlength=size) > 0).all()),
                 "bins that make no sense")
    whole = np.bincount(of[drawn], share[drawn], size)
    sound.demand(bool((np.abs(whole - 1) < 1e-6).all()), "shares of bins that are none")
    return Bins(of, share, size, int(of[: column.absent].max(initial=-1)) + 1)
