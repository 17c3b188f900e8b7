"""Progress is said when it helps: after two seconds, rewritten on a terminal, seldom elsewhere, never when quiet."""

from __future__ import annotations

import io

import pytest

from fabrica.cli.talk import Talk
from fabrica.run import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def talk(stream=None, quiet=False):
    clock = Clock()
    return Talk(quiet, stream or io.StringIO(), clock), clock


NEWS = Progress("fit", 3, 12, "learning", seconds=30.0)


def test_short_work_is_not_talked_about():
    one, clock = talk()
    one(NEWS)
    clock.now += 1.9
    assert one.line(clock.now) is None


def test_a_line_has_share_eta_and_time_so_far():
    one, clock = talk()
    one(NEWS)
    assert one.line(clock.now + 4) == "learning · 25 % · about 1 min 26 s left · 4 s so far"


def test_one_figure_tells_of_the_whole_job_where_it_is_known():
    """What came before the job was known (a long look at a wide table) is no part of its pace."""
    one, clock = talk()
    clock.now += 60
    one(Progress("fit/codecs", 0, 10, "surveying columns", whole=0.0))
    assert one.line(clock.now) == "surveying columns · 1 min 00 s so far"
    clock.now += 30
    one(Progress("fit/engine", 9, 10, "growing trees", seconds=3.0, whole=0.25))
    assert one.line(clock.now) == "growing trees · 25 % · about 1 min 30 s left · 1 min 30 s so far"
    assert "about 1 min 26 s left" in one.line(clock.now + 4)


def test_the_eta_shrinks_between_news():
    one, clock = talk(Terminal())
    one(NEWS)
    assert "about 1 min 20 s left" in one.line(clock.now + 10)
    assert one.line(clock.now + 1000) == "learning · 25 % · 16 min 40 s so far"  # it takes longer than was thought


def test_what_is_left_is_not_told_of_steps_that_take_unequally_long():
    one, clock = talk()
    one(Progress("evaluate", 30, 60, "shadow", seconds=30.0))
    assert one.line(clock.now + 4) == "measuring shadow · 50 % · 4 s so far"


def test_the_share_never_runs_backwards_within_a_step():
    one, clock = talk()
    one(NEWS)
    one(Progress("fit", 2, 12, "learning", seconds=31.0))  # of a slower worker
    assert "25 %" in one.line(clock.now + 4)
    one(Progress("fit", 1, 12, "judging", seconds=31.0))
    assert "judging · 8 %" in one.line(clock.now + 4)


@pytest.mark.parametrize(("news", "wanted"), [
    (Progress("fit/age", 0, 10), "fit, age · 9 s so far"), (Progress("", 0, 0), "working · 9 s so far"),
    (Progress("evaluate/x", 0, 9, "shape"), "measuring shape · 9 s so far"),
    (Progress("fit", 10, 10, "learning"), "learning · 100 % · 9 s so far"),
    (Progress("fit", 1, 10, "learning", seconds=8.0), "learning · 10 % · 9 s so far"),
    (Progress("fit", 11, 10, "learning"), "learning · 9 s so far")])
def test_news_without_a_pace_make_no_eta(news, wanted):
    one, clock = talk()
    one(news)
    assert one.line(clock.now + 9) == wanted


def test_a_terminal_rewrites_one_line_and_leaves_it_clean():
    stream = Terminal()
    one, clock = talk(stream)
    with one:
        one(NEWS)
        for _ in range(3):
            clock.now += 3
            one.show(clock.now)
    assert "\n" not in stream.getvalue() and stream.getvalue().endswith("\r\x1b[K")
    assert stream.getvalue().count("\r\x1b[Klearning") >= 3


def test_elsewhere_plain_lines_come_every_few_seconds():
    stream = io.StringIO()
    one, clock = talk(stream)
    one(NEWS)
    for _ in range(60):
        clock.now += 0.25
        one.show(clock.now)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3 and "\r" not in stream.getvalue() and "\x1b" not in stream.getvalue()


def test_quiet_is_silent():
    stream = Terminal()
    one, clock = talk(stream, quiet=True)
    with one:
        one(NEWS)
        one.say("a note")
        clock.now += 60
        one.show(clock.now)
    assert stream.getvalue() == ""


def test_a_note_stands_alone_on_its_line():
    stream = Terminal()
    one, clock = talk(stream)
    one(NEWS)
    clock.now += 3
    one.show(clock.now)
    one.say("column 'id' is a key")
    assert stream.getvalue().endswith("\r\x1b[Kcolumn 'id' is a key\n")
