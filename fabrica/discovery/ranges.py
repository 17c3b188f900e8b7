"""Ranges with a natural end and texts of one shape. The ends are round numbers, never a single row's value."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from fabrica.discovery.candidate import Candidate, Sample, named

__all__ = ["patterns", "ranges"]

#: natural ends: of whole numbers, which must be reached; and of all
WHOLE = ((1, 12), (1, 31), (1, 7), (0, 6), (1, 5), (1, 10), (0, 10), (0, 23), (1, 24), (0, 59), (1, 99), (1, 53),
         (1, 366))
ROUND = ((0, 1), (0, 100), (1, 100), (-1, 1), (-100, 100), (-90, 90), (-180, 180), (0, 360), (0, 90), (0, 180),
         (0, 24))
NEAR = 0.03  #: how near, as a share of the span, k rows must come to an end for it to be one
SPECIAL = frozenset("\\^$.|?*+()[]{}")  #: signs that mean something in a regular expression
ALIKE = 2_000  #: texts of which the shape is looked at


def ranges(look: Sample) -> Iterator[Candidate]:
    """Numbers that come near natural ends at both sides, or reach 0 or 1, and never lie beyond."""
    for name, numbers in look.numbers.items():
        values = numbers[~np.isnan(numbers)]
        if len(values) < 10 * look.k or len(np.unique(values)) < 3:
            continue
        ends = next((ends for ends in _ends(look.table[name].kind) if _between(values, *ends, look)), None)
        if ends is not None:
            yield Candidate(f"{ends[0]} <= {named(name)} <= {ends[1]}", "range", "comes to natural ends, and stops")
        else:
            low = next((low for low in (0, 1) if values.min() >= low and (values == low).sum() >= look.k), None)
            if low is not None and (low == 0 or look.table[name].kind == "integer"):
                yield Candidate(f"{named(name)} >= {low}", "range", f"comes to {low} and is never below")


def _ends(kind: str) -> tuple[tuple[int, int], ...]:
    return (*WHOLE, *ROUND) if kind == "integer" else ROUND


def _between(values: np.ndarray, low: int, high: int, look: Sample) -> bool:
    """Whether numbers stop at both ends. Whole numbers in a small range must reach them in k rows."""
    reach = 0.0 if (low, high) in WHOLE else NEAR * (high - low)
    return bool(values.min() >= low and values.max() <= high
                and (values <= low + reach).sum() >= look.k and (values >= high - reach).sum() >= look.k)


def patterns(look: Sample) -> Iterator[Candidate]:
    """Texts that all have one shape: runs of letters and digits, of the same length or not, and the signs between."""
    for column in look.table.columns:
        if column.kind != "text":
            continue
        texts = list(dict.fromkeys(v for v in look.cells[column.name].values.to_pylist() if v is not None))
        shape = _common(texts[:ALIKE]) if len(texts) >= 4 * look.k else None
        if shape and "[0-9]" in shape and all(re.fullmatch(shape, text) for text in texts):
            quoted = shape.replace("'", "''")
            yield Candidate(f"matches({named(column.name)}, '{quoted}')", "pattern", "all texts have one shape")


def _runs(text: str) -> list[tuple[str, int]]:
    """Kinds of signs with how many there are; what is neither a letter nor a digit of ASCII stands for itself."""
    found = []
    for part in re.finditer(r"[A-Z]+|[a-z]+|[0-9]+|.", text, re.DOTALL):
        run = part[0]
        kind = "[A-Z]" if "A" <= run[0] <= "Z" else "[a-z]" if "a" <= run[0] <= "z" else "[0-9]" if (
            "0" <= run[0] <= "9") else f"\\{run}" if run in SPECIAL else run
        found.append((kind, len(run)))
    return found


def _common(texts: list[str]) -> str | None:
    """The regular expression of the shape that all texts have; a length that is not the same in all is not told.

    >>> _common(["AB-123", "XY-77"]), _common(["AB-1", "AB1"])
    ('[A-Z]{2}-[0-9]+', None)
    """
    every = [_runs(text) for text in texts]
    kinds = [kind for kind, _ in every[0]]
    if any([kind for kind, _ in runs] != kinds for runs in every):
        return None
    found = ""
    for kind, *lengths in zip(kinds, *[[size for _, size in runs] for runs in every], strict=True):
        if kind not in ("[A-Z]", "[a-z]", "[0-9]"):
            found += kind
        else:
            found += kind + ("" if set(lengths) == {1} else f"{{{lengths[0]}}}" if len(set(lengths)) == 1 else "+")
    return found
