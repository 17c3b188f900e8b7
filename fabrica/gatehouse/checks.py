"""The tests of the gate: what is known of a release in, one outcome of each out; none where the tier does not ask."""

from __future__ import annotations

from collections.abc import Callable

from fabrica.gatehouse.case import Case
from fabrica.gatehouse.counts import attempts, epsilon, identifiers, rare, rows, unit
from fabrica.gatehouse.groups import amplified, shares, useful
from fabrica.gatehouse.outcome import Outcome
from fabrica.gatehouse.risks import alike, canaries, copies, membership, outliers, risk
from fabrica.gatehouse.steps import advised

__all__ = ["CHECKS", "outcomes"]

#: in the order in which they are told
CHECKS: tuple[Callable[[Case], Outcome | None], ...] = (
    identifiers, rare, copies,
    risk("G3", "singling_out", "predicates of the twin that single out one person",
         "rows are alone in the twin, and none of them singles anybody out"),
    risk("G3", "linkability", "halves of a person that the twin links"),
    risk("G4", "inference", "secrets that are guessed of those who were learned from"),
    membership, outliers, canaries, epsilon, alike, unit, rows, shares,
    amplified("label_gap", "amplified", "growth of the gap between groups in the outcome"),
    amplified("downstream_gap", "amplified_model", "growth of the gap between groups in what a model decides"),
    amplified("downstream_gap_odds", "amplified_model", "growth of the gap between groups in how often it is right"),
    useful, attempts,
)


def outcomes(case: Case) -> list[Outcome]:
    """What all tests say that the tier asks for."""
    return [advised(found, case) for check in CHECKS if (found := check(case)) is not None]
