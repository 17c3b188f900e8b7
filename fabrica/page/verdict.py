"""The verdict at the top: what the report's maker said, else a plain reading of the headline numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabrica.page.headline import Headline, headlines
from fabrica.report import Report

__all__ = ["Verdict", "verdict"]

SAYINGS = (("good", "Like real rows"), ("near", "Close"), ("off", "Visibly off"), ("none", "Without a baseline"))


@dataclass(frozen=True)
class Verdict:
    """``grade`` is one letter, ``title`` three words, ``words`` one or two sentences, ``reasons`` a few lines."""

    grade: str
    title: str
    words: str
    tone: str
    reasons: Sequence[str] = ()


GRADES = {
    "A": ("Like real rows", "good"),
    "B": ("Close to real rows", "good"),
    "C": ("Visible differences", "near"),
    "D": ("Not like the real table", "off"),
    "–": ("Not graded", "none"),
}


def verdict(report: Report) -> Verdict:
    """The verdict of a report."""
    told = report.facts.get("verdict")
    if isinstance(told, Mapping):
        grade = str(told.get("grade", "–"))
        title, tone = GRADES.get(grade[:1], GRADES["–"])
        return Verdict(grade, str(told.get("title", title)), str(told.get("words", "")), tone,
                       [str(r) for r in told.get("reasons", ())])
    return _read(headlines(report))


def _read(found: Sequence[Headline]) -> Verdict:
    tones = [h.standing.tone for h in found]
    known = [t for t in tones if t != "none"]
    off, near = known.count("off"), known.count("near")
    grade = "–" if not known else "D" if off > len(known) / 2 else "C" if off else "B" if near else "A"
    title, tone = GRADES[grade]
    if not known:
        return Verdict(grade, title, "There was no baseline of real rows to grade these numbers against.", tone)
    said = [(words, [h.label.lower() for h in found if h.standing.tone == tone]) for tone, words in SAYINGS]
    return Verdict(grade, title, " ".join(f"{words}: {', '.join(labels)}." for words, labels in said if labels), tone)
