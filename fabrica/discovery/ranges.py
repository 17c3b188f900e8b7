"""Ranges with a natural end and texts of one shape. The ends are round numbers, never a single row's value."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from fabrica.discovery.candidate import Candidate, Look, named

__all__ = ["patterns", "ranges"]

LOW, HIGH = (0.0, 1.0, -90.0, -180.0), (1.0, 12.0, 23.0, 24.0, 31.0, 59.0, 60.0, 90.0, 100.0, 180.0, 360.0)
NEAR = 0.05  #: how near, as a share of the span, rows must come to an end for it to be one


def ranges(look: Look) -> Iterator[Candidate]:
    """Numbers that come near a natural end at both sides, or at 0, and never lie beyond."""
    for name, numbers in look.numbers.items():
        values = numbers[~np.isnan(numbers)]
        span = values.max() - values.min()
        low = max((one for one in LOW if _ends(values, one, span, look.k)), default=None)
        high = min((one for one in HIGH if _ends(-values, -one, span, look.k)), default=None)
        if low is not None and high is not None and low < high and len(np.unique(values)) > 2:
            yield Candidate(f"{low:g} <= {named(name)} <= {high:g}", "range", "ends at natural numbers")
        elif low == 0 and len(np.unique(values)) > 2:
            yield Candidate(f"{named(name)} >= 0", "range", "never negative")


def _ends(values: np.ndarray, end: float, span: float, k: int) -> bool:
    """Whether values begin at an end: none below, and k near it."""
    return bool(values.min() >= end and (values <= end + NEAR * span).sum() >= k and values.min() - end < NEAR * span)


def patterns(look: Look) -> Iterator[Candidate]:
    """Texts that all have one shape: runs of letters and digits of the same length, and the signs between."""
    for column in look.table.columns:
        if column.kind != "text":
            continue
        texts = {v for v in look.cells[column.name].values.to_pylist() if v is not None}
        shapes = {_shape(text) for text in list(texts)[:2_000]}
        if len(shapes) == 1 and len(texts) >= 4 * look.k:
            shape = shapes.pop()
            if shape and "\\d" in shape and all(re.fullmatch(shape, text) for text in texts):
                quoted = shape.replace("'", "''")
                yield Candidate(f"matches({named(column.name)}, '{quoted}')", "pattern", "one shape in all rows")


def _shape(text: str) -> str:
    """A text as a regular expression of its shape; signs stand for themselves.

    >>> _shape("AB-123")
    '[A-Z]{2}\\\\-\\\\d{3}'
    """
    found = []
    for part in re.finditer(r"[A-Z]+|[a-z]+|[0-9]+|.", text):
        run = part[0]
        kind = "[A-Z]" if "A" <= run[0] <= "Z" else "[a-z]" if "a" <= run[0] <= "z" else (
            "\\d" if run[0].isdigit() and run.isascii() else "")
        found.append(re.escape(run) if not kind else kind + (f"{{{len(run)}}}" if len(run) > 1 else ""))
    return "".join(found)
