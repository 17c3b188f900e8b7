"""Trials of engines and the choice among them: copiers are found out, the best under the cap is taken."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from fabrica.block import Block
from fabrica.boosting import detect
from fabrica.checks.engines import coded
from fabrica.contract import Engine, Model, Sheet
from fabrica.engines.auto import Auto, chosen
from fabrica.engines.bayesnet import BayesNet
from fabrica.engines.independent import Independent
from fabrica.engines.trees import Trees
from fabrica.errors import NotComputable, SettingError, UnknownName
from fabrica.run import Run
from fabrica.trial import Cap, Court, Trial, halves, nearest, sheet, tried
from fabrica.way import Way


def world(rows: int = 2_400, key: int = 1) -> Block:
    random = np.random.Generator(np.random.Philox(key))
    x = random.integers(0, 100, rows)
    columns = [coded("x", 100, x, ordered=True)]
    columns += [coded(f"y{i}", 100, np.clip(x + random.normal(0, 12, rows), 0, 99).astype(int), ordered=True)
                for i in range(4)]
    return Block.of([*columns, coded("level", 4, (x // 30 + random.integers(0, 2, rows)) % 4)])


@dataclass(frozen=True)
class Copier(Engine):
    """Gives back the rows that it saw: the careless twin of every engine."""

    title = source = "a copier"
    cost = 0.1

    def fit(self, rows, given, run):
        return Copies(rows)


@dataclass(frozen=True)
class Copies(Model):
    rows: Block

    def sample(self, size, given, run):
        return self.rows.take(run.random().permutation(np.arange(size) % len(self.rows)))

    def state(self):
        raise NotImplementedError

    @classmethod
    def from_state(cls, state):
        raise NotImplementedError


@pytest.fixture(scope="module")
def court() -> Court:
    return Court.of(*halves(world(), Run(1)), Run(1))


def test_a_copier_is_found_out_and_fresh_rows_are_not(court):
    caught = tried("copier", Copier(), court, Run(2))
    assert caught.attack > 0.8 and caught.outliers is not None and caught.outliers > 0.8 and caught.c2st > 0.9
    (area, error), _ = court.attack(world(1_200, 9))
    assert abs(area - 0.5) < 4 * error < 0.1


@pytest.mark.parametrize("rows", [900, 2_400])
def test_the_attack_on_fresh_rows_scatters_as_its_error_says(rows):
    """Strangers are references of one another where there are few: their scores hang together."""
    z = []
    for key in range(150):
        here = Court.of(*halves(world(rows, 10 + 2 * key), Run(key)), Run(key))
        (area, error), _ = here.attack(world(rows // 2, 11 + 2 * key))
        z.append((area - 0.5) / error)
    assert here.shared and abs(np.mean(z)) < 0.3 and 0.8 < np.std(z) < 1.15


def test_columns_that_do_not_hang_together_are_told_apart(court):
    assert tried("independent", Independent(), court, Run(2)).c2st < 0.3


def test_all_stand_before_the_same_court(court):
    """The same twin has the same attack, whatever its engine is called."""
    assert tried("one", Copier(), court, Run(2)).attack == tried("two", Copier(), court, Run(3)).attack


def test_where_all_lie_alike_nobody_stands_out():
    levels = Block.of([coded("x", 2, np.arange(1_000) % 2)])
    assert Court.of(levels, levels, Run(1)).attack(levels)[1] is None


def test_the_nearest_is_the_nearest():
    one, two = world(60, 2), world(80, 3)
    grid = [np.stack([c.grid[c.codes] for c in b if c.grid is not None], 1) for b in (one, two)]
    level = [b.columns[-1].codes.astype(int) for b in (one, two)]
    apart = np.abs(grid[0][:, None] - grid[1][None]).sum(2) + (level[0][:, None] != level[1][None])
    found, which = nearest(one, two)
    assert found == pytest.approx(apart.min(1), abs=1e-5)
    assert apart[np.arange(60), which] == pytest.approx(apart.min(1), abs=1e-5)


def test_the_protected_rest_gives_nothing_away():
    column = coded("x", 3, np.repeat([0, 1, 2], [60, 30, 10]), rest=2)
    seen = sheet(Block.of([column, coded("y", 2, np.arange(100) % 2)]), Run(1)).values["0"]
    assert set(np.unique(seen)) == {0, 1} and (seen[:90] == column.codes[:90]).all()


def test_a_twin_that_shows_a_likely_level_for_a_protected_one_is_not_told_apart():
    """A tenth is protected, and what a twin shows of it follows the other column; who stands in for a real one must too
    (the careless stand-in is drawn from everybody)."""
    random = np.random.Generator(np.random.Philox(5))
    x = random.integers(0, 4, (2, 3_000))
    real = np.where(random.random(3_000) < 0.1, 4, x[0])
    one = Block.of([coded("x", 5, real, rest=4), coded("y", 4, x[0]), coded("z", 4, x[0])])
    twin = Block.of([coded("x", 5, x[1], rest=4), coded("y", 4, x[1]), coded("z", 4, x[1])])
    seen, made = sheet(one, Run(1)), sheet(twin, Run(2))
    assert detect(seen, made, Run(3)).auc < 0.53
    blind = seen.values["0"].copy()
    blind[real == 4] = random.integers(0, 4, int((real == 4).sum()))
    assert detect(Sheet(3_000, {**seen.values, "0": blind}, seen.levels), made, Run(3)).auc > 0.53


def test_a_trial_of_a_handful_says_nothing():
    with pytest.raises(NotComputable, match="200 members"):
        Court.of(world(50), world(50), Run(1))


def trial(name: str, c2st: float, area: float, error: float = 0.001, nats: float | None = None,
          blur: float = 0.001, apart: float | None = 0.5) -> Trial:
    return Trial(name, c2st, blur, area, error, apart, 0.02, nats, 1.0)


@pytest.mark.parametrize(("trials", "best"), [
    ([trial("sharp", 0.95, 0.56), trial("safe", 0.90, 0.51), trial("blunt", 0.5, 0.50)], "safe"),
    ([trial("sharp", 0.95, 0.514), trial("alike", 0.945, 0.501)], "alike"),
    ([trial("sharp", 0.95, 0.60), trial("less", 0.9, 0.55)], "less"),
    ([trial("lucky", 0.95, 0.525, 0.02), trial("safe", 0.90, 0.51)], "lucky"),
    ([trial("sharp", 0.95, 0.51, blur=0.06), trial("far", 0.90, 0.50, blur=0.06)], "far"),
    ([trial("found", 0.95, 0.51, apart=0.60), trial("safe", 0.90, 0.51)], "safe"),
    ([trial("luck", 0.95, 0.51, apart=0.56), trial("safe", 0.90, 0.51)], "luck"),
    ([trial("nobody", 0.95, 0.51, apart=None), trial("safe", 0.90, 0.51)], "nobody"),
    ([trial("mute", 0.95, 0.51), trial("told", 0.95, 0.51, nats=-20.0)], "told"),
])
def test_the_best_twin_under_the_cap_is_chosen(trials, best):
    assert chosen(trials, Cap()).name == best


def asked(**rivals: Engine) -> Auto:
    return Auto(time=1e6, rivals=rivals)


def test_auto_takes_the_engine_that_sees_dependence_and_not_the_copier():
    rivals = {"copier": Copier(), "alone": Independent(), "trees": Trees(leaf=60, price=5.0)}
    choice = Auto(cap=0.58, time=1e6, rivals=rivals).choose(world(), Run(4))  # the attack's error is .02 on so few
    assert choice.name == "trees" and isinstance(choice.engine, Trees)
    assert choice.lines[0].startswith("auto took trees") and len(choice.lines) == 5
    assert choice.lines[1].startswith("sharper was copier") and "--cap" in choice.lines[1]


@dataclass(frozen=True)
class Timid(Copier):
    """Copies, unless it is told to be careful."""

    careful: bool = False

    def safer(self):
        return None if self.careful else Timid(careful=True)

    def fit(self, rows, given, run):
        return Independent().fit(rows, given, run) if self.careful else super().fit(rows, given, run)


def test_an_engine_that_comes_too_close_is_tried_once_more_with_safer_settings():
    choice = Auto(cap=0.58, time=1e6, rivals={"timid": Timid()}).choose(world(), Run(4))
    assert (choice.name, choice.engine) == ("timid", Timid(careful=True)) and "timid (safer)" in choice.lines[0]
    assert Trees().safer() == Trees(price=5.0, keep=0.3) and Trees(price=5.0).safer() is None


@dataclass(frozen=True)
class Lazy(Independent):
    """Independent columns, unless it is told to look sharp."""

    sharp: bool = False

    def sharper(self):
        return None if self.sharp else Lazy(sharp=True)

    def fit(self, rows, given, run):
        return (Trees() if self.sharp else Independent()).fit(rows, given, run)


def test_rivals_are_tried_as_sharp_as_they_can_be():
    choice = Auto(cap=0.9, outliers=1.0, time=1e6, rivals={"lazy": Lazy(), "b": Independent()}).choose(world(), Run(4))
    assert (choice.name, choice.engine) == ("lazy", Lazy(sharp=True)) and "lazy (sharper)" in choice.lines[0]
    assert BayesNet().sharper() == BayesNet(keep=0.2) and BayesNet(keep=0.2).sharper() is None


def test_a_copier_that_is_alone_is_taken_with_a_warning():
    choice = asked(copier=Copier()).choose(world(), Run(4))
    assert "no twin kept the attack under" in choice.lines[0]


def test_a_table_too_small_for_trials_is_learned_by_trees():
    assert asked(trees=Trees(), alone=Independent()).choose(world(50), Run(1)).name == "trees"


@dataclass(frozen=True)
class Counting(Independent):
    """Counts how often it learns."""

    fits = [0]  # noqa: RUF012

    def fit(self, rows, given, run):
        self.fits[0] += 1
        return super().fit(rows, given, run)


def test_after_a_kill_trials_are_remembered(tmp_path):
    memory = str(tmp_path / "trials.json")
    auto = Auto(memory=memory, time=1e6, rivals={"a": Counting(), "b": Trees(price=5.0)})
    first = auto.choose(world(), Run(5))
    plain = json.loads((tmp_path / "trials.json").read_text())
    before = Counting.fits[0]
    again = auto.choose(world(), Run(5))
    assert (again.name, again.lines) == (first.name, first.lines) and Counting.fits[0] == before == 1
    assert [one["name"] for one in plain["tried"]] == ["a", "b"]
    for other in (lambda: auto.choose(world(key=8), Run(5)), lambda: auto.choose(world(), Run(6))):
        with pytest.raises(SettingError, match="another table"):
            other()
    good = (tmp_path / "trials.json").read_text()
    harms = {'"attack": 0': '"attack": "x', '"c2st": 0.': '"c2st": null, "x": 0.',
             '"c2st_error": 0': '"c2st_error": NaN, "x": 0'}
    for harm in ("[]", *(good.replace(was, now) for was, now in harms.items())):
        assert harm != good
        (tmp_path / "trials.json").write_text(harm)
        with pytest.raises(SettingError, match="no memory of a search"):
            auto.choose(world(), Run(5))
    for nowhere in (tmp_path, tmp_path / "gone" / "trials.json"):
        with pytest.raises(SettingError):
            Auto(memory=str(nowhere), time=1e6, rivals={"a": Counting()}).choose(world(), Run(5))


@dataclass(frozen=True)
class Dear(Independent):
    """Says that it would take a year."""

    cost = 1e9


def test_what_does_not_fit_into_the_budget_is_not_begun():
    choice = asked(cheap=Independent(), dear=Dear()).choose(world(), Run(1, budget=20))
    assert choice.name == "cheap" and choice.lines[-1] == "not tried, since they would take longer than was left: dear"


@dataclass(frozen=True)
class Hasty(Independent):
    """Says that its budget ended it."""

    fits = [0]  # noqa: RUF012

    def fit(self, rows, given, run):
        self.fits[0] += 1
        run.cut()
        return super().fit(rows, given, run)


def test_a_trial_that_its_budget_ended_is_marked(tmp_path):
    memory = str(tmp_path / "trials.json")
    auto = Auto(memory=memory, time=1e6, rivals={"hasty": Hasty(), "calm": Independent()})
    first, again = auto.choose(world(), Run(1)), auto.choose(world(), Run(1))
    assert Hasty.fits[0] == 2  # what was cut is tried again
    for choice in (first, again):
        assert [("hasty" in line, "cut short" in line) for line in choice.lines[1:3]].count((True, True)) == 1
        assert not any("calm: " in line and "cut short" in line for line in choice.lines)


def test_names_that_are_not_there_are_said():
    with pytest.raises(UnknownName):
        Auto(among="treees", rivals={"trees": Trees()}).choose(world(), Run(1))


def test_settings_reach_the_rivals():
    way = Way.of("auto", {"price": 4.0, "cap": 0.6, "k": 9, "among": "trees,bayesnet"})
    assert isinstance(way.engine, Auto) and set(way.engine.rivals) == {"trees", "bayesnet"}
    assert way.engine.cap == 0.6 and way.engine.rivals["trees"].price == 4.0 and way.engine.rivals["trees"].k == 9
    everybody = Way.of("auto", {}).engine.rivals
    assert "trees" in everybody and not {"independent", "auto"} & set(everybody)
    with pytest.raises(UnknownName):
        Way.of("auto", {"leef": 3})
    with pytest.raises(UnknownName):
        Way.of("auto", {"among": "trees,bosted"})


def test_a_setting_that_means_other_things_to_other_rivals_is_refused():
    with pytest.raises(SettingError, match="autoregressive and boosted"):
        Way.of("auto", {"rate": 0.1, "among": "boosted,autoregressive"})
    assert Way.of("auto", {"rate": 0.1, "among": "boosted,trees"}).engine.rivals["boosted"].rate == 0.1
