"""Which columns, each left out by itself, decide on copies, and by which threshold.

Where one column alone makes people differ, copies of people of whom just that was drawn afresh are seen without it and
nowhere else. But without it few people may be alone, or many of them stand in any good twin by luck: so of all columns
those decide that can (``deciding.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from fabrica.gatehouse.deciding import Place, asked, rungs
from fabrica.reached import Guesses
from fabrica.report import Finding

__all__ = ["WIDER", "judged"]

WIDER = (0.02, 0.01, 0.005)  #: thresholds by which columns are asked before that of a tier
ALIKE = 1e4  #: shape of the gamma law of shares, at most: beyond it places are as good as alike


def judged(without: Sequence[Finding], accepted: float) -> list[tuple[Finding, float]]:
    """Those findings that decide, each with what is accepted there; one that tells no counts decides by its bounds.

    Parameters
    ----------
    without : what was found without each column. accepted : the threshold of the tier.

    >>> found = [Guesses(0, people, people // 100, people).finding("verbatim_without", (name,))
    ...          for name, people in (("age", 40_000), ("town", 9_000), ("pay", 900))]
    >>> [(one.place, most) for one, most in judged(found, 0.005)]
    [(('age',), 0.005), (('town',), 0.01), (('pay',), 0.02)]
    """
    counted = {i: guesses for i, one in enumerate(without) if (guesses := Guesses.of(one)) is not None}
    share = _shares(list(counted.values()))
    places = {i: Place(guesses.surely(len(without)), partial(guesses.false_alarm, prior=share))
              for i, guesses in counted.items()}
    decide = asked(places, rungs(WIDER, accepted))
    bare = {i: accepted for i, one in enumerate(without) if one.value is not None and i not in counted}
    return [(without[i], most) for i, most in sorted({**bare, **decide}.items())]


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
