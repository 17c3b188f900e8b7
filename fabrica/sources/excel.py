"""Excel workbooks (.xlsx): the first sheet, its first row the names. Needs the extra ``fabrica[excel]``.

A workbook holds at most 1,048,576 rows, so its cells are kept as Arrow columns until the last row has told the types.
A column that mixes numbers with text is text; days without a time of day are days. Text that begins with ``=`` is
written as text: a table must not run in the reader's spreadsheet.
"""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Source
from fabrica.errors import FabricaError, InputError, OutputError, SchemaError
from fabrica.frames import column_of, common_type, plain_column, plain_type
from fabrica.sources._bytes import first_bytes, what_is

__all__ = ["Excel"]

MOST_ROWS, MOST_COLUMNS, MOST_LETTERS = 1_048_576, 16_384, 32_767
LARGEST = 1 << 32  #: unpacked bytes of a sheet that we are willing to parse


@dataclass(frozen=True)
class Excel(Source):
    """The first sheet of a workbook; ``sheet`` is what ``sniff`` has read: half a look costs as much as a whole one."""

    sheet: pa.Table | None = None

    title: ClassVar[str] = "Excel workbooks (.xlsx), the first sheet; needs fabrica[excel]"
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx",)

    def sniff(self, path: Path) -> Excel:
        return Excel(_table(path))

    def schema(self, path: Path) -> pa.Schema:
        return (_table(path) if self.sheet is None else self.sheet).schema

    def rows(self, path: Path) -> int | None:
        return None if self.sheet is None else self.sheet.num_rows

    def read(self, path: Path, *, batch_rows: int = 1 << 16) -> Iterator[pa.RecordBatch]:
        """Batches. ``InputError`` where it is no workbook or the sheet is empty."""
        table = _table(path) if self.sheet is None else self.sheet
        yield from table.to_batches(max_chunksize=batch_rows) or [pa.RecordBatch.from_pylist([], table.schema)]

    def write(self, path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        """One sheet. ``OutputError`` where the table is larger than a sheet."""
        if len(schema) > MOST_COLUMNS:
            raise OutputError(f"an Excel sheet holds {MOST_COLUMNS:,} columns, not {len(schema):,}", where=str(path),
                              hint="write .csv or .parquet")
        book = _openpyxl().Workbook(write_only=True)
        sheet = book.create_sheet("data")
        try:
            _fill(sheet, schema.names, batches)
        except BaseException:
            sheet.close()  # else openpyxl complains when it is collected
            raise
        book.save(path)


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ImportError:
        raise FabricaError("Excel files need one more package", hint='pip install "fabrica[excel]"') from None
    return openpyxl


# ---------------------------------------------------------------- in


def _table(path: Path) -> pa.Table:
    names, pieces = _sheet(path, 1 << 16)
    kinds = [_day_or(column, _met(column)) for column in zip(*pieces, strict=True)] or [pa.null()] * len(names)
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    return pa.Table.from_batches([pa.RecordBatch.from_arrays([c.cast(k) for c, k in zip(piece, kinds, strict=True)],
                                                             schema=schema) for piece in pieces], schema)


def _sheet(path: Path, batch_rows: int) -> tuple[list[str], list[list[pa.Array]]]:
    """The names and, a list a batch, the columns as they look there."""
    openpyxl = _openpyxl()
    _must_be_workbook(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            rows = book.worksheets[0].iter_rows(values_only=True)
            first = next((r for r in rows if any(v is not None for v in r)), None)
            if first is None:
                raise InputError("the first sheet is empty", where=str(path))
            names = _names(first, path)
            pieces = []
            while block := list(islice(rows, batch_rows)):
                kept = [_padded(r, len(names), path) for r in block if any(v is not None for v in r)]
                pieces += [[column_of(c) for c in zip(*kept, strict=True)]] if kept else []
            return names, pieces
        finally:
            book.close()
    except FabricaError:
        raise
    except Exception:  # a damaged workbook breaks openpyxl in many ways, and its messages may show cells
        raise InputError("the workbook is damaged", where=str(path), hint="save it anew, or export CSV") from None


def _must_be_workbook(path: Path) -> None:
    head = first_bytes(path)
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [entry.file_size for entry in archive.infolist()]
    except (zipfile.BadZipFile, OSError, ValueError):
        words = what_is(head)
        raise InputError(f"this is not an .xlsx workbook{f' but {words}' if words and head[:2] != b'PK' else ''}",
                         where=str(path), hint="save it as .xlsx or .csv") from None
    if max(sizes, default=0) > LARGEST:
        raise InputError("the workbook unpacks to more than 4 GB", where=str(path), hint="export it as CSV")


def _names(first: tuple[Any, ...], path: Path) -> list[str]:
    width = max(i for i, v in enumerate(first, 1) if v is not None)
    names = [f"column_{i}" if v is None or not str(v).strip() else str(v) for i, v in enumerate(first[:width], 1)]
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise SchemaError(f"a column name stands more than once: {twice!r}", where=str(path), hint="rename the columns")
    return names


def _padded(row: tuple[Any, ...], width: int, path: Path) -> tuple[Any, ...]:
    if any(v is not None for v in row[width:]):
        raise InputError(f"a row has more cells than the {width} columns that have names", where=str(path),
                         hint="give every column a name")
    return row[:width] + (None,) * (width - len(row))


def _met(pieces: tuple[pa.Array, ...]) -> pa.DataType:
    met = pa.null()
    for piece in pieces:
        met = common_type(met, piece.type)
    return met


def _day_or(pieces: tuple[pa.Array, ...], kind: pa.DataType) -> pa.DataType:
    """``date32`` where all moments are midnights: Excel keeps days as moments."""
    if not pa.types.is_timestamp(kind):
        return kind
    days = all(pc.all(pc.equal(p, pc.floor_temporal(p, unit="day")), min_count=0).as_py()
               for p in pieces if pa.types.is_timestamp(p.type))
    return pa.date32() if days else kind


# ---------------------------------------------------------------- out


def _fill(sheet: Any, names: list[str], batches: Iterator[pa.RecordBatch]) -> None:
    sheet.append([_cell(sheet, name) for name in names])
    rows = 1
    for batch in batches:
        rows += batch.num_rows
        if rows > MOST_ROWS:
            raise OutputError(f"an Excel sheet holds {MOST_ROWS:,} rows", where="Excel", hint="write .csv or .parquet")
        columns = [plain_column(c, plain_type(c.type)).to_pylist() for c in batch.columns]
        for row in zip(*columns, strict=True):
            sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any) -> Any:
    """What openpyxl shall write; text that looks like a formula or an error is marked as text."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None if value != value else str(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.isoformat(sep=" ")
    if not isinstance(value, str):
        return value
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell

    if len(value) > MOST_LETTERS or ILLEGAL_CHARACTERS_RE.search(value):
        raise OutputError("a text is too long or holds control characters, which an Excel cell cannot", where="Excel",
                          hint="write .csv or .parquet")
    if not value.startswith(("=", "#")):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell
