"""The short words of ``--given``: ``column=value``, ``column=a|b|c``, ``column!=value``, ``column=lo..hi``,
``column=null``, and the comparisons ``column>5``, ``column<=5``.

The first ``=`` divides, so ``income=>50K`` is the level ``>50K``. A value in quotes is taken as it is, with its dots,
bars and the word null.
"""

from __future__ import annotations

import re

from fabrica.errors import UnknownName
from fabrica.expression.tree import Among, Apply, Column, Literal, Missing, Node, Span
from fabrica.expression.words import wrong
from fabrica.schema import Table

__all__ = ["read_given", "read_value"]

ORDERED = ("integer", "decimal", "latitude", "longitude", "date", "datetime", "time", "duration", "ordinal")
_VALUE = re.compile(r"""\s*(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)")\s*(?:\||$)|([^|]*)(?:\||$)""")
SIGN = re.compile(r"\s*(!=|<=|>=|=|<|>)")  #: behind a column whose name has one of its own
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def read_given(word: str, table: Table) -> Node:
    """The tree of one such word.

    Raises
    ------
    ExpressionError : it has no sign or no value. UnknownName : there is no such column.
    """
    name, sign, rest = _divided(word, table)
    column = Column(name, 0)
    if not rest.strip():
        raise wrong(word, len(word), "a value is missing", "say column=null for rows without a value")
    if sign in ("=", "!="):
        chosen = _chosen(rest, column, table[name].kind in ORDERED, len(word) - len(rest))
        return Apply("not", (chosen,), 0) if sign == "!=" else chosen
    return Apply(sign, (column, _literal(rest.strip(), len(word) - len(rest))), 0)


def read_value(name: str, text: str, table: Table) -> Node:
    """The tree of the value of a word, of the column ``name``."""
    if not text.strip():
        raise wrong(text, 0, "a value is missing", "say null for rows without a value")
    return _chosen(text, Column(name, 0), table[name].kind in ORDERED, 0)


def _divided(word: str, table: Table) -> tuple[str, str, str]:
    """Column, sign and value."""
    for odd in sorted((name for name in table.names if set(name) & set("=<>!")), key=len, reverse=True):
        after = SIGN.match(word, len(odd)) if word.startswith(odd) else None
        if after:
            return odd, after[1], word[after.end():]
    name, equals, rest = word.partition("=")
    if equals:
        for sign in ("!", "<", ">"):
            bare = name.rstrip()
            if bare.endswith(sign) and name.strip() not in table.names:
                return _known(bare[:-1], table), sign + "=", rest
        return _known(name, table), "=", rest
    found = re.search("[<>]", word)
    if not found:
        raise wrong(word, len(word), "there is no sign in it", "write column=value, column=lo..hi or column=null")
    return _known(word[: found.start()], table), found[0], word[found.end():]


def _known(name: str, table: Table) -> str:
    name = name.strip().removeprefix("`").removesuffix("`") if name.strip() not in table.names else name.strip()
    if name not in table.names:
        raise UnknownName("column", name, list(table.names), where="--given")
    return name


def _chosen(rest: str, column: Column, ordered: bool, at: int) -> Node:
    """One of several values, spans, or none at all."""
    those: list[Literal | Span] = []
    null, place = False, 0
    while place < len(rest):
        found = _VALUE.match(rest, place)
        assert found is not None, "the last alternative always fits"
        where, place = at + place, found.end()
        quoted = found[1].replace("''", "'") if found[1] is not None else (
            found[2].replace('""', '"') if found[2] is not None else None)
        if quoted is not None:
            those.append(Literal(quoted, quoted, where, True))
            continue
        text = found[3].strip()
        if text.lower() == "null":
            null = True
        elif ordered and ".." in text:
            low, _, high = text.partition("..")
            ends = (_literal(low.strip(), where) if low.strip() else None,
                    _literal(high.strip(), where) if high.strip() else None)
            if ends == (None, None):
                raise wrong(rest, 0, "a span needs an end")
            those.append(Span(*ends))
        else:
            those.append(_literal(text, where))
    parts: list[Node] = [Among(column, tuple(those), 0)] if those else []
    parts += [Missing(column, 0)] if null else []
    return parts[0] if len(parts) == 1 else Apply("or", tuple(parts), 0)


def _literal(text: str, at: int) -> Literal:
    """A number where it is written as one, else a text."""
    if not _NUMBER.fullmatch(text):
        return Literal(text, text, at, True)
    return Literal(int(text) if re.fullmatch(r"-?\d+", text) else float(text), text, at)
