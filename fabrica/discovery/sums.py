"""Formulas of numbers: sums of two and more columns with whole factors, multiples, products, ratios.

Sums of two are tried pair by pair, which forgives missing cells. Longer ones come from the null space: columns are
taken one by one, those that vary least first, and each is fitted by least squares to those before it that are
independent. Where that leaves nothing over, its factors are unique; they must be whole, and the formula must then hold
exactly, to half of the last decimal. Equal columns are told elsewhere (``orders.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from fabrica.discovery.candidate import BREAKS, Candidate, Sample, named
from fabrica.expression.meaning import HALF

__all__ = ["shortest", "sums"]

MOST = 60  #: columns of which sums are looked for; products of a third as many
FIRST = 300  #: rows that a formula must hold on before all of the sample is looked at
QUICK = 60  #: rows by which sums of two are ruled out
LONGEST = 8  #: terms
FITTED = 2_000  #: rows of the least squares
THERE = 0.9  #: share of a column's values that a formula must give
SLIGHT = 0.02  #: share of rows in which a term must be other than its commonest value
LARGEST = 1_000  #: factor
DIGITS = 4  #: of the factor of a multiple, at most


def sums(look: Sample) -> Iterator[Candidate]:
    """Sums first: a column that is one is no term of a later formula."""
    names = [n for n in look.numbers if look.unit(n) > 0 and _terms(look, (n,))][:MOST]
    solved: set[str] = set()
    for found, why in ((_twos, "exact to the last decimal"), (_longer, "exact to the last decimal"),
                       (_multiples, "exact within its rounding"), (_products, "exact within its rounding")):
        rest = [n for n in (look.numbers if found is _products else names) if n not in solved]
        for text, target in found(look, rest):
            if target not in solved:
                solved.add(target)
                yield Candidate(text, "formula", why)


def _twos(look: Sample, names: list[str]) -> Iterator[tuple[str, str]]:
    if len(names) < 3:
        return
    every = np.stack([look.numbers[n] for n in names], 1)
    for i, j in combinations(range(len(names)), 2):
        some = every[_both(every[:, i], every[:, j])]
        with np.errstate(invalid="ignore"):
            off = np.abs(some - (some[:, i] + some[:, j])[:, None]) > 0.5 * look.unit(names[i])
        few = np.flatnonzero(off.sum(0) <= 3 * (1 - look.support) * len(some) + 1)
        for a in few[(few != i) & (few != j)]:
            b, c = names[i], names[j]
            if _holds(look, names[a], every[:, i] + every[:, j], (b, c)):
                yield f"{named(names[a])} == {named(b)} + {named(c)}", names[a]


def _both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The first rows in which neither is missing or 0."""
    return np.flatnonzero(~np.isnan(one) & ~np.isnan(other) & (one != 0) & (other != 0))[:QUICK]


def _spread(values: np.ndarray) -> float:
    """The standard deviation, of huge numbers too."""
    scale = float(np.nanmax(np.abs(values), initial=1e-300))
    return scale * float(np.nanstd(values / scale))


def _longer(look: Sample, names: list[str]) -> Iterator[tuple[str, str]]:
    names = sorted((n for n in names if look.missing[n].mean() <= 1 - THERE), key=lambda n: _spread(look.numbers[n]))
    every = np.stack([look.numbers[n] for n in names], 1) if names else np.empty((look.rows, 0))
    rows = every[~np.isnan(every).any(1)][:FITTED]
    if len(rows) < max(10 * look.k, 3 * len(names)):
        return
    rows = rows[:, :] - rows.mean(0)
    basis: list[int] = []
    for i, name in enumerate(names):
        factors = _fitted(rows[:, basis], rows[:, i], look.unit(name)) if basis else None
        if factors is None:
            basis.append(i)
            continue
        terms = {names[basis[j]]: int(f) for j, f in enumerate(factors) if f}
        whole = np.sum([f * look.numbers[n] for n, f in terms.items()], 0)
        step = np.nanmedian(look.numbers[name] - whole)
        step = 0.0 if abs(step) < look.unit(name) / 2 else float(np.round(step / look.unit(name)) * look.unit(name))
        equal = not step and list(terms.values()) == [1]
        if not equal and len(terms) <= LONGEST and _holds(look, name, whole + step, tuple(terms)):
            yield f"{named(name)} == {_said(terms, step, list(look.numbers))}", name


def _fitted(basis: np.ndarray, values: np.ndarray, unit: float) -> np.ndarray | None:
    """Whole factors with which columns (n, m) give the values (n,); None where there are none such."""
    scale = np.maximum(np.abs(basis).max(0), 1e-12)
    found = np.linalg.lstsq(basis / scale, values, rcond=None)[0] / scale
    whole = np.round(found)
    if not whole.any() or (np.abs(whole) > LARGEST).any():
        return None
    off = np.abs(basis @ whole - values)
    return whole if np.quantile(off, 0.5) <= unit else None


def _said(terms: dict[str, int], step: float, names: list[str]) -> str:
    """A sum as text, what is added first."""
    order = sorted(sorted(terms, key=names.index), key=lambda n: -terms[n])
    parts = [(terms[n], named(n) if abs(terms[n]) == 1 else f"{abs(terms[n])} * {named(n)}") for n in order]
    parts += [(1 if step > 0 else -1, f"{abs(step):.12g}")] if step else []
    parts.sort(key=lambda part: part[0] < 0)
    first = parts[0][1] if parts[0][0] > 0 else f"0 - {parts[0][1]}"
    return first + "".join(f" {'+' if sign > 0 else '-'} {text}" for sign, text in parts[1:])


def _multiples(look: Sample, names: list[str]) -> Iterator[tuple[str, str]]:
    """``tax == net * 0.19``: a factor of few digits that lies where the rounding of all rows allows it."""
    for b, a in ((x, y) for one, other in combinations(names, 2) for x, y in ((one, other), (other, one))):
        one, own = look.numbers[b][:FIRST], look.numbers[a][:FIRST]
        there = ~np.isnan(one) & ~np.isnan(own) & (one != 0)
        if there.sum() < 4 * look.k or len(np.unique(own[there])) < 3:
            continue
        one, own, half = one[there], own[there], HALF * look.unit(a)
        ends = np.stack([(own - half) / one, (own + half) / one])
        allow = 2 * (1 - look.support)
        low, high = np.quantile(ends.min(0), 1 - allow), np.quantile(ends.max(0), allow)
        factor = shortest(low, high) if low <= high and low * high > 0 else None
        if factor is not None and factor != "1" and high - low < 0.02 * abs(high) and _holds(
                look, a, look.numbers[b] * float(factor), (b,)):
            yield f"{named(a)} == {named(b)} * {factor}", a


def shortest(low: float, high: float) -> str | None:
    """The number of fewest digits between two, None where it has more than four.

    >>> shortest(0.18997, 0.19002), shortest(999.9, 1000.2), shortest(0.123451, 0.123452)
    ('0.19', '1000', None)
    """
    size = int(np.floor(np.log10(max(abs(low), abs(high)))))
    for digits in range(1, DIGITS + 1):
        found = round((low + high) / 2, digits - 1 - size)
        if low - 1e-12 <= found <= high + 1e-12:
            return f"{found:.12g}" if 1e-5 <= abs(found) < 1e12 else None
    return None


def _products(look: Sample, names: list[str]) -> Iterator[tuple[str, str]]:
    """Products before ratios: a total is told as what it is made of."""
    names = [n for n in names if len(np.unique(look.numbers[n][:FIRST])) > 4][: MOST // 3]
    for sign, work in (("*", np.multiply), ("/", np.divide)):
        for b, c in combinations(names, 2) if sign == "*" else permutations(names, 2):
            with np.errstate(divide="ignore", invalid="ignore"):
                values = work(look.numbers[b], look.numbers[c])
            for a in names:
                if a not in (b, c) and _holds(look, a, values, (b, c), sign == "/"):
                    yield f"{named(a)} == {named(b)} {sign} {named(c)}", a


def _terms(look: Sample, names: tuple[str, ...]) -> bool:
    """Whether each column varies often enough to be a term."""
    return all((look.numbers[n] != _commonest(look.numbers[n])).mean() > SLIGHT for n in names)


def _commonest(values: np.ndarray) -> float:
    every, counts = np.unique(values[~np.isnan(values)][:FITTED], return_counts=True)
    return float(every[np.argmax(counts)])


def _holds(look: Sample, target: str, values: np.ndarray, terms: tuple[str, ...], ratio: bool = False) -> bool:
    """Whether a column is these values, and would not be if it were shuffled. A ``ratio`` must be exact, as rules
    understand it."""
    own = look.numbers[target]
    slack = HALF * min(look.unit(n) for n in (target, *terms))
    if ratio or not slack:
        slack = 1e-9 * np.abs(values)
    few = slack[:FIRST] if isinstance(slack, np.ndarray) else slack
    if not _equal(look, values[:FIRST], own[:FIRST], few, 3 * (1 - look.support) * FIRST + look.k):
        return False
    if not _equal(look, values, own, slack, (1 - look.support) * len(own)):
        return False
    with np.errstate(invalid="ignore"):
        off = np.abs(values[look.order] - own) > slack
    there = ~np.isnan(values[look.order]) & ~np.isnan(own)
    return bool(off[there].mean() >= BREAKS) if there.any() else False


def _equal(look: Sample, values: np.ndarray, own: np.ndarray, slack: np.ndarray | float, allowed: float) -> bool:
    """Whether values are equal but for as many as are ``allowed``."""
    there = np.isfinite(values) & ~np.isnan(own)
    if there.sum() < max(min(10 * look.k, FIRST), THERE * (~np.isnan(own)).sum()):
        return False
    with np.errstate(invalid="ignore"):
        return bool((np.abs(values - own) > slack)[there].sum() <= allowed)
