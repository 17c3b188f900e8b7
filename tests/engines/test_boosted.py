"""What a boosted hierarchy must keep of a joint that is known, what it says of likelihood, and whom it never shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from joints import N, apart, chance, joint, luck, random_joint, twin
from scipy.spatial import cKDTree
from scipy.stats import chi2

from fabrica.block import Block
from fabrica.boosters.boost import Boosting, boost
from fabrica.boosters.grow import Guard
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
from fabrica.dataset import Dataset
from fabrica.engines.boosted import Boosted, BoostedModel
from fabrica.engines.boosted.draw import branches
from fabrica.engines.boosted.reference import CALM, STEPS
from fabrica.engines.independent import Independent
from fabrica.errors import ModelFileError
from fabrica.model import CHUNK, TableModel, learn
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.state import State


def learned(table: pa.Table, engine: object, workers: int = 1) -> TableModel:
    columns = tuple(Column(n, "decimal", "double") for n in table.column_names)
    return learn(Dataset.open(table, name="t"), Table("t", columns), engine, Run(1, workers=workers))


# ---------------------------------------------------------------- dependence


@pytest.mark.parametrize("sizes", [(4, 5), (2, 12), (4, 5, 3), (2, 2, 9)])
@pytest.mark.parametrize("key", [0, 1])
def test_a_known_joint_is_recovered(key: int, sizes: tuple[int, ...]) -> None:
    block = random_joint(key, *sizes)
    assert apart(block, twin(Boosted(), block)) < 1.2 * luck(block)
    assert apart(block, twin(Independent(), block)) > 5 * luck(block), "the truth is not trivial"


@pytest.mark.parametrize("key", [0, 1, 2])
def test_what_only_two_parents_tell_together(key: int) -> None:
    """a = b xor c: no single split gains anything."""
    b, c = chance(key).integers(0, 2, (2, N))
    block = Block.of([coded("b", 2, b), coded("c", 2, c), coded("a", 2, b ^ c)])
    assert apart(block, twin(Boosted(), block)) < 2 * luck(block)
    assert apart(block, twin(Independent(), block)) > 0.45


@pytest.mark.parametrize("size", [2_000, 20_000])
@pytest.mark.parametrize("ordered", [(False, False), (True, False), (False, True), (True, True)])
def test_a_function_of_a_column_stays_one(size: int, ordered: tuple[bool, bool]) -> None:
    f, x = np.array([3, 1, 4, 7, 5, 0, 2, 6]), chance(7).integers(0, 8, size)
    block = Block.of([coded("x", 8, x, ordered=ordered[0]), coded("y", 8, f[x], ordered=ordered[1])])
    a, b = twin(Boosted(), block, N)
    assert (f[a.codes] == b.codes).mean() > 0.99


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_a_chain_of_numbers_keeps_its_correlation(noise: float) -> None:
    r = chance(8)
    x = r.normal(size=N)
    y = x + noise * r.normal(size=N)
    got = learned(pa.table({"x": x, "y": y}), Boosted()).sample(N, seed=3)
    true = float(np.corrcoef(x, y)[0, 1])
    found = float(np.corrcoef(got["x"].to_numpy(), got["y"].to_numpy())[0, 1])
    assert abs(found - true) < 0.02 * true + 0.01, "the luck of a sample is 0.007 where the tie is weak"


def test_ties_are_kept_by_references() -> None:
    """|x|, and the sum of three: what the differences from what is expected are for."""
    r = chance(21)
    parts = r.gamma(2.0, size=(8_000, 3)) - 2.0
    table = pa.table({"a": parts[:, 0], "b": parts[:, 1], "c": parts[:, 2], "total": parts.sum(1),
                      "size": np.abs(parts[:, 0])})
    got = learned(table, Boosted()).sample(N, seed=3)
    a, b, c, total, size = (got[n].to_numpy() for n in table.column_names)
    assert (total - a - b - c).std() < 0.3 * parts.sum(1).std()
    assert np.median(np.abs(size - np.abs(a))) < 0.02


def test_missing_not_at_random_survives() -> None:
    rates = np.array([[0.02, 0.10], [0.20, 0.50], [0.05, 0.80]])
    r = chance(9)
    x, z, y = r.integers(0, 3, N), r.integers(0, 2, N), r.integers(1, 20, N)
    y[r.random(N) < rates[x, z]] = 0
    block = Block.of([coded("x", 3, x), coded("y", 20, y, ordered=True, absent=1), coded("z", 2, z)])
    a, b, c = (column.codes for column in twin(Boosted(), block))
    for i, j in np.ndindex(*rates.shape):
        here, true = (a == i) & (c == j), (y[(x == i) & (z == j)] == 0).mean()
        assert abs((b[here] == 0).mean() - true) < 0.025


def test_levels_in_thousands_hang_together_with_their_groups() -> None:
    """2,000 nominal levels of twenty groups whose names say nothing, before and behind the group."""
    r = chance(11)
    of = r.integers(0, 20, 2000)
    level = r.integers(0, 2000, N)
    pair = [("group", 20, of[level]), ("level", 2000, level)]
    for columns in (pair, pair[::-1]):
        drawn = {c.name: c.codes for c in twin(Boosted(), Block.of([coded(*c) for c in columns]))}
        assert (of[drawn["level"]] == drawn["group"]).mean() > 0.4, "ten rows a level; by chance it is one in twenty"


# ---------------------------------------------------------------- likelihood


def test_likelihood_agrees_with_what_is_drawn() -> None:
    block = random_joint(3, 4, 5, 3)
    model = Boosted().fit(block, None, Run(1))
    grid = np.stack(np.meshgrid(*map(np.arange, (4, 5, 3)), indexing="ij")).reshape(3, -1)
    every = Block.of([c.empty().filled(codes) for c, codes in zip(block, grid, strict=True)])
    said = np.exp(model.log_prob(every, Run(4)))
    assert abs(said.sum() - 1) < 1e-9
    assert np.abs(said - joint(model.sample(200_000, None, Run(5)))).sum() / 2 < 0.01
    assert np.abs(said - joint(block)).sum() / 2 < 1.2 * luck(block)


def test_held_out_rows_are_likelier_than_alone_and_strangers_are_not() -> None:
    r = chance(31)
    x = r.integers(0, 40, N)
    y = (x + r.geometric(0.5, N)) % 40
    block = Block.of([coded("x", 40, x, ordered=True), coded("y", 40, y, ordered=True)])
    model = Boosted().fit(block.take(slice(0, N // 2)), None, Run(1))
    new = block.take(slice(N // 2, N))
    likely = model.log_prob(new, Run(2))
    entropy = np.log(40) + 2 * np.log(2)
    assert likely.mean() > -entropy - 0.1, "within a tenth of a nat of what is possible"
    strange = Block.of([new.columns[0], new.columns[1].filled((new.columns[0].codes + 20) % 40)])
    assert np.median(model.log_prob(strange, Run(3))) < np.median(likely) - 3


# ---------------------------------------------------------------- margins


def test_margins_are_closer_than_chance_would_be() -> None:
    r = chance(11)
    base = [np.minimum(r.exponential(3, N).astype(np.int64), 11) for _ in range(2)]
    third = (base[0] + r.integers(0, 3, N)) % 12
    last = (base[1] + third + r.integers(0, 2, N)) % 12
    block = Block.of([coded(f"c{i}", 12, c) for i, c in enumerate([*base, third, last])])
    model = Boosted().fit(block, None, Run(1))
    found = np.array([misfit(block, model.sample(5_000, None, Run(seed))) for seed in range(5)])
    assert found.max() < chi2.ppf(0.5, 11), "independent draws would leave 11 on average"


def misfit(block: Block, drawn: Block) -> list[float]:
    """The chi-square of each column."""
    out = []
    for seen, got in zip(block, drawn, strict=True):
        due = np.bincount(seen.codes, minlength=seen.size) * (len(drawn) / len(block))
        out.append(float(((np.bincount(got.codes, minlength=got.size) - due) ** 2 / due).sum()))
    return out


def test_calibration_gives_each_node_its_share() -> None:
    """A model that is wrong by a third of a logit is put right; without calibration it is not."""
    r = chance(12)
    score, node = r.normal(size=N), r.integers(0, 4, N)
    share = np.array([(1 / (1 + np.exp(-score[node == m] - 0.33))).mean() for m in range(4)])
    for calibrate in (True, False):
        right = branches(score, node, share, np.zeros(4), chance(13), calibrate, 0.5)
        off = max(abs(right[node == m].mean() - share[m]) for m in range(4))
        assert (off < 0.003) == calibrate


def test_rare_levels_are_never_drawn_and_still_count() -> None:
    """30 % of the people have levels that are protected, and b says mostly yes of them."""
    r = chance(13)
    a = np.where(r.random(N) < 0.3, 3, r.integers(0, 3, N))
    b = (r.random(N) < np.where(a == 3, 0.9, 0.1)).astype(np.int64)
    for columns in ([coded("a", 4, a, rest=3), coded("b", 2, b)], [coded("b", 2, b), coded("a", 4, a, rest=3)]):
        drawn = {c.name: c.codes for c in twin(Boosted(), Block.of(columns))}
        assert not (drawn["a"] == 3).any()
        assert abs(drawn["b"].mean() - b.mean()) < 0.01


def test_codes_that_nobody_has_are_not_drawn() -> None:
    r = chance(19)
    even, thirds = r.integers(0, 25, N) * 2, r.integers(0, 300, N) * 3
    block = Block.of([coded("x", 50, even), coded("y", 900, thirds, ordered=True)])
    x, y = (np.unique(c.codes) for c in twin(Boosted(), block))
    assert not (x % 2).any() and not (y % 3).any()


@pytest.mark.parametrize(("size", "k"), [(8, 5), (90, 50), (3_000, 2_000)])
def test_the_rest_is_never_drawn_however_large_k(size: int, k: int) -> None:
    r = chance(size)
    a = r.integers(0, 3, size)
    a[:3] = [3, 0, 1]
    columns = [coded("a", 4, a, rest=3), coded("b", 30, r.integers(0, 30, size), ordered=True)]
    for block in (Block.of(columns), Block.of(columns[::-1])):
        drawn = {c.name: c.codes for c in twin(Boosted(k=k), block, 2_000)}
        assert not (drawn["a"] == 3).any()
    only = twin(Boosted(k=k), Block.of([coded("a", 4, np.full(size, 3), rest=3)]), 10).columns[0]
    assert (only.codes == 3).all(), "there is nobody else"


# ---------------------------------------------------------------- runs


def test_workers_change_nothing() -> None:
    r = chance(18)
    x = r.normal(size=3_000)
    table = pa.table({"x": x, "y": x + r.normal(size=3_000), "z": np.where(x > 0, 0.0, r.normal(size=3_000))})
    found = [learned(table, Boosted(), w) for w in (1, 3)]
    rows = CHUNK + 1_000
    first = found[0].sample(rows, seed=5, workers=1)
    assert found[1].sample(rows, seed=5, workers=3).equals(first)


def test_a_budget_of_nothing_still_learns_the_margins() -> None:
    block = random_joint(6, 4, 5, 3)
    drawn = Boosted().fit(block, None, Run(1, budget=0.0)).sample(N, None, Run(2))
    assert max(misfit(block, drawn)) < 3


def test_trees_stop_when_it_is_late() -> None:
    r = chance(14)
    placed, every = r.integers(0, 100, (4_000, 5)).astype(np.uint8), np.arange(4_000, dtype=np.int32)
    target, clock = (placed[:, 0] > 50) * 1.0, iter(range(100))
    found = boost(placed, np.zeros(5, bool), target, np.zeros(4_000), every[500:], every[:500],
                  Boosting(200, 0.15, 6, Guard(31, 50, 3.0, 3.0)), lambda: next(clock) >= 7)
    assert len(found) == 7


def test_in_a_budget_each_part_of_a_column_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that ticks when it is looked at, references of many trees leave time for every level."""
    x = chance(24).integers(0, 60, 3_000)
    block = Block.of([coded("x", 60, x, ordered=True), coded("y", 60, (x + x // 7) % 60, ordered=True)])
    clock = iter(range(1_000_000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    stage = Boosted(rounds=5000, patience=0).fit(block, None, Run(1, workers=1, budget=200.0)).stages[1]
    trees = [len(f) for f in (*stage.references.halves, *stage.levels)]
    assert all(trees) and sum(trees[:2]) < 80 and sum(trees) < 250


# ---------------------------------------------------------------- privacy


def alone(k: int, y: int) -> tuple[float, float]:
    """Where the only one of the rest stands whose value is y, and what comes out when the stored mean is inverted."""
    r = chance(23)
    x = r.integers(0, 4, 2_000)
    values = x * 10 + r.integers(0, 10, 2_000)
    x[0], values[0] = 4, y
    block = Block.of([coded("x", 5, x, rest=4), coded("y", 40, values, ordered=True)])
    stage = Boosted(k=k, rounds=5).fit(block, None, Run(1)).stages[1]
    stored = float(stage.references.tables[0][4]) / STEPS
    return float(stage.hierarchy.middle[y]), stored * (1 + CALM) - 0.5 * CALM


@pytest.mark.parametrize("y", [2, 11, 28, 39])
def test_a_reference_tells_nobody_who_stands_alone(y: int) -> None:
    place, found = alone(1, y)
    assert abs(place - found) < 0.002, "without a floor the value comes out"
    place, found = alone(5, y)
    assert abs(place - found) > 0.2
    assert abs(found - alone(5, 39 - y)[1]) < 0.02, "another person would have left the same"


def attack(engine: Boosted, key: int) -> float:
    """How well the distance to the nearest synthetic row tells who was learned from (0.5: not at all)."""
    r = chance(key)
    f, noise = r.normal(size=(1_200, 2)), 0.3 * r.normal(size=(1_200, 4))
    real, half, names = np.stack([f[:, 0], f[:, 1], f.sum(1), f[:, 0] - f[:, 1]], 1) + noise, 600, list("abcd")
    made = learned(pa.table({n: real[:half, i] for i, n in enumerate(names)}), engine).sample(4 * half, seed=key)
    tree = cKDTree(np.stack([made[n].to_numpy() for n in names], 1))
    inside, outside = tree.query(real[:half])[0], tree.query(real[half:])[0]
    return float((inside[:, None] < outside).mean() + (inside[:, None] == outside).mean() / 2)


@pytest.mark.parametrize("few", [1, 2, 4])
def test_nothing_is_learned_of_who_has_a_level_of_fewer_than_k(few: int) -> None:
    """Their values stand out, so that a model of the first question would find them (at k = 1 it does)."""
    y = np.r_[np.full(few, 99), chance(19).integers(0, 80, 2_000 - few)]
    level = np.r_[np.full(few, 3), chance(20).integers(0, 3, 2_000 - few)]
    block = Block.of([coded("y", 100, y, ordered=True), coded("level", 4, level, rest=3)])
    stage = Boosted(k=5).fit(block, None, Run(1)).stages[-1]
    assert not len(stage.levels[0]) and stage.hierarchy.counts[3] == 5
    careless = Boosted(k=1, leaf=1).fit(block.take(np.r_[np.repeat(np.arange(few), 40), np.arange(few, 2_000)]), None,
                                        Run(1)).stages[-1]
    assert len(careless.levels[0])


def test_nobody_is_copied() -> None:
    """The attack bites: small leaves and no early stop give people away; the defaults leave it its luck."""
    careless = Boosted(leaf=1, k=1, ridge=0.0, rounds=100, patience=0, rate=0.5)
    assert np.mean([attack(careless, key) for key in range(2)]) > 0.64
    assert np.mean([attack(Boosted(), key) for key in range(4)]) < 0.58


# ---------------------------------------------------------------- damage


def model_state() -> State:
    r = chance(22)
    x = r.integers(0, 60, 3_000)
    y = (x + r.integers(0, 3, 3_000)) % 60
    block = Block.of([coded("x", 60, x, ordered=True), coded("y", 60, y, ordered=True)])
    return stored(Boosted(rounds=8).fit(block, None, Run(1)).state())


STATE: list[State] = []
DAMAGE: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "a loop": ("level0/nodes", lambda a: np.where(np.arange(len(a)) == 2, np.int64(0), a)),
    "a node beyond the trees": ("level0/nodes", lambda a: a + (np.int64(1) << 40)),
    "a feature that is not there": ("level0/nodes", lambda a: a | (np.int64(0xFFFF) << 16)),
    "nodes of another type": ("level0/nodes", lambda a: a.astype(np.float64)),
    "values that are not numbers": ("level0/values", lambda a: a * np.float32(np.nan)),
    "too few values": ("level0/values", lambda a: a[:-1]),
    "roots out of order": ("level0/roots", lambda a: a[::-1].copy()),
    "roots that end early": ("level0/roots", lambda a: a[:-1]),
    "a code twice": ("hierarchy/order", lambda a: np.zeros_like(a)),
    "fewer than nobody": ("hierarchy/counts", lambda a: -a),
    "counts of another alphabet": ("hierarchy/counts", lambda a: a[:-1]),
    "a context that is not there": ("looked/features", lambda a: a + 1),
    "positions beyond one": ("references/own/table0", lambda a: a + np.int16(9000)),
    "half a regression": ("references/half0/values", lambda a: a[:-1]),
}


def test_a_state_comes_back() -> None:
    model = BoostedModel.from_state(model_state())
    assert "boosted trees" in model.words()[0]


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_model_is_refused(what: str) -> None:
    STATE[:] = STATE or [model_state()]
    name, change = DAMAGE[what]
    arrays = dict(STATE[0].arrays)
    arrays[f"stage1/{name}"] = change(arrays[f"stage1/{name}"])
    with pytest.raises(ModelFileError):
        BoostedModel.from_state(replace(STATE[0], arrays=arrays))


@pytest.mark.parametrize("part", ["context/column", "context/table0"])
def test_a_damaged_context_is_refused(part: str) -> None:
    STATE[:] = STATE or [model_state()]
    arrays = dict(STATE[0].arrays)
    arrays[part] = arrays[part][:-1] if part.endswith("0") else arrays[part] + 2
    with pytest.raises(ModelFileError):
        BoostedModel.from_state(replace(STATE[0], arrays=arrays))
