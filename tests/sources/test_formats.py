"""Every format gives back the table it was given, within what it can hold; damage is met with one clear error."""

from __future__ import annotations

import datetime
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import CANARY, DATA, ONE_OF_EACH, hard_text, text_tables, typed_tables

from fabrica import catalog
from fabrica.contract import Source
from fabrica.errors import FabricaError, InputError, OutputError, SchemaError
from fabrica.sources.arrow import Arrow
from fabrica.sources.excel import Excel
from fabrica.sources.jsonl import JsonLines
from fabrica.sources.parquet import Parquet

ALL = [catalog.get("sources", name) for name in catalog.names("sources")]


def back(source: Source, table: pa.Table, ending: str, *, coded: bool = False, cut: int = 1 << 16) -> pa.Table:
    """The table written and read again."""
    batches = table.to_batches(max_chunksize=cut)
    if coded:
        batches = [
            pa.RecordBatch.from_arrays(
                [c.dictionary_encode() if pa.types.is_string(c.type) else c for c in b.columns], b.schema.names
            )
            for b in batches
        ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"t{ending}")
        source.write(path, table.schema, iter(batches))
        return again(source, path)


def again(source: Source, path: Path) -> pa.Table:
    known = source.sniff(path)
    table = pa.Table.from_batches(known.read(path))
    assert known.schema(path).remove_metadata() == table.schema.remove_metadata()
    assert known.rows(path) in (None, table.num_rows)
    return table.replace_schema_metadata(None)


# ---------------------------------------------------------------- every source


def test_every_source_says_what_it_is_and_no_two_share_an_ending():
    endings = [e for s in ALL for e in s.suffixes]
    assert len(endings) == len(set(endings)) and all(e.startswith(".") and e == e.lower() for e in endings)
    assert all(s.title and list(s.suffixes) == sorted(s.suffixes, key=len, reverse=True) for s in ALL)


@pytest.mark.parametrize("source", ALL, ids=lambda s: s.__name__)
@pytest.mark.parametrize("fault", ["missing", "folder", "empty", "png", "half", "text"])
def test_what_cannot_be_read_is_one_clear_error(source, fault, tmp_path):
    path = tmp_path / f"t{source.suffixes[-1]}"
    table = pa.table({"a": [CANARY] * 500, "b": [str(i) for i in range(500)]})
    if fault == "folder":
        path.mkdir()
    elif fault != "missing":
        source().write(path, table.schema, iter(table.to_batches()))
        whole = path.read_bytes()
        path.write_bytes(
            {
                "empty": b"",
                "png": b"\x89PNG\r\n\x1a\n" + bytes(200),
                "half": whole[: len(whole) // 2 + 1],
                "text": f'"{CANARY} is no table'.encode(),
            }[fault]
        )
    try:
        list(source().sniff(path).read(path))
    except InputError as error:
        assert path.name in str(error) and CANARY not in str(error)
    else:  # half a text file is a text file whose last record happens to be whole, or a header
        assert source.__name__ == "Delimited" and fault in ("half", "text")


@pytest.mark.parametrize("source", ALL, ids=lambda s: s.__name__)
def test_a_table_without_rows_keeps_its_columns(source):
    if source is not JsonLines:  # a line that is not there has no keys
        assert back(source(), pa.table({"a": pa.array([], pa.string())}), source.suffixes[-1]).column_names == ["a"]


# ---------------------------------------------------------------- Parquet


@given(typed_tables(), st.booleans(), st.integers(1, 4))
def test_parquet_gives_back(table, coded, cut):
    assert back(Parquet(), table, ".parquet", coded=coded, cut=cut).equals(table)


def test_parquet_holds_one_of_each():
    assert back(Parquet(), ONE_OF_EACH, ".parquet").equals(ONE_OF_EACH)


@given(st.lists(st.lists(st.none() | hard_text, max_size=5), min_size=1, max_size=4))
def test_parquet_takes_dictionaries_that_change_and_gives_text(parts):
    coded = [pa.record_batch({"s": pa.array(p, pa.string()).dictionary_encode()}) for p in parts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.parquet")
        Parquet().write(path, pa.schema([("s", pa.string())]), iter(coded))
        for table in (pq.read_table(path), again(Parquet(), path)):  # for others as for us
            assert table.schema.field("s").type == pa.string()
            assert table["s"].to_pylist() == [v for p in parts for v in p]


def test_parquet_reads_in_batches(tmp_path):
    pq.write_table(pa.table({"a": np.arange(10_000)}), tmp_path / "t.parquet", row_group_size=3000)
    batches = list(Parquet().read(tmp_path / "t.parquet", batch_rows=1000))
    assert max(b.num_rows for b in batches) <= 1000
    assert np.concatenate([b.column(0) for b in batches]).tolist() == list(range(10_000))


def test_a_tiny_parquet_file_that_claims_the_world_is_refused(tmp_path):
    honest, boast = _parquet(rows=3, packed=40, unpacked=40), {"rows": 10**12, "packed": 40, "unpacked": 40}
    for claims in (boast, {"rows": 3, "packed": 40, "unpacked": 10**15}):
        (tmp_path / "t.parquet").write_bytes(_parquet(**claims))
        with pytest.raises(InputError, match="damaged"):
            Parquet().rows(tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_bytes(_parquet(rows=3, packed=10**12, unpacked=40))
    with pytest.raises(InputError, match="damaged"):
        list(Parquet().read(tmp_path / "t.parquet"))
    (tmp_path / "t.parquet").write_bytes(honest)
    assert Parquet().rows(tmp_path / "t.parquet") == 3  # the forger's tools work: only the claims are at fault


def _parquet(rows: int, packed: int, unpacked: int) -> bytes:
    """A Parquet file with one column of whole numbers, no page, and a footer that says what we like."""

    def number(n: int) -> bytes:
        n, out = n << 1, b""
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])

    def text(s: bytes) -> bytes:
        return bytes([len(s)]) + s

    def struct_of(*fields: tuple[int, int, bytes]) -> bytes:
        last, out = 0, b""
        for at, kind, value in fields:
            out, last = out + bytes([(at - last) << 4 | kind]) + value, at
        return out + b"\0"

    i32, i64, binary, many, record = 5, 6, 8, 9, 12
    root = struct_of((4, binary, text(b"schema")), (5, i32, number(1)))
    leaf = struct_of((1, i32, number(2)), (3, i32, number(0)), (4, binary, text(b"a")))
    column = struct_of(
        (1, i32, number(2)),
        (2, many, b"\x15" + number(0)),
        (3, many, b"\x18" + text(b"a")),
        (4, i32, number(0)),
        (5, i64, number(rows)),
        (6, i64, number(unpacked)),
        (7, i64, number(packed)),
        (9, i64, number(4)),
    )
    chunk = struct_of((2, i64, number(4)), (3, record, column))
    group = struct_of((1, many, b"\x1c" + chunk), (2, i64, number(unpacked)), (3, i64, number(rows)))
    footer = struct_of(
        (1, i32, number(1)), (2, many, b"\x2c" + root + leaf), (3, i64, number(rows)), (4, many, b"\x1c" + group)
    )
    return b"PAR1" + b"\0" * 100 + footer + struct.pack("<I", len(footer)) + b"PAR1"


@settings(derandomize=True)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_a_parquet_file_with_wounds_is_read_or_refused(at, wound):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.parquet")
        Parquet().write(path, ONE_OF_EACH.schema, iter(ONE_OF_EACH.to_batches()))
        raw = bytearray(path.read_bytes())
        at %= len(raw)
        raw[at : at + len(wound)] = wound
        path.write_bytes(raw)
        try:
            again(Parquet(), path)
        except FabricaError as error:
            assert "t.parquet" in str(error)


# ---------------------------------------------------------------- Arrow


@given(typed_tables(), st.booleans(), st.sampled_from([".arrow", ".feather", ".ipc"]))
def test_arrow_gives_back(table, coded, ending):
    assert back(Arrow(), table, ending, coded=coded, cut=2).equals(table)


def test_arrow_holds_one_of_each_and_reads_streams(tmp_path):
    assert back(Arrow(), ONE_OF_EACH, ".feather").equals(ONE_OF_EACH)
    with pa.ipc.new_stream(tmp_path / "s.arrow", ONE_OF_EACH.schema) as writer:
        writer.write_table(ONE_OF_EACH)
    assert again(Arrow(), tmp_path / "s.arrow").equals(ONE_OF_EACH)


@settings(derandomize=True)
@given(st.integers(0, 4000), st.binary(min_size=1, max_size=8))
def test_an_arrow_file_with_wounds_is_read_or_refused(at, wound):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.arrow")
        table = ONE_OF_EACH.select(["int", "text", "bool"])
        Arrow().write(path, table.schema, iter(table.to_batches()))
        raw = bytearray(path.read_bytes())
        at %= len(raw)
        raw[at : at + len(wound)] = wound
        path.write_bytes(raw)
        try:
            again(Arrow(), path).to_pylist()
        except FabricaError as error:
            assert "t.arrow" in str(error)


# ---------------------------------------------------------------- JSON lines


@given(
    text_tables().filter(lambda t: t.num_rows > 0),
    st.sampled_from([".jsonl", ".ndjson.gz", ".jsonl.zst"]),
    st.booleans(),
)
def test_json_lines_give_back_text(table, ending, coded):
    found = back(JsonLines(), table, ending, coded=coded)
    assert found.to_pylist() == table.to_pylist()
    assert all(pa.types.is_string(t) or pa.types.is_null(t) for t in found.schema.types)


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={"i": st.integers(-(2**63), 2**63 - 1), "b": st.booleans(), "s": hard_text}),
        min_size=1,
        max_size=6,
    ).filter(any)
)
def test_json_lines_give_back_plain_values(rows):
    table = pa.Table.from_pylist(rows, pa.schema([("i", pa.int64()), ("b", pa.bool_()), ("s", pa.string())]))
    assert back(JsonLines(), table, ".jsonl").to_pylist() == table.to_pylist()


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        (
            ['{"a":1}', '{"a":2.5}', '{"b":null}'],
            [{"a": 1.0, "b": None}, {"a": 2.5, "b": None}, {"a": None, "b": None}],
        ),
        (['{"a":1}', '{"a":"x"}', '{"a":true}', '{"a":null}'], [{"a": "1"}, {"a": "x"}, {"a": "true"}, {"a": None}]),
        (['{"d":"2024-01-31"}'], [{"d": "2024-01-31"}]),
        (['{"a":18446744073709551617}', "", '{"a":1}'], [{"a": "18446744073709551617"}, {"a": "1"}]),
        (["\ufeff" + '{"a":1}', "  ", '{"a":2}'], [{"a": 1}, {"a": 2}]),
        (['{"a":"{[{["}'], [{"a": "{[{["}]),
        (['{"a":"%s"}' % ("{" * 600)], [{"a": "{" * 600}]),
    ],
    ids=["fractions", "mixed", "days stay text", "beyond 64 bits", "mark", "brackets", "many brackets"],
)
def test_json_lines_find_their_types(lines, rows, tmp_path):
    (tmp_path / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert again(JsonLines(), tmp_path / "t.jsonl").to_pylist() == rows


def test_a_late_line_may_change_a_type(tmp_path, monkeypatch):
    monkeypatch.setattr("fabrica.sources.jsonl.parse.BLOCK", 64)
    (tmp_path / "t.jsonl").write_text('{"a":1}\n' * 50 + '{"a":"x","b":2}\n')
    table = again(JsonLines(), tmp_path / "t.jsonl")
    assert table["a"].to_pylist() == ["1"] * 50 + ["x"] and table["b"].to_pylist() == [None] * 50 + [2]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (f'{{"a":1}}\n{{"a":"{CANARY}"\n', InputError, "line 2: is not JSON"),
        (f'[1,"{CANARY}"]', InputError, "line 1: .*object"),
        (f'{{"a":1}}\n{{"a":["{CANARY}"]}}', SchemaError, "line 2, column 'a': holds nested"),
        ('{"a":' * 100_000, InputError, "line 1: is not JSON"),
        ("\n\n", InputError, "blank"),
        ("{}\n{}\n", InputError, "no line"),
        ('{"a":\n' * 100_000, InputError, "line 1: is not JSON"),
        (b'{"a":"\xff"}', InputError, "line 1: the text is not UTF-8"),
    ],
    ids=range(8),
)
def test_hostile_json_lines_are_one_clear_error(text, kind, words, tmp_path):
    (tmp_path / "t.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(kind, match=words) as caught:
        again(JsonLines(), tmp_path / "t.jsonl")
    assert CANARY not in str(caught.value)


def test_json_lines_write_what_json_cannot_hold_as_null():
    table = pa.table({"f": [float("nan"), float("inf"), None, 0.5]})
    assert back(JsonLines(), table, ".jsonl")["f"].to_pylist() == [None, None, None, 0.5]


# ---------------------------------------------------------------- Excel


def test_excel_gives_back_what_a_sheet_can_hold():
    table = pa.table(
        {
            "int": [1, None, -3],
            "float": [0.5, 2.25, None],
            "bool": [True, None, False],
            "text": ["a, b", None, " x "],
            "formula": ["=1+1", "#N/A", "+1"],
            "day": pa.array([datetime.date(2024, 2, 29), None, None]),
            "moment": pa.array([datetime.datetime(2024, 1, 1, 2, 3, 4), None, None], pa.timestamp("us")),
            "time": pa.array([datetime.time(1, 2), None, None], pa.time64("us")),
            "<b>": ["x", "y", "z"],
        }
    )
    assert back(Excel(), table, ".xlsx").equals(table)
    assert back(Excel(), table, ".xlsx", coded=True, cut=1).equals(table)


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.none() | st.integers(-(10**9), 10**9), st.none() | st.text("a=,#\"'é \t", min_size=1)),
        min_size=1,
        max_size=5,
    ).filter(lambda rows: any(v is not None for r in rows for v in r))
)
def test_excel_gives_back_cells(cells):
    cells = [c for c in cells if c != (None, None)]  # a blank line in a sheet is no row
    table = pa.table({"i": [i for i, _ in cells], "s": [s for _, s in cells]})
    assert back(Excel(), table, ".xlsx").to_pylist() == table.to_pylist()


def test_a_sheet_that_mixes_is_text_and_one_with_odd_rows_is_refused(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["a", None, "b"], [1, "x", 2.5], ["x", None, 3], [None, None, None], [None, "y", None]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    table = again(Excel(), tmp_path / "t.xlsx")
    assert table.to_pylist() == [
        {"a": "1", "column_2": "x", "b": 2.5},
        {"a": "x", "column_2": None, "b": 3.0},
        {"a": None, "column_2": "y", "b": None},
    ]
    book.active.append([1, 2, 3, CANARY])
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(InputError, match="3 columns") as caught:
        again(Excel(), tmp_path / "t.xlsx")
    assert CANARY not in str(caught.value)


def test_excel_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "t.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(FabricaError, match=r'pip install "fabrica\[excel\]"'):
        Excel().sniff(tmp_path / "t.xlsx")


def test_excel_refuses_what_a_sheet_cannot_hold(tmp_path):
    for table in (
        pa.table({"a": ["x" * 40_000]}),
        pa.table({"a": [f"{CANARY}\0"]}),
        pa.table({f"c{i}": [1] for i in range(16_385)}),
    ):
        with pytest.raises(OutputError) as caught:
            Excel().write(tmp_path / "t.xlsx", table.schema, iter(table.to_batches()))
        assert CANARY not in str(caught.value)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not beside this checkout")
def test_a_real_parquet_file_goes_through_every_format(tmp_path):
    table = again(Parquet(), DATA / "nycflights13" / "planes.parquet").slice(0, 300)
    for source, ending in ((Parquet(), ".parquet"), (Arrow(), ".arrow"), (JsonLines(), ".jsonl"), (Excel(), ".xlsx")):
        found = back(source, table, ending)
        assert found.to_pylist() == table.to_pylist(), ending
