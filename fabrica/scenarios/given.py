"""``given``: only rows that satisfy a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fabrica import wish
from fabrica.expression import Expression
from fabrica.generator import Factor, Look, Tilt
from fabrica.schema import Table

__all__ = ["Given"]


@dataclass(frozen=True)
class Given(Tilt):
    """All rows satisfy ``condition``."""

    title = "only rows that satisfy a condition"
    source = "von Neumann, Various techniques used in connection with random digits (1951)"

    condition: Expression

    @classmethod
    def read(cls, plain: Any, table: Table, where: str) -> Given:
        return cls(wish.condition(plain, table, where))

    @property
    def asks(self) -> Sequence[str]:
        return self.condition.columns

    def factors(self, look: Look) -> Sequence[Factor]:
        return (self.condition,)
