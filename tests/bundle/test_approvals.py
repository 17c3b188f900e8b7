"""Who answers for a release, and until when."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import results

import fabrica
from fabrica.bundle import standalone
from fabrica.bundle.approvals import Approver, approved, different
from fabrica.errors import FabricaError
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.policy import TIERS, Policy


@pytest.mark.parametrize(("approvers", "words"), [
    (["Ada Example"], "in which role"), (["privacy officer:"], "in which role"), ([":"], "in which role"),
    (["privacy officer: Ada Example"], "2 different people"),
    (["data owner: Ada Example", "privacy officer: ada  EXAMPLE"], "2 different people.*ada EXAMPLE counts once"),
    (["data owner: Ren\u00e9e", "privacy officer:  RENE\u0301E "], "Ren\u00e9e alias RENE\u0301E counts once"),
    (["owner: Ada Example", "owner: Max Example"], "different roles"), ([], "2 different people")])
def test_too_few_approve(approvers, words, out, keys, tmp_path):
    results.refused(words, out, keys, tmp_path, approvers=approvers)


def test_people_are_matched_with_roles():
    """The careless twin takes the smaller of both counts: three roles, two of which nobody but Ada has."""
    pairs = (("a", "Ada"), ("b", "Ada"), ("c", "Ada"), ("a", "Bo"), ("a", "Cy"))
    people = [Approver(role, name) for role, name in pairs]
    assert different(people) == 2 and different([*people, Approver("b", "Bo")]) == 3 and different([]) == 0


def test_one_is_enough_within_the_house():
    assert approved(["owner: Ada Example"], Decision("internal", Policy(), ()))[0].name == "Ada Example"
    strict = Policy(tiers={**TIERS, "internal": replace(TIERS["internal"], signatures=2)})
    with pytest.raises(FabricaError):
        approved(["owner: Ada Example"], Decision("internal", strict, ()))


@pytest.mark.parametrize(("day", "words"), [("soon", "must be a day"),
                                            ("2020-01-01", "in the past; say a day from today up to 2"),
                                            ("2099-01-01", "is beyond the")])
def test_a_last_day_that_cannot_be(day, words, out, keys, tmp_path):
    results.refused(words, out, keys, tmp_path, expires=day)


def test_one_person_in_two_roles_is_one_approval_on_page_one(out, keys, tmp_path, capsys):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, tier="internal")
    ada = ["owner: Ada Example", "officer: ada example "]
    bundle = results.bundle(copy, tmp_path / "bundle", keys[0], approvers=ada)
    assert "approvals: 1 (the policy asks for 1)" in str(fabrica.verify(bundle, keys[1]))
    assert standalone.main([str(bundle), "--key", str(keys[1])]) == 0
    assert "approvals: 1 (the policy asks for 1)" in capsys.readouterr().out


def test_page_one_tells_what_was_decided_before(out, keys, tmp_path, capsys):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, before={"tier public, policy fabrica 01234567": "FAIL"})
    bundle = results.bundle(copy, tmp_path / "bundle", keys[0])
    told = "decided before about the same file: FAIL at tier public, policy fabrica 01234567"
    assert told in str(fabrica.verify(bundle, keys[1])) and told in (bundle / "datacard.md").read_text()
    assert standalone.main([str(bundle), "--key", str(keys[1])]) == 0 and told in capsys.readouterr().out
    assert "decided before" not in str(fabrica.verify(results.bundle(out, tmp_path / "plain", keys[0]), keys[1]))


def test_an_earlier_last_day(out, keys, tmp_path):
    day = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], expires=day)
    assert fabrica.verify(bundle, keys[1]).claim["expires"] == day


@pytest.mark.parametrize(("made", "months", "last"), [
    ("2024-02-29T23:59:59Z", 12, date(2025, 2, 28)), ("2026-01-31T00:00:00Z", 1, date(2026, 2, 28)),
    ("2026-11-28T09:00:00+00:00", 24, date(2028, 11, 28)), ("2026-12-31T09:00:00Z", 2, date(2027, 2, 28))])
def test_months_end_where_they_can(made, months, last):
    policy = Policy(tiers={**TIERS, "internal": replace(TIERS["internal"], months=months)})
    assert Decision("internal", policy, (), made=made).last_day == last


def test_a_decision_that_is_too_old(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, made="2020-01-01T00:00:00Z")
    results.refused("held until 2021-01-01; run 'fabrica gate' again", copy, keys, tmp_path)


def test_a_decision_from_the_future(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, made="2999-01-01T00:00:00Z")
    results.refused("lies in the future", copy, keys, tmp_path)


def test_page_one_tells_approvals_from_signatures(plain, out, keys, tmp_path, capsys):
    """One key for two people is one signature; only keys of their own make two."""
    told = str(fabrica.verify(plain, keys[1]))
    assert "approval recorded by the signer: privacy officer: Ada Example" in told
    assert "approvals: 2 (the policy asks for 2), keys that signed: 1" in told
    private, public = results.keys(tmp_path)
    bundle = results.bundle(out, tmp_path / "bundle", [keys[0], private])
    assert "keys that signed: 2; who approved is the word of all" in str(fabrica.verify(bundle, [keys[1], public]))
    assert "keys that signed: 2" in (bundle / "datacard.html").read_text()
    signers = fabrica.verify(bundle, [keys[1], public]).claim["signers"]
    assert len(signers) == 2 and results.read(bundle, "approvals.json")["recorded_by"] == signers
    assert standalone.main([str(bundle), "--key", str(keys[1]), "--key", str(public)]) == 0
    assert "keys that signed: 2" in capsys.readouterr().out
