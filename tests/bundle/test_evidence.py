"""The evidence answers each question in a file, and limits.md says what is open."""

from __future__ import annotations

import json
from dataclasses import replace

import results

from fabrica.bundle.limits import limits
from fabrica.bundle.made import Made


def test_findings_go_to_the_question_that_they_answer(monkeypatch, out):
    from fabrica.bundle import evidence
    monkeypatch.setattr(evidence, "GROUPS", [("people", "", "", "", ("group_risk",)), *evidence.GROUPS])
    names = ("group_risk", "copies", "membership", "utility", "shape", "unheard_of")
    told = [evidence._question(name) for name in names]
    assert told == ["fairness", "privacy", "privacy", "utility", "fidelity", "fidelity"]
    made = replace(Made.of(out), report={"findings": [{"metric": "group_risk", "value": 0.5012, "place": [],
                                                       "detail": {"small_groups": 3}}]})
    assert evidence.evidence(made, "public")["fairness.json"]["findings"][0]["value"] == 0.51
    claim = {"verdict": "PASS", "policy": "p", "tier": "t", "tests": 1, "purpose": "", "recipients": [], "waivers": [],
             "beyond_tier": "", "expires": "2027-01-01", "profile": "internal", "rows": 1}
    assert "3 groups of too few people" in limits(made, claim, [], 0)


def test_the_ledger_goes_into_the_evidence(public, private_out):
    told, ledger = results.read(public, "evidence/dp.json"), json.loads((private_out / "ledger.json").read_text())
    assert told["ledger"]["events"] == ledger["events"] and told["epsilon"] == ledger["epsilon"]
    assert any("real rows" in line for line in told["not_covered"])


def test_what_was_not_measured_has_a_file_that_says_so(plain):
    told = results.read(plain, "evidence/fairness.json")
    assert told["measured"] is False and told["findings"] == [] and told["problem"]
    assert results.read(plain, "evidence/dp.json")["measured"] is False


def test_more_rows_than_real_ones_are_warned_of(out, keys):
    made = Made.of(out)
    claim = {"verdict": "PASS", "policy": "p", "tier": "t", "tests": 1, "purpose": "", "recipients": [], "waivers": [],
             "beyond_tier": "", "expires": "2027-01-01", "profile": "internal", "rows": made.real_rows + 1}
    assert "warning: more rows" in limits(made, claim, [], 0)
    assert "warning: more rows" not in limits(made, {**claim, "rows": made.real_rows}, [], 0)


def test_under_an_epsilon_nobody_says_that_there_is_no_personal_data(public, plain):
    assert "not looked for" in (public / "datacard.md").read_text()
    assert "not searched" in results.read(public, "croissant.json")["rai:personalSensitiveInformation"][0]
    assert results.read(public, "evidence/identifiers.json")["searched"] is False
    assert results.read(plain, "evidence/identifiers.json")["searched"] is True
