"""Prices turn into epsilon and delta as the theory says; what was claimed holds against an audit of the mechanism."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fabrica.errors import BudgetSpent, FabricaError, SettingError
from fabrica.privacy.accountant import delta_of, epsilon_of, most_caught, rho_of
from fabrica.privacy.event import Gaussian, Keys, Selection
from fabrica.privacy.ledger import Ledger, Purse
from fabrica.privacy.noise import gaussian, grid
from fabrica.privacy.selection import chosen
from fabrica.privacy.terms import Privacy

RUNS = 5_000  #: of each world in an audit
SURELY = 0.999


@settings(max_examples=20)
@given(st.floats(0.01, 20), st.floats(-12, -2))
def test_there_and_back(epsilon, power):
    delta = 10.0**power
    rho = rho_of(epsilon, delta)
    assert 0 < rho < epsilon and delta_of(rho, epsilon) <= delta
    assert epsilon * (1 - 1e-6) < epsilon_of(rho, delta) <= epsilon * (1 + 1e-9)
    assert delta_of(rho * 1.01, epsilon) > delta * (1 - 1e-9)
    assert rho_of(epsilon * 1.1, delta) > rho and rho_of(epsilon, delta / 10) < rho


@given(st.floats(1e-5, 5), st.floats(0.01, 30))
def test_the_conversion_is_the_least_of_all_orders(rho, epsilon):
    """Against a fine grid of orders, and never below what is true for every one of them."""
    alphas = 1 + np.exp(np.linspace(-8, 14, 4_000))
    every = (alphas - 1) * (alphas * rho - epsilon) - np.log(alphas - 1) + alphas * np.log1p(-1 / alphas)
    best = math.exp(min(float(every.min()), 0.0))
    found = delta_of(rho, epsilon)
    assert found <= best * (1 + 1e-6) and found >= best * 0.99


def exact_gaussian(sigma: float, epsilon: float) -> float:
    """The delta of Gaussian noise at sensitivity 1 (Balle & Wang, ICML 2018)."""
    one, other = 1 / (2 * sigma) - epsilon * sigma, -1 / (2 * sigma) - epsilon * sigma
    return float(stats.norm.cdf(one) - math.exp(epsilon) * stats.norm.cdf(other))


@pytest.mark.parametrize("sigma", [0.7, 2.0, 5.0, 20.0])
def test_it_promises_no_more_than_the_gaussian_keeps(sigma):
    """The exact curve of Gaussian noise lies below the converted one, and not far."""
    for epsilon in (0.2, 1.0, 3.0):
        assert exact_gaussian(sigma, epsilon) <= delta_of(1 / (2 * sigma**2), epsilon) * (1 + 1e-9)
    low, high = 0.0, 60.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if exact_gaussian(sigma, middle) <= 1e-6 else (middle, high)
    assert high <= epsilon_of(1 / (2 * sigma**2), 1e-6) <= 1.2 * high


def test_it_agrees_with_an_accountant_of_another_maker():
    pld = pytest.importorskip("dp_accounting.pld.pld_privacy_accountant", reason="dp-accounting is not installed")
    rdp = pytest.importorskip("dp_accounting.rdp.rdp_privacy_accountant")
    from dp_accounting import dp_event

    prices = [1 / (2 * 30.0**2)] * 40 + [1 / (2 * 80.0**2)] * 100
    total = sum(prices)
    by_loss, by_order = pld.PLDAccountant(), rdp.RdpAccountant()
    by_loss.compose(dp_event.GaussianDpEvent(30.0), 40)
    by_loss.compose(dp_event.GaussianDpEvent(80.0), 100)
    by_order.compose(dp_event.ZCDpEvent(total))
    ours = epsilon_of(total, 1e-6)
    assert by_loss.get_epsilon(1e-6) <= ours <= by_loss.get_epsilon(1e-6) * 1.2
    assert ours == pytest.approx(by_order.get_epsilon(1e-6), rel=0.01)


def lower_bound(caught: int, alarms: int, runs: int) -> float:
    """The least epsilon (at delta 0) with which ``caught`` and false ``alarms`` of so many runs agree."""
    side = (1 - SURELY) / 2
    low = stats.beta.ppf(side, caught, runs - caught + 1) if caught else 0.0
    high = stats.beta.ppf(1 - side, alarms + 1, runs - alarms) if alarms < runs else 1.0
    return math.log(low / high) if low > 0 else -math.inf


def test_an_audit_of_noisy_counts_finds_no_more_than_was_claimed():
    """A person is there or not, the attacker knows all else: no threshold tells better than epsilon allows. With a
    third of the noise it does, so the audit bites; a perfect attack would show its ceiling."""
    variance, delta = grid(1.0), 1e-6
    claim = epsilon_of(float(Gaussian("a count", 1, Fraction(1), variance).rho), delta)
    ceiling = lower_bound(RUNS, 0, RUNS)
    assert ceiling > claim + 1, f"the audit can show {ceiling:.2f} at most"
    for noise, careless in ((variance, False), (grid(1 / 36), True)):
        out, with_person = gaussian(noise, RUNS), 1 + gaussian(noise, RUNS)
        found = max(lower_bound(int((with_person >= t).sum()), int((out >= t).sum()), RUNS) for t in range(-6, 8))
        assert (found > claim) == careless


def test_an_audit_of_choices_finds_no_more_than_was_claimed():
    epsilon = Fraction(1)
    worlds = [[chosen(scores, epsilon) for _ in range(RUNS)] for scores in ([0, 0], [1, 0])]
    found = max(lower_bound(sum(c == i for c in worlds[a]), sum(c == i for c in worlds[1 - a]), RUNS)
                for i in (0, 1) for a in (0, 1))
    assert found <= float(epsilon)
    careless = [[chosen(scores, 4 * epsilon) for _ in range(RUNS)] for scores in ([0, 0], [1, 0])]
    assert lower_bound(sum(c == 1 for c in careless[0]), sum(c == 1 for c in careless[1]), RUNS) > 0.5


@given(st.floats(0.01, 8), st.floats(0, 0.01), st.floats(0.001, 0.5))
def test_what_an_attacker_reaches_is_what_the_definition_allows(epsilon, delta, alarms):
    caught = most_caught(epsilon, delta, alarms)
    assert alarms <= caught <= 1 and caught <= math.exp(epsilon) * alarms + delta + 1e-12
    assert (1 - alarms) <= math.exp(epsilon) * (1 - caught) + delta + 1e-9  # the other way round


# ---------------------------------------------------------------- the ledger


def test_a_purse_pays_what_it_has_and_no_more():
    purse = Purse.of(Privacy(1.0, 1e-6, unit="person"))
    price = purse.budget / 4
    event = Gaussian("counts of age", 20, Fraction(1), 1 / (2 * price))
    for _ in range(4):
        purse.pay(event)
    with pytest.raises(BudgetSpent, match="would cost"):
        purse.pay(Selection("which pair", 1, Fraction(1), Fraction(1, 1000)))
    ledger = purse.ledger(public=("the levels of sex",), uncovered=("the report",))
    assert len(ledger.events) == 4 and ledger.rho == purse.budget and purse.left == 0
    assert 0.9999 < ledger.epsilon() <= 1.0 + 1e-9 and ledger.epsilon(1e-9) > 1
    plain = ledger.to_json()
    assert plain["terms"]["unit"] == "person" and plain["events"][0]["mechanism"] == "gaussian"
    assert "one person, of whom 1 row counts at most, added or removed" in str(ledger)
    assert "public   the levels of sex" in str(ledger) and "not covered: the report" in str(ledger)
    assert Ledger.from_json(json.loads(json.dumps(plain))) == ledger


def test_a_ledger_with_an_event_that_nobody_knows_is_refused():
    plain = Ledger(Privacy(1.0), (Gaussian("x", 1, Fraction(1), Fraction(9)),)).to_json()
    plain["events"][0]["mechanism"] = "laplace"
    with pytest.raises(FabricaError, match="unknown kind"):
        Ledger.from_json(plain)
    for broken in ({}, {**plain, "fabrica_ledger": 2}, {**plain, "events": [{"mechanism": "gaussian"}]}, []):
        with pytest.raises(FabricaError, match="no ledger"):
            Ledger.from_json(broken)


def test_names_take_their_part_of_delta_and_no_more():
    terms = Privacy(1.0, 1e-6)
    assert Purse.of(terms, names=True).budget < Purse.of(terms).budget
    purse = Purse.of(terms, names=True)
    purse.pay(Keys("x", 0, Fraction(1), Fraction(50), Fraction(terms.delta) / 2, 40))
    assert purse.ledger().epsilon() < 1
    with pytest.raises(BudgetSpent, match="of delta"):
        purse.pay(Keys("y", 0, Fraction(1), Fraction(50), Fraction(1, 10**9), 40))
    with pytest.raises(BudgetSpent, match="of delta"):
        Purse.of(terms).pay(Keys("y", 0, Fraction(1), Fraction(50), Fraction(1, 10**9), 40))
    assert math.isinf(purse.ledger().epsilon(1e-7))


@pytest.mark.parametrize(("epsilon", "delta"), [
    (0, 1e-6), (-1, 1e-6), (math.inf, 1e-6), (math.nan, 1e-6), (1, 0), (1, -1), (1, math.inf), (1, math.nan)])
def test_budgets_that_are_none_are_said(epsilon, delta):
    with pytest.raises(SettingError, match="above 0"):
        Privacy(epsilon, delta)


def test_no_event_pays_anything_back():
    for kind, sensitivity, scale in ((Gaussian, Fraction(1), Fraction(-1)), (Gaussian, Fraction(0), Fraction(1)),
                                     (Selection, Fraction(1), Fraction(0)), (Gaussian, Fraction(1), 2.5)):
        with pytest.raises(ValueError, match="above 0"):
            kind("x", 1, sensitivity, scale)


def test_an_empty_ledger_costs_nothing():
    assert Ledger(Privacy(1.0), ()).epsilon() == 0 and delta_of(0, 1) == 0 and epsilon_of(0, 1e-6) == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10_000)), min_size=1, max_size=30))
def test_prices_add_up(said):
    events = [Gaussian("x", 1, Fraction(1), Fraction(n)) if noisy else Selection("y", 1, Fraction(1), Fraction(1, n))
              for noisy, n in said]
    assert Ledger(Privacy(1.0), tuple(events)).rho == sum((e.rho for e in events), Fraction(0))
    assert all(e.rho == (1 / (2 * e.variance) if isinstance(e, Gaussian) else e.epsilon**2 / 8) for e in events)
