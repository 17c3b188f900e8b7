"""The autoencoder while it learns: rows of tokens to a cloud of latent numbers and back.

A cheap price of the latent numbers (beta; Higgins et al., ICLR 2017, here far below one and falling) makes the clouds
sharp: what hangs together is then told by the latent numbers, whose distribution is learned after (as in TabSyn; Zhang
et al., ICLR 2024).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fabrica.nets.columns import pieces, waves
from fabrica.nets.decoder_net import DecoderNet, drawn
from fabrica.nets.loop import Player, Task
from fabrica.tokens import Tokens

__all__ = ["Autoencoder", "AutoencoderTask"]

EMBEDDED = 16  #: numbers that stand for a token
WAVES = 8  #: waves that the network sees of an ordered token
PIECES = 32  #: pieces of a fine column with an embedding each
LEAST, MOST = -12.0, 4.0  #: log-variances of a cloud
BLOCKS = 1
SETTLED = 0.7  #: share of the training after which the price stays


class Autoencoder(nn.Module):
    """Encoder and decoder.

    Parameters
    ----------
    tokens : the alphabet, C columns.
    latent, hidden : latent numbers of a row, numbers in a layer.
    chance : generator of the first weights.
    """

    starts: torch.Tensor
    piece: torch.Tensor

    def __init__(self, tokens: Tokens, latent: int, hidden: int, chance: torch.Generator):
        super().__init__()
        columns, self.sizes = len(tokens.columns), list(tokens.sizes)
        self.register_buffer("starts", torch.from_numpy(np.cumsum([0, *tokens.sizes])[:-1]))
        found = [pieces(t, PIECES) for t in tokens.columns]
        base = np.cumsum([0, *(int(f.max()) + 1 for f in found)])
        self.register_buffer("piece", torch.from_numpy(np.concatenate([b + f for b, f in zip(base, found,
                                                                                             strict=False)])))
        seen = [torch.from_numpy(waves(t, WAVES).astype(np.float32)) for t in tokens.columns]
        self.waving = [j for j, t in enumerate(tokens.columns) if t.ordered]
        for j in self.waving:
            self.register_buffer(f"waves{j}", seen[j])
        self.embedding = drawn(chance, int(base[-1]), EMBEDDED, scale=0.5)
        self.project = drawn(chance, len(self.waving), 2 * WAVES, EMBEDDED, scale=0.3)
        inputs = columns * EMBEDDED
        self.first = drawn(chance, inputs, hidden, scale=1.5 / np.sqrt(inputs))
        self.first_bias = nn.Parameter(torch.zeros(hidden))
        self.block = drawn(chance, hidden, hidden, scale=1 / np.sqrt(hidden))
        self.block_bias = nn.Parameter(torch.zeros(hidden))
        self.cloud = drawn(chance, hidden, 2 * latent, scale=0.5 / np.sqrt(hidden))
        self.cloud_bias = nn.Parameter(torch.cat([torch.zeros(latent), torch.full((latent,), -2.0)]))
        self.decoder = DecoderNet(tokens, latent, hidden, BLOCKS, chance)

    def table(self) -> torch.Tensor:
        """(S, d) what stands for each token."""
        parts = list(self.embedding[self.piece].split(self.sizes))
        for i, j in enumerate(self.waving):
            parts[j] = parts[j] + getattr(self, f"waves{j}") @ self.project[i]
        return torch.cat(parts)

    def encode(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, L) middles and (n, L) log-variances of the clouds of token rows (n, C)."""
        seen = functional.embedding(rows + self.starts, self.table()).flatten(1)
        x = functional.silu(seen @ self.first + self.first_bias)
        x = x + functional.silu(x @ self.block + self.block_bias)
        middle, spread = (x @ self.cloud + self.cloud_bias).chunk(2, 1)
        return middle, spread.clamp(LEAST, MOST)


class AutoencoderTask(Task):
    """The evidence lower bound with a price on the latent numbers.

    Parameters
    ----------
    held : (v, C) rows that nobody learns from.
    price : beta at the beginning and in the end.
    """

    def __init__(self, net: Autoencoder, held: torch.Tensor, *, rate: float, price: tuple[float, float]):
        self.net: Autoencoder = net
        self.held, self.rate, self.price = held, rate, price

    def players(self) -> Sequence[Player]:
        return [Player("loss", list(self.net.parameters()), self.rate, decay=0.01)]

    def loss(self, player: str, batch: torch.Tensor, progress: float, chance: torch.Generator) -> torch.Tensor:
        high, low = self.price
        return self._bound(batch, high * (low / high) ** min(1.0, progress / SETTLED), chance)

    def judge(self) -> float | None:
        if not len(self.held):
            return None
        chance = torch.Generator(self.held.device).manual_seed(0)  # the same noise at each look
        bounds = [self._bound(part, self.price[1], chance) * len(part) for part in self.held.split(1024)]
        return float(torch.stack(bounds).sum()) / len(self.held)

    def _bound(self, rows: torch.Tensor, price: float, chance: torch.Generator) -> torch.Tensor:
        """Cross entropy plus the priced divergence of the clouds from the standard normal, nats a row."""
        middle, spread = self.net.encode(rows)
        noise = torch.randn(middle.shape, generator=chance, device=rows.device)
        logits = self.net.decoder(middle + torch.exp(spread / 2) * noise)
        nats = [functional.cross_entropy(said.float(), rows[:, j], reduction="sum") for j, said in enumerate(logits)]
        divergence = 0.5 * (spread.exp() + middle**2 - 1 - spread).sum()
        return (torch.stack(nats).sum() + price * divergence) / len(rows)
