"""How many people a twin was learned from, and how many were held back to judge it: the first thing a reader asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["SIDES", "counts", "words"]

SIDES = {"learned": "real", "held": "holdout"}  #: what a decision calls the two parts of the real rows -> a report
UNTOLD = "how many people it was learned from is not told: the noise of the epsilon does not cover that number"


def counts(facts: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Rows on each side and, where a unit says whose they are, people; from the facts of a report.

    >>> counts({"rows": {"real": 280, "holdout": 120}, "people": {"unit": "who", "real": 93, "holdout": 40}})
    {'learned': {'rows': 280, 'people': 93}, 'held': {'rows': 120, 'people': 40}}
    """
    rows, people = facts["rows"], facts.get("people") or {}
    return {side: {"rows": int(rows[name]), **({"people": int(people[name])} if name in people else {})}
            for side, name in SIDES.items()}


def words(subject: Mapping[str, Any], unit: str | None, rounded: bool) -> str:
    """The same in a sentence, from what a decision is about; "" where it does not tell.

    >>> words({"learned": {"rows": 280}, "held": {"rows": 120}}, None, False)
    'learned from 280 rows, 120 more were held back to judge by; each row is counted as another person'
    >>> words(counts({"rows": {"real": 280, "holdout": 120}, "people": {"real": 95, "holdout": 40}}), "who", True)
    'learned from about 95 people (280 rows), about 40 more (120 rows) were held back to judge by; by column who'
    """
    if not all(side in subject for side in SIDES):
        return UNTOLD if rounded and "ledger" in subject else ""
    about = "about " * rounded
    learned, held = (subject[side] for side in SIDES)
    if unit is None or "people" not in learned:
        return (f"learned from {about}{learned['rows']:,} rows, {about}{held['rows']:,} more were held back to judge "
                "by; each row is counted as another person")
    return (f"learned from {about}{learned['people']:,} people ({learned['rows']:,} rows), {about}{held['people']:,} "
            f"more ({held['rows']:,} rows) were held back to judge by; by column {unit}")
