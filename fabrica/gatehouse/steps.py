"""What to do next where a test was not passed: one short step each, in the same words wherever it is the same, so that
it need be told once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fabrica.attack import NO_MAKER
from fabrica.gatehouse.case import Case
from fabrica.gatehouse.outcome import FAIL, PASS, REST, Outcome

__all__ = ["advised", "larger", "steps"]

ATTACKS = ("copies", "singling_out", "linkability", "inference", "membership", "outliers", "canaries")
GROUPS = ("representation", "label_gap", "downstream_gap", "downstream_gap_odds")
MORE = "bring more people; `fabrica plan` says how many, and how many of them to hold back"
HALF = 0.495  #: of the people held back: the plan knows no larger share
ALONE = "everybody is of one group"  #: what a test of groups says where there is nothing to compare
MISSED = "this attack finds nobody here even where it should: bring more people, or columns by which they differ"


def advised(one: Outcome, case: Case) -> Outcome:
    """The outcome with what to do next, where it has not been passed and does not say so itself.

    >>> from fabrica.gatehouse.policy import Policy
    >>> from fabrica.gatehouse.rare import Rare
    >>> from fabrica.report import Report
    >>> case = Case(Policy(), "partner", Report(()), 1_200, 1_000, Rare())
    >>> advised(Outcome("G11", "rows", FAIL, "1,200 rows for 1,000 real ones"), case).step
    'make it again with --rows 1000'
    """
    return one if one.verdict == PASS or one.step else replace(one, step=_step(one, case))


def steps(outcomes: Iterable[Outcome]) -> list[str]:
    """A line for each different step, with the tests that ask for it.

    >>> steps([Outcome("G2", "copies", FAIL, "", step="learn again"), Outcome("G3", "linkability", PASS, ""),
    ...        Outcome("G4", "inference", FAIL, "", step="learn again")])
    ['copies, inference: learn again']
    """
    found: dict[str, list[str]] = {}
    for one in outcomes:
        if one.step:
            found.setdefault(one.step, []).append(one.name)
    return [f"{', '.join(names)}: {step}" for step, names in found.items()]


def larger(case: Case, least: int) -> str:
    """Learning again with a ``--k`` of at least so many, and larger than the one that was used."""
    used = case.k or 0
    return f"learn again with --k {least if used < least else 2 * used}"


def more(case: Case) -> str:
    """More people, or more of them held back where that can still help: the plan that was followed is not advised anew.

    >>> from fabrica.gatehouse.policy import Policy
    >>> from fabrica.gatehouse.rare import Rare
    >>> from fabrica.report import Report
    >>> [more(Case(Policy(), "partner", Report((), {"rows": {"real": real, "holdout": held}}), 900, 1_000, Rare()))
    ...  for real, held in ((700, 300), (500, 500))]                                    # doctest: +NORMALIZE_WHITESPACE
    ['of 1,000 people 30 % are held back: hold back more of them, up to half, or bring more people; `fabrica plan` \
says which of it is enough',
     'half of 1,000 people are held back, and only more people help; `fabrica plan` says how many are needed']
    """
    told = case.report.facts.get("people") or case.report.facts.get("rows") or {}
    real, held = told.get("real"), told.get("holdout")
    if not real or not held:
        return MORE
    people, share = real + held, held / (real + held)
    if HALF <= share <= 1 - HALF:
        return (f"half of {people:,} people are held back, and only more people help; `fabrica plan` says how many are "
                "needed")
    back = "hold back more of them, up to half," if share < HALF else "hold back half of them,"
    return (f"of {people:,} people {100 * share:.0f} % are held back: {back} or bring more people; `fabrica plan` says "
            "which of it is enough")


def _step(one: Outcome, case: Case) -> str:
    if one.name in ATTACKS:
        return _of_attack(one, case)
    if one.name in GROUPS and ALONE in one.why:
        return "leave the column of which everybody is of one group out of --protected"
    if one.name in GROUPS:
        return ("try another engine, or the dial of `fabrica fair`" if one.verdict == FAIL else
                "bring more people of each group")
    return {"alike": more(case) if one.value is None else
                     "hold back other people by chance: --holdout 0.3 and another --seed",
            "rows": f"make it again with --rows {max(1, int((case.asked.rows or 0.0) * case.real_rows))}",
            "useful": more(case) if one.value is not None and one.verdict != FAIL else
                      "try another engine" if case.target else "name the column with --target COL",
            "attempts": f"bring one of the first {case.asked.attempts} again; a policy may allow more by a waiver",
            }.get(one.name) or more(case)


def _of_attack(one: Outcome, case: Case) -> str:
    if one.verdict != FAIL and REST in one.why and case.rows > case.real_rows:
        return f"make it again with --rows {case.real_rows}: of a smaller twin attacks see more"
    if one.verdict == FAIL or (one.value is not None and one.threshold is not None and one.value > one.threshold):
        return f"{larger(case, 2 * case.asked.k)}, with another engine, or with --epsilon"
    if NO_MAKER in one.why:
        return "make the twin with `fabrica synth`, so that it can be learned again with planted people"
    return MISSED if "planted for it to find" in one.why else more(case)
