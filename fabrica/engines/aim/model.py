"""A law of bins, and the codes of each bin: what noisy marginals become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fabrica import sound
from fabrica.bins import Bins
from fabrica.block import Block, Coded
from fabrica.contract import Likelihood, Masked, Model
from fabrica.errors import ModelFileError
from fabrica.junction import JunctionTree, TreeLaw
from fabrica.mixture import Mixture
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Marginals"]


@dataclass(frozen=True)
class Marginals(Model, Masked, Likelihood):
    """Parameters
    ----------
    alphabet : the codes. bins : of each column.
    law : of the bins: a junction tree's, or a mixture. Its tables are float32.
    """

    alphabet: Block
    bins: tuple[Bins, ...]
    law: TreeLaw | Mixture

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        found = self.law.sample(size, run.child("bins").random())
        return Block(tuple(column.filled(own.drawn(found[i], run.child(i).random()))
                           for i, (column, own) in enumerate(zip(self.alphabet, self.bins, strict=True))), size)

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        bins, parts = list(self.bins), dict[int, np.ndarray]()
        for j, mask in allowed.items():
            bins[j], parts[j] = bins[j].under(mask)
        law, left = self.law.under(parts)
        if left == -np.inf:
            return self.sample(size, None, run), np.full(size, -np.inf)
        return replace(self, bins=tuple(bins), law=law).sample(size, None, run), np.full(size, left)

    def log_prob(self, rows: Block, run: Run) -> np.ndarray:
        codes = [c.codes for c in rows]
        bins = [np.minimum(own.of[c], max(own.size - 1, 0)) for own, c in zip(self.bins, codes, strict=True)]
        found = self.law.log_prob(np.stack(bins)) if bins else np.zeros(len(rows))
        with np.errstate(divide="ignore"):
            return found + sum(np.log(own.share[c]) for own, c in zip(self.bins, codes, strict=True))

    def state(self) -> State:
        arrays, plain = dict[str, np.ndarray](), dict[str, object]()
        for i, own in enumerate(self.bins):
            arrays |= {f"of.{i}": own.of, f"share.{i}": own.share}
        if isinstance(self.law, Mixture):
            arrays |= {"weights": self.law.weights, **{f"table.{i}": t for i, t in enumerate(self.law.tables)}}
        else:
            plain = {"cliques": [list(clique) for clique in self.law.tree.cliques]}
            arrays |= {f"table.{i}": t for i, t in enumerate(self.law.laws)}
        return State.nest({"alphabet": self.alphabet.state(), "law": State(plain, arrays)})

    @classmethod
    def from_state(cls, state: State) -> Marginals:
        alphabet, law = Block.from_state(state.part("alphabet")), state.part("law")
        bins = tuple(_bins(law, i, column) for i, column in enumerate(alphabet))
        sizes = [own.size for own in bins]
        return cls(alphabet, bins, _tree(law, sizes) if "cliques" in law.plain else _mixture(law, sizes))


def _tree(law: State, sizes: list[int]) -> TreeLaw:
    """The law of a junction tree out of a model file."""
    said = sound.plain(law, "cliques", list)
    fine = all(isinstance(c, list) and all(type(i) is int and 0 <= i < len(sizes) for i in c) for c in said)
    sound.demand(fine, "columns that are not the table's")
    tree = JunctionTree.hung(sizes, [tuple(sorted(set(c))) for c in said])
    sound.demand([list(c) for c in tree.cliques] == said and tree.fine, "cliques that are no junction tree")
    return TreeLaw(tree, tuple(_table(law, f"table.{i}", tree.shape(c), whole=True)
                               for i, c in enumerate(tree.cliques)))


def _mixture(law: State, sizes: list[int]) -> Mixture:
    """A mixture out of a model file."""
    components = len(law.arrays.get("weights", ()))
    sound.demand(0 < components <= 1 << 16, "a mixture of nothing")
    return Mixture(_table(law, "weights", (components,), whole=True),
                   tuple(_table(law, f"table.{i}", (components, size)) for i, size in enumerate(sizes)))


def _table(law: State, name: str, shape: tuple[int, ...], whole: bool = False) -> np.ndarray:
    """Probabilities: one in all where they are a ``whole``, else in each row."""
    found = law.arrays.get(name)
    if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype != np.float32:
        raise ModelFileError("the model holds a law of another shape")
    sums = found.sum(None if whole else 1, dtype=np.float64)
    fine = np.isfinite(found).all() and (found >= 0).all() and (np.abs(sums - 1) < 1e-3).all()
    sound.demand(bool(fine), "a law that makes no sense")
    return found


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
