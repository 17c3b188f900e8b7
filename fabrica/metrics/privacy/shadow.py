"""Shadow: does it show in a twin whether somebody was among the rows? The way of learning is tried many times over.

A few of the most isolated people are the targets. Many small worlds are made: people by chance, of those whom nobody
learned from, and each target with them or not, by the toss of a coin. In each the engine learns again and a twin is
drawn, and for each target counts are taken of it: rows that agree with the target in a column, in two and in three, and
how near the nearest rows are. Boosted trees learn from half of the worlds to tell from the counts whether the target
was there, and are asked about the other half, and the other way round. One toss for each target and world lets all
targets share the worlds, and without a leak the tosses are independent of everything that the attacker sees.

It says of the way of learning, on small tables, what it gives away of those who are easiest to find, and nothing of
this twin alone. (Stadler, Oprisanu & Troncoso, "Synthetic data – anonymisation groundhog day", USENIX Security 2022,
arXiv:2011.07018; counting queries: Houssiau et al., "TAPAS", 2022, arXiv:2211.06550; tosses for many targets at once:
Steinke, Nasr & Jagielski, "Privacy auditing with one (1) training run", NeurIPS 2023, arXiv:2305.08846.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fabrica.attack import NO_MAKER, Attack, Place
from fabrica.boosting import boost, predict
from fabrica.bounds import Z, one_of, share
from fabrica.contract import Maker, Sheet
from fabrica.errors import NotComputable
from fabrica.reached import AREA, Outcome
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import auc
from fabrica.vantage import Points, Vantage
from fabrica.world import World

__all__ = ["Shadow"]

TARGETS = 12  #: people
WORLDS, FEWEST = 200, 60  #: small worlds, and fewer than which say nothing
ROWS = 500  #: people in a world, and rows of its twin
SECONDS = 60.0  #: for all worlds, at most
SOUGHT, NEAR = 4_000, 5  #: people among whom targets are sought, and neighbours by which
PAIRS, TRIPLES = 60, 30  #: sets of columns in which agreement is counted
WIDTH = 0.02  #: of all ranks: numbers that agree
TREES = 30
SETTING = {"max_depth": 2, "learning_rate": 0.3, "min_child_weight": 1.0, "objective": "binary:logistic"}


class Shadow(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether it shows in twins of small tables that an isolated person was among the rows"
    source: ClassVar[str] = "shadow models; Stadler et al., USENIX Security 2022, arXiv:2011.07018"
    story: ClassVar[str] = ("Somebody who knows how the twin is made makes many others, with a person and without, and "
                            "learns what that person's presence does to the counts.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"shadow": ("holdout",)}
    dose: ClassVar[float] = 1.0
    learns: ClassVar[bool] = True

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        if world.maker is None:
            raise NotComputable(NO_MAKER)
        rows, targets = _targets(world, run.child("targets"))
        pool = np.concatenate([world.which["others"], world.which["reference"]])
        size = min(ROWS, len(pool) // 2)
        there, counts = _worlds(world.maker, rows, targets, pool, size, run)
        scores = [_asked(counts[:, i], there[:, i]) for i in range(len(rows))]
        return {("shadow",): Shadows(there.T, np.array(scores), size)}

    def plant(self, world: World, run: Run) -> World:
        """A way of learning that draws rows as they are."""
        return replace(world, maker=_Copying(world), dose=self.dose)


@dataclass(frozen=True)
class Shadows:
    """(T, W) whether each target was in each world, and what the attacker said, who had not seen that world; ``size``
    people were in each."""

    there: np.ndarray
    scores: np.ndarray
    size: int

    def finding(self, name: str, place: tuple[str, ...] = (), of: int = 1) -> Finding:
        """The mean area under the curve of the targets; the detail has that of the worst, with a bound for all."""
        found = np.array([_area(yes, said) for yes, said in zip(self.there, self.scores, strict=True)])
        areas, errors = found[:, 0], np.sqrt(found[:, 1])
        value, error = float(areas.mean()), float(np.sqrt((errors**2).sum()) / len(areas))
        worst = int(np.argmax(areas))
        right = int(((self.scores > 0.5) == self.there).sum())
        sure = share(right, self.there.size)[0]
        z = one_of(len(areas))
        detail = {"targets": len(areas), "worlds": self.there.shape[1], "rows": self.size, "floor_from": "a coin",
                  "right": right / self.there.size, "worst_auc": float(areas[worst]),
                  "worst_low": max(0.0, float(areas[worst] - z * errors[worst])),
                  "worst_upper": float(min(1.0, (areas + z * errors).max())),
                  "epsilon_at_least": float(max(0.0, np.log(sure / max(1 - sure, 1e-12))))}
        return Finding(name, value, place, better=0.5, unit="AUC", low=max(0.0, value - one_of(of) * error),
                       high=min(1.0, value + Z * error), floor=0.5, against="holdout", detail=detail)

    @property
    def found(self) -> bool:
        return (self.finding("").low or 0.0) > AREA


def _area(there: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """The area under the curve and its variance: the mean of the two halves, each asked of a classifier that learned
    from the other. Whatever chance made alike in both halves is seen by both classifiers, so their errors are not
    independent: the error of the mean is taken to be that of one."""
    errors, areas = list[float](), list[float]()
    for half in (0, 1):
        yes = there[half::2]
        area, variance = auc(yes, scores[half::2])
        areas.append(area)
        errors.append(max(variance**0.5, 0.5 / max(1, min(int(yes.sum()), int((~yes).sum())))))
    return float(np.mean(areas)), float(np.mean(errors)) ** 2


def _targets(world: World, run: Run) -> tuple[np.ndarray, Sheet]:
    """The members who are most isolated: their numbers and their rows."""
    some = run.random().permutation(world.everybody.rows)[:SOUGHT]
    people = world.everybody.take(some)
    far = world.space.points(people).nearest(world.points["reference"], NEAR)[0].mean(1)
    worst = np.argsort(-far, kind="stable")[:TARGETS]
    return world.which["everybody"][some[worst]], people.take(worst)


def _worlds(maker: Maker, rows: np.ndarray, targets: Sheet, pool: np.ndarray, size: int, run: Run
            ) -> tuple[np.ndarray, np.ndarray]:
    """(W, T) whether each target was there, and (W, T, Q) what was counted, of as many worlds as time allows."""
    clock = run.child("worlds").within(min(SECONDS, run.left()))
    there, counted = list[np.ndarray](), list[np.ndarray]()
    ask = _queries(targets, run.child("queries"))
    for number in range(WORLDS):
        if clock.left() <= 0:
            run.cut("the time for small worlds")
            break
        here = run.child("world").child(number)
        coins = here.child("coins").random()
        toss = coins.random(len(rows)) < 0.5
        others = coins.permutation(pool)[: size - int(toss.sum())]
        twin = maker.twin(np.concatenate([others, rows[toss]]), size, here.child("twin"))
        counted.append(_counts(twin, targets, ask))
        there.append(toss)
    if len(there) < FEWEST:
        raise NotComputable(f"learning again takes so long that only {len(there)} small worlds could be made; {FEWEST} "
                            "are needed")
    return np.array(there), np.array(counted)


def _queries(targets: Sheet, run: Run) -> list[np.ndarray]:
    """Sets of columns in which agreement is counted: each alone, some pairs and triples, all."""
    many, chance = len(targets.values), run.random()
    sets = [np.array([i]) for i in range(many)]
    for size, most in ((2, PAIRS), (3, TRIPLES)):
        if many >= size:
            sets += [np.sort(chance.permutation(many)[:size]) for _ in range(most)]
    return [*sets, np.arange(many)]


def _counts(twin: Sheet, targets: Sheet, ask: Sequence[np.ndarray]) -> np.ndarray:
    """(T, Q) of a twin: rows that agree with each target in each set of columns, and distances to the nearest."""
    space = Vantage.of(twin)
    rows, people = space.points(twin), space.points(targets)
    agree = _agreement(people, rows, list(targets.values))
    counts = [np.logical_and.reduce([agree[i] for i in columns]).sum(1) for columns in ask]
    return np.column_stack([*counts, people.nearest(rows, NEAR)[0]]).astype(np.float32)


def _agreement(people: Points, rows: Points, names: Sequence[str]) -> list[np.ndarray]:
    """For each column (T, n) whether a row agrees with a target."""
    found = dict[str, np.ndarray]()
    many = people.numbers.shape[1]
    for i, name in enumerate(people.columns):
        if i < many:
            same = np.abs(people.numbers[:, i, None] - rows.numbers[None, :, i]) <= WIDTH
        else:
            same = people.levels[:, i - many, None] == rows.levels[None, :, i - many]
        found[name] = same & found[name] if name in found else same
    return [found[name] for name in names]


def _asked(counts: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(W,) how surely the target was in each world, by a classifier of the other half of the worlds."""
    scores, types = np.full(len(there), 0.5), ["q"] * counts.shape[1]
    half = np.arange(len(there)) % 2
    for own in (0, 1):
        learn = half != own
        if there[learn].any() and not there[learn].all():
            made: Any = boost(counts[learn], there[learn].astype(np.float32), types, TREES, **SETTING)
            scores[half == own] = predict(made, counts[half == own], types)
    return scores


@dataclass(frozen=True, eq=False)
class _Copying(Maker):
    """A maker whose twins are rows as they are, drawn with replacement."""

    world: World

    def twin(self, rows: np.ndarray, size: int, run: Run) -> Sheet:
        drawn = rows[run.random().integers(0, len(rows), size)]
        sides = [(self.world.which[side], getattr(self.world, side)) for side in ("everybody", "others", "reference")]
        numbers = np.concatenate([which for which, _ in sides])
        order = np.argsort(numbers, kind="stable")
        where = order[np.searchsorted(numbers, drawn, sorter=order)]
        values = {name: np.concatenate([sheet.values[name] for _, sheet in sides])[where]
                  for name in self.world.twin.values}
        return Sheet(size, values, self.world.twin.levels)

    def log_prob(self, rows: np.ndarray, run: Run, learned: np.ndarray | None = None) -> np.ndarray:
        raise NotComputable("copies have no likelihood")

    def artefacts(self, planted: object, folder: Path, run: Run) -> None:
        raise NotComputable("copies have no files")
