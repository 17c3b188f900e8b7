"""One column given those before it: a few trees whose leaves hold the codes of the people that ended there.

Leaves of all trees are ranked by the mean of their codes, and a leaf's codes are sorted; so one golden-ratio sequence over the
rows in the order of their leaves covers the column's marginal evenly (``uniforms.py`` tells why).
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


@dataclass(frozen=True)
class Stage:
    """Learned trees of one column.

    feature, threshold, left (N,): the nodes of all trees; at a leaf ``feature`` is -1 and ``left`` is the leaf's rank.
    roots (T,): the first node of each tree. order (T, F, 256): the place of each bin, a table a tree.
    start (L+1,): where each ranked leaf begins in ``tokens``, the codes that are drawn.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    roots: np.ndarray
    order: np.ndarray
    start: np.ndarray
    tokens: np.ndarray

    @classmethod
    def of(cls, trees: Sequence[Tree], bins: np.ndarray, codes: np.ndarray, key: np.ndarray, rest: int | None) -> Stage:
        """Fill the trees' leaves with the ``codes`` (n,) of all people but those of the protected ``rest``; ``key`` (size,)
        sorts codes."""
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
        return cls(feature, np.concatenate([t.threshold for t in trees]), left, offsets[:-1].astype(np.int32),
                   np.stack([t.order for t in trees]), np.concatenate([[0], np.cumsum(counts[ranked])]), token[place])

    def draw(self, bins: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(n,) codes for rows whose earlier columns are ``bins`` (n, >= F)."""
        size = len(bins)
        tree = random.integers(len(self.roots), size=size, dtype=np.uint8)
        return _draw(bins, tree, self.roots, self.order, self.feature, self.threshold, self.left, self.start, self.tokens,
                     random.random(), GOLDEN)

    def state(self) -> State:
        return State({}, {"feature": self.feature, "threshold": self.threshold, "left": self.left, "roots": self.roots,
                          "order": self.order, "start": self.start, "tokens": self.tokens})

    @classmethod
    def from_state(cls, state: State, features: int, size: int) -> Stage:
        """Read and check: no index may lead outside an array, and every walk must end."""
        a = state.arrays
        stage = cls(*(a[k] for k in ("feature", "threshold", "left", "roots", "order", "start", "tokens")))
        inner = np.flatnonzero(stage.feature >= 0)
        leaves = np.flatnonzero(stage.feature < 0)
        nodes, ranks = len(stage.feature), len(stage.start) - 1
        sound = (
            stage.feature.dtype == np.int16 and stage.threshold.dtype == np.uint8 and stage.left.dtype == np.int32
            and stage.roots.dtype == np.int32 and stage.order.dtype == np.uint8 and stage.start.dtype == np.int64
            and stage.tokens.dtype == code_type(size)
            and len(stage.threshold) == len(stage.left) == nodes and ranks > 0
            and stage.order.shape == (len(stage.roots), features, 256) and 0 < len(stage.roots) <= 255
            and stage.roots.min() >= 0 and stage.roots.max() < nodes
            and (stage.feature < features).all()
            and (stage.left[inner] > inner).all() and (stage.left[inner] + 1 < nodes).all()
            and (stage.left[leaves] >= 0).all() and (stage.left[leaves] < ranks).all()
            and stage.start[0] == 0 and (np.diff(stage.start) > 0).all() and stage.start[-1] == len(stage.tokens)
            and stage.tokens.max() < size
        )
        if not sound:
            raise ModelFileError("the trees in this model are damaged")
        return stage


@kernel
def _draw(bins, tree, roots, order, feature, threshold, left, start, tokens, shift, golden):  # type: ignore[no-untyped-def]
    size, ranks = len(bins), len(start) - 1
    leaf = np.empty(size, np.int32)
    first = np.zeros(ranks + 1, np.int64)
    for i in range(size):
        t = tree[i]
        node = roots[t]
        f = feature[node]
        while f >= 0:
            node = left[node] + (order[t, f, bins[i, f]] > threshold[node])
            f = feature[node]
        leaf[i] = left[node]
        first[left[node] + 1] += 1
    for r in range(ranks):
        first[r + 1] += first[r]
    out = np.empty(size, tokens.dtype)
    for i in range(size):
        r = leaf[i]
        u = (first[r] * golden + shift) % 1.0
        first[r] += 1
        count = start[r + 1] - start[r]
        out[i] = tokens[start[r] + min(np.int64(u * count), count - 1)]
    return out
