"""Odd input through the real command line: a result, or one line that says what is wrong, where, and what to do.

``tests/cli/test_bad_input.py`` runs the whole job on every odd table; here each fault is held to what it must say, and
the odd values must come back.
"""

from __future__ import annotations

import errno
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from fabrica.cli import commands
from fabrica.codecs import category
from fabrica.codecs.category import Category
from fabrica.contract import Cells
from fabrica.dataset import write as writing
from fabrica.run import Run
from fabrica.schema import Column

CANARY = "Xq7canary"  #: stands in cells only: no message may say it

Door = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fabrica(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Door:
    """Runs a command line in this process, in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        code = commands._outcome([str(word) for word in words])
        out, err = capsys.readouterr()
        assert CANARY not in out + err and "fault of ours" not in err and "Traceback" not in err, err
        return code, out, err

    return run


def table(*rows: str, head: str = "a,b") -> bytes:
    return ("\n".join([head, *rows]) + "\n").encode()


GOOD = [f"{i % 9},{'xyz'[i % 3]}" for i in range(60)]


def refused(fabrica: Door, *said: str, words: tuple[object, ...] = ()) -> str:
    """``synth`` (or ``words``) ends with 2, one line on stderr that says all of ``said``, and nothing is left."""
    before = {p: p.read_bytes() for p in Path().rglob("*") if p.is_file()}
    code, out, err = fabrica(*(words or ("synth", "t.csv", "-o", "o", "-q", "--set", "trees=1")))
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert [word for word in said if word not in err] == [], err
    assert {p: p.read_bytes() for p in Path().rglob("*") if p.is_file()} == before and not Path("o").exists()
    return err


def learned(fabrica: Door, name: str = "t.csv", rows: int = 300, *more: object) -> pa.Table:
    """What ``fit`` and ``sample`` make of a table."""
    for words in (("fit", name, "-o", "m.fab", "-q", *more), ("sample", "m.fab", "-n", rows, "-o", "s.parquet", "-q")):
        code, _, err = fabrica(*words)
        assert code == 0, err
    found = pyarrow.parquet.read_table("s.parquet")
    assert found.num_rows == rows
    return found


# ---------------------------------------------------------------- files that cannot be used


@pytest.mark.parametrize(("data", "said"), [
    (b"", ["t.csv", "empty"]),
    (table(), ["t.csv", "no rows"]),
    (table(*GOOD, head="a,a"), ["t.csv", "'a'", "rename"]),
    (table(*GOOD[:40], f"1,2,{CANARY}", *GOOD), ["t.csv", "line 42"]),
    (table(*GOOD[:40], CANARY, *GOOD), ["t.csv", "line 42"]),
    (table(*GOOD[:10], f'2,"{CANARY}', *GOOD), ["t.csv", "line 12"]),
], ids=["empty", "header only", "duplicated names", "a cell too many", "a cell too few", "open quote"])
def test_what_is_wrong_and_where(fabrica: Door, data: bytes, said: list[str]) -> None:
    Path("t.csv").write_bytes(data)
    refused(fabrica, *said)


@pytest.mark.parametrize("odd", [b"\xff\xfe\x81", b"\xe9t\xe9", b"a\0b"], ids=["no encoding", "latin-1", "nul"])
def test_bytes_that_are_no_utf_8_text(fabrica: Door, odd: bytes) -> None:
    """Another encoding may be guessed; if not, the line is named."""
    Path("t.csv").write_bytes(table(*GOOD) + b"2," + CANARY.encode() + odd + b"\n")
    code, _, err = fabrica("fit", "t.csv", "-o", "m.fab", "-q")
    assert code == 0 or (code == 2 and err.count("\n") == 1 and "t.csv" in err and "line 62" in err), err


@pytest.mark.parametrize("words", [
    ("synth", "none.csv", "-o", "o"), ("fit", "none.csv", "-o", "o/m.fab"),
    ("sample", "none.fab", "-n", 5, "-o", "o/s.csv"), ("inspect", "none.csv"),
    ("evaluate", "--real", "none.csv", "--synthetic", "none.csv", "-o", "o")])
def test_no_such_file(fabrica: Door, words: tuple[object, ...]) -> None:
    refused(fabrica, "none.", "no such file", words=words)


@pytest.mark.parametrize(("more", "said"), [
    (("--engine", "ctgn"), ["ctgn", "independent, mst, trees"]),
    (("--set", "leaves=3"), ["leaves", "leaf"]),
    (("--set", "leaf=-1"), ["leaf"]),
    (("--set", "leaf=many"), ["leaf"]),
    (("--set", "leaf"), ["leaf"]),
    (("--target", "c"), ["'c'", "a, b"]),
    (("--rows", "0"), ["rows"]),
    (("--rows", "-5"), ["rows"]),
    (("--rows", "many"), ["rows"]),
    (("--holdout", "2"), ["holdout"]),
    (("--budget", "soon"), ["budget"]),
    (("--schema", "none.yaml"), ["none.yaml"]),
    (("--seed", "x"), ["seed"]),
])
def test_a_wrong_word_is_named_before_anything_is_done(fabrica: Door, more: tuple[str, ...], said: list[str]) -> None:
    Path("t.csv").write_bytes(table(*GOOD))
    refused(fabrica, *said, words=("synth", "t.csv", "-o", "o", "-q", *more))


def test_no_rows_are_no_sample(fabrica: Door) -> None:
    Path("t.csv").write_bytes(table(*GOOD))
    assert fabrica("fit", "t.csv", "-o", "m.fab", "-q")[0] == 0
    code, _, err = fabrica("sample", "m.fab", "-n", 0, "-o", "s.csv", "-q")
    assert (code == 0 and Path("s.csv").read_text().strip() == "a,b") or (code == 2 and err.count("\n") == 1)


# ---------------------------------------------------------------- where it cannot be written


def test_a_file_stands_where_the_folder_should_be(fabrica: Door) -> None:
    Path("t.csv").write_bytes(table(*GOOD))
    Path("file").write_bytes(b"x")
    for words in (("synth", "t.csv", "-o", "file/o", "-q"), ("fit", "t.csv", "-o", "file/m.fab", "-q"),
                  ("synth", "t.csv", "-o", "file", "-q")):
        refused(fabrica, "file", words=words)


def test_the_disk_is_full(fabrica: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every place that writes tells it in one line and leaves nothing: simulated where the data go to disk."""
    Path("t.csv").write_bytes(table(*GOOD))
    assert fabrica("fit", "t.csv", "-o", "m.fab", "-q")[0] == 0

    def full(path: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writing, "_to_disk", full)
    for words in (("synth", "t.csv", "-o", "o", "-q", "--set", "trees=1"), ("fit", "t.csv", "-o", "n.fab", "-q"),
                  ("sample", "m.fab", "-n", 100, "-o", "s.parquet", "-q"),
                  ("sample", "m.fab", "-n", 100, "-o", "s.csv", "-q")):
        refused(fabrica, "disk is full", words=words)


def test_a_folder_that_may_only_be_read(fabrica: Door) -> None:
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    Path("t.csv").write_bytes(table(*GOOD))
    Path("closed").mkdir(mode=0o500)
    refused(fabrica, "closed", words=("synth", "t.csv", "-o", "closed/o", "-q"))


@pytest.mark.parametrize("command", ["sample", "inspect"])
def test_a_model_of_another_version(fabrica: Door, command: str) -> None:
    Path("t.csv").write_bytes(table(*GOOD))
    assert fabrica("fit", "t.csv", "-o", "m.fab", "-q")[0] == 0
    with zipfile.ZipFile("m.fab") as file:
        parts = {name: file.read(name) for name in file.namelist()}
    head = json.loads(parts["model.json"]) | {"fabrica_model": 99}
    with zipfile.ZipFile("new.fab", "w") as file:
        file.writestr("model.json", json.dumps(head))
        file.writestr("arrays.safetensors", parts["arrays.safetensors"])
    more = ("-n", 5, "-o", "s.csv", "-q") if command == "sample" else ()
    refused(fabrica, "new.fab", "99", "upgrade", words=(command, "new.fab", *more))


# ---------------------------------------------------------------- odd tables that are learned


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_too_few_people_are_refused(fabrica: Door, rows: int) -> None:
    Path("t.csv").write_bytes(table(*[f"{CANARY}{i},{1_000_003 + i}" for i in range(rows)]))
    code, _, err = fabrica("fit", "t.csv", "-o", "m.fab", "-q")
    assert code == 2 and "to learn from" in err and CANARY not in err and not Path("m.fab").exists()


def test_names_of_all_sorts_come_back(fabrica: Door) -> None:
    names = ["a b", 'say "x"', "it's", "<b>x</b>", "💥", "línea\nnueva", "=1+1", "../../etc", "  x  ", "ａ", "a" * 500]
    data = pa.table([pa.array(np.arange(90) % (i + 2)) for i in range(len(names))], names)
    pyarrow.csv.write_csv(data, "t.csv")
    pyarrow.parquet.write_table(data, "t.parquet")
    assert learned(fabrica, "t.csv").column_names == names == learned(fabrica, "t.parquet").column_names
    code, _, err = fabrica("synth", "t.csv", "-o", "o", "-q", "--engine", "independent")
    assert code == 0 and err == ""
    page = Path("o/report.html").read_text()
    assert "<b>x</b>" not in page, "names are escaped"


@pytest.mark.parametrize(("cells", "fits"), [
    (["1600-02-29", "1601-01-01", "9999-12-31"], lambda c: 1600 <= int(c[:4]) <= 9999 and c[4] == c[7] == "-"),
    (["0001-01-01", "0001-12-31", "0002-06-15"], lambda c: c[:3] == "000"),
    ([str(2**63 - 1), str(2**63 - 2), str(2**62)], lambda c: 2**61 <= int(float(c)) <= 2**63),
    ([str(10**30), str(10**30 + 1), str(5 * 10**29)], lambda c: 10**29 <= float(c) <= 10**31),
    ([str(2**64), "5", str(-(10**25))], lambda c: abs(float(c)) <= 10**26),
    (["inf", "-inf", "1.5"], lambda c: c in {"inf", "-inf"} or float(c) == 1.5 or c == ""),
    (["1", "x", "2024-01-01", "", "true"], lambda c: c in {"1", "x", "2024-01-01", "", "true"}),
    (["1e308", "-1e308", "1e-308"], lambda c: abs(float(c)) <= 1.1e308),
    ([f"{i - 12}.{i}e307" for i in range(25)], lambda c: abs(float(c)) <= 1.5e308),
], ids=["old dates", "year one", "63 bits", "30 digits", "mixed sizes", "infinities", "mixed types", "huge floats",
        "many huge"])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_odd_values_come_back_as_what_they_were(fabrica: Door, cells: list[str], fits: Callable[[str], bool]) -> None:
    Path("t.csv").write_bytes(table(*[f"{c},{i % 3}" for i in range(40) for c in cells]))
    learned(fabrica, "t.csv", 200, "--engine", "independent")
    code, _, err = fabrica("sample", "m.fab", "-n", 200, "-o", "s.csv", "-q")
    assert code == 0, err
    found = [line.rpartition(",")[0] for line in Path("s.csv").read_text().splitlines()[1:]]
    assert [c for c in found if c and not fits(c)] == []
    assert len(set(found)) > 1 or len(set(cells)) == 1


def test_nothing_but_missing_cells(fabrica: Door) -> None:
    Path("t.csv").write_bytes(table(*[","] * 50))
    assert all(c.null_count == 300 for c in learned(fabrica).columns)


def test_unique_long_texts_are_bounded(fabrica: Door) -> None:
    """200,000 texts of 40 letters, each of one person: a small model that holds none of them."""
    random = np.random.Generator(np.random.Philox(3))
    letters = random.integers(97, 123, (200_000, 40)).astype(np.uint8)
    texts = letters.view("S40").ravel().astype(str)
    texts[0] = CANARY
    pyarrow.parquet.write_table(pa.table({"t": texts.tolist(), "n": np.arange(200_000) % 7}), "t.parquet")
    twin = learned(fabrica, "t.parquet", 1_000)
    assert not set(twin["t"].to_pylist()) & set(texts.tolist())
    assert Path("m.fab").stat().st_size < 3_000_000


def test_fifty_million_levels_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a bound a thousand times as small: what a survey keeps does not grow, and common levels stay."""
    monkeypatch.setattr(category, "LEVELS", 1 << 10)
    column, held = (Column("c", "category", "string"),), None
    for part in range(50):
        levels = [f"rare {part} {i}" for i in range(950)] + ["common"] * 50
        cells = (Cells(pa.array(levels), np.zeros(1_000, np.uint8)),)
        found = Category().survey(column, cells, Run(part))
        held = found if held is None else held.merge(found)
        assert len(held.levels) <= 1 << 10
    coder: Any = Category().learn(column, held, Run(1))
    assert coder.levels == ("common",) and coder.hidden
    assert abs(coder.shares[0] - 0.05) < 1e-9


# ---------------------------------------------------------------- wide tables


def wide(columns: int) -> None:
    random = np.random.Generator(np.random.Philox(5))
    data = {f"c{j}": random.integers(0, 5, 200) if j % 2 else random.normal(size=200).round(3) for j in range(columns)}
    pyarrow.csv.write_csv(pa.table(data), "t.csv")


def test_a_wide_table(fabrica: Door) -> None:
    wide(300)
    assert learned(fabrica, "t.csv", 200, "--set", "trees=1").num_columns == 300


@pytest.mark.slow
def test_ten_thousand_columns(fabrica: Door) -> None:
    wide(10_000)
    assert learned(fabrica, "t.csv", 200).num_columns == 10_000
