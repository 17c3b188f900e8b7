"""Each kind of candidate: what it must tell, what it must not, and a careless twin that would."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fabrica
from fabrica.contract import Cells
from fabrica.discovery import dependencies, groups, nulls, orders, sums
from fabrica.discovery.candidate import Sample
from fabrica.discovery.dependencies import Determined
from fabrica.schema import Column, Table


def told(frame: pd.DataFrame, support: float = 1, **more) -> set[str]:
    return {one.text.replace("`", "") for one in fabrica.discover(frame, support=support, **more)}


def look(columns: dict[str, np.ndarray], support: float = 1.0) -> Sample:
    """A look at whole numbers and texts."""
    table = Table("t", tuple(Column(n, "category" if v.dtype.kind in "US" else "integer") for n, v in columns.items()))
    rows = len(next(iter(columns.values())))
    cells = {n: Cells(pa.array(v.tolist())) for n, v in columns.items()}
    return Sample(table, cells, rows, np.random.default_rng(1).permutation(rows), 5, support)


# ---------------------------------------------------------------- dependencies


@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(2, 5), st.integers(30, 400))
def test_agreement_is_what_counting_says(seed, keys, values, rows):
    random = np.random.default_rng(seed)
    given_, other = random.integers(0, keys, rows), random.integers(0, values, rows)
    slow = sum(pd.Series(other[given_ == key]).value_counts().max() for key in set(given_.tolist()))
    assert dependencies.agreeing(given_, other) == pytest.approx(slow / rows)


def stations(seed: int, things: int = 15) -> pd.DataFrame:
    """Power by the hour of a few stations with attributes that have nothing to do with each other."""
    random = np.random.default_rng(seed)
    at = random.integers(0, things, 3_000)
    frame = pd.DataFrame({"station": [f"station {i}" for i in at], "power": random.normal(size=3_000).round(2)})
    for name, levels in (("fuel", 4), ("owner", 9), ("grid", 5), ("maker", 8)):
        frame[name] = np.array([f"{name} {i}" for i in random.integers(0, levels, things)])[at]
    return frame


def test_witnesses_are_things_and_not_their_rows(monkeypatch):
    """Attributes of fifteen stations agree by accident in thousands of rows; the careless twin counts rows."""
    for seed in range(8):
        found = {text for text in told(stations(seed)) if "->" in text}
        assert {f"station -> {name}" for name in ("fuel", "owner", "grid", "maker")} == found
    monkeypatch.setattr(Determined, "witnessed", lambda *_: True)
    careless = [text for seed in range(8) for text in told(stations(seed)) if "->" in text and "station" not in text]
    assert len(careless) >= 5


def test_attributes_that_do_depend_are_told_of_many_things():
    frame = stations(1, 400)
    frame["land"] = frame["owner"].str.replace("owner ", "").astype(int).map(lambda i: f"land {i % 3}")
    found = {text for text in told(frame) if "->" in text}
    assert "owner -> land" in found and "station -> land" not in found and "fuel -> grid" not in found


def test_pairs_where_neither_does_it_alone():
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"a": random.choice(list("klmnop"), 4_000), "b": random.choice(list("uvwxyz"), 4_000),
                          "d": random.choice(list("ghi"), 4_000)})
    frame["c"] = frame["a"].map(ord).add(frame["b"].map(ord)).mod(5).map(lambda i: f"c{i}")
    assert {text for text in told(frame) if "->" in text} == {"a, b -> c"}


def test_a_second_column_that_only_splits_is_no_giver(monkeypatch):
    """``a`` gives ``c`` but for seven rows of chance, which a column of many levels happens to split."""
    random = np.random.default_rng(3)
    a, b = random.integers(0, 6, 3_000), random.integers(0, 90, 3_000)
    c = a % 3
    odd = random.choice(3_000, 3, replace=False)
    c[odd] = 7
    columns = {"a": a, "b": b * 100 + (np.isin(np.arange(3_000), odd) * 50), "c": c}
    assert Determined(look(columns)).pairs == []
    monkeypatch.setattr(Determined, "_needed", lambda *_: True)
    assert ("a", "b", "c") in Determined(look(columns)).pairs


def test_what_follows_over_a_third_column_is_left_out():
    random = np.random.default_rng(4)
    city = random.integers(0, 60, 6_000)
    frame = pd.DataFrame({"city": [f"c{i}" for i in city], "state": [f"s{i % 12}" for i in city],
                          "land": [f"l{i % 12 % 3}" for i in city], "short": [f"x{i % 12}" for i in city]})
    found = {text for text in told(frame) if "->" in text}
    assert found == {"city -> state", "state -> land", "state -> short"}


# ---------------------------------------------------------------- orders


def flights(seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    miles = random.integers(80, 4_000, 3_000)
    return pd.DataFrame({"minutes": (miles / random.uniform(5, 8, 3_000)).round().astype(int), "miles": miles})


def test_an_order_needs_rows_near_the_edge(monkeypatch):
    """Minutes are fewer than miles, but nobody would call that a law; shuffled they would break it all the same."""
    assert not any("<" in text for text in told(flights()))
    monkeypatch.setattr(orders, "NEAR", 1.0)
    assert "minutes < miles" in told(flights())


def test_an_accident_of_far_ranges_is_no_order(monkeypatch):
    random = np.random.default_rng(1)
    price = random.integers(900, 1_000, 2_000)
    frame = pd.DataFrame({"pieces": random.integers(780, 900, 2_000), "price": price})
    assert not any("<" in text for text in told(frame))
    monkeypatch.setattr(orders, "BREAKS", 0.0)
    monkeypatch.setattr(orders, "TOGETHER", -1.0)
    assert "pieces < price" in told(frame) or "pieces <= price" in told(frame)


def test_a_sentinel_is_no_witness(monkeypatch):
    """Two gauges that say -200 when they are off are in order then, and otherwise by far ranges."""
    random = np.random.default_rng(1)
    off = random.random(3_000) < 0.1
    frame = pd.DataFrame({"gas": np.where(off, -200.0, random.uniform(1, 40, 3_000).round(1)),
                          "volt": np.where(off, -200.0, random.uniform(700, 1_500, 3_000).round(1))})
    assert not any("<" in text for text in told(frame, schema={"gas": "decimal", "volt": "decimal"}))
    monkeypatch.setattr(orders, "HEAP", 2.0)
    assert any("<" in text for text in told(frame, schema={"gas": "decimal", "volt": "decimal"}))


def test_an_order_stays_where_the_column_between_is_missing():
    random = np.random.default_rng(1)
    start = random.integers(0, 1_000, 2_000)
    middle = start + random.integers(1, 200, 2_000)
    frame = pd.DataFrame({"start": start, "middle": pd.Series(middle, dtype="Int64"),
                          "end": middle + random.integers(1, 200, 2_000)})
    assert "start < middle < end" in told(frame) and "start < end" not in told(frame)
    frame["middle"] = frame["middle"].mask(random.random(2_000) < 0.5)
    assert {"start < middle < end", "start < end"} <= told(frame)


def test_strict_where_it_is():
    random = np.random.default_rng(1)
    low = random.integers(0, 500, 1_000)
    frame = pd.DataFrame({"low": low, "same": low + random.integers(0, 90, 1_000),
                          "more": low + random.integers(1, 90, 1_000)})
    assert {"low <= same", "low < more"} <= told(frame)


# ---------------------------------------------------------------- formulas


@given(st.floats(1e-3, 1e5), st.integers(1, 4))
def test_the_shortest_number_lies_between(middle, digits):
    short = float(f"{middle:.{digits}g}")
    found = sums.shortest(short * (1 - 1e-7), short * (1 + 1e-7))
    assert found is not None and abs(float(found) - short) <= 2e-7 * short
    assert len(found.replace(".", "").strip("0")) <= digits


@pytest.mark.parametrize(("made", "text"), [
    (lambda a, b, c: a + b - c, "t == a + b - c"), (lambda a, b, c: 12 * a + b, "t == 12 * a + b"),
    (lambda a, b, c: 2024 - a, "t == 2024 - a"), (lambda a, b, c: a * b, "t == a * b"),
    (lambda a, b, c: a + b + c + 7, "t == a + b + c + 7"), (lambda a, b, c: 60 * a, "t == 60 * a"),
])
def test_formulas(made, text):
    random = np.random.default_rng(1)
    a, b, c = (random.integers(20, 90, 2_000) for _ in range(3))
    frame = pd.DataFrame({"a": a, "b": b, "c": c, "t": made(a, b, c), "far": random.integers(0, 90, 2_000)})
    found = {t for t in told(frame) if "==" in t}
    assert len(found) == 1
    assert text in found or _solved(found.pop(), frame)


def _solved(text: str, frame: pd.DataFrame) -> bool:
    """Whether the formula is the same law, solved for another column."""
    return "t" in text.replace("==", " ").split() and bool(frame.eval(text).all())


def test_the_longest_sums_and_decimals():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({f"x{i}": random.gamma(2, 20, 1_500).round(2) for i in range(8)})
    frame["all"] = frame.sum(axis=1).round(2)
    assert {t for t in told(frame) if "==" in t} == {"all == " + " + ".join(f"x{i}" for i in range(8))}


def test_equal_columns_once():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"a": random.integers(0, 90, 500)})
    frame["b"], frame["c"] = frame["a"], frame["a"]
    assert {t for t in told(frame) if "==" in t} == {"a == b", "a == c"}


@pytest.mark.parametrize(("per", "text"), [(1, "n == end - start"), (24, "n == (end - start) * 24"),
                                           (1440, "n == (end - start) * 1440")])
def test_the_time_between_two_moments(per, text):
    random = np.random.default_rng(1)
    start = pd.Timestamp("2021-03-01") + pd.to_timedelta(random.integers(0, 500, 1_500), "D")
    n = random.integers(1, 90, 1_500)
    frame = pd.DataFrame({"start": start, "n": n, "end": start + pd.to_timedelta(n * (1440 // per), "min")})
    assert text in told(frame)


def test_an_age_of_two_dates():
    random = np.random.default_rng(1)
    born = pd.Timestamp("1940-01-01") + pd.to_timedelta(random.integers(0, 20_000, 1_500), "D")
    seen = pd.Timestamp("2015-01-01") + pd.to_timedelta(random.integers(0, 2_000, 1_500), "D")
    frame = pd.DataFrame({"born": born, "seen": seen, "age": np.floor((seen - born).days / 365.25).astype(int)})
    assert "age == floor((seen - born) / 365.25)" in told(frame)


# ---------------------------------------------------------------- missing cells, groups, uniqueness, patterns


@given(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")).filter(lambda p: p[0] < p[1])))
def test_direct_implications_bring_all_of_them_back(pairs):
    """The transitive reduction: the closure of what is told is the closure of what was found."""
    def closed(some):
        some = set(some)
        while more := {(a, d) for a, b in some for c, d in some if b == c} - some:
            some |= more
        return some
    assert closed(nulls.direct(list("abcd"), closed(pairs))) == closed(pairs)


def test_a_gap_that_follows_from_a_gap():
    random = np.random.default_rng(1)
    first = random.random(3_000) < 0.05
    second, far = first | (random.random(3_000) < 0.03), random.random(3_000) < 0.1
    frame = pd.DataFrame({n: pd.Series(random.integers(0, 900, 3_000), dtype="Int64").mask(lacks)
                          for n, lacks in (("a", first), ("b", second), ("c", far), ("d", first))})
    assert {t for t in told(frame) if "null" in t} == {
        "d is null when a is null", "a is null when d is null", "b is null when a is null"}


def test_one_hot_groups_need_each_of_them():
    random = np.random.default_rng(1)
    hot = random.integers(0, 4, 800)
    frame = pd.DataFrame({f"f{i}": (hot == i).astype(int) for i in range(4)} | {"x": random.integers(0, 2, 800)})
    assert "onehot(f0, f1, f2, f3)" in told(frame)
    frame["f3"] = 0
    assert not any("onehot" in t for t in told(frame[["f0", "f3", "x"]]))


def test_keys_of_two_columns():
    random = np.random.default_rng(1)
    cell = random.permutation(9_000)[:3_000]
    frame = pd.DataFrame({"order": cell // 30, "line": cell % 30, "price": random.normal(size=3_000).round(2)})
    assert "unique(order, line)" in told(frame)
    frame.loc[0, ["order", "line"]] = frame.loc[1, ["order", "line"]].to_numpy()
    assert not any("unique" in t for t in told(frame))


def test_pairs_that_never_met_by_luck_are_not_unique(monkeypatch):
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"a": random.integers(0, 900, 4_000), "b": random.integers(0, 900, 4_000)}).drop_duplicates()
    assert not any("unique" in t for t in told(frame))
    monkeypatch.setattr(groups, "TWICE", 0)
    assert any("unique" in t for t in told(frame))


def test_combinations_that_are_no_dependency():
    random = np.random.default_rng(1)
    make = random.integers(0, 12, 4_000)
    model = (make * 2 + random.integers(0, 6, 4_000)) % 24
    frame = pd.DataFrame({"make": [f"m{i}" for i in make], "model": [f"x{i}" for i in model],
                          "hue": random.choice(list("rgb"), 4_000)})
    assert {t for t in told(frame) if "combinations" in t} == {"combinations(make, model)"}


def test_patterns_of_texts():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"tag": [f"{random.choice(['AB', 'XY', 'QQ'])}-{i}/{'u' * random.integers(1, 9)}"
                                  for i in random.integers(10**7, 10**8, 600)], "n": random.normal(size=600)})
    found = told(frame, schema={"tag": "text"})
    assert any(t.startswith("matches(tag") and "[A-Z]{2}" in t and "[a-z]+" in t and "AB" not in t for t in found)


def test_a_key_of_a_reference_and_a_number_is_told_and_kept():
    """Lines of an order: the keys come again, the pairs never do; drawn rows neither."""
    random = np.random.default_rng(1)
    cell = random.permutation(6_000)[:2_500]
    frame = pd.DataFrame({"order_id": [f"ORD-{i:05d}" for i in cell // 20], "line": cell % 20,
                          "price": random.normal(50, 9, 2_500).round(2)})
    schema = {"order_id": {"kind": "key", "notation": {"kind": "reference", "to": None, "distinct": 300, "look": {
        "template": "ORD-#####"}}}}
    found = fabrica.discover(frame, schema=schema)
    assert "unique(order_id, line)" in {one.text for one in found}
    model = fabrica.fit(frame, engine="independent", schema=schema, rules=["unique(order_id, line)"])
    drawn = model.sample(2_000, seed=1)
    assert drawn.order_id.duplicated().any() and not drawn.duplicated(["order_id", "line"]).any()
