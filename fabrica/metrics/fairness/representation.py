"""Representation: is each group as large a part of the twin as of the original?

The share of the synthetic rows that a group has, over its share of the real ones: 1 where it is as large, 0.5 where
half of it is gone. For every protected column and every two of them, groups of 100 real people or more; smaller ones
are counted (``detail["small_groups"]``). What averages hide stands first: the table's number is that of the group that
is farthest from 1, in ratio.

``low`` and ``high`` of a group are one-sided 95 % bounds of its ratio (MOVER with Wilson's limits). Those of a column
and of the table are the lowest and the highest of all groups, so whoever wants every group to lie between two limits
compares just these two: each group is then tested at 5 %, which holds for all of them (Berger's intersection-union
test, Technometrics 24, 1982). Where people have several rows a share counts as if it came from fewer (Kish's design
effect).

Floor: the ratio of the group that is farthest from 1 in two tables of real rows of the same sizes, on average over 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fabrica.bounds import ratio
from fabrica.contract import Evidence, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.protected import Partition, owners, partitions
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import BOOTSTRAP

__all__ = ["Representation", "far"]

DRAWS = 200


class Representation(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether each group of people is as large a part of the twin as of the original"
    source: ClassVar[str] = "ratio of shares; bounds: Donner and Zou 2012"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"representation": ("train",)}
    needs: ClassVar[tuple[str, ...]] = ("protected",)

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        try:
            found = [_place(part, evidence, run.child(" × ".join(part.place))) for part in partitions(evidence)]
        except NotComputable as why:
            return [Finding("representation", None, better=1.0, problem=why.what)]
        measured = [one for one in found if one.value is not None]
        if not measured:
            return [Finding("representation", None, better=1.0, problem=found[0].problem), *found]
        worst = max(measured, key=lambda one: far(one.value or 0.0))
        low, high = min(one.low or 0.0 for one in measured), max(one.high or 0.0 for one in measured)
        small = sum(one.detail["small_groups"] for one in found)
        detail = {**worst.detail, "groups": [], "worst": " × ".join(worst.place), "small_groups": small,
                  "small_people": None,
                  "words": _words(worst, low, high)}
        return [Finding("representation", worst.value, better=1.0, low=low, high=high, floor=worst.floor,
                        floor_low=worst.floor_low, floor_high=worst.floor_high, detail=detail), *found]


def _words(worst: Finding, low: float, high: float) -> str:
    group = next(one for one in worst.detail["groups"] if one["group"] == worst.detail["group"])
    floor = worst.floor or 1.0
    luck = floor if group["ratio"] > 1 else 1 / floor
    where, ends = " × ".join(worst.place), (np.floor(100 * low) / 100, np.ceil(100 * high) / 100)
    return (f"Farthest from its share is {group['group']!r} (by {where}): {100 * group['twin']:.2f} % of the twin, "
            f"{100 * group['real']:.2f} % of the original, a ratio of {group['ratio']:.2f}; of as many real rows the "
            f"farthest has {luck:.2f}. With 95 % each group's ratio lies between {ends[0]:.2f} and {ends[1]:.2f}.")


def far(value: float | np.ndarray) -> Any:
    """How far a ratio is from 1, whichever way: a half as far as a double."""
    return np.abs(np.log(np.maximum(value, 1e-9)))


def _place(part: Partition, evidence: Evidence, run: Run) -> Finding:
    """The groups of one column, or of two."""
    try:
        part.need(1 if part.small else 2)
    except NotComputable as why:
        return Finding("representation", None, part.place, better=1.0, problem=why.what,
                       detail=part.counted(evidence.k))
    sides = [_shares(part, sheet, evidence.unit) for sheet in (evidence.real, evidence.synthetic)]
    (real, n), (twin, m) = sides
    told = [ratio(float(q * b), float(b), float(p * a), float(a)) for p, a, q, b in zip(real, n, twin, m, strict=True)]
    worst = max(range(len(told)), key=lambda g: far(told[g][0]))
    floor, floor_low, floor_high = _fresh(real, float(n.mean()), float(m.mean()), run.random())
    groups = [{"group": name, "people": people, "real": float(p), "twin": float(q), "ratio": value, "low": low,
               "high": high} for name, people, p, q, (value, low, high) in zip(
                   part.groups, part.people, real, twin, told, strict=True)]
    detail = {"group": part.groups[worst], "groups": groups, "floor_from": BOOTSTRAP, **part.counted(evidence.k)}
    return Finding("representation", told[worst][0], part.place, better=1.0, low=min(low for _, low, _ in told),
                   high=max(high for *_, high in told), floor=floor, floor_low=floor_low, floor_high=floor_high,
                   detail=detail)


def _shares(part: Partition, sheet: Sheet, unit: str | None) -> tuple[np.ndarray, np.ndarray]:
    """(groups,) the share of rows of each, and (groups,) of how many single rows that is worth."""
    at, who = part.of_rows(sheet), owners(sheet, unit)
    share = np.bincount(at[at >= 0], minlength=len(part.groups)) / max(1, sheet.rows)
    size = np.full(len(share), float(max(1, sheet.rows)))
    if who is None:
        return share, size
    rows = np.bincount(who)
    for g, p in enumerate(share):
        variance = float(((np.bincount(who, at == g) - p * rows) ** 2).sum()) / sheet.rows**2
        size[g] = min(size[g], p * (1 - p) / variance) if variance > 0 else size[g]
    return share, size


def _fresh(shares: np.ndarray, n: float, m: float, draw: np.random.Generator) -> tuple[float, float, float]:
    """What the farthest group of as many real rows is off by chance, with what 95 of 100 draws lie between."""
    whole = np.append(shares, max(0.0, 1 - shares.sum()))
    whole = whole / whole.sum()
    a, b = (draw.multinomial(round(size), whole, DRAWS)[:, :-1] / round(size) for size in (n, m))
    off = far(b / np.maximum(a, 1e-9)).max(1)
    mean, low, high = np.exp([off.mean(), *np.quantile(off, [0.025, 0.975])])
    return float(mean), float(low), float(high)
