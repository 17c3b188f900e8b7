"""From text to words: columns, literals, signs.

A name is a column where the table has one: the longest that fits, so that a name with a dash or a space needs no
quotes; any name may stand in backticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fabrica.errors import ExpressionError

__all__ = ["Word", "column_at", "wrong", "words"]

SIGNS = ("==", "!=", "<>", "<=", ">=", "->", "..", "<", ">", "=", "(", ")", "[", "]", ",", "+", "-", "*", "/", "%")
KEYS = ("and", "or", "not", "in", "is", "null", "between", "true", "false")
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"(?:\d[\d_]*(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[^\W\d]\w*")
MOST = 10_000  #: characters of an expression


@dataclass(frozen=True)
class Word:
    """One word: ``kind`` is "column", "name", "text", "number", "sign", "key" or "end"; ``at`` its place, from 0."""

    kind: str
    text: str
    at: int


def wrong(text: str, at: int, what: str, hint: str | None = None) -> ExpressionError:
    """An error that points at its place in the text."""
    return ExpressionError(what, where=f"{text!r}, character {at + 1}", hint=hint)


def words(text: str, names: Sequence[str]) -> Iterator[Word]:
    """The words of an expression over a table with these column ``names``, an "end" last.

    >>> [w.text for w in words("hours-per-week > 40 and `x y` != 'no'", ["hours-per-week", "x y"])]
    ['hours-per-week', '>', '40', 'and', 'x y', '!=', 'no', '']

    Raises
    ------
    ExpressionError : a character that means nothing, quotes that do not end, a column that is not there.
    """
    if len(text) > MOST:
        raise ExpressionError(f"an expression has at most {MOST:,} characters")
    known, at = sorted(names, key=len, reverse=True), 0
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text):
            yield Word("end", "", at)
            return
        word, at = _next(text, at, known)
        yield word


def column_at(text: str, at: int, known: Sequence[str]) -> str | None:
    """The longest of the column names ``known`` (longest first) that stands at this place and ends there."""
    for name in known:
        end = at + len(name)
        if name and text.startswith(name, at) and not (_part(name[-1]) and end < len(text) and _part(text[end])):
            return name
    return None


def _part(character: str) -> bool:
    """Whether a name goes on with this character."""
    return character.isalnum() or character == "_"


def _next(text: str, at: int, known: Sequence[str]) -> tuple[Word, int]:
    """The word at this place, and where it ends."""
    if text[at] in "'\"`":
        return _quoted(text, at, known)
    name, number = _NAME.match(text, at), _NUMBER.match(text, at)
    key = name is not None and name[0].lower() in KEYS
    column = column_at(text, at, known)
    plain = name[0] if key and name else number[0] if number else ""  # a column of such a name needs backticks
    if column is not None and len(column) > len(plain):
        return Word("column", column, at), at + len(column)
    if name is not None:
        return Word("key" if key else "name", name[0].lower() if key else name[0], at), name.end()
    if number is not None:
        return Word("number", number[0], at), number.end()
    sign = next((s for s in SIGNS if text.startswith(s, at)), None)
    if sign is None:
        raise wrong(text, at, f"{text[at]!r} means nothing here", "texts stand in quotes, column names in backticks")
    return Word("sign", sign, at), at + len(sign)


def _quoted(text: str, at: int, known: Sequence[str]) -> tuple[Word, int]:
    """A text in quotes or a column in backticks; a quote within is doubled."""
    quote, found, end = text[at], [], at + 1
    while end < len(text):
        if text[end] == quote:
            if not text.startswith(quote * 2, end):
                break
            end += 1
        found.append(text[end])
        end += 1
    else:
        raise wrong(text, at, f"this {quote} is not closed")
    said = "".join(found)
    if quote == "`" and said not in known:
        raise wrong(text, at, f"the table has no column {said!r}", f"there are: {', '.join(sorted(known))}")
    return Word("column" if quote == "`" else "text", said, at), end + 1
