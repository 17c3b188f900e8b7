"""Rules: do two columns stand to each other as they do in the original?

A rule is an order (``start <= end``) or an equality of two columns of one kind that (nearly) all rows of the original
keep: 99.9 in a hundred where both cells are there, 98 for an equality. It counts only where independent columns would
break it in two rows of a hundred or more: that something in the single digits is below something in the thousands is
no rule.

``rules`` is the percentage of rows that break at least one, and, for each of the ten rules that are broken most, that
of the rows that break it. The floor is the holdout's score; without a holdout it is the original's own. Interval:
Wilson's. Of more than 141 columns some are looked at (``among``).

Own; compare functional dependencies and denial constraints as Chu, Ilyas and Papotti discover them (PVLDB 6(13), 2013).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import HOLDOUT, ITSELF, among, wilson

ENOUGH, KEPT, EQUAL = 100, 0.999, 0.98  #: rows that show a rule, and the share of them that keep it
TELLING = 0.02  #: share of rows that independent columns would break
HEAD, WORST = 2_000, 10


class Rules(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether orders and equalities of two columns hold as in the original"
    source: ClassVar[str] = "own; compare Chu, Ilyas and Papotti, PVLDB 6(13), 2013"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"rules": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        few = among(evidence)
        if not few.synthetic.rows:
            return [Finding("rules", None, unit="%", problem="the synthetic table has no rows")]
        rules = found(few)
        if not rules:
            return [Finding("rules", None, unit="%", problem="real rows keep no rule between two columns")]
        rest, source = (few.real, ITSELF) if few.holdout is None else (few.holdout, HOLDOUT)
        twin, real = ({r: broken(sheet, r) for r in rules} for sheet in (few.synthetic, rest))
        whole = _finding((), np.any(list(twin.values()), axis=0), np.any(list(real.values()), axis=0), source)
        worst = sorted(rules, key=lambda r: -(twin[r].mean() - (real[r].mean() if len(real[r]) else 0.0)))[:WORST]
        return [whole, *(_finding(r[:2], twin[r], real[r], source, r[2]) for r in worst)]


Rule = tuple[str, str, str]  #: two columns, and "<=" or "=="


def found(evidence: Evidence) -> list[Rule]:
    """The rules that the original keeps."""
    rules: list[Rule] = []
    for a, b in combinations(evidence.real.numeric, 2):
        if not _alike(evidence, a, b) or _hopeless(evidence.real, a, b):
            continue
        x, y = _both(evidence.real, a, b)
        if len(x) < ENOUGH or x.min() == x.max() or y.min() == y.max():
            continue
        if (x == y).mean() >= EQUAL:
            rules.append((a, b, "=="))
            continue
        for low, high, one, other in ((a, b, x, y), (b, a, y, x)):
            if (one <= other).mean() >= KEPT and _by_chance(one, other) >= TELLING:
                rules.append((low, high, "<="))
    return rules


def _hopeless(sheet: Sheet, a: str, b: str) -> bool:
    """Whether the first rows alone break more than a rule allows of all: most pairs of columns end here."""
    x, y = sheet.values[a][:HEAD], sheet.values[b][:HEAD]
    up, down = int((x < y).sum()), int((x > y).sum())
    return min(up, down) > (1 - KEPT) * sheet.rows and up + down > (1 - EQUAL) * sheet.rows


def _by_chance(low: np.ndarray, high: np.ndarray) -> float:
    """In what share of all pairs of rows the one's ``low`` is above the other's ``high``."""
    return float(np.searchsorted(np.sort(high), low, "left").mean() / len(high))


def broken(sheet: Sheet, rule: Rule) -> np.ndarray:
    """(rows,) where both cells are there and do not stand to each other as the rule says."""
    x, y = sheet.values[rule[0]], sheet.values[rule[1]]
    there = ~np.isnan(x) & ~np.isnan(y)
    return there & ((x != y) if rule[2] == "==" else (x > y))


def _alike(evidence: Evidence, a: str, b: str) -> bool:
    """Whether two columns are counted in the same."""
    if not {a, b} <= set(evidence.table.names):  # lengths of texts
        return False
    numbers = ("integer", "decimal")
    one, other = evidence.table[a], evidence.table[b]
    return one.kind == other.kind or (one.kind in numbers and other.kind in numbers)


def _both(sheet: Sheet, a: str, b: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = sheet.values[a], sheet.values[b]
    there = ~np.isnan(x) & ~np.isnan(y)
    return x[there], y[there]


def _finding(place: tuple[str, ...], twin: np.ndarray, real: np.ndarray, source: str, sign: str = "") -> Finding:
    low, high = wilson(int(twin.sum()), len(twin))
    floor_low, floor_high = wilson(int(real.sum()), len(real)) if len(real) else (0.0, 1.0)
    return Finding("rules", 100 * float(twin.mean()), place, unit="%", low=100 * low, high=100 * high,
                   floor=100 * float(real.mean()) if len(real) else 0.0, floor_low=100 * floor_low,
                   floor_high=100 * floor_high, detail={"floor_from": source} | ({"rule": sign} if sign else {}))
