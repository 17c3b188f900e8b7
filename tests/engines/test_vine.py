"""The vine: what bends comes back, which one number a pair cannot see; levels and missing cells too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from joints import chance

pytest.importorskip("pyvinecopulib", reason="the vine needs the extra `vines`")

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
from fabrica.engines.copula import Copula
from fabrica.engines.vine import Vine, VineModel
from fabrica.errors import ModelFileError
from fabrica.run import Run
from fabrica.state import State


def bent(rows: int = 5_000) -> Block:
    """y is the square of x, as far as 64 codes tell it; a level says on which side x lies."""
    random = chance(1)
    x = random.random(rows) * 2 - 1
    y = x**2 + random.normal(0, 0.05, rows)
    return Block.of([coded("x", 64, ((x + 1) * 31.99).astype(int), ordered=True),
                     coded("y", 64, np.clip(y * 50, 0, 63).astype(int), ordered=True),
                     coded("side", 2, x > 0)])


def off(rows: Block) -> float:
    """Mean distance of y from the square of x, in codes."""
    x, y = (column.codes.astype(float) for column in rows.columns[:2])
    return float(np.abs(y - ((x + 0.5) / 32 - 1) ** 2 * 50).mean())


@pytest.fixture(scope="module")
def learned() -> VineModel:
    return Vine().fit(bent(), None, Run(2))


def test_what_bends_comes_back(learned):
    drawn = learned.sample(5_000, None, Run(3))
    straight = Copula().fit(bent(), None, Run(2)).sample(5_000, None, Run(3))
    assert off(bent()) < 3 and off(drawn) < 6 < 10 < off(straight)
    assert ((drawn.columns[0].codes > 31) == drawn.columns[2].codes).mean() > 0.8


def test_margins_are_those_of_the_data(learned):
    for seen, found in zip(bent(), learned.sample(20_000, None, Run(4)), strict=True):
        p, q = (np.bincount(c.codes, minlength=c.size) / len(c) for c in (seen, found))
        assert np.abs(p - q).sum() / 2 < 0.04


def test_the_same_seed_draws_the_same_whatever_the_workers(learned):
    one, two = (Vine().fit(bent(1_000), None, Run(5, workers=w)).sample(100, None, Run(6)) for w in (1, 2))
    other = learned.sample(100, None, Run(7))
    assert all((a.codes == b.codes).all() for a, b in zip(one, two, strict=True))
    assert not (one.columns[0].codes == other.columns[0].codes).all()


def test_a_budget_leaves_fewer_trees_and_says_so():
    run = Run(8, budget=0.05)
    model = Vine().fit(bent(3_000), None, run)
    assert run.was_cut and '"t":1' in model.vine and len(model.sample(200, None, Run(9))) == 200


def test_what_was_stored_draws_the_same(learned):
    again = VineModel.from_state(stored(learned.state()))
    one, two = (m.sample(50, None, Run(1)) for m in (learned, again))
    assert all((a.codes == b.codes).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("harm", ["{", "{}", "[1, 2]", "null", '{"structure": 3}'])
def test_a_damaged_vine_is_refused(learned, harm):
    with pytest.raises(ModelFileError):
        VineModel.from_state(State({**learned.state().plain, "vine": harm}, learned.state().arrays))


def test_a_vine_of_other_columns_is_refused(learned):
    other = Vine().fit(Block(bent().columns[:2], 5_000), None, Run(2))
    with pytest.raises(ModelFileError, match="another table"):
        VineModel.from_state(replace(learned, vine=other.vine).state())
