"""A plan for a release, made before anything is learned: which tier the people of a table can support.

From a sample of the table it is measured how surely each of its columns is guessed from the others by anybody, and how
many people are alone with their row; the rest is the simulation of the whole gate (``gatehouse/planning.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fabrica.counted import Counted, filled
from fabrica.errors import InputError
from fabrica.evaluation import evaluate
from fabrica.gatehouse.planning import Chance, Population, chance
from fabrica.gatehouse.policy import Policy, Tier
from fabrica.job import guess
from fabrica.run import Run

__all__ = ["Plan", "planned"]

LOOK = 9_000  #: rows of which it is measured how surely columns are guessed: a third each to learn, to guess, to know
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)  #: of the people who might be held back
ENOUGH = 0.9  #: chance that a good twin passes, from which a tier counts as within reach
LEAST = 600  #: people, below which nothing can be planned


@dataclass(frozen=True)
class Plan:
    """Parameters
    ----------
    people : in the table. columns : that were looked at. tier : asked for, and what is ``asked`` there. chances :
    tier -> share held back -> chance.
    """

    people: int
    columns: int
    tier: str
    chances: Mapping[str, Mapping[float, Chance]]
    asked: Tier

    def share(self, tier: str) -> float | None:
        """The smallest share to hold back with which a good twin passes nine times in ten; None where there is none."""
        return next((share for share, one in self.chances[tier].items() if one.good >= ENOUGH), None)

    @property
    def best(self) -> float:
        """The share of the asked tier with which a good twin passes most often."""
        own = self.chances[self.tier]
        return max(own, key=lambda share: own[share].good)

    def words(self) -> list[str]:
        """The plan in lines."""
        lines = [f"{self.people:,} people, {self.columns} columns: how often a twin that leaks nothing passes, by the "
                 "share of people held back", "",
                 f"  {'tier':<10}" + "".join(f"{share:>8.0%}" for share in SHARES)]
        lines += [f"  {tier:<10}" + "".join(f"{one[share].good:>8.0%}" for share in SHARES)
                  for tier, one in self.chances.items()]
        worst = max(one.bad for each in self.chances.values() for one in each.values())
        bad = f"a twin in which one row in a hundred is a member's passes {worst:.0%} of the time at most"
        return [*lines, "", bad, *self._advice()]

    def _advice(self) -> list[str]:
        share, own = self.share(self.tier), self.chances[self.tier]
        if share is not None:
            return [f"tier {self.tier} is within reach: hold back {share:.0%} (--holdout {share:g})", *self._private()]
        within = [tier for tier in self.chances if self.share(tier) is not None]
        best = own[self.best]
        stopped = ", ".join(f"{name} {part:.0%}" for name, part in list(best.stopped.items())[:3])
        other = (f"tier {within[-1]} is, with --holdout {self.share(within[-1]):g}" if within else
                 "no tier is: bring more people")
        return [f"tier {self.tier} is not within reach of so few people: a good twin passes {best.good:.0%} of the "
                f"time at best, with --holdout {self.best:g} (stopped by {stopped})", other]

    def _private(self) -> list[str]:
        most = self.asked.epsilon
        return [] if most is None else [f"it asks for differential privacy too: --epsilon {most:g} or less"]

    def __str__(self) -> str:
        return "\n".join(self.words())

    def to_json(self) -> dict[str, Any]:
        chances = {tier: {f"{share:g}": asdict(one) for share, one in each.items()}
                   for tier, each in self.chances.items()}
        return {"fabrica_plan": 1, "people": self.people, "columns": self.columns, "tier": self.tier,
                "chances": chances}


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
    """
    policy.tier(tier)
    whole = filled(data)
    people = whole.rows if unit is None else _people(whole, unit)
    if people < LEAST:
        raise InputError(f"has {people:,} people, and no test of the gate could decide anything of fewer than {LEAST}",
                         where=whole.name, hint="bring more people")
    lucks, alone = _measured(whole, unit, schema, run.child("look"))
    population = Population(people, lucks, alone, private=True)
    tiers = list(policy.tiers)
    chances: dict[str, dict[float, Chance]] = {name: {} for name in tiers}
    pairs = [(name, share) for name in tiers for share in shares]
    for step, (name, share) in enumerate(pairs):
        run.tell(step, len(pairs), "simulating")
        chances[name][share] = chance(population, share, policy, name, run.child(name).child(f"{share:g}"), times)
    run.tell(len(pairs), len(pairs), "done")
    return Plan(people, len(lucks), tier, chances, policy.tier(tier))


def _people(whole: Counted, unit: str) -> int:
    found = [pc.unique(batch.column(unit).cast(pa.string())) for batch in whole.batches() if unit in batch.schema.names]
    if not found:
        raise InputError(f"has no column {unit!r}", where="unit")
    return len(pa.chunked_array(found).unique().drop_null())


def _measured(whole: Counted, unit: str | None, schema: Any, run: Run) -> tuple[list[float], float]:
    """How surely each column is guessed by anybody, and the share of people who are alone with their row: the attacks
    on a third of some real rows, by who holds another third."""
    table = guess(whole, run.child("guess"), schema)[0]
    some = whole.sample(LOOK, run.child("some"))
    some = some.take(pa.array(run.child("order").random().permutation(some.num_rows)))
    third = some.num_rows // 3
    parts = [filled(some.slice(i * third, third)) for i in range(3)]
    report = evaluate(*parts, table=table, metrics=["inference", "verbatim"], run=run.child("evaluate"))
    lucks = [float(one.detail["luck"]) for one in report
             if one.metric == "inference" and one.place and "luck" in one.detail]
    seen = next((one for one in report if one.metric == "verbatim" and one.value is not None), None)
    return lucks, 0.0 if seen is None else min(1.0, int(seen.detail["tries"]) / third)
