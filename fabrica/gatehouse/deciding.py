"""Which of many places decide, and by which threshold.

Whoever asks every column finds one that seems unsafe by luck. So a place decides where surely more than is accepted was
found, all places looked at; and where a twin that leaks nothing would pass at all such places together in nineteen of
twenty cases. How likely it would not is told by the controls alone: what leaks cannot keep a place from being judged.

All places are asked for the widest threshold first, those before others that would seldom fail without a leak, and then
for narrower ones, as far as such a chance is left. A tier goes as far as its own threshold, so of the house's tiers a
stricter one is the same way gone farther, and never passes what a looser one does not; a threshold of one's own that is
none of those that all ask for spends the chance in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Place", "asked", "rungs"]

Key = TypeVar("Key")
ROOM = 0.05  #: how likely a twin that leaks nothing may fail to pass, all places together


@dataclass(frozen=True)
class Place:
    """Parameters
    ----------
    surely : the lower bound of what was found, which holds for all places of which this is one.
    alarm : threshold -> how likely the upper bound would lie beyond it where nothing leaks, from 0 to 1.
    """

    surely: float
    alarm: Callable[[float], float]


def rungs(wider: Sequence[float], accepted: float) -> tuple[float, ...]:
    """By which thresholds places are asked at a tier, the widest first and its own last.

    >>> rungs((0.02, 0.01), 0.003), rungs((0.02, 0.01), 0.01)
    ((0.02, 0.01, 0.003), (0.02, 0.01))
    """
    return (*sorted((rung for rung in wider if rung > accepted), reverse=True), accepted)


def asked(places: Mapping[Key, Place], thresholds: Sequence[float]) -> dict[Key, float]:
    """Those places that decide, each with what is accepted there.

    Parameters
    ----------
    thresholds : the widest first, that of the tier last.

    >>> sharp, blunt = Place(0.0, lambda most: 0.01), Place(0.0, lambda most: 0.01 if most > 0.06 else 0.2)
    >>> asked({"age": sharp, "town": blunt}, (0.09, 0.05))
    {'age': 0.05, 'town': 0.09}
    """
    accepted = thresholds[-1]
    sure = {key: accepted for key, one in places.items() if one.surely > accepted}
    spent, found = dict[Key, float](), dict[Key, float]()
    for threshold in thresholds:
        alarms = {key: one.alarm(threshold) for key, one in places.items() if key not in sure}
        for key in sorted(alarms, key=alarms.__getitem__):
            if sum(spent.values()) - spent.get(key, 0.0) + alarms[key] <= ROOM:
                spent[key], found[key] = alarms[key], threshold
    return {key: most for key in places if (most := sure.get(key, found.get(key))) is not None}
