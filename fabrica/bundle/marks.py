"""Marks a Parquet file as synthetic without touching a row: some key-values more in its footer.

A Parquet file is pages, a footer (Thrift, compact protocol), the footer's length and ``PAR1``. The pages are copied as
they are; of the footer only the list of key-values (field 5 of ``FileMetaData``) grows. So the mark can be taken away
again byte by byte, and whoever checks a bundle sees that the file in it is the one that was judged.

Apache Parquet format, ``parquet.thrift``; Apache Thrift, compact protocol specification.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fabrica.errors import InputError

__all__ = ["MARKS", "digests", "mark"]

MARKS = ("synthetic", "fabrica:bundle", "fabrica:generator")  #: the keys that we add, in this order
MAGIC, TAIL = b"PAR1", 8
LIST, STRUCT, BINARY, KEY_VALUES = 9, 12, 8, 5
STEP = 1 << 20
LONGEST = 1 << 28  #: bytes of a footer that is read


class _Unreadable(ValueError):
    """A footer that is not as the format says."""


def mark(source: Path, target: Path, marks: Mapping[str, str]) -> None:
    """Copy a Parquet file with ``marks`` (of the keys ``MARKS``) in its footer.

    Raises
    ------
    InputError : it is no Parquet file, or its footer has no key-values to grow.
    """
    with source.open("rb") as file:
        pages, footer = _parts(file, str(source))
        try:
            longer = _grown(footer, [_key_value(name, marks[name]) for name in MARKS])
        except (_Unreadable, IndexError):
            raise InputError("the footer of the Parquet file cannot be marked", where=str(source),
                             hint="write it again with fabrica") from None
        with target.open("wb") as out:
            file.seek(0)
            _pour(file, out, pages)
            out.write(longer + len(longer).to_bytes(4, "little") + MAGIC)


def digests(file: BinaryIO, size: int) -> tuple[str, str | None]:
    """SHA-256 of an open file of ``size`` bytes, and of what it was before it was marked (None where it has no marks);
    in one pass."""
    pages, footer = _parts_if_any(file, size)
    whole = hashlib.sha256()
    file.seek(0)
    _feed(file, whole, pages)
    before = whole.copy()
    _feed(file, whole, size)  # to the end
    shorter = _shrunk(footer)
    if shorter is None:
        return whole.hexdigest(), None
    before.update(shorter + len(shorter).to_bytes(4, "little") + MAGIC)
    return whole.hexdigest(), before.hexdigest()


def _parts_if_any(file: BinaryIO, size: int) -> tuple[int, bytes]:
    try:
        return _parts(file, "") if file.read(len(MAGIC)) == MAGIC else (size, b"")
    except InputError:
        return size, b""


def _feed(file: BinaryIO, digest: hashlib._Hash, size: int) -> None:
    while size > 0 and (piece := file.read(min(STEP, size))):
        digest.update(piece)
        size -= len(piece)


def _pour(file: BinaryIO, out: BinaryIO, size: int) -> None:
    while size > 0 and (piece := file.read(min(STEP, size))):
        out.write(piece)
        size -= len(piece)


def _parts(file: BinaryIO, where: str) -> tuple[int, bytes]:
    """How many bytes stand before the footer, and the footer."""
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or not 0 < length <= min(size - TAIL - len(MAGIC), LONGEST):
        raise InputError("is not a Parquet file that can be marked", where=where)
    file.seek(size - TAIL - length)
    return size - TAIL - length, file.read(length)


# ---------------------------------------------------------------- the footer


@dataclass
class _Cursor:
    """A place in the bytes of a footer."""

    raw: bytes
    at: int = 0

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.raw[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value
            if shift > 63:
                raise _Unreadable

    def header(self, field: int) -> tuple[int, int]:
        """The kind and number of the next field of a struct; kind 0 at its end."""
        byte = self.raw[self.at]
        self.at += 1
        if not byte:
            return 0, field
        return byte & 15, field + (byte >> 4) if byte >> 4 else self.varint() // 2

    def elements(self) -> tuple[int, int]:
        """The kind and number of the elements of a list."""
        byte = self.raw[self.at]
        self.at += 1
        return byte & 15, self.varint() if byte >> 4 == 15 else byte >> 4

    def skip(self, kind: int, inside: bool = False, deep: int = 0) -> None:
        """Step over a value; a truth within a list has a byte of its own."""
        if deep > 32 or self.at > len(self.raw):
            raise _Unreadable
        if kind in (1, 2, 3):
            self.at += 1 if inside or kind == 3 else 0
        elif kind in (4, 5, 6):
            self.varint()
        elif kind == 7:
            self.at += 8
        elif kind == BINARY:
            length = self.varint()  # moves the cursor first
            self.at += length
        elif kind in (LIST, 10):
            one, many = self.elements()
            for _ in range(many):
                self.skip(one, True, deep + 1)
        elif kind == STRUCT:
            field = 0
            while (found := self.header(field))[0]:
                field = found[1]
                self.skip(found[0], False, deep + 1)
        else:
            raise _Unreadable  # maps do not occur


def _list_at(footer: bytes) -> tuple[int, int, list[bytes]]:
    """Where the list of key-values begins and ends, and its elements as they are written."""
    cursor, field = _Cursor(footer), 0
    while (found := cursor.header(field))[0]:
        kind, field = found
        start = cursor.at
        if field != KEY_VALUES:
            cursor.skip(kind)
            continue
        inner, many = cursor.elements() if kind == LIST else (0, 0)
        if inner != STRUCT:
            raise _Unreadable
        pieces = []
        for _ in range(many):
            begin = cursor.at
            cursor.skip(STRUCT)
            pieces.append(footer[begin:cursor.at])
        return start, cursor.at, pieces
    raise _Unreadable


def _grown(footer: bytes, more: list[bytes]) -> bytes:
    start, end, pieces = _list_at(footer)
    return footer[:start] + _list(pieces + more) + footer[end:]


def _shrunk(footer: bytes) -> bytes | None:
    """The footer without our marks; None where the last key-values are not ours."""
    try:
        start, end, pieces = _list_at(footer)
    except (_Unreadable, IndexError):
        return None
    ours = pieces[-len(MARKS):]
    if len(ours) < len(MARKS) or not all(one.startswith(_key(name)) for one, name in zip(ours, MARKS, strict=True)):
        return None
    return footer[:start] + _list(pieces[:-len(MARKS)]) + footer[end:]


def _list(pieces: list[bytes]) -> bytes:
    many = len(pieces)
    head = bytes([many << 4 | STRUCT]) if many < 15 else bytes([0xF0 | STRUCT]) + _varint(many)
    return head + b"".join(pieces)


def _key(name: str) -> bytes:
    return bytes([1 << 4 | BINARY]) + _varint(len(name.encode())) + name.encode()


def _key_value(name: str, value: str) -> bytes:
    return _key(name) + _key(value) + b"\0"


def _varint(value: int) -> bytes:
    found = []
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
