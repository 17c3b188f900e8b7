"""Thresholds of the user: what they say, when they are missed, and what is asked for but not there."""

from __future__ import annotations

import click
import pytest

from fabrica.cli.require import Requirement, fallen, refuse
from fabrica.errors import SettingError, UnknownName
from fabrica.report import Finding, Report

REPORT = Report((
    Finding("detector", 0.95, better="higher"), Finding("detector", 0.85, better="higher", against="holdout"),
    Finding("shape", 1.5), Finding("shape", 9.0, place=("age",)),
    Finding("utility", None, problem="there is no target"),
    Finding("alone", 0.95, better="higher"), Finding("alone", None, against="holdout", problem="there is no holdout")))


@pytest.mark.parametrize(("text", "short"), [
    ("detector@train>=0.9", False), ("detector@holdout>=0.9", True), ("detector>=0.9", True), ("detector>=0.8", False),
    ("shape<=2", False), ("shape <= 1.4", True), ("shape>=1.5", False), ("utility>=0", True),
    ("alone>=0.9", False), ("alone@holdout>=0.9", True)])
def test_thresholds(text, short):
    assert bool(fallen(REPORT, [Requirement.read(text)])) is short


def test_the_line_says_what_fell_short():
    assert fallen(REPORT, [Requirement.read("detector@holdout>=0.9")]) == [
        "fell short: detector@holdout>=0.9, but detector (against holdout) is 0.85"]
    assert "there is no target" in fallen(REPORT, [Requirement.read("utility>=0")])[0]


def test_an_unknown_number_is_answered_with_those_that_are():
    with pytest.raises(UnknownName, match="alone@holdout, alone@train, detector@holdout"):
        fallen(REPORT, [Requirement.read("shap<=2")])


def test_an_unknown_number_is_refused_before_any_work():
    refuse([Requirement.read("kway_3<=9"), Requirement.read("detector@holdout>=0.9")])
    with pytest.raises(UnknownName, match="shape"):
        refuse([Requirement.read("shap<=2")])
    with pytest.raises(UnknownName, match="there are: shape"):
        refuse([Requirement.read("detector>=0.9")], ["shape"])


@pytest.mark.parametrize(("text", "there", "lacks"), [
    ("utility>=0.8", {"holdout": True, "target": False}, "target"), ("utility>=0.8", {"holdout": False}, "holdout"),
    ("detector@holdout>=0.9", {"holdout": False}, "holdout"), ("copies_excess<=0.1", {"holdout": False}, "holdout")])
def test_what_cannot_be_had_from_this_job_is_refused_before_any_work(text, there, lacks):
    with pytest.raises(SettingError, match=f"needs a {lacks}; give --{lacks}"):
        refuse([Requirement.read(text)], **there)
    refuse([Requirement.read(text)], holdout=True, target=True)


def test_a_number_may_begin_with_its_point():
    assert Requirement.read("detector>=.9").limit == 0.9


@pytest.mark.parametrize("text", ["detector", "detector>0.9", "detector=0.9", ">=1", "detector>=good", "a b>=1"])
def test_a_wrong_form_is_shown_the_right_one(text):
    with pytest.raises(click.BadParameter, match="in quotes"):
        Requirement.read(text)


def test_a_side_that_is_never_measured_is_refused_before_any_work():
    with pytest.raises(SettingError, match="shape is measured against train only"):
        refuse([Requirement.read("shape@holdout<=2")], holdout=True)
