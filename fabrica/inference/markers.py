"""Missing markers: which texts of a column mean "no value"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.inference.facts import Facts
from fabrica.notation.missing import which
from fabrica.schema import Column

__all__ = ["split", "without", "EVERYWHERE", "BETWEEN_NUMBERS"]

#: stripped and in lower case; these mean "missing" in any column
EVERYWHERE = ("", "?", "na", "n/a", "n.a.", "#n/a", "#na", "nan", "<na>", "null", "#null!", "\\n", "(null)", "n\\a")
#: these are words too, so they mean "missing" only between values that are no words
BETWEEN_NUMBERS = ("none", "nil", "-", "--", "---", ".", "..", "...", "missing", "unknown", "#value!", "#div/0!", "*",
                   "nat", "not available", "undefined",
                   "inf", "-inf", "infinity", "-infinity")


def split(facts: Facts, known: tuple[str, ...]) -> tuple[Facts, tuple[str, ...]]:
    """``(the values, the markers among them as they are written)``.

    Two-letter codes of which one happens to be ``NA`` (Namibia) keep it as a level.
    """
    bare = pc.utf8_lower(pc.utf8_trim_whitespace(facts.text))
    found = np.asarray(pc.fill_null(pc.is_in(bare, pa.array(known)), False))
    if found.any():
        found &= ~_a_code(facts, bare, found)
    return facts.keep(~found), tuple(facts.text.filter(pa.array(found)).to_pylist())


def without(facts: Facts, declared: Sequence[object]) -> Facts:
    """The facts with the declared markers counted as missing."""
    if not declared or not facts.distinct:
        return facts
    marks = which(Column(facts.name, "category", missing=tuple(map(str, declared))), facts.pool)
    kept = facts.keep(marks == 0)
    return replace(kept, nulls=facts.nulls + facts.present - kept.present)


def _a_code(facts: Facts, bare: pa.Array, found: np.ndarray) -> np.ndarray:
    others = facts.text.filter(pa.array(~found))
    codes = len(others) >= 10 and pc.all(pc.match_substring_regex(others, "^[A-Z]{2}$")).as_py()
    return np.asarray(pc.equal(bare, "na")) & bool(codes)
