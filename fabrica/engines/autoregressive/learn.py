"""From tokens to layers: build the network, train it, take its weights out of torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fabrica.engines.autoregressive.chain import Layers
from fabrica.engines.autoregressive.network import Chain, ChainTask
from fabrica.engines.autoregressive.shape import WIDE, Shape
from fabrica.nets.loop import Plan, device_of, kept, train
from fabrica.nets.rows import aside, batch_size, seeded
from fabrica.run import Run
from fabrica.tokens import Tokens

if TYPE_CHECKING:
    from fabrica.engines.autoregressive import Autoregressive

__all__ = ["learned"]

ENOUGH = 100  #: rows from which some are held out to judge by
HELD, HELD_ROWS = 0.1, 4000  #: share of the rows that are, and their number at most
EPOCHS = 8.0
LEAST_STEPS, MOST_STEPS = 700, 2000  #: at that many epochs, whatever the number of rows
FEW_EPOCHS = 20  #: of a table so small that this is less
WORSE = 0.03  #: of its nats, by which a network may be worse than the best
SPARE = 0.8  #: of the time, the rest sets margins right and finds out which rows to keep
MANY, MOST = 32_000, 2  #: rows that one network is enough for; networks at most


def learned(engine: Autoregressive, tokens: Tokens, rows: np.ndarray, run: Run) -> tuple[Layers, dict[str, Any]]:
    """The layers of a network trained on token ``rows`` (n, C), and how it went."""
    if not rows.shape[1]:
        return Layers.none(), {}
    count = engine.members or (plenty(*rows.shape) if math.isinf(run.left()) else 1)  # a budget buys one, learned well
    layers: list[Layers] = []
    facts: list[dict[str, Any]] = []
    enough = False
    while len(layers) < count and not enough:  # a network that is said to be good enough is the last
        i = len(layers)
        member, told, enough = _member(engine, tokens, rows, run.child(i), 1 / (count - i))
        layers.append(member)
        facts.append(told)
    return joined([layers[i] for i in good(facts)]), {"members": facts}


def good(facts: Sequence[dict[str, Any]]) -> list[int]:
    """Which networks are about as good as the best: one that a budget cut off early would spoil the mean."""
    nats = [math.inf if told["held_out_nats"] is None else told["held_out_nats"] for told in facts]
    found = [i for i, value in enumerate(nats) if value <= min(nats) + WORSE * abs(min(nats))]
    return found if math.isfinite(min(nats)) else [int(np.argmax([told["steps"] for told in facts]))]


def plenty(rows: int, columns: int) -> int:
    """How many networks: where rows are few, a network more is cheap, and their mean learns less by heart; a wide table
    is dear enough with one."""
    return 1 if columns > WIDE else int(np.clip(round(MANY / rows), 1, MOST))


def _steps(epochs: float, rows: int, batch: int, columns: int) -> int:
    """Batches at most: as many epochs as asked for, but some more of a small table and fewer of a large or wide one."""
    scale, narrow = epochs / EPOCHS, min(1.0, WIDE / max(1, columns))
    most, least = MOST_STEPS * max(1.0, scale), min(LEAST_STEPS, rows * FEW_EPOCHS / batch) * min(1.0, scale) * narrow
    return max(1, round(min(max(epochs * rows / batch, least), most)))


def _member(engine: Autoregressive, tokens: Tokens, rows: np.ndarray, run: Run, share: float
            ) -> tuple[Layers, dict[str, Any], bool]:
    """One network, judged on rows of its own that it does not learn from; it may take a ``share`` of the time left.
    Last whether somebody said that it is enough."""
    held, seen = aside(rows, HELD, HELD_ROWS, ENOUGH, run.child("held"))
    device = device_of(engine.device)
    net = Chain(tokens, Shape.of(tokens, engine.hidden), seeded(run.child("weights"))).to(device)
    task = ChainTask(net, tokens, torch.from_numpy(held.astype(np.int64)).to(device), rate=engine.rate,
                     decay=engine.decay, drop=engine.drop, shares=engine.orders)
    batch = batch_size(engine.batch, len(seen))
    steps = _steps(engine.epochs, len(seen), batch, rows.shape[1])
    plan = Plan(steps, batch, patience=engine.patience, precision=engine.precision, share=SPARE * share)
    done = train(task, torch.from_numpy(seen.astype(np.int64)).to(device), plan, run.child("train"),
                 kept(engine, "network", rows, run))
    facts = {"steps": done.steps, "best": done.best.step, "held_out_nats": done.best.judged}
    return layers_of(net), facts, done.enough


def layers_of(net: Chain) -> Layers:
    """The weights as numbers."""
    with torch.no_grad():
        columns, h = net.first_bias.shape
        heads = [net.head(j).T for j in range(columns)]
        biases = [getattr(net, f"bias{j}") for j in range(columns)]
        nothing = torch.zeros(columns, 0)
        shared = bool(net.shape.shared)
        parts = (net.table(), net.sum if shared else net.first, net.first_bias, net.second, net.second_bias,
                 torch.cat(heads), torch.cat(biases), net.gain if shared else nothing,
                 net.offset if shared else nothing, net.first if shared else torch.zeros(columns, 0, h))
        return Layers(*(np.ascontiguousarray(p.detach().float().cpu().numpy()) for p in parts))


def joined(members: Sequence[Layers]) -> Layers:
    """One network whose logits are the mean of its members' (side by side: each layer in blocks)."""
    if len(members) == 1:
        return members[0]
    table = np.concatenate([m.table for m in members], 1)
    bias = np.stack([m.bias for m in members]).mean(0).astype(np.float32)
    head = np.concatenate([m.head for m in members], 1) / np.float32(len(members))
    sides = {name: np.concatenate([getattr(m, name) for m in members], -1)
             for name in ("first_bias", "second_bias", "gain", "offset")}
    blocks = {name: _blocks([getattr(m, name) for m in members], axis)
              for name, axis in (("first", 1), ("second", 1), ("open", 1))}
    return Layers(table=table, bias=bias, head=head, **sides, **blocks)


def _blocks(parts: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """Arrays along the diagonal of ``axis`` and the last axis, zeros elsewhere."""
    sizes = np.array([(p.shape[axis], p.shape[-1]) for p in parts])
    shape = list(parts[0].shape)
    shape[axis], shape[-1] = sizes.sum(0)
    out = np.zeros(shape, np.float32)
    for part, (a, b) in zip(parts, np.cumsum(sizes, 0) - sizes, strict=True):
        where = [slice(None)] * out.ndim
        where[axis], where[-1] = slice(a, a + part.shape[axis]), slice(b, b + part.shape[-1])
        out[tuple(where)] = part
    return out
