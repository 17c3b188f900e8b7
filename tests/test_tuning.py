"""The search over settings: a known optimum is found, the cap holds, luck is not believed, a kill loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from fabrica import pipeline, tuning
from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.cli.options import _tuned
from fabrica.contract import Setting
from fabrica.engines.copula import Copula
from fabrica.engines.independent import Independent
from fabrica.errors import FabricaError, Interrupted, SettingError
from fabrica.run import Run
from fabrica.trial import Cap, Trial
from fabrica.tuning import Attempt, Tuned, flags, save, search

pytest.importorskip("optuna", reason="the search needs the extra `tune`")

ROWS = Block.of([coded("x", 4, np.arange(1000) % 4)])
BEST = 0.7


@dataclass(frozen=True)
class Dial(Independent):
    """Something to turn."""

    x: Annotated[float, Setting("how far", low=0, high=1, search=(0, 1))] = 0.1
    many: Annotated[int, Setting("how many", low=1, high=1000, search=(1, 1000))] = 1
    way: Annotated[str, Setting("which way", choices=("left", "right"), search=("left", "right"))] = "left"


@dataclass(frozen=True)
class Far(Dial):
    """Begins outside the range of the search."""

    zero: Annotated[int, Setting("0: by the table", low=0, high=9, search=(1, 9))] = 0


def judged(dial: Dial, c2st: float, attack: float = 0.5) -> Trial:
    return Trial("dial", c2st, 0.001, attack, 0.001, None, None, None, 0.01)


def fake(monkeypatch: pytest.MonkeyPatch, run: Run, score: Callable[[Dial], Trial], most: int = 60) -> list[Dial]:
    """Trials by formula; the time is over after ``most`` of them."""
    seen: list[Dial] = []

    def tried(name: str, engine: Dial, court: object, here: Run) -> Trial:
        seen.append(engine)
        if len(seen) == most:
            run._shared.deadline = 0.0
        return score(engine)

    monkeypatch.setattr(tuning, "tried", tried)
    return seen


def bowl(dial: Dial) -> Trial:
    return judged(dial, 0.9 - (dial.x - BEST) ** 2 - 0.1 * (dial.way == "left"))


def test_a_known_optimum_is_found(monkeypatch):
    run = Run(1, budget=1e6)
    seen = fake(monkeypatch, run, bowl)
    found = search(ROWS, "dial", Dial(), run, Cap())
    assert seen[0] == Dial() and len(found.attempts) == 60
    assert abs(found.settings["x"] - BEST) < 0.1 and found.settings["way"] == "right"
    assert found.attempts[0].settings == found.settings and found.attempts[0].again is not None
    numbers = sorted(d.many for d in seen)  # searched by magnitudes
    assert numbers[0] >= 1 and numbers[-1] > 100 and numbers[len(numbers) // 2] < 400


def test_what_comes_too_close_is_not_taken(monkeypatch):
    run = Run(2, budget=1e6)
    fake(monkeypatch, run, lambda dial: judged(dial, 0.5 + dial.x / 3, 0.5 + 0.1 * (dial.x > 0.4)))
    found = search(ROWS, "dial", Dial(), run, Cap())
    assert 0.3 < found.settings["x"] <= 0.4


def test_luck_is_not_believed(monkeypatch):
    """Every attempt is as good as any other; the careless twin takes the luckiest."""
    run, random = Run(3, budget=1e6), np.random.default_rng(4)

    def luck(dial: Dial) -> Trial:
        return Trial("dial", 0.8 + random.normal(0, 0.02), 0.02, 0.5, 0.01, None, None, None, 0.01)

    fake(monkeypatch, run, luck)
    found = search(ROWS, "dial", Dial(), run, Cap())
    assert not found.settings and max(a.trial.c2st for a in found.attempts) > 0.83
    assert found.words()[0].startswith("nothing was surely better")


def test_the_best_of_equals_is_seldom_told_as_better():
    """The rate over many searches, with finalists that differ by the error that is stated."""
    random, cap = np.random.default_rng(6), Cap()
    told = 0
    for _ in range(2_000):
        finalists = [Attempt({"x": i} if i else {}, judged(Dial(), 0.8),
                             Trial("dial", 0.8 + random.normal(0, 0.02), 0.02, 0.5, 0.001, None, None, None, 1.0))
                     for i in range(3)]
        told += bool(tuning._best(finalists, cap).settings)
    assert told < 0.05 * 2_000


def test_a_budget_that_is_used_up_is_said():
    with pytest.raises(SettingError, match="used up"):
        search(ROWS, "dial", Dial(), Run(1, budget=0.0), Cap())


def _done(study) -> int:
    return sum(trial.state.name == "COMPLETE" for trial in study.trials)


def test_the_search_is_told_nothing_of_settings_outside_their_range(monkeypatch):
    run = Run(7, budget=1e6)
    fake(monkeypatch, run, bowl, 3)
    told = []
    real = tuning._tell
    monkeypatch.setattr(tuning, "_tell", lambda study, *rest: (real(study, *rest), told.append(_done(study))))
    search(ROWS, "dial", replace(Dial(), many=1000), run, Cap())
    assert told == [1, 2, 3]
    told.clear()
    again = Run(7, budget=1e6)
    fake(monkeypatch, again, bowl, 3)
    search(ROWS, "dial", Far(), again, Cap())
    assert told[0] == 0


def test_defaults_that_come_too_close_are_left_for_what_does_not(monkeypatch):
    run = Run(4, budget=1e6)
    fake(monkeypatch, run, lambda dial: judged(dial, 0.6 if dial.x != 0.1 else 0.9, 0.5 if dial.x != 0.1 else 0.7))
    assert search(ROWS, "dial", Dial(), run, Cap()).settings


def test_a_search_that_was_killed_goes_on(monkeypatch, tmp_path):
    file, run = tmp_path / "tuned.json", Run(5, budget=1e6)

    def killed(dial: Dial) -> Trial:
        if len(seen) == 11:
            raise Interrupted("stopped")
        return bowl(dial)

    seen = fake(monkeypatch, run, killed)
    with pytest.raises(Interrupted):
        search(ROWS, "dial", Dial(), run, Cap(), file)
    assert len(json.loads(file.read_text())["tried"]) == 10
    with pytest.raises(SettingError, match="not ended"):
        flags(file)
    again = Run(5, budget=1e6)
    more = fake(monkeypatch, again, bowl, 20)
    found = search(ROWS, "dial", Dial(), again, Cap(), file)
    assert len(found.attempts) == 30 and Dial() not in more[:19]
    assert len({(d.x, d.many) for d in [*seen[:10], *more[:19]]}) == 29  # it does not propose the same again
    for other in (Run(6, budget=1e6), Run(5, budget=1e6)):
        with pytest.raises(SettingError, match="another table"):
            search(ROWS, "dial", Dial(x=0.2), other, Cap(), file)


@pytest.mark.parametrize(("cut", "kept"), [(0, 0), (3, 9)])
def test_what_was_cut_is_tried_again_and_the_first_attempt_is_the_engine_as_it_is(cut, kept, monkeypatch, tmp_path):
    file, run = tmp_path / "tuned.json", Run(5, budget=1e6)

    def killed(dial: Dial) -> Trial:
        if len(seen) == 11:
            raise Interrupted("stopped")
        return replace(bowl(dial), cut=len(seen) == cut + 1)

    seen = fake(monkeypatch, run, killed)
    with pytest.raises(Interrupted):
        search(ROWS, "dial", Dial(), run, Cap(), file)
    again = Run(5, budget=1e6)
    more = fake(monkeypatch, again, bowl, 20)
    found = search(ROWS, "dial", Dial(), again, Cap(), file)
    assert (more[0] == Dial()) == (cut == 0) and sum(not a.settings for a in found.attempts) == 1
    assert len(found.attempts) == kept + 20 and not any(a.trial.cut for a in found.attempts)


@pytest.mark.parametrize("harm", ["", "[]", "{}", '{"of": 1}', "nothing"])
def test_a_file_of_something_else_is_refused(harm, tmp_path):
    file = tmp_path / "tuned.json"
    file.write_text(harm)
    with pytest.raises(SettingError, match=r"memory of a search|another table"):
        search(ROWS, "dial", Dial(), Run(1, budget=1), Cap(), file)
    with pytest.raises(SettingError):
        flags(file)


@pytest.mark.parametrize("found", [{"engine": "boost", "settings": {}}, {"engine": "boosted", "settings": {"x": 1}},
                                   {"engine": "boosted", "settings": {"rounds": "many"}}])
def test_a_file_that_tells_of_what_there_is_not_is_named(found, tmp_path):
    file = tmp_path / "tuned.json"
    file.write_text(json.dumps(found))
    with pytest.raises(FabricaError, match=r"tuned\.json"):
        flags(file)


def test_what_was_found_becomes_words_of_a_command_line(tmp_path):
    file = tmp_path / "tuned.json"
    file.write_text(json.dumps({"of": "x", "tried": []}))
    trial = judged(Dial(), 0.8)
    save(Tuned("trees", {"leaf": 30, "price": 2.5}, (Attempt({"leaf": 30}, trial),)), {"k": 7, "leaf": 9}, file)
    due = ["--engine", "trees", "--set", "k=7", "--set", "leaf=30", "--set", "price=2.5"]
    assert flags(file) == due
    for words in (["t.csv", "--tuned", str(file), "--leaf", "4"], ["t.csv", f"--tuned={file}", "--leaf", "4"]):
        assert _tuned(words) == [*due, "t.csv", "--leaf", "4"]
    assert Tuned("trees", {"leaf": 30}, ()).flags() == "--engine trees --leaf 30"


@pytest.mark.parametrize(("engine", "rows", "budget", "what"), [
    (Dial(), ROWS, None, "budget"), (Dial(), ROWS.take(slice(0, 300)), 9, "rows"), (Copula(), ROWS, 9, "no settings")])
def test_what_cannot_be_searched_is_said(engine, rows, budget, what):
    with pytest.raises(SettingError, match=what):
        search(rows, "it", engine, Run(1, budget=budget), Cap())


def test_every_range_lies_inside_what_is_allowed():
    from fabrica import catalog

    searched = 0
    for name in catalog.names("engines"):
        kind = catalog.get("engines", name)
        for setting, (_, told, _) in kind.settings().items():
            for value in told.search:
                kind.with_settings({setting: value})
                searched += 1
    assert searched > 40


def test_a_real_table_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tuning, "JUDGING", 0.3)  # the table is small
    random = np.random.default_rng(9)
    a = random.normal(0, 1, 600)
    table = {"a": a.round(2).tolist(), "b": (a + random.normal(0, 1, 600)).round(2).tolist()}
    found = pipeline.tune(table, engine="bayesnet", budget=15, memory=tmp_path / "tuned.json", seed=3)
    assert found.engine == "bayesnet" and len(found.attempts) >= 2 and found.attempts[0].trial.c2st > 0.3
    assert json.loads((tmp_path / "tuned.json").read_text())["tried"]


def test_what_came_out_of_a_search_is_told_as_it_is():
    fine, close = (judged(Dial(), 0.8, attack) for attack in (0.5, 0.7))
    alone = Tuned("dial", {}, (Attempt({}, fine),))
    assert "time for the settings of dial as they are only" in alone.words()[0]
    refused = Tuned("dial", {}, (Attempt({}, close), Attempt({"x": 0.3}, close)))
    assert "come too close to people" in refused.words()[0] and refused.words()[1].startswith("as they are")
    better = tuple(Attempt({"x": i / 100}, fine) for i in range(1, 30))
    many = Tuned("dial", {"x": 0.5}, (*better, Attempt({}, fine)))
    assert any(line.startswith("as they are") for line in many.words())
    assert "and 19 that were not better" in many.words()
