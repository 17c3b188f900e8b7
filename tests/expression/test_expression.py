"""Expressions: the grammar reads what it writes, truth agrees with a plain evaluation, mistakes are found."""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica import schema
from fabrica.contract import Cells
from fabrica.errors import ExpressionError, UnknownName
from fabrica.expression import Expression
from fabrica.expression.tree import Among, Apply, Column, Literal, Missing, Node, Span
from fabrica.expression.written import written
from fabrica.schema import Column as Known
from fabrica.schema import Table

TABLE = Table("t", (
    Known("a", "integer"), Known("b", "decimal", decimals=1), Known("c", "category"),
    Known("hours-per-week", "integer"), Known("x y", "ordinal", levels=("low", "mid", "high")),
    Known("when", "date", notation="%d/%m/%Y"), Known("ok", "boolean", notation=["no", "yes"]), Known("in", "integer"),
    Known("seen", "datetime", unit="s"), Known("none", "empty")))


def holds(text: str, **row: object) -> bool:
    """Whether an expression holds for one row."""
    expression = Expression.of(text, TABLE)
    kinds = {"when": pa.date32(), "seen": pa.timestamp("s"), "c": pa.string(), "x y": pa.string(), "ok": pa.bool_(),
             "b": pa.float64(), "none": pa.null()}
    cells = {n: Cells(pa.array([row.get(n)], kinds.get(n, pa.int64()))) for n in TABLE.names}
    return bool(expression.truth(cells)[0])


def typed(table: list[dict]) -> dict[str, Cells]:
    """Rows as typed cells of each column."""
    kinds = {"c": pa.string(), "b": pa.float64(), "ok": pa.bool_()}
    return {n: Cells(pa.array([row[n] for row in table], kinds.get(n, pa.int64()))) for n in table[0]}


# ---------------------------------------------------------------- against a plain evaluation

numbers = st.sampled_from(["a", "b", "hours-per-week", "in"])
sums = st.recursive(
    st.one_of(numbers.map(lambda n: Column(n, 0)), st.integers(0, 9).map(lambda i: Literal(i, str(i), 0))),
    lambda below: st.builds(lambda n, x, y: Apply(n, (x, y), 0), st.sampled_from("+-*"), below, below), max_leaves=4)
levels = st.sampled_from(["u", "v", "it's", ""]).map(lambda t: Literal(t, t, 0, True))
few = st.integers(-3, 9).map(lambda i: Literal(i, str(i), 0))
spans = st.builds(Span, few, few) | st.builds(lambda v: Span(v, None), few) | st.builds(lambda v: Span(None, v), few)
comparisons = st.one_of(
    st.builds(lambda n, x, y: Apply(n, (x, y), 0), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), sums, sums),
    st.builds(lambda n, v: Apply(n, (Column("c", 0), v), 0), st.sampled_from(["==", "!="]), levels),
    st.builds(lambda n, v: Among(Column(n, 0), tuple(v), 0), numbers, st.lists(few | spans, min_size=2, max_size=3)),
    st.builds(lambda v: Among(Column("c", 0), tuple(v), 0), st.lists(levels, min_size=1, max_size=3)),
    st.sampled_from(["a", "c"]).map(lambda n: Missing(Column(n, 0), 0)), st.just(Column("ok", 0)))
trees = st.recursive(comparisons, lambda below: st.one_of(
    below.map(lambda x: Apply("not", (x,), 0)),
    st.builds(lambda n, x: Apply(n, tuple(x), 0), st.sampled_from(["and", "or"]),
              st.lists(below, min_size=2, max_size=3))), max_leaves=5)
rows = st.fixed_dictionaries({
    "a": st.none() | st.integers(-3, 9), "b": st.none() | st.integers(-30, 90).map(lambda i: i / 10),
    "c": st.none() | st.sampled_from(["u", " v ", "it's", ""]), "hours-per-week": st.integers(-3, 9),
    "in": st.integers(-3, 9), "ok": st.none() | st.booleans()})
SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
         ">=": operator.ge, "+": operator.add, "-": operator.sub, "*": operator.mul}


def plainly(node: Node, row: dict) -> object:
    """The value of a node for one row: true, false or None, a number, a text."""
    if isinstance(node, Column):
        value = row[node.name]
        return value.strip() if isinstance(value, str) else value
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Missing):
        return plainly(node.what, row) is None
    if isinstance(node, Among):
        what = plainly(node.what, row)
        if what is None:
            return None
        return any(what == one.value if isinstance(one, Literal) else
                   (one.low is None or what >= one.low.value) and (one.high is None or what <= one.high.value)
                   for one in node.those)
    found = [plainly(arg, row) for arg in node.args]
    if node.name == "not":
        return None if found[0] is None else not found[0]
    if node.name in ("and", "or"):
        ends = node.name == "or"
        return ends if ends in [f for f in found if f is not None] else None if None in found else not ends
    if None in found:
        return None
    if node.name in SIGNS and any(isinstance(arg, Apply) for arg in node.args) and len(node.name) + (
            node.name in "<>") == 2:  # a comparison of computed numbers: as decimals, which have no fractions of bits
        found = [round(f * 10**4) for f in found]
    return SIGNS[node.name](*found)


@settings(max_examples=400, deadline=None)
@given(trees, st.lists(rows, min_size=1, max_size=8))
def test_truth_agrees_with_a_plain_evaluation(tree, table):
    expression, cells = Expression.of(written(tree), TABLE), typed(table)
    if isinstance(cells["c"].values, pa.StringArray):  # levels come as a dictionary
        coded = {**cells, "c": Cells(cells["c"].values.dictionary_encode())}
        assert (expression.truth(coded) == expression.truth(cells)).all()
    assert expression.truth(cells).tolist() == [plainly(tree, row) is True for row in table]


@settings(max_examples=300, deadline=None)
@given(trees)
def test_what_is_written_is_read_as_the_same(tree):
    once = Expression.of(written(tree), TABLE)
    assert written(Expression.of(str(once), TABLE).tree) == str(once) == written(tree)


@settings(max_examples=300, deadline=None)
@given(trees, st.lists(rows, min_size=1, max_size=8))
def test_parts_hold_together_where_the_whole_holds(tree, table):
    expression, cells = Expression.of(written(tree), TABLE), typed(table)
    every = np.logical_and.reduce([part.truth(cells) for part in expression.parts()])
    assert (every == expression.truth(cells)).all()


# ---------------------------------------------------------------- single truths


@pytest.mark.parametrize(("text", "row", "expected"), [
    ("60 <= a <= 80", {"a": 70}, True), ("60 <= a <= 80", {"a": 81}, False), ("a = 3", {"a": 3}, True),
    ("a <> 3", {"a": 3}, False), ("a != 3", {"a": None}, False), ("not a == 3", {"a": None}, False),
    ("a is null", {"a": None}, True), ("a is not null", {"a": None}, False), ("a not in (1, 2)", {"a": 3}, True),
    ("a between 1 and 3 and b > 0", {"a": 3, "b": 0.1}, True), ("a not between 1 and 3", {"a": 3}, False),
    ("hours-per-week > 40", {"hours-per-week": 41}, True), ("a - `in` == 1", {"a": 3, "in": 2}, True),
    ("b == 0.1 + 0.2", {"b": 0.3}, True), ("b + b == 0.6", {"b": 0.3}, True), ("b * 3 > 0.3", {"b": 0.1}, False),
    ("b * 3 >= 0.3", {"b": 0.1}, True), ("a / 0 > 1", {"a": 3}, False), ("a % 3 == 2", {"a": -1}, True),
    ("x y >= 'mid'", {"x y": "high"}, True), ("x y < 'mid'", {"x y": " low"}, True),
    ("x y == 'mid'", {"x y": "low"}, False),
    ("when >= '31/12/2024'", {"when": datetime.date(2025, 1, 1)}, True),
    ("when in ('2024-01-01'..'2024-02-01')", {"when": datetime.date(2024, 2, 1)}, True),
    ("when - when == 0", {"when": datetime.date(2024, 2, 1)}, True),
    ("seen - when > 1.4", {"when": datetime.date(2024, 2, 1), "seen": datetime.datetime(2024, 2, 2, 12)}, True),
    ("seen > '2024-02-02 11:59'", {"seen": datetime.datetime(2024, 2, 2, 12)}, True),
    ("seen in ('2024-02-01'..'2024-02-02')", {"seen": datetime.datetime(2024, 2, 2, 23, 59)}, True),
    ("seen in ('2024-02-01'..'2024-02-02')", {"seen": datetime.datetime(2024, 2, 3)}, False),
    ("seen <= '2024-02-02'", {"seen": datetime.datetime(2024, 2, 2, 12)}, False),
    ("seen > when", {"when": datetime.date(2024, 2, 1), "seen": datetime.datetime(2024, 2, 1, 12)}, True),
    ("year(when) == 2024 and month(when) == 2 and weekday(when) == 4", {"when": datetime.date(2024, 2, 1)}, True),
    ("ok", {"ok": True}, True), ("ok == 'yes'", {"ok": True}, True), ("ok == false", {"ok": True}, False),
    ("ok != 1", {"ok": False}, True), ("matches(c, '[a-z]{2}')", {"c": "ab"}, True),
    ("matches(c, '[a-z]{2}')", {"c": "abc"}, False), ("length(c) == 3", {"c": " abc "}, True),
    ("lower(c) == 'ab'", {"c": "AB"}, True), ("max(a, `in`) == 4", {"a": 3, "in": 4}, True),
    ("abs(-a) == 3 and round(b) == 2", {"a": 3, "b": 1.6}, True), ("c == 'say \"so\"'", {"c": 'say "so"'}, True),
    ('c == "it\'s"', {"c": "it's"}, True), ("none is null", {}, True), ("- - a == 3", {"a": 3}, True),
    ("TRUE and NOT ok", {"ok": False}, True), ("a == 9223372036854775807", {"a": 2**63 - 1}, True),
    ("a == 9223372036854775806", {"a": 2**63 - 1}, False), ("a < 1e30", {"a": 5}, True)])
def test_an_expression_means_what_it_says(text, row, expected):
    assert holds(text, **row) is expected


@pytest.mark.parametrize(("text", "place", "words"), [
    ("a > 'x'", 5, "no value"), ("a", 1, "neither true nor false"), ("c > 'x'", 3, "declare `levels`"),
    ("foo == 3", 1, "no column 'foo'"), ("c == M", 6, "stands in quotes"), ("a in ()", 7, "expected"),
    ("a == (3", 8, "the end"), ("when > 'abc'", 8, "no moment"), ("x y == 'none'", 8, "no level"),
    ("a >< 3", 4, "expected"), ("__import__('os')", 1, "no function"), ("", 1, "nothing in it"),
    ("a > 3 and", 10, "expected"), ("none == 1", 6, "cannot be compared"),
    ("c == 'x", 6, "not closed"), ("ok + 1 == 2", 1, "works on numbers"), ("abs(a, 3) > 1", 1, "takes 1"),
    ("a == 3 b", 8, "the end is expected"), ("a == 3; b", 7, "means nothing"), ("`q` == 1", 1, "no column 'q'"),
    ("matches(c, '(')", 12, "regular expression"), ("matches(c, lower(c))", 12, "in quotes"),
    ("a in (..)", 7, "an end"),
    ("c == a", 3, "cannot be compared"), ("when > a", 6, "cannot be compared"), ("exec == 1", 1, "no column"),
    ("c.upper() == 'A'", 2, "means nothing"), ("none in (1)", 10, "cannot be compared"),
    ("ok in (3)", 8, "cannot be compared")])
def test_mistakes_are_found_with_their_place(text, place, words):
    with pytest.raises(ExpressionError, match=words) as error:
        Expression.of(text, TABLE)
    assert f"character {place}" in str(error.value)


def assert_understood_or_refused(read: Callable[[], Expression]) -> None:
    """What is understood is written as what is read as the same; what is not is one of our errors, with words."""
    try:
        found = read()
    except (ExpressionError, UnknownName) as refused:
        assert refused.what and "\n" not in refused.what
    else:
        assert str(Expression.of(str(found), TABLE)) == str(found)


@pytest.mark.parametrize("text", ["(" * 5_000 + "ok", "abs(" * 5_000 + "a", "a" + "+a" * 4_000, "not " * 2_000 + "ok",
                                  "-" * 5_000 + "a > 1", "ok and " * 1_400 + "ok", "a > 1" + " " * 20_000])
def test_no_expression_is_too_much(text):
    assert_understood_or_refused(lambda: Expression.of(text, TABLE))


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab c'\"`()<>=!.,+-*/%1 notandorin|"), max_size=30))
def test_any_text_is_understood_or_refused(text):
    assert_understood_or_refused(lambda: Expression.of(text, TABLE))
    assert_understood_or_refused(lambda: Expression.given([text], TABLE))


# ---------------------------------------------------------------- short words


@pytest.mark.parametrize(("word", "meant"), [
    ("c=>50K", "c == '>50K'"), ("a=60..80", "a in (60..80)"), ("a = 1|2|5..", "a in (1, 2, 5..)"),
    ("c!=u|null", "not (c == 'u' or c is null)"), ("when=null", "when is null"), ("a>=6", "a >= 6"), ("a<6", "a < 6"),
    ("x y=mid..high", "`x y` in ('mid'..'high')"), ("hours-per-week=40", "`hours-per-week` == 40"),
    ("c='a|b'|null", "c == 'a|b' or c is null"), ("c='null'", "c == 'null'"), ("c=1..2", "c == '1..2'"),
    ("ok=yes", "ok == 'yes'"), ("when=2024-01-01..", "when in ('2024-01-01'..)"), ("c=a=b", "c == 'a=b'"),
    ("`in`=3", "`in` == 3"), ("a=-5..-2.5", "a in (-5..-2.5)")])
def test_short_words_mean_what_they_say(word, meant):
    assert str(Expression.given([word], TABLE)) == meant
    assert str(Expression.of(meant, TABLE)) == meant


@pytest.mark.parametrize("word", ["a", "a=", "=3", "q=3", "a=x", "a=..", "when=x", "x y=none", "c>5", "none=1", ""])
def test_short_words_that_mean_nothing_are_refused(word):
    with pytest.raises((ExpressionError, UnknownName)):
        Expression.given([word], TABLE)


def test_several_short_words_must_all_hold():
    found = Expression.given(["a=1..3", "c=u", "b>0"], TABLE)
    assert str(found) == "a in (1..3) and c == 'u' and b > 0" and len(found.parts()) == 3
    assert found.columns == ("a", "b", "c")


def test_a_column_may_have_the_name_of_a_function():
    table = Table("t", (schema.Column("year", "integer"), schema.Column("when", "date")))
    days = pa.array([18262, 18263], pa.int32()).cast(pa.date32())
    cells = {"year": Cells(pa.array([2020, 2021])), "when": Cells(days)}
    assert Expression.of("year == year(when)", table).truth(cells).tolist() == [True, False]
