"""Downstream gap: does a model that learned from the twin treat groups less alike than one that learned from real rows?

Boosted trees learn the target from the twin and from the original, and both decide about the same people of the holdout
(Esteban et al. 2017; Hardt, Price & Srebro, NeurIPS 2016). In each group: the share of decisions for the outcome, the
accuracy, the true and false positive rates, and the calibration (what was promised on average less what came). The
*gap* of a model is the largest difference between two groups, and the number is its *amplification*: the gap of the
twin's model less that of the original's.

==============================  ====================================================================================
``downstream_gap``              demographic parity difference: of the decisions for the outcome
``downstream_gap_odds``         equalised odds difference: of true or false positive rates, whichever is wider
``downstream_gap_impact``       disparate impact: the smallest share of decisions over the largest; what it lacks to 1
``downstream_gap_accuracy``     of the accuracies
``downstream_gap_calibration``  of the calibrations
==============================  ====================================================================================

A target of more than two levels is asked level by level, a number whether it is above the original's median; the worst
outcome counts. Compared are groups of 100 people or more both in the original and in the holdout, in their true and
false positive rates those of them with 30 people of that truth; the others are counted.

``high`` is the one-sided 95 % upper bound of the amplification (of the table: the largest of all places). It holds the
chance of the holdout's people (paired: both models decide about the same resampled people) and that of learning: each
model learns again from random halves of its rows, whose gaps tell how far other rows would have moved it. ``floor`` is
0, what a model of fresh real rows amplifies, and ``floor_high`` how much of that happens by chance of learning alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from fabrica.amplified import Amplification, farthest, with_worst
from fabrica.contract import Evidence, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.outcome import Outcome, outcomes
from fabrica.protected import Partition, partitions, resampled
from fabrica.pupils import LEAST, Lesson, boosted
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.treated import FEWEST, Treated

__all__ = ["DownstreamGap"]

HALVINGS = 2  #: pairs of halves that each model learns from again
ROUNDS = 100  #: of all models here
FRESH = "fresh real rows"
#: what the first two gaps are called in a sentence
SAID = ("the gap between groups in what a model decides", "the gap between groups in how often a model is right about "
        "those of one truth", "", "", "")
NAMES = ("downstream_gap", "downstream_gap_odds", "downstream_gap_impact", "downstream_gap_accuracy",
         "downstream_gap_calibration")


class DownstreamGap(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether a model trained on the twin treats groups of people less alike"
    source: ClassVar[str] = "demographic parity and equalised odds; Hardt, Price and Srebro, arXiv:1610.02413"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(NAMES, ("holdout",))
    needs: ClassVar[tuple[str, ...]] = ("protected", "target")

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        try:
            if evidence.holdout is None:
                raise NotComputable("there is no holdout to decide about")
            if min(evidence.real.rows, evidence.synthetic.rows) < 2 * LEAST:
                raise NotComputable(f"needs at least {2 * LEAST} rows of each table")
            asked, left = outcomes(evidence)
            parts = partitions(evidence, evidence.holdout)
            test = evidence.holdout.take(np.nonzero(asked[0].known(evidence.holdout))[0])
            said = _decided(evidence, asked, test, run.child("learn"))
        except NotComputable as why:
            return [Finding(name, None, against="holdout", problem=why.what) for name in NAMES]
        weights = resampled(test, evidence.unit, run.child("people").random())
        places = [_place(part, asked, left, said, test, weights, evidence) for part in parts]
        return [one for i, (name, what) in enumerate(zip(NAMES, SAID, strict=True))
                for one in with_worst(name, "holdout", [place[i] for place in places], what)]


def _lesson(evidence: Evidence, outcome: Outcome) -> tuple[Lesson, bool]:
    """What the models learn: the levels, or, of a number, whether it is above the median."""
    if outcome.above is not None:
        return Lesson("above", "two", np.array([0.0, 1.0])), True
    return Lesson.of(evidence.real, outcome.target), False


def _decided(evidence: Evidence, asked: Sequence[Outcome], test: Sheet, run: Run) -> dict[str, list[np.ndarray]]:
    """What each model says of the holdout: ``real`` and ``twin`` -> (outcomes, 2, rows) decisions and promises, of the
    model of all rows and then of those of halves, each after its complement.

    Raises
    ------
    NotComputable : the target cannot be learned.
    """
    lesson, split = _lesson(evidence, asked[0])
    sheets = {"real": evidence.real, "twin": evidence.synthetic}
    jobs = []
    for side, sheet in sheets.items():
        rows = np.nonzero(asked[0].known(sheet))[0]
        parts = [rows]
        for i in range(HALVINGS):
            order = rows[run.child(side).child(str(i)).random().permutation(len(rows))]
            parts += [np.sort(order[:len(rows) // 2]), np.sort(order[len(rows) // 2:])]
        jobs += [(side, i, part) for i, part in enumerate(parts)]
    asked_of = _marked(test, asked[0]) if split else test

    def learn(job: tuple[str, int, np.ndarray]) -> np.ndarray:
        side, i, rows = job
        train = sheets[side].take(rows)
        answer = boosted(lesson, _marked(train, asked[0]) if split else train, asked_of,
                         run.child(side).child(f"trees {i}"), ROUNDS)
        return np.stack([_about(one, answer.said, answer.levels, lesson) for one in asked])

    told = run.map(learn, jobs)
    return {side: [said for (who, *_), said in zip(jobs, told, strict=True) if who == side] for side in sheets}


def _marked(sheet: Sheet, outcome: Outcome) -> Sheet:
    """The sheet with its number replaced by whether it is above the median."""
    values = {name: cells for name, cells in sheet.values.items() if name != outcome.target}
    return Sheet(sheet.rows, {**values, "above": outcome.yes(sheet).astype(float)}, sheet.levels)


def _about(outcome: Outcome, said: np.ndarray, levels: np.ndarray, lesson: Lesson) -> np.ndarray:
    """(2, n) the decision for the outcome and how likely it was called."""
    if lesson.sort == "two":
        sure = said if outcome.above is not None or outcome.level == lesson.known[1] else 1 - said
        return np.stack([sure > 0.5, sure]).astype(float)
    place = np.nonzero(levels == outcome.level)[0]
    if not len(place):
        return np.zeros((2, len(said)))
    return np.stack([said.argmax(1) == place[0], said[:, place[0]]]).astype(float)


def _place(part: Partition, asked: Sequence[Outcome], left: int, said: Mapping[str, list[np.ndarray]], test: Sheet,
           weights: np.ndarray, evidence: Evidence) -> list[Finding]:
    """The five numbers of one column, or of two; each of the outcome that is worst in it."""
    more = {"outcomes": len(asked), "left_out_outcomes": left} if len(asked) + left > 1 else {}
    counted = {**part.counted(evidence.k), **more}
    try:
        part.need()
        if evidence.target in part.place:
            raise NotComputable("this is the target itself")
    except NotComputable as why:
        return [Finding(name, None, part.place, against="holdout", problem=why.what, detail=counted) for name in NAMES]
    each = [_outcome(one, i, part, said, test, weights, counted) for i, one in enumerate(asked)]
    found = []
    for i in range(len(NAMES)):
        measured = [one[i] for one in each if one[i].value is not None]
        found.append(replace(farthest(measured, len(asked)), high=max(one.high or 0.0 for one in measured))
                     if measured else each[0][i])
    return found


def _outcome(outcome: Outcome, number: int, part: Partition, said: Mapping[str, list[np.ndarray]], test: Sheet,
             weights: np.ndarray, counted: Mapping[str, Any]) -> list[Finding]:
    at, truth, many = part.of_rows(test), outcome.yes(test), len(part.groups)

    def treated(answer: np.ndarray, drawn: np.ndarray) -> Treated:
        return Treated.of(at, many, answer[number, 0] > 0.5, answer[number, 1], truth, drawn)

    whole = {side: treated(answers[0], weights) for side, answers in said.items()}
    gaps = {side: one.gaps for side, one in whole.items()}
    halves = {side: np.stack([treated(answer, weights[:1]).gaps[:, 0] for answer in answers[1:]])
              for side, answers in said.items()}  # (2 HALVINGS, 5)
    moved = {side: ((one[0::2] - one[1::2]) ** 2 / 4).mean(0) for side, one in halves.items()}
    groups = _told(part, whole, at, truth)
    found = []
    for i, name in enumerate(NAMES):
        twin, real = gaps["twin"][i], gaps["real"][i]
        learned = np.nan_to_num(moved["twin"][i] + moved["real"][i])
        if np.isnan(twin).any() or np.isnan(real).any():
            found.append(Finding(name, None, part.place, against="holdout", problem=_missing(name, outcome),
                                 detail={"outcome": outcome.label, **counted}))
            continue
        one = Amplification.of(twin, real, float(learned), 2 * HALVINGS)
        by_chance = 1.96 * float(np.sqrt(2 * np.nan_to_num(moved["real"][i])))
        detail = {"outcome": outcome.label, "real": float(real[0]), "twin": float(twin[0]), "groups": groups,
                  "people": int((at >= 0).sum()), "floor_from": FRESH, **counted}
        found.append(Finding(name, one.value, part.place, low=one.low, high=one.high, floor=0.0, floor_low=-by_chance,
                             floor_high=by_chance, against="holdout",
                             detail=detail if i == 0 else {**detail, "groups": []}))
    return found


def _missing(name: str, outcome: Outcome) -> str:
    if name == "downstream_gap_impact":
        return f"a model decides for {outcome.label!r} nowhere, so there is no ratio"
    return f"fewer than two groups have {FEWEST} people with, or without, the outcome {outcome.label!r}"


def _told(part: Partition, whole: Mapping[str, Treated], at: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
    """What is told of each group, for the table of the report."""
    people = np.bincount(at[at >= 0], minlength=len(part.groups))
    found = []
    for g, name in enumerate(part.groups):
        line: dict[str, Any] = {"group": name, "people": int(people[g])}
        for side, one in whole.items():
            for word in ("chosen", "right", "true", "false", "promised"):
                value = float(getattr(one, word)[0, g])
                line[f"{side}_{word}"] = None if np.isnan(value) else value
        found.append(line)
    return found
