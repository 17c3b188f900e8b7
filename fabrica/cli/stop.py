"""Ctrl-C: the first one stops cleanly, its echoes are ignored, and whoever presses again later leaves at once.

A library that reads in C may send a signal on to us a second time, in the midst of our cleaning up; hence the echoes.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

from fabrica.errors import Interrupted

__all__ = ["STOP", "Stop"]

ECHO = 1.0  # seconds in which a repeated signal is an echo of the first


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

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = self.clock()
        if self.first is None:
            self.first = now
            self.tell()
            raise KeyboardInterrupt
        if now - self.first > ECHO:
            self.leave(Interrupted.exit_code)


STOP = Stop()
