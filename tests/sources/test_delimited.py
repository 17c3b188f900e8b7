"""Delimited text comes in as it stands and goes out as it came."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tables import CANARY, DATA, text_tables

from fabrica.errors import FabricaError, InputError, OutputError, SchemaError
from fabrica.sources.delimited import Delimited
from fabrica.sources.delimited.dialect import Dialect, Layout
from fabrica.sources.delimited.scan import cells, records


def read(path: Path, **how) -> pa.Table:
    batches = list(Delimited().sniff(path).read(path, **how))
    assert len({b.schema for b in batches}) == 1
    return pa.Table.from_batches(batches)


def table_of(text: bytes | str, name: str = "t.csv") -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read(path).to_pylist()


def in_hand(dialect: Dialect) -> Delimited:
    """A source that writes in this dialect."""
    return Delimited(Layout(dialect, (), 0, 1, 50.0))


# ---------------------------------------------------------------- round trips


@given(
    text_tables(least=2),
    st.sampled_from([",", "\t", ";", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_what_is_written_comes_back(table, delimiter, line_end, encoding, coded):
    dialect = Dialect(delimiter, encoding, line_end)
    batches = table.to_batches()
    if coded:
        batches = [
            pa.RecordBatch.from_arrays([c.dictionary_encode() for c in b.columns], b.schema.names) for b in batches
        ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        in_hand(dialect).write(path, table.schema, iter(batches))
        known = Delimited(Layout(dialect, tuple(table.column_names), *_first_row(path, dialect), 50.0))
        assert pa.Table.from_batches(known.read(path), table.schema).to_pylist() == table.to_pylist()


def _first_row(path: Path, dialect: Dialect) -> tuple[int, int]:
    text = path.read_bytes().decode(dialect.encoding).encode()
    header = next(records(io.BytesIO(text), dialect.delimiter.encode()))
    return header.end, header.raw.count(b"\n") + 1


@given(text_tables())
def test_python_reads_what_we_write(table):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        Delimited().write(path, table.schema, iter(table.to_batches()))
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row or [""] for row in csv.reader(file)]
        told = [[v or "" for v in row.values()] for row in table.to_pylist()]
        assert rows == [table.column_names, *told]


@given(text_tables(least=2).filter(lambda t: t.num_rows > 1))
def test_names_are_found_again(table):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        plain = table.rename_columns([f"n{i}{n}" for i, n in enumerate(table.column_names)])
        Delimited().write(path, plain.schema, iter(plain.to_batches()))
        assert Delimited().schema(path).names == plain.column_names


@given(st.lists(st.lists(st.text('",\n\rx ', max_size=5), min_size=2, max_size=4), min_size=1, max_size=5))
def test_the_grammar_is_that_of_the_standard_library(rows):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    found = list(records(io.BytesIO(text.getvalue().encode()), b","))
    assert [r.cells for r in found] == [len(row) for row in rows] and all(r.closed for r in found)
    assert [[t for t, _ in cells(r.raw, b",")] for r in found] == rows


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not beside this checkout")
@pytest.mark.parametrize(
    "name",
    [
        "adult/test.csv",
        "gtfs_cairns/stops.csv",
        "air_quality_uci/air_quality_uci.csv",
        "sakila/address.csv",
        "northwind/Employees.csv",
        "ev_charging/ev_charging_sessions.csv",
    ],
)
def test_real_files_come_back_byte_for_byte(name, tmp_path):
    source = Delimited().sniff(DATA / name)
    batches = list(source.read(DATA / name))
    source.write(tmp_path / "back.csv", batches[0].schema, iter(batches))
    assert (tmp_path / "back.csv").read_bytes() == (DATA / name).read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        b"a;b\r\n1,5;2\r\n3,5;4\r\n",
        b'"a","b"\n"x",1\n"y",2\n',
        "\ufeffa,b\n1,é\n".encode(),
        "a\tb\n1\té\n".encode("cp1252"),
        "a,b\n1,é\n".encode("utf-16"),
        b"5.1,x\n4.9,y\n",
        b'a,b\n"x",""\n"y",\n',
        b'a,b\n1," ?"\n2,"p,q"\n'.replace(b'" ?"', b" ?"),
    ],
    ids=["semicolons", "quoted", "mark", "cp1252", "utf-16", "no header", "empty text", "as needed"],
)
def test_the_hand_is_kept(text, tmp_path):
    (tmp_path / "in.csv").write_bytes(text)
    source = Delimited().sniff(tmp_path / "in.csv")
    batches = list(source.read(tmp_path / "in.csv"))
    source.write(tmp_path / "out.csv", batches[0].schema, iter(batches))
    assert (tmp_path / "out.csv").read_bytes() == text


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz", ".txt"])
def test_endings_pack_and_delimit(ending, tmp_path):
    path, table = tmp_path / f"t{ending}", pa.table({"a": ["x, y", "z"], "b": ["\t", None]})
    Delimited().write(path, table.schema, iter(table.to_batches()))
    assert read(path).equals(table)
    head = path.read_bytes()[:2]
    assert (head == b"\x1f\x8b") == ending.endswith(".gz") and (head == b"\x28\xb5") == ending.endswith(".zst")
    if ending == ".tsv":
        assert path.read_bytes().startswith(b"a\tb\n")


def test_a_letter_that_the_encoding_lacks_is_an_error_without_the_letter(tmp_path):
    table = pa.table({"a": [f"{CANARY}☃"]})
    with pytest.raises(OutputError, match="latin-1") as caught:
        in_hand(Dialect(encoding="latin-1")).write(tmp_path / "t.csv", table.schema, iter(table.to_batches()))
    assert CANARY not in str(caught.value)


# ---------------------------------------------------------------- what is found


def test_text_stays_as_it_stands():
    assert table_of('id,v\n007, ?\n008," a, b "\n') == [{"id": "007", "v": " ?"}, {"id": "008", "v": " a, b "}]


def test_an_empty_cell_is_missing_and_a_quoted_one_is_empty():
    assert table_of('a,b\n"",\n') == [{"a": "", "b": None}]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b\n1,2\n", ["a", "b"]),
        ("a;b\n1,5;2\n", ["a", "b"]),
        ("a|b\n1|2\n", ["a", "b"]),
        ("a\tb\n1\t2\n", ["a", "b"]),
        ("5.1,3.5,x\n4.9,3.0,y\n", ["column_1", "column_2", "column_3"]),
        ("39,Ada\n44,Bob\n", ["column_1", "column_2"]),
        ("c,2019,2020\nx,1,2\ny,3,4\n", ["c", "2019", "2020"]),
        ("0,1,2\n5,6,7\n8,9,10\n", ["0", "1", "2"]),
        ("a,,  \n1,2,3\n", ["a", "column_2", "column_3"]),
        ('"a\nb",c\n1,2\n', ["a\nb", "c"]),
        ("\n\na,b\n1,2\n", ["a", "b"]),
        ('"x ""y""",<b>,😀\n1,2,3\n', ['x "y"', "<b>", "😀"]),
        ("note\nhello, world\n", ["note"]),
    ],
)
def test_delimiter_and_header_are_found(text, names):
    assert list(table_of(text, "t.txt")[0]) == names


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_encodings_are_found(encoding):
    assert table_of("name,town\nZoë,Málaga\n".encode(encoding)) == [{"name": "Zoë", "town": "Málaga"}]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines(line_end):
    text = line_end.join(["a,b", "1,2", "", '3,"x\ny"', "", ""])
    assert table_of(text) == [{"a": "1", "b": "2"}, {"a": "3", "b": "x\ny"}]


def test_a_blank_line_in_a_table_of_one_column_is_a_missing_value():
    assert table_of("a\n1\n\n2\n") == [{"a": "1"}, {"a": None}, {"a": "2"}]


@pytest.mark.parametrize("text", ["a,b\n", "a,b", "a,b\n\n\n", "a\n"])
def test_a_header_alone_is_a_table_without_rows(text):
    assert table_of(text) == []


def test_packing_is_told_by_the_bytes_not_by_the_name():
    assert (
        table_of(gzip.compress(b"a,b\n1,2\n"), "t.csv") == table_of(b"a,b\n1,2\n", "t.csv.gz") == [{"a": "1", "b": "2"}]
    )


def test_batches_are_bounded_and_cells_may_be_huge(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 70_000 + f'3,"{"x" * 10_000_000}"\n' + "4,5\n" * 3)
    batches = list(Delimited().sniff(path).read(path, batch_rows=1000))
    assert max(b.num_rows for b in batches) <= 1000 and sum(b.num_rows for b in batches) == 70_004
    values = [v for b in batches for v in b.column(0).to_pylist()]
    assert values == ["1"] * 70_000 + ["3"] + ["4"] * 3  # beginning again behind a huge cell loses and doubles nothing


def test_ten_thousand_columns(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\n".join([",".join(f"c{i}" for i in range(10_000)), *[",".join("1" * 10_000)] * 3]) + "\n")
    assert read(path).shape == (3, 10_000)


# ---------------------------------------------------------------- hostile

OPEN = f'3,"{CANARY}\n4,5\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("\n \n\r\n", "only blank lines"),
        (f"a,b,c\n1,2,{CANARY}\n1,{CANARY}\n", "line 3: 2 cell"),
        (f'a,b\n"x\ny",2\n1,{CANARY},3\n', "line 4: 3 cell"),
        ("a,b\n1,2\n" + OPEN, "line 3: a quote"),
        (f'a,b\n1,2\n"{CANARY},4\n5,6\n', "line 3: a quote"),
        (f'a,b\n1,2\n3,"{CANARY}', "line 3: a quote"),
        (f'a\n"{CANARY}\nx\n', "line 2: a quote"),
        (f"a,b\n1,2\n1,{CANARY}\0\n", "line 3: a zero byte"),
        (bytes(range(256)) * 20, "binary"),
        (b"\x89PNG\r\n\x1a\nabc\n", "a PNG image"),
        (b"PAR1" + b"\0\1" * 40, "a Parquet file"),
        (gzip.compress(f"a,b\n1,{CANARY}\n".encode() * 500)[:-9], "damaged or cut short"),
        ("a,b\n1,2\n".encode("utf-16") + b"\x00\xd8\x41\x00" * 3, "does not follow its encoding"),
    ],
    ids=range(14),
)
def test_hostile_text_is_one_clear_error(text, words):
    with pytest.raises(InputError, match=words) as caught:
        table_of(text)
    assert "t.csv" in str(caught.value) and CANARY not in str(caught.value)


def test_a_name_that_stands_twice_is_named():
    with pytest.raises(SchemaError, match=r"line 1: 1 column.*'b'"):
        table_of("a,b,b\n1,2,3\n")


def test_a_bad_byte_far_down_is_found_with_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr("fabrica.sources.delimited.text.LOOK", 1)  # as if it lay behind what is looked at
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 40_000 + b"\xe9,3\n")
    with pytest.raises(InputError, match=r"line 40002: .*UTF-8"):
        read(path)


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_table_or_in_our_error(raw):
    with contextlib.suppress(FabricaError):
        table_of(raw)


@pytest.mark.parametrize(("header", "said"), [
    ("a,b, ", "columns without a name in the header are called by their place: 'column_3'"), ("a,b,c", ""),
    (",b,", "columns without a name in the header are called by their place: 'column_1', 'column_3'")])
def test_a_column_without_a_name_is_told(header, said, tmp_path):
    (tmp_path / "t.csv").write_text(f"{header}\nx,1,2\ny,3,4\n")
    assert Delimited().sniff(tmp_path / "t.csv").note() == said
