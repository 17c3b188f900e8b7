"""What each of the two wants.

Rows are judged in pairs, a real one and a made one: the discriminator wants the real one higher, the generator the made
one (relativistic pairing; Jolicoeur-Martineau, ICLR 2019). So no part of the data can be forgotten for good. The
square of the discriminator's slope has a price at real rows (R1; Mescheder, Geiger, Nowozin, ICML 2018) and at made
ones (R2), without which the game need not come to rest (R3GAN; Huang et al., NeurIPS 2024). The generator looks at the
ties between columns besides (``ties.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from fabrica.engines.gan.network import Game
from fabrica.engines.gan.pairs import Pairs
from fabrica.engines.gan.ties import Ties
from fabrica.nets.loop import Player, Task

__all__ = ["GameTask"]

BETAS = 0.0, 0.99  #: no momentum: the other one moves
PRICED = 4  #: one of so many rows is asked for its slope at a step, which saves half of the time
TIES = 20.0  #: weight of the ties between columns in what the generator wants
JUDGED = 4  #: batches made to be judged at a look


class GameTask(Task):
    """The game.

    Parameters
    ----------
    ties : between columns, which the generator looks at besides.
    pairs : of rows that are the measure.
    size : rows made at a time to be judged.
    rate, penalty : of both players; of the discriminator's slope.
    """

    def __init__(self, net: Game, ties: Ties, pairs: Pairs, size: int, *, rate: float, penalty: float):
        self.net: Game = net
        self.ties, self.pairs, self.size, self.rate, self.penalty = ties, pairs, size, rate, penalty

    def players(self) -> Sequence[Player]:
        return [Player("discriminator", list(self.net.critic.parameters()), self.rate, BETAS),
                Player("generator", self.averaged(), self.rate, BETAS)]

    def averaged(self) -> list[torch.nn.Parameter]:
        return list(self.net.generator.parameters())

    def loss(self, player: str, batch: torch.Tensor, progress: float, chance: torch.Generator) -> torch.Tensor:
        discriminates = player == "discriminator"
        self.net.critic.requires_grad_(discriminates)
        if discriminates:
            return self._told_apart(batch, chance)
        fresh = self.net.passing(len(batch), chance)
        made = self.net.critic(fresh)
        with torch.no_grad():
            real = self.net.critic(self.net.seen(batch))
        return functional.softplus(real.float() - made.float()).mean() + TIES * self.ties.apart(fresh)

    def _told_apart(self, batch: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """The discriminator's loss, with the price of its slope."""
        with torch.no_grad():
            made = self.net.made(len(batch), chance)
        seen = self.net.seen(torch.cat([batch, made]))
        said = self.net.critic(seen)
        real, made = said.float().chunk(2)
        return functional.softplus(made - real).mean() + self.penalty * self._steep(seen[::PRICED])

    def _steep(self, seen: torch.Tensor) -> torch.Tensor:
        """Mean square of the discriminator's slope at seen rows."""
        seen = seen.detach().requires_grad_()
        slope, = torch.autograd.grad(self.net.critic(seen).sum(), seen, create_graph=True)
        return (slope.float() ** 2).sum(1).mean()

    def judge(self) -> float | None:
        chance = torch.Generator(self.net.generator.bias.device).manual_seed(0)  # the same noise at each look
        rows = [self.net.made(self.size, chance) for _ in range(JUDGED)]
        return self.pairs.error(torch.cat(rows).cpu().numpy())
