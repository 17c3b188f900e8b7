"""What a bundle holds, and what none of its files does."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil

import pyarrow.parquet as pq
import pytest
import results

import fabrica
from fabrica.bundle import standalone
from fabrica.bundle.envelope import ATTESTATION, unsealed
from fabrica.bundle.keys import public_key
from fabrica.bundle.public import five
from fabrica.errors import FabricaError
from fabrica.gatehouse.policy import Policy

EVIDENCE = ("gate", "privacy", "fidelity", "utility", "fairness", "dp", "identifiers")
EVERYWHERE = {"attestation.dsse.json", "manifest.json", "croissant.json", "datacard.md", "datacard.html", "config.json",
              "provenance.json", "lock.txt", "sbom.cdx.json", "approvals.json", "limits.md", "verify.py", "verify.html",
              "TRUST.md", *(f"evidence/{one}.json" for one in EVIDENCE)}


def test_the_contents_of_both_profiles(plain, public):
    assert results.names(plain) == EVERYWHERE | {"data/data.csv", "report.html", "schema.json"}
    assert results.names(public) == EVERYWHERE | {"data/data.parquet", "model/model.fab"}


def test_the_signature_covers_every_other_file(public, keys):
    said = unsealed((public / ATTESTATION).read_bytes(), [public_key(keys[1])])
    assert set(said.digests) == results.names(public) - {ATTESTATION}
    listed = {one["name"] for one in results.read(public, "manifest.json")["files"]}
    assert listed == set(said.digests) - {"manifest.json"}


def test_the_rows_are_the_ones_that_were_judged(plain, out, public, private_out):
    assert (plain / "data/data.csv").read_bytes() == (out / "data.csv").read_bytes()
    assert pq.read_table(public / "data/data.parquet").equals(pq.read_table(private_out / "data.parquet"))
    marks = pq.read_metadata(public / "data/data.parquet").metadata
    assert marks[b"synthetic"] == b"true" and marks[b"fabrica:generator"].startswith(b"fabrica ")
    assert marks[b"fabrica:bundle"].decode() == results.read(public, "manifest.json")["bundle"]


def test_no_file_holds_the_value_of_one_person(plain, public):
    for bundle in (plain, public):
        assert [path for path, text in results.texts(bundle).items() if results.CANARY in text] == []


def test_the_canary_is_a_real_one(out):
    assert results.CANARY in (out.parent / "people.csv").read_text()


def test_nothing_is_ever_called_anonymous(plain, public):
    for bundle in (plain, public):
        assert [path for path, text in results.texts(bundle).items() if "anonym" in text.lower()
                and path.name not in ("report.html",)] == []


def test_no_page_asks_for_anything_from_a_network(public):
    for page in ("datacard.html", "verify.html"):
        text = html.unescape((public / page).read_text())
        assert "default-src 'none'" in text and not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?https?:""", text)


def test_page_one_says_the_verdict_in_all_places(public):
    words = "passed policy fabrica at tier public on these 14 tests"
    for page in ("datacard.md", "datacard.html", "limits.md", "croissant.json"):
        assert words in (public / page).read_text(), page


def test_page_one_tells_how_many_were_learned_from_and_held_back_and_how_like_they_are(plain, out, keys, tmp_path):
    """The public profile rounds, and under an epsilon does not count people at all."""
    rounded = results.bundle(out, tmp_path / "bundle", keys[0], profile="public", beyond_tier="a trial")
    rows = json.loads((out / "report.json").read_text())["facts"]["rows"]
    real, held = rows["real"], rows["holdout"]
    assert real % 5 and held % 5
    for bundle, people in ((plain, f"learned from {real} rows, {held} more were held back to judge by; each row is"),
                           (rounded, f"learned from about {five(real)} rows, about {five(held)} more were held back")):
        likeness = results.read(bundle, "evidence/fidelity.json")["likeness"]
        assert " of A to D, " in likeness
        told = standalone.checked(bundle, [str(keys[1])])[1]
        for page in (str(fabrica.verify(bundle, keys[1])), "\n".join(told),
                     *((bundle / name).read_text() for name in ("datacard.html", "datacard.md"))):
            assert people in page and likeness in re.sub(r"\\(?=[()])", "", page)


def test_under_an_epsilon_page_one_of_the_public_profile_counts_nobody(public, keys):
    assert "people: how many people it was learned from is not told" in str(fabrica.verify(public, keys[1]))
    assert not {"learned", "held"} & set(results.read(public, "evidence/gate.json")["subject"])


def test_waivers_are_told_once_on_each_page(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    waiver = {"tier": "partner", "field": "copies", "reason": "a pilot", "by": "Ada Example"}
    results.judge(copy, policy=Policy.from_json({"name": "lax", "tiers": {"partner": {"copies": 0.003}},
                                                 "waivers": [waiver]}))
    bundle = results.bundle(copy, tmp_path / "bundle", keys[0])
    for page in ("datacard.html", "datacard.md", "limits.md"):
        assert (bundle / page).read_text().count("a pilot") == 1, page
    assert str(fabrica.verify(bundle, keys[1])).count("a pilot") == 1


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
    assert results.read(bundle, "croissant.json")["recordSet"][0]["field"][0]["name"] == hostile
    assert fabrica.verify(bundle, keys[1]).holds


def test_no_sign_that_a_terminal_obeys_is_told(out, keys, tmp_path):
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], purpose="\x1b[2Jtests\u202e")
    assert not {"\x1b", "\u202e"} & set(str(fabrica.verify(bundle, keys[1])))


def test_the_environment_is_locked_and_billed(public):
    lock = (public / "lock.txt").read_text().split()
    bill = results.read(public, "sbom.cdx.json")
    assert any(line.startswith("numpy==") for line in lock) and len(set(lock)) == len(lock)
    libraries = [one for one in bill["components"] if one["type"] == "library"]
    assert [f"{one['name']}=={one['version']}" for one in libraries] == lock
    assert {one["type"] for one in bill["components"]} == {"library", "data", "machine-learning-model"}
    assert "file://" not in (public / "sbom.cdx.json").read_text()


def test_the_model_alone(out, keys, tmp_path):
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], data=False, model=True)
    assert fabrica.verify(bundle, keys[1]).holds and not (bundle / "data").exists()
    assert "whoever holds a model" in (bundle / "datacard.md").read_text()


def test_the_record_of_an_intruder(out, keys, tmp_path):
    (tmp_path / "record.md").write_text("A journalist, two days, the voters' roll: nobody was found.")
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], intruder=tmp_path / "record.md")
    assert "A journalist" in (bundle / "evidence/intruder.md").read_text() and fabrica.verify(bundle, keys[1]).holds
    (tmp_path / "odd.md").write_bytes(b"\xff")
    (tmp_path / "empty.md").write_text(" ")
    for name, words in (("odd.md", "no text in UTF-8"), ("empty.md", "is empty"), ("none.md", "no such file")):
        with pytest.raises(FabricaError, match=f"{words}.*leave --intruder out"):
            results.bundle(out, tmp_path / "other", keys[0], intruder=tmp_path / name)


def test_the_page_of_the_gate_is_in_the_internal_profile_only(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    (copy / "evidence.html").write_text("<p>evidence</p>")
    assert "evidence.html" in results.names(results.bundle(copy, tmp_path / "a", keys[0]))
    told = results.bundle(copy, tmp_path / "b", keys[0], profile="public", beyond_tier="a trial")
    assert "evidence.html" not in results.names(told)


def test_the_card_names_the_files_that_it_tells_of(plain):
    card = (plain / "datacard.html").read_text(encoding="utf-8")
    assert "<code>evidence/gate.json</code>" in card and "<code>verify.html, verify.py, TRUST.md</code>" in card
