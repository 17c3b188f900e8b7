"""Inference: can a secret column of somebody be guessed from the others, better if that person was learned from?

For each column in turn the attacker learns it from the others on the twin (boosted trees), and guesses it for people of
whom all else is known; where a row of the twin has nearly the same other columns (within a hundredth of the ranks), its
value is the guess. A guess is right where the level is, or where a number is within a fortieth of the ranks. The same
is tried without the twin, with the people whom the attacker knows: only what the twin adds counts, and what it adds for
people nobody learned from as well is what the columns tell of each other and no leak. The number of the whole table is
that of the column with the highest upper bound.

Those who have what few have are harmed first, and a mean hides them: ``inference_rare`` is the same of the people with
the rarest level of a column that enough people of both sides have, so that it may be named. (Yeom, Giacomelli,
Fredrikson & Jha, "Privacy risk in machine learning", CSF 2018; Stadler, Oprisanu & Troncoso, "Synthetic data –
anonymisation groundhog day", USENIX Security 2022. The difference to an attacker without the twin is a control variate:
what is hard of a person cancels out.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fabrica.attack import FEWEST, Attack, Gains, Outcome, Place, World, some
from fabrica.boosting import boost, features, predict
from fabrica.contract import Sheet
from fabrica.errors import NotComputable
from fabrica.run import Run

__all__ = ["Inference"]

COLUMNS = 20  #: that are guessed, at most
CLASSES = 30  #: levels that are told apart; the others are one
TREES, ROUNDS, LEARN = 600, 60, 20_000  #: of the attacker; at most so many rounds; rows of the twin that it learns from
NEAR, CLOSE = 0.01, 0.025  #: of the ranks: a row that is as good as equal; a number that is guessed
SETTING = {"max_depth": 6, "learning_rate": 0.2}


class Inference(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether a secret of somebody can be guessed better if they were learned from"
    source: ClassVar[str] = "attribute inference; Yeom et al., CSF 2018; Stadler et al., USENIX Security 2022"
    story: ClassVar[str] = "Somebody knows all of a person but one thing, and uses the twin to guess it."
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"inference": ("holdout",), "inference_rare": ("holdout",)}

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        names = list(world.twin.values)
        if len(names) < 2:
            raise NotComputable("needs two columns, one to know and one to guess")
        secrets = some(names, COLUMNS)
        struck = run.map(lambda secret: _guessed(world, secret, run.child("learn").child(secret)), secrets)
        return {(number, secret): outcome for secret, found in zip(secrets, struck, strict=True)
                for number, outcome in found.items()}

    def control(self, again: Mapping[Place, Outcome], place: Place) -> Outcome | None:
        """Few of those who were planted have a rare value; the guesses are those of all people."""
        return again.get(("inference", *place[1:]))


def _guessed(world: World, secret: str, run: Run) -> dict[str, Gains]:
    """How much better a secret is guessed with the twin than with the people whom the attacker knows: of all, and of
    those who have the rarest level that may be named."""
    answer = Levels.told(world, secret) if secret in world.twin.levels else Ranks(world.space.known[secret], secret)
    with_twin, without = (_right(world, held, answer, run.child(held)) for held in ("twin", "reference"))
    gains = [own - other for own, other in zip(with_twin, without, strict=True)]
    found = {"inference": Gains(gains[0], gains[1], _mean(with_twin[1]))}
    level = _rarest(world, secret)
    if level is not None:
        have = [getattr(world, side).values[secret] == level for side in ("members", "controls")]
        found["inference_rare"] = Gains(gains[0][have[0]], gains[1][have[1]], _mean(with_twin[1][have[1]]),
                                        {"value": world.twin.levels[secret][level]})
    return found


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _rarest(world: World, secret: str) -> int | None:
    """The rarest level of a column that enough people of both sides have, if it is not the only one."""
    if secret not in world.twin.levels:
        return None
    size = len(world.twin.levels[secret])
    counts = np.array([np.bincount(side.values[secret] + 1, minlength=size + 1)[1:]
                       for side in (world.members, world.controls)]).min(0)
    held = np.flatnonzero(counts >= max(FEWEST, world.k))
    return None if len(held) < 2 else int(held[np.argmin(counts[held])])


def _right(world: World, held: str, answer: Levels | Ranks, run: Run) -> list[np.ndarray]:
    """(n,) of members and (m,) of controls who have the secret, whether it is guessed by who holds a table."""
    sheet, secret = getattr(world, held), answer.secret
    others = [name for name in sheet.values if name != secret]
    learn = sheet.take(run.random().permutation(sheet.rows)[:LEARN])
    seen = features([learn, world.members, world.controls], others)
    booster = answer.learned(seen.parts[0], answer.codes(learn), seen.types)
    near, values, found = world.points[held].among(others), answer.codes(sheet), []
    for matrix, side in zip(seen.parts[1:], ("members", "controls"), strict=True):
        guess = answer.guess(booster, matrix, seen.types)
        far, which = world.points[side].among(others).nearest(near)
        same = far[:, 0] <= NEAR
        guess[same] = values[which[same, 0]]
        truth = answer.codes(getattr(world, side))
        asked = ~np.isnan(truth)
        found.append((np.abs(guess - truth)[asked] <= answer.close).astype(float))
    return found


@dataclass(frozen=True)
class Levels:
    """A secret with levels: ``number`` (L + 1,) of each, the missing one first; those seldom in the twin are one."""

    number: np.ndarray
    secret: str
    close: ClassVar[float] = 0.0

    @classmethod
    def told(cls, world: World, secret: str) -> Levels:
        counts = np.bincount(world.twin.values[secret] + 1, minlength=len(world.twin.levels[secret]) + 1)
        often = np.argsort(-counts, kind="stable")[:CLASSES]
        often = often[counts[often] > 0]
        number = np.full(len(counts), len(often))
        number[often] = np.arange(len(often))
        return cls(number, secret)

    def codes(self, sheet: Sheet) -> np.ndarray:
        return self.number[sheet.values[self.secret] + 1].astype(float)

    def learned(self, matrix: np.ndarray, codes: np.ndarray, types: Sequence[str]) -> Any:
        classes = int(codes.max()) + 1
        if classes < 2:
            return None
        return boost(matrix, codes.astype(np.float32), types, min(ROUNDS, max(10, TREES // classes)),
                     objective="multi:softmax", num_class=classes, **SETTING)

    def guess(self, booster: Any, matrix: np.ndarray, types: Sequence[str]) -> np.ndarray:
        return np.zeros(len(matrix)) if booster is None else predict(booster, matrix, types).astype(float)


@dataclass(frozen=True)
class Ranks:
    """A secret that is a number: its rank among the ``known`` values; nobody is asked for one that is missing."""

    known: np.ndarray
    secret: str
    close: ClassVar[float] = CLOSE

    def codes(self, sheet: Sheet) -> np.ndarray:
        values = sheet.values[self.secret]
        place = np.searchsorted(self.known, values, "left") + np.searchsorted(self.known, values, "right")
        return np.where(np.isnan(values), np.nan, place / (2 * max(1, len(self.known))))

    def learned(self, matrix: np.ndarray, codes: np.ndarray, types: Sequence[str]) -> Any:
        there = ~np.isnan(codes)
        if there.sum() < 2:
            return None
        return boost(matrix[there], codes[there].astype(np.float32), types, ROUNDS, objective="reg:absoluteerror",
                     **SETTING)

    def guess(self, booster: Any, matrix: np.ndarray, types: Sequence[str]) -> np.ndarray:
        return np.full(len(matrix), 0.5) if booster is None else predict(booster, matrix, types).astype(float)
