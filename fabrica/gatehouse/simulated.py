"""What the attacks of the gate would find of so many people, without any: guesses by binomials, gains by normal laws,
scores by pairs of equal laws; as many of each as the attack itself would have.

The rates at which strangers are hit were measured with the attacks on the Adult table (that they stand in the twin but
for one column, which hangs on the columns most of all, the plan measures on the table itself), and those at which
somebody is found who stands in the twin, on twins of Adult, of bank customers and of patients in which one row in a
hundred is that of a member by chance: of the three the least that was found, so that a bad twin looks no worse than it
is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fabrica.bounds import Z, share
from fabrica.gatehouse.falling import Falling
from fabrica.reached import FEWEST, Gains, Guesses, Outcome, Scores
from fabrica.report import Finding
from fabrica.world import PEOPLE

__all__ = ["Held", "Population", "Recognisable", "simulated"]

SINGLED, LINKED, NEARLY, EXACTLY = 0.14, 0.064, 0.008, 0.001  #: of strangers, that a guess is right by luck (Adult)
#: standard deviation of how surely a secret is guessed, what is known without the twin taken out, over that of a coin
#: that falls as often on the truth (Adult)
SPREAD = 0.27
SOUGHT, GUESSED, LEARNED = 100_000, 40_000, 250_000  #: as singling out, inference and density have them, at most;
#: inference learns from as many rows of the twin as density
ISOLATED, WHOLE = 0.05, 20_000  #: as the attack on outliers has them
PLANTED, DOSE = 300, 0.03  #: as the canaries have them
JUDGED = 100_000  #: rows of each side that are judged, at most
PICKED, TIED = 0.03, 0.58  #: of people who were copied, who are singled out, and linked, beyond luck
AWAY, DENSER = 4.5, 0.7  #: standard deviations by which those score beyond others, by distance and by density

Columns = tuple[str, ...]  #: of which a number is; none of the whole table
Struck = Mapping[Columns, Outcome]


@dataclass(frozen=True)
class Recognisable:
    """Who could be recognised by what they have: the share of people who are ``alone`` with it, and of those among them
    who were not learned from the share who stand in the twin (``luck``), among so many."""

    alone: Falling = field(default_factory=Falling)
    luck: Falling = field(default_factory=lambda: Falling(share=0.0))

    def struck(self, people: int, sides: Sides, random: np.random.Generator) -> Outcome:
        own, rest = (max(1, int(self.alone.at(people) * side)) for side in (sides.own, sides.rest))
        return _guesses(own, rest, self.luck.at(people), sides.copied, random)


@dataclass(frozen=True)
class Held:
    """What few have of one column, or of all: the ``share`` of people who have it, how surely it is guessed of anybody
    (``luck``), and by which standard deviation that differs, what is known without the twin taken out (``spread``)."""

    share: float
    luck: float
    spread: float

    def struck(self, own: int, others: int, leak: float, seen: float, random: np.random.Generator) -> Outcome:
        """Of so many people of each side those who have it, a share ``leak`` of the former surely guessed."""
        members, controls = (np.float32(self.spread) * random.standard_normal(int(self.share * people), np.float32)
                             for people in (own, others))
        members[: random.binomial(len(members), leak)] += 1 - self.luck
        return Gains(members, controls, self.luck, seen=seen)


@dataclass(frozen=True)
class Population:
    """Parameters
    ----------
    people : in the whole table. lucks : of each column, how surely it is guessed from the others by anybody.
    alone, apart : share of people whose row nobody else has, and to whom nobody else's is near. but_one, without : who
    could be recognised by all but any one column, and by all but each. few, any_few : what few people have, of each
    column where there is such a thing, and of all together. private : whether there will be an epsilon that
    the tier accepts.
    """

    people: int
    lucks: Sequence[float]
    alone: Falling = field(default_factory=Falling)
    apart: Falling = field(default_factory=Falling)
    but_one: Recognisable = field(default_factory=Recognisable)
    without: Sequence[Recognisable] = (Recognisable(),)
    few: Sequence[Held] = ()
    any_few: Held | None = None
    private: bool = False


@dataclass(frozen=True)
class Sides:
    """People learned from (``own``) and held back (``rest``), in the table and as far as they are judged; a share
    ``copied`` of the former stands in the twin, which has as many rows as there are people in all."""

    own: int
    rest: int
    copied: float

    @property
    def judged(self) -> tuple[int, int]:
        return min(self.own, JUDGED), min(self.rest, JUDGED)

    @property
    def half(self) -> int:
        """Of the holdout, who are attacked; the attacker knows the others."""
        return self.judged[1] // 2

    @property
    def attacked(self) -> int:
        """People of each side whom most attacks take."""
        return min(self.half, self.judged[0], PEOPLE)

    @property
    def enough(self) -> bool:
        return min(self.own, self.half) >= FEWEST


def simulated(population: Population, sides: Sides, random: np.random.Generator
              ) -> Iterator[tuple[str, list[Finding]]]:
    """The name of a test and the findings that decide it, quickly reckoned ones first: whoever has seen enough need not
    go on.

    >>> found = simulated(Population(12_000, [0.5]), Sides(9_000, 3_000, 0.0), np.random.default_rng(1))
    >>> {test: [one.metric for one in findings] for test, findings in found}["copies"]
    ['verbatim', 'verbatim_but_one', 'verbatim_near', 'verbatim_without']
    """
    for test, strikes in STRIKES.items():
        told = list[Finding]()
        for name, strike in strikes.items():
            struck = strike(population, sides, random)
            told += [one.finding(name, place) for place, one in struck.items()]
        yield test, [replace(one, detail={**one.detail, "control": "found"}) for one in told]
    yield "canaries", [_canaries(sides)]
    yield "alike", [_alike(sides, random)]


def _each(struck: Iterable[Outcome]) -> dict[Columns, Outcome]:
    return {(f"column {i}",): one for i, one in enumerate(struck)}


def _guesses(own: int, others: int, luck: float, copied: float, random: np.random.Generator, seen: float = 1.0
             ) -> Outcome:
    hit = luck + copied * seen * (1 - luck)
    return Guesses(int(random.binomial(own, hit)), own, int(random.binomial(others, luck)), others, seen)


def _verbatim(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    return {(): Recognisable(population.alone, Falling(share=EXACTLY)).struck(population.people, sides, random)}


def _but_one(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    return {(): population.but_one.struck(population.people, sides, random)}


def _without(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    return _each([one.struck(population.people, sides, random) for one in population.without] or [
        Guesses(0, 0, 0, 0)])  # where no other column is left nobody is alone


def _near(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    apart = population.apart.at(sum(sides.judged))
    own, rest = (max(1, int(apart * side)) for side in sides.judged)
    return {(): _guesses(own, rest, NEARLY, sides.copied, random)}


def _singled(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    size = min(*sides.judged, SOUGHT)
    return {(): _guesses(size, size, SINGLED, PICKED * sides.copied, random, size / sides.own)}


def _linked(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    return {(): _guesses(sides.attacked, sides.attacked, LINKED, TIED * sides.copied, random)}


def _guessed(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    return _each(_secrets(population, sides, [Held(1.0, luck, SPREAD * (luck * (1 - luck)) ** 0.5)
                                              for luck in population.lucks], random))


def _few(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    if population.any_few is None:
        return {}
    whole, *each = _secrets(population, sides, [population.any_few, *population.few], random)
    return {(): whole, **_each(each)}


def _secrets(population: Population, sides: Sides, held: Sequence[Held], random: np.random.Generator) -> list[Outcome]:
    own, others = min(sides.judged[0], GUESSED), sides.judged[1]
    seen = min(1.0, LEARNED / population.people)
    return [one.struck(own, others, sides.copied * seen, seen, random) for one in held]


def _scores(people: int, others: int, copied: float, random: np.random.Generator, seen: float = 1.0,
            away: float = AWAY) -> Struck:
    members, controls = (random.standard_normal(some, np.float32) for some in (people, others))
    members[: random.binomial(people, copied * seen)] += away
    return {(): Scores(members, controls, seen)}


def _members(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    return _scores(sides.attacked, sides.attacked, sides.copied, random)


def _dense(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    size = min(sides.judged[0], sides.half)
    return _scores(size, size, sides.copied, random, min(1.0, LEARNED / population.people), DENSER)


def _isolated(population: Population, sides: Sides, random: np.random.Generator) -> Struck:
    own, others = (int(ISOLATED * min(side, 2 * WHOLE)) for side in (sides.judged[0], 2 * sides.half))
    return _scores(own, others, sides.copied, random)


def _canaries(sides: Sides) -> Finding:
    planted = min(PLANTED, int(DOSE * sides.judged[0]))
    return Finding("canaries", 0.0, high=share(0, planted)[1], detail={"planted": planted})


def _alike(sides: Sides, random: np.random.Generator) -> Finding:
    error = float((4 * min(sides.judged) + 1) ** -0.5 / 3**0.5)
    area = 0.5 + error * float(random.normal())
    return Finding("alike", area, better=0.5, low=area - Z * error, high=area + Z * error)


Strike = Callable[[Population, Sides, np.random.Generator], Struck]
#: test -> attack -> what it would reach, at each of its places
STRIKES: Mapping[str, Mapping[str, Strike]] = {
    "copies": {"verbatim": _verbatim, "verbatim_but_one": _but_one, "verbatim_near": _near,
               "verbatim_without": _without},
    "singling_out": {"singling_out": _singled},
    "linkability": {"linkability": _linked}, "outliers": {"outliers": _isolated},
    "membership": {"membership": _members, "density": _dense},
    "inference": {"inference": _guessed, "inference_few": _few}}
