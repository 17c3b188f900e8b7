"""What may be told to everybody of what was measured: risks rounded up, counts rounded, nothing about few people.

Numbers computed on real rows are not private by themselves; attackers have put tables together again from the scores of
metrics (Ganev & De Cristofaro, "The Inadequacy of Similarity-based Privacy Metrics", 2023). So the public profile keeps
whole-table and whole-column numbers only, of two digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.follows import GROUPS
from fabrica.gatehouse.outcome import PASS, Outcome
from fabrica.gatehouse.people import SIDES

__all__ = ["decision", "five", "finding", "near", "up"]

STEP = 100  #: one over the smallest step of a published estimate
COUNTS = 5  #: counts are told in multiples of it
DETAIL = ("rows", "members", "controls", "tries", "control_tries", "columns")  #: counts that may be told, rounded
LEAST = 100  #: people of a group of whom as a group may be told
EXACT = ("small_groups", "least")  #: numbers that count no people
WORDS = ("control", "floor_from")


def up(value: float) -> float:
    """A risk, rounded up.

    >>> up(0.0212), up(0.02), up(-0.0312)
    (0.03, 0.02, -0.03)
    """
    return math.ceil(value * STEP - 1e-9) / STEP + 0.0


def near(value: float) -> float:
    """Any other estimate, rounded.

    >>> near(0.12345)
    0.12
    """
    return round(value, 2)


def five(count: int) -> int:
    """A count, rounded.

    >>> five(812), five(2)
    (810, 0)
    """
    return COUNTS * round(count / COUNTS)


def finding(plain: Mapping[str, Any], columns: Collection[str], risk: bool) -> dict[str, Any] | None:
    """A finding as everybody may see it; None where it is about anything smaller than a column.

    >>> finding({"metric": "inference", "value": 0.0312, "place": ["age"], "detail": {"tries": 403}}, ["age"], True)
    {'metric': 'inference', 'value': 0.04, 'place': ['age'], 'detail': {'tries': 405}}
    >>> finding({"metric": "inference", "value": 0.0312, "place": ["age", "90"]}, ["age"], True)
    """
    place, metric = plain.get("place") or [], str(plain.get("metric", ""))
    if any(part not in columns for part in place) or (place and "rare" in metric):
        return None
    rounded = up if risk else near
    kept: dict[str, Any] = {"metric": metric, "value": None}
    for name, value in plain.items():
        if name in ("value", "low", "high", "floor", "floor_low", "floor_high") and value is not None:
            kept[name] = rounded(float(value))
        elif name in ("place", "better", "unit", "against"):
            kept[name] = value
    if plain.get("problem"):
        kept["problem"] = "could not be computed; the producer's own evidence says why"
    told = plain.get("detail") or {}
    detail: dict[str, Any] = {name: five(told[name]) for name in DETAIL if isinstance(told.get(name), int)}
    detail |= {name: told[name] for name in EXACT if isinstance(told.get(name), int)}
    detail |= {name: told[name] for name in WORDS if isinstance(told.get(name), str)}
    if groups := [_group(one, rounded) for one in told.get("groups") or () if one.get("people", 0) >= LEAST]:
        detail["groups"] = groups
    return {**kept, "detail": detail} if detail else kept


def _group(told: Mapping[str, Any], rounded: Callable[[float], float]) -> dict[str, Any]:
    """What is told of a group of many people: its name, counts and estimates rounded."""
    return {name: five(value) if isinstance(value, int) else rounded(value) if isinstance(value, float) else value
            for name, value in told.items() if isinstance(value, int | float | str)}


def decision(full: Decision) -> Decision:
    """The decision of the gate as everybody may see it: each test with its bound rounded up, but never beyond a
    threshold that it kept; what was said about it in words stays with the producer."""
    return replace(full, outcomes=tuple(map(_test, full.outcomes)), subject=_subject(full.subject), rounded=True)


def _subject(full: Mapping[str, Any]) -> dict[str, Any]:
    """What a decision is about, with its numbers of real people rounded; without them under an epsilon, whose noise
    does not cover them."""
    counted = {side: {name: five(count) for name, count in full[side].items()} for side in SIDES if side in full}
    return {name: counted.get(name, value) for name, value in full.items() if name not in SIDES or "ledger" not in full}


def _test(one: Outcome) -> Outcome:
    """A test rounded. A threshold is the policy's own, or, of groups, what comes by chance among real people, which is
    rounded too; how many rows there are for each real one would tell how many of those there are."""
    most = up(one.threshold) if one.threshold is not None and one.name in GROUPS else one.threshold
    if one.name == "rows" and one.verdict == PASS:
        return replace(one, why="", value=most)
    value, high = (_kept(number, one.threshold, most) for number in (one.value, one.high))
    return replace(one, why="", step="", value=value, low=None, high=high, threshold=most,
                   n=None if one.n is None else five(one.n))


def _kept(number: float | None, threshold: float | None, most: float | None) -> float | None:
    """A number rounded up, at most to a threshold within which it was."""
    if number is None or threshold is None or most is None or number > threshold:
        return None if number is None else up(number)
    return min(up(number), most)
