"""What surrounds long work: a run that talks, and that stops cleanly when the user wants it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fabrica.cli.stop import STOP
from fabrica.cli.talk import Talk
from fabrica.run import Run

__all__ = ["at_work"]


@contextmanager
def at_work(seed: int, quiet: bool, workers: int | None = None, budget: float | None = None
            ) -> Iterator[tuple[Run, Talk]]:
    """A run and its talk; Ctrl-C, and whatever else ends the work, stops the run's threads."""
    with Talk(quiet) as talk:
        run = Run(seed, workers=workers, listener=talk, budget=budget)
        STOP.tell = run.cancel
        try:
            yield run, talk
        finally:
            run.cancel()
