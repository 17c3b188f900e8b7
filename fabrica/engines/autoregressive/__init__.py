"""The autoregressive network: each column is drawn from a network that looks at the columns before it.

The joint is a chain of conditionals over tokens, learned by maximum likelihood with all columns side by side (MADE;
Germain, Gregor, Murray, Larochelle, ICML 2015; NADE for wide tables). A share of every batch is learned in a random
order of the columns, so that any cells can be drawn given any others (Uria et al., "A deep and tractable density
estimator", ICML 2014). Fine columns are said as smooth curves (``nets/columns.py``), so that nobody is learned by
heart. After training, each column's bias is moved until the margins of what is drawn are those of the data. torch is
needed to fit and not to sample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from fabrica.block import Block
from fabrica.contract import Engine, Setting
from fabrica.engines.autoregressive.chain import ChainModel
from fabrica.engines.autoregressive.private import learned_privately
from fabrica.nets import forward
from fabrica.nets.needed import torch_or_say
from fabrica.nets.settings import Batch, Checkpoint, Device, Precision
from fabrica.rejection import PAYS, Keep, People, Rejection
from fabrica.run import Run
from fabrica.tokens import Tokens
from fabrica.uniforms import even_in_order

__all__ = ["Autoregressive"]

SETTLED = 8_192  #: rows drawn to set the margins right
STEADY = 0.5  #: how far a bias may be moved at a time, in nats
ROUNDS, PRIVATE_ROUNDS = 2, 5  #: of moves; more where noise has moved the biases too


@dataclass(frozen=True)
class Autoregressive(Engine):
    """The token network."""

    title = "a network over tokens: as sharp as trees, says how likely a row is; ten seconds to a minute"
    source = "Germain et al., ICML 2015; Uria et al., JMLR 17(205), 2016"
    cost = 28.0
    start = 6.0
    needs = ("torch",)
    extra = "nets"
    private = "can"

    epochs: Annotated[float, Setting("times that each row is seen, about", low=0.01, high=10_000, search=(4, 24))] = 8.0
    tokens: Annotated[int, Setting("tokens of a numeric column, about", low=4, high=10_000, search=(48, 512))] = 256
    hidden: Annotated[
        int, Setting("numbers in each column's layers; 0: by the table", low=0, high=4096, search=(16, 160))] = 0
    batch: Batch = 256
    rate: Annotated[float, Setting("learning rate", low=1e-6, high=1, search=(0.001, 0.01))] = 3e-3
    drop: Annotated[
        float, Setting("share of the numbers left out while learning", low=0, high=0.9, search=(0, 0.3))] = 0.05
    decay: Annotated[float, Setting("weight decay", low=0, high=100, search=(0.01, 1))] = 0.1
    members: Annotated[int, Setting("networks whose mean is taken; 0: by the rows", low=0, high=50)] = 0
    orders: Annotated[float, Setting("share of the rows learned in random order", low=0.05, high=0.9)] = 0.3
    patience: Annotated[int, Setting("looks without progress before it stops; 0: never", low=0, high=1000)] = 2
    steps: Annotated[int, Setting("under --epsilon: noisy steps", low=1, high=100_000)] = 300
    taken: Annotated[float, Setting("under --epsilon: share of the rows that a step takes", low=1e-6, high=1)] = 0.1
    clip: Annotated[float, Setting("under --epsilon: length that a row's gradient is cut to", low=1e-3, high=1e3)] = 2.0
    k: People = 5
    keep: Keep = 0.4
    checkpoint: Checkpoint = ""
    device: Device = "cpu"
    precision: Precision = "float32"

    def fit(self, rows: Block, given: Block | None, run: Run) -> ChainModel:
        if run.private:
            return _settled(learned_privately(self, rows, run), run.child("settle"), PRIVATE_ROUNDS)
        torch_or_say("autoregressive")
        from fabrica.engines.autoregressive.learn import learned

        tokens = Tokens.of(rows, self.tokens, self.k)
        seen = tokens.encode(rows)
        layers, facts = learned(self, tokens, seen, run)
        model = _settled(ChainModel(tokens, layers, facts=facts), run.child("settle"))
        return replace(model, rejection=Rejection.learned(
            tokens, seen, model.made, self.keep, run.child("rejection"), PAYS, self.k))


def _settled(model: ChainModel, run: Run, rounds: int = ROUNDS) -> ChainModel:
    """The model with the bias of each column moved, one after the other, until its margin is the data's."""
    bias, tokens = model.layers.bias.copy(), model.tokens
    model = replace(model, layers=replace(model.layers, bias=bias))  # a view that follows as ``bias`` is moved
    rows = np.zeros((SETTLED, len(tokens.columns)), np.int32)
    for j, before in model._turns(rows, range(rows.shape[1]), ()):
        token, start = tokens.columns[j], model.starts[j]
        here = bias[start : start + token.size]
        shown = token.share > 0
        for _ in range(rounds):
            cumulated, _ = forward.cumulated(model._logits(rows, j, before, model._drawn(j)))
            share = np.diff(np.mean(cumulated / cumulated[:, -1:], 0, dtype=np.float64), prepend=0.0)
            move = np.log(np.maximum(token.share[shown], 1e-9) / np.maximum(share[shown], 1e-9))
            here[shown] += np.clip(move, -STEADY, STEADY).astype(np.float32)
        cumulated, expected = forward.cumulated(model._logits(rows, j, before, model._drawn(j)))
        rows[:, j] = forward.draw(cumulated, even_in_order(expected, run.child(j).random()))
    return model
