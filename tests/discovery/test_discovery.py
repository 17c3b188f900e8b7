"""Rules that a table was made from are found, what chance makes is not, and every count is that of brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import fabrica
from fabrica.discovery import candidate
from fabrica.errors import FabricaError


def world(seed: int = 1, rows: int = 3_000) -> pd.DataFrame:
    """A table that obeys a rule of each kind, and columns that have nothing to do with each other."""
    random = np.random.default_rng(seed)
    net, tax = np.round(random.gamma(2, 50, rows), 2), np.round(random.gamma(2, 8, rows), 2)
    pieces, price = random.integers(1, 9, rows), random.integers(2, 60, rows)
    state = random.integers(0, 12, rows)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 1400, rows), "D")
    smoker = random.choice(["daily", "never", "once"], rows, p=[0.3, 0.5, 0.2])
    packs = pd.Series(random.integers(1, 40, rows), dtype="Int64").mask(smoker == "never")
    hot = random.integers(0, 3, rows)
    return pd.DataFrame({
        "net": net, "tax": tax, "total": np.round(net + tax, 2), "pieces": pieces, "price": price,
        "amount": pieces * price, "state": [f"S{i:02d}" for i in state], "region": [f"R{i % 4}" for i in state],
        "start": start, "year": start.year, "end": start + pd.to_timedelta(random.geometric(0.02, rows), "D"),
        "smoker": smoker, "packs": packs, "red": (hot == 0).astype(int), "green": (hot == 1).astype(int),
        "blue": (hot == 2).astype(int), "share": np.round(random.beta(0.5, 0.5, rows), 3),
        "noise": random.normal(size=rows).round(3), "other": random.choice(list("abcdef"), rows)})


MADE = {"total == net + tax", "amount == pieces * price", "state -> region", "year == year(start)", "start < `end`",
        "packs is null when smoker == 'never'", "packs is not null when not (smoker == 'never')",
        "onehot(red, green, blue)", "0 <= share <= 1"}


def test_what_a_table_was_made_from_is_found():
    found = {one.text.replace("`", ""): one for one in fabrica.discover(world())}
    lacking = {text.replace("`", "") for text in MADE} - set(found)
    assert not lacking
    assert all(one.support == 1 and one.rows == 3_000 for one in found.values())
    extra = [text for text in found if text not in {t.replace("`", "") for t in MADE} and found[text].kind != "range"]
    assert not extra


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 4))
def test_columns_of_chance_obey_hardly_anything(seed, numbers, levels):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({**{f"n{i}": random.normal(50, 10, 1_500).round(1) for i in range(numbers)},
                          **{f"l{i}": random.choice(list("abcde"), 1_500) for i in range(levels)},
                          **{f"b{i}": random.integers(0, 2, 1_500) for i in range(3)}})
    assert [one.text for one in fabrica.discover(frame) if one.kind != "range"] == []


@settings(max_examples=5)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_what_some_rows_break_is_counted_by_brute_force(seed, bad):
    frame = world(seed)
    random = np.random.default_rng(seed)
    rows = random.choice(len(frame), bad, replace=False)
    frame.loc[rows, "total"] = (frame.loc[rows, "total"] + 1).round(2)
    frame.loc[rows[: bad // 2], "packs"] = 3
    found = {one.text: one for one in fabrica.discover(frame, support=0.97)}
    total = found["total == net + tax"]
    assert total.broken == (abs(frame["total"] - frame["net"] - frame["tax"]) > 0.005).sum() == bad
    nulls = found["packs is null when smoker == 'never'"]
    assert nulls.broken == ((frame["smoker"] == "never") & frame["packs"].notna()).sum()
    assert "total == net + tax" not in {one.text for one in fabrica.discover(frame)}


def test_nothing_is_told_that_few_rows_hold():
    """A level of three rows says when another column is missing: it is not named."""
    frame = world()
    frame["secret"] = "x"
    frame.loc[:2, "secret"] = "rare"
    frame["note"] = pd.Series(np.arange(len(frame)) % 7, dtype="Int64").mask(frame["secret"] == "rare")
    assert not any("rare" in one.text for one in fabrica.discover(frame))


def test_an_accident_of_far_ranges_is_no_order():
    frame = world()
    frame["big"] = frame["price"] + 1_000
    found = [one.text for one in fabrica.discover(frame)]
    assert "tax < big" not in found and "pieces < big" not in found


def test_without_the_shuffle_accidents_would_be_found(monkeypatch):
    """The careless twin."""
    frame = world()
    frame["big"] = frame["pieces"] + 1_000
    from fabrica.discovery import orders

    monkeypatch.setattr(orders, "BREAKS", 0.0)
    assert any("big" in one.text and one.kind == "order" for one in fabrica.discover(frame))


def test_candidates_become_law(tmp_path):
    """The file is what `fit` reads; what some rows break stands in it as a remark; every row of the model obeys."""
    from fabrica.cli.commands import _outcome

    frame = world()
    frame.loc[0, "amount"] += 1
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert _outcome(["rules", str(tmp_path / "t.csv"), "-o", str(tmp_path / "r.yaml"), "--support", "0.99", "-q"]) == 0
    text = (tmp_path / "r.yaml").read_text()
    assert '# - "amount == pieces * price"' in text
    kept = yaml.safe_load(text)["rules"]
    assert "total == net + tax" in kept and "amount == pieces * price" not in kept
    drawn = fabrica.fit(tmp_path / "t.csv", engine="independent", rules=kept, seed=1).sample(2_000, seed=1).to_pandas()
    assert (abs(drawn["total"] - drawn["net"] - drawn["tax"]) < 0.005).all()
    assert drawn.groupby("state")["region"].nunique().max() == 1 and (drawn["end"] > drawn["start"]).all()
    assert (drawn[["red", "green", "blue"]].astype(int).sum(axis=1) == 1).all()
    assert (drawn["packs"].isna() == (drawn["smoker"] == "never")).all()


def test_bad_input_is_said(tmp_path):
    with pytest.raises(FabricaError, match="between"):
        fabrica.discover(world(), support=0.1)
    assert len(fabrica.discover(pd.DataFrame({"a": [1, 2, 3]}))) == 0


def test_candidates_show_themselves():
    found = fabrica.discover(world())
    assert "<table>" in found._repr_html_() and "total == net + tax" in str(found) and len(found) > 5
    assert isinstance(found[0], candidate.Candidate)
