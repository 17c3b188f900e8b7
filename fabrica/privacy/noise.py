"""Noise with an exact law: discrete Laplace and discrete Gaussian variables from secret random bits, in whole numbers.

    P(x) = exp(-|x| / t) (e^(1/t) - 1) / (e^(1/t) + 1)          discrete Laplace, scale t
    P(x) = exp(-x² / (2 s)) / sum over y of exp(-y² / (2 s))     discrete Gaussian, variance parameter s = σ²

Canonne, Kamath & Steinke, "The discrete Gaussian for differential privacy", NeurIPS 2020: a Bernoulli of exp(-γ) comes
from Bernoullis of γ / k, a Laplace from those, a Gaussian from a Laplace by rejection. All arithmetic is on whole
numbers; nothing is a float and nothing is seeded. The compiled twin of the plain Python does the same steps on 64 bits,
and leaves to Python what does not fit.
"""

from __future__ import annotations

import math
import secrets
from fractions import Fraction

import numpy as np

from fabrica.kernels import kernel, part

__all__ = ["below", "bernoulli_exp", "gaussian", "grid", "laplace", "secret", "taken"]

GRID = 16  #: variances are multiples of a sixteenth
WIDEST = 2_000  #: standard deviation up to which the compiled twin has room (its Bernoullis of γ / k up to k = 1,000)
BITS = 1 << 14  #: random words that are fetched together
SHORT = -1  #: what the compiled twin says where its words ran out
ROOM = 3_000_000_000  #: whose square is below 2^63
WHOLE = 1 << 25  #: standard deviation up to which the compiled twin has room where it is a whole number


def grid(variance: float | Fraction) -> Fraction:
    """The least variance on the grid that is at least ``variance``.

    >>> grid(2.51), grid(4)
    (Fraction(41, 16), Fraction(4, 1))
    """
    if not 0 < variance < 2.0**100:
        raise ValueError("a variance must be above 0 and finite")
    return Fraction(-int(-Fraction(variance) * GRID // 1), GRID)


# ---------------------------------------------------------------- rows taken by chance


def taken(rate: Fraction, size: int) -> np.ndarray:
    """Which of ``size`` rows are taken, each on its own with the probability ``rate``, a multiple of 2^-32; that is as
    secret as noise is.

    >>> len(taken(Fraction(1), 10)), len(taken(Fraction(1, 2), 1_000)) < 700
    (10, True)
    """
    below = rate * 2**32
    if not 0 < rate <= 1 or below.denominator != 1:
        raise ValueError("a rate must be a multiple of 2^-32, above 0 and 1 at most")
    words = np.frombuffer(secrets.token_bytes(4 * size), np.uint32)
    return np.flatnonzero(words < int(below)) if rate < 1 else np.arange(size)


# ---------------------------------------------------------------- plain Python, the reference


def below(top: int) -> int:
    """A whole number from 0 up to and without ``top``, all alike, from the secret source."""
    return secrets.randbelow(top)


def secret() -> int:
    """A seed that nobody knows, of 128 bits: for chance that is no noise but must not be known either, such as which
    rows of a person count."""
    return secrets.randbits(128)


def bernoulli_exp(top: int | Fraction, low: int = 1) -> bool:
    """True with the probability exp(-top / low), for a ratio of at least 0 (their algorithm 1); ``top`` may be a
    fraction. Whole numbers all the way."""
    p, q = int(top.numerator), int(top.denominator) * low
    while p > q:
        if not _series(1, 1):
            return False
        p -= q
    return _series(p, q)


def _series(p: int, q: int) -> bool:
    """exp(-p / q) for p of at most q: the first failure of Bernoullis of p / (q k) is at an odd k."""
    k = 1
    while below(q * k) < p:
        k += 1
    return k % 2 == 1


def laplace(scale: Fraction | int) -> int:
    """One discrete Laplace variable of a rational ``scale`` (their algorithm 2)."""
    top, low = Fraction(scale).numerator, Fraction(scale).denominator
    while True:
        rest = below(top)
        if not bernoulli_exp(Fraction(rest, top)):
            continue
        times = 0
        while bernoulli_exp(Fraction(1)):
            times += 1
        size, minus = (rest + top * times) // low, below(2)
        if size or not minus:  # or 0 would come twice as often
            return -size if minus else size


def _one(variance: Fraction) -> int:
    """One discrete Gaussian variable (their algorithm 3)."""
    t = _root(variance) + 1
    while True:
        y = laplace(t)
        if bernoulli_exp(_gamma(y, variance)):
            return y


def _gamma(y: int, variance: Fraction) -> Fraction:
    """Minus the logarithm of the chance with which a Laplace variable is taken."""
    return (abs(y) - variance / (_root(variance) + 1)) ** 2 / (2 * variance)


def _root(variance: Fraction) -> int:
    """The whole part of the standard deviation."""
    return math.isqrt(variance.numerator // variance.denominator)


# ---------------------------------------------------------------- many at once


def gaussian(variance: Fraction, size: int) -> np.ndarray:
    """(size,) int64 independent discrete Gaussian variables of a ``variance`` on the grid.

    >>> int(np.abs(gaussian(Fraction(4), 100)).max()) < 40
    True

    Raises
    ------
    ValueError : the variance is not on the grid.
    """
    top = variance * GRID
    if variance <= 0 or top.denominator != 1:
        raise ValueError("a variance must be a multiple of a sixteenth above 0; `grid` finds one")
    if _root(variance) >= WIDEST:
        return _wide(variance, size)
    found, done, left = np.empty(size, np.int64), 0, np.empty(0, np.uint64)
    while done < size:
        words = np.concatenate([left, np.frombuffer(secrets.token_bytes(8 * _words(size - done)), np.uint64)])
        done, begin, far = _fill(found, done, words, np.int64(int(top)), np.int64(_root(variance) + 1))
        left = words[begin:]  # the variable under way begins again with the same bits: none is dropped for being long
        if far and bernoulli_exp(_gamma(int(far), variance)):
            found[done], done = far, done + 1
    return found


def _words(size: int) -> int:
    """How many random words are fetched for so many variables: enough, about; more are fetched where they were not."""
    return min(BITS, 64 + 32 * size)


def _wide(variance: Fraction, size: int) -> np.ndarray:
    """The same where the standard deviation is large: compiled if it is a whole number, else in plain Python.

    With a Laplace variable of the scale sigma the chance is exp(-(|y| - sigma)² / (2 sigma²)), whose numbers are small
    enough for 64 bits.
    """
    sigma = _root(variance)
    if sigma**2 != variance or sigma > WHOLE:
        return np.array([_one(variance) for _ in range(size)], np.int64)
    found, done, left = np.empty(size, np.int64), 0, np.empty(0, np.uint64)
    while done < size:
        words = np.concatenate([left, np.frombuffer(secrets.token_bytes(8 * _words(size - done)), np.uint64)])
        done, begin = _fill_whole(found, done, words, np.int64(sigma))
        left = words[begin:]
    return found


@part
def _below(words, at, top):  # type: ignore[no-untyped-def]
    """A whole number below ``top`` and the place of the next word; ``SHORT`` where they ran out."""
    top = np.uint64(top)
    whole = np.uint64(0xFFFFFFFFFFFFFFFF)
    edge = whole - (whole % top + np.uint64(1)) % top  # the last word of whole turns
    while at < words.size:
        word = words[at]
        at += 1
        if word <= edge:
            return np.int64(word % top), at
    return np.int64(SHORT), at


@part
def _odd(words, at, p, q):  # type: ignore[no-untyped-def]
    """Whether a Bernoulli of exp(-p / q) is true, 0 <= p <= q: 1, 0 or ``SHORT``."""
    k = np.int64(1)
    while True:
        drawn, at = _below(words, at, q * k)
        if drawn == SHORT:
            return np.int64(SHORT), at
        if drawn >= p:
            return k % 2, at
        k += 1


@part
def _exp(words, at, p, q):  # type: ignore[no-untyped-def]
    """The same for any p >= 0."""
    while p > q:
        said, at = _odd(words, at, np.int64(1), np.int64(1))
        if said != 1:
            return said, at
        p -= q
    return _odd(words, at, p, q)


@part
def _laplace(words, at, t):  # type: ignore[no-untyped-def]
    """A discrete Laplace variable of the scale ``t``, whether there were words enough, and the next place."""
    while True:
        rest, at = _below(words, at, t)
        if rest == SHORT:
            return np.int64(0), False, at
        said, at = _odd(words, at, rest, t)
        if said == SHORT:
            return np.int64(0), False, at
        if said == 0:
            continue
        times = np.int64(0)
        while True:
            said, at = _odd(words, at, np.int64(1), np.int64(1))
            if said == SHORT:
                return np.int64(0), False, at
            if said == 0:
                break
            times += 1
        minus, at = _below(words, at, np.int64(2))
        if minus == SHORT:
            return np.int64(0), False, at
        size = rest + t * times
        if size > 0 or minus == 0:
            return (-size if minus == 1 else size), True, at


@kernel
def _fill(found, done, words, top, t):  # type: ignore[no-untyped-def]
    """Variables of the variance ``top`` / 16 from ``done`` on, as long as the words reach: how many are done, where the
    words begin that are left, and a proposal whose chance does not fit into 64 bits (0: none)."""
    at, q = 0, 32 * top * t * t
    while done < found.size:
        begin = at
        y, fine, at = _laplace(words, at, t)
        if not fine:
            return done, begin, np.int64(0)
        apart = abs(16 * abs(y) * t - top)
        if apart > ROOM:
            return done, at, y
        said, at = _exp(words, at, apart * apart, q)
        if said == SHORT:
            return done, begin, np.int64(0)
        if said == 1:
            found[done] = y
            done += 1
    return done, at, np.int64(0)


@kernel
def _fill_whole(found, done, words, sigma):  # type: ignore[no-untyped-def]
    """Variables of a whole standard deviation from ``done`` on, as long as the words reach: how many are done, and
    where the words begin that are left."""
    at, q = 0, 2 * sigma * sigma
    while done < found.size:
        begin = at
        y, fine, at = _laplace(words, at, sigma)
        if not fine:
            return done, begin
        apart = abs(abs(y) - sigma)
        said, at = _exp(words, at, apart * apart, q)
        if said == SHORT:
            return done, begin
        if said == 1:
            found[done] = y
            done += 1
    return done, at
