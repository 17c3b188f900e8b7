"""Parquet: columns in row groups, packed.

Text that arrives as dictionaries is written as dictionaries, never decoded on the way, and the Arrow schema that is
stored beside it says ``string``: whoever reads the file gets plain text. Before anything is read, the numbers in the
footer are held against the size of the file, so that a few bytes cannot make us reserve gigabytes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from fabrica.contract import Source
from fabrica.errors import InputError
from fabrica.frames import plain_column
from fabrica.sources._bytes import first_bytes, what_is

__all__ = ["Parquet"]

GROUP_ROWS, GROUP_BYTES = 1 << 19, 1 << 27  #: a row group is written when it has so many rows or bytes
ROWS_PER_BYTE, UNPACKED_PER_BYTE, SMALL = 100_000, 20_000, 1 << 30  #: no honest file claims more


@dataclass(frozen=True)
class Parquet(Source):
    """Parquet files."""

    title: ClassVar[str] = "Parquet, read and written by row groups"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    def schema(self, path: Path) -> pa.Schema:
        with _opened(path) as file:
            return file.schema_arrow

    def rows(self, path: Path) -> int:
        with _opened(path) as file:
            return file.metadata.num_rows

    def read(self, path: Path, *, batch_rows: int = 1 << 16) -> Iterator[pa.RecordBatch]:
        """Batches, a row group after the other. ``InputError`` where the file is damaged."""
        with _opened(path) as file:
            if not file.metadata.num_rows:
                yield pa.RecordBatch.from_pylist([], file.schema_arrow)
                return
            batches = file.iter_batches(batch_size=batch_rows)
            while True:
                try:
                    batch = next(batches, None)
                    if batch is None:
                        return
                    batch.validate(full=True)  # text that is no UTF-8 would trip somebody far from here
                except (pa.ArrowException, OSError):
                    raise _damaged(path) from None
                yield batch

    def write(self, path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        held: list[pa.RecordBatch] = []
        first = next(batches, None)
        stored = _stored_schema(schema, first)
        with pq.ParquetWriter(path, stored, compression="zstd", compression_level=1, store_schema=False) as writer:
            while first is not None:
                held.append(_fitted(first, stored))
                if sum(b.num_rows for b in held) >= GROUP_ROWS or sum(b.nbytes for b in held) >= GROUP_BYTES:
                    _flush(writer, held)
                    held = []
                first = next(batches, None)
            _flush(writer, held)
            seen = schema.remove_metadata().serialize().to_pybytes()
            writer.add_key_value_metadata({b"ARROW:schema": base64.b64encode(seen)})


def _flush(writer: pq.ParquetWriter, held: list[pa.RecordBatch]) -> None:
    if held:
        writer.write_table(pa.Table.from_batches(held).unify_dictionaries(), row_group_size=1 << 20)


def _stored_schema(schema: pa.Schema, first: pa.RecordBatch | None) -> pa.Schema:
    """Text as dictionaries where it arrives so."""
    coded = [False] * len(schema) if first is None else [pa.types.is_dictionary(c.type) for c in first.columns]
    text = pa.dictionary(pa.int32(), pa.string())
    fields = [pa.field(f.name, text) if is_coded and pa.types.is_string(f.type) else f
              for f, is_coded in zip(schema, coded, strict=True)]
    return pa.schema(fields)


def _fitted(batch: pa.RecordBatch, stored: pa.Schema) -> pa.RecordBatch:
    columns = [_fit(column, field.type) for column, field in zip(batch.columns, stored, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=stored)


def _fit(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_dictionary(kind):
        return plain_column(column, kind)
    if pa.types.is_dictionary(column.type) and not column.dictionary.null_count:
        levels = plain_column(column.dictionary, kind.value_type)
        return pa.DictionaryArray.from_arrays(column.indices.cast(kind.index_type), levels)
    return plain_column(column, kind.value_type).dictionary_encode().cast(kind)


def _opened(path: Path) -> pq.ParquetFile:
    """The open file, its footer read and believed."""
    head = first_bytes(path)
    if not head.startswith((b"PAR1", b"PARE")):
        words = what_is(head)
        raise InputError(f"this is not a Parquet file{f' but {words}' if words else ''}", where=str(path))
    try:
        file = pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        _ = file.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError):  # a name that is no UTF-8 is a ValueError
        raise _damaged(path) from None
    if not _believable(file.metadata, path.stat().st_size):
        file.close()
        raise _damaged(path)
    return file


def _believable(footer: pq.FileMetaData, size: int) -> bool:
    """Whether a file of ``size`` bytes can hold what its footer claims.

    Row groups are as deep as we look: pyarrow aborts the process when it shows the footer of a damaged column. What
    a column claims is no danger, since its bytes come through a buffer of fixed size.
    """
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    rows, unpacked = [g.num_rows for g in groups], [g.total_byte_size for g in groups]
    if min(rows, default=0) < 0 or sum(rows) != footer.num_rows or min(unpacked, default=0) < 0:
        return False
    few = sum(rows) <= max(10_000_000, size * ROWS_PER_BYTE)
    return few and sum(unpacked) <= max(SMALL, size * UNPACKED_PER_BYTE)


def _damaged(path: Path) -> InputError:
    return InputError("the Parquet file is damaged or cut short", where=str(path), hint="copy or export it again")
