"""The ledger: every look at a table, what it cost, and how much is left. A look that cannot be paid does not happen.

``Purse`` spends while a run goes on; ``Ledger`` is what stays: plain, frozen, with the total in epsilon and delta, what
was declared public and what the promise does not cover.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from fabrica.errors import BudgetSpent, FabricaError
from fabrica.privacy.accountant import epsilon_of, most_caught, rho_of
from fabrica.privacy.event import Event
from fabrica.privacy.terms import Privacy

__all__ = ["Ledger", "Purse"]

ALARMS = 0.01  #: false positive rate at which it is said what an attacker reaches
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

    def epsilon(self, delta: float | None = None) -> float:
        """The epsilon that all events together have kept, at ``delta`` or that of the terms; infinite where the events
        themselves took more than that."""
        left = (self.terms.delta if delta is None else delta) - float(self.risk)
        return epsilon_of(float(self.rho), left) if left > 0 else float("inf")

    @property
    def caught(self) -> float:
        """The largest share of members that whoever tells them at 1 % false alarms can find."""
        return most_caught(self.epsilon(), self.terms.delta, ALARMS)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without one of the table."""
        return {"fabrica_ledger": 1, "terms": self.terms.to_json(), "epsilon": self.epsilon(),
                "delta": self.terms.delta, "rho": float(self.rho),
                "neighbours": f"{self.terms.whose}, added or removed", "accountant": "zCDP",
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
        return [f"epsilon {epsilon:.4g} at delta {self.terms.delta:.3g} for {self.terms.whose}, added or removed "
                f"(zCDP: rho {float(self.rho):.4g})",
                f"whoever tells members at 1 % false alarms finds at most {100 * self.caught:.3g} % of them"]

    def __str__(self) -> str:
        lines = self.head()
        lines += [f"  {100 * float(event.rho / self.rho):5.1f} %  {event.what}: {event.words()}"
                  for event in self.events]
        lines += [f"  public   {what}" for what in self.public]
        return "\n".join([*lines, *(f"  not covered: {what}" for what in self.uncovered)])


@dataclass
class Purse:
    """A budget of zCDP that is spent event by event, from any thread.

    Parameters
    ----------
    terms : what was promised.
    budget : zCDP that may be spent. risk : of delta, that events may take themselves.
    """

    terms: Privacy
    budget: Fraction
    risk: Fraction = Fraction(0)
    events: list[Event] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, terms: Privacy, *, names: bool = False) -> Purse:
        """The budget of some terms; where ``names`` are to be found, half of delta is put aside for them.

        >>> round(float(Purse.of(Privacy(1.0, 1e-6)).left), 6)
        0.024356
        """
        aside = Fraction(terms.delta) / ASIDE if names else Fraction(0)
        return cls(terms, Fraction(rho_of(terms.epsilon, float(Fraction(terms.delta) - aside))), aside)

    @property
    def left(self) -> Fraction:
        """What can still be spent."""
        return self.budget - sum((event.rho for event in self.events), Fraction(0))

    def pay(self, event: Event) -> None:
        """Write an event down before it happens.

        Raises
        ------
        BudgetSpent : what is left does not reach; nothing was looked at.
        """
        with self.lock:
            if event.rho > self.left:
                raise BudgetSpent(f"{event.what} would cost {float(event.rho):.3g} of zCDP, and "
                                  f"{float(self.left):.3g} are left", where="the privacy budget",
                                  hint="give a larger epsilon, or ask for less")
            if sum((one.risk for one in self.events), event.risk) > self.risk:
                raise BudgetSpent(f"{event.what} would take more of delta than was put aside", hint="give a larger "
                                  "delta, or declare the names public", where="the privacy budget")
            self.events.append(event)

    def ledger(self, public: tuple[str, ...] = (), uncovered: tuple[str, ...] = ()) -> Ledger:
        """What was paid so far."""
        with self.lock:
            return Ledger(self.terms, tuple(self.events), public, uncovered)
