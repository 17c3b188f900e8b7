"""How one delimited file is written: delimiter, encoding, quoting, line ends, header; found in its first rows.

The delimiter is the one that cuts the first rows into as many cells as the first line. The first line is a header
unless it looks like data: then every numeric column has a number in it (except for numbers that are names, 0 1 2 ...
or years). A column without a name is called by its place, ``column_3``.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fabrica.errors import InputError, SchemaError
from fabrica.sources.delimited.scan import Record, cells, records
from fabrica.sources.delimited.text import Utf8Text, encoding_of

__all__ = ["Dialect", "Layout", "look_at"]

CANDIDATES = (b",", b"\t", b";", b"|")
ROWS = 200  #: rows that are looked at
SAMPLE = 1 << 18  #: bytes that are looked at, more where the first rows are longer
LARGEST = 1 << 26
NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class Dialect:
    """The hand in which a file is written; a file written with it looks like the one it was found in.

    ``quoted`` names the columns whose every cell stands in quotes; ``quoted_header`` says so of the names.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    line_end: str = "\n"
    header: bool = True
    quoted_header: bool = False
    quoted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layout:
    """Where the rows of a file lie: column names, byte offset and line of the first in its UTF-8 text, bytes a row; and
    which of the columns have no name in its header, and are called by their place."""

    dialect: Dialect
    columns: tuple[str, ...]
    start: int
    line: int
    row_bytes: float
    nameless: tuple[str, ...] = ()


def look_at(path: Path, usual: str) -> Layout:
    """The layout of a file; ``usual`` is the delimiter that its ending promises.

    Raises ``InputError`` where the file is empty, blank or no text, ``SchemaError`` where a column name stands twice.
    """
    encoding = encoding_of(path)
    sample, whole = _sample(path, encoding)
    delimiter = _delimiter(sample, whole, usual.encode())
    rows = _rows(sample, whole, delimiter)
    if not any(r.raw.strip() for r in rows):
        raise InputError("the file holds only blank lines", where=str(path), hint="export it again")
    table = [cells(r.raw, delimiter) for r in rows]
    header = _is_header([[text for text, _ in row] for row in table])
    names = _names(table[0] if header else [("", False)] * len(table[0]), f"{path}, line {rows[0].line}")
    body = table[1:] if header else table
    dialect = Dialect(delimiter.decode(), encoding, _line_end(rows[0].raw), header,
                      header and all(q for _, q in table[0]), _always_quoted(names, body))
    before = sum(len(r.raw) for r in rows[:1]) if header else 0
    begin = rows[0].end - len(rows[0].raw) + before
    line = rows[0].line + (rows[0].raw.count(b"\n") or 1 if header else 0)
    width = sum(len(r.raw) for r in rows) / len(rows)
    nameless = tuple(name for name, (text, _) in zip(names, table[0], strict=True) if header and not text.strip())
    return Layout(dialect, names, begin, line, width, nameless)


def _sample(path: Path, encoding: str) -> tuple[bytes, bool]:
    """The first bytes with a few whole lines at least, and whether they are the whole text."""
    with io.BufferedReader(Utf8Text(path, encoding), 1 << 18) as file:
        sample = file.read(SAMPLE)
        while sample.count(b"\n") < 3 and len(sample) < LARGEST and (more := file.read(3 * len(sample))):
            sample += more
        return sample, not file.peek(1)


def _rows(sample: bytes, whole: bool, delimiter: bytes) -> list[Record]:
    """The first records that are not blank, without the one that the sample cuts off."""
    found: Iterator[Record] = records(io.BytesIO(sample), delimiter)
    kept = [r for r in islice(found, ROWS + 2) if not r.blank]
    cut = not whole and len(kept) > 1 and kept[-1].end == len(sample)
    return kept[:-1] if cut else kept


def _delimiter(sample: bytes, whole: bool, usual: bytes) -> bytes:
    """The candidate that cuts most rows like the first; of equals the usual one, then the one that cuts finest."""

    def worth(candidate: bytes) -> tuple[bool, float, bool, int]:
        rows = _rows(sample, whole, candidate)
        first = rows[0].cells if rows else 1
        share = sum(r.cells == first for r in rows[1:]) / max(1, len(rows) - 1)
        return first > 1 and (share > 0 or len(rows) < 2 or candidate == usual), share, candidate == usual, first

    return max(dict.fromkeys((usual, *CANDIDATES)), key=worth)


def _names(first: Sequence[tuple[str, bool]], where: str) -> tuple[str, ...]:
    names = tuple(text if text.strip() else f"column_{i}" for i, (text, _) in enumerate(first, 1))
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise SchemaError(f"{len(twice)} column name(s) stand more than once, the first: {twice[0]!r}", where=where,
                          hint="rename the columns")
    return names


def _is_header(table: list[list[str]]) -> bool:
    first, body = table[0], table[1:]
    if not body:
        return True
    columns = [[row[i] for row in body if i < len(row) and row[i].strip()] for i in range(len(first))]
    numeric = [i for i, column in enumerate(columns) if column and all(map(NUMBER.fullmatch, column))]
    if not numeric or not all(NUMBER.fullmatch(first[i]) for i in numeric):
        return True
    return _are_names([first[i] for i in numeric])


def _are_names(numbers: list[str]) -> bool:
    """Whether numbers in the first line count the columns (0 1 2, 1 2 3) or are years in their order."""
    if not all(n.strip().isdigit() and len(n) < 9 for n in numbers):
        return False
    values = [int(n) for n in numbers]
    counted = len(values) > 1 and values in (list(range(len(values))), list(range(1, len(values) + 1)))
    return counted or (all(1900 <= v <= 2100 for v in values) and values == sorted(set(values)))


def _line_end(record: bytes) -> str:
    if record.endswith(b"\r\n"):
        return "\r\n"
    return "\r" if record.endswith(b"\r") else "\n"


def _always_quoted(names: Sequence[str], body: list[list[tuple[str, bool]]]) -> frozenset[str]:
    """Columns with cells that all stand in quotes (empty ones aside)."""
    told = [[quoted for text, quoted in (row[i] for row in body if i < len(row)) if text or quoted]
            for i in range(len(names))]
    return frozenset(name for name, column in zip(names, told, strict=True) if column and all(column))
