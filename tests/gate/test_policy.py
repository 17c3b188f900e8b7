"""A policy says before what is accepted, and nothing gets looser in silence."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from itertools import pairwise

import pytest

from fabrica.errors import FabricaError
from fabrica.gatehouse.policy import HOUSE, LOWER_IS_LOOSER, TIERS, Policy, Tier, looser


def test_each_tier_asks_for_no_less_than_the_one_before():
    tiers = list(TIERS.values())
    for wider, narrower in pairwise(tiers):
        assert looser(narrower, wider) == []


@pytest.mark.parametrize("name", [one.name for one in fields(Tier)])
def test_whatever_is_loosened_needs_a_waiver(name):
    house = getattr(TIERS["public"], name)
    if house is None:
        return
    value = house - 1 if name in LOWER_IS_LOOSER else house + 1
    plain = {"name": "lax", "tiers": {"public": {name: value}}}
    with pytest.raises(FabricaError, match=f"{name} of tier 'public' is looser.*waiver"):
        Policy.from_json(plain)
    waiver = {"tier": "public", "field": name, "reason": "because", "by": "officer: A. Example"}
    policy = Policy.from_json({**plain, "waivers": [waiver]})
    assert getattr(policy.tier("public"), name) == value and policy.waived("public") == [
        f"tier public, {name}: because (officer: A. Example)"]
    with pytest.raises(FabricaError, match="waiver"):  # a waiver of another field is none
        Policy.from_json({**plain, "waivers": [{**waiver, "field": "months" if name != "months" else "k"}]})


@pytest.mark.parametrize("name", ["epsilon", "rows", "share", "amplified"])
def test_asking_for_nothing_is_loosening(name):
    with pytest.raises(FabricaError, match="waiver"):
        Policy.from_json({"tiers": {"public": {name: None}}})


def test_what_is_tightened_needs_no_word_and_the_rest_is_the_house_s():
    policy = Policy.from_json({"tiers": {"partner": {"copies": 0.0, "k": 20}}})
    assert policy.tier("partner") == replace(TIERS["partner"], copies=0.0, k=20)
    assert policy.tier("internal") == TIERS["internal"] and policy.waived("partner") == []


def test_it_comes_back_from_its_file_with_the_same_digest(tmp_path):
    (tmp_path / "policy.json").write_text(json.dumps(HOUSE.to_json()))
    again = Policy.load(tmp_path / "policy.json")
    assert again == HOUSE and again.digest == HOUSE.digest
    assert Policy.from_json({"tiers": {"partner": {"copies": 0.001}}}).digest != HOUSE.digest


@pytest.mark.parametrize(("plain", "said"), [
    ([], "must be an object"), ({"fabrica_policy": 2}, "later version"), ({"tier": {}}, "field of a policy"),
    ({"tiers": {"partners": {}}}, "tier"), ({"tiers": {"partner": {"copys": 1}}}, "field of a tier"),
    ({"tiers": {"partner": {"k": 1.5}}}, "k: must be a whole number"),
    ({"tiers": {"partner": {"copies": "2 percent"}}}, r"tier partner, copies: .*copies: 0.005 \(2 percent is 0.02\)"),
    ({"tiers": {"public": {"epsilon": "two"}}}, "tier public, epsilon: .*write it as epsilon: 2$"),
    ({"tiers": {"partner": {"copies": None}}}, "copies"), ({"tiers": {"partner": {"inference": -0.1}}}, "inference"),
    ({"waivers": [{"tier": "partner", "field": "k", "reason": " ", "by": "x"}]}, "lacks the field 'reason'"),
])
def test_a_policy_that_makes_no_sense_is_refused(plain, said):
    with pytest.raises(FabricaError, match=said):
        Policy.from_json(plain)


@pytest.mark.parametrize("text", ["", "# copies: 0.001\n", "[]", "null"])
def test_a_policy_that_says_nothing_is_told_what_one_needs(text, tmp_path):
    (tmp_path / "policy.yaml").write_text(text)
    with pytest.raises(FabricaError, match=r"policy.yaml: .*; write its name and what it changes"):
        Policy.load(tmp_path / "policy.yaml")
