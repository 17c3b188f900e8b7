"""Amplification: by how much a gap between groups is wider than it was.

A gap of the twin (or of a model that learned from it) less the same gap of the original: 0 where the twin treats groups
as the original does, above 0 where it makes their inequality larger. A narrower gap is below 0, and no harm; but a gap
that turned round and is as wide the other way is still as wide.

``high`` is the one-sided 95 % upper bound: whoever wants to rule an amplification out reads it. Both bounds are the
value -+ 1.645 standard errors, of rows drawn anew and, where models learn, of what they differ by between random halves
of the rows that they learn from. The quantiles of a resampled gap would not do: the largest of several differences is
biased upwards, most of all in a resample.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from fabrica.bounds import Z
from fabrica.report import Finding

__all__ = ["Amplification", "farthest", "lowest", "with_worst"]


@dataclass(frozen=True)
class Amplification:
    """How much wider, with one-sided 95 % bounds at both ends."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, twin: np.ndarray, real: np.ndarray, learned: float = 0.0, freedom: int = 0) -> Amplification:
        """Of two gaps (1 + DRAWS,): of the rows themselves, then of rows drawn anew (the same rows for both, where
        both are judged on the same). ``learned`` is the variance that learning adds, known with so much ``freedom``.

        >>> Amplification.of(np.array([0.3, 0.3, 0.3]), np.array([0.2, 0.2, 0.2])).value.__round__(3)
        0.1
        """
        apart = twin - real
        sure = float(student.ppf(0.95, freedom)) if freedom else Z
        half = float(np.sqrt(Z**2 * apart[1:].var(ddof=1) + sure**2 * learned))
        value = float(apart[0])
        return cls(value, value - half, value + half)


def farthest(found: Sequence[Finding], many: int) -> Finding:
    """The finding that tells most of several amplifications: where some are beyond luck, though ``many`` were looked
    at, the surest of them; else the largest. A large one of few people must not hide a sure one of many.

    >>> few, sure = (Finding("label_gap", 0.06, low=-0.05, high=0.2), Finding("label_gap", 0.04, low=0.03, high=0.05))
    >>> farthest([few, sure], 2).value
    0.04
    """
    beyond = [one for one in found if lowest(one, many) > 0 and (one.value or 0.0) > (one.floor_high or 0.0)]
    if beyond:
        return max(beyond, key=lambda one: lowest(one, many))
    return max(found, key=lambda one: one.value or 0.0)


def lowest(finding: Finding, many: int) -> float:
    """The lower 95 % bound of one of ``many`` findings that holds for all of them at once (Bonferroni)."""
    value = finding.value or 0.0
    low = value if finding.low is None else finding.low
    return value - (value - low) * float(norm.ppf(1 - 0.05 / max(many, 1))) / Z


def with_worst(name: str, against: str, found: Sequence[Finding], what: str = "") -> list[Finding]:
    """The findings of places with one of the whole table before them: that which is ``farthest``. Its upper bound is
    the largest of all, so what is below it is so everywhere; its lower one holds for all places and outcomes at once,
    so one above 0 is a find and not the luck of many looks. ``what`` names the gap in a sentence."""
    measured = [one for one in found if one.value is not None]
    if not measured:
        return [Finding(name, None, against=against, problem=found[0].problem if found else "nothing was compared"),
                *found]
    many = sum(int(one.detail.get("outcomes", 1)) for one in measured)
    worst = farthest(measured, many)
    worst = replace(worst, low=lowest(worst, many))
    high = max(one.high if one.high is not None else 0.0 for one in measured)
    words = {"words": _words(what, worst, high)} if what else {}
    detail: dict[str, Any] = {**worst.detail, **words, "groups": [], "worst": " × ".join(worst.place),
                              "small_groups": sum(one.detail.get("small_groups", 0) for one in found),
                              "small_people": None}
    return [replace(worst, place=(), high=high, detail=detail), *found]


def _words(what: str, worst: Finding, high: float) -> str:
    """The largest amplification in a sentence."""
    twin, real = (f"{100 * worst.detail[side]:.1f}" for side in ("twin", "real"))
    where, most = " × ".join(worst.place), f"{math.ceil(1000 * max(high, 0.0)) / 10:.1f} points"  # never rounded down
    if (worst.low or 0.0) > 0 and (worst.value or 0.0) > (worst.floor_high or 0.0):
        return (f"The twin widens {what}: by {where} it is {twin} points wide and not {real}. Nowhere is it wider by "
                f"more than {most} (95 %).")
    return (f"The twin does not measurably widen {what}: nowhere by more than {most} (95 %); by {where} it is {twin} "
            f"points wide, with real rows {real}.")
