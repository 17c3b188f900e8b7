"""A decision that a hand has edited is not released, nor is one that the evidence does not give."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import results

from fabrica.bundle import public
from fabrica.errors import FabricaError
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.policy import TIERS, Policy, Waiver
from fabrica.report import Finding


def named(plain, name):
    return next(one for one in plain["tests"] if one["name"] == name)


def signed_digest(plain):
    """Whoever edits a policy can reckon its digest too."""
    said = {name: value for name, value in plain["policy"].items() if name != "digest"}
    plain["policy"]["digest"] = Policy(said["name"], {name: replace(TIERS[name], **tier) for name, tier in
                                                      said["tiers"].items()},
                                       tuple(Waiver(**one) for one in said["waivers"]), said["determination"]).digest


def loosened(plain):
    plain["policy"]["tiers"]["partner"]["copies"] = 0.5
    signed_digest(plain)


def fewer_signatures(plain):
    plain["policy"]["tiers"]["partner"]["signatures"] = 1
    signed_digest(plain)


def waived(plain):
    plain["policy"]["waivers"] = [{"tier": "partner", "field": "copies", "reason": "", "by": "nobody"}]


EDITS = {
    "another version": (lambda plain: plain.update(fabrica_gate=2), "no decision of the gate of this version"),
    "another verdict": (lambda plain: plain.update(verdict="FAIL"), "another verdict than its own tests"),
    "no known verdict": (lambda plain: plain.update(verdict="FINE"), "another verdict"),
    "another tier": (lambda plain: plain.update(tier="public"), "tier public"),
    "no tier": (lambda plain: plain.update(tier="moon"), "no tier named 'moon'"),
    "no tests": (lambda plain: plain.update(tests=[]), "another verdict"),
    "a test less": (lambda plain: plain["tests"].remove(named(plain, "outliers")), "asks for the test outliers"),
    "a test twice": (lambda plain: plain["tests"].append(named(plain, "rows")), "or has it twice"),
    "a test of its own": (lambda plain: plain["tests"].append({"id": "G9", "name": "mood", "verdict": "PASS"}),
                          "'mood'"),
    "a test under another name": (lambda plain: named(plain, "outliers").update(name="outlier"), "the test outliers"),
    "another id": (lambda plain: named(plain, "outliers").update(id="G1"), "another id than G6"),
    "a threshold": (lambda plain: named(plain, "copies").update(threshold=0.5), "another threshold than tier partner"),
    "no threshold": (lambda plain: named(plain, "copies").pop("threshold"), "another threshold than tier partner"),
    "a bound": (lambda plain: named(plain, "copies").update(high=0.5), "INCONCLUSIVE follows"),
    "no numbers": (lambda plain: [named(plain, "copies").pop(one) for one in ("value", "low", "high")],
                   "says PASS, and from its numbers INCONCLUSIVE follows"),
    "half its numbers": (lambda plain: named(plain, "copies").pop("low"), "nothing follows"),
    "a count": (lambda plain: named(plain, "rare").update(value=3.0), "FAIL or INCONCLUSIVE follows"),
    "half a count": (lambda plain: named(plain, "rare").update(value=0.4), "nothing follows"),
    "less than none": (lambda plain: named(plain, "rare").update(value=-1.0), "nothing follows"),
    "no count": (lambda plain: named(plain, "rare").pop("value"), "INCONCLUSIVE follows"),
    "canaries found": (lambda plain: named(plain, "canaries").update(value=1.0), "FAIL follows"),
    "canaries not planted": (lambda plain: named(plain, "canaries").update(n=9), "INCONCLUSIVE follows"),
    "people of two kinds": (lambda plain: named(plain, "alike").update(value=0.6, low=0.59), "INCONCLUSIVE follows"),
    "no number": (lambda plain: named(plain, "copies").update(value=True), "is no decision"),
    "not a number": (lambda plain: named(plain, "copies").update(value=float("nan")), "NaN"),
    "attempts": (lambda plain: plain.update(attempts=2), "counts 2 attempts"),
    "a yes for attempts": (lambda plain: plain.update(attempts=True), "how often"),
    "a policy of another digest": (lambda plain: plain["policy"].update(name="house"), "not the one of its digest"),
    "a policy without waiver": (loosened, "looser than the house's 0.002 and has no waiver"),
    "signatures of the policy": (fewer_signatures, "has no waiver"),
    "signatures": (lambda plain: plain.update(signatures=1), "another number of signatures"),
    "months": (lambda plain: plain.update(expires_months=99), "another number of months"),
    "a waiver": (lambda plain: plain.update(waivers=["all is well"]), "other waivers"),
    "a waiver without a reason": (waived, "a waiver lacks the field 'reason'"),
    "no file": (lambda plain: plain.update(subject={}), "is no decision"),
    "no digest": (lambda plain: plain["subject"].update(data="00"), "does not say which file"),
    "no day": (lambda plain: plain.update(made="soon"), "is no decision"),
    "something more": (lambda plain: plain.update(note="fine"), "not written as the gate writes"),
    "groups declared": (lambda plain: plain["declared"].update(protected=["sex"]), "asks for the test representation"),
    "rounded": (lambda plain: plain.update(rounded=True), "rounded for everybody"),
}


def refused(words, out, keys, folder):
    with pytest.raises(FabricaError, match=words):
        results.bundle(out, folder / "bundle", keys[0])
    assert not (folder / "bundle").exists()


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_by_hand_is_refused(edit, out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    change, words = EDITS[edit]
    results.judge(copy, change=change)
    refused(words, copy, keys, tmp_path)


def test_a_better_number_that_the_evidence_does_not_give_is_refused(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, results.risk("singling_out", 0.2, 0.1, 0.3))

    def whitewash(plain):
        named(plain, "singling_out").update(verdict="PASS", value=0.01, low=0.0, high=0.03)
        plain["verdict"] = "PASS"

    results.edit(copy, whitewash)
    assert Decision.load(copy / "gate.json").passed  # the file alone says nothing else
    refused("test singling_out is another than the evidence gives", copy, keys, tmp_path)


def test_a_count_of_what_few_people_hold_that_the_evidence_does_not_give_is_refused(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, Finding("copies_keys", 0.5, ("mail",), low=0.4, high=0.6, floor=0.0))

    def whitewash(plain):
        named(plain, "identifiers").update(verdict="PASS", value=0.0)
        plain["verdict"] = "PASS"

    results.edit(copy, whitewash)
    assert Decision.load(copy / "gate.json").passed
    refused("test identifiers is another than the evidence gives", copy, keys, tmp_path)


def test_whoever_takes_back_what_few_people_hold_in_the_decision_alone_is_refused(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")

    def found(plain):
        named(plain, "rare").update(verdict="FAIL", value=2.0)
        plain["verdict"] = "FAIL"

    results.edit(copy, found)
    plain = json.loads((copy / "gate.json").read_text())
    named(plain, "rare").update(verdict="PASS", value=0.0)
    (copy / "gate.json").write_text(json.dumps({**plain, "verdict": "PASS"}))
    refused("another decision than gate.json", copy, keys, tmp_path)


def test_a_decision_of_another_day_than_the_evidence_is_refused(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    plain = json.loads((copy / "gate.json").read_text())
    (copy / "gate.json").write_text(json.dumps({**plain, "made": "2099-01-01T00:00:00+00:00"}))
    refused("another decision than gate.json", copy, keys, tmp_path)
    (copy / "evidence.json").unlink()
    refused("evidence.json: cannot be read", copy, keys, tmp_path)


GROUPS = (Finding("representation", 0.7, ("sex",), better=1.0, floor=1.2, floor_high=1.4567),
          Finding("label_gap", 0.001, ("sex",), low=-0.1, high=0.1, floor=0.0, floor_high=0.01),
          Finding("downstream_gap", 0.07, ("sex",), low=-0.1, high=0.1, floor=0.0, floor_high=0.0812345),
          Finding("downstream_gap_odds", 0.01, ("sex",), low=-0.1, high=0.1, floor=0.0, floor_high=0.01))


def test_groups_have_the_threshold_of_chance_and_no_wider_one(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, *GROUPS, protected=("sex",))
    results.bundle(copy, tmp_path / "fine", keys[0])
    for name, wider in (("representation", 9.0), ("downstream_gap", 0.5)):
        results.judge(copy, *GROUPS, protected=("sex",),
                      change=lambda plain, name=name, wider=wider: named(plain, name).update(threshold=wider))
        refused(f"{name} is another than the evidence gives", copy, keys, tmp_path)
    results.judge(copy, *GROUPS, protected=("sex",),
                  change=lambda plain: named(plain, "label_gap").update(threshold=0.01))
    refused("label_gap has another threshold", copy, keys, tmp_path)


@pytest.mark.parametrize("name", ["protected", "target"])
def test_tests_cannot_be_left_out_by_declaring_less(name, out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    far = Finding("label_gap", 0.5, ("sex",), low=0.4, high=0.6, floor=0.0, floor_high=0.01)
    results.judge(copy, *(one for one in GROUPS if one.metric != "label_gap"), far, protected=("sex",))

    def less(plain):
        left = ("G12",) if name == "protected" else ()
        plain["tests"] = [one for one in plain["tests"] if one["id"] not in left and "gap" not in one["name"]]
        plain["declared"][name] = [] if name == "protected" else None
        gaps = "label_gap, downstream_gap, downstream_gap_odds"
        plain["unasked"] = [f"representation, {gaps}: no protected columns were declared" if name == "protected" else
                            f"{gaps}: no target was declared"]
        plain["verdict"] = "PASS"

    results.edit(copy, less)
    assert Decision.load(copy / "gate.json").passed
    refused("does not declare", copy, keys, tmp_path)


def test_what_is_told_to_everybody_follows_from_itself(out, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, *GROUPS, protected=("sex",))
    told = public.decision(Decision.load(copy / "gate.json"))
    plain = json.loads(told.dumps())
    assert Decision.from_json(plain) == told and told.passed
    assert named(plain, "representation")["threshold"] == 1.46 and named(plain, "downstream_gap")["threshold"] == 0.09
    assert all(len(str(one["threshold"])) <= 6 for one in plain["tests"] if "threshold" in one)
    named(plain, "singling_out")["high"] = 0.06
    with pytest.raises(FabricaError, match="says PASS, and from its numbers FAIL or INCONCLUSIVE follows"):
        Decision.from_json(plain)


@pytest.mark.parametrize("high", [0.0501, 0.0549, 0.06, 0.3])
def test_a_rounded_decision_that_is_no_pass_is_read_too(high, out, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, results.risk("singling_out", 0.02, -0.01, high))
    told = public.decision(Decision.load(copy / "gate.json"))
    assert not told.passed and Decision.from_json(json.loads(told.dumps())) == told


def test_a_waiver_with_a_reason_is_released(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    lax = Policy.from_json({"name": "lax", "tiers": {"partner": {"copies": 0.02, "near": 0.02}},
                            "waivers": [{"tier": "partner", "field": name, "reason": "a pilot", "by": "Ada Example"}
                                        for name in ("copies", "near")]})
    results.judge(copy, results.risk("verbatim", 0.01, 0.0, 0.015), policy=lax)
    results.bundle(copy, tmp_path / "bundle", keys[0])
