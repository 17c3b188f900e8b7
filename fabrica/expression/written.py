"""A tree as text again: what ``parse`` reads as the same tree."""

from __future__ import annotations

import re

from fabrica.expression.tree import Among, Column, Literal, Missing, Node, Span
from fabrica.expression.words import KEYS

__all__ = ["written"]

TIGHT = {"or": 1, "and": 2, "not": 3, **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 4),
         "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
_PLAIN = re.compile(r"[^\W\d]\w*")


def written(node: Node, outer: int = 0) -> str:
    """The text of a node; in brackets where what stands around it binds as tightly as ``outer``.

    >>> from fabrica.expression.tree import Apply
    >>> written(Apply("not", (Apply("or", (Column("a", 0), Column("b b", 0)), 0),), 0))
    'not (a or `b b`)'
    """
    if isinstance(node, Column):
        plain = _PLAIN.fullmatch(node.name) and node.name.lower() not in KEYS
        return node.name if plain else "`" + node.name.replace("`", "``") + "`"
    if isinstance(node, Literal):
        return _literal(node)
    if isinstance(node, Missing):
        return _bracketed(f"{written(node.what, 4)} is null", 4, outer)
    if isinstance(node, Among):
        if len(node.those) == 1 and isinstance(node.those[0], Literal):
            return _bracketed(f"{written(node.what, 4)} == {_literal(node.those[0])}", 4, outer)
        those = ", ".join(_item(one) for one in node.those)
        return _bracketed(f"{written(node.what, 4)} in ({those})", 4, outer)
    if node.name not in TIGHT:
        return f"{node.name}({', '.join(written(arg) for arg in node.args)})"
    tight = TIGHT[node.name]
    if node.name == "not" and isinstance(node.args[0], Missing):
        return _bracketed(f"{written(node.args[0].what, 4)} is not null", 4, outer)
    if node.name == "not":
        return _bracketed(f"not {written(node.args[0], tight)}", tight, outer)
    first, *others = node.args
    chained = tight > 4
    text = written(first, tight - 1 if chained else tight)
    return _bracketed(text + "".join(f" {node.name} {written(one, tight)}" for one in others), tight, outer)


def _bracketed(text: str, tight: int, outer: int) -> str:
    return f"({text})" if tight <= outer else text


def _literal(node: Literal) -> str:
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return "'" + node.value.replace("'", "''") + "'" if isinstance(node.value, str) else node.written


def _item(one: Literal | Span) -> str:
    if isinstance(one, Literal):
        return _literal(one)
    return "..".join("" if end is None else _literal(end) for end in (one.low, one.high))
