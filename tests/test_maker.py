"""The workshop: it learns again from some rows as the twin was learned, tells likelihoods, does the whole job anew."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

import fabrica
from fabrica.artefacts import traces
from fabrica.contract import Evidence
from fabrica.counted import filled
from fabrica.errors import NotComputable
from fabrica.evaluation import evaluate
from fabrica.filed import make
from fabrica.job import Job
from fabrica.maker import Learner, Workshop
from fabrica.recipe import Recipe
from fabrica.run import Run
from fabrica.sheets import sheets

ENGINES = ["independent", "trees", "bayesnet", "copula"]


def rows(many: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    age = random.integers(18, 90, many)
    return pa.table({"age": age, "pay": np.round(1000 + 40 * age + random.normal(0, 300, many), 2),
                     "town": random.choice(["Bern", "Oslo", "Rome"], many),
                     "sex": np.where(random.random(many) < age / 100, "f", "m")})


REAL, REST = rows(900, 1), rows(500, 2)


@cache
def made(engine: str, **more) -> tuple[fabrica.TableModel, Learner, Evidence]:
    model = fabrica.fit(REAL, engine=engine, seed=1, workers=1)
    real, twin, rest = sheets(model.table, filled(REAL), filled(model.sample(900, seed=2)), filled(REST))
    evidence = Evidence(model.table, real, twin, rest)
    work = Workshop(Recipe(engine=engine, **more), model, REAL, REST)
    return model, work.maker(evidence), evidence


@pytest.mark.parametrize("engine", ENGINES)
def test_it_learns_from_the_rows_that_it_is_told_and_no_others(engine):
    _, maker, evidence = made(engine)
    old = np.flatnonzero(np.concatenate([evidence.real.values["age"], evidence.holdout.values["age"]]) > 60)
    twin = maker.twin(old, 300, Run(3, workers=1).child("old"))
    assert twin.rows == 300 and twin.levels is evidence.real.levels and list(twin.values) == list(evidence.real.values)
    assert np.nanmin(twin.values["age"]) > 55 and np.nanmin(evidence.real.values["age"]) < 30
    rome = list(evidence.real.levels["town"]).index("Rome")
    share = {name: (sheet.values["town"] == rome).mean() for name, sheet in (("twin", twin), ("real", evidence.real))}
    assert abs(share["twin"] - share["real"]) < 0.12


def test_it_asks_the_model_or_one_of_other_rows_over_the_same_codes():
    model, maker, _ = made("bayesnet")
    asked = np.arange(0, 1_400, 7)
    whole = pa.concat_tables([REAL, REST])
    own = maker.log_prob(asked, Run(1).child("own"))
    assert own == pytest.approx(model.log_prob(whole.take(pa.array(asked))))
    old = np.flatnonzero(np.asarray(whole["age"]) > 60)
    other = maker.log_prob(asked, Run(1).child("other"), old)
    is_old = np.isin(asked, old)
    assert (other - own)[is_old].mean() > 0.5 > -0.5 > (other - own)[~is_old].mean()
    with pytest.raises(NotComputable, match="'independent' knows no likelihoods"):
        made("independent")[1].log_prob(asked, Run(1))


def test_it_does_the_whole_job_with_people_who_were_planted(tmp_path):
    _, maker, _ = made("trees")
    planted = [{"town": "Zyxwvut"}, {"pay": 987654321.25}, {"age": -123456789, "sex": "Quillfish"}]
    maker.artefacts(planted, tmp_path, Run(4, workers=1).child("again"))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"data.parquet", "report.html", "report.json", "model.fab", "schema.json", "told.txt"}
    assert traces([tmp_path], {"a": "Zyxwvut", "b": 987654321.25, "c": -123456789, "d": "Quillfish"}) == []
    with pytest.raises(NotComputable, match="column 'age' cannot hold"):
        maker.artefacts([{"age": "no number"}], tmp_path, Run(5))
    with pytest.raises(NotComputable, match="cannot be planted among"):
        maker.artefacts([{"town": "Z"}] * 901, tmp_path, Run(6))


def test_people_are_planted_among_the_rows_that_are_learned(tmp_path):
    """With k = 1 whatever one person has may be told, and is: so the people are there."""
    _, maker, _ = made("independent")
    loose = Learner(Recipe(engine="independent", settings={"k": 1}), maker.model, maker.table, maker.like, maker.rows,
                    maker.own, maker.levels)
    loose.artefacts([{"town": "Zyxwvut"}], tmp_path, Run(4, workers=1).child("again"))
    assert "model.fab: model.json" in {t.place for t in traces([tmp_path], {"a": "Zyxwvut"})}


@pytest.mark.parametrize("engine", ["independent", "bayesnet"])
def test_an_evaluation_with_a_workshop_makes_all_attacks(engine):
    model = made(engine)[0]
    work = Workshop(Recipe(engine=engine), model, REAL, REST)
    names = ["likelihood", "canaries"]
    report = evaluate(filled(REAL), filled(model.sample(900, seed=2)), filled(REST), table=model.table, metrics=names,
                      maker=work.maker, run=Run(3, workers=1))
    said = {name: report.find(name) for name in names}
    assert said["canaries"].value == 0 and said["canaries"].detail["control"] == "found"
    if engine == "independent":
        assert "knows no likelihoods" in said["likelihood"].problem
    else:
        assert said["likelihood"].detail["control"] == "found"


def test_of_a_judged_sample_the_numbers_are_those_of_its_rows():
    model, _, evidence = made("independent")
    keep = np.array([3, 10, 500])
    maker = Workshop(Recipe(engine="independent"), model, REAL, REST).maker(evidence, [keep, None])
    assert maker.own == 3 and maker.rows.num_rows == 3 + REST.num_rows
    assert pc.equal(maker.rows["pay"].slice(0, 3).combine_chunks(), REAL["pay"].take(pa.array(keep)).combine_chunks())


def test_a_private_engine_is_compared_with_a_plain_one_and_learns_again_under_its_terms():
    terms = {"epsilon": 3.0}
    model = fabrica.fit(REAL, engine="bayesnet", privacy=terms, seed=1, workers=1)
    real, twin, rest = sheets(model.table, filled(REAL), filled(model.sample(500, seed=2)), filled(REST))
    work = Workshop(Recipe(engine="bayesnet", privacy=terms), model, REAL, REST)
    maker = work.maker(Evidence(model.table, real, twin, rest))
    assert maker.twin(np.arange(900), 100, Run(1, workers=1).child("again")).rows == 100
    asked, known = np.arange(300), np.arange(900, 1_400)
    own, other = (maker.log_prob(asked, Run(2).child(str(i)), some) for i, some in enumerate((None, known)))
    assert np.isfinite(own).all() and np.isfinite(other).all() and np.corrcoef(own, other)[0, 1] > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_shadows_of_real_engines_are_made(engine):
    model = made(engine)[0]
    work = Workshop(Recipe(engine=engine), model, REAL, REST)
    report = evaluate(filled(REAL), filled(model.sample(900, seed=2)), filled(REST), table=model.table,
                      metrics=["shadow"], maker=work.maker, run=Run(3, workers=1))
    assert report.find("shadow").detail["control"] == "found" and report.find("shadow").high < 0.75


def test_a_folder_of_results_is_enough_to_learn_again(tmp_path):
    """As the gate does it: the recipe says which rows were learned from, the model file what was learned."""
    pyarrow.csv.write_csv(pa.concat_tables([REAL, REST]), tmp_path / "people.csv")
    make(Recipe(str(tmp_path / "people.csv"), engine="bayesnet", holdout=0.4), tmp_path / "out")
    recipe = Recipe.load(tmp_path / "out" / "recipe.json")
    job = Job.begin(recipe, filled(recipe.data), Run(recipe.seed), recipe.schema)
    model = fabrica.load(tmp_path / "out" / "model.fab")
    work = Workshop(recipe, model, job.train, job.holdout)
    report = evaluate(job.train, filled(tmp_path / "out" / "data.csv"), job.holdout, table=model.table,
                      metrics=["likelihood", "canaries"], maker=work.maker, run=Run(3, workers=1))
    for name in ("likelihood", "canaries"):
        assert report.find(name).detail["control"] == "found"
    assert report.find("canaries").value == 0
