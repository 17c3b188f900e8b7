"""The price of fairness: what each point of the dial ``fair`` gives and costs, on real rows nobody learned from.

For each parity rows are played from the model, a classifier learns the outcome from them, and it is judged on the
holdout (train on synthetic, test on real). One more classifier learns from rows as learned, parity 0, without the
protected columns: what others tell of them stays (redlining; Calders & Verwer, "Three naive Bayes approaches for
discrimination-free classification", DMKD 21, 2010).

Why the dial is cheap: its law multiplies p(x, s, y) by r(s, y), so the odds that a classifier learns are the real ones
times r(s, 1) / r(s, 0): the same classifier with a threshold for each group. The classifier that loses the least
accuracy for a given gap is of that form too (Corbett-Davies, Pierson, Feller, Goel & Huq, "Algorithmic decision making
and the cost of fairness", KDD 2017; Menon & Williamson, FAT* 2018). While the thresholds move little, only decisions
near even odds change, and the loss grows with the square of the parity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import catalog, wish
from fabrica.boosting import boost, detect, features, predict
from fabrica.contract import Cells, Sheet
from fabrica.counted import Counted, filled
from fabrica.crossing import Cross, Cut, placed
from fabrica.errors import FabricaError, InputError, SettingError
from fabrica.expression import Expression
from fabrica.fairness import Judged, Tally, differences, gap, judged, largest, redrawn, resamples
from fabrica.inference.facts import K
from fabrica.interval import SURE, Interval
from fabrica.job import check_columns
from fabrica.model import TableModel
from fabrica.notation import read, write
from fabrica.played import Play
from fabrica.run import Run
from fabrica.scenario import Scenario
from fabrica.sheets import sheets
from fabrica.tradeoff import Frontier, Group, Point, Question

__all__ = ["POINTS", "price"]

POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
CEILING = 100_000  #: rows of the holdout that are judged at most, and rows that are learned from unless more are asked
FEW = 30  #: rows that a group needs, among the real and the synthetic ones, to be compared
DESERVING = 10  #: favourable real rows that a group needs for equal opportunity
ROUNDS = 200
SETTING = {"objective": "binary:logistic", "max_depth": 6, "learning_rate": 0.1, "subsample": 0.8}  #: as ``utility``


def price(model: TableModel, holdout: Any, question: Question, points: Sequence[float], rows: int | None, draws: int,
          run: Run) -> Frontier:
    """The frontier of a model.

    Raises
    ------
    FabricaError : a column, the favourable value or a parity is not as it must be, or there are too few rows.
    """
    catalog.get("scenarios", "fair").read(question.scenario(1.0)["fair"], model.table, "fair")  # names and kinds
    wanted = _points(points)
    if draws < 1:
        raise SettingError("must be at least 1", where="seeds")
    real = filled(holdout)
    check_columns(model.table.names, None, **{"the holdout": real})
    size = rows or min(int(model.facts.get("rows") or 0) or real.rows, CEILING)
    work = Work.begin(model, real, question, size, run)
    jobs = list(product(wanted, range(draws)))
    done: list[int] = []

    def one(job: tuple[float, int]) -> Trial:
        run.check()
        trial = work.trial(*job, run.under(f"parity {job[0]:g}", lambda: len(done) / len(jobs)))
        done.append(1)
        return trial

    trials = dict(zip(jobs, run.map(one, jobs), strict=True))
    return work.frontier({p: [trials[p, i] for i in range(draws)] for p in wanted})


def _points(points: Sequence[float]) -> tuple[float, ...]:
    """Parities, rising, with 0, against which all are held."""
    for point in points:
        if not 0 <= point <= 1:
            raise SettingError("must be numbers from 0 to 1", where="points")
    return tuple(sorted({0.0, *map(float, points)}))


@dataclass(frozen=True)
class Trial:
    """What came of one draw of one parity."""

    tally: Tally
    judged: Judged
    dropped: Judged | None
    likeness: Interval | None  #: of the first draw
    worth: float


@dataclass(frozen=True)
class Work:
    """What all draws share: the holdout and its groups.

    Parameters
    ----------
    truth : (n,) whether a real row is favourable. cell : (n,) its group and stratum, of ``shape``.
    groups : those that are compared; ``deserving`` those of them that have enough favourable rows.
    weights : (1 + DRAWS, n) of resampled real rows.
    """

    model: TableModel
    question: Question
    favourable: Expression
    size: int
    run: Run
    real: Counted
    truth: np.ndarray
    cuts: tuple[tuple[Cut, ...], tuple[Cut, ...]]
    shape: tuple[int, int]
    cell: np.ndarray
    groups: tuple[int, ...]
    deserving: tuple[int, ...]
    left_out: int
    weights: np.ndarray

    @classmethod
    def begin(cls, model: TableModel, real: Counted, question: Question, size: int, run: Run) -> Work:
        """The holdout held against the groups that the model knows."""
        first = Play(model, Scenario.from_json(question.scenario(0.0), "fair"), size, run.child("groups"))
        cross = next(factor for factor in first.stage.factors if isinstance(factor, Cross))
        favourable = _favourable(model, question, cross.cuts[-1])
        many = len(question.protected)
        cuts = (cross.cuts[:many], cross.cuts[many:-1])
        shape = tuple(int(np.prod([cut.size for cut in some])) for some in cuts)
        here = real.sample(CEILING, run.child("holdout")).select(model.table.names)
        cells = _cells(model, here, question)
        known = ~np.asarray(cells[question.outcome].values.is_null())
        here, truth = here.filter(pa.array(known)), favourable.truth(cells)[known]
        _two(truth, question, "the holdout", _made(model, cross.cuts[-1]))
        cell = (placed(cuts[0], cells) * shape[1] + placed(cuts[1], cells))[known]
        made = first.stage.base.rows(size, run.child("first")).cells
        _two(favourable.truth(made), question, "the rows of the model", _made(model, cross.cuts[-1]))
        groups, left_out = _compared(cell // shape[1], truth, placed(cuts[0], made), shape[0], question)
        yes = np.bincount(cell[truth] // shape[1], minlength=shape[0])
        deserving = tuple(group for group in groups if yes[group] >= DESERVING)
        return cls(model, question, favourable, size, run, filled(here), truth, cuts, (shape[0], shape[1]), cell,
                   groups, deserving, left_out, resamples(len(truth), run.child("bootstrap").random()))

    def trial(self, parity: float, draw: int, run: Run) -> Trial:
        """Rows of a parity, and what is learned from them."""
        play = Play(self.model, Scenario.from_json(self.question.scenario(parity), "fair"), self.size,
                    run.child("draw").child(draw))
        text = bool(self.model.facts.get("textual"))
        made = pa.Table.from_batches(list(play.batches(text)))
        cells = _cells(self.model, made, self.question)
        known = ~np.asarray(cells[self.question.outcome].values.is_null())
        yes = self.favourable.truth(cells)[known]
        cell = (placed(self.cuts[0], cells) * self.shape[1] + placed(self.cuts[1], cells))[known]
        twin, real = sheets(self.model.table, filled(made), self.real)
        alike = None
        if draw == 0:
            found = detect(real, twin, run.child("detect").child(str(parity)))
            half = SURE * 2 * found.error  # C2ST is 2 (1 - AUC)
            alike = Interval(found.c2st, max(0.0, found.c2st - half), min(1.0, found.c2st + half))
        learned = twin.take(np.flatnonzero(known))
        names = [name for name in learned.values if name != self.question.outcome]
        fewer = [name for name in names if name not in self.question.protected]
        return Trial(Tally.of(cell, yes, self.shape), self._judged(learned, real, yes, names),
                     self._judged(learned, real, yes, fewer) if parity == 0 else None, alike,
                     play.manifest()["weights"]["worth_rows"] / max(self.size, 1))

    def _judged(self, twin: Sheet, real: Sheet, yes: np.ndarray, names: Sequence[str]) -> Judged:
        """A classifier of the outcome from some columns of the ``twin``, on real rows."""
        if not names or yes.all() or not yes.any():  # nothing can be learned
            score = np.full(real.rows, yes.mean() if len(yes) else 0.5)
        else:
            seen = features([twin, real], names)
            booster = boost(seen.parts[0], yes.astype(np.float32), seen.types, ROUNDS, **SETTING)
            score = predict(booster, seen.parts[1], seen.types)
        return judged(score, self.truth, self.cell, self.shape, self.groups, self.deserving, self.weights)

    def frontier(self, trials: Mapping[float, Sequence[Trial]]) -> Frontier:
        """All draws of all parities together."""
        base, streams = trials[0.0], self.run.child("gap")
        learned = float(gap(self._tally(base)))
        real = Tally.of(self.cell, self.truth, self.shape).of_groups(self.groups)
        points = [self._point(parity, some, base, learned, real, streams.child(str(parity)))
                  for parity, some in trials.items()]
        blind = [replace(one, judged=one.dropped, likeness=None) for one in base if one.dropped is not None]
        dropped = replace(self._point(0.0, blind, base, learned, real, streams.child("dropped")), dropped=True)
        apart = Interval.widest([differences(redrawn(real, streams.child("real").random()))])
        return Frontier(self.question, tuple(points), dropped, apart, len(self.truth), self.size, len(base),
                        self.left_out, self.model.engine, self.run.seed)

    def _tally(self, trials: Sequence[Trial]) -> Tally:
        whole = trials[0].tally
        for one in trials[1:]:
            whole += one.tally
        return whole.of_groups(self.groups)

    def _point(self, parity: float, some: Sequence[Trial], base: Sequence[Trial], learned: float, real: Tally, run: Run
               ) -> Point:
        tally, every = self._tally(some), [one.judged for one in some]
        rightly = [one.rightly for one in every if one.rightly is not None]
        beside = [(one, zero.judged) for one, zero in zip(every, base, strict=True)]
        return Point(
            parity, False, (1 - parity) * learned,
            rows=Interval.widest([differences(redrawn(tally, run.random()))]),
            predicted=Interval.widest([one.apart for one in every]),
            opportunity=Interval.widest(rightly) if rightly else None,
            moved=Interval.of_means(_moved, [zero.apart for _, zero in beside], [one.apart for one, _ in beside],
                                    low=-1, high=1),
            accuracy=Interval.of([one.accuracy for one in every], 0, 1),
            auc=Interval.of([one.auc for one in every], 0, 1),
            cost=Interval.of([zero.accuracy - one.accuracy for one, zero in beside], -1, 1),
            likeness=some[0].likeness, worth=float(np.mean([one.worth for one in some])),
            groups=self._groups(tally, every, real))

    def _groups(self, tally: Tally, every: Sequence[Judged], real: Tally) -> tuple[Group, ...]:
        said = np.mean([one.rates for one in every], 0)
        rightly = dict(zip(self.deserving, np.mean([one.true for one in every], 0), strict=True))
        return tuple(Group(self._name(group), float(real.rates[i]), float(tally.rates[i]), float(said[i]),
                           float(rightly[group]) if group in rightly else None)
                     for i, group in enumerate(self.groups))

    def _name(self, group: int) -> str:
        places = np.unravel_index(group, [cut.size for cut in self.cuts[0]])
        named = [[*_levels(self.model, cut), "(missing)"] for cut in self.cuts[0]]
        return ", ".join(levels[place] for levels, place in zip(named, places, strict=True))


def _moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(B,) by how much the largest difference has fallen."""
    return largest(before) - largest(after)


def _cells(model: TableModel, rows: pa.Table, question: Question) -> dict[str, Cells]:
    """Typed cells of the columns that are asked about; what is no value of its kind is missing."""
    names = (*question.protected, *question.legitimate, question.outcome)
    return {name: read(replace(model.table[name], lenient=True), rows.column(name)) for name in names}


def _favourable(model: TableModel, question: Question, outcome: Cut) -> Expression:
    try:
        return wish.value(question.outcome, question.favourable, model.table, "favourable")
    except FabricaError as error:
        raise type(error)(error.what, where=error.where, hint=_made(model, outcome)) from None


def _levels(model: TableModel, one: Cut) -> list[str]:
    """The levels of a column as the table writes them."""
    column = model.table[one.column]
    written = write(column, Cells(pa.array(one.levels))).to_pylist() if one.levels else []
    return [str(level).strip() for level in written]


def _made(model: TableModel, outcome: Cut) -> str:
    """The outcomes that the model makes: a help that shows nothing which a model may not tell."""
    some = _levels(model, outcome)
    return f"the model makes: {', '.join(some[:10])}{' …' if len(some) > 10 else ''}"


def _two(truth: np.ndarray, question: Question, where: str, hint: str) -> None:
    """Both kinds of outcome must be there."""
    if truth.all() or not truth.any():
        many = "every" if len(truth) and truth.all() else "no"
        raise InputError(f"{question.favourable!r} holds for {many} row of {where} whose {question.outcome!r} is known",
                         where="favourable", hint=hint)


def _compared(real: np.ndarray, truth: np.ndarray, made: np.ndarray, many: int, question: Question
              ) -> tuple[tuple[int, ...], int]:
    """The groups that are large enough, and how many are not; groups of which fewer than ``K`` real rows are of one
    kind are not compared, for a gap would tell how many."""
    counts = [np.bincount(some, minlength=many) for some in (real, made)]
    kinds = [np.bincount(real[kind], minlength=many) for kind in (truth, ~truth)]
    large = (counts[0] >= FEW) & (counts[1] >= FEW) & (kinds[0] >= K) & (kinds[1] >= K)
    if large.sum() < 2:
        raise InputError(f"fewer than two groups of {', '.join(question.protected)} have {FEW} rows, {K} of them of "
                         "either outcome, in the holdout, and as many in the model's rows", where="protected",
                         hint="give a larger holdout or fewer columns")
    return tuple(int(group) for group in np.flatnonzero(large)), int(((counts[0] > 0) & ~large).sum())
