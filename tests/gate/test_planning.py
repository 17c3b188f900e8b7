"""The plan simulates the gate that will decide."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from metrics.attacked import tall
from metrics.worlds import table

import fabrica
from fabrica import catalog
from fabrica.cli.commands import _outcome as cli
from fabrica.contract import Evidence
from fabrica.counted import filled
from fabrica.errors import FabricaError
from fabrica.gatehouse.falling import Falling
from fabrica.gatehouse.planning import Held, Population, Recognisable, chance, needed
from fabrica.gatehouse.policy import HOUSE, Policy
from fabrica.gatehouse.simulated import Sides, simulated
from fabrica.planned import _Look
from fabrica.run import Run
from fabrica.world import World

LUCKS = [0.2, 0.5, 0.7, 0.8]


def good(people, share=0.3, tier="partner", policy=HOUSE, times=40, **said):
    return chance(Population(people, LUCKS, **said), share, policy, [tier], Run(5), times)[tier]


def test_more_people_pass_more_often_and_a_leak_never():
    chances = [good(people) for people in (1_500, 8_000, 60_000)]
    assert chances[0].good < 0.05 < chances[1].good < 0.95 <= chances[2].good
    assert all(one.bad == 0 for one in chances)


def test_a_narrower_circle_asks_for_more():
    assert good(8_000, tier="internal").good > good(8_000).good
    assert good(60_000, tier="public").good == 0 and good(60_000, tier="public").stopped == {"epsilon": 1.0} | {
        name: share for name, share in good(60_000, tier="public").stopped.items() if name != "epsilon"}
    assert good(60_000, tier="public", private=True).good > 0.5


def test_so_many_are_needed_and_no_fewer():
    people, share = needed(Population(1_500, LUCKS), HOUSE, "partner", [0.3, 0.5], 0.9, Run(5), 40)
    assert people == int(f"{people:.1e}".replace(".", "").split("e")[0]) * 10 ** (len(str(people)) - 2)  # two digits
    assert good(people, share).good > 0.8 > good(people // 2, share).good
    impossible = Policy.from_json({"tiers": {"partner": {"membership": 0.5}}})
    assert needed(Population(300_000, LUCKS), impossible, "partner", [0.3], 0.9, Run(5), 10) is None


def test_the_attacks_are_simulated_as_large_as_they_are():
    own, rest = 1_500, 2_400
    real, twin, others = (tall(rows, seed) for seed, rows in ((1, own), (3, own + rest), (2, rest)))
    world = World.of(Evidence(table(real), real, twin, others), Run(1, workers=1))
    struck = {}
    for name in ("verbatim", "verbatim_but_one", "singling_out", "linkability", "membership", "density", "outliers",
                 "inference"):
        found = catalog.get("metrics", name)().made(world, Run(1, workers=1).child(name), control=False)
        struck |= {one.metric: one.detail for one in found if not one.place}
    made = simulated(Population(own + rest, [0.5, 0.5]), Sides(own, rest, 0.0), np.random.default_rng(1))
    like = {one.metric: one.detail for _, some in made for one in some}
    for metric in ("verbatim_but_one", "verbatim_near"):
        assert 0.95 < struck[metric]["tries"] / like[metric]["tries"] <= 1, metric  # but those who have a like
    for metric in ("linkability", "membership", "density", "inference"):
        for name in {"tries", "control_tries", "members", "controls"} & set(struck[metric]):
            assert struck[metric][name] == like[metric][name], (metric, name)
    assert struck["singling_out"].get("seen") == like["singling_out"].get("seen")
    for side in ("members", "controls"):
        assert like["outliers"][side] == pytest.approx(struck["outliers"][side], rel=0.3)


def population(people, *categories):
    """What the plan measures on people whose columns of these names are categories."""
    schema = {name: {"kind": "category"} for name in categories}
    return _Look.at(filled(people), len(people), None, schema, Run(1, workers=1)).population


def test_what_few_have_is_measured_on_the_table():
    """Of four flags each strikes two in a hundred by chance, and 1 - .98^4 of people have any."""
    random, people = np.random.default_rng(1), 12_000
    flags = {f"flag{i}": np.where(random.random(people) < 0.02, "yes", "no") for i in range(4)}
    look = population(pd.DataFrame({"age": random.integers(18, 90, people), **flags}), *flags)
    assert len(look.few) == 4 and look.any_few.share == pytest.approx(1 - 0.98**4, rel=0.1)
    for one in (*look.few, look.any_few):
        assert one.luck < 0.2 and 0 < one.spread < 0.3  # nobody tells who has one
    assert all(one.share == pytest.approx(0.02, rel=0.2) for one in look.few)


def test_secrets_of_few_are_simulated_as_many_as_have_them():
    crowd = Population(60_000, LUCKS, few=[Held(0.02, 0.3, 0.1), Held(0.001, 0.3, 0.1)],
                       any_few=Held(0.021, 0.3, 0.1))
    found = [one for _, some in simulated(crowd, Sides(40_000, 20_000, 0.0), np.random.default_rng(1)) for one in some
             if one.metric == "inference_few"]
    assert [(one.place, one.detail.get("members"), one.detail.get("controls")) for one in found] == [
        ((), 840, 420), (("column 0",), 800, 400), (("column 1",), None, None)]  # of 40 and 20 nothing is said
    assert abs(found[0].value) < 0.03 and found[0].detail["width"] < 0.05


def test_secrets_of_few_stop_few_good_twins_and_those_that_nobody_is_sure_of_none():
    """The careless twin asks each of twenty columns, whatever comes by luck."""
    some = [Held(0.02, 0.3, 0.25)] * 20
    found = [good(60_000, few=few, any_few=whole) for few, whole in ((some, Held(0.33, 0.3, 0.1)), ((), None))]
    assert found[1].good >= found[0].good > found[1].good - 0.2 and found[0].bad == 0


def test_of_more_people_fewer_are_alone():
    """In a grid of G cells somebody among n people is alone in (1 - 1/G)^(n-1) of cases."""
    random, cells, people = np.random.default_rng(1), 100 * 100, 20_000
    grid = pd.DataFrame({name: random.integers(0, 100, people).astype(str) for name in "ab"})
    look = population(grid, "a", "b")
    for shares in (look.alone, look.apart):
        assert shares.at(people) == pytest.approx((1 - 1 / cells) ** people, rel=0.1)  # and .55 of 6,000
        assert shares.at(4 * people) < shares.at(people) / 4
    for more, some in ((20_000, 0.2), (5_000, 0.6)):
        assert _tried(Population(more, [0.5], Falling(20_000, 0.2, -1.0))) == pytest.approx(some, rel=0.5)


def test_who_stands_in_a_twin_by_luck_without_a_column_is_measured_on_the_table():
    """Without the amount there are G equal cells: somebody among n people is alone in (1 - 1/G)^n of cases, and one of
    t rows of the twin is like them in 1 - (1 - 1/G)^t. With it nobody is like anybody."""
    random, people = np.random.default_rng(1), 8_000
    payers = pd.DataFrame({"town": random.integers(0, 200, people).astype(str), "amount": random.normal(size=people),
                           "trade": random.integers(0, 20, people).astype(str)})
    look = population(payers, "town", "trade")
    alone = (1 - 1 / 4_000) ** 4_000  # half of them, beside half of them
    town, amount, trade = look.without
    assert (town.luck.share, trade.luck.share, town.alone.share, trade.alone.share) == (0, 0, 1, 1)
    assert amount.luck.share == pytest.approx(1 - alone, rel=0.1)
    assert amount.alone.share == pytest.approx(alone, rel=0.1)
    assert look.but_one.alone.share == 1 and look.but_one.luck.share == pytest.approx(alone * (1 - alone), rel=0.1)
    assert amount.luck.at(people) >= 1 - alone**2  # of a twin of twice as many rows, at least


def test_a_column_without_which_many_stand_in_any_twin_stops_no_good_one_and_hides_no_bad_one():
    lucky = [Recognisable(luck=Falling(share=luck)) for luck in (0.0, 0.001, 0.05, 0.3)]
    found = [good(60_000, without=without) for without in (lucky, lucky[:1])]
    assert found[0].good > 0.85 and found[0].bad == found[1].bad == 0


def _tried(population):
    """The share of those learned from whom the simulated attack on copies tries to recognise."""
    sides = Sides(population.people // 2, population.people // 2, 0.0)
    made = simulated(population, sides, np.random.default_rng(1))
    return next(one.detail["tries"] for _, some in made for one in some if one.metric == "verbatim") / sides.own


def test_what_stops_is_told_and_a_policy_of_one_s_own_is_simulated():
    strict = Policy.from_json({"tiers": {"partner": {"membership": 0.5}}})
    found = good(20_000, policy=strict)
    assert found.good == 0 and found.stopped["membership"] == 1.0


def test_a_twin_that_could_not_be_attacked_is_no_bad_one_that_was_stopped():
    """600 people of whom a tenth is held back: no attack can be made, so nothing is known of twins that leak."""
    assert (good(600, share=0.1).good, good(600, share=0.1).leaky) == (0.0, 0)
    assert good(600, share=0.5).leaky == 40


def test_the_same_run_gives_the_same_plan():
    assert good(8_000) == good(8_000)


def test_the_command_measures_the_table(tmp_path, capsys):
    random = np.random.default_rng(1)
    age = random.integers(17, 90, 3_000)
    pd.DataFrame({"age": age, "old": np.where(age > 60, "y", "n"), "town": random.choice(list("abc"), 3_000),
                  "paid": random.normal(size=3_000).round(4)}).to_csv(tmp_path / "people.csv", index=False)
    plan = fabrica.plan(tmp_path / "people.csv", tier="internal")
    assert plan.people == 3_000 and set(plan.chances) == {"internal", "partner", "public"}
    assert plan.chances["internal"][0.1].good <= plan.chances["internal"][0.5].good
    assert 0.1 < plan.chances["internal"][plan.best].good < 0.9 and plan.needed[0] > 3_000
    assert f"about {plan.needed[0]:,} people like these are needed" in str(plan)
    assert ("with one row in a hundred copied from a member by chance, 0 passed at tier internal: at most"
            in str(plan))
    assert "of 3 columns of 4 (not of old: nearly everybody's is guessed anyway)" in str(plan)
    assert cli(["plan", str(tmp_path / "people.csv"), "--tier", "internal", "-q"]) == 0
    assert str(plan) in capsys.readouterr().out


def test_a_bad_twin_copies_members_by_chance_and_scores_them_as_measured():
    """The careless twin copies the isolated ones, far away from all others: a bad one would be too easy to see."""
    found: dict[str, list[float]] = {}
    for i in range(16):
        made = simulated(Population(60_000, [0.5]), Sides(40_000, 20_000, 0.02), np.random.default_rng(i))
        for one in (one for _, some in made for one in some):
            found.setdefault(one.metric, []).append(one.detail.get("caught_at_0.01", one.value))
    assert np.mean(found["verbatim"]) == pytest.approx(0.02, abs=0.001)
    assert np.mean(found["outliers"]) == pytest.approx(0.03, abs=0.005)
    assert np.mean(found["membership"]) == pytest.approx(0.03, abs=0.005)
    assert np.mean(found["singling_out"]) < 0.01
    assert np.mean(found["linkability"]) == pytest.approx(0.0116, abs=0.005)


def test_people_with_several_rows_are_planned_for_as_people():
    random = np.random.default_rng(1)
    visits = pd.DataFrame({"who": np.repeat(np.arange(800), 3), "age": random.integers(17, 90, 2_400),
                           "ward": random.choice(list("abc"), 2_400)}).sample(frac=1, random_state=1)
    assert fabrica.plan(visits, tier="internal", unit="who").people == 800


def test_too_few_people_are_told(tmp_path):
    pd.DataFrame({"age": range(100)}).to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(FabricaError, match="100 people"):
        fabrica.plan(tmp_path / "few.csv")
    with pytest.raises(FabricaError, match="who"):
        fabrica.plan(tmp_path / "few.csv", unit="who")
