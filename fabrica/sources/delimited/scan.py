"""The grammar of delimited text: where a record ends and how it falls into cells.

A quote opens only at the start of a cell, two quotes within quotes are one, and a quoted cell may hold line ends (RFC
4180, as Arrow's reader has it). The fast reader does not say where it stumbled, so this slow one walks the file a
second time to name the line. It works on UTF-8 bytes: no byte of a longer character looks like a delimiter, a quote
or a line end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["Record", "records", "cells", "Trouble", "first_trouble"]

_TO_CLOSING_QUOTE = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')


@dataclass(frozen=True)
class Record:
    """One record: its first line (from 1), its bytes, the offset behind it, its cells, and whether its quotes close."""

    line: int
    raw: bytes
    end: int
    cells: int
    closed: bool

    @property
    def blank(self) -> bool:
        return not self.raw.strip(b"\r\n")


def records(lines: Iterable[bytes], delimiter: bytes, line: int = 1) -> Iterator[Record]:
    """The records of text given as lines with their ends; ``line`` is the number of the first.

    >>> [r.cells for r in records([b'a,b\\n', b'1,"x\\n', b'y"\\n'], b",")]
    [2, 2]
    """
    held: list[bytes] = []
    delimiters, quoted, start, end = 0, False, line, 0
    for whole in lines:
        for part in whole.splitlines(keepends=True):
            more, quoted = _walk(part, delimiter, quoted)
            delimiters, end, line = delimiters + more, end + len(part), line + 1
            held.append(part)
            if not quoted:
                yield Record(start, b"".join(held), end, delimiters + 1, True)
                held, delimiters, start = [], 0, line
    if held:
        yield Record(start, b"".join(held), end, delimiters + 1, False)


def _walk(line: bytes, delimiter: bytes, quoted: bool) -> tuple[int, bool]:
    """Delimiters between cells of one line, and whether a quote is open at its end."""
    if not quoted and b'"' not in line:
        return line.count(delimiter), False
    at, found = 0, 0
    while True:
        if not quoted and line.startswith(b'"', at):
            quoted, at = True, at + 1
        if quoted:
            closing = _TO_CLOSING_QUOTE.match(line, at)
            if closing is None:
                return found, True
            quoted, at = False, closing.end()
        at = line.find(delimiter, at)
        if at < 0:
            return found, False
        found, at = found + 1, at + 1


def cells(record: bytes, delimiter: bytes) -> list[tuple[str, bool]]:
    """The cells of one record as (text, was it quoted).

    >>> cells(b'a,"b ""c"" d",\\n', b",")
    [('a', False), ('b "c" d', True), ('', False)]
    """
    record, found, at = record.rstrip(b"\r\n"), [], 0
    while True:
        text, quoted = b"", record.startswith(b'"', at)
        if quoted:
            closing = _TO_CLOSING_QUOTE.match(record, at + 1)
            end = closing.end() if closing else len(record)
            text, at = record[at + 1 : end - bool(closing)].replace(b'""', b'"'), end
        stop = record.find(delimiter, at)
        text += record[at : stop if stop >= 0 else len(record)]
        found.append((text.decode("utf-8", "replace"), quoted))
        if stop < 0:
            return found
        at = stop + 1


@dataclass(frozen=True)
class Trouble:
    """The first thing that is wrong with the text: its line and what it is, without a word of the cell."""

    line: int
    what: str
    hint: str


def first_trouble(text: BinaryIO, delimiter: bytes, columns: int, line: int) -> Trouble | None:
    """The first record that is not ``columns`` cells long, is not UTF-8 or never closes its quote."""
    for record in records(text, delimiter, line):
        if not record.closed:
            return Trouble(record.line, "a quote that opens here is never closed",
                           "close it, or double a quote that belongs to the text")
        if not _is_utf8(record.raw):
            return Trouble(record.line, "the text is not UTF-8 here though it is so above", "save the file as UTF-8")
        if record.cells != columns and not (record.blank and columns > 1):
            return Trouble(record.line, f"{record.cells} cell(s) in this line where the columns are {columns}",
                           "quote the cells that hold a delimiter, or mend the line")
    return None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
