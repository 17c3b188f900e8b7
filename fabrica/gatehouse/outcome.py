"""What one test of the gate says: passed, failed, or not decided.

The null hypothesis is *unsafe*. A risk passes only where the upper end of its one-sided 95 % bound is within its
threshold; it fails where the lower end is beyond it; all between is INCONCLUSIVE, and so is what could not be measured
or whose positive control was missed. What is counted over all rows (identifiers, what few people hold, rows, attempts)
has no bound and passes by the count, and groups of people pass by the estimate. Only PASS opens the gate. Where all
tests must pass, the chance that something unsafe passes is at most that of a single test (intersection-union test;
Berger, Technometrics 24, 1982), so nothing is divided among them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fabrica.report import Finding

__all__ = ["FAIL", "INCONCLUSIVE", "Outcome", "PASS", "bounded", "joined"]

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"
_ORDER = (FAIL, INCONCLUSIVE, PASS)  #: what several outcomes are together: the first that is among them


@dataclass(frozen=True)
class Outcome:
    """One test: its ``id`` and ``name``, the ``verdict`` and why in words, the estimate (``value``) with its one-sided
    95 % bounds ``low`` and ``high``, in the unit of the ``threshold`` (shares, areas and ratios, not percent; points of
    ``useful``), how many people, tries or values it rests on (``n``), and the next ``step`` where it was not passed. A
    count has no bounds; what was not measured has no number at all."""

    id: str
    name: str
    verdict: str
    why: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    n: int | None = None
    step: str = ""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Outcome:
        """Raises ``TypeError`` or ``ValueError`` where something lacks, is unknown, or is of another kind."""
        found = cls(**{"why": "", **plain})
        numbers = (found.value, found.low, found.high, found.threshold, found.n)
        if found.verdict not in _ORDER or not all(isinstance(one, str) for one in
                                             (found.id, found.name, found.why, found.step)):
            raise ValueError("a test has no verdict, or no name")
        if any(isinstance(one, bool) or not math.isfinite(one) for one in numbers if one is not None):
            raise ValueError("a number of a test is none")
        return found


def joined(outcomes: list[Outcome]) -> str:
    """The verdict of several together: one that fails fails all.

    >>> joined([Outcome("G2", "copies", PASS, ""), Outcome("G3", "singling_out", INCONCLUSIVE, "")])
    'INCONCLUSIVE'
    """
    verdicts = {one.verdict for one in outcomes} or {INCONCLUSIVE}
    return next(verdict for verdict in _ORDER if verdict in verdicts)


def bounded(blank: Outcome, value: float, low: float, high: float, threshold: float, n: int | None, what: str
            ) -> Outcome:
    """The outcome of a number with one-sided bounds beside its threshold.

    >>> bounded(Outcome("G2", "copies", "", ""), 0.0, 0.0, 0.001, 0.002, 900, "copies").verdict
    'PASS'
    """
    verdict = PASS if high <= threshold else FAIL if low > threshold else INCONCLUSIVE
    doubt = ("more than that was found, of too few people to be sure" if value > threshold else
             "there are too few people to rule more out")
    beside = {PASS: f"at most {_up(high)}, and {threshold:g} is accepted",
              FAIL: f"at least {_down(low)}, and {threshold:g} is accepted",
              INCONCLUSIVE: f"{value:.3g}, perhaps up to {_up(high)}, and {threshold:g} is accepted: {doubt}"}[verdict]
    return replace(blank, verdict=verdict, why=f"{what}: {beside}", value=value, low=low, high=high, n=n,
                   threshold=threshold)


def _up(value: float) -> str:
    """Three digits behind the point, never rounded down."""
    return f"{-(-value * 1000 // 1) / 1000:.3f}"


def _down(value: float) -> str:
    return f"{value * 1000 // 1 / 1000:.3f}"


def unmeasured(finding: Finding | None, name: str) -> str:
    """Why a finding decides nothing; "" where it may decide."""
    if finding is None:
        return f"{name} was not measured"
    if finding.value is None:
        return finding.problem
    if finding.detail.get("control", "found") != "found":
        return "the attack missed people who were planted for it to find, so what it says counts for nothing"
    return ""
