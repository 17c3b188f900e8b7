"""What trees must keep of a joint that is known: everything that is cheap to see, and never a person."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from joints import N, apart, chance, joint, luck, random_joint, twin
from scipy.spatial import cKDTree
from scipy.stats import binom, chi2, chi2_contingency

from fabrica.block import Block, Coded
from fabrica.checks.engines import coded
from fabrica.contract import Engine
from fabrica.dataset import Dataset
from fabrica.engines.independent import Independent
from fabrica.engines.trees import Trees
from fabrica.model import CHUNK, TableModel, learn
from fabrica.run import Run
from fabrica.schema import Column, Table

# ---------------------------------------------------------------- dependence


@pytest.mark.parametrize("sizes", [(4, 5), (2, 12), (4, 5, 3), (2, 2, 9)])
@pytest.mark.parametrize("key", [0, 1, 2])
def test_a_known_joint_is_recovered(key: int, sizes: tuple[int, ...]) -> None:
    block = random_joint(key, *sizes)
    assert apart(block, twin(Trees(), block)) < luck(block)
    assert apart(block, twin(Independent(), block)) > 5 * luck(block), "the truth is not trivial"


def exclusive(key: int, size: int = N) -> Block:
    b, c = chance(key).integers(0, 2, (2, size))
    return Block.of([coded("b", 2, b), coded("c", 2, c), coded("a", 2, b ^ c)])


@pytest.mark.parametrize("key", [0, 1, 2])
def test_what_only_two_parents_tell_together(key: int) -> None:
    """a = b xor c: no single split gains anything, the cell of both does."""
    block = exclusive(key)
    assert apart(block, twin(Trees(), block)) < 2 * luck(block)
    assert apart(block, twin(Independent(), block)) > 0.45


def test_parents_of_many_levels_give_the_hint_that_trees_need() -> None:
    x, y = chance(5).integers(0, 8, (2, N))
    block = Block.of([coded("x", 8, x), coded("y", 8, y), coded("a", 2, (x + y) % 2)])
    assert apart(block, twin(Trees(), block)) < 2 * luck(block)


def test_a_sum_of_columns_is_seen_as_one() -> None:
    """total = a + b + c: beyond a stair of cuts, the sum itself tells; none is made where a column tells all."""
    r = chance(21)
    parts = r.gamma(2.0, size=(4_000, 3))
    table = pa.table({"a": parts[:, 0], "b": parts[:, 1], "c": parts[:, 2], "total": parts.sum(1), "copy": parts[:, 0]})
    model = learned(table, Trees())
    got = model.sample(20_000, seed=3)
    rest = got["total"].to_numpy() - sum(got[n].to_numpy() for n in "abc")
    assert rest.std() < 0.3 * parts.sum(1).std(), "0.4 and more without sums"
    stages = model.model.stages  # type: ignore[attr-defined]
    assert len(stages[2].derived) and not len(stages[3].derived)


def test_places_are_seen_along_both_axes() -> None:
    """A diagonal border through the map: who lives north-east of it votes otherwise."""
    r = chance(22)
    where = r.random((6_000, 2))
    vote = (where.sum(1) > 1).astype(np.int64)
    table = pa.table({"latitude": 40 + where[:, 0], "longitude": 10 + where[:, 1], "vote": vote})
    columns = (Column("latitude", "latitude", "double"), Column("longitude", "longitude", "double"),
               Column("vote", "integer", "int64"))
    model = learn(Dataset.open(table, name="t"), Table("t", columns), Trees(), Run(1))
    got = model.sample(6_000, seed=3)
    beyond = got["latitude"].to_numpy() + got["longitude"].to_numpy() > 51
    assert (beyond == (got["vote"].to_numpy() == 1)).mean() > 0.96


def test_users_of_many_places_keep_to_theirs() -> None:
    """Eighty users, each with two of twenty-five stations of their own: neither end is ordered."""
    r = chance(23)
    home = r.integers(0, 25, (80, 2))
    user = r.integers(0, 80, N // 4)
    station = home[user, r.integers(0, 2, N // 4)]
    block = Block.of([coded("user", 80, user), coded("station", 25, station)])
    a, b = (c.codes for c in twin(Trees(), block))
    assert (home[a] == b[:, None]).any(1).mean() > 0.9, "by chance it is one in twelve"


@pytest.mark.parametrize("size", [500, 20_000])
@pytest.mark.parametrize("ordered", [(False, False), (True, False), (False, True), (True, True)])
def test_a_function_of_a_column_stays_one(size: int, ordered: tuple[bool, bool]) -> None:
    f, x = np.array([3, 1, 4, 7, 5, 0, 2, 6]), chance(7).integers(0, 8, size)
    block = Block.of([coded("x", 8, x, ordered=ordered[0]), coded("y", 8, f[x], ordered=ordered[1])])
    a, b = twin(Trees(), block, N)
    assert (f[a.codes] == b.codes).mean() > 0.99


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_a_chain_of_numbers_keeps_its_correlation(noise: float) -> None:
    r = chance(8)
    x = r.normal(size=N)
    y = x + noise * r.normal(size=N)
    table = pa.table({"x": x, "y": y})
    got = learned(table, Trees()).sample(N, seed=3)
    true = float(np.corrcoef(x, y)[0, 1])
    found = float(np.corrcoef(got["x"].to_numpy(), got["y"].to_numpy())[0, 1])
    assert abs(found - true) < 0.03 * true, "leaves blur a little"


def learned(table: pa.Table, engine: Engine, workers: int = 1, **settings: int) -> TableModel:
    columns = tuple(Column(n, "decimal", "double") for n in table.column_names)
    return learn(Dataset.open(table, name="t"), Table("t", columns), engine, Run(1, workers=workers), **settings)


RATES = np.array([[0.02, 0.10], [0.20, 0.50], [0.05, 0.80]])


def test_missing_not_at_random_survives() -> None:
    """How often y is missing depends on the column before it and on the one after it."""
    r = chance(9)
    x, z, y = r.integers(0, 3, N), r.integers(0, 2, N), r.integers(1, 20, N)
    y[r.random(N) < RATES[x, z]] = 0
    block = Block.of([coded("x", 3, x), coded("y", 20, y, ordered=True, absent=1), coded("z", 2, z)])
    a, b, c = (column.codes for column in twin(Trees(), block))
    for i, j in np.ndindex(*RATES.shape):
        here, rate = (a == i) & (c == j), (y[(x == i) & (z == j)] == 0).mean()
        low, high = binom.ppf([0.001, 0.999], here.sum(), rate)
        assert low <= (b[here] == 0).sum() <= high


# ---------------------------------------------------------------- margins


def test_margins_are_closer_than_chance_would_be() -> None:
    """Independent draws would leave a chi-square of 11 on average, and one in two below the bound: here all are."""
    r = chance(11)
    base = [np.minimum(r.exponential(3, N).astype(np.int64), 11) for _ in range(2)]
    third = (base[0] + r.integers(0, 3, N)) % 12
    last = (base[1] + third + r.integers(0, 2, N)) % 12
    block = Block.of([coded(f"c{i}", 12, c) for i, c in enumerate([*base, third, last])])
    for engine, close in ((Independent(), chi2.ppf(1e-6, 11)), (Trees(), chi2.ppf(0.5, 11))):
        found = np.array([misfit(block, twin(engine, block, 5_000, seed)) for seed in range(5)])
        assert found.max() < close
        assert found.mean() < 11 / 4


def misfit(block: Block, drawn: Block) -> list[float]:
    """The chi-square of each column."""
    out = []
    for seen, got in zip(block, drawn, strict=True):
        due = np.bincount(seen.codes, minlength=seen.size) * (len(drawn) / len(block))
        out.append(float(((np.bincount(got.codes, minlength=got.size) - due) ** 2 / due).sum()))
    return out


def test_point_masses_come_back_bit_for_bit() -> None:
    r = chance(12)
    odd = 0.1 + 0.2
    x = np.where(r.random(N) < 0.3, odd, r.lognormal(3, 1, N))
    y = np.where(x == odd, 1e-300, r.normal(size=N))
    got = learned(pa.table({"x": x, "y": y}), Trees()).sample(N, seed=3)
    a, b = got["x"].to_numpy(), got["y"].to_numpy()
    assert abs((a == odd).mean() - (x == odd).mean()) < 0.001
    assert ((a == odd) == (b == 1e-300)).mean() > 0.999


@pytest.mark.parametrize("engine", [Trees(), Independent()])
def test_rare_levels_are_never_drawn(engine: Engine) -> None:
    for block in rare(True), rare(True, 1), rare(False):
        column = next(c for c in twin(engine, block) if c.name == "a")
        assert not (column.codes == 3).any()


def rare(first: bool, leading: int = 0) -> Block:
    """30 % of the people have levels that are protected, and b says mostly yes of them; ``first``: a before b."""
    r = chance(13)
    a = np.where(r.random(N) < 0.3, 3, r.integers(0, 3, N))
    b = (r.random(N) < np.where(a == 3, 0.9, 0.1)).astype(np.int64)
    columns = [coded("a", 4, a, rest=3), coded("b", 2, b)]
    return Block.of([coded("z", 2, r.integers(0, 2, N)), *(columns if first else columns[::-1])][leading:])


@pytest.mark.parametrize(("first", "leading"), [(False, 0), (True, 0), (True, 1)])
def test_people_with_rare_levels_still_count_for_the_other_columns(first: bool, leading: int) -> None:
    """b comes after the protected column (which may be the very first) or before it: its share is right."""
    block = rare(first, leading)
    b, got = (next(c.codes for c in found if c.name == "b") for found in (block, twin(Trees(), block)))
    assert abs(got.mean() - b.mean()) < 0.01


# ---------------------------------------------------------------- settings


def test_a_price_that_nobody_can_pay_gives_independent_columns() -> None:
    block = random_joint(4, 5, 6)
    model = Trees(price=1000).fit(block, None, Run(1))
    assert [len(s.roots) for s in model.stages] == [5] and [len(s.nodes) for s in model.stages] == [5], "roots only"
    drawn = model.sample(N, None, Run(2))
    a, b = (np.bincount(c.codes, minlength=c.size) / N for c in drawn)
    alone = np.outer(a, b).ravel()
    assert np.abs(joint(drawn) - alone).sum() / 2 < luck(block)


@pytest.mark.parametrize(("leaf", "pure", "share", "ordered"), [
    (100, 0, 0.7, False), (100, 0, 1.0, True), (50, 0, 0.5, True), (100, 10, 0.7, True), (400, 0, 0.7, False)])
def test_a_leaf_holds_as_many_people_as_it_must(leaf: int, pure: int, share: float, ordered: bool) -> None:
    r = chance(14)
    x, y = r.integers(0, 12, (2, N))
    block = Block.of([coded("x", 12, x), coded("y", 12, y),
                      coded("z", 12, (x + y + r.integers(0, 2, N)) % 12, ordered=ordered)])
    model = Trees(leaf=leaf, pure=pure, share=share, price=0).fit(block, None, Run(1))
    least = [int(np.diff(s.start).min()) for s in model.stages]
    assert min(least) >= leaf
    assert least[1] < 4 * leaf / share, "and the guard is what stops the trees here"
    assert all(len(s.tokens) == 5 * N for s in model.stages), "all people stand in the leaves of each tree"


def test_leaves_of_one_level_may_be_smaller() -> None:
    x = np.repeat([0, 1], [N - 15, 15])
    block = Block.of([coded("x", 2, x), coded("y", 2, x)])
    for pure, kept in ((10, True), (0, False)):
        a, b = twin(Trees(pure=pure, leaf=100, share=1.0), block)
        assert bool((a.codes == b.codes).all()) == kept


# ---------------------------------------------------------------- odd shapes


def test_thousands_of_levels_hang_together_with_what_they_should() -> None:
    r = chance(15)
    group = r.integers(0, 3, N)
    level = group * 1000 + np.minimum(r.geometric(0.005, N), 999)
    block = Block.of([coded("level", 3000, level), coded("group", 3, group), coded("again", 3000, level)])
    a, b, c = (column.codes for column in twin(Trees(), block))
    assert (a // 1000 == b).mean() > 0.97, "as a feature, levels are arranged by what they mean for the target"
    assert (c // 1000 == b).mean() > 0.7, "as a target of 3,000 levels they are blurred (by chance it is a third)"


def test_three_hundred_columns_and_the_one_that_matters() -> None:
    r = chance(16)
    size, parent = 2_000, 17
    codes = r.integers(0, 4, (299, size))
    child = np.where(r.random(size) < 0.8, codes[parent], r.integers(0, 4, size))
    block = Block.of([coded(f"c{i}", 4, c) for i, c in enumerate([*codes, child])])
    model = Trees(trees=1, features=10).fit(block, None, Run(1))
    assert parent in model.stages[-1].used
    drawn = model.sample(size, None, Run(2)).columns
    same = (drawn[parent].codes == drawn[-1].codes).mean()
    assert abs(same - (codes[parent] == child).mean()) < 0.05


def test_columns_that_say_nothing() -> None:
    n = 300
    still = [coded("same", 1, np.zeros(n, np.int64)), coded("gone", 1, np.zeros(n, np.int64), absent=1),
             coded("none", 2, np.zeros(n, np.int64), ordered=True, absent=1)]
    for columns in (still, [*still, coded("x", 5, chance(17).integers(0, 5, n))]):
        for order in (columns, columns[::-1]):
            drawn = twin(Trees(), Block.of(order), 500)
            assert all((c.codes == 0).all() for c in drawn if c.name != "x")


# ---------------------------------------------------------------- runs


def same(one: Block, other: Block) -> bool:
    return all(bool((a.codes == b.codes).all()) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("engine", [Trees(trees=2), Independent()])
def test_workers_change_nothing(engine: Engine) -> None:
    r = chance(18)
    x = r.normal(size=3_000)
    table = pa.table({"x": x, "y": x + r.normal(size=3_000), "z": np.where(x > 0, 0.0, r.normal(size=3_000))})
    rows = 2 * CHUNK + 1_000
    found = [learned(table, engine, w) for w in (1, 2, 4)]
    first = found[0].sample(rows, seed=5, workers=1)
    assert all(m.sample(rows, seed=5, workers=w).equals(first) for m, w in zip(found, (1, 2, 4), strict=True))
    shorter = found[0].sample(CHUNK + 4_000, seed=5, workers=2)
    assert shorter.slice(0, CHUNK).equals(first.slice(0, CHUNK)), "full chunks are equal, however many rows follow"
    assert not found[0].sample(CHUNK, seed=6).equals(first.slice(0, CHUNK))
    for a, b in pairwise(range(0, rows, CHUNK)):
        assert not first.slice(a, 1_000).equals(first.slice(b, 1_000)), "no chunk repeats another"


def test_a_budget_of_nothing_still_learns() -> None:
    block = random_joint(6, 4, 5, 3)
    model = Trees(trees=50).fit(block, None, Run(1, budget=0.0))
    assert all(1 <= len(s.roots) < 50 for s in model.stages)
    assert apart(block, model.sample(N, None, Run(2))) < 2 * luck(block)


# ---------------------------------------------------------------- privacy


def people(key: int, size: int) -> np.ndarray:
    """(size, 4) numbers that hang together."""
    r = chance(key)
    f, noise = r.normal(size=(size, 2)), 0.3 * r.normal(size=(size, 4))
    return np.stack([f[:, 0], f[:, 1], f.sum(1), f[:, 0] - f[:, 1]], 1) + noise


def attack(engine: Engine, key: int) -> float:
    """How well the distance to the nearest synthetic row tells who was learned from (0.5: not at all)."""
    real, half = people(key, 1_200), 600
    names = list("abcd")
    model = learned(pa.table({n: real[:half, i] for i, n in enumerate(names)}), engine)
    made = model.sample(4 * half, seed=key)
    tree = cKDTree(np.stack([made[n].to_numpy() for n in names], 1))
    inside, outside = tree.query(real[:half])[0], tree.query(real[half:])[0]
    return float((inside[:, None] < outside).mean() + (inside[:, None] == outside).mean() / 2)


CARELESS = Trees(leaf=1, k=1, price=0, trees=1, share=1, pure=0)


def test_nobody_is_copied() -> None:
    """The attack works: it catches a careless twin. On 600 people the defaults leave it little more than its luck."""
    assert min(attack(CARELESS, key) for key in range(2)) > 0.9
    assert np.mean([attack(Trees(), key) for key in range(4)]) < 0.62


def test_bigger_leaves_are_safer() -> None:
    assert attack(Trees(leaf=100), 0) < attack(Trees(leaf=5), 0) < attack(CARELESS, 0)


def test_every_drawn_code_was_held_by_somebody() -> None:
    """Trees draw from people: a combination of margins may be new, a code never is."""
    block = Block.of([coded("x", 50, chance(19).integers(0, 25, N) * 2), coded("y", 9, chance(20).integers(0, 9, N))])
    drawn: Coded = twin(Trees(), block).columns[0]
    assert set(np.unique(drawn.codes)) == set(range(0, 50, 2))


def test_early_rows_are_like_late_ones() -> None:
    """Every row takes any tree for any column: no stretch of a sample comes from one tree alone."""
    r = chance(21)
    a = r.integers(0, 8, 400)
    block = Block.of([coded("a", 8, a), coded("b", 8, (a + r.geometric(0.4, 400)) % 8)])
    pair = joint_counts(twin(Trees(trees=5, leaf=5, price=0), block, 200_000))
    early, late = (np.bincount(p, minlength=64) for p in (pair[:40_000], pair[-40_000:]))
    there = early + late > 0
    assert chi2_contingency(np.stack([early, late])[:, there]).pvalue > 1e-3


def joint_counts(block: Block) -> np.ndarray:
    return np.ravel_multi_index([c.codes.astype(np.int64) for c in block], [c.size for c in block])


@pytest.mark.parametrize("k", [5, 40])
def test_no_leaf_stands_for_fewer_than_k(k: int) -> None:
    r = chance(22)
    a = r.integers(0, 20, 3000)
    block = Block.of([coded("a", 20, a), coded("b", 9, (a + r.geometric(0.3, 3000)) % 9)])
    model = Trees(leaf=2, pure=1, price=0, k=k).fit(block, None, Run(1))
    assert min(np.diff(stage.start).min() for stage in model.stages) >= k


def test_whoever_asks_for_a_larger_k_gets_calmer_trees_unless_they_say_how() -> None:
    r = chance(24)
    a = r.integers(0, 200, 8000)
    block = Block.of([coded("a", 200, a), coded("b", 200, (a + r.geometric(0.3, 8000)) % 200)])
    leaves = {}
    for name, engine in {"usual": Trees(pure=0), "more": Trees(pure=0, k=20),
                         "said": Trees(pure=0, k=20, leaf=25, price=0.75)}.items():
        stages = engine.fit(block, None, Run(1)).stages
        leaves[name] = min(int(np.diff(stage.start).min()) for stage in stages)
    assert 15 <= leaves["usual"] < 60 <= leaves["more"] and 25 <= leaves["said"] < 60
    assert Trees(k=2).calm == Trees().calm == 1 and Trees(k=2).least == 15


@pytest.mark.parametrize("k", [5, 30])
def test_k_people_of_a_leaf_may_be_shown(k: int) -> None:
    """Those of the protected rest do not count."""
    r = chance(23)
    a = r.integers(0, 20, 4000)
    hidden = np.where(r.random(4000) < 0.6, 8, (a + r.geometric(0.3, 4000)) % 8)
    block = Block.of([coded("a", 20, a), coded("b", 9, hidden, rest=8)])
    model = Trees(leaf=2, pure=1, price=0, k=k).fit(block, None, Run(1))
    assert min(stage.common.min() for stage in model.stages) >= k
