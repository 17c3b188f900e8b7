"""The network finds what hangs together, keeps every margin, and knows how likely a row is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from joints import chance

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
from fabrica.engines.bayesnet import BayesNet, BayesNetModel, table
from fabrica.errors import ModelFileError
from fabrica.run import Run
from fabrica.state import State

N = 20_000


def fitted(block: Block, **settings: int) -> BayesNetModel:
    model = BayesNet(**settings).fit(block, None, Run(1))
    assert isinstance(model, BayesNetModel)
    return model


def joint(columns: list[np.ndarray], sizes: list[int]) -> np.ndarray:
    """The shares of all cells."""
    return np.bincount(np.ravel_multi_index(columns, sizes), minlength=int(np.prod(sizes))) / len(columns[0])


def odd(key: int = 1, noise: float = 0.05) -> list[np.ndarray]:
    """Two coins, a third that mostly says whether they differ, and a fourth that counts the three."""
    a, b, slip = chance(key).random((3, N)) < np.array([[0.5], [0.4], [noise]])
    c = a ^ b ^ slip
    return [x.astype(int) for x in (a, b, c, a.astype(int) + b + c)]


SIZES = [2, 2, 2, 4]


def block_of_odd() -> Block:
    return Block.of([coded(n, s, x) for n, s, x in zip("abcd", SIZES, odd(), strict=True)])


def test_a_small_joint_is_found_cell_by_cell():
    drawn = fitted(block_of_odd()).sample(N, None, Run(2))
    seen, found = joint(odd(), SIZES), joint([c.codes.astype(int) for c in drawn], SIZES)
    assert np.abs(seen - found).sum() / 2 < 0.01


def test_a_careless_twin_with_no_parents_misses_it():
    drawn = fitted(block_of_odd(), parents=0).sample(N, None, Run(2))
    assert np.abs(joint(odd(), SIZES) - joint([c.codes.astype(int) for c in drawn], SIZES)).sum() / 2 > 0.3


def test_likelihoods_are_the_shares_of_rows():
    """Over a small joint, learned from many rows: each cell's likelihood against how often it is there and is drawn."""
    model = fitted(block_of_odd())
    cells = np.array(list(product(*map(range, SIZES)))).T
    every = Block.of([c.filled(x) for c, x in zip(block_of_odd(), cells, strict=True)])
    likely = np.exp(model.log_prob(every, Run(3)))
    assert likely.sum() == pytest.approx(1, abs=1e-9)
    assert likely == pytest.approx(joint(odd(), SIZES), abs=0.004)
    drawn = joint([c.codes.astype(int) for c in model.sample(200_000, None, Run(4))], SIZES)
    assert likely == pytest.approx(drawn, abs=0.004)


def number(key: int, size: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """A level and a number that depends on it, with a point mass and cells that are missing."""
    level = chance(key).integers(0, 4, N)
    x = np.clip(40 + 50 * level + 15 * chance(key + 1).normal(size=N), 2, size - 1).astype(int)
    x = np.where(chance(key + 2).random(N) < 0.1 * level, 0, x)
    return level, np.where(chance(key + 3).random(N) < 0.1, 150, x)


def block_of_numbers() -> Block:
    level, x = number(10)
    return Block.of([coded("level", 4, level), coded("x", 300, x, ordered=True, absent=2)])


def test_likelihoods_of_a_number_in_two_steps_sum_to_one():
    model = fitted(block_of_numbers())
    assert max(len(c.tables) for c in model.columns) == 2
    cells = np.array(list(product(range(4), range(300)))).T
    every = Block.of([c.filled(x) for c, x in zip(block_of_numbers(), cells, strict=True)])
    assert np.exp(model.log_prob(every, Run(2))).sum() == pytest.approx(1, abs=1e-9)


def test_no_room_draws_the_same_probabilities(monkeypatch):
    """A table too large to be spread out is walked; the two ways differ by the fitted averages only."""
    model = fitted(block_of_numbers())
    spread = model.log_prob(block_of_numbers(), Run(2)).mean()
    one = joint([c.codes.astype(int) for c in model.sample(200_000, None, Run(3))], [4, 300])
    monkeypatch.setattr(table, "ROOM", 0)
    model = fitted(block_of_numbers())
    cells = np.array(list(product(range(4), range(300)))).T
    every = Block.of([c.filled(x) for c, x in zip(block_of_numbers(), cells, strict=True)])
    assert np.exp(model.log_prob(every, Run(2))).sum() == pytest.approx(1, abs=1e-9)
    assert model.log_prob(block_of_numbers(), Run(2)).mean() == pytest.approx(spread, abs=0.02)
    other = joint([c.codes.astype(int) for c in model.sample(200_000, None, Run(3))], [4, 300])
    assert np.abs(one - other).sum() / 2 < 0.03


def test_margins_are_kept_though_small_tables_lean_on_large_ones():
    """Rare parents are pulled towards the whole; fitted averages give back what that would take from the margin."""
    r = chance(20)
    a = np.minimum(r.geometric(0.03, N), 199)
    b = np.where(r.random(N) < a / 200, r.integers(0, 3, N), 3 + r.integers(0, 3, N))
    block = Block.of([coded("b", 6, b), coded("a", 200, a)])
    drawn = fitted(block).sample(N, None, Run(2))
    for seen, found in zip(block, drawn, strict=True):
        p, q = (np.bincount(c.codes, minlength=c.size) / N for c in (seen, found))
        assert np.abs(p - q).sum() / 2 < 0.006


def test_rows_that_do_not_belong_are_unlikely():
    model = fitted(block_of_odd())
    usual = model.log_prob(block_of_odd(), Run(2))
    strange = Block.of([c.filled(np.array([x])) for c, x in zip(block_of_odd(), (1, 1, 0, 0), strict=True)])
    assert model.log_prob(strange, Run(3))[0] < np.quantile(usual, 0.001) - 2


def test_noise_is_given_no_parents():
    """A parent must make rows likelier that were left out of the counts: chance does not."""
    block = Block.of([coded(n, 12, chance(30 + i).integers(0, 12, N)) for i, n in enumerate("abcdef")])
    assert not any(t.parents for c in fitted(block).columns for t in c.tables)


@pytest.mark.parametrize("k", [5, 60])
def test_fewer_than_k_rows_make_no_table(k):
    r = chance(40)
    a = r.integers(0, 60, 3_000)
    block = Block.of([coded("a", 60, a), coded("b", 60, (a + r.integers(0, 2, 3_000)) % 60)])
    for column in fitted(block, k=k).columns:
        for one in column.tables:
            assert (one.upto[one.start[1:] - 1] >= k).all()


def left_over(model: BayesNetModel) -> list[int]:
    """The attack: rows of each node less those of the nodes below it, where there are any."""
    found = []
    for one in (t for c in model.columns for t in c.tables):
        rows = one.upto[one.start[1:] - 1].astype(int)
        below = np.bincount(one.up[1:], rows[1:], len(rows)).astype(int)
        found += (rows - below)[below > 0].tolist()
    return found


def block_of_few() -> Block:
    """Two of the people are in a group of their own, where both have what hardly anybody else has."""
    a = np.append(chance(45).integers(0, 3, 3_000), [3, 3])
    return Block.of([coded("a", 4, a), coded("b", 5, np.where(a == 3, 4, (a + chance(46).integers(0, 2, 3_002)) % 4))])


@pytest.mark.parametrize("block", [block_of_few, block_of_odd, block_of_numbers])
def test_no_subtraction_tells_of_fewer_than_k_rows(block):
    left = left_over(fitted(block(), k=40))
    assert left and all(rows == 0 or rows >= 40 for rows in left)


def test_a_careless_twin_that_keeps_every_full_group_is_caught(monkeypatch):
    monkeypatch.setattr(table, "_full", lambda held, k: held >= k)
    assert 2 in left_over(fitted(block_of_few()))


@pytest.mark.parametrize("block", [block_of_odd(), block_of_numbers(), Block.of([], 0)])
def test_of_nobody_a_model_is_learned_that_says_nothing(block):
    model = fitted(block.take(slice(0, 0)))
    assert not any(p.strength for c in model.columns for t in c.tables for p in t.parents)
    drawn = model.sample(3_000, None, Run(2))
    assert all(len(np.unique(c.codes)) == c.size for c in drawn) and len(drawn) == 3_000


def test_thousands_of_levels_stay_small():
    r = chance(50)
    a = np.minimum(r.geometric(0.002, N), 2_999)
    block = Block.of([coded("a", 3_000, a), coded("b", 8, a % 8), coded("c", 2_500, (a * 7) % 2_500)])
    model = fitted(block)
    assert sum(x.nbytes for x in model.state().arrays.values()) < 20e6
    assert len(model.sample(1_000, None, Run(2))) == 1_000


def test_a_rest_that_is_common_is_not_shown():
    a = chance(60).integers(0, 5, N)
    rest = np.where(chance(61).random(N) < 0.5, 3, a % 3)
    block = Block.of([coded("a", 5, a), coded("b", 4, rest, rest=3)])
    shown = fitted(block).sample(N, None, Run(2)).columns[1].codes
    shares = np.bincount(rest[rest < 3], minlength=4) / (rest < 3).sum()
    assert np.bincount(shown, minlength=4) / N == pytest.approx(shares, abs=0.02)


def test_one_worker_or_many_learn_and_draw_the_same():
    one, many = (BayesNet().fit(block_of_numbers(), None, Run(1, workers=w)).state() for w in (1, 4))
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, many.arrays[name])


@pytest.mark.parametrize("seed", range(5))
def test_damaged_models_are_refused_or_harmless(seed):
    """Each array of the state in turn: shorter, shuffled, or with one number changed."""
    state = stored(fitted(block_of_numbers()).state())
    r = chance(70 + seed)
    for name, array in state.arrays.items():
        if not name.startswith("column") or not array.size:
            continue
        changed = array.copy()
        changed[r.integers(array.size)] = r.choice([-7, -1, 0, 1, 3, 10**6])
        for other in (changed, r.permutation(array), array[:-1]):
            try:
                model = BayesNetModel.from_state(State(state.plain, {**state.arrays, name: other}))
            except ModelFileError:
                continue
            drawn = model.sample(500, None, Run(2))
            assert all((c.codes < c.size).all() for c in drawn)
            assert len(model.log_prob(drawn, Run(3))) == 500


@pytest.mark.parametrize("name", ["up", "link", "start", "upto"])
def test_a_number_that_would_wrap_around_is_refused(name):
    state = fitted(block_of_numbers()).state()
    array = state.arrays[f"column1/1/{name}"].astype(np.int64)
    array[-1] = 2**32 - 1  # -1 as an int32
    with pytest.raises(ModelFileError, match="out of range"):
        BayesNetModel.from_state(State(state.plain, {**state.arrays, f"column1/1/{name}": array}))


@pytest.mark.parametrize("name, array", [("order/order", [0, 0]), ("column0/0/up", [5]), ("column0/0/cells", [9]),
                                         ("column1/1/columns", [1, 1]), ("column1/1/link", [0])])
def test_a_damaged_model_is_refused(name, array):
    state = fitted(block_of_numbers()).state()
    flat = State.nest({"x": state}).part("x")  # a copy
    arrays = {**flat.arrays, name: np.array(array)}
    with pytest.raises(ModelFileError):
        BayesNetModel.from_state(State(state.plain, arrays))
