"""Patterns of moments: ``%d/%m/%Y %H:%M`` and its relatives, parsed and written for whole columns at once.

The fields are those of strptime, with five additions: ``%-d`` (any field) is written without a leading zero, ``%3f``
has three digits of the second's fraction, ``%^b`` is in capitals, ``%0H`` has two digits or more, and ``%z`` is
``+02:00`` where ``%+z`` is ``+0200``. A pattern of fixed width is read and written as a matrix of bytes; any other by a
regular expression, once per distinct value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import SchemaError

__all__ = ["Field", "Pattern", "MONTHS", "DAYS"]

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WIDTH = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "f": 6, "b": 3, "a": 3, "p": 2, "j": 3}
_TOKEN = re.compile(r"%([-^+0]?)(\d?)([a-zA-Z%])")
_WORDS = {"b": tuple(m[:3] for m in MONTHS), "B": MONTHS, "a": tuple(d[:3] for d in DAYS), "A": DAYS, "p": ("AM", "PM")}


@dataclass(frozen=True)
class Field:
    """One field of a pattern: its letter, its digits (0: any number of them) and its flag."""

    letter: str
    width: int = 0
    flag: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        words = _WORDS.get(self.letter, ())
        if self.flag == "^" and self.letter != "p":
            return tuple(w.upper() for w in words)
        return tuple(w.lower() for w in words) if self.flag == "-" else words

    @property
    def regex(self) -> str:
        if self.words:
            return "(?:" + "|".join(self.words) + ")"
        if self.letter == "z":
            return r"[+-]\d\d\d\d" if self.flag == "+" else r"[+-]\d\d:\d\d"
        if self.width:
            return rf"\d{{{self.width}}}"
        if self.flag == "0":
            return r"\d{2,9}"
        return r"\d{1,9}" if self.letter in "Hf" else r"\d{1,2}"


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern.

    >>> p = Pattern.of("%d/%m/%Y")
    >>> fields, bad = p.fields(pa.array(["31/12/2024"]))
    >>> int(fields["d"][0]), int(fields["m"][0]), int(fields["Y"][0])
    (31, 12, 2024)
    """

    text: str
    parts: tuple[Field | str, ...]

    @classmethod
    @lru_cache(maxsize=512)
    def of(cls, text: str) -> Pattern:
        """Compile; a field it does not know is an error that says so."""
        parts: list[Field | str] = []
        end = 0
        for m in _TOKEN.finditer(text):
            if m.start() > end:
                parts.append(text[end:m.start()])
            parts.append(_field(m, text))
            end = m.end()
        if end < len(text):
            parts.append(text[end:])
        return cls(text, tuple(parts))

    @cached_property
    def letters(self) -> set[str]:
        return {p.letter for p in self.parts if isinstance(p, Field)}

    @cached_property
    def width(self) -> int | None:
        """Bytes of every text in this pattern; None where they vary."""
        total = 0
        for part in self.parts:
            size = len(part.encode()) if isinstance(part, str) else _fixed(part)
            if not size:
                return None
            total += size
        return total

    @cached_property
    def regex(self) -> str:
        pieces = [re.escape(p) if isinstance(p, str) else f"(?P<g{i}>{p.regex})" for i, p in enumerate(self.parts)]
        return "^" + "".join(pieces) + "$"

    def fields(self, text: pa.Array) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """``({letter: (n,) int64}, bad)``; where a cell is null or bad its fields are 0."""
        matrix = _matrix(text, self.width) if self.width else None
        found = self._by_bytes(matrix, text) if matrix is not None else self._by_regex(text)
        return found

    def _by_bytes(self, matrix: np.ndarray, text: pa.Array) -> tuple[dict[str, np.ndarray], np.ndarray]:
        bad = np.zeros(len(matrix), bool)
        out, at = {}, 0
        for part in self.parts:
            if isinstance(part, str):
                literal = np.frombuffer(part.encode(), np.uint8)
                bad |= (matrix[:, at: at + len(literal)] != literal).any(1)
                at += len(literal)
                continue
            size = _fixed(part) or 0
            values, wrong = _field_bytes(part, matrix[:, at: at + size])
            out[part.letter], bad, at = values, bad | wrong, at + size
        bad &= np.asarray(pc.is_valid(text))
        return out, bad

    def _by_regex(self, text: pa.Array) -> tuple[dict[str, np.ndarray], np.ndarray]:
        got = pc.extract_regex(text, self.regex)
        valid = np.asarray(pc.is_valid(got))
        out = {}
        for i, part in enumerate(self.parts):
            if isinstance(part, Field):
                out[part.letter] = _field_text(part, pc.struct_field(got, f"g{i}"))
        return out, ~valid & np.asarray(pc.is_valid(text))

    def write(self, fields: dict[str, np.ndarray]) -> pa.Array:
        """Text of the fields, (n,) each."""
        size = len(next(iter(fields.values()))) if fields else 0
        if self.width:
            return self._write_bytes(fields, size)
        pieces = [p if isinstance(p, str) else _write_field(p, fields) for p in self.parts]
        if all(isinstance(p, str) for p in pieces):
            return pa.array(["".join(map(str, pieces))] * size, pa.string())
        return pc.binary_join_element_wise(*pieces, "")

    def _write_bytes(self, fields: dict[str, np.ndarray], size: int) -> pa.Array:
        out = np.empty((size, self.width or 0), np.uint8)
        at = 0
        for part in self.parts:
            if isinstance(part, str):
                literal = np.frombuffer(part.encode(), np.uint8)
                out[:, at: at + len(literal)] = literal
                at += len(literal)
                continue
            wide = _fixed(part) or 0
            out[:, at: at + wide] = _bytes_of(part, fields[part.letter], wide)
            at += wide
        if out.size > 2**31 - 1:  # pragma: no cover
            return pa.array(out.view(f"S{self.width}")[:, 0].astype(str), pa.string())
        starts = np.arange(size + 1, dtype=np.int32) * (self.width or 0)
        return pa.StringArray.from_buffers(size, pa.py_buffer(starts), pa.py_buffer(out))


def _field(m: re.Match[str], text: str) -> Field:
    flag, digits, letter = m[1], m[2], m[3]
    if letter == "z":
        return Field("z", 0, flag)
    if letter not in _WIDTH and letter not in _WORDS:
        raise SchemaError(f"the pattern has a field %{letter} that is not known",
                          hint="known: %Y %y %m %d %b %B %H %I %M %S %f %p %z %j %a %A")
    if letter in _WORDS:
        return Field(letter, 0, flag)
    width = 0 if flag in ("-", "0") else int(digits or _WIDTH[letter])
    return Field(letter, width, flag)


def _fixed(part: Field) -> int | None:
    """Bytes of a field; None where they vary."""
    if part.letter == "z":
        return 5 if part.flag == "+" else 6
    if part.words:
        return len(part.words[0]) if len({len(w) for w in part.words}) == 1 else None
    return part.width or None


def _matrix(text: pa.Array, width: int) -> np.ndarray | None:
    """(n, width) bytes where every cell has that many (nulls: zeros); else None."""
    if text.null_count:
        text = pc.fill_null(text, "\0" * width)
    sizes = pc.min_max(pc.binary_length(text)).as_py()
    if len(text) == 0 or sizes["min"] != width or sizes["max"] != width:
        return None
    _, starts, data = text.buffers()
    start = int(np.frombuffer(starts, np.int32, 1, text.offset * 4)[0])
    return np.frombuffer(data, np.uint8, len(text) * width, start).reshape(len(text), width)


def _number(digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value = np.zeros(len(digits), np.int64)
    wrong = np.zeros(len(digits), bool)
    for k in range(digits.shape[1]):
        d = digits[:, k] - np.uint8(48)
        wrong |= d > 9
        value = value * 10 + d
    return np.where(wrong, 0, value), wrong


def _field_bytes(part: Field, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if part.letter == "z":
        rest = data[:, [1, 2, 4, 5]] if part.flag != "+" else data[:, 1:]
        value, wrong = _number(rest)
        sign = data[:, 0]
        wrong |= (sign != 43) & (sign != 45) | ((part.flag != "+") & (data[:, 3] != 58))
        minutes = value // 100 * 60 + value % 100
        return np.where(sign == 45, -minutes, minutes), wrong
    if part.words:
        value, wrong = np.zeros(len(data), np.int64), np.ones(len(data), bool)
        for i, word in enumerate(part.words):
            hit = (data == np.frombuffer(word.encode(), np.uint8)).all(1)
            value[hit], wrong[hit] = i + 1, False
        return value, wrong
    value, wrong = _number(data)
    return (value * 10 ** (9 - part.width), wrong) if part.letter == "f" else (value, wrong)


def _field_text(part: Field, text: pa.Array) -> np.ndarray:
    if part.letter == "z":
        bare = pc.replace_substring(pc.fill_null(text, "+00:00"), ":", "")
        minutes = np.asarray(pc.utf8_slice_codeunits(bare, 1, 3).cast(pa.int64())) * 60
        minutes = minutes + np.asarray(pc.utf8_slice_codeunits(bare, 3, 5).cast(pa.int64()))
        return np.where(np.asarray(pc.starts_with(bare, "-")), -minutes, minutes)
    if part.words:
        return np.asarray(pc.fill_null(pc.index_in(text, pa.array(part.words)), -1)).astype(np.int64) + 1
    if part.letter == "f":
        text = pc.utf8_rpad(text, 9, "0")
    return np.asarray(pc.fill_null(text.cast(pa.int64()), 0))


def _bytes_of(part: Field, value: np.ndarray, width: int) -> np.ndarray:
    if part.letter == "z":
        size = np.abs(value)
        text = pc.binary_join_element_wise(
            pa.array(np.where(value < 0, "-", "+")), _digits(size // 60, 2),
            ":" if part.flag != "+" else "", _digits(size % 60, 2), "")
        return np.frombuffer("".join(text.to_pylist()).encode(), np.uint8).reshape(-1, width)
    if part.words:
        table = np.frombuffer("".join(part.words).encode(), np.uint8).reshape(len(part.words), width)
        return table[np.clip(value, 1, len(part.words)) - 1]
    if part.letter == "f":
        value = value // 10 ** (9 - width)
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (value[:, None] // powers % 10 + 48).astype(np.uint8)


def _digits(value: np.ndarray, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(value).cast(pa.string()), width, "0")


def _write_field(part: Field, fields: dict[str, np.ndarray]) -> pa.Array:
    value = fields[part.letter]
    if part.words:
        return pa.array(part.words).take(pa.array(np.clip(value, 1, len(part.words)) - 1))
    if part.letter == "f" and not part.width:
        text = pc.utf8_rtrim(_digits(value, 9), "0")
        return pc.if_else(pc.equal(text, ""), "0", text)
    if _fixed(part):
        wide = _fixed(part) or 0
        rows = _bytes_of(part, value, wide)
        return pa.array(np.ascontiguousarray(rows).view(f"S{wide}")[:, 0].astype(f"U{wide}"), pa.string())
    text = pa.array(value).cast(pa.string())
    return pc.utf8_lpad(text, 2, "0") if part.flag == "0" else text
