"""What boosted hierarchies are made of: the split is the best there is, leaves hold who walks into them, a branch
stands for k people."""

from __future__ import annotations

import numpy as np
import pytest
from joints import chance

from fabrica.block import Block
from fabrica.boosters.boost import Boosting, boost
from fabrica.boosters.forest import Forest
from fabrica.boosters.grow import DEPTH, Guard, Packing, grow
from fabrica.checks.engines import coded
from fabrica.engines.boosted.context import Context, places
from fabrica.engines.boosted.hierarchy import Hierarchy
from fabrica.run import Run

# ---------------------------------------------------------------- trees


def brute(placed: np.ndarray, nominal: np.ndarray, g: np.ndarray, h: np.ndarray, guard: Guard) -> float:
    """The largest gain of any split of all rows."""
    best, total = 0.0, g.sum() ** 2 / (h.sum() + guard.ridge)
    for f in range(placed.shape[1]):
        for b in range(256):
            for left in ([placed[:, f] <= b, placed[:, f] == b] if nominal[f] else [placed[:, f] <= b]):
                sides = left, ~left
                if min(s.sum() for s in sides) >= guard.least and min(h[s].sum() for s in sides) >= guard.hessian:
                    best = max(best, sum(g[s].sum() ** 2 / (h[s].sum() + guard.ridge) for s in sides) - total)
    return best


def a_tree(key: int, guard: Guard, rows: int = 700) -> tuple[np.ndarray, ...]:
    r = chance(key)
    placed = r.integers(0, [3, 12, 256, 40], (rows, 4)).astype(np.uint8)
    nominal = np.array([True, True, False, False])
    h = r.uniform(0.01, 0.25, rows)
    g = r.normal(size=rows) + (placed[:, 1] == 5) + (placed[:, 2] > 100) * (placed[:, 3] < 9)
    every = np.arange(rows, dtype=np.int32)
    packing = Packing.of(rows)
    packed, units = packing.pack(g, h, every, 0)
    return placed, nominal, g, h, every, *grow(placed, nominal, packed, units, packing, every, guard)


@pytest.mark.parametrize("key", range(5))
@pytest.mark.parametrize("guard", [Guard(2, 1, 0.0, 1.0), Guard(2, 60, 0.0, 3.0), Guard(2, 1, 25.0, 0.1)])
def test_the_first_split_is_the_best_there_is(key: int, guard: Guard) -> None:
    placed, nominal, g, h, _, _, _, gain = a_tree(key, guard)
    best = brute(placed, nominal, g, h, guard)
    assert abs(gain - best) < 0.01 * best
    careless = brute(placed[:, :1], nominal, g, h, guard)
    assert careless < 0.9 * best, "a finder that looks at one feature only is caught"


@pytest.mark.parametrize("least", [1, 20, 50])
def test_leaves_hold_the_rows_that_walk_into_them(least: int) -> None:
    placed, _, _, _, rows, nodes, ends, _ = a_tree(3, Guard(31, least, 0.0, 1.0))
    leaf = nodes >> 32 == np.arange(len(nodes))
    assert leaf.sum() > 3 and (np.diff(ends[leaf], axis=1) >= least).all()
    forest = Forest.of([(nodes, np.arange(len(nodes), dtype=np.float32))])
    score = np.zeros(len(rows))
    forest.add(placed, rows, score)
    for node in np.flatnonzero(leaf):
        assert (score[ends[node, 0] : ends[node, 1]] == node).all()
    assert np.diff(ends[leaf], axis=1).sum() == len(rows) and forest.depth.max() <= DEPTH


def test_boosting_stops_where_there_is_nothing_to_learn() -> None:
    r = chance(14)
    placed, every = r.integers(0, 100, (4_000, 5)).astype(np.uint8), np.arange(4_000, dtype=np.int32)
    how = Boosting(200, 0.15, 6, Guard(31, 50, 3.0, 3.0))
    noise, signal = (r.random(4_000) < 0.5) * 1.0, (placed[:, 0] > 50) * 1.0
    few, many = (len(boost(placed, np.zeros(5, bool), y, np.zeros(4_000), every[500:], every[:500], how))
                 for y in (noise, signal))
    assert few < 10 < 20 < many


def test_packed_sums_are_right_in_the_mean() -> None:
    r = chance(15)
    g, h, rows = r.normal(size=50_000), r.uniform(0, 0.25, 50_000), np.arange(50_000, dtype=np.int32)
    packing = Packing.of(len(rows))
    packed, (g_unit, h_unit) = packing.pack(g, h, rows, 3)
    total = int(packed.sum())
    assert total & ((1 << packing.count) - 1) == len(rows)
    assert abs((total >> packing.count + packing.hessian) * g_unit - g.sum()) < 0.1
    assert abs((total >> packing.count & (1 << packing.hessian) - 1) * h_unit - h.sum()) < 0.1


# ---------------------------------------------------------------- hierarchy and context


@pytest.mark.parametrize("key", range(4))
def test_a_hierarchy_reaches_every_code_by_its_share(key: int) -> None:
    r = chance(key)
    codes = np.minimum(r.exponential(20, 3_000).astype(np.int64), 99)
    codes[codes == 7] = 8
    column = coded("x", 100, codes, ordered=True, absent=2, rest=99 if key % 2 else None)
    h = Hierarchy.over(column, np.arange(100.0), 1)
    inner = np.flatnonzero(h.left > 0)
    assert (h.left[inner] > inner).all() and (h.begin[h.left[inner]] == h.begin[inner]).all()
    assert (h.mass[h.left[inner]] + h.mass[h.left[inner] + 1] == h.mass[inner]).all()
    assert h.depth <= 2 * np.log2(3_000) + 2
    leaves = np.repeat(np.flatnonzero(h.left == 0), 50)
    drawn = h.inside(leaves, r.random(len(leaves)))
    assert (h.counts[drawn] > 0).all() and set(drawn) == set(np.flatnonzero(h.counts))
    assert bool(h.shown) == bool(key % 2)
    first = h.left[h.shown]
    assert h.order[h.begin[first]] in (0, 1) and h.end[first] == 2, "what is missing is asked first"


@pytest.mark.parametrize("counts", [(50, 1), (1, 50), (3, 5_000, 2), (1, 1, 30, 30), (4,) * 40, (0, 4, 900, 6, 8)])
@pytest.mark.parametrize("absent", [0, 1])
def test_a_branch_stands_for_k_people(counts: tuple[int, ...], absent: int) -> None:
    codes = np.repeat(np.arange(len(counts)), counts)
    column = coded("x", len(counts), codes, ordered=True, absent=absent)
    for k in (1, 5):
        h = Hierarchy.over(column, np.arange(float(len(counts))), k)
        assert h.mass.min() >= k
        drawn = h.inside(np.repeat(np.flatnonzero(h.left == 0), 9), chance(1).random(9 * int((h.left == 0).sum())))
        assert (h.counts[drawn] > 0).all()
    careless = Hierarchy.over(column, np.arange(float(len(counts))), 1)
    assert (careless.left > 0).sum() == np.count_nonzero(counts) - 1, "with k of one every code has its own leaf"


def test_places_keep_order_and_mass() -> None:
    counts = chance(16).integers(0, 50, 1000).astype(float)
    found = places(np.arange(1000), counts, 3, 64)
    assert (found[:3] == [0, 1, 2]).all() and (np.diff(found.astype(int)) >= 0).all() and found.max() <= 63
    held = np.bincount(found[3:], counts[3:])[3:]
    assert held.max() < 2 * held.mean()


def test_of_many_columns_those_that_tell_are_looked_at() -> None:
    r = chance(17)
    codes = r.integers(0, 4, (119, 3_000))
    child = np.where(r.random(3_000) < 0.8, (codes[17] + 1) % 4, r.integers(0, 4, 3_000))
    block = Block.of([coded(f"c{i}", 4, c) for i, c in enumerate([*codes, child])])
    context = Context.of(block, 5, Run(1))
    assert max(map(len, context.looked)) == 5 and 17 in context.column[context.looked[-1]]
