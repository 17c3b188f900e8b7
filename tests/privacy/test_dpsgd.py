"""Private training: gradients are those of single rows, cut as said; nothing of the rows is seen but through noise; and
each way to do it carelessly is caught."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_accountant import lower_bound

from fabrica.block import Block, Coded, Told
from fabrica.checks.engines import coded
from fabrica.engines.autoregressive import Autoregressive, private
from fabrica.engines.autoregressive.clipped import Frame, nats, summed
from fabrica.errors import BudgetSpent, SettingError
from fabrica.nets import dpsgd
from fabrica.nets.dpsgd import Descent, descended
from fabrica.privacy import noise
from fabrica.privacy.event import SampledGaussian
from fabrica.privacy.ledger import Ledger, Purse
from fabrica.privacy.sums import SIGMA, Sums
from fabrica.privacy.terms import Privacy
from fabrica.run import Run

FRAME = Frame((3, 5, 2, 4), 8)
BOUND = 1 << 20
RUNS = 2_000  #: of each world in an audit


def chance(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key))


def tokens(count: int, frame: Frame = FRAME, key: int = 1, unknown: float = 0.1) -> np.ndarray:
    random = chance(key)
    rows = np.stack([random.integers(0, size, count) for size in frame.sizes], 1)
    return np.where(random.random(rows.shape) < unknown, -1, rows).astype(np.int32)


def weights(frame: Frame = FRAME, key: int = 2) -> np.ndarray:
    return (chance(key).normal(size=frame.length) * 0.5).astype(np.float32)


# ---------------------------------------------------------------- gradients of single rows


def brute_force(row: np.ndarray, frame: Frame, flat: np.ndarray) -> tuple[float, np.ndarray]:
    """The nats of one row and their gradient, by automatic differentiation in 64 bits."""
    torch = pytest.importorskip("torch", reason="networks need the extra `nets`")
    leaf = torch.from_numpy(flat.astype(np.float64)).requires_grad_()
    places = frame.parts(np.arange(frame.length))
    total = torch.zeros((), dtype=torch.float64)
    for j, where in enumerate(places):
        if row[j] < 0:
            continue
        at = {name: torch.from_numpy(place) for name, place in where.items()}
        x = leaf[at["first_bias"]]
        for c in range(j):
            if row[c] >= 0:
                x = x + leaf[at["first"][int(frame.starts[c]) + int(row[c])]]
        x = torch.nn.functional.silu(x)
        x = x + torch.nn.functional.silu(leaf[at["second_bias"]] + x @ leaf[at["second"]])
        logits = leaf[at["bias"]] + leaf[at["head"]] @ x
        total = total - torch.log_softmax(logits, 0)[int(row[j])]
    return float(total.detach()), torch.autograd.grad(total, leaf)[0].numpy()


@pytest.mark.parametrize("most", [0.5, 3.0, 100.0])
def test_the_ghost_is_the_gradient(most):
    """Each row's part is its gradient, cut to the length and not further; a careless twin that cuts the batch's mean,
    and not each row, gives something else."""
    rows, flat = tokens(12), weights()
    whole = np.zeros(FRAME.length)
    for row in rows:
        value, gradient = brute_force(row, FRAME, flat)
        length = float(np.linalg.norm(gradient))
        found = summed(row[None], FRAME, flat, most, BOUND) * (most / BOUND)
        wanted = gradient * min(1.0, most / length)
        assert np.abs(found - wanted).max() < 2e-4 * most
        assert nats(row[None], FRAME, flat)[0] == pytest.approx(value, rel=1e-4)
        whole += gradient
    careless = whole * min(1.0, most * len(rows) / np.linalg.norm(whole))
    honest = summed(rows, FRAME, flat, most, BOUND) * (most / BOUND)
    if most < 1:
        assert np.linalg.norm(honest - careless) > 0.1 * np.linalg.norm(careless)


@given(st.integers(0, 10**6), st.sampled_from([1e-3, 0.1, 1.0, 50.0]), st.sampled_from([64, 1 << 12, 1 << 20, 1 << 27]),
       st.sampled_from([0.01, 1.0, 30.0]))
@settings(max_examples=60)
def test_a_row_more_changes_the_sum_by_the_bound_at_most(key, most, bound, scale):
    """In whole numbers, with no rounding left: the same in whichever company the row is, in whatever place."""
    rows, flat = tokens(30, key=key), weights(key=key) * np.float32(scale)
    extra = tokens(1, key=key + 1, unknown=0.0)
    own = summed(extra, FRAME, flat, most, bound)
    assert sum(int(x) ** 2 for x in own) <= bound**2
    before = summed(rows, FRAME, flat, most, bound)
    for place in (0, 7, 30):
        after = summed(np.insert(rows, place, extra, 0), FRAME, flat, most, bound)
        assert (after - before == own).all()
    assert (before == sum(summed(row[None], FRAME, flat, most, bound) for row in rows)).all()


SMALL = 1 << 12


def within(total) -> bool:
    """Whether one row more changes a sum by what is allowed: one that is unlike twenty that are alike."""
    rows, flat, extra = np.tile(tokens(1, unknown=0.0), (20, 1)), weights(), tokens(1, key=9, unknown=0.0)
    apart = total(np.concatenate([rows, extra]), flat) - total(rows, flat)
    return bool(np.linalg.norm(apart.astype(np.float64)) <= SMALL)


def test_careless_sums_change_by_more():
    """By the batch's own size, by its mean (as batch normalisation does), or not cut."""
    def plain(rows, flat):
        return summed(rows, FRAME, flat, 0.5, SMALL)

    def long(rows, flat):
        return np.stack([summed(row[None], FRAME, flat, 1e3, 30_000 * SMALL) for row in rows]).astype(np.float64)

    def cut(each):
        return (each / np.maximum(1, np.linalg.norm(each, axis=1, keepdims=True) / SMALL)).sum(0).astype(np.int64)

    def by_realised_size(rows, flat):  # a mean over the batch, as a sum over the 400 that were expected
        return (plain(rows, flat) * (400 / len(rows))).astype(np.int64)

    def centred(rows, flat):
        return cut(long(rows, flat) - long(rows, flat).mean(0))

    def not_cut(rows, flat):
        return long(rows, flat).sum(0).astype(np.int64)

    assert within(plain) and within(lambda rows, flat: cut(long(rows, flat)))
    assert [within(careless) for careless in (by_realised_size, centred, not_cut)] == [False] * 3


def test_rows_that_are_no_numbers_add_nothing():
    flat = weights()
    flat[3] = np.nan
    assert not summed(tokens(5), FRAME, flat, 1.0, BOUND).any()
    assert not summed(tokens(0), FRAME, weights(), 1.0, BOUND).any()
    assert not summed(np.full((4, 4), -1, np.int32), FRAME, weights(), 1.0, BOUND).any()


# ---------------------------------------------------------------- nothing is seen but through noise


@pytest.fixture
def deaf(monkeypatch):
    """Doors whose answers have nothing of the rows: what is learned then must not have anything of them either."""
    def sums_next(self, total):
        self.done += 1
        total(np.arange(0))
        return noise_of("sums", self.done, self.event.values)

    def noisy(self, counts, rho, what, sensitivity=1):
        from fabrica.privacy import door

        door.measure(self.purse, counts, rho, what, sensitivity)
        return np.abs(noise_of(what, 0, counts.size).reshape(counts.shape)) // 1000 + 500, 4.0

    def noise_of(*key):
        return (chance(abs(hash(key[:-1])) % 2**32).normal(size=key[-1]) * 2**20).astype(np.int64)

    monkeypatch.setattr(Sums, "next", sums_next)
    monkeypatch.setattr(Run, "noisy", noisy)


def table(key: int, rows: int, tied: bool) -> Block:
    random = chance(key)
    a = random.integers(0, 4, rows)
    b = a if tied else random.integers(0, 4, rows)
    return Block.of([coded("a", 4, a), coded("b", 5, b, rest=4), coded("c", 12, random.integers(0, 12, rows),
                                                                       ordered=True)])


def learned(block: Block, epsilon: float = 3.0, **settings_: object):
    run = Run(1).paying(Purse.of(Privacy(epsilon)))
    return Autoregressive(**{"steps": 20, "taken": 0.2, **settings_}).fit(block, None, run)


def alike(one, other) -> bool:
    a, b = one.state().arrays, other.state().arrays
    return a.keys() == b.keys() and all(a[name].shape == b[name].shape and (a[name] == b[name]).all() for name in a)


def test_all_that_is_learned_came_through_a_door(deaf, monkeypatch):
    """Two tables that have nothing in common but their alphabets give the same model where the doors say the same: no
    exact count, no row kept aside, no early stop, no choice by a loss. Each careless twin shows."""
    one, other = table(1, 400, True), table(2, 900, False)
    assert alike(learned(one), learned(other))
    begun, descend = private._begun, private.descended

    def by_true_counts(frame, told, random):
        true = [np.bincount(c.codes, minlength=c.size).astype(float) for c in seen]
        return begun(frame, [replace(t, counts=c[: len(t.counts)]) for t, c in zip(told, true, strict=True)], random)

    def stopped_by_rows(start, clipped, sums, rows, plan, run):
        sums = replace(sums, event=replace(sums.event, steps=5 + sums.rows % 7))
        return descend(start, clipped, sums, rows, plan, run)

    def rated_by_loss(start, clipped, sums, rows, plan, run):
        loss = int(np.abs(clipped(np.arange(sums.rows), start, 1.0, BOUND)).sum())
        return descend(start, clipped, sums, rows, replace(plan, reach=0.1 + loss % 97 / 1000), run)

    for name, careless in (("_begun", by_true_counts), ("descended", stopped_by_rows), ("descended", rated_by_loss)):
        with monkeypatch.context() as patch:
            patch.setattr(private, name, careless)
            models = []
            for seen in (one, other, table(3, 401, True), table(4, 903, False)):
                models.append(learned(seen))
            assert not all(alike(models[0], model) for model in models[1:]), name


def test_a_step_divides_by_what_was_expected():
    """The same sum moves the weights the same way, whoever was taken; nobody taken is no division by zero."""
    def moved(places_seen: int) -> np.ndarray:
        class Fixed(Sums):
            def next(self, total):
                self.done += 1
                total(np.arange(places_seen))
                return np.arange(self.event.values) * 1000

        sums = Fixed(100, SampledGaussian("x", 6, Fraction(1 << 20), Fraction(SIGMA**2), Fraction(1, 4), 5))
        return descended(np.zeros(6, np.float32), lambda p, *_: np.zeros(6, np.int64), sums, 100.0,
                         Descent(0.1, 1.0), Run(1))

    assert (moved(0) == moved(25)).all() and (moved(25) == moved(90)).all() and np.isfinite(moved(0)).all()


def test_steps_are_as_many_as_were_paid_for():
    seen = []

    def clipped(places, now, most, bound):
        seen.append(len(places))
        return np.zeros(6, np.int64)  # a loss that is perfect from the first step on

    sums = Sums.bought(Purse.of(Privacy(3.0)), 100, 0.5, 17, 6, "steps")
    descended(np.zeros(6, np.float32), clipped, sums, 100.0, Descent(0.1, 1.0), Run(1))
    assert len(seen) == 17
    with pytest.raises(BudgetSpent):
        sums.next(lambda places: np.zeros(6, np.int64))


def test_no_seed_gives_the_same_twice():
    block = table(1, 400, True)
    assert not alike(learned(block), learned(block))


def test_the_ledger_tells_of_each_look():
    run = Run(1).paying(purse := Purse.of(Privacy(2.0)))
    Autoregressive(steps=25, taken=0.2).fit(table(1, 400, True), None, run)
    ledger = purse.ledger()
    assert [type(e).__name__ for e in ledger.events] == ["Gaussian"] * 3 + ["SampledGaussian"]
    assert 1.99 < ledger.epsilon() <= 2.0 and "25 sums over rows" in str(ledger)
    with pytest.raises(SettingError, match="must be 1"):
        Autoregressive().fit(table(1, 40, True), None, Run(1).paying(Purse.of(Privacy(2.0, unit="c", rows=3))))


def test_what_was_tied_comes_out_tied():
    """With a large epsilon and with one of 3, on few columns; the protected rest is never drawn."""
    block = table(1, 20_000, True)
    hidden = Block.of([block.columns[0], replace(block.columns[1], codes=np.where(
        chance(3).random(20_000) < 0.05, 4, block.columns[1].codes).astype(np.uint8)), block.columns[2]])
    for epsilon, least in ((100.0, 0.9), (3.0, 0.8)):
        drawn = learned(hidden, epsilon, steps=150, taken=0.1).sample(5_000, None, Run(2))
        a, b = (c.codes.astype(int) for c in drawn.columns[:2])
        assert (a == b).mean() > least and b.max() < 4


def test_told_counts_are_used_and_not_asked_again():
    told = Told(np.array([300.0, 100.0]), np.full(2, 4.0))
    block = Block.of([Coded("x", 2, chance(1).integers(0, 2, 400).astype(np.uint8), told=told),
                      Coded("y", 2, chance(2).integers(0, 2, 400).astype(np.uint8), told=told)])
    purse = Purse.of(Privacy(1.0))
    model = Autoregressive(steps=5).fit(block, None, Run(1).paying(purse))
    assert len(purse.events) == 1
    assert abs((model.sample(4_000, None, Run(2)).columns[0].codes == 0).mean() - 0.75) < 0.02


# ---------------------------------------------------------------- an audit of a whole training


def test_an_audit_of_trainings_finds_no_more_than_was_claimed(capsys):
    """A tiny network, a row that is unlike all others; the attacker knows all else and sees every step. He adds up how
    far each noisy gradient points where this row's does. A training that forgot to cut is found out."""
    frame, steps, most = Frame((2, 3), 8), 3, 0.05
    rows = np.tile(np.array([[0, 0]], np.int32), (20, 1))
    canary, begun = np.array([[1, 2]], np.int32), weights(frame, 5)
    paid = SampledGaussian("x", frame.length, Fraction(SIGMA // 2), Fraction(SIGMA**2), Fraction(1), steps)
    claim = Ledger(Privacy(1.0), (paid,)).epsilon()

    def attack(table_: np.ndarray, times: int) -> np.ndarray:
        found = np.empty(RUNS)
        for i in range(RUNS):
            seen = []

            def clipped(places, now, most_, bound, seen=seen):
                own = summed(canary, frame, now, most_, bound).astype(np.float64)
                seen.append(own / np.linalg.norm(own))
                total = summed(table_[places], frame, now, most_, bound)
                return total + (times - 1) * summed(table_[places][20:], frame, now, most_, bound)

            class Watched(Sums):
                def next(self, total):
                    noisy = super().next(total)
                    known = summed(rows, frame, now[0], most, self.bound)  # noqa: B023
                    score[0] += float((noisy - known) @ seen[-1]) / self.bound  # noqa: B023
                    return noisy

            now, score = [begun], [0.0]
            sums = Watched(len(table_), paid)

            def clipped_and_told(places, here, most_, bound, now=now):
                now[0] = here
                return clipped(places, here, most_, bound)

            descended(begun, clipped_and_told, sums, 20.0, Descent(0.01, most), Run(1))
            found[i] = score[0]
        return found

    out, there = attack(rows, 1), attack(np.concatenate([rows, canary]), 1)
    careless = attack(np.concatenate([rows, canary]), 6)

    def found(one: np.ndarray, other: np.ndarray) -> float:
        return max(lower_bound(int((one >= t).sum()), int((other >= t).sum()), RUNS)
                   for t in np.quantile(one, np.linspace(0.02, 0.98, 25)))

    honest, loud, ceiling = found(there, out), found(careless, out), lower_bound(RUNS, 0, RUNS)
    with capsys.disabled():
        print(f"\n  audit of a training: {honest:.2f} found, {claim:.2f} claimed, {ceiling:.2f} could be shown; "
              f"six times as much: {loud:.2f}")
    assert honest <= claim < loud <= ceiling


def test_noise_is_not_drawn_from_a_seed(monkeypatch):
    """Sums ask the secret source, and nothing else."""
    asked = []
    source = noise.secrets.token_bytes
    monkeypatch.setattr(noise.secrets, "token_bytes", lambda count: asked.append(count) or source(count))
    Sums.bought(Purse.of(Privacy(3.0)), 100, 0.5, 1, 6, "steps").next(lambda places: np.zeros(6, np.int64))
    assert len(asked) >= 2  # which rows, and the noise
    assert "random" not in dpsgd.__dict__
