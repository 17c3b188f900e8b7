"""From words to a tree, by recursive descent.

    expression  and  ("or" and)*                      and   no ("and" no)*                 no  "not" no | compared
    compared    sum (("==" "!=" "<" "<=" ">" ">=") sum)* | sum ["not"] "in" "(" item,* ")" | sum "is" ["not"] "null"
                | sum ["not"] "between" literal "and" literal
    sum         product (("+" "-") product)*          product  sign (("*" "/" "%") sign)*
    sign        "-" sign | atom
    atom        literal | column | function "(" sum,* ")" | "(" expression ")"
    item        literal | [literal] ".." [literal]

A rule is an expression, or one of

    rule        expression "when" expression | columns "->" columns | column "in" column

``=`` counts as ``==`` and ``<>`` as ``!=``; ``60 <= age <= 80`` means both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fabrica.expression.tree import Among, Apply, Column, Depends, Literal, Missing, Node, Span
from fabrica.expression.words import Word, words, wrong

__all__ = ["parse", "parse_rule"]

COMPARED = {"=": "==", "==": "==", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
DEEPEST = 60  #: brackets within brackets
LONGEST = 200  #: terms of a sum or a product


def parse(text: str, names: Sequence[str]) -> Node:
    """The tree of an expression over a table with these columns.

    Raises
    ------
    ExpressionError : it cannot be understood; points at the place.

    >>> parse("age > 60", ["age"])
    Apply(name='>', args=(Column(name='age', at=0), Literal(value=60, written='60', at=6, quoted=False)), at=4)
    """
    return _Parser(text, list(words(text, names))).whole()


def parse_rule(text: str, names: Sequence[str]) -> Node | Depends:
    """The tree of a rule: ``A when B`` is an ``Apply`` named "when"; ``unique(a, b)``, ``onehot(a, b)`` and
    ``combinations(a, b)`` are functions of columns.

    Raises
    ------
    ExpressionError : it cannot be understood; points at the place.

    >>> [c.name for c in parse_rule("a, b -> c", ["a", "b", "c"]).given]
    ['a', 'b']
    >>> parse_rule("a > 1 when b == 2", ["a", "b"]).name
    'when'
    """
    return _Parser(text, list(words(text, names))).rule()


class _Parser:
    """Reads words from left to right."""

    def __init__(self, text: str, found: list[Word]):
        self.text, self.found, self.place, self.depth = text, found, 0, 0

    # ---------------------------------------------------------------- words

    @property
    def word(self) -> Word:
        return self.found[self.place]

    def take(self) -> Word:
        self.place += 1
        return self.found[self.place - 1]

    def sees(self, kind: str, *texts: str) -> bool:
        return self.word.kind == kind and self.word.text in texts

    def takes(self, kind: str, text: str) -> bool:
        """Whether the next word is this one, which is then taken."""
        seen = self.sees(kind, text)
        self.place += seen
        return seen

    def demand(self, sign: str) -> None:
        if not self.takes("sign", sign) and not self.takes("key", sign):
            raise self.surprise(f"{sign!r}")

    def surprise(self, wanted: str) -> Exception:
        here = "the end" if self.word.kind == "end" else repr(self.word.text)
        return wrong(self.text, self.word.at, f"{wanted} is expected here, not {here}", self.hint())

    def hint(self) -> str | None:
        return "a text stands in quotes" if self.word.kind == "name" else None

    # ---------------------------------------------------------------- rules

    def whole(self) -> Node:
        if self.word.kind == "end":
            raise wrong(self.text, 0, "there is nothing in it")
        return self.ended(self.either())

    def rule(self) -> Node | Depends:
        if any(word.kind == "sign" and word.text == "->" for word in self.found):
            given, arrow = self.columns(), self.word
            self.demand("->")
            return self.ended(Depends(given, self.columns(), arrow.at))
        kinds = [word.kind for word in self.found[:3]]
        if kinds == ["column", "key", "column"] and self.found[1].text == "in":
            inner, within = self.column(), self.take()
            return self.ended(Depends((inner,), (self.column(),), within.at))
        if self.word.kind == "end":
            return self.whole()
        found, word = self.either(), self.word
        if word.kind in ("name", "column") and word.text.lower() == "when":  # where a column cannot stand
            self.take()
            found = Apply("when", (found, self.either()), word.at)
        return self.ended(found)

    def ended(self, found: Any) -> Any:
        if self.word.kind != "end":
            raise self.surprise("the end")
        return found

    def columns(self) -> tuple[Column, ...]:
        """Columns with commas between them."""
        found = [self.column()]
        while self.takes("sign", ","):
            found.append(self.column())
        return tuple(found)

    def column(self) -> Column:
        if self.word.kind == "name":
            raise wrong(self.text, self.word.at, f"the table has no column {self.word.text!r}")
        if self.word.kind != "column":
            raise self.surprise("a column")
        word = self.take()
        return Column(word.text, word.at)

    def either(self) -> Node:
        self.deeper()
        found = self.joined("or", lambda: self.joined("and", self.negated))
        self.depth -= 1
        return found

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise wrong(self.text, self.word.at, f"more than {DEEPEST} brackets within brackets")

    def joined(self, key: str, part: Callable[[], Node]) -> Node:
        parts, at = [part()], self.word.at
        while self.takes("key", key):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Apply(key, tuple(parts), at)

    def negated(self) -> Node:
        flips, at = 0, self.word.at
        while self.takes("key", "not"):
            flips += 1
        found = self.compared()
        return Apply("not", (found,), at) if flips % 2 else found

    def compared(self) -> Node:
        first, at = self.sum(), self.word.at
        if self.takes("key", "is"):
            flip = self.takes("key", "not")
            self.demand("null")
            return _unless(flip, Missing(first, at), at)
        flip = self.sees("key", "not") and self.found[self.place + 1].text in ("in", "between")
        self.place += flip
        if self.takes("key", "in"):
            return _unless(flip, Among(first, self.items(), at), at)
        if self.takes("key", "between"):
            low = self.literal()
            self.demand("and")
            return _unless(flip, Among(first, (Span(low, self.literal()),), at), at)
        parts = []
        while self.word.kind == "sign" and self.word.text in COMPARED:
            sign = self.take()
            second = self.sum()
            parts.append(Apply(COMPARED[sign.text], (first, second), sign.at))
            first = second
        return first if not parts else parts[0] if len(parts) == 1 else Apply("and", tuple(parts), at)

    def items(self) -> tuple[Literal | Span, ...]:
        close = ")" if self.takes("sign", "(") else "]"
        if close == "]":
            self.demand("[")
        found = [self.item()]
        while self.takes("sign", ","):
            found.append(self.item())
        self.demand(close)
        return tuple(found)

    def item(self) -> Literal | Span:
        low = None if self.sees("sign", "..") else self.literal()
        at = self.word.at
        if low is not None and not self.takes("sign", ".."):
            return low
        if low is None:
            self.take()
        high = None if self.sees("sign", ",") or self.sees("sign", ")") or self.sees("sign", "]") else self.literal()
        if low is None and high is None:
            raise wrong(self.text, at, "a span needs an end")
        return Span(low, high)

    def sum(self) -> Node:
        return self.chained(("+", "-"), lambda: self.chained(("*", "/", "%"), self.signed))

    def chained(self, signs: tuple[str, ...], part: Callable[[], Node]) -> Node:
        found, count = part(), 1
        while self.sees("sign", *signs):
            sign, count = self.take(), count + 1
            if count > LONGEST:
                raise wrong(self.text, sign.at, f"more than {LONGEST} terms")
            found = Apply(sign.text, (found, part()), sign.at)
        return found

    def signed(self) -> Node:
        flips, at = 0, self.word.at
        while self.takes("sign", "-"):
            flips += 1
        found = self.atom()
        if flips % 2 == 0:
            return found
        if isinstance(found, Literal) and isinstance(found.value, int | float) and not isinstance(found.value, bool):
            return Literal(-found.value, f"-{found.written}", at)
        return Apply("-", (Literal(0, "0", at), found), at)

    def literal(self) -> Literal:
        found = self.signed()
        if not isinstance(found, Literal):
            raise wrong(self.text, found.at, "a value is expected here")
        return found

    def atom(self) -> Node:
        word = self.word
        called = word.kind in ("name", "column") and self.called()
        if word.kind == "column" and not called:
            return Column(self.take().text, word.at)
        if word.kind == "text":
            return Literal(self.take().text, word.text, word.at, True)
        if word.kind == "number":
            return _number(self.take())
        if word.kind == "key" and word.text in ("true", "false"):
            return Literal(self.take().text == "true", word.text, word.at)
        if self.takes("sign", "("):
            found = self.either()
            self.demand(")")
            return found
        if called:  # also where a column has the name of a function
            return self.function()
        if word.kind == "name":
            raise wrong(self.text, word.at, f"the table has no column {word.text!r}", "a text stands in quotes")
        raise self.surprise("a column or a value")

    def called(self) -> bool:
        """Whether a bracket follows the word."""
        then = self.found[self.place + 1]
        return then.kind == "sign" and then.text == "("

    def function(self) -> Node:
        word = self.take()
        self.demand("(")
        self.deeper()
        args = [self.sum()]
        while self.takes("sign", ","):
            args.append(self.sum())
        self.demand(")")
        self.depth -= 1
        return Apply(word.text.lower(), tuple(args), word.at)


def _unless(flip: bool, node: Node, at: int) -> Node:
    return Apply("not", (node,), at) if flip else node


def _number(word: Word) -> Literal:
    plain = word.text.replace("_", "")
    whole = plain.isdigit()
    return Literal(int(plain) if whole else float(plain), word.text, word.at)
