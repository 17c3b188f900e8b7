"""Bias by construction is found, its absence is not taken for it, and few people are counted and never shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fabrica import catalog
from fabrica.amplified import Amplification, with_worst
from fabrica.bounds import ratio
from fabrica.checks import check_metric
from fabrica.contract import Evidence
from fabrica.drawings import drawings
from fabrica.errors import UnknownName
from fabrica.fairness import Tally, gap, redrawn
from fabrica.outcome import outcomes
from fabrica.protected import Cut, Partition, owners, partitions, protected_columns
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.sheets import IdentSheet
from fabrica.statistics import common_bins, variation
from fabrica.treated import Treated

from .worlds import find, sheet, table

ADULT = Path(__file__).resolve().parents[3] / "shared/data/adult/train.csv"
METRICS = ("representation", "label_gap", "group_fidelity", "downstream_gap", "group_risk")
RACES = ["common", "rare", "tiny"]


def town(rows: int, seed: int, tilt: float = 0.2, rare: float = 0.08, tiny: float = 0.0) -> IdentSheet:
    """People of two sexes and of races of which one is rare; who is hired depends on skill and, by ``tilt``, on sex."""
    draw = np.random.default_rng(seed)
    sex, race = draw.integers(0, 2, rows), (draw.random(rows) < rare).astype(int)
    race[draw.random(rows) < tiny] = 2
    skill, age = draw.normal(0, 1, rows), draw.integers(20, 70, rows).astype(float)
    hired = draw.random(rows) < np.clip(0.35 + 0.15 * np.clip(skill, -1.5, 1.5) + tilt * (sex - 0.5), 0.02, 0.98)
    return sheet({"sex": ["f", "m"], "race": RACES, "hired": ["no", "yes"]}, sex=sex, race=race, skill=skill, age=age,
                 pay=1000 + 300 * skill + 10 * age, hired=hired)


def judged(name: str, real: IdentSheet, twin: IdentSheet, rest: IdentSheet | None = None, seed: int = 1, **more):
    evidence = Evidence(table(real), real, twin, rest, "hired", protected=("sex", "race"))
    return list(catalog.get("metrics", name)().judge(replace(evidence, **more), Run(seed, workers=1)))


def groups(finding) -> dict[str, dict]:
    return {line["group"]: line for line in finding.detail["groups"]}


# ---------------------------------------------------------------- who is in which group


@pytest.mark.parametrize(("named", "found"), [
    ('"sex, born",race', ("sex, born", "race")), ("sex, born", ("sex, born",)), (' race ', (" race ",)),
    ('" race "', (" race ",)), ("race , age", ("race", " age")), ([" age", "race", "race"], (" age", "race")),
    ('"sex, born" , " age" ', ("sex, born", " age"))])
def test_columns_are_named_as_a_csv_file_names_them_with_their_blanks_or_without(named, found):
    columns = ("sex, born", "race", " race ", " age")
    assert protected_columns(named, Table("t", tuple(Column(one, "category") for one in columns))) == found


def test_a_name_of_no_column_is_told_beside_those_that_need_quotes():
    columns = Table("t", (Column("sex, born", "category"), Column(" race", "category")))
    with pytest.raises(UnknownName, match='no column named \'sex\'; there are: " race", "sex, born"'):
        protected_columns("race,sex", columns)


def test_numbers_are_cut_into_bands_of_about_equal_size():
    real = town(4000, 1)
    part = Partition.of([Cut.of(Column("age", "integer"), real)], real)
    assert len(part.groups) == 4 and min(part.people) > 700
    assert part.groups[0].startswith("under ") and part.groups[-1].endswith(" and more")


def test_moments_are_cut_at_days_and_few_numbers_are_groups_of_their_own():
    days = sheet(born=np.arange(0.0, 20_000, 10), grade=np.tile([1.0, 2.0, 3.0, np.nan], 500))
    assert Cut.of(Column("born", "date"), days).labels[1] == "under 1983-09-10"
    assert Cut.of(Column("grade", "integer"), days).labels == ("(missing)", "1", "2", "3")
    assert Partition.of([Cut.of(Column("grade", "integer"), days)], days).groups == ("(missing)", "1", "2", "3")


def test_groups_and_outcomes_are_called_as_the_data_call_them():
    """Two words that were read as a boolean, and a boolean that is none."""
    smokes = np.tile([0, 1], 300)
    real = IdentSheet(600, {"smokes": smokes, "old": smokes, "ill": np.repeat([0, 1], 300)},
                      dict.fromkeys(("smokes", "old", "ill"), ("false", "true")))
    columns = [Column("smokes", "boolean", notation=["n", "y"]), Column("old", "boolean"),
               Column("ill", "boolean", notation=["well", "ill"])]
    evidence = Evidence(Table("t", tuple(columns)), real, real, target="ill", protected=("smokes", "old"))
    assert [part.groups for part in partitions(evidence)[:2]] == [("n", "y"), ("false", "true")]
    assert outcomes(evidence)[0][0].label in ("well", "ill")
    assert drawings(evidence, [])["columns"]["smokes"]["levels"] == ["n", "y"]


def test_a_value_that_nobody_real_has_is_of_no_group():
    real = sheet(grade=np.tile([1.0, 2.0], 300))
    part = Partition.of([Cut.of(Column("grade", "integer"), real)], real)
    assert part.of_rows(sheet(grade=[1.0, 9.0, 2.0, np.nan])).tolist() == [0, -1, 1, -1]


def test_every_two_columns_are_crossed():
    real = town(6000, 1)
    places = [part.place for part in partitions(Evidence(table(real), real, real, protected=("sex", "race", "age")))]
    assert places == [("sex",), ("race",), ("age",), ("sex", "race"), ("sex", "age"), ("race", "age")]


@pytest.mark.parametrize("name", METRICS)
def test_small_groups_are_counted_and_never_named(name):
    real, twin, rest = (town(4000, seed, tiny=0.01) for seed in (1, 2, 3))
    assert 10 < (real.values["race"] == 2).sum() < 100
    findings = judged(name, real, twin, rest)
    assert "tiny" not in json.dumps([f.to_json() for f in findings])
    crossed = next(f for f in findings if f.place == ("sex", "race"))
    assert crossed.detail["small_groups"] >= 2 and findings[0].detail["small_groups"] >= 3
    careless = Partition.of([Cut.of(Column("race", "category"), real)], real, least=1)
    assert "tiny" in careless.groups  # what would be said without the limit


def test_of_fewer_people_than_k_not_even_their_number_is_told():
    real = town(1000, 1)
    real.values["race"][:] = 0
    real.values["race"][:3] = 2
    part = Partition.of([Cut.of(Column("race", "category"), real)], real)
    assert part.counted(5)["small_people"] is None and part.counted(3)["small_people"] == 3


def test_people_are_counted_and_not_their_rows():
    one = town(90, 1)
    many = one.take(np.tile(np.arange(90), 3))
    many.values["sex"][:] = 0
    many = IdentSheet(many.rows, many.values, many.levels, {"who": np.tile(np.arange(90), 3)})
    cut = [Cut.of(Column("sex", "category"), many)]
    assert Partition.of(cut, many).people == (270,) and Partition.of(cut, many, unit="who").groups == ()


def test_who_says_nothing_is_somebody_else():
    rows = IdentSheet(5, {}, {}, {"who": np.array([7, -1, 7, -1, 3])})
    assert len(set(owners(rows, "who").tolist())) == 4


# ---------------------------------------------------------------- representation


def test_a_halved_minority_is_found_though_the_column_is_hardly_off():
    real = town(12_000, 1, rare=0.04)
    twin = town(12_000, 2, rare=0.02)
    found = judged("representation", real, twin)
    assert find(found, "representation").value == pytest.approx(0.5, abs=0.12)
    rare = groups(find(found, "representation", "race"))["rare"]
    assert rare["high"] < 0.8 and rare["low"] < rare["ratio"] < rare["high"]
    assert find(found, "representation").detail["worst"] in ("race", "sex × race")
    both = common_bins([real, twin], ["race"])["race"]
    assert variation(both.shares(0), both.shares(1)) < 0.03  # what a careless audit would look at


def test_fresh_rows_represent_everybody_within_luck():
    beyond = 0
    for seed in range(20):
        found = find(judged("representation", town(3000, seed), town(3000, 100 + seed)), "representation")
        assert found.low <= found.value <= found.high
        beyond += max(found.value, 1 / found.value) > found.floor_high
    assert beyond <= 3


def test_bounds_of_a_ratio_hold_as_often_as_they_say():
    draw, held = np.random.default_rng(3), np.zeros(2)
    for _ in range(1000):
        _, low, high = ratio(draw.binomial(4000, 0.03), 4000, draw.binomial(4000, 0.05), 4000)
        held += low <= 0.6, high >= 0.6
    assert (held >= 930).all() and (held <= 975).all()


def test_a_group_that_is_gone_has_an_upper_bound():
    real = town(3000, 1)
    twin = town(3000, 2, rare=0.0)
    rare = groups(find(judged("representation", real, twin), "representation", "race"))["rare"]
    assert rare["ratio"] == 0 and 0 < rare["high"] < 0.05


def test_several_rows_of_one_person_are_no_more_people():
    real, twin = town(1500, 1), town(1500, 2)
    who = {"who": np.repeat(np.arange(1500), 4)}
    again = [IdentSheet(6000, side.values, side.levels, who)
             for side in (one.take(np.repeat(np.arange(1500), 4)) for one in (real, twin))]
    once, units, rows = (find(judged("representation", *pair, unit=unit), "representation", "sex") for pair, unit in (
        ((real, twin), None), (again, "who"), (again, None)))
    assert units.high - units.low == pytest.approx(once.high - once.low, rel=0.02)
    assert rows.high - rows.low < 0.6 * (once.high - once.low)  # the careless way


# ---------------------------------------------------------------- label gap


def test_an_amplified_gap_is_found_and_an_equal_one_is_not():
    real = town(8000, 1, tilt=0.2)
    wider = find(judged("label_gap", real, town(8000, 2, tilt=0.35)), "label_gap", "sex")
    same = find(judged("label_gap", real, town(8000, 3, tilt=0.2)), "label_gap", "sex")
    turned = find(judged("label_gap", real, town(8000, 4, tilt=-0.2)), "label_gap", "sex")
    assert wider.value == pytest.approx(0.15, abs=0.04) and wider.low > 0.05
    assert same.low < 0 < same.high and abs(turned.value) < 0.04  # as wide the other way
    assert groups(wider)["m"]["twin"] > groups(wider)["m"]["real"]


def test_the_upper_bound_of_an_amplification_holds_as_often_as_it_says():
    draw, held = np.random.default_rng(5), 0
    for _ in range(400):
        tallies = [redrawn(Tally(np.full((2, 1), 2000.0), draw.binomial(2000, rates)[:, None].astype(float)), draw)
                   for rates in ((0.3, 0.45), (0.3, 0.40))]
        held += Amplification.of(gap(tallies[0]), gap(tallies[1])).high >= 0.05
    assert 0.925 <= held / 400 <= 0.975


def test_a_large_gap_of_few_people_does_not_hide_a_sure_one_of_many():
    few = Finding("label_gap", 0.06, ("race",), low=-0.05, high=0.2, floor=0.0, floor_high=0.1)
    sure = Finding("label_gap", 0.04, ("sex",), low=0.03, high=0.05, floor=0.0, floor_high=0.01)
    detail = {"twin": 0.2, "real": 0.1}
    whole = with_worst("label_gap", "train", [replace(few, detail=detail), replace(sure, detail=detail)], "it")[0]
    assert whole.detail["worst"] == "sex" and whole.high == 0.2 and 0 < whole.low < 0.03
    assert max((few, sure), key=lambda one: one.value) is few  # what a careless audit would tell of


def test_the_largest_of_many_gaps_is_read_beside_its_luck():
    real, twin = town(20_000, 1), town(3000, 2)
    found = find(judged("label_gap", real, twin, protected=("age",)), "label_gap", "age")
    assert found.floor > 0 and found.floor_low < found.value < found.floor_high


def test_of_many_levels_the_worst_counts_and_of_a_number_the_median():
    real, twin = town(8000, 1), town(8000, 2)
    for side in (real, twin):
        side.levels["job"] = ["none", "low", "high"]
        side.values["job"] = (side.values["hired"] * (1 + (side.values["skill"] > 0))).astype(np.int32)
    twin.values["job"][(twin.values["sex"] == 0) & (twin.values["job"] == 2)] = 1
    found = find(judged("label_gap", real, twin, target="job"), "label_gap", "sex")
    assert found.detail["outcome"] == "high" and found.low > 0.05 and found.detail["outcomes"] == 3
    number = find(judged("label_gap", real, twin, target="pay"), "label_gap", "sex")
    assert number.detail["outcome"].startswith("pay above ") and number.low < 0.02


def test_an_outcome_that_hardly_anybody_of_a_group_has_is_not_told():
    real, twin = town(6000, 1), town(6000, 2)
    rare = np.nonzero(real.values["race"] == 1)[0]
    real.values["hired"][rare] = 0
    real.values["hired"][rare[:2]] = 1
    found = find(judged("label_gap", real, twin), "label_gap", "race")
    assert found.value is None and "fewer than two groups" in found.problem


# ---------------------------------------------------------------- fidelity within groups


def test_a_minority_that_was_made_up_is_found_though_the_mean_is_fine():
    real, twin = town(10_000, 1), town(10_000, 2)
    rare = np.nonzero(twin.values["race"] == 1)[0]
    twin.values["skill"][rare] = np.random.default_rng(1).uniform(-3, 3, len(rare))
    twin.values["pay"][rare] = 1000.0
    found = judged("group_fidelity", real, twin)
    race = find(found, "group_fidelity", "race")
    assert race.detail["group"] == "rare" and race.value > race.floor_high + 5 and race.detail["ratio"] > 3
    assert find(found, "group_fidelity_pairs", "race").detail["group"] == "rare"
    shape = catalog.get("metrics", "shape")().judge(Evidence(table(real), real, twin), Run(1, workers=1))[0]
    assert shape.value < 2.5  # the mean over everybody: nearly fresh


def test_fresh_rows_of_each_group_lie_at_their_floor():
    beyond = 0
    for seed in range(10):
        found = find(judged("group_fidelity", town(3000, seed), town(3000, 50 + seed)), "group_fidelity", "sex")
        beyond += found.value > found.floor_high
    assert beyond <= 2


def test_a_group_without_synthetic_rows_is_counted():
    found = find(judged("group_fidelity", town(4000, 1), town(4000, 2, rare=0.0)), "group_fidelity", "race")
    assert found.detail["thin_groups"] == 1 and list(groups(found)) == ["common"]


# ---------------------------------------------------------------- models that learn from the twin


def test_rates_and_gaps_are_those_of_fairlearn():
    fairlearn = pytest.importorskip("fairlearn.metrics")
    from sklearn.metrics import accuracy_score

    draw = np.random.default_rng(2)
    at, truth = draw.integers(0, 4, 3000), draw.random(3000) < 0.4
    sure = np.clip(0.5 * truth + 0.4 * draw.random(3000) + 0.05 * at, 0, 1)
    said = sure > 0.5
    ours = Treated.of(at, 4, said, sure, truth, np.ones((1, 3000), np.uint8)).gaps[:, 0]
    theirs = (fairlearn.demographic_parity_difference(truth, said, sensitive_features=at),
              fairlearn.equalized_odds_difference(truth, said, sensitive_features=at),
              1 - fairlearn.demographic_parity_ratio(truth, said, sensitive_features=at),
              fairlearn.MetricFrame(metrics=accuracy_score, y_true=truth, y_pred=said,
                                    sensitive_features=at).difference())
    assert ours[:4] == pytest.approx(theirs)


def test_the_gap_of_the_rows_is_that_of_fairlearn():
    fairlearn = pytest.importorskip("fairlearn.metrics")
    real = town(4000, 1)
    found = find(judged("label_gap", real, town(4000, 2)), "label_gap", "sex")
    theirs = fairlearn.demographic_parity_difference(real.values["hired"], real.values["hired"],
                                                     sensitive_features=real.values["sex"])
    assert found.detail["real"] == pytest.approx(theirs)


def test_a_model_of_an_unfair_twin_widens_the_gap_and_one_of_fresh_rows_does_not():
    real, fresh, rest = (town(3000, seed, tilt=0.1) for seed in (1, 2, 3))
    unfair = town(3000, 4, tilt=0.6)
    wider = judged("downstream_gap", real, unfair, rest)
    for name in ("downstream_gap", "downstream_gap_odds"):
        assert find(wider, name, "sex").low > 0.1
        assert find(wider, name).high >= find(wider, name, "sex").high
    same = judged("downstream_gap", real, fresh, rest)
    found = find(same, "downstream_gap", "sex")
    assert found.low < 0 < found.high and abs(found.value) < 0.15
    assert groups(found)["f"]["people"] == (rest.values["sex"] == 0).sum()


@pytest.mark.slow
def test_a_twin_of_fresh_rows_is_rarely_taken_for_an_unfair_one_and_the_careless_interval_is():
    wrong = careless = 0
    for seed in range(20):
        real, fresh, rest = (town(1500, 3 * seed + i, tilt=0.2) for i in range(3))
        found = find(judged("downstream_gap", real, fresh, rest, seed=seed), "downstream_gap", "sex")
        wrong += found.low > 0
        careless += found.value > 0.02  # the estimate alone, without its interval
    assert wrong <= 3 < careless


@pytest.mark.parametrize("target", ["pay", "race"])
def test_numbers_and_many_levels_are_decided_about_too(target):
    real, twin, rest = (town(3000, seed, tiny=0.1, rare=0.3) for seed in (1, 2, 3))
    found = find(judged("downstream_gap", real, twin, rest, target=target, protected=("sex",)), "downstream_gap", "sex")
    assert found.value is not None and found.low < 0.05


# ---------------------------------------------------------------- attacks by group


def test_a_minority_whose_rows_were_copied_is_the_group_at_risk():
    real, rest = town(2000, 1, rare=0.3), town(2000, 2, rare=0.3)
    twin = town(2000, 3, rare=0.3)
    kept = np.nonzero(real.values["race"] == 1)[0]
    place = np.nonzero(twin.values["race"] == 1)[0]
    many = min(len(kept), len(place))
    for name, cells in twin.values.items():
        cells[place[:many]] = real.values[name][kept[:many]]
    found = judged("group_risk", real, twin, rest)
    race = find(found, "group_risk", "race")
    assert race.detail["group"] == "rare" and race.low > 0.6 and race.detail["control"] == "found"
    assert groups(race)["common"]["high"] < 0.6
    honest = find(judged("group_risk", real, town(2000, 4, rare=0.3), rest), "group_risk")
    assert honest.low < 0.5 < honest.high


# ---------------------------------------------------------------- what cannot be measured is said


@pytest.mark.parametrize("name", METRICS)
def test_what_cannot_be_measured_is_said(name):
    real, rest = town(1000, 1), town(1000, 2)
    assert "no column is protected" in judged(name, real, real, rest, protected=())[0].problem
    if name in ("label_gap", "downstream_gap"):
        assert "no target" in judged(name, real, real, rest, target=None)[0].problem
        assert "target itself" in judged(name, real, real, rest, protected=("hired",))[0].problem
    if name in ("downstream_gap", "group_risk"):
        assert "no holdout" in judged(name, real, real)[0].problem


@pytest.mark.parametrize("name", METRICS[:4])
def test_a_column_with_one_level_compares_nobody_and_the_others_are_judged_all_the_same(name):
    real, twin, rest = (town(1500, seed) for seed in (1, 2, 3))
    beside = [replace(one, values={**one.values, "race": np.zeros_like(one.values["race"])})
              for one in (real, twin, rest)]
    found = judged(name, *beside)
    alone = judged(name, *beside, protected=("sex",))
    assert [(one.place, one.value) for one in found] == [(one.place, one.value) for one in alone]
    assert found[0].value is not None


@pytest.mark.parametrize("name", METRICS[:4])
def test_a_column_with_one_level_has_nothing_to_compare(name):
    real, rest = town(1000, 1), town(1000, 2)
    for side in (real, rest):
        side.values["sex"][:] = 0
    found = judged(name, real, real, rest, protected=("sex",))
    assert "everybody is of one group" in found[0].problem and found[1].problem


@pytest.mark.parametrize("name", METRICS)
def test_the_promises_of_a_metric_hold_with_protected_columns(name):
    real, twin, rest = (town(1200, seed) for seed in (1, 2, 3))
    evidence = Evidence(table(real), real, twin, rest, "hired", protected=("sex", "race", "age"))
    assert any(f.value is not None for f in check_metric(catalog.get("metrics", name)(), evidence))


@pytest.mark.slow
@pytest.mark.skipif(not ADULT.exists(), reason=f"the table {ADULT} is not there")
def test_on_real_people_what_was_done_to_a_group_is_found_and_fresh_people_are_not_accused():
    import pandas as pd

    import fabrica

    whole = pd.read_csv(ADULT, skipinitialspace=True).sample(frac=1, random_state=1)
    real, fresh, rest = whole[:12_000], whole[12_000:22_000], whole[22_000:]
    rich = (fresh["sex"] == "Female") & (fresh["income"] == ">50K")
    lost = fresh.drop(fresh[rich].sample(frac=0.6, random_state=1).index)
    fewer = fresh.drop(fresh[fresh["race"] == "Black"].sample(frac=0.5, random_state=1).index)
    names = ["representation", "label_gap", "downstream_gap"]

    def audit(twin):
        return fabrica.evaluate(real, twin, rest, target="income", protected="sex,race", metrics=names)

    honest, blind, halved = audit(fresh), audit(lost), audit(fewer)
    assert all(honest.find(name, "sex").low < 0 for name in names[1:])
    assert honest.find("representation").value == pytest.approx(1, abs=honest.find("representation").floor_high - 0.9)
    assert blind.find("label_gap", "sex").low > 0.02 and blind.find("downstream_gap", "sex").value > 0
    assert halved.find("representation", "race").detail["group"] == "Black"
    assert halved.find("representation", "race").value == pytest.approx(0.5, abs=0.06)
