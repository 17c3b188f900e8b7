"""What cannot be released, and leaves nothing behind."""

from __future__ import annotations

import shutil

import pytest
import results

import fabrica
from fabrica.bundle import write
from fabrica.bundle.canonical import parse
from fabrica.errors import FabricaError, OutputError


def test_no_folder(keys, tmp_path):
    results.refused("no such folder", tmp_path / "none", keys, tmp_path)


@pytest.mark.parametrize(("name", "words"), [("gate.json", "no gate.json; run 'fabrica gate"), ("recipe.json", "synth"),
                                             ("schema.json", "synth"), ("data.csv", "no data file")])
def test_something_lacks(name, words, out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    (copy / name).unlink()
    results.refused(words, copy, keys, tmp_path)


def test_the_gate_judged_other_rows(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    with (copy / "data.csv").open("a") as file:
        file.write("30,f,Ulm,low\n")
    results.refused("judges another data file", copy, keys, tmp_path)


@pytest.mark.parametrize("kind", ["out", "private_out"])
def test_rows_that_are_swapped_after_they_were_judged_are_not_released(kind, request, keys, tmp_path, monkeypatch):
    """What is judged is the copy: a file may be swapped between the look at it and its copying."""
    copy = shutil.copytree(request.getfixturevalue(kind), tmp_path / "out")
    data, demand = next(copy.glob("data.*")), write._demand_pass

    def swap(*asked):
        demand(*asked)
        results.people(data, 50)

    monkeypatch.setattr(write, "_demand_pass", swap)
    results.refused("was changed while the bundle was written", copy, keys, tmp_path)


def test_a_model_or_a_ledger_that_the_gate_has_not_seen_is_not_released(out, private_out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    (copy / "model.fab").write_bytes((out.parent / "people.csv").read_bytes())
    results.refused("no model that the gate has judged", copy, keys, tmp_path, model=True)
    shutil.copy(out / "model.fab", copy / "model.fab")
    results.judge(copy, results.area("likelihood", 0.7, 0.65, 0.75), model=False)
    results.refused("run 'fabrica gate --model' again", copy, keys, tmp_path, model=True)
    assert results.bundle(copy, tmp_path / "rows", keys[0]).is_dir()
    results.judge(copy, results.area("likelihood", 0.7, 0.65, 0.75))
    results.refused(r"\(membership\)", copy, keys, tmp_path)
    results.judge(copy)
    shutil.copy(private_out / "ledger.json", copy / "ledger.json")
    results.refused("no ledger that the gate has judged", copy, keys, tmp_path)


def test_a_decision_with_a_name_twice(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    text = (copy / "gate.json").read_text()
    (copy / "gate.json").write_text('{"verdict": "PASS", ' + text[1:])
    results.refused("stands twice", copy, keys, tmp_path)


def test_a_fail_needs_a_reason_that_stands_on_page_one(out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.failed(copy)
    results.refused("verdict is FAIL .*tier partner \\(copies, outliers\\).*--without-pass", copy, keys, tmp_path)
    bundle = results.bundle(copy, tmp_path / "bundle", keys[0], without_pass="a clean room, one day")
    found = fabrica.verify(bundle, keys[1])
    assert found.holds and "FAILED policy" in found.lines[1] and "a clean room, one day" in found.lines[1]
    for page in ("datacard.html", "datacard.md", "limits.md"):
        text = (bundle / page).read_text()
        assert "a clean room, one day" in text and "passed policy" not in text
    assert "G6 outliers: INCONCLUSIVE" in (bundle / "limits.md").read_text()
    assert [one["test"] for one in results.read(bundle, "approvals.json")["residual_risks"]] == ["G2", "G6"]


def test_a_pass_needs_no_reason(out, keys, tmp_path):
    results.refused("is not needed", out, keys, tmp_path, without_pass="to be sure")


def test_nothing_to_share_and_no_model(out, keys, tmp_path):
    results.refused("nothing is left", out, keys, tmp_path, data=False)
    copy = shutil.copytree(out, tmp_path / "out")
    (copy / "model.fab").unlink()
    results.refused("no model to share", copy, keys, tmp_path, model=True)


def test_a_bundle_is_never_written_over(out, keys, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="never written over"):
        results.bundle(out, tmp_path / "full", keys[0])
    assert results.names(tmp_path / "full") == {"mine.txt"}
    (tmp_path / "empty").mkdir()
    assert fabrica.verify(results.bundle(out, tmp_path / "empty", keys[0]), keys[1]).holds


def test_a_fault_on_the_way_leaves_nothing(out, keys, tmp_path, monkeypatch):
    def fault(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(write, "trust", fault)
    results.refused("disk is full", out, keys, tmp_path)


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"NaN", b"[1e999]", b'{"a": 1, "a": 1}', b"[" * 99_999, b"9" * 9_999])
def test_json_is_read_strictly(raw):
    with pytest.raises(FabricaError):
        parse(raw, "gate.json")
