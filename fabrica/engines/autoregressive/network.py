"""The network that learns: every column's distribution given the columns before it, in one pass.

Each column has a small network of its own; all of them are computed side by side. Where the table is narrow, the
first layer is one product with a masked matrix (MADE; Germain et al., ICML 2015); where it is wide, the columns
before are summed up in a shared state (NADE; Uria, Murray, Larochelle, ICML 2014), whose cost grows with the columns
and not with their square. A share of the rows is learned in a random order of the columns, so that any of them can
be asked for given any others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fabrica.engines.autoregressive.shape import Shape
from fabrica.nets.columns import basis, blur, pieces, waves
from fabrica.nets.loop import Player, Task
from fabrica.tokens import Tokens

__all__ = ["Chain", "ChainTask"]

EMBEDDED = 16  #: numbers that stand for a token
WAVES = 8  #: waves that a network sees of an ordered token
PIECES = 32  #: pieces of a fine column with an embedding each
COSINES = 24  #: cosines that the logits of a fine column are combined of
SPREAD = 1.0  #: tokens over which a target is blurred
ODDS = 1e-5  #: share at which a token nobody has begins


class Chain(nn.Module):
    """Columns given the columns before them.

    Parameters
    ----------
    tokens : the alphabet, C columns.
    shape : sizes of the layers.
    chance : generator of the first weights.
    """

    starts: torch.Tensor
    piece: torch.Tensor
    seen: torch.Tensor

    def __init__(self, tokens: Tokens, shape: Shape, chance: torch.Generator):
        super().__init__()
        self.shape, columns = shape, len(tokens.columns)
        starts = np.cumsum([0, *tokens.sizes])[:-1]
        self.register_buffer("starts", torch.from_numpy(starts))
        found, base = [], 0
        for token in tokens.columns:
            here = pieces(token, PIECES)
            found.append(base + here)
            base += int(here.max()) + 1
        self.register_buffer("piece", torch.from_numpy(np.concatenate(found)))
        seen = np.concatenate([waves(t, WAVES) for t in tokens.columns]).astype(np.float32)
        self.register_buffer("seen", torch.from_numpy(seen))
        self.sizes = list(tokens.sizes)

        def weights(*size: int, scale: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(*size, generator=chance) * scale)

        h, d = shape.hidden, EMBEDDED
        self.embedding = weights(base, d, scale=0.3)
        self.project = weights(columns, 2 * WAVES, d, scale=0.3)
        if shape.shared:
            self.sum = weights(columns, d, shape.shared, scale=1 / np.sqrt(columns * d / 2))
            self.gain = nn.Parameter(torch.ones(columns, shape.shared))
            self.offset = weights(columns, shape.shared, scale=0.1)
            self.first = weights(columns, shape.shared, h, scale=1 / np.sqrt(shape.shared))
        else:
            self.first = weights(columns, d, columns, h, scale=1 / np.sqrt(columns * d / 2))
        self.first_bias = weights(columns, h, scale=0.1)
        self.second = weights(columns, h, h, scale=1 / np.sqrt(h))
        self.second_bias = nn.Parameter(torch.zeros(columns, h))
        for j, token in enumerate(tokens.columns):
            said = basis(token, COSINES)
            self.register_buffer(f"basis{j}", None if said is None else torch.from_numpy(said.T.copy()))
            parts = token.size if said is None else said.shape[1]
            setattr(self, f"last{j}", weights(h, parts, scale=0.1 / np.sqrt(h)))
            setattr(self, f"bias{j}", nn.Parameter(torch.from_numpy(np.log(token.seen + ODDS).astype(np.float32))))

    def table(self) -> torch.Tensor:
        """(S, d) what stands for each token."""
        told = [seen @ self.project[j] for j, seen in enumerate(self.seen.split(self.sizes))]
        return self.embedding[self.piece] + torch.cat(told)

    def hidden(self, rows: torch.Tensor, rank: torch.Tensor, drop: float = 0.0,
               chance: torch.Generator | None = None) -> torch.Tensor:
        """(C, n, h) what each column's network makes of the columns of lower ``rank`` (C,) in ``rows`` (n, C)."""
        seen = functional.embedding(rows + self.starts, self.table())
        seen = _dropped(seen, drop, chance)
        before = self._shared(seen, rank) if self.shape.shared else self._masked(seen, rank)
        h = functional.silu(before + self.first_bias[:, None])
        return h + functional.silu(torch.baddbmm(self.second_bias[:, None], h, self.second))

    def _masked(self, seen: torch.Tensor, rank: torch.Tensor) -> torch.Tensor:
        n, columns, d = seen.shape
        mask = (rank[:, None] < rank[None, :]).to(seen.dtype)
        weights = (self.first * mask[:, None, :, None]).reshape(columns * d, -1)
        return (seen.reshape(n, -1) @ weights).reshape(n, columns, -1).transpose(0, 1)

    def _shared(self, seen: torch.Tensor, rank: torch.Tensor) -> torch.Tensor:
        parts = torch.einsum("ncd,cdm->cnm", seen, self.sum)
        order = torch.argsort(rank)
        running = torch.cumsum(parts[order], 0) - parts[order]
        state = running[torch.argsort(order)]
        return torch.bmm(functional.silu(state * self.gain[:, None] + self.offset[:, None]), self.first)

    def head(self, j: int) -> torch.Tensor:
        """(h, K) the last layer of column j."""
        last, said = getattr(self, f"last{j}"), getattr(self, f"basis{j}")
        return last if said is None else last @ said

    def logits(self, hidden: torch.Tensor, j: int) -> torch.Tensor:
        """(n, K) of column j from its part of ``hidden`` (n, h)."""
        last, said, bias = getattr(self, f"last{j}"), getattr(self, f"basis{j}"), getattr(self, f"bias{j}")
        return torch.addmm(bias, hidden @ last, said) if said is not None else torch.addmm(bias, hidden, last)


def _dropped(values: torch.Tensor, share: float, chance: torch.Generator | None) -> torch.Tensor:
    """Some of the values at zero, the others larger by what is lost (dropout; Srivastava et al., JMLR 2014)."""
    if not share or chance is None:
        return values
    kept = torch.empty_like(values).bernoulli_(1 - share, generator=chance)
    return values * kept / (1 - share)


class ChainTask(Task):
    """Maximum likelihood: the sum over columns of the cross entropy of each given those before it.

    Parameters
    ----------
    net : on its device.
    held : (v, C) rows that nobody learns from, on the same device.
    shares : of the rows that are learned in a random order.
    """

    def __init__(self, net: Chain, tokens: Tokens, held: torch.Tensor, *, rate: float, decay: float, drop: float,
                 shares: float):
        self.net: Chain = net
        self.held, self.rate, self.decay, self.drop, self.shares = held, rate, decay, drop, shares
        self.native = torch.arange(len(tokens.columns), device=held.device)
        spread = [blur(t, SPREAD) for t in tokens.columns]
        self.spread = [None if s is None else torch.from_numpy(s.astype(np.float32)).to(held.device) for s in spread]

    def players(self) -> Sequence[Player]:
        return [Player("loss", list(self.net.parameters()), self.rate, decay=self.decay)]

    def loss(self, player: str, batch: torch.Tensor, progress: float, chance: torch.Generator) -> torch.Tensor:
        apart = round(self.shares * len(batch)) if len(self.native) > 1 else 0
        total = self._nats(batch[apart:], self.native, chance).sum()
        if apart:
            rank = torch.randperm(len(self.native), generator=chance, device=batch.device)
            total = total + self._nats(batch[:apart], rank, chance).sum()
        return total / len(batch)

    def _nats(self, rows: torch.Tensor, rank: torch.Tensor, chance: torch.Generator | None) -> torch.Tensor:
        """(C,) cross entropies summed over the rows; blurred and with dropout where there is ``chance``."""
        drop = self.drop if chance is not None else 0.0
        hidden = self.net.hidden(rows, rank, drop, chance)
        hidden = _dropped(hidden, drop, chance)
        nats = []
        for j, spread in enumerate(self.spread):
            logits, target = self.net.logits(hidden[j], j), rows[:, j]
            if spread is not None and chance is not None:
                nats.append(-(spread[target] * functional.log_softmax(logits.float(), 1)).sum())
            else:
                nats.append(functional.cross_entropy(logits.float(), target, reduction="sum"))
        return torch.stack(nats)

    def judge(self) -> float | None:
        if not len(self.held):
            return None
        parts = [self._nats(part, self.native, None).sum() for part in self.held.split(1024)]
        return float(torch.stack(parts).sum()) / len(self.held)
