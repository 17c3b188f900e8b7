"""The frontier of fairness as a value: points of the dial ``fair``, what each gives and what it costs.

``pricing.py`` computes it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fabrica.errors import SettingError
from fabrica.interval import Interval
from fabrica.played import NOT_REPRESENTATIVE

__all__ = ["Frontier", "Group", "Point", "Question"]

@dataclass(frozen=True)
class Question:
    """Who is protected, in what.

    Parameters
    ----------
    protected : columns whose combinations are the groups.
    outcome : the column that groups should have alike.
    favourable : which of its values are favourable, as behind the ``=`` of a condition: ``>50K``, ``a|b``.
    legitimate : columns that may explain a difference.
    """

    protected: tuple[str, ...]
    outcome: str
    favourable: str
    legitimate: tuple[str, ...] = ()

    @classmethod
    def of(cls, protected: str | Sequence[str], outcome: str, favourable: str, legitimate: str | Sequence[str] = ()
           ) -> Question:
        """One name, or several.

        >>> Question.of("sex", "income", ">50K", ["age", "education"]).protected
        ('sex',)
        """
        names, factors = ((some,) if isinstance(some, str) else tuple(some) for some in (protected, legitimate))
        return cls(names, outcome, str(favourable), factors)

    def scenario(self, parity: float) -> dict[str, Any]:
        """The scenario of a point of the dial."""
        return {"fair": {"protected": list(self.protected), "outcome": self.outcome, "parity": parity,
                         **({"given": list(self.legitimate)} if self.legitimate else {})}}


@dataclass(frozen=True)
class Group:
    """A protected group, and which share of it is, and is said to be, favourable.

    Parameters
    ----------
    real : in the holdout. rows : in the synthetic rows. predicted,
        true : of what the classifier says, of all real rows and of the favourable ones (None where there are few).
    """

    name: str
    real: float
    rows: float
    predicted: float
    true: float | None


@dataclass(frozen=True)
class Point:
    """What a parity gives and costs, means over the draws.

    Parameters
    ----------
    parity : of the dial. dropped : whether the classifier did not see the protected columns.
    wished : the gap that the rows should have, (1 - parity) times that of the rows as learned.
    rows : the gap of the rows. predicted : of the classifier on real rows. opportunity : of its true positive rates.
    moved : what of the predicted gap of parity 0 is gone (paired).
    accuracy, auc : of the classifier on real rows. cost : the accuracy that parity 0 has more (paired).
    likeness : C2ST of the rows and the holdout, 1 where nobody can tell them apart.
    worth : which share of rows of equal weight the rows are worth, weighted back.
    """

    parity: float
    dropped: bool
    wished: float
    rows: Interval
    predicted: Interval
    opportunity: Interval | None
    moved: Interval
    accuracy: Interval
    auc: Interval
    cost: Interval
    likeness: Interval | None
    worth: float
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Frontier:
    """Fairness against accuracy.

    Parameters
    ----------
    points : by rising parity. dropped : the protected columns left out of the training, at parity 0.
    real : the gap of the outcome in the holdout.
    holdout, rows, draws : real rows, synthetic rows of a draw, and draws.
    left_out : how many groups were too small to be compared.
    """

    question: Question
    points: tuple[Point, ...]
    dropped: Point
    real: Interval
    holdout: int
    rows: int
    draws: int
    left_out: int
    engine: str
    seed: int

    def at(self, parity: float) -> Point:
        """The point of a parity."""
        found = next((point for point in self.points if abs(point.parity - parity) < 1e-9), None)
        if found is None:
            raise SettingError(f"{parity:g} is no point of this frontier", where="parity",
                               hint=f"there are: {', '.join(f'{p.parity:g}' for p in self.points)}")
        return found

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_frontier": 1, **asdict(self),
                "remark": f"rows of a parity above 0 are {NOT_REPRESENTATIVE}, on purpose"}

    def svg(self) -> str:
        """The picture."""
        from fabrica.page.frontier import picture

        return picture(self.to_json())

    def _repr_svg_(self) -> str:
        return self.svg()

    def save(self, path: str | Path) -> Path:
        """Write ``.svg`` or ``.json``, by the suffix."""
        path = Path(path)
        path.write_text(self.svg() if path.suffix == ".svg" else json.dumps(self.to_json(), indent=2,
                                                                              ensure_ascii=False), encoding="utf-8")
        return path

    def __str__(self) -> str:
        from fabrica.page.frontier import words

        return words(self.to_json())
