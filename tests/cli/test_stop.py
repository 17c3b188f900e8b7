"""The first signal stops cleanly, its echoes are ignored, a later one leaves at once."""

from __future__ import annotations

import signal

import pytest

from fabrica.cli.stop import Stop


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
