"""The plan: which tier so many people can support, and how large the holdout must be, before anything is learned.

A test that passes by its upper bound alone needs people, and ten tests that each pass nine times in ten pass together
only one time in three. So the whole gate is simulated: twins that leak nothing are drawn up as the findings that each
attack would have of so many people (guesses by binomials, scores by pairs of equal laws), and go through the very tests
of the gate. How often they pass is the chance that a good twin passes; how often twins pass in which one row in a
hundred is that of a member is the chance that a bad one does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fabrica.attack import FEWEST, HELD, PEOPLE, Gains, Guesses, Outcome, Scores
from fabrica.bounds import Z
from fabrica.bounds import share as share_of
from fabrica.gatehouse.checks import Case, outcomes
from fabrica.gatehouse.outcome import PASS, joined
from fabrica.gatehouse.policy import Policy
from fabrica.gatehouse.rare import Rare
from fabrica.report import Finding, Report
from fabrica.run import Run

__all__ = ["Chance", "Population", "chance"]

TIMES = 200  #: simulated twins
LEAK = 0.01  #: of the rows of a bad one that are members'
SINGLED, LINKED, NEARLY, EXACTLY = 0.15, 0.03, 0.007, 0.001  #: of strangers, that a guess is right by luck (Adult)
#: standard deviation of how surely a secret is guessed, what is known without the twin taken out, over that of a coin
#: that falls as often on the truth (Adult)
SPREAD = 0.27
ISOLATED, WHOLE, PLANTED, DOSE = 0.05, 20_000, 300, 0.03  #: as the attacks on outliers and the canaries have them
GUESSED = 12_000  #: members whose secrets are guessed, at most


@dataclass(frozen=True)
class Population:
    """Parameters
    ----------
    people : in the whole table. lucks : of each column, how surely it is guessed from the others by anybody.
    alone : share of people whose row nobody else has. private : whether there will be an epsilon that the tier accepts.
    """

    people: int
    lucks: Sequence[float]
    alone: float = 1.0
    private: bool = False


@dataclass(frozen=True)
class Chance:
    """What comes of it: how often a good twin passes, how often one passes that repeats one member in a hundred rows,
    and name -> how often that test was the one, or among those, that a good twin did not pass."""

    good: float
    bad: float
    stopped: Mapping[str, float] = field(default_factory=dict)


def chance(population: Population, share: float, policy: Policy, tier: str, run: Run, times: int = TIMES) -> Chance:
    """How likely the gate opens, by simulation.

    Parameters
    ----------
    share : of the people who are held back. times : simulated twins, of which the error is sqrt(p (1 - p) / times).

    >>> many = chance(Population(40_000, [0.5] * 8), 0.3, Policy(), "partner", Run(1), times=20)
    >>> few = chance(Population(2_000, [0.5] * 8), 0.2, Policy(), "partner", Run(1), times=20)
    >>> many.good > 0.8, many.bad, few.good
    (True, 0.0, 0.0)
    """
    verdicts = {}
    stopped: Counter[str] = Counter()
    for leak in (0.0, LEAK):
        found = [_decided(population, share, policy, tier, leak, run.child(f"{leak:g}").child(i)) for i in range(times)]
        verdicts[leak] = sum(not shut for shut in found) / times
        if not leak:
            stopped = Counter(name for shut in found for name in shut)
    return Chance(verdicts[0.0], verdicts[LEAK], {name: count / times for name, count in stopped.most_common()})


def _decided(population: Population, share: float, policy: Policy, tier: str, leak: float, run: Run) -> list[str]:
    """The tests that a simulated twin does not pass."""
    rest = int(population.people * share)
    own = population.people - rest
    if min(own, rest // 2) < FEWEST:
        return ["people"]
    findings = _findings(population, own, rest, leak, run.random())
    case = Case(policy, tier, Report(tuple(findings)), population.people, population.people, Rare(),
                epsilon=policy.tier(tier).epsilon if population.private else None)
    decided = outcomes(case)
    return [] if joined(decided) == PASS else [one.name for one in decided if one.verdict != PASS]


def _findings(population: Population, own: int, rest: int, leak: float, random: np.random.Generator) -> list[Finding]:
    """What the attacks would find of so many people."""
    half = rest // 2
    size = min(half, own, PEOPLE)
    copied = leak * min(own, HELD) / own  # of the members, who stand in the twin
    alone = [max(1, int(population.alone * people)) for people in (own, half)]
    struck: dict[str, list[Outcome]] = {
        "verbatim": [_guesses(alone[0], alone[1], EXACTLY, copied, random)],
        "verbatim_near": [_guesses(min(alone[0], size), min(alone[1], size), NEARLY, copied, random)],
        "singling_out": [_guesses(size, size, SINGLED, copied, random)],
        "linkability": [_guesses(size, size, LINKED, copied, random)],
        "inference": [_gains(min(own, GUESSED), rest, luck, copied, random) for luck in population.lucks],
        "membership": [_scores(2 * size, 2 * size, copied, random)], "density": [_scores(size, size, copied, random)],
        "outliers": [_scores(int(ISOLATED * min(own, WHOLE)), int(ISOLATED * min(rest, 2 * WHOLE)), leak / ISOLATED,
                             random)]}
    findings = []
    for name, attacks in struck.items():
        told = [attack.finding(name, (f"column {i}",) if len(attacks) > 1 else ()) for i, attack in enumerate(attacks)]
        findings += [replace(one, detail={**one.detail, "control": "found"}) for one in told]
    planted = min(PLANTED, int(DOSE * own))
    error = float((4 * min(own, rest) + 1) ** -0.5 / 3**0.5)
    area = 0.5 + error * float(random.normal())
    return [*findings, Finding("canaries", 0.0, high=share_of(0, planted)[1], detail={"planted": planted}),
            Finding("alike", area, better=0.5, low=area - Z * error, high=area + Z * error)]


def _guesses(own: int, others: int, luck: float, copied: float, random: np.random.Generator) -> Guesses:
    hit = luck + copied * (1 - luck)
    return Guesses(int(random.binomial(own, hit)), own, int(random.binomial(others, luck)), others)


def _gains(own: int, others: int, luck: float, copied: float, random: np.random.Generator) -> Gains:
    spread = SPREAD * (luck * (1 - luck)) ** 0.5
    members, controls = (random.normal(0.0, spread, people) for people in (own, others))
    return Gains(members + (random.random(own) < copied) * (1 - luck), controls, luck)


def _scores(own: int, others: int, copied: float, random: np.random.Generator) -> Scores:
    members, controls = (random.normal(size=people) for people in (own, others))
    return Scores(members + 6.0 * (random.random(own) < copied), controls)

