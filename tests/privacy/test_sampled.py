"""Sums over rows that chance takes: their price is that of two other accountants, an audit finds no more, and each way
to do it carelessly shows."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp
from test_accountant import lower_bound

from fabrica.account import Account, spend
from fabrica.errors import BudgetSpent, FabricaError, SettingError
from fabrica.privacy.event import Event, Gaussian, SampledGaussian
from fabrica.privacy.ledger import Ledger, Purse
from fabrica.privacy.noise import gaussian, taken
from fabrica.privacy.renyi import ORDERS, sampled
from fabrica.privacy.sums import SIGMA, Sums
from fabrica.privacy.terms import Privacy

RUNS = 4_000  #: of each world in an audit
SURE = 1e-6
DELTA = 1e-6


def event(noise: float, rate: float, steps: int) -> SampledGaussian:
    return SampledGaussian("x", 1, Fraction(1), Fraction(noise) ** 2, Fraction(rate), steps)


# ---------------------------------------------------------------- the price


@pytest.mark.parametrize(("noise", "rate", "steps"), [
    (0.8, 0.01, 1_000), (1.1, 0.05, 200), (2.6, 0.1, 300), (6.6, 0.1, 200), (25.0, 1.0, 200), (1.0, 0.002, 500)])
def test_it_agrees_with_two_accountants_of_another_maker(noise, rate, steps):
    """Within 1 % of the same mathematics elsewhere (their orders are others), and never below what is true."""
    pld = pytest.importorskip("dp_accounting.pld.pld_privacy_accountant", reason="dp-accounting is not installed")
    rdp = pytest.importorskip("dp_accounting.rdp.rdp_privacy_accountant")
    from dp_accounting import dp_event

    one = dp_event.GaussianDpEvent(noise)
    theirs = dp_event.SelfComposedDpEvent(one if rate == 1 else dp_event.PoissonSampledDpEvent(rate, one), steps)
    by_order, by_loss = rdp.RdpAccountant(), pld.PLDAccountant()
    ours = Ledger(Privacy(1.0, DELTA), (event(noise, rate, steps),)).epsilon()
    assert ours == pytest.approx(by_order.compose(theirs).get_epsilon(DELTA), rel=0.01)
    assert by_loss.compose(theirs).get_epsilon(DELTA) <= ours


def divergence(p: np.ndarray, q: np.ndarray, order: float) -> float:
    """Of two laws given by their logarithms."""
    return float(logsumexp(order * p + (1 - order) * q) / (order - 1))


@pytest.mark.parametrize("order", [1.25, 2.0, 2.5, 3.0, 7.0, 20.0])
@pytest.mark.parametrize(("variance", "apart", "rate"), [(1.0, 1, 0.1), (9.0, 4, 0.3), (0.5, 1, 0.02), (4.0, 1, 0.7)])
def test_discrete_noise_costs_what_the_continuous_one_does(order, variance, apart, rate):
    """By direct summation, with a row and without, both ways: at whole orders it is the formula itself; between them,
    and the other way round, it is less. A careless price (the rate's square times that of all rows) is too low."""
    x = np.arange(-400, 401)
    out, there = (-((x - m) ** 2) / (2 * variance) for m in (0, apart))
    out, there = out - logsumexp(out), there - logsumexp(there)
    mixed = np.logaddexp(math.log(1 - rate) + out, math.log(rate) + there)
    said = sampled(order, rate, apart / variance**0.5)
    true = divergence(mixed, out, order)
    assert true <= said and divergence(out, mixed, order) <= said
    if order == int(order):
        assert said == pytest.approx(true, rel=1e-6)
    if order >= 7:
        assert rate**2 * order * apart**2 / (2 * variance) < true


@given(st.floats(0.5, 20), st.floats(1e-4, 1), st.integers(1, 500))
@settings(max_examples=30)
def test_taking_fewer_rows_never_costs_more(noise, rate, steps):
    few, all_ = event(noise, rate, steps), event(noise, 1.0, steps)
    for order in ORDERS[::12]:
        assert few.renyi(order) <= all_.renyi(order) * (1 + 1e-6)
        assert all_.renyi(order) == pytest.approx(order * float(all_.rho), rel=1e-6)
    assert few.renyi(1.125) <= few.renyi(2.0) <= few.renyi(40.0)


# ---------------------------------------------------------------- the ledger


def test_a_purse_keeps_its_promise_across_both_kinds_of_prices():
    purse = Purse.of(Privacy(3.0, DELTA))
    purse.pay(Gaussian("counts", 5, Fraction(1), 1 / (2 * purse.budget * Fraction(3, 10))))
    noise = purse.quietest(Fraction(1, 10), 300)
    with pytest.raises(BudgetSpent, match="would cost"):
        purse.pay(SampledGaussian("steps", 9, Fraction(1), (noise * Fraction(99, 100)) ** 2, Fraction(1, 10), 300))
    purse.pay(SampledGaussian("steps", 9, Fraction(1), (noise * 2) ** 2, Fraction(1, 10), 300))
    after = purse.left
    assert 0 < after < purse.budget * Fraction(7, 10)
    purse.pay(Gaussian("more", 5, Fraction(1), 1 / (2 * after)))
    with pytest.raises(BudgetSpent):
        purse.pay(Gaussian("and more", 5, Fraction(1), Fraction(1_000)))
    ledger = purse.ledger()
    assert 2.99 < ledger.epsilon() <= 3.0 and sum(ledger.shares()) == pytest.approx(1)
    plain = json.loads(json.dumps(ledger.to_json()))
    assert Ledger.from_json(plain) == ledger and plain["accountant"] == "Renyi" and plain["rho"] is None
    assert "300 sums over rows taken with the probability 0.1" in str(ledger) and "Rényi" in str(ledger)


def test_what_is_not_known_fails_closed():
    plain = Ledger(Privacy(1.0), (event(2.0, 0.1, 10),)).to_json()
    for broken in ({"mechanism": "shuffledgaussian"}, {"rate": "2"}, {"steps": 0}, {"steps": 1.5}, {"rate": "0"}):
        with pytest.raises(FabricaError, match="no ledger"):
            Ledger.from_json({**plain, "events": [{**plain["events"][0], **broken}]})

    class Unknown(Event):
        zcdp = False

        @property
        def rho(self):
            raise NotImplementedError

        def words(self):
            return ""

    with pytest.raises(NotImplementedError):
        Purse.of(Privacy(1.0)).pay(Unknown("x", 1, Fraction(1)))


def test_nothing_is_learned_with_nothing_left():
    purse = Purse.of(Privacy(1.0))
    purse.pay(Gaussian("all of it", 1, Fraction(1), 1 / (2 * purse.budget)))
    with pytest.raises(BudgetSpent):
        Sums.bought(purse, 100, 0.1, 10, 1, "steps")
    assert len(purse.events) == 1


def test_a_unit_of_several_rows_is_refused():
    with pytest.raises(SettingError, match="must be 1"):
        Sums.bought(Purse.of(Privacy(3.0, unit="person", rows=2)), 100, 0.1, 10, 1, "steps")


# ---------------------------------------------------------------- the sums


def sizes_fit(sizes: list[int], rows: int, rate: float) -> bool:
    """Whether batches have the sizes of independent draws."""
    found = np.bincount(sizes, minlength=rows + 1)
    expected = stats.binom.pmf(np.arange(rows + 1), rows, rate) * len(sizes)
    large = expected >= 8
    seen, wanted = (np.append(a[large], a[~large].sum()) for a in (found, expected))
    return bool(stats.chisquare(seen, wanted * seen.sum() / wanted.sum()).pvalue > SURE)


def test_rows_are_taken_each_on_its_own():
    """A shuffled table cut into batches, as trainings have it, would not be what was paid for; nor would a seed."""
    rows, rate = 50, 0.2
    sums = Sums(rows, SampledGaussian("x", 1, Fraction(1), Fraction(4), Fraction(858993459, 2**32), 3_000))
    seen: list[np.ndarray] = []

    def total(places: np.ndarray) -> np.ndarray:
        seen.append(places)
        return np.array([len(places)])

    for _ in range(3_000):
        sums.next(total)
    assert sizes_fit([len(places) for places in seen], rows, rate)
    often = np.bincount(np.concatenate(seen), minlength=rows)
    assert stats.chisquare(often).pvalue > SURE
    apart = np.corrcoef([[i in places for places in map(set, seen)] for i in (0, 1, 49)])
    assert np.abs(apart[np.triu_indices(3, 1)]).max() < 0.1
    assert not sizes_fit([int(rows * rate)] * 3_000, rows, rate)  # the careless twin: batches of a shuffled table
    with pytest.raises(BudgetSpent, match=r"3,000 steps"):
        sums.next(total)
    np.random.seed(1)
    one = taken(Fraction(1, 2), 64)
    np.random.seed(1)
    assert len(one) != len(again := taken(Fraction(1, 2), 64)) or (one != again).any()


def test_nobody_taken_is_no_error():
    sums = Sums.bought(Purse.of(Privacy(3.0)), 3, 1e-9, 20, 2, "steps")
    for _ in range(20):
        assert sums.next(lambda places: np.zeros(2, np.int64)).dtype == np.int64


def test_noise_comes_last_and_is_never_cut():
    """A careless twin that cuts what is noisy would have it shorter than the noise that was paid for."""
    sums = Sums.bought(Purse.of(Privacy(1.0)), 10, 1.0, 100, 200, "steps")
    noisy = np.array([sums.next(lambda places: np.full(200, 7)) - 7 for _ in range(100)])
    assert abs(noisy.std() / SIGMA - 1) < 0.03 and noisy.std() > sums.bound / 200**0.5
    careless = noisy * np.minimum(1.0, sums.bound / np.linalg.norm(noisy, axis=1, keepdims=True))
    assert abs(careless.std() / SIGMA - 1) > 0.5


@pytest.mark.parametrize("sums", [lambda p: np.zeros(2), lambda p: np.zeros(3, np.int64)])
def test_only_whole_numbers_as_many_as_paid_for(sums):
    with pytest.raises(ValueError, match="whole numbers"):
        Sums.bought(Purse.of(Privacy(3.0)), 3, 0.5, 2, 2, "steps").next(sums)


def test_wide_noise_has_its_exact_law():
    """Moments and a fine histogram of noise as wide as steps have it; the narrow law is tested cell by cell."""
    sigma = SIGMA
    drawn = gaussian(Fraction(sigma**2), 200_000) / sigma
    assert stats.kstest(drawn, "norm").pvalue > SURE
    assert len(np.unique(gaussian(Fraction(sigma**2), 1_000) % 16)) == 16
    narrow = gaussian(Fraction(2_001**2), 100_000)  # just beyond the other sampler
    edges = np.arange(-8_004.5, 8_005, 87)
    expected = np.diff(stats.norm.cdf(edges / 2_001)) * len(narrow)
    found = np.histogram(narrow, edges)[0]
    assert stats.chisquare(found[expected > 8], expected[expected > 8] * found[expected > 8].sum()
                           / expected[expected > 8].sum()).pvalue > SURE


# ---------------------------------------------------------------- an audit


def loss(x: np.ndarray, noise: float, rate: float) -> np.ndarray:
    """(n,) the logarithm of how much likelier steps (n, T) are with the row than without: nobody tells better."""
    return np.log1p(rate * np.expm1((2 * x - 1) / (2 * noise**2))).sum(1)


@pytest.mark.parametrize(("noise", "rate", "steps"), [
    (2.0, 1.0, 2), pytest.param(1.6, 0.5, 4, marks=pytest.mark.slow)])
def test_an_audit_of_steps_finds_no_more_than_was_claimed(noise, rate, steps, capsys):
    """One row that adds ``bound`` is there or not; the attacker sees every step and asks the best question there is.
    A row that counts six times (as several rows of a unit would, or noise of a sixth) is found out."""
    bound = int(SIGMA / noise)
    whole = Fraction(round(rate * 2**32), 2**32)
    paid = SampledGaussian("x", 1, Fraction(bound), Fraction(SIGMA**2), whole, steps * RUNS)
    claim = Ledger(Privacy(1.0, DELTA), (event(noise, rate, steps),)).epsilon()
    ceiling = lower_bound(RUNS, 0, RUNS)

    def seen(rows: int, times: int) -> np.ndarray:
        sums = Sums(rows, paid)
        return loss(np.array([sums.next(lambda p: np.array([times * bound * len(p)]))[0] for _ in range(steps * RUNS)]
                             ).reshape(RUNS, steps) / bound, noise, rate)

    def found(one: np.ndarray, other: np.ndarray) -> float:
        ways = ((one, other), (-other, -one))  # told by what is high, or by what is low
        return max(lower_bound(int((a >= t).sum()), int((b >= t).sum()), RUNS) for a, b in ways
                   for t in np.quantile(a, np.linspace(0.02, 0.98, 25)))

    out = seen(0, 1)
    honest, careless = found(seen(1, 1), out), found(seen(1, 6), out)
    with capsys.disabled():
        print(f"\n  audit of {steps} steps: {honest:.2f} found, {claim:.2f} claimed, {ceiling:.2f} could be shown; "
              f"a row that counts six times: {careless:.2f}")
    assert honest <= claim < careless <= ceiling


def test_an_account_holds_for_prices_that_add_up_otherwise(tmp_path):
    """Two trainings on one account: the second learns with what is left beside the first's own price, and not beside
    that of a Gaussian; together they keep the account's promise. A job that spends more meanwhile is not handed out."""
    path = tmp_path / "people.account.json"
    Account(Privacy(3.0, 1e-5)).save(path)
    ledgers = []

    def job(beside: Ledger) -> Ledger:
        purse = Purse.of(Privacy(1.5), beside=beside)
        Sums.bought(purse, 100, 0.02, 500, 1, "steps")
        ledgers.append(purse.ledger())
        return ledgers[-1]

    spend(path, Privacy(1.5), "one", job, lambda ledger: ledger)
    spend(path, Privacy(1.5), "two", job, lambda ledger: ledger)
    account = Account.load(path)
    assert 1.7 < account.ledger.epsilon() <= 3.0 and all(ledger.epsilon() <= 1.5 for ledger in ledgers)
    tight = Ledger(Privacy(2.0, 1e-5), ledgers[0].events)
    alone, beside = (Purse.of(Privacy(1.9), beside=other).quietest(Fraction(1, 50), 500) for other in (None, tight))
    assert beside > alone * 1.05
    both = (*tight.events, event(float(beside), 0.02, 500))
    assert 1.99 < Ledger(tight.terms, both).epsilon() <= 2.0001
    other = tmp_path / "other.account.json"
    Account(Privacy(1.5, 1e-5)).save(other)
    with pytest.raises(BudgetSpent, match="not handed out"):
        spend(other, Privacy(1.5), "careless", lambda beside: Ledger(Privacy(9.0), (event(0.8, 0.1, 500),)),
              lambda ledger: ledger)
