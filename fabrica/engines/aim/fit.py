"""Learn a law from noisy marginals: single columns first, then in each round the sets that the law gets most wrong.

The law is a junction tree's, of maximum entropy, as long as that can hold about what the budget can measure. Where the
columns are dense and many (a tree of so many cells holds a part of their pairs only) and the budget is large enough to
measure the others too, it is a mixture. All of that is told from the sizes of the bins, the budget and the noisy number
of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import combinations

import numpy as np

from fabrica.bins import Bins, binned, counted
from fabrica.block import Block
from fabrica.engines.aim.look import Rows, look, measured
from fabrica.engines.aim.model import Marginals
from fabrica.errors import UnknownName
from fabrica.estimation import Measured, estimated
from fabrica.junction import JunctionTree, TreeLaw, cells
from fabrica.mixture import Mixture, mixed
from fabrica.run import Run

__all__ = ["Plan", "fitted"]

GROWTH = 1.5  #: times that a round may cost what the one before did
FIRST = 0.4  #: of all cells that the tree may have in the beginning
DRAWS = 2  #: rows that are drawn of the law for each row, to see what it says of a set
LITTLE = Fraction(1, 50)  #: of the budget, that is not worth a look
TIMES = 2.0  #: as many pairs are worth a look as a tree holds, from where on a mixture serves better
CLOSE = 0.15  #: share of the rows that noise may misplace in a pair that is worth a look
COMPONENTS, MIXING, MOST = 256, 200, 300  #: of a mixture; steps of its last fit; pairs that are measured for it
SURELY = 1e-9  #: share of a bin at least


@dataclass(frozen=True)
class Plan:
    """Parameters
    ----------
    cells : numbers that the law may have, at most. rounds : times that sets are chosen, ``sets`` of them each.
    steps : of the last fit, at most. target : the column of which triples are candidates too; empty: none.
    forest : whether no columns may hang together in a circle. law : tree, mixture, or auto to choose.
    """

    cells: int
    rounds: int
    sets: int
    steps: int
    target: str = ""
    forest: bool = False
    law: str = "auto"

    def candidates(self, names: Sequence[str]) -> list[tuple[int, ...]]:
        """All pairs, and the triples with the target.

        >>> Plan(9, 1, 1, 1, "b").candidates(["a", "b", "c"])
        [(0, 1), (0, 2), (1, 2), (0, 1, 2)]
        """
        every = range(len(names))
        found: list[tuple[int, ...]] = list(combinations(every, 2))
        if self.target and self.target not in names:
            raise UnknownName("column", self.target, list(names), where="setting 'target'")
        if self.target:
            aim = list(names).index(self.target)
            found += [tuple(sorted((*pair, aim))) for pair in combinations([i for i in every if i != aim], 2)]
        return found

    def dense(self, sizes: Sequence[int], worth: int) -> bool:
        """Whether a mixture serves better: a tree holds less than half of the pairs that are ``worth`` a look."""
        if self.law != "auto" or self.forest or len(sizes) < 2:
            return self.law == "mixture"
        mean = max(2.0, math.exp(sum(math.log(size) for size in sizes) / len(sizes)))
        return worth > TIMES * len(sizes) * max(1.0, math.log(self.cells) / math.log(mean) - 1)

    def fits(self, sizes: Sequence[int], known: Sequence[tuple[int, ...]], room: float,
             sets: Sequence[tuple[int, ...]]) -> bool:
        """Whether a law of no more cells than there is ``room`` can hold some sets beside the ``known`` ones."""
        if self.forest and not _acyclic(len(sizes), [*known, *sets]):
            return False
        return cells(sizes, [*known, *sets]) <= room


def _acyclic(columns: int, sets: Sequence[tuple[int, ...]]) -> bool:
    """Whether pairs of columns make no circle."""
    tree = list(range(columns))
    for pair in sets:
        if len(pair) == 2:
            one, other = tree[pair[0]], tree[pair[1]]
            if one == other:
                return False
            tree = [other if root == one else root for root in tree]
    return True


def fitted(rows: Block, plan: Plan, run: Run) -> Marginals:
    """The law of the rows, as far as the budget of the run reaches."""
    candidates = plan.candidates([c.name for c in rows])
    total, bins, singles = counted(rows, run)
    shown = Rows(binned(rows, bins), tuple(b.size + b.rest for b in bins), tuple(c.name for c in rows))
    sizes = [b.size for b in bins]
    looks = [Measured((i,), one.counts, one.variance) for i, one in enumerate(singles)]
    worth = _worth(sizes, total, run)
    dense = plan.dense(sizes, worth)
    if dense:
        candidates = [c for c in candidates if len(c) == 2]
    many = -(-min(worth, MOST) // plan.rounds) if dense else plan.sets
    sets = min(max(plan.sets, many), -(-len(candidates) // plan.rounds))
    weights = [Fraction(GROWTH) ** r for r in range(plan.rounds)]
    law, potentials = _independent(sizes, looks)
    for r, weight in enumerate(weights if candidates else ()):
        run.tell(r, plan.rounds, "measuring how columns hang together")
        drawn = Rows(law.sample(round(DRAWS * total), run.child(r).random()), tuple(sizes))
        room = plan.cells * (FIRST + (1 - FIRST) * (r + 1) / plan.rounds)
        known, last = [m.columns for m in looks], r + 1 == plan.rounds
        new = look(shown, [c for c in candidates if c not in known], partial(_expected, drawn, bins),
                   _all if dense else partial(plan.fits, sizes, known, room), sets,
                   run.purse.left * weight / sum(weights[r:]), run)
        if last:
            new += _again(shown, known, new, run)
        looks += [_without_rest(one, bins) for one in new]
        if dense:
            steps, chance = MIXING if last else MIXING // 6, run.child(r).child("mix")
            law = mixed(sizes, looks, total, COMPONENTS, steps, chance.random())
        else:
            tree = JunctionTree.of(sizes, [m.columns for m in looks])
            found = estimated(tree, looks, total, plan.steps if last else plan.steps // 4, potentials)
            law, potentials = TreeLaw(tree, tuple(found.laws)), found.potentials
    return Marginals(rows.empty(), tuple(bins), _short(law))


def _worth(sizes: Sequence[int], total: float, run: Run) -> int:
    """How many pairs can be measured so that noise misplaces a share ``CLOSE`` of the rows of each at most."""
    pairs = [a * b for a, b in combinations(sizes, 2)]
    if not pairs:
        return 0
    noise = CLOSE * total / (math.sqrt(2 / math.pi) * float(np.mean(pairs)) * run.purse.terms.rows)
    return min(len(pairs), int(2 * float(run.purse.left) * noise**2))


def _all(sets: Sequence[tuple[int, ...]]) -> bool:
    """A mixture holds any sets together."""
    return True


def _short(law: TreeLaw | Mixture) -> TreeLaw | Mixture:
    """The law with tables of half the size."""
    if isinstance(law, Mixture):
        return law
    return replace(law, laws=tuple(one.astype(np.float32) for one in law.laws))


def _again(rows: Rows, known: Sequence[tuple[int, ...]], new: Sequence[Measured], run: Run) -> list[Measured]:
    """What is left of the budget, because no more sets were there or fitted, measures those that are known again."""
    sets = [*(one for one in known if len(one) > 1), *(one.columns for one in new)] or list(known)
    left = run.purse.left
    return [measured(rows, one, left / len(sets), run) for one in sets] if left > LITTLE * run.purse.budget else []


def _independent(sizes: Sequence[int], measured: Sequence[Measured]) -> tuple[TreeLaw | Mixture, list[np.ndarray]]:
    """The law in which no two columns hang together."""
    tree = JunctionTree.of(sizes, [])
    shares = [np.maximum(m.counts, 0) / max(np.maximum(m.counts, 0).sum(), 1e-300) for m in measured]
    logs = [np.log(np.maximum(share, SURELY)) for share in shares]
    order = [clique[0] for clique in tree.cliques]
    return TreeLaw(tree, tuple(tree.calibrated([logs[c] for c in order]))), logs


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
