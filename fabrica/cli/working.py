"""What surrounds long work: a run that talks, that stops cleanly when the user wants it, and that goes on with what
a network has learned so far when that is enough (Ctrl-\\, where there is such a key)."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fabrica.cli.stop import STOP
from fabrica.cli.talk import Talk
from fabrica.run import Run

__all__ = ["at_work"]


@contextmanager
def at_work(seed: int, quiet: bool, workers: int | None = None, budget: float | None = None
            ) -> Iterator[tuple[Run, Talk]]:
    """A run and its talk; Ctrl-C, and whatever else ends the work, stops the run's threads; Ctrl-\\ is enough."""
    with Talk(quiet) as talk:
        run = Run(seed, workers=workers, listener=talk, budget=budget)
        STOP.tell = run.cancel
        try:
            with _heard(run.enough):
                yield run, talk
        finally:
            run.cancel()


@contextmanager
def _heard(enough: Callable[[], None]) -> Iterator[None]:
    """Ctrl-\\ calls ``enough``, where a terminal has that signal."""
    if not hasattr(signal, "SIGQUIT"):
        yield
        return
    before = signal.signal(signal.SIGQUIT, lambda *_: enough())
    try:
        yield
    finally:
        signal.signal(signal.SIGQUIT, before)
