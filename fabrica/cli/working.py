"""What surrounds long work: a run that talks, that stops cleanly when the user wants it, and that goes on with what
a network has learned so far when that is enough (Ctrl-\\, where there is such a key)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from fabrica.cli.stop import STOP
from fabrica.cli.talk import Talk
from fabrica.run import Run

__all__ = ["at_work"]


@contextmanager
def at_work(seed: int, quiet: bool, workers: int | None = None, budget: float | None = None, *, learns: bool = False
            ) -> Iterator[tuple[Run, Talk]]:
    """A run and its talk; Ctrl-C, and whatever else ends the work, stops the run's threads. Ctrl-\\ is enough where it
    ``learns``."""
    with Talk(quiet) as talk:
        run = Run(seed, workers=workers, listener=talk, budget=budget)
        STOP.tell = run.cancel
        try:
            with _heard(run.enough) if learns else nullcontext():
                yield run, talk
        finally:
            run.cancel()


@contextmanager
def _heard(enough: Callable[[], None]) -> Iterator[None]:
    """Ctrl-\\ calls ``enough``, where a terminal has that signal and nobody else wants it."""
    ours = hasattr(signal, "SIGQUIT") and threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGQUIT) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGQUIT, lambda *_: enough())
    try:
        yield
    finally:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
