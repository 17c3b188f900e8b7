"""Where a finding stands: its distance from what as many *real* rows would score, in words and in three tones.

A number alone says nothing: 0.39 % is bad for a million rows and perfect for a thousand. So every number is read against its
floor, in the direction in which it gets worse.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fabrica.page.numbers import level, number
from fabrica.report import Finding

__all__ = ["Standing", "company", "direction", "excess", "standing", "worst_first"]

#: how far beyond the floor still reads as "close" and as "visible", by unit
STEPS = {"%": (1.0, 5.0), "AUC": (0.03, 0.12), "share": (0.02, 0.1), "R2": (0.02, 0.1)}


@dataclass(frozen=True)
class Standing:
    """``tone`` (good, near, off, none) for the eye and ``words`` for everyone."""

    tone: str
    words: str


def excess(finding: Finding) -> float | None:
    """How much worse than the floor the value is; negative where better; None where either is unknown.

    >>> excess(Finding("detector", 0.6, better=0.5, floor=0.5)), excess(Finding("shape", 0.4))
    (0.09999999999999998, None)
    """
    value, floor = finding.value, finding.floor
    if value is None or (floor is None and isinstance(finding.better, str)):
        return None
    if isinstance(finding.better, str):
        assert floor is not None
        return value - floor if finding.better == "lower" else floor - value
    ideal = float(finding.better)
    return abs(value - ideal) - (abs(floor - ideal) if floor is not None else 0.0)


def standing(finding: Finding) -> Standing:
    """Like real rows, close, visibly off or far off."""
    if finding.value is None:
        return Standing("none", "not measured")
    gap = excess(finding)
    if gap is None:
        return Standing("none", "no baseline")
    if gap <= 0 or _touches(finding):
        return Standing("good", "like real rows")
    near, off = STEPS.get(finding.unit, _relative(finding))
    if gap <= near:
        return Standing("near", "close")
    return Standing("off", "visibly off" if gap <= off else "far off")


def _touches(finding: Finding) -> bool:
    """The interval of the value reaches the floor or its interval."""
    if finding.low is None or finding.high is None or finding.floor is None:
        return False
    low = finding.floor if finding.floor_low is None else finding.floor_low
    high = finding.floor if finding.floor_high is None else finding.floor_high
    return finding.low <= high and finding.high >= low


def _relative(finding: Finding) -> tuple[float, float]:
    size = max(abs(finding.floor or 0.0), 0.02)
    return 0.1 * size, 0.5 * size


def direction(finding: Finding) -> str:
    """Which way is better, in words."""
    if isinstance(finding.better, str):
        return f"{finding.better} is better"
    ideal = float(finding.better)
    return f"{level(ideal, finding.unit)} is {'chance' if finding.unit == 'AUC' and ideal == 0.5 else 'ideal'}"


def company(finding: Finding) -> str:
    """The words that go beside the value: its floor and its direction.

    >>> company(Finding("detector", 0.51, better=0.5, unit="AUC", floor=0.502))
    'real rows score 0.502; 0.5 is chance'
    """
    if finding.floor is None:
        return direction(finding)
    return f"real rows score {number(finding.floor, finding.unit)}; {direction(finding)}"


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Furthest beyond the floor first; those without a floor after them, by value; those without a value last."""
    def key(finding: Finding) -> tuple[int, float]:
        gap = excess(finding)
        if gap is not None:
            return (0, -gap)
        if finding.value is None:
            return (2, 0.0)
        return (1, finding.value if finding.better == "higher" else -finding.value)
    return sorted(findings, key=key)
