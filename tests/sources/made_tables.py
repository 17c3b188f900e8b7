"""What the tests of the sources share: tables of every kind, and a word that no error may show."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path

import pyarrow as pa
from hypothesis import strategies as st

CANARY = "Canary77"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

ONE_OF_EACH = pa.table(
    {
        "int": pa.array([1, None, -3], pa.int64()),
        "big": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "half": pa.array([1.5, None, -0.25], pa.float16()),
        "float": pa.array([0.1, None, 1e300], pa.float64()),
        "bool": pa.array([True, None, False]),
        "text": pa.array([" ?", None, ""], pa.string()),
        "decimal": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-0.01")], pa.decimal128(9, 2)),
        "date": pa.array([datetime.date(1066, 10, 14), None, datetime.date(9999, 12, 31)], pa.date32()),
        "moment": pa.array(
            [datetime.datetime(1500, 1, 1), None, datetime.datetime(2024, 2, 29, 1, 2, 3)], pa.timestamp("us")
        ),
        "zoned": pa.array([datetime.datetime(2024, 7, 1), None, None], pa.timestamp("ms", "Europe/Berlin")),
        "time": pa.array([datetime.time(23, 59), None, datetime.time(0)], pa.time64("us")),
        "duration": pa.array([datetime.timedelta(days=1, seconds=1), None, datetime.timedelta(0)], pa.duration("us")),
        "nothing": pa.nulls(3),
    }
)

#: texts with all that can go wrong in them, but for control characters, of which a text file has none
hard_text = st.text(
    st.one_of(
        st.sampled_from("\",;\t|\r\n'= \\é☃\U0001f600\ufeff"),
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")),
    ),
    max_size=8,
)


def column_names(least: int = 1, most: int = 4) -> st.SearchStrategy[list[str]]:
    """Different names with something to see in them, whatever else."""
    return st.lists(hard_text.filter(lambda n: n.strip("\ufeff").strip()), min_size=least, max_size=most, unique=True)


@st.composite
def text_tables(draw: st.DrawFn, least: int = 1) -> pa.Table:
    """Tables of texts and missing values."""
    names = draw(column_names(least))
    rows = draw(st.integers(0, 6))
    cells = st.lists(st.none() | hard_text, min_size=rows, max_size=rows)
    return pa.table({name: pa.array(draw(cells), pa.string()) for name in names})


@st.composite
def typed_tables(draw: st.DrawFn) -> pa.Table:
    """Tables of numbers, truth values, texts and days."""
    rows = draw(st.integers(0, 6))
    kinds = {
        "i": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
        "u": (st.integers(0, 255), pa.uint8()),
        "f": (st.floats(allow_nan=False), pa.float64()),
        "b": (st.booleans(), pa.bool_()),
        "s": (hard_text, pa.string()),
        "d": (st.dates(), pa.date32()),
        "t": (st.datetimes(), pa.timestamp("us")),
        "n": (st.nothing(), pa.null()),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, unique=True))
    return pa.table(
        {
            k: pa.array(draw(st.lists(st.none() | kinds[k][0], min_size=rows, max_size=rows)), kinds[k][1])
            for k in chosen
        }
    )
