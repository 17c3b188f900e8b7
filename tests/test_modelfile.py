"""Whatever a model file holds, it gives a model that works or one clear sentence, and never runs code or crashes."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.numpy import save
from small_models import made

from fabrica import modelfile
from fabrica.errors import ModelFileError
from fabrica.model import TableModel

HEAD, ARRAYS = modelfile.KNOWN


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small model."""
    path = tmp_path_factory.mktemp("whole") / "small.fab"
    made("independent").save(path)
    return path.read_bytes()


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(parts: list[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as file:
        for name, data in parts:
            file.writestr(name, data)
    return made.getvalue()


def loaded(data: bytes, folder: Path) -> TableModel | None:
    """The model in ``data``, or None where it is refused as it should be: one line that names the file."""
    path = folder / "odd.fab"
    path.write_bytes(data)
    try:
        model = TableModel.load(path)
    except ModelFileError as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return None
    assert len(model.sample(20, seed=1)) == 20
    return model


def refused(data: bytes, folder: Path) -> None:
    assert loaded(data, folder) is None


# ---------------------------------------------------------------- damage


def test_the_same_model_gives_the_same_bytes(whole: bytes, tmp_path: Path) -> None:
    model = made("independent")
    assert model.save(tmp_path / "again.fab").read_bytes() == whole
    assert TableModel.load(tmp_path / "again.fab").save(tmp_path / "third.fab").read_bytes() == whole


def test_a_file_that_was_cut_off(whole: bytes, tmp_path: Path) -> None:
    for length in {*range(0, 64), *range(64, len(whole), 97), *range(len(whole) - 64, len(whole))}:
        refused(whole[:length], tmp_path)


def test_a_byte_that_flipped(whole: bytes, tmp_path: Path) -> None:
    """Each byte is guarded by a checksum or read by nobody: what still loads is the same model."""
    same = made("independent").sample(20, seed=1)
    last = list(range(len(whole) - 250, len(whole)))  # the directory of the zip: every byte of it
    for place in [*range(0, len(whole), len(whole) // 150), *last]:
        for mask in (0xFF,) if place % 2 else (0x01,):
            model = loaded(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1:], tmp_path)
            assert model is None or model.sample(20, seed=1).equals(same), place


@given(st.data())
def test_bytes_that_were_overwritten(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, min(len(whole), start + 64)))
    changed = whole[:start] + data.draw(st.binary(max_size=64)) + whole[stop:]
    model = loaded(changed, tmp_path_factory.getbasetemp())
    assert model is None or model.sample(20, seed=1).equals(made("independent").sample(20, seed=1))


@given(st.binary(max_size=300))
@example(b"")
@example(b"PK\x05\x06" + b"\0" * 18)
@example(b"age,job\n1,cook\n")
@example(pickle.dumps({"model": [1, 2, 3]}))
def test_what_never_was_a_model(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    refused(data, tmp_path_factory.getbasetemp())


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "was here"

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (mark,)

    refused(pickle.dumps(Trap()), tmp_path)
    refused(zipped([(HEAD, pickle.dumps(Trap())), (ARRAYS, pickle.dumps(Trap()))]), tmp_path)
    assert not mark.exists()


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nobody.fab"):
        with pytest.raises(ModelFileError, match=r"cannot be read|no such file"):
            TableModel.load(path)


# ---------------------------------------------------------------- hostile archives


def archives(whole: bytes) -> dict[str, bytes]:
    head, arrays = (entries(whole)[name] for name in (HEAD, ARRAYS))
    return {
        "an entry too many": zipped([(HEAD, head), (ARRAYS, arrays), ("run.py", b"x")]),
        "an entry too few": zipped([(HEAD, head)]),
        "no entry": zipped([]),
        "a way out": zipped([(HEAD, head), ("../../arrays.safetensors", arrays)]),
        "an absolute name": zipped([(HEAD, head), ("/arrays.safetensors", arrays)]),
        "in a folder": zipped([("x/" + HEAD, head), ("x/" + ARRAYS, arrays)]),
        "twice the head": doubled([(HEAD, head), (HEAD, head), (ARRAYS, arrays)]),
        "twice the head, no arrays": doubled([(HEAD, head), (HEAD, head)]),
        "a bomb": zipped([(HEAD, head), (ARRAYS, b"\0" * 50_000_000)]),
        "a bomb of words": zipped([(HEAD, b" " * 20_000_000 + head), (ARRAYS, b"")]),
        "encrypted": flagged(whole, 0x1),
        "an unknown compression": retold(whole, 99),
        "a size that is a lie": resized(whole, 1 << 31),
        "a huge size": resized(whole, 0xFFFFFFF0),
        "nothing in it": zipped([(HEAD, b""), (ARRAYS, b"")]),
    }


def doubled(parts: list[tuple[str, bytes]]) -> bytes:
    with pytest.warns(UserWarning, match="Duplicate"):
        return zipped(parts)


def directory(data: bytes) -> Iterator[int]:
    """Where each record of the zip's directory begins."""
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        yield place
        place = data.find(b"PK\x01\x02", place + 4)


def flagged(data: bytes, flag: int) -> bytes:
    out = bytearray(data)
    for place in directory(data):
        out[place + 8] |= flag
        local = struct.unpack_from("<I", data, place + 42)[0]
        out[local + 6] |= flag
    return bytes(out)


def retold(data: bytes, compression: int) -> bytes:
    out = bytearray(data)
    for place in directory(data):
        struct.pack_into("<H", out, place + 10, compression)
        struct.pack_into("<H", out, struct.unpack_from("<I", data, place + 42)[0] + 8, compression)
    return bytes(out)


def resized(data: bytes, size: int) -> bytes:
    out = bytearray(data)
    for place in directory(data):
        struct.pack_into("<I", out, place + 24, size)
    return bytes(out)


@pytest.mark.parametrize("name", ["an entry too many", "an entry too few", "no entry", "a way out", "an absolute name",
                                  "in a folder", "twice the head", "twice the head, no arrays", "a bomb",
                                  "a bomb of words", "encrypted", "an unknown compression", "a size that is a lie",
                                  "a huge size", "nothing in it"])
def test_a_hostile_archive(name: str, whole: bytes, tmp_path: Path) -> None:
    refused(archives(whole)[name], tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["odd.fab"], "nothing was unpacked"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_as_good(compression: int, whole: bytes, tmp_path: Path) -> None:
    assert loaded(zipped(list(entries(whole).items()), compression), tmp_path) is not None


# ---------------------------------------------------------------- hostile words


def with_head(whole: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    parts = entries(whole)
    head = json.loads(parts[HEAD])
    changed = change(head) or head
    return zipped([(HEAD, changed if isinstance(changed, bytes) else json.dumps(changed).encode()),
                   (ARRAYS, parts[ARRAYS])])


WORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no object": lambda head: b"[1, 2]",
    "null": lambda head: b"null",
    "not closed": lambda head: json.dumps(head).encode()[:-2],
    "not utf-8": lambda head: json.dumps(head).encode("utf-16"),
    "deep": lambda head: b"[" * 200_000 + b"]" * 200_000,
    "deep objects": lambda head: b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "not a number": lambda head: head["state"]["facts"].update(rows=float("nan")),
    "infinite": lambda head: head["state"]["facts"].update(rows=float("-inf")),
    "infinite in digits": lambda head: json.dumps(head).replace('"rows": 400', '"rows": 1e999').encode(),
    "digits without end": lambda head: json.dumps(head).replace('"rows": 400', '"rows": ' + "9" * 5_000).encode(),
    "half a character": lambda head: head["state"]["table"]["columns"][0].update(why="\ud800"),
    "notes of numbers": lambda head: head["state"]["facts"].update(notes=[1, 2]),
    "no version": lambda head: head.pop("fabrica_model") and None,
    "a version in words": lambda head: head.update(fabrica_model="1"),
    "a version that is true": lambda head: head.update(fabrica_model=True),
    "version zero": lambda head: head.update(fabrica_model=0),
    "no digest": lambda head: head.pop("arrays_sha256") and None,
    "another digest": lambda head: head.update(arrays_sha256="0" * 64),
    "no state": lambda head: head.pop("state") and None,
    "a state in a list": lambda head: head.update(state=[head["state"]]),
    "another engine": lambda head: head["state"].update(engine="ctgn"),
    "the wrong engine": lambda head: head["state"].update(engine="trees"),
    "a module for an engine": lambda head: head["state"].update(engine="os.path"),
    "another codec": lambda head: head["state"]["parts"]["encoder"]["seats"][0].update(codec="os"),
    "another coder": lambda head: head["state"]["parts"]["encoder"]["seats"][0].update(coder="Number"),
    "a column twice": lambda head: head["state"]["table"]["columns"].append(head["state"]["table"]["columns"][0]),
    "a column less": lambda head: head["state"]["table"]["columns"].pop() and None,
}


@pytest.mark.parametrize("name", WORDS)
def test_hostile_words(name: str, whole: bytes, tmp_path: Path) -> None:
    refused(with_head(whole, WORDS[name]), tmp_path)


def test_a_model_of_the_future_is_told_so(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "future.fab"
    path.write_bytes(with_head(whole, lambda head: head.update(fabrica_model=modelfile.VERSION + 1)))
    with pytest.raises(ModelFileError, match=f"format {modelfile.VERSION + 1}.*upgrade"):
        TableModel.load(path)


def test_numbers_are_guarded_by_their_digest(whole: bytes, tmp_path: Path) -> None:
    """Arrays whose digest was made right again are looked at one by one (see the next test)."""
    head = json.loads(entries(whole)[HEAD])
    for arrays in (b"", b"\0" * 100, struct.pack("<Q", 1 << 62) + b"{}", save({"a": np.zeros(3)}),
                   struct.pack("<Q", 60) + b'{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,999]}}    '):
        head["arrays_sha256"] = hashlib.sha256(arrays).hexdigest()
        refused(zipped([(HEAD, json.dumps(head).encode()), (ARRAYS, arrays)]), tmp_path)


# ---------------------------------------------------------------- hostile states


def hostile(step: int) -> None:
    """Every ``step``-th change of every array and every plain value, in a process of its own."""
    done = subprocess.run([sys.executable, str(Path(__file__).with_name("hostile.py")), str(step)], capture_output=True,
                          text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"the interpreter ended with {done.returncode} at: {lines[-1:]} {done.stderr[-500:]}"
    assert [line for line in lines if line.startswith("WRONG")] == []
    assert int(lines[-1].split()[1]) >= 10_000 // step


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of memory is set")
def test_hostile_states() -> None:
    hostile(61)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a limit of memory is set")
def test_all_hostile_states() -> None:
    hostile(1)
