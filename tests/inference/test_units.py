"""Whose rows they are is recognised by name and behaviour together, and by neither alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fabrica.inference import infer
from fabrica.inference.units import lasting
from fabrica.units import several


def visits(name: str, code=str, rows: int = 1_200, people: int = 300, **more) -> pa.Table:
    """Rows of people of whom each has a sex that does not change, and sums that do."""
    random = np.random.default_rng(3)
    who = random.integers(0, people, rows)
    return pa.table({name: [code(number) for number in who], "sex": np.array(list("fm"))[who * 7919 % 13 % 2],
                     "paid": random.exponential(9, rows).round(2), "day": random.integers(1, 29, rows), **more})


def found(table: pa.Table, **said) -> list[str]:
    return several(infer(table, "visits", said)[0])


@pytest.mark.parametrize(("name", "code"), [
    ("customer", "C{:05d}".format), ("customer", int), ("household_id", int), ("uid", "u{:x}".format), ("hh", int),
    ("CustomerKey", int), ("cust_no", str)])
def test_a_column_that_says_whose_rows_they_are_is_recognised(name, code):
    table, notes = infer(visits(name, code))
    assert several(table) == [name] and table[name].refers and any("whose rows they are" in note for note in notes)


@pytest.mark.parametrize("name", ["product_id", "station", "id", "customer_type", "users"])
def test_whatever_is_not_named_for_people_is_not_taken_for_them(name):
    assert found(visits(name, int)) == []


def test_a_name_without_the_behaviour_is_no_person():
    """Counts of customers, and people of whom nothing stays: the careless twin goes by the name."""
    random = np.random.default_rng(5)
    shuffled = visits("customer", int)
    shuffled = shuffled.set_column(0, "customer", shuffled["customer"].take(pa.array(random.permutation(1_200))))
    assert lasting(visits("customer", int), "customer") == "sex" and lasting(shuffled, "customer") == ""
    assert found(shuffled) == []
    assert found(visits("customer", lambda number: number % 5)) == []  # few levels
    assert found(visits("customer", str, 300, 100_000)) == []  # hardly anybody comes again
    assert infer(shuffled)[0]["customer"].kind == "integer"


def test_what_the_user_says_of_a_column_stands():
    assert found(visits("household_id", int), household_id={"personal": "none"}) == []
    assert found(visits("customer", "C{:05d}".format), customer="category") == []


def test_that_nearly_everybody_is_alike_is_no_behaviour():
    random = np.random.default_rng(7)
    who = random.integers(0, 300, 1_200)
    rare = np.where(random.random(1_200) < 0.03, "y", "n")
    assert lasting(pa.table({"customer": who, "flag": rare}), "customer") == ""


def test_names_that_several_people_have_alike_tell_of_nobodys_rows():
    random = np.random.default_rng(9)
    names = ["Smith", "Jones", "Taylor", "Brown", "Evans", "Wilson", "Thomas", "Walker", "Wright", "Green"]
    table = infer(pa.table({"last_name": random.choice(names, 80), "age": random.integers(18, 90, 80)}))[0]
    assert table["last_name"].personal == "surname" and several(table) == []
