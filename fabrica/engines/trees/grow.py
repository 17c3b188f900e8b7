"""One histogram tree that splits where the distribution of a target changes most.

The target is embedded in a few dimensions (``embed.py``), so that the weighted squared distance between the means of
two halves is a distance between their *distributions* (distributional random forests: Cevid, Michel, Naef, Buehlmann,
Meinshausen, JMLR 23(333), 2022). A split must leave ``leaf`` people on each side, and its gain must exceed what
chance gives: ``price`` times the node's variance per person. The price is what keeps leaves from being drawn around
single people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.kernels import kernel

__all__ = ["Tree", "grow"]

PURITY = 0.5  #: squared length of the mean, the sum of squared shares, from which one level dominates


@dataclass(frozen=True)
class Tree:
    """Nodes in the order of their birth.

    feature (N,) int32: -1 at a leaf; threshold (N,) uint8: places up to it go left; left (N,) int32: the left child,
    the right one follows it.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray

    def leaves(self, placed: np.ndarray) -> np.ndarray:
        """(n,) int32: the leaf in which each row of ``placed`` (n, F) ends."""
        return _descend(placed, self.feature, self.threshold, self.left)


def grow(
    placed: np.ndarray, vectors: np.ndarray, codes: np.ndarray, rows: np.ndarray, leaf: int, price: float, pure: int
) -> Tree:
    """Grow a tree.

    Parameters
    ----------
    placed : (n, F) uint8, the place of each row in the order of each feature.
    vectors : (size, R) float32, the embedded codes; codes : (n,) the target.
    rows : (m,) the people that this tree sees.
    leaf, price : see the file's first lines.
    pure : people in a leaf where one level dominates, at least; 0 where the vectors are not of length one.
    """
    limit = 2 * (2 * len(rows) // max(min(leaf, pure or leaf), 1)) + 3
    feature, threshold, left = np.full(limit, -1, np.int32), np.zeros(limit, np.uint8), np.zeros(limit, np.int32)
    nodes = _grow(placed, vectors, codes, rows.astype(np.int32), leaf, price, pure, feature, threshold, left)
    return Tree(feature[:nodes].copy(), threshold[:nodes].copy(), left[:nodes].copy())


@kernel
def _grow(placed, vectors, codes, rows, leaf, price, pure, feature, threshold, left):  # type: ignore[no-untyped-def]
    looked, width = placed.shape[1], vectors.shape[1]
    least = min(leaf, pure) if pure > 0 else leaf
    sums = np.zeros((looked, 256, width), np.float32)
    counts = np.zeros((looked, 256), np.int32)
    spare = np.empty_like(rows)
    stack = np.empty((len(feature) + 2, 3), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, 0, len(rows)
    top, nodes = 1, 1
    total, run = np.empty(width, np.float64), np.empty(width, np.float64)
    while top > 0:
        top -= 1
        node, start, end = stack[top, 0], stack[top, 1], stack[top, 2]
        size = end - start
        if size < 2 * least or nodes + 2 > len(feature):
            continue
        total[:] = 0.0
        square = 0.0
        for i in range(start, end):
            row = rows[i]
            vector = vectors[codes[row]]
            for r in range(width):
                total[r] += vector[r]
                square += vector[r] * vector[r]
            for c in range(looked):
                b = placed[row, c]
                counts[c, b] += 1
                for r in range(width):
                    sums[c, b, r] += vector[r]
        whole = 0.0
        for r in range(width):
            whole += total[r] * total[r]
        whole /= size
        best, best_feature, best_bin = price * (square - whole) / size + 1e-9, -1, 0
        for c in range(looked):
            run[:] = 0.0
            below, seen = 0, 0
            for b in range(256):
                if counts[c, b] == 0:
                    continue
                above = size - below
                if below >= least and above >= least:
                    lower, upper = 0.0, 0.0
                    for r in range(width):
                        other = total[r] - run[r]
                        lower += run[r] * run[r]
                        upper += other * other
                    gain = lower / below + upper / above - whole
                    # on a side with fewer than ``leaf`` people one level must dominate: its mean is long
                    if (
                        gain > best
                        and (below >= leaf or lower >= PURITY * below * below)
                        and (above >= leaf or upper >= PURITY * above * above)
                    ):
                        best, best_feature, best_bin = gain, c, b - 1
                below += counts[c, b]
                for r in range(width):
                    run[r] += sums[c, b, r]
                    sums[c, b, r] = 0.0
                seen += counts[c, b]
                counts[c, b] = 0
                if seen == size:
                    break
        if best_feature < 0:
            continue
        low, high = start, 0
        for i in range(start, end):
            row = rows[i]
            if placed[row, best_feature] <= best_bin:
                rows[low] = row
                low += 1
            else:
                spare[high] = row
                high += 1
        for i in range(high):
            rows[low + i] = spare[i]
        feature[node], threshold[node], left[node] = best_feature, best_bin, nodes
        stack[top, 0], stack[top, 1], stack[top, 2] = nodes, start, low
        stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2] = nodes + 1, low, end
        top += 2
        nodes += 2
    return nodes


@kernel
def _descend(placed, feature, threshold, left):  # type: ignore[no-untyped-def]
    out = np.empty(len(placed), np.int32)
    for i in range(len(placed)):
        node = 0
        while feature[node] >= 0:
            node = left[node] + (placed[i, feature[node]] > threshold[node])
        out[i] = node
    return out
