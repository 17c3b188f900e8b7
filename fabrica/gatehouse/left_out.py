"""Which columns, each left out by itself, decide on copies, and by which threshold.

Where one column alone makes people differ, copies of people of whom just that was drawn afresh are seen without it and
nowhere else. But without it few people may be alone, or many of them stand in any good twin by luck, and whoever asks
every column finds one that seems unsafe. So a column decides where surely more than is accepted was found, all columns
looked at; and where a twin that leaks nothing would pass at all such columns together in nineteen of twenty cases. How
likely it would not is told by the controls alone: what leaks cannot keep a column from being judged.

All columns are asked for the widest threshold first, those before others that would seldom fail without a leak, and
then for narrower ones, as far as such a chance is left. A tier goes as far as its own threshold, so a stricter one is
the same way gone farther, and never passes what a looser one does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabrica.reached import Guesses
from fabrica.report import Finding

__all__ = ["judged", "thresholds"]

ROOM = 0.05  #: how likely a twin that leaks nothing may fail to pass, all columns together
RUNGS = (0.02, 0.01, 0.005)  #: thresholds by which columns are asked before that of a tier, the widest first
ALIKE = 1e4  #: shape of the gamma law of shares, at most: beyond it places are as good as alike


def thresholds(accepted: float) -> tuple[float, ...]:
    """By which columns are asked at a tier, the widest first and its own last.

    >>> thresholds(0.003), thresholds(0.01)
    ((0.02, 0.01, 0.005, 0.003), (0.02, 0.01))
    """
    return (*(rung for rung in RUNGS if rung > accepted), accepted)


def judged(without: Sequence[Finding], accepted: float) -> list[tuple[Finding, float]]:
    """Those findings that decide, each with what is accepted there.

    Parameters
    ----------
    without : what was found without each column. accepted : the threshold of the tier.

    >>> found = [Guesses(0, people, people // 100, people).finding("verbatim_without", (name,))
    ...          for name, people in (("age", 40_000), ("town", 9_000), ("pay", 900))]
    >>> [(one.place, most) for one, most in judged(found, 0.005)]
    [(('age',), 0.005), (('town',), 0.01), (('pay',), 0.02)]
    """
    counted = {i: guesses for i, one in enumerate(without) if (guesses := Guesses.of(one)) is not None}
    sure = [i for i, guesses in counted.items() if guesses.surely(len(without)) > accepted]
    bare = [i for i, one in enumerate(without) if one.value is not None and i not in counted]
    left = {i: guesses for i, guesses in counted.items() if i not in sure}
    share = _shares(list(counted.values()))
    spent, asked = dict[int, float](), dict[int, float]()
    for threshold in thresholds(accepted):
        alarms = {i: guesses.false_alarm(threshold, share) for i, guesses in left.items()}
        for i in sorted(alarms, key=alarms.__getitem__):
            if sum(spent.values()) - spent.get(i, 0.0) + alarms[i] <= ROOM:
                spent[i], asked[i] = alarms[i], threshold
    return [(without[i], asked.get(i, accepted)) for i in sorted({*sure, *bare, *asked})]


def _shares(places: Sequence[Guesses]) -> tuple[float, float]:
    """Of people nobody learned from, how the shares that stand in the twin differ from place to place: a gamma law
    (shape, rate) by their mean and variance, less what comes by chance. Of many places some have by luck few controls
    who do, and would seem safe to ask (empirical Bayes; Robbins 1956)."""
    hits = np.array([one.control_hits for one in places], float)
    tries = np.array([one.control_tries for one in places], float)
    if not hits.sum():
        return 0.5, 0.0
    mean = float(hits.sum() / tries.sum())
    within = mean * len(tries) / tries.sum()  # the variance that Poisson counts have, weighted by people
    between = float((tries * (hits / np.maximum(tries, 1) - mean) ** 2).sum() / tries.sum()) - within
    between = max(between, mean**2 / ALIKE)
    return mean**2 / between, mean / between
