"""The bytes of a file: opened with a clear error, decompressed on the way in and compressed on the way out.

Compression is recognised by the first bytes of the file, not by its name: a ``.csv.gz`` that a browser has already
unpacked reads as well as a gzip file somebody called ``.csv``.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from fabrica.errors import InputError

__all__ = ["first_bytes", "plain", "sink", "what_is"]

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

#: the first bytes of files that people put under a wrong name
KNOWN = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file of version 1",
    b"SQLite format 3": "an SQLite database",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old .xls kind",
    b"\x7fELF": "a program",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ": "xz data",
    b"\x89HDF": "an HDF5 file",
    GZIP: "gzip data",
    ZSTD: "zstd data",
}


def what_is(head: bytes) -> str | None:
    """What a file is that starts with ``head``, in words; None where we cannot tell.

    >>> what_is(b"\\x89PNG\\r\\n")
    'a PNG image'
    """
    return next((words for magic, words in KNOWN.items() if head.startswith(magic)), None)


def first_bytes(path: Path, size: int = 16) -> bytes:
    """The first bytes of a file that must exist, be readable and not be empty."""
    try:
        with path.open("rb") as file:
            head = file.read(size)
    except OSError as error:
        raise _cannot_open(path, error) from None
    if not head:
        raise InputError("the file is empty", where=str(path), hint="export it again")
    return head


def plain(path: Path) -> BinaryIO:
    """The unpacked bytes of a file; ``read(n)`` gives n bytes except at the end.

    Raises ``InputError`` from here or from any later ``read``: no such file, no permission, damaged compression.
    """
    head = first_bytes(path)
    if head.startswith(GZIP):
        return cast(BinaryIO, io.BufferedReader(_Packed(path, cast(BinaryIO, gzip.open(path, "rb"))), 1 << 20))
    if head.startswith(ZSTD):
        stream = cast(BinaryIO, pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
        return cast(BinaryIO, io.BufferedReader(_Packed(path, stream), 1 << 20))
    return path.open("rb", buffering=1 << 20)


def sink(path: Path, name: str) -> BinaryIO:
    """A file to write bytes to, packed as the ending of ``name`` says (``.gz``, ``.zst``)."""
    if name.endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "wb", compresslevel=6))
    if name.endswith(".zst"):
        return cast(BinaryIO, pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd"))
    return path.open("wb", buffering=1 << 20)


class _Packed(io.RawIOBase):
    """Unpacked bytes; damage of the packed ones becomes one clear error."""

    def __init__(self, path: Path, inner: BinaryIO):
        super().__init__()
        self.path, self.inner = path, inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._guarded(lambda: self.inner.read(len(buffer)))
        buffer[: len(block)] = block
        return len(block)

    def _guarded(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except (EOFError, zlib.error, OSError, pa.ArrowException):
            raise InputError("the compressed data are damaged or cut short", where=str(self.path),
                             hint="copy or export the file again") from None

    def close(self) -> None:
        if not self.closed:
            self.inner.close()
        super().close()


def _cannot_open(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError("there is no such file", where=str(path))
    if isinstance(error, PermissionError):
        return InputError("there is no permission to read it", where=str(path))
    if isinstance(error, IsADirectoryError):
        return InputError("is a folder, not a file", where=str(path))
    return InputError(f"cannot be opened ({(error.strerror or 'unknown reason').lower()})", where=str(path))
