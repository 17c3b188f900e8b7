"""Reconstruction: are secrets solved for from counts in the twin, as unknowns of linear equations?

The attacker knows everybody's other columns, and of a secret column only that it is one of two: its commonest level or
another, a number above the middle or not. The twin tells, of people like this in these columns, what share has the
secret; for many sets of columns and every combination in them that is an equation in the unknown secrets. The attacker
solves them all by least squares, beginning with what people whom they know would make one expect, and guesses whoever
comes out above one half. For the control as many members are exchanged for people whom nobody learned from, so both
systems are equally large, and only what the twin adds to the expectation counts. (Dinur & Nissim, "Revealing
information while preserving privacy", PODS 2003; Annamalai, Gadotti & Rocher, "A linear reconstruction approach for
attribute inference attacks against synthetic data", USENIX Security 2024, arXiv:2301.10053.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fabrica.attack import Attack, Place, some
from fabrica.boosting import boost, features, predict
from fabrica.contract import Sheet
from fabrica.errors import NotComputable
from fabrica.reached import Gains, Outcome
from fabrica.run import Run
from fabrica.world import World

__all__ = ["Reconstruction"]

COLUMNS = 8  #: that are secret in turn, at most
SETS, WIDEST = 60, 4  #: sets of columns in which people are counted, of one to so many columns; and all columns
BINS = 10  #: of a number
PEOPLE = 20_000  #: who are unknowns, at most
BELIEF = 0.5  #: weight of what is expected of a person, beside an equation about that person alone
STEPS = 40  #: of conjugate gradients
ROUNDS = 60
SETTING = {"max_depth": 4, "learning_rate": 0.2, "objective": "binary:logistic"}


class Reconstruction(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether secrets come out of the counts of the twin, solved for as unknowns"
    source: ClassVar[str] = "linear reconstruction; Dinur and Nissim, PODS 2003; Annamalai et al., arXiv:2301.10053"
    story: ClassVar[str] = ("Somebody who knows all of everybody but one thing counts in the twin and solves for what "
                            "each person's secret must be.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"reconstruction": ("holdout",)}
    dose: ClassVar[float] = 1.0

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        names = list(world.twin.values)
        if len(names) < 2:
            raise NotComputable("needs two columns, one to know and one to solve for")
        secrets = some(names, COLUMNS)
        struck = run.map(lambda secret: _solved(world, secret, run.child("secret").child(secret)), secrets)
        return {("reconstruction", secret): one for secret, one in zip(secrets, struck, strict=True)}


def _solved(world: World, secret: str, run: Run) -> Gains:
    """How much better a secret is guessed with the twin's equations than by what is expected."""
    rest = world.bystanders
    rest = rest.take(run.child("rest").random().permutation(rest.rows)[: max(0, PEOPLE - world.members.rows)])
    others = [name for name in rest.values if name != secret]
    split = Split.of(world.twin, secret)
    sets = _sets(others, run.child("sets").random())
    gains, luck = [], 0.0
    for side in (world.members, world.controls):
        people = _joined(side, rest)
        expected = _expected(world.reference, people, others, split, run)
        guess = _least_squares(people, world.twin, split.yes(world.twin), expected, sets)[: side.rows]
        truth, asked = split.yes(side) > 0.5, split.known(side)
        right, before = ((one[: side.rows] > 0.5) == truth for one in (guess, expected))
        gains.append((right.astype(float) - before)[asked])
        luck = float(right[asked].mean()) if asked.any() else 1.0
    return Gains(gains[0], gains[1], luck, seen=world.seen)


def _joined(one: Sheet, other: Sheet) -> Sheet:
    """The people of a side and then others."""
    values = {name: np.concatenate([cells, other.values[name]]) for name, cells in one.values.items()}
    return Sheet(one.rows + other.rows, values, one.levels)


@dataclass(frozen=True)
class Split:
    """A column as a secret of two values: whether it has the commonest ``level``, or is above the ``middle``."""

    name: str
    level: int | None
    middle: float

    @classmethod
    def of(cls, twin: Sheet, name: str) -> Split:
        cells = twin.values[name]
        if name in twin.levels:
            return cls(name, int(np.bincount(cells + 1).argmax()) - 1, 0.0)
        there = cells[~np.isnan(cells)]
        return cls(name, None, float(np.median(there)) if len(there) else 0.0)

    def yes(self, sheet: Sheet) -> np.ndarray:
        """(n,) 1.0 or 0.0; a missing number is not above."""
        cells = sheet.values[self.name]
        return np.asarray(cells == self.level if self.level is not None else cells > self.middle).astype(float)

    def known(self, sheet: Sheet) -> np.ndarray:
        """(n,) whether there is a secret."""
        return np.ones(sheet.rows, bool) if self.level is not None else ~np.isnan(sheet.values[self.name])


def _expected(reference: Sheet, people: Sheet, others: Sequence[str], split: Split, run: Run) -> np.ndarray:
    """(n,) the chance of the secret, by people whom the attacker knows."""
    seen = features([reference, people], others)
    yes = split.yes(reference).astype(np.float32)
    if yes.min() == yes.max():
        return np.full(people.rows, float(yes[0]))
    booster = boost(seen.parts[0], yes, seen.types, ROUNDS, **SETTING)
    return np.asarray(predict(booster, seen.parts[1], seen.types), float)


def _sets(names: Sequence[str], chance: np.random.Generator) -> list[tuple[str, ...]]:
    """Sets of columns in which people are counted."""
    found = [tuple(names)]
    for _ in range(SETS):
        size = min(int(chance.integers(1, WIDEST + 1)), len(names))
        found.append(tuple(names[i] for i in np.sort(chance.permutation(len(names))[:size])))
    return list(dict.fromkeys(found))


def _least_squares(people: Sheet, twin: Sheet, yes: np.ndarray, expected: np.ndarray, sets: Sequence[tuple[str, ...]]
                   ) -> np.ndarray:
    """(n,) the secrets b that minimise, over all sets of columns and all combinations c in them that stand in the twin,

        w_c (mean of b over the people of c - share of the secret in the twin's rows of c)² + belief |b - expected|²

    with w_c as the share is sure, by conjugate gradients."""
    codes = _coded([people, twin])
    systems = [_equations(codes, columns, people.rows, yes) for columns in sets]

    def normal(b: np.ndarray) -> np.ndarray:
        out = BELIEF * b
        for place, many, weight, _ in systems:
            mean = np.bincount(place, b, len(many)) / np.maximum(many, 1)
            out += (weight * mean / np.maximum(many, 1))[place]
        return out

    right = BELIEF * expected
    for place, many, weight, told in systems:
        right = right + (weight * told / np.maximum(many, 1))[place]
    return _conjugate(normal, right, expected)


def _coded(sheets: Sequence[Sheet]) -> dict[str, np.ndarray]:
    """Each column of all sheets, one after the other, as small whole numbers: bins of the last sheet's quantiles."""
    found = {}
    for name in sheets[0].values:
        cells = np.concatenate([sheet.values[name] for sheet in sheets])
        if name in sheets[0].levels:
            found[name] = cells.astype(np.int64) + 1
            continue
        last = sheets[-1].values[name]
        last = last[~np.isnan(last)]
        edges = np.unique(np.quantile(last, np.linspace(0, 1, BINS + 1)[1:-1])) if len(last) else np.zeros(0)
        found[name] = np.where(np.isnan(cells), 0, np.searchsorted(edges, cells, "right") + 1)
    return found


def _equations(codes: Mapping[str, np.ndarray], columns: Sequence[str], people: int, yes: np.ndarray
               ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(n,) the combination of each person, and of each combination: people, weight, share of the secret in the twin."""
    whole = np.zeros(len(codes[columns[0]]), np.int64)
    for name in columns:
        both = whole * (int(codes[name].max()) + 1) + codes[name]
        whole = np.unique(both, return_inverse=True)[1].ravel()
    own, other = whole[:people], whole[people:]
    size = int(whole.max()) + 1
    many, rows = np.bincount(own, minlength=size), np.bincount(other, minlength=size)
    told = np.bincount(other, yes, size) / np.maximum(rows, 1)
    return own, many, np.minimum(rows, many).astype(float), told


def _conjugate(normal, right: np.ndarray, start: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    """The solution of ``normal(b) = right`` (Hestenes & Stiefel 1952)."""
    b = start.copy()
    left = right - normal(b)
    way, size = left.copy(), float(left @ left)
    for _ in range(STEPS):
        if size < 1e-12 * len(b):
            break
        ahead = normal(way)
        step = size / float(way @ ahead)
        b, left = b + step * way, left - step * ahead
        size, before = float(left @ left), size
        way = left + (size / before) * way
    return b
