"""Whether a decision follows from what stands beside it: its tests from the tier, each verdict from its numbers, and
the numbers from the evidence.

A decision is a file, and a hand can edit a file. So nothing in it is believed that can be reckoned again: the tests and
their thresholds are those that ``checks`` asks for under the same policy, and a verdict is the one that its own numbers
give. Of a rounded decision only a PASS is held against its numbers, for a rounded number may lie on the other side of a
threshold that was missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from fabrica.gatehouse import few, left_out
from fabrica.gatehouse.case import Case
from fabrica.gatehouse.checks import outcomes
from fabrica.gatehouse.deciding import rungs
from fabrica.gatehouse.outcome import FAIL, INCONCLUSIVE, PASS, Outcome, bounded
from fabrica.gatehouse.rare import Rare
from fabrica.gatehouse.risks import SURE
from fabrica.reached import FEWEST
from fabrica.report import Report

if TYPE_CHECKING:
    from fabrica.gatehouse.decision import Decision

__all__ = ["problems", "unfounded"]

#: tests of groups: what comes by chance among so few real people is accepted too, so they may have a wider threshold
GROUPS = ("representation", "label_gap", "downstream_gap", "downstream_gap_odds")
TARGETED = ("label_gap", "utility_gap")  #: of which nothing is measured without a target
SEARCHED = ("identifiers", "rare", "unit")  #: tests of what was looked for in files and columns: no finding tells of it
SHUT = (FAIL, INCONCLUSIVE)


def problems(decision: Decision) -> Iterator[str]:
    """Where a decision does not follow from its own policy and numbers; a sentence each."""
    asked = _demanded(decision)
    names = [one.name for one in decision.outcomes]
    yield from (f"the tier {decision.tier} asks for the test {name}, and the decision has none"
                for name in asked if name not in names)
    yield from (f"has a test {name!r} that the tier {decision.tier} does not ask for, or has it twice"
                for name in dict.fromkeys(names) if name not in asked or names.count(name) > 1)
    for one in decision.outcomes:
        if wanted := asked.get(one.name):
            yield from _departures(one, wanted, decision)
            if one.name == "attempts" and one.value != decision.attempts:
                yield f"counts {decision.attempts} attempts, and its test of them another number"


def _demanded(decision: Decision) -> dict[str, Outcome]:
    """The tests that the tier asks for, by their names, as they are before anything is known."""
    case = Case(decision.policy, decision.tier, Report(()), 0, 1, Rare(), target=decision.target,
                protected=decision.protected)
    return {one.name: one for one in outcomes(case)}


def _departures(one: Outcome, wanted: Outcome, decision: Decision) -> Iterator[str]:
    here, named = one.threshold, f"test {one.name}"
    if one.id != wanted.id:
        yield f"{named} has another id than {wanted.id}"
    tier = decision.policy.tier(decision.tier)
    others = {"copies": (tier.near, *rungs(left_out.WIDER, tier.but_one)),
              "inference": rungs(few.WIDER, tier.inference)}.get(one.name, ())
    wider = one.name in GROUPS and here is not None and wanted.threshold is not None and here > wanted.threshold
    if here != wanted.threshold and here not in others and not wider:
        yield f"{named} has another threshold than tier {decision.tier} of its policy"
    elif one.verdict not in (follows := _follow(one, decision)):
        yield f"{named} says {one.verdict}, and from its numbers {' or '.join(follows) or 'nothing'} follows"


def _follow(one: Outcome, decision: Decision) -> tuple[str, ...]:
    """The verdicts that the numbers of a test allow."""
    if decision.rounded and (one.verdict != PASS or one.name == "alike"):
        return (PASS, *SHUT)
    return KINDS.get(one.name, _bounded)(one, decision)


def _counted(one: Outcome, decision: Decision) -> tuple[str, ...]:
    """A number that is known exactly."""
    if one.value is None or one.threshold is None:
        return ()
    return (PASS,) if one.value <= one.threshold else (FAIL,)


def _searched(one: Outcome, decision: Decision) -> tuple[str, ...]:
    """What was looked for everywhere: nothing is met, or what is met is copied, or nobody can tell."""
    if one.value is None:
        return (INCONCLUSIVE,)
    if one.value < 0 or one.value % 1:
        return ()
    return (PASS,) if one.value == 0 else SHUT


def _isolated(one: Outcome, decision: Decision) -> tuple[str, ...]:
    """Few are found; those who are told by the whole curve fail all the same."""
    return tuple(dict.fromkeys((*_bounded(one, decision), FAIL)))


def _bounded(one: Outcome, decision: Decision) -> tuple[str, ...]:
    """A number with bounds; one that could not be measured has none. Where everybody knows all secrets, nothing is left
    to infer, and where hardly anybody is alone with their row, nobody can be copied."""
    numbers = (one.value, one.low, one.high)
    if numbers == (None, None, None):
        few = one.name in ("copies", "singling_out") and one.n is not None and one.n < FEWEST
        return (PASS, INCONCLUSIVE) if few or one.name == "inference" else (INCONCLUSIVE,)
    if one.value is None or one.high is None or one.threshold is None or (one.low is None and not decision.rounded):
        return ()
    if one.low is None:
        return (PASS,) if one.high <= one.threshold else SHUT
    return (bounded(one, one.value, one.low, one.high, one.threshold, one.n, "").verdict,)


def _canaries(one: Outcome, decision: Decision) -> tuple[str, ...]:
    if one.value is None or one.high is None or one.n is None:
        return (INCONCLUSIVE,)
    enough = one.n >= decision.policy.tier(decision.tier).canaries or decision.rounded  # counts are rounded too
    return (FAIL,) if one.value > 0 else (PASS,) if enough else (INCONCLUSIVE,)


def _epsilon(one: Outcome, decision: Decision) -> tuple[str, ...]:
    if one.value is None:
        return (PASS,) if decision.policy.determination else (FAIL,)
    return _counted(one, decision)


def _alike(one: Outcome, decision: Decision) -> tuple[str, ...]:
    if one.value is None or one.low is None:
        return (INCONCLUSIVE,)
    return (INCONCLUSIVE,) if one.value - SURE * (one.value - one.low) > 0.5 else (PASS,)


def _shared(one: Outcome, decision: Decision) -> tuple[str, ...]:
    if one.value is None or not one.threshold:
        return (INCONCLUSIVE,)
    return (PASS,) if 1 / one.threshold <= one.value <= one.threshold else (FAIL,)


def _grown(one: Outcome, decision: Decision) -> tuple[str, ...]:
    """The estimate decides of a pass; a gap that has surely grown fails, whatever comes by chance."""
    if one.value is None or one.threshold is None:
        return (INCONCLUSIVE,)
    return (PASS, FAIL) if one.value <= one.threshold else SHUT


#: test -> how its verdict follows; all others have bounds
KINDS: Mapping[str, Callable[[Outcome, Decision], tuple[str, ...]]] = {
    **dict.fromkeys(("rows", "attempts"), _counted), **dict.fromkeys(SEARCHED, _searched), "outliers": _isolated,
    "canaries": _canaries, "epsilon": _epsilon, "alike": _alike, "representation": _shared,
    **dict.fromkeys(("label_gap", "downstream_gap", "downstream_gap_odds"), _grown)}


def unfounded(decision: Decision, report: Report, rows: int, real_rows: int | None, epsilon: float | None,
              noise: float = 0.0) -> list[str]:
    """Which tests do not come out again from the evidence, in full, that a decision was made of; a sentence each.

    What was searched for in files leaves no finding, and is not reckoned again; what the evidence tells of it all the
    same does not pass.

    Parameters
    ----------
    rows, real_rows : of the twin and of the whole real table; None where that is not known. epsilon : that was paid.
    noise : rows that it may have counted too many (``counts.overcounted``).
    """
    case = Case(decision.policy, decision.tier, report, rows, real_rows or 1, Rare(), epsilon=epsilon,
                attempts=decision.attempts, target=decision.target, protected=decision.protected, noise=noise,
                model="model" in decision.subject)
    again = {one.name: one for one in outcomes(case)}
    left = (*SEARCHED, *(("rows",) if real_rows is None else ()))
    return [*_undeclared(decision, report),
            *(f"test {one.name} is another than the evidence gives" for one in decision.outcomes
              if (one.name not in left and _bare(one) != _bare(again[one.name]))
              or (one.name in SEARCHED and one.verdict == PASS != again[one.name].verdict))]


def _bare(one: Outcome) -> Outcome:
    """A test without its words."""
    return replace(one, why="", step="")


def _undeclared(decision: Decision, report: Report) -> Iterator[str]:
    """What was measured because it was declared, and is not declared any more: tests would be left out."""
    guarded = {name for one in report if one.metric == "representation" for name in one.place}
    if guarded - set(decision.protected):
        yield "does not declare all protected columns that the evidence tells of"
    if decision.target is None and any(one.metric in TARGETED and one.value is not None for one in report):
        yield "does not declare the target that the evidence tells of"
