"""What each of the two wants.

Rows are judged in pairs, a real one and a made one: the discriminator wants the real one higher, the generator the made
one (relativistic pairing; Jolicoeur-Martineau, ICLR 2019). So no part of the data can be forgotten for good. The
square of the discriminator's slope has a price at real rows (R1; Mescheder, Geiger, Nowozin, ICML 2018) and at made
ones (R2), without which the game need not come to rest (R3GAN; Huang et al., NeurIPS 2024). The generator looks at the
ties between columns besides (``ties.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional

from fabrica.engines.gan.condition import Condition
from fabrica.engines.gan.network import Game
from fabrica.engines.gan.pairs import Pairs
from fabrica.engines.gan.ties import Ties
from fabrica.engines.gan.watch import Watch
from fabrica.nets.loop import Player, Task
from fabrica.run import Run

__all__ = ["GameTask"]

BETAS = 0.0, 0.99  #: no momentum: the other one moves
PRICED = 4  #: one of so many rows is asked for its slope at a step, which saves half of the time
TIES = 20.0  #: weight of the ties between columns in what the generator wants
HEARD = 1.0  #: weight of a row's having the level that it was told
RARE = 4  #: one of so many rows of a batch is drawn for its rare level
JUDGED = 4  #: batches made to be judged at a look


class GameTask(Task):
    """The game.

    Parameters
    ----------
    condition : what rows may be told.
    ties : between columns, which the generator looks at besides.
    cells : (n, C) token rows that are learned.
    pairs : of rows that are the measure.
    watch : what is told of the game besides.
    size : rows made at a time to be judged.
    rate, penalty : of both players; of the discriminator's slope.
    """

    measure = "pairs misplaced"

    def __init__(self, net: Game, condition: Condition, ties: Ties, cells: torch.Tensor, pairs: Pairs, watch: Watch,
                 size: int, *, rate: float, penalty: float):
        self.net: Game = net
        self.condition, self.ties, self.cells, self.pairs, self.watch = condition, ties, cells, pairs, watch
        self.size, self.rate, self.penalty = size, rate, penalty

    def players(self) -> Sequence[Player]:
        return [Player("discriminator", list(self.net.critic.parameters()), self.rate, BETAS),
                Player("generator", self.averaged(), self.rate, BETAS)]

    def averaged(self) -> list[torch.nn.Parameter]:
        return list(self.net.generator.parameters())

    def loss(self, player: str, batch: torch.Tensor, progress: float, chance: torch.Generator) -> torch.Tensor:
        discriminates = player == "discriminator"
        self.net.critic.requires_grad_(discriminates)
        batch, levels = self._tilted(batch, chance)
        return (self._told_apart if discriminates else self._passed)(batch, levels, chance)

    def _tilted(self, batch: torch.Tensor, chance: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """The batch (n, C) with its last part drawn for rare levels, and the level (n,) that each row is told."""
        plain = batch[: self._plain(len(batch))]
        rare, rows = self.condition.rare(len(batch) - len(plain), chance)
        return torch.cat([plain, self.cells[rows]]), torch.cat([self.condition.seen_in(plain, chance), rare])

    def _plain(self, size: int) -> int:
        """How many rows of a batch are drawn as they come."""
        return size - size // RARE if self.condition.size else size

    def _passed(self, batch: torch.Tensor, levels: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """The generator's loss: made rows are to look more real than real ones, with the level that they were told,
        and with the ties of the data."""
        told = self.condition.shown(levels)
        said = self.net.said(told, chance)
        fresh = self.net.passing(said, chance)
        made = self.net.critic(fresh, told)
        with torch.no_grad():
            real = self.net.critic(self.net.seen(batch), told)
        ties = self.ties.apart(fresh[: self._plain(len(batch))])
        return (functional.softplus(real.float() - made.float()).mean() + TIES * ties
                + HEARD * self.condition.missed(said, levels))

    def _told_apart(self, batch: torch.Tensor, levels: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """The discriminator's loss, with the price of its slope."""
        told = self.condition.shown(levels)
        with torch.no_grad():
            made = self.net.made(told, chance)
        seen, told = self.net.seen(torch.cat([batch, made])), told.repeat(2, 1)
        real, fresh = self.net.critic(seen, told).float().chunk(2)
        return functional.softplus(fresh - real).mean() + self.penalty * self._steep(seen[::PRICED], told[::PRICED])

    def _steep(self, seen: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """Mean square of the discriminator's slope at seen rows."""
        seen = seen.detach().requires_grad_()
        slope, = torch.autograd.grad(self.net.critic(seen, told).sum(), seen, create_graph=True)
        return (slope.float() ** 2).sum(1).mean()

    def judge(self) -> float | None:
        chance = torch.Generator(self.cells.device).manual_seed(0)  # the same noise at each look
        rows = [self.net.made(self._usual(chance), chance) for _ in range(JUDGED)]
        return self.pairs.error(torch.cat(rows).cpu().numpy())

    def more(self, run: Run) -> Mapping[str, float]:
        chance = torch.Generator(self.cells.device).manual_seed(1)
        return self.watch.told(self.net.made(self._usual(chance), chance).cpu().numpy(), run)

    def _usual(self, chance: torch.Generator) -> torch.Tensor:
        """(size, M) what rows are told that are drawn as they come."""
        rows = self.cells[torch.randint(len(self.cells), (self.size,), generator=chance, device=self.cells.device)]
        return self.condition.shown(self.condition.seen_in(rows, chance))
