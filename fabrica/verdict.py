"""The verdict: a report in plain words, with an honest grade.

The grade is the worst of the aspects that were measured, so one failure cannot hide behind good means:

===========================  =========  ======  ======  =======================================================
aspect                       excellent  good    fair    how it is measured
===========================  =========  ======  ======  =======================================================
telling apart                <= .05     <= .15  <= .30  detector AUC above chance and above what real rows score
columns together             <= 1       <= 3    <= 8    ``trend_common`` above 1.41 x floor, points
columns alone                <= 0.5     <= 2    <= 6    ``shape`` above 1.41 x floor, points
utility                      <= .02     <= .05  <= .15  original minus twin
impossible values            <= 0.5     <= 2    <= 10   ``validity`` above its floor, points
copies                       <= .002    <= .01  <= .05  lower end of ``copies_excess``
===========================  =========  ======  ======  =======================================================

Beyond that it is poor. A fresh sample of the same people differs from the original by both tables' chance, 1.41
times the floor, so that much of the first two is never held against a twin. The detector's aspect takes the holdout
where there is one: rows that nobody learned from. For a feeling: on the Adult census independent columns have a
detector AUC of .99 (poor), the best published neural systems .57 to .60 (good).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabrica.report import Finding, Report

__all__ = ["GRADES", "LIMITS", "verdict", "grades", "told"]

GRADES = ("excellent", "good", "fair", "poor")
NOT = "not graded"
FRESH = 2**0.5  #: a fresh sample is this much farther from the original than a resample of the original itself
#: aspect -> the largest excess that is still excellent, good, fair
LIMITS: dict[str, tuple[float, float, float]] = {
    "telling apart": (0.05, 0.15, 0.30),
    "columns together": (1.0, 3.0, 8.0),
    "columns alone": (0.5, 2.0, 6.0),
    "utility": (0.02, 0.05, 0.15),
    "impossible values": (0.5, 2.0, 10.0),
    "copies": (0.002, 0.01, 0.05),
}


def verdict(report: Report) -> tuple[str, list[str]]:
    """(grade, sentences), the most telling sentence first.

    >>> verdict(Report((Finding("shape", 0.9, floor=0.4, unit="%"),)))
    ('excellent', ['On its own, a column is 0.90 % off on average (as many real rows: 0.40 %).'])
    """
    each = grades(report)
    grade = GRADES[max(map(GRADES.index, each.values()))] if each else NOT
    tellers: list[Callable[[Report], list[str]]] = [_detector, _pairs, _columns, _utility, _copies, _impossible]
    return grade, [sentence for tell in tellers for sentence in tell(report)]


TITLES = {"excellent": "Hard to tell from real rows", "good": "Close to real rows", "fair": "Visible differences",
          "poor": "Not like the real table", NOT: "Not graded"}
LETTERS = {"excellent": "A", "good": "B", "fair": "C", "poor": "D", NOT: "–"}


def told(report: Report) -> dict[str, Any]:
    """The verdict as plain values for ``facts["verdict"]``: letter, grade, title, words, further reasons."""
    grade, sentences = verdict(report)
    title = "Repeats real rows" if grades(report).get("copies") in ("fair", "poor") else TITLES[grade]
    return {"grade": LETTERS[grade], "name": grade, "title": title, "words": sentences[0] if sentences else "",
            "reasons": sentences[1:]}


def grades(report: Report) -> dict[str, str]:
    """Aspect -> grade, of the aspects that could be measured."""
    found: dict[str, float] = {}
    seen = _against(report, "detector_auc")
    if seen is not None:
        found["telling apart"] = _value(seen) - max(0.5, seen.floor or 0.5)
    for aspect, metric, noise in (("columns together", "trend_common", FRESH), ("columns alone", "shape", FRESH),
                                  ("impossible values", "validity", 1.0)):
        one = _find(report, metric)
        if one is not None:
            found[aspect] = _value(one) - noise * (one.floor or 0.0)
    useful, copied = _find(report, "utility"), _find(report, "copies_excess")
    if useful is not None and useful.floor is not None:
        found["utility"] = useful.floor - _value(useful)
    if copied is not None and copied.low is not None:
        found["copies"] = copied.low
    return {aspect: GRADES[sum(excess > limit for limit in LIMITS[aspect])] for aspect, excess in found.items()}


def _find(report: Report, metric: str, *place: str, against: str | None = None) -> Finding | None:
    try:
        found = report.find(metric, *place, against=against)
    except KeyError:
        return None
    return None if found.value is None else found


def _against(report: Report, metric: str) -> Finding | None:
    """Against the holdout, else against the rows that were learned from."""
    return _find(report, metric, against="holdout") or _find(report, metric, against="train")


def _value(finding: Finding) -> float:
    return float("nan") if finding.value is None else finding.value


def _detector(report: Report) -> list[str]:
    seen = _against(report, "detector_auc")
    if seen is None:
        return []
    real = "" if seen.floor is None else f", a real holdout scores {seen.floor:.2f}"
    rows = "rows that nobody learned from" if seen.against == "holdout" else "the original"
    said = [f"A gradient-boosted detector tells the twin from {rows} with AUC {seen.value:.2f} "
            f"(0.50 is chance{real})."]
    if _value(seen) > 0.55:
        looked = [f for f in report if f.metric == "detector_column" and f.against == seen.against and f.value]
        best = max(looked, key=_value, default=None)
        if best is not None:
            said.append(f"What gives it away most is {best.place[0]!r} ({100 * _value(best):.0f} % of the gain).")
    for against, which in (("train", "the rows it learned from"), ("holdout", "the holdout")):
        close = _find(report, "detector_auc", against=against)
        if close is not None and close.high is not None and close.high < min(0.5, close.floor or 0.5) - 0.02:
            said.append(f"Against {which} the detector scores {close.value:.2f}, below chance: "
                        "the twin follows them more closely than fresh real rows would; see the copies.")
    return said


def _pairs(report: Report) -> list[str]:
    mean = _find(report, "trend_common")
    if mean is None:
        return []
    said = [f"Two columns together are {mean.value:.2f} % off on average{_floor(mean)}."]
    worst = next((f for f in report if f.metric == "trend_common" and len(f.place) == 2), None)
    if worst is not None and worst.value is not None and worst.value > (worst.floor or 0) + 1:
        names = " with ".join(map(repr, worst.place))
        said.append(f"The worst pair is {names}: {worst.value:.1f} %{_floor(worst)}.")
    return said


def _columns(report: Report) -> list[str]:
    mean = _find(report, "shape")
    if mean is None:
        return []
    said = [f"On its own, a column is {mean.value:.2f} % off on average{_floor(mean)}."]
    alone = [f for f in report if f.metric == "shape" and f.place and f.value is not None]
    worst = max(alone, key=lambda f: _value(f) - (f.floor or 0), default=None)
    if worst is not None and _value(worst) > (worst.floor or 0) + 0.5:
        said.append(f"The worst column is {worst.place[0]!r}: {worst.value:.1f} %{_floor(worst)}.")
    left = mean.detail.get("left_out") or {}
    if left:
        said.append(f"{len(left)} column(s) could not be compared and are not in the mean.")
    return said


def _floor(finding: Finding) -> str:
    return "" if finding.floor is None else f" (as many real rows: {finding.floor:.2f} %)"


def _utility(report: Report) -> list[str]:
    useful = _find(report, "utility")
    return [] if useful is None or "words" not in useful.detail else [str(useful.detail["words"])]


def _copies(report: Report) -> list[str]:
    copied, excess = _find(report, "copies"), _find(report, "copies_excess")
    if copied is None:
        return []
    chance = "" if copied.floor is None else f"; chance alone gives about {100 * copied.floor:.2f} %"
    said = [f"{100 * _value(copied):.2f} % of the rows are exact copies of rows of the original{chance}."]
    _, slight, much = LIMITS["copies"]
    if excess is not None and (excess.low or 0) > slight:
        said.append("At equal size that is more than chance: the generator repeats real rows. "
                    + ("Do not share this table." if (excess.low or 0) > much else "Look before you share this table."))
    return said


def _impossible(report: Report) -> list[str]:
    wrong, keys = _find(report, "validity"), [f for f in report if f.metric == "validity_keys" and f.value]
    said = []
    if wrong is not None and _value(wrong) > 0:
        said.append(f"{wrong.value:.2f} % of the rows hold a value that cannot be{_floor(wrong)}.")
    said += [f"{f.value:.2f} % of the rows repeat or lack the key {' + '.join(map(repr, f.place))}." for f in keys]
    return said
