"""The first signal stops cleanly, its echoes are ignored, a later one leaves at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from fabrica.cli.stop import Stop
from fabrica.cli.working import at_work


def test_signals_in_turn():
    now, left, told = [0.0], [], []
    stop = Stop(lambda: now[0], left.append)
    stop.tell = lambda: told.append("cancelled")
    with pytest.raises(KeyboardInterrupt):
        stop(signal.SIGINT, None)
    for now[0] in (0.1, 0.9):
        stop(signal.SIGINT, None)  # an echo
    assert (told, left) == (["cancelled"], [])
    now[0] = 3.0
    stop(signal.SIGINT, None)
    assert left == [130]


LOST = """
import sys, time, weakref
from fabrica.cli.stop import STOP
import signal
STOP.install()
class Thing: pass
thing = Thing()
kept = weakref.ref(thing, lambda ref: signal.raise_signal(signal.{name}))
try:
    del thing  # the signal falls into the callback, which throws away what is raised in it
    for _ in range(500):
        time.sleep(0.01)
    print("went on")
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_that_a_callback_threw_away_is_given_once_more(name):
    done = subprocess.run([sys.executable, "-c", LOST.format(name=name)], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("stopped\n", "", 0)


def test_what_others_lose_is_told_as_before():
    code = ("from fabrica.cli.stop import STOP\nSTOP.install()\n"
            "class Thing:\n  def __del__(self): raise ValueError('kept')\nThing()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ValueError: kept" in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGQUIT"), reason="signals of POSIX")
def test_enough_is_heard_and_nothing_is_stopped():
    found = signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # whoever ran before may have left one
    try:
        with at_work(1, True):
            assert signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL  # where nothing is learned, it is left as it is
        with at_work(1, True, learns=True) as (run, _):
            assert not run.is_enough
            signal.raise_signal(signal.SIGQUIT)
            deadline = time.monotonic() + 10
            while not run.is_enough and time.monotonic() < deadline:  # a signal is heard soon, and not at once
                time.sleep(0.01)
            assert run.is_enough
            run.tell(1, 2)
        assert signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGQUIT, found)
