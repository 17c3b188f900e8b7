"""Every look at a table through noise: with the same answers the same questions are asked, and one unit more or less
changes each true answer by no more than was paid for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabrica.run
from fabrica import private
from fabrica.checks.promise import alike
from fabrica.counted import filled
from fabrica.engines.aim import Aim
from fabrica.engines.mst import Mst
from fabrica.privacy import door
from fabrica.privacy.terms import Privacy
from fabrica.private import learned
from fabrica.run import Run
from fabrica.state import State
from fabrica.vouched import ready


@dataclass
class Tape:
    """Records the questions and the answers of one world, or plays the answers again in another."""

    answers: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    playing: bool = False

    def measure(self, purse, counts, rho, what, sensitivity=1):
        self.asked.append((what, np.array(counts), sensitivity, "counts"))
        return self._answer(purse, lambda: door_measure(purse, counts, rho, what, sensitivity))

    def choose(self, purse, scores, rho, what, sensitivity=1, fits=None):
        self.asked.append((what, np.array(scores), sensitivity, "scores"))
        return self._answer(purse, lambda: door_choose(purse, scores, rho, what, sensitivity, fits))

    def names(self, purse, counts, rho, delta, what):
        self.asked.append((what, np.sort(counts)[::-1], 1, "names"))
        return self._answer(purse, lambda: door_names(purse, counts, rho, delta, what))

    def _answer(self, purse, ask):
        if self.playing:
            answer, paid = self.answers[len(self.asked) - 1]
            purse.events[:], purse.spent = paid, sum((event.rho for event in paid), Fraction(0))
            return answer
        answer = ask()
        self.answers.append((answer, list(purse.events)))
        return answer


door_measure, door_choose, door_names = door.measure, door.choose, door.names


def world(table: pa.Table, terms: Privacy, engine, schema, monkeypatch, tape: Tape) -> tuple[Tape, State]:
    """What was asked and answered, and all that came of it."""
    for name in ("measure", "choose", "names"):
        monkeypatch.setattr(fabrica.run.door, name, getattr(tape, name))
    monkeypatch.setattr(fabrica.run, "secret", lambda: 5)  # the same chance for the rows that both worlds have
    data = ready(filled(table), schema, engine, "aim", terms, Run(1))
    return tape, learned(data, engine, "aim", terms, Run(2)).state()


def people(seed: int, rows: int) -> pa.Table:
    random = np.random.default_rng(seed)
    town = random.choice(["Rome", "Oslo", "Bern", "?"], rows, p=[0.5, 0.3, 0.1, 0.1])
    paid = np.where(random.random(rows) < 0.2, None, np.round(random.exponential(50, rows), 2))
    day = (np.datetime64("2023-01-02") + random.integers(0, 400, rows)).astype(str)
    return pa.table({
        "town": town, "age": [str(a) for a in random.integers(1, 99, rows)], "paid": pa.array(paid, pa.float64()),
        "day": day, "ill": random.random(rows) < 0.3, "who": [f"p{i}" for i in random.integers(0, rows, rows)],
        "seen": pa.array(random.integers(0, 10**6, rows) * 60_000_000).cast(pa.timestamp("us")),
        "when": [f"{1 + i % 28:02}-{1 + i % 12:02}-2021 {i % 24:02}:30" for i in random.integers(0, 999, rows)],
        "rooms": [f"{i}.0" for i in random.integers(1, 9, rows)]})


PUBLIC = {"town": {"kind": "category", "levels": ["Rome", "Oslo", "Bern", "Kyiv"], "missing": ["?"]},
          "age": {"kind": "integer", "bounds": [0, 120]}, "who": "key", "when": "datetime",
          "rooms": {"kind": "integer", "bounds": [1, 9]}}


@pytest.mark.parametrize("engine", [Aim(rounds=2, sets=3, cells=4_000), Mst(), Aim(rounds=1, sets=2, target="ill")])
@pytest.mark.parametrize("schema", [None, PUBLIC], ids=["blind", "declared"])
@pytest.mark.parametrize("place", [0, 700, 1_499], ids=["the first", "one", "the last"])
def test_with_the_same_answers_the_same_is_asked_and_one_row_changes_little(engine, schema, place, monkeypatch):
    table = people(3, 1_500)
    one, model = world(table, Privacy(20.0), engine, schema, monkeypatch, Tape())
    less = pa.concat_tables([table.slice(0, place), table.slice(place + 1)])
    other, same = world(less, Privacy(20.0), engine, schema, monkeypatch, Tape(one.answers, playing=True))
    assert alike(model, same, rtol=0)  # what is released follows from the answers alone
    assert len(one.asked) == len(other.asked) > 10
    for (what, a, sensitivity, kind), (again, b, *_) in zip(one.asked, other.asked, strict=True):
        assert what == again
        if kind == "scores":
            assert np.abs(a - b).max(initial=0) <= sensitivity, what
        elif kind == "names":  # a name that one person has is the only one that may come or go
            longer = np.zeros(max(len(a), len(b)), np.int64)
            x, y = longer.copy(), longer.copy()
            x[: len(a)], y[: len(b)] = a, b
            assert np.abs(x - y).sum() <= 1 and abs(len(a) - len(b)) <= 1, what
        else:
            assert a.shape == b.shape and np.linalg.norm((a - b).ravel()) <= sensitivity, what


@pytest.mark.parametrize("engine", [Aim(rounds=2, sets=3, cells=4_000), Mst()])
@pytest.mark.parametrize("schema", [None, PUBLIC], ids=["blind", "declared"])
def test_one_person_with_three_rows_changes_three_times_as_much_and_no_more(engine, schema, monkeypatch):
    """What a look says of one row it pays for all that count of one person."""
    table, terms = people(4, 1_500), Privacy(20.0, unit="who", rows=3)
    gone = table.slice(table.num_rows - 3).set_column(5, "who", pa.array(["one and the same"] * 3))
    table = pa.concat_tables([table.slice(0, table.num_rows - 3), gone])
    one, model = world(table, terms, engine, schema, monkeypatch, Tape())
    other, same = world(table.slice(0, table.num_rows - 3), terms, engine, schema, monkeypatch,
                        Tape(one.answers, playing=True))
    assert alike(model, same, rtol=0) and len(one.asked) == len(other.asked)
    most = 0.0
    for (what, a, sensitivity, kind), (_, b, *_) in zip(one.asked, other.asked, strict=True):
        if kind == "scores":
            assert np.abs(a - b).max(initial=0) <= 3 * sensitivity, what
        elif kind == "counts":
            assert np.linalg.norm((a - b).ravel()) <= 3 * sensitivity, what
            most = max(most, float(np.linalg.norm((a - b).ravel())))
    assert most == 3  # and that does happen
    assert {event.sensitivity for event in one.answers[-1][1]} == {Fraction(3)}


def test_bounds_read_off_the_data_are_caught(monkeypatch):
    """Bounds read off the data: with another largest value other cells are counted and another model comes out."""
    def careless(table):
        return {**PUBLIC, "paid": {"kind": "decimal", "decimals": 2,
                                   "bounds": [0.0, float(np.nanmax(table["paid"].to_numpy(zero_copy_only=False)))]}}

    table = people(3, 800)
    order = np.argsort(np.nan_to_num(np.array(table["paid"].to_pylist(), float), nan=-1))
    table = table.take(pa.array(order))  # the last row has the most
    one, model = world(table, Privacy(20.0), Mst(), careless(table), monkeypatch, Tape())
    less = table.slice(0, table.num_rows - 1)
    same = world(less, Privacy(20.0), Mst(), careless(less), monkeypatch, Tape(one.answers, playing=True))[1]
    assert not alike(model, same)


def test_a_count_of_rows_for_free_is_caught(monkeypatch):
    def careless(*arguments, **named):
        model = private.learned(*arguments, **named)
        return replace(model, facts={**model.facts, "rows": arguments[0].rows.num_rows})

    table = people(3, 800)
    monkeypatch.setitem(globals(), "learned", careless)
    one, model = world(table, Privacy(20.0), Mst(), PUBLIC, monkeypatch, Tape())
    less = table.slice(0, table.num_rows - 1)
    same = world(less, Privacy(20.0), Mst(), PUBLIC, monkeypatch, Tape(one.answers, playing=True))[1]
    assert not alike(model, same)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 6))
def test_a_person_with_many_rows_counts_as_so_many(seed, most, many):
    """Of a unit at most so many rows count; all looks of a table differ by so many rows at most."""
    from fabrica.units import bounded

    random = np.random.default_rng(seed)
    who = np.r_[random.integers(0, 20, 60), np.full(many * 10, 99), [0, 0]]
    table = pa.table({"who": who.astype(str), "x": np.arange(len(who))})
    found = bounded(table, Privacy(1.0, unit="who", rows=most), Run(1))
    counts = np.unique(np.array(found["who"].to_pylist()), return_counts=True)[1]
    real = np.unique(who, return_counts=True)[1]
    assert sorted(counts) == sorted(np.minimum(real, most))


def test_which_rows_of_one_person_count_does_not_depend_on_others(monkeypatch):
    """The same person keeps as many rows whoever else is there, each of them as likely: no seed decides it."""
    from fabrica.units import bounded

    table = pa.table({"who": ["a"] * 4 + ["b"] * 2, "x": range(6)})
    kept = [bounded(table, Privacy(1.0, unit="who"), Run(1))["x"][0].as_py() for _ in range(400)]
    counts = np.bincount(kept, minlength=4)
    assert counts.min() > 60 and len(counts) == 4


def test_noise_grows_with_the_rows_that_one_person_has():
    purses = [door.Purse.of(Privacy(1.0, unit="who", rows=rows)) for rows in (1, 5)]
    one, five = (door.measure(p, np.array([5]), p.budget / 2, "x")[1] for p in purses)
    assert five == pytest.approx(25 * one, rel=0.01)
    assert purses[1].events[0].rho <= purses[1].budget / 2 and purses[1].events[0].sensitivity == Fraction(5)
