"""Whatever a table looks like, the whole job ends in a result or in one clear sentence, with nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SECRET = "Xq7-secret-cell"


def lines(*rows, head="a,b"):
    return ("\n".join([head, *rows]) + "\n").encode()


TABLES = {
    "empty file": b"",
    "blank lines": b"\n\n\n",
    "header only": lines(),
    "one row": lines("1,x"),
    "two rows": lines("1,x", "2,y"),
    "five rows": lines(*["1,x"] * 5),
    "one column": lines(*map(str, range(200)), head="a"),
    "all missing": lines(*[","] * 100),
    "one column all missing": lines(*[f"{i}," for i in range(100)]),
    "constant": lines(*["1,x"] * 100),
    "duplicated names": lines(*["1,2"] * 50, head="a,a"),
    "names without a name": lines(*["1,2"] * 50, head=","),
    "odd names": lines(*[f"{i % 7},{i % 3},{i},{i}" for i in range(90)], head='"a ""b""",<script>,💥 x,"c\nd"'),
    "ragged rows": lines(*["1,2"] * 50, f"1,2,{SECRET}", *["1,2"] * 50),
    "short row": lines(*["1,2"] * 50, SECRET, *["1,2"] * 50),
    "wrong encoding": lines(*["1,x"] * 50) + b"2,\xff\xfe\x81\n",
    "utf-16": lines(*["1,ä"] * 50).decode().encode("utf-16"),
    "nul bytes": lines(*["1,x"] * 50, "2,\0y"),
    "binary": bytes(range(256)) * 40,
    "open quote": lines(*["1,x"] * 50, f'2,"{SECRET}'),
    "infinities": lines(*[f"{i},{v}" for i, v in enumerate(["inf", "-inf", "nan", "1.5", "2.5"] * 30)]),
    "huge integers": lines(*[f"{10**k},{-(10**k)}" for k in range(40)] * 3),
    "huge decimals": lines(*[f"{i}e{300 + i % 9},{i}e-{300 + i % 20}" for i in range(100)]),
    "old dates": lines(*[f"{i},{1500 + i:04d}-01-{1 + i % 28:02d}" for i in range(300)]),
    "odd dates": lines(*[f"{i},{d}" for i, d in enumerate(["2024-02-30", "0-0-0", "9999-12-31", "2024-01-01"] * 9)]),
    "mixed types": lines(*[f"{v},{i}" for i, v in enumerate(["1", "x", "2024-01-01", "1.5", "", "true"] * 40)]),
    "late surprise": lines(*[f"{i},{i % 5}" for i in range(3_000)], f"{SECRET},n/a"),
    "unique text": lines(*[f"{i},{SECRET} {i * 7919 % 1000} said so" for i in range(300)]),
    "many levels": lines(*[f"level{i},{i % 2}" for i in range(3_000)]),
    "wide": lines(*[",".join(str((i * j) % 11) for j in range(60)) for i in range(80)],
                  head=",".join(f"c{j}" for j in range(60))),
}


def finished(folder):
    return sorted(p.name for p in Path(folder).rglob("*") if p.is_file())


@pytest.mark.parametrize("name", TABLES)
def test_any_table_ends_well(fabrica, name):
    Path("t.csv").write_bytes(TABLES[name])
    code, out, err = fabrica("synth", "t.csv", "-o", "o", "-q", "--set", "trees=1")
    assert "fault of ours" not in err and "Traceback" not in err, err
    if code == 0:
        assert len(finished("o")) == 7 and err == ""
    else:
        assert (code, out, err.count("\n")) == (2, "", 1) and ("t.csv" in err or "holdout" in err)
        assert SECRET not in err and not Path("o").exists()


@pytest.mark.parametrize("name", ["one column", "constant", "odd names", "all missing", "old dates", "mixed types",
                                  "utf-16", "infinities", "unique text", "huge integers", "five rows", "wide"])
def test_what_can_be_learned_is_learned(fabrica, name):
    Path("t.csv").write_bytes(TABLES[name])
    code, _, err = fabrica("fit", "t.csv", "-o", "m.fab", "-q", "--set", "trees=1")
    assert code == 0, err
    code, _, err = fabrica("sample", "m.fab", "-n", 500, "-o", "s.csv", "-q")
    assert code == 0, err


def test_a_folder_without_permission(tmp_path, people):
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    tmp_path.chmod(0o500)
    words = [sys.executable, "-m", "fabrica", "synth", str(people), "-o", str(tmp_path / "o")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and "ermission" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk(people, model):
    words = [sys.executable, "-m", "fabrica", "sample", str(model), "-n", "1000"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "space" in done.stderr


@pytest.mark.parametrize("damage", [
    lambda b: b[: len(b) // 2], lambda b: b[:-30] + b"\0" * 30, lambda b: b"PK" + b[:50], lambda b: b"",
    lambda b: b.replace(b"fabrica", b"fabrico")])
def test_a_damaged_model_is_one_sentence(fabrica, model, damage):
    Path("bad.fab").write_bytes(damage(model.read_bytes()))
    code, _, err = fabrica("sample", "bad.fab", "-n", 5, "-o", "s.csv", "-q")
    if code != 0:
        assert (code, err.count("\n")) == (2, 1) and "bad.fab" in err and "fault of ours" not in err
        assert not Path("s.csv").exists()
