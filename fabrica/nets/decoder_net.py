"""The network that says all columns of a row at once from latent numbers, while it learns.

One linear layer, residual blocks without normalisation, and a last layer split by columns; a fine column is said as a
smooth curve (``nets/columns.py``). Its biases begin at the log of the margins, so that it starts from columns that are
right one by one and learns what hangs together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fabrica.nets.columns import basis
from fabrica.nets.decoder import Decoder
from fabrica.tokens import Tokens

__all__ = ["DecoderNet", "drawn"]

COSINES = 24  #: cosines that the logits of a fine column are combined of
ODDS = 1e-5  #: share at which a token nobody has begins


def drawn(chance: torch.Generator, *size: int, scale: float) -> nn.Parameter:
    """First weights: normal numbers of standard deviation ``scale``."""
    return nn.Parameter(torch.randn(*size, generator=chance) * scale)


class DecoderNet(nn.Module):
    """L latent numbers to the logits of each column.

    Parameters
    ----------
    tokens : the alphabet.
    latent, hidden, blocks : sizes of the layers and number of residual blocks.
    chance : generator of the first weights.
    """

    def __init__(self, tokens: Tokens, latent: int, hidden: int, blocks: int, chance: torch.Generator):
        super().__init__()
        self.first = drawn(chance, latent, hidden, scale=1 / np.sqrt(latent))
        self.first_bias = nn.Parameter(torch.zeros(hidden))
        self.blocks = drawn(chance, blocks, hidden, hidden, scale=1 / np.sqrt(hidden))
        self.block_bias = nn.Parameter(torch.zeros(blocks, hidden))
        said = [basis(t, COSINES) for t in tokens.columns]
        self.sizes = list(tokens.sizes)
        self.parts = [size if here is None else here.shape[1] for size, here in zip(self.sizes, said, strict=True)]
        self.last = drawn(chance, hidden, sum(self.parts), scale=0.1 / np.sqrt(hidden))
        odds = np.concatenate([np.log(t.seen + ODDS) for t in tokens.columns] or [np.zeros(0)])
        self.bias = nn.Parameter(torch.from_numpy(odds.astype(np.float32)))
        for j, here in enumerate(said):
            self.register_buffer(f"basis{j}", None if here is None else torch.from_numpy(here.T.copy()))

    def hidden(self, latent: torch.Tensor) -> torch.Tensor:
        x = functional.silu(latent @ self.first + self.first_bias)
        for block, bias in zip(self.blocks, self.block_bias, strict=True):
            x = x + functional.silu(x @ block + bias)
        return x

    def forward(self, latent: torch.Tensor) -> list[torch.Tensor]:
        """The logits of each column, (n, K) each."""
        parts = (self.hidden(latent) @ self.last).split(self.parts, 1)
        biases = self.bias.split(self.sizes)
        return [self._spread(p, j) + biases[j] for j, p in enumerate(parts)]

    def _spread(self, part: torch.Tensor, j: int) -> torch.Tensor:
        said: Any = getattr(self, f"basis{j}")
        return part if said is None else part @ said

    def numbers(self) -> Decoder:
        """The weights without torch."""
        with torch.no_grad():
            parts = self.last.split(self.parts, 1)
            head = torch.cat([self._spread(p, j) for j, p in enumerate(parts)] or [self.last], 1)
            held = (self.first, self.first_bias, self.blocks, self.block_bias, head, self.bias)
            return Decoder(*(np.ascontiguousarray(p.detach().float().cpu().numpy()) for p in held))
