"""Ctrl-C: the first one stops cleanly, its echoes are ignored, and whoever presses again later leaves at once.

A library that reads in C may send a signal on to us a second time, in the midst of our cleaning up; hence the echoes.
A signal may also fall into a callback of the interpreter (of a weak reference, of an object's end), which throws away
what is raised in it; the same signal is then given once more, when the callback is over.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from fabrica.errors import Interrupted

__all__ = ["STOP", "Stop"]

ECHO = 1.0  # seconds in which a repeated signal is an echo of the first
AGAIN = 0.02  # seconds after which a signal that was lost is given once more


class Stop:
    """A handler of SIGINT and SIGTERM.

    Parameters
    ----------
    clock : seconds from any start.
    leave : ends the program at once.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, leave: Callable[[int], object] = os._exit):
        self.clock, self.leave = clock, leave
        self.first: float | None = None
        self.tell: Callable[[], None] = lambda: None  #: called first: cancels the threads of the work under way

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self)
        others = sys.unraisablehook

        def lost(what: sys.UnraisableHookArgs) -> None:
            if not issubclass(what.exc_type, KeyboardInterrupt):
                return others(what)
            self.first = None
            _once_more()

        sys.unraisablehook = lost

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = self.clock()
        if self.first is None:
            self.first = now
            self.tell()
            raise KeyboardInterrupt
        if now - self.first > ECHO:
            self.leave(Interrupted.exit_code)


def _once_more() -> None:
    """Give the main thread an interrupt when the callback it is in will be over."""
    timer = threading.Timer(AGAIN, _thread.interrupt_main)
    timer.daemon = True
    timer.start()


STOP = Stop()
