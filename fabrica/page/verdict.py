"""The verdict at the top: what the evaluation said, with a tone for the eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabrica.report import Report
from fabrica.verdict import told

__all__ = ["Verdict", "verdict"]

TONES = {"A": "good", "B": "good", "C": "near", "D": "off"}


@dataclass(frozen=True)
class Verdict:
    """``grade`` is one letter, ``title`` a few words, ``words`` the most telling sentence, ``reasons`` further ones."""

    grade: str
    title: str
    words: str
    tone: str
    reasons: Sequence[str] = ()


def verdict(report: Report) -> Verdict:
    """The verdict that the report carries; where it has none, it is read from the findings."""
    said = report.facts.get("verdict")
    if not isinstance(said, Mapping):
        said = told(report)
    grade = str(said.get("grade", "–"))[:1]
    return Verdict(grade, str(said.get("title", "")), str(said.get("words", "")), TONES.get(grade, "none"),
                   [str(reason) for reason in said.get("reasons", ())])
