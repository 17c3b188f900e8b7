"""Learn a law from noisy marginals: single columns first, then in each round the sets that the law gets most wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import combinations

import numpy as np

from fabrica.bins import Bins, binned, counted
from fabrica.block import Block
from fabrica.engines.aim.look import Rows, look
from fabrica.engines.aim.model import Marginals
from fabrica.errors import UnknownName
from fabrica.estimation import Estimate, Measured, estimated
from fabrica.junction import JunctionTree, cells
from fabrica.run import Run

__all__ = ["Plan", "fitted"]

GROWTH = 1.5  #: times that a round may cost what the one before did
FIRST = 0.4  #: of all cells that the tree may have in the beginning
DRAWS = 2  #: rows that are drawn of the law for each row, to see what it says of a set
SURELY = 1e-9  #: share of a bin at least


@dataclass(frozen=True)
class Plan:
    """Parameters
    ----------
    cells : numbers that the law may have, at most. rounds : times that sets are chosen, ``sets`` of them each.
    steps : of the last fit, at most. target : the column of which triples are candidates too; empty: none.
    forest : whether no columns may hang together in a circle.
    """

    cells: int
    rounds: int
    sets: int
    steps: int
    target: str = ""
    forest: bool = False

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
    shown = Rows(binned(rows, bins), tuple(b.size + b.rest for b in bins))
    sizes = [b.size for b in bins]
    measured = [Measured((i,), one.counts, one.variance) for i, one in enumerate(singles)]
    tree, law = _independent(sizes, measured)
    budget, weights = run.purse.left, [Fraction(GROWTH) ** r for r in range(plan.rounds)]
    for r, weight in enumerate(weights if candidates else ()):
        run.tell(r, plan.rounds, "measuring how columns hang together")
        drawn = Rows(tree.sample(law.beliefs, round(DRAWS * total), run.child(r).random()), tuple(sizes))
        room = plan.cells * (FIRST + (1 - FIRST) * (r + 1) / plan.rounds)
        known = [m.columns for m in measured]
        new = look(shown, [c for c in candidates if c not in known], partial(_expected, drawn, bins),
                   partial(plan.fits, sizes, known, room), plan.sets, budget * weight / sum(weights), run)
        measured += [_without_rest(one, bins) for one in new]
        tree = JunctionTree.of(sizes, [m.columns for m in measured])
        steps = plan.steps if r + 1 == plan.rounds else plan.steps // 4
        law = estimated(tree, measured, total, steps, law.potentials)
    return Marginals(rows.empty(), tuple(bins), tree, tuple(law.beliefs))


def _independent(sizes: Sequence[int], measured: Sequence[Measured]) -> tuple[JunctionTree, Estimate]:
    """The law in which no two columns hang together."""
    tree = JunctionTree.of(sizes, [])
    shares = [np.maximum(m.counts, 0) / max(np.maximum(m.counts, 0).sum(), 1e-300) for m in measured]
    logs = [np.log(np.maximum(share, SURELY)) for share in shares]
    order = [clique[0] for clique in tree.cliques]
    return tree, Estimate(tree.calibrated([logs[c] for c in order]), logs)


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
