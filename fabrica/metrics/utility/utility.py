"""Utility: does a model that learned from the twin predict real rows as well as one that learned from real rows?

Train on synthetic, test on real (Esteban, Hyland and Raetsch 2017, arXiv:1706.02633): XGBoost (200 trees of depth
6, learning rate 0.1, subsample 0.8, as in the project's published protocol) learns the declared target from the
twin and is judged on the holdout: area under the ROC curve where the target has two levels or is a number with two
values (0 and 1), accuracy where it has more levels, R2 where it is any other number. The floor is the same model
trained on the original; ``detail["gap"]`` is original minus twin, with its paired 95 % interval beside it.

``utility_linear`` is the same of a linear model (logistic, multinomial or ridge regression). ``utility_gap`` and
``utility_gap_linear`` say what the twin costs in points: percentage points of accuracy (of R2, for a number) that are
lost on the same rows of the holdout, with a paired 95 % interval.

How many levels the target has is read from the original; a missing one is a level. Rows without a number as target
are left out; so are, for AUC, rows of any other level (counted in ``detail``). A level that the twin lacks is an
error of accuracy, and a twin with one level teaches nothing (AUC 0.5). More than 50 levels are refused; more than
five share 1,000 trees, and a large table is then learned from fewer random rows (``detail["learned_from"]``), or it
would take minutes. Interval: DeLong's for AUC, Wilson's for accuracy, 200 resamples of the holdout's rows for R2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.marks import Mark, check, less, mark, points_lost
from fabrica.pupils import LEAST, Answer, Lesson, Pupil, boosted, lined
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import TRAINED

#: suffix of the numbers, who learns, what it is called
PUPILS: Sequence[tuple[str, Pupil, str]] = (("", boosted, "model"), ("_linear", lined, "linear model"))


class Utility(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether models trained on the twin predict real rows as well"
    source: ClassVar[str] = "train on synthetic, test on real; Esteban, Hyland and Raetsch 2017, arXiv:1706.02633"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "utility": ("holdout",), "utility_linear": ("holdout",), "utility_gap": ("holdout",),
        "utility_gap_linear": ("holdout",)}
    needs: ClassVar[tuple[str, ...]] = ("target",)

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        why = _refusal(evidence)
        if why or evidence.holdout is None or evidence.target is None:
            return [Finding("utility", None, better="higher", against="holdout", problem=why)]
        try:
            lesson = Lesson.of(evidence.real, evidence.target)
            test = lesson.among(evidence.holdout)
            check(lesson, test)
            answers = _learned(lesson, test, evidence, run)
        except NotComputable as problem:
            return [Finding("utility", None, better="higher", against="holdout", problem=problem.what)]
        found = []
        for suffix, pupil, called in PUPILS:
            twin, real = (answers[pupil.__name__, role] for role in ("synthetic", "real"))
            found.append(_judged(lesson, twin, real, test, evidence.holdout, (suffix, called), run.child(called)))
        return [one for kind in zip(*found, strict=True) for one in kind]


def _learned(lesson: Lesson, test: Sheet, evidence: Evidence, run: Run) -> dict[tuple[str, str], Answer]:
    """(pupil, what it learned from) -> what it says of the holdout."""
    jobs = {(pupil.__name__, role): pupil for _, pupil, _ in PUPILS for role in ("synthetic", "real")}

    def learn(job: tuple[str, str]) -> Answer:
        train = evidence.synthetic if job[1] == "synthetic" else evidence.real
        return jobs[job](lesson, train, test, run.child(f"{job[1]} {job[0]}"))

    return dict(zip(jobs, run.map(learn, list(jobs)), strict=True))


def _judged(lesson: Lesson, twin: Answer, real: Answer, test: Sheet, holdout: Sheet, name: tuple[str, str], run: Run
            ) -> tuple[Finding, Finding]:
    """What one pupil reaches, and what it loses."""
    suffix, called = name
    draw = run.child("interval").random()
    own, other = (mark(lesson, answer, test, draw) for answer in (twin, real))
    gap = less(lesson, twin, real, test, run.child("gap").random())
    lost = gap if lesson.sort == "number" else points_lost(lesson, twin, real, test)
    scale, what = (100, "R2") if lesson.sort == "number" else (1, "accuracy")
    points = Mark(what, *(scale * v for v in (lost.value, lost.low, lost.high)))
    detail: dict[str, Any] = {
        "target": lesson.target, "measure": own.measure, "gap": gap.value, "gap_low": gap.low, "gap_high": gap.high,
        "rows": test.rows, "left_out_rows": holdout.rows - test.rows, "learned_from": twin.learned,
        "learned_from_real": real.learned, "floor_from": TRAINED, "words": _words(own, other, points, called)}
    return (Finding(f"utility{suffix}", own.value, better="higher", unit=own.measure, low=own.low, high=own.high,
                    floor=other.value, floor_low=other.low, floor_high=other.high, against="holdout", detail=detail),
            Finding(f"utility_gap{suffix}", points.value, unit="%", low=points.low, high=points.high, floor=0.0,
                    against="holdout", detail={"target": lesson.target, "measure": points.measure, "rows": test.rows,
                                               "floor_from": TRAINED}))


def _refusal(evidence: Evidence) -> str:
    if evidence.target is None:
        return "no target was declared"
    if evidence.holdout is None:
        return "there is no holdout to be predicted"
    if evidence.target not in evidence.real.values:
        return f"a column of the kind {evidence.table[evidence.target].kind!r} cannot be a target"
    if len(evidence.real.values) < 2:
        return "there is no other column to predict from"
    if min(evidence.real.rows, evidence.synthetic.rows, evidence.holdout.rows) < LEAST:
        return f"needs at least {LEAST} rows of each table"
    return ""


def _words(twin: Mark, real: Mark, points: Mark, called: str) -> str:
    gap = real.value - twin.value
    how = ("as well as" if gap <= 0.01 else "nearly as well as" if gap <= 0.03 else
           "noticeably worse than" if gap <= 0.1 else "much worse than")
    verb = "loses" if points.value > 0 else "gains"
    size = f"{abs(points.value):.1f} points of {points.measure}"
    ends = sorted(v if points.value > 0 else -v for v in (points.low, points.high))
    return (f"A {called} trained on the twin predicts real rows {how} one trained on the original "
            f"({twin.measure} {twin.value:.3f} against {real.value:.3f}): it {verb} {size} "
            f"(95 % interval {ends[0]:.1f} to {ends[1]:.1f}).")
