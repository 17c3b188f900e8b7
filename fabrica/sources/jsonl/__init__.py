"""JSON lines: one object a line, plain or packed with gzip or zstd.

A first pass over the file finds the columns and their types, since the last line may hold a key that no other has.
Text stays text (Arrow would make moments of it), whole numbers and fractions meet as fractions, and a column that
mixes numbers with text is text. Arrow's parser does the work; where it gives up, Python's reads the file line by line
and names the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from fabrica.contract import Source
from fabrica.sources._bytes import sink
from fabrica.sources.jsonl.parse import Shape, parsed, shape_of
from fabrica.sources.jsonl.write import lines_of

__all__ = ["JsonLines"]


@dataclass(frozen=True)
class JsonLines(Source):
    """JSON lines; ``shape`` is what ``sniff`` found in one file."""

    shape: Shape | None = None

    title: ClassVar[str] = "JSON lines, one object a line"
    suffixes: ClassVar[tuple[str, ...]] = (".ndjson.zst", ".jsonl.zst", ".ndjson.gz", ".jsonl.gz", ".ndjson", ".jsonl")

    def sniff(self, path: Path) -> JsonLines:
        return JsonLines(shape_of(path))

    def schema(self, path: Path) -> pa.Schema:
        return (self.shape or shape_of(path)).schema

    def rows(self, path: Path) -> int | None:
        return None if self.shape is None else self.shape.rows

    def read(self, path: Path, *, batch_rows: int = 1 << 16) -> Iterator[pa.RecordBatch]:
        """Batches; ``InputError`` names the line that is no JSON object, ``SchemaError`` the column that is nested."""
        shape, some = self.shape or shape_of(path), False
        for batch in parsed(path, shape):
            for at in range(0, batch.num_rows, batch_rows):
                yield batch.slice(at, batch_rows)
                some = True
        if not some:
            yield pa.RecordBatch.from_pylist([], shape.schema)

    def write(self, path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        with sink(path, path.name) as file:
            for batch in batches:
                if batch.num_rows:
                    file.write(lines_of(schema.names, batch))
