"""Contradictions among rules, told with their reason before anything is learned.

Two ends of a range that leave nothing, two values asked of one column, an order that leads back to itself, two formulas
for one column, formulas that need each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fabrica.errors import SchemaError
from fabrica.expression.tree import Among, Apply, Column, Literal, Node
from fabrica.rules.formula import Formula
from fabrica.rules.law import Law
from fabrica.rules.order import Order
from fabrica.rules.other import Other
from fabrica.rules.span import Span
from fabrica.schema import Table

__all__ = ["demand_sense", "sorted_by_need"]


def demand_sense(laws: Sequence[Law], table: Table) -> None:
    """Refuse rules that cannot hold together.

    Raises
    ------
    SchemaError : with the rules that contradict each other.
    """
    ends = _ends(laws)
    _levels(laws)
    _orders(laws)
    _reach(laws, ends)
    _formulas(laws)


def _refuse(reason: str, *texts: str) -> SchemaError:
    return SchemaError(f"{reason}: {' and '.join(map(repr, dict.fromkeys(texts)))}", where="rules",
                       hint="leave one of them out" if len(set(texts)) > 1 else "leave it out")


def _ends(laws: Sequence[Law]) -> dict[str, tuple[tuple[float, str] | None, tuple[float, str] | None]]:
    """column -> its lowest and its highest value, each with the rule that says so."""
    found: dict[str, tuple[tuple[float, str] | None, tuple[float, str] | None]] = {}
    for law in laws:
        if not isinstance(law, Span):
            continue
        low, high = found.get(law.column, (None, None))
        if law.low is not None and (low is None or law.low > low[0]):
            low = (law.low, law.text)
        if law.high is not None and (high is None or law.high < high[0]):
            high = (law.high, law.text)
        if low is not None and high is not None and low[0] > high[0]:
            raise _refuse(f"no value of {law.column!r} can satisfy", low[1], high[1])
        found[law.column] = (low, high)
    return found


def _levels(laws: Sequence[Law]) -> None:
    """Levels that are asked of one column must have one in common."""
    found: dict[str, tuple[set[str], str]] = {}
    for law in laws:
        asked = _asked(law.expression.tree) if isinstance(law, Other) else None
        if asked is None:
            continue
        name, levels = asked
        before, text = found.get(name, (levels, law.text))
        if not before & levels:
            raise _refuse(f"no value of {name!r} can satisfy", text, law.text)
        found[name] = (before & levels, law.text)


def _asked(tree: Node) -> tuple[str, set[str]] | None:
    """The column and the texts of ``x == 'a'`` and ``x in ('a', 'b')``."""
    if isinstance(tree, Among) and isinstance(tree.what, Column) and all(isinstance(o, Literal) for o in tree.those):
        return tree.what.name, {str(o.value).strip() for o in tree.those if isinstance(o, Literal)}
    if isinstance(tree, Apply) and tree.name == "==":
        one, other = tree.args
        one, other = (one, other) if isinstance(one, Column) else (other, one)
        if isinstance(one, Column) and isinstance(other, Literal):
            return one.name, {str(other.value).strip()}
    return None


def _edges(laws: Sequence[Law]) -> Iterator[tuple[str, str, bool, str]]:
    """(low, high, strict, text) of all orders; equal columns stand both ways."""
    for law in laws:
        if isinstance(law, Order):
            yield from ((low, law.high, strict, law.text) for low, strict in law.lows)
        if isinstance(law, Formula) and law.sum is not None and law.sum.constant == 0 and (
                len(law.sum.factors) == 1 and law.sum.factors[0][1] == 1):
            other = law.sum.factors[0][0]
            yield from ((other, law.target, False, law.text), (law.target, other, False, law.text))


def _orders(laws: Sequence[Law]) -> None:
    """No column is, strictly, below itself."""
    edges = list(_edges(laws))
    for low, high, strict, text in edges:
        if strict and (path := _path(edges, high, low)) is not None:
            raise _refuse(f"{low!r} would be below itself", text, *path)


def _path(edges: Sequence[tuple[str, str, bool, str]], start: str, goal: str) -> list[str] | None:
    """The rules by which ``goal`` is at or above ``start``."""
    ways: dict[str, list[str]] = {start: []}
    left = [start]
    while left:
        here = left.pop(0)
        if here == goal:
            return ways[here]
        for low, high, _, text in edges:
            if low == here and high not in ways:
                ways[high] = [*ways[here], text]
                left.append(high)
    return None


def _reach(laws: Sequence[Law], ends: Mapping[str, tuple[tuple[float, str] | None, tuple[float, str] | None]]) -> None:
    """The lowest value of a column is not above the highest of one that stands above it (of whole numbers alike)."""
    edges = [edge for law in laws if isinstance(law, Order) and law.exact for edge in _edges([law])]
    lows = {name: low for name, (low, _) in ends.items() if low is not None}
    for _ in range(len(edges)):
        for low, high, _, text in edges:
            if low in lows and (high not in lows or lows[high][0] < lows[low][0]):
                lows[high] = (lows[low][0], f"{lows[low][1]}; {text}")
    for name, (least, text) in lows.items():
        top = ends.get(name, (None, None))[1]
        if top is not None and least > top[0]:
            raise _refuse(f"no value of {name!r} can satisfy", *text.split("; "), top[1])


def _formulas(laws: Sequence[Law]) -> None:
    """One formula for a column, and none that needs itself."""
    found: dict[str, Formula] = {}
    for law in laws:
        if isinstance(law, Formula):
            if law.target in found:
                raise _refuse(f"two formulas for the column {law.target!r}", found[law.target].text, law.text)
            found[law.target] = law
    left = dict(found)
    while left:
        free = [name for name, law in left.items() if not set(law.needs) & set(left)]
        if not free:
            ring = _ring(left)
            raise _refuse("formulas that need each other", *(left[name].text for name in ring))
        for name in free:
            del left[name]


def _ring(left: Mapping[str, Formula]) -> list[str]:
    """Columns each of which needs the next, and the last the first."""
    way = [next(iter(left))]
    while True:
        after = next(name for name in left[way[-1]].needs if name in left)
        if after in way:
            return way[way.index(after):]
        way.append(after)


def sorted_by_need(laws: Sequence[Law]) -> list[int]:
    """The numbers of the laws that are encoded away, in the order in which they are restored: formulas before groups
    before look-up tables before gaps, each where its columns are nobody else's and it does not need itself."""
    rank = {"Formula": 0, "Group": 1, "Lookup": 2, "Order": 3}
    wanted = sorted((i for i, law in enumerate(laws) if law.gives), key=lambda i: (rank[type(laws[i]).__name__], i))
    taken: set[str] = set()
    chosen: list[int] = []
    for i in wanted:
        if set(laws[i].gives) & taken or set(laws[i].gives) & set(laws[i].needs):
            continue
        if _order(laws, [*chosen, i]) is not None:
            chosen.append(i)
            taken |= set(laws[i].gives)
    return _order(laws, chosen) or []


def _order(laws: Sequence[Law], chosen: Sequence[int]) -> list[int] | None:
    """The laws so that each comes after those that give what it needs; None where they go round."""
    found, left = list[int](), list(chosen)
    while left:
        waiting = {name for i in left for name in laws[i].gives}
        free = [i for i in left if not set(laws[i].needs) & waiting]
        if not free:
            return None
        found += free
        left = [i for i in left if i not in free]
    return found
