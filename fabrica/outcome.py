"""Outcomes: what the target can turn out as, each a question with the answers yes and no.

A target of two levels has one outcome, the rarer level: the gap of the other is as wide. Of more levels each is an
outcome in turn. A number has one outcome: above the original's median, or where it has two values the rarer of them.
Rows without a target are asked nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrica.contract import Evidence, Sheet
from fabrica.errors import NotComputable
from fabrica.fairness import Tally, gap, redrawn
from fabrica.notation.words import spelled
from fabrica.protected import LEAST, Partition, resampled
from fabrica.run import Run

__all__ = ["Outcome", "answered", "gaps", "outcomes"]

MOST = 20  #: levels that are outcomes, the commonest


@dataclass(frozen=True)
class Outcome:
    """One outcome of the target: to be of ``level``, or above the number ``above``."""

    target: str
    label: str
    level: float | None = None
    above: float | None = None

    def known(self, sheet: Sheet) -> np.ndarray:
        """(n,) bool: rows that have a target."""
        cells = sheet.values[self.target]
        return cells >= 0 if self.target in sheet.levels else ~np.isnan(cells)

    def yes(self, sheet: Sheet) -> np.ndarray:
        """(n,) bool: rows of this outcome."""
        cells = sheet.values[self.target]
        return np.asarray(cells == self.level if self.above is None else np.nan_to_num(cells, nan=-np.inf) > self.above)


def outcomes(evidence: Evidence) -> tuple[list[Outcome], int]:
    """The outcomes that are looked at, the commonest first, and how many levels are left out: fewer than ``LEAST`` real
    rows have them, or they are beyond the 20 commonest.

    Raises
    ------
    NotComputable : there is no target, or all rows have one outcome.

    >>> from fabrica.schema import Column, Table
    >>> sheet = Sheet(400, {"pay": np.arange(400.0)}, {})
    >>> outcomes(Evidence(Table("t", (Column("pay", "integer"),)), sheet, sheet, target="pay"))[0][0].label
    'pay above 200'
    """
    name, real = evidence.target, evidence.real
    if name is None:
        raise NotComputable("no target was declared")
    if name not in real.values:
        raise NotComputable(f"a column of the kind {evidence.table[name].kind!r} cannot be a target")
    cells = real.values[name]
    known, counts = np.unique(cells[cells >= 0] if name in real.levels else cells[~np.isnan(cells)], return_counts=True)
    if len(known) < 2:
        raise NotComputable("the target has only one level")
    if name not in real.levels and len(known) > 2:
        middle = float(np.nanmedian(cells))
        middle = float(known[0]) if middle >= known[-1] else middle  # more than half have the largest value
        return [Outcome(name, f"{name} above {float(f'{middle:.3g}'):g}", above=middle)], 0
    if len(known) == 2:
        order = [int(counts.argmin())]
    else:
        order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i] >= LEAST][:MOST]
    if not order or counts[order[0]] < LEAST:
        raise NotComputable(f"fewer than {LEAST} real rows have an outcome that others have not")
    told = spelled(evidence.table[name], real.levels.get(name, ()))
    return ([Outcome(name, told[int(known[i])] if told else f"{name} = {known[i]:g}", level=float(known[i]))
             for i in order], 0 if len(known) == 2 else len(known) - len(order))


def answered(outcome: Outcome, part: Partition, sheet: Sheet, weights: np.ndarray | None = None) -> Tally:
    """Rows of each group that have a target, and of this outcome; with (B, n) ``weights`` a tally for each."""
    at = part.of_rows(sheet)
    rows = (at >= 0) & outcome.known(sheet)
    return Tally.of(at[rows], outcome.yes(sheet)[rows], (len(part.groups), 1),
                    None if weights is None else weights[:, rows])


def gaps(outcome: Outcome, part: Partition, sheet: Sheet, unit: str | None, compared: Sequence[int], run: Run) -> Any:
    """(1 + DRAWS,) the largest difference between two of the ``compared`` groups: of the rows, then of people drawn
    anew."""
    random = run.random()
    if unit is None:
        return gap(redrawn(answered(outcome, part, sheet).of_groups(compared), random))
    return gap(answered(outcome, part, sheet, resampled(sheet, unit, random)).of_groups(compared))
