"""Independent columns: the honest baseline. Every margin is right and nothing hangs together.

Whatever a metric says in favour of a twin, it should say less of this one; a metric that does not is blind to
dependence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fabrica import sound
from fabrica.block import Block, Coded
from fabrica.contract import Engine, Masked, Model
from fabrica.run import Run
from fabrica.state import State
from fabrica.uniforms import even

__all__ = ["Independent"]


def shares(column: Coded) -> np.ndarray:
    """(size,) how often each code occurs; the protected rest never."""
    counts = column.shown(np.bincount(column.codes, minlength=column.size))
    return counts / max(counts.sum(), 1)


@dataclass(frozen=True)
class Independent(Engine):
    """Each column on its own."""

    title = "the honest baseline: every column right, no two together; instant"
    source = "product of the marginals; folklore"
    cost = 0.3
    baseline = True

    def fit(self, rows: Block, given: Block | None, run: Run) -> IndependentModel:
        return IndependentModel(rows.empty(), tuple(np.cumsum(shares(c)) for c in rows))


@dataclass(frozen=True)
class IndependentModel(Model, Masked):
    """Cumulative shares of the codes, a column each."""

    alphabet: Block
    cumulative: tuple[np.ndarray, ...]

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        columns = []
        for i, (column, cumulative) in enumerate(zip(self.alphabet, self.cumulative, strict=True)):
            u = even(size, run.child(i).random())
            codes = np.searchsorted(cumulative, u * cumulative[-1], "right")
            columns.append(column.filled(np.minimum(codes, column.size - 1)))
        return Block.of(columns, size)

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        left, cumulative = 0.0, list(self.cumulative)
        for j, mask in allowed.items():
            mass = np.cumsum(np.diff(cumulative[j], prepend=0.0) * mask)
            if mass[-1] <= 0:
                return self.sample(size, None, run), np.full(size, -np.inf)
            left += np.log(mass[-1] / cumulative[j][-1])
            cumulative[j] = mass
        return replace(self, cumulative=tuple(cumulative)).sample(size, None, run), np.full(size, left)

    def state(self) -> State:
        arrays = {str(i): c for i, c in enumerate(self.cumulative)}
        return State.nest({"alphabet": self.alphabet.state(), "cumulative": State({}, arrays)})

    @classmethod
    def from_state(cls, state: State) -> IndependentModel:
        alphabet = Block.from_state(state.part("alphabet"))
        part = state.part("cumulative")
        return cls(alphabet, tuple(sound.array(part, str(i), size=c.size, low=0, high=1 + 1e-9, ascending=True)
                                   for i, c in enumerate(alphabet)))
