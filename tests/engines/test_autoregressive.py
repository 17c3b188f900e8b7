"""The autoregressive network: a known joint comes back, with its probabilities, and any cells given any others."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from joints import chance

pytest.importorskip("torch", reason="networks need the extra `nets`")

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
from fabrica.engines.autoregressive import Autoregressive, kernels
from fabrica.engines.autoregressive.chain import ChainModel, Layers
from fabrica.engines.autoregressive.learn import good, joined
from fabrica.engines.autoregressive.network import ChainTask
from fabrica.errors import Interrupted, ModelFileError
from fabrica.nets import forward
from fabrica.run import Run
from fabrica.state import State

SIZES = (3, 4, 2)


def joint() -> np.ndarray:
    """(3, 4, 2) probabilities in which nothing is independent."""
    p = chance(1).random(SIZES) ** 3 + 0.02
    p[0, :2, 1] *= 4
    return p / p.sum()


def block(p: np.ndarray, rows: int, key: int = 2) -> Block:
    cells = np.unravel_index(chance(key).choice(p.size, rows, p=p.ravel()), p.shape)
    return Block.of([coded(name, size, c) for name, size, c in zip("abc", SIZES, cells, strict=True)])


def shares(drawn: Block) -> np.ndarray:
    index = np.ravel_multi_index([c.codes.astype(int) for c in drawn], SIZES)
    return np.bincount(index, minlength=np.prod(SIZES)).reshape(SIZES) / len(drawn)


def every() -> Block:
    grid = np.array(list(product(*map(range, SIZES)))).T
    return Block.of([coded(name, size, c) for name, size, c in zip("abc", SIZES, grid, strict=True)])


@pytest.fixture(scope="module")
def learned() -> tuple[np.ndarray, ChainModel]:
    p = joint()
    engine = Autoregressive(epochs=12, drop=0.0, decay=0.0)
    return p, engine.fit(block(p, 12_000), None, Run(3))


def apart(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.abs(p - q).sum() / 2)


def test_a_known_joint_comes_back(learned):
    p, model = learned
    independent = np.einsum("i,j,k->ijk", p.sum((1, 2)), p.sum((0, 2)), p.sum((0, 1)))
    found = shares(model.sample(60_000, None, Run(4)))
    assert apart(p, found) < 0.025 < apart(p, independent) / 5


def test_probabilities_are_those_of_the_joint_and_of_what_is_drawn(learned):
    p, model = learned
    q = np.exp(model.log_prob(every(), Run(5))).reshape(SIZES)
    assert q.sum() == pytest.approx(1, abs=1e-5) and apart(p, q) < 0.025
    assert apart(q, shares(model.sample(200_000, None, Run(6)))) < 0.004


def test_any_cells_are_drawn_given_any_others_as_enumeration_says(learned):
    """The last column known, the first two not: the chain cannot say, the random orders were learned for it."""
    p, model = learned
    for known in ((False, False, True), (False, True, False), (False, True, True)):
        rows = block(p, 20_000, 7)
        pattern = np.tile(known, (len(rows), 1))
        drawn = model.complete(rows, pattern, Run(8))
        assert apart(p, shares(drawn)) < 0.04, known
        kept = [(a.codes == b.codes).all() for a, b, k in zip(rows, drawn, known, strict=True) if k]
        assert all(kept)


def test_conditions_agree_with_filtering_what_is_drawn_without(learned):
    _, model = learned
    free = model.sample(200_000, None, Run(9))
    mine = free.take(free.columns[0].codes == 2)
    rows = every().take(np.full(20_000, 2 * 4 * 2))
    drawn = model.complete(rows, np.tile((True, False, False), (20_000, 1)), Run(10))
    assert apart(shares(mine), shares(drawn)) < 0.02


def test_the_chances_of_one_column_given_all_others_are_those_of_the_joint(learned):
    p, model = learned
    for j in range(3):
        found = model.chances(every(), j)
        due = (p / p.sum(j, keepdims=True))
        cells = np.moveaxis(np.broadcast_to(due, SIZES), j, -1)
        index = [np.array(every().columns[i].codes, int) for i in range(3) if i != j]
        weight = p.sum(j)[tuple(index)]
        assert (np.abs(found - cells[tuple(index)]).sum(1) * weight).sum() / weight.sum() < 0.06


def test_margins_are_exact_to_the_bias_that_was_moved():
    codes = np.minimum(chance(11).exponential(20, 20_000).astype(int), 199)
    rows = Block.of([coded("x", 200, codes, ordered=True), coded("y", 3, codes % 3)])
    model = Autoregressive(epochs=1, keep=1.0).fit(rows, None, Run(1))
    drawn = model.sample(20_000, None, Run(2))
    for seen, found in zip(rows, drawn, strict=True):
        moved = apart(np.bincount(seen.codes, minlength=seen.size) / 20_000,
                      np.bincount(found.codes, minlength=seen.size) / 20_000)
        assert moved < 0.01


def test_two_networks_side_by_side_say_the_mean_of_what_each_says(learned):
    _, model = learned
    other = Autoregressive(epochs=1, members=1).fit(block(joint(), 3_000), None, Run(12))
    single = model.layers if model.layers.second.shape[-1] == other.layers.second.shape[-1] else other.layers
    both = joined([single, other.layers])
    rows = model.tokens.encode(every())
    said = []
    for layers in (single, other.layers, both):
        one = ChainModel(model.tokens, layers)
        said.append(one._logits(rows, 2, np.array([0, 1]), one._bias(2)))
    assert said[2] == pytest.approx((said[0] + said[1]) / 2, abs=1e-4)


def test_a_wide_table_is_summed_up_in_a_shared_state():
    """Columns in pairs that are equal, which a shared state must tell apart."""
    random = chance(13)
    left = random.integers(0, 3, (1_500, 21))
    columns = [coded(f"{i}{side}", 3, left[:, i]) for i in range(21) for side in "ab"]
    model = Autoregressive(members=1, hidden=16, drop=0.0, epochs=12).fit(Block.of(columns), None, Run(14))
    assert model.layers.shared
    drawn = model.sample(2_000, None, Run(15)).columns
    same = [(a.codes == b.codes).mean() for a, b in zip(drawn[::2], drawn[1::2], strict=True)]
    assert np.mean(same) > 0.9  # a third by chance
    again = ChainModel.from_state(stored(model.state()))
    one, two = (m.sample(100, None, Run(1)).columns[9].codes for m in (model, again))
    assert (one == two).all()


@pytest.mark.parametrize("name", list(Layers.__dataclass_fields__))
@pytest.mark.parametrize("harm", ["shape", "nan", "gone"])
def test_a_damaged_model_is_refused(learned, name, harm):
    state = learned[1].state()
    arrays = dict(state.arrays)
    key = f"layers/{name}"
    if harm == "shape":
        arrays[key] = np.zeros((*arrays[key].shape, 2), np.float32)
    elif harm == "gone":
        del arrays[key]
    elif arrays[key].size:
        arrays[key] = np.full_like(arrays[key], np.nan)
    else:
        return
    with pytest.raises(ModelFileError):
        ChainModel.from_state(State(state.plain, arrays))


# ---------------------------------------------------------------- kernels


def test_softmax_is_exact_and_what_may_not_be_drawn_is_not():
    random = chance(17)
    logits = random.normal(0, 3, (500, 9)).astype(np.float32)
    logits[:, [0, 4, 8]] = kernels.NEVER
    share = np.exp(logits.astype(float))
    share /= share.sum(1, keepdims=True)
    cumulated, expected = forward.cumulated(logits)
    assert cumulated / cumulated[:, -1:] == pytest.approx(np.cumsum(share, 1), abs=1e-5)
    assert expected == pytest.approx(share @ np.arange(9), abs=1e-4)
    for u in (0.0, 0.3, np.nextafter(1.0, 0)):
        tokens = forward.draw(cumulated, np.full(500, u))
        assert not np.isin(tokens, [0, 4, 8]).any()
    assert kernels.log_share(logits[:, 1:4], np.ones(500, np.int32)) == pytest.approx(
        np.log(share[:, 2] / share[:, 1:4].sum(1)), abs=1e-5)


def test_a_careless_likelihood_that_forgets_the_codes_inside_a_token_is_noticed():
    """The promise of the checks bites: without log p(code | token) the probabilities sum to more than one."""
    codes = np.arange(4_000) % 600
    rows = Block.of([coded("x", 600, codes, ordered=True)])
    model = Autoregressive(epochs=0.1, tokens=50).fit(rows, None, Run(1))
    grid = Block.of([coded("x", 600, np.arange(600), ordered=True)])
    whole = np.exp(model.log_prob(grid, Run(2)))
    assert whole.sum() == pytest.approx(1, abs=1e-4)
    assert np.exp(model.log_prob(grid, Run(2)) - model.tokens.log_inside(grid)).sum() > 5


def test_the_same_seed_learns_the_same_whatever_else_is_drawn():
    rows = block(joint(), 600)
    engine = replace(Autoregressive(), epochs=2.0)
    one, two, other = (engine.fit(rows, None, Run(seed)) for seed in (1, 1, 2))
    assert (one.layers.head == two.layers.head).all() and not (one.layers.head == other.layers.head).all()


def test_a_fit_that_was_killed_goes_on_from_its_checkpoints(tmp_path, monkeypatch):
    """Killed while the second network learns: the first is not learned again, and all comes out as if nothing was."""
    rows = block(joint(), 700)
    whole = Autoregressive(epochs=2.0, members=2).fit(rows, None, Run(1))
    engine = Autoregressive(epochs=2.0, members=2, checkpoint=str(tmp_path / "kept"))
    loss, calls = ChainTask.loss, []

    def counted(self, *given):
        calls.append(1)
        if len(calls) == kill:
            raise Interrupted("killed")
        return loss(self, *given)

    monkeypatch.setattr(ChainTask, "loss", counted)
    kill = int(1.5 * whole.facts["members"][0]["steps"])
    with pytest.raises(Interrupted):
        engine.fit(rows, None, Run(1))
    kill, begun = -1, len(calls)
    again = engine.fit(rows, None, Run(1))
    assert all((getattr(again.layers, n) == getattr(whole.layers, n)).all() for n in Layers.__dataclass_fields__)
    assert len(calls) - begun < kill + 1 + 1.2 * whole.facts["members"][0]["steps"]


def test_a_network_that_a_budget_cut_off_does_not_spoil_the_mean():
    told = [{"steps": 90, "held_out_nats": 7.1}, {"steps": 1, "held_out_nats": 18.0},
            {"steps": 0, "held_out_nats": None}]
    assert good(told) == [0] and good(told[2:]) == [0]
    assert good([{"steps": 9, "held_out_nats": -7.1}, {"steps": 9, "held_out_nats": -7.0}]) == [0, 1]


def test_codes_that_are_not_known_are_not_looked_at(learned):
    _, model = learned
    rows = block(joint(), 50)
    known = np.tile((True, False, False), (50, 1))
    wild = Block.of([c if j == 0 else c.filled(np.full(50, 255)) for j, c in enumerate(rows)])
    one, two = (model.complete(b, known, Run(1)) for b in (rows, wild))
    assert all((a.codes == b.codes).all() for a, b in zip(one, two, strict=True))
