"""The verdict: honest grades at their thresholds, the worst named, copies never forgiven."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fabrica.evaluation import evaluate
from fabrica.page.standing import standing
from fabrica.report import Finding, Report
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.verdict import GRADES, LIMITS, grades, told, verdict


def report(auc: float = 0.51, trend: float = 1.2, shape: float = 0.4, *more: Finding) -> Report:
    return Report((
        Finding("detector_auc", auc, better=0.5, unit="AUC", floor=0.5, low=auc - 0.01, high=auc + 0.01,
                against="holdout"),
        Finding("detector_column", 0.6, ("age",), against="holdout"),
        Finding("trend_common", trend, unit="%", floor=1.0), Finding("shape", shape, unit="%", floor=0.36),
        Finding("shape", shape * 3, ("pay",), unit="%", floor=0.4), *more))


@pytest.mark.parametrize(("given", "grade"), [
    ({}, "excellent"), ({"auc": 0.6}, "good"), ({"auc": 0.75}, "fair"), ({"auc": 0.99}, "poor"),
    ({"trend": 3}, "good"), ({"trend": 20}, "poor"), ({"shape": 4}, "fair")])
def test_the_worst_aspect_is_the_grade(given, grade):
    assert verdict(report(**given))[0] == grade


def test_words_say_the_number_its_chance_and_its_floor():
    sentences = verdict(report())[1]
    assert sentences[0] == ("A gradient-boosted detector hardly tells the twin from rows that nobody learned from "
                            "with AUC 0.51 (0.50 is chance, a real holdout scores 0.50).")
    assert "Two columns together are 1.20 % off on average (as many real rows: 1.00 %)." in sentences


@pytest.mark.parametrize(("auc", "floor", "grade"), [(1.0, 0.99, "not graded"), (0.7, 0.99, "not graded"),
                                                     (0.75, 0.7, "not graded"), (0.99, 0.65, "poor"),
                                                     (0.55, 0.54, "excellent")])
def test_a_twin_as_far_from_real_rows_as_these_are_from_each_other_is_not_praised(auc, floor, grade):
    seen = Finding("detector_auc", auc, better=0.5, unit="AUC", floor=floor, floor_low=floor - 0.01, against="holdout")
    found, sentences = verdict(Report((seen, *report().findings[2:])))
    assert found == grade
    if grade == "not graded":
        assert "real rows learned from and real rows held back are told apart too" in sentences[0]
        assert "see the attack alike" in sentences[0]
        assert f"and real rows from real rows with {floor:.2f}" in sentences[1]


def test_the_worst_column_and_pair_and_the_giveaway_are_named():
    pair = Finding("trend_common", 30.0, ("age", "pay"), unit="%", floor=2.0)
    text = " ".join(verdict(report(0.9, 5, 5, pair))[1])
    assert "The worst pair is 'age' with 'pay': 30.0 %" in text
    assert "The worst column is 'pay': 15.0 %" in text
    assert "gives it away most is 'age' (60 % of the gain)" in text


def test_copies_beyond_chance_are_poor_however_good_the_rest():
    copies = (Finding("copies", 1.0, floor=0.01), Finding("copies_excess", 0.9, better=0.0, low=0.89, high=0.91))
    grade, sentences = verdict(report(0.5, 1.0, 0.36, *copies))
    assert grade == "poor" and "Do not share this table" in " ".join(sentences)
    assert told(report(0.5, 1.0, 0.36, *copies))["title"] == "Repeats real rows"


def test_below_chance_is_said():
    near = Finding("detector_auc", 0.41, better=0.5, low=0.40, high=0.42, floor=0.5, against="train")
    assert "more closely than fresh real rows" in " ".join(verdict(Report((near,)))[1])


@pytest.mark.parametrize(("auc", "rows", "grade"), [
    (0.46, 30_000, "excellent"), (0.44, 10_000, "excellent"), (0.33, 1_000, "excellent"), (0.39, 10_000, "excellent"),
    (0.33, 10_000, "good"), (0.30, 10_000, "fair"), (0.17, 10_000, "poor"), (0.17, 1_000, "fair")])
def test_a_detector_far_below_chance_is_a_fault_of_its_own(auc, rows, grade):
    near = Finding("detector_auc", auc, better=0.5, low=auc, high=auc, floor=0.5, detail={"rows": rows})
    assert verdict(report(0.5, 1.0, 0.36, near))[0] == grade
    if grade in ("fair", "poor"):
        assert told(report(0.5, 1.0, 0.36, near))["title"] == "Follows real rows too closely"
        assert "near-copies of people" in " ".join(verdict(report(0.5, 1.0, 0.36, near))[1])


def test_more_recall_than_real_rows_is_a_fault_too():
    one = Finding("beta_recall", 0.71, better="higher", low=0.69, high=0.73, floor=0.5, floor_low=0.48, floor_high=0.52)
    assert verdict(report(0.5, 1.0, 0.36, one))[0] == "poor"


def people(rows: int, seed: int) -> pa.Table:
    draw = np.random.default_rng(seed)
    base = draw.normal(size=rows)
    wide = {f"x{i}": np.round(base + draw.normal(size=rows), 3) for i in range(4)}
    return pa.table({**wide, "town": np.array(["a", "b", "c"])[draw.integers(0, 3, rows)]})


def judged(real: pa.Table, twin: pa.Table, rest: pa.Table | None, **more) -> Report:
    sides = [None if t is None else SimpleNamespace(rows=t.num_rows, batches=t.to_batches) for t in (real, twin, rest)]
    schema = Table("t", tuple(Column(n, "category" if n == "town" else "decimal") for n in real.column_names))
    return evaluate(*sides, table=schema, run=Run(1, workers=1), **more)


def jittered(real: pa.Table, share: float = 1.0) -> pa.Table:
    """Everybody, one number moved by a hair."""
    draw = np.random.default_rng(5)
    moved = real["x0"].to_numpy() + 1e-4 * draw.normal(size=real.num_rows)
    near = real.set_column(0, "x0", pa.array(moved)).slice(0, int(share * real.num_rows))
    return pa.concat_tables([near, people(real.num_rows - near.num_rows, 9)])


@pytest.mark.parametrize("rest", [None, 500])
@pytest.mark.parametrize("rows", [400, 2_000])
@pytest.mark.parametrize("careless", [jittered, lambda real: real])
def test_copies_and_near_copies_are_never_praised(careless, rows, rest):
    real = people(rows, 1)
    got = judged(real, careless(real), None if rest is None else people(rest, 2))
    assert got.facts["verdict"]["grade"] in "CD"
    assert got.facts["verdict"]["title"] in ("Follows real rows too closely", "Repeats real rows")
    assert any(what in got.facts["verdict"]["words"] for what in ("exact copies of rows", "near-copies of people"))


@pytest.mark.parametrize("rest", [None, 500])
@pytest.mark.parametrize("rows", [400, 2_000])
def test_fresh_people_are_praised(rows, rest):
    got = judged(people(rows, 1), people(rows, 3), None if rest is None else people(rest, 2))
    assert got.facts["verdict"]["grade"] in "AB", verdict(got)


@pytest.mark.parametrize("rows", [300, 2_000])
def test_fresh_people_with_missing_cells_are_praised(rows):
    """One sample of a law beside another: the luck of a rate of missing cells is no fault."""
    found = []
    for seed in range(8):
        two = []
        for key in (10 + seed, 90 + seed):
            base, r = people(rows, key), np.random.default_rng(key)
            gap = pa.array(r.random(rows) < 0.1)
            two.append(base.set_column(0, base.column_names[0], pc.if_else(gap, None, base.column(0))))
        found.append(judged(*two, None).facts["verdict"]["grade"])
    assert sum(grade in "AB" for grade in found) >= 7, found


@pytest.mark.parametrize("metrics", [["shape"], ["shape", "trend_common"], ["detector"]])
def test_who_did_not_look_cannot_praise(metrics):
    got = judged(people(300, 1), people(300, 2), None, metrics=metrics).facts["verdict"]
    assert (got["grade"], got["title"]) == ("–", "Not graded")
    assert got["words"].startswith("There is no grade, because it was not measured")


def test_who_did_not_look_can_still_blame():
    assert verdict(Report((Finding("shape", 50.0, floor=1.0, unit="%"),)))[0] == "poor"


def test_one_ruined_column_of_a_hundred_is_not_good():
    columns = [Finding("shape", 0.4, (f"x{i}",), unit="%", floor=0.4) for i in range(99)]
    ruined = Finding("shape", 60.0, ("pay",), unit="%", floor=0.4, floor_high=0.6)
    assert verdict(report(0.5, 1.0, 1.0, *columns, ruined))[0] == "poor"
    assert grades(report(0.5, 1.0, 1.0, *columns))["worst column"] == "excellent"


def test_no_headline_is_worse_than_the_grade():
    """Whoever reads "far off" beside a number finds it in the grade."""
    words = {"like real rows": 0, "close": 0, "slightly off": 1, "visibly off": 2, "far off": 3}
    draw = np.random.default_rng(3)
    for _ in range(300):
        auc, trend, shape = draw.uniform(0.2, 1), draw.uniform(1, 12), draw.uniform(0.3, 8)
        more = [Finding("kway_4", draw.uniform(9, 20), unit="%", floor=10.0, floor_low=9.0, floor_high=11.0),
                Finding("validity_keys", draw.uniform(0, 12), ("id",), unit="%", floor=0.0),
                Finding("missingness_pairs", draw.uniform(0, 9), unit="%", floor=0.4),
                Finding("beta_recall", draw.uniform(0.4, 0.9), better="higher", floor=0.5),
                Finding("copies", draw.uniform(0, 0.1), unit="share of rows", floor=0.005, low=0.0, high=0.1),
                Finding("detector_auc", draw.uniform(0.1, 0.7), better=0.5, unit="AUC", floor=0.5, against="train"),
                Finding("missingness", draw.uniform(0, 9), unit="%", floor=0.4),
                Finding("missingness_values", draw.uniform(4, 20), unit="%", floor=5.0)]
        made = report(auc, trend, shape, *more[: draw.integers(len(more) + 1)])
        worst = max(words[standing(f).words] for f in made.findings if not f.place and f.metric != "detector_column")
        assert GRADES.index(verdict(made)[0]) >= worst


def test_missing_values_count():
    assert verdict(report(0.5, 1.0, 0.36, Finding("missingness", 3.0, unit="%", floor=0.4)))[0] == "fair"
    lost = Finding("missingness_values", 9.0, unit="%", floor=5.0)
    assert verdict(report(0.5, 1.0, 0.36, lost))[0] == "good"


def test_what_was_not_measured_is_not_graded():
    grade, sentences = verdict(Report(()))
    assert grade == "not graded" and len(sentences) == 1
    assert told(Report(()))["grade"] == "–"
    broken = Report((Finding("shape", None, problem="no column has a value"),))
    assert verdict(broken)[0] == "not graded"


def test_keys_and_impossible_values_are_said():
    wrong = (Finding("validity", 3.0, unit="%", floor=0.1), Finding("validity_keys", 5.0, ("id",), unit="%"))
    grade, sentences = verdict(report(0.5, 1.0, 0.36, *wrong))
    assert grade == "fair"
    assert "5.00 % of the rows repeat or lack the key 'id'." in sentences


def test_limits_grow():
    assert all(a < b < c for a, b, c in LIMITS.values())
    assert set(grades(report()).values()) == {"excellent"} and len(GRADES) == 4


def test_one_broken_key_is_not_forgiven():
    """Keys are measured each for itself, never for the whole table."""
    grade, words = verdict(report(0.5, 1.0, 0.36, Finding("validity_keys", 30.0, ("id",), unit="%", floor=0.0)))
    assert grade == "poor" and words[0] == "30.00 % of the rows repeat or lack the key 'id'."


def test_what_is_worst_is_said_first():
    rules = (Finding("rules", 40.0, unit="%", floor=0.0),
             Finding("rules", 40.0, ("begin", "end"), unit="%", floor=0.0, detail={"rule": "<="}))
    grade, words = verdict(report(0.5, 1.0, 0.36, *rules))
    assert grade == "poor" and words[0] == "Real rows keep 'begin' <= 'end'; 40.0 % of the twin's do not."
    lost = Finding("missingness_values", 30.0, unit="%", floor=5.0)
    assert verdict(report(0.5, 1.0, 0.36, lost))[1][0].startswith("Cells are missing for other rows")
    keys = tuple(Finding("copies_keys", 0.4, place, floor=0.0, low=0.35, high=0.45) for place in ((), ("mail",)))
    copied = Finding("copies", 0.0, floor=0.0)
    got = told(report(0.5, 1.0, 0.36, copied, *keys))
    assert got["title"] == "Repeats real identifiers" and "'mail' are real ones" in " ".join(got["reasons"])
