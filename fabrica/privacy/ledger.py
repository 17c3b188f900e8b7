"""The ledger: every look at a table, what it cost, and how much is left. A look that cannot be paid does not happen.

``Purse`` spends while a run goes on; ``Ledger`` is what stays: plain, frozen, with the total in epsilon and delta and
what it does not cover.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from fabrica.errors import BudgetSpent, SettingError
from fabrica.privacy.accountant import epsilon_of, most_caught, rho_of
from fabrica.privacy.event import Event

__all__ = ["Ledger", "Purse"]

ALARMS = 0.01  #: false positive rate at which it is said what an attacker reaches
NEIGHBOURS = "one {unit} added or removed"


@dataclass(frozen=True)
class Ledger:
    """What was paid.

    Parameters
    ----------
    events : in their order. delta : for which epsilon is told. unit : whose presence is hidden: a row, a person.
    public : what was not measured because it was declared public, in words.
    """

    events: tuple[Event, ...]
    delta: float
    unit: str = "row"
    public: tuple[str, ...] = ()

    @property
    def rho(self) -> Fraction:
        """The sum of all prices, in zCDP."""
        return sum((event.rho for event in self.events), Fraction(0))

    def epsilon(self, delta: float | None = None) -> float:
        """The epsilon that all events together have kept, at ``delta`` or that of the ledger."""
        return epsilon_of(float(self.rho), self.delta if delta is None else delta)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without one of the table."""
        return {"fabrica_ledger": 1, "epsilon": self.epsilon(), "delta": self.delta, "rho": float(self.rho),
                "unit": self.unit, "neighbours": NEIGHBOURS.format(unit=self.unit), "accountant": "zCDP",
                "most_caught_at_1_percent": most_caught(self.epsilon(), self.delta, ALARMS),
                "events": [event.to_json() for event in self.events], "public": list(self.public)}

    def __str__(self) -> str:
        epsilon = self.epsilon()
        caught = most_caught(epsilon, self.delta, ALARMS)
        lines = [f"epsilon {epsilon:.4g} at delta {self.delta:.3g}, neighbours differ by "
                 f"{NEIGHBOURS.format(unit=self.unit)} (zCDP: rho {float(self.rho):.4g})",
                 f"whoever tells members at 1 % false alarms finds at most {100 * caught:.3g} % of them"]
        lines += [f"  {float(event.rho):.3g}  {event.what}: {event.words()}, {event.values:,} values"
                  for event in self.events]
        return "\n".join([*lines, *(f"  not measured, declared public: {what}" for what in self.public)])


@dataclass
class Purse:
    """A budget of zCDP that is spent event by event, from any thread."""

    budget: Fraction
    delta: float
    unit: str = "row"
    public: tuple[str, ...] = ()
    events: list[Event] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, epsilon: float, delta: float, unit: str = "row", public: tuple[str, ...] = ()) -> Purse:
        """A budget of ``epsilon`` and ``delta``.

        >>> purse = Purse.of(1.0, 1e-6)
        >>> round(float(purse.left), 6)
        0.024356

        Raises
        ------
        SettingError : epsilon or delta is not what they can be.
        """
        if not (0 < epsilon < float("inf") and 0 < delta < 1):
            raise SettingError("must be above 0, and delta below 1", where="epsilon and delta",
                               hint="epsilon=1, delta=1e-6 is a common start; delta lies far below one over how many")
        return cls(Fraction(rho_of(epsilon, delta)), delta, unit, public)

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
            self.events.append(event)

    def ledger(self) -> Ledger:
        """What was paid so far."""
        with self.lock:
            return Ledger(tuple(self.events), self.delta, self.unit, self.public)
