"""Where a finding stands: its distance from what as many *real* rows would score, in words and in three tones.

A number alone says nothing: 0.39 % is bad for a million rows and perfect for a thousand. So every number is read
against its floor, in the direction in which it gets worse.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fabrica.page.numbers import level, number
from fabrica.report import Finding
from fabrica.verdict import LIMITS, MEANS, below_chance, beside, beyond, of_two_kinds, surely_above

__all__ = ["Standing", "company", "direction", "excess", "floor_words", "standing", "worst_first", "worst_places"]

#: metric -> the aspect of the verdict whose limits it is read by
ASPECTS = {"detector_auc": "telling apart", "trend_common": "columns together", "trend": "columns together",
           "kway_3": "several together", "kway_4": "several together", "shape": "columns alone", "utility": "utility",
           "utility_linear": "utility",
           "validity": "impossible values", "validity_range": "impossible values", "validity_keys": "impossible values",
           "missingness": "missing as often", "missingness_pairs": "missing as often",
           "missingness_values": "missing for the same", "rules": "impossible values", "copies": "copies",
           "copies_excess": "copies", "copies_keys": "real identifiers"}
#: the same for other metrics, by unit: close, slightly off, visibly off; beyond is far off
BY_UNIT = {"%": (0.5, 2.0, 6.0), "share of rows": (0.002, 0.01, 0.05),
           "": (0.02, 0.05, 0.2)}


#: gaps between groups -> by how much a twin may widen them: what data, and models, are held to
WIDER = {"label_gap": 0.02, **dict.fromkeys(("downstream_gap", "downstream_gap_odds", "downstream_gap_impact",
                                             "downstream_gap_accuracy", "downstream_gap_calibration"), 0.05)}
LEAST, MOST = 0.8, 1.25  #: of a group's share in the twin over its share in the original (the four-fifths rule)


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
        if finding.metric in ("copies", "copies_keys"):
            return surely_above(finding)
        return value - floor if finding.better == "lower" else floor - value
    if _below_chance(finding):
        return below_chance(finding)
    ideal = float(finding.better)
    return abs(value - ideal) - (abs(floor - ideal) if floor is not None else 0.0)


def _gap(finding: Finding) -> float | None:
    """``excess`` as the verdict reads it: of an error what is beyond the luck of fresh rows; of more recall than real
    rows have how much nearer that is."""
    if finding.metric == "beta_recall" and _too_near(finding):
        return surely_above(finding)
    if finding.value is not None and finding.floor is not None and any(finding.metric in m for m in MEANS.values()):
        return beyond(finding)
    return excess(finding)


def _too_near(finding: Finding) -> bool:
    return finding.floor is not None and (finding.value or 0.0) > finding.floor


def _below_chance(finding: Finding) -> bool:
    """Whether a detector did worse than chance: too close, not too far."""
    return finding.metric == "detector_auc" and finding.value is not None and finding.value < 0.5


def standing(finding: Finding) -> Standing:
    """Like real rows, close, slightly, visibly or far off, by the limits of the verdict."""
    if finding.value is None:
        return Standing("none", "not measured")
    if finding.metric == "detector_column":
        return Standing("none", "")  # where it looked, neither good nor bad
    if "control" in finding.detail:
        return _attacked(finding)
    if finding.metric in WIDER:
        return _wider(finding)
    if finding.metric == "representation":
        return _represented(finding)
    gap = _gap(finding)
    if gap is None:
        return Standing("none", "no baseline")
    if of_two_kinds(finding) and gap <= _limits(finding)[0]:
        return Standing("none", "no better or worse than real rows, which are told apart too")
    if gap <= 0 or (finding.metric not in ASPECTS and _touches(finding)):
        return Standing("good", "like real rows")
    passed = sum(gap > limit for limit in _limits(finding))
    return (Standing("good", "close"), Standing("near", "slightly off"), Standing("off", "visibly off"),
            Standing("off", "far off"))[passed]


def _attacked(finding: Finding) -> Standing:
    """What an attack cannot rule out, its upper bound. Where the lower one is above luck, people are found out."""
    if finding.detail["control"] != "found":
        return Standing("none", "says nothing: it missed people who were planted")
    if finding.high is None:
        return Standing("none", "no bound")
    most = f"at most {number(math.ceil(1000 * finding.high) / 1000, finding.unit)}"  # a bound is never rounded down
    surely = finding.low is not None and finding.low > (finding.floor or 0.0)
    return Standing("near", f"beyond luck, {most}") if surely else Standing("none", most)


def _wider(finding: Finding) -> Standing:
    """How much wider a gap is, by the bounds: surely, surely not, or what cannot be ruled out."""
    low, high, limit = finding.low or 0.0, finding.high or 0.0, WIDER[finding.metric]
    most = number(math.ceil(1000 * max(high, 0.0)) / 1000)
    if low > 0 and (finding.value or 0.0) > (finding.floor_high or 0.0):
        return Standing("off" if low > limit else "near", f"wider, at most {most}")
    if high <= limit:
        return Standing("good", "not wider" if high <= 0 else f"wider by {most} at most")
    return Standing("none", f"wider by {most} at most")


def _represented(finding: Finding) -> Standing:
    """Whether a group is as large as it should be."""
    value, luck = finding.value or 1e-9, max(finding.floor_high or 1.0, 1 / max(finding.floor_high or 1.0, 1e-9))
    size = "smaller" if value < 1 else "larger"
    if (finding.low or 0.0) >= LEAST and (finding.high or 9.0) <= MOST:
        return Standing("good", "as in the original")
    if max(value, 1 / max(value, 1e-9)) <= luck:
        return Standing("none", "within luck; too few people to be sure")
    return Standing("near" if LEAST <= value <= MOST else "off", f"a group is {size}")


def _touches(finding: Finding) -> bool:
    """The interval of the value reaches the floor or its interval."""
    if finding.low is None or finding.high is None or finding.floor is None:
        return False
    low = finding.floor if finding.floor_low is None else finding.floor_low
    high = finding.floor if finding.floor_high is None else finding.floor_high
    return finding.low <= high and finding.high >= low


def _limits(finding: Finding) -> tuple[float, float, float]:
    if finding.metric == "detector":  # the score loses twice what the area gains
        near, some, far = LIMITS["telling apart"]
        return 2 * near, 2 * some, 2 * far
    if _below_chance(finding):
        return LIMITS["following too closely"]
    if finding.metric == "beta_recall" and _too_near(finding):
        return LIMITS["nearer than real rows"]
    if finding.metric in ASPECTS:
        return LIMITS[ASPECTS[finding.metric]]
    size = max(abs(finding.floor or 0.0), 0.02)
    return BY_UNIT.get(finding.unit, (0.1 * size, 0.3 * size, size))


def direction(finding: Finding) -> str:
    """Which way is better, in words."""
    if isinstance(finding.better, str):
        return f"{finding.better} is better"
    ideal = float(finding.better)
    return f"{level(ideal, finding.unit)} is {'chance' if finding.unit == 'AUC' and ideal == 0.5 else 'ideal'}"


def company(finding: Finding) -> str:
    """The words that go beside the value: its floor and its direction.

    >>> company(Finding("detector", 0.51, better=0.5, unit="AUC", floor=0.502))
    'as many real rows score 0.502; 0.5 is chance'
    """
    said = floor_words(finding)
    return f"{said}; {direction(finding)}" if said else direction(finding)


def floor_words(finding: Finding) -> str:
    """Whose score the floor is, and how much; "" without one.

    >>> floor_words(Finding("shape", 0.4, unit="%", floor=0.3, detail={"floor_from": "bootstrap of the original"}))
    'as many real rows score 0.30 %'
    """
    if finding.floor is None:
        return ""
    if "control" in finding.detail:  # of an attack
        return f"luck alone is {number(finding.floor, finding.unit)}"
    who = "chance alone gives" if finding.metric.startswith("copies") else " ".join(beside(finding))
    return f"{who} {number(finding.floor, finding.unit)}"


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


def worst_places(findings: Iterable[Finding], few: int) -> list[Finding]:
    """The places that are off, the worst first, at most ``few`` of each metric: pairs must not hide a column."""
    told: Counter[str] = Counter()
    found = []
    for finding in worst_first(f for f in findings if f.place):
        if standing(finding).tone in ("near", "off") and told[finding.metric] < few:
            told[finding.metric] += 1
            found.append(finding)
    return found
