"""Of many columns of which few people have something, those decide that can: a twin that leaks nothing passes at all of
them together in nineteen of twenty cases, and one that gives few of one column away does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabrica.gatehouse.few import judged
from fabrica.reached import Gains

INTERNAL, PARTNER = 0.09, 0.05
LUCK = 0.3


def found(random, crowds, leak=0.0, leaky=()):
    """The findings of columns, each of so many people of both sides; of the leaky ones a share is guessed surely."""
    findings = []
    for i, people in enumerate(crowds):
        members, controls = (0.12 * random.standard_normal(people) for _ in range(2))
        members[: round(leak * people) if i in leaky else 0] += 1 - LUCK
        findings.append(Gains(members, controls, LUCK).finding("few", (f"column {i}",)))
    return [replace(one, detail={**one.detail, "control": "found"}) for one in findings]


def passed(findings, accepted=PARTNER):
    return all(one.high is not None and one.high <= most for one, most in judged(findings, accepted))


@pytest.mark.parametrize("crowds", [[300] * 20, [2_000] * 15, np.geomspace(100, 20_000, 20).astype(int)])
def test_a_twin_that_leaks_nothing_passes_in_nineteen_of_twenty_cases(crowds):
    random, times = np.random.default_rng(1), 200
    made = [found(random, crowds) for _ in range(times)]
    assert sum(map(passed, made)) >= 0.92 * times  # 95 %, less what comes by chance in 200
    assert np.mean([len(judged(findings, PARTNER)) for findings in made]) >= 1  # and not by silence


def test_the_careless_twin_asks_every_column_and_shuts_the_gate_by_luck():
    random = np.random.default_rng(1)
    asked = [all(one.high <= PARTNER for one in found(random, [300] * 20)) for _ in range(100)]
    assert sum(asked) < 50


@pytest.mark.parametrize("leak", [0.2, 0.5])
def test_one_column_of_twenty_that_gives_few_away_never_passes(leak):
    random = np.random.default_rng(2)
    assert not any(passed(found(random, [1_500] * 20, leak, {7})) for _ in range(50))


@pytest.mark.parametrize("seed", range(60))
def test_a_stricter_tier_never_passes_what_a_looser_one_does_not(seed):
    """The careless twin lets a column be silent that the looser tier asks."""
    random = np.random.default_rng(seed)
    crowds = random.geometric(1e-3, 12) + 100
    findings = found(random, crowds, float(random.choice([0.0, 0.05, 0.1, 0.2])), set(range(0, 12, 3)))
    told = [passed(findings, accepted) for accepted in (PARTNER, INTERNAL)]
    assert told == sorted(told)
    whole = found(random, crowds[:1], float(random.choice([0.0, 0.1, 0.2])), {0})
    together = [replace(one, place=()) for one in whole]
    told = [passed(together, accepted) for accepted in (PARTNER, INTERNAL)]
    assert told == sorted(told)
