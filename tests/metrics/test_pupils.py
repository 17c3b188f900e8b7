"""Models that learn from the twin: the linear ones are those of scikit-learn, differences are paired."""

from __future__ import annotations

import numpy as np
import pytest

from fabrica import linear
from fabrica.contract import Sheet
from fabrica.errors import NotComputable
from fabrica.marks import less, points_lost
from fabrica.pupils import Answer, Lesson, boosted, lined
from fabrica.run import Run
from fabrica.statistics import auc, auc_difference

from .worlds import find, judge, people, sheet, shuffled


def mixed(rows: int, seed: int) -> Sheet:
    draw = np.random.default_rng(seed)
    x, k = draw.normal(5, 3, rows), draw.integers(0, 3, rows)
    return sheet({"k": ["a", "b", "c"]}, x=x, z=draw.normal(size=rows), k=k)


# ---------------------------------------------------------------- linear models, with scikit-learn as the oracle


@pytest.mark.parametrize("many", [2, 4])
def test_classes_are_those_of_scikit_learn(many):
    from sklearn.linear_model import LogisticRegression

    train, test = mixed(1500, 1), mixed(400, 2)
    push = train.values["x"] / 3 + train.values["k"] + np.random.default_rng(3).normal(size=1500)
    y = np.digitize(push, np.quantile(push, np.linspace(0, 1, many + 1)[1:-1]))
    ours = linear.classes(train, test, ["x", "z", "k"], y)
    design = linear.Design.of(train, ["x", "z", "k"])
    theirs = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(design.matrix(train), y)
    assert ours == pytest.approx(theirs.predict_proba(design.matrix(test)), abs=2e-3)


def test_a_line_is_that_of_scikit_learn():
    from sklearn.linear_model import Ridge

    train, test = mixed(800, 1), mixed(300, 2)
    y = 3 * train.values["x"] - train.values["k"] + np.random.default_rng(3).normal(size=800)
    design = linear.Design.of(train, ["x", "z", "k"])
    theirs = Ridge(alpha=1.0).fit(design.matrix(train), y).predict(design.matrix(test))
    assert linear.line(train, test, ["x", "z", "k"], y) == pytest.approx(theirs)


def test_levels_that_can_be_told_without_error_and_constants_do_not_break_a_line():
    x = np.r_[np.full(50, -1.0), np.full(50, 1.0)]
    train = sheet(x=x, flat=np.full(100, 7.0), hole=np.full(100, np.nan))
    p = linear.classes(train, train, ["x", "flat", "hole"], (x > 0).astype(int))
    assert np.isfinite(p).all() and p[0, 1] < 0.1 and p[-1, 1] > 0.9


def test_a_line_is_misled_by_a_twin_that_lost_its_slope_and_the_trees_tell_another_story():
    real, rest = mixed(2000, 1), mixed(1000, 2)
    twin = mixed(2000, 3)
    for side, slope in ((real, 1.0), (rest, 1.0), (twin, 0.0)):
        noise = np.random.default_rng(side.rows).normal(size=side.rows)
        side.values["y"] = slope * (side.values["x"] - 5) + noise
    found = judge("utility", real, twin, rest, target="y")
    assert find(found, "utility_gap_linear").value > 50 and find(found, "utility_linear").floor > 0.8


# ---------------------------------------------------------------- paired differences


def test_the_paired_interval_of_two_areas_holds_and_is_much_narrower_than_an_unpaired_one():
    draw, gaps, paired, careless = np.random.default_rng(4), [], [], []
    for _ in range(300):
        truth = (draw.random(400) < 0.4).astype(int)
        score = truth + draw.normal(size=400)
        one, other = score + 0.2 * draw.normal(size=400), score + 0.2 * draw.normal(size=400)
        value, variance = auc_difference(truth, one, other)
        gaps.append(value)
        paired.append(variance)
        careless.append(auc(truth, one)[1] + auc(truth, other)[1])
    assert np.mean(np.abs(gaps) <= 1.96 * np.sqrt(paired)) == pytest.approx(0.95, abs=0.035)
    assert np.mean(paired) < 0.2 * np.mean(careless)
    assert np.var(gaps) == pytest.approx(np.mean(paired), rel=0.3)


def test_points_lost_are_counted_on_the_same_rows():
    test = sheet({"y": ["no", "yes"]}, y=np.r_[np.ones(60), np.zeros(40)])
    lesson = Lesson.of(test, "y")
    right = np.r_[np.ones(60), np.zeros(40)]
    worse = right.copy()
    worse[:5] = 0.0
    real, twin = (Answer(said, lesson.known, 100) for said in (right, worse))
    lost = points_lost(lesson, twin, real, test)
    assert lost.value == pytest.approx(5) and 0 < lost.low < 5 < lost.high < 11
    assert points_lost(lesson, real, real, test).value == 0
    assert less(lesson, twin, real, test, np.random.default_rng(1)).value > 0


def test_the_words_tell_the_points():
    real, rest = people(900, 1), people(900, 3)
    found = judge("utility", real, shuffled(people(900, 2)), rest, target="town")
    assert [f.metric for f in found] == ["utility", "utility_linear", "utility_gap", "utility_gap_linear"]
    gap = find(found, "utility_gap")
    assert gap.low < gap.value < gap.high and gap.low > 10
    assert f"loses {gap.value:.1f} points of accuracy" in find(found, "utility").detail["words"]
    assert "linear model" in find(found, "utility_linear").detail["words"]


@pytest.mark.parametrize("pupil", [boosted, lined])
def test_a_table_with_nothing_to_learn_teaches_nothing(pupil):
    real = people(300, 1)
    lesson = Lesson.of(real, "sex")
    flat = Sheet(300, {**real.values, "sex": np.zeros(300, np.int32)}, real.levels)
    assert set(pupil(lesson, flat, real, Run(1, workers=1)).said) == {0.5}
    empty = Sheet(300, {**real.values, "pay": np.full(300, np.nan)}, real.levels)
    with pytest.raises(NotComputable, match="30 values"):
        pupil(Lesson.of(real, "pay"), empty, real, Run(1, workers=1))


# ---------------------------------------------------------------- every column, and what matters


def test_every_column_is_the_target_once():
    real, fresh, rest = people(1200, 1), people(1200, 2), people(1200, 3)
    good, bad = judge("utility_columns", real, fresh, rest), judge("utility_columns", real, shuffled(fresh), rest)
    assert {f.place for f in good if f.place} == {(name,) for name in real.values}
    mean = find(good, "utility_columns")
    assert abs(mean.value) < 4 and mean.low < mean.value < mean.high
    assert find(bad, "utility_columns", "pay").low > 20 and find(bad, "utility_columns").detail["worst"] in real.values
    assert find(bad, "utility_columns", "pay").value > find(bad, "utility_columns", "pay").floor_high + 20


def test_a_wide_table_is_looked_at_in_part_and_says_so(monkeypatch):
    monkeypatch.setattr("fabrica.metrics.utility.utility_columns.COLUMNS", 4)
    draw = np.random.default_rng(1)
    wide = [sheet(**{f"x{i}": draw.normal(size=100) for i in range(70)}) for _ in range(3)]
    found = judge("utility_columns", *wide)
    assert found[0].detail["columns"] == 4 == len(found) - 1 and found[0].detail["of"] == 70


def test_a_column_of_many_levels_is_predicted_by_its_commonest():
    draw = np.random.default_rng(1)
    names = [str(i) for i in range(80)]
    tables = [sheet({"k": names}, k=np.minimum(draw.geometric(0.1, 900) - 1, 79), x=draw.normal(size=900))
              for _ in range(3)]
    assert find(judge("utility_columns", *tables), "utility_columns", "k").value is not None


def test_models_of_a_shuffled_twin_lean_on_other_columns():
    def lean(rows, seed, on):
        draw = np.random.default_rng(seed)
        x = draw.normal(size=(rows, 6))
        y = x @ np.array(on) + draw.normal(size=rows) > 0
        return sheet({"y": ["no", "yes"]}, **{f"x{i}": x[:, i] for i in range(6)}, y=y)

    on = [3, 2, 1, 0.6, 0.3, 0.1]
    real, fresh, rest = (lean(2500, seed, on) for seed in (1, 2, 3))
    good = judge("importance", real, fresh, rest, target="y")[0]
    bad = judge("importance", real, lean(2500, 4, on[::-1]), rest, target="y")[0]
    assert good.value > 0.8 and good.low <= good.floor_high and good.detail["columns"][0][0] == "x0"
    assert bad.high < 0 < good.floor_low


def test_what_cannot_be_measured_of_columns_is_said():
    real = people(200, 1)
    assert "no holdout" in judge("utility_columns", real, real)[0].problem
    assert "no target" in judge("importance", real, real)[0].problem
    assert "3 columns" in judge("importance", *(sheet(x=np.arange(600.0), y=np.arange(600.0)) for _ in range(3)),
                                target="y")[0].problem
    assert "200 rows" in judge("importance", *3 * [people(150, 1)], target="sex")[0].problem
