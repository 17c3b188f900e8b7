"""Of many columns that are left out each by itself those decide that can: a twin that leaks nothing passes at all of
them together in nineteen of twenty cases, and no leak hides behind how few there are."""

from __future__ import annotations

import numpy as np
import pytest

from fabrica.gatehouse.left_out import judged
from fabrica.reached import Guesses
from fabrica.report import Finding

PARTNER = 0.005


def found(random, places, leak=0.0):
    """The findings of places, each with (people learned from, others, luck)."""
    findings = []
    for i, (own, others, luck) in enumerate(places):
        hits, by_luck = random.binomial(own, luck + leak * (1 - luck)), random.binomial(others, luck)
        findings.append(Guesses(int(hits), own, int(by_luck), others).finding("verbatim_without", (f"column {i}",)))
    return findings


def passed(findings, accepted=PARTNER):
    told = [(one.high is not None and one.high <= most) for one, most in judged(findings, accepted)]
    return all(told)


#: columns that differ by how many people stand in a twin by luck without them, and by how many are alone
UNLIKE = [[(8_000, 6_000, luck) for luck in np.geomspace(1e-4, 0.1, 20)],
          [(people, people, 0.002) for people in np.geomspace(60, 40_000, 25).astype(int)]]
#: and where they are all alike
ALIKE = [[(8_000, 6_000, 0.004)] * 20, [(1_500, 1_000, 1e-4)] * 20, [(9_000, 4_000, 0.02)] * 15,
         [(5_000, 2_000, 0.002)] * 30, [(40_000, 30_000, 0.02)]]


@pytest.mark.parametrize("places", [*UNLIKE, *ALIKE])
def test_a_twin_that_leaks_nothing_passes_in_nineteen_of_twenty_cases(places):
    """The careless twin asks every place, and of columns that are unlike one shuts the gate more often than not."""
    random, times = np.random.default_rng(1), 200
    made = [found(random, places) for _ in range(times)]
    assert np.mean([len(judged(findings, PARTNER)) for findings in made]) > 0.4 * len(places)  # and not by silence
    assert sum(map(passed, made)) >= 0.92 * times  # 95 %, less what comes by chance in 200
    asked = [all(one.high is not None and one.high <= PARTNER for one in findings) for findings in made]
    assert sum(asked) < times / 2 or places in ALIKE


def test_it_is_judged_by_the_narrowest_threshold_for_which_there_are_people():
    def most(people, luck=0.01):
        told = judged([Guesses(0, people, round(luck * people), people).finding("x", ("age",))], PARTNER)
        return [accepted for _, accepted in told]

    assert [most(people) for people in (40_000, 6_000, 2_500, 300)] == [[0.005], [0.01], [0.02], []]


@pytest.mark.parametrize("seed", range(60))
def test_a_stricter_tier_never_passes_what_a_looser_one_does_not(seed):
    """The careless twin asks each tier by thresholds of its own, and lets a place be silent that a looser one asks."""
    random = np.random.default_rng(seed)
    people, luck = random.geometric(2e-4, (12, 2)) + 100, 10 ** random.uniform(-4, -1, 12)
    places = [(int(own), int(others), float(by_luck)) for (own, others), by_luck in zip(people, luck, strict=True)]
    findings = found(random, places, leak=float(random.choice([0.0, 0.005, 0.01, 0.02])))
    told = [passed(findings, accepted) for accepted in (0.003, 0.005, 0.01)]
    assert told == sorted(told)


def test_a_leak_keeps_no_place_from_being_judged_and_few_are_judged_where_it_is_surely_too_much():
    for hits in (0, 60, 600, 6_000):
        leaky = Guesses(hits, 9_000, 20, 6_000).finding("x", ("age",))
        assert judged([leaky], PARTNER) == [(leaky, 0.005)]
    silent, sure = (Guesses(hits, 900, 30, 700).finding("x", ("age",)) for hits in (40, 120))
    assert judged([silent], PARTNER) == [] and judged([sure], PARTNER) == [(sure, 0.005)]
    few = [Guesses(hits, 60, 0, 4_000).finding("x", ("age",)) for hits in (0, 1, 30)]
    assert [len(judged([one], PARTNER)) for one in few] == [0, 0, 1]


def test_the_worst_of_many_few_is_no_find():
    """Two of sixty are more than luck at one place, and at the worst of fifty they are not."""
    one = Guesses(2, 60, 0, 4_000).finding("x", ("age",))
    nothing = [Guesses(0, 60, 0, 4_000).finding("x", (f"column {i}",)) for i in range(49)]
    assert len(judged([one], PARTNER)) == 1 and judged([one, *nothing], PARTNER) == []


def test_what_says_no_counts_is_judged_by_its_bounds_and_what_everybody_is_by_luck_is_not():
    bare = Finding("x", 0.0, ("age",), low=-0.1, high=0.1)
    everybody = Guesses(500, 500, 400, 400).finding("x", ("town",))
    assert judged([bare, everybody], PARTNER) == [(bare, 0.005)]
