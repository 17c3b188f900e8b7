"""From a tree to what it means over a table: sorts that fit, literals read as the columns beside them write theirs.

Mistakes are found here, with their place, before any row is looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from fabrica import notation
from fabrica.errors import ExpressionError, InputError
from fabrica.expression.grammar import parse
from fabrica.expression.tree import Among, Apply, Column, Literal, Missing, Node, Span, walk
from fabrica.expression.truth import DAY, TAKES, Call, Compare, Fixed, Logic, Look, Math, Member, Null, Part, ticks
from fabrica.expression.words import wrong
from fabrica.schema import Column as Known
from fabrica.schema import Table

__all__ = ["Meaning"]

SORTS = {"integer": "number", "decimal": "number", "latitude": "number", "longitude": "number", "boolean": "truth",
         "category": "level", "constant": "level", "ordinal": "ranked", "key": "level", "text": "level",
         "date": "moment", "datetime": "moment", "time": "moment", "duration": "moment", "empty": "nothing"}
SAID = {"truth": "true or false", "number": "a number", "level": "a text", "ranked": "a level with an order",
        "moment": "a moment", "nothing": "nothing"}
HALF = 0.5 * (1 + 1e-6)  #: of a last decimal; what lies between two roundings is equal to both
DAY_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")
DAYS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d")  #: always understood


@dataclass(frozen=True)
class Meaning:
    """Turns nodes of the expression ``text`` over a ``table`` into parts that compute."""

    text: str
    table: Table

    def of(self, node: Node) -> Part:
        """The part of a node whose sort does not depend on what stands beside it."""
        if isinstance(node, Column):
            known = self.table[node.name]
            return Look(node.name, SORTS[known.kind], tuple(level.strip() for level in known.levels))
        if isinstance(node, Literal):
            return self._plain(node)
        if isinstance(node, Among):
            what = self.of(node.what)
            those = tuple(self._like(one, node.what, what) for one in node.those if isinstance(one, Literal))
            spans = tuple((self._end(s.low, node.what, what), self._whole_day(s.high, node.what, what))
                          for s in node.those if isinstance(s, Span))
            if spans:
                self._ordered(what, node.at)
            return Member(what, those, spans)
        if isinstance(node, Missing):
            return Null(self.of(node.what))
        if node.name in ("and", "or", "not"):
            return Logic(node.name, tuple(self.truth(one) for one in node.args))
        if node.name in ("+", "-", "*", "/", "%"):
            return self._math(node)
        return self._compared(node) if node.name in ("==", "!=", "<", "<=", ">", ">=") else self._call(node)

    def truth(self, node: Node) -> Part:
        """The part of a node that must be true or false."""
        found = self.of(node)
        if found.sort != "truth":
            raise wrong(self.text, node.at, f"{SAID[found.sort]} is neither true nor false",
                        "compare it with something")
        return found

    # ---------------------------------------------------------------- nodes

    def _math(self, node: Apply) -> Part:
        parts = [self.of(one) for one in node.args]
        if node.name == "-" and all(part.sort == "moment" for part in parts):
            return Math("-", parts[0], parts[1])
        for part, arg in zip(parts, node.args, strict=True):
            self._must_be(part, "number", arg.at, f"{node.name!r} works on numbers")
        return Math(node.name, parts[0], parts[1])

    def _call(self, node: Apply) -> Part:
        if node.name not in TAKES:
            raise wrong(self.text, node.at, f"there is no function {node.name!r}",
                        f"there are: {', '.join(sorted(TAKES))}")
        takes, gives = TAKES[node.name]
        if len(takes) != len(node.args):
            raise wrong(self.text, node.at, f"{node.name!r} takes {len(takes)}, not {len(node.args)}")
        parts = tuple(self.of(one) for one in node.args)
        for part, sort, arg in zip(parts, takes, node.args, strict=True):
            self._must_be(part, sort, arg.at, f"{node.name!r} works on {SAID[sort].removeprefix('a ')}s")
        if node.name == "matches":
            self._pattern(node.args[1])
        return Call(node.name, parts, gives)

    def _pattern(self, node: Node) -> None:
        """The second argument of ``matches`` must be a regular expression (RE2, which takes linear time)."""
        if not isinstance(node, Literal):
            raise wrong(self.text, node.at, "the pattern of 'matches' must be a text in quotes")
        try:
            pc.match_substring_regex(pa.array([""]), str(node.value))
        except pa.ArrowInvalid:
            raise wrong(self.text, node.at, "this is no regular expression") from None

    def _compared(self, node: Apply) -> Part:
        one, other = node.args
        first = self.of(one) if not isinstance(one, Literal) else None
        second = self.of(other) if not isinstance(other, Literal) else None
        left = first or (self._beside(one, other, second) if second else self.of(one))  # type: ignore[arg-type]
        right = second or self._beside(other, one, left)  # type: ignore[arg-type]
        self._same(left, right, node.at)
        if node.name not in ("==", "!="):
            self._ordered(left, node.at)
        if isinstance(left, Look) and isinstance(right, Look) and left.sort == "ranked" and left.ranks != right.ranks:
            raise wrong(self.text, node.at, "these levels have different orders")
        computed = left.sort == "number" and any(isinstance(a, Apply) for a in (one, other))
        return Compare(node.name, left, right, self._slack(node) if computed else 0.0)

    def _slack(self, node: Apply) -> float | None:
        """Half of the last decimal of the numbers in a comparison (moments are exact); None where it is not known."""
        columns = [self.table[n.name] for n in walk(node) if isinstance(n, Column)]
        if any(isinstance(n, Apply) and n.name in ("/", "sqrt", "log", "exp") for n in walk(node)):
            return None
        decimals = [0 if c.kind == "integer" else c.decimals for c in columns if SORTS[c.kind] != "moment"]
        return None if None in decimals or not decimals else HALF * 10.0 ** -max(d for d in decimals if d is not None)

    def _same(self, one: Part, other: Part, at: int) -> None:
        if one.sort != other.sort:
            raise wrong(self.text, at, f"{SAID[one.sort]} cannot be compared with {SAID[other.sort]}")

    def _ordered(self, part: Part, at: int) -> None:
        if part.sort not in ("number", "ranked", "moment"):
            raise wrong(self.text, at, f"{SAID[part.sort]} is neither above nor below another",
                        "declare `levels` in the schema to give them an order" if part.sort == "level" else None)

    def _must_be(self, part: Part, sort: str, at: int, why: str) -> None:
        if part.sort != sort and not (sort == "level" and part.sort == "ranked"):
            raise wrong(self.text, at, f"{why}, and this is {SAID[part.sort]}")

    # ---------------------------------------------------------------- literals

    def _plain(self, node: Literal) -> Part:
        """A literal with nothing beside it."""
        if isinstance(node.value, bool):
            return Fixed(pa.scalar(node.value), "truth")
        if isinstance(node.value, str):
            return Fixed(pa.scalar(node.value.strip()), "level")
        return Fixed(pa.scalar(node.value, None if isinstance(node.value, int) and abs(node.value) < 2**63
                               else pa.float64()), "number")

    def _end(self, node: Literal | None, beside: Node, part: Part) -> Part | None:
        return None if node is None else self._like(node, beside, part)

    def _whole_day(self, node: Literal | None, beside: Node, part: Part) -> Part | None:
        """The high end of a span; where points in time are asked for and only a day is said, the whole of it."""
        found = self._end(node, beside, part)
        timed = isinstance(beside, Column) and self.table[beside.name].kind == "datetime"
        if not timed or node is None or not isinstance(found, Fixed) or not DAY_ONLY.fullmatch(str(node.value).strip()):
            return found
        return Fixed(pa.scalar(found.scalar.as_py() + DAY - 1), found.sort)

    def _like(self, node: Literal, beside: Node, part: Part) -> Part:
        """A literal of the sort of what it is held against."""
        found = self._beside(node, beside, part)
        self._same(part, found, node.at)
        return found

    def _beside(self, node: Literal, beside: Node, part: Part) -> Part:
        """A literal read as what stands beside it writes its values."""
        known = self.table[beside.name] if isinstance(beside, Column) else None
        if part.sort in ("level", "ranked"):
            text = str(node.value if isinstance(node.value, str) else node.written).strip()
            if part.sort == "level" or known is None:
                return Fixed(pa.scalar(text), "level")
            return self._rank(node, text, part)
        if part.sort == "moment" and known is not None:
            return self._moment(node, known)
        if isinstance(node.value, str) and known is not None and part.sort in ("number", "truth"):
            return Fixed(self._read(node, known), part.sort)
        found = self._plain(node)
        if part.sort == "truth" and node.value in (0, 1) and not node.quoted:
            return Fixed(pa.scalar(bool(node.value)), "truth")
        return found

    def _rank(self, node: Literal, text: str, part: Part) -> Part:
        assert isinstance(part, Look)
        if text not in part.ranks:
            raise wrong(self.text, node.at, f"the column {part.name!r} has no level {text!r} in its order")
        return Fixed(pa.scalar(part.ranks.index(text), pa.int32()), "ranked")

    def _read(self, node: Literal, known: Known) -> pa.Scalar:
        """A text as a cell of the column that stands beside it."""
        try:
            value = notation.read(replace(known, lenient=False, storage="string"), pa.array([str(node.value)])).values
        except (InputError, ExpressionError):
            value = pa.nulls(1)
        if value.null_count:
            raise wrong(self.text, node.at, f"this is no value as the column {known.name!r} has them")
        return value[0]

    def _moment(self, node: Literal, known: Known) -> Part:
        """A text as the column writes moments, or in the ISO form."""
        text = str(node.value) if isinstance(node.value, str) else node.written
        forms = [known.notation, *(DAYS if known.kind == "datetime" else DAYS[-1:] if known.kind == "date" else [None])]
        for form in forms:
            try:
                cells = notation.read(replace(known, notation=form, missing=(), lenient=False, storage="string",
                                              unit=known.unit if known.kind != "datetime" else "us"), pa.array([text]))
            except InputError:
                continue
            if not cells.values.null_count:
                return Fixed(ticks(cells.values)[0], "moment")
        raise wrong(self.text, node.at, f"this is no moment as the column {known.name!r} has them",
                    "write it as the column does, or as 2024-12-31 or 2024-12-31 18:00:00")


def meant(text: str, table: Table) -> tuple[Node, Part]:
    """The tree of an expression and what it computes over a table."""
    tree = parse(text, table.names)
    return tree, Meaning(text, table).truth(tree)
