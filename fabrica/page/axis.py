"""The words on an axis: what the ends of a bin mean for each kind of column.

Edges arrive as plain numbers: dates in days since 1970, moments in seconds since 1970, times and durations in seconds.
Bins of whole numbers end between two numbers and are named by the numbers they hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from fabrica.page.numbers import plain

__all__ = ["bins"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400.0


def bins(edges: Sequence[float], kind: str = "decimal") -> list[tuple[str, str]]:
    """The names of both ends of each bin.

    >>> bins([16.5, 18.5, 20.5], "integer")
    [('17', '18'), ('19', '20')]
    >>> bins([0.0, 31.0], "date")
    [('1970-01-01', '1970-02-01')]
    """
    if kind in ("integer", "date"):
        edges = [float(e) for e in edges]
        ends = [(math.ceil(low), max(math.ceil(low), math.floor(high))) for low, high in pairwise(edges)]
        return [(_word(low, kind, 0.0), _word(high, kind, 0.0)) for low, high in ends]
    width = (edges[-1] - edges[0]) if len(edges) > 1 else 0.0
    names = [_word(e, kind, width) for e in edges]
    return list(pairwise(names))


def _word(value: float, kind: str, width: float) -> str:
    if kind == "integer":
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"
    if kind == "date":
        return _moment(value * DAY, "%Y-%m-%d")
    if kind == "datetime":
        return _moment(value, "%Y-%m-%d" if width > 3 * DAY else "%Y-%m-%d %H:%M")
    if kind == "time":
        return _moment(value, "%H:%M" if width > 180 else "%H:%M:%S")
    if kind == "duration":
        return f"{plain(value)} s" if width < 7200 else f"{plain(round(value / 3600, 2))} h"
    return plain(value)


def _moment(seconds: float, form: str) -> str:
    """A moment in words; plain seconds where no calendar reaches.

    >>> _moment(-1e20, "%Y")
    '-1.00e+20 s'
    """
    try:
        return (EPOCH + timedelta(seconds=seconds)).strftime(form)
    except OverflowError:
        return f"{plain(seconds)} s"
