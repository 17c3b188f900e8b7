"""Groups of people, one table for each protected column and each two: what the figures about them are, side by side.

Every pair of numbers reads "with real rows → with the twin". Groups that are too small have no line; how many they are
stands below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabrica.page.numbers import DASH, rows, short
from fabrica.report import Finding, Report

__all__ = ["Crowd", "company", "crowds"]

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Crowd:
    """The groups of one place: heads of the columns, a line for each group, and who is not shown."""

    place: tuple[str, ...]
    heads: Sequence[str]
    lines: Sequence[tuple[str, Sequence[str]]]
    left_out: str


def _both(real: str, twin: str) -> Callable[[Line], str]:
    def said(line: Line) -> str:
        if line.get(real) is None or line.get(twin) is None:
            return DASH
        return f"{100 * line[real]:.1f} → {100 * line[twin]:.1f} %"
    return said


def _ratio(line: Line) -> str:
    return f"{line['ratio']:.2f} ({line['low']:.2f}–{line['high']:.2f})"


#: head, metric, cell
COLUMNS: Sequence[tuple[str, str, Callable[[Line], str]]] = (
    ("People", "representation", lambda line: rows(line["people"])),
    ("Share", "representation", _both("real", "twin")),
    ("Ratio", "representation", _ratio),
    ("Error (real rows)", "group_fidelity", lambda line: f"{line['error']:.1f} ({line['floor']:.1f}) %"),
    ("Outcome", "label_gap", _both("real", "twin")),
    ("Decided so", "downstream_gap", _both("real_chosen", "twin_chosen")),
    ("True pos.", "downstream_gap", _both("real_true", "twin_true")),
    ("False pos.", "downstream_gap", _both("real_false", "twin_false")),
    ("Right", "downstream_gap", _both("real_right", "twin_right")),
    ("Attack at most", "group_risk", lambda line: f"{line['high']:.3f}"),
)


def crowds(report: Report) -> list[Crowd]:
    """A table for each place at which groups were looked at."""
    wanted = {metric for _, metric, _ in COLUMNS}
    found = [f for f in report.findings if f.metric in wanted and f.place]
    places = dict.fromkeys(f.place for f in found if f.detail.get("groups"))
    return [_crowd(place, [f for f in found if f.place == place]) for place in places]


def _crowd(place: tuple[str, ...], found: Sequence[Finding]) -> Crowd:
    known = {f.metric: {str(line["group"]): line for line in f.detail.get("groups", ())} for f in found}
    shown = [(head, metric, cell) for head, metric, cell in COLUMNS if known.get(metric)]
    names = dict.fromkeys(name for _, metric, _ in shown for name in known[metric])
    outcome = next((str(f.detail["outcome"]) for f in found if "outcome" in f.detail), "")
    heads = [f"Outcome {short(outcome, 16)!r}" if head == "Outcome" and outcome else head for head, _, _ in shown]
    lines = [(name, [cell(known[metric][name]) if name in known[metric] else DASH for _, metric, cell in shown])
             for name in names]
    return Crowd(place, heads, lines, _left_out(found))


def _left_out(found: Sequence[Finding]) -> str:
    """Who is counted and not shown; "" where all are."""
    told = {f.metric: f.detail for f in found}
    first = next(iter(told.values()), {})
    small, least = int(first.get("small_groups") or 0), first.get("least", 100)
    people = first.get("small_people")
    whom = f", {rows(people)} people in all" if people else ", a few people in all" if small else ""
    said = [f"{small} of the groups {'has' if small == 1 else 'have'} fewer than {least} real people{whom}: counted, "
            "not shown."] if small else []
    more = int(told.get("downstream_gap", {}).get("small_groups") or 0) - small
    if more > 0:
        said.append(f"{more} more {'has' if more == 1 else 'have'} fewer than {least} people in the holdout, so no "
                    "model was judged on them.")
    thin = int(told.get("group_fidelity", {}).get("thin_groups") or 0)
    if thin:
        said.append(f"{thin} {'has' if thin == 1 else 'have'} too few synthetic rows to be compared.")
    return " ".join(said)


def company(finding: Finding) -> str:
    """What stands beside a number about groups of people: where it is worst, and what it is made of; "" of others."""
    detail = finding.detail
    if "twin" in detail and "real" in detail and "outcome" in detail:
        where = f"{detail['worst']}: " if "worst" in detail else ""
        return f"{where}{detail['twin']:.3f} against {detail['real']:.3f} with real rows"
    if "group" in detail and "worst" in detail:
        return f"{detail['group']}"
    return ""
