"""The plan: which tier so many people can support, and how large the holdout must be, before anything is learned.

A test that passes by its upper bound alone needs people, and ten tests that each pass nine times in ten pass together
only one time in three. So the whole gate is simulated: twins that leak nothing are drawn up as the findings that each
attack would have of so many people (``simulated.py``), and go through the very tests of the gate. How often they pass
is the chance that a good twin passes; how often twins pass in which one row in a hundred is that of a member is the
chance that a bad one does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fabrica.gatehouse.case import Case
from fabrica.gatehouse.checks import outcomes
from fabrica.gatehouse.outcome import PASS
from fabrica.gatehouse.policy import Policy
from fabrica.gatehouse.rare import Rare
from fabrica.gatehouse.simulated import Held, Population, Recognisable, Sides, simulated
from fabrica.report import Finding, Report
from fabrica.run import Run

__all__ = ["Chance", "Held", "Population", "Recognisable", "chance", "needed"]

TIMES = 200  #: simulated twins
LEAK = 0.01  #: of the rows of a bad one that are members'
PEOPLE, STEP = 1_000_000, 1.5  #: beyond whom no plan is made; how much further is looked where so many are too few
Twin = Iterable[tuple[str, list[Finding]]]
NEAR = 1.05  #: two numbers of people that are as good as equal


@dataclass(frozen=True)
class Chance:
    """What comes of it: how often a good twin passes, how often one passes that repeats one member in a hundred rows
    (of so many simulated ones: none where there are too few people for any attack), and name -> how often that test was
    the one, or among those, that a good twin did not pass."""

    good: float
    bad: float
    leaky: int
    stopped: Mapping[str, float] = field(default_factory=dict)


def chance(population: Population, share: float, policy: Policy, tiers: Sequence[str], run: Run, times: int = TIMES
           ) -> dict[str, Chance]:
    """How likely the gate opens at each tier, by simulation.

    Parameters
    ----------
    share : of the people who are held back. times : simulated twins, of which the error is sqrt(p (1 - p) / times).

    >>> many, few = (chance(Population(people, [0.5] * 8), 0.3, Policy(), ["partner"], Run(1), times=20)["partner"]
    ...              for people in (40_000, 2_000))
    >>> many.good > 0.8, many.bad, few.good
    (True, 0.0, 0.0)
    """
    shut: dict[str, list[list[str]]] = {tier: [] for tier in tiers}
    let, leaky = Counter[str](), 0
    for i in range(times):
        good = _twin(population, share, 0.0, run.child("0").child(i))
        findings = None if good is None else [one for _, some in good for one in some]
        for tier in tiers:
            shut[tier].append(["people"] if findings is None else _shut(population, policy, tier, findings))
        bad = _twin(population, share, LEAK, run.child(f"{LEAK:g}").child(i))
        let.update(_passed(population, policy, tiers, bad))
        leaky += bad is not None
    found = {}
    for tier, each in shut.items():
        stopped = Counter(name for names in each for name in names)
        found[tier] = Chance(sum(not names for names in each) / times, let[tier] / max(1, leaky), leaky,
                             {name: count / times for name, count in stopped.most_common()})
    return found


def needed(population: Population, policy: Policy, tier: str, shares: Sequence[float], often: float, run: Run,
           times: int = TIMES) -> tuple[int, float] | None:
    """How many people make a good twin pass at least so ``often``, rounded up to two digits, and the share of them to
    hold back; None where not even a million do.

    >>> few = Population(1_000, [0.5] * 8)
    >>> people, share = needed(few, Policy(), "internal", [0.2, 0.5], 0.9, Run(1), times=20)
    >>> 1_000 < people < 20_000, share
    (True, 0.5)
    """
    def enough(people: int) -> float | None:
        here, count = replace(population, people=people), run.child(people)
        return next((share for share in sorted(shares, reverse=True)
                     if _often(here, share, policy, tier, often, count.child(f"{share:g}"), times)), None)

    few, many = population.people, _rounded(STEP * population.people)
    while (share := enough(many)) is None:
        if many >= PEOPLE:
            return None
        few, many = many, _rounded(STEP * many)
    while many / few > NEAR and few < (middle := _rounded((few * many) ** 0.5)) < many:
        if (here := enough(middle)) is None:
            few = middle
        else:
            many, share = middle, here
    return many, share


def _rounded(people: float) -> int:
    """Up to two digits.

    >>> _rounded(12_345), _rounded(99.5)
    (13000, 100)
    """
    step = 10 ** max(0, len(str(int(people))) - 2)
    return int(-(-people // step) * step)


def _often(population: Population, share: float, policy: Policy, tier: str, often: float, run: Run, times: int) -> bool:
    """Whether good twins pass so often; after too many that did not, no more are tried."""
    left = int((1 - often) * times)
    for i in range(times):
        left -= not _passed(population, policy, [tier], _twin(population, share, 0.0, run.child(i)))
        if left < 0:
            return False
    return True


def _twin(population: Population, share: float, leak: float, run: Run) -> Twin | None:
    """What the attacks find of a twin, test by test; None where there are too few people for any."""
    rest = int(population.people * share)
    own = population.people - rest
    sides = Sides(own, rest, leak * population.people / max(1, own))
    return simulated(population, sides, run.random()) if sides.enough else None


def _passed(population: Population, policy: Policy, tiers: Sequence[str], twin: Twin | None) -> list[str]:
    """The tiers at which a twin passes; it is not attacked further once none is left."""
    left, findings = [] if twin is None else list(tiers), list[Finding]()
    for test, some in twin or ():
        findings += some
        left = [tier for tier in left if test not in _shut(population, policy, tier, findings)]
        if not left:
            break
    return [tier for tier in left if not _shut(population, policy, tier, findings)]


def _shut(population: Population, policy: Policy, tier: str, findings: Sequence[Finding]) -> list[str]:
    """The tests that a simulated twin does not pass."""
    case = Case(policy, tier, Report(tuple(findings)), population.people, population.people, Rare(),
                epsilon=policy.tier(tier).epsilon if population.private else None)
    return [one.name for one in outcomes(case) if one.verdict != PASS]
