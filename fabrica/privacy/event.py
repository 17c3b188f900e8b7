"""What was done to a table under differential privacy: one measurement or one choice, and its price.

An event describes; the accountant reckons. Prices are in zero-concentrated differential privacy (zCDP) and add up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

__all__ = ["Event", "Gaussian", "Keys", "Selection"]


@dataclass(frozen=True)
class Event(ABC):
    """Parameters
    ----------
    what : what was looked at, in words without a value of the table.
    values : how many numbers came of it.
    sensitivity : by how much one unit changes them at most: their Euclidean length, or each score.
    """

    what: str
    values: int
    sensitivity: Fraction

    def __post_init__(self) -> None:
        scales = [getattr(self, one.name) for one in fields(self) if one.name not in ("what", "values", "above")]
        if not all(isinstance(one, Fraction) and one > 0 for one in scales):
            raise ValueError("a sensitivity and a scale of noise are fractions above 0")

    @property
    @abstractmethod
    def rho(self) -> Fraction:
        """The price, in zCDP."""

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
        kinds = {kind.__name__.lower(): kind for kind in (Gaussian, Keys, Selection)}
        if not isinstance(plain, dict) or plain.get("mechanism") not in kinds:
            raise ValueError("an event of an unknown kind")
        kind = kinds[plain["mechanism"]]
        exact = {one.name for one in fields(kind)} - {"what", "values", "above"}
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
