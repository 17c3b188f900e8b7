"""Numbers that are parts of a moment: ``year == year(when)``, ``hr == hour(at)``, ``weekday == weekday(day) % 7``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.discovery.candidate import Candidate, Look, named

__all__ = ["parts"]


def parts(look: Look) -> Iterator[Candidate]:
    """Whole numbers of few values against each date and date-time."""
    for when, (kind, ticks) in look.moments.items():
        if kind not in ("date", "datetime"):
            continue
        there = ~np.isnan(ticks)
        stamp = pa.array(ticks[there].astype(np.int64)).cast(pa.timestamp("us"))
        week = pc.day_of_week(stamp).to_numpy() + 1
        known = {f"{part}({named(when)})": getattr(pc, part)(stamp).to_numpy()
                 for part in ("year", "month", "day", "hour")}
        known |= {f"weekday({named(when)})": week, f"weekday({named(when)}) % 7": week % 7}
        for name, numbers in look.numbers.items():
            if look.table[name].kind == "integer":
                yield from _equal(name, numbers[there], known, look)


def _equal(name: str, numbers: np.ndarray, known: dict[str, np.ndarray], look: Look) -> Iterator[Candidate]:
    """The first part that the numbers are, but for a constant."""
    there = ~np.isnan(numbers)
    if there.sum() < 10 * look.k:
        return
    for said, values in known.items():
        own = values[there].astype(np.float64)
        if own.min() == own.max():
            continue
        apart = numbers[there] - own
        step = float(np.median(apart))
        if (apart != step).mean() <= 1 - look.support:
            plus = "" if not step else f" {'+' if step > 0 else '-'} {abs(int(step))}"
            yield Candidate(f"{named(name)} == {said}{plus}", "formula", "a part of the calendar")
            return
