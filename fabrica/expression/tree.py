"""What an expression is made of: frozen nodes, each with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Among", "Apply", "Column", "Depends", "Literal", "Missing", "Node", "Span", "walk"]


@dataclass(frozen=True)
class Column:
    """A column of the table, by its name."""

    name: str
    at: int


@dataclass(frozen=True)
class Literal:
    """A number, a text or a truth as it was written; ``quoted`` texts only are texts for sure."""

    value: float | int | str | bool
    written: str
    at: int
    quoted: bool = False


@dataclass(frozen=True)
class Apply:
    """An operator or function applied to its arguments: ``and or not``, comparisons, arithmetic, ``abs`` and others."""

    name: str
    args: tuple[Node, ...]
    at: int


@dataclass(frozen=True)
class Span:
    """From ``low`` to ``high``, both included; None where there is no end."""

    low: Literal | None
    high: Literal | None


@dataclass(frozen=True)
class Among:
    """Whether ``what`` is one of the literals or lies in one of the spans."""

    what: Node
    those: tuple[Literal | Span, ...]
    at: int


@dataclass(frozen=True)
class Missing:
    """Whether ``what`` has no value."""

    what: Node
    at: int


@dataclass(frozen=True)
class Depends:
    """That rows which agree in the columns ``given`` agree in the columns ``then``; only a rule says so."""

    given: tuple[Column, ...]
    then: tuple[Column, ...]
    at: int


Node = Column | Literal | Apply | Among | Missing


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    below = node.args if isinstance(node, Apply) else (node.what,) if isinstance(node, Among | Missing) else ()
    for one in below:
        yield from walk(one)
