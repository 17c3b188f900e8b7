"""Canaries: what one person alone has stands in no file of a result, whatever made it; and the search would see it."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from safetensors.numpy import save

from fabrica.artefacts import Trace, traces
from fabrica.cli.commands import _outcome as cli
from fabrica.errors import InputError

ROWS = 700
CANARIES = {"level": "Zyxwvut", "largest": 987_654_321.12, "smallest": -87_654_321, "day": "1873-02-11",
            "moment": "1999-12-31 23:59", "mail": "zaphod@heartofgold.example", "name": "Zaphod Beeblebroxx",
            "key": "QX-7730199", "word": "hypercanariosis", "marker": "not-told-yet"}


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Path:
    random = np.random.default_rng(3)
    given, family = ["Anna", "Peter", "Klaus", "Uwe"], ["Weber", "Koch", "Vogel", "Braun", "Wolf"]
    who = [f"{given[i % 4]} {family[i // 4 % 5]}{'abcdefg'[i // 20 % 7]}" for i in range(ROWS)]
    table = {
        "level": random.choice(["Rome", "Oslo", "Bern"], ROWS).tolist(),
        "largest": [f"{x:.2f}" for x in random.exponential(50, ROWS)],
        "smallest": list(map(str, random.integers(0, 90, ROWS))),
        "day": [f"2020-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(ROWS)],
        "moment": [f"2021-05-{1 + i % 28:02} {i % 24:02}:{i % 60:02}" for i in range(ROWS)],
        "mail": [f"{n.replace(' ', '.').lower()}{i}@mail.example" for i, n in enumerate(who)],
        "name": who,
        "key": [f"QX-{1_000_000 + 7 * i}" for i in range(ROWS)],
        "word": [f"the patient is {'well' if i % 3 else 'ill'} and came {i % 50} times in all" for i in range(ROWS)],
        "marker": list(map(str, random.integers(0, 9, ROWS))),
    }
    for name, value in CANARIES.items():
        table[name][13] = f"this one has {value} they say" if name == "word" else str(value)
    path = tmp_path_factory.mktemp("canaries") / "people.csv"
    pyarrow.csv.write_csv(pa.table(table), path)
    return path


@pytest.mark.parametrize("asked", [
    ["--engine", "trees"], ["--engine", "independent"], ["--engine", "copula"], ["--engine", "bayesnet"],
    ["--engine", "trees", "--profile", "hipaa"], ["--epsilon", "3"], ["--epsilon", "3", "--engine", "bayesnet"],
    pytest.param(["--engine", "boosted"], marks=pytest.mark.slow),
    pytest.param(["--engine", "autoregressive", "--set", "epochs=1"], marks=pytest.mark.slow),
    pytest.param(["--engine", "vae", "--set", "epochs=1"], marks=pytest.mark.slow),
    pytest.param(["--engine", "gan", "--set", "epochs=1"], marks=pytest.mark.slow)], ids=" ".join)
def test_what_one_person_has_stands_in_no_file(people, tmp_path, asked, capsys):
    out = tmp_path / "out"
    assert cli(["synth", str(people), "-o", str(out), "--rows", "3000", *asked]) == 0
    (out / "told.txt").write_text("".join(capsys.readouterr()))
    assert len(list(out.iterdir())) >= 7
    assert traces([out], CANARIES) == []


def test_a_value_is_found_however_it_is_packed(tmp_path):
    value, number = CANARIES["name"], CANARIES["largest"]
    table = pa.table({"a": ["Köln", value], "b": [1.5, number]})
    pyarrow.parquet.write_table(table, tmp_path / "twin.parquet", compression="zstd")
    with pa.OSFile(str(tmp_path / "twin.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    (tmp_path / "log.txt.gz").write_bytes(gzip.compress(f"{value} paid {number}".encode()))
    (tmp_path / "page.html").write_text("Zaphod &amp; Ford")
    (tmp_path / "plain.json").write_text(json.dumps({"K\u00f6ln": value}))
    with zipfile.ZipFile(tmp_path / "model.fab", "w", zipfile.ZIP_DEFLATED) as model:
        model.writestr("model.json", json.dumps({"levels": ["x", value]}))
        model.writestr("arrays.safetensors", save({"knots": np.array([0.0, number]), "near": np.float32([number])}))
    wanted: dict[str, str | float] = {"text": value, "number": number, "town": "Köln", "html": "Zaphod & Ford"}
    places = {name: {t.place for t in traces([tmp_path], {name: one})} for name, one in wanted.items()}
    assert places["text"] >= {"log.txt.gz: unpacked", "model.fab: model.json", "plain.json", "twin.arrow: a",
                              "twin.parquet: a"}
    assert places["number"] >= {"log.txt.gz: unpacked", "model.fab: arrays.safetensors: knots",
                                "model.fab: arrays.safetensors: near", "twin.arrow: b", "twin.parquet: b"}
    assert places["town"] >= {"plain.json", "twin.parquet: a"} and places["html"] == {"page.html"}
    assert not places["text"] & {"page.html"} and not any("model" in place for place in places["town"])


def test_an_archive_in_an_archive_and_the_name_of_a_file_are_searched(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", "name\nZyxwvut\n")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inner.zip", inner.getvalue())
    (tmp_path / "Zyxwvut.txt").write_text("nothing")
    assert traces([tmp_path], {"level": "Zyxwvut"}) == [
        Trace("level", "the name of Zyxwvut.txt"), Trace("level", "outer.zip: inner.zip: a.csv")]


def test_what_cannot_be_searched_is_not_said_to_be_clean(tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match=r"broken.parquet: cannot be searched"):
        traces([tmp_path], {"level": "Zyxwvut"})
