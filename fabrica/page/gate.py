"""The decision of the gate, where the report carries one: what it says first, then test by test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabrica.gatehouse.counts import nth
from fabrica.report import Report

__all__ = ["Shown", "Tested", "shown"]

TONES = {"PASS": "good", "FAIL": "off"}


@dataclass(frozen=True)
class Tested:
    """One test in words, with a tone for the eye."""

    name: str
    verdict: str
    tone: str
    why: str


@dataclass(frozen=True)
class Shown:
    """The decision: ``verdict``, ``tier``, what it is about (``line``), waivers, tests (the worst first), and what was
    not asked."""

    verdict: str
    tier: str
    tone: str
    line: str
    waivers: Sequence[str]
    tests: Sequence[Tested]
    unasked: Sequence[str]


def shown(report: Report) -> Shown | None:
    """The decision that a report carries; None where it carries none.

    >>> test = {"name": "copies", "verdict": "PASS", "why": "none"}
    >>> said = {"verdict": "PASS", "tier": "partner", "policy": {"name": "house"}, "tests": [test], "attempts": 1}
    >>> shown(Report((), {"gate": said})).line
    'Policy house at tier partner, on these tests; the first twin of this table that was brought to the gate.'
    """
    said = report.facts.get("gate")
    if not isinstance(said, Mapping):
        return None
    tests = sorted((_tested(test) for test in said["tests"]), key=lambda one: (one.verdict == "PASS", one.verdict))
    line = (f"Policy {said['policy']['name']} at tier {said['tier']}, on these tests; the {nth(int(said['attempts']))} "
            "twin of this table that was brought to the gate.")
    line += "".join(f" Before: {verdict} at {asked}." for asked, verdict in said.get("before", {}).items())
    return Shown(said["verdict"], said["tier"], TONES.get(said["verdict"], "near"), line,
                 list(said.get("waivers", ())), tests, list(said.get("unasked", ())))


def _tested(test: Mapping[str, Any]) -> Tested:
    return Tested(test["name"].replace("_", " "), test["verdict"], TONES.get(test["verdict"], "near"),
                  "; ".join(words for name in ("why", "step") if (words := test.get(name))))
