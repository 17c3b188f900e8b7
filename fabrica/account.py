"""The account of a source: all that was ever looked at it through noise, and how much more may be.

Two models of one table cost the sum of both. An account is a file beside the table that says how much all of them
together may cost. A job writes down what it will cost at most before it looks, and what it did cost when it is done; so
a job that was killed counts as spent.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from fabrica.dataset import atomic
from fabrica.errors import BudgetSpent, FabricaError, InputError, OutputError, SettingError
from fabrica.privacy.event import Event, Keys
from fabrica.privacy.ledger import Ledger, Purse
from fabrica.privacy.terms import Privacy

__all__ = ["Account", "Entry", "spend"]

T = TypeVar("T")

ASIDE = "put aside before the job"
PATIENCE = 10.0  #: seconds for which a job waits until another has written


@dataclass(frozen=True)
class Entry:
    """One job: ``when`` it began, ``what`` it made, and its ``events``; ``over`` where it told what it did cost."""

    when: str
    what: str
    events: tuple[Event, ...]
    over: bool = False


@dataclass(frozen=True)
class Account:
    """Parameters
    ----------
    limit : what all jobs together may cost, and for which unit. entries : the jobs, in their order.

    >>> account = Account(Privacy(2.0))
    >>> account = account.reserved(Privacy(1.0), "first"); round(account.ledger.epsilon(), 1)
    1.0
    >>> account.reserved(Privacy(1.9), "second")                                     # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    fabrica.errors.BudgetSpent: ...
    """

    limit: Privacy
    entries: tuple[Entry, ...] = ()

    @property
    def ledger(self) -> Ledger:
        """All events of all jobs."""
        return Ledger(self.limit, tuple(event for entry in self.entries for event in entry.events))

    def reserved(self, terms: Privacy, what: str) -> Account:
        """The account after a job has said what it will cost at most.

        Raises
        ------
        SettingError : the job hides another unit than the account.
        BudgetSpent : there is not so much left; says when it was spent and on what.
        """
        if (terms.unit, terms.rows) != (self.limit.unit, self.limit.rows):
            raise SettingError(f"the account is kept for {self.limit.whose}, and this job hides {terms.whose}",
                               where="privacy", hint="use the same --unit and --unit-rows")
        after = replace(self, entries=(*self.entries, Entry(_now(), what, (_most(terms),))))
        if after.ledger.risk >= self.limit.delta:
            raise BudgetSpent(f"finding names takes half of a job's delta, and that uses up the {self.limit.delta:g} "
                              "of the account", where="the account", hint="open accounts with a delta some times as "
                              "large as that of a job, or declare levels in a schema")
        if not after.ledger.epsilon() <= self.limit.epsilon:
            raise BudgetSpent(f"{self.limit.epsilon:g} may be spent at delta {self.limit.delta:g} and "
                              f"{self.ledger.epsilon():.3g} is; with this job it would be {after.ledger.epsilon():.3g}",
                              where="the account", hint=f"{self._room(terms)}; spent: "
                                                        f"{'; '.join(self.words()) or 'nothing'}")
        return after

    def _room(self, terms: Privacy) -> str:
        """What may still be asked for, in words: two digits, rounded down."""
        low, high = 0.0, terms.epsilon
        for _ in range(20):
            middle = (low + high) / 2
            after = replace(self, entries=(*self.entries, Entry("", "", (_most(replace(terms, epsilon=middle)),))))
            low, high = (middle, high) if after.ledger.epsilon() <= self.limit.epsilon else (low, middle)
        some = math.floor(low * 100) / 100
        return f"an epsilon of {some:g} would fit" if some else "nothing more would fit"

    def settled(self, number: int, events: tuple[Event, ...]) -> Account:
        """The account after a job, by its ``number``, has told what it did cost."""
        entries = list(self.entries)
        entries[number] = replace(entries[number], events=events, over=True)
        return replace(self, entries=tuple(entries))

    def words(self) -> list[str]:
        """When it was spent and on what, a line each."""
        return [f"{entry.when} {entry.what}: epsilon {Ledger(self.limit, entry.events).epsilon():.3g}"
                + ("" if entry.over else " (not known to have ended)") for entry in self.entries]

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_account": 1, "limit": self.limit.to_json(), "epsilon": self.ledger.epsilon(),
                "entries": [{"when": e.when, "what": e.what, "over": e.over, "events": [v.to_json() for v in e.events]}
                            for e in self.entries]}

    @classmethod
    def from_json(cls, plain: Any, where: str = "account") -> Account:
        """Raises ``FabricaError`` where it is no account, or holds an event that is not known here."""
        try:
            if not isinstance(plain, Mapping) or plain["fabrica_account"] != 1:
                raise ValueError("no account")
            entries = tuple(Entry(str(e["when"]), str(e["what"]), tuple(Event.from_json(v) for v in e["events"]),
                                  bool(e["over"])) for e in plain["entries"])
            return cls(Privacy(**plain["limit"]), entries)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise FabricaError(f"this is no account that can be reckoned ({error})", where=where) from None

    @classmethod
    def load(cls, path: Path) -> Account:
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")), str(path))
        except FileNotFoundError:
            raise InputError("there is no such account", where=str(path),
                             hint=f"open one: fabrica account {path} --epsilon 3") from None
        except (OSError, ValueError):
            raise InputError("cannot be read as an account", where=str(path),
                             hint="it is a file that `fabrica account` has made, and nobody else may write it; take "
                                  "it from a backup: a new one would forget what was spent") from None

    def save(self, path: Path) -> None:
        with atomic(path) as part:
            part.write_text(json.dumps(self.to_json(), indent=2), encoding="utf-8")


def _most(terms: Privacy) -> Event:
    """What a job under some terms can cost at most: the zCDP of one that finds no names, and the delta of one that
    does, so that whatever it turns out to be lowers what was put aside."""
    rho, risk = Purse.of(terms).budget, Purse.of(terms, names=True).risk
    return Keys(ASIDE, 0, Fraction(1), 1 / (2 * rho), risk, 0)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else writes this account meanwhile."""
    lock, until = path.with_name(path.name + ".lock"), time.monotonic() + PATIENCE
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            if time.monotonic() > until:
                raise OutputError("another job writes this account", where=str(path),
                                  hint=f"if there is none, delete {lock.name}") from None
            time.sleep(0.05)
        except OSError as error:
            raise OutputError(f"cannot be written ({error.strerror})", where=str(path)) from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def spend(path: Path, terms: Privacy, what: str, job: Callable[[Ledger], T], cost: Callable[[T], Ledger]) -> T:
    """Do a ``job`` within an account: what it costs at most is written down before, and its ``cost`` after. The job is
    told what others have spent: prices that are not in zCDP add up otherwise than what was written down before.

    Raises
    ------
    BudgetSpent : there is not so much left and nothing was looked at; or jobs that went on at the same time have spent
        too much together, and the result is not handed out.
    """
    with locked(path):
        before = Account.load(path)
        account = before.reserved(terms, what)
        account.save(path)
    done = job(before.ledger)
    with locked(path):
        account = Account.load(path).settled(len(account.entries) - 1, cost(done).events)
        account.save(path)
    if not account.ledger.epsilon() <= account.limit.epsilon * (1 + 1e-6):
        raise BudgetSpent("other jobs have spent meanwhile what this one needed, so its result is not handed out",
                          where="the account", hint="do one job after the other")
    return done
