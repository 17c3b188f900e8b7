"""A column of the network: one table, or two for a number, first roughly and then finely.

Counts of fifty tokens tell little of a tie that ten would show clearly: each token's own count is too small to be
trusted against the table before. So a column with many ordered tokens is drawn in two steps, its coarse group given its
parents, then its token given the group and parents of its own (a hierarchy of classes: Goodman, "Classes for fast
maximum entropy training", ICASSP 2001; there for speed, here for the sake of the statistics).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrica import sound
from fabrica.engines.bayesnet.parent import runs
from fabrica.engines.bayesnet.search import Parent, alone, parents
from fabrica.engines.bayesnet.table import Table
from fabrica.kernels import kernel
from fabrica.state import State
from fabrica.tokens import Token
from fabrica.uniforms import GOLDEN, shuffled

__all__ = ["Column"]

PART = 4_096  #: rows of the rest that are shown together
ROUGH = 10  #: groups of the first step, about


@dataclass(frozen=True)
class Column:
    """Column ``j`` of the network: its tokens, and its ``tables``, one or two."""

    j: int
    token: Token
    tables: tuple[Table, ...]

    @classmethod
    def of(
        cls, j: int, token: Token, words: np.ndarray, some: np.ndarray, offered: Sequence[tuple[int, np.ndarray]],
        most: int, k: int,
    ) -> Column:
        """Learn from the tokens ``words`` (C, n), and parents from ``some`` of the rows (C, m)."""
        if not token.ordered or token.size <= 2 * ROUGH:
            found = parents(some, alone(some[j], token.size), offered, most, k)
            return cls(j, token, (Table.of(words, words[j], token.size, found, k),))
        step = Parent(j, runs(token, ROUGH), 0.0)
        found = parents(some, alone(step.groups[some[j]], step.size), offered, most, k)
        rough = Table.of(words, step.groups[words[j]], step.size, found, k)
        seen = alone(some[j], token.size).deeper(some[j], step, 1)
        found = [step, *parents(some, seen, offered, most, k)]
        return cls(j, token, (rough, Table.of(words, words[j], token.size, found, k)))

    @cached_property
    def _groups(self) -> np.ndarray:
        """(K,) int32 the group of each token in the first step of two."""
        return self.tables[-1].parents[0].groups

    def draw(self, seen: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(n,) codes to be shown of rows whose earlier tokens are ``seen`` (C, n); their tokens are written there."""
        if len(self.tables) == 2:
            group = self.tables[0].draw(seen, random)
            seen[self.j] = np.searchsorted(self._groups, group)  # the first token of the group stands for it
        seen[self.j] = self.tables[-1].draw(seen, random)
        shown = self._shown(seen, random)
        below = np.concatenate([[0.0], np.cumsum(self.token.drawable)])
        return _inside(shown, shuffled(len(shown), random), self.token.start, below, random.random(), GOLDEN)

    def masked(self, seen: np.ndarray, allowed: np.ndarray, random: np.random.Generator
               ) -> tuple[np.ndarray, np.ndarray]:
        """As ``draw``, with codes drawn in proportion to ``allowed`` (size,) too; and (n,) the share that this leaves:
        0 where nothing is, and then anything is drawn."""
        keeps, token = self.token.masked(allowed)
        chance, again = self._parted(seen)
        hidden = self.token.share <= 0
        whole = chance.sum(1) + again.sum(1)
        again *= keeps  # what the rest is shown as
        kept = chance * keeps + again
        shown = _drawn(kept, random.random(len(kept)))
        seen[self.j] = shown
        if hidden.any():  # the rest, of whom the columns after this one learn
            at = np.arange(len(kept)), shown
            away = random.random(len(kept)) * kept[at] < again[at]
            seen[self.j][away] = int(np.flatnonzero(hidden)[-1])
        return token.inside(shown, random.random(len(shown))), kept.sum(1) / np.maximum(whole, 1e-300)

    def _shown(self, seen: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(n,) the tokens of rows, those of the protected rest shown as another."""
        shown, hidden = seen[self.j].copy(), self.token.share <= 0
        for part in np.array_split(np.flatnonzero(hidden[shown]), -(-int(hidden[shown].sum()) // PART) or 1):
            if len(part):
                chance, again = self._parted(seen[:, part].copy())
                lost = again.sum(1) <= 0
                again[lost] = np.where(chance[lost].sum(1, keepdims=True) > 0, chance[lost], self.token.share)
                shown[part] = _drawn(again, random.random(len(part)))
        return shown

    def _parted(self, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, K) how likely each token is that may be shown, and how likely the rest is that is shown as it: values in
        proportion, or where a row can have none the others."""
        chance, hidden = self._chances(seen), self.token.share <= 0
        rest = chance[:, hidden].sum(1)
        chance[:, hidden] = 0
        valued = chance.copy()
        valued[:, : self.token.absent] = 0
        there, whole = valued.sum(1, keepdims=True), chance.sum(1, keepdims=True)
        again = np.where(there > 0, valued / np.maximum(there, 1e-300), chance / np.maximum(whole, 1e-300))
        return chance, again * rest[:, None]

    def _chances(self, seen: np.ndarray) -> np.ndarray:
        """(n, K) how likely each token is drawn."""
        if len(self.tables) == 1:
            return self.tables[0].chances(seen)
        rough, found = self.tables[0].chances(seen), np.zeros((seen.shape[1], self.token.size))
        for group in range(rough.shape[1]):
            here = self._groups == group
            seen[self.j] = int(np.flatnonzero(here)[0])  # the first token of the group stands for it
            fine = self.tables[1].chances(seen)[:, here]
            found[:, here] = rough[:, group, None] * fine / np.maximum(fine.sum(1, keepdims=True), 1e-300)
        return found

    def log_prob(self, seen: np.ndarray) -> np.ndarray:
        """(n,) nats of this column's tokens in rows of tokens ``seen`` (C, n)."""
        found = self.tables[-1].log_prob(seen, seen[self.j])
        return found if len(self.tables) == 1 else found + self.tables[0].log_prob(seen, self._groups[seen[self.j]])

    def state(self) -> State:
        parts = {str(i): t.state() for i, t in enumerate(self.tables)}
        return State.nest(parts, {"tables": len(parts)})

    @classmethod
    def from_state(cls, state: State, j: int, token: Token, earlier: Sequence[int], sizes: Sequence[int]) -> Column:
        """Read and check."""
        if sound.whole(state, "tables", 1, 2) == 1:
            return cls(j, token, (Table.from_state(state.part("0"), token.size, earlier, sizes),))
        fine = Table.from_state(state.part("1"), token.size, [*earlier, j], sizes)
        asked = [p.column == j for p in fine.parents]
        sound.demand(asked[:1] == [True] and not any(asked[1:]) and fine.parents[0].strength == 0,
                     "a second step that does not follow the first")
        groups = fine.parents[0].groups
        sound.demand(groups[0] == 0 and bool(np.isin(np.diff(groups), (0, 1)).all()), "steps with gaps")
        return cls(j, token, (Table.from_state(state.part("0"), int(groups[-1]) + 1, earlier, sizes), fine))


def _drawn(chance: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(n,) places drawn by chances (n, K), which need not sum to one."""
    upto = np.cumsum(chance, axis=1)
    return np.minimum((upto <= (u * upto[:, -1])[:, None]).sum(1), chance.shape[1] - 1).astype(np.int32)


@kernel
def _inside(tokens, queue, start, below, shift, golden):  # type: ignore[no-untyped-def]
    turn = np.zeros(len(start), np.int64)
    out = np.empty(len(tokens), np.uint32)
    for q in range(len(tokens)):
        i = queue[q]
        t = tokens[i]
        low, high = start[t], start[t + 1] - 1
        if low < high:
            u = turn[t] * golden + shift + t * 0.7548776662466927  # another start for each token
            u -= np.floor(u)
            turn[t] += 1
            mass = below[low] + u * (below[high + 1] - below[low])
            while low < high:
                middle = (low + high) // 2
                if below[middle + 1] > mass:
                    high = middle
                else:
                    low = middle + 1
        out[i] = low
    return out
