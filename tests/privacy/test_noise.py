"""Noise has its exact law, whatever the buffer of random bits; a choice has the exponential mechanism's."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from fabrica.privacy import noise
from fabrica.privacy.noise import bernoulli_exp, gaussian, grid, laplace
from fabrica.privacy.selection import chosen

SURE = 1e-6  #: chance with which a right sampler fails a test


def fits(values: np.ndarray, log_weight) -> float:
    """The p-value of a chi-square test of whole numbers against weights known up to a constant."""
    reach = int(np.abs(values).max()) + 60
    support = np.arange(-reach, reach + 1)
    weights = np.exp(np.array([log_weight(int(x)) for x in support]))
    expected = weights / weights.sum() * len(values)
    counts = np.bincount(values + reach, minlength=len(support)).astype(float)
    few = expected < 10
    expected, counts = np.append(expected[~few], expected[few].sum()), np.append(counts[~few], counts[few].sum())
    keep = expected > 0
    return float(stats.chisquare(counts[keep], expected[keep] * counts[keep].sum() / expected[keep].sum()).pvalue)


def gaussian_law(variance: Fraction):
    return lambda x: -x * x / (2 * float(variance))


@pytest.mark.parametrize("variance", [Fraction(1, 16), Fraction(1, 2), Fraction(4), Fraction(41, 16), Fraction(900)])
def test_the_discrete_gaussian_is_exact(variance):
    assert fits(gaussian(variance, 200_000), gaussian_law(variance)) > SURE


@pytest.mark.parametrize("bits", [24, 60, 400])
def test_running_out_of_bits_does_not_bend_the_law(monkeypatch, bits):
    """A variable that is under way goes on with the bits that it began with. Were it dropped, those that take many bits
    would be too rare; so few bits at a time show that."""
    monkeypatch.setattr(noise, "BITS", bits)
    assert fits(gaussian(Fraction(9), 60_000), gaussian_law(Fraction(9))) > SURE
    fill = noise._fill

    def careless(found, done, words, top, t):
        done, _, far = fill(found, done, words, top, t)
        return done, len(words), far

    monkeypatch.setattr(noise, "_fill", careless)
    if bits < 30:
        assert fits(gaussian(Fraction(9), 60_000), gaussian_law(Fraction(9))) < 1e-9


def test_plain_python_has_the_same_law():
    variance = Fraction(41, 16)
    assert fits(np.array([noise._one(variance) for _ in range(20_000)]), gaussian_law(variance)) > SURE
    wide = gaussian(Fraction(2_500**2), 3_000)  # wider than the compiled twin can
    assert abs(wide.std() / 2_500 - 1) < 0.1 and abs(wide.mean()) < 300


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(7, 2), Fraction(1, 3), Fraction(20)])
def test_the_discrete_laplace_is_exact(scale):
    drawn = np.array([laplace(scale) for _ in range(20_000)])
    assert fits(drawn, lambda x: -abs(x) / float(scale)) > SURE


@pytest.mark.parametrize("gamma", [Fraction(0), Fraction(1, 7), Fraction(1), Fraction(5, 2), Fraction(1, 10**30)])
def test_bernoullis_of_exponentials(gamma):
    true = sum(bernoulli_exp(gamma) for _ in range(20_000))
    assert stats.binomtest(true, 20_000, float(np.exp(-float(gamma)))).pvalue > SURE


def test_no_seed_gives_noise_again():
    np.random.seed(1)
    one = gaussian(Fraction(100), 50)
    np.random.seed(1)
    assert (one != gaussian(Fraction(100), 50)).any()


def test_variances_lie_on_the_grid():
    assert grid(0.01) == Fraction(1, 16) and grid(1) == 1 and grid(1.0001) == Fraction(17, 16)
    for wrong in (Fraction(1, 3), Fraction(0), Fraction(-1)):
        with pytest.raises(ValueError, match="sixteenth"):
            gaussian(wrong, 1)
    with pytest.raises(ValueError, match="finite"):
        grid(float("inf"))


@pytest.mark.parametrize(("scores", "epsilon", "sensitivity"), [
    ([0, 1, 2, 5], Fraction(1), 1), ([10, 0, 0], Fraction(1, 2), 2), ([3], Fraction(4), 1),
    ([-7, -7, -9], Fraction(3, 2), 1)])
def test_choices_have_the_law_of_the_exponential_mechanism(scores, epsilon, sensitivity):
    weights = np.exp(float(epsilon) * np.array(scores) / (2 * sensitivity))
    counts = np.bincount([chosen(scores, epsilon, sensitivity) for _ in range(8_000)], minlength=len(scores))
    if len(scores) > 1:
        assert stats.chisquare(counts, 8_000 * weights / weights.sum()).pvalue > SURE
    other = np.exp(float(epsilon) * np.array(scores) / sensitivity)  # the careless twin forgets the 2
    if len(set(scores)) > 1:
        assert stats.chisquare(counts, 8_000 * other / other.sum()).pvalue < 1e-9


def test_what_cannot_be_chosen_is_said():
    for scores, epsilon in (([], Fraction(1)), ([1], Fraction(0)), ([0.5], Fraction(1))):
        with pytest.raises(ValueError):
            chosen(scores, epsilon)


def test_opendp_draws_the_same_law():
    """Where OpenDP is installed: two samplers of different makers, one law."""
    dp = pytest.importorskip("opendp.prelude", reason="OpenDP is not installed")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    theirs = np.array((space >> dp.m.then_gaussian(scale=3.0))([0] * 20_000))
    ours = gaussian(Fraction(9), 20_000)
    low = int(min(theirs.min(), ours.min()))
    counts = [np.bincount(some - low, minlength=60)[:60] for some in (theirs, ours)]
    kept = np.sum(counts, 0) >= 20
    assert stats.chi2_contingency(np.stack(counts)[:, kept]).pvalue > SURE
