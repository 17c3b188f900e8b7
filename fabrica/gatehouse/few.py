"""Which secrets of few decide, and by which threshold: those of all columns together, and those of each.

A leak of what few have drowns in the mean of all people, and that of one column in the mean of all columns. But of few
people bounds are wide, so of all columns those decide that can (``deciding.py``). How wide the bounds would be where
nothing leaks is told by the controls alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from scipy.stats import norm

from fabrica.bounds import Z, one_of
from fabrica.gatehouse.deciding import Place, asked, rungs
from fabrica.gatehouse.outcome import unmeasured
from fabrica.report import Finding

__all__ = ["WIDER", "judged"]

WIDER = (0.09,)  #: thresholds by which columns are asked before that of a tier


def judged(few: Sequence[Finding], accepted: float) -> list[tuple[Finding, float]]:
    """Those findings that decide, each with what is accepted there. All columns together decide too where more than is
    accepted is seen, unless that comes in more than one of twenty cases by luck.

    Parameters
    ----------
    few : what was found of those who have what few have, of each column and, without a place, of all together.
    accepted : the threshold of the tier.

    >>> found = [Finding("inference_few", 0.0, (name,), low=-width, high=width, detail={"width": width})
    ...          for name, width in (("age", 0.02), ("town", 0.04), ("pay", 0.2))]
    >>> [(one.place, most) for one, most in judged(found, 0.05)]
    [(('age',), 0.05), (('town',), 0.09)]
    """
    thresholds = rungs(WIDER, accepted)
    whole, each = ([one for one in few if bool(one.place) == placed] for placed in (False, True))
    seen = {i: most for i, one in enumerate(whole) for most in thresholds if _seen(one, most)}
    together = _asked(whole, thresholds)
    together |= {i: min(most, together.get(i, most)) for i, most in seen.items()}
    return [*((whole[i], most) for i, most in together.items()),
            *((each[i], most) for i, most in _asked(each, thresholds).items())]


def _asked(found: Sequence[Finding], thresholds: Sequence[float]) -> dict[int, float]:
    many = sum(one.value is not None for one in found)
    return asked({i: Place(_surely(one, many), partial(_alarm, one)) for i, one in enumerate(found)
                  if one.value is not None}, thresholds)


def _surely(finding: Finding, of: int) -> float:
    """The lower bound, which holds for all of so many places."""
    if finding.value is None or finding.low is None:
        return 0.0
    value = float(finding.detail.get("measured", finding.value))
    return value - (value - finding.low) * one_of(of) / Z


def _alarm(finding: Finding, threshold: float) -> float:
    """How likely the upper bound would lie beyond a threshold where nothing leaks, by a normal law. An attack that
    missed those who were planted tells of nobody."""
    if unmeasured(finding, "") or not (width := _width(finding)):
        return 1.0
    return float(norm.sf(Z * threshold / width - Z))


def _seen(finding: Finding, threshold: float) -> bool:
    """Whether more is seen than a threshold that luck seldom reaches."""
    return not unmeasured(finding, "") and finding.value is not None and finding.value > threshold >= _width(finding)


def _width(finding: Finding) -> float:
    """How far the upper bound lies above the risk where nothing leaks."""
    if finding.value is None or finding.high is None:
        return float("inf")
    return float(finding.detail.get("width", finding.high - finding.value))
