"""What a row is told before it is made: the level that it is to have in one column.

A game forgets rare levels: a batch hardly shows them. As in CTGAN (the conditional vector and training by sampling; Xu
et al., NeurIPS 2019, section 4.3) both players see a level of one column of the real row, the made row shall have it
too, and a part of each batch is drawn so that rare levels come as often as the logarithm of their numbers says. A
twin's levels are drawn by their shares (``model.Told``). The protected rest is never told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from fabrica.engines.gan.model import told
from fabrica.tokens import Tokens

__all__ = ["Condition"]


@dataclass(frozen=True)
class Condition:
    """The levels that may be told, M in all, of A columns.

    Parameters
    ----------
    columns : (A,) which columns they are of. may : (M,) bool: not the protected rest, which is never told.
    starts : (A,) where the levels of each begin among the M.
    order, first, count : (A, n) row numbers sorted by level; (M,) where those with a level begin there, how many.
    """

    columns: torch.Tensor
    may: torch.Tensor
    starts: torch.Tensor
    order: torch.Tensor
    first: torch.Tensor
    count: torch.Tensor

    @classmethod
    def of(cls, tokens: Tokens, cells: torch.Tensor) -> Condition:
        """Of token rows (n, C)."""
        columns = told(tokens)
        sizes = [tokens.sizes[j] for j in columns]
        starts = np.cumsum([0, *sizes])[:-1]
        counts = [torch.bincount(cells[:, j], minlength=size) for j, size in zip(columns, sizes, strict=True)]
        where = torch.tensor(columns, dtype=torch.int64, device=cells.device)
        may = np.concatenate([np.zeros(0, bool), *(tokens.columns[j].share > 0 for j in columns)])
        begin = torch.tensor(starts, dtype=torch.int64, device=cells.device)
        return cls(where, torch.from_numpy(may).to(cells.device), begin,
                   cells[:, where].argsort(dim=0, stable=True).T.contiguous(),
                   torch.cat([c.cumsum(0) - c for c in counts] or [where]), torch.cat(counts or [where]))

    @property
    def size(self) -> int:
        """M."""
        return len(self.count)

    def seen_in(self, rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """(n,) one of the M levels that each of the token rows (n, C) has; M where that is the rest, or M is 0."""
        if not self.size:
            return torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
        which = torch.randint(len(self.columns), (len(rows),), generator=chance, device=rows.device)
        levels = self.starts[which] + rows.gather(1, self.columns[which, None])[:, 0]
        return torch.where(self.may[levels], levels, self.size)

    def rare(self, size: int, chance: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(size,) levels, each column's as often as those of the others and by the logarithm of their numbers, and
        (size,) rows that have them; nothing where M is 0."""
        device = self.count.device
        if not self.size or not size:
            return self.count[:0], self.count[:0]
        odds = torch.log1p(self.count.double()) * self.may
        column = torch.searchsorted(self.starts, torch.arange(self.size, device=device), right=True) - 1
        odds = odds / torch.zeros(len(self.starts), dtype=odds.dtype, device=device).index_add(0, column, odds)[column]
        levels = torch.multinomial(odds, size, replacement=True, generator=chance)
        place = torch.rand(size, generator=chance, device=device) * self.count[levels]
        return levels, self.order[column[levels], self.first[levels] + place.long().minimum(self.count[levels] - 1)]

    def shown(self, levels: torch.Tensor) -> torch.Tensor:
        """(n, M) a one for each of the levels (n,); none where it is M."""
        return functional.one_hot(levels, self.size + 1)[:, : self.size].float()

    def missed(self, said: list[torch.Tensor], levels: torch.Tensor) -> torch.Tensor:
        """How unlikely rows are, by the logits of their columns (n, K) each, to have the levels (n,) that they were
        told: mean nats."""
        if not self.size:
            return torch.zeros((), device=levels.device)
        odds = torch.cat([functional.log_softmax(said[j], 1) for j in self.columns.tolist()], 1)
        return -(odds * self.shown(levels)).sum(1).mean()
