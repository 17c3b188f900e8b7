"""One column given those before it: a few trees whose leaves hold the codes of the people that ended there.

Leaves of all trees are ranked by the mean of their codes, and a leaf's codes are sorted; so one golden-ratio
sequence over the rows in the order of their leaves covers the column's marginal evenly (``uniforms.py`` tells why).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrica.block import code_type
from fabrica.engines.trees.grow import Tree, descend
from fabrica.errors import ModelFileError
from fabrica.kernels import kernel
from fabrica.state import State
from fabrica.uniforms import GOLDEN

__all__ = ["Stage"]

STEP = 64  #: rows that go down a tree side by side


@dataclass(frozen=True)
class Stage:
    """Learned trees of one column.

    nodes (N,) int64: the nodes of all trees, ``left << 32 | (feature + 1) << 8 | threshold``, so that a step down
    reads one number; at a leaf feature + 1 is 0 and ``left`` is the leaf's rank.
    roots (T,): the first node of each tree. order (T, F, 256): the place of each bin, a table a tree.
    start (L+1,): where each ranked leaf begins in ``tokens``, the codes that are drawn.
    """

    nodes: np.ndarray
    roots: np.ndarray
    order: np.ndarray
    start: np.ndarray
    tokens: np.ndarray

    @classmethod
    def of(cls, trees: Sequence[Tree], bins: np.ndarray, codes: np.ndarray, key: np.ndarray, rest: int | None) -> Stage:
        """Fill the trees' leaves with the ``codes`` (n,) of all people but those of the protected ``rest``; ``key``
        (size,) sorts codes."""
        drawn = np.flatnonzero(codes != rest) if rest is not None else np.arange(len(codes))
        if not len(drawn):
            drawn = np.arange(len(codes))
        offsets = np.concatenate([[0], np.cumsum([len(t.feature) for t in trees])])
        leaf = np.concatenate([descend(bins[drawn], t.order, t.feature, t.threshold, t.left) + offset
                               for t, offset in zip(trees, offsets, strict=False)])
        token = np.tile(codes[drawn], len(trees))
        nodes = int(offsets[-1])
        counts = np.bincount(leaf, minlength=nodes)
        mean = np.bincount(leaf, key[token], nodes) / np.maximum(counts, 1)
        feature = np.concatenate([t.feature for t in trees])
        leaves = np.flatnonzero(feature < 0)
        full = leaves[counts[leaves] > 0]
        ranked = full[np.argsort(mean[full], kind="stable")]
        rank = np.zeros(nodes, np.int32)
        rank[ranked] = np.arange(len(ranked))
        left = np.concatenate([t.left + offset for t, offset in zip(trees, offsets, strict=False)]).astype(np.int32)
        for empty in leaves[counts[leaves] == 0]:  # only people with rare levels: their neighbours answer
            near = full[np.argmin(np.abs(full - empty))]
            rank[empty] = rank[near]
        left[leaves] = rank[leaves]
        place = np.lexsort((key[token], rank[leaf]))
        threshold = np.concatenate([t.threshold for t in trees])
        packed = left.astype(np.int64) << 32 | (feature.astype(np.int64) + 1) << 8 | threshold
        return cls(packed, offsets[:-1].astype(np.int32), np.stack([t.order for t in trees]),
                   np.concatenate([[0], np.cumsum(counts[ranked])]), token[place])

    def draw(self, bins: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(n,) codes for rows whose earlier columns are ``bins`` (n, >= F)."""
        turn, queue = int(random.integers(max(len(bins), 1))), random.permutation(np.arange(len(bins), dtype=np.int32))
        return _draw(bins, self.nodes, self.roots, self.order, self.start, self.tokens, turn, queue, random.random(), GOLDEN)

    def state(self) -> State:
        return State({}, {"nodes": self.nodes, "roots": self.roots, "order": self.order, "start": self.start,
                          "tokens": self.tokens})

    @classmethod
    def from_state(cls, state: State, features: int, size: int) -> Stage:
        """Read and check: no index may lead outside an array, and every walk must end."""
        a = state.arrays
        stage = cls(*(a[k] for k in ("nodes", "roots", "order", "start", "tokens")))
        if stage.nodes.dtype != np.int64 or stage.nodes.ndim != 1:
            raise ModelFileError("the trees in this model are damaged")
        left, feature = stage.nodes >> 32, (stage.nodes >> 8 & 0xFFFFFF) - 1
        inner, leaves = np.flatnonzero(feature >= 0), np.flatnonzero(feature < 0)
        ranks = len(stage.start) - 1
        sound = (
            stage.roots.dtype == np.int32 and stage.order.dtype == np.uint8 and stage.start.dtype == np.int64
            and stage.tokens.dtype == code_type(size) and ranks > 0
            and stage.order.shape == (len(stage.roots), features, 256) and len(stage.roots) > 0
            and stage.roots.min() >= 0 and stage.roots.max() < len(feature) and (feature < features).all()
            and (left[inner] > inner).all() and (left[inner] + 1 < len(feature)).all()
            and (left[leaves] >= 0).all() and (left[leaves] < ranks).all()
            and stage.start[0] == 0 and (np.diff(stage.start) > 0).all() and stage.start[-1] == len(stage.tokens)
            and stage.tokens.max() < size
        )
        if not sound:
            raise ModelFileError("the trees in this model are damaged")
        return stage


@kernel
def _draw(bins, nodes, roots, order, start, tokens, turn, queue, shift, golden):  # type: ignore[no-untyped-def]
    size, ranks, trees = len(bins), len(start) - 1, len(roots)
    leaf = np.empty(size, np.int32)
    first = np.zeros(ranks + 1, np.int64)
    row, place = np.empty(STEP, np.int64), np.empty(STEP, np.int64)
    for t in range(trees):  # a stretch of rows for each tree, turned by chance: the tree stays in the cache
        s, stop = t * size // trees, (t + 1) * size // trees
        while s < stop:  # rows go down side by side, so that their memory is read side by side
            walking = min(STEP, stop - s)
            for w in range(walking):
                row[w] = s + w - turn if s + w >= turn else s + w - turn + size
                place[w] = roots[t]
            s += walking
            while walking > 0:
                still = 0
                for w in range(walking):
                    i, node = row[w], nodes[place[w]]
                    f = node >> 8 & 0xFFFFFF
                    if f > 0:
                        row[still] = i
                        place[still] = (node >> 32) + (order[t, f - 1, bins[i, f - 1]] > (node & 0xFF))
                        still += 1
                    else:
                        leaf[i] = node >> 32
                        first[leaf[i] + 1] += 1
                walking = still
    for r in range(ranks):
        first[r + 1] += first[r]
    out = np.empty(size, tokens.dtype)
    for q in range(size):  # in an order of this column's own: a shared one would tie columns together
        i = queue[q]
        r = leaf[i]
        u = first[r] * golden + shift
        u -= np.floor(u)
        first[r] += 1
        count = start[r + 1] - start[r]
        out[i] = tokens[start[r] + min(np.int64(u * count), count - 1)]
    return out
