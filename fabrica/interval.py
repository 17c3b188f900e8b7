"""A number with its 95 % interval, as resamples and repetitions tell it.

The largest of many numbers is large by luck alone, so its interval comes of bands that hold for all of them at once
(the largest studentised deviation of the resamples; Romano & Wolf, "Exact and approximate stepdown methods for multiple
hypothesis testing", JASA 100, 2005).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

__all__ = ["SURE", "Interval"]

SURE = 1.96  #: standard errors on either side: 95 %


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    @classmethod
    def between(cls, values: np.ndarray) -> Interval:
        """The first of ``values`` (1 + draws,) with what 95 of 100 of the others lie between.

        >>> print(Interval.between(np.append(0.5, np.linspace(0, 1, 1001))))
        0.500 (0.025 to 0.975)
        """
        low, high = np.quantile(values[1:], [0.025, 0.975])
        return cls(float(values[0]), float(low), float(high))

    @classmethod
    def of(cls, draws: Sequence[np.ndarray], low: float = -np.inf, high: float = np.inf) -> Interval:
        """The mean over repetitions. Each of ``draws`` (1 + DRAWS,) holds the number itself, then of resampled rows;
        what repetitions differ by is added, with as many standard errors as so few of them ask for (Student's t). It
        never leaves ``low`` … ``high``.

        >>> Interval.of([np.array([0.5, 0.5, 0.5]), np.array([0.7, 0.7, 0.7])], -9, 9)  # t of 1 degree: 12.7
        Interval(value=0.6, low=-0.670620473617, high=1.870620473617)
        """
        return cls.of_means(lambda mean: mean, draws, low=low, high=high)

    @classmethod
    def of_means(cls, told: Callable[..., np.ndarray], *repeated: Sequence[np.ndarray], low: float = -np.inf,
                 high: float = np.inf) -> Interval:
        """Of what is ``told`` by means over repetitions, which may be far from the mean of what each repetition tells:
        of the rows by resamples, of the repetitions by leaving each out (jackknife; Tukey 1958).

        Parameters
        ----------
        told : means (1 + DRAWS, ...), one for each of ``repeated`` -> (1 + DRAWS,).
        """
        stacks = [np.stack(one) for one in repeated]
        whole, many = told(*(one.mean(0) for one in stacks)), len(stacks[0])
        variance = float(whole[1:].var())
        if many > 1:
            each = np.array([told(*(np.delete(one, r, 0).mean(0) for one in stacks))[0] for r in range(many)])
            variance += float(_scattered(((each - each.mean()) ** 2).sum() * (many - 1) / many, many))
        half = SURE * variance**0.5
        return cls(*(round(float(v), 12) for v in (whole[0], max(low, whole[0] - half), min(high, whole[0] + half))))

    @classmethod
    def widest(cls, draws: Sequence[np.ndarray]) -> Interval:
        """The largest absolute value of P numbers, as ``of``; each of ``draws`` is (1 + DRAWS, P)."""
        every = np.stack(draws)
        mean, error = every.mean(0), np.maximum(_error(every), 1e-12)
        apart = np.abs(mean[1:] - mean[0]) / np.maximum(mean[1:].std(0), 1e-12)
        sure = max(float(np.quantile(apart.max(1), 0.95)), SURE)
        size = np.abs(mean[0])
        found = size.max(), max(0.0, (size - sure * error).max()), min(1.0, (size + sure * error).max())
        return cls(*(round(float(v), 12) for v in found))


def _error(every: np.ndarray) -> np.ndarray:
    """(...) the standard error of the mean over repetitions of ``every`` (R, 1 + DRAWS, ...), so that ``SURE`` times it
    is half of a 95 % interval: that of resampled rows, and of what repetitions differ by where there are several."""
    rows = every.mean(0)[1:].var(0)
    if len(every) == 1:
        return np.sqrt(rows)
    return np.sqrt(rows + _scattered(every[:, 0].var(0, ddof=1) / len(every), len(every)))


def _scattered(variance: np.ndarray, many: int) -> np.ndarray:
    """The ``variance`` of a mean over so ``many`` repetitions as it counts beside one that is known: the fewer there
    are, the less is known of it (Student's t)."""
    return variance * (student.ppf(0.975, many - 1) / SURE) ** 2
