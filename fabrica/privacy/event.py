"""What was done to a table under differential privacy: one measurement or one choice, and its price.

An event describes; the accountant reckons. Prices are in zero-concentrated differential privacy (zCDP) and add up.
Where rows are taken by chance zCDP does not see how much that hides; the Rényi divergence at each order does, and adds
up as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, ClassVar

from fabrica.privacy.renyi import sampled

__all__ = ["Event", "Gaussian", "Keys", "SampledGaussian", "Selection"]

PLAIN = ("what", "values", "above", "steps")  #: fields that are no scales


@dataclass(frozen=True)
class Event(ABC):
    """Parameters
    ----------
    what : what was looked at, in words without a value of the table.
    values : how many numbers came of it.
    sensitivity : by how much one unit changes them at most: their Euclidean length, or each score.
    """

    zcdp: ClassVar[bool] = True  #: whether ``rho`` is all that is to be said of the price

    what: str
    values: int
    sensitivity: Fraction

    def __post_init__(self) -> None:
        scales = [getattr(self, one.name) for one in fields(self) if one.name not in PLAIN]
        if not all(isinstance(one, Fraction) and one > 0 for one in scales):
            raise ValueError("a sensitivity and a scale of noise are fractions above 0")

    @property
    @abstractmethod
    def rho(self) -> Fraction:
        """The price, in zCDP."""

    def renyi(self, order: float) -> float:
        """The price as a Rényi divergence of an ``order`` above 1."""
        return order * float(self.rho)

    @property
    def risk(self) -> Fraction:
        """What it takes of delta."""
        return Fraction(0)

    @abstractmethod
    def words(self) -> str:
        """The mechanism and its scale."""

    def to_json(self) -> dict[str, Any]:
        """Plain values: the parameters, and what follows from them."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        return {"mechanism": type(self).__name__.lower(),
                **{name: str(value) if isinstance(value, Fraction) else value for name, value in plain.items()},
                "rho": float(self.rho), "risk": float(self.risk), "words": self.words()}

    @staticmethod
    def from_json(plain: Any) -> Event:
        """The event that ``to_json`` told of.

        Raises
        ------
        ValueError : it is no event that is known here, so nothing can be said of what it cost.
        """
        kinds = {kind.__name__.lower(): kind for kind in (Gaussian, Keys, SampledGaussian, Selection)}
        if not isinstance(plain, dict) or plain.get("mechanism") not in kinds:
            raise ValueError("an event of an unknown kind")
        kind = kinds[plain["mechanism"]]
        exact = {one.name for one in fields(kind)} - set(PLAIN)
        said: dict[str, Any] = {one.name: Fraction(str(plain[one.name])) if one.name in exact else plain[one.name]
                                for one in fields(kind)}
        return kind(**said)


@dataclass(frozen=True)
class Gaussian(Event):
    """Discrete Gaussian noise of a ``variance`` on whole numbers (Canonne, Kamath & Steinke 2020, theorem 14).

    >>> Gaussian("counts of age", 20, Fraction(1), Fraction(50)).rho
    Fraction(1, 100)
    """

    variance: Fraction

    @property
    def rho(self) -> Fraction:
        return self.sensitivity**2 / (2 * self.variance)

    def words(self) -> str:
        return f"discrete Gaussian noise of standard deviation {float(self.variance) ** 0.5:.3g}"


@dataclass(frozen=True)
class Selection(Event):
    """One choice by the exponential mechanism with ``epsilon``, whose loss has a bounded range (Cesar & Rogers 2021).

    >>> Selection("which pair is worst", 1, Fraction(1), Fraction(1, 2)).rho
    Fraction(1, 32)
    """

    epsilon: Fraction

    @property
    def rho(self) -> Fraction:
        return self.epsilon**2 / 8

    def words(self) -> str:
        return f"exponential mechanism with epsilon {float(self.epsilon):.3g}"


@dataclass(frozen=True)
class Keys(Gaussian):
    """Which of all possible names occur: those whose count with Gaussian noise is ``above`` a threshold (stable
    selection; Korolova, Kenthapadi, Mishra & Ntoulas, "Releasing search queries and clicks privately", WWW 2009). A
    name that only one unit holds comes through with the probability ``delta`` at most.

    >>> Keys("levels of town", 3, Fraction(1), Fraction(50), Fraction(1, 10**7), 40).risk
    Fraction(1, 10000000)
    """

    delta: Fraction
    above: int

    @property
    def risk(self) -> Fraction:
        return self.delta

    def words(self) -> str:
        return f"{super().words()}, told above {self.above:,}"


@dataclass(frozen=True)
class SampledGaussian(Gaussian):
    """``steps`` sums, one after the other, each over rows of which every one is taken by chance with the probability
    ``rate`` on its own (Poisson sampling), with discrete Gaussian noise.

    >>> event = SampledGaussian("steps", 9, Fraction(1), Fraction(4), Fraction(1, 100), 50)
    >>> event.renyi(2.0) < event.rho * 2 / 900
    True
    """

    zcdp: ClassVar[bool] = False

    rate: Fraction
    steps: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate > 1 or type(self.steps) is not int or self.steps < 1:
            raise ValueError("rows are taken at a rate of 1 at most, in one step at least")

    @property
    def rho(self) -> Fraction:
        """What it would cost if all rows were taken each time, which is never less."""
        return super().rho * self.steps

    def renyi(self, order: float) -> float:
        apart = float(self.sensitivity**2 / self.variance) ** 0.5
        return self.steps * sampled(order, float(self.rate), apart)

    def words(self) -> str:
        times = float(self.variance / self.sensitivity**2) ** 0.5
        return (f"{self.steps:,} sums over rows taken with the probability {float(self.rate):.3g}, discrete Gaussian "
                f"noise of {times:.3g} times what a row may change")
