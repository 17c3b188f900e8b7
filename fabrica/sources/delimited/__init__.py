"""Delimited text: CSV, TSV and their kin, plain or packed with gzip or zstd.

Every column is read as text, exactly as it stands: leading zeros, leading spaces, ``$1,200.50`` and ``31/12/2024``
come through untouched, and the schema says later what they mean. An empty cell is a missing value; a quoted empty one
is the empty text. In a table of one column a blank line is a missing value, elsewhere it is skipped.

Arrow's reader does the work; where it stumbles, ``scan`` names the line, and no cell is shown.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

import pyarrow as pa
import pyarrow.csv as pacsv

from fabrica.contract import Source
from fabrica.errors import InputError
from fabrica.sources._bytes import sink
from fabrica.sources.delimited.dialect import Dialect, Layout, look_at
from fabrica.sources.delimited.scan import first_trouble
from fabrica.sources.delimited.text import TAIL, Utf8Text
from fabrica.sources.delimited.write import write

__all__ = ["Delimited"]

SMALLEST_BLOCK, LARGEST_BLOCK, LONGEST_RECORD = 1 << 16, 1 << 24, 1 << 29


@dataclass(frozen=True)
class Delimited(Source):
    """CSV, TSV or another delimiter.

    ``layout`` is what ``sniff`` found in one file; ``write`` uses its dialect.
    """

    layout: Layout | None = None

    title: ClassVar[str] = "delimited text; delimiter, encoding and quoting are detected"
    textual: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (".csv.zst", ".tsv.zst", ".txt.zst", ".csv.gz", ".tsv.gz", ".txt.gz",
                                           ".csv", ".tsv", ".txt")

    def sniff(self, path: Path) -> Delimited:
        return Delimited(look_at(path, usual_delimiter(path)))

    def note(self) -> str:
        if self.layout is None:
            return ""
        encoding, nameless = self.layout.dialect.encoding, self.layout.nameless
        names = ", ".join(map(repr, nameless[:5])) + (f" and {len(nameless) - 5} more" if len(nameless) > 5 else "")
        said = [] if encoding.startswith("utf") else [
            f"the text is no UTF-8, so it is read as {encoding}; if its letters look wrong, save the file as UTF-8"]
        said += [f"columns without a name in the header are called by their place: {names}"] if nameless else []
        return "; ".join(said)

    def schema(self, path: Path) -> pa.Schema:
        return pa.schema([(name, pa.string()) for name in self._layout(path).columns])

    def _layout(self, path: Path) -> Layout:
        return self.layout or look_at(path, usual_delimiter(path))

    def read(self, path: Path, *, batch_rows: int = 1 << 16) -> Iterator[pa.RecordBatch]:
        """String columns in batches. ``InputError`` names the line of a ragged row, an open quote or a bad byte."""
        layout = self._layout(path)
        block, done = int(min(max(layout.row_bytes * batch_rows, SMALLEST_BLOCK), LARGEST_BLOCK)), 0
        while True:
            try:
                for batch in _blocks(path, layout, block, done):
                    for at in range(0, max(1, batch.num_rows), batch_rows):
                        yield batch.slice(at, batch_rows)
                    done += batch.num_rows
                return
            except pa.ArrowInvalid as error:
                if "straddling" not in str(error) or block >= LONGEST_RECORD:
                    raise _explained(path, layout) from None
                block *= 8  # a record is longer than a block: begin again, behind the rows that are out

    def write(self, path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        dialect = self.layout.dialect if self.layout else Dialect(usual_delimiter(path))
        with sink(path, path.name) as file:
            write(file, schema, batches, dialect, str(path))

    def pour(self, stream: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        write(stream, schema, batches, self.layout.dialect if self.layout else Dialect(","), "standard output")


def usual_delimiter(path: Path) -> str:
    """What the ending of a name promises.

    >>> usual_delimiter(Path("people.TSV.gz"))
    '\\t'
    """
    return "\t" if ".tsv" in [s.lower() for s in path.suffixes] else ","


def _blocks(path: Path, layout: Layout, block: int, skip: int) -> Iterator[pa.RecordBatch]:
    """Arrow's batches, one a block, without the first ``skip`` rows."""
    text = Utf8Text(path, layout.dialect.encoding, layout.start)
    with io.BufferedReader(text, 1 << 20) as file:
        if not file.peek(1).strip(b"\r\n") and not file.peek(1 << 20).strip(b"\r\n") and len(layout.columns) > 1:
            yield _no_rows(layout)  # Arrow refuses to read nothing
            return
        if not file.peek(1):
            yield _no_rows(layout)
            return
        last = None
        for batch in _reader(pa.PythonFile(file, mode="r"), layout, block):
            cut = min(skip, batch.num_rows)
            skip -= cut
            if batch.num_rows:
                last = batch.slice(batch.num_rows - 1)
            if batch.num_rows > cut:
                yield batch.slice(cut)
        if last is not None and _ends_in_open_quote(last.column(last.num_columns - 1)[0].as_py(), text.tail, layout):
            raise _explained(path, layout)


def _reader(file: pa.NativeFile, layout: Layout, block: int) -> pacsv.CSVStreamingReader:
    dialect, columns = layout.dialect, layout.columns
    return pacsv.open_csv(
        file,
        pacsv.ReadOptions(column_names=list(columns), block_size=block),
        pacsv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True, ignore_empty_lines=len(columns) > 1),
        pacsv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), null_values=[""],
                             strings_can_be_null=True, quoted_strings_can_be_null=False),
    )


def _no_rows(layout: Layout) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in layout.columns], names=list(layout.columns))


def _ends_in_open_quote(last: str | None, tail: bytes, layout: Layout) -> bool:
    """Whether the last cell began with a quote that never closed; Arrow takes the rest of the file for its text."""
    raw = (last or "").encode().replace(b'"', b'""')
    if len(raw) + 2 > TAIL:
        return not tail.rstrip(b"\r\n").endswith(b'"')
    before = tail[: len(tail) - len(raw)]
    opens = before.endswith(b'"') and tail.endswith(raw) and last is not None
    return opens and (len(before) < 2 or before[-2:-1] in (layout.dialect.delimiter.encode(), b"\n", b"\r"))


def _explained(path: Path, layout: Layout) -> InputError:
    """The error that names the line where Arrow's reader stumbled."""
    text = Utf8Text(path, layout.dialect.encoding, layout.start)
    with io.BufferedReader(text, 1 << 20) as file:
        trouble = first_trouble(file, layout.dialect.delimiter.encode(), len(layout.columns), layout.line)
    if trouble is None:
        return InputError("cannot be read as delimited text", where=str(path), hint="export it again as CSV")
    return InputError(trouble.what, where=f"{path}, line {trouble.line}", hint=trouble.hint)
