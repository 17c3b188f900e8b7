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
    """The discriminator: seen rows (n, D) and what each was told (n, M) to a number each, higher for real ones."""

    def __init__(self, inputs: int, hidden: int, chance: torch.Generator):
        super().__init__()
        self.first = drawn(chance, inputs, hidden, scale=1 / np.sqrt(hidden))
        self.first_bias = nn.Parameter(torch.zeros(hidden))
        self.blocks = drawn(chance, BLOCKS, hidden, hidden, scale=1 / np.sqrt(hidden))
        self.block_bias = nn.Parameter(torch.zeros(BLOCKS, hidden))
        self.last = drawn(chance, hidden, scale=1 / np.sqrt(hidden))

    def forward(self, seen: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        x = functional.leaky_relu(torch.cat([seen, told], 1) @ self.first + self.first_bias, SLOPE)
        for block, bias in zip(self.blocks, self.block_bias, strict=True):
            x = x + functional.leaky_relu(x @ block + bias, SLOPE)
        return x @ self.last


class Game(nn.Module):
    """Generator and discriminator.

    Parameters
    ----------
    tokens : the alphabet, C columns and S tokens in all.
    latent, told, hidden : numbers that a row is made from, levels that it may be told, numbers in a layer.
    run : seeds the first weights and the codes.
    """

    def __init__(self, tokens: Tokens, latent: int, told: int, hidden: int, run: Run):
        super().__init__()
        chance = seeded(run.child("weights"))
        random = run.child("codes").random()
        tables = [torch.from_numpy(codes(t, random)) for t in tokens.columns]
        for j, table in enumerate(tables):
            self.register_buffer(f"table{j}", table)
        self.latent, self.sizes = latent, list(tokens.sizes)
        self.generator = DecoderNet(tokens, latent + told, hidden, 1, chance)
        with torch.no_grad():
            self.generator.last.mul_(LIVELY)
        self.critic = Critic(sum(t.shape[1] for t in tables) + told, hidden, chance)

    def seen(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, D) what the discriminator sees of token rows (n, C)."""
        return torch.cat([self._table(j)[rows[:, j]] for j in range(len(self.sizes))], 1)

    def made(self, told: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """(n, C) fresh token rows, which were ``told`` (n, M)."""
        return torch.stack([self._noisy(s, chance).argmax(1) for s in self.said(told, chance)], 1)

    def said(self, told: torch.Tensor, chance: torch.Generator) -> list[torch.Tensor]:
        """The logits of each column, (n, K) each, of rows that were ``told`` (n, M)."""
        latent = torch.randn(len(told), self.latent, generator=chance, device=told.device)
        return [s.float() for s in self.generator(torch.cat([latent, told], 1))]

    def passing(self, said: list[torch.Tensor], chance: torch.Generator) -> torch.Tensor:
        """(n, D) what the discriminator sees of rows drawn by the logits of their columns, with a gradient as if they
        were soft (straight-through Gumbel softmax; Jang, Gu, Poole, ICLR 2017)."""
        parts = []
        for j, noisy in enumerate(self._noisy(s, chance) for s in said):
            soft = torch.softmax(noisy / SOFT, 1) @ self._table(j)
            parts.append(soft + (self._table(j)[noisy.argmax(1)] - soft).detach())
        return torch.cat(parts, 1)

    @staticmethod
    def _noisy(said: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """Logits with noise whose largest is a draw (Gumbel 1954)."""
        noise = torch.rand(said.shape, generator=chance, device=said.device)
        return said - noise.clamp_(1e-10, 1 - 1e-7).log_().neg_().log_()

    def _table(self, j: int) -> Any:
        return getattr(self, f"table{j}")
