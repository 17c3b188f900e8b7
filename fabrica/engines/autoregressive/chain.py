"""The chain as numbers: a trained network without torch, which draws rows, completes them and tells how likely they
are.

The first layer is folded into tables: what a token adds to every later column is known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from fabrica import sound
from fabrica.block import Block
from fabrica.contract import Conditional, Likelihood, Masked, Model
from fabrica.engines.autoregressive import kernels
from fabrica.nets import forward
from fabrica.rejection import Rejection
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Tokens
from fabrica.uniforms import even_in_order

__all__ = ["ChainModel", "Layers"]

CANDIDATES = 16  #: drawn for each row whose unknown cells stand before known ones
SHORT = 512  #: rows whose candidates are drawn together
PART = 4096  #: rows that are drawn together, so that what they need stays in the cache
BIG = 1e6  #: no weight of a trained network is larger


@dataclass(frozen=True)
class Layers:
    """The weights of a chain over C columns with S tokens in all, float32.

    Parameters
    ----------
    table : (S, d) what stands for each token.
    first : (C, d, C, h), or (C, d, m) where ``shared`` sums up the columns before in m numbers.
    first_bias, second, second_bias : (C, h), (C, h, h), (C, h).
    head, bias : (S, h), (S,) the last layer, a row for each token.
    gain, offset, open : (C, m), (C, m), (C, m, h) of the shared state; of no size where there is none.
    """

    table: np.ndarray
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray
    head: np.ndarray
    bias: np.ndarray
    gain: np.ndarray
    offset: np.ndarray
    open: np.ndarray

    @property
    def shared(self) -> bool:
        return self.first.ndim == 3

    @classmethod
    def none(cls) -> Layers:
        """The layers of a table without columns."""
        sizes = ((0, 1), (0, 1, 0, 1), (0, 1), (0, 1, 1), (0, 1), (0, 1), (0,), (0, 0), (0, 0), (0, 0, 1))
        return cls(*(np.zeros(size, np.float32) for size in sizes))


@dataclass(frozen=True)
class ChainModel(Model, Likelihood, Conditional, Masked):
    """Tokens, layers, and which of the rows are kept (None: all). ``facts`` tell how it was trained."""

    tokens: Tokens
    layers: Layers
    rejection: Rejection | None = None
    facts: dict[str, object] = field(default_factory=dict)

    # ---------------------------------------------------------------- what it can do

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        rows = (self.made(size, run) if self.rejection is None
                else self.rejection.drawn(self.tokens, size, self.made, run))
        return self._decoded(rows, run)

    def made(self, size: int, run: Run) -> np.ndarray:
        """(n, C) int32 token rows before any is rejected."""
        rows = np.zeros((size, len(self.tokens.columns)), np.int32)
        for start in range(0, size, PART):
            self._fill(rows[start : start + PART], range(rows.shape[1]), (), run.child(start // PART))
        return rows

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        keeps, tokens = self.tokens.masked(allowed)
        rows, left = np.zeros((size, len(self.tokens.columns)), np.int32), np.zeros(size)
        for start in range(0, size, PART):
            part = slice(start, start + PART)
            self._fill(rows[part], range(rows.shape[1]), (), run.child(start // PART), keeps, left[part])
        if self.rejection is not None:
            left += self.rejection.log_kept(self.tokens, rows)
        return tokens.decode(rows, [run.child("inside").child(j).random() for j in range(rows.shape[1])]), left

    def complete(self, rows: Block, known: np.ndarray, run: Run) -> Block:
        """Candidates are drawn in an order that begins with what is known, and one of them is chosen as the chain says.

        Sampling importance resampling (Rubin 1988): the random orders propose, the native order decides. Where what is
        known stands before what is not, one draw is exact.
        """
        blank = [c.filled(np.where(known[:, j], c.codes, 0)) for j, c in enumerate(rows)]
        tokens = self.tokens.encode(Block.of(blank, len(rows)))
        for number, (pattern, where) in enumerate(_patterns(known)):
            for start in range(0, len(where), SHORT):
                some = where[start : start + SHORT]
                tokens[some] = self._completed(tokens[some], pattern, run.child(number).child(start // SHORT))
        drawn = self._decoded(tokens, run)
        return Block.of([c.filled(np.where(known[:, j], old.codes, c.codes))
                         for j, (c, old) in enumerate(zip(drawn, rows, strict=True))], len(rows))

    def _completed(self, rows: np.ndarray, pattern: np.ndarray, run: Run) -> np.ndarray:
        """``rows`` (n, C) with the columns outside ``pattern`` (C,) drawn given the others."""
        wanted, given = np.flatnonzero(~pattern), np.flatnonzero(pattern)
        exact = self.rejection is None and not (len(wanted) and (given > wanted[0]).any())
        count = 1 if exact or not len(wanted) else CANDIDATES
        many = np.repeat(rows, count, axis=0)
        proposed = self._fill(many, wanted, given, run.child("candidates"))
        if count == 1:
            return many
        weight = (self._log_chain(many, int(wanted[0])) + self._log_kept(many) - proposed).reshape(-1, count)
        chosen = np.argmax(weight + run.child("choice").random().gumbel(size=weight.shape), axis=1)
        return many.reshape(len(rows), count, -1)[np.arange(len(rows)), chosen]

    def log_prob(self, rows: Block, run: Run) -> np.ndarray:
        tokens = self.tokens.encode(rows)
        parts = [self._log_chain(tokens[s : s + PART]) for s in range(0, len(tokens), PART)]
        return self.tokens.log_inside(rows) + self._log_kept(tokens) + (np.concatenate(parts) if parts else 0.0)

    def _log_kept(self, tokens: np.ndarray) -> np.ndarray | float:
        """(n,) what rejection adds to the log-probability of token rows."""
        return 0.0 if self.rejection is None else self.rejection.log_kept(self.tokens, tokens)

    def _log_chain(self, tokens: np.ndarray, since: int = 0) -> np.ndarray:
        """(n,) log-probability of the tokens of the columns from ``since`` on, each given those before it."""
        found = np.zeros(len(tokens))
        for j, before in self._turns(tokens, range(since, tokens.shape[1]), range(since)):
            found += kernels.log_share(self._logits(tokens, j, before, self._bias(j)), tokens[:, j])
        return found

    def chances(self, rows: Block, column: int) -> np.ndarray:
        """(n, K) probability of each token of a column given all other cells of each row, by enumeration."""
        tokens, size = self.tokens.encode(rows), self.tokens.sizes[column]
        step, found = max(1, PART // size), np.empty((len(rows), size))
        for start in range(0, len(tokens), step):
            many = np.repeat(tokens[start : start + step], size, axis=0)
            many[:, column] = np.tile(np.arange(size, dtype=np.int32), len(many) // size)
            weight = (self._log_chain(many, column) + self._log_kept(many)).reshape(-1, size)
            share = np.exp(weight - weight.max(1, keepdims=True))
            found[start : start + step] = share / share.sum(1, keepdims=True)
        return found

    def words(self) -> list[str]:
        hidden = self.layers.second.shape[-1]
        return [f"a network of {hidden} numbers in each column's layers over {sum(self.tokens.sizes)} tokens",
                *([] if self.rejection is None else [self.rejection.words()])]

    # ---------------------------------------------------------------- drawing

    def _fill(self, rows: np.ndarray, wanted: Sequence[int] | np.ndarray, known: Sequence[int] | np.ndarray,
              run: Run, keeps: Mapping[int, np.ndarray] | None = None, left: np.ndarray | None = None) -> np.ndarray:
        """Draw the ``wanted`` columns of ``rows`` (n, C), one after the other, given the ``known`` ones; (n,) the
        log-probability of what was drawn. Tokens of column j are kept with the chance ``keeps[j]`` (K,), and what that
        leaves is added to ``left`` (n,) as a logarithm."""
        chance = np.zeros(len(rows))
        for j, before in self._turns(rows, wanted, known):
            logits = self._logits(rows, j, before, self._drawn(j))
            if keeps and left is not None and j in keeps:
                logits, share = forward.masked(logits, keeps[j])
                left += share
            cumulated, expected = forward.cumulated(logits)
            rows[:, j] = forward.draw(cumulated, even_in_order(expected, run.child(int(j)).random()))
            chance += kernels.log_drawn(cumulated, rows[:, j])
        return chance

    def _turns(self, rows: np.ndarray, wanted: Sequence[int] | np.ndarray, known: Sequence[int] | np.ndarray
               ) -> Iterator[tuple[int, np.ndarray]]:
        """Each wanted column with what its network sees before it: the columns, or the shared state of the rows, which
        grows once the caller has drawn the column."""
        columns = [int(j) for j in known]
        state = self._before(rows, np.array(columns, np.int64))
        for j in wanted:
            yield int(j), state
            columns.append(int(j))
            state = self._after(state, rows, int(j)) if self.layers.shared else np.array(columns, np.int64)

    def _before(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        if not self.layers.shared:
            return columns
        state = np.zeros((len(rows), self.layers.first.shape[2]), np.float32)
        for j in columns:
            state = self._after(state, rows, int(j))
        return state

    def _after(self, state: np.ndarray, rows: np.ndarray, j: int) -> np.ndarray:
        start, size = self.starts[j], self.tokens.sizes[j]
        return state + _product(self.layers.table[start : start + size], self.layers.first[j])[rows[:, j]]

    def _logits(self, rows: np.ndarray, j: int, before: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """(n, K) logits of column j of ``rows`` (n, C), whose network sees what ``_turns`` or ``_before`` gave."""
        layers, first_bias = self.layers, self.layers.first_bias[j]
        if layers.shared:
            opened = forward.swish(before * layers.gain[j] + layers.offset[j])
            x = forward.affine(opened, layers.open[j], first_bias)
        else:
            x = kernels.first(rows, before, self.starts, self._tables[j], first_bias)
        x = forward.swish(x)
        x += forward.swish(forward.affine(x, layers.second[j], layers.second_bias[j]))
        return forward.affine(x, self._heads[j], bias)

    def _decoded(self, rows: np.ndarray, run: Run) -> Block:
        return self.tokens.decode(rows, [run.child("inside").child(j).random() for j in range(rows.shape[1])])

    # ---------------------------------------------------------------- what is folded once

    @cached_property
    def starts(self) -> np.ndarray:
        """(C,) the first token of each column."""
        return np.cumsum([0, *self.tokens.sizes])[:-1].astype(np.int64)

    @cached_property
    def _tables(self) -> list[np.ndarray]:
        """For each column (S, h): what each token of the others adds to its first layer."""
        found = []
        for c in range(len(self.tokens.columns)):
            parts = [_product(self.layers.table[s : s + k], np.ascontiguousarray(self.layers.first[j, :, c]))
                     for j, (s, k) in enumerate(zip(self.starts, self.tokens.sizes, strict=True))]
            found.append(np.concatenate(parts))
        return found

    @cached_property
    def _heads(self) -> list[np.ndarray]:
        return [np.ascontiguousarray(self.layers.head[s : s + k].T)
                for s, k in zip(self.starts, self.tokens.sizes, strict=True)]

    def _bias(self, j: int) -> np.ndarray:
        return self.layers.bias[self.starts[j] : self.starts[j] + self.tokens.sizes[j]]

    def _drawn(self, j: int) -> np.ndarray:
        """(K,) the bias with tokens that may not be drawn out of reach."""
        return np.where(self.tokens.columns[j].share > 0, self._bias(j), kernels.NEVER).astype(np.float32)

    # ---------------------------------------------------------------- storage

    def state(self) -> State:
        arrays = {name: getattr(self.layers, name) for name in Layers.__dataclass_fields__}
        more = {} if self.rejection is None else {"rejection": self.rejection.state()}
        return State.nest({"tokens": self.tokens.state(), "layers": State({}, arrays), **more},
                          {"rejects": self.rejection is not None, "facts": self.facts})

    @classmethod
    def from_state(cls, state: State) -> ChainModel:
        tokens, arrays = Tokens.from_state(state.part("tokens")), state.part("layers").arrays
        for name in Layers.__dataclass_fields__:
            array = arrays.get(name)
            fine = isinstance(array, np.ndarray) and array.dtype == np.float32 and bool((np.abs(array) <= BIG).all())
            sound.demand(fine, f"weights {name!r} that are no network's")
        layers = Layers(**{name: np.ascontiguousarray(arrays[name]) for name in Layers.__dataclass_fields__})
        _demand_shapes(layers, len(tokens.columns), sum(tokens.sizes))
        rejects = sound.plain(state, "rejects", bool)
        return cls(tokens, layers, Rejection.from_state(state.part("rejection"), tokens) if rejects else None,
                   dict(sound.plain(state, "facts", dict)))


def _demand_shapes(layers: Layers, columns: int, total: int) -> None:
    """The layers fit each other and the tokens."""
    d, h = layers.table.shape[-1], layers.second.shape[-1]
    m = layers.first.shape[-1] if layers.shared else 0
    wanted = {
        "table": (total, d), "first": (columns, d, m) if layers.shared else (columns, d, columns, h),
        "first_bias": (columns, h), "second": (columns, h, h), "second_bias": (columns, h),
        "head": (total, h), "bias": (total,), "gain": (columns, m), "offset": (columns, m), "open": (columns, m, h),
    }
    for name, shape in wanted.items():
        sound.demand(getattr(layers, name).shape == shape, f"weights {name!r} of a wrong shape")


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return forward.affine(left, right, np.zeros(right.shape[1], np.float32))


def _patterns(known: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each pattern of known cells with the rows that have it."""
    if known.shape[1]:
        patterns, which = np.unique(known, axis=0, return_inverse=True)
        for i, pattern in enumerate(patterns):
            yield pattern, np.flatnonzero(which.ravel() == i)
