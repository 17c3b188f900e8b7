"""Whatever the gate decides, its reader accepts, in full and rounded; and it comes out of its evidence again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.bundle import public
from fabrica.errors import InputError
from fabrica.gatehouse.case import Case
from fabrica.gatehouse.checks import outcomes
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.follows import unfounded
from fabrica.gatehouse.policy import Policy
from fabrica.gatehouse.rare import Rare
from fabrica.reached import Guesses
from fabrica.report import Finding, Report

METRICS = ("verbatim", "verbatim_but_one", "verbatim_without", "verbatim_near", "singling_out", "linkability",
           "inference", "membership", "density", "likelihood", "outliers", "alike", "canaries", "representation",
           "label_gap", "downstream_gap", "downstream_gap_odds", "utility_gap")
POLICIES = (Policy(), Policy(determination="Dr. A. Example: very small"),
            Policy.from_json({"name": "useful", "tiers": {name: {"useful": 2.5, "copies": 0.0007, "near": 0.0051,
                                                                 "but_one": 0.0025, "amplified": 0.0125,
                                                                 "amplified_model": 0.0125}
                                                          for name in ("internal", "partner", "public")}}))


@st.composite
def findings(draw):
    """One finding of a metric, measured or not, with any bounds."""
    metric, places = draw(st.sampled_from(METRICS)), st.sampled_from([(), ("age",), ("sex",)])
    place = draw(places)
    if draw(st.integers(0, 5)) == 0:
        detail = {"certain": 0.99} if metric == "inference" and draw(st.booleans()) else {}
        return Finding(metric, None, place, problem="too few people", detail=detail)
    low, value, high = sorted(draw(st.tuples(*[st.floats(-0.2, 0.7)] * 3)))
    detail = {"control": draw(st.sampled_from(["found", "found", "missed"])), "tries": draw(st.integers(0, 999)),
              "caught_at_0.01": max(value, 0.0), "caught_at_0.01_upper": max(high, 0.0),
              "planted": draw(st.sampled_from([30, 100, 300]))}
    if metric == "verbatim_without" and draw(st.booleans()):
        tries, others = draw(st.integers(1, 9_999)), draw(st.integers(1, 9_999))
        found = Guesses(draw(st.integers(0, tries)), tries, draw(st.integers(0, others)), others).finding(metric, place)
        return replace(found, detail={**found.detail, "control": detail["control"]})
    return Finding(metric, 0.0 if metric == "canaries" and draw(st.booleans()) else value, place, low=low, high=high,
                   floor=0.0, floor_high=draw(st.sampled_from([None, 0.012, 0.0312345, 1.4])), detail=detail)


@st.composite
def cases(draw):
    tier, policy = draw(st.sampled_from(["internal", "partner", "public"])), draw(st.sampled_from(POLICIES))
    target, protected = draw(st.sampled_from([None, "pay"])), draw(st.sampled_from([(), ("sex", "age")]))
    report = Report(tuple(one for one in draw(st.lists(findings(), max_size=25))
                          if not (one.metric == "representation" and not protected)
                          and not (one.metric in ("label_gap", "utility_gap") and target is None)))
    return Case(policy, tier, report, draw(st.integers(1, 2_000)), 1_000,
                Rare(levels=draw(st.sampled_from([{}, {"town": 2}])), looked=draw(st.integers(0, 99)),
                     ends=draw(st.sampled_from([{}, {"age": 1}])), luck=draw(st.sampled_from([1.0, 0.05, 0.001]))),
                epsilon=draw(st.sampled_from([None, 0.5, 1.999, 3.0])), attempts=draw(st.integers(1, 5)), target=target,
                protected=protected, several=draw(st.sampled_from(["", "who"])))


@given(cases())
def test_whatever_the_gate_decides_is_read_again(case):
    decision = Decision(case.tier, case.policy, tuple(outcomes(case)), case.attempts, {"data": "0a" * 32},
                        "2026-11-28T09:00:00+00:00", {}, case.target, tuple(case.protected))
    assert all(bool(one.step) == (one.verdict != "PASS") for one in decision.outcomes)
    assert Decision.from_json(json.loads(decision.dumps())) == decision
    assert unfounded(decision, case.report, case.rows, case.real_rows, case.epsilon) == []
    told = public.decision(decision)
    assert Decision.from_json(json.loads(told.dumps())) == told and told.verdict == decision.verdict


def test_a_column_that_is_asked_by_a_wider_threshold_is_read_again_and_one_by_none_is_not():
    """Few are alone without the age: at the tier partner they are asked by the threshold of the house's widest tier."""
    place = Guesses(0, 2_500, 25, 2_500).finding("verbatim_without", ("age",))
    whole = [Finding(name, 0.0, low=-0.001, high=0.0001, detail={"control": "found"})
             for name in ("verbatim", "verbatim_but_one", "verbatim_near")]
    here = replace(place, value=0.0, low=-0.009, high=0.009, detail={**place.detail, "control": "found"})
    case = Case(Policy(), "partner", Report((*whole, here)), 1_000, 1_000, Rare())
    decision = Decision("partner", Policy(), tuple(outcomes(case)), 1, {"data": "0a" * 32}, "2026-11-28T09:00:00+00:00")
    copies = next(one for one in decision.outcomes if one.name == "copies")
    assert (copies.verdict, copies.threshold) == ("PASS", 0.02)
    plain = json.loads(decision.dumps())
    assert Decision.from_json(plain) == decision
    for test in plain["tests"]:
        if test["name"] == "copies":
            test["threshold"] = 0.03
    with pytest.raises(InputError, match="another threshold"):
        Decision.from_json(plain)


@given(cases(), st.data())
def test_no_other_verdict_can_be_changed_into_a_pass(case, data):
    """The careless twin writes PASS over one that is none: the numbers, or the evidence, say otherwise."""
    before = outcomes(case)
    shut = [i for i, one in enumerate(before) if one.verdict != "PASS"]
    if not shut:
        return
    at = data.draw(st.sampled_from(shut))
    after = tuple(replace(one, verdict="PASS") if i == at else one for i, one in enumerate(before))
    decision = Decision(case.tier, case.policy, after, case.attempts, {"data": "0a" * 32}, "2026-11-28T09:00:00+00:00",
                        {}, case.target, tuple(case.protected))
    try:
        Decision.from_json(json.loads(decision.dumps()))
    except InputError as error:
        assert "says PASS, and from its numbers" in str(error)
        return
    assert unfounded(decision, case.report, case.rows, case.real_rows, case.epsilon) != []
