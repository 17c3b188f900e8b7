"""From the text of a rule to the law that it is: which of the kinds, over which columns.

A text with ``and`` at its top is several laws; orders of one later column are one.
"""

from __future__ import annotations

from collections.abc import Sequence

from fabrica.errors import ExpressionError, FabricaError
from fabrica.expression import Expression
from fabrica.expression.grammar import parse_rule
from fabrica.expression.meaning import SORTS, Meaning
from fabrica.expression.tree import Apply, Column, Depends, Literal, Missing, Node, walk
from fabrica.expression.truth import Compare, Fixed, Look, Member
from fabrica.expression.words import wrong
from fabrica.expression.written import written
from fabrica.rules.formula import Formula, terms
from fabrica.rules.group import Group
from fabrica.rules.law import Law
from fabrica.rules.lookup import Lookup
from fabrica.rules.order import Order, merged
from fabrica.rules.other import Emptied, Other, Pattern
from fabrica.rules.scale import MOMENTS, NUMBERS, Scale
from fabrica.rules.span import Span as Range
from fabrica.rules.unique import Unique
from fabrica.schema import Column as Known
from fabrica.schema import Table

__all__ = ["understood"]

FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
TOGETHER = ("unique", "onehot", "combinations")


def understood(texts: Sequence[str], table: Table) -> list[Law]:
    """The laws that some texts say over a table.

    Raises
    ------
    ExpressionError : one cannot be understood or does not fit the table; tells its number and its place.
    SchemaError : one asks for what cannot be kept.
    """
    laws: list[Law] = []
    for i, text in enumerate(texts, 1):
        try:
            laws += _Reader(text, table).laws()
        except FabricaError as error:
            raise error.at(f"rule {i}") from None
    return _joined(laws)


def _joined(laws: list[Law]) -> list[Law]:
    """Orders of one later column are one law, at the place of the first."""
    highs = [law.high if isinstance(law, Order) else None for law in laws]
    found: list[Law] = []
    for i, law in enumerate(laws):
        if not isinstance(law, Order):
            found.append(law)
        elif highs.index(law.high) == i:
            found.append(merged([other for other in laws if isinstance(other, Order) and other.high == law.high]))
    return found


class _Reader:
    """One text over a table."""

    def __init__(self, text: str, table: Table):
        self.text, self.table = text, table

    def laws(self) -> list[Law]:
        tree = parse_rule(self.text, self.table.names)
        if isinstance(tree, Depends):
            return self._depends(tree)
        if isinstance(tree, Apply) and tree.name in TOGETHER:
            return [self._together(tree)]
        if isinstance(tree, Apply) and tree.name == "when":
            Meaning(self.text, self.table).truth(tree.args[1])
            return [self._when(part, tree.args[1]) for part in _parts(tree.args[0])]
        Meaning(self.text, self.table).truth(tree)  # mistakes are told with their place in the whole
        return [self._plain(part) for part in _parts(tree)]

    # ---------------------------------------------------------------- kinds

    def _depends(self, tree: Depends) -> list[Law]:
        given = tuple(dict.fromkeys(column.name for column in tree.given))
        for column in (*tree.given, *tree.then):
            self._settled(column, "depend on another column or be what another depends on")
        for column in tree.then:
            if column.name in given:
                raise wrong(self.text, column.at, f"{column.name!r} depends on itself")
        names = ", ".join(map(_named, given))
        return [Lookup(f"{names} -> {_named(column.name)}", given, column.name, self.table) for column in tree.then]

    def _together(self, tree: Apply) -> Law:
        members = tuple(arg.name for arg in tree.args if isinstance(arg, Column))
        if len(members) < len(tree.args):
            odd = next(arg for arg in tree.args if not isinstance(arg, Column))
            raise wrong(self.text, odd.at, f"{tree.name!r} works on columns")
        if len(set(members)) < len(members):
            raise wrong(self.text, tree.at, "a column stands twice")
        if tree.name == "unique":
            return Unique(self.text, members, self.table)
        if len(members) < 2:
            raise wrong(self.text, tree.at, f"{tree.name!r} takes two columns at least")
        for arg in tree.args:
            assert isinstance(arg, Column)
            self._settled(arg, "stand in a combination")
            if tree.name == "onehot" and self.table[arg.name].kind not in ("boolean", *NUMBERS):
                raise wrong(self.text, arg.at, f"{arg.name!r} is neither true or false nor 0 or 1")
        return Group(self.text, members, tree.name == "onehot", self.table)

    def _when(self, what: Node, condition: Node) -> Law:
        tree = Apply("or", (what, Apply("not", (condition,), what.at)), what.at)
        text = f"{written(what)} when {written(condition)}"
        expression = self._expression(tree)
        asked = {node.name for node in walk(condition) if isinstance(node, Column)}
        null = what if isinstance(what, Missing) else None
        if isinstance(null, Missing) and isinstance(null.what, Column) and null.what.name not in asked:
            self._no_key(expression, but=null.what.name)
            return Emptied(text, expression, (null.what.name,), null.what.name)
        there = _there(what)
        self._no_key(expression, but=there or "")
        first = (there,) if there else tuple(c for c in _names(what)[::-1] if c not in asked)
        return Other(text, expression, first)

    def _plain(self, tree: Node) -> Law:
        expression = self._expression(tree)
        text = written(tree)
        if isinstance(tree, Apply) and tree.name == "matches" and isinstance(tree.args[0], Column):
            literal = tree.args[1]
            assert isinstance(literal, Literal)
            name = tree.args[0].name
            if self.table[name].kind not in ("key", "text"):
                return Other(text, expression, (name,))
            return Pattern(text, expression, (name,), name, str(literal.value))
        if not expression.columns:
            raise wrong(self.text, tree.at, "no column stands in it")
        self._no_key(expression, but=_there(tree) or "")
        found = self._order(text, tree) or self._range(text, expression) or self._formula(text, tree, expression)
        return found or Other(text, expression, tuple(_names(tree)[::-1]))

    def _order(self, text: str, tree: Node) -> Law | None:
        if not isinstance(tree, Apply) or tree.name not in ("<", "<=", ">", ">="):
            return None
        one, other = tree.args
        if not (isinstance(one, Column) and isinstance(other, Column)) or one.name == other.name:
            return None
        if SORTS[self.table[one.name].kind] not in ("number", "moment"):
            return None
        low, high = (one.name, other.name) if tree.name in ("<", "<=") else (other.name, one.name)
        return Order(text, high, ((low, tree.name in ("<", ">")),), self.table)

    def _range(self, text: str, expression: Expression) -> Law | None:
        part, name = expression.part, expression.columns[0]
        if len(expression.columns) > 1 or self.table[name].kind not in (*NUMBERS, *MOMENTS):
            return None
        scale = Scale(self.table[name])
        if isinstance(part, Compare) and part.name in FLIPPED:
            left, right, sign = part.one, part.other, part.name
            if isinstance(right, Look):
                left, right, sign = right, left, FLIPPED[sign]
            if not isinstance(left, Look) or not isinstance(right, Fixed) or right.sort not in ("number", "moment"):
                return None
            value, strict = right.scalar.as_py(), sign in ("<", ">")
            low = scale.bound(value, strict, True) if sign in (">", ">=", "==") else None
            high = scale.bound(value, strict, False) if sign in ("<", "<=", "==") else None
            return Range(text, name, low, high, self.table)
        if isinstance(part, Member) and isinstance(part.what, Look) and len(part.spans) == 1 and not part.those:
            ends = [end.scalar.as_py() if isinstance(end, Fixed) else None for end in part.spans[0]]
            return Range(text, name, None if ends[0] is None else scale.bound(ends[0], False, True),
                         None if ends[1] is None else scale.bound(ends[1], False, False), self.table)
        return None

    def _formula(self, text: str, tree: Node, expression: Expression) -> Law | None:
        if not isinstance(tree, Apply) or tree.name != "==":
            return None
        left, right = tree.args
        one, other = terms(left), terms(right)
        alone = [(a, b) for a, b in ((left, right), (right, left)) if isinstance(a, Column)
                 and a.name not in _names(b) and _names(b) and self.table[a.name].kind not in ("text", "empty")]
        numeric = one is not None and other is not None and all(
            self.table[c].kind in NUMBERS for c in expression.columns)
        if numeric and (found := self._sum(text, tree, expression, [a.name for a, _ in alone])):
            return found
        for column, rest in alone[::-1] if len(alone) == 2 else alone:
            part = Meaning(self.text, self.table).of(rest)
            alike = isinstance(rest, Column) and _written_alike(self.table[column.name], self.table[rest.name])
            if part.sort == "ranked" or (part.sort == "moment" and not alike):
                continue
            return Formula(text, expression, column.name, None, part, self.table)
        return None

    def _sum(self, text: str, tree: Apply, expression: Expression, alone: list[str]) -> Law | None:
        """Solved for the column that stands alone, else for the last; never for one with fewer decimals than others."""
        whole = terms(Apply("-", tree.args, tree.at))
        if whole is None:
            return None
        order = [*alone[::-1], *reversed([name for name, _ in whole.factors])]
        finest = min(Scale(self.table[name]).unit for name, _ in whole.factors) if whole.factors else 0
        for name in order:
            solved = whole.solved(name)
            if solved is not None and solved.factors and Scale(self.table[name]).unit <= finest:
                return Formula(text, expression, name, solved, None, self.table)
        return None

    # ---------------------------------------------------------------- what is refused

    def _expression(self, tree: Node) -> Expression:
        return Expression(tree, self.table, Meaning(self.text, self.table).truth(tree))

    def _settled(self, column: Column, what: str) -> None:
        kind = self.table[column.name].kind
        if kind in ("key", "text"):
            made = "is made afresh for each row" if kind == "key" else "holds free text, which is written afresh"
            raise wrong(self.text, column.at, f"the column {column.name!r} {made} and cannot {what}",
                        "declare it a category in the schema if its values may be told")

    def _no_key(self, expression: Expression, but: str = "") -> None:
        for node in walk(expression.tree):
            if isinstance(node, Column) and node.name != but and self.table[node.name].kind == "key":
                raise ExpressionError(f"the column {node.name!r} is made afresh for each row, nothing can be asked of "
                                      "it", where=repr(self.text), hint="declare it a category or a number in the "
                                      "schema if its values may be told")


def _parts(tree: Node) -> list[Node]:
    if isinstance(tree, Apply) and tree.name == "and":
        return [part for arg in tree.args for part in _parts(arg)]
    return [tree]


def _names(node: Node) -> list[str]:
    return list(dict.fromkeys(one.name for one in walk(node) if isinstance(one, Column)))


def _named(column: str) -> str:
    return written(Column(column, 0))


def _written_alike(one: Known, other: Known) -> bool:
    """Whether the moments of two columns count alike."""
    return (one.kind, one.unit, one.timezone) == (other.kind, other.unit, other.timezone)


def _there(tree: Node) -> str | None:
    """The column of ``x is not null``."""
    if isinstance(tree, Apply) and tree.name == "not" and isinstance(tree.args[0], Missing):
        what = tree.args[0].what
        return what.name if isinstance(what, Column) else None
    return None

