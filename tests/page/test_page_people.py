"""Groups of people on the page and in the terminal: a line for each, bounds read the hard way, nobody small named."""

from __future__ import annotations

import pytest

from fabrica.page.build import page
from fabrica.page.people import crowds
from fabrica.page.standing import standing
from fabrica.page.words import text
from fabrica.report import Finding, Report
from fabrica.verdict import verdict

LINES = [{"group": "Female", "people": 900, "real": 0.3, "twin": 0.31, "ratio": 1.033, "low": 0.95, "high": 1.12},
         {"group": "<b>other</b>", "people": 120, "real": 0.04, "twin": 0.02, "ratio": 0.5, "low": 0.35, "high": 0.7}]
RATES = {f"{side}_{word}": 0.25 for side in ("real", "twin") for word in ("chosen", "true", "false", "right")}
SMALL = {"small_groups": 2, "small_people": 61, "least": 100}


def report(**more) -> Report:
    wide = {"outcome": "yes", "real": 0.1, "twin": 0.13, **SMALL}
    return Report((
        Finding("representation", 0.5, better=1.0, low=0.35, high=1.12, floor=1.1, floor_low=1.0, floor_high=1.2,
                detail={"group": "<b>other</b>", "worst": "sex", "words": "Farthest is one.", "groups": [], **SMALL}),
        Finding("representation", 0.5, ("sex",), better=1.0, low=0.35, high=1.12, floor=1.1, floor_high=1.2,
                detail={"groups": LINES, **SMALL}),
        Finding("label_gap", 0.03, low=more.get("low", -0.01), high=0.0701, floor=0.0, floor_high=0.01,
                detail={**wide, "worst": "sex", "words": "The gap is wider.", "groups": []}),
        Finding("label_gap", 0.03, ("sex",), low=-0.01, high=0.0701, floor=0.0,
                detail={**wide, "groups": [{"group": "Female", "people": 900, "real": 0.2, "twin": 0.3}]}),
        Finding("downstream_gap", 0.0, ("sex",), low=-0.01, high=0.01, floor=0.0, against="holdout",
                detail={**wide, "small_groups": 3,
                        "groups": [{"group": "Female", "people": 300, **RATES, "twin_true": None}]}),
    ))


def test_the_groups_of_a_place_stand_side_by_side():
    (crowd,) = crowds(report())
    assert crowd.place == ("sex",) and [name for name, _ in crowd.lines] == ["Female", "<b>other</b>"]
    cells = dict(zip(crowd.heads, crowd.lines[0][1], strict=True))
    assert cells["Share"] == "30.0 → 31.0 %" and cells["Ratio"] == "1.03 (0.95–1.12)"
    assert cells["Outcome 'yes'"] == "20.0 → 30.0 %" and cells["True pos."] == "–"
    assert crowd.lines[1][1][-1] == "–"  # no model was judged on this group


def test_who_is_too_few_is_counted_below():
    (crowd,) = crowds(report())
    assert "2 of the groups have fewer than 100 real people, 61 people in all: counted, not shown." in crowd.left_out
    assert "1 more has fewer than 100 people in the holdout" in crowd.left_out


def test_names_of_groups_are_text_on_the_page():
    shown = page(report())
    assert "<b>other" not in shown and "&lt;b&gt;other&lt;/b&gt;" in shown and "Groups of people" in shown


def test_the_terminal_tells_of_groups_and_the_verdict_has_words_but_no_grade_for_them():
    lines = text(report())
    assert "Groups of people" in lines and "0.130 against 0.100" in lines and "wider by 0.071 at most" in lines
    assert verdict(report())[0] == "not graded" and "The gap is wider." in verdict(report())[1]


@pytest.mark.parametrize(("low", "high", "tone", "words"), [
    (0.03, 0.0701, "off", "wider, at most 0.071"), (0.01, 0.05, "near", "wider, at most 0.050"),
    (-0.01, 0.0701, "none", "wider by 0.071 at most"), (-0.02, 0.0121, "good", "wider by 0.013 at most"),
    (-0.05, -0.01, "good", "not wider")])
def test_a_gap_is_read_by_its_bounds_and_never_rounded_down(low, high, tone, words):
    found = standing(Finding("label_gap", (low + high) / 2, low=low, high=high, floor=0.0, floor_high=0.001))
    assert (found.tone, found.words) == (tone, words)


@pytest.mark.parametrize(("value", "low", "high", "luck", "tone"), [
    (1.02, 0.9, 1.1, 1.05, "good"), (0.85, 0.6, 1.3, 1.3, "none"), (0.5, 0.3, 1.1, 1.1, "off"),
    (1.2, 0.9, 1.3, 1.1, "near")])
def test_a_share_is_read_beside_the_luck_of_the_farthest_group(value, low, high, luck, tone):
    assert standing(Finding("representation", value, better=1.0, low=low, high=high, floor=1.0,
                            floor_high=luck)).tone == tone
