"""``missing``: cells of a column go missing at a rate, everywhere, or where a condition on the row holds.

    missing: {cholesterol: {rate: 0.3, when: "age < 30"}, weight: 0.1}

Without ``when`` they are missing completely at random; with a condition on other columns at random; with one on the
column itself not at random (Rubin, "Inference and missing data", Biometrika 63, 1976). Conditions are those of the rows
as they were before any cell went missing, so that the order of columns does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import absence, wish
from fabrica.contract import Cells
from fabrica.errors import InputError
from fabrica.expression import Expression
from fabrica.generator import CellsOf, Edit
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["Missing"]


@dataclass(frozen=True)
class Missing(Edit):
    """``rate`` of the rows of which ``when`` is true lack the column, those included that lack it anyway."""

    title = "cells of a column go missing at a rate, where a condition holds"
    source = "Rubin, Inference and missing data (Biometrika 63, 1976)"

    column: str
    rate: float
    when: Expression | None = None

    @classmethod
    def read(cls, plain: Any, table: Table, where: str) -> Missing:
        """``plain`` is {column: rate} or {column: {rate: , when: }} of one column."""
        (name, wanted), = wish.fields(plain, list(plain) if isinstance(plain, Mapping) else (), where).items()
        known = wish.column(name, table, where)
        if known.kind == "empty":
            raise InputError(f"the column {name!r} has no values that could go missing", where=where)
        told = wish.fields(wanted if isinstance(wanted, Mapping) else {"rate": wanted}, ("rate", "when"), where,
                           ("rate",))
        when = wish.condition(told["when"], table, f"{where}, when") if told.get("when") is not None else None
        return cls(name, wish.share(told["rate"], f"{where}, rate"), when)

    def edited(self, cells: CellsOf, run: Run) -> CellsOf:
        mine = cells[self.column]
        rows = len(mine)
        concerned = np.ones(rows, bool) if self.when is None else self.when.truth(cells)
        lacks = absence.kinds(mine) > 0
        have = lacks[concerned].mean() if concerned.any() else 0.0
        chance = (self.rate - have) / (1 - have) if have < 1 else 0.0
        gone = concerned & ~lacks & (run.child(self.column).random().random(rows) < chance)
        values = mine.values.take(pa.array(np.arange(rows), mask=gone))
        absent = None if mine.absent is None else np.where(gone, self._marker(mine.absent), mine.absent)
        return {self.column: Cells(values, absent)}

    def _marker(self, absent: np.ndarray) -> int:
        """The commonest way of being missing of the column here; where there is none its first marker."""
        counts = np.bincount(absent[absent > 0], minlength=2)
        return int(np.argmax(counts)) if counts.any() else 1

    def found(self) -> Mapping[str, Any]:
        return {"column": self.column, "rate": self.rate, **({"when": str(self.when)} if self.when else {})}
