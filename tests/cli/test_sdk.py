"""The same from Python: any kind of frame in, the same kind out, and a whole run in one call."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fabrica
from fabrica.counted import Counted, counted
from fabrica.dataset import Dataset
from fabrica.holdout import split
from fabrica.run import Run


def kinds(frame):
    return {"pandas": frame, "polars": pl.from_pandas(frame),
            "arrow": pa.Table.from_pandas(frame, preserve_index=False)}


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_the_same_kind_of_frame_comes_out(frame, kind):
    given = kinds(frame)[kind]
    twin = fabrica.fit(given, engine="independent").sample(200)
    assert type(twin) is type(given) and len(twin) == 200
    names = twin.column_names if kind == "arrow" else list(twin.columns)
    assert names == list(frame.columns)


def test_a_model_survives_its_file(frame, tmp_path):
    model = fabrica.fit(frame, engine="independent", seed=3)
    model.save(tmp_path / "m.fab")
    again = fabrica.load(tmp_path / "m.fab")
    assert again.sample(500, seed=1).equals(fabrica.sample(tmp_path / "m.fab", 500, seed=1))
    assert again.sample(500, seed=1).to_pandas()["age"].tolist() == model.sample(500, seed=1)["age"].tolist()


def test_the_same_seed_gives_the_same_rows(frame):
    twins = [fabrica.fit(frame, engine="independent", seed=5, workers=w).sample(300, seed=2) for w in (1, 3)]
    pd.testing.assert_frame_equal(*twins)
    assert not twins[0].equals(fabrica.fit(frame, engine="independent", seed=5).sample(300, seed=3))


def test_a_whole_run_in_one_call(frame):
    test, train = frame.iloc[:300], frame.iloc[300:]
    twin = fabrica.synth(train, holdout=test, engine="independent", rows=400, target="status")
    facts = twin.report.facts
    assert isinstance(twin.data, pd.DataFrame) and len(twin.data) == 400
    assert facts["rows"] == {"real": 900, "synthetic": 400, "holdout": 300}
    assert facts["recipe"]["holdout"] == "(a table)" and facts["target"] == "status"
    assert twin._repr_html_()


def test_evaluate_saves_its_report(frame, tmp_path):
    report = fabrica.evaluate(real=frame, synthetic=frame, metrics=["shape"])
    assert report.save(tmp_path / "r.html").read_text().lower().startswith("<!doctype html>")
    assert report.find("shape").value == 0


def test_what_you_know_better_is_believed(frame):
    table, _ = fabrica.inspect(frame, schema={"male": "category", "age": {"kind": "integer", "bounds": [0, 120]}})
    assert table["male"].kind == "category" and table["age"].bounds == (0, 120)
    assert fabrica.inspect(frame, schema=table)[0]["male"].kind == "category"


def test_ordered_categoricals_keep_their_order():
    sizes = pd.Categorical(["small", "large", "middle"] * 50, ["small", "middle", "large"], ordered=True)
    table, _ = fabrica.inspect(pd.DataFrame({"size": sizes}))
    assert (table["size"].kind, table["size"].levels) == ("ordinal", ("small", "middle", "large"))


def test_what_matters_about_the_guess_stays_with_the_model(frame, tmp_path):
    model = fabrica.fit(frame, engine="independent")
    assert any("id" in note for note in model.facts["notes"])
    assert fabrica.load(model.save(tmp_path / "m.fab")).facts["notes"] == model.facts["notes"]


def test_progress_is_told(frame):
    news = []
    fabrica.fit(frame, engine="independent", listener=news.append)
    assert news and all(n.step <= n.of for n in news)


def test_a_listener_can_stop_a_run(frame):
    def stop(news):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fabrica.fit(frame, engine="independent", listener=stop)


@pytest.mark.parametrize(("call", "said"), [
    (lambda f: fabrica.fit(f, engine="ctgn"), "there are: "),
    (lambda f: fabrica.fit(f, lief=3), "no setting named 'lief'"),
    (lambda f: fabrica.fit(f, budget="soon"), "budget"), (lambda f: fabrica.fit(42), "int"),
    (lambda f: fabrica.synth(f, holdout=0.9), "0.5"), (lambda f: fabrica.synth(f, target="incom"), "incom"),
    (lambda f: fabrica.fit(f, schema={"agee": "integer"}), "agee"),
    (lambda f: fabrica.evaluate(f, f.drop(columns="age")), "columns"),
    (lambda f: fabrica.sample("gone.fab", 5), "gone.fab"), (lambda f: fabrica.sample("gone.fab", 0), "at least 1")])
def test_what_goes_wrong_is_one_clear_error(frame, call, said):
    with pytest.raises(fabrica.FabricaError, match=said):
        call(frame)


# ---------------------------------------------------------------- the parts of a table


@pytest.mark.parametrize("few", [0, 1 << 30])
def test_a_split_is_a_partition_and_depends_on_the_seed_alone(people, few):
    whole = counted(Dataset.open(people), few)
    assert isinstance(whole, Counted) and whole.rows == 1_200 and (whole.table is None) == (few == 0)
    kept, aside = split(whole, 0.2, Run(7).child("holdout"))
    ids = [[i for b in part.batches() for i in b.column("id").to_pylist()] for part in (kept, aside, whole)]
    assert [len(x) for x in ids] == [kept.rows, aside.rows, 1_200]
    assert sorted(ids[0] + ids[1]) == sorted(ids[2]) and not set(ids[0]) & set(ids[1])
    again = split(counted(Dataset.open(people)), 0.2, Run(7).child("holdout"))[1]
    assert again.head(10_000).column("id").to_pylist() == ids[1]
    other = split(whole, 0.2, Run(8).child("holdout"))[1]
    assert other.head(10_000).column("id").to_pylist() != ids[1]


@pytest.mark.parametrize("few", [0, 1 << 30])
def test_whoever_has_several_rows_is_on_one_side_with_all_of_them(tmp_path, few):
    path = tmp_path / "visits.csv"
    path.write_text("who,n\n" + "".join(f"p{i * 7 % 400},{i}\n" for i in range(2_000)))
    kept, aside = split(counted(Dataset.open(path), few), 0.3, Run(7), "who")
    sides = [{w for b in part.batches() for w in b.column("who").to_pylist()} for part in (kept, aside)]
    assert not sides[0] & sides[1] and len(sides[0] | sides[1]) == 400 and kept.rows + aside.rows == 2_000
    assert aside.rows == 5 * len(sides[1]) and abs(len(sides[1]) - 120) < 5 * (400 * 0.3 * 0.7) ** 0.5
    careless = split(counted(Dataset.open(path), few), 0.3, Run(7))
    both = [{w for b in part.batches() for w in b.column("who").to_pylist()} for part in careless]
    assert both[0] & both[1]


def test_a_part_can_be_sampled_and_opened(people):
    kept, _ = split(counted(Dataset.open(people)), 0.5, Run(1))
    drawn = kept.sample(100, Run(2)).column("id").to_pylist()
    assert len(set(drawn)) == 100 and set(drawn) <= set(kept.head(10_000).column("id").to_pylist())
    assert Dataset.open(kept) is kept


def test_the_share_is_the_share(people):
    whole = counted(Dataset.open({"a": list(range(20_000))}))
    sizes = [split(whole, 0.2, Run(seed))[1].rows for seed in range(20)]
    assert abs(sum(sizes) / 20 - 4_000) < 5 * (20_000 * 0.16 / 20) ** 0.5  # five standard errors


def test_what_is_no_table_and_no_seed_is_said(frame):
    for call in (lambda: fabrica.fit(frame["age"]), lambda: fabrica.fit(frame, engine="independent", seed="x"),
                 lambda: fabrica.fit(frame, engine="independent", seed=1.5)):
        with pytest.raises(fabrica.FabricaError):
            call()


def test_protected_columns_are_named_in_one_text_or_a_list(frame):
    for named in ("age", ["age"], "age, age"):
        report = fabrica.evaluate(frame, frame, protected=named, metrics=["shape"])
        assert report.facts["protected"] == ["age"]
    with pytest.raises(fabrica.FabricaError, match="no column named 'sexx'"):
        fabrica.evaluate(frame, frame, protected="age,sexx", metrics=["shape"])
