"""What a bundle holds, what it leaves out, and what cannot be released."""

from __future__ import annotations

import csv
import hashlib
import hmac
import html
import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import results

import fabrica
from fabrica.bundle.approvals import approved
from fabrica.bundle.canonical import parse
from fabrica.bundle.envelope import ATTESTATION, unsealed
from fabrica.bundle.keys import new_key, public_key
from fabrica.bundle.limits import limits
from fabrica.bundle.made import Made
from fabrica.bundle.public import finding, up
from fabrica.errors import FabricaError, OutputError
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.policy import TIERS, Policy
from fabrica.origin import Origin, keyed

EVIDENCE = ("gate", "privacy", "fidelity", "utility", "fairness", "dp", "identifiers")
EVERYWHERE = {"attestation.dsse.json", "manifest.json", "croissant.json", "datacard.md", "datacard.html", "config.json",
              "provenance.json", "lock.txt", "sbom.cdx.json", "approvals.json", "limits.md", "verify.py", "verify.html",
              "TRUST.md", *(f"evidence/{one}.json" for one in EVIDENCE)}


def names(bundle):
    return {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}


def read(bundle, name):
    return parse((bundle / name).read_bytes(), name)


def texts(bundle):
    return {path: path.read_bytes().decode("utf-8", "replace") for path in bundle.rglob("*") if path.is_file()}


# ---------------------------------------------------------------- what it holds


def test_the_contents_of_both_profiles(plain, public):
    assert names(plain) == EVERYWHERE | {"data/data.csv", "report.html", "schema.json"}
    assert names(public) == EVERYWHERE | {"data/data.parquet", "model/model.fab"}


def test_the_signature_covers_every_other_file(public, keys):
    said = unsealed((public / ATTESTATION).read_bytes(), [public_key(keys[1])])
    assert set(said.digests) == names(public) - {ATTESTATION}
    assert {one["name"] for one in read(public, "manifest.json")["files"]} == set(said.digests) - {"manifest.json"}


def test_the_rows_are_the_ones_that_were_judged(plain, out, public, private_out):
    assert (plain / "data/data.csv").read_bytes() == (out / "data.csv").read_bytes()
    assert pq.read_table(public / "data/data.parquet").equals(pq.read_table(private_out / "data.parquet"))
    marks = pq.read_metadata(public / "data/data.parquet").metadata
    assert marks[b"synthetic"] == b"true" and marks[b"fabrica:generator"].startswith(b"fabrica ")
    assert marks[b"fabrica:bundle"].decode() == read(public, "manifest.json")["bundle"]


def test_no_file_holds_the_value_of_one_person(plain, public):
    for bundle in (plain, public):
        assert [path for path, text in texts(bundle).items() if results.CANARY in text] == []


def test_the_canary_is_a_real_one(out):
    assert results.CANARY in (out.parent / "people.csv").read_text()


def test_nothing_is_ever_called_anonymous(plain, public):
    for bundle in (plain, public):
        assert [path for path, text in texts(bundle).items() if "anonym" in text.lower()
                and path.name not in ("report.html",)] == []


def test_no_page_asks_for_anything_from_a_network(public):
    for page in ("datacard.html", "verify.html"):
        text = html.unescape((public / page).read_text())
        assert "default-src 'none'" in text and not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?https?:""", text)


def test_page_one_says_the_verdict_in_all_places(public):
    words = "passed policy fabrica at tier public on these 13 tests"
    for page in ("datacard.md", "datacard.html", "limits.md", "croissant.json"):
        assert words in (public / page).read_text(), page


def test_columns_with_hostile_names_stay_text(out, keys, tmp_path):
    hostile = '<script>alert(1)</script>|`x`'
    copy = shutil.copytree(out, tmp_path / "out")
    rows = list(csv.reader((copy / "data.csv").open()))
    rows[0][0] = hostile
    csv.writer((copy / "data.csv").open("w", newline="")).writerows(rows)
    results.judge(copy)
    bundle = results.bundle(copy, tmp_path / "bundle", keys[0], purpose=hostile, recipients=[hostile])
    assert "<script>alert" not in (bundle / "datacard.html").read_text()
    assert "<script>" not in (bundle / "datacard.md").read_text().replace("\\<", "")
    assert read(bundle, "croissant.json")["recordSet"][0]["field"][0]["name"] == hostile
    assert fabrica.verify(bundle, keys[1]).holds


def test_the_environment_is_locked_and_billed(public):
    lock = (public / "lock.txt").read_text().split()
    bill = read(public, "sbom.cdx.json")
    assert any(line.startswith("numpy==") for line in lock) and len(set(lock)) == len(lock)
    libraries = [one for one in bill["components"] if one["type"] == "library"]
    assert [f"{one['name']}=={one['version']}" for one in libraries] == lock
    assert {one["type"] for one in bill["components"]} == {"library", "data", "machine-learning-model"}
    assert "file://" not in (public / "sbom.cdx.json").read_text()


# ---------------------------------------------------------------- the source


def test_the_source_is_named_by_a_digest_that_its_owner_can_show(out, keys, tmp_path):
    made = fabrica.release(out, tmp_path / "bundle", key=keys[0], approvers=results.APPROVERS)
    source = (out.parent / "people.csv").read_bytes()
    said = read(tmp_path / "bundle", "provenance.json")["entity"]["fabrica:source"]
    key = bytes.fromhex(made.source_key.read_text())
    assert said["fabrica:hmac_sha256"] == hmac.new(key, source, "sha256").hexdigest()
    assert made.source_key.stat().st_mode & 0o077 == 0 and made.source_key.parent == out
    for text in texts(tmp_path / "bundle").values():  # neither a plain digest of the source nor the key
        assert hashlib.sha256(source).hexdigest() not in text and key.hex() not in text


def test_two_bundles_have_different_digests_of_one_source(plain, out, keys, tmp_path):
    other = results.bundle(out, tmp_path / "bundle", keys[0])
    said = {read(b, "provenance.json")["entity"]["fabrica:source"]["fabrica:hmac_sha256"] for b in (plain, other)}
    assert len(said) == 2


def test_a_source_that_has_changed_since_is_not_named(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    table = tmp_path / "people.csv"
    table.write_text((out.parent / "people.csv").read_text())
    recipe = json.loads((copy / "recipe.json").read_text())
    (copy / "recipe.json").write_text(json.dumps({**recipe, "data": str(table)}))
    (copy / "origin.json").write_text(Origin("0a" * 16, keyed("0a" * 16, [table]), 1).dumps())
    assert fabrica.release(copy, tmp_path / "bundle", key=keys[0], approvers=results.APPROVERS).source_key is not None
    table.write_text(table.read_text() + "\n")
    assert fabrica.release(copy, tmp_path / "another", key=keys[0], approvers=results.APPROVERS).source_key is None


def test_a_source_that_is_gone_is_said(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    recipe = json.loads((copy / "recipe.json").read_text())
    (copy / "recipe.json").write_text(json.dumps({**recipe, "data": str(tmp_path / "gone.csv")}))
    made = fabrica.release(copy, tmp_path / "bundle", key=keys[0], approvers=results.APPROVERS)
    assert made.source_key is None and fabrica.verify(tmp_path / "bundle", keys[1]).holds
    assert "not at hand" in read(tmp_path / "bundle", "provenance.json")["entity"]["fabrica:source"]["fabrica:digest"]


def test_no_path_of_the_producer_is_told(plain, public, out, private_out):
    for bundle, folder in ((plain, out), (public, private_out)):
        assert [path for path, text in texts(bundle).items() if str(folder.parent) in text] == []


# ---------------------------------------------------------------- the public profile


def numbers(thing):
    if isinstance(thing, dict):
        return [n for value in thing.values() for n in numbers(value)]
    if isinstance(thing, list):
        return [n for value in thing for n in numbers(value)]
    return [thing] if isinstance(thing, int | float) and not isinstance(thing, bool) else []


def test_public_numbers_are_rounded(public):
    for name in ("privacy", "fidelity", "utility", "fairness"):
        for one in read(public, f"evidence/{name}.json")["findings"]:
            found = [number for key in ("value", "low", "high", "floor") if (number := one.get(key)) is not None]
            assert all(round(number, 2) == number for number in found), one
            assert all(count % 5 == 0 for count in numbers(one.get("detail", {}))), one


def test_the_internal_profile_is_not_rounded(plain):
    found = [one["value"] for one in read(plain, "evidence/fidelity.json")["findings"] if one["value"] is not None]
    assert any(round(number, 2) != number for number in found)


def test_risks_are_never_rounded_down_and_a_pass_stays_one(public, private_out):
    full = {test["name"]: test for test in json.loads((private_out / "gate.json").read_text())["tests"]}
    told = {test["name"]: test for test in read(public, "evidence/gate.json")["tests"]}
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


def test_the_public_configuration_has_neither_seed_nor_files(public, plain):
    assert not {"seed", "data", "holdout"} & set(read(public, "config.json"))
    assert read(plain, "config.json")["data"] == "people.csv"


def test_under_an_epsilon_the_public_profile_does_not_count_real_rows(public):
    assert "fabrica:rows" not in read(public, "provenance.json")["entity"]["fabrica:source"]


def test_the_ledger_goes_into_the_evidence(public, private_out):
    told, ledger = read(public, "evidence/dp.json"), json.loads((private_out / "ledger.json").read_text())
    assert told["ledger"]["events"] == ledger["events"] and told["epsilon"] == ledger["epsilon"]
    assert any("real rows" in line for line in told["not_covered"])


def test_what_was_not_measured_has_a_file_that_says_so(plain):
    told = read(plain, "evidence/fairness.json")
    assert told["measured"] is False and told["findings"] == [] and told["problem"]
    assert read(plain, "evidence/dp.json")["measured"] is False


def test_more_rows_than_real_ones_are_warned_of(out, keys):
    made = Made.of(out)
    claim = {"verdict": "PASS", "policy": "p", "tier": "t", "tests": 1, "purpose": "", "recipients": [], "waivers": [],
             "beyond_tier": "", "expires": "2027-01-01", "profile": "internal", "rows": made.real_rows + 1}
    assert "warning: more rows" in limits(made, claim, [], 0)
    assert "warning: more rows" not in limits(made, {**claim, "rows": made.real_rows}, [], 0)


# ---------------------------------------------------------------- what cannot be released


def refused(words, folder, keys, tmp_path, **asked):
    with pytest.raises(FabricaError, match=words):
        results.bundle(folder, tmp_path / "bundle", keys[0], **asked)
    assert not (tmp_path / "bundle").exists()
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_no_folder(keys, tmp_path):
    refused("no such folder", tmp_path / "none", keys, tmp_path)


@pytest.mark.parametrize(("name", "words"), [("gate.json", "no gate.json; run 'fabrica gate"), ("recipe.json", "synth"),
                                             ("schema.json", "synth"), ("data.csv", "no data file")])
def test_something_lacks(name, words, out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    (copy / name).unlink()
    refused(words, copy, keys, tmp_path)


def test_the_gate_judged_other_rows(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    with (copy / "data.csv").open("a") as file:
        file.write("30,f,Ulm,low\n")
    refused("judges another data file", copy, keys, tmp_path)


def test_a_decision_with_a_name_twice(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    text = (copy / "gate.json").read_text()
    (copy / "gate.json").write_text('{"verdict": "PASS", ' + text[1:])
    refused("stands twice", copy, keys, tmp_path)


def test_a_fail_needs_a_reason_that_stands_on_page_one(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.failed(copy)
    refused("verdict is FAIL .*G2 copies, G6 outliers.*--without-pass", copy, keys, tmp_path)
    bundle = results.bundle(copy, tmp_path / "bundle", keys[0], without_pass="a clean room, one day")
    found = fabrica.verify(bundle, keys[1])
    assert found.holds and "FAILED policy" in found.lines[1] and "a clean room, one day" in found.lines[1]
    for page in ("datacard.html", "datacard.md", "limits.md"):
        text = (bundle / page).read_text()
        assert "a clean room, one day" in text and "passed policy" not in text
    assert "G6 outliers: INCONCLUSIVE" in (bundle / "limits.md").read_text()
    assert [one["test"] for one in read(bundle, "approvals.json")["residual_risks"]] == ["G2", "G6"]


def test_a_pass_needs_no_reason(out, keys, tmp_path):
    refused("is not needed", out, keys, tmp_path, without_pass="to be sure")


def test_the_public_profile_of_a_smaller_circle_needs_a_reason_that_stands_on_page_one(out, keys, tmp_path):
    refused("tier partner, and the public profile is for everybody.*--beyond-tier", out, keys, tmp_path,
            profile="public")
    refused("is not needed", out, keys, tmp_path, beyond_tier="to be sure")
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], profile="public", beyond_tier="the board's vote")
    found = fabrica.verify(bundle, keys[1])
    assert found.holds and "judged at tier partner, because: the board's vote" in str(found)
    for page in ("datacard.html", "datacard.md", "limits.md"):
        assert "the board's vote" in html.unescape((bundle / page).read_text()), page
    assert read(bundle, "approvals.json")["told_beyond_tier"] == "the board's vote"


@pytest.mark.parametrize(("approvers", "words"), [
    (["Ada Example"], "in which role"), (["privacy officer:"], "in which role"), ([":"], "in which role"),
    (["privacy officer: Ada Example"], "2 different people"),
    (["data owner: Ada Example", "privacy officer: ada  EXAMPLE"], "2 different people"),
    (["owner: Ada Example", "owner: Max Example"], "different roles"), ([], "2 different people")])
def test_too_few_approve(approvers, words, out, keys, tmp_path):
    refused(words, out, keys, tmp_path, approvers=approvers)


def test_one_is_enough_within_the_house():
    assert approved(["owner: Ada Example"], Decision("internal", Policy(), ()))[0].name == "Ada Example"
    strict = Policy(tiers={**TIERS, "internal": replace(TIERS["internal"], signatures=2)})
    with pytest.raises(FabricaError):
        approved(["owner: Ada Example"], Decision("internal", strict, ()))


@pytest.mark.parametrize(("day", "words"), [("soon", "must be a day"), ("2020-01-01", "in the past"),
                                            ("2099-01-01", "is beyond the")])
def test_a_last_day_that_cannot_be(day, words, out, keys, tmp_path):
    refused(words, out, keys, tmp_path, expires=day)


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
    refused("in the past; run 'fabrica gate' again", copy, keys, tmp_path)


def test_a_decision_from_the_future(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.judge(copy, made="2999-01-01T00:00:00Z")
    refused("lies in the future", copy, keys, tmp_path)


def test_nothing_to_share_and_no_model(out, keys, tmp_path):
    refused("nothing is left", out, keys, tmp_path, data=False)
    copy = shutil.copytree(out, tmp_path / "out")
    (copy / "model.fab").unlink()
    refused("no model to share", copy, keys, tmp_path, model=True)


def test_the_model_alone(out, keys, tmp_path):
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], data=False, model=True)
    assert fabrica.verify(bundle, keys[1]).holds and not (bundle / "data").exists()
    assert "whoever holds a model" in (bundle / "datacard.md").read_text()


def test_a_bundle_is_never_written_over(out, keys, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="never written over"):
        results.bundle(out, tmp_path / "full", keys[0])
    assert names(tmp_path / "full") == {"mine.txt"}
    (tmp_path / "empty").mkdir()
    assert fabrica.verify(results.bundle(out, tmp_path / "empty", keys[0]), keys[1]).holds


def test_a_fault_on_the_way_leaves_nothing(out, keys, tmp_path, monkeypatch):
    from fabrica.bundle import write

    def fault(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(write, "trust", fault)
    refused("disk is full", out, keys, tmp_path)


def test_no_sign_that_a_terminal_obeys_is_told(out, keys, tmp_path):
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], purpose="\x1b[2Jtests\u202e")
    assert not {"\x1b", "\u202e"} & set(str(fabrica.verify(bundle, keys[1])))


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"NaN", b"[1e999]", b'{"a": 1, "a": 1}', b"[" * 99_999, b"9" * 9_999])
def test_json_is_read_strictly(raw):
    with pytest.raises(FabricaError):
        parse(raw, "gate.json")


def test_under_an_epsilon_nobody_says_that_there_is_no_personal_data(public, plain):
    assert "not looked for" in (public / "datacard.md").read_text()
    assert "not searched" in read(public, "croissant.json")["rai:personalSensitiveInformation"][0]
    assert read(public, "evidence/identifiers.json")["searched"] is False
    assert read(plain, "evidence/identifiers.json")["searched"] is True


def test_the_record_of_an_intruder(out, keys, tmp_path):
    (tmp_path / "record.md").write_text("A journalist, two days, the voters' roll: nobody was found.")
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], intruder=tmp_path / "record.md")
    assert "A journalist" in (bundle / "evidence/intruder.md").read_text() and fabrica.verify(bundle, keys[1]).holds
    (tmp_path / "empty.md").write_bytes(b"\xff")
    for name in ("empty.md", "none.md"):
        with pytest.raises(FabricaError, match="no text"):
            results.bundle(out, tmp_path / "other", keys[0], intruder=tmp_path / name)


def test_the_page_of_the_gate_is_in_the_internal_profile_only(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    (copy / "evidence.html").write_text("<p>evidence</p>")
    assert "evidence.html" in names(results.bundle(copy, tmp_path / "a", keys[0]))
    told = results.bundle(copy, tmp_path / "b", keys[0], profile="public", beyond_tier="a trial")
    assert "evidence.html" not in names(told)


# ---------------------------------------------------------------- keys


def test_keys_are_never_lost(tmp_path):
    private, public, name = new_key(tmp_path / "signer.pem")
    assert private.stat().st_mode & 0o077 == 0 and public.name == "signer.pub.pem"
    assert re.fullmatch("[0-9a-f]{64}", name)
    for target in ("signer.pem", "signer"):
        with pytest.raises(OutputError, match="is there already"):
            new_key(tmp_path / target)


def test_keys_that_cannot_sign(out, keys, tmp_path):
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec
    other = tmp_path / "ec.pem"
    other.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    (tmp_path / "text.pem").write_text("hello")
    locked, open_key, _ = new_key(tmp_path / "locked.pem", b"secret")
    for key, words in ((other, "another kind than Ed25519"), (keys[1], "is a public key"),
                       (tmp_path / "text.pem", "PEM"), (tmp_path / "none.pem", "cannot be read"),
                       (locked, "locked with a password.*--password-env")):
        refused(words, out, (key, None), tmp_path)
    refused("this password", out, (locked, None), tmp_path, password=b"wrong")
    bundle = results.bundle(out, tmp_path / "bundle", locked, password=b"secret")
    assert fabrica.verify(bundle, open_key).holds
    for key, words in ((keys[0], "is a private key"), (tmp_path / "text.pem", "PEM")):
        with pytest.raises(FabricaError, match=words):
            fabrica.verify(bundle, key)


def test_openssl_knows_our_keys_and_signature(plain, keys, tmp_path):
    """A reader without fabrica and without Python."""
    import base64
    import subprocess

    from fabrica.bundle.envelope import PAYLOAD, pae
    if not shutil.which("openssl"):
        pytest.skip("no openssl here")
    envelope = json.loads((plain / ATTESTATION).read_bytes())
    (tmp_path / "signed").write_bytes(pae(PAYLOAD, base64.b64decode(envelope["payload"])))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(keys[1]), "-rawin", "-in",
                           str(tmp_path / "signed"), "-sigfile", str(tmp_path / "sig")], capture_output=True, text=True)
    assert "Verified Successfully" in done.stdout, done.stderr
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", str(keys[1]), "-outform", "DER"], capture_output=True)
    assert hashlib.sha256(der.stdout).hexdigest() == envelope["signatures"][0]["keyid"]


# ---------------------------------------------------------------- the commands


def told(*words):
    from fabrica.cli import commands
    return commands._outcome(list(words))


def test_the_three_commands(out, tmp_path, capsys):
    key, bundle = str(tmp_path / "k.pem"), str(tmp_path / "bundle")
    assert told("key", key) == 0 and "fingerprint" in capsys.readouterr().out
    approvers = [word for one in results.APPROVERS for word in ("--approver", one)]
    assert told("release", str(out), "-o", bundle, "--key", key, *approvers, "--purpose", "tests") == 0
    assert "passed policy fabrica at tier partner" in capsys.readouterr().out
    public = str(tmp_path / "k.pub.pem")
    assert told("verify", bundle, "--key", public) == 0 and "holds" in capsys.readouterr().out
    assert told("verify", bundle, "--key", public, "--json") == 0
    assert json.loads(capsys.readouterr().out)["claim"]["purpose"] == "tests"
    (Path(bundle) / "limits.md").write_text("no limits")
    assert told("verify", bundle, "--key", public) == 1
    assert "limits.md: was changed" in capsys.readouterr().out
    assert told("verify", str(tmp_path / "none"), "--key", public) == 2
    assert told("verify", bundle, "--key", key) == 2 and "private key" in capsys.readouterr().err


def test_a_password_comes_by_the_environment(out, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SIGNER", "secret")
    key = str(tmp_path / "k.pem")
    assert told("key", key, "--password-env", "SIGNER") == 0 and b"ENCRYPTED" in Path(key).read_bytes()
    approvers = [word for one in results.APPROVERS for word in ("--approver", one)]
    words = ["release", str(out), "-o", str(tmp_path / "bundle"), "--key", key, *approvers]
    assert told(*words) == 2 and "--password-env" in capsys.readouterr().err
    assert told(*words, "--password-env", "NOBODY") == 2
    assert told(*words, "--password-env", "SIGNER") == 0


def test_a_model_or_a_ledger_that_the_gate_has_not_seen_is_not_released(out, private_out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    (copy / "model.fab").write_bytes((out.parent / "people.csv").read_bytes())
    refused("no model that the gate has judged", copy, keys, tmp_path, model=True)
    shutil.copy(out / "model.fab", copy / "model.fab")
    shutil.copy(private_out / "ledger.json", copy / "ledger.json")
    refused("no ledger that the gate has judged", copy, keys, tmp_path)
