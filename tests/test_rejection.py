"""Rejection: what is kept of rows that were made is distributed like the real ones; a careless sampler is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabrica import rejection as module
from fabrica.block import Block
from fabrica.boosters.boost import Boosting, boost
from fabrica.boosters.forest import Forest
from fabrica.boosters.grow import Guard
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
from fabrica.engines.bayesnet import BayesNet
from fabrica.engines.boosted import Boosted
from fabrica.engines.trees import Trees
from fabrica.errors import ModelFileError
from fabrica.rejection import Rejection, _bound, _table
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Token, Tokens

SIZES = 6, 5, 4
REAL = np.random.default_rng(1).dirichlet(np.full(120, 1.0)).reshape(SIZES)
MADE = np.einsum("i,j,k->ijk", REAL.sum((1, 2)), np.full(5, 0.2), REAL.sum((0, 1)))  # columns apart, one margin wrong


def rows(joint: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(count, 3) tokens drawn from a joint."""
    cells = np.random.default_rng(seed).choice(joint.size, count, p=joint.ravel())
    return np.stack(np.unravel_index(cells, joint.shape), 1)


def make(size: int, run: Run) -> np.ndarray:
    return rows(MADE, size, run.key() % 2**32)


def alphabet(seen: np.ndarray) -> Tokens:
    return Tokens.of(Block.of([coded(f"c{j}", size, seen[:, j]) for j, size in enumerate(SIZES)]), 16)


def shares(found: np.ndarray) -> np.ndarray:
    return np.bincount(np.ravel_multi_index(tuple(found.T), SIZES), minlength=120).reshape(SIZES) / len(found)


def apart(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.abs(p - q).sum() / 2)


@pytest.fixture(scope="module")
def learned() -> tuple[Tokens, Rejection]:
    seen = rows(REAL, 20_000, 2)
    tokens = alphabet(seen)
    found = Rejection.learned(tokens, seen, make, 0.2, Run(3, workers=1))
    assert found is not None
    return tokens, found


def test_what_is_kept_is_distributed_like_the_real_rows(learned):
    tokens, rejection = learned
    kept = rejection.drawn(tokens, 40_000, make, Run(4))
    assert len(kept) == 40_000
    before, after = apart(REAL, MADE), apart(REAL, shares(kept))
    assert before > 0.35 and after < 0.06  # 40,000 fresh real rows scatter by .02


def test_margins_of_what_is_kept_are_the_data_s_however_poor_the_trees(monkeypatch):
    monkeypatch.setattr(module, "HOW", replace(module.HOW, rounds=1))
    seen = rows(REAL, 20_000, 5)
    tokens = alphabet(seen)
    found = Rejection.learned(tokens, seen, make, 0.2, Run(5))
    assert found is not None
    careless = replace(found, lifts=found.lifts * 0)

    def error(rejection: Rejection) -> float:
        small = [rejection.drawn(tokens, 300, make, Run(6).child(i)) for i in range(100)]  # too small to be raked again
        kept = np.concatenate(small)
        return max(apart(t.share, np.bincount(kept[:, j], minlength=t.size) / len(kept))
                   for j, t in enumerate(tokens.columns))

    assert error(found) < 0.02 and error(careless) > 2 * error(found)


def test_about_the_wished_share_is_kept(learned):
    tokens, rejection = learned
    some = make(50_000, Run(6))
    assert rejection.share == pytest.approx(0.2, abs=0.01)
    assert rejection.keeps(tokens, some, np.random.default_rng(7)).mean() == pytest.approx(0.2, abs=0.02)


def test_the_bound_keeps_the_share_that_was_wished():
    score = np.random.default_rng(8).normal(0, 2, 10_000)
    for share in (0.05, 0.3, 0.9):
        kept = np.exp(np.minimum(score - _bound(score, share), 0)).mean()
        assert kept == pytest.approx(share, abs=1e-3)


def test_of_rows_of_the_same_kind_most_are_kept():
    """A model that is right already: nothing tells real from made, little is thrown away for it."""
    seen = rows(REAL, 5_000, 9)
    found = Rejection.learned(alphabet(seen), seen, lambda n, run: rows(REAL, n, run.key() % 2**32), 0.5, Run(10))
    assert found is not None and found.share > 0.7
    kept = found.drawn(alphabet(seen), 20_000, lambda n, run: rows(REAL, n, run.key() % 2**32), Run(11))
    assert apart(REAL, shares(kept)) < 0.05


@pytest.mark.parametrize(("count", "share"), [(500, 0.2), (5_000, 1.0)])
def test_few_rows_or_a_share_of_one_need_no_discriminator(count, share):
    seen = rows(REAL, count, 12)
    assert Rejection.learned(alphabet(seen), seen, make, share, Run(13)) is None


def test_a_budget_that_is_over_is_said():
    seen = rows(REAL, 5_000, 14)
    run = Run(15, budget=0.0)
    assert Rejection.learned(alphabet(seen), seen, make, 0.2, run) is None and run.was_cut


def test_the_same_seed_keeps_the_same_rows(learned):
    tokens, rejection = learned
    one, two, other = (rejection.drawn(tokens, 500, make, Run(seed)) for seen in [0] for seed in (1, 1, 2))
    assert (one == two).all() and not (one == other).all()


def test_what_was_stored_keeps_the_same(learned):
    tokens, rejection = learned
    again = Rejection.from_state(stored(rejection.state()), tokens)
    assert (again.drawn(tokens, 500, make, Run(1)) == rejection.drawn(tokens, 500, make, Run(1))).all()


@pytest.mark.parametrize("harm", [
    {"share": 0.0}, {"share": 2}, {"bound": 1e9}, {"bound": float("nan")}, {"lifts": np.zeros(3, np.float32)},
    {"lifts": np.full(15, np.nan, np.float32)}])
def test_a_damaged_state_is_refused(learned, harm):
    tokens, rejection = learned
    state = rejection.state()
    plain, arrays = dict(state.plain), dict(state.arrays)
    for name, value in harm.items():
        (arrays if isinstance(value, np.ndarray) else plain)["rest/lifts" if name == "lifts" else name] = value
    with pytest.raises(ModelFileError):
        Rejection.from_state(State(plain, arrays), tokens)


def test_a_model_that_keeps_nothing_ends_with_an_error():
    tokens = alphabet(rows(REAL, 100, 16))
    never = Rejection(Forest.of([]), np.full(15, -900, np.float32), 0.0, 0.5)
    with pytest.raises(ModelFileError, match="hardly any"):
        never.drawn(tokens, 10, make, Run(17))


def test_columns_of_many_tokens_fit_into_a_byte_and_missing_stays_apart():
    codes = np.arange(900) % 700
    ordered = Token.over(coded("x", 700, codes, ordered=True, absent=2), 700)
    table = _table(ordered)
    assert table[0] == 0 and table[1] == 1 and table[2] == 2 and (np.diff(table.astype(int)) >= 0).all()
    assert (table == 1).sum() == 1 and table.max() == 255
    levels = Token.over(coded("y", 700, codes), 700)
    often = np.flatnonzero(levels.seen > levels.seen.min())  # seen twice: 200 of them
    assert len(set(_table(levels)[often].tolist())) == len(often)


def with_a_protected_level(count: int, seed: int) -> Block:
    """One in ten has a protected level in A, and only those have B and C alike for sure."""
    random = np.random.default_rng(seed)
    hidden = random.random(count) < 0.1
    a = np.where(hidden, 3, random.integers(0, 3, count))
    b = random.integers(0, 40, count)
    c = np.where(hidden, b, (b + random.integers(1, 40, count)) % 40)
    return Block.of([coded("A", 4, a, rest=3), coded("B", 40, b), coded("C", 40, c)])


@pytest.mark.parametrize("engine", [Trees(keep=0.3), BayesNet(keep=0.2), Boosted(keep=0.3)])
def test_who_has_a_protected_level_is_not_thrown_away(engine):
    """The careless twin shows the trees protected levels, which are never made: whoever is like those people goes."""
    rows = with_a_protected_level(12_000, 20)
    model = engine.fit(rows, None, Run(21))
    assert model.picker is not None or isinstance(engine, Boosted)  # which need not find that it pays
    alike = []
    for one in (model, replace(model, picker=None)):
        a, b, c = (column.codes for column in one.sample(12_000, None, Run(22)))
        assert not (a == 3).any()
        alike.append((b == c).mean())
    assert alike[0] > 0.8 * alike[1] > 0.03


def test_what_a_leaf_is_worth_depends_on_no_few_people():
    """Ten people among many made rows of one kind, then among as many of which nine are left out: with k = 20 the
    forests are the same."""
    random = np.random.default_rng(23)
    placed = np.concatenate([random.integers(0, 9, (2_000, 1)), np.full((510, 1), 20)]).astype(np.uint8)
    people = np.r_[random.random(2_000) < 0.5, np.ones(10, bool), np.zeros(500, bool)]
    fewer = people.copy()
    fewer[2_001:2_010] = False
    every = np.arange(len(placed), dtype=np.int32)
    how = Boosting(1, 0.1, 0, Guard(8, 100, 0.0, 10.0))

    def worth(who: np.ndarray, k: int) -> float:
        rows = np.delete(every, np.flatnonzero(people & ~who))
        forest = boost(placed, np.zeros(1, bool), who.astype(float), np.zeros(len(placed)), rows, rows, how,
                       people=who, k=k)
        score = np.zeros(1)
        forest.add(placed, np.array([2_300], np.int32), score)
        return float(score[0])

    assert worth(people, 20) == pytest.approx(worth(fewer, 20), rel=1e-3)
    assert abs(worth(people, 0) - worth(fewer, 0)) > 0.001


def test_lifts_of_many_columns_are_no_noise():
    """A hundred columns that are right already: what is kept does not depend on the luck of their margins."""
    random = np.random.default_rng(24)
    seen = random.integers(0, 30, (6_000, 100))
    tokens = Tokens.of(Block.of([coded(f"c{j}", 30, seen[:, j]) for j in range(100)]), 30)
    found = Rejection.learned(
        tokens, seen, lambda n, run: np.random.default_rng(run.key() % 2**32).integers(0, 30, (n, 100)), 0.3, Run(25))
    assert found is not None and np.abs(found.lifts).mean() < 0.02


def test_a_table_without_columns_needs_nothing():
    assert len(Trees(keep=0.3).fit(Block((), 5_000), None, Run(26)).sample(7, None, Run(27))) == 7


def test_a_model_of_many_columns_that_keeps_little_can_be_sampled():
    seen = np.random.default_rng(28).integers(0, 3, (2_000, 400))
    tokens = Tokens.of(Block.of([coded(f"c{j}", 3, seen[:, j]) for j in range(400)]), 3)
    rare = Rejection(Forest.of([]), np.zeros(1200, np.float32), float(-np.log(0.01)), 0.01)
    kept = rare.drawn(tokens, 9_000, lambda n, run: np.zeros((n, 400), np.int32), Run(29))
    assert len(kept) == 9_000


def test_no_rows_are_no_rows(learned):
    tokens, rejection = learned
    assert rejection.drawn(tokens, 0, make, Run(18)).shape == (0, 3)


def test_a_protected_level_is_shown_as_a_value_and_never_as_missing():
    """As engines do, or right rows would be thrown away; though half of its neighbours are missing."""
    random = np.random.default_rng(1)
    town = np.where(random.random(2_000) < 0.5, 0, random.integers(1, 4, 2_000))
    block = Block.of([coded("town", 4, town, absent=1, rest=3), coded("x", 5, random.integers(0, 5, 2_000))])
    tokens = Tokens.of(block, 8)
    real = np.stack([token.of[column.codes] for token, column in zip(tokens.columns, block, strict=True)], 1)
    hidden = town == 3
    made = real[~hidden]
    shown = module._as_shown(tokens, real, made, Run(1))
    assert (shown[~hidden] == real[~hidden]).all() and (shown[hidden, 0] >= 1).all()
    assert not (shown[hidden, 0] == tokens.columns[0].of[3]).any()
