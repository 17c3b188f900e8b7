"""A plan for a release, made before anything is learned: which tier the people of a table can support.

From a sample of the table it is measured how surely each of its columns is guessed from the others by anybody, and from
a larger one how many people are alone with their row, whole or without a column, and how many stand without one among
as many others by luck; the rest is the simulation of the whole gate (``gatehouse/planning.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import catalog
from fabrica.attack import Attack, Place
from fabrica.bounds import share as share_of
from fabrica.contract import Evidence
from fabrica.counted import Counted, filled
from fabrica.crowd import demand_people
from fabrica.gatehouse.copied import copied
from fabrica.gatehouse.falling import Falling
from fabrica.gatehouse.planning import Chance, Held, Population, Recognisable, chance, needed
from fabrica.gatehouse.policy import Policy, Tier
from fabrica.job import guess, rows_of_people
from fabrica.reached import SCORED, Gains, Outcome
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.seldom import having
from fabrica.sheets import sheets
from fabrica.world import World

__all__ = ["Plan", "planned"]

LOOK = 9_000  #: rows of which it is measured how surely columns are guessed: a third each to learn, to guess, to know
MANY = 200_000  #: rows of which it is measured how many people are alone: as many as the gate compares
TWIN = 1_000  #: of them that stand for a twin meanwhile: who is alone does not hang on it
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)  #: of the people who might be held back
ENOUGH = 0.9  #: chance that a good twin passes, from which a tier counts as within reach
SEEKS, WIDE = 40, 3  #: simulated twins for each number of people that might be enough; the largest shares are tried
#: why a figure is far from the one beside it
JUMPS = ("the chance jumps between shares where the people held back become so many, or those learned from so few, "
         "that a bound comes to lie on the other side of its threshold; and a figure may be ten points off by chance")
#: what the gate asks for and no simulation can know
UNKNOWN = ("not simulated, for it hangs on the twin: what few people hold, identifiers, groups of people "
           "(--protected), what a model loses (useful), and attacks that miss the planted")


@dataclass(frozen=True)
class Plan:
    """Parameters
    ----------
    people : in the table. columns : that were looked at, and why each of the ``left`` ones was not. tier : asked for,
    and what is ``asked`` there. chances : tier -> share held back -> chance. needed : people with whom that tier is
    within reach, and the share of them to hold back, where it is not; None where it is, or no number is enough. notes :
    what is to be known first.
    """

    people: int
    columns: int
    left: Mapping[str, str]
    tier: str
    chances: Mapping[str, Mapping[float, Chance]]
    asked: Tier
    needed: tuple[int, float] | None = None
    notes: tuple[str, ...] = ()

    def share(self, tier: str) -> float | None:
        """The smallest share to hold back with which a good twin passes nine times in ten; None where there is none."""
        return next((share for share, one in self.chances[tier].items() if one.good >= ENOUGH), None)

    @property
    def best(self) -> float:
        """The largest share of the asked tier with which a good twin passes most often."""
        own = self.chances[self.tier]
        return max(own, key=lambda share: (own[share].good, share))

    def words(self) -> list[str]:
        """The plan in lines."""
        lines = [f"{self.people:,} people: how often a twin that leaks nothing passes, by the share of them held back",
                 "", f"  {'tier':<10}" + "".join(f"{share:>8.0%}" for share in self.chances[self.tier])]
        lines += [f"  {tier:<10}" + "".join(f"{one.good:>8.0%}" for one in each.values())
                  for tier, each in self.chances.items()]
        return [*self.notes, *lines, "", *self._advice(), "", JUMPS, self._bad(), self._looked(), UNKNOWN]

    def _advice(self) -> list[str]:
        share, own = self.share(self.tier), self.chances[self.tier]
        if share is not None:
            return [f"tier {self.tier} is within reach (a good twin passes at least {ENOUGH:.0%} of the time): "
                    f"hold back {share:.0%} (--holdout {share:g})", *self._private()]
        within = [tier for tier in self.chances if self.share(tier) is not None]
        best = own[self.best]
        stopped = ", ".join(f"{name} {part:.0%}" for name, part in list(best.stopped.items())[:3])
        other = [f"tier {within[-1]} is, with --holdout {self.share(within[-1]):g}"] if within else []
        return [f"tier {self.tier} is not within reach of these people: a good twin passes {best.good:.0%} of the "
                f"time at best and not {ENOUGH:.0%}, with --holdout {self.best:g} (stopped by {stopped})",
                self._enough(), *other]

    def _enough(self) -> str:
        if self.needed is None:
            return ("no number of people is enough: the policy accepts too little, or attacks see too small a part of "
                    "larger tables")
        people, share = self.needed
        return f"about {people:,} people like these are needed, with --holdout {share:g}"

    def _private(self) -> list[str]:
        most = self.asked.epsilon
        return [] if most is None else [f"it asks for differential privacy too: --epsilon {most:g} or less"]

    def _bad(self) -> str:
        every = self.chances[self.tier].values()
        times, passed = sum(one.leaky for one in every), round(sum(one.leaky * one.bad for one in every))
        most = 100 * share_of(passed, times)[1]
        return (f"of {times:,} simulated twins with one row in a hundred copied from a member by chance, {passed:,} "
                f"passed at tier {self.tier}: at most {most:.2g} % do, with 95 % confidence")

    def _looked(self) -> str:
        names: dict[str, list[str]] = {}
        for name, reason in self.left.items():
            names.setdefault(reason, []).append(name)
        why = "; ".join(f"{', '.join(some[:5])}{', ...' if len(some) > 5 else ''}: {reason}"
                        for reason, some in names.items())
        beside = f" of {self.columns + len(self.left)} (not of {why})" if self.left else ""
        return f"how surely secrets are guessed was measured of {self.columns} columns{beside}"

    def __str__(self) -> str:
        return "\n".join(self.words())

    def to_json(self) -> dict[str, Any]:
        chances = {tier: {f"{share:g}": asdict(one) for share, one in each.items()}
                   for tier, each in self.chances.items()}
        more = None if self.needed is None else {"people": self.needed[0], "holdout": self.needed[1]}
        return {"fabrica_plan": 1, "people": self.people, "columns": self.columns, "left": dict(self.left),
                "tier": self.tier, "chances": chances, "needed": more, "notes": list(self.notes)}


def planned(data: Any, tier: str, policy: Policy, run: Run, *, unit: str | None = None, schema: Any = None,
            shares: Sequence[float] = SHARES, times: int = 100) -> Plan:
    """Which tier the people of a table can support; where one asks for an epsilon, with one.

    Parameters
    ----------
    data : a file or a frame. unit : the column that says whose rows they are. shares : that might be held back.
    times : simulated twins for each figure.

    Raises
    ------
    UnknownName : there is no such tier or column. InputError : there are too few people to plan anything.
    NotComputable : no column can be guessed.
    """
    asked, whole = policy.tier(tier), filled(data)
    people = demand_people(whole.name, unit, whole)
    run.child("look").tell(0, 0, "looking at the table")
    look = _Look.at(whole, people, unit, schema, run.child("look"))
    tiers = list(policy.tiers)
    chances: dict[str, dict[float, Chance]] = {name: {} for name in tiers}
    for step, share in enumerate(shares):
        run.child("chances").tell(step, len(shares), "simulating")
        here = chance(look.population, share, policy, tiers, run.child("chances").child(f"{share:g}"), times)
        for name in tiers:
            chances[name][share] = here[name]
    plan = Plan(people, len(look.population.lucks), look.left, tier, chances, asked, notes=look.notes)
    if plan.share(tier) is not None:
        return plan
    run.child("needed").tell(0, 0, "seeking how many people are needed")
    more = needed(look.population, policy, tier, sorted(shares)[-WIDE:], ENOUGH, run.child("needed"), SEEKS)
    return replace(plan, needed=more)


@dataclass(frozen=True)
class _Look:
    """What the simulation asks of the people of a table, why columns were ``left`` out, and in ``notes`` whether people
    seem to have several rows."""

    population: Population
    left: dict[str, str]
    notes: tuple[str, ...]

    @classmethod
    def at(cls, whole: Counted, people: int, unit: str | None, schema: Any, run: Run) -> _Look:
        """The attacks on a third of some real rows, by who holds another third."""
        table = guess(whole, run.child("guess"), schema)[0]
        many = whole.sample(MANY, run.child("some"))
        many = many.take(pa.array(run.child("order").random().permutation(many.num_rows)))
        many = many if unit is None else _one_each(many, unit)
        some = many.slice(0, LOOK)
        third = some.num_rows // 3
        real, twin, rest = sheets(table, *(filled(some.slice(i * third, third)) for i in range(3)))
        world = World.of(Evidence(table, real, twin, rest, unit=unit), run.child("world"))
        inference: Attack = catalog.get("metrics", "inference")()
        struck = inference.strike(world, run.child("inference"))
        found = [one.finding("inference", name[1:]) for name, one in struck.items() if name[0] == "inference"]
        lucks = {one.place[0]: float(one.detail["luck"]) for one in found if "luck" in one.detail}
        few, any_few = _few(table, many, struck, world.k)
        every, half = (_alone(table, many.slice(0, size), unit, run.child("alone").child(size))
                       for size in (many.num_rows, many.num_rows // 2))
        alone, apart = (Falling.measured(many.num_rows, every[name], half[name]) for name in ("verbatim",
                                                                                              "verbatim_near"))
        without = _left_out(table, many, unit)
        but_one = without.pop(("verbatim_but_one",))
        return cls(Population(people, list(lucks.values()), alone, apart, but_one, list(without.values()), few, any_few,
                              private=True),
                   _left(table, found, lucks), tuple(rows_of_people(table, unit)))


def _one_each(some: pa.Table, unit: str) -> pa.Table:
    """The first row of each person."""
    owners = some.column(unit).cast(pa.string()).combine_chunks().dictionary_encode().indices.drop_null()
    return some.filter(some.column(unit).is_valid()).take(np.sort(np.unique(owners, return_index=True)[1]))


def _alone(table: Table, some: pa.Table, unit: str | None, run: Run) -> dict[str, float]:
    """Of some people, the share whom the attack on copies would try to recognise."""
    third = some.num_rows // 3
    real, twin, rest = sheets(table, *map(filled, (some.slice(0, third), some.slice(0, TWIN), some.slice(third))))
    world = World.of(Evidence(table, real, twin, rest, unit=unit), run.child("world"))
    tried = {one.metric: one.detail.get("tries", one.detail.get("few", 0)) for one in _struck("verbatim", world, run)}
    return {name: tries / world.everybody.rows for name, tries in tried.items()}


def _few(table: Table, many: pa.Table, struck: Mapping[Place, Outcome], k: int) -> tuple[list[Held], Held | None]:
    """How many of some people have what few have in a column that was attacked, and how many in any. How surely that is
    guessed is that of all columns where so few were attacked that it could not be told of one."""
    pooled, half = struck.get(("inference_few",)), many.num_rows // 2
    if not isinstance(pooled, Gains) or len(pooled.controls) < SCORED:
        return [], None
    sides = sheets(table, *map(filled, (many.slice(0, half), many.slice(half))))
    have = {name: here for _, name in (place for place in struck if place[0] == "inference" and place[1:])
            if (here := having([side.values[name] for side in sides], k)) is not None}
    if not have:
        return [], None
    shares = {name: float(np.mean(np.concatenate(here))) for name, here in have.items()}
    anything = float(np.mean(np.any([np.concatenate(here) for here in have.values()], axis=0)))
    gains = {name: one if isinstance(one := struck.get(("inference_few", name)), Gains) and len(one.controls) >= SCORED
             else pooled for name in have}
    return ([Held(share, gains[name].luck, float(gains[name].controls.std())) for name, share in shares.items()],
            Held(anything, pooled.luck, float(pooled.controls.std())))


def _left_out(table: Table, many: pa.Table, unit: str | None) -> dict[Place, Recognisable]:
    """Who could be recognised by all but any one column, and by all but each: half of the people stand for a twin,
    which has as many rows as there are people, and nobody of the other half was learned from."""
    found = list[dict[Place, tuple[float, float]]]()
    for rows in (many.num_rows, many.num_rows // 2):
        twin, people = many.slice(0, rows // 2), many.slice(rows // 2, rows // 2)
        one, other = people.slice(0, rows // 4), people.slice(rows // 4)
        struck = copied(table, filled(one), filled(other), filled(twin), unit)
        alone = {place: one.tries + one.control_tries for place, one in struck.items()}
        found.append({place: (alone[place] / (rows // 2), (one.hits + one.control_hits) / max(1, alone[place]))
                      for place, one in struck.items()})
    size = many.num_rows // 2
    return {place: Recognisable(Falling.measured(size, whole[0], found[1][place][0]),
                                Falling.measured(size, whole[1], found[1][place][1], rising=True))
            for place, whole in found[0].items() if place != ("verbatim",)}


def _struck(name: str, world: World, run: Run) -> list[Finding]:
    attack: Attack = catalog.get("metrics", name)()
    return attack.made(world, run, control=False)


def _left(table: Table, found: Sequence[Finding], lucks: Mapping[str, float]) -> dict[str, str]:
    """Why columns were not looked at."""
    problems = {one.place[0]: "nearly everybody's is guessed anyway" if "certain" in one.detail else one.problem
                for one in found if one.metric == "inference" and one.place}
    kinds = {"key": "a key", "text": "free text", "empty": "it is empty"}
    return {column.name: problems.get(column.name) or kinds.get(column.kind, "only twenty are tried")
            for column in table.columns if column.name not in lucks}
