"""The verdict: honest grades at their thresholds, the worst named, copies never forgiven."""

from __future__ import annotations

import pytest

from fabrica.report import Finding, Report
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
    assert sentences[0] == ("A gradient-boosted detector tells the twin from rows that nobody learned from with "
                            "AUC 0.51 (0.50 is chance, a real holdout scores 0.50).")
    assert "Two columns together are 1.20 % off on average (as many real rows: 1.00 %)." in sentences


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


def test_what_was_not_measured_is_not_graded():
    assert verdict(Report(())) == ("not graded", [])
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
