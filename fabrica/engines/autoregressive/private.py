"""The chain under privacy: a smaller network over bins, learned through noise alone.

The codes' own counts come with the codec or are measured; codes that noise cannot tell apart are one bin. The network
begins with these margins and learns by DP-SGD how columns hang together; the bins' codes are drawn by their counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrica.bins import Bins, counted, spoken
from fabrica.block import Block, Told
from fabrica.engines.autoregressive.chain import ChainModel, Layers
from fabrica.engines.autoregressive.clipped import Frame, summed
from fabrica.nets.dpsgd import Descent, descended
from fabrica.run import Run
from fabrica.tokens import Tokens

if TYPE_CHECKING:
    from fabrica.engines.autoregressive import Autoregressive

__all__ = ["learned_privately"]

HIDDEN = 16  #: numbers in each column's layers where the user does not say
REACH = 6.0  #: that a weight may move, about
NOISE, FEWEST = 20_000_000, 50  #: numbers of noise that are drawn, about; steps of a network that is too large for it
SMALLEST = 1e-4  #: share of a bin at least, where its bias begins


def learned_privately(engine: Autoregressive, rows: Block, run: Run) -> ChainModel:
    """The model of the rows, as far as the budget of the run reaches."""
    if not rows.columns:
        return ChainModel(Tokens(()), Layers.none())
    total, bins, told = counted(rows, run)
    tokens = Tokens(tuple(b.token(c, t) for c, b, t in zip(rows, bins, told, strict=True)))
    frame = Frame(tuple(b.size for b in bins), engine.hidden or HIDDEN)
    weights = _begun(frame, told, run.child("weights").random())
    if len(bins) > 1:
        weights = _trained(engine, frame, weights, np.ascontiguousarray(spoken(rows, bins).T, np.int32), total, run)
    return ChainModel(tokens, _layers(frame, weights, tokens, bins))


def _trained(engine: Autoregressive, frame: Frame, weights: np.ndarray, words: np.ndarray, total: float, run: Run
             ) -> np.ndarray:
    """The weights after steps of which nothing but what was told before decides how many there are and how long."""
    steps = min(engine.steps, max(FEWEST, NOISE // frame.length))
    sums = run.sums(len(words), engine.taken, steps, frame.length, f"a network's gradient, {frame.length:,} numbers")
    return descended(weights, lambda places, now, most, bound: summed(words[places], frame, now, most, bound), sums,
                     total, Descent(REACH, engine.clip), run.child("train"))


def _begun(frame: Frame, told: list[Told], random: np.random.Generator) -> np.ndarray:
    """(length,) weights of a network that knows the margins and nothing else."""
    weights = np.zeros(frame.length, np.float32)
    for layers, one in zip(frame.parts(weights), told, strict=True):
        h = frame.hidden
        layers["first"][:] = random.normal(size=layers["first"].shape) * 0.1
        layers["first_bias"][:] = random.normal(size=h) * 0.5
        layers["second"][:] = random.normal(size=(h, h)) / h**0.5
        share = np.maximum(one.counts, 0) / max(1.0, np.maximum(one.counts, 0).sum())
        layers["bias"][:] = np.log(share + SMALLEST)
    return weights


def _layers(frame: Frame, weights: np.ndarray, tokens: Tokens, bins: list[Bins]) -> Layers:
    """The network over bins as one over tokens: a token behaves as its bin, and has its share of it."""
    columns, h, wide = len(frame.sizes), frame.hidden, max(frame.sizes, default=1)
    table, first = [], np.zeros((columns, wide, columns, h), np.float32)
    heads, biases = [], []
    parts = frame.parts(weights)
    for j, (token, own) in enumerate(zip(tokens.columns, bins, strict=True)):
        bin_of = own.of_tokens(token)
        shown = bin_of < own.size
        bin_of = np.where(shown, bin_of, 0)
        table.append(np.eye(wide, dtype=np.float32)[bin_of] * shown[:, None])
        share = np.bincount(token.of, own.share, token.size)
        heads.append(parts[j]["head"][bin_of] * shown[:, None])
        biases.append(np.where(shown, parts[j]["bias"][bin_of] + np.log(np.maximum(share, 1e-9)), np.log(SMALLEST)))
        for c in range(j):
            start = frame.starts[c]
            first[c, : frame.sizes[c], j] = parts[j]["first"][start : start + frame.sizes[c]]
    nothing = np.zeros((columns, 0), np.float32)
    stacked = {name: np.stack([p[name] for p in parts]) for name in ("first_bias", "second", "second_bias")}
    return Layers(table=np.concatenate(table), first=first, head=np.concatenate(heads).astype(np.float32),
                  bias=np.concatenate(biases).astype(np.float32), gain=nothing, offset=nothing,
                  open=np.zeros((columns, 0, h), np.float32), **stacked)
