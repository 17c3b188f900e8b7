"""A coarser alphabet over coded columns: what networks and tables of counts learn.

Every absent code, every level and every point mass is a token of its own; the rest of an ordered column is cut into
runs of equal mass. Inside a token, codes are drawn by their shares. A row's likelihood is that of its codes,
log p(token) + log p(code | token), so the likelihoods of engines with different tokens can be compared.
(Equal-frequency discretisation with point masses kept: Catlett 1991; the idea of learning over it: van den Oord et
al., "Pixel recurrent neural networks", ICML 2016.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fabrica import sound
from fabrica.block import Block, Coded
from fabrica.state import State

__all__ = ["Token", "Tokens"]

HALF = 0.5  #: of a row, added to each code (Krichevsky and Trofimov, IEEE Trans. Inf. Theory 27, 1981)


@dataclass(frozen=True)
class Token:
    """The tokens of one column.

    Parameters
    ----------
    column : the alphabet of the codes, without rows.
    of : (size,) int32: the token of each code; tokens are numbered in the order of the codes.
    counts : (size,) float64: how many of the learned rows have each code (of the rest none, or k at least).
    """

    column: Coded
    of: np.ndarray
    counts: np.ndarray

    @classmethod
    def over(cls, column: Coded, most: int, k: int = 5) -> Token:
        """About ``most`` tokens for an ordered column, a token for each level of another; fewer than ``k`` people of
        the protected rest count as ``k``."""
        counts = column.counts(k)
        alone = not column.ordered or column.size - column.absent <= most
        of = np.arange(column.size) if alone else _runs(counts, column.absent, most)
        return cls(column.empty(), of.astype(np.int32), counts)

    def evened(self) -> Token:
        """The same token with its rows spread over its codes; the protected rest keeps its own."""
        totals, codes = np.bincount(self.of, self.counts, self.size), np.bincount(self.of, minlength=self.size)
        return replace(self, counts=(totals / np.maximum(codes, 1))[self.of])

    @cached_property
    def size(self) -> int:
        return int(self.of[-1]) + 1

    @cached_property
    def absent(self) -> int:
        """How many tokens at the low end mean "missing"."""
        return self.column.absent

    @cached_property
    def ordered(self) -> bool:
        """Whether tokens from ``absent`` on are sorted by value."""
        return self.column.ordered and self.size > self.absent + 2

    @cached_property
    def drawable(self) -> np.ndarray:
        """(size of the alphabet,) float64: how often each code may be drawn, which is never for the protected rest
        unless there is nobody else."""
        shown = self.column.shown(self.counts)
        return shown if shown.any() else np.ones(len(shown))

    @cached_property
    def seen(self) -> np.ndarray:
        """(K,) share of the learned rows that have each token."""
        return np.bincount(self.of, self.counts, self.size) / max(self.counts.sum(), 1.0)

    @cached_property
    def share(self) -> np.ndarray:
        """(K,) share of the rows to be drawn that have each token; zero where it may not be drawn."""
        mass = np.bincount(self.of, self.drawable, self.size)
        return mass / mass.sum()

    @cached_property
    def middle(self) -> np.ndarray:
        """(K,) the middle of each token in the marginal of those present, in [0, 1]; NaN where absent or unordered."""
        found = np.full(self.size, np.nan)
        if self.column.ordered:
            mass = self.seen[self.absent:]
            found[self.absent:] = (np.cumsum(mass) - mass / 2) / max(mass.sum(), 1e-300)
        return found

    @cached_property
    def start(self) -> np.ndarray:
        """(K + 1,) the first code of each token."""
        return np.searchsorted(self.of, np.arange(self.size + 1))

    def inside(self, tokens: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(n,) codes of the tokens (n,) at ``u`` (n,) in [0, 1): by their shares."""
        below = np.concatenate([[0.0], np.cumsum(self.drawable)])
        low, high = below[self.start[tokens]], below[self.start[tokens + 1]]
        found = np.searchsorted(below, low + u * (high - low), "right") - 1
        return np.clip(found, self.start[tokens], self.start[tokens + 1] - 1)

    def masked(self, allowed: np.ndarray) -> tuple[np.ndarray, Token]:
        """(K,) which share of each token's draws is left where a code is kept with the chance ``allowed`` (size of the
        alphabet,); and the token whose codes are drawn so.

        >>> token = Token.over(Coded("x", 4, np.arange(4).repeat(5), ordered=True), 2)
        >>> token.masked(np.array([1, 0, 0, 0.5]))[0].tolist()
        [0.5, 0.25]
        """
        left = np.bincount(self.of, self.drawable * allowed, self.size)
        whole = np.bincount(self.of, self.drawable, self.size)
        return left / np.maximum(whole, 1e-300), replace(self, counts=self.drawable * allowed)

    @cached_property
    def log_inside(self) -> np.ndarray:
        """(size of the alphabet,) log of each code's share of its token, smoothed by half a row for each code, so that
        a code which nobody had is unlikely and not impossible."""
        width = np.diff(self.start)
        mass = np.bincount(self.of, self.counts, self.size) + HALF * width
        return np.log((self.counts + HALF) / mass[self.of])


def _runs(counts: np.ndarray, absent: int, most: int) -> np.ndarray:
    """(size,) the token of each code of an ordered column: absent codes and point masses alone, the rest in runs of
    equal mass."""
    present = counts[absent:]
    total = max(present.sum(), 1.0)
    atom = present >= total / most
    rest = np.where(atom, 0.0, present)
    room = max(1, most - int(atom.sum()))
    run = np.minimum((np.cumsum(rest) - rest / 2) * room / max(rest.sum(), 1.0), room - 1).astype(np.int64)
    new = np.ones(len(present), bool)
    new[1:] = atom[1:] | atom[:-1] | (run[1:] != run[:-1])
    return np.concatenate([np.arange(absent), absent + np.cumsum(new) - 1])


@dataclass(frozen=True)
class Tokens:
    """The tokens of all columns of a block.

    >>> column = Coded("age", 100, np.arange(100).astype(np.uint8), ordered=True)
    >>> tokens = Tokens.of(Block.of([column]), most=10)
    >>> tokens.sizes, tokens.encode(Block.of([column]))[[0, 55, 99], 0].tolist()
    ((10,), [0, 5, 9])
    """

    columns: tuple[Token, ...]

    @classmethod
    def of(cls, block: Block, most: int, k: int = 5) -> Tokens:
        """Tokens learned from the rows of a block, about ``most`` for each ordered column."""
        return cls(tuple(Token.over(c, most, k) for c in block))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        return tuple(t.size for t in self.columns)

    @cached_property
    def alphabet(self) -> Block:
        return Block(tuple(t.column for t in self.columns), 0)

    def evened(self) -> Tokens:
        """The same tokens with the counts of all codes in a token alike, for who needs no finer ones."""
        return Tokens(tuple(t.evened() for t in self.columns))

    def encode(self, block: Block) -> np.ndarray:
        """(n, C) int32 tokens of the rows of a block over the same alphabet."""
        out = np.empty((len(block), len(self.columns)), np.int32)
        for j, (token, column) in enumerate(zip(self.columns, block, strict=True)):
            out[:, j] = token.of[column.codes]
        return out

    def masked(self, allowed: Mapping[int, np.ndarray]) -> tuple[dict[int, np.ndarray], Tokens]:
        """What ``Token.masked`` says of each column in ``allowed``; and the tokens whose codes are drawn so."""
        found = {j: self.columns[j].masked(mask) for j, mask in allowed.items()}
        return ({j: left for j, (left, _) in found.items()},
                Tokens(tuple(found[j][1] if j in found else token for j, token in enumerate(self.columns))))

    def decode(self, tokens: np.ndarray, randoms: Sequence[np.random.Generator]) -> Block:
        """A block with codes inside the tokens (n, C), drawn by a generator for each column."""
        columns = [token.column.filled(token.inside(tokens[:, j], randoms[j].random(len(tokens))))
                   for j, token in enumerate(self.columns)]
        return Block.of(columns, len(tokens))

    def log_inside(self, block: Block) -> np.ndarray:
        """(n,) log p(codes | tokens) of the rows."""
        found = np.zeros(len(block))
        for token, column in zip(self.columns, block, strict=True):
            found += token.log_inside[column.codes]
        return found

    def state(self) -> State:
        arrays = {f"{j}.{name}": getattr(t, name) for j, t in enumerate(self.columns) for name in ("of", "counts")}
        return State.nest({"alphabet": self.alphabet.state(), "tokens": State({}, arrays)})

    @classmethod
    def from_state(cls, state: State) -> Tokens:
        part = state.part("tokens")
        columns = []
        for j, column in enumerate(Block.from_state(state.part("alphabet"))):
            of = sound.array(part, f"{j}.of", size=column.size, low=0, high=column.size - 1, ascending=True,
                             kind=np.int32)
            counts = sound.array(part, f"{j}.counts", size=column.size, low=0, high=1e18)
            sound.demand(bool(len(of)) and of[0] == 0 and bool((np.diff(of) <= 1).all()), "tokens with gaps")
            sound.demand(bool((of[: column.absent + 1] == np.arange(min(column.absent + 1, column.size))).all()),
                         "tokens that join what is missing with what is not")
            columns.append(Token(column, of, counts))
        return cls(tuple(columns))
