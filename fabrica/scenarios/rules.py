"""``rules``: laws that all rows obey here, injected ones too, though the model was not learned with them.

    rules: ["end >= start", "total == net + tax", "not (sex == 'M' and pregnant == 'yes')"]

A formula is computed on finished rows; every other rule is a condition on the model, that it is not false (so a rule
about a missing value stands open). What must be learned from real rows, such as which state lies in which region, is
said when the model is learned (``fabrica fit --rules``), where rules also cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrica.errors import FabricaError, InputError
from fabrica.generator import CellsOf, Factor, Look, Tilt
from fabrica.rules import Rulebook
from fabrica.rules.formula import Computed, Formula
from fabrica.rules.group import Group
from fabrica.rules.law import Kept
from fabrica.rules.lookup import Lookup
from fabrica.rules.read import understood
from fabrica.rules.sense import demand_sense, sorted_by_need
from fabrica.rules.unique import Unique
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["Rules"]


@dataclass(frozen=True)
class Unbroken(Factor):
    """1 where a rule is not broken, else 0."""

    kept: Kept

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.kept.law.columns

    def weights(self, cells: CellsOf) -> np.ndarray:
        return (~self.kept.broken(cells)).astype(np.float64)

    def __str__(self) -> str:
        return self.kept.law.text


@dataclass(frozen=True)
class Rules(Tilt):
    """Rules that are kept without having been learned.

    Parameters
    ----------
    asked : rules that are conditions.
    book : all of them, as finished rows are mended.
    """

    title = "laws that all rows obey: formulas are computed, the others are conditions"
    source = "von Neumann, Various techniques used in connection with random digits (1951)"

    asked: tuple[Unbroken, ...]
    book: Rulebook

    @classmethod
    def read(cls, plain: Any, table: Table, where: str) -> Rules:
        if not isinstance(plain, list | tuple) or not all(isinstance(text, str) for text in plain):
            raise InputError("must be a list of rules, each a text", where=where)
        try:
            laws = understood(list(plain), table)
            demand_sense(laws, table)
        except FabricaError as error:
            raise error.at(where) from None
        for law in laws:
            if isinstance(law, Lookup | Group | Unique):
                raise InputError(f"{law.text!r} must be learned from real rows", where=where,
                                 hint="give it to `fabrica fit --rules`")
        kept = [Computed(law, True, True, 1) if isinstance(law, Formula) else law.study(1, False).kept()
                for law in laws]
        steps = tuple(i for i in sorted_by_need(laws) if isinstance(laws[i], Formula))
        asked = tuple(Unbroken(one) for one in kept if not isinstance(one.law, Formula))
        return cls(asked, Rulebook(table, tuple(kept), steps))

    def factors(self, look: Look) -> Sequence[Factor]:
        return self.asked

    def mended(self, cells: CellsOf, run: Run) -> CellsOf:
        return self.book.mended(self.book.again(cells, run.child("again")), run.child("mended"))

    def breaks(self, cells: CellsOf) -> np.ndarray:
        return np.any([kept.broken(cells) for kept in self.book.kept], axis=0)

    @property
    def computes(self) -> Mapping[str, str]:
        return {name: self.book.kept[i].law.text for i in self.book.steps for name in self.book.kept[i].law.gives}

    def found(self) -> Mapping[str, Any]:
        return {"rules": [kept.law.text for kept in self.book.kept]}
