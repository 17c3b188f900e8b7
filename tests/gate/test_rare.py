"""What fewer than k people hold is counted exactly, by brute force and by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica.gatehouse.copied import copied, counted
from fabrica.gatehouse.rare import rare
from fabrica.reached import Guesses
from fabrica.report import Finding
from fabrica.schema import Column, Table


def rows(size: int = 1_000, **columns):
    whole = pa.table(columns)
    return SimpleNamespace(rows=whole.num_rows, batches=lambda: whole.to_batches(max_chunksize=size))


TOWN = Table("people", (Column("town", "category"),))
AGE = Table("people", (Column("age", "integer", "int64"),))
cells = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30)


@given(cells, cells, cells, st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_levels_are_counted_over_all_real_rows(own, rest, twin, k):
    held = Counter(own + rest)
    few = {level for level in twin if 0 < held[level] < k}
    found = rare(TOWN, [rows(2, town=own), rows(3, town=rest)], rows(2, town=twin), k)
    assert found.levels == ({"town": len(few)} if few else {}) and not found.ends and not found.texts


@pytest.mark.parametrize(("public", "found"), [(True, {"town": 1}), (False, {"town": 2})])
def test_levels_that_everybody_knows_tell_nothing_and_guessed_ones_do(public, found):
    column = Column("town", "ordinal", levels=("a", "b", "c"), public=public)
    told = rare(Table("people", (column,)), [rows(town=["a", "a", "a", "b", "d"])], rows(town=["a", "b", "d"]), 2)
    assert told.levels == found and set(told.words) == ({"d"} if public else {"b", "d"})


@pytest.mark.parametrize("k", [5, 10])
def test_ends_are_those_that_fewer_than_k_reach(k):
    income = np.arange(1_000) * 7_919 % 100_003  # each once, far apart
    reached = sum(sum(income >= x) < k or sum(income <= x) < k for x in income)
    assert rare(AGE, [rows(300, age=income)], rows(400, age=income), k).ends == {"age": reached} == {"age": 2 * (k - 1)}
    inner = np.sort(income)[k:-k]
    assert rare(AGE, [rows(age=income)], rows(age=inner), k).ends == {}
    assert rare(AGE, [rows(age=income)], rows(age=income + 1), k).ends == {}  # as far, and nobody's


def test_in_a_crowded_end_equal_numbers_are_no_copies():
    old = [60] * 50 + [61, 62, 63, 64]
    inner = rare(AGE, [rows(age=old)], rows(age=[60, 61, 63]), 5)
    assert inner.ends == {"age": 2} and inner.luck > 0.5 and inner.last == ()
    outer = rare(AGE, [rows(age=old)], rows(age=[60, 61, 64]), 5)
    assert outer.luck > 0.1 and outer.last == ("age",)  # nobody can tell
    far = [60] * 50 + [5_061, 31_062, 77_063]
    assert rare(AGE, [rows(age=far)], rows(age=[60, 31_062]), 5).luck < 1e-3


def test_multiples_of_hundred_have_fewer_places():
    paid = [100 * n for n in range(1, 60)] * 5 + [6_300, 6_700, 7_100, 9_900]
    twin = [100, 6_300, 6_700, 7_500, 8_500]
    assert rare(AGE, [rows(age=paid)], rows(age=twin), 5).luck > 0.1
    plain = [*paid, *range(1, 5_900, 7)]
    assert rare(AGE, [rows(age=plain)], rows(age=twin), 5).luck < 0.1  # careless: as if all places were likely


@given(st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("abc")), min_size=1, max_size=30), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_people_are_counted_and_not_their_rows(pairs, k):
    who, town = ([*part] for part in zip(*pairs, strict=True))
    table = Table("visits", (Column("who", "key", notation={"template": "A"}), Column("town", "category")))
    people = {level: len({w for w, t in pairs if t == level}) for level in town}
    few = {level for level, count in people.items() if count < k}
    found = rare(table, [rows(4, who=who, town=town)], rows(who=["Z"] * len(town), town=town), k, unit="who")
    assert found.levels == ({"town": len(few)} if few else {})


def test_one_person_with_the_largest_numbers_is_few_however_many_rows_they_have():
    table = Table("visits", (Column("who", "key"), Column("paid", "decimal", "double")))
    who, paid = ["a"] * 50 + [f"p{i}" for i in range(50)], [1e6 + 1 / 3] * 50 + [float(i) for i in range(50)]
    twin = rows(who=["z"], paid=[1e6 + 1 / 3])
    assert rare(table, [rows(who=who, paid=paid)], twin, 5, unit="who").ends == {"paid": 1}
    assert rare(table, [rows(who=who, paid=paid)], twin, 5).ends == {}  # careless: rows are counted


def test_texts_and_keys_that_tell_whose_they_are():
    mail = Column("mail", "key", notation={"kind": "email"}, personal="email")
    table = Table("people", (mail, Column("note", "text"), Column("number", "key", notation={"kind": "sequence"})))
    real = rows(mail=["ada@example.com", "bob@example.com"], note=["fell from a ladder", "-"], number=["1", "2"])
    twin = rows(mail=["eve@example.com", "ada@example.com"], note=["fell from a ladder", "-"], number=["1", "2"])
    found = rare(table, [real], twin, 5)
    assert found.texts == {"mail": 1, "note": 1}


NUMBERED = Table("visits", (Column("visit", "key", "int64", notation={"template": "########"}, personal="record"),))


def numbered(many, seed=1, low=10_000_000, high=12_000_000):
    return np.random.default_rng(seed).choice(np.arange(low, high), many, replace=False)


def test_running_numbers_are_met_by_luck_and_no_more_of_them():
    """A twin draws numbers out of the range of real ones, and of those learned from none; about 250 are held back."""
    whole = numbered(20_000)
    own, rest = whole[:15_000], whole[15_000:]
    free = np.setdiff1d(np.arange(10_000_000, 12_000_000), own)
    drawn = np.random.default_rng(2).choice(free, 100_000, replace=False)
    found = rare(NUMBERED, [rows(visit=own), rows(visit=rest)], rows(visit=drawn), 5)
    assert found.texts == {} and found.met == {"visit": np.isin(rest, drawn).sum()} and found.met["visit"] > 200
    for many, copies in ((100_000, own[:1]), (100_000, own[:800]), (100_000, rest[::8]), (500, own[:20]), (0, rest)):
        twin = rows(visit=np.unique(np.r_[drawn[:many], copies]))
        leaked = rare(NUMBERED, [rows(visit=own), rows(visit=rest)], twin, 5)
        assert leaked.met == {} and leaked.texts["visit"] >= len(copies), (many, len(copies))


def test_copies_of_those_learned_from_are_seen_where_the_range_is_full():
    whole = numbered(10_000, low=10_000_000, high=10_010_000)  # every number is somebody's
    own, rest = whole[:7_000], whole[7_000:]
    sides = [rows(visit=own), rows(visit=rest)]
    assert rare(NUMBERED, sides, rows(visit=rest[::3]), 5).met == {"visit": len(rest[::3])}  # no others are free
    assert rare(NUMBERED, sides, rows(visit=own[::3]), 5).texts == {"visit": len(own[::3])}


def test_good_twins_are_seldom_accused_by_luck():
    accused = 0
    for seed in range(100):
        whole = numbered(300, seed)
        drawn = np.setdiff1d(numbered(40_000, 1_000 + seed), whole[:200])
        accused += bool(rare(NUMBERED, [rows(visit=whole[:200]), rows(visit=whole[200:])], rows(visit=drawn), 5).texts)
    assert accused <= 10  # of 5 at most, on average


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_moments_have_ends_too(kind):
    column = Column("day", kind, "date32[day]" if kind == "date" else "timestamp[us]")
    days = np.datetime64("1900-01-01") + np.cumsum(np.random.default_rng(1).integers(100, 400, 100))
    made = pa.array(days) if kind == "date" else pa.array(days.astype("datetime64[us]"))
    found = rare(Table("visits", (column,)), [rows(day=made)], rows(day=made), 5)
    assert found.ends == {"day": 8}


def test_missing_cells_are_nobody_s():
    found = rare(TOWN, [rows(town=["a"] * 9 + [None])], rows(town=[None, "a"]), 5)
    assert not found.levels and not found.ends


def test_copies_are_counted_over_all_rows_and_by_people():
    random = np.random.default_rng(2)
    table = Table("people", (Column("who", "key"), Column("age", "integer", "int64"), Column("town", "category")))

    def some(rows):
        return random.integers(0, 40, rows).tolist(), random.choice(list("abcdefgh"), rows).tolist()

    sides = {name: some(size) for name, size in (("real", 150), ("rest", 100), ("twin", 130))}
    who = {"real": [f"p{i // 3}" for i in range(150)], "rest": [f"q{i // 2}" for i in range(100)], "twin": ["z"] * 130}
    rows_of = {name: rows(40, who=who[name], age=age, town=town) for name, (age, town) in sides.items()}
    pairs = {name: list(zip(*cells, strict=True)) for name, cells in sides.items()}
    real = Counter([*pairs["real"], *pairs["rest"]])
    made = set(pairs["twin"])
    expected = []
    for side in ("real", "rest"):
        alone = [(person, pair) for person, pair in zip(who[side], pairs[side], strict=True) if real[pair] == 1]
        expected += [len({p for p, pair in alone if pair in made}), len({p for p, _ in alone})]
    assert copied(table, rows_of["real"], rows_of["rest"], rows_of["twin"], "who")["verbatim",] == Guesses(*expected)
    assert 0 < expected[0] < expected[1]


def test_missing_cells_and_moments_are_compared_too():
    table = Table("visits", (Column("day", "date", "date32[day]"), Column("town", "category")))
    day = pa.array([date(2020, 1, 1), None, date(2021, 5, 5)])
    real, rest = rows(day=day, town=["a", "b", None]), rows(day=day, town=["c", "d", "e"])
    assert [copied(table, real, rest, twin)["verbatim",].hits for twin in (real, rest)] == [3, 0]


def test_whoever_stands_in_the_twin_but_for_one_column_is_counted():
    """People of the twin are members of whom one cell was changed; somebody with two changed cells is nobody."""
    columns = ("a", "b", "c")
    table = Table("people", tuple(Column(name, "category") for name in columns))
    cells = {name: [f"{name}{i}" for i in range(9)] for name in columns}
    real, rest = rows(**cells), rows(**{name: [f"{one}r" for one in cells[name]] for name in columns})
    made = {name: [one if i % 3 == number or i == 8 else f"{one}t" for i, one in enumerate(cells[name])]
            for number, name in enumerate(columns)}  # one cell of each is theirs, and all of the last
    two = rows(**made)
    one = rows(**{name: [one if min(i % 4, 2) != number else f"{one}t" for i, one in enumerate(cells[name])]
                  for number, name in enumerate(columns)})
    found = [copied(table, real, rest, twin) for twin in (one, two)]
    assert [some["verbatim",].hits for some in found] == [0, 1]
    assert [some["verbatim_but_one",] for some in found] == [Guesses(9, 9, 0, 9), Guesses(1, 9, 0, 9)]
    assert [found[0]["verbatim_without", name] for name in columns] == [Guesses(n, 9, 0, 9) for n in (3, 2, 4)]
    assert [found[1]["verbatim_without", name] for name in columns] == [Guesses(1, 9, 0, 9)] * 3


def test_what_is_counted_over_all_rows_takes_the_place_of_what_was_judged_and_keeps_its_own_control():
    """The worst place of all rows is another than that of the rows that were judged, and so is its control."""
    def told(column, control, high):
        return Finding("verbatim_without", 0.0, column, low=0.0, high=high, detail={"control": control, "seen": 0.5})

    judged = [told((), "missed", 0.2), told(("age",), "missed", 0.2), told(("note (length)",), "found", 0.1),
              told(("town",), "found", 0.1),
              *(Finding("shape", 0.0, ("age",), against=side) for side in ("train", "holdout"))]
    found = {("verbatim_without", "age"): Guesses(0, 900, 0, 900),
             ("verbatim_without", "town"): Guesses(90, 900, 0, 900),
             ("verbatim_without", "gone"): Guesses(900, 900, 0, 900)}
    told_now = counted(judged, found)
    assert told_now[-2:] == judged[-2:] and len(told_now) == len(judged)
    now = {(one.metric, *one.place): one for one in told_now}
    assert now["verbatim_without", "note (length)"] == judged[2]
    assert now["verbatim_without",].value == now["verbatim_without", "town"].value == pytest.approx(0.1)
    assert now["verbatim_without",].detail["worst"] == "town"
    assert [now["verbatim_without", *where].detail["control"] for where in ((), ("town",), ("age",))] == [
        "found", "found", "missed"]
    assert "seen" not in now["verbatim_without", "town"].detail


def test_nobody_is_alone_but_for_one_column_whose_likes_have_the_rest():
    """Every pair of columns stands twice, so no column can be left out; a person is not their own like."""
    table = Table("people", (Column("who", "key"), *(Column(name, "category") for name in "abc")))
    cube = list(zip(*((a, b, (a + b) % 2) for a in range(2) for b in range(2)), strict=True))
    full = [(a, b, c) for a in range(2) for b in range(2) for c in range(2)]
    real = rows(who=[f"p{i}" for i in range(8)], **{n: [str(row[i]) for row in full] for i, n in enumerate("abc")})
    rest = rows(who=["q"], a=["9"], b=["9"], c=["9"])
    assert copied(table, real, rest, real)["verbatim",].tries == 8
    assert copied(table, real, rest, real)["verbatim_but_one",] == Guesses(0, 0, 0, 1)
    code = rows(who=["x", "y", "z", "w"], **{n: [str(v) for v in cube[i]] for i, n in enumerate("abc")})
    assert copied(table, code, rest, code)["verbatim_but_one",].tries == 4
    twice = rows(who=["x", "x", "x", "x"], **{n: ["1", "1", "1", "2"] for n in "abc"})
    assert copied(table, twice, rest, twice, "who")["verbatim_but_one",] == Guesses(1, 1, 0, 1)
    assert copied(table, twice, rest, twice)["verbatim_but_one",].tries == 1


def test_whoever_is_said_to_be_nobody_is_a_person_of_their_own():
    """The careless twin takes all rows without an owner for one person, and hardly sees that they were copied."""
    table = Table("people", (Column("who", "key"), Column("town", "category")))
    real = rows(who=["a", "a", None, None, None], town=["v", "w", "x", "y", "z"])
    rest = rows(who=["b", None], town=["q", "r"])
    assert copied(table, real, rest, real, "who")["verbatim",] == Guesses(4, 4, 0, 2)
