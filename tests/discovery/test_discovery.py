"""Rules that a table was made from are found, what chance makes is not, and every count is that of brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from made_to_rules import MADE, RARE, second, world

import fabrica
from fabrica.discovery import candidate
from fabrica.errors import FabricaError


def texts(found, *, ranges: bool = False) -> dict[str, candidate.Candidate]:
    """Candidates by their text, without quotes of names."""
    return {one.text.replace("`", ""): one for one in found if ranges or one.kind != "range" or one.text in MADE}


# ---------------------------------------------------------------- found and not found


@pytest.mark.parametrize(("make", "made"), [(world, MADE), (second, RARE)])
def test_what_a_table_was_made_from_is_found_and_nothing_else(make, made):
    """Recall and precision over several tables: every law each time; hardly a candidate that is none."""
    true = false = 0
    for seed in range(6):
        found = texts(fabrica.discover(make(seed), seed=seed))
        assert not made - set(found), seed
        assert all(found[text].broken == 0 for text in made)
        true, false = true + len(made), false + len(set(found) - made)
    assert false <= 0.02 * true


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 4), st.sampled_from([300, 1_500]))
def test_columns_of_chance_obey_nothing(seed, numbers, levels, rows):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({**{f"n{i}": random.normal(50, 10, rows).round(1) for i in range(numbers)},
                          **{f"l{i}": random.choice(list("abcde"), rows) for i in range(levels)},
                          **{f"g{i}": pd.Series(random.poisson(1, rows), dtype="Int64").mask(random.random(rows) < 0.2)
                             for i in range(2)},
                          **{f"b{i}": random.integers(0, 2, rows) for i in range(3)}})
    assert [one.text for one in fabrica.discover(frame) if one.kind != "range"] == []


def test_few_rows_tell_nothing():
    assert len(fabrica.discover(pd.DataFrame({"a": [1, 2, 3]}))) == 0
    assert len(fabrica.discover(world(1, 12))) == 0


# ---------------------------------------------------------------- counts


@settings(max_examples=5)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_what_some_rows_break_is_counted_by_brute_force(seed, bad):
    frame = world(seed)
    random = np.random.default_rng(seed)
    rows = random.choice(len(frame), bad, replace=False)
    frame.loc[rows, "total"] = (frame.loc[rows, "total"] + 1).round(2)
    frame.loc[rows[: bad // 2], "packs"] = 3
    frame.loc[rows[: bad // 3], "region"] = "R0"
    frame.loc[rows[: bad // 4], "tax"] = np.nan
    found = texts(fabrica.discover(frame, support=0.97))
    total, there = found["total == net + tax"], frame["tax"].notna()
    assert total.broken == ((frame["total"] - frame["net"] - frame["tax"]).abs() > 0.005).sum()
    assert total.rows == there.sum() and total.support == 1 - total.broken / total.rows
    never = frame["smoker"] == "never"
    nulls = found["packs is null when smoker == 'never'"]
    assert (nulls.rows, nulls.broken) == (never.sum(), (never & frame["packs"].notna()).sum())
    others = frame.groupby("state")["region"].agg(lambda values: len(values) - values.value_counts().iloc[0])
    assert found["state -> region"].broken == others.sum() and found["state -> region"].rows == len(frame)
    later = found["start < end"]
    assert (later.rows, later.broken) == (len(frame), 0)
    assert "total == net + tax" not in texts(fabrica.discover(frame, support=1))


def test_all_rows_are_asked_and_not_only_the_sample(monkeypatch):
    """A law of the first hundred rows of a sample that other rows break is told with their count."""
    from fabrica.discovery import search

    frame = world(3)
    frame.loc[::300, "amount"] += 1
    monkeypatch.setattr(search, "SAMPLE", 500)
    found = texts(fabrica.discover(frame))
    assert found["amount == pieces * price"].broken == 10 and found["amount == pieces * price"].rows == 3_000


# ---------------------------------------------------------------- privacy


def test_nothing_is_told_that_few_rows_hold():
    """A level of three rows says when another column is missing: it is not named."""
    frame = world()
    frame["secret"] = "x"
    frame.loc[:2, "secret"] = "rare"
    frame["note"] = pd.Series(np.arange(len(frame)) % 7, dtype="Int64").mask(frame["secret"] == "rare")
    assert not any("rare" in one.text for one in fabrica.discover(frame))


@settings(max_examples=5)
@given(st.integers(0, 1_000), st.integers(1, 4))
def test_levels_in_conditions_are_held_by_k_rows(seed, few):
    """Also where the rare level is one of those for which a cell is there."""
    random = np.random.default_rng(seed)
    level = random.choice(["common", "usual"], 800)
    level[:few] = "rarest"
    frame = pd.DataFrame({"level": level, "cell": pd.Series(random.integers(0, 90, 800), dtype="Int64").mask(
        level == "common"), "more": random.normal(size=800).round(2)})
    found = fabrica.discover(frame)
    assert "cell is null when level == 'common'" in texts(found)
    assert not any("rarest" in one.text + one.why for one in found)


def test_ends_of_ranges_are_nobodys_value():
    random = np.random.default_rng(5)
    frame = pd.DataFrame({"pay": random.lognormal(8, 1, 2_000).round(2), "age": random.integers(18, 91, 2_000),
                          "share": random.beta(1, 1, 2_000).round(2) * 100})
    found = texts(fabrica.discover(frame), ranges=True)
    assert set(found) == {"0 <= share <= 100"}


# ---------------------------------------------------------------- what becomes of them


def test_candidates_become_law(tmp_path):
    """The file is what `fit` reads; what some rows break stands in it as a remark; every row of the model obeys."""
    from fabrica.cli.commands import _outcome

    frame = world()
    frame.loc[0, "amount"] += 1
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert _outcome(["rules", str(tmp_path / "t.csv"), "-o", str(tmp_path / "r.yaml"), "-q"]) == 0
    text = (tmp_path / "r.yaml").read_text()
    assert '# - "amount == pieces * price"' in text and "2,999 of 3,000 rows" in text
    kept = yaml.safe_load(text)["rules"]
    assert "total == net + tax" in kept and "amount == pieces * price" not in kept
    drawn = fabrica.fit(tmp_path / "t.csv", engine="independent", rules=tmp_path / "r.yaml", seed=1).sample(
        2_000, seed=1).to_pandas()
    assert (abs(drawn["total"] - drawn["net"] - drawn["tax"]) < 0.005).all()
    assert drawn.groupby("state")["region"].nunique().max() == 1 and (drawn["end"] > drawn["start"]).all()
    assert (drawn[["red", "green", "blue"]].astype(int).sum(axis=1) == 1).all()
    assert (drawn["packs"].isna() == (drawn["smoker"] == "never")).all()


def test_every_rare_kind_becomes_law():
    frame = second(2)
    kept = yaml.safe_load(fabrica.discover(frame).yaml())["rules"]
    drawn = fabrica.fit(frame, engine="independent", rules=kept, seed=1).sample(1_500, seed=1)
    assert (drawn.clock == 100 * drawn.hour + drawn.minute).all()
    assert (drawn.days == (drawn.gone - drawn.seen).dt.days).all()
    assert (drawn.low <= drawn.middle).all() and (drawn.middle < drawn.high).all()
    assert (drawn.seconds[drawn.calls == 0] == 0).all() and drawn.landed[drawn.departed.isna()].isna().all()
    assert np.allclose(drawn.vat, drawn.price * 0.19, atol=0.0051)


def test_two_candidates_that_contradict_each_other_are_not_both_kept():
    """Of formulas that need each other the second is a remark, with the reason."""
    from fabrica.counted import filled
    from fabrica.discovery.search import _beside
    from fabrica.job import guess
    from fabrica.run import Run

    frame = world()
    table, _ = guess(filled(frame), Run(1), None)
    held = [candidate.Candidate(text, "formula", "", 10)
            for text in ("net == total - tax", "total == net + 3", "tax >= 0")]
    beside = list(_beside(held, table))
    assert [bool(one.clash) for one in beside] == [False, True, False]
    told = candidate.Candidates(tuple(beside)).yaml()
    assert yaml.safe_load(told)["rules"] == ["net == total - tax", "tax >= 0"] and "need each other" in told


def test_a_file_without_laws_can_be_read(tmp_path):
    """Remarks only: a list without entries, into which a remark can be turned back."""
    only = candidate.Candidates((candidate.Candidate("a < b", "order", "why", 10, 1),)).yaml()
    assert yaml.safe_load(only)["rules"] is None
    assert yaml.safe_load(only.replace('# - "', '- "'))["rules"] == ["a < b"]
    frame = pd.DataFrame({"a": np.arange(60), "b": np.arange(60) % 7})
    (tmp_path / "r.yaml").write_text(only)
    fabrica.fit(frame, engine="independent", rules=tmp_path / "r.yaml").sample(5)
    assert yaml.safe_load(candidate.Candidates(()).yaml())["rules"] == []


def test_bad_input_is_said():
    with pytest.raises(FabricaError, match="between"):
        fabrica.discover(world(), support=0.1)


def test_candidates_show_themselves():
    found = fabrica.discover(world())
    assert "<table>" in found._repr_html_() and "total == net + tax" in str(found) and len(found) > 5
    assert "3,000 of 3,000 rows" in str(found) and isinstance(found[0], candidate.Candidate)
