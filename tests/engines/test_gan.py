"""The game of two: a known joint comes back, margins are exact, both players want what they should."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from joints import chance

pytest.importorskip("torch", reason="networks need the extra `nets`")

import torch

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
from fabrica.engines.gan import Gan
from fabrica.engines.gan.condition import Condition
from fabrica.engines.gan.model import GanModel, Told
from fabrica.engines.gan.network import Game, codes
from fabrica.engines.gan.pairs import Pairs
from fabrica.engines.gan.task import GameTask
from fabrica.engines.gan.ties import Ties
from fabrica.engines.gan.watch import Watch
from fabrica.errors import ModelFileError
from fabrica.nets.latent import Normal
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Token, Tokens


def said_twice(rows: int = 4_000) -> Block:
    """A level, a number that tells it nine times in ten, a level that is both modulo three; few have the rest."""
    random = chance(1)
    level = random.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    number = level * 10 + random.integers(0, 10, rows)
    number = np.where(random.random(rows) < 0.9, number, random.integers(0, 40, rows))
    both = np.where(random.random(rows) < 0.03, 3, (level + number // 10) % 3)
    return Block.of([coded("level", 4, level), coded("number", 40, number, ordered=True),
                     coded("both", 4, both, rest=3)])


def joint(drawn: Block) -> np.ndarray:
    """(4, 4, 4) shares of level, tens of the number, both."""
    level, number, both = (c.codes.astype(int) for c in drawn)
    shares = np.bincount((level * 4 + number // 10) * 4 + both, minlength=64).reshape(4, 4, 4).astype(float)
    shares[:, :, 3] = 0  # the rest
    return shares / shares.sum()


def apart(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.abs(p - q).sum() / 2)


@pytest.fixture(scope="module")
def learned() -> GanModel:
    return Gan(epochs=60, hidden=64, latent=16, batch=128, rate=5e-3, penalty=0.03).fit(said_twice(), None, Run(2))


def test_a_known_joint_comes_back(learned):
    p = joint(said_twice())
    independent = np.einsum("i,j,k->ijk", p.sum((1, 2)), p.sum((0, 2)), p.sum((0, 1)))
    found = joint(learned.sample(20_000, None, Run(3)))
    assert apart(p, found) < 0.25 < apart(p, independent) / 2


def test_margins_are_exact_and_the_rest_is_never_drawn(learned):
    drawn = learned.sample(20_000, None, Run(4))
    for seen, found in zip(said_twice(), drawn, strict=True):
        p, q = (np.bincount(c.codes, minlength=c.size).astype(float) for c in (seen, found))
        if seen.rest is not None:
            p[seen.rest] = 0
            assert q[seen.rest] == 0
        assert apart(p / p.sum(), q / q.sum()) < 0.025  # independent draws scatter by .018


def test_a_code_that_nobody_has_is_never_drawn():
    rows = Block.of([coded("x", 9, chance(5).integers(0, 4, 500) * 2), coded("y", 2, np.zeros(500, np.int64))])
    drawn = Gan(epochs=2).fit(rows, None, Run(1)).sample(5_000, None, Run(2))
    assert set(np.unique(drawn.columns[0].codes)) <= {0, 2, 4, 6} and not drawn.columns[1].codes.any()


def test_the_same_seed_learns_the_same_and_another_does_not():
    rows, engine = said_twice(600), Gan(epochs=2, hidden=16)
    one, two, other = (engine.fit(rows, None, Run(seed)).decoder.head for seed in (1, 1, 2))
    assert (one == two).all() and not (one == other).all()


def test_a_fit_that_was_killed_goes_on_from_its_checkpoint(tmp_path):
    rows, engine = said_twice(600), Gan(epochs=2, hidden=16)
    whole = engine.fit(rows, None, Run(1))
    keeping = replace(engine, checkpoint=str(tmp_path))
    one, two = (keeping.fit(rows, None, Run(1)) for _ in range(2))
    assert (one.decoder.head == whole.decoder.head).all() and (two.decoder.head == whole.decoder.head).all()
    assert list(tmp_path.iterdir())


def test_what_was_stored_draws_the_same(learned):
    again = GanModel.from_state(stored(learned.state()))
    one, two = (m.sample(50, None, Run(1)) for m in (learned, again))
    assert all((a.codes == b.codes).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("odds", [[0.5, 0.6], [np.nan, 1.0], [-0.5, 1.5], []])
def test_odds_that_are_none_are_refused(learned, odds):
    state = learned.state()
    for name in [n for n in state.arrays if n.endswith("odds")]:
        with pytest.raises(ModelFileError):
            GanModel.from_state(State(state.plain, {**state.arrays, name: np.array(odds, np.float64)}))


@pytest.mark.parametrize("harm", ["shape", "nan", "gone", "latent"])
def test_a_damaged_model_is_refused(learned, harm):
    state = learned.state()
    for name in [n for n in state.arrays if n.startswith("decoder/")]:
        arrays, plain = dict(state.arrays), dict(state.plain)
        if harm == "shape":
            arrays[name] = np.zeros((*arrays[name].shape, 2), np.float32)
        elif harm == "nan":
            arrays[name] = np.full_like(arrays[name], np.nan)
        elif harm == "gone":
            del arrays[name]
        else:
            plain["parts"] = {**plain["parts"], "prior": {"noise": 3}}
        with pytest.raises(ModelFileError):
            GanModel.from_state(State(plain, arrays))


# ---------------------------------------------------------------- the game


def game() -> tuple[Game, GameTask, torch.Tensor]:
    rows = said_twice(512)
    tokens = Tokens.of(rows, 16)
    cells = tokens.encode(rows)
    seen = torch.from_numpy(cells.astype(np.int64))
    condition = Condition.of(tokens, seen)
    net = Game(tokens, 8, condition.size, 16, Run(1))
    task = GameTask(net, condition, Ties.of(net, seen), seen, Pairs(cells, chance(2)), Watch(tokens, cells), 512,
                    rate=1e-3, penalty=0.1)
    return net, task, seen


def noise(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def told_of(task: GameTask, seen: torch.Tensor) -> torch.Tensor:
    return task.condition.shown(task.condition.seen_in(seen, noise(9)))


def test_what_passes_gradients_is_what_is_made():
    net, task, seen = game()
    told = told_of(task, seen[:32])
    made = net.seen(net.made(told, noise(3)))
    chance = noise(3)
    passing = net.passing(net.said(told, chance), chance)
    assert torch.allclose(made, passing.detach(), atol=1e-6) and passing.requires_grad


def test_a_fresh_generator_is_near_the_margins():
    net, task, seen = game()
    made = net.made(told_of(task, seen.repeat(40, 1)), noise(4))
    for j, size in enumerate(net.sizes):
        p, q = (np.bincount(r[:, j].numpy(), minlength=size) / len(r) for r in (seen, made))
        assert apart(p, q) < 0.15


def test_each_player_moves_itself_only():
    net, task, seen = game()
    for player in task.players():
        net.zero_grad(set_to_none=True)
        task.loss(player.name, seen[:64], 0.5, noise(5)).backward()
        mine = {id(p) for p in player.parameters}
        assert {id(p) for p in net.parameters() if p.grad is not None} == mine


def test_who_cannot_tell_apart_loses_the_log_of_two_and_steepness_has_its_price():
    net, task, seen = game()
    with torch.no_grad():
        net.critic.last.zero_()
    loss = task.loss("discriminator", seen[:64], 0.0, noise(6))
    assert float(loss.detach()) == pytest.approx(math.log(2), abs=1e-6)
    net, task, seen = game()
    cost = []
    for task.penalty in (0.0, 10.0):
        cost.append(float(task.loss("discriminator", seen[:64], 0.0, noise(6)).detach()))
    assert cost[1] > cost[0]


# ---------------------------------------------------------------- what a row is told


def test_what_is_told_is_what_the_row_has():
    _, task, seen = game()
    condition, (first, last) = task.condition, (0, 2)  # the columns of levels; the number is not told
    assert condition.size == 8 and sorted(condition.columns.tolist()) == [first, last]
    for levels, rows in ((condition.seen_in(seen, noise(1)), seen),
                         (lambda told: (told[0], seen[told[1]]))(condition.rare(2_000, noise(2)))):
        has = torch.cat([torch.nn.functional.one_hot(rows[:, j], 4) for j in condition.columns.tolist()], 1)
        told = levels < condition.size
        assert bool(has[torch.arange(len(rows)), levels.clamp(max=7)][told].all()) and not (levels == 7).any()
        assert bool((rows[~told, last] == 3).all()) and bool((condition.shown(levels).sum(1) == told).all())


def test_rare_levels_come_by_the_logarithm_of_their_numbers():
    _, task, seen = game()
    levels, rows = task.condition.rare(200_000, noise(3))
    odds = np.concatenate([np.log1p(np.bincount(seen[:, j], minlength=4)) for j in task.condition.columns.tolist()])
    odds[7] = 0  # the rest
    odds = (odds.reshape(2, 4) / odds.reshape(2, 4).sum(1, keepdims=True) / 2).ravel()
    assert np.bincount(levels, minlength=8) / len(levels) == pytest.approx(odds, abs=0.005)
    for level in range(7):  # and every row that has a level as often as the others that do
        among = np.bincount(rows[levels == level], minlength=len(seen))
        assert (among > 0).sum() == int(task.condition.count[level])


def test_a_model_makes_rows_that_have_what_they_are_told(learned):
    prior = learned.prior
    assert isinstance(prior, Told)
    drawn = prior.draw(20_000, Run(5))
    told = drawn[:, prior.noise:]
    assert told.sum(1) == pytest.approx(1) and told.mean(0) == pytest.approx(prior.odds, abs=0.012)
    rows = learned.decoder.draw(learned.tokens, drawn, Run(6), raked=False)
    where = np.flatnonzero(told[:, :4].any(1))
    assert (rows[where, 0] == told[where, :4].argmax(1)).mean() > 0.9


def test_the_rest_is_never_told(learned):
    odds = learned.prior.odds
    assert odds[7] == 0 and odds.sum() == pytest.approx(1) and (odds[:7] > 0).all()


def test_without_levels_nothing_is_told():
    rows = Block.of([coded("x", 40, chance(5).integers(0, 40, 500), ordered=True),
                     coded("y", 40, chance(6).integers(0, 40, 500), ordered=True)])
    model = Gan(epochs=2, hidden=8).fit(rows, None, Run(1))
    assert isinstance(model.prior, Normal) and len(model.sample(50, None, Run(2))) == 50


def test_ties_are_zero_in_expectation_for_rows_of_the_data_and_not_for_shuffled_ones():
    net, task, seen = game()
    random = chance(11)
    shuffled = torch.stack([seen[torch.from_numpy(random.permutation(len(seen))), j] for j in range(3)], 1)
    same, other = (np.mean([float(task.ties.apart(net.seen(rows[torch.from_numpy(random.permutation(512))])))
                            for _ in range(50)]) for rows in (seen, shuffled))
    assert other > 10 * abs(same) and other > 0.01


def test_the_measure_is_zero_for_the_same_rows_and_large_for_others():
    rows = chance(7).integers(0, 5, (400, 3))
    rows[:, 1] = rows[:, 0]
    pairs = Pairs(rows, chance(8))
    shuffled = rows.copy()
    shuffled[:, 1] = chance(9).permutation(rows[:, 1])
    assert pairs.error(rows) == 0 and pairs.error(rows[::-1]) == 0 and pairs.error(shuffled) > 0.25
    assert Pairs(rows[:, :1], chance(8)).error(rows[:, :1]) == 0


def test_who_watches_is_told_both_losses_and_how_well_trees_tell_rows_apart():
    said: list[str] = []
    engine = Gan(epochs=6, hidden=16)
    engine.fit(said_twice(), None, Run(1, listener=lambda news: said.append(news.note)))
    looks = [words for words in said if "detector AUC" in words]
    assert looks and all("discriminator" in w and "generator" in w and "misplaced" in w for w in looks)
    _, task, seen = game()
    same = task.watch.told(seen.numpy()[::-1], Run(3))["detector AUC"]
    other = task.watch.told(np.zeros_like(seen.numpy()), Run(3))["detector AUC"]
    assert same < 0.6 < 0.9 < other and task.watch.told(seen.numpy()[:50], Run(3)) == {}


def test_codes_are_about_as_long_and_neighbours_look_alike():
    numbers = coded("x", 60, np.arange(6_000) % 60, ordered=True)
    found = codes(Token.over(numbers, 60), chance(10))
    apart_by = [np.linalg.norm(found[k:, 12:] - found[: -k or None, 12:], axis=1).mean() for k in (1, 5, 20)]
    assert found.shape == (60, 20) and apart_by[0] < apart_by[1] < apart_by[2]
    assert codes(Token.over(coded("y", 3, np.arange(9) % 3), 60), chance(10)) == pytest.approx(np.eye(3))
