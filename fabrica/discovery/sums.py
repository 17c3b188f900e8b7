"""Formulas of numbers: sums of two and more columns, products, ratios, multiples.

Sums of two are tried pair by pair. Longer ones come from least squares on a few rows, whose factors must all be near 1,
-1 or 0 and must then hold exactly, to half of the last decimal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from fabrica.discovery.candidate import BREAKS, Candidate, Look, named

__all__ = ["sums"]

MOST = 40  #: columns of which sums are looked for; products of half as many
FIRST = 300  #: rows that a formula must hold on before all of the sample is looked at
LONGEST = 8  #: terms
FITTED = 2_000  #: rows of the least squares
THERE = 0.9  #: share of a column's values that a formula must give
SLIGHT = 0.02  #: share of rows in which a term must be other than 0


def sums(look: Look) -> Iterator[Candidate]:
    """Sums first: a column that is one is no term of a later formula."""
    names = [n for n in look.numbers if look.unit(n) > 0][:MOST]
    solved: set[str] = set()
    for text, target in _twos(look, names):
        if target not in solved:
            solved.add(target)
            yield Candidate(text, "formula", "exact to the last decimal")
    for text, target in _longer(look, [n for n in names if n not in solved]):
        solved.add(target)
        yield Candidate(text, "formula", "exact to the last decimal")
    for text, target in _products(look, [n for n in look.numbers if n not in solved][: MOST // 2]):
        if target not in solved:
            solved.add(target)
            yield Candidate(text, "formula", "exact within its rounding")


def _twos(look: Look, names: list[str]) -> Iterator[tuple[str, str]]:
    for b, c in combinations(names, 2):
        whole = look.numbers[b] + look.numbers[c]
        for a in names:
            if a not in (b, c) and _terms(look, (b, c)) and _holds(look, a, whole, (b, c)):
                yield f"{named(a)} == {named(b)} + {named(c)}", a


def _longer(look: Look, names: list[str]) -> Iterator[tuple[str, str]]:
    left = list(names)
    for a in names:
        others = [n for n in left if n != a and _terms(look, (n,))]
        factors = _factors(look, a, others)
        terms = {n: int(f) for n, f in factors.items() if f}
        if not 3 <= len(terms) <= LONGEST:
            continue
        whole = np.sum([f * look.numbers[n] for n, f in terms.items()], 0)
        if _holds(look, a, whole, tuple(terms)):
            first, *rest = sorted(terms, key=lambda n: -terms[n])
            if terms[first] < 0:
                continue
            said = named(first) + "".join(f" {'+' if terms[n] > 0 else '-'} {named(n)}" for n in rest)
            left.remove(a)
            yield f"{named(a)} == {said}", a


def _factors(look: Look, target: str, others: list[str]) -> Mapping[str, float]:
    """Whole factors by least squares; none where they are not whole."""
    if len(others) < 3:
        return {}
    every = np.stack([look.numbers[n] for n in (target, *others)], 1)
    rows = every[~np.isnan(every).any(1)][:FITTED]
    if len(rows) < 10 * len(others):
        return {}
    scale = np.maximum(np.abs(rows[:, 1:]).max(0), 1e-12)
    found = np.linalg.lstsq(rows[:, 1:] / scale, rows[:, 0], rcond=None)[0] / scale
    whole = np.round(found)
    fine = (np.abs(found - whole) < 1e-3).all() and (np.abs(whole) <= 1).all()
    return dict(zip(others, whole.tolist(), strict=True)) if fine else {}


def _products(look: Look, names: list[str]) -> Iterator[tuple[str, str]]:
    for b, c in combinations(names, 2):
        one, other = look.numbers[b], look.numbers[c]
        with np.errstate(divide="ignore", invalid="ignore"):
            made = {f"{named(b)} * {named(c)}": one * other, f"{named(b)} / {named(c)}": one / other,
                    f"{named(c)} / {named(b)}": other / one}
        for a in names:
            if a in (b, c):
                continue
            for said, values in made.items():
                if _holds(look, a, values, (b, c)):
                    yield f"{named(a)} == {said}", a


def _terms(look: Look, names: tuple[str, ...]) -> bool:
    """Whether each column is other than 0 often enough to be a term."""
    return all((look.numbers[n] != 0).mean() > SLIGHT for n in names)


def _holds(look: Look, target: str, values: np.ndarray, terms: tuple[str, ...]) -> bool:
    """Whether a column is these values, and would not be if it were shuffled."""
    own = look.numbers[target]
    if not _equal(look, target, values[:FIRST], own[:FIRST], terms, 3 * (1 - look.support) * FIRST + look.k):
        return False
    if not _equal(look, target, values, own, terms):
        return False
    with np.errstate(invalid="ignore"):
        off = np.abs(values[look.order] - own) > _slack(look, target, values[look.order], terms)
    there = ~np.isnan(values[look.order]) & ~np.isnan(own)
    return bool(off[there].mean() >= BREAKS) if there.any() else False


def _equal(look: Look, target: str, values: np.ndarray, own: np.ndarray, terms: tuple[str, ...],
           allowed: float | None = None) -> bool:
    """Whether values are equal but for as many as are ``allowed``."""
    there = np.isfinite(values) & ~np.isnan(own)
    if there.sum() < max(min(10 * look.k, len(own)), THERE * (~np.isnan(own)).sum()):
        return False
    with np.errstate(invalid="ignore"):
        fine = np.abs(values - own) <= _slack(look, target, values, terms)
    return bool((~fine[there]).sum() <= ((1 - look.support) * there.sum() if allowed is None else allowed))


def _slack(look: Look, target: str, values: np.ndarray, terms: tuple[str, ...]) -> np.ndarray | float:
    """How far a computed value may lie from the column: half of the last decimal, or rounding of binary fractions."""
    units = [look.unit(n) for n in (target, *terms)]
    return 0.5 * min(units) * (1 + 1e-9) if min(units) > 0 else 1e-9 * np.abs(values)
