"""From tokens to a model: play the game, keep the generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from fabrica.engines.gan.condition import Condition
from fabrica.engines.gan.model import GanModel, Told
from fabrica.engines.gan.network import Game
from fabrica.engines.gan.pairs import Pairs
from fabrica.engines.gan.task import GameTask
from fabrica.engines.gan.ties import Ties
from fabrica.engines.gan.watch import Watch
from fabrica.nets.loop import Plan, device_of, kept, train
from fabrica.nets.rows import aside, batch_size
from fabrica.run import Run
from fabrica.tokens import Tokens

if TYPE_CHECKING:
    from fabrica.engines.gan import Gan

__all__ = ["learned"]

ENOUGH = 4000  #: rows from which some are held out to judge by; a smaller table is judged by the rows it learns from
HELD, HELD_ROWS = 0.05, 2000  #: share of the rows that are, and their number at most
EPOCHS, MOST_STEPS = 16.0, 4000  #: at that many epochs, whatever the number of rows
LEAST, MADE = 16, 2048  #: rows for each step, at least; rows made at a time to be judged
SPARE = 0.7  #: of the time, the rest is for which rows to keep
AVERAGE = 0.999


def learned(engine: Gan, tokens: Tokens, rows: np.ndarray, run: Run) -> GanModel:
    """A model trained on token ``rows`` (n, C)."""
    device = device_of(engine.device)
    held, seen = aside(rows, HELD, HELD_ROWS, ENOUGH, run.child("held"))
    held = held if len(held) else rows
    cells = torch.from_numpy(seen.astype(np.int64)).to(device)
    condition = Condition.of(tokens, cells)
    net = Game(tokens, engine.latent, condition.size, engine.hidden, run).to(device)
    task = GameTask(net, condition, Ties.of(net, cells), cells, Pairs(held, run.child("pairs").random()),
                    Watch(tokens, held), min(len(rows), MADE), rate=engine.rate, penalty=engine.penalty)
    batch = batch_size(engine.batch, len(seen))
    plan = Plan(_steps(engine.epochs, len(seen), batch), batch, clip=0.0, average=AVERAGE, patience=0,
                looks=10 if len(rows) >= ENOUGH else 3, precision=engine.precision, share=SPARE)
    done = train(task, cells, plan, run.child("train"), kept(engine, "game", rows, run))
    facts: dict[str, object] = {"steps": done.steps, "best": done.best.step, "misplaced": done.best.judged}
    return GanModel(tokens, net.generator.numbers(), Told.over(tokens, engine.latent), facts=facts)


def _steps(epochs: float, rows: int, batch: int) -> int:
    """Batches: as many epochs as asked for, but fewer of a small or a large table."""
    scale = max(1.0, epochs / EPOCHS)
    return max(1, round(min(epochs * rows / batch, MOST_STEPS * scale, rows / LEAST * scale)))
