"""Which text is which rule, and which texts and which rules together are refused, with the reason and the place."""

from __future__ import annotations

import pytest

from fabrica.errors import FabricaError
from fabrica.rules import planned
from fabrica.rules.read import understood
from fabrica.schema import Column, Schema, Table

TABLE = Table("t", (
    Column("a", "integer", "int64"), Column("b", "integer", "int64"), Column("c", "integer", "int64"),
    Column("x", "decimal", "double", decimals=2), Column("y", "decimal", "double", decimals=2),
    Column("u", "date", "date32[day]"), Column("v", "date", "date32[day]"),
    Column("t1", "datetime", "timestamp[us]", unit="us"), Column("t2", "datetime", "timestamp[us]", unit="us"),
    Column("s", "category"), Column("r", "category"), Column("yes", "boolean", "bool"), Column("no", "boolean", "bool"),
    Column("id", "key"), Column("note", "text"), Column("odd-one", "integer", "int64"),
    Column("when", "date", "date32[day]")))


def kinds(*texts: str) -> list[str]:
    return [type(law).__name__ for law in understood(texts, TABLE)]


@pytest.mark.parametrize(("text", "kind"), [
    ("a == b + c", "Formula"), ("b + c == a", "Formula"), ("x == y / a", "Formula"), ("a == year(u)", "Formula"),
    ("a + b == c + 3", "Formula"), ("u == v", "Formula"), ("s == lower(r)", "Formula"), ("v >= u", "Order"),
    ("t1 < t2", "Order"), ("x <= a", "Order"), ("a >= 5", "Span"), ("5 > a", "Span"), ("u >= '2024-01-01'", "Span"),
    ("a in (1..9)", "Span"), ("a between 2 and 4", "Span"), ("a in (1, 2)", "Other"), ("s in r", "Lookup"),
    ("s -> r", "Lookup"), ("s, a -> r", "Lookup"), ("combinations(s, r)", "Group"), ("onehot(yes, no)", "Group"),
    ("onehot(a, b, c)", "Group"), ("unique(a, id)", "Unique"), ("unique(id)", "Unique"),
    ("matches(note, '[a-z]+')", "Pattern"), ("matches(id, 'A[0-9]+')", "Pattern"),
    ("a is null when s == 'x'", "Emptied"), ("a is not null when s == 'x'", "Other"), ("a > 3 when s == 'x'", "Other"),
    ("id is null when s == 'x'", "Emptied"), ("not (s == 'x' and a > 3)", "Other"), ("s == 'x' or a > 3", "Other"),
    ("a != b", "Other"), ("a < 2 * b", "Other"), ("`odd-one` > a", "Order"), ("odd-one > a", "Order"),
    ("when > u", "Order"), ("a > 3 when when > '2024-01-01'", "Other")])
def test_a_text_is_a_rule_of_its_kind(text, kind):
    assert kinds(text) == [kind]


def test_what_and_joins_are_rules_of_their_own():
    assert kinds("0 <= a <= 9 and s == r") == ["Span", "Span", "Formula"]
    assert kinds("a <= b <= c") == ["Order", "Order"] and kinds("s -> r, yes") == ["Lookup", "Lookup"]
    assert kinds("a < c", "b < c") == ["Order"]  # one later column above two


def test_the_column_that_stands_alone_is_computed_of_sums_the_last():
    targets = [understood([text], TABLE)[0].gives[0] for text in
               ("a == b + c", "b + c == a", "a + b == c + 3", "x == y / a", "x + y == 10")]
    assert targets == ["a", "a", "c", "x", "y"]


@pytest.mark.parametrize(("texts", "words"), [
    (["a >= b", "s -> q"], "rule 2, .*the table has no column 'q'"), (["a >"], "rule 1, .*character 4"),
    (["a > 'x'"], "no value as the column 'a'"), (["a > s"], "cannot be compared"),
    (["id -> s"], "made afresh"), (["note -> s"], "free text"),
    (["id == 'x'"], "made afresh"), (["a -> a"], "depends on itself"), (["onehot(s, r)"], "neither true or false"),
    (["onehot(a)"], "two columns at least"), (["unique(a, a)"], "stands twice"), (["unique(a, 3)"], "works on columns"),
    (["a > 3 when"], "expected"), (["a > 3 when s"], "neither true nor false"), (["a + b"], "neither true nor false"),
    (["1 == 1"], "no column"), (["__import__('os')"], "no function"), (["a -> "], "a column"), ([""], "nothing in it"),
    (["matches(note, '[')"], "no regular expression")])
def test_a_mistake_is_told_with_its_rule_and_place(texts, words):
    with pytest.raises(FabricaError, match=words):
        understood(texts, TABLE)


@pytest.mark.parametrize(("texts", "words"), [
    (["a > b", "b > a"], "would be below itself"), (["a >= b", "b >= c", "c > a"], "would be below itself"),
    (["a == b", "a > b"], "would be below itself"), (["a < a"], ""),
    (["a == 1", "a == 2"], "no value of 'a'"), (["a > 5", "a < 3"], "no value of 'a'"),
    (["a > 5", "a < 6"], "no value of 'a'"), (["s == 'x'", "s == 'y'"], "no value of 's'"),
    (["s in ('x', 'y')", "s in ('z', 'w')"], "no value of 's'"), (["a >= 10", "b >= a", "b <= 5"], "no value of 'b'"),
    (["a == b + c", "a == b * 2"], "two formulas"), (["a == b + 1", "b == c * a"], "need each other"),
    (["a == b * 2", "b == c * 2", "c == a * 2"], "need each other")])
def test_contradictions_are_refused_with_the_reason(texts, words):
    table = Table("t", TABLE.columns, rules=tuple(texts))
    if not words:  # false by itself, but no contradiction between columns: real rows show it
        assert planned(table)
        return
    with pytest.raises(FabricaError, match=words) as caught:
        planned(table)
    assert any(text in str(caught.value) for text in texts)


@pytest.mark.parametrize("texts", [["a >= b", "b >= a"], ["a > 5", "a < 7"], ["s -> r", "r -> s"], ["a <= b", "a <= c"],
                                   ["s in ('x', 'y')", "s in ('y', 'z')"], ["x == y + 1", "x >= 0"]])
def test_what_can_hold_together_is_not_refused(texts):
    assert planned(Table("t", TABLE.columns, rules=tuple(texts)))[0]


def test_every_column_has_one_maker_and_makers_stand_in_order():
    table = Table("t", TABLE.columns, rules=("a == b + c", "onehot(b, c)", "s -> r", "r -> s", "x <= y", "u < v",
                                             "combinations(a, s)", "s -> a"))
    laws, steps = planned(table)
    given = [name for i in steps for name in laws[i].gives]
    assert len(given) == len(set(given)) and set(given) == {"a", "b", "c", "r", "y", "v"}
    for place, i in enumerate(steps):
        later = {name for j in steps[place:] for name in laws[j].gives}
        assert not set(laws[i].needs) & later


def test_a_schema_carries_its_rules():
    table = Table("t", TABLE.columns, rules=("a >= b", "s -> r"))
    assert Schema.from_json(Schema((table,)).to_json()).table == table
    for wrong in ("a >= b", [3], {"a": 1}):
        with pytest.raises(FabricaError, match="rule"):
            Table.from_json({**table.to_json(), "rules": wrong})
