"""Expressions over the rows of a table: conditions, rules, formulas. One small grammar, never executed as code.

``words.py`` and ``grammar.py`` read the text, ``meaning.py`` holds it against the schema, ``truth.py`` computes it,
``given.py`` reads the short words of a command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from fabrica.contract import Cells
from fabrica.expression.given import read_given, read_value
from fabrica.expression.grammar import parse
from fabrica.expression.meaning import Meaning
from fabrica.expression.tree import Apply, Column, Node, walk
from fabrica.expression.truth import Part
from fabrica.expression.written import written
from fabrica.generator import Factor
from fabrica.schema import Table

__all__ = ["Expression"]


@dataclass(frozen=True)
class Expression(Factor):
    """A condition that was held against a table.

    >>> from fabrica.schema import Column, Table
    >>> table = Table("t", (Column("age", "integer"), Column("income", "category")))
    >>> old = Expression.of("age > 60 and income != 'none'", table)
    >>> old.columns, [str(part) for part in old.parts()]
    (('age', 'income'), ['age > 60', "income != 'none'"])
    >>> rows = {"age": Cells(pa.array([61, 70, None])), "income": Cells(pa.array(["some", " none", "some"]))}
    >>> old.truth(rows).tolist()
    [True, False, False]
    """

    tree: Node
    table: Table = field(repr=False)
    part: Part = field(repr=False, compare=False)

    @classmethod
    def of(cls, text: str, table: Table) -> Expression:
        """Of a text such as ``"age > 60 and income == '>50K'"``.

        Raises
        ------
        ExpressionError : it cannot be understood or does not fit the table; points at the place.
        """
        tree = parse(text, table.names)
        return cls(tree, table, Meaning(text, table).truth(tree))

    @classmethod
    def given(cls, words: Sequence[str], table: Table) -> Expression:
        """Of the short words of a command line, all of which must hold: ``income=>50K``, ``age=60..80``,
        ``state=NY|NJ``, ``note=null``, ``sex!=M``.

        >>> from fabrica.schema import Column, Table
        >>> str(Expression.given(["age=60..80", "income=>50K"], Table("t", (Column("age", "integer"),
        ...                      Column("income", "category")))))
        "age in (60..80) and income == '>50K'"
        """
        trees = [read_given(word, table) for word in words]
        parts = [Meaning(word, table).truth(tree) for word, tree in zip(words, trees, strict=True)]
        if len(trees) == 1:
            return cls(trees[0], table, parts[0])
        tree = Apply("and", tuple(trees), 0)
        return cls(tree, table, Meaning(" and ".join(words), table).truth(tree))

    @classmethod
    def value(cls, column: str, text: str, table: Table) -> Expression:
        """Of what stands behind the ``=`` of a short word: ``>50K``, ``60..80``, ``NY|NJ``, ``null``.

        >>> from fabrica.schema import Column, Table
        >>> str(Expression.value("age", "..30|60..", Table("t", (Column("age", "integer"),))))
        'age in (..30, 60..)'
        """
        tree = read_value(column, text, table)
        return cls(tree, table, Meaning(text, table).truth(tree))

    @cached_property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The columns that it looks at, in the order of the table."""
        seen = {node.name for node in walk(self.tree) if isinstance(node, Column)}
        return tuple(name for name in self.table.names if name in seen)

    def parts(self) -> tuple[Expression, ...]:
        """What an outermost ``and`` joins; itself where there is none."""
        return tuple(self._part(tree) for tree in _joined(self.tree, "and"))

    def alternatives(self) -> tuple[Expression, ...]:
        """What an outermost ``or`` joins; itself where there is none."""
        return tuple(self._part(tree) for tree in _joined(self.tree, "or"))

    def _part(self, tree: Node) -> Expression:
        return Expression(tree, self.table, Meaning(written(tree), self.table).truth(tree))

    def truth(self, cells: Mapping[str, Cells]) -> np.ndarray:
        """(n,) bool: the rows of typed cells for which it is true; not where it is false or not known."""
        found = self.part.of({name: cells[name].values for name in self.columns})
        rows = len(cells[self.columns[0]]) if self.columns else next((len(c) for c in cells.values()), 0)
        if isinstance(found, pa.Scalar):
            return np.full(rows, bool(found.as_py()))
        return np.asarray(found.fill_null(False)).astype(bool)

    def margins(self, cells: Mapping[str, Cells]) -> list[np.ndarray]:
        """(n,) each: how far each row lies above what it is compared with; where one changes its sign, truth may."""
        return list(self.part.margins({name: cells[name].values for name in self.columns}))

    def weights(self, cells: Mapping[str, Cells]) -> np.ndarray:
        """(n,) 1 where it is true, else 0."""
        return self.truth(cells).astype(np.float64)

    def __str__(self) -> str:
        return written(self.tree)


def _joined(tree: Node, by: str) -> list[Node]:
    if isinstance(tree, Apply) and tree.name == by:
        return [part for arg in tree.args for part in _joined(arg, by)]
    return [tree]
