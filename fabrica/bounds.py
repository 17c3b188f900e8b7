"""How large something may be that was estimated from a few trials: one-sided 95 % bounds for decisions.

Whoever wants to rule a danger out asks for the upper bound, not for the estimate.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import betaincinv
from scipy.stats import binom, norm

__all__ = ["Z", "caught", "one_of", "ratio", "residual", "share"]

Z = 1.6448536269514722  #: of a one-sided 95 % bound


def share(hits: float, trials: float, sure: float = 0.95) -> tuple[float, float]:
    """One-sided bounds of a share, each of confidence ``sure`` (Clopper & Pearson 1934): never too narrow.

    >>> [round(end, 4) for end in share(0, 100)]
    [0.0, 0.0295]
    """
    if not trials:
        return 0.0, 1.0
    low = float(betaincinv(hits, trials - hits + 1, 1 - sure)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, sure)) if hits < trials else 1.0
    return low, high


def one_of(places: int) -> float:
    """How many standard errors a bound is away that holds with 95 % for all of so many numbers at once (Bonferroni):
    whoever picks the worst of many finds something by luck.

    >>> round(one_of(1), 4), round(one_of(20), 4)
    (1.6449, 2.807)
    """
    return Z if places < 2 else float(norm.isf(0.05 / places))


def residual(hits: int, trials: int, control_hits: int, control_trials: int, of: int = 1
             ) -> tuple[float, float, float]:
    """(value, low, high) of the risk beyond luck (a - c) / (1 - c), where a is the rate of success on people who were
    learned from and c that on people who were not: 0 where both are as likely, 1 where the former always succeed.

    It is 1 - (1 - a) / (1 - c), with the one-sided bounds of that ``ratio``. The lower one holds for all ``of`` numbers
    of which this one was picked.

    >>> [round(v, 3) for v in residual(300, 1000, 200, 1000)]
    [0.125, 0.086, 0.163]

    Raises
    ------
    ZeroDivisionError : everybody of the control is hit, so that nothing can be beyond luck.
    """
    if control_hits == control_trials:
        raise ZeroDivisionError("everybody of the control is hit")
    value, low, high = ratio(trials - hits, trials, control_trials - control_hits, control_trials, of)
    return 1 - value, 1 - high, 1 - low


def ratio(hits: float, trials: float, other_hits: float, other_trials: float, of: int = 1
          ) -> tuple[float, float, float]:
    """(value, low, high) of one share over another, with one-sided 95 % bounds at both ends, out of the exact limits of
    each (MOVER; Donner & Zou, Stat. Methods Med. Res. 21, 2012; with those of Clopper & Pearson, for where a share is
    near 0 or 1 and the other is known of many more trials, Wilson's promise 95 % and hold in 92). Trials that hang
    together count as so many fewer. The upper bound holds for all ``of`` ratios of which this one was picked.

    >>> [round(v, 2) for v in ratio(50, 1000, 100, 1000)]
    [0.5, 0.37, 0.66]

    Raises
    ------
    ZeroDivisionError : the other share is 0.
    """
    p, q = hits / trials, other_hits / other_trials
    if not q:
        raise ZeroDivisionError("a share over nothing")
    sure = 1 - 0.05 / of
    (p_low, _), (_, q_high) = share(hits, trials), share(other_hits, other_trials)
    (_, p_high), (q_low, _) = share(hits, trials, sure), share(other_hits, other_trials, sure)
    least = (p * q - np.sqrt(max((p * q) ** 2 - p_low * q_high * (2 * p - p_low) * (2 * q - q_high), 0.0))) / (
        q_high * (2 * q - q_high))
    most = (p * q + np.sqrt(max((p * q) ** 2 - p_high * q_low * (2 * p - p_high) * (2 * q - q_low), 0.0))) / (
        q_low * (2 * q - q_low))
    return p / q, float(max(0.0, least)), float(most)


def caught(members: np.ndarray, controls: np.ndarray, alarms: float) -> tuple[float, float]:
    """(value, high) of the share of members with a score above the level that a share ``alarms`` of controls exceeds.

    The level is known from so many controls only, so the bound takes a lower one: the share of members above that has
    an upper bound in turn, and both hold together with 95 % (see ``_lower``). Of people with equal scores as many are
    accused, by chance, as the level leaves room for; the bound counts them all.

    >>> caught(np.arange(1000.0), np.arange(1000.0), 0.01)[0]
    0.01
    """
    ranked = np.sort(controls)[::-1]
    level = ranked[min(int(alarms * len(ranked)), len(ranked) - 1)]
    room = (alarms - float((controls > level).mean())) / float((controls == level).mean())
    value = float((members > level).mean()) + min(max(room, 0.0), 1.0) * float((members == level).mean())
    rank, sure = _lower(len(members), len(ranked), alarms)
    if rank > len(ranked):
        return value, 1.0
    return value, share(int((members >= ranked[rank - 1]).sum()), len(members), sure)[1]


@cache
def _lower(members: int, controls: int, alarms: float) -> tuple[int, float]:
    """The rank of a control's score that lies at or below the true level, but with a small chance, and how sure the
    bound above it must then be: controls above the true level are binomial, and members and controls are drawn apart,
    so the two may miss with 5 % together. Of all such pairs that with the smallest bound where members score as others
    do; it hangs on the numbers of people alone. A rank beyond the last control: there are too few of them.

    >>> rank, sure = _lower(400, 400, 0.01)
    >>> rank, round(float(binom.cdf(rank - 1, 400, 0.01)) * sure, 6)
    (9, 0.95)
    """
    ranks = np.arange(1, controls + 1)
    holds = binom.cdf(ranks - 1, controls, alarms)  # fewer controls than the rank lie above the true level
    ranks, sure = ranks[holds > 0.95], 0.95 / holds[holds > 0.95]
    ranks, sure = ranks[sure < 1], sure[sure < 1]
    if not len(ranks):
        return controls + 1, 0.95
    hits = np.minimum(ranks * members / controls, members)
    best = int(np.argmin(betaincinv(hits + 1, np.maximum(members - hits, 1e-9), sure)))
    return int(ranks[best]), float(sure[best])
