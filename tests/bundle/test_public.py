"""What everybody may read: rounded, and nothing about few people."""

from __future__ import annotations

import html
import json
import shutil

import results

import fabrica
from fabrica.bundle.public import finding, up


def numbers(thing):
    if isinstance(thing, dict):
        return [n for value in thing.values() for n in numbers(value)]
    if isinstance(thing, list):
        return [n for value in thing for n in numbers(value)]
    return [thing] if isinstance(thing, int | float) and not isinstance(thing, bool) else []


def test_public_numbers_are_rounded(public):
    for name in ("privacy", "fidelity", "utility", "fairness"):
        for one in results.read(public, f"evidence/{name}.json")["findings"]:
            found = [number for key in ("value", "low", "high", "floor") if (number := one.get(key)) is not None]
            assert all(round(number, 2) == number for number in found), one
            assert all(count % 5 == 0 for count in numbers(one.get("detail", {}))), one


def test_the_internal_profile_is_not_rounded(plain):
    found = [one["value"] for one in results.read(plain, "evidence/fidelity.json")["findings"]]
    assert any(number is not None and round(number, 2) != number for number in found)


def test_risks_are_never_rounded_down_and_a_pass_stays_one(public, private_out):
    full = {test["name"]: test for test in json.loads((private_out / "gate.json").read_text())["tests"]}
    told = {test["name"]: test for test in results.read(public, "evidence/gate.json")["tests"]}
    for name, test in told.items():
        if "high" in test and name != "alike":
            assert full[name]["high"] <= test["high"] <= test["threshold"]
        assert "why" not in test and "low" not in test and test.get("n", 0) % 5 == 0
    assert told["copies"]["high"] == 0.001 and told["singling_out"]["high"] == 0.04
    assert told["rows"]["value"] == 1 > full["rows"]["value"]  # would tell how many real rows there are
    assert up(0.0701) == 0.08 and up(0.07) == 0.07


def test_what_is_about_less_than_a_column_is_withheld_and_counted():
    columns = ["age", "sex"]
    assert finding({"metric": "inference", "value": 0.1, "place": ["sex", "age"]}, columns, True)
    assert finding({"metric": "inference", "value": 0.1, "place": ["sex", "x"]}, columns, True) is None
    assert finding({"metric": "coverage_rare", "value": 0.1, "place": ["sex"]}, columns, False) is None
    worst = finding({"metric": "inference", "value": None, "problem": "there are 3 people",
                     "detail": {"worst": "row 7", "rows": 13, "folds": [1]}}, columns, True)
    assert "3" not in worst["problem"] and worst["detail"] == {"rows": 15}


def test_groups_of_many_people_are_told_and_rounded_and_small_ones_are_not():
    groups = [{"group": "f", "people": 312, "ratio": 0.9876, "low": 0.91, "high": 1.07, "rows": [1]},
              {"group": "x", "people": 99, "ratio": 0.5}]
    plain = {"metric": "representation", "value": 0.98765, "place": ["sex"],
             "detail": {"groups": groups, "group": "x", "small_groups": 2, "small_people": 41, "words": "41 people"}}
    assert finding(plain, ["sex"], False)["detail"] == {
        "small_groups": 2, "groups": [{"group": "f", "people": 310, "ratio": 0.99, "low": 0.91, "high": 1.07}]}


def test_the_public_configuration_has_neither_seed_nor_files(public, plain):
    assert not {"seed", "data", "holdout"} & set(results.read(public, "config.json"))
    assert results.read(plain, "config.json")["data"] == "people.csv"


def test_the_name_of_the_table_goes_out_only_where_it_is_said(out, keys, tmp_path):
    """The name of a file may say whose table it was."""
    copy = shutil.copytree(out, tmp_path / "out")
    for name in ("schema.json", "recipe.json"):
        (copy / name).write_text((copy / name).read_text().replace("people", "ward_seven"))
    named = {"public": {"profile": "public", "beyond_tier": "a trial"}, "internal": {}}
    for profile, asked in named.items():
        bundle = results.bundle(copy, tmp_path / profile, keys[0], **asked)
        assert any("ward_seven" in text for text in results.texts(bundle).values()) == (profile == "internal")
        title = "table" if profile == "public" else "ward\\_seven"
        assert f"# {title}, synthetic" in (bundle / "datacard.md").read_text()
    said = results.bundle(copy, tmp_path / "said", keys[0], **named["public"], name="Census\n2026")
    assert "<bdi>Census 2026</bdi>, synthetic" in (said / "datacard.html").read_text()
    assert results.read(said, "croissant.json")["name"] == "Census 2026-synthetic"
    assert fabrica.verify(said, keys[1]).holds


def test_under_an_epsilon_the_public_profile_does_not_count_real_rows(public):
    assert "fabrica:rows" not in results.read(public, "provenance.json")["entity"]["fabrica:source"]


def test_the_public_profile_of_a_smaller_circle_needs_a_reason_that_stands_on_page_one(out, keys, tmp_path):
    results.refused("tier partner, and the public profile is for everybody.*--beyond-tier", out, keys, tmp_path,
            profile="public")
    results.refused("is not needed", out, keys, tmp_path, beyond_tier="to be sure")
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], profile="public", beyond_tier="the board's vote")
    found = fabrica.verify(bundle, keys[1])
    assert found.holds and "judged at tier partner, because: the board's vote" in str(found)
    for page in ("datacard.html", "datacard.md", "limits.md"):
        assert "the board's vote" in html.unescape((bundle / page).read_text()), page
    assert results.read(bundle, "approvals.json")["told_beyond_tier"] == "the board's vote"
