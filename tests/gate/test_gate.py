"""The gate as its user has it: a folder goes in, one decision comes out, however often one asks."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fabrica
from fabrica.attempts import LOG
from fabrica.cli.commands import _outcome as cli
from fabrica.gatehouse.decision import Decision
from fabrica.gating import Brought


def people(rows: int, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    age, sex = random.integers(17, 90, rows), random.choice(["f", "m"], rows)
    return pd.DataFrame({
        "age": age, "sex": sex, "town": random.choice(["Rome", "Oslo", "Bern"], rows, p=[0.5, 0.3, 0.2]),
        "hours": np.round(random.normal(38, 6, rows), 1), "paid": np.round(random.exponential(900, rows), 2),
        "income": np.where(random.random(rows) < age / 120, "high", "low")})


def changed(file: Path, **facts) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **facts}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A twin of independent columns, and its decision."""
    out = tmp_path_factory.mktemp("gate")
    people(2_400).to_csv(out / "people.csv", index=False)
    assert cli(["synth", str(out / "people.csv"), "-o", str(out / "out"), "--engine", "independent", "--k", "10",
                "--holdout", "0.4", "-q"]) == 0
    code = cli(["gate", str(out / "out"), "--tier", "internal", "-q"])
    return out / "out", code


def test_it_writes_a_decision_and_its_evidence(folder):
    out, code = folder
    decision = Decision.load(out / "gate.json")
    assert code == (0 if decision.verdict == "PASS" else 1)
    named = {one.name: one.verdict for one in decision.outcomes}
    assert named["identifiers"] == named["rare"] == named["alike"] == named["attempts"] == "PASS"
    evidence = json.loads((out / "evidence.json").read_text())
    assert evidence["facts"]["gate"] == decision.to_json()
    assert {"inference", "shadow", "verbatim"} <= {one["metric"] for one in evidence["findings"]}
    page = (out / "evidence.html").read_text()
    assert all(one.why[:30] in page for one in decision.outcomes if "'" not in one.why[:30])


def test_the_same_twin_gets_the_same_decision_and_is_one_attempt(folder):
    out, _ = folder
    before = Decision.load(out / "gate.json")
    again = fabrica.gate(out, tier="internal")
    assert again.outcomes == before.outcomes and again.attempts == before.attempts == 1
    partner = fabrica.gate(out, tier="partner")
    assert partner.before == {before.asked: before.verdict} and Decision.load(out / "gate.json") == partner
    (out / "gate.json").unlink()  # the record of tries beside the table knows it all the same
    known = Brought.of(out).attempt().seen()
    assert known.number == 1 and known.before == {one.asked: one.verdict for one in (before, partner)}
    assert fabrica.gate(out, tier="internal").before == {partner.asked: partner.verdict}


def visits(rows: int) -> pd.DataFrame:
    """Several rows of the same people."""
    random = np.random.default_rng(4)
    who = [f"P{number:07d}" for number in random.permutation(9_000_000)[: rows // 3]]
    return people(rows).assign(patient_id=random.choice(who, rows))


def test_people_are_counted_by_the_unit_that_they_were_learned_by_and_by_no_other(tmp_path, capsys):
    visits(900).to_csv(tmp_path / "visits.csv", index=False)
    for out, unit in (("own", ["--unit", "patient_id"]), ("none", [])):
        assert cli(["synth", str(tmp_path / "visits.csv"), "-o", str(tmp_path / out), "--engine", "independent", "-q",
                    *unit]) == 0
    assert Brought.of(tmp_path / "own").unit == "patient_id" == Brought.of(tmp_path / "own", unit="patient_id").unit
    assert cli(["gate", str(tmp_path / "own"), "--unit", "town", "-q"]) == 2
    assert "was learned with --unit patient_id" in capsys.readouterr().err and not (tmp_path / "own/gate.json").exists()
    unit = next(one for one in fabrica.gate(tmp_path / "none", tier="internal").outcomes if one.name == "unit")
    assert unit.verdict == "INCONCLUSIVE" and "--unit patient_id" in unit.step


@pytest.mark.parametrize(("rows", "unit"), [(500, []), (1_500, ["--unit", "patient_id"])])
def test_too_few_people_are_refused_before_a_try_is_counted_and_are_told_of_when_learned(tmp_path, rows, unit, capsys):
    visits(rows).to_csv(tmp_path / "visits.csv", index=False)
    out = tmp_path / "out"
    assert cli(["synth", str(tmp_path / "visits.csv"), "-o", str(out), "--engine", "independent", *unit]) == 0
    notes = json.loads((out / "report.json").read_text())["facts"]["notes"]
    assert sum("the gate will refuse a twin of so few people" in note for note in notes) == 1
    assert "the gate will refuse a twin of so few people" in "".join(capsys.readouterr())
    assert cli(["gate", str(out), "--tier", "internal", "-q"]) == 2
    assert "no test of the gate could decide anything of fewer than 600" in capsys.readouterr().err
    assert not list(tmp_path.rglob(LOG)) and not (out / "gate.json").exists()


def test_protected_columns_of_one_value_are_refused_before_a_try_is_counted(tmp_path, capsys):
    for name, seed in (("real", 1), ("rest", 2), ("twin", 3)):
        people(700, seed).assign(land="no", lake=4).to_csv(tmp_path / f"{name}.csv", index=False)
    out = tmp_path / "out"
    out.mkdir()
    shutil.copy(tmp_path / "twin.csv", out / "data.csv")
    real = ["--real", str(tmp_path / "real.csv"), "--protected"]
    assert cli(["gate", str(out), "--holdout", str(tmp_path / "rest.csv"), *real, "land,lake", "-q"]) == 2
    assert "protected column 'land': has one value only" in capsys.readouterr().err
    assert not list(tmp_path.rglob(LOG)) and not (out / "gate.json").exists()
    twin = ["evaluate", "--synthetic", str(tmp_path / "twin.csv"), "-o", str(tmp_path / "report"), *real]
    assert cli([*twin, "lake", "-q"]) == 2
    assert "tells groups apart" in capsys.readouterr().err and not (tmp_path / "report").exists()
    assert cli([*twin, "land,sex", "--metric", "representation"]) == 0
    assert "'land' has one value only" in capsys.readouterr().err


def test_another_unit_or_schema_is_another_question_and_another_attempt(tmp_path):
    whole, out = visits(2_400), tmp_path / "out"
    out.mkdir()
    people = whole["patient_id"].drop_duplicates()
    held = whole["patient_id"].isin(people[:100])
    for rows, file in ((whole[~held], tmp_path / "real.csv"), (whole[held], tmp_path / "rest.csv"),
                       (visits(300).assign(patient_id="P1"), out / "data.csv")):
        rows.to_csv(file, index=False)
    (tmp_path / "schema.yaml").write_text("age: {kind: integer}")
    (tmp_path / "same.json").write_text('{"age": "integer"}')
    beside = {"real": tmp_path / "real.csv", "holdout": tmp_path / "rest.csv"}
    asked = [{}, {"unit": "patient_id"}, {"schema": tmp_path / "schema.yaml"}, {"schema": tmp_path / "same.json"}]
    brought = [Brought.of(out, *beside.values(), one.get("unit"), one.get("schema")) for one in asked]
    assert [one.attempt().counted().number for one in brought] == [1, 2, 3, 3]
    decision = fabrica.gate(out, tier="internal", unit="patient_id", **beside)
    many = whole[~held]["patient_id"].nunique()
    assert f"people: learned from {many} people ({(~held).sum():,} rows), 100 more (" in str(decision)
    facts = json.loads((out / "evidence.json").read_text())["facts"]
    assert facts["people"] == {"unit": "patient_id", "real": many, "holdout": 100}
    assert f"{(~held).sum():,} real rows of {many} people" in (out / "evidence.html").read_text()
    assert decision.attempts == 2 and decision.asked.endswith(", unit patient_id")
    assert Decision.load(out / "gate.json") == decision
    again = replace(decision, unit=None, schema=brought[2].schema)
    assert again.asked.endswith(f", schema {brought[2].schema[:8]}") and len(brought[2].schema) == 64
    assert again.after(decision).before == {decision.asked: decision.verdict}


def test_the_fourth_twin_of_a_table_does_not_pass_whatever_the_table_is_called(folder, tmp_path, capsys):
    table = pd.read_csv(folder[0].parent / "people.csv")
    rest = people(900, 7)
    rest.to_csv(tmp_path / "rest.csv", index=False)
    for number in range(1, 5):
        real, out = tmp_path / f"people{number}.csv", tmp_path / f"out{number}"
        table.sample(frac=1, random_state=number).to_csv(real, index=False)
        out.mkdir()
        people(300, 10 + number).to_csv(out / "data.csv", index=False)
        attempts = Brought.of(out, real, tmp_path / "rest.csv").attempt().counted()
        assert attempts.number == number and not attempts.aside
    (tmp_path / LOG).write_text(json.dumps({"fabrica_attempts": 2, "tries": json.loads(
        (tmp_path / LOG).read_text())["tries"][:3]}))
    capsys.readouterr()
    assert cli(["gate", str(out), "--tier", "internal", "--real", str(real), "--holdout",
                str(tmp_path / "rest.csv")]) == 1
    assert "this is the 4th twin of its table, and 3 may be tried: it cannot pass" in capsys.readouterr().err
    decision = Decision.load(out / "gate.json")
    assert decision.attempts == 4 and decision.verdict == "FAIL"
    assert next(one for one in decision.outcomes if one.name == "attempts").verdict == "FAIL"
    assert Brought.of(out, table, rest).attempt().counted().number == 1 and (out / LOG).is_file()  # in memory
    own = tmp_path / "mine.json"
    assert Brought.of(out, real, tmp_path / "rest.csv").attempt(own).counted().number == 1 and own.is_file()


def test_a_copy_of_people_fails_at_every_tier(tmp_path):
    whole = people(2_400, 2)
    whole[:1_600].to_csv(tmp_path / "real.csv", index=False)
    whole[1_600:].to_csv(tmp_path / "rest.csv", index=False)
    out = tmp_path / "out"
    out.mkdir()
    whole[:1_600].sample(frac=1, random_state=3).to_csv(out / "data.csv", index=False)
    for tier in ("internal", "partner", "public"):
        decision = fabrica.gate(out, tier=tier, real=tmp_path / "real.csv", holdout=tmp_path / "rest.csv")
        failed = {one.name for one in decision.outcomes if one.verdict == "FAIL"}
        assert decision.verdict == "FAIL" and {"rare", "copies", "membership"} <= failed


def coarse(rows, seed, odd):
    """People whom many equal, of whom some have a sum that nobody else has."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"sex": random.choice(list("fm"), rows), "town": random.choice(list("nesw"), rows),
                          "ill": np.where(random.random(rows) < 0.2, "y", "n"), "sum": 0})
    table.loc[random.permutation(rows)[:odd], "sum"] = random.integers(1_000, 99_999, odd)
    return table


@pytest.mark.parametrize(("odd", "said"), [(0, "INCONCLUSIVE"), (60, "FAIL")])
def test_a_copy_of_a_table_where_everybody_has_doubles_does_not_pass_and_fails_where_a_few_have_none(tmp_path, odd,
                                                                                                     said):
    out = tmp_path / "out"
    out.mkdir()
    real, rest = coarse(3_000, 1, odd), coarse(2_000, 2, odd * 2 // 3)
    for rows, file in ((real, tmp_path / "real.csv"), (rest, tmp_path / "rest.csv"), (real, out / "data.csv")):
        rows.to_csv(file, index=False)
    decision = fabrica.gate(out, tier="internal", real=tmp_path / "real.csv", holdout=tmp_path / "rest.csv")
    verdicts = {one.name: one.verdict for one in decision.outcomes}
    assert decision.verdict == said and verdicts["copies"] in (said, "PASS"), decision


def test_under_an_epsilon_the_same_holdout_is_found_again(tmp_path):
    people(1_500, 3).to_csv(tmp_path / "people.csv", index=False)
    assert cli(["synth", str(tmp_path / "people.csv"), "-o", str(tmp_path / "out"), "--epsilon", "2", "-q"]) == 0
    judged = json.loads((tmp_path / "out" / "report.json").read_text())["facts"]["rows"]
    first, second = (Brought.of(tmp_path / "out") for _ in range(2))
    held = [pd.concat(b.to_pandas() for b in one.holdout.batches()) for one in (first, second)]
    assert held[0].equals(held[1]) and len(held[0]) == judged["holdout"] and first.real.rows == judged["real"]
    assert first.ledger is not None


@pytest.mark.parametrize(("break_it", "said"), [
    (lambda out: (out / "data.csv").unlink(), "holds no twin"),
    (lambda out: (out / "data.parquet").write_text(""), "several files named data"),
    (lambda out: (out / "origin.json").unlink(), "has no origin.json"),
    (lambda out: (out / "origin.json").write_text("{}"), "does not tell where a twin comes from"),
    (lambda out: (out.parent / "people.csv").write_text("age\n1\n"), "not the table any more"),
    (lambda out: (out.parent / "people.csv").unlink(), "not where it was"),
    (lambda out: (out.parent / LOG).write_text("{"), LOG),
    (lambda out: changed(out / "recipe.json", seed=8), "another holdout than the one that was put aside"),
    (lambda out: changed(out / "recipe.json", holdout=0.3), "another holdout than the one that was put aside"),
])
def test_what_is_missing_or_was_changed_is_told(tmp_path, break_it, said, capsys):
    people(700).to_csv(tmp_path / "people.csv", index=False)
    out = tmp_path / "out"
    assert cli(["synth", str(tmp_path / "people.csv"), "-o", str(out), "--engine", "independent", "-q"]) == 0
    break_it(out)
    assert cli(["gate", str(out), "-q"]) == 2
    assert said in capsys.readouterr().err and not (out / "gate.json").exists()


def test_a_holdout_in_a_file_is_demanded_as_it_was(tmp_path, capsys):
    people(700).to_csv(tmp_path / "people.csv", index=False)
    people(300, 2).to_csv(tmp_path / "rest.csv", index=False)
    assert cli(["synth", str(tmp_path / "people.csv"), "-o", str(tmp_path / "out"), "--engine", "independent",
                "--holdout", str(tmp_path / "rest.csv"), "-q"]) == 0
    assert Brought.of(tmp_path / "out").holdout.rows == 300
    people(700).to_csv(tmp_path / "rest.csv", index=False)  # that was learned from
    assert cli(["gate", str(tmp_path / "out"), "-q"]) == 2
    assert "another holdout than the one that was put aside" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    assert cli(["gate", str(tmp_path / "none"), "-q"]) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_without_a_holdout_there_is_no_decision(tmp_path, capsys):
    people(700).to_csv(tmp_path / "people.csv", index=False)
    assert cli(["synth", str(tmp_path / "people.csv"), "-o", str(tmp_path / "out"), "--engine", "independent",
                "--holdout", "0", "-q"]) == 0
    assert cli(["gate", str(tmp_path / "out"), "-q"]) == 2
    assert "made without a holdout" in capsys.readouterr().err
    Path(tmp_path / "out" / "recipe.json").unlink()
    (tmp_path / "out" / "origin.json").unlink()
    assert cli(["gate", str(tmp_path / "out"), "--real", str(tmp_path / "people.csv"), "-q"]) == 2
    assert "a holdout" in capsys.readouterr().err


def test_a_folder_that_knows_its_table_is_judged_beside_no_other(folder, tmp_path, capsys):
    out, _ = folder
    people(900, 8).to_csv(tmp_path / "others.csv", index=False)
    others = str(tmp_path / "others.csv")
    assert cli(["gate", str(out), "--real", others, "--holdout", others, "-q"]) == 2
    assert "judged beside nothing else" in capsys.readouterr().err
    assert cli(["gate", str(out), "--holdout", others, "-q"]) == 2
    assert "--real FILE too" in capsys.readouterr().err
    (tmp_path / "schema.yaml").write_text("columns: {age: {kind: category}}")
    assert cli(["gate", str(out), "--schema", str(tmp_path / "schema.yaml"), "-q"]) == 2
    assert "reads no other schema; leave --schema out" in capsys.readouterr().err


def test_a_new_twin_takes_the_old_decision_away(folder, tmp_path):
    people(700).to_csv(tmp_path / "people.csv", index=False)
    out = tmp_path / "out"
    out.mkdir()
    for name in ("gate.json", "evidence.json", "evidence.html"):
        (out / name).write_text("{}")
    assert cli(["synth", str(tmp_path / "people.csv"), "-o", str(out), "--engine", "independent", "-q"]) == 0
    assert not list(out.glob("gate.json")) and not list(out.glob("evidence.*"))


def test_a_ledger_that_another_model_has_paid_is_told(folder, tmp_path, capsys):
    people(1_500, 3).to_csv(tmp_path / "people.csv", index=False)
    assert cli(["synth", str(tmp_path / "people.csv"), "-o", str(tmp_path / "out"), "--epsilon", "2", "--engine", "mst",
                "-q"]) == 0
    copy = shutil.copytree(folder[0], tmp_path / "copy")
    shutil.copy(tmp_path / "out" / "ledger.json", copy / "ledger.json")
    for some in (copy, tmp_path / "out"):
        if some != copy:
            (some / "ledger.json").unlink()
        assert cli(["gate", str(some), "-q"]) == 2
        assert "not what the model beside it has paid" in capsys.readouterr().err
