"""What is promised before a table is looked at: epsilon and delta, whose presence is hidden, how many rows of each
count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fabrica.errors import SettingError

__all__ = ["Privacy"]


@dataclass(frozen=True)
class Privacy:
    """The terms on which a table may be looked at.

    Parameters
    ----------
    epsilon : above 0, the smaller the safer: one unit more or less changes the probability of any result by a factor
        of e^epsilon at most.
    delta : the probability with which that may fail; far below one over how many units there are.
    unit : the column that says whose rows they are; None where each row is somebody else's.
    rows : rows of one unit that count at most; of those who have more, so many by chance.

    >>> Privacy(1.0).delta
    1e-06

    Raises
    ------
    SettingError : a value makes no sense.
    """

    epsilon: float
    delta: float = 1e-6
    unit: str | None = None
    rows: int = 1

    def __post_init__(self) -> None:
        for name in ("epsilon", "delta"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise SettingError("must be a finite number above 0", where=name,
                                   hint="epsilon 1 and delta 1e-6 are a common start")
        if self.delta >= 0.01:
            raise SettingError("must be far below one over the number of people", where="delta",
                               hint="1e-6 is a common choice: it is the probability that the promise fails")
        if isinstance(self.rows, bool) or not isinstance(self.rows, int) or self.rows < 1:
            raise SettingError("must be a whole number from 1 on", where="rows of one unit")
        if self.unit is None and self.rows != 1:
            raise SettingError("needs a unit column to count them by", where="rows of one unit",
                               hint="name it: --unit person_id")

    @property
    def whose(self) -> str:
        """Whose presence is hidden, in words.

        >>> Privacy(1.0, unit="person_id", rows=3).whose
        'one person_id, of whom 3 rows count at most'
        """
        if self.unit is None:
            return "one row"
        return f"one {self.unit}, of whom {self.rows} row{'s' * (self.rows > 1)} count{'s' * (self.rows == 1)} at most"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, thing: Any) -> Privacy | None:
        """Terms out of themselves, of plain values (``{"epsilon": 1}``) or of an epsilon; None stays None."""
        if thing is None or isinstance(thing, Privacy):
            return thing
        if isinstance(thing, Mapping):
            known = set(cls.__dataclass_fields__)
            if "epsilon" not in thing or not set(thing) <= known:
                raise SettingError(f"needs epsilon, and may have {', '.join(sorted(known - {'epsilon'}))}",
                                   where="privacy")
            return cls(**thing)
        return cls(thing)
