"""How each kind is kept: the law of the rest, missing values, types as the user has them, people who are protected."""

from __future__ import annotations

import json
from datetime import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_worlds import KINDS, dependency, formula, onehot, ordering, world
from small_models import made_of_rules

import fabrica
from fabrica import notation
from fabrica.contract import Cells
from fabrica.dataset import Dataset
from fabrica.errors import SchemaError
from fabrica.inference import infer
from fabrica.model import TableModel
from fabrica.rules import Rulebook, learned
from fabrica.rules.law import placed
from fabrica.rules.pool import Chain
from fabrica.rules.unique import Seen, Unique
from fabrica.run import Run
from fabrica.schema import Column, Table


def booked(frame: pd.DataFrame, rules, **kinds) -> tuple[Rulebook, pa.Table, Table]:
    data = Dataset.open(frame)
    table, _ = infer(data.table, overrides=kinds)
    table = Table(table.name, table.columns, rules=tuple(rules))
    return learned(table, data.batches(), 5, Run(1)), pa.Table.from_batches(list(data.batches())), table


def cells_of(table: Table, rows) -> dict[str, Cells]:
    return {c.name: notation.read(c, rows.column(c.name)) for c in table.columns}


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
def test_reduced_and_restored_rows_are_the_same(seed, kinds):
    w = world(seed, kinds, rows=150)
    book, rows, table = booked(w.frame(), w.rules, **w.schema)
    reduced, before = book.reduce(rows), cells_of(table, rows)
    inner = {c.name: column if isinstance(column := reduced.column(i), Cells) else notation.read(c, column)
             for i, c in enumerate(book.inner.columns)}
    after = book.restore(inner, Run(2))
    rare = np.zeros(len(w.frame()), bool)
    for kept in book.kept:  # combinations and keys of fewer than k rows are not told
        if type(kept).__name__ == "Grouped":
            codes = [p.code(before[n]) for p, n in zip(kept.pools, kept.law.members, strict=True)]
            rare |= kept.held.find(codes) < 0
        if type(kept).__name__ == "Looked":
            rare |= kept.keys.find([p.code(before[n]) for p, n in zip(kept.given, kept.law.given, strict=True)]) < 0
    for name in table.names:
        column = table[name]
        one, two = (notation.write(column, cells[name]).to_pylist() for cells in (before, after))
        same = [a == b or (isinstance(a, float) and isinstance(b, float) and abs(a - b) < 1e-9)
                for a, b in zip(one, two, strict=True)]
        assert all(s or r for s, r in zip(same, rare, strict=True)), name


# ---------------------------------------------------------------- the law of the rest


def test_a_forbidden_cell_leaves_the_law_of_the_others():
    """A known joint of 3 x 4 cells, of which one is ruled out: given the row the law of the column is that of the cells
    that are left, and the other column's shares stay."""
    random, rows = np.random.default_rng(1), 40_000
    joint = random.dirichlet(np.ones(12)).reshape(3, 4)
    pick = random.choice(12, rows, p=joint.ravel())
    frame = pd.DataFrame({"x": np.array(["p", "q", "r"])[pick // 4], "y": np.array(["1a", "2a", "3a", "4a"])[pick % 4]})
    obey = frame[~((frame.x == "q") & (frame.y == "2a"))]
    model = fabrica.fit(obey, engine="independent", seed=1, rules=["not (x == 'q' and y == '2a')"])
    drawn = model.sample(60_000, seed=1)
    assert not ((drawn.x == "q") & (drawn.y == "2a")).any()
    known = obey.y.value_counts(normalize=True)
    for x in "pqr":
        law = known.drop("2a") / known.drop("2a").sum() if x == "q" else known
        found, size = drawn.y[drawn.x == x].value_counts(normalize=True), (drawn.x == x).sum()
        for y, share in law.items():
            assert abs(found.get(y, 0) - share) < 5 * (share / size + share / len(obey)) ** 0.5
    for x, share in obey.x.value_counts(normalize=True).items():
        assert abs((drawn.x == x).mean() - share) < 5 * (share / len(obey) + share / 60_000) ** 0.5


def test_a_gap_keeps_its_law_and_a_donor_is_near():
    random, rows = np.random.default_rng(2), 20_000
    start = random.integers(0, 10_000, rows)
    near = pd.DataFrame({"a": start, "b": start + random.poisson(3, rows)})
    model = fabrica.fit(near, engine="independent", seed=1, rules=["b >= a"])
    assert "gap" in model.words()[-1]
    drawn = model.sample(20_000, seed=1)
    gap = drawn.b - drawn.a
    assert (gap >= 0).all() and abs(gap.mean() - 3) < 0.1 and abs(gap.var() - 3) < 0.3
    far = pd.DataFrame(np.sort(random.normal(0, 1, (rows, 2)).round(3), axis=1), columns=["a", "b"])
    far["a"] = far.a.mask(random.random(rows) < 0.2)
    loose = fabrica.fit(far, engine="independent", seed=1, rules=["b >= a"])
    assert "donor" in loose.words()[-1]
    drawn = loose.sample(20_000, seed=1)
    assert not (drawn.b < drawn.a).any() and abs(drawn.a.mean() - far.a.mean()) < 0.05


def test_conditions_on_computed_and_looked_up_columns():
    w = world(3, [formula, ordering, dependency, onehot], rows=3_000, linked=False)
    model = fabrica.fit(w.frame(), engine="trees", seed=1, rules=w.rules, trees=5)
    drawn = model.sample(500, seed=1, given="region2 == 'west' and is13 == 1 and total0 > 60 and end1 > '2021-06-01'")
    assert w.broken(drawn) == {} and (drawn.region2 == "west").all() and set(drawn.state2) == {"CC"}
    assert (drawn.total0 > 60).all() and (drawn.is13 == 1).all() and len(drawn) == 500


def test_uniqueness_of_rows_that_satisfy_a_condition():
    random = np.random.default_rng(1)
    cell = random.permutation(6_000)[:2_000]
    frame = pd.DataFrame({"x": cell // 30, "y": cell % 30, "z": random.choice(["u", "v"], 2_000)})
    model = fabrica.fit(frame, engine="independent", seed=1, rules=["unique(x, y)"])
    drawn = model.sample(600, seed=1, given="z == 'u'")
    assert not drawn.duplicated(["x", "y"]).any() and (drawn.z == "u").all() and len(drawn) == 600
    with pytest.raises(SchemaError, match="hardly more than"):
        model.sample(9_000, seed=1)


# ---------------------------------------------------------------- types


def test_moments_of_every_kind_come_back_as_they_were():
    random, rows = np.random.default_rng(1), 1_500
    day = pd.Timestamp("2024-03-25") + pd.to_timedelta(random.integers(0, 400 * 24, rows), "h")
    zone = day.tz_localize("Europe/Berlin", ambiguous=True, nonexistent="shift_forward")
    frame = pd.DataFrame({
        "a": zone, "b": zone + pd.to_timedelta(random.integers(1, 90, rows), "m"),
        "t": [time(int(h), 0) for h in random.integers(0, 12, rows)],
        "d": pd.to_timedelta(random.integers(0, 9, rows), "h")})
    frame["u"] = [time(t.hour + int(n), 30) for t, n in zip(frame.t, random.integers(0, 12, rows), strict=True)]
    frame["e"] = frame.d + pd.to_timedelta(random.integers(0, 99, rows), "s")
    model = fabrica.fit(frame, engine="independent", seed=1, rules=["b > a", "u > t", "e >= d"])
    drawn = model.sample(3_000, seed=1)
    assert (drawn.dtypes == frame.dtypes).all()
    wall = [drawn[n].dt.tz_localize(None) for n in "ab"]
    assert (wall[1] > wall[0]).all() and (drawn.e >= drawn.d).all()
    assert all(u > t for u, t in zip(drawn.u, drawn.t, strict=True))


def test_text_of_a_delimited_file_keeps_its_writing(tmp_path):
    random, rows = np.random.default_rng(1), 1_200
    net, tax = random.integers(100, 500_000, rows), random.integers(0, 9_000, rows)
    money = lambda cents: f"${cents / 100:,.2f}"  # noqa: E731
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, rows), "D")
    end = start + pd.to_timedelta(random.integers(1, 9, rows), "D")
    gone = random.choice(["", "?", "n/a"], rows, p=[0.8, 0.15, 0.05])
    lines = ["net,tax,total,start,end"] + [
        f'"{money(n)}","{money(t)}","{money(n + t)}",{s:%d.%m.%Y},{g or f"{e:%d.%m.%Y}"}'
        for n, t, s, e, g in zip(net, tax, start, end, gone, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    model = fabrica.fit(tmp_path / "t.csv", engine="independent", seed=1, rules=["total == net + tax", "end > start"])
    model.save(tmp_path / "m.fab")
    drawn = pa.Table.from_batches(list(TableModel.load(tmp_path / "m.fab").sample_batches(2_000, Run(1), as_text=True)))
    frame = drawn.to_pandas()
    cents = {n: frame[n].str.replace(r"[$,.]", "", regex=True).astype(int) for n in ("net", "tax", "total")}
    assert (cents["total"] == cents["net"] + cents["tax"]).all() and frame.total.str.fullmatch(r"\$[\d,]+\.\d\d").all()
    said = frame.end.isin(["?", "n/a"])
    assert {"?", "n/a"} <= set(frame.end) and abs((frame.end == "?").mean() - 0.15) < 0.05
    when = [pd.to_datetime(frame[n][~said], format="%d.%m.%Y") for n in ("start", "end")]
    assert (when[1] > when[0]).all()


def test_whole_numbers_beyond_a_float_are_exact():
    random = np.random.default_rng(1)
    a, b = random.integers(2**61, 2**61 + 2**60, 600), random.integers(0, 9, 600)
    frame = pd.DataFrame({"a": a, "b": b, "c": a + b, "d": a + random.integers(1, 3, 600)})
    drawn = fabrica.fit(frame, engine="independent", seed=1, rules=["c == a + b", "d > a"]).sample(2_000, seed=1)
    assert (drawn.c == drawn.a + drawn.b).all() and (drawn.d > drawn.a).all()
    with pytest.raises(SchemaError, match="1 of 600 rows break"):
        fabrica.fit(frame.assign(c=frame.c + (np.arange(600) == 7)), engine="independent", rules=["c == a + b"])


# ---------------------------------------------------------------- people


def test_what_fewer_than_k_rows_hold_is_in_no_file():
    """Keys, values and combinations of few people are neither in the model nor drawn."""
    random, rows = np.random.default_rng(1), 2_000
    state = random.choice(["AA", "AB"], rows).astype(object)
    town = np.where(state == "AA", "Ford", "Hill").astype(object)
    state[:3], town[:3] = "Zyxomma", "Quillfish"
    frame = pd.DataFrame({"state": state, "town": town, "p": np.where(np.arange(rows) < 4, "Rarebit", "many"),
                          "q": np.where(np.arange(rows) < 4, "Oddball", random.choice(["u", "v"], rows))})
    for rules in (["state -> town"], ["combinations(p, q)"]):
        model = fabrica.fit(frame, engine="trees", seed=1, rules=rules, trees=3)
        said = json.dumps(model.state().plain) + str(model.words()) + model.sample(5_000, seed=1).to_csv()
        for secret in ("Zyxomma", "Quillfish", "Rarebit", "Oddball"):
            assert secret not in said
    with pytest.raises(SchemaError, match="fewer than 5 rows hold each") as caught:
        fabrica.fit(frame.head(4), engine="independent", rules=["combinations(p, q)"])
    assert "Rarebit" not in str(caught.value)


def test_a_value_is_missing_where_its_key_never_has_one_and_nowhere_else():
    """Though the column is learned too, for its keys are protected in many rows; a key that has a value in a part of
    its rows has one in about that part."""
    random, rows = np.random.default_rng(1), 6_000
    shop = random.integers(0, 12, rows)
    name = np.where(random.random(rows) < 0.1, [f"single {i}" for i in range(rows)], [f"shop {i}" for i in shop])
    region = pd.Series([f"R{i % 3}" for i in shop]).mask((shop % 2 == 0) | ((shop == 3) & (random.random(rows) < 0.4)))
    frame = pd.DataFrame({"shop": name, "region": region, "x": random.normal(size=rows).round(2)})
    drawn = fabrica.fit(frame, engine="independent", seed=1, rules=["shop -> region"]).sample(20_000, seed=1)
    number = drawn["shop"].str.removeprefix("shop ").astype(int)
    assert drawn["region"][number % 2 == 0].isna().all()
    assert drawn["region"][(number % 2 == 1) & (number != 3)].notna().all()
    gone = frame["region"].isna()[shop != 3].mean()  # what an independent column is missing
    assert 0.3 < drawn["region"][number == 3].isna().mean() < 0.7 and 0.4 < gone < 0.6


def test_two_dependencies_of_one_column_hold_for_protected_keys_too():
    random, rows = np.random.default_rng(0), 4_000
    x = np.where(random.random(rows) < 0.5, random.integers(0, 20, rows), random.integers(0, 2_000, rows))
    g = np.array(list("abcdefghij"))[(x // 7) % 10]
    frame = pd.DataFrame({"h": np.char.add("h", g.astype(str)), "x": x, "g": g})
    drawn = fabrica.fit(frame, engine="independent", seed=1, rules=["h -> g", "x -> g"]).sample(8_000, seed=2)
    assert (drawn.groupby("x")["g"].nunique() == 1).all() and (drawn.groupby("h")["g"].nunique() == 1).all()
    assert drawn["x"].nunique() > 100


def test_keys_that_come_again_are_unique_with_others_under_a_condition_too():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"shop": [f"S-{i:05d}" for i in np.repeat(np.arange(1_000), 3)],
                          "item": np.concatenate([random.permutation(40)[:3] for _ in range(1_000)]),
                          "z": random.normal(size=3_000).round(3)})
    model = fabrica.fit(frame.rename(columns={"shop": "shop_id"}), engine="independent", seed=1,
                        rules=["unique(shop_id, item)"])
    assert model.table["shop_id"].kind == "key" and model.table["shop_id"].refers
    drawn = model.sample(4_000, seed=1, given="z > 0")
    assert not drawn.duplicated(["shop_id", "item"]).any() and (drawn["z"] > 0).all()


def test_rules_that_real_rows_break_are_told_with_their_count():
    frame = pd.DataFrame({"a": range(1_000), "b": range(1_000), "s": ["x", "y"] * 500})
    frame.loc[[3, 8], "a"] = 5_000
    for rules, words in ((["b >= a"], "2 of 1,000 rows break 'b >= a'"), (["a == b"], "2 of 1,000 rows"),
                         (["s -> a"], "998 of 1,000"), (["unique(a)"], "1 of 1,000"),
                         (["a in (0..2000)"], "2 of 1,000"), (["a is null when s == 'x'"], "500 of 1,000"),
                         (["onehot(a, b)"], "1,000 of 1,000")):
        with pytest.raises(SchemaError, match=words) as caught:
            fabrica.fit(frame, engine="independent", rules=rules, schema={"a": "integer", "b": "integer"})
        assert "5000" not in str(caught.value) and "leave a rule out" in str(caught.value)


# ---------------------------------------------------------------- edited rows, parts


def test_edited_rows_are_mended():
    model = made_of_rules()
    rows = model.sample(3_000, seed=1)
    cells = cells_of(model.table, rows)
    where = np.arange(0, 3_000, 7)
    cells["net"] = placed(cells["net"], where, Cells(pa.array(np.full(len(where), 200))))
    assert model.book.breaking(cells)
    after = model.book.mended(cells, Run(3))
    assert not model.book.breaking(after)
    low = np.asarray(after["level"].values) > 0
    assert (np.asarray(after["net"].values)[where] == 95)[low[where]].all() and low[where].any()
    total = np.asarray(after["net"].values) + np.asarray(after["tax"].values)
    assert (np.asarray(after["total"].values) == total).all()
    rest = np.setdiff1d(np.arange(3_000), where)
    assert all(after[n].take(rest).values.equals(cells[n].take(rest).values) for n in cells)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=30),
       st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 5), st.integers(-1, 2)), min_size=1, max_size=30))
def test_a_chain_finds_what_is_there_and_neighbours_share_a_beginning(known, asked):
    chain = Chain.of((4, 6, 3), np.array(known, np.int64))
    codes = list(np.array(asked, np.int64).T)
    rows = [tuple(row) for row in chain.codes.tolist()]
    assert rows == sorted(set(known))
    assert chain.find(codes).tolist() == [rows.index(a) if a in rows else -1 for a in asked]
    for a, near in zip(asked, chain.near(codes).tolist(), strict=True):
        def shared(row, a=a):
            return next((i for i, (x, y) in enumerate(zip(row, (max(v, 0) for v in a), strict=True)) if x != y), 3)

        assert shared(rows[near]) == max(map(shared, rows))


def test_a_model_file_keeps_the_rules(tmp_path):
    model = made_of_rules()
    again = TableModel.load(model.save(tmp_path / "m.fab"))
    assert again.book.words() == model.book.words() and again.table == model.table
    assert again.sample(500, seed=3) == TableModel.load(tmp_path / "m.fab").sample(500, seed=3, workers=2)
    assert not again.book.broken(again.sample(5_000, seed=3)).any()


@given(st.lists(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["a", "b", None])), min_size=1, max_size=12),
                min_size=1, max_size=5))
def test_what_came_before_is_found_in_every_part(parts):
    """Against a set of tuples; rows that lack a cell are not compared."""
    table = Table("t", (Column("x", "integer", "int64"), Column("y", "category")))
    law, seen, known = Unique("unique(x, y)", ("x", "y"), table), Seen(), set()
    for part in parts:
        rows = {"x": Cells(pa.array([x for x, _ in part])), "y": Cells(pa.array([y for _, y in part], pa.string()))}
        again, here = [], set(known)
        for i, row in enumerate(part):
            if row[1] is not None:
                again += [i] if row in here else []
                here.add(row)
        assert seen.again(law, rows).tolist() == again
        seen.add(law, rows, np.setdiff1d(np.arange(len(part)), again))
        known = here
