"""Which columns, each left out by itself, decide on copies, and by which threshold.

Where one column alone makes people differ, copies of people of whom just that was drawn afresh are seen without it and
nowhere else. But without it few people may be alone, or many of them stand in any good twin by luck, and whoever asks
every column finds one that seems unsafe. So a column decides where surely more than is accepted was found, all columns
looked at; and where a twin that leaks nothing would pass at all such columns together in nineteen of twenty cases. How
likely it would not is told by the controls alone: what leaks cannot keep a column from being judged. Where people are
too few for one threshold the next wider one is asked for, so that a stricter tier never sees less than a looser one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabrica.reached import Guesses
from fabrica.report import Finding

__all__ = ["judged"]

ROOM = 0.05  #: how likely a twin that leaks nothing may fail to pass, all columns together


def judged(without: Sequence[Finding], accepted: Sequence[float]) -> list[tuple[Finding, float]]:
    """Those findings that decide, each with what is accepted there.

    Parameters
    ----------
    without : what was found without each column. accepted : thresholds, the narrowest first.

    >>> found = [Guesses(0, people, people // 100, people).finding("verbatim_without", (name,))
    ...          for name, people in (("age", 40_000), ("town", 9_000), ("pay", 900))]
    >>> [(one.place, most) for one, most in judged(found, (0.005, 0.01))]
    [(('age',), 0.005), (('town',), 0.01)]
    """
    counted = [(one, guesses) for one in without if (guesses := Guesses.of(one)) is not None]
    left = [(one, guesses) for one, guesses in counted if guesses.surely(len(without)) <= accepted[0]]
    found = [(one, accepted[0]) for one, guesses in counted if guesses.surely(len(without)) > accepted[0]]
    found += [(one, accepted[0]) for one in without if one.value is not None and Guesses.of(one) is None]
    room = ROOM
    for threshold in accepted:
        left.sort(key=lambda pair, at=threshold: pair[1].false_alarm(at))  # type: ignore[misc]
        spent = np.cumsum([guesses.false_alarm(threshold) for _, guesses in left])
        many = int((spent <= room).sum())
        found += [(one, threshold) for one, _ in left[:many]]
        left, room = left[many:], room - float(spent[many - 1] if many else 0.0)
    return found
