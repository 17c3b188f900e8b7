"""Missing cells filled in: what is there stays as it is, what is drawn follows the row's other cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import fabrica
from fabrica import filed
from fabrica.errors import InputError, SettingError
from fabrica.model import TableModel
from fabrica.run import Run


def people(rows: int = 5_000) -> pd.DataFrame:
    """A level, a number and a date that follow it, a flag, a key."""
    random = np.random.default_rng(1)
    group = random.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2])
    size = np.round(random.normal(np.select([group == "a", group == "b"], [10, 30], 60), 3)).astype(int)
    flag = np.where(random.random(rows) < np.select([group == "a", group == "b"], [0.1, 0.5], 0.9), "yes", "no")
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(size * 3 + random.integers(0, 5, rows), "D")
    return pd.DataFrame({"id": [f"P{i:06d}" for i in range(rows)], "group": group, "size": size, "flag": flag,
                         "when": when})


def holed(frame: pd.DataFrame, share: float = 0.2) -> pd.DataFrame:
    random, found = np.random.default_rng(2), frame.copy()
    for name in ("group", "size", "flag", "when"):
        found.loc[random.random(len(frame)) < share, name] = None
    return found


@pytest.fixture(scope="module", params=["copula", "autoregressive", "trees"])
def model(request) -> TableModel:
    if request.param == "autoregressive":
        pytest.importorskip("torch", reason="networks need the extra `nets`")
    return fabrica.fit(holed(people(), 0.1), engine=request.param, seed=1)


def test_what_is_there_stays_and_what_is_not_is_filled_in(model):
    holes = holed(people(2_000))
    full = model.impute(holes, seed=1)
    assert list(full.columns) == list(holes.columns) and not full.isna().any().any()
    for name in holes:
        there = holes[name].notna()
        assert (full[name][there] == holes[name][there]).all()
    pd.testing.assert_frame_equal(full, model.impute(holes, seed=1))
    assert not full.equals(model.impute(holes, seed=2))
    assert holes.isna().any().any()  # the user's own table is left as it was


def test_cells_follow_the_rows_other_cells(model):
    """A level, a number and a flag given the others, against the shares and means of the group."""
    truth = people(3_000)
    holes = truth.copy()
    holes["flag"] = None
    drawn = pd.concat([model.impute(holes, seed=s) for s in range(3)])
    for group in "abc":
        share = (truth["flag"][truth["group"] == group] == "yes").mean()
        assert abs((drawn["flag"][drawn["group"] == group] == "yes").mean() - share) < 0.08
    holes = truth.copy()
    holes["group"] = holes["when"] = None
    full = model.impute(holes, seed=4)
    assert (full["group"] == truth["group"]).mean() > 0.75  # by chance .38
    assert abs((pd.to_datetime(full["when"]) - truth["when"]).dt.days).median() < 15


def test_several_draws_are_numbered_and_differ_where_cells_lacked(model):
    holes = holed(people(300))
    found = model.impute(holes, draws=3, seed=1)
    assert found["draw"].tolist() == [1] * 300 + [2] * 300 + [3] * 300
    one, two = (found[found["draw"] == d].drop(columns="draw").reset_index(drop=True) for d in (1, 2))
    assert not one.equals(two) and (one["id"] == holes["id"]).all()
    with pytest.raises(InputError, match="'draw' already"):
        model.impute(holes.assign(draw=1), draws=2)


def test_other_columns_pass_and_lacking_ones_are_said(model):
    holes = holed(people(100)).assign(more=1.5)
    assert (model.impute(holes)["more"] == 1.5).all()
    with pytest.raises(InputError, match="lacks 'size'"):
        model.impute(holes.drop(columns="size"))
    with pytest.raises(SettingError, match="draws"):
        model.impute(holes, draws=0)
    with pytest.raises(SettingError, match="autoregressive"):
        fabrica.fit(people(300), engine="bayesnet").impute(holes)


def test_a_file_keeps_its_hand(tmp_path):
    rows = ["age;name;pay;ok"] + [f"{i % 60};n{i % 3};{i % 7},50;{'ja' if i % 2 else 'nein'}" for i in range(200)]
    for i in range(5, 200, 9):
        rows[i] = ";".join(rows[i].split(";")[:2]) + ";;?"
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n")
    model = fabrica.fit(tmp_path / "a.csv", engine="copula", schema={"ok": {"kind": "boolean", "missing": ["?"],
                                                                          "notation": ["nein", "ja"]}})
    model.save(tmp_path / "a.fab")
    path, count = filed.fill(tmp_path / "a.fab", str(tmp_path / "a.csv"), 1, tmp_path / "b.csv", run=Run(1))
    typed, _ = filed.fill(tmp_path / "a.fab", str(tmp_path / "a.csv"), 2, tmp_path / "b.parquet", run=Run(1))
    table = pd.read_parquet(typed)
    assert table["age"].dtype == int and len(table) == 400 and set(table["ok"]) == {"ja", "nein"}
    with pytest.raises(fabrica.FabricaError, match=r"c\.xyz: no file format"):
        filed.fill(tmp_path / "a.fab", str(tmp_path / "a.csv"), 1, tmp_path / "c.xyz", run=Run(1))
    after = path.read_text().splitlines()
    assert count == 200 and len(after) == 201
    for i, (was, now) in enumerate(zip(rows, after, strict=True)):
        assert now == was if ";;" not in was else "?" not in now and ",50" in now, i
