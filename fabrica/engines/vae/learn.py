"""From tokens to a model: train the autoencoder, find the clouds of the rows, learn their prior.

Both trainings leave the same rows aside to be judged by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fabrica.engines.vae.flow import Flow
from fabrica.engines.vae.flow_net import FlowNet, FlowTask
from fabrica.engines.vae.mixture import Mixture, fitted
from fabrica.engines.vae.model import VaeModel, scaled
from fabrica.engines.vae.network import Autoencoder, AutoencoderTask
from fabrica.nets.loop import Plan, Trained, device_of, kept, train
from fabrica.nets.rows import aside, batch_size, seeded
from fabrica.run import Run
from fabrica.tokens import Tokens

if TYPE_CHECKING:
    from fabrica.engines.vae import Vae

__all__ = ["learned"]

ENOUGH = 100  #: rows from which some are held out to judge by
HELD, HELD_ROWS = 0.05, 2000  #: share of the rows that are, and their number at most
PRICE = 0.1  #: of the latent numbers in the beginning
LEAST_STEPS, MOST_STEPS = 800, 4000  #: of the autoencoder
FEW_EPOCHS = 30  #: times that a row is seen at most, whatever the least number of steps says
A_STEP = 8  #: rows that the flow wants to see for each of its steps
FEW = 4000  #: rows below which layers are half as wide
HIDDEN, WIDTH = 192, 256  #: numbers in a layer of the autoencoder, of the flow
HALF, SPARE = 0.4, 0.7  #: of the time that is left, for the autoencoder: before a flow; before a mixture


def learned(engine: Vae, tokens: Tokens, rows: np.ndarray, run: Run) -> VaeModel:
    """A model trained on token ``rows`` (n, C)."""
    device = device_of(engine.device)
    parts = aside(rows, HELD, HELD_ROWS, ENOUGH, run.child("held"))
    held, seen = (torch.from_numpy(part.astype(np.int64)).to(device) for part in parts)
    net, facts = _autoencoder(engine, tokens, held, seen, rows, run.child("autoencoder"))
    clouds, middle, spread = _clouds(net, seen)
    decoder = scaled(net.decoder.numbers(), middle, spread)
    prior: Flow | Mixture
    if engine.prior == "mixture":
        prior = _mixture(engine, clouds, run.child("mixture"))
    else:
        prior, facts["flow"] = _flow(
            engine, clouds, _moved(_cloud(net, held), middle, spread), rows, run.child("flow"))
    return VaeModel(tokens, decoder, prior, facts=facts)


def _autoencoder(engine: Vae, tokens: Tokens, held: torch.Tensor, seen: torch.Tensor, rows: np.ndarray, run: Run
                 ) -> tuple[Autoencoder, dict[str, Any]]:
    hidden = engine.hidden or _width(len(seen), HIDDEN)
    net = Autoencoder(tokens, engine.latent or _latent(tokens), hidden, seeded(run.child("weights"))).to(held.device)
    task = AutoencoderTask(net, held, rate=engine.rate, price=(max(PRICE, engine.price), engine.price))
    batch = batch_size(engine.batch, len(seen))
    plan = Plan(_steps(engine.epochs, len(seen), batch), batch, patience=3, precision=engine.precision,
                share=HALF if engine.prior == "flow" else SPARE)
    return net, {"autoencoder": _facts(
        train(task, seen, plan, run.child("train"), kept(engine, "autoencoder", rows, run)))}


def _flow(engine: Vae, clouds: torch.Tensor, held: torch.Tensor, rows: np.ndarray, run: Run
          ) -> tuple[Flow, dict[str, Any]]:
    width = engine.width or _width(len(clouds), WIDTH)
    net = FlowNet(clouds.shape[1] // 2, width, seeded(run.child("weights"))).to(clouds.device)
    batch = batch_size(2 * engine.batch, len(clouds))
    steps = max(1, min(engine.steps, len(clouds) // A_STEP))
    plan = Plan(steps, batch, patience=3, precision=engine.precision, share=SPARE)
    done = train(FlowTask(net, held, rate=engine.flow_rate), clouds, plan, run.child("train"),
                 kept(engine, "flow", rows, run))
    return net.numbers(), _facts(done)


def _mixture(engine: Vae, clouds: torch.Tensor, run: Run) -> Mixture:
    middle, spread = (part.cpu().numpy() for part in clouds.chunk(2, 1))
    noise = run.child("noise").random().standard_normal(middle.shape, np.float32)
    return fitted(middle + spread * noise, engine.components, run.child("fit"))


def _clouds(net: Autoencoder, rows: torch.Tensor) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """(n, 2 L) clouds of the rows, moved so that what is drawn from them has middle zero and spread one in every
    direction; the middle and the spread it had."""
    clouds = _cloud(net, rows)
    middle, width = clouds.double().chunk(2, 1)
    center = middle.mean(0)
    spread = torch.sqrt(((middle - center) ** 2 + width**2).mean(0))
    numbers = center.float().cpu().numpy(), spread.float().cpu().numpy()
    return _moved(clouds, *numbers), *numbers


def _cloud(net: Autoencoder, rows: torch.Tensor) -> torch.Tensor:
    """(n, 2 L) middles and standard deviations."""
    latent = net.cloud_bias.shape[0] // 2
    with torch.no_grad():
        parts = [net.encode(part) for part in rows.split(4096)] if len(rows) else []
    found = [torch.cat([middle, torch.exp(spread / 2)], 1) for middle, spread in parts]
    return torch.cat(found) if found else torch.zeros(0, 2 * latent, device=rows.device)


def _moved(clouds: torch.Tensor, center: np.ndarray, spread: np.ndarray) -> torch.Tensor:
    middle, width = clouds.chunk(2, 1)
    by = torch.from_numpy(spread).to(clouds.device)
    return torch.cat([(middle - torch.from_numpy(center).to(clouds.device)) / by, width / by], 1)


def _latent(tokens: Tokens) -> int:
    """Latent numbers: more for more columns."""
    return int(np.clip(8 + len(tokens.columns), 8, 32))


def _width(rows: int, usual: int) -> int:
    """Numbers in a layer: half as many where there are few rows to learn from."""
    return usual if rows >= FEW else usual // 2


def _steps(epochs: float, rows: int, batch: int) -> int:
    """Batches: as many epochs as asked for, but some more of a small table and fewer of a large one."""
    wanted = epochs * rows / batch
    scale = epochs / 20.0
    least = min(LEAST_STEPS * scale, FEW_EPOCHS * rows / batch * scale)
    return max(1, round(min(max(wanted, least), MOST_STEPS * max(1.0, scale))))


def _facts(done: Trained) -> dict[str, Any]:
    return {"steps": done.steps, "best": done.best.step, "held_out": done.best.judged}
