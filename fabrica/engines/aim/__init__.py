"""AIM: noisy marginals, chosen round by round where the law so far is wrong, and the law of maximum entropy with them.

Everything is known through noise. The codes' own counts come with the codec or are measured; then in each round a few
pairs (and triples with a target) are chosen and measured (``look``), and the law on a junction tree that is nearest to
all of them is found (``estimation``). The tree may hold so many cells and no more, which bounds time and memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import combinations
from typing import Annotated, ClassVar

import numpy as np

from fabrica import sound
from fabrica.block import Block, Coded, Told
from fabrica.contract import Engine, Likelihood, Masked, Model, Setting
from fabrica.engines.aim.bins import Bins, joined
from fabrica.engines.aim.look import Rows, look
from fabrica.errors import ModelFileError, UnknownName
from fabrica.estimation import Estimate, Measured, estimated
from fabrica.junction import JunctionTree, cells
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Aim"]

GROWTH = 1.5  #: times that a round may cost what the one before did
SINGLES = Fraction(1, 4)  #: of the budget, for the counts of codes that no codec has told
FIRST = 0.4  #: of all cells that the tree may have in the beginning
WIDE, LONG = 20, 15_000  #: columns above which, and rows below which, columns are cut into fewer bins
FINE, COARSE = 32, 20  #: bins of an ordered column, about
DRAWS = 2  #: rows that are drawn of the law for each row, to see what it says of a set
SURELY = 1e-9  #: share of a bin at least


@dataclass(frozen=True)
class Aim(Engine):
    """Differentially private marginals."""

    title = "differential privacy: noisy marginals where they matter most; needs --epsilon, seconds"
    source = "McKenna, Mullins, Sheldon and Miklau, VLDB 15(11), 2022; Cai et al. (PrivMRF), VLDB 14(11), 2021"
    private: ClassVar[str] = "always"
    cost = 8.0
    start = 2.0

    cells: Annotated[int, Setting("numbers that the law may have, at most", low=100, high=20_000_000)] = 250_000
    rounds: Annotated[int, Setting("times that sets are chosen", low=1, high=100)] = 6
    sets: Annotated[int, Setting("sets of columns that are measured in a round", low=1, high=1_000)] = 8
    steps: Annotated[int, Setting("steps of the last fit to what was measured, at most", low=1, high=10_000)] = 60
    target: Annotated[str, Setting("a column whose bonds with each two others are looked at too; empty: none")] = ""

    def fit(self, rows: Block, given: Block | None, run: Run) -> Marginals:
        total, bins, singles = self._singles(rows, run)
        shown = Rows(np.stack([b.of[c.codes] for b, c in zip(bins, rows, strict=True)]) if bins else
                     np.zeros((0, len(rows)), np.int64), tuple(b.size + b.rest for b in bins))
        sizes = [b.size for b in bins]
        measured = [Measured((i,), one.counts, one.variance) for i, one in enumerate(singles)]
        law = _independent(sizes, measured)
        candidates = self._candidates(rows)
        budget, weights = run.purse.left, [Fraction(GROWTH) ** r for r in range(self.rounds)]
        for r, weight in enumerate(weights if candidates else ()):
            run.tell(r, self.rounds, "measuring how columns hang together")
            tree, found = law
            drawn = Rows(tree.sample(found.beliefs, round(DRAWS * total), run.child(r).random()), tuple(sizes))
            room = self.cells * (FIRST + (1 - FIRST) * (r + 1) / self.rounds)
            known = [m.columns for m in measured]
            new = look(shown, [c for c in candidates if c not in known], partial(_expected, drawn, bins),
                       partial(_fits, sizes, known, room), self.sets, budget * weight / sum(weights), run)
            measured += [_without_rest(one, bins) for one in new]
            tree = JunctionTree.of(sizes, [m.columns for m in measured])
            last = r + 1 == self.rounds
            law = tree, estimated(tree, measured, total, self.steps if last else self.steps // 4,
                                  found.potentials, scaled=40)
        tree, found = law
        return Marginals(rows.empty(), tuple(bins), tree, tuple(found.beliefs))

    def _singles(self, rows: Block, run: Run) -> tuple[float, list[Bins], list[Told]]:
        """About how many rows there are, the bins of each column and how many rows they have."""
        unknown = sum(c.told is None for c in rows)
        price = run.purse.left * SINGLES / max(unknown, 1)
        told = [_counted(c, price, run) if c.told is None else c.told for c in rows]
        total = max(1.0, float(np.mean([t.counts.sum() for t in told]))) if told else 1.0
        most = COARSE if len(told) > WIDE or total < LONG else FINE
        cut = [joined(c, t, total, most) for c, t in zip(rows, told, strict=True)]
        return total, [bins for bins, _ in cut], [counts for _, counts in cut]

    def _candidates(self, rows: Block) -> list[tuple[int, ...]]:
        """All pairs, and the triples with the target."""
        every = range(len(rows.columns))
        found: list[tuple[int, ...]] = list(combinations(every, 2))
        if self.target:
            names = [c.name for c in rows]
            if self.target not in names:
                raise UnknownName("column", self.target, names, where="setting 'target'")
            aim = names.index(self.target)
            found += [tuple(sorted((*pair, aim))) for pair in combinations([i for i in every if i != aim], 2)]
        return found


def _counted(column: Coded, price: Fraction, run: Run) -> Told:
    counts = np.bincount(column.codes, minlength=column.size)
    noisy, variance = run.noisy(counts, price, f"{column.name}, counts of codes")
    return Told(noisy.astype(np.float64), np.full(column.size, variance))


def _independent(sizes: Sequence[int], measured: Sequence[Measured]) -> tuple[JunctionTree, Estimate]:
    """The law in which no two columns hang together."""
    tree = JunctionTree.of(sizes, [])
    shares = [np.maximum(m.counts, 0) / max(np.maximum(m.counts, 0).sum(), 1e-300) for m in measured]
    logs = [np.log(np.maximum(share, SURELY)) for share in shares]
    order = [clique[0] for clique in tree.cliques]
    return tree, Estimate(tree.calibrated([logs[c] for c in order]), logs)


def _fits(sizes: Sequence[int], known: Sequence[tuple[int, ...]], room: float, sets: Sequence[tuple[int, ...]]) -> bool:
    """Whether a tree of no more cells than there is ``room`` can hold some sets beside the known ones."""
    return cells(sizes, [*known, *sets]) <= room


def _expected(drawn: Rows, bins: Sequence[Bins], columns: tuple[int, ...]) -> np.ndarray:
    """Whole counts that the law says a set has; of the protected rest it knows none."""
    found = np.rint(drawn.counts(columns) / DRAWS).astype(np.int64)
    return np.pad(found, [(0, int(bins[c].rest)) for c in columns])


def _without_rest(one: Measured, bins: Sequence[Bins]) -> Measured:
    """The counts with those of the protected rest given to the bins that are present, in proportion."""
    counts = one.counts
    for axis, c in enumerate(one.columns):
        if bins[c].rest:
            counts = np.moveaxis(_shown(np.moveaxis(counts, axis, -1), bins[c].absent), -1, axis)
    return replace(one, counts=counts)


def _shown(counts: np.ndarray, absent: int) -> np.ndarray:
    """(…, b + 1) counts as (…, b): the last ones are given to those from ``absent`` on."""
    there = np.maximum(counts[..., absent:-1], 0.0)
    if there.shape[-1] == 0:
        return counts[..., :-1]
    share = np.where(there.sum(-1, keepdims=True) > 0, there, 1.0)
    share = share / share.sum(-1, keepdims=True)
    found = counts[..., :-1].copy()
    found[..., absent:] += share * counts[..., -1:]
    return found


@dataclass(frozen=True)
class Marginals(Model, Masked, Likelihood):
    """A law of bins on a junction tree, and the codes of each bin."""

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
