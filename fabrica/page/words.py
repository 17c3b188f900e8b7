"""The report in words for a terminal: about fifteen lines, aligned, nothing that needs a colour to be understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fabrica.page.glossary import meaning
from fabrica.page.groups import GROUPS
from fabrica.page.headline import WANTED
from fabrica.page.numbers import clean, number, rows, short
from fabrica.page.people import company as whose
from fabrica.page.standing import company, standing, worst_places
from fabrica.page.verdict import Verdict, verdict
from fabrica.report import Finding, Report

__all__ = ["compared", "notes", "place_words", "text"]

ATTACKS = next(metrics for anchor, _, _, _, metrics in GROUPS if anchor == "attacks")
PEOPLE = next(metrics for anchor, _, _, _, metrics in GROUPS if anchor == "people")
NOTES = 6  #: that a terminal shows
COLOURS = {"good": "\x1b[32m", "near": "\x1b[33m", "off": "\x1b[31m", "none": "\x1b[2m"}


def text(report: Report, *, colour: bool = False, quiet: bool = False) -> str:
    """The summary that a command prints.

    Parameters
    ----------
    report : what was measured.
    colour : whether the words of standing are coloured (say True only where the output is a terminal).
    quiet : whether notes are left out.
    """
    said: Verdict = verdict(report)
    lines = [f"Grade {clean(said.grade)}: {clean(said.title)}", *_wrapped(said.words), *_wrapped(compared(report)), ""]
    lines += _table([_line(f, report) for f in _chosen(report)], colour)
    struck = [f for f in report.findings if not f.place and f.metric in ATTACKS]
    if struck:
        lines += [*([""] if lines[-1] else []), "What whoever holds it may find out about people (95 % bounds):",
                  *_table([_line(f, report) for f in struck], colour)]
    treated = sorted((f for f in report.findings if not f.place and f.metric in PEOPLE),
                     key=lambda f: PEOPLE.index(f.metric))
    if treated:
        lines += [*([""] if lines[-1] else []), "Groups of people (the worst group; one-sided 95 % bounds):",
                  *_table([_line(f, report) for f in treated], colour)]
    worst = worst_places(report, 1)[:3]
    if worst:
        lines += ["", "Furthest from real rows:", *_table([_line(f, report) for f in worst], colour)]
    lines += _wrapped(_missing(report))
    every = [] if quiet else notes(report)
    lines += [clean(line) for line in report.facts.get("chosen", ())]
    lines += [f"note: {clean(note)}" for note in every[:NOTES]]
    lines += [f"note: and {len(every) - NOTES} more; the report has them all"] if len(every) > NOTES else []
    return "\n".join(line.rstrip() for line in lines)


def compared(report: Report) -> str:
    """What was compared, as one sentence from the facts."""
    facts = report.facts
    told = facts.get("rows")
    counts = told if isinstance(told, Mapping) else {}
    people = facts.get("people") or {}
    of = {key: f" of {rows(people[key])} people" for key in counts if key in people}
    parts = [f"{rows(counts[key])} {name}{of.get(key, '')}" for key, name in (
        ("synthetic", "synthetic rows"), ("real", "real rows"), ("holdout", "real rows kept aside"))
        if isinstance(counts.get(key), int | float) and counts[key]]
    count = facts.get("columns")
    tail = f", {rows(count)} columns" if isinstance(count, int | float) else ""
    first = parts[0] if parts else "Synthetic rows"
    against = " against " + " and ".join(parts[1:]) if len(parts) > 1 else ""
    engine = f", made by {short(str(facts['engine']), 60)}" if facts.get("engine") else ""
    return f"{first}{against}{tail}{engine}."


def notes(report: Report, keys: Sequence[str] = ("warnings", "notes")) -> list[str]:
    """Warnings and notes of the run."""
    found: list[str] = []
    for key in keys:
        told = report.facts.get(key) or ()
        found += [told] if isinstance(told, str) else [str(t) for t in told]
    return found


def place_words(place: Sequence[str]) -> str:
    """A place on one line.

    >>> place_words(()), place_words(("age", "income"))
    ('whole table', 'age × income')
    """
    return short(" × ".join(short(str(p), 28) for p in place), 46) if place else "whole table"


def _chosen(report: Report) -> list[Finding]:
    wanted = [name for names in WANTED for name in names]
    whole = [f for f in report.findings if not f.place]
    return sorted((f for f in whole if f.metric in wanted), key=lambda f: wanted.index(f.metric))[:10]


def _line(finding: Finding, report: Report) -> tuple[str, str, str, str, str]:
    label = clean(meaning(finding.metric, report.facts).label)
    label += " (unseen rows)" if finding.against == "holdout" else ""
    label = f"{label}, {place_words(finding.place)}" if finding.place else label
    stand = standing(finding)
    words = finding.problem if finding.value is None else whose(finding) or company(finding)
    return label, number(finding.value, finding.unit), stand.words, short(words, 60), stand.tone


def _missing(report: Report) -> str:
    """Which numbers could not be computed; "" where all could."""
    lost = Counter(f.metric for f in report.findings if f.value is None)
    few = [name if n == 1 else f"{name} ({rows(n)} times)" for name, n in lost.most_common()]
    more = f" and {len(few) - 6} more" if len(few) > 6 else ""
    return f"Could not be computed: {', '.join(few[:6])}{more}; the report says why." if few else ""


def _table(lines: Sequence[tuple[str, str, str, str, str]], colour: bool) -> list[str]:
    wide = [max((len(line[i]) for line in lines), default=0) for i in range(3)]
    out = []
    for label, value, stand, words, tone in lines:
        padded = f"{stand:<{wide[2]}}"
        padded = f"{COLOURS[tone]}{padded}\x1b[0m" if colour else padded
        out.append(f"  {label:<{wide[0]}}  {value:>{wide[1]}}  {padded}  {words}")
    return out


def _wrapped(sentence: str, width: int = 100) -> list[str]:
    lines, line = [], ""
    for word in clean(sentence).split():
        if line and len(line) + len(word) + 1 > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line] if line else lines
