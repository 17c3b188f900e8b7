"""When a cell is missing: ``packs is null when smoker == 'no'``, ``arrived is null when departed is null``, columns
that are missing together; and its likeness among numbers, ``minutes == 0 when calls == 0``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from fabrica.discovery.candidate import BREAKS, Candidate, Sample, named
from fabrica.discovery.dependencies import Determined

__all__ = ["nulls", "zeros"]

LEVELS = 50  #: of a column that may say when another is missing
SAID = 8  #: levels that are told in a condition, at most
HELD = 20  #: rows in which a level must say so, at least
SURE = 18.0  #: how unlikely it must be by chance, as a negative natural logarithm
MOST = 60  #: columns that are compared with each other


def nulls(look: Sample) -> Iterator[Candidate]:
    """Columns that are missing together; those that are missing where another is; those that are missing for all rows
    of some levels and else for none."""
    gaps = {name: lacks for name, lacks in look.missing.items() if look.table[name].kind not in ("key", "constant")
            and 2 * look.k <= lacks.sum() <= look.rows - 2 * look.k}
    together: dict[str, str] = {}
    for a, b in combinations(list(gaps)[:MOST], 2):
        if not {a, b} & set(together) and (gaps[a] != gaps[b]).sum() <= (1 - look.support) * gaps[a].sum():
            together[b] = a
            for one, other in ((b, a), (a, b)):
                yield Candidate(f"{named(one)} is null when {named(other)} is null", "missing",
                                "missing together, and there together", when=f"{named(other)} is null")
    heads = [name for name in list(gaps)[:MOST] if name not in together]
    found = {(a, b) for a, b in permutations(heads, 2) if _follows(look, gaps[a], gaps[b])}
    for a, b in direct(heads, found):
        yield Candidate(f"{named(b)} is null when {named(a)} is null", "missing",
                        f"{gaps[b].mean():.1%} of all rows lack it: too few for chance", when=f"{named(a)} is null")
    for name in heads:
        yield from _explained(look, name, gaps[name])


def direct(heads: list[str], found: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without what follows over a third.

    >>> direct(list("abc"), {("a", "b"), ("b", "c"), ("a", "c")})
    [('a', 'b'), ('b', 'c')]
    """
    return [(a, b) for a in heads for b in heads if (a, b) in found
            and not any((a, c) in found and (c, b) in found for c in heads)]


def _follows(look: Sample, first: np.ndarray, then: np.ndarray) -> bool:
    """Whether ``then`` (n,) holds wherever ``first`` does, and would not by chance."""
    held = first.sum()
    if (first & ~then).sum() > (1 - look.support) * held:
        return False
    chance = float(then.mean())
    return bool(held >= 2 * look.k and chance <= 1 - BREAKS and -held * np.log(chance) >= SURE)


def _explained(look: Sample, name: str, lacks: np.ndarray) -> Iterator[Candidate]:
    for other, (codes, names) in look.levels.items():
        if other == name or len(names) > LEVELS or look.table[other].kind not in (
                "category", "ordinal", "boolean", "integer"):
            continue
        count = np.bincount(codes[codes >= 0], minlength=len(names))
        held = np.bincount(codes[(codes >= 0) & lacks], minlength=len(names))
        always = (held >= look.support * count) & (count >= HELD)
        never = (held <= (1 - look.support) * count) & (count > 0)
        if not always.any() or not (always | never | (count == 0)).all() or not never.any():
            continue
        yield from _told(look, name, lacks, other, always, never)


def _told(look: Sample, name: str, lacks: np.ndarray, other: str, always: np.ndarray, never: np.ndarray
          ) -> Iterator[Candidate]:
    """Both directions, by the fewer levels; no level that fewer than k rows hold is told."""
    codes, names = look.levels[other]
    count = np.bincount(codes[codes >= 0], minlength=len(names))
    safe = bool((count[never] >= look.k).all())
    here = always.sum() <= never.sum() or not safe
    levels = np.flatnonzero(always if here else never)
    if len(levels) > SAID:
        return
    said = ", ".join(_literal(names[i]) for i in levels)
    where = f"{named(other)} in ({said})" if len(levels) > 1 else f"{named(other)} == {said}"
    missing, there = (where, f"not ({where})") if here else (f"not ({where})", where)
    yield Candidate(f"{named(name)} is null when {missing}", "missing", "missing for all of these", when=missing)
    if safe and lacks[codes < 0].sum() == 0:
        yield Candidate(f"{named(name)} is not null when {there}", "missing", "there for all others", when=there)


def zeros(look: Sample, tied: Determined) -> Iterator[Candidate]:
    """Numbers that are 0 wherever another is 0; not those of which one determines the other,
    or a third column whether both are 0."""
    flat = {name: values == 0 for name, values in look.numbers.items() if 2 * look.k <= (values == 0).sum()
            and len(np.unique(values[~np.isnan(values)])) > 2}
    names = list(flat)[:MOST]
    units = {u: {n for n in names if n != u and _within(look.coded(u), flat[n])}
             for u in (*tied.givers, *look.references)}
    found = {(a, b) for a, b in permutations(names, 2) if _follows(look, flat[a] & ~look.missing[b], flat[b])
             and (a, b) not in tied.plain and not any({a, b} <= said for said in units.values())}
    for b in names:  # of the columns that say it, the one that says it most often
        givers = [a for a in names if (a, b) in found]
        if givers:
            a = max(givers, key=lambda name: int((flat[name] & flat[b]).sum()))
            yield Candidate(f"{named(b)} == 0 when {named(a)} == 0", "missing",
                            f"{flat[b].mean():.0%} of all rows are 0: too few for chance", when=f"{named(a)} == 0")


def _within(codes: np.ndarray, flags: np.ndarray) -> bool:
    """Whether flags (n,) are the same for all rows of a level (n,)."""
    there = codes >= 0
    count = np.bincount(codes[there])
    held = np.bincount(codes[there], flags[there], len(count))
    return bool(((held == 0) | (held == count)).all())


def _literal(level: object) -> str:
    if isinstance(level, bool):
        return "true" if level else "false"
    return str(level) if isinstance(level, int | float) else "'" + str(level).replace("'", "''") + "'"
