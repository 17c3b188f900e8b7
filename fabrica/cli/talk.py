"""Progress for a person, on stderr: one rewriting line on a terminal, plain lines elsewhere, nothing when quiet.

Whatever is over within two seconds is not talked about. What to write is decided by ``Talk.line``, a function of the
clock and of the last news alone; a thread only looks at it several times a second, so that the line lives on while a
long step has no news. What is left is told while the pace so far tells it: not of metrics, of which one takes as long
as ten others, and not once it is over and the step is not.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from fabrica.run import Progress

__all__ = ["Talk", "span"]

PATIENCE = 2.0  # seconds before the first word
PACE = 5.0  # seconds between plain lines
KNOWN = 0.2  # share of a step from which its pace tells how long it takes
SOME = 0.05  # the same of a whole job


def span(seconds: float) -> str:
    """A time for a person.

    >>> span(8.2), span(75), span(7300)
    ('8 s', '1 min 15 s', '2 h 01 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _behind(news: Progress, last: Progress) -> bool:
    """Whether news are older than what was told: several workers tell in any order."""
    return (news.task, news.note, news.of) == (last.task, last.note, last.of) and news.step < last.step


class Talk:
    """A listener of a run.

    Parameters
    ----------
    quiet : say nothing at all.
    stream : where to talk; stderr.
    clock : seconds from any start; tests bring their own.
    """

    def __init__(self, quiet: bool = False, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic):
        self.quiet, self.stream, self.clock = quiet, stream or sys.stderr, clock
        self.live = self.stream.isatty()
        self._began = self._spoke = clock()
        self._news: tuple[float, Progress] | None = None
        self._first: tuple[float, float] | None = None  # when the whole job was first told of, and its share then
        self._shown = False
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __call__(self, news: Progress) -> None:
        if news.lasting:
            self.say(news.note)
            return
        if self._news and _behind(news, self._news[1]):
            return
        self._news = (self.clock(), news)
        if self._first is None and news.whole is not None:
            self._first = (self._news[0], news.whole)

    def line(self, now: float) -> str | None:
        """What to write at this moment; None for nothing."""
        if self.quiet or self._news is None or now - self._began < PATIENCE:
            return None
        if not self.live and now - self._spoke < PACE and self._shown:
            return None
        told, news = self._news
        words = news.note or news.task.replace("/", ", ") or "working"
        metrics = news.task.split("/")[-1] == "evaluate" or news.task.startswith("evaluate")
        parts = [f"measuring {words}" if news.note and metrics else words]
        if news.whole and self._first:  # one figure for the whole job: at the pace so far, news being a little old
            parts.append(f"{100 * news.whole:.0f} %")
            began, share = self._first
            if share + SOME <= news.whole < 1 and told - began >= 1:
                left = (told - began) * (1 - news.whole) / (news.whole - share) - (now - told)
                parts.append(f"about {span(max(left, 1.0))} left" if left > 0 else "")
        elif news.of > 0 and 0 < news.step <= news.of:
            parts.append(f"{100 * news.step / news.of:.0f} %")
            eta = (news.eta or 0.0) - (now - told)
            known = KNOWN * news.of <= news.step < news.of and eta > 0 and not metrics
            parts.append(f"about {span(max(eta, 1.0))} left" if known else "")
        parts.append(f"{span(now - self._began)} so far")
        return " · ".join(part for part in parts if part)

    def say(self, text: str) -> None:
        """One lasting line, such as a guess that matters."""
        if not self.quiet:
            with self._lock:
                self._wipe()
                self.stream.write(f"{text}\n")
                self.stream.flush()

    def __enter__(self) -> Talk:
        if not self.quiet:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._over.set()
        if not self.quiet:
            self._thread.join()
            self._wipe()

    def show(self, now: float) -> None:
        """Write what is due."""
        text = self.line(now)
        if text is None:
            return
        with self._lock:
            self.stream.write(f"\r\x1b[K{text[:100]}" if self.live else f"{text}\n")
            self.stream.flush()
            self._spoke, self._shown = now, True

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self.show(self.clock())

    def _wipe(self) -> None:
        if self.live and self._shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
