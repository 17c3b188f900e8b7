"""Numbers against their floors: tones and words follow the limits of the verdict and the direction of the metric."""

from __future__ import annotations

import pytest

from fabrica.page.axis import bins
from fabrica.page.headline import gauge, headlines
from fabrica.page.heat import heat
from fabrica.page.numbers import number, span
from fabrica.page.standing import excess, standing, worst_first, worst_places
from fabrica.page.words import text
from fabrica.report import Finding, Report


@pytest.mark.parametrize(("finding", "words"), [
    (Finding("shape", 0.3, floor=0.4, unit="%"), "like real rows"),
    (Finding("shape", 0.6, floor=0.4, unit="%"), "close"),
    (Finding("shape", 1.5, floor=0.4, unit="%"), "slightly off"),
    (Finding("shape", 5.0, floor=0.4, unit="%"), "visibly off"),
    (Finding("shape", 9.0, floor=0.4, unit="%"), "far off"),
    (Finding("shape", 0.6, floor=0.4, floor_low=0.2, floor_high=0.7, unit="%"), "like real rows"),
    (Finding("coverage", 0.6, floor=0.7, better="higher", low=0.3, high=0.9), "like real rows"),
    (Finding("beta_recall", 0.99, floor=0.5, better="higher"), "far off"),
    (Finding("beta_recall", 0.51, floor=0.52, better="higher"), "close"),
    (Finding("utility", 0.80, floor=0.92, unit="AUC", better="higher"), "visibly off"),
    (Finding("detector_auc", 0.42, floor=0.5, unit="AUC", better=0.5), "close"),
    (Finding("detector_auc", 0.30, floor=0.5, unit="AUC", better=0.5), "visibly off"),
    (Finding("detector_auc", 0.99, floor=0.5, unit="AUC", better=0.5), "far off"),
    (Finding("detector_auc", 1.0, floor=0.99, unit="AUC", better=0.5), "no better or worse than real rows, which are "
                                                                       "told apart too"),
    (Finding("detector_auc", 0.8, floor=0.99, floor_low=0.98, unit="AUC", better=0.5),
     "no better or worse than real rows, which are told apart too"),
    (Finding("detector_auc", 0.99, floor=0.7, unit="AUC", better=0.5), "visibly off"),
    (Finding("detector_auc", 0.53, floor=0.56, floor_low=0.5, unit="AUC", better=0.5), "like real rows"),
    (Finding("detector", 0.02, floor=0.01, better="higher"), "no better or worse than real rows, which are told apart "
                                                             "too"),
    (Finding("copies", 1.0, floor=0.001, unit="share of rows"), "far off"),
    (Finding("shape", 0.6, unit="%"), "no baseline"),
    (Finding("shape", None, problem="no rows"), "not measured"),
])
def test_standing(finding, words):
    assert standing(finding).words == words


@pytest.mark.parametrize(("low", "high", "control", "tone", "words"), [
    (-0.02, 0.03, "found", "none", "at most 0.030"), (0.06, 0.14, "found", "near", "beyond luck, at most 0.140"),
    (0.0, 0.0004, "found", "none", "at most 0.001"),
    (-0.02, 0.03, "missed", "none", "says nothing: it missed people who were planted")])
def test_an_attack_is_read_by_what_it_cannot_rule_out(low, high, control, tone, words):
    """However small its value: one that found nobody who was planted is no good news."""
    found = standing(Finding("linkability", 0.01, low=low, high=high, floor=0.0, detail={"control": control}))
    assert (found.tone, found.words) == (tone, words)


def test_excess_has_the_direction_of_the_metric():
    assert excess(Finding("a", 3.0, floor=1.0)) == 2
    assert excess(Finding("a", 3.0, floor=1.0, better="higher")) == -2
    assert excess(Finding("a", 0.3, floor=0.5, better=0.5)) == pytest.approx(0.2)
    assert excess(Finding("a", 0.3)) is None


def test_worst_first():
    found = [Finding("a", None, problem="x"), Finding("a", 1.0), Finding("a", 2.0, floor=1.5),
             Finding("a", 9.0, floor=1.0)]
    assert [f.value for f in worst_first(found)] == [9.0, 2.0, 1.0, None]


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.4, 5.0, 99.0, 1e6])
@pytest.mark.parametrize(("better", "unit"), [("lower", "%"), ("higher", "%"), ("higher", ""), ("lower", "rows")])
def test_gauge_stays_on_its_scale(value, better, unit):
    shown = gauge(Finding("a", value, better=better, unit=unit, floor=value / 2, low=value / 3, high=2 * value))
    assert shown and all(0 <= part <= 1 for part in (shown.value, shown.floor, shown.low, shown.high))


def test_headlines_prefer_unseen_rows_and_whole_tables():
    report = Report((Finding("detector_auc", 0.5, better=0.5, against="train"), Finding("shape", 1.0, ("a",)),
                     Finding("detector_auc", 0.6, better=0.5, against="holdout")))
    assert [h.label for h in headlines(report)] == ["Detector AUC (unseen rows)"]


def test_numbers_say_their_unit_once():
    assert span(0.1, 0.2, "AUC") == "0.100 to 0.200" and span(0.001, 0.01, "share of rows") == "0.10 to 1.0 %"
    assert number(float("nan")) == "–"


def test_heat_reads_the_triangle_against_the_floor():
    shown = heat(["a", "b", "c"], [[0, 0, 0], [5, 0, 0], [3, None, 0]], [[0, 0, 0], [5, 0, 0], [1, 0, 0]])
    assert {css for css, _ in shown.steps} == {"h0", "h3", "hn"}
    assert sum(path.count("M") for _, path in shown.steps) == 3


def test_bins_have_names_of_their_kind():
    assert bins([0.0, 43200.0, 86340.0], "time")[0] == ("00:00", "12:00")
    assert bins([0.25, 0.5])[0] == ("0.25", "0.50")


def test_a_few_places_of_each_metric():
    pairs = [Finding("trend_common", 9.0 + i, (f"a{i}", "b"), floor=1.0, unit="%") for i in range(9)]
    columns = [Finding("shape", 4.0, ("c",), floor=1.0, unit="%"), Finding("shape", 1.0, ("d",), floor=2.0)]
    found = worst_places([*pairs, *columns], 2)
    assert [f.place for f in found] == [("a8", "b"), ("a7", "b"), ("c",)]


def test_a_terminal_names_what_could_not_be_computed():
    lost = [Finding("utility", None, problem="no target")]
    lost += [Finding("coverage", None, (c,), problem="no level") for c in "ab"]
    said = text(Report((Finding("shape", 1.0, floor=0.5, unit="%"), *lost)))
    assert "Could not be computed: coverage (2 times), utility; the report says why." in said
    assert "Could not be computed" not in text(Report((Finding("shape", 1.0, floor=0.5, unit="%"),)))


def test_a_terminal_tells_what_attacks_found_beside_luck():
    found = Finding("membership", 0.53, better=0.5, unit="AUC", low=0.51, high=0.55, floor=0.5, against="holdout",
                    detail={"control": "found", "dose": 0.01})
    said = text(Report((found,)))
    assert "may find out about people" in said and "beyond luck, at most 0.550" in said
    assert "luck alone is 0.500" in said and "real rows score" not in said
    assert "may find out about people" not in text(Report((Finding("shape", 1.0, floor=0.5, unit="%"),)))
