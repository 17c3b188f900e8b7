"""A Parquet file that is marked has the same pages, and its mark comes off byte by byte."""

from __future__ import annotations

import hashlib
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.bundle.marks import MARKS, digests, mark
from fabrica.errors import InputError

WORDS = {"synthetic": "true", "fabrica:bundle": "b", "fabrica:generator": "fabrica"}


def parquet(path, rows=1_000, keys=None, **how):
    table = pa.table({"n": list(range(rows)), "t": [f"{i % 7}" for i in range(rows)],
                      "b": [i % 2 == 0 for i in range(rows)], "l": [None if i % 3 else 1.5 for i in range(rows)]})
    with pq.ParquetWriter(path, table.schema, **how) as writer:
        writer.write_table(table, row_group_size=100)
        writer.add_key_value_metadata(keys or {"a": "b"})
    return path


@pytest.mark.parametrize("how", [{}, {"version": "1.0"}, {"write_statistics": False}, {"compression": "zstd"},
                                 {"write_page_index": True}, {"store_schema": False}, {"data_page_version": "2.0"}])
@pytest.mark.parametrize("keys", [1, 11, 12, 13, 14, 15, 200])
def test_the_mark_comes_off_again(how, keys, tmp_path):
    plain = parquet(tmp_path / "a.parquet", keys={f"k{i}": "v" * (i % 150) for i in range(keys)}, **how)
    mark(plain, tmp_path / "b.parquet", WORDS)
    before, after = plain.read_bytes(), (tmp_path / "b.parquet").read_bytes()
    assert pq.read_table(tmp_path / "b.parquet").equals(pq.read_table(plain))
    found = pq.read_metadata(tmp_path / "b.parquet").metadata
    assert all(found[name.encode()] == WORDS[name].encode() for name in MARKS)
    assert digests(io.BytesIO(after), len(after)) == (hashlib.sha256(after).hexdigest(),
                                                      hashlib.sha256(before).hexdigest())
    assert digests(io.BytesIO(before), len(before)) == (hashlib.sha256(before).hexdigest(), None)


def test_a_file_that_is_no_parquet_cannot_be_marked(tmp_path):
    for raw in (b"", b"PAR1", b"a,b\n1,2\n", b"PAR1" + b"\xff" * 100 + b"\x10\0\0\0PAR1"):
        (tmp_path / "x.parquet").write_bytes(raw)
        with pytest.raises(InputError):
            mark(tmp_path / "x.parquet", tmp_path / "y.parquet", WORDS)
        assert not (tmp_path / "y.parquet").exists()
        assert digests(io.BytesIO(raw), len(raw)) == (hashlib.sha256(raw).hexdigest(), None)


@given(st.binary(min_size=1, max_size=300))
def test_any_footer_ends_in_a_digest(footer):
    raw = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    assert digests(io.BytesIO(raw), len(raw))[0] == hashlib.sha256(raw).hexdigest()
