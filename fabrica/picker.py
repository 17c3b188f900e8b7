"""Rejection for a model that draws blocks: the tokens that its rows are seen as, and which of them are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabrica import sound
from fabrica.block import Block, Coded
from fabrica.boosters.grow import PLACES
from fabrica.rejection import Rejection
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Tokens

__all__ = ["Picker"]

Draw = Callable[[int, Run], Block]  #: draws a block of so many rows


@dataclass(frozen=True)
class Picker:
    """A ``rejection`` over the ``tokens`` of blocks."""

    tokens: Tokens
    rejection: Rejection

    @classmethod
    def learned(cls, rows: Block, draw: Draw, share: float, run: Run, pays: float = 0.0, k: int = 5) -> Picker | None:
        """From real ``rows`` and rows as ``draw`` draws them; None as ``Rejection.learned`` says."""
        if share >= 1:
            return None
        tokens = Tokens.of(rows, PLACES, k).evened()
        found = Rejection.learned(tokens, tokens.encode(rows), lambda n, here: tokens.encode(draw(n, here)), share, run,
                                  pays, k)
        return None if found is None else cls(tokens, found)

    def drawn(self, size: int, draw: Draw, run: Run) -> Block:
        """``size`` rows that were drawn and kept."""
        made: list[Block] = []

        def make(count: int, here: Run) -> np.ndarray:
            made[:] = [draw(count, here)]
            return self.tokens.encode(made[0])

        kept = [made[0].take(where) for where in self.rejection.turns(self.tokens, size, make, run)]
        return Block.concat(kept) if kept else self.tokens.alphabet

    def log_kept(self, rows: Block) -> np.ndarray:
        """(n,) by how many nats drawn rows are likelier among those that are kept."""
        return self.rejection.log_kept(self.tokens, self.tokens.encode(rows))

    def words(self) -> list[str]:
        return [self.rejection.words()]

    # ---------------------------------------------------------------- storage

    @staticmethod
    def parts(picker: Picker | None) -> Mapping[str, State]:
        """What a model adds to the parts of its state."""
        return {} if picker is None else {"picker": State.nest(
            {"tokens": picker.tokens.state(), "rejection": picker.rejection.state()})}

    @classmethod
    def from_parts(cls, state: State, columns: Sequence[Coded]) -> Picker | None:
        """Read from the state of a model with these columns; None where it has no picker."""
        if "picker" not in state.plain.get("parts", {}):
            return None
        own = state.part("picker")
        tokens = Tokens.from_state(own.part("tokens"))
        sound.demand([t.column.size for t in tokens.columns] == [c.size for c in columns], "tokens of another table")
        return cls(tokens, Rejection.from_state(own.part("rejection"), tokens))
