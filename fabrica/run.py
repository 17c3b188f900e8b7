"""What travels through every call: named random streams, progress, workers, budget, cancel.

Chance goes by name. ``run.child("fit").child("age").random()`` is a stream that depends on the seed and
on the path of names alone, so a draw added in one room shifts nothing elsewhere and the number of
workers changes nothing. A second draw under one name is a mistake and is refused. The generator is
counter-based (Philox; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from fabrica.errors import STOPPED, FabricaError, Interrupted, SettingError
from fabrica.privacy import door
from fabrica.privacy.ledger import Purse
from fabrica.privacy.noise import secret
from fabrica.privacy.sums import Sums

T = TypeVar("T")
R = TypeVar("R")

__all__ = ["Run", "Progress"]


@dataclass(frozen=True)
class Progress:
    """One line of news: ``step`` of ``of`` done in ``task``, with a ``note`` for a person; ``whole`` is the share of
    the whole job that is done, where the job is known; ``lasting`` news are about the result and not about the way."""

    task: str
    step: float
    of: float
    note: str = ""
    seconds: float = 0.0
    whole: float | None = None
    lasting: bool = False

    @property
    def eta(self) -> float | None:
        """Seconds still to go at the pace so far; None before there is a pace."""
        return None if self.step <= 0 else self.seconds * (self.of - self.step) / self.step


@dataclass
class _Flag:
    """What a handler of a signal may raise: it takes no lock."""

    up: bool = False


@dataclass
class _Shared:
    """What all branches of one run have in common."""

    workers: int
    listener: Callable[[Progress], object] | None
    deadline: float | None
    cancelled: threading.Event = field(default_factory=threading.Event)
    drawn: set[tuple[str, ...]] = field(default_factory=set)
    started: dict[str, float] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    cut: set[str] = field(default_factory=set)
    enough: _Flag = field(default_factory=_Flag)
    purse: Purse | None = None


class Run:
    """A branch of one run.

    Parameters
    ----------
    seed : any whole number; the same seed gives the same result on any number of workers.
    workers : threads for ``map``; None takes the cores of this machine.
    listener : called with every ``Progress``; where it returns True, that is ``enough``.
    budget : seconds after which ``left()`` is zero; engines with a budget stop learning then.

    >>> run = Run(seed=7)
    >>> a = run.child("age").random().integers(100, size=3)
    >>> b = Run(seed=7).child("age").random().integers(100, size=3)
    >>> bool((a == b).all())
    True
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        workers: int | None = None,
        listener: Callable[[Progress], object] | None = None,
        budget: float | None = None,
    ):
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise SettingError("must be a whole number", where="seed")
        self.seed = int(seed)
        self.path: tuple[str, ...] = ()
        deadline = None if budget is None else time.monotonic() + budget
        self._shared = _Shared(workers or os.cpu_count() or 1, listener, deadline)

    def child(self, name: str | int) -> Run:
        """The branch called ``name``: its streams are its own."""
        twin = object.__new__(Run)
        twin.seed, twin.path, twin._shared = self.seed, (*self.path, str(name)), self._shared
        return twin

    @property
    def workers(self) -> int:
        return self._shared.workers

    def key(self) -> int:
        """128 bits that depend on seed and path alone."""
        text = "\x1f".join((str(self.seed), *self.path)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")

    def random(self) -> np.random.Generator:
        """This branch's stream. It can be taken once: a second draw under one name is an error."""
        with self._shared.lock:
            if self.path in self._shared.drawn:
                raise FabricaError(f"the random stream {'/'.join(self.path) or '(root)'} was drawn twice")
            self._shared.drawn.add(self.path)
        return np.random.Generator(np.random.Philox(key=self.key()))

    # ------------------------------------------------------------ privacy

    def paying(self, purse: Purse) -> Run:
        """The same branch, which may look at a table through noise alone, as long as ``purse`` pays."""
        twin = object.__new__(Run)
        twin.seed, twin.path = self.seed, self.path
        twin._shared = dataclasses.replace(self._shared, purse=purse)
        return twin

    @property
    def private(self) -> bool:
        """Whether a table may be looked at through noise alone."""
        return self._shared.purse is not None

    @property
    def purse(self) -> Purse:
        """What pays for looks at a table.

        Raises
        ------
        SettingError : nobody has promised privacy, so there is no door for noise.
        """
        if self._shared.purse is None:
            raise SettingError("was not given, so nothing can be measured with noise", where="privacy",
                               hint="give an epsilon: --epsilon 1, or privacy=1.0")
        return self._shared.purse

    def noisy(self, counts: np.ndarray, rho: Fraction, what: str, sensitivity: int = 1) -> tuple[np.ndarray, float]:
        """Counts with noise, and the variance of each (``privacy.door.measure``); its price goes into the ledger."""
        return door.measure(self.purse, counts, rho, what, sensitivity)

    def chosen(self, scores: Sequence[int], rho: Fraction, what: str, sensitivity: int = 1,
               fits: Callable[[int], bool] | None = None) -> int | None:
        """The place of a high score (``privacy.door.choose``); its price goes into the ledger."""
        return door.choose(self.purse, scores, rho, what, sensitivity, fits)

    def names(self, counts: np.ndarray, rho: Fraction, delta: Fraction, what: str
              ) -> tuple[np.ndarray, np.ndarray, float]:
        """Which names may be told (``privacy.door.names``); the price goes into the ledger."""
        return door.names(self.purse, counts, rho, delta, what)

    def sums(self, rows: int, share: float, steps: int, values: int, what: str) -> Sums:
        """Noisy sums over rows that chance takes (``privacy.sums``), for all that is left; the price goes into the
        ledger."""
        return Sums.bought(self.purse, rows, share, steps, values, what)

    def unseeded(self) -> Run:
        """A run of a seed that nobody knows: chance by which rows are told apart under privacy has none that is written
        down, for who knows it could see by the other rows' draws that one row is gone."""
        return self.reseeded(secret())

    def reseeded(self, seed: int) -> Run:
        """A run of another seed, with nothing drawn yet."""
        twin = self.fresh()
        twin.seed = seed
        return twin

    # ------------------------------------------------------------

    def fresh(self) -> Run:
        """The same seed, path, workers and listener with no stream drawn yet: for a verb that starts anew."""
        shared = self._shared
        twin = object.__new__(Run)
        twin.seed, twin.path = self.seed, self.path
        twin._shared = _Shared(shared.workers, shared.listener, shared.deadline, shared.cancelled,
                               stages=shared.stages, enough=shared.enough, purse=shared.purse)
        return twin

    def expect(self, stages: Mapping[str, float]) -> None:
        """Say which stages the whole job has, in their order, and about how long each takes (any unit): a path of names
        -> its share. News from then on tell how much of the whole is done."""
        self._shared.stages.clear()
        self._shared.stages.update(stages)

    def _whole(self, task: str, part: float) -> float | None:
        """The share of the whole job that is done where ``part`` of ``task`` is."""
        stages = self._shared.stages
        here = next((name for name in stages if f"{task}/".startswith(f"{name}/")), None)
        if here is None:
            return None
        before = sum(list(stages.values())[: list(stages).index(here)])
        return (before + stages[here] * part) / sum(stages.values())

    def tell(self, step: float, of: float, note: str = "") -> None:
        """Say how far this branch is; also the place where a cancelled run stops."""
        self.check()
        shared, task = self._shared, "/".join(self.path)
        with shared.lock:
            start = shared.started.setdefault(task, time.monotonic())
        if shared.listener:
            whole = self._whole(task, min(step / of, 1.0) if of > 0 else 0.0)
            if shared.listener(Progress(task, step, of, note, time.monotonic() - start, whole)) is True:
                self.enough()

    def remark(self, note: str) -> None:
        """Say something about the result that a person should know of when the work is done."""
        if self._shared.listener:
            self._shared.listener(Progress("/".join(self.path), 1, 1, note, lasting=True))

    def cancel(self) -> None:
        self._shared.cancelled.set()

    def check(self) -> None:
        """Raise ``Interrupted`` where the run was cancelled."""
        if self._shared.cancelled.is_set():
            raise Interrupted(STOPPED)

    def enough(self) -> None:
        """Say that what is being learned step by step is good enough: the training under way ends with the best so
        far, and the job goes on with it."""
        self._shared.enough.up = True

    def forget_enough(self) -> None:
        """A training begins: what was said before it does not count."""
        self._shared.enough.up = False

    @property
    def listened(self) -> bool:
        """Whether anybody hears the news."""
        return self._shared.listener is not None

    @property
    def is_enough(self) -> bool:
        return self._shared.enough.up

    def within(self, seconds: float) -> Run:
        """The same branch with at most ``seconds`` left: its budget is its own."""
        twin, left = object.__new__(Run), min(seconds, self.left())
        deadline = None if math.isinf(left) else time.monotonic() + left
        twin.seed, twin.path = self.seed, self.path
        twin._shared = dataclasses.replace(self._shared, deadline=deadline, cut=set())
        return twin

    def quiet(self) -> Run:
        """The same branch, of which nobody hears."""
        twin = object.__new__(Run)
        twin.seed, twin.path = self.seed, self.path
        twin._shared = dataclasses.replace(self._shared, listener=None)
        return twin

    def under(self, title: str, whole: Callable[[], float] | None = None) -> Run:
        """The same branch whose news, and that of its children, begin with ``title``; ``whole`` tells the share of the
        whole job that is done.

        >>> Run(1, listener=lambda news: print(news.note)).under("trees").child("fit").tell(1, 2, "growing")
        trees: growing
        """
        twin, listener = object.__new__(Run), self._shared.listener

        def heard(news: Progress) -> object:
            note = f"{title}: {news.note}" if news.note else title
            return listener and listener(dataclasses.replace(news, note=note, whole=whole() if whole else news.whole))

        twin.seed, twin.path = self.seed, self.path
        twin._shared = dataclasses.replace(self._shared, listener=heard)
        return twin

    def cut(self, by: str = "the budget") -> None:
        """Say that something ended early and by what: it need not come out the same again."""
        self._shared.cut.add(by)

    @property
    def was_cut(self) -> bool:
        return bool(self._shared.cut)

    @property
    def cut_by(self) -> str:
        """What ended something early."""
        return " and ".join(sorted(self._shared.cut))

    def left(self) -> float:
        """Seconds of the budget that are left (infinite where there is none)."""
        deadline = self._shared.deadline
        return float("inf") if deadline is None else max(0.0, deadline - time.monotonic())

    def map(self, fn: Callable[[T], R], parts: Iterable[T]) -> list[R]:
        """``[fn(p) for p in parts]`` on the workers, in order. ``fn`` must not depend on the others."""
        jobs: Sequence[T] = list(parts)
        if self.workers == 1 or len(jobs) < 2:
            return [self._one(fn, job) for job in jobs]
        with ThreadPoolExecutor(min(self.workers, len(jobs))) as pool:
            futures = [pool.submit(self._one, fn, job) for job in jobs]
            try:
                return [f.result() for f in futures]
            except BaseException:
                for f in futures:
                    f.cancel()
                raise

    def _one(self, fn: Callable[[Any], R], job: Any) -> R:
        self.check()
        return fn(job)
