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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fabrica.report import Finding

__all__ = ["FAIL", "INCONCLUSIVE", "Outcome", "PASS", "REST", "apart", "bounded", "down", "joined", "unmeasured",
           "worst"]

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"
REST = "the rest may give away as much again"  #: what is said of an attack that saw a share only
FINEST = 16  #: digits behind the point at most
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
    return worst([one.verdict for one in outcomes])


def worst(verdicts: Sequence[str]) -> str:
    """The verdict that is farthest from a pass; where there is none nothing is known."""
    return next(verdict for verdict in _ORDER if verdict in (verdicts or [INCONCLUSIVE]))


def bounded(blank: Outcome, value: float, low: float, high: float, threshold: float, n: int | None, what: str
            ) -> Outcome:
    """The outcome of a number with one-sided bounds beside its threshold.

    >>> bounded(Outcome("G2", "copies", "", ""), 0.0, 0.0, 0.001, 0.002, 900, "copies").verdict
    'PASS'
    """
    verdict = PASS if high <= threshold else FAIL if low > threshold else INCONCLUSIVE
    doubt = ("more than that was found, of too few people to be sure" if value > threshold else
             "there are too few people to rule more out")
    most, accepted = apart(high, threshold, _up), f"and {threshold:g} is accepted"
    beside = {PASS: f"at most {most}, {accepted}",
              FAIL: f"at least {apart(low, threshold, down)}, {accepted}",
              INCONCLUSIVE: f"{apart(value, threshold, _near)}, perhaps up to {most}, {accepted}: {doubt}"}[verdict]
    return replace(blank, verdict=verdict, why=f"{what}: {beside}", value=value, low=low, high=high, n=n,
                   threshold=threshold)


def apart(value: float, limit: float, told: Callable[[float, int], str], digits: int = 3) -> str:
    """A number as ``told`` with so many digits, or with as many more as it needs to be seen on its side of a limit.

    >>> [apart(value, 0.05, lambda number, digits: f"{number:.{digits}f}") for value in (0.0712, 0.05002, 0.05)]
    ['0.071', '0.05002', '0.050']
    """
    texts = (told(value, many) for many in range(digits, FINEST))
    return next((text for text in texts if _side(float(text), limit) == _side(value, limit)), repr(value))


def _side(value: float, limit: float) -> int:
    return 0 if math.isclose(value, limit, rel_tol=1e-9) else (value > limit) - (value < limit)


def _up(value: float, digits: int) -> str:
    """So many digits behind the point, never rounded down."""
    return f"{math.ceil(value * 10**digits) / 10**digits:.{digits}f}"


def down(value: float, digits: int) -> str:
    """So many digits behind the point, never rounded up.

    >>> down(0.5509, 3), apart(0.5504, 0.55, down)
    ('0.550', '0.5504')
    """
    return f"{math.floor(value * 10**digits) / 10**digits:.{digits}f}"


def _near(value: float, digits: int) -> str:
    return f"{value:.{digits}g}"


def unmeasured(finding: Finding | None, name: str) -> str:
    """Why a finding decides nothing; "" where it may decide."""
    if finding is None:
        return f"{name} was not measured"
    if finding.value is None:
        return finding.problem
    if finding.detail.get("control", "found") != "found":
        return "the attack missed people who were planted for it to find, so what it says counts for nothing"
    return ""
