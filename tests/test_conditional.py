"""Conditions on a learned table: every row satisfies, the law is the model's own, what cannot be is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fabrica
from fabrica import notation
from fabrica.conditional import Asked, satisfying
from fabrica.contract import Masked
from fabrica.errors import ExpressionError, UnknownName
from fabrica.expression import Expression
from fabrica.model import TableModel
from fabrica.run import Run


def people(rows: int = 6_000) -> pd.DataFrame:
    """Numbers, levels, a date, a key and missing values that hang together."""
    random = np.random.default_rng(1)
    group = random.choice(["a", "b", "c", "d"], rows, p=[0.5, 0.3, 0.15, 0.05])
    age = np.round(random.normal(np.select([group == "a", group == "b"], [30, 45], 60), 8)).astype(int)
    pay = np.round(random.gamma(2, 10 + 30 * (group == "c") + age / 10), 1)
    rich = np.where(random.random(rows) < 1 / (1 + np.exp(3 - pay / 30)), "yes", "no")
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, rows) + (group == "b") * 60, "D")
    note = np.where(random.random(rows) < 0.2 + 0.3 * (group == "d"), None, "some")
    return pd.DataFrame({"id": [f"P{i:06d}" for i in range(rows)], "group": group, "age": age, "pay": pay, "rich": rich,
                         "when": when.strftime("%Y-%m-%d"), "note": note})


@pytest.fixture(scope="module")
def trees() -> TableModel:
    return fabrica.fit(people(), engine="trees", seed=1)


ENGINES = ["trees", "copula", "bayesnet", "independent", "autoregressive", "vae", "boosted"]


@pytest.fixture(scope="module", params=ENGINES)
def model(request) -> TableModel:
    epochs = {"autoregressive": 1, "vae": 8}.get(request.param)
    quick = {"epochs": epochs} if epochs else {}
    if quick:
        pytest.importorskip("torch", reason="networks need the extra `nets`")
    return fabrica.fit(people(), engine=request.param, seed=1, **quick)


@pytest.fixture(scope="module")
def free(model) -> pd.DataFrame:
    """Rows of which nothing is asked."""
    return model.sample(60_000, seed=3)


CONDITIONS = ["rich == 'yes' and age in (30..40)", "group in ('c', 'd')", "note is null and pay > 50.5",
              "when >= '2024-06-15' and when < '2024-08-01'", "age > pay", "not (group == 'a' or rich == 'yes')",
              "age between 30 and 33 and (pay > age or note is null)", "weekday(when) == 2"]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_row_satisfies_and_the_law_is_that_of_filtered_rows(model, free, condition):
    drawn = model.sample(3_000, given=condition, seed=2)
    expression = model.condition(condition)

    def truth(frame):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        cells = {c.name: notation.read(c, table.column(c.name)) for c in model.table.columns}
        return expression.truth(cells)

    assert truth(drawn).all() and len(drawn) == 3_000 and drawn["id"].is_unique
    kept = free[truth(free)]
    blur = 1 / len(drawn) + 1 / len(kept)
    for name in ("age", "pay"):
        scale = 5 * kept[name].std() * blur**0.5
        assert abs(drawn[name].mean() - kept[name].mean()) < scale
    for name in ("group", "rich"):
        for level in kept[name].unique():
            share = (kept[name] == level).mean()
            assert abs((drawn[name] == level).mean() - share) < 5 * (share * (1 - share) * blur) ** 0.5 + 1e-3
    share = kept["note"].isna().mean()
    assert abs(drawn["note"].isna().mean() - share) < 5 * (share * (1 - share) * blur) ** 0.5 + 1e-3


def test_workers_do_not_matter_and_seeds_do(trees):
    one, two, other = (trees.sample(500, given="group == 'd'", seed=s, workers=w) for s, w in ((1, 1), (1, 3), (2, 1)))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)


def test_rare_conditions_are_drawn_and_their_law_is_the_known_one():
    """1 of 50,000 rows: two independent rare levels, and a column that tells the first."""
    random, rows = np.random.default_rng(2), 60_000
    one, two = random.random(rows) < 1 / 200, random.random(rows) < 1 / 250
    three = np.where(random.random(rows) < np.where(one, 0.7, 0.2), "u", "v")
    frame = pd.DataFrame({"one": np.where(one, "y", "n"), "two": np.where(two, "y", "n"), "three": three})
    model = fabrica.fit(frame, engine="trees", seed=1)
    drawn = model.sample(10_000, given=["one=y", "two=y"], seed=1)
    assert (drawn["one"] == "y").all() and (drawn["two"] == "y").all()
    known = (three[one] == "u").mean()
    assert abs((drawn["three"] == "u").mean() - known) < 5 * (known * (1 - known) / one.sum()) ** 0.5


def test_masks_alone_need_no_second_look(trees):
    condition = Expression.of("group == 'd' and age <= 60", trees.table)
    asked = Asked.of([condition], trees.encoder, trees.model, Run(1))
    assert isinstance(trees.model, Masked) and len(asked.masks) == 2 and not asked.rest
    drawn = satisfying(asked, trees.encoder, trees.model, 400, Run(2))
    assert drawn.differ == len(drawn) == 400 and all(len(cell) == 400 for cell in drawn.cells.values())


def test_keys_are_missing_for_the_rows_that_lack_them():
    """Who refers to nobody is part of what was learned, and must go with the rest of the row."""
    frame = people()
    frame["parent"] = np.where(frame["group"] == "d", None, [f"K{i % 900:05d}" for i in range(len(frame))])
    model = fabrica.fit(frame, engine="trees", seed=1, schema={"parent": "key"})
    drawn = model.sample(2_000, given="age > 20", seed=1)
    for name, group in drawn.groupby("group"):
        assert (group["parent"].isna().mean() > 0.9) == (name == "d")


def test_the_far_end_of_a_column_is_not_called_impossible():
    x = np.round(np.random.default_rng(3).exponential(100, 40_000), 2)
    frame = pd.DataFrame({"x": x, "y": ["a", "b"] * 20_000})
    model = fabrica.fit(frame, engine="independent", seed=1)
    top = model.sample(400_000, seed=1)["x"].to_numpy()
    bound = float(np.sort(top)[-8])  # eight of 400,000
    drawn = model.sample(40, given=f"x >= {bound}", seed=2)
    assert (drawn["x"] >= bound).all()


def test_a_declared_law_is_cut_where_the_condition_says():
    """Numbers that a specification declares are drawn exactly: the mean of a cut normal is known."""
    model = fabrica.specify({"columns": {"x": {"distribution": "normal", "mean": 0, "std": 1},
                                         "y": {"distribution": "normal", "mean": 0, "std": 1}},
                             "correlations": [["x", "y", 0.6]]})
    drawn = model.sample(20_000, given="x > 1.3", seed=1).to_pandas()
    known = np.exp(-(1.3**2) / 2) / np.sqrt(2 * np.pi) / 0.0968  # the inverse Mills ratio
    assert (drawn["x"] > 1.3).all() and abs(drawn["x"].mean() - known) < 0.02
    assert abs(drawn["y"].mean() - 2 * np.sin(np.pi / 10) * known) < 0.03  # of ranks: .6, of numbers: .618


@pytest.mark.parametrize(("given", "words"), [
    ("age in (200..300)", "reaches from about"), ("group == 'z'", "has the levels 'a', 'b', 'c', 'd'"),
    ("group == 'a' and group == 'b'", "no value satisfies"), ("id == 'P000001'", "made afresh"),
    ("age > 60 and", "expected"),
    ("rich == 'yes' and age > pay + 1000", "none of")])
def test_what_cannot_be_is_said(trees, given, words):
    with pytest.raises(ExpressionError, match=words):
        trees.sample(100, given=given)


def test_short_words_and_their_mistakes(trees):
    drawn = trees.sample(200, given=["age=30..40", "group=a|b", "note!=null"], seed=1)
    assert drawn["age"].between(30, 40).all() and set(drawn["group"]) <= {"a", "b"} and drawn["note"].notna().all()
    with pytest.raises(UnknownName):
        trees.sample(10, given=["agee=3"])
    assert len(trees.sample(0, given=["age=30..40"])) == 0


def test_too_few_rows_stand_several_times_and_that_is_told(monkeypatch, trees):
    monkeypatch.setattr("fabrica.conditional.MOST", 20_000)
    monkeypatch.setattr("fabrica.conditional.EACH", 1)
    said = []
    drawn = trees.sample(5_000, given="age > 70 and age > pay", listener=lambda news: said.append(news.note))
    assert len(drawn) == 5_000 and drawn["id"].is_unique and drawn.drop(columns="id").duplicated().any()
    assert any("different rows satisfy" in note for note in said)


def test_rare_alternatives_are_drawn_from_each_and_those_that_satisfy_both_count_once():
    """Two rare alternatives that overlap, and one that cannot be: shares of each are those of the known law."""
    random, rows = np.random.default_rng(4), 40_000
    one, half = random.random(rows) < 0.004, random.random(rows) < 0.5
    two = (random.random(rows) < 0.004) | (one & half)
    frame = pd.DataFrame({"one": np.where(one, "y", "n"), "two": np.where(two, "y", "n"),
                          "x": random.normal(size=rows).round(2)})
    model = fabrica.fit(frame, engine="bayesnet", seed=1)
    drawn = model.sample(6_000, given="one == 'y' and x > 1 or two == 'y' and x > 1 or one == 'n' and x > 900", seed=1)
    free = model.sample(1_000_000, seed=2)
    kept = free[((free["one"] == "y") | (free["two"] == "y")) & (free["x"] > 1)]
    assert (((drawn["one"] == "y") | (drawn["two"] == "y")) & (drawn["x"] > 1)).all()
    for one, two in (("y", "y"), ("y", "n"), ("n", "y")):
        shares = [((f["one"] == one) & (f["two"] == two)).mean() for f in (drawn, kept)]
        assert abs(shares[0] - shares[1]) < 5 * (0.25 * (1 / 6_000 + 1 / len(kept))) ** 0.5
    with pytest.raises(ExpressionError, match="no row of the model satisfies it"):
        model.sample(10, given="one == 'y' and x > 900 or two == 'y' and x > 900")


def test_conditions_far_narrower_than_a_code_are_drawn_by_the_law_of_the_model():
    """Values that hardly any draw of a code satisfies are neither lost nor drawn as often as others."""
    values = np.round(np.random.default_rng(0).lognormal(5, 1, 20_000), 2)
    model = fabrica.fit(pd.DataFrame({"x": values, "g": ["a", "b"] * 10_000}), engine="independent", seed=1)
    spans = [(30.0, 30.1), (150.0, 150.1), (420.0, 420.1), (600.0, 600.1)]
    many = model.sample(1_500_000, seed=9)["x"].to_numpy()
    drawn = model.sample(20_000, seed=3, given=f"x in ({', '.join(f'{a}..{b}' for a, b in spans)})")["x"].to_numpy()
    counts = [np.array([((x > a - 1e-9) & (x < b + 1e-9)).sum() for a, b in spans]) for x in (many, drawn)]
    assert counts[1].sum() == 20_000
    p, q = (count / count.sum() for count in counts)
    assert (np.abs(p - q) < 4 * (p / counts[0].sum()) ** 0.5 + 0.08 * p).all()
    some = model.sample(400, seed=3, given="x in (600.01, 30.01)")["x"]
    assert 0 < (some == 600.01).mean() < 0.3


def test_an_alternative_of_which_hardly_a_row_is_found_is_not_lost():
    frame = pd.DataFrame({name: np.random.default_rng(i).integers(0, 40, 20_000) for i, name in enumerate("abcd")})
    model = fabrica.fit(frame, engine="independent", seed=1)
    notes = []
    either = "(a == b and b == c + 11 and abs(d - c) <= 1) or (a == b + 10 and b == c + 11 and d == c)"
    drawn = model.sample(300, seed=4, given=either, listener=lambda news: notes.append(news.note))
    second = drawn["a"] != drawn["b"]
    assert 0.05 < second.mean() < 0.35  # 19 of 105 in truth, from a dozen rows that are found
    assert any("different rows satisfy" in note for note in notes)


@pytest.mark.parametrize("asked", ["pay > 20.01 and pay < 20.04", "pay == 20.005", "age == 40.5"])
def test_between_two_values_lies_none_and_that_is_said(trees, asked):
    """The end of the condition lies among the values of a code, and none of them satisfies it."""
    with pytest.raises(ExpressionError, match=r"no row|no value"):
        trees.sample(10, given=asked)
