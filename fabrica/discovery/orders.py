"""Orders and equalities of two columns: ``end >= start``, ``a < b``, ``net == gross``.

Two columns with ranges apart are in order by accident; so an order counts only where it would break in a relevant share
of the rows if one of them were shuffled, and where the two rise together.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from fabrica.discovery.candidate import BREAKS, Candidate, Look, named

__all__ = ["orders"]

TOGETHER = 0.2  #: rank correlation of columns in order, at least
SOME = 20_000  #: rows by which ranks are compared


def orders(look: Look) -> Iterator[Candidate]:
    """Pairs of numbers, and of moments of one kind; what follows over a third column is left out."""
    every = {**{name: ("number", values) for name, values in look.numbers.items()}, **look.moments}
    below: dict[tuple[str, str], bool] = {}
    for a, b in combinations(every, 2):
        if every[a][0] != every[b][0]:
            continue
        found = _ordered(look, every[a][1], every[b][1])
        if found == "==":
            yield Candidate(f"{named(a)} == {named(b)}", "formula", "equal wherever both are there")
        elif found:
            below[(a, b) if found in ("<", "<=") else (b, a)] = found in ("<", ">")
    for (a, b), strict in below.items():
        through = [c for c in every if (a, c) in below and (c, b) in below]
        if any(not strict or below[a, c] or below[c, b] for c in through):
            continue
        yield Candidate(f"{named(a)} {'<' if strict else '<='} {named(b)}", "order",
                        "would break if one were shuffled")


def _ordered(look: Look, one: np.ndarray, other: np.ndarray) -> str:
    """The sign between two columns; empty where there is none."""
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < 10 * look.k:
        return ""
    a, b = one[both], other[both]
    allowed = (1 - look.support) * len(a)
    if (a != b).sum() <= allowed:
        return "=="
    sign = "<=" if (a > b).sum() <= allowed else ">=" if (a < b).sum() <= allowed else ""
    if not sign:
        return ""
    shuffled = b[np.argsort(look.order[both], kind="stable")]
    breaks = (a > shuffled) if sign == "<=" else (a < shuffled)
    if breaks.mean() < max(BREAKS, 2 * (1 - look.support)) or _ranked(a[:SOME], b[:SOME]) < TOGETHER:
        return ""
    return sign[0] if (a == b).sum() <= allowed else sign


def _ranked(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation, ties in the order of their rows."""
    first, second = (np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])
