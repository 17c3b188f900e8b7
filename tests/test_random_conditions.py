"""Random conditions on a law that is known, against brute force: which rows, how likely, in which proportions."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabrica
from fabrica.errors import ExpressionError
from fabrica.expression import Expression
from fabrica.model import TableModel
from fabrica.run import Run

ROWS, DRAWN = 4_000, 3_000
VALUES: dict[str, list] = {"s": ["a", "b", "c"], "t": ["x", "y", None], "n": [0, 1, 2, 3, 4, 5, None]}
CHANCES = {"s": [0.6, 0.36, 0.04], "t": [0.7, 0.1, 0.2], "n": [0.3, 0.25, 0.2, 0.1, 0.05, 0.05, 0.05]}

Told = tuple[str, object]  #: the text of a condition, and a function of a row: True, False or None where not known


@pytest.fixture(scope="module")
def model() -> TableModel:
    """Independent columns: the law of a row is the product of what each column has."""
    random = np.random.default_rng(1)
    columns = {}
    for name, values in VALUES.items():
        counts = (np.array(CHANCES[name]) * ROWS).round().astype(int)
        places = random.permutation(np.repeat(np.arange(len(values)), counts))
        columns[name] = pd.Series([values[i] for i in places], dtype="Int64" if name == "n" else object)
    table = pd.DataFrame(columns)
    return fabrica.fit(table, engine="independent", seed=1)


def compared(sign: str, name: str, other: object):
    work = {"==": lambda a: a == other, "!=": lambda a: a != other, "<": lambda a: a < other,
            ">=": lambda a: a >= other}
    return lambda row: None if row[name] is None else work[sign](row[name])


LEAVES = st.one_of(
    st.tuples(st.sampled_from(["==", "!="]), st.sampled_from("st"), st.sampled_from("abcxy")).map(
        lambda t: (f"{t[1]} {t[0]} '{t[2]}'", compared(*t))),
    st.tuples(st.sampled_from(["==", "!=", "<", ">="]), st.just("n"), st.integers(0, 5)).map(
        lambda t: (f"n {t[0]} {t[2]}", compared(*t))),
    st.sampled_from("stn").map(lambda name: (f"{name} is null", lambda row: row[name] is None)),
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(
        lambda t: (f"n in ({min(t)}..{max(t)})",
                   lambda row: None if row["n"] is None else min(t) <= row["n"] <= max(t))))


def negated(one: Told) -> Told:
    return f"not ({one[0]})", lambda row: None if (v := one[1](row)) is None else not v  # type: ignore[operator]


def joined(two: tuple[Told, Told, str]) -> Told:
    """Kleene's three values."""
    one, other, word = two
    sure = word == "or"

    def truth(row):
        a, b = one[1](row), other[1](row)  # type: ignore[operator]
        if a is sure or b is sure:
            return sure
        return None if a is None or b is None else not sure

    return f"({one[0]}) {word} ({other[0]})", truth


CONDITIONS = st.recursive(LEAVES, lambda inner: st.one_of(
    inner.map(negated), st.tuples(inner, inner, st.sampled_from(["and", "or"])).map(joined)), max_leaves=5)


@settings(max_examples=60)
@given(CONDITIONS)
def test_rows_of_any_condition_are_those_of_the_known_law(model, condition):
    text, truth = condition
    law = {}
    for row in product(*(zip(VALUES[name], CHANCES[name], strict=True) for name in "stn")):
        if truth({name: value for name, (value, _) in zip("stn", row, strict=True)}) is True:
            law[tuple(value for value, _ in row)] = float(np.prod([chance for _, chance in row]))
    whole = sum(law.values())
    learned = model.generator()
    if not whole:
        with pytest.raises(ExpressionError):
            learned.under([Expression.of(text, model.table)], Run(1)).rows(10, Run(2))
        return
    drawn = learned.under([Expression.of(text, model.table)], Run(1)).rows(DRAWN, Run(2))
    rows = Counter(zip(*(drawn.cells[name].values.to_pylist() for name in "stn"), strict=True))
    assert set(rows) <= set(law)
    assert abs(drawn.share / whole - 1) < 0.15 or abs(drawn.share - whole) < 0.02
    for cell, chance in law.items():
        p = chance / whole
        assert abs(rows[cell] / DRAWN - p) < 5 * (p * (1 - p) / DRAWN) ** 0.5 + 0.01 * p + 2 / DRAWN


def test_an_oracle_that_knows_no_missing_values_would_be_caught(model):
    """The careless twin: two values of truth."""
    learned = model.generator()
    drawn = learned.under([Expression.of("not (t == 'x')", model.table)], Run(1)).rows(500, Run(2))
    assert set(drawn.cells["t"].values.to_pylist()) == {"y"}  # None would be among them
