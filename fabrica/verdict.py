"""The verdict: a report in plain words, with an honest grade.

The grade is the worst of the aspects that were measured, so one failure cannot hide behind good means:

=======================  =========  ======  ======  ===========================================================
aspect                   excellent  good    fair    how it is measured
=======================  =========  ======  ======  ===========================================================
telling apart            <= .05     <= .15  <= .30  detector AUC above chance and above what real rows score
columns together         <= 1       <= 3    <= 8    ``trend_common`` above what fresh rows score, points
several together         <= 1       <= 3    <= 8    ``kway_3``, ``kway_4`` above what fresh rows score, points
columns alone            <= 0.5     <= 2    <= 6    ``shape`` above what fresh rows score, points
worst column             <= 4       <= 10   <= 25   the same of the worst column
missing as often         <= 0.5     <= 2    <= 6    ``missingness`` and its pairs, in the same way
missing for the same     <= 2       <= 5    <= 10   ``missingness_values``, in the same way
utility                  <= .02     <= .05  <= .15  original minus twin
impossible values        <= 0.5     <= 2    <= 10   ``validity``, its ranges and keys, ``rules``, in the same way
copies                   <= .002    <= .01  <= .05  lower end of ``copies`` above chance, or of ``copies_excess``
real identifiers         <= .002    <= .01  <= .05  lower end of ``copies_keys`` above chance
following too closely    <= .08     <= .15  <= .25  detector AUC *below* chance
nearer than real rows    <= .03     <= .06  <= .15  lower end of ``beta_recall`` above its floor
=======================  =========  ======  ======  ===========================================================

Beyond that it is poor. A detector that surely tells the rows learned from and the holdout apart too grades nothing:
they are of two kinds, and to be as far off as real rows are is then no praise, while to be farther off is blame.
Without the detector and ``trend_common`` there is no excellent and no good: independent columns have perfect columns
alone, so whoever did not look at rows and pairs cannot praise.

What fresh rows score is the floor up to the upper end of its interval: of a few hundred rows one real sample scores
twice what another does. The detector's aspect takes the holdout where there is one: rows that nobody learned from. For
a feeling: on the Adult census independent columns have a detector AUC of .99 (poor), the best published neural systems
.57 to .60 (good).

Near-copies of everybody (real rows with one number moved by a hair) are perfect in all means and copy nothing exactly;
a detector that sees one of two twins in training says the opposite of the other, so its AUC against the rows learned
from falls far below .5: .07 to .20. Evenly spread draws from small groups push it down too, and the more the fewer rows
there are (.44 to .51 on 10,000 rows, .33 to .46 on 1,000 rows, while their AUC against a holdout is at chance), so
3 / sqrt(rows), at most .15, is allowed for. At 10,000 rows .39 is thus still excellent and .32 good.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fabrica.errors import UnknownName
from fabrica.report import Finding, Report
from fabrica.statistics import HALVES, HOLDOUT, ITSELF, RESAMPLE, TRAINED

__all__ = ["GRADES", "LIMITS", "below_chance", "beside", "beyond", "graded", "grades", "of_two_kinds", "surely_above",
           "told", "verdict"]

GRADES = ("excellent", "good", "fair", "poor")
NOT = "not graded"
#: aspect -> the largest excess that is still excellent, good, fair
LIMITS: dict[str, tuple[float, float, float]] = {
    "telling apart": (0.05, 0.15, 0.30),
    "columns together": (1.0, 3.0, 8.0),
    "several together": (1.0, 3.0, 8.0),
    "columns alone": (0.5, 2.0, 6.0),
    "worst column": (4.0, 10.0, 25.0),
    "missing as often": (0.5, 2.0, 6.0),
    "missing for the same": (2.0, 5.0, 10.0),
    "utility": (0.02, 0.05, 0.15),
    "impossible values": (0.5, 2.0, 10.0),
    "copies": (0.002, 0.01, 0.05),
    "real identifiers": (0.002, 0.01, 0.05),
    "following too closely": (0.08, 0.15, 0.25),
    "nearer than real rows": (0.03, 0.06, 0.15),
}
#: aspect -> the findings of the whole table that are read against their floors
MEANS = {"columns together": ("trend_common",), "several together": ("kway_3", "kway_4"), "columns alone": ("shape",),
         "missing as often": ("missingness", "missingness_pairs"), "missing for the same": ("missingness_values",),
         "impossible values": ("validity", "validity_range", "validity_keys", "rules")}
TWO_KINDS = ("real rows learned from and real rows held back are told apart too, so that it says nothing of the twin: "
             "hold rows back by chance, and see the attack alike")
CLOSE = ("following too closely", "nearer than real rows")
#: without these there is no praise: metric of the catalog -> (name of its finding, what it looks at)
NEEDED = {"detector": ("detector_auc", "whether whole rows can be told apart"),
          "trend_common": ("trend_common", "how columns hang together")}


def verdict(report: Report) -> tuple[str, list[str]]:
    """(grade, sentences), the most telling sentence first.

    >>> verdict(Report((Finding("shape", 20, floor=0.4, unit="%"),)))
    ('poor', ['On its own, a column is 20.00 % off on average (as many real rows: 0.40 %).'])
    """
    each = grades(report)
    grade = GRADES[max(map(GRADES.index, each.values()))] if each else NOT
    off = {aspect: GRADES.index(one) for aspect, one in each.items() if one in ("fair", "poor")}
    tellers = sorted(_tellers(), key=lambda t: -max((off.get(aspect, 0) for aspect in t[1]), default=0))
    sentences = [sentence for tell, _ in tellers for sentence in tell(report)]
    unseen = _unseen(report)
    if unseen and grade not in ("fair", "poor"):
        return NOT, [unseen, *sentences]
    return grade, sentences


def _tellers() -> list[tuple[Callable[[Report], list[str]], tuple[str, ...]]]:
    """Who speaks of which aspects; what is off speaks first, the worst before all."""
    return [(_near, CLOSE), (_detector, ("telling apart",)), (_pairs, ("columns together", "several together")),
            (_columns, ("columns alone", "worst column")), (_utility, ("utility",)), (_people, ()),
            (_copies, ("copies", "real identifiers")), (_impossible, ("impossible values",)),
            (_missing, ("missing as often", "missing for the same"))]


def _unseen(report: Report) -> str:
    """Why there is no praise, "" where all that praise needs was measured."""
    said = []
    for metric, (name, what) in NEEDED.items():
        seen = _against(report, name)
        if seen is None or of_two_kinds(seen):
            why = TWO_KINDS if seen is not None else next(
                (f.problem for f in report if f.metric == name and not f.place and f.problem), "")
            said.append(f"{what} ({metric}{': ' + why if why else ''})")
    return f"There is no grade, because it was not measured {' nor '.join(said)}." if said else ""


TITLES = {"excellent": "Hard to tell from real rows", "good": "Close to real rows", "fair": "Visible differences",
          "poor": "Not like the real table", NOT: "Not graded"}
LETTERS = {"excellent": "A", "good": "B", "fair": "C", "poor": "D", NOT: "–"}


def told(report: Report) -> dict[str, Any]:
    """The verdict as plain values for ``facts["verdict"]``: letter, grade, title, words, further reasons."""
    grade, sentences = verdict(report)
    off = {aspect for aspect, one in grades(report).items() if one in ("fair", "poor")}
    title = ("Repeats real rows" if "copies" in off else "Repeats real identifiers" if "real identifiers" in off else
             "Follows real rows too closely" if off.intersection(CLOSE) else TITLES[grade])
    return {"grade": LETTERS[grade], "name": grade, "title": title, "words": sentences[0] if sentences else "",
            "reasons": sentences[1:]}


def graded(report: Report) -> str:
    """The grade on one line, for a page that has no room for its reasons.

    >>> graded(Report((Finding("shape", 20, floor=0.4, unit="%"),)))
    'D of A to D, poor (not like the real table)'
    """
    found = told(report)
    return NOT if found["name"] == NOT else (f"{found['grade']} of A to D, {found['name']} "
                                             f"({found['title'][0].lower()}{found['title'][1:]})")


def grades(report: Report) -> dict[str, str]:
    """Aspect -> grade, of the aspects that could be measured."""
    found: dict[str, float] = {}
    seen = _against(report, "detector_auc")
    if seen is not None:
        apart = _value(seen) - max(0.5, seen.floor or 0.5)
        found |= {"telling apart": apart} if not of_two_kinds(seen) or apart > LIMITS["telling apart"][0] else {}
    for aspect, metrics in MEANS.items():
        if some := [beyond(f) for f in report if f.metric in metrics and f.value is not None
                    and (not f.place or f.metric == "validity_keys")]:  # keys have no finding of the whole table
            found[aspect] = max(some)
    alone = [beyond(f) for f in report if f.metric == "shape" and f.place and f.value is not None]
    if alone:
        found["worst column"] = max(alone)
    useful = _find(report, "utility")
    if useful is not None and useful.floor is not None:
        found["utility"] = useful.floor - _value(useful)
    found |= _closeness(report)
    return {aspect: GRADES[sum(excess > limit for limit in LIMITS[aspect])] for aspect, excess in found.items()}


def _closeness(report: Report) -> dict[str, float]:
    """What must not be near: copies, near-copies, rows nearer to real ones than other real ones are."""
    found: dict[str, float] = {}
    copied, equal = _find(report, "copies_excess"), _find(report, "copies")
    told = [copied.low] if copied is not None and copied.low is not None else []
    if equal is not None and equal.floor is not None:
        told.append(surely_above(equal))
    if told:
        found["copies"] = max(told)
    recall, keys = _find(report, "beta_recall"), _find(report, "copies_keys")
    if keys is not None:
        found["real identifiers"] = surely_above(keys)
    seen = [f for against in ("train", "holdout") if (f := _find(report, "detector_auc", against=against)) is not None]
    if seen:
        found["following too closely"] = max(map(below_chance, seen))
    if recall is not None and recall.floor is not None:
        found["nearer than real rows"] = surely_above(recall)
    return found


def beyond(finding: Finding) -> float:
    """How far an error lies above what fresh rows score, with the luck that these have."""
    return _value(finding) - (finding.floor or 0.0 if finding.floor_high is None else finding.floor_high)


def of_two_kinds(seen: Finding) -> bool:
    """Whether a detector surely tells real rows from real rows, those learned from and those held back, so that what it
    says of a twin beside them is neither praise nor blame.

    >>> [of_two_kinds(Finding("detector_auc", 0.97, better=0.5, floor=floor, floor_low=floor - 0.02))
    ...  for floor in (0.5, 0.55, 0.96)]
    [False, False, True]
    """
    near = LIMITS["telling apart"][0]
    if seen.metric == "detector":  # the score loses twice what the area gains
        most = seen.floor if seen.floor_high is None else seen.floor_high
        return most is not None and most < 1 - 2 * near
    least = seen.floor if seen.floor_low is None else seen.floor_low
    return seen.metric == "detector_auc" and least is not None and least > 0.5 + near


def below_chance(seen: Finding) -> float:
    """How much farther below chance a detector's AUC is than evenly spread draws push it."""
    return _chance(seen) - _value(seen) - _spread_out(seen)


def _chance(seen: Finding) -> float:
    return min(0.5, seen.floor or 0.5)


def _spread_out(seen: Finding) -> float:
    """How far below chance evenly spread draws from small groups may push a detector."""
    return min(0.15, 3 / math.sqrt(float(seen.detail.get("rows") or 10_000)))


def surely_above(finding: Finding) -> float:
    """Lower end of value minus floor, from both intervals (Newcombe 1998, method 10)."""
    value, floor = _value(finding), finding.floor or 0.0
    below = value - (value if finding.low is None else finding.low)
    above = (floor if finding.floor_high is None else finding.floor_high) - floor
    return value - floor - math.hypot(below, above)


def _find(report: Report, metric: str, *place: str, against: str | None = None) -> Finding | None:
    try:
        found = report.find(metric, *place, against=against)
    except UnknownName:
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
    if of_two_kinds(seen):
        return [f"A gradient-boosted detector tells the twin from {rows} with AUC {seen.value:.2f}, and real rows from "
                f"real rows with {seen.floor:.2f}: the rows learned from and those held back are of two kinds."]
    verb = "tells" if round(_value(seen), 2) >= 0.5 + LIMITS["telling apart"][0] else "hardly tells" if round(
        _value(seen), 2) > 0.5 else "fails to tell"
    said = [f"A gradient-boosted detector {verb} the twin from {rows} with AUC {seen.value:.2f} "
            f"(0.50 is chance{real})."]
    if _value(seen) > 0.55:
        looked = [f for f in report if f.metric == "detector_column" and f.against == seen.against and f.value]
        best = max(looked, key=_value, default=None)
        if best is not None:
            said.append(f"What gives it away most is {best.place[0]!r} ({100 * _value(best):.0f} % of the gain).")
    for against, which in (("train", "the rows it learned from"), ("holdout", "the holdout")):
        close = _find(report, "detector_auc", against=against)
        if close is not None and close.high is not None and close.high < _chance(close) - max(0.02, _spread_out(close)):
            said.append(f"Against {which} the detector scores {close.value:.2f}, below chance: "
                        "the twin follows them more closely than fresh real rows would; see the copies.")
    return said


def _near(report: Report) -> list[str]:
    off = [aspect for aspect, excess in _closeness(report).items() if aspect in CLOSE and excess > LIMITS[aspect][1]]
    if not off:
        return []
    recall = _find(report, "beta_recall")
    beside = "" if recall is None or CLOSE[1] not in off else (
        f" (beta-recall {recall.value:.2f}; real rows {recall.floor:.2f})")
    return [f"Synthetic rows lie nearer to the rows they were learned from than other real rows do{beside}: "
            "near-copies of people. Look before you share this table."]


def _pairs(report: Report) -> list[str]:
    mean = _find(report, "trend_common")
    if mean is None:
        return []
    said = [f"Two columns together are {mean.value:.2f} % off on average{_floor(mean)}."]
    worst = next((f for f in report if f.metric == "trend_common" and len(f.place) == 2), None)
    if worst is not None and worst.value is not None and worst.value > (worst.floor or 0) + 1:
        names = " with ".join(map(repr, worst.place))
        said.append(f"The worst pair is {names}: {worst.value:.1f} %{_floor(worst)}.")
    three = _find(report, "kway_3")
    if three is not None and beyond(three) > LIMITS["several together"][0]:
        said.append(f"Three columns together are {three.value:.2f} % off on average{_floor(three)}.")
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
    return "" if finding.floor is None else f" ({beside(finding)[0]}: {finding.floor:.2f} %)"


def beside(finding: Finding) -> tuple[str, str]:
    """Who stands beside the value as its floor, and the verb that goes with it.

    >>> beside(Finding("shape", 0.4, floor=0.3, detail={"floor_from": "holdout"}))
    ('a real holdout', 'scores')
    """
    return {HOLDOUT: ("a real holdout", "scores"), RESAMPLE: ("a resample of the original", "scores"),
            HALVES: ("halves of the original", "score"), ITSELF: ("the original itself", "scores"),
            TRAINED: ("a model trained on the original", "scores")}.get(
        str(finding.detail.get("floor_from", "")), ("as many real rows", "score"))


def _utility(report: Report) -> list[str]:
    useful = _find(report, "utility")
    return [] if useful is None or "words" not in useful.detail else [str(useful.detail["words"])]


def _people(report: Report) -> list[str]:
    """Groups of people, where a column is protected; no grade hangs on them."""
    found = [_find(report, name) for name in ("representation", "label_gap", "downstream_gap")]
    return [str(one.detail["words"]) for one in found if one is not None and "words" in one.detail]


def _copies(report: Report) -> list[str]:
    copied = _find(report, "copies")
    if copied is None:
        return []
    chance = "" if copied.floor is None else f"; chance alone gives about {100 * copied.floor:.2f} %"
    said = [f"{100 * _value(copied):.2f} % of the rows are exact copies of rows of the original{chance}."]
    if (copied.floor or 0.0) > 0.5 and _value(copied) < (copied.floor or 0.0) / 2:
        said.append("Most rows of the holdout stand in the original too: were they learned from?")
    keys = [f for f in report if f.metric == "copies_keys" and f.place and surely_above(f) > LIMITS["copies"][1]]
    said += [f"{100 * _value(f):.1f} % of the identifiers in {f.place[0]!r} are real ones: do not share this table."
             for f in keys]
    _, slight, much = LIMITS["copies"]
    beyond = _closeness(report).get("copies", 0.0)
    if beyond > slight:
        said.append("That is more than chance: the generator repeats real rows. "
                    + ("Do not share this table." if beyond > much else "Look before you share this table."))
    return said


def _missing(report: Report) -> list[str]:
    often, same = _find(report, "missingness"), _find(report, "missingness_values")
    said = []
    if often is not None and beyond(often) > LIMITS["missing as often"][1]:
        said.append(f"How often a cell is missing is {often.value:.2f} points off on average{_floor(often)}.")
    if same is not None and beyond(same) > LIMITS["missing for the same"][1]:
        said.append(f"Cells are missing for other rows than in the original: {same.value:.1f} %{_floor(same)}.")
    return said


def _impossible(report: Report) -> list[str]:
    wrong, keys = _find(report, "validity"), [f for f in report if f.metric == "validity_keys" and f.value]
    said = []
    if wrong is not None and _value(wrong) > 0:
        said.append(f"{wrong.value:.2f} % of the rows hold a value that cannot be{_floor(wrong)}.")
    rules = [f for f in report if f.metric == "rules" and f.place and beyond(f) > LIMITS["impossible values"][0]]
    said += [f"Real rows keep {f.place[0]!r} {f.detail.get('rule')} {f.place[1]!r}; {f.value:.1f} % of the twin's do "
             "not." for f in rules[:2]]
    said += [f"{f.value:.2f} % of the rows repeat or lack the key {' + '.join(map(repr, f.place))}." for f in keys]
    return said
