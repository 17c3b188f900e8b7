"""The ledger: every look at a table, what it cost, and how much is left. A look that cannot be paid does not happen.

``Purse`` spends while a run goes on; ``Ledger`` is what stays: plain, frozen, with the total in epsilon and delta, what
was declared public and what the promise does not cover.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from fabrica.errors import BudgetSpent, FabricaError
from fabrica.privacy.accountant import epsilon_of, most_caught, rho_of
from fabrica.privacy.event import Event, Gaussian, SampledGaussian
from fabrica.privacy.renyi import best, epsilon_under
from fabrica.privacy.terms import Privacy

__all__ = ["Ledger", "Purse"]

ALARMS = 0.01  #: false positive rate at which it is said what an attacker reaches
FINE = 60  #: steps of a search that halves what it knows
ASIDE = 2  #: one over so much of delta is put aside where names are to be found


@dataclass(frozen=True)
class Ledger:
    """What was paid.

    Parameters
    ----------
    terms : what was promised. events : in their order.
    public : what was not measured because it was declared public, in words.
    uncovered : what the promise does not cover, in words.
    """

    terms: Privacy
    events: tuple[Event, ...]
    public: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()

    @property
    def rho(self) -> Fraction:
        """The sum of all prices, in zCDP."""
        return sum((event.rho for event in self.events), Fraction(0))

    @property
    def risk(self) -> Fraction:
        """What events took of delta themselves."""
        return sum((event.risk for event in self.events), Fraction(0))

    def spread(self, what: str) -> float:
        """The standard deviation of the noise with which something was counted; 0 where it was not."""
        found = (one for one in self.events if isinstance(one, Gaussian) and one.what == what)
        return next((float(one.variance) ** 0.5 for one in found), 0.0)

    def epsilon(self, delta: float | None = None) -> float:
        """The epsilon that all events together have kept, at ``delta`` or that of the terms; infinite where the events
        themselves took more than that."""
        left = (self.terms.delta if delta is None else delta) - float(self.risk)
        return epsilon_of_all(self.events, left) if left > 0 else float("inf")

    @property
    def zcdp(self) -> bool:
        """Whether all prices are in zCDP; else the total is reckoned with Rényi divergences."""
        return all(event.zcdp for event in self.events)

    @property
    def order(self) -> float:
        """The order of the Rényi divergence at which epsilon is least; 2 where that does not matter."""
        left = self.terms.delta - float(self.risk)
        return 2.0 if self.zcdp or left <= 0 else best(lambda order: _renyi(self.events, order), left)

    def shares(self) -> list[float]:
        """What part of the whole price each event is."""
        order = self.order
        prices = [event.renyi(order) for event in self.events]
        return [price / sum(prices) for price in prices]

    @property
    def caught(self) -> float:
        """The largest share of members that whoever tells them at 1 % false alarms can find."""
        return most_caught(self.epsilon(), self.terms.delta, ALARMS)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without one of the table."""
        return {"fabrica_ledger": 1, "terms": self.terms.to_json(), "epsilon": self.epsilon(),
                "delta": self.terms.delta, "rho": float(self.rho) if self.zcdp else None,
                "neighbours": f"{self.terms.whose}, added or removed",
                "accountant": "zCDP" if self.zcdp else "Renyi",
                "most_caught_at_1_percent": self.caught, "events": [event.to_json() for event in self.events],
                "public": list(self.public), "uncovered": list(self.uncovered)}

    @classmethod
    def from_json(cls, plain: Any, where: str = "ledger") -> Ledger:
        """The ledger that ``to_json`` told of. Totals are reckoned again and not believed.

        Raises
        ------
        FabricaError : it is none, or it holds an event that is not known here.
        """
        try:
            if plain["fabrica_ledger"] != 1:
                raise ValueError("a ledger of another version")
            events = tuple(Event.from_json(event) for event in plain["events"])
            return cls(Privacy(**plain["terms"]), events, tuple(map(str, plain.get("public", ()))),
                       tuple(map(str, plain.get("uncovered", ()))))
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise FabricaError(f"this is no ledger that can be reckoned ({error})", where=where,
                               hint="another version of fabrica wrote it, or it was changed") from None

    def head(self) -> list[str]:
        """The promise, in two lines."""
        epsilon = self.epsilon()
        how = f"zCDP: rho {float(self.rho):.4g}" if self.zcdp else f"Rényi divergences, order {self.order:g}"
        return [f"epsilon {epsilon:.4g} at delta {self.terms.delta:.3g} for {self.terms.whose}, added or removed "
                f"({how})",
                f"whoever tells members at 1 % false alarms finds at most {100 * self.caught:.3g} % of them"]

    def __str__(self) -> str:
        lines = self.head()
        lines += [f"  {100 * share:5.1f} %  {event.what}: {event.words()}"
                  for event, share in zip(self.events, self.shares(), strict=True)]
        lines += [f"  public   {what}" for what in self.public]
        return "\n".join([*lines, *(f"  not covered: {what}" for what in self.uncovered)])


def _renyi(events: Sequence[Event], order: float) -> float:
    """The divergence of all events together."""
    return math.fsum(event.renyi(order) for event in events)


def epsilon_of_all(events: Sequence[Event], delta: float) -> float:
    """The least epsilon that events together keep at a ``delta`` above 0: by the tight conversion where all are in
    zCDP, else by Rényi divergences."""
    if all(event.zcdp for event in events):
        return epsilon_of(float(sum((event.rho for event in events), Fraction(0))), delta)
    price = float(sum((event.rho for event in events if event.zcdp), Fraction(0)))
    others = [event for event in events if not event.zcdp]
    return epsilon_under(lambda order: order * price + _renyi(others, order), delta)


def _cost(event: Event) -> str:
    return f"{float(event.rho):.3g} of zCDP" if event.zcdp else f"{event.renyi(2.0):.3g} of Rényi divergence at order 2"


@dataclass
class Purse:
    """A budget of zCDP that is spent event by event, from any thread.

    Parameters
    ----------
    terms : what was promised.
    budget : zCDP that may be spent. risk : of delta, that events may take themselves.
    events : that were paid for. spent : their prices together, in zCDP.
    beside : what others have spent, whose terms hold for all together; None where nobody keeps an account.
    """

    terms: Privacy
    budget: Fraction
    risk: Fraction = Fraction(0)
    events: list[Event] = field(default_factory=list)
    spent: Fraction = Fraction(0)
    beside: Ledger | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, terms: Privacy, *, names: bool = False, beside: Ledger | None = None) -> Purse:
        """The budget of some terms; where ``names`` are to be found, half of delta is put aside for them.

        >>> round(float(Purse.of(Privacy(1.0, 1e-6)).left), 6)
        0.024356
        """
        aside = Fraction(terms.delta) / ASIDE if names else Fraction(0)
        return cls(terms, Fraction(rho_of(terms.epsilon, float(Fraction(terms.delta) - aside))), aside,
                   beside=beside)

    @property
    def left(self) -> Fraction:
        """What can still be spent, in zCDP."""
        if all(event.zcdp for event in self.events):
            return self.budget - self.spent
        low, high = Fraction(0), self.budget
        for _ in range(FINE):
            middle = (low + high) / 2
            low, high = (middle, high) if self._keeps(Gaussian("", 1, Fraction(1), 1 / (2 * middle))) else (low, middle)
        return low

    def _keeps(self, event: Event) -> bool:
        """Whether the promise holds with one event more."""
        events = (*self.events, event)
        if all(one.zcdp for one in events):
            return event.rho <= self.left
        if not epsilon_of_all(events, float(Fraction(self.terms.delta) - self.risk)) <= self.terms.epsilon:
            return False
        if self.beside is None:
            return True
        left = float(Fraction(self.beside.terms.delta) - self.beside.risk - self.risk)
        return left > 0 and epsilon_of_all((*self.beside.events, *events), left) <= self.beside.terms.epsilon

    def pay(self, event: Event) -> None:
        """Write an event down before it happens.

        Raises
        ------
        BudgetSpent : what is left does not reach; nothing was looked at.
        """
        with self.lock:
            if not self._keeps(event):
                raise BudgetSpent(f"{event.what} would cost {_cost(event)}, and {float(self.left):.3g} of zCDP are "
                                  "left", where="the privacy budget", hint="give a larger epsilon, or ask for less")
            if sum((one.risk for one in self.events), event.risk) > self.risk:
                raise BudgetSpent(f"{event.what} would take more of delta than was put aside", hint="give a larger "
                                  "delta, or declare the names public", where="the privacy budget")
            self.events.append(event)
            self.spent += event.rho

    def quietest(self, rate: Fraction, steps: int) -> Fraction:
        """The standard deviation of the least noise, over what one row may change, with which so many ``steps`` over
        rows taken at a ``rate`` can still be paid.

        >>> 1.0 < Purse.of(Privacy(3.0)).quietest(Fraction(1, 20), 100) < 1.5
        True

        Raises
        ------
        BudgetSpent : nothing is left.
        """
        low, high = 2.0**-6, 2.0**30
        for _ in range(FINE):
            middle = (low * high) ** 0.5
            event = SampledGaussian("", 1, Fraction(1), Fraction(middle) ** 2, rate, steps)
            low, high = (low, middle) if self._keeps(event) else (middle, high)
        if high >= 2.0**29:
            raise BudgetSpent("nothing is left to learn with", where="the privacy budget", hint="give a larger epsilon")
        return Fraction(high)

    def ledger(self, public: tuple[str, ...] = (), uncovered: tuple[str, ...] = ()) -> Ledger:
        """What was paid so far."""
        with self.lock:
            return Ledger(self.terms, tuple(self.events), public, uncovered)
