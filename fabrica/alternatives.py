"""Rows that satisfy one of several alternatives, of which each is rare: drawn from each of them, and made fair.

What an ``or`` joins cannot be said by masks, which are one a column; each alternative can. Rows of all alternatives
together, as many of each as it is likely, have the density m(x) p(x), where m(x) is the number of alternatives that a
row satisfies; so a row is kept with the chance 1 / m(x) (the coverage estimator of Karp, Luby & Madras, J. Algorithms
10, 1989, as a sampler).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrica.errors import ExpressionError
from fabrica.expression import Expression
from fabrica.generator import CellsOf, Drawn, Factor, Generator, Hardly
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["Either"]

LOOK = 1 << 13  #: rows of each alternative by which it is known how likely it is


@dataclass(frozen=True)
class Either(Generator):
    """A generator under one of several alternatives.

    Parameters
    ----------
    base : the generator without them; ``those`` are the alternatives.
    branches : the base under each that is possible.
    chances : (b,) how likely each is, of the base's untouched law.
    few : the rows of those of which hardly any were found; None for the others.
    """

    base: Generator
    those: tuple[Expression, ...]
    branches: tuple[Generator, ...]
    chances: np.ndarray
    few: tuple[Drawn | None, ...]

    @classmethod
    def of(cls, base: Generator, those: Sequence[Expression], run: Run) -> Either:
        """Look at each alternative.

        Raises
        ------
        ExpressionError : all of them are impossible; tells of the first.
        """
        kept, branches, chances, few = [], [], [], list[Drawn | None]()
        refused: ExpressionError | None = None
        for i, one in enumerate(those):
            try:
                branch = base.under([one], run.child(i))
                found, hardly = branch.rows(LOOK, run.child("look").child(i)), False
            except ExpressionError as error:  # a few rows there may be, or others may be possible
                refused = refused or error
                if not isinstance(error, Hardly) or error.drawn is None:
                    continue
                found, hardly = error.drawn, True
            kept.append(one)
            branches.append(branch)
            chances.append(found.share)
            few.append(found if hardly else None)
        if refused is not None and not kept:
            raise refused
        return cls(base, tuple(kept), tuple(branches), np.array(chances), tuple(few))

    @property
    def table(self) -> Table:  # type: ignore[override]
        return self.base.table

    def under(self, factors: Sequence[Factor], run: Run) -> Generator:
        if not factors:
            return self
        return Either.of(self.base.under(factors, run.child("base")), self.those, run.child("either"))

    def rows(self, size: int, run: Run) -> Drawn:
        random, parts, same, seen = run.child("choice").random(), list[Drawn](), list[np.ndarray](), 0
        kept = made = 0
        whole = self.chances.sum()
        for turn in range(1000):
            ahead = max(64, int(1.1 * (size - kept) * (made / kept if kept else 1.0)))
            for i, count in enumerate(random.multinomial(ahead, self.chances / whole)):
                if count:
                    drawn = self._of_branch(i, int(count), run.child(turn).child(i))
                    fine = np.flatnonzero(random.random(len(drawn)) * self._held(drawn.cells, len(drawn)) < 1)
                    parts.append(self.base.joined([drawn], fine))
                    same.append(self._first(i, seen, drawn)[fine])
                    kept, seen = kept + len(fine), seen + len(drawn)
            made += ahead
            if kept >= size:
                break
        order = random.permutation(kept)[:size]
        found, differ = self.base.joined(parts, order), len(np.unique(np.concatenate(same)[order]))
        return replace(found, share=float(whole * kept / made), differ=differ)

    def _of_branch(self, branch: int, size: int, run: Run) -> Drawn:
        """Rows of an alternative; where hardly any are found, those again and again."""
        found = self.few[branch]
        if found is None:
            try:
                return self.branches[branch].rows(size, run)
            except Hardly as error:
                if error.drawn is None:
                    raise
                found = error.drawn
        order = np.resize(np.arange(len(found)), size)
        return replace(self.base.joined([found], order), differ=min(len(found), size))

    def _first(self, branch: int, seen: int, drawn: Drawn) -> np.ndarray:
        """(n,) a number for each row that is the same for rows which are one row several times."""
        rows = np.arange(len(drawn)) % max(drawn.differ, 1)
        return seen + rows if self.few[branch] is None else -1 - rows * len(self.branches) - branch

    def _held(self, cells: CellsOf, rows: int) -> np.ndarray:
        """(n,) how many of the alternatives each row satisfies."""
        return np.sum([one.weights(cells) for one in self.those], 0) if rows else np.ones(0)

    def joined(self, parts: Sequence[Drawn], order: np.ndarray) -> Drawn:
        return self.base.joined(parts, order)

    def finished(self, rows: Drawn, numbers: range, run: Run) -> CellsOf:
        return self.base.finished(rows, numbers, run)

    def broken(self, cells: CellsOf) -> np.ndarray:
        return self.base.broken(cells)
