"""The Gaussian copula: behind each column a normal variable nobody sees, behind the table their correlations.

Each column's codes are neighbouring intervals of its normal (``margin.py``); levels stand in the order that shows most
of how they hang together with the rest (``arrange.py``); the correlations of the normals are found from those of the
codes by a bridge function (``bridge.py``), made to fit together (``fabrica/nearest.py``), and turned into rows by
their ranks (``draw.py``). Cells that are known tie a row's normals to intervals (``given.py``).

(Sklar 1959; for mixed columns: Hoff, "Extending the rank likelihood for semiparametric copula estimation", Annals of
Applied Statistics 1, 2007; Fan et al., JRSS B 79, 2017.) One number for each pair of columns is all that is learned: it
is quick and hard to overfit, and blind to all that is not monotone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from fabrica import sound
from fabrica.block import Block, code_type
from fabrica.contract import Conditional, Engine, Masked, Model
from fabrica.correlation import FLOOR, nearest
from fabrica.engines.copula.arrange import arranged
from fabrica.engines.copula.bridge import correlations, whole
from fabrica.engines.copula.draw import dealt
from fabrica.engines.copula.given import beyond, inside
from fabrica.engines.copula.margin import Margin
from fabrica.engines.copula.masked import normals
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Copula"]

LEAST = 1024  #: rows that are ranked together: the ranks of a few would blur how columns hang together


@dataclass(frozen=True)
class Copula(Engine):
    """Gaussian copula over codes."""

    title = "one number a pair: learned at once, a million rows a second; sees only what rises or falls together"
    source = "Hoff, Ann. Appl. Stat. 1(1), 2007; Fan, Liu, Ning and Zou, JRSS B 79(2), 2017"
    cost = 0.5

    def fit(self, rows: Block, given: Block | None, run: Run) -> CopulaModel:
        margins = arranged(rows, run.child("order").random())
        run.tell(1, 2, "estimating correlations")
        scores = np.empty((len(rows), len(margins)))
        for j, (margin, column) in enumerate(zip(margins, rows, strict=True)):
            scores[:, j] = whole(margin, column.codes)
        found = nearest(correlations(margins, scores)) if margins else np.zeros((0, 0))
        return CopulaModel(rows.empty(), tuple(margins), found)

    @staticmethod
    def declared(alphabet: Block, shares: Sequence[np.ndarray], correlation: np.ndarray) -> CopulaModel:
        """The model that nobody learned: codes with these ``shares``, in their order, over normals with this
        ``correlation`` (C, C). Its rows are independent and know their exact positions."""
        margins = (Margin(c, s, np.arange(c.size, dtype=np.int32)) for c, s in zip(alphabet, shares, strict=True))
        return CopulaModel(alphabet.empty(), tuple(margins), correlation, True)


@dataclass(frozen=True)
class CopulaModel(Model, Conditional, Masked):
    """The columns' margins and ``correlation`` (C, C), that of their normals; ``fine`` where the rows' positions are
    drawn with the codes, so that columns hang together within codes too, out to the tails."""

    alphabet: Block
    margins: tuple[Margin, ...]
    correlation: np.ndarray
    fine: bool = False

    @cached_property
    def _factor(self) -> np.ndarray:
        return np.linalg.cholesky(self.correlation)

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        if self.fine:
            return self._finely(size, run)
        count = max(size, LEAST)
        noise = np.empty((len(self.margins), count), np.float32)
        columns = []
        for j, margin in enumerate(self.margins):
            random = run.child(j).random()
            random.standard_normal(dtype=np.float32, out=noise[j])
            ladder = margin.evenly(count, random.random()).astype(code_type(margin.column.size))
            codes = dealt(noise[: j + 1], self._factor[j, : j + 1], ladder)
            columns.append(margin.column.filled(codes[:size]))
        return Block.of(columns, size)

    def _finely(self, size: int, run: Run) -> Block:
        """Independent rows, each column's position the share of its normal's mass below it."""
        noise = np.empty((len(self.margins), size))
        columns = []
        for j, margin in enumerate(self.margins):
            run.child(j).random().standard_normal(out=noise[j])
            normal = np.zeros(size)
            for k in np.flatnonzero(self._factor[j, : j + 1]):
                normal += self._factor[j, k] * noise[k]
            position = ndtr(normal)
            columns.append(margin.column.filled(margin.at(position), position))
        return Block.of(columns, size)

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        asked = np.zeros(len(self.margins), bool)
        asked[list(allowed)] = True
        held, others = np.flatnonzero(asked), np.flatnonzero(~asked)
        drawn, codes, left = normals([self.margins[j] for j in held], [allowed[int(j)] for j in held],
                                     self.correlation[np.ix_(held, held)], size, run.child("masked").random())
        noise = run.child("others").random().standard_normal((size, len(others)))
        latent = np.empty((size, len(self.margins)))
        latent[:, held] = drawn
        latent[:, others] = beyond(drawn, self.correlation, asked, noise) if len(held) and len(others) else (
            noise @ np.linalg.cholesky(self.correlation[np.ix_(others, others)]).T if len(others) else noise)
        columns = []
        for j, margin in enumerate(self.margins):
            position = ndtr(latent[:, j])
            found = codes[:, np.searchsorted(held, j)] if asked[j] else margin.at(position)
            columns.append(margin.column.filled(found, position if self.fine else None))
        return Block.of(columns, size), left

    def complete(self, rows: Block, known: np.ndarray, run: Run) -> Block:
        random = run.random()
        seeds = random.integers(0, 1 << 64, len(rows), np.uint64)
        noise = random.standard_normal(known.shape)
        codes = [c.codes.copy() for c in rows]
        reals = [c.reals.copy() if self.fine and c.reals is not None else np.full(len(rows), np.nan) for c in rows]
        for members in _alike(known):
            mask = known[members[0]]
            unknown = np.flatnonzero(~mask)
            latent = self._latent(rows.take(members), mask, seeds[members], noise[np.ix_(members, unknown)])
            for place, j in enumerate(unknown):
                reals[j][members] = position = ndtr(latent[:, place])
                codes[j][members] = self.margins[j].at(position)
        found = zip(rows, codes, reals, strict=True)
        return Block.of([c.filled(code, real if self.fine else None) for c, code, real in found], len(rows))

    def _latent(self, rows: Block, mask: np.ndarray, seeds: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """(n, U) the normals of the columns outside ``mask`` (C,), of rows that are known inside it."""
        held = np.flatnonzero(mask)
        if len(held) == 0 or noise.shape[1] == 0:
            return noise @ self._factor.T if len(held) == 0 else noise
        ends = [[end[rows.columns[j].codes] for end in self.margins[j].intervals] for j in held]
        low, high = (np.stack(side, 1) for side in zip(*ends, strict=True))
        normals = inside(low, high, self.correlation[np.ix_(held, held)], seeds)
        return beyond(normals, self.correlation, mask, noise)

    def words(self) -> list[str]:
        count = len(self.margins)
        return [f"{count * (count - 1) // 2} correlations of {count} columns"]

    def state(self) -> State:
        arrays = {f"{j}.{name}": getattr(m, name) for j, m in enumerate(self.margins) for name in ("shares", "order")}
        arrays["correlation"] = self.correlation[np.triu_indices(len(self.margins), 1)]
        plain = {"fine": True} if self.fine else {}
        return State.nest({"alphabet": self.alphabet.state(), "copula": State(plain, arrays)})

    @classmethod
    def from_state(cls, state: State) -> CopulaModel:
        alphabet, part = Block.from_state(state.part("alphabet")), state.part("copula")
        margins = Margin.read(part, alphabet)
        return cls(alphabet, margins, _correlation(part, len(margins)), sound.plain(part, "fine", bool, False))


def _correlation(state: State, count: int) -> np.ndarray:
    """(C, C) read and checked: it must be one that columns can have."""
    found = np.eye(count)
    a, b = np.triu_indices(count, 1)
    found[a, b] = found[b, a] = sound.array(state, "correlation", size=len(a), low=-1, high=1)
    fits = not count or bool(np.linalg.eigvalsh(found)[0] > FLOOR / 10)
    sound.demand(fits, "correlations that contradict each other")
    return found


def _alike(known: np.ndarray) -> list[np.ndarray]:
    """The rows in groups that have the same cells ``known`` (n, C)."""
    if not known.size:
        return []
    _, group = np.unique(np.packbits(known, axis=1), axis=0, return_inverse=True)
    group = group.ravel()
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
