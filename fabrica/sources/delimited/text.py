"""The text of a delimited file as UTF-8 bytes, whatever its encoding, read once from front to back.

The encoding is found from the byte-order mark, else from the bytes: UTF-16 shows a zero in every other byte, UTF-8
decodes, and what is left is the Windows code page 1252 or, where that has no such letter, Latin-1. Zero bytes and a
flood of control characters mean that the file is no text.
"""

from __future__ import annotations

import codecs
import io
from pathlib import Path
from typing import BinaryIO

from fabrica.errors import InputError
from fabrica.sources._bytes import plain, what_is

__all__ = ["encoding_of", "Utf8Text", "TAIL"]

LOOK = 1 << 26  #: bytes that are looked at for the encoding
TAIL = 1 << 20  #: bytes of the end of the text that are remembered
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
         codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b"))


def encoding_of(path: Path) -> str:
    """The name of the encoding as Python has it. ``InputError`` where the file is not text."""
    with plain(path) as file:
        head = file.read(1 << 16)
        if not head:
            raise InputError("the file is empty", where=str(path), hint="export it again")
        marked = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
        if marked:
            return marked
        if head.count(0) > len(head) // 3:
            return _wide(head, path)
        _must_be_text(head, path)
        if _is_utf8(head, file):
            return "utf-8"
    return _narrow(head)


def _wide(head: bytes, path: Path) -> str:
    """UTF-16 without a mark, told by which of two bytes is zero."""
    if what_is(head):
        raise _not_text(head, path)
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even > 9 * odd:
        return "utf-16-be"
    if odd > 9 * even:
        return "utf-16-le"
    raise _not_text(head, path)


def _must_be_text(head: bytes, path: Path) -> None:
    strange = len(head) - len(head.translate(None, CONTROL))
    misnamed = what_is(head) is not None and (strange or not head[:64].isascii())
    if strange > max(2, len(head) // 100) or misnamed:
        raise _not_text(head, path)


def _not_text(head: bytes, path: Path) -> InputError:
    words = what_is(head)
    what = f"this is not delimited text but {words}" if words else "this is a binary file, not delimited text"
    return InputError(what, where=str(path), hint="export the table as CSV")


def _is_utf8(head: bytes, rest: BinaryIO) -> bool:
    decoder, seen, block = codecs.getincrementaldecoder("utf-8")(), 0, head
    try:
        while block and seen < LOOK:
            decoder.decode(block)
            seen += len(block)
            block = rest.read(1 << 20)
        if not block:
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _narrow(head: bytes) -> str:
    try:
        head.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


class Utf8Text(io.RawIOBase):
    """The text of ``path`` in UTF-8 without a byte-order mark, from byte ``start`` of that text on.

    Wrap it in ``io.BufferedReader``. Reading raises ``InputError`` with the line where the text holds a zero byte or
    does not follow its encoding. ``tail`` holds the last bytes that were read.
    """

    def __init__(self, path: Path, encoding: str, start: int = 0):
        super().__init__()
        self.path, self.tail, self.lines = path, b"", 1
        self._file = plain(path)
        self._decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
        self._encoding, self._held = encoding, b""
        self._skip(start)

    def _skip(self, start: int) -> None:
        while start > 0 and (block := self._block()):
            self._held, start = block[start:], start - len(block[:start])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._held or self._block()
        piece, self._held = block[: len(buffer)], block[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _block(self) -> bytes:
        """The next piece of text; empty only at the end."""
        text = b""
        while not text:
            raw = self._file.read(1 << 20)
            text = self._recoded(raw)
            if not raw:
                break
        if b"\0" in text:
            line = self.lines + text[: text.index(b"\0")].count(b"\n")
            raise InputError("a zero byte stands in the text", where=f"{self.path}, line {line}",
                             hint="this is not a text file, or it was damaged: export it again")
        self.lines += text.count(b"\n")
        self.tail = text[-TAIL:] if len(text) >= TAIL else (self.tail + text)[-TAIL:]
        return text

    def _recoded(self, raw: bytes) -> bytes:
        if self._decoder is None:
            return raw
        try:
            return self._decoder.decode(raw, final=not raw).encode("utf-8")
        except UnicodeError:
            raise InputError(f"the text does not follow its encoding, {self._encoding}",
                             where=f"{self.path}, after line {self.lines}", hint="save the file as UTF-8") from None

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
