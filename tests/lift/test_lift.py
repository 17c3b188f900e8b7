"""Injection and its rivals: measured by the book, on the same rows, with nothing of the test in what is learned."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabrica
from fabrica.counted import filled
from fabrica.errors import FabricaError
from fabrica.interval import Interval
from fabrica.job import guess
from fabrica.lift import Task, trial
from fabrica.lift.judge import judged, prevailing, resampled
from fabrica.lift.rivals import again, smote
from fabrica.run import Run


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(3, 60), st.integers(1, 5))
def test_average_precision_is_that_of_scikit_learn(seed, rows, levels):
    """Ties and weights too."""
    from sklearn.metrics import average_precision_score

    random = np.random.default_rng(seed)
    truth = np.r_[1, 0, random.integers(0, 2, rows)]
    score, weight = random.integers(0, 5 * levels, rows + 2) / 7, random.gamma(1, 1, rows + 2)
    found = judged(truth, score, np.stack([weight, np.ones(len(weight))]), 0.1)[:, 0]
    assert abs(found[0] - average_precision_score(truth, score, sample_weight=weight)) < 1e-9
    assert abs(found[1] - average_precision_score(truth, score)) < 1e-9


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_recall_at_a_budget_is_brute_force(seed, alerts):
    random = np.random.default_rng(seed)
    truth, score = np.r_[1, random.integers(0, 2, 39)], random.permutation(40)
    caught = truth[np.argsort(-score)[:alerts]].sum() / truth.sum()
    assert abs(judged(truth, score, np.ones((1, 40)), alerts / 40)[0, 1] - caught) < 1e-9
    doubled = np.repeat(truth, 2), np.repeat(score, 2), np.ones((1, 80))  # a weight is a number of rows
    assert abs(judged(truth, score, np.full((1, 40), 2.0), alerts / 40) - judged(*doubled, alerts / 40)).max() < 1e-9
    tied = judged(truth, np.zeros(40), np.ones((1, 40)), alerts / 40)[0]
    assert abs(tied[1] - alerts / 40) < 1e-9 and abs(tied[0] - truth.mean()) < 1e-9


def test_without_positives_there_is_no_figure():
    assert np.isnan(judged(np.zeros(3), np.arange(3.0), np.ones((1, 3)), 0.1)).all()


def test_weights_give_the_prevalence_and_resamples_keep_it():
    truth = np.r_[np.ones(50), np.zeros(950)]
    draws = resampled(truth, 30, np.random.default_rng(1))
    weight = prevailing(truth, 0.02, draws)
    assert np.abs(weight[:, truth == 1].sum(1) - 0.02).max() < 1e-12 and np.abs(weight.sum(1) - 1).max() < 1e-9
    assert (draws[:, truth == 1].sum(1) == 50).all() and (draws.sum(1) == 1000).all() and draws.std() > 0


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 30))
def test_smote_lies_between_a_positive_and_one_of_its_neighbours(seed, rows):
    random = np.random.default_rng(seed)
    positives = np.column_stack([random.normal(size=(rows, 2)), random.integers(0, 3, rows)]).astype(np.float32)
    made = smote(positives, ["q", "q", "c"], 200, random)
    assert made.shape == (200, 3) and np.isin(made[:, 2], positives[:, 2]).all()
    for row in made[:20, :2]:
        ways = positives[None, :, :2] - positives[:, None, :2]
        off = row - positives[:, None, :2]
        length = (ways**2).sum(-1)
        along = np.where(length > 0, (ways * off).sum(-1) / np.where(length > 0, length, 1), 0).clip(0, 1)
        assert (((off - along[..., None] * ways) ** 2).sum(-1)).min() < 1e-8
    assert {tuple(row) for row in again(positives, 50, random)} <= {tuple(row) for row in positives}


def claims(rows: int = 4_000) -> pd.DataFrame:
    """Frauds are 5 of 100 and show in three columns together, which each tells a little of."""
    random = np.random.default_rng(1)
    fraud = random.random(rows) < 0.05
    return pd.DataFrame({
        "amount": np.round(random.gamma(2, 100 + 150 * fraud), 2), "hour": random.integers(0, 24, rows),
        "kind": np.where(fraud & (random.random(rows) < 0.6), "x", random.choice(list("xyz"), rows)),
        "age": np.round(random.normal(np.where(fraud, 30, 45), 12)).astype(int),
        "fraud": np.where(fraud, "yes", "no")})


def test_the_whole_is_told_drawn_and_written(tmp_path):
    from fabrica.cli.commands import _outcome

    claims().to_csv(tmp_path / "claims.csv", index=False)
    words = ["boost", str(tmp_path / "claims.csv"), "--target", "fraud", "--positive", "yes",
             "--positives", "10,30,900", "--seeds", "2", "--engines", "independent", "-o", str(tmp_path / "out"), "-q"]
    assert _outcome(words) == 0
    plain = json.loads((tmp_path / "out" / "boost.json").read_text())
    assert [s["positives"] for s in plain["steps"]] == [10, 30] and plain["skipped"] == [900]
    assert [a["name"] for a in plain["steps"][0]["arms"]] == [
        "none", "class weights", "oversampling", "SMOTE", "injected"]
    for step in plain["steps"]:
        for arm in step["arms"]:
            assert arm["precision"]["low"] <= arm["precision"]["value"] <= arm["precision"]["high"]
            assert 0 < arm["precision"]["value"] < 1 and (arm["lift"] is None) == (arm["name"] == "injected")
    picture = (tmp_path / "out" / "boost.svg").read_text()
    assert picture.startswith("<svg") and "injected" in picture
    found = fabrica.boost(claims(), target="fraud", positive="yes", positives=[10], seeds=1, engines="independent")
    again = fabrica.boost(claims(), target="fraud", positive="yes", positives=[10], seeds=1, engines="independent")
    assert found == again and "injected" in str(found)


def test_no_test_row_reaches_a_learner(monkeypatch):
    """What models and boosters see has no row of the test, and is the same for all ways."""
    frame = claims(1_500)
    frame["amount"] = np.arange(1_500) + 0.25  # tells each row from all others
    table, _ = guess(filled(frame), Run(1), None)
    tests, learned = [], []
    split = trial._Work.split

    def seen(self, count, random):
        learn, test = split(self, count, random)
        tests.append(set(np.asarray(self.rows.column("amount"))[test].tolist()))
        learned.append(set(np.asarray(self.rows.column("amount"))[learn].tolist()))
        return learn, test

    monkeypatch.setattr(trial._Work, "split", seen)
    fits = []
    boost = trial.boost
    monkeypatch.setattr(trial, "boost", lambda x, y, *a, **k: fits.append(x[:, 0].copy()) or boost(x, y, *a, **k))
    trial.lifted(filled(frame), table, Task("fraud", "yes", (10,), 1, engines=("independent",)), Run(1, workers=1))
    assert len(fits) == 5 and not tests[0] & learned[0] and len(learned[0]) > 100
    real = {round(float(v), 2) for v in fits[0]}
    assert real == {round(v, 2) for v in learned[0]}
    assert all((x[: len(fits[0])] == fits[0]).all() for x in fits)


@pytest.mark.parametrize(("told", "words"), [
    ({"target": "frau"}, "no column named"), ({"positive": "maybe"}, "no value as"), ({"positives": [0]}, "positives"),
    ({"target": "kind", "positive": "w"}, "no row has 'w'"), ({"positives": [300]}, "too few"),
    ({"alerts": 2.0}, "alerts"),
    ({"engines": "treees"}, "no engine named"), ({"engines": ["trees", "trees"]}, "each once"),
    ({"engines": []}, "names"), ({"leaf": 9}, "one engine"), ({"seeds": 0}, "seeds"),
    ({"prevalence": 1.0}, "prevalence")])
def test_what_cannot_be_is_said(told, words):
    with pytest.raises(FabricaError, match=words):
        fabrica.boost(claims(500), **{"target": "fraud", "positive": "yes", "seeds": 1, **told})


def test_each_engine_makes_its_part_of_the_injected_rows(monkeypatch):
    parts = []
    drawn = trial._Work.drawn

    def seen(self, name, real, count, run):
        made = drawn(self, name, real, count, run)
        parts.append((name, made.num_rows))
        assert set(made["fraud"].to_pylist()) == {"yes"}
        return made

    monkeypatch.setattr(trial._Work, "drawn", seen)
    fabrica.boost(claims(1_500), target="fraud", positive="yes", positives=[10], seeds=1,
                  engines=["independent", "copula", "bayesnet"], workers=1)
    assert [name for name, _ in parts] == ["independent", "copula", "bayesnet"]
    counts = [count for _, count in parts]
    assert max(counts) - min(counts) <= 1 and 170 < sum(counts) < 185  # a quarter of the negatives


def test_the_help_tells_the_engines_that_are_taken():
    from fabrica.cli.boost import command
    from fabrica.lift import ENGINES

    assert next(one for one in command.params if one.name == "engines").show_default == ",".join(ENGINES)


@pytest.mark.parametrize("rows", [1_000, 6_000])
def test_intervals_hold_what_they_promise(rows):
    """Two detectors that are equally good, fixed: splits share the rows of one table, so their errors do not average
    out. Of the intervals 95 in 100 hold the truth, which is 0."""
    random, held = np.random.default_rng(1), 0
    for _ in range(60):
        truth = (random.random(rows) < 0.05).astype(int)
        signal = random.normal(size=rows) + 1.2 * truth
        scores = [signal + 0.7 * random.normal(size=rows) for _ in range(2)]
        times = np.concatenate([np.ones((1, rows), np.int16), resampled(truth, 60, random)])
        values = []
        for _ in range(8):
            test = np.sort(random.permutation(rows)[: rows // 2])
            weights = prevailing(truth[test], 0.05, times[:, test])
            values.append(np.stack([judged(truth[test], score[test], weights, 0.01) for score in scores], 1))
        means = trial.averaged(np.array(values), random)
        lift = Interval.between(means[:, 1, 0] - means[:, 0, 0])
        held += lift.low <= 0 <= lift.high
    assert 53 <= held <= 60


def test_the_test_is_as_the_table_is_where_nothing_else_is_said():
    """Of a small table most positives are learned from, or few would be; those that judge weigh as in the table."""
    frame = claims(1_500)
    step = fabrica.boost(frame, target="fraud", positive="yes", positives=[30], seeds=1, engines="independent")
    assert abs(step.prevalence - (frame["fraud"] == "yes").mean()) < 1e-12
    found = step.steps[0]
    assert found.judging_negatives >= found.negatives and found.judging_positives >= 20 and not found.surely
    assert 0.05 < found.arms[0].precision.value < 0.9 and "of one split" in str(step)
