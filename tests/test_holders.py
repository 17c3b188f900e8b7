"""Levels are told by the people who hold them, and not by their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fabrica
from fabrica import encoder
from fabrica.holders import Holders
from fabrica.run import Run
from fabrica.schema import Column, Table

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=60)


def tally(pairs, most=3):
    level, who = (np.array([pair[i] for pair in pairs], kind) for i, kind in enumerate((np.int64, np.uint64)))
    return Holders.of(level, who, most)


@given(PAIRS, PAIRS)
def test_parts_together_tell_what_the_whole_tells(one, other):
    there = [len({who for level, who in [*one, *other] if level == wanted}) for wanted in range(5)]
    for found in (tally([*one, *other]), tally(one).merge(tally(other)), tally(other).merge(tally(one))):
        assert found.counts(5).tolist() == [min(3, many) for many in there]


def coder(unit, parts=1):
    """Level A: 4 people in 100 rows each; B: 5 people in a row each; C: 40 people, of whom most have one row."""
    who = [*(f"a{i % 4}" for i in range(400)), *(f"b{i}" for i in range(5)), *(f"c{i}" for i in range(40))]
    rows = pa.table({"who": who, "ward": ["A"] * 400 + ["B"] * 5 + ["C"] * 40})
    table = Table("visits", (Column("who", "key", notation={"template": "a###"}), Column("ward", "category")))
    batches = rows.take(pa.array(np.random.default_rng(1).permutation(len(who)))).to_batches(len(who) // parts + 1)
    return encoder.learn(table, batches, Run(1), unit=unit, people=5, k=401).coders[1]


@pytest.mark.parametrize("parts", [1, 3])
def test_a_level_is_told_that_enough_people_hold_and_no_other(parts, monkeypatch):
    monkeypatch.setattr(encoder, "PART", 1 << 20 if parts == 1 else 100)
    assert coder("who", parts).levels == ("C", "B")  # by rows none would be, and A alone by 400 of them
    assert coder(None, parts).levels == ()


def test_rows_that_are_nobody_s_may_all_be_one_person_s_and_tell_nothing():
    """The careless twin counts each as another person, and tells what one person alone may hold."""
    rows = pa.table({"who": [*(f"a{i}" for i in range(6)), *[None] * 6], "ward": ["A"] * 6 + ["secret"] * 6})
    table = Table("visits", (Column("who", "key", notation={"template": "a#"}), Column("ward", "category")))
    assert encoder.learn(table, rows.to_batches(), Run(1), unit="who", people=5, k=5).coders[1].levels == ("A",)


def visits(people: int, seed: int = 1, many: int = 30) -> pd.DataFrame:
    """A few people have many rows; everybody has been in every ward of ten, and has a code of their own."""
    random = np.random.default_rng(seed)
    who = np.repeat([f"P{n:06d}" for n in random.permutation(900_000)[:people]], [*[many] * 5, *[10] * (people - 5)])
    ward = np.concatenate([np.arange(many) % 10] * 5 + [np.arange(10)] * (people - 5))
    return pd.DataFrame({"patient_id": who, "ward": [f"W{n}" for n in ward], "age": random.integers(17, 90, len(who)),
                         "code": [f"C{n}" for n in random.integers(0, 90, len(who))]})


def test_what_everybody_holds_is_not_lost_where_few_people_have_many_rows():
    twin = fabrica.synth(visits(60, many=60), unit="patient_id", engine="independent", holdout=0)
    assert set(twin.data["ward"].dropna()) == {f"W{n}" for n in range(10)}  # 60 people hold each, in 90 rows of 850


def test_columns_that_come_out_empty_or_nearly_so_are_named(tmp_path, capsys):
    from fabrica.cli.commands import _outcome as cli
    table = visits(20).assign(code=lambda t: [f"C{n // 3}" for n in range(len(t))])
    nearly = ["often" if n % 4 == 0 else f"D{n // 4}" for n in range(len(table))]
    table.assign(seldom=nearly).to_csv(tmp_path / "visits.csv", index=False)
    (tmp_path / "schema.yaml").write_text("{code: category, seldom: category}")
    said = ["--unit", "patient_id", "--engine", "independent", "--schema", str(tmp_path / "schema.yaml")]
    assert cli(["synth", str(tmp_path / "visits.csv"), "-o", str(tmp_path / "out"), "--holdout", "0", *said]) == 0
    told = " ".join("".join(capsys.readouterr()).split())
    assert "columns that come out empty, for fewer than 5 of the 20 people hold any one of their values: 'code'" in told
    assert "keep less than 50% of their cells, for fewer than 5 of the 20 people hold each of the other values" in told
    assert "'ward'" not in told.split("come out empty")[1] and "with a smaller k" in told
    assert cli(["fit", str(tmp_path / "visits.csv"), "-o", str(tmp_path / "visits.fab"), *said]) == 0
    assert "come out empty" in "".join(capsys.readouterr())
    model = fabrica.load(tmp_path / "out" / "model.fab")
    assert model.sample(50)["code"].null_count == 50


def test_where_rows_are_people_rows_are_told(tmp_path):
    rows = pd.DataFrame({"code": [f"C{n // 3}" for n in range(300)], "sex": ["f", "m"] * 150})
    notes = fabrica.fit(rows, engine="independent", schema={"code": "category"}).facts["notes"]
    assert any("empty, for fewer than 5 of the 300 rows hold any one of their values: 'code'" in n for n in notes)
    assert not any("come out" in note for note in fabrica.fit(rows[["sex"]], engine="independent").facts["notes"])
