"""One column given those before it: a few trees whose leaves hold the codes of the people that ended there.

Leaves of all trees are ranked by the mean of their codes, and a leaf's codes are sorted; so one golden-ratio
sequence over the rows in the order of their leaves covers the column's marginal evenly (``uniforms.py`` tells why).

People with protected rare levels are drawn like all others, so that the columns after this one learn of them; what is
shown of them is a common level of the same leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrica import sound
from fabrica.block import Coded, code_type
from fabrica.engines.trees.derived import ROOM, Derived
from fabrica.engines.trees.grow import Tree
from fabrica.kernels import kernel
from fabrica.state import State
from fabrica.uniforms import GOLDEN, shuffled

__all__ = ["Grown", "Stage"]

FEW, NEAR = 48, 24  #: codes that are told apart; of more, such a part on either side counts as near
STEP = 64  #: neighbours that go down one tree side by side, at most
SPARE = 1 << 12  #: values of a column that are kept for leaves without any, about


@dataclass(frozen=True)
class Grown:
    """A tree, the place of each code of its features in ``orders`` (F,), and the ``leaf`` (n,) of all people."""

    tree: Tree
    orders: Sequence[np.ndarray]
    leaf: np.ndarray


@dataclass(frozen=True)
class Stage:
    """Learned trees of one column.

    used (G,) int32: the column behind each feature that any tree splits on: an earlier one, or -1 - d for the d-th
    ``derived`` one; place (G,) int64: where the codes of each begin in
    an order. nodes (N,) int64: the nodes of all trees, ``left << 32 | (g + 1) << 8 | threshold`` with g a place in
    ``used``, so that a step down reads one number; at a leaf g + 1 is 0 and ``left`` is the leaf's rank.
    roots (T,): the first node of each tree. order (T, S) uint8: the place of each code of each used column, a line a
    tree. start (L+1,): where each ranked leaf begins in ``tokens``, the codes that are drawn; the first ``common`` (L,)
    of a leaf may be shown, of them the first ``missing`` (L,) mean that; the others are the protected rest.
    spare : (s,) values of the whole column, by which the rest is shown in a leaf without any other.
    """

    used: np.ndarray
    place: np.ndarray
    nodes: np.ndarray
    roots: np.ndarray
    order: np.ndarray
    start: np.ndarray
    tokens: np.ndarray
    common: np.ndarray
    missing: np.ndarray
    spare: np.ndarray
    derived: tuple[Derived, ...]

    @classmethod
    def of(
        cls, grown: Sequence[Grown], looked: np.ndarray, derived: Sequence[Derived], target: Coded, key: np.ndarray,
        least: int,
    ) -> Stage:
        """Fill the trees' leaves with the codes of all people; ``key`` (size,) sorts codes; ``looked`` (F,) are the
        columns behind the features, -1 - d for the d-th of ``derived``. Leaves with fewer than ``least`` people beside
        those of the protected rest join their neighbours."""
        codes, rest = target.codes, target.rest
        hidden = _hidden(codes, rest)
        sizes = [len(g.tree.feature) for g in grown]
        roots = np.concatenate([[0], np.cumsum(sizes)])
        leaf = np.concatenate([g.leaf + root for g, root in zip(grown, roots, strict=False)])
        token, total, hidden = np.tile(codes, len(grown)), int(roots[-1]), np.tile(hidden, len(grown))
        end = np.concatenate([g.tree.feature for g in grown]) < 0
        host = _joined(grown, roots, np.bincount(leaf[~hidden], minlength=total), least)
        leaf = host[leaf]
        counts = np.bincount(leaf, minlength=total)
        mean = np.bincount(leaf, key[token], total) / np.maximum(counts, 1)
        full = np.flatnonzero(end & (counts > 0))
        ranked = full[np.argsort(mean[full], kind="stable")]
        rank = np.zeros(total, np.int64)
        rank[ranked] = np.arange(len(ranked))
        rank = rank[host]
        features, slots = _used(grown)
        left = np.concatenate([g.tree.left.astype(np.int64) + root for g, root in zip(grown, roots, strict=False)])
        left[end] = rank[end]
        threshold = np.concatenate([g.tree.threshold for g in grown])
        lengths = [len(grown[0].orders[f]) for f in features]
        order = np.stack([np.concatenate([np.empty(0, np.uint8), *(g.orders[f] for f in features)]) for g in grown])
        start = np.concatenate([[0], np.cumsum(counts[ranked])])
        tokens = token[np.lexsort((key[token], token >= target.absent, hidden, rank[leaf]))]
        nodes = left << 32 | slots << 8 | threshold
        used = looked[features]
        kept = np.unique(-1 - used[used < 0])
        used = np.where(used < 0, -1 - np.searchsorted(kept, -1 - used), used).astype(np.int32)
        common, missing = _common(tokens, start, rest), _missing(tokens, start, target.absent)
        return cls(used, _places(lengths), nodes, roots[:-1].astype(np.int32), order, start, tokens, common, missing,
                   _spare(tokens, target), tuple(derived[d] for d in kept))

    def draw(self, codes: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(n,) codes for rows whose earlier columns are ``codes`` (n, C) uint16, and (n,) what is shown of them. The
        last columns of ``codes`` are room for the derived ones."""
        queue = shuffled(len(codes), random)
        leaf = self._leaves(codes, random)
        return _even(leaf, self.start, self.tokens, self.common, self.missing, self.spare, queue, random.random(),
                     GOLDEN)

    def masked(self, codes: np.ndarray, allowed: np.ndarray, random: np.random.Generator
               ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As ``draw``, with what is shown drawn in proportion to ``allowed`` (size,); and (n,) the share of each row's
        codes that this leaves: 0 where nothing is, and then anything is drawn. Every tree is asked, and one is taken in
        proportion to what it leaves: the mean of all scatters less than the share of one."""
        below = self._below(allowed)
        turns = np.arange(-(-len(codes) // STEP))
        used = self._looked(codes)
        every = np.stack([_leaves(codes, used, self.place, self.nodes, self.roots[t : t + 1], self.order[t : t + 1],
                                  turns, STEP) for t in range(len(self.roots))])
        upto = np.concatenate([[0.0], np.cumsum(allowed[self.spare])])
        return _masked(every, self.start, self.common, self.missing, self.tokens, below, self.spare, upto,
                       random.random((3, len(codes))))

    def _below(self, allowed: np.ndarray) -> np.ndarray:
        """(n + 1,) sums of ``allowed`` over all tokens; one question is asked of many pieces, so the last is kept."""
        kept = self.__dict__.get("_asked")
        if kept is None or kept[0] is not allowed:
            kept = allowed, np.concatenate([[0.0], np.cumsum(allowed[self.tokens])])
            object.__setattr__(self, "_asked", kept)
        return kept[1]

    def chance(self, codes: np.ndarray, target: np.ndarray, ordered: bool, absent: int) -> np.ndarray:
        """(n,) how likely rows whose earlier columns are ``codes`` (n, C) have the code ``target`` (n,), as the mean of
        all trees says: of ``ordered`` codes from ``absent`` on what lies near counts too, since a leaf of few people
        has few of many codes. One person of the whole table is added to each leaf, so that nothing is impossible."""
        used, turns = self._looked(codes), np.arange(-(-len(codes) // STEP))
        keys, size = self._keys
        target = np.minimum(target, size - 1)  # a code that nobody has is as likely as the next
        near = size // NEAR if ordered and size > FEW else 0
        wide = np.where(target >= absent, near, 0)
        low = np.where(target >= absent, np.maximum(target - wide, absent if ordered else 0), target)
        high = np.minimum(target + wide, size - 1)
        alike = np.searchsorted(self._sorted, high, "right") - np.searchsorted(self._sorted, low, "left")
        overall, found = alike / len(self.tokens), np.zeros(len(target))
        for t in range(len(self.roots)):
            leaf = _leaves(codes, used, self.place, self.nodes, self.roots[t : t + 1], self.order[t : t + 1], turns,
                           STEP).astype(np.int64)
            first, last = leaf * size + low, leaf * size + high
            count = np.searchsorted(keys, last, "right") - np.searchsorted(keys, first, "left")
            found += (count + overall) / (self.start[leaf + 1] - self.start[leaf] + 1)
        return found / len(self.roots) / (high - low + 1)

    @cached_property
    def _keys(self) -> tuple[np.ndarray, int]:
        """(N,) leaf and code of each token as one number, sorted; and how many codes there are."""
        size = int(self.tokens.max()) + 1
        leaf = np.repeat(np.arange(len(self.start) - 1, dtype=np.int64), np.diff(self.start))
        return np.sort(leaf * size + self.tokens), size

    @cached_property
    def _sorted(self) -> np.ndarray:
        return np.sort(self.tokens)

    def _looked(self, codes: np.ndarray) -> np.ndarray:
        """(G,) the columns that trees look at, once the derived ones of ``codes`` (n, C) are filled in."""
        for d, one in enumerate(self.derived):
            codes[:, -1 - d] = one.places(codes)
        return np.where(self.used < 0, self.used + codes.shape[1], self.used)

    def _leaves(self, codes: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(n,) the leaf in which each row ends, each in one of the trees."""
        used = self._looked(codes)
        step = min(STEP, max(1, len(codes) // (STEP * len(self.roots))))
        turns = shuffled(-(-len(codes) // step), random)
        return _leaves(codes, used, self.place, self.nodes, self.roots, self.order, turns, step)

    def state(self) -> State:
        own = State({}, {"used": self.used, "nodes": self.nodes, "roots": self.roots, "order": self.order,
                         "start": self.start, "tokens": self.tokens})
        derived = {f"derived{d}": one.state() for d, one in enumerate(self.derived)}
        return State.nest({"trees": own, **derived}, {"derived": len(derived)})

    @classmethod
    def from_state(cls, state: State, lengths: Sequence[int], column: Coded) -> Stage:
        """Read and check: no index may lead outside an array, and every walk must end. ``lengths`` (j,) are the
        codes of the earlier columns, ``column`` is this one's alphabet."""
        size, rest = column.size, column.rest
        count = sound.whole(state, "derived", 0, ROOM)
        derived = tuple(Derived.from_state(state.part(f"derived{d}"), lengths) for d in range(count))
        state = state.part("trees")
        used = sound.array(state, "used", low=-len(derived), high=len(lengths) - 1, kind=np.int32)
        nodes = state.arrays.get("nodes")
        tokens, order = state.arrays.get("tokens"), state.arrays.get("order")
        sound.demand(isinstance(nodes, np.ndarray) and nodes.dtype == np.int64 and nodes.ndim == 1, "no nodes of trees")
        assert nodes is not None
        roots = sound.array(state, "roots", low=0, high=len(nodes) - 1, kind=np.int32)
        start = sound.array(state, "start", low=0, ascending=True, kind=np.int64)
        here = [lengths[g] if g >= 0 else len(derived[-1 - g].edges) + 1 for g in used]
        sound.demand(isinstance(order, np.ndarray) and order.dtype == np.uint8, "no orders")
        assert order is not None
        sound.demand(order.shape == (len(roots), sum(here)) and len(roots) > 0, "orders of a wrong shape")
        sound.demand(isinstance(tokens, np.ndarray) and tokens.dtype == code_type(size) and tokens.ndim == 1
                     and len(tokens) > 0 and int(tokens.max()) < size, "codes that are not in the alphabet")
        assert tokens is not None
        left, slot = nodes >> 32, nodes >> 8 & 0xFFFFFF
        inner, ends = np.flatnonzero(slot > 0), np.flatnonzero(slot == 0)
        sound.demand(len(start) > 1 and start[0] == 0 and start[-1] == len(tokens) and bool((np.diff(start) > 0).all()),
                     "leaves that are empty or out of order")
        walks = (slot <= len(used)).all() and (left[inner] > inner).all() and (left[inner] + 1 < len(nodes)).all()
        ends_well = (left[ends] >= 0).all() and (left[ends] < len(start) - 1).all()
        sound.demand(bool(walks and ends_well), "trees that lead nowhere")
        common, missing = _common(tokens, start, rest), _missing(tokens, start, column.absent)
        behind = np.arange(len(tokens)) >= np.repeat(start[:-1] + common, np.diff(start))
        sound.demand(bool((common > 0).all() and (behind == _hidden(tokens, rest)).all()), "leaves of nobody")
        before = np.arange(len(tokens)) < np.repeat(start[:-1] + missing, np.diff(start))
        sound.demand(bool((before == (tokens < column.absent)).all()), "missing cells out of order")
        return cls(used, _places(here), nodes, roots, order, start, tokens, common, missing, _spare(tokens, column),
                   derived)


def _hidden(codes: np.ndarray, rest: int | None) -> np.ndarray:
    """(n,) who may not be shown: those of the protected rest, unless there is nobody else."""
    hidden = np.zeros(len(codes), bool) if rest is None else codes == rest
    return hidden & ~hidden.all()


def _common(tokens: np.ndarray, start: np.ndarray, rest: int | None) -> np.ndarray:
    """(L,) how many of each leaf's tokens may be shown."""
    return np.add.reduceat(~_hidden(tokens, rest), start[:-1], dtype=np.int64)


def _missing(tokens: np.ndarray, start: np.ndarray, absent: int) -> np.ndarray:
    """(L,) how many of each leaf's tokens mean "missing"."""
    return np.add.reduceat(tokens < absent, start[:-1], dtype=np.int64)


def _spare(tokens: np.ndarray, column: Coded) -> np.ndarray:
    """(s,) some of the tokens that are values and may be shown, of all leaves; none where the rest is not protected."""
    if column.rest is None:
        return tokens[:0]
    valued = tokens[(tokens >= column.absent) & (tokens != column.rest)]
    return valued[:: max(1, len(valued) // SPARE)]


def _joined(grown: Sequence[Grown], roots: np.ndarray, counts: np.ndarray, least: int) -> np.ndarray:
    """(N,) for each node the leaf that answers for it: itself, or where a leaf has fewer than ``least`` people the
    one that it joins, the next from left to right in its tree."""
    host = np.arange(len(counts))
    for g, root in zip(grown, roots, strict=False):
        leaves = _left_to_right(g.tree) + root
        if counts[leaves].min() >= least:
            continue
        first, held, before = leaves[0], 0, leaves[0]
        for i, leaf in enumerate(leaves):
            host[leaf] = first
            held += counts[leaf]
            if held >= least and i + 1 < len(leaves):
                before, first, held = first, leaves[i + 1], 0
        if held < least:
            host[host == first] = before
    return host


def _left_to_right(tree: Tree) -> np.ndarray:
    """(L,) the leaves as they hang."""
    found, stack = [], [0]
    while stack:
        node = stack.pop()
        if tree.feature[node] < 0:
            found.append(node)
        else:
            stack += [int(tree.left[node]) + 1, int(tree.left[node])]
    return np.array(found)


def _used(grown: Sequence[Grown]) -> tuple[np.ndarray, np.ndarray]:
    """(G,) the features that any tree splits on; (N,) for each node its feature's place among them + 1, or 0 at a
    leaf."""
    every = np.concatenate([g.tree.feature for g in grown])
    features = np.unique(every[every >= 0])
    return features, np.where(every < 0, 0, np.searchsorted(features, every) + 1).astype(np.int64)


def _places(lengths: Sequence[int]) -> np.ndarray:
    """Where each part begins when parts of these lengths stand in a row."""
    return np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)


@kernel
def _leaves(codes, used, begin, nodes, roots, order, turns, step):  # type: ignore[no-untyped-def]
    size, trees = len(codes), len(roots)
    leaf = np.empty(size, np.int32)
    row, place = np.empty(STEP, np.int64), np.empty(STEP, np.int64)
    for t in range(trees):  # its rows one after the other, so that a tree stays in the cache
        for b in range(t * len(turns) // trees, (t + 1) * len(turns) // trees):  # neighbours go down side by side
            low = turns[b] * step
            walking = max(0, min(step, size - low))
            for w in range(walking):
                row[w] = low + w
                place[w] = roots[t]
            while walking > 0:
                still = 0
                for w in range(walking):
                    i, node = row[w], nodes[place[w]]
                    f = node >> 8 & 0xFFFFFF
                    if f > 0:
                        row[still] = i
                        place[still] = (node >> 32) + (order[t, begin[f - 1] + codes[i, used[f - 1]]] > (node & 0xFF))
                        still += 1
                    else:
                        leaf[i] = node >> 32
                walking = still
    return leaf


@kernel
def _masked(every, start, common, missing, tokens, below, spare, upto, chance):  # type: ignore[no-untyped-def]
    trees, size = every.shape
    out, shown = np.empty(size, tokens.dtype), np.empty(size, tokens.dtype)
    left, share, again = np.empty(size), np.empty(trees), np.empty(trees)
    for i in range(size):
        total = 0.0
        for t in range(trees):
            leaf = every[t, i]
            begin, count = start[leaf], start[leaf + 1] - start[leaf]
            first = missing[leaf]  # of those that the rest is shown as
            if first < common[leaf]:
                mean = (below[begin + common[leaf]] - below[begin + first]) / (common[leaf] - first)
            elif len(spare):
                mean = upto[-1] / len(spare)
            else:
                mean = (below[begin + common[leaf]] - below[begin]) / common[leaf]
            again[t] = mean * (count - common[leaf]) / count
            share[t] = (below[begin + common[leaf]] - below[begin]) / count + again[t]
            total += share[t]
        left[i] = total / trees
        aim, tree = chance[0, i] * total, 0
        while tree < trees - 1 and aim >= share[tree]:
            aim -= share[tree]
            tree += 1
        leaf = every[tree, i]
        begin = start[leaf]
        hidden = chance[2, i] * share[tree] < again[tree]
        away = hidden and missing[leaf] == common[leaf] and len(spare) > 0
        sums, low, high = below, begin, begin + common[leaf] - 1
        if away:
            sums, low, high = upto, 0, len(spare) - 1
        elif hidden and missing[leaf] < common[leaf]:
            low += missing[leaf]
        goal = sums[low] + chance[1, i] * (sums[high + 1] - sums[low])
        while low < high:  # the first token whose end lies beyond the goal
            middle = (low + high) // 2
            if sums[middle + 1] > goal:
                high = middle
            else:
                low = middle + 1
        shown[i] = spare[low] if away else tokens[low]
        out[i] = tokens[begin + common[leaf]] if hidden else shown[i]  # the rest, of whom the next columns learn
    return out, shown, left


@kernel
def _even(leaf, start, tokens, common, missing, spare, queue, shift, golden):  # type: ignore[no-untyped-def]
    size, ranks = len(leaf), len(start) - 1
    first = np.zeros(ranks + 1, np.int64)
    for i in range(size):
        first[leaf[i] + 1] += 1
    for r in range(ranks):
        first[r + 1] += first[r]
    # the rows stand in an order of this column's own: a shared one would tie columns together
    out = np.empty(size, tokens.dtype)
    shown = out if common.sum() == len(tokens) else np.empty(size, tokens.dtype)
    for q in range(size):
        i = queue[q]
        r = leaf[i]
        u = first[r] * golden + shift
        u -= np.floor(u)
        first[r] += 1
        count = start[r + 1] - start[r]
        one = min(np.int64(u * count), count - 1)
        out[i] = tokens[start[r] + one]
        if one >= common[r]:  # the rest: another even draw, among those who may be shown and have a value
            u = (u * count - common[r]) / (count - common[r])
            if missing[r] == common[r] and len(spare):
                shown[i] = spare[min(max(np.int64(u * len(spare)), 0), len(spare) - 1)]
                continue
            skip = missing[r] if missing[r] < common[r] else 0
            one = skip + min(max(np.int64(u * (common[r] - skip)), 0), common[r] - skip - 1)
        shown[i] = tokens[start[r] + one]
    return out, shown
