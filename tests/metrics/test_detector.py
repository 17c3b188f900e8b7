"""The detector: the published score on the same rows, and its laws."""

from __future__ import annotations

import numpy as np
import pytest

from fabrica.boosting import Detection, boost, detect, features, predict
from fabrica.errors import NotComputable
from fabrica.run import Run
from fabrica.statistics import auc

from .worlds import find, judge, people, sheet, shuffled


def test_a_fresh_sample_cannot_be_told_apart():
    found = judge("detector", people(1500, 1), people(1500, 2), people(1500, 3))
    for against in ("train", "holdout"):
        seen = find(found, "detector_auc", against=against)
        assert seen.low < 0.5 < seen.high or abs(seen.value - 0.5) < 0.03
        assert seen.floor == pytest.approx(0.5, abs=0.05)
        assert find(found, "detector", against=against).value > 0.9


def test_columns_without_connection_are_found_out():
    found = judge("detector", people(1500, 1), shuffled(people(1500, 2)))
    seen = find(found, "detector_auc")
    assert seen.value > 0.75 and seen.low < seen.value < seen.high
    assert find(found, "detector").value == pytest.approx(1 - (2 * seen.value - 1), abs=1e-6)
    assert find(found, "detector", against="holdout").problem == "there is no holdout"


def test_the_column_that_gives_it_away_is_named_first():
    real, twin = people(800, 1), people(800, 2)
    twin.values["age"][:] = np.round(twin.values["age"], -1)
    gains = [f for f in judge("detector", real, twin) if f.metric == "detector_column"]
    assert gains[0].place == ("age",)
    assert sum(f.value for f in gains) == pytest.approx(1)


def test_copies_score_below_chance():
    real = people(600, 1, missing=0)
    assert find(judge("detector", real, real), "detector_auc").value < 0.45
    assert find(judge("detector", real, real), "detector").value == 1


def test_too_few_rows_or_columns_say_so():
    assert judge("detector", people(20, 1), people(20, 2))[0].problem.startswith("a detector needs at least 30 rows")
    with pytest.raises(NotComputable):
        detect(sheet(), sheet(), Run(1))


def test_the_number_of_workers_changes_nothing():
    real, twin = people(300, 1), people(300, 2)
    assert detect(real, twin, Run(4, workers=1)) == detect(real, twin, Run(4, workers=3))


def test_categories_grow_the_trees_of_one_hot_columns():
    import xgboost

    draw = np.random.default_rng(0)
    names = {"k": [str(i) for i in range(12)], "m": ["a", "b"]}
    s = sheet(names, x=np.where(draw.random(800) < 0.1, np.nan, draw.normal(size=800)),
              k=draw.integers(-1, 12, 800), m=draw.integers(0, 2, 800))
    y = (draw.random(800) < np.where(s.values["k"] % 3 == 0, 0.8, 0.3)).astype(np.float32)
    seen = features([s])
    codes = [np.unique(s.values[n], return_inverse=True)[1] for n in names]
    hot = np.column_stack([s.values["x"], *(np.eye(c.max() + 1)[c] for c in codes)]).astype(np.float32)
    mine = predict(boost(seen.parts[0], y, seen.types, 30, objective="binary:logistic"), seen.parts[0], seen.types)
    theirs = xgboost.XGBClassifier(n_estimators=30, tree_method="hist", n_jobs=1, random_state=0).fit(hot, y)
    assert mine == pytest.approx(theirs.predict_proba(hot)[:, 1], abs=1e-5)


def test_more_than_a_hundred_levels_are_numbered():
    names = {"k": [str(i) for i in range(300)]}
    assert features([sheet(names, k=np.arange(101))]).types == ("q",)
    assert features([sheet(names, k=np.arange(100))]).types == ("c",)


def test_closeness_is_one_at_chance_and_below():
    assert [Detection.closeness(a) for a in (0.3, 0.5, 0.75, 1.0)] == [1, 1, 0.5, 0]


def law_detector_sees_missing_cells(encode=features):
    """A table whose missing cells were filled is found out by their being filled."""
    real = sheet({"k": ["a", "b"]}, k=np.tile([0, 1, -1], 200))
    twin = sheet({"k": ["a", "b"]}, k=np.tile([0, 1, 1], 200))
    x = np.vstack(encode([real, twin]).parts)
    y = np.repeat([1.0, 0.0], 600).astype(np.float32)
    types = encode([real, twin]).types
    assert auc(y, predict(boost(x, y, types, 10, objective="binary:logistic"), x, types))[0] > 0.6


def careless(sheets):
    filled = [type(s)(s.rows, {n: np.maximum(v, 1) for n, v in s.values.items()}, s.levels) for s in sheets]
    return features(filled)


def test_missing_levels_are_seen_by_the_detector():
    law_detector_sees_missing_cells()
    with pytest.raises(AssertionError):
        law_detector_sees_missing_cells(careless)
