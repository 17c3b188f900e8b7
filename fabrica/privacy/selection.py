"""The exponential mechanism with an exact law: a choice that is likely to be good and does not give away why.

    P(i) in proportion to exp(epsilon u_i / (2 sensitivity))

McSherry & Talwar, "Mechanism design via differential privacy", FOCS 2007. A candidate is proposed at random and taken
with the probability exp(-epsilon (max u - u_i) / (2 sensitivity)), which is drawn exactly; so no float rounds a tail.
As its privacy loss has a bounded range it costs epsilon² / 8 of zCDP (Cesar & Rogers, "Bounding, concentrating, and
truncating", ALT 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from fabrica.privacy.noise import below, bernoulli_exp

__all__ = ["chosen"]


def chosen(scores: Sequence[int], epsilon: Fraction, sensitivity: Fraction | int = 1,
           fits: Callable[[int], bool] | None = None) -> int | None:
    """The place of one of the whole-numbered ``scores``, the higher the likelier.

    Parameters
    ----------
    scores : whole numbers, of which one unit changes each by at most ``sensitivity``.
    epsilon : above 0; a selection costs epsilon² / 8 of zCDP.
    fits : says of a place whether it may be chosen, by what everybody may know. It is asked of those only that would be
        taken: the choice is the one among all that fit, None where none does.

    >>> chosen([0, 1_000_000, 0], Fraction(1)), chosen([0, 10**6, 0], Fraction(1), fits=lambda place: place == 2)
    (1, 2)

    Raises
    ------
    ValueError : there is nothing to choose from, or a score is no whole number.
    """
    if not len(scores) or epsilon <= 0 or sensitivity <= 0:
        raise ValueError("a choice needs scores, and an epsilon and a sensitivity above 0")
    if any(int(score) != score for score in scores):
        raise ValueError("scores must be whole numbers")
    left, scale = list(range(len(scores))), Fraction(epsilon) / (2 * Fraction(sensitivity))
    top, low = scale.numerator, scale.denominator
    best = max(int(score) for score in scores)
    while left:
        place = left[below(len(left))]
        if not bernoulli_exp(top * (best - int(scores[place])), low):
            continue
        if fits is None or fits(place):
            return place
        left.remove(place)  # whatever does not fit is as if it had never been there
        best = max((int(scores[i]) for i in left), default=0)
    return None
