"""What an attack does not see: of a large twin a part, of people with several rows one; no leak fades for that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabrica import catalog
from fabrica.contract import Evidence
from fabrica.metrics.privacy.outliers import Isolated
from fabrica.reached import Scores
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.sheets import IdentSheet
from metrics.attacked import REAL, REST, TABLE, leaking, tall
from metrics.worlds import find, judge


@pytest.mark.parametrize(("name", "nothing", "worlds"), [("membership", 0.5, 1), ("linkability", 0.0, 8),
                                                         ("verbatim_near", 0.0, 1)])
def test_a_leak_is_as_large_in_a_part_of_the_twin_as_in_the_whole(name, nothing, worlds):
    """Of whom half of the twin gives away half, and the number must be of the whole; of links half are luck here, so
    one world says little."""
    metric = catalog.get("metrics", "verbatim" if name.startswith("verbatim") else name)()
    apart = []
    for world in range(worlds):
        whole = leaking(0.4, REAL, 1_500, 8 + 20 * world)
        part = whole.take(np.arange(750))
        said = [find(list(metric.judge(Evidence(TABLE, REAL, twin, REST, seen=seen), Run(1, workers=1))), name)
                for twin, seen in ((whole, 1.0), (part, 0.5), (part, 1.0))]
        of_all, of_half, careless = said
        apart.append(of_half.value - of_all.value)
        assert of_half.low < of_all.value < of_half.high
        assert careless.value - nothing < 0.75 * (of_all.value - nothing)
        assert of_half.detail["seen"] == 0.5 and "seen" not in of_all.detail
        assert of_half.high - of_half.low > 1.5 * (of_all.high - of_all.low)  # and is less sure
    assert abs(np.mean(apart)) < 0.05


def test_a_link_hangs_on_no_order_and_a_copy_does_not_hide_among_its_likes():
    """Halves of few levels: thousands of rows are equally near, and a careless twin looks at the first five of them."""
    def odd(rows, seed):
        random = np.random.default_rng(seed)
        cells = {f"c{i}": random.integers(0, 3, rows).astype(np.int32) for i in range(3)}
        return IdentSheet(rows, {**cells, "pay": random.normal(size=rows)}, {name: ["a", "b", "c"] for name in cells})

    values = []
    for world in range(6):
        real, fresh, rest = (odd(rows, 10 * world + i) for i, rows in enumerate((1_500, 1_500, 2_400)))
        cells = {n: np.r_[real.values[n][:600], v[600:]] for n, v in fresh.values.items()}
        twins = [IdentSheet(1_500, cells, real.levels).take(np.arange(1_500)[::step]) for step in (1, -1)]
        found = [find(judge("linkability", real, twin, rest, seed=world), "linkability") for twin in twins]
        assert found[0].value == found[1].value and found[0].low == found[1].low
        values.append(found[0].value)
    assert np.mean(values) == pytest.approx(0.4, abs=0.05)  # as many as were copied


def test_singling_out_does_not_fade_with_the_size_of_the_table():
    """A holdout of a tenth: a third of the twin are real people, and as many of the guesses are right. Of the large
    table a quarter is seen, so one number has an error of .06, and the mean of 24 one of .013."""
    said = []
    for rows, seeds in ((1_200, 1), (4_800, 24)):
        real = tall(rows, 11)
        twin = leaking(0.33, real, rows, 12)
        found = [find(judge("singling_out", real, twin, tall(1_200, 13), seed=seed), "singling_out")
                 for seed in range(seeds)]
        said.append(float(np.mean([one.value for one in found])))
    assert all(0.2 < one < 0.36 for one in said)
    assert found[0].detail["seen"] == 0.25 and said[1] / 4 < 0.09  # what a careless twin would say
    part = tall(4_800, 11)
    known = Evidence(TABLE, part.take(np.arange(2_400)), leaking(0.33, part, 4_800, 12), tall(1_200, 13), judged=0.5)
    half = catalog.get("metrics", "singling_out")().judge(known, Run(1, workers=1))[0]
    assert half.detail["seen"] == 0.25 and 0.2 < half.value < 0.36  # of whom half are judged


def test_whoever_writes_a_leak_twice_or_makes_a_longer_twin_hides_nobody():
    leak = leaking(0.33, REAL, 1_500, 12)
    twice = leak.take(np.repeat(np.arange(1_500), 2))
    longer = IdentSheet(15_000, {n: np.concatenate([v, tall(13_500, 14).values[n]]) for n, v in leak.values.items()},
                        REAL.levels)
    plain, doubled, thinned = (find(judge("singling_out", REAL, twin, REST), "singling_out")
                               for twin in (leak, twice, longer))
    assert doubled.low > 0.15 and abs(doubled.value - plain.value) < 0.2
    assert thinned.detail["seen"] == pytest.approx(0.26) and thinned.high > 0.1


def test_an_attack_on_outliers_that_finds_them_by_the_area_alone_is_no_control():
    """A few strangers who score like members: the area is large, and none is found at few false alarms."""
    members, controls = np.linspace(0.4, 1, 300), np.r_[np.linspace(0, 0.5, 290), np.ones(10) * 2]
    assert Scores(members, controls).found and not Isolated(members, controls).found
    assert Isolated(members, controls[:290]).found


def visits(people: range, seed: int) -> IdentSheet:
    """Six rows of each person, nearly alike."""
    random = np.random.default_rng(seed)
    who = np.repeat(np.array(people), 6)
    own = {n: v[who] for n, v in tall(max(people) + 1, 7).values.items()}
    own["weight"] = own["weight"] + random.normal(0, 0.2, len(who))
    return IdentSheet(len(who), own, REAL.levels, {"who": who.astype(np.int64)})


def jittered(real: IdentSheet) -> IdentSheet:
    """A twin that is the people themselves, moved by a hair."""
    cells = {**real.values, "weight": real.values["weight"] + 0.01}
    return IdentSheet(real.rows, cells, real.levels)


def test_whoever_stands_on_both_sides_hides_a_leak_and_is_told():
    schema = Table("t", (*TABLE.columns, Column("who", "key")))
    whole = visits(range(1_200), 1)
    random = np.random.default_rng(3)
    aside = random.random(whole.rows) < 0.4  # rows are split: most people stand on both sides
    own, rest = whole.take(np.flatnonzero(~aside)), whole.take(np.flatnonzero(aside))
    careless = Evidence(schema, own, jittered(own), rest)
    blind = find(list(catalog.get("metrics", "membership")().judge(careless, Run(1, workers=1))), "membership")
    told = find(list(catalog.get("metrics", "membership")().judge(replace(careless, unit="who"), Run(1, workers=1))),
                "membership")
    assert told.value is None and "of the holdout are learned from too" in told.problem
    own, rest = visits(range(800), 1), visits(range(800, 1_600), 2)
    apart = Evidence(schema, own, jittered(own), rest, unit="who")
    seen = find(list(catalog.get("metrics", "membership")().judge(apart, Run(1, workers=1))), "membership")
    assert seen.low > 0.75 > blind.high and seen.detail["members"] == 400
