"""Chance by name, the same on any number of workers; progress, budget and cancel."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.errors import FabricaError, Interrupted
from fabrica.run import Progress, Run

NAMES = st.lists(st.one_of(st.text(max_size=5), st.integers(-5, 5)), max_size=4)


def at(seed: int, path: list[str | int]) -> Run:
    run = Run(seed, workers=1)
    for name in path:
        run = run.child(name)
    return run


@given(st.integers(), NAMES, NAMES)
def test_a_stream_depends_on_seed_and_path_alone(seed: int, path: list[str | int], other: list[str | int]) -> None:
    one, again = at(seed, path).random().random(4), at(seed, path).random().random(4)
    assert (one == again).all()
    if [str(p) for p in path] != [str(p) for p in other]:
        assert (at(seed, other).random().random(4) != one).any()
    assert (at(seed + 1, path).random().random(4) != one).any()


def test_names_do_not_run_together() -> None:
    keys = {at(0, p).key() for p in (["ab"], ["a", "b"], ["a", "", "b"], ["", "ab"], [], ["b", "a"], [1, 2], [12])}
    assert len(keys) == 8


def test_a_stream_is_drawn_once() -> None:
    run = Run(1)
    run.child("a").random()
    run.child("b").random()
    with pytest.raises(FabricaError, match="drawn twice"):
        run.child("a").random()
    run.fresh().child("a").random()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_map_keeps_the_order_and_workers_do_not_matter(workers: int) -> None:
    run = Run(3, workers=workers)
    found = run.map(lambda i: (i, float(run.child("part").child(i).random().random())), range(20))
    assert [i for i, _ in found] == list(range(20))
    alone = Run(3, workers=1)
    assert [u for _, u in found] == [float(alone.child("part").child(i).random().random()) for i in range(20)]


def test_map_of_nothing_and_an_error_within() -> None:
    run = Run(workers=3)
    assert run.map(str, []) == []

    def fails(i: int) -> int:
        if i == 2:
            raise ValueError("two")
        return i

    with pytest.raises(ValueError, match="two"):
        run.map(fails, range(5))


def test_cancel_stops_at_the_next_word() -> None:
    run = Run(workers=2)
    run.child("deep").child("down").cancel()
    with pytest.raises(Interrupted):
        run.tell(1, 2)
    with pytest.raises(Interrupted):
        run.map(str, range(3))
    with pytest.raises(Interrupted):
        run.fresh().check()


def test_progress_comes_from_every_branch() -> None:
    heard: list[Progress] = []
    lock = threading.Lock()

    def listen(p: Progress) -> None:
        with lock:
            heard.append(p)

    run = Run(workers=4, listener=listen)
    run.map(lambda i: run.child(i).tell(1, 2, "half"), range(8))
    assert sorted(p.task for p in heard) == sorted(map(str, range(8)))
    assert all((p.step, p.of, p.note) == (1, 2, "half") for p in heard)
    assert Progress("t", 0, 5).eta is None and Progress("t", 1, 5, seconds=2.0).eta == 8


def test_a_budget_runs_out() -> None:
    assert Run().left() == float("inf")
    assert 0 < Run(budget=1000).child("x").left() <= 1000
    assert Run(budget=0).left() == 0


def test_news_tell_how_much_of_the_whole_job_is_done() -> None:
    found: list[float | None] = []
    run = Run(listener=lambda news: found.append(news.whole))
    run.child("fit").tell(1, 2)
    run.expect({"fit/codecs": 1.0, "fit/engine": 2.0, "sample": 1.0})
    for step in range(3):
        run.child("fit").child("codecs").tell(step, 2)
    run.child("fit").child("engine").child("deep").tell(1, 2)
    run.fresh().child("sample").tell(1, 1)
    run.child("elsewhere").tell(1, 1)
    assert found == [None, 0.0, 0.125, 0.25, 0.5, 1.0, None]
