"""Numbers that come of moments: ``year == year(when)``, ``weekday == weekday(day) % 7``, ``days == end - start``,
``hours == (end - start) * 24``, ``age == floor((seen - born) / 365.25)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.discovery.candidate import BREAKS, Candidate, Sample, named
from fabrica.expression.meaning import HALF

__all__ = ["parts", "spans"]

DAY = 86_400_000_000  #: microseconds
FIRST = 1_000  #: rows that must agree before all are looked at
UNITS = {"{}": 1.0, "({}) * 24": 24.0, "({}) * 1440": 1440.0, "({}) * 86400": 86400.0, "({}) / 7": 1 / 7,
         "({}) / 365.25": 1 / 365.25}
MOMENTS = 8  #: columns of which differences are looked for, at most


def parts(look: Sample) -> Iterator[Candidate]:
    """Whole numbers of few values against each date and date-time."""
    wholes = [name for name in look.numbers if look.table[name].kind == "integer"]
    for when, (kind, ticks) in look.moments.items():
        if kind in ("date", "datetime") and wholes:
            there = ~np.isnan(ticks)
            known = _known(named(when), pa.array(ticks[there].astype(np.int64)).cast(pa.timestamp("us")))
            for name in wholes:
                yield from _equal(look, name, there, known, "a part of the calendar")


def _known(when: str, stamp: pa.Array) -> dict[str, np.ndarray]:
    """What can be said of moments: words -> (n,) numbers."""
    found = {f"{part}({when})": getattr(pc, part)(stamp).to_numpy() for part in ("year", "month", "day", "hour")}
    week = pc.day_of_week(stamp).to_numpy() + 1
    return found | {f"weekday({when})": week, f"weekday({when}) % 7": week % 7,
                    f"floor((month({when}) + 2) / 3)": (found[f"month({when})"] + 2) // 3}


def spans(look: Sample) -> Iterator[Candidate]:
    """Numbers against the time between two moments; rounded as the number is, or cut."""
    dated = [n for n, (kind, _) in look.moments.items() if kind in ("date", "datetime")][:MOMENTS]
    taken: set[str] = set()
    for a, b in permutations(dated, 2):
        apart = (look.moments[b][1] - look.moments[a][1]) / DAY
        there = ~np.isnan(apart)
        if not there.any() or np.median(apart[there]) < 0:
            continue
        said, known = f"{named(b)} - {named(a)}", dict[str, np.ndarray]()
        for form, per in UNITS.items():
            known[form.format(said)] = apart[there] * per
            known[f"floor({form.format(said)})"] = np.floor(apart[there] * per)
        for name in [n for n in look.numbers if n not in taken and look.unit(n) > 0]:
            for one in _equal(look, name, there, known, "the time between two moments"):
                taken.add(name)
                yield one


def _equal(look: Sample, name: str, there: np.ndarray, known: dict[str, np.ndarray], why: str) -> Iterator[Candidate]:
    """The first that the numbers are, but for a whole constant."""
    numbers = look.numbers[name][there]
    both = ~np.isnan(numbers)
    if both.sum() < 10 * look.k:
        return
    slack, allowed = HALF * look.unit(name), 1 - look.support
    for said, values in known.items():
        own, step = values[both], 0.0
        apart = numbers[both][:FIRST] - own[:FIRST]
        if look.table[name].kind == "integer":
            step = float(np.round(np.median(apart)))
        if (np.abs(apart - step) > slack).mean() > allowed + 0.02:
            continue
        bad = np.abs(numbers[both] - own - step) > slack
        shuffled = np.abs(numbers[both] - np.roll(own, len(own) // 2) - step) > slack
        if bad.mean() <= allowed and shuffled.mean() >= BREAKS:
            plus = "" if not step else f" {'+' if step > 0 else '-'} {abs(int(step))}"
            yield Candidate(f"{named(name)} == {said}{plus}", "formula", why)
            return
