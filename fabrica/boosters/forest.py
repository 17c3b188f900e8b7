"""Learned trees of one boosted model in flat arrays, and how rows walk through them.

Rows go down side by side, a step at a time, each tree as deep as its deepest leaf (a leaf leads to itself): no branch
has to be guessed, and a tree stays in the nearest cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrica import sound
from fabrica.boosters.grow import DEPTH
from fabrica.errors import ModelFileError
from fabrica.kernels import kernel
from fabrica.state import State

__all__ = ["Forest"]

STEP = 64  #: rows that go down one tree side by side


@dataclass(frozen=True)
class Forest:
    """Trees one after the other.

    nodes (N,) int64 as in ``grow.py``, with ``left`` counted over all trees; values (N,) float32 of the leaves;
    roots (T + 1,) int32: the first node of each tree; depth (T,) int32.
    """

    nodes: np.ndarray
    values: np.ndarray
    roots: np.ndarray
    depth: np.ndarray

    @classmethod
    def of(cls, trees: Sequence[tuple[np.ndarray, np.ndarray]]) -> Forest:
        roots = np.cumsum([0, *(len(nodes) for nodes, _ in trees)]).astype(np.int32)
        nodes = [nodes + (np.int64(root) << 32) for (nodes, _), root in zip(trees, roots, strict=False)]
        flat = np.concatenate([np.empty(0, np.int64), *nodes])
        values = np.concatenate([np.empty(0, np.float32), *(values for _, values in trees)])
        return cls(flat, values, roots, _depth(flat, roots))

    def __len__(self) -> int:
        return len(self.depth)

    def times(self, by: float) -> Forest:
        """The same trees with all values ``by`` times as large."""
        return replace(self, values=(self.values * by).astype(np.float32))

    def add(self, placed: np.ndarray, rows: np.ndarray, score: np.ndarray) -> None:
        """Add what the trees say of ``rows`` (m,) of ``placed`` (n, F) to ``score`` (m,)."""
        if len(self) and len(rows):
            _walk(placed, rows, self.nodes, self.values, self.roots, self.depth, score, STEP)

    def state(self) -> State:
        return State({}, {"nodes": self.nodes, "values": self.values, "roots": self.roots})

    @classmethod
    def from_state(cls, state: State, features: int) -> Forest:
        """Read and check: a step leads further on in the same tree, a feature is one of ``features``."""
        nodes = state.arrays.get("nodes")
        if not isinstance(nodes, np.ndarray) or nodes.dtype != np.int64 or nodes.ndim != 1:
            raise ModelFileError("the model has no nodes of trees")
        values = sound.array(state, "values", size=len(nodes), low=-1e6, high=1e6, kind=np.float32)
        roots = sound.array(state, "roots", low=0, high=len(nodes), ascending=True, kind=np.int32)
        sound.demand(len(roots) > 0 and roots[0] == 0 and roots[-1] == len(nodes)
                     and bool((np.diff(roots) > 0).all()), "trees without nodes")
        here, left, feature = np.arange(len(nodes)), nodes >> 32, nodes >> 16 & 0xFFFF
        end = np.repeat(roots[1:], np.diff(roots))
        leads = (nodes == (here << 32 | 255)) | ((left > here) & (left + 1 < end) & (feature < features))
        sound.demand(bool(leads.all()), "trees that lead nowhere")
        depth = _depth(nodes, roots)
        sound.demand(bool((depth <= DEPTH).all()), "trees that are too deep")
        return cls(nodes, values, roots, depth)


def _depth(nodes: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """(T,) how deep each tree is."""
    return _depths(nodes, roots)


@kernel
def _depths(nodes, roots):  # type: ignore[no-untyped-def]
    found, depth = np.zeros(len(roots) - 1, np.int32), np.zeros(len(nodes), np.int32)
    for t in range(len(found)):
        for node in range(roots[t], roots[t + 1]):
            left = nodes[node] >> 32
            found[t] = max(found[t], depth[node])
            if left != node:
                depth[left] = depth[left + 1] = depth[node] + 1
    return found


@kernel
def _walk(placed, rows, nodes, values, roots, depth, score, step):  # type: ignore[no-untyped-def]
    looked = placed.shape[1]
    flat = placed.ravel()
    here, at = np.empty(step, np.int64), np.empty(step, np.int64)
    for low in range(0, len(rows), step):
        count = min(step, len(rows) - low)
        for w in range(count):
            at[w] = np.int64(rows[low + w]) * looked
        for t in range(len(depth)):
            here[:count] = roots[t]
            for _ in range(depth[t]):
                for w in range(count):
                    node = nodes[here[w]]
                    v = np.int64(flat[at[w] + (node >> 16 & 0xFFFF)])
                    here[w] = (node >> 32) + (((v - (node >> 8)) & 255) > (node & 255))
            for w in range(count):
                score[low + w] += values[here[w]]
