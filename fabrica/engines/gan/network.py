"""The two networks while they play.

The generator is a decoder of noise (``nets/decoder_net.py``). The discriminator does not see tokens but fixed codes of
them: small columns as they are, large ones as random directions, and ordered ones by waves over the marginal besides,
so that near values look alike. It has no normalisation, which would let rows of a batch tell of each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fabrica.nets.columns import waves
from fabrica.nets.decoder_net import DecoderNet, drawn
from fabrica.nets.rows import seeded
from fabrica.run import Run
from fabrica.tokens import Token, Tokens

__all__ = ["Game", "codes"]

SMALL, CODE = 24, 12  #: tokens of a column that is seen as it is; numbers that stand for a token of a larger one
WAVES = 4  #: waves that are seen of an ordered token
SLOPE = 0.2  #: of what is below zero (leaky rectifier; Maas, Hannun, Ng, ICML 2013)
BLOCKS = 2  #: of the discriminator
LIVELY = 10.0  #: times the decoder's first last layer: made rows differ from the start
SOFT = 0.7  #: temperature at which the gradient of a draw is taken


def codes(token: Token, random: np.random.Generator) -> np.ndarray:
    """(K, d) float32 what the discriminator sees of each token; all about as long."""
    size = token.size
    plain = np.eye(size) if size <= SMALL else random.standard_normal((size, CODE)) / np.sqrt(CODE)
    found = [plain, waves(token, WAVES) / np.sqrt(WAVES)] if token.ordered else [plain]
    return np.concatenate(found, 1).astype(np.float32)


class Critic(nn.Module):
    """The discriminator: seen rows (n, D) to a number each, higher for real ones."""

    def __init__(self, inputs: int, hidden: int, chance: torch.Generator):
        super().__init__()
        self.first = drawn(chance, inputs, hidden, scale=1 / np.sqrt(hidden))
        self.first_bias = nn.Parameter(torch.zeros(hidden))
        self.blocks = drawn(chance, BLOCKS, hidden, hidden, scale=1 / np.sqrt(hidden))
        self.block_bias = nn.Parameter(torch.zeros(BLOCKS, hidden))
        self.last = drawn(chance, hidden, scale=1 / np.sqrt(hidden))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        x = functional.leaky_relu(seen @ self.first + self.first_bias, SLOPE)
        for block, bias in zip(self.blocks, self.block_bias, strict=True):
            x = x + functional.leaky_relu(x @ block + bias, SLOPE)
        return x @ self.last


class Game(nn.Module):
    """Generator and discriminator.

    Parameters
    ----------
    tokens : the alphabet, C columns and S tokens in all.
    latent, hidden : numbers that a row is made from, numbers in a layer.
    run : seeds the first weights and the codes.
    """

    def __init__(self, tokens: Tokens, latent: int, hidden: int, run: Run):
        super().__init__()
        chance = seeded(run.child("weights"))
        random = run.child("codes").random()
        tables = [torch.from_numpy(codes(t, random)) for t in tokens.columns]
        for j, table in enumerate(tables):
            self.register_buffer(f"table{j}", table)
        self.latent, self.sizes = latent, list(tokens.sizes)
        self.generator = DecoderNet(tokens, latent, hidden, 1, chance)
        with torch.no_grad():
            self.generator.last.mul_(LIVELY)
        self.critic = Critic(sum(t.shape[1] for t in tables), hidden, chance)

    def seen(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, D) what the discriminator sees of token rows (n, C)."""
        return torch.cat([self._table(j)[rows[:, j]] for j in range(len(self.sizes))], 1)

    def made(self, count: int, chance: torch.Generator) -> torch.Tensor:
        """(n, C) fresh token rows."""
        return torch.stack([said.argmax(1) for said in self._noisy(count, chance)], 1)

    def passing(self, count: int, chance: torch.Generator) -> torch.Tensor:
        """(n, D) what the discriminator sees of fresh rows, with a gradient as if they were soft (straight-through
        Gumbel softmax; Jang, Gu, Poole, ICLR 2017)."""
        parts = []
        for j, said in enumerate(self._noisy(count, chance)):
            soft = torch.softmax(said / SOFT, 1) @ self._table(j)
            parts.append(soft + (self._table(j)[said.argmax(1)] - soft).detach())
        return torch.cat(parts, 1)

    def _noisy(self, count: int, chance: torch.Generator) -> list[torch.Tensor]:
        """Logits of each column with noise whose largest is a draw (Gumbel 1954)."""
        device = self.generator.bias.device
        latent = torch.randn(count, self.latent, generator=chance, device=device)
        noise = torch.rand(count, sum(self.sizes), generator=chance, device=device)
        noise = noise.clamp_(1e-10, 1 - 1e-7).log_().neg_().log_()
        parts = noise.split(self.sizes, 1)
        return [said.float() - part for said, part in zip(self.generator(latent), parts, strict=True)]

    def _table(self, j: int) -> Any:
        return getattr(self, f"table{j}")
