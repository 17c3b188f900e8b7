"""The prior while it learns: which way a point on its way from noise to a row's latent numbers has to go.

Conditional flow matching along straight lines (Lipman et al., ICLR 2023; Liu et al., ICLR 2023). What a row's latent
numbers are is drawn from its cloud afresh at every step. Moments of the way are spread evenly over the batch and lie
densest in the middle (logit-normal; Esser et al., ICML 2024). Many small steps decide how good it becomes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fabrica.engines.vae.flow import TIMES, Flow, waves_of
from fabrica.nets.decoder_net import drawn
from fabrica.nets.loop import Player, Task

__all__ = ["FlowNet", "FlowTask"]

BLOCKS = 3


class FlowNet(nn.Module):
    """The velocity at points (n, L) at moments (n,).

    Parameters
    ----------
    latent, width : numbers of a point, numbers in a layer.
    chance : generator of the first weights.
    """

    angles: torch.Tensor

    def __init__(self, latent: int, width: int, chance: torch.Generator):
        super().__init__()
        self.register_buffer("angles", torch.from_numpy(waves_of()))
        self.first = drawn(chance, latent, width, scale=1 / np.sqrt(latent))
        self.blocks = drawn(chance, BLOCKS, width, width, scale=1 / np.sqrt(width))
        self.times = drawn(chance, BLOCKS + 1, TIMES, width, scale=1 / np.sqrt(TIMES))
        self.biases = nn.Parameter(torch.zeros(BLOCKS + 1, width))
        self.last = nn.Parameter(torch.zeros(width, latent))
        self.last_bias = nn.Parameter(torch.zeros(latent))

    def forward(self, points: torch.Tensor, when: torch.Tensor) -> torch.Tensor:
        angle = when[:, None] * self.angles
        told = torch.cat([torch.sin(angle), torch.cos(angle)], 1)
        x = functional.silu(points @ self.first + told @ self.times[0] + self.biases[0])
        for i, block in enumerate(self.blocks, 1):
            x = x + functional.silu(x @ block + told @ self.times[i] + self.biases[i])
        return x @ self.last + self.last_bias

    def numbers(self) -> Flow:
        """The weights without torch."""
        held = (self.first, self.blocks, self.times, self.biases, self.last, self.last_bias)
        return Flow(*(np.ascontiguousarray(p.detach().float().cpu().numpy()) for p in held))


class FlowTask(Task):
    """Flow matching over clouds (n, 2 L): middles and standard deviations.

    Parameters
    ----------
    held : (v, 2 L) clouds that nobody learns from.
    """

    def __init__(self, net: FlowNet, held: torch.Tensor, *, rate: float):
        self.net: FlowNet = net
        self.held, self.rate = held, rate

    def players(self) -> Sequence[Player]:
        return [Player("loss", list(self.net.parameters()), self.rate, decay=0.01)]

    def loss(self, player: str, batch: torch.Tensor, progress: float, chance: torch.Generator) -> torch.Tensor:
        return self._error(batch, chance)

    def judge(self) -> float | None:
        if not len(self.held):
            return None
        return float(self._error(self.held, torch.Generator(self.held.device).manual_seed(0)))

    def _error(self, clouds: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """Mean squared error of the velocity."""
        middle, spread = clouds.chunk(2, 1)
        noise = torch.randn((2, *middle.shape), generator=chance, device=clouds.device)
        end = middle + spread * noise[1]
        ranks = torch.arange(len(end), device=clouds.device)
        u = (ranks + torch.rand(len(end), generator=chance, device=clouds.device)) / len(end)
        when = torch.sigmoid(torch.special.ndtri(u.clamp(1e-6, 1 - 1e-6)))
        points = torch.lerp(noise[0], end, when[:, None])
        return ((self.net(points, when) - (end - noise[0])) ** 2).mean()
