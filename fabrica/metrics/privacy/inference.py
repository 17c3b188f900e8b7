"""Inference: can a secret column of somebody be guessed from the others, better if that person was learned from?

For each column in turn the attacker learns from the twin how likely each value is given the others (boosted trees; a
number in twenty groups of equal size), and guesses by what they believe: the success is the probability that they give
to the truth. Where a row of the twin has nearly the same other columns (within a hundredth of the ranks), its value is
the guess. What a strike reaches on people nobody learned from is what the columns tell of each other, and no leak.

The same is tried without the twin, by somebody who learned from the people whom they know: how hard a person is to
guess is then largely known, and taken out (a control variate with the best factor; Lavenberg & Welch, Management Sci.
27, 1981), which makes the bounds some times narrower. The holdout's halves change places, so that each person of it is
a control once. Of a large twin trees see a share, and what they do not see is reckoned with. The number of the whole
table is that of the column with the highest upper bound.

Those who have what few have are harmed first, and a mean hides them: ``inference_rare`` is the same of the people with
the rarest level of a column that enough people of both sides have, so that it may be named, and ``inference_few`` of
all levels that few people have: of each column, and of all columns together, so that there are enough people to decide
by where each has too few. Of a number that is the same for nearly everybody those have what few have for whom it is
another. A column in which nearly everybody is guessed anyway is seen through these few alone. (Yeom, Giacomelli,
Fredrikson & Jha, "Privacy risk in machine learning", CSF 2018; Stadler, Oprisanu & Troncoso, "Synthetic data –
anonymisation groundhog day", USENIX Security 2022.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fabrica.attack import Attack, Place, some
from fabrica.boosting import boost, features, predict
from fabrica.contract import Sheet
from fabrica.errors import NotComputable
from fabrica.reached import FEWEST, Gains, Outcome
from fabrica.run import Run
from fabrica.seldom import having
from fabrica.world import PLANTED, World

__all__ = ["Inference"]

COLUMNS = 20  #: that are guessed, at most
CLASSES, GROUPS = 30, 20  #: levels that are told apart, the others are one; groups of a number
TREES, ROUNDS, LEARN = 600, 60, 250_000  #: of the attacker; at most so many rounds, and rows of the twin to learn from
MEMBERS = 40_000  #: who are attacked, at most
NEAR = 0.01  #: of the ranks: a row that is as good as equal
SETTING = {"max_depth": 6, "learning_rate": 0.2, "objective": "multi:softprob"}


class Inference(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether a secret of somebody can be guessed better if they were learned from"
    source: ClassVar[str] = "attribute inference; Yeom et al., CSF 2018; Stadler et al., USENIX Security 2022"
    story: ClassVar[str] = "Somebody knows all of a person but one thing, and uses the twin to guess it."
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"inference": ("holdout",), "inference_rare": ("holdout",),
                                                        "inference_few": ("holdout",)}

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        names = list(world.twin.values)
        if len(names) < 2:
            raise NotComputable("needs two columns, one to know and one to guess")
        secrets, sides = some(names, COLUMNS, world.first), Sides.of(world, run.child("sides"))
        detail = {"untried": len(names) - len(secrets)} if len(names) > len(secrets) else {}
        told = run.map(lambda secret: _guessed(world, sides, secret), secrets)
        struck, seen = dict[Place, Outcome](), world.seen * sides.twin.rows / world.twin.rows
        for secret, one in zip(secrets, told, strict=True):
            struck["inference", secret] = Gains(*one.gains, float(one.luck.mean()), detail, seen)
            level, truth = _rarest(world, sides, secret)
            if level is not None:
                have = [np.concatenate([side.values[secret] for side in part]) == truth
                        for part in (sides.members, sides.controls)]
                struck["inference_rare", secret] = one.of(have, {"value": level}, seen)
            if one.have is not None:
                struck["inference_few", secret] = one.of(one.have, {}, seen)
        few = _few(told, seen)
        return struck if few is None else {**struck, ("inference_few",): few}

    def plant(self, world: World, run: Run) -> World:
        """Planted are people who have what few have, where there are enough of them on all sides; beside them stand
        others of that kind alone, or what they are would be taken for what was found out."""
        sides = world.everybody, world.others, world.reference
        crowds = [have for name in world.twin.values
                  if (have := having([side.values[name] for side in sides], world.k))]
        if not crowds:
            return world.planted(self.dose, run)
        some = [side.take(np.flatnonzero(np.any(have, axis=0))) for side, have in zip(sides, zip(*crowds, strict=True),
                                                                                    strict=True)]
        if min(side.rows for side in some) < PLANTED:
            return world.planted(self.dose, run)
        own, others, known = some
        return replace(world, others=others, controls=others, reference=known).planted(self.dose, run, own)

    def control(self, again: Mapping[Place, Outcome], place: Place) -> Outcome | None:
        """Few of those who were planted have a rare value of one column; the guesses are those of all people."""
        return again.get(("inference", *place[1:]) if place[1:] else place)


@dataclass(frozen=True)
class Sides:
    """Who is attacked, in two parts with their own ``known`` people: the members' halves, and the holdout's."""

    twin: Sheet
    members: tuple[Sheet, Sheet]
    controls: tuple[Sheet, Sheet]
    known: tuple[Sheet, Sheet]

    @classmethod
    def of(cls, world: World, run: Run) -> Sides:
        order = run.child("members").random().permutation(world.everybody.rows)[:MEMBERS]
        first, second = (world.everybody.take(part) for part in (order[::2], order[1::2]))
        learn = run.child("learn").random().permutation(world.twin.rows)[:LEARN]
        return cls(world.twin.take(learn), (first, second), (world.others, world.reference),
                   (world.reference, world.others))


@dataclass(frozen=True)
class Told:
    """Of one secret: the ``gains`` of members and of others, how surely others are guessed with the twin (``luck``),
    and who of both ``have`` a level that few have; None where there is no such level."""

    gains: tuple[np.ndarray, np.ndarray]
    luck: np.ndarray
    have: list[np.ndarray] | None

    def of(self, have: Sequence[np.ndarray], detail: Mapping[str, Any], seen: float) -> Gains:
        """The gains of some members and some others, (n,) and (m,) bool."""
        luck = float(self.luck[have[1]].mean()) if have[1].any() else 0.0
        return Gains(self.gains[0][have[0]], self.gains[1][have[1]], luck, detail, seen)


def _guessed(world: World, sides: Sides, secret: str) -> Told:
    """How much better a secret is guessed of members than of others, what is guessed without the twin taken out."""
    answer = Answer.of(world, secret)
    people = [*sides.members, *sides.controls]
    with_twin = _success(world, sides.twin, world.twin, people, answer)
    without = [one for i, known in enumerate(sides.known)
               for one in _success(world, known, known, [sides.members[i], sides.controls[i]], answer)]
    own, other = (np.concatenate(part) for part in (with_twin[:2], with_twin[2:]))
    own_blind, other_blind = np.concatenate(without[::2]), np.concatenate(without[1::2])
    factor = _factor(other, other_blind)
    have = having([np.concatenate([side.values[secret] for side in part]) for part in (sides.members, sides.controls)],
                 world.k)
    return Told((own - factor * own_blind, other - factor * other_blind), other, have)


def _few(told: Sequence[Told], seen: float) -> Gains | None:
    """The gains of those who have what few have, the mean of each person's secrets of that kind."""
    some = [one for one in told if one.have is not None]
    if not some:
        return None
    many = [np.sum([one.have[i] for one in some if one.have], axis=0) for i in (0, 1)]
    gains = [np.sum([one.gains[i] * one.have[i] for one in some if one.have], axis=0)[many[i] > 0]
             / many[i][many[i] > 0] for i in (0, 1)]
    luck = np.sum([one.luck * one.have[1] for one in some if one.have], axis=0)[many[1] > 0] / many[1][many[1] > 0]
    return Gains(gains[0], gains[1], float(luck.mean()) if len(luck) else 0.0, {"columns": len(some)}, seen)


def _factor(with_twin: np.ndarray, without: np.ndarray) -> float:
    """How much of what is guessed without the twin is best taken out."""
    spread = float(without.var())
    return float(np.cov(with_twin, without, bias=True)[0, 1]) / spread if spread else 0.0


def _success(world: World, learn: Sheet, held: Sheet, people: Sequence[Sheet], answer: Answer) -> list[np.ndarray]:
    """For each sheet of people (n,) the probability that is given to the truth by who learned from some rows and looks
    for the nearest among those that they hold."""
    others = [name for name in learn.values if name != answer.secret]
    seen = features([learn, *people], others)
    codes = answer.codes(learn)
    classes = int(codes.max()) + 1
    booster = None if classes < 2 else boost(seen.parts[0], codes.astype(np.float32), seen.types, num_class=classes,
                                             rounds=min(ROUNDS, max(10, TREES // classes)), **SETTING)
    near, values, found = world.space.points(held).among(others), answer.codes(held), []
    for matrix, side in zip(seen.parts[1:], people, strict=True):
        truth = answer.codes(side)
        belief = np.full((len(truth), 1), 1.0) if booster is None else predict(booster, matrix, seen.types)
        there = truth < classes
        success = np.where(there, belief[np.arange(len(truth)), np.where(there, truth, 0)], 0.0)
        which = world.space.points(side).among(others).alike(near, NEAR)
        success[which >= 0] = values[which[which >= 0]] == truth[which >= 0]
        found.append(success)
    return found


def _rarest(world: World, sides: Sides, secret: str) -> tuple[str | None, int]:
    """The rarest level of a column that enough people of both sides have, if it is not the only one."""
    if secret not in world.twin.levels:
        return None, -1
    size = len(world.twin.levels[secret])
    counts = np.array([sum(np.bincount(side.values[secret] + 1, minlength=size + 1)[1:] for side in part)
                       for part in (sides.members, sides.controls)]).min(0)
    held = np.flatnonzero(counts >= max(FEWEST, world.k))
    level = -1 if len(held) < 2 else int(held[np.argmin(counts[held])])
    return (None if level < 0 else world.twin.levels[secret][level]), level


@dataclass(frozen=True)
class Answer:
    """A secret as classes: ``number`` (L + 1,) of each level, the missing one first, those seldom in the twin as one;
    or the ``edges`` of groups of a number, a missing one a group of its own."""

    secret: str
    number: np.ndarray | None = None
    edges: np.ndarray | None = None

    @classmethod
    def of(cls, world: World, secret: str) -> Answer:
        if secret not in world.twin.levels:
            known = world.space.known[secret]
            shares = np.arange(1, GROUPS) / GROUPS
            edges = np.unique(np.quantile(known, shares, method="inverted_cdf")) if len(known) else known
            return cls(secret, edges=edges)
        counts = np.bincount(world.twin.values[secret] + 1, minlength=len(world.twin.levels[secret]) + 1)
        often = np.argsort(-counts, kind="stable")[:CLASSES]
        often = often[counts[often] > 0]
        number = np.full(len(counts), len(often))
        number[often] = np.arange(len(often))
        return cls(secret, number=number)

    def codes(self, sheet: Sheet) -> np.ndarray:
        """(n,) int64, the class of each row."""
        values = sheet.values[self.secret]
        if self.number is not None:
            return np.asarray(self.number[values + 1])
        assert self.edges is not None
        return np.where(np.isnan(values), 0, 1 + np.searchsorted(self.edges, values, "left"))
