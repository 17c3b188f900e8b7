"""Arrow's own formats: IPC files (Feather 2) and IPC streams.

What is read is validated in full: the offsets in a damaged or hostile file would otherwise point anywhere in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from fabrica.contract import Source
from fabrica.errors import InputError
from fabrica.frames import plain_column, plain_type
from fabrica.sources._bytes import first_bytes, what_is

__all__ = ["Arrow"]


@dataclass(frozen=True)
class Arrow(Source):
    """Arrow IPC files and streams, and Feather."""

    title: ClassVar[str] = "Arrow IPC files and streams, Feather"
    suffixes: ClassVar[tuple[str, ...]] = (".feather", ".arrow", ".ipc")

    def schema(self, path: Path) -> pa.Schema:
        first_bytes(path)
        with pa.OSFile(str(path)) as file:
            return _reader(path, file).schema

    def read(self, path: Path, *, batch_rows: int = 1 << 16) -> Iterator[pa.RecordBatch]:
        """Batches as they lie in the file, large ones cut. ``InputError`` where the file is damaged."""
        first_bytes(path)
        with pa.OSFile(str(path)) as file:
            reader, some = _reader(path, file), False
            for batch in _checked(path, reader):
                for at in range(0, batch.num_rows, batch_rows):
                    yield batch.slice(at, batch_rows)
                    some = True
            if not some:
                yield pa.RecordBatch.from_pylist([], reader.schema)

    def write(self, path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        """An IPC file; Feather is packed with LZ4, as its readers expect. Dictionaries are written as their values."""
        plain = pa.schema([(f.name, plain_type(f.type) if pa.types.is_dictionary(f.type) else f.type) for f in schema])
        packed = pa.ipc.IpcWriteOptions(compression="lz4" if path.suffix.lower() == ".feather" else None)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, plain, options=packed) as writer:
            for batch in batches:
                columns = [plain_column(c, f.type) for c, f in zip(batch.columns, plain, strict=True)]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=plain))


def _reader(path: Path, file: pa.NativeFile) -> pa.RecordBatchReader | pa.RecordBatchFileReader:
    head = first_bytes(path)
    words = what_is(head)
    if words and not head.startswith(b"ARROW1"):
        raise InputError(f"this is not an Arrow file but {words}", where=str(path))
    try:
        reader = pa.ipc.open_file(file) if words else pa.ipc.open_stream(file)
        _ = reader.schema.names
        return reader
    except (pa.ArrowException, OSError, ValueError, MemoryError):  # a name that is no UTF-8 is a ValueError
        raise _damaged(path) from None


def _checked(path: Path, reader: pa.RecordBatchReader | pa.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    number = 0
    while True:
        try:
            if isinstance(reader, pa.RecordBatchFileReader):
                if number >= reader.num_record_batches:
                    return
                batch = reader.get_batch(number)
            else:
                batch = reader.read_next_batch()
            batch.validate(full=True)
        except StopIteration:
            return
        except (pa.ArrowException, OSError, MemoryError):
            raise _damaged(path) from None
        number += 1
        yield batch


def _damaged(path: Path) -> InputError:
    return InputError("the Arrow file is damaged or cut short", where=str(path), hint="copy or export it again")
