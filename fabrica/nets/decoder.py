"""From latent numbers to whole rows, as numbers without torch: what a variational autoencoder's decoder and a game's
generator have in common once they are trained.

All columns of a row are said at once, each independent of the others given the latent numbers, and drawn, never
taken at their likeliest. The biases of a column are moved until the mean of what is expected of many rows is the
column's margin (raking; Deming and Stephan 1940, here by Newton's method); a large sample may be raked once more by
itself, so that the luck of its latent numbers does not show in any margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from fabrica import sound
from fabrica.errors import ModelFileError
from fabrica.nets import forward, raking
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Token, Tokens
from fabrica.uniforms import even_in_order

__all__ = ["Decoder", "weights"]

NEVER = np.float32(-1e29)  #: a bias that says that the token is never drawn
BIG = 1e6  #: no weight of a trained network is larger
CELLS = 1 << 23  #: probabilities that are held at a time
MANY = 2048  #: rows from which a sample is raked by itself
FAR = 2.0  #: nats by which a sample's biases may differ from those that were learned, at most
PART = 8192  #: rows that go forward together, so that what they need stays in the cache


def weights(state: State, name: str, *shape: int) -> np.ndarray:
    """The array ``name`` of a state: float32 weights of this shape (-1: any length)."""
    found = state.arrays.get(name)
    if not isinstance(found, np.ndarray) or found.dtype != np.float32:
        raise ModelFileError(f"the model has no weights {name!r}")
    sound.demand(found.ndim == len(shape) and all(s in (-1, t) for s, t in zip(shape, found.shape, strict=True)),
                 f"weights {name!r} of a wrong shape")
    sound.demand(bool((np.abs(found) <= BIG).all()), f"weights {name!r} that are no network's")
    return np.ascontiguousarray(found)


@dataclass(frozen=True)
class Decoder:
    """Weights of L latent numbers, B residual blocks of h numbers and S tokens in all, float32.

    Parameters
    ----------
    first, first_bias : (L, h), (h,).
    blocks, block_bias : (B, h, h), (B, h).
    head, bias : (h, S), (S,).
    """

    first: np.ndarray
    first_bias: np.ndarray
    blocks: np.ndarray
    block_bias: np.ndarray
    head: np.ndarray
    bias: np.ndarray

    @classmethod
    def blank(cls, tokens: Tokens) -> Decoder:
        """The decoder of a table without rows or columns: one latent number, which says nothing."""
        bias = np.concatenate([np.log(t.seen + 1e-5) for t in tokens.columns] or [np.zeros(0)]).astype(np.float32)
        nothing = np.zeros((1, 1), np.float32)
        return cls(nothing, nothing[0], np.zeros((0, 1, 1), np.float32), np.zeros((0, 1), np.float32),
                   np.zeros((1, len(bias)), np.float32), bias)

    def hidden(self, latent: np.ndarray) -> np.ndarray:
        """(n, h) the last layer's view of latent numbers (n, L) float32."""
        parts = [self._hidden(np.ascontiguousarray(latent[i : i + PART])) for i in range(0, len(latent), PART)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.first_bias)), np.float32)

    def _hidden(self, latent: np.ndarray) -> np.ndarray:
        x = forward.swish(forward.affine(latent, self.first, self.first_bias))
        for block, bias in zip(self.blocks, self.block_bias, strict=True):
            x = x + forward.swish(forward.affine(x, block, bias))
        return x

    def settled(self, tokens: Tokens, latent: np.ndarray) -> Decoder:
        """This decoder with biases at which the margins expected of ``latent`` are the data's."""
        if not len(latent):
            return self
        hidden, bias = self.hidden(latent), self.bias.copy()
        for token, here, head in self._columns(tokens):
            bias[here] = raking.raked(_some(hidden, token.size), head, self.bias[here], token)
        return replace(self, bias=bias)

    def draw(self, tokens: Tokens, latent: np.ndarray, run: Run, raked: bool = True,
             keeps: Mapping[int, np.ndarray] | None = None, left: np.ndarray | None = None) -> np.ndarray:
        """(n, C) int32 tokens for latent numbers (n, L); a large sample is ``raked`` by itself. Tokens of column j are
        kept with the chance ``keeps[j]`` (K,), and what that leaves is added to ``left`` (n,) as a logarithm."""
        hidden = self.hidden(latent)
        rows = np.zeros((len(latent), len(tokens.columns)), np.int32)
        for j, (token, here, head) in enumerate(self._columns(tokens)):
            bias = self.bias[here]
            if raked and len(latent) >= MANY:
                moved = raking.raked(_some(hidden, token.size), head, bias, token)
                bias = bias + np.clip(moved - bias, -FAR, FAR)
            bias = np.where(token.share > 0, bias, NEVER).astype(np.float32)
            for i, part in enumerate(_parts(len(rows), token.size)):
                logits = forward.affine(hidden[part], head, bias)
                if keeps and left is not None and j in keeps:
                    logits, share = forward.masked(logits, keeps[j])
                    left[part] += share
                cumulated, expected = forward.cumulated(logits)
                rows[part, j] = forward.draw(cumulated, even_in_order(expected, run.child(j).child(i).random()))
        return rows

    def _columns(self, tokens: Tokens) -> Iterator[tuple[Token, slice, np.ndarray]]:
        """Each column with the place of its tokens and its part of the last layer."""
        start = 0
        for token in tokens.columns:
            here = slice(start, start + token.size)
            yield token, here, np.ascontiguousarray(self.head[:, here])
            start = here.stop

    # ---------------------------------------------------------------- storage

    def state(self) -> State:
        return State({}, {name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def from_state(cls, state: State, tokens: Tokens, latent: int) -> Decoder:
        head = weights(state, "head", -1, sum(tokens.sizes))
        h, blocks = len(head), weights(state, "blocks", -1, len(head), len(head))
        return cls(weights(state, "first", latent, h), weights(state, "first_bias", h), blocks,
                   weights(state, "block_bias", len(blocks), h), head, weights(state, "bias", sum(tokens.sizes)))


def _some(hidden: np.ndarray, size: int) -> np.ndarray:
    """As many rows as can be looked at together, from the whole."""
    step = max(1, -(-len(hidden) * size // CELLS))
    return np.ascontiguousarray(hidden[::step])


def _parts(rows: int, size: int) -> list[slice]:
    """Rows whose probabilities are held together."""
    step = max(1024, CELLS // max(size, 1))
    return [slice(start, start + step) for start in range(0, rows, step)]
