"""Evaluation from end to end on small tables: one report, plain JSON, nothing rare in it, every failure one
sentence."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from fabrica import catalog, evaluation
from fabrica.contract import Evidence
from fabrica.drawings import BINS, TOP
from fabrica.errors import InputError, SchemaError, UnknownName
from fabrica.evaluation import evaluate, usual
from fabrica.report import Report
from fabrica.run import Progress, Run
from fabrica.schema import Column, Table

TABLE = Table("people", (
    Column("age", "integer", "int64"), Column("pay", "decimal", "double"), Column("town", "category"),
    Column("born", "date", "date32[day]"), Column("id", "key"), Column("note", "text"),
    Column("same", "constant"), Column("void", "empty", "null")))


def people(rows: int, seed: int) -> pa.Table:
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 90, rows)
    pay = np.round(age * 50 + draw.normal(0, 200, rows), 2)
    towns = np.array(["Ulm", "Bonn", "Köln", "<b>x</b>"])[draw.choice(4, rows, p=[0.6, 0.3, 0.05, 0.05])]
    return pa.table({
        "age": age, "pay": pa.array(pay, mask=draw.random(rows) < 0.1), "town": towns,
        "born": pa.array((20000 - age * 365).astype(np.int32), pa.date32()),
        "id": [f"P{seed}-{i}" for i in range(rows)], "note": [f"note {'x ' * int(a % 3)}" for a in age],
        "same": ["one"] * rows, "void": pa.nulls(rows)})


def held(table: pa.Table) -> SimpleNamespace:
    return SimpleNamespace(rows=table.num_rows, batches=lambda: table.to_batches(max_chunksize=250))


def judged(real=None, twin=None, rest=None, **more) -> Report:
    real = people(600, 1) if real is None else real
    twin = people(600, 2) if twin is None else twin
    return evaluate(held(real), held(twin), None if rest is None else held(rest),
                    **{"table": TABLE, "run": Run(3, workers=1), **more})


@pytest.fixture(scope="module")
def report() -> Report:
    return judged(rest=people(300, 3), target="town", attacks=True)


def test_every_metric_answers_and_everything_is_json(report):
    text = json.dumps(report.to_json(), allow_nan=False)
    assert json.dumps(Report.from_json(json.loads(text)).to_json()) == text
    said = {f.metric for f in report}
    assert {n for n in usual(attacks=True) if not any(s.startswith(n) for s in said)} == set()
    assert set(report.facts["seconds"]) == {"reading", "all", *usual(attacks=True)}


def test_groups_of_people_are_looked_at_where_a_column_is_protected():
    assert set(usual(True)) < set(usual(True, True)) == set(catalog.names("metrics"))
    alike = judged(rest=people(300, 3), target="age", protected=("town",))
    assert {"representation", "label_gap", "group_fidelity"} <= {f.metric for f in alike if f.value is not None}
    assert alike.facts["protected"] == ["town"] and "<b>x" not in json.dumps(alike.find("representation").to_json())


def test_attacks_are_measured_where_they_are_asked_for():
    few = {f.metric for f in judged(rest=people(300, 3))}
    assert "membership" not in few and "shape" in few and set(usual(False)) < set(usual(True))


def test_a_fresh_sample_is_at_its_floor(report):
    assert report.find("shape").value < 2.5 * report.find("shape").floor
    assert report.find("detector_auc", against="holdout").value == pytest.approx(0.5, abs=0.08)
    assert report.find("validity_keys", "id").value == 0
    assert report.facts["verdict"]["name"] in ("excellent", "good")


def test_findings_keep_company(report):
    for f in report:
        if f.value is not None and f.low is not None:
            assert f.low <= f.value <= f.high, (f.metric, f.place)
        if f.value is not None and f.metric != "detector_column":
            assert f.floor is not None or f.metric == "validity_keys", (f.metric, f.place)
        if f.floor is not None:
            assert f.detail["floor_from"], (f.metric, f.place)


def test_facts_say_what_was_judged_and_how_texts_were_compared(report):
    assert report.facts["rows"] == {"real": 600, "synthetic": 600, "holdout": 300}
    assert report.facts["columns"] == 8 and report.facts["target"] == "town"
    assert "xgboost" in report.facts["versions"]
    notes = " ".join(report.facts["notes"])
    assert "Key columns" in notes and "Text columns" in notes and "Empty columns" in notes


def test_same_seed_same_report_on_any_number_of_workers():
    one, two = (judged(rest=people(300, 3), run=Run(5, workers=w)) for w in (1, 2))
    assert one.findings == two.findings and one.drawings == two.drawings


def test_only_the_metrics_that_were_asked_for():
    got = judged(metrics=["shape", "copies"])
    assert {f.metric for f in got} == {"shape", "copies", "copies_excess", "copies_keys"}
    assert "pairs" not in got.drawings
    with pytest.raises(UnknownName, match="no metric named 'shap'"):
        judged(metrics=["shap"])
    with pytest.raises(UnknownName, match="no column named 'nowhere'"):
        judged(target="nowhere")


def test_progress_names_each_metric():
    told: list[Progress] = []
    judged(metrics=["shape", "copies"], run=Run(1, workers=1, listener=told.append))
    assert [p.note for p in told if p.task == "evaluate"] == ["shape", "copies", "done"]


def test_large_tables_are_judged_on_a_sample_and_that_is_said(monkeypatch):
    monkeypatch.setattr(evaluation, "CEILING", 200)
    got = judged(metrics=["shape"])
    assert got.facts["judged"] == {"real": 200, "synthetic": 200, "holdout": None}
    assert sum("random 200 of them" in n for n in got.facts["notes"]) == 2
    more = judged(twin=people(900, 2), metrics=["shape"])
    assert more.facts["judged"]["synthetic"] == 200


def test_a_larger_twin_is_judged_at_the_originals_size():
    got = judged(twin=people(900, 2), metrics=["shape"])
    assert got.facts["judged"]["synthetic"] == 600 and got.facts["rows"]["synthetic"] == 900


def test_tables_that_do_not_fit_are_refused_in_one_sentence():
    real = people(50, 1)
    with pytest.raises(SchemaError, match="the synthetic table lacks 'pay'"):
        judged(real, real.drop_columns(["pay"]))
    with pytest.raises(InputError, match="the synthetic table has no rows"):
        judged(real, real.slice(0, 0))
    assert "no rows" in " ".join(judged(real, real, real.slice(0, 0), metrics=["shape"]).facts["notes"])


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_tiny_tables_end_in_a_report(rows):
    got = judged(people(rows, 1), people(rows, 2), people(rows, 3), target="town")
    assert json.dumps(got.to_json(), allow_nan=False)


def test_one_column_and_only_missing_cells_end_in_a_report():
    one = Table("t", (Column("x", "decimal", "double"),))
    empty = pa.table({"x": pa.array([None] * 5, pa.float64())})
    got = judged(empty, empty, empty, table=one)
    assert got.find("shape").problem
    assert json.dumps(got.to_json(), allow_nan=False)


def test_drawings_are_small_and_hold_nothing_rare(report):
    columns = report.drawings["columns"]
    assert set(columns) == {"age", "pay", "town", "born", "note (length)", "note (words)", "same"}
    for drawn in columns.values():
        if "edges" in drawn:
            assert len(drawn["edges"]) == len(drawn["real"]) + 1 <= BINS + 1
            assert sum(drawn["synthetic"]) == pytest.approx(1, abs=0.01)
        else:
            assert len(drawn["levels"]) <= TOP
    assert columns["pay"]["missing"]["real"] == pytest.approx(0.1, abs=0.05)
    pairs = report.drawings["pairs"]
    assert len(pairs["error"]) == len(pairs["columns"]) == len(columns)
    assert set(report.drawings["detector"]) == {"train", "holdout"}
    assert report.drawings["missingness"]["columns"] == ["pay"]


def test_rare_levels_and_extremes_are_not_drawn():
    real = people(600, 1).to_pydict()
    real["town"][:Evidence.k - 1] = ["Hidden"] * (Evidence.k - 1)
    real["pay"][0] = 7_654_321.0
    table = pa.table(real, schema=people(1, 1).schema)
    got = judged(table, people(600, 2), metrics=["shape", "coverage", "validity", "trend_common"])
    text = json.dumps(got.to_json(), ensure_ascii=False)
    assert "Hidden" not in text and "7654321" not in text
    assert max(got.drawings["columns"]["pay"]["edges"]) < 10_000
    assert got.drawings["columns"]["town"]["other"]["real"] == pytest.approx((Evidence.k - 1) / 600, abs=1e-4)


def drawn(values: list[float], twin: list[float] | None = None) -> dict:
    real = pa.table({"pay": pa.array(values, pa.float64())})
    got = judged(real, real if twin is None else pa.table({"pay": pa.array(twin, pa.float64())}),
                 table=Table("t", (Column("pay", "decimal", "double"),)), metrics=["shape"])
    return got.drawings["columns"]["pay"]


def law_ends_stand_for_five(show=drawn):
    salaries = np.random.default_rng(1).normal(50_000, 5_000, 99).tolist()
    assert max(show([*salaries, 1_000_000.0])["edges"]) < 65_000
    assert min(show([*salaries, -1_000_000.0])["edges"]) > 35_000
    apart = [float(v) for v in range(30)]
    assert not {*apart} & {show(apart)["edges"][0], show(apart)["edges"][-1]} - {2.0, 3.0, 26.0, 27.0}


def test_the_ends_of_a_histogram_stand_for_five_people(monkeypatch):
    law_ends_stand_for_five()
    monkeypatch.setattr("fabrica.drawings._ends", lambda v, k: tuple(np.quantile(v, [0.005, 0.995])))
    with pytest.raises(AssertionError):
        law_ends_stand_for_five()


@pytest.mark.parametrize("values", [[7_654_321.0] * 4, [7_654_321.0] * 4 + [None] * 50, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
def test_fewer_than_five_people_draw_nothing(values):
    got = drawn(values)
    assert got["edges"] == got["real"] == got["synthetic"] == []


def test_a_constant_of_five_people_is_drawn():
    assert drawn([3.0] * 5)["real"] == [1.0]


def test_what_takes_long_is_a_longer_step(monkeypatch):
    class Slow:
        heavy = True

        def judge(self, evidence, run):
            return []

    class Quick(Slow):
        heavy = False

    monkeypatch.setattr(catalog, "get", lambda family, name: Slow if name == "alike" else Quick)
    heard = []
    run = Run(7, workers=1, listener=lambda news: heard.append(news.step / news.of))
    judged(metrics=["shape", "alike", "trend"], run=run)
    assert heard == [0, 1 / 14, 13 / 14, 1]


def test_a_metric_that_cannot_be_computed_is_a_finding(monkeypatch):
    from fabrica.errors import NotComputable

    class Stubborn:
        heavy = False

        def judge(self, evidence, run):
            raise NotComputable("not here")

    monkeypatch.setattr(catalog, "get", lambda family, name: Stubborn)
    assert judged(metrics=["shape"]).find("shape").problem == "not here"


def test_a_holdout_of_another_kind_is_told_and_one_with_a_few_odd_cells_is_not():
    rest = people(300, 3)
    words = [f"{age} years" for age in rest["age"].to_pylist()]
    for place, column in (("age", words), ("born", words)):
        other = rest.set_column(rest.column_names.index(place), place, pa.array(column))
        with pytest.raises(InputError, match=f"the holdout, column '{place}'.* another kind"):
            judged(rest=other, metrics=["shape"])
    few = [*words[:20], *map(str, rest["age"].to_pylist()[20:])]
    assert judged(rest=rest.set_column(0, "age", pa.array(few)), metrics=["shape"]).facts["rows"]["holdout"] == 300
