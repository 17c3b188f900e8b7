"""One column given those before it: its hierarchy, a boosted model for each level, and the references they look at.

People with protected rare levels are drawn like all others, so that the columns after this one learn of them; what is
shown of them is drawn a second time, below the first question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from fabrica import sound
from fabrica.block import Coded
from fabrica.boosters.boost import Boosting, boost
from fabrica.boosters.forest import Forest
from fabrica.engines.boosted.draw import branches
from fabrica.engines.boosted.hierarchy import DEEPEST, Hierarchy
from fabrica.engines.boosted.reference import References, difference, steps
from fabrica.engines.boosted.reference import learn as learn_references
from fabrica.run import Run
from fabrica.state import State
from fabrica.uniforms import even_in_order

__all__ = ["Stage", "Task"]

JUDGE = 0.12  #: share of the rows by which boosting is stopped
COARSE = 16  #: columns with no more codes than this have no references
FIRST = 1 / 3  #: share of a column's time that its references may take


@dataclass(frozen=True)
class Task:
    """What a column is learned from: itself, the ``earlier`` ones, the features ``looked`` (F,) at, the column of every
    feature (G,), their places (n, F) and which of them are nominal (F,), and the hierarchy."""

    target: Coded
    earlier: Sequence[Coded]
    looked: np.ndarray
    column: np.ndarray
    placed: np.ndarray
    nominal: np.ndarray
    hierarchy: Hierarchy


@dataclass(frozen=True)
class Stage:
    """What was learned of one column: ``levels`` has the model of each level of the ``hierarchy``; ``looked`` (F,) are
    features of the context, behind which its models see the node and the differences from each reference."""

    hierarchy: Hierarchy
    looked: np.ndarray
    references: References
    levels: tuple[Forest, ...]

    @classmethod
    def learn(cls, task: Task, how: Boosting, late: Callable[[float], bool], run: Run) -> Stage:
        """Learn; ``late`` says whether a share of the time is over: a level for which it is knows its shares only."""
        order = run.child("order").random().permutation(len(task.target)).astype(np.int32)
        references, expected = References(), np.empty((0, len(order)), np.int16)
        h, count = task.hierarchy, len(task.looked)
        if count and task.target.ordered and (h.counts > 0).sum() > COARSE and not late(FIRST):
            position = h.middle[task.target.codes]
            references, expected = learn_references(
                position, task.earlier, task.looked, task.column, task.placed, task.nominal, how, order, h.least,
                lambda share: late(FIRST * share))
        blank = cls(h, task.looked, references, ())
        wide, place = blank.wide(task.placed), h.place[task.target.codes]
        nominal = np.concatenate([task.nominal, np.zeros(1 + len(references), bool)])
        judged = np.zeros(len(order), bool)
        judged[order[: round(JUDGE * len(order))]] = True
        levels, node = [], np.zeros(len(order), np.int64)
        for level in range(h.depth):
            rows = np.flatnonzero(h.left[node] > 0).astype(np.int32)
            right = np.zeros(len(order))
            right[rows] = place[rows] >= h.cut[node[rows]]
            levels.append(Forest.of(()))
            over = partial(late, FIRST + (1 - FIRST) * (level + 1) / h.depth)
            if count and not over() and not (level == 0 and h.guarded):
                blank.look(wide, rows, node[rows], level, expected)
                learn, judge = rows[~judged[rows]], rows[judged[rows]]
                levels[-1] = boost(wide, nominal, right, h.odds[node], learn, judge, how, over)
            node[rows] = h.left[node[rows]] + right[rows].astype(np.int64)
        return replace(blank, levels=tuple(levels))

    def wide(self, placed: np.ndarray) -> np.ndarray:
        """(n, F + 1 + r) uint8: the places of the context, and room for the node and the differences."""
        found = np.empty((len(placed), len(self.looked) + 1 + len(self.references)), np.uint8)
        found[:, : len(self.looked)] = placed
        return found

    def look(self, wide: np.ndarray, rows: np.ndarray, node: np.ndarray, level: int, expected: np.ndarray) -> None:
        """Write what ``rows`` (m,) see of their ``node`` (m,)."""
        first, last = self.hierarchy.levels[level : level + 2]
        at, count = len(self.looked), int(last - first)
        wide[rows, at] = node - first if count <= 256 else (node - first) * 256 // count
        threshold = steps(self.hierarchy.threshold)[node]
        for r in range(len(expected)):
            wide[rows, at + 1 + r] = difference(expected[r, rows], threshold)

    def scores(
        self, wide: np.ndarray, rows: np.ndarray, node: np.ndarray, level: int, expected: np.ndarray
    ) -> np.ndarray:
        """(m,) the log-odds of going right."""
        score = self.hierarchy.odds[node]
        if len(self.levels[level]):
            self.look(wide, rows, node, level, expected)
            self.levels[level].add(wide, rows, score)
        return score

    def draw(
        self, codes: Sequence[np.ndarray], placed: np.ndarray, random: np.random.Generator,
        moved: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(n,) codes for rows with earlier ``codes`` and ``placed`` (n, F) context, (n,) what is shown of them, and
        (M,) the logits by which each node's rows were moved: as it was ``moved``, or so that these rows have the
        learned shares."""
        h, size = self.hierarchy, len(placed)
        expected, wide = self.references.expected(codes, placed), self.wide(placed)
        calibrate, rows = moved is None, np.arange(size, dtype=np.int32)
        moved = np.zeros(len(h.left)) if moved is None else moved
        leaf = self._down(wide, rows, np.zeros(size, np.int64), expected, moved, random, calibrate)
        found = h.inside(leaf, even_in_order(leaf, random))
        if not h.shown:
            return found, found, moved
        shown, rows = found.copy(), np.flatnonzero(found == h.rest).astype(np.int32)
        leaf = self._down(wide, rows, np.full(len(rows), h.valued), expected, moved, random, False)
        shown[rows] = h.inside(leaf, even_in_order(leaf, random))
        return found, shown, moved

    def _down(
        self, wide: np.ndarray, rows: np.ndarray, node: np.ndarray, expected: np.ndarray, moved: np.ndarray,
        random: np.random.Generator, calibrate: bool,
    ) -> np.ndarray:
        """(m,) the leaves in which ``rows`` (m,) that begin at ``node`` (m,) end."""
        h = self.hierarchy
        for level in range(h.depth):
            first, last = h.levels[level : level + 2]
            here = np.flatnonzero((h.left[node] > 0) & (node >= first) & (node < last))
            if not len(here):
                continue
            asked = node[here]
            score = self.scores(wide, rows[here], asked, level, expected)
            right = branches(score, asked - first, h.share[first:last], moved[first:last], random, calibrate,
                             random.random())
            node[here] = h.left[asked] + right
        return node

    def masked(
        self, codes: Sequence[np.ndarray], placed: np.ndarray, allowed: np.ndarray, moved: np.ndarray,
        random: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As ``draw``, with what is shown drawn by ``allowed`` (size,) too; and (n,) the logarithm of a weight whose
        mean over draws is the share that this leaves. What a branch leaves is known before it is taken from the learned
        rows only, so branches are taken by that guess, and the weight sets it right (twisted sequential Monte Carlo;
        Whiteley & Lee, Ann. Stat. 42, 2014). ``moved`` (M,) are the logits by which each node's rows are moved."""
        h, size = self.hierarchy, len(placed)
        expected, wide = self.references.expected(codes, placed), self.wide(placed)
        rows = np.arange(size, dtype=np.int32)
        below = np.concatenate([[0.0], np.cumsum((h.counts * allowed)[h.order])])
        kept = (below[h.end] - below[h.begin]) / np.maximum(h.mass, 1)
        node, left = np.full(size, h.shown), np.zeros(size)
        hidden = np.zeros(size, bool)
        if h.shown:
            first = self.scores(wide, rows, np.zeros(size, np.int64), 0, expected) + moved[0]
            hidden = random.random(size) < _chance(first)
            node[hidden] = h.valued
        with np.errstate(divide="ignore", invalid="ignore"):
            for level in range(h.depth):
                here = np.flatnonzero((h.left[node] > 0) & (node >= h.levels[level]) & (node < h.levels[level + 1]))
                if not len(here):
                    continue
                low = h.left[node[here]]
                score = self.scores(wide, rows[here], node[here], level, expected) + moved[node[here]]
                right = _chance(score)
                high, whole = right * kept[low + 1], right * kept[low + 1] + (1 - right) * kept[low]
                node[here] = low + (random.random(len(here)) * whole < high)
                left[here] += np.log(whole) - np.log(kept[node[here]])
            left += np.log(kept[node])
        at = below[h.begin[node]] + random.random(size) * (below[h.end[node]] - below[h.begin[node]])
        shown = h.order[np.clip(np.searchsorted(below, at, "right") - 1, h.begin[node], h.end[node] - 1)]
        found = np.where(hidden, h.order[-1], shown)
        return found, shown, np.where(np.isnan(left), -np.inf, left)

    def log_prob(self, codes: Sequence[np.ndarray], placed: np.ndarray, own: np.ndarray) -> np.ndarray:
        """(n,) log of the probability of the codes ``own`` (n,)."""
        h = self.hierarchy
        expected, wide, place = self.references.expected(codes, placed), self.wide(placed), h.place[own]
        found, node = h.log_inside[own].copy(), np.zeros(len(own), np.int64)
        for level in range(h.depth):
            rows = np.flatnonzero(h.left[node] > 0).astype(np.int32)
            score = self.scores(wide, rows, node[rows], level, expected)
            right = place[rows] >= h.cut[node[rows]]
            found[rows] -= np.logaddexp(0.0, np.where(right, -score, score))
            node[rows] = h.left[node[rows]] + right
        return found

    def state(self) -> State:
        parts = {f"level{i}": f.state() for i, f in enumerate(self.levels)}
        return State.nest({"hierarchy": self.hierarchy.state(), "looked": State({}, {"features": self.looked}),
                           "references": self.references.state(), **parts})

    @classmethod
    def from_state(cls, state: State, target: Coded, earlier: Sequence[Coded], features: int) -> Stage:
        """Read and check; ``features`` of the context there are for earlier columns."""
        hierarchy = Hierarchy.from_state(state.part("hierarchy"), target)
        looked = sound.array(state.part("looked"), "features", low=0, high=features - 1, kind=np.int64)
        sound.demand(hierarchy.depth <= DEEPEST, "a column of too many questions")
        references = References.from_state(state.part("references"), earlier, len(looked))
        seen = len(looked) + 1 + len(references)
        levels = tuple(Forest.from_state(state.part(f"level{i}"), seen) for i in range(hierarchy.depth))
        return cls(hierarchy, looked, references, levels)


def _chance(score: np.ndarray) -> np.ndarray:
    """(n,) the probability that log-odds stand for."""
    return 1 / (1 + np.exp(-score))
