"""When a cell is missing: ``packs is null when smoker == 'no'``, and columns that are missing together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from fabrica.discovery.candidate import Candidate, Look, named

__all__ = ["nulls"]

LEVELS = 50  #: of a column that may say when another is missing
HELD = 20  #: rows in which a level must say so, at least


def nulls(look: Look) -> Iterator[Candidate]:
    """Columns that are missing for all rows of a level and else for none; and those that are missing together."""
    gaps = {name: lacks for name, lacks in look.missing.items()
            if look.k <= lacks.sum() < look.rows and look.table[name].kind not in ("key", "empty")}
    together: set[str] = set()
    for a, b in combinations(gaps, 2):
        if b not in together and (gaps[a] != gaps[b]).sum() <= (1 - look.support) * look.rows:
            together.add(b)
            yield Candidate(f"{named(b)} is null when {named(a)} is null", "missing", "missing together")
            yield Candidate(f"{named(a)} is null when {named(b)} is null", "missing", "missing together")
    for name, lacks in gaps.items():
        if name not in together:
            yield from _explained(look, name, lacks)


def _explained(look: Look, name: str, lacks: np.ndarray) -> Iterator[Candidate]:
    for other, (codes, names) in look.levels.items():
        if other == name or len(names) > LEVELS or look.table[other].kind == "date":
            continue
        count = np.bincount(codes[codes >= 0], minlength=len(names))
        held = np.bincount(codes[(codes >= 0) & lacks], minlength=len(names))
        share = held / np.maximum(count, 1)
        always = (share >= look.support) & (count >= HELD)
        never = (held <= (1 - look.support) * count) & (count > 0)
        if not always.any() or not (always | never | (count == 0)).all() or not never.any():
            continue
        said = ", ".join(_literal(names[i]) for i in np.flatnonzero(always))
        where = f"{named(other)} in ({said})" if always.sum() > 1 else f"{named(other)} == {said}"
        yield Candidate(f"{named(name)} is null when {where}", "missing", "missing for all of these")
        if (count[never] >= look.k).all() and lacks[codes < 0].sum() == 0:
            yield Candidate(f"{named(name)} is not null when not ({where})", "missing", "there for all others")


def _literal(level: object) -> str:
    if isinstance(level, bool):
        return "true" if level else "false"
    return str(level) if isinstance(level, int | float) else "'" + str(level).replace("'", "''") + "'"
