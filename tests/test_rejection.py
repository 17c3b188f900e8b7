"""Rejection: what is kept of rows that were made is distributed like the real ones; a careless sampler is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabrica import rejection as module
from fabrica.block import Block
from fabrica.boosters.forest import Forest
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
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


def test_rows_of_the_same_kind_are_all_kept():
    """A model that is right already: nothing tells real from made, nothing is thrown away for it."""
    seen = rows(REAL, 5_000, 9)
    found = Rejection.learned(alphabet(seen), seen, lambda n, run: rows(REAL, n, run.key() % 2**32), 0.5, Run(10))
    assert found is not None and found.share > 0.5
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


def test_no_rows_are_no_rows(learned):
    tokens, rejection = learned
    assert rejection.drawn(tokens, 0, make, Run(18)).shape == (0, 3)
