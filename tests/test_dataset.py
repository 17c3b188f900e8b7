"""A dataset is the same table wherever it lies, its samples are fair, and a file is written whole or not at all."""

from __future__ import annotations

import datetime
import decimal
import errno
import os
import pickle
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.dataset import Dataset, atomic, write_table
from fabrica.errors import FabricaError, InputError, Interrupted, OutputError, SchemaError, SettingError, UnknownName
from fabrica.run import Run

CANARY = "Canary77"
TABLE = pa.table({"i": [1, 2, None], "s": ["a", None, " c"]})


def whole(data: Dataset) -> pa.Table:
    return pa.Table.from_batches(data.batches(), data.schema)


# ---------------------------------------------------------------- in


class Stream:
    """Anything with the stream of Arrow's C interface."""

    def __arrow_c_stream__(self, requested_schema=None):
        return TABLE.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "thing",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_reader(),
        Stream(),
        TABLE.to_pydict(),
        TABLE.to_pandas().convert_dtypes(),
        pl.from_arrow(TABLE),
        pl.from_arrow(TABLE).lazy(),
        {"i": np.ma.array([1, 2, 3]), "s": pd.Series(["a", None, " c"])},
    ],
    ids=["table", "batch", "reader", "stream", "dict", "pandas", "polars", "lazy", "arrays"],
)
def test_every_make_of_table_is_the_same_table(thing):
    data = Dataset.open(thing, "people")
    assert (data.name, data.format, data.rows, data.source) == ("people", None, 3, None)
    assert data.schema == TABLE.schema and whole(data).num_rows == 3
    assert whole(data).equals(whole(data)), "batches can be read again"
    assert whole(data)["s"].to_pylist() == TABLE["s"].to_pylist()


@pytest.mark.parametrize("ending", [".csv", ".tsv.gz", ".parquet", ".feather", ".jsonl.zst", ".xlsx"])
def test_every_format_is_the_same_table(ending, tmp_path):
    table = pa.table({"s": ["a", None, " c"], "t": ["x, y", "z", None]})
    write_table(tmp_path / f"my people{ending}", table.schema, table.to_batches())
    for thing in (
        tmp_path / f"my people{ending}",
        str(tmp_path / f"my people{ending}"),
        tmp_path,
        f"{tmp_path}/*{ending}",
    ):
        data = Dataset.open(thing)
        assert (data.name, data.format) == ("my people", ending)
        assert whole(data).equals(table) and whole(data).equals(table)
        assert data.count() == 3 and data.rows in (None, 3)
        assert data.head(2).equals(table.slice(0, 2)) and data.head(9).equals(table) and data.head(0).num_rows == 0
    assert Dataset.open(data) is data


def test_parts_are_one_table(tmp_path):
    for i, ending in enumerate([".csv", ".csv.gz", ".csv"]):
        part = pa.table({"a": [str(i)] * 2, "b": ["x"] * 2} if i else {"b": ["x"] * 2, "a": [str(i)] * 2})
        write_table(tmp_path / f"part{i}{ending}", part.schema, part.to_batches())
    for name in ("_SUCCESS", ".part0.csv.crc", "README.md", "part9.csv"):
        (tmp_path / name).touch()
    data = Dataset.open(tmp_path)
    assert data.name == tmp_path.name and data.count() == 6
    assert whole(data).to_pydict() == {"b": ["x"] * 6, "a": ["0", "0", "1", "1", "2", "2"]}


def test_parts_meet_in_a_common_type_and_differ_with_a_clear_error(tmp_path):
    pq.write_table(pa.table({"a": pa.array([1], pa.int32())}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": [0.5]}), tmp_path / "2.parquet")
    pq.write_table(pa.table({"a": pa.nulls(1)}), tmp_path / "3.parquet")
    data = Dataset.open(tmp_path)
    assert data.rows == 3 and whole(data)["a"].to_pylist() == [1.0, 0.5, None]
    pq.write_table(pa.table({"b": [CANARY]}), tmp_path / "4.parquet")
    with pytest.raises(SchemaError, match="lacks the column 'b'") as caught:
        Dataset.open(tmp_path)
    assert CANARY not in str(caught.value)
    (tmp_path / "5.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="several formats"):
        Dataset.open(tmp_path)


FRAME = pd.DataFrame(
    {
        "int": [1, 2, 3],
        "float": [1.5, None, 2.0],
        "str": ["a", None, "c"],
        7: np.array([1, 2, 2**64 - 1], "u8"),
        "object": pd.Series(["a", "b", None], dtype=object),
        "Int64": pd.array([1, None, 3], dtype="Int64"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "bool": [True, False, True],
        "f2": np.array([1, 2, 3], "f2"),
        "cat": pd.Categorical(["x", "y", None], ["y", "x", "q"], ordered=True),
        "catint": pd.Categorical([2, 1, 2]),
        "zone": pd.to_datetime(["2024-07-01", None, "2024-01-01"]).tz_localize("Europe/Berlin"),
        "moment": pd.to_datetime(["1500-01-01", None, "2024-01-01 01:02:03.5"], format="ISO8601"),
        "delta": pd.to_timedelta([1, 2, None], unit="h"),
        "period": pd.period_range("2024-01", periods=3, freq="M"),
        "arrow": pd.array([1, 2, None], dtype="int64[pyarrow]"),
        "sparse": pd.arrays.SparseArray([0, 0, 1]),
        "day": [datetime.date(1500, 1, 1), None, datetime.date(2024, 1, 1)],
        "decimal": [decimal.Decimal("1.50"), None, decimal.Decimal("2.00")],
    }
)


def test_pandas_comes_back_as_it_came():
    data = Dataset.open(FRAME)
    pd.testing.assert_frame_equal(data.restore(whole(data)), FRAME.assign(cat=FRAME["cat"].cat.remove_categories("q")))
    assert data.levels == {"cat": ("y", "x", "q")}
    assert data.schema.field("cat").type == pa.string() and data.schema.field("catint").type == pa.int64()


def test_pandas_takes_cells_that_the_dtypes_did_not_know():
    data = Dataset.open(FRAME)
    twin = data.restore(pa.table({"cat": ["new", None], "int": [None, 1], "bool": [None, True], "more": [1, 2]}))
    assert twin["cat"].tolist()[0] == "new" and list(twin["cat"].cat.categories) == ["new"]
    assert twin["int"].isna().tolist() == twin["bool"].isna().tolist() == [True, False] and list(twin) == [
        "cat",
        "int",
        "bool",
        "more",
    ]


def test_a_categorical_that_comes_back_lists_only_the_levels_that_it_holds():
    levels, cells = ["low", CANARY, "high"], pa.table({"c": ["high", "low", None, "high"]})
    for ordered in (False, True):
        frame = pd.DataFrame({"c": pd.Categorical(["low", "high", CANARY], levels, ordered=ordered)})
        twin = Dataset.open(frame).emptied({"c": ["low", "high"]}).restore(cells)["c"]
        assert list(twin.cat.categories) == ["low", "high"] and twin.cat.ordered is ordered
        codes = pa.DictionaryArray.from_arrays(pa.array([0, 2, 1]), pa.array(levels), ordered=ordered)
        back = Dataset.open(pa.table({"c": codes})).restore(cells)["c"]
        assert back.type == codes.type and CANARY not in back.chunk(0).dictionary.to_pylist()
        assert back.to_pylist() == cells["c"].to_pylist()
    for kind in (pl.Enum(levels), pl.Categorical):
        twin = Dataset.open(pl.DataFrame({"c": pl.Series(levels, dtype=kind)})).restore(cells)
        assert twin["c"].to_list() == cells["c"].to_pylist() and not isinstance(twin.schema["c"], pl.String)
        assert CANARY not in str(twin.schema) + str(twin.to_arrow()["c"].chunk(0).dictionary.to_pylist())


def test_what_stays_of_a_frame_holds_no_cell_and_no_level_that_may_not_be_told():
    """Neither a view of the cells nor a level that one person has, whatever is dumped of it."""
    frames = [pd.DataFrame({"c": pd.Categorical(["low", "high", CANARY]), "note": pd.array([CANARY] * 3, "string")}),
              pd.DataFrame({"note": pd.array([CANARY] * 3, pd.ArrowDtype(pa.string()))}),
              pl.DataFrame({"c": pl.Series(["low", CANARY], dtype=pl.Enum(["low", CANARY]))})]
    for frame in frames:
        data = Dataset.open(frame)
        kept = data.emptied({"c": ["low", "high"]}).template
        assert CANARY.encode() not in pickle.dumps(kept) and list(kept.columns) == list(frame.columns)
        assert CANARY.encode() in pickle.dumps(data.template) or CANARY.encode() in pickle.dumps(frame)


def test_pandas_columns_of_mixed_cells_are_text():
    data = Dataset.open(pd.DataFrame({"m": [1, "a", None, 2.5, pd.NA], "h": [2**70, 1, 2, 3, 4]}))
    assert whole(data).to_pydict() == {"m": ["1", "a", None, "2.5", None], "h": [str(2**70), "1", "2", "3", "4"]}


def test_pandas_index_is_left_out_unless_it_has_a_name():
    frame = pd.DataFrame({"a": [1, 2]}, index=[7, 9])
    assert Dataset.open(frame).schema.names == ["a"]
    assert list(Dataset.open(frame).restore(pa.table({"a": [5]})).index) == [0]
    with pytest.raises(InputError, match=r"index 'when' .*reset_index"):
        Dataset.open(frame.rename_axis("when"))


def test_polars_comes_back_as_it_came():
    frame = pl.DataFrame(
        {
            "i": pl.Series([1, 2, 3], dtype=pl.Int8),
            "u": pl.Series([1, 2, 2**64 - 1], dtype=pl.UInt64),
            "s": ["a", None, "c"],
            "cat": pl.Series(["a", "b", "a"], dtype=pl.Categorical),
            "enum": pl.Series(["a", "b", "a"], dtype=pl.Enum(["b", "a"])),
            "dec": pl.Series([decimal.Decimal("1.50"), None, None], dtype=pl.Decimal(9, 2)),
            "day": [datetime.date(1, 1, 1), None, None],
            "time": [datetime.time(1), None, None],
            "delta": [datetime.timedelta(1), None, None],
            "none": [None] * 3,
            "zone": pl.Series([datetime.datetime(2024, 1, 1), None, None]).dt.replace_time_zone("Europe/Berlin"),
            "long": pl.Series([1, 2, None], dtype=pl.Int128),
        }
    )
    data = Dataset.open(frame)
    assert data.restore(whole(data)).equals(frame) and data.restore(whole(data)).schema == frame.schema
    assert data.levels == {"enum": ("b", "a")}
    assert data.restore(pa.table({"enum": ["zzz"], "s": ["x"]}))["enum"].to_list() == ["zzz"]


def test_arrow_types_are_plain_within_and_kept_without():
    table = pa.table(
        {
            "large": pa.array(["a", None], pa.large_string()),
            "view": pa.array(["a", None], pa.string_view()),
            "code": pa.array(["a", None]).dictionary_encode(),
            "runs": pa.RunEndEncodedArray.from_arrays([2], ["a"]),
            "uuid": pa.array(['{"a":1}', None], pa.json_()),
            "nothing": pa.nulls(2),
            "u": pa.array([2**64 - 1, None], pa.uint64()),
        }
    )
    data = Dataset.open(table)
    assert [str(t) for t in data.schema.types] == ["string"] * 5 + ["null", "uint64"]
    back = data.restore(whole(data))
    assert [back.schema.field(n).type for n in back.column_names if n != "runs"] == [
        table.schema.field(n).type for n in table.column_names if n != "runs"
    ]
    assert [back[n].to_pylist() for n in back.column_names] == [table[n].to_pylist() for n in table.column_names]


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("thing", "kind", "words"),
    [
        (5, InputError, "type int"),
        ({}, InputError, "no columns"),
        (pd.DataFrame(), InputError, "no columns"),
        ({"a": [1], "b": [1, 2]}, InputError, "column 'b': 2 cells"),
        ({"a": CANARY}, InputError, "column 'a'"),
        ({"a": [[CANARY]]}, SchemaError, "column 'a': holds nested"),
        ({"a": [{"b": CANARY}]}, SchemaError, "column 'a': holds nested"),
        ({"a": [CANARY.encode()]}, SchemaError, "column 'a': holds bytes"),
        (pl.DataFrame({"a": [[1]]}), SchemaError, "holds nested"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), SchemaError, "more than once, the first: 'x'"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), SchemaError, "more than once, the first: '1'"),
        (pa.table([[1], [2]], names=["y", "y"]), SchemaError, "more than once, the first: 'y'"),
        ("nowhere/a.csv", InputError, "no such file"),
        ("nowhere/*.csv", InputError, "no file of a known format"),
        (Path(__file__), UnknownName, "no file format named '.py'; there are: .arrow, .csv"),
        (Path(__file__).parent / "house", InputError, "no file of a known format"),
        ("a" * 5000 + ".csv", InputError, "cannot be opened"),
        ("/dev/null", InputError, "neither a file nor a folder"),
    ],
    ids=range(18),
)
def test_what_is_no_table_is_one_clear_error(thing, kind, words):
    with pytest.raises(kind) as caught:
        Dataset.open(thing)
    assert words in str(caught.value) and CANARY not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / "t.csv").write_text("a\n1\n")
    (tmp_path / "t.csv").chmod(0)
    with pytest.raises(InputError, match="no permission"):
        Dataset.open(tmp_path / "t.csv")


def test_a_nested_parquet_column_is_named(tmp_path):
    pq.write_table(pa.table({"ok": [1], "bad one": [[1, 2]]}), tmp_path / "t.parquet")
    with pytest.raises(SchemaError, match=r"t\.parquet, column 'bad one': holds nested"):
        Dataset.open(tmp_path / "t.parquet")


def test_frames_are_read_without_importing_pandas_or_polars(tmp_path):
    pq.write_table(pa.table({"a": list(range(1000))}), tmp_path / "t.parquet")
    code = (
        f"import sys; from fabrica.dataset import Dataset; from fabrica.run import Run\n"
        f"for thing in ({str(tmp_path / 't.parquet')!r}, {{'a': list(range(1000))}}):\n"
        "    data = Dataset.open(thing); data.sample(10, Run(1)); list(data.batches())\n"
        "print([m for m in ('pandas', 'polars', 'openpyxl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['pandas']")  # pyarrow itself looks for pandas when a list becomes a column


# ---------------------------------------------------------------- samples


@given(st.integers(0, 40), st.integers(0, 50), st.integers(0, 5))
def test_a_sample_is_some_of_the_rows_in_their_order(rows, n, seed):
    found = Dataset.open(pa.table({"a": pa.array(range(rows), pa.int64())})).sample(n, Run(seed))["a"].to_pylist()
    assert len(found) == min(n, rows) and found == sorted(set(found)) and set(found) <= set(range(rows))


def test_a_sample_depends_on_the_seed_and_the_rows_alone(tmp_path):
    rows = pa.table({"a": [str(i) for i in range(5000)]})
    write_table(tmp_path / "a.csv", rows.schema, rows.to_batches())
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=7)
    pieces = pa.Table.from_batches(rows.to_batches(max_chunksize=13))
    samples = [Dataset.open(t).sample(100, Run(3)) for t in (rows, pieces, tmp_path / "a.csv", tmp_path / "a.parquet")]
    assert all(s.equals(samples[0]) for s in samples)
    assert not samples[0].equals(Dataset.open(rows).sample(100, Run(4)))
    with pytest.raises(FabricaError, match="drawn twice"):
        run = Run(1)
        Dataset.open(rows).sample(1, run)
        Dataset.open(rows).sample(1, run)


def unfairness(sample, rows: int = 200, n: int = 40, times: int = 400) -> float:
    """How far the rows are from being drawn equally often, in standard deviations of the chi-squared statistic."""
    counts = np.zeros(rows)
    for seed in range(times):
        counts[sample(n, seed)] += 1
    share = n / rows
    statistic = ((counts - times * share) ** 2).sum() / (times * share * (1 - share))
    return float(abs(statistic - rows) / np.sqrt(2 * rows))


def test_every_row_is_drawn_equally_often_and_the_test_can_fail():
    pieces = pa.Table.from_batches(pa.table({"a": list(range(200))}).to_batches(max_chunksize=17))
    data = Dataset.open(pieces)

    def careless(n: int, seed: int) -> np.ndarray:  # forgets how many rows went by before the reservoir was full
        random, kept = np.random.default_rng(seed), list(range(n))
        for row in range(n, 200):
            if random.random() < 0.5:
                kept[random.integers(n)] = row
        return np.array(kept)

    assert unfairness(lambda n, seed: data.sample(n, Run(seed))["a"].to_numpy()) < 4
    assert unfairness(careless) > 20


def test_pairs_of_rows_are_drawn_equally_often():
    data, together = Dataset.open({"a": [0, 1, 2, 3]}), np.zeros((4, 4))
    for seed in range(600):
        one, other = data.sample(2, Run(seed))["a"].to_pylist()
        together[one, other] += 1
    assert np.abs(together[np.triu_indices(4, 1)] - 100).max() < 4 * np.sqrt(100 * 5 / 6)


def test_sampling_stops_when_the_run_is_stopped():
    run = Run(1)
    run.cancel()
    with pytest.raises(Interrupted):
        Dataset.open(TABLE).sample(1, run)
    with pytest.raises(SettingError):
        Dataset.open(TABLE).sample(-1, Run(1))


# ---------------------------------------------------------------- out


@pytest.mark.parametrize(
    "ending", [".csv", ".csv.gz", ".csv.zst", ".parquet", ".arrow", ".feather", ".jsonl", ".jsonl.gz", ".xlsx"]
)
@pytest.mark.parametrize(
    "fault", [KeyboardInterrupt, ValueError(CANARY), Interrupted("stopped"), OSError(errno.ENOSPC, "full")]
)
def test_a_writer_that_dies_leaves_nothing_and_harms_nothing(ending, fault, tmp_path):
    target = tmp_path / f"t{ending}"
    target.write_bytes(b"the old file")

    def dying():
        yield from TABLE.to_batches(max_chunksize=1)
        raise fault

    kind = OutputError if isinstance(fault, OSError) else fault if isinstance(fault, type) else type(fault)
    with pytest.raises(kind):
        write_table(target, TABLE.schema, dying())
    assert target.read_bytes() == b"the old file" and list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_one_clear_error(tmp_path):
    """The system itself refuses here: no file may grow beyond 100 kB, as if that were all the room there is."""

    code = (
        f"import signal, pyarrow as pa; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from fabrica.dataset import write_table; from fabrica.errors import OutputError\n"
        "import random; t = pa.table({'a': [random.random() for _ in range(30_000)]})\n"
        "for ending in ('.csv', '.csv.gz', '.parquet', '.arrow', '.jsonl', '.jsonl.zst'):\n"
        "    try:\n"
        f"        write_table({str(tmp_path)!r} + '/t' + ending, t.schema, t.to_batches())\n"
        "    except OutputError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.stdout.count("larger than the system allows") == 6, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "only be read"),
        (errno.EIO, "cannot be written"),
    ],
)
def test_faults_of_the_system_are_said_in_words(number, words, tmp_path):
    with pytest.raises(OutputError, match=words), atomic(tmp_path / "t") as part:
        part.write_bytes(b"half")
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


def test_targets_that_cannot_be(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    for target, kind, words in (
        ("folder.csv", OutputError, "is a folder"),
        ("file/t.csv", OutputError, "a file stands where"),
        ("t.docx", UnknownName, "'.docx'; there are: .arrow, .csv"),
        ("t", UnknownName, "'t'"),
        ("n" * 300 + ".csv", OutputError, "too long"),
    ):
        with pytest.raises(kind, match=words):
            write_table(tmp_path / target, TABLE.schema, TABLE.to_batches())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.csv"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="no permission"):
        write_table(tmp_path / "t.csv", TABLE.schema, TABLE.to_batches())


def test_the_target_is_replaced_whole_and_keeps_its_mode(tmp_path):
    target, link = tmp_path / "deep" / "er" / "t.csv", tmp_path / "link.csv"
    write_table(target, TABLE.schema, TABLE.to_batches())
    target.chmod(0o640)
    link.symlink_to(target)
    with atomic(link) as part:
        assert part.parent == target.parent and part.name.startswith(".") and part.name.endswith("t.csv")
        part.write_text("new")
        assert target.read_text() != "new"
    assert link.is_symlink() and target.read_text() == "new" and target.stat().st_mode & 0o777 == 0o640
    assert list(target.parent.iterdir()) == [target]


def test_output_looks_like_the_input(tmp_path):
    text = "\ufeffa;b\r\n1,5;x\r\n2,5;y\r\n".encode()
    (tmp_path / "in.csv").write_bytes(text)
    data = Dataset.open(tmp_path / "in.csv")
    write_table(tmp_path / "out.csv", data.schema, data.batches(), like=data)
    write_table(tmp_path / "out.tsv", data.schema, data.batches(), like=data)
    assert (tmp_path / "out.csv").read_bytes() == text
    assert (tmp_path / "out.tsv").read_bytes() == b"a\tb\n1,5\tx\n2,5\ty\n"


def test_what_cannot_be_written_is_refused_before_the_target_is_touched(tmp_path):
    nested = pa.table({"a": [[1]]})
    with pytest.raises(SchemaError, match="column 'a': holds nested"):
        write_table(tmp_path / "t.parquet", nested.schema, nested.to_batches())
    with pytest.raises(OutputError, match=r"cannot be written as \.parquet"):
        write_table(tmp_path / "t.parquet", pa.schema([("a", pa.int64())]), pa.table({"a": [CANARY]}).to_batches())
    assert list(tmp_path.iterdir()) == []
