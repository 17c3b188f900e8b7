"""What the generator looks at besides the discriminator: how columns go together, two by two.

The products of what is seen of two columns have a mean over the data, and made rows should have it too (feature
matching; Salimans et al., NeurIPS 2016; with products as features, a moment matching network with a kernel of second
degree: Li, Swersky, Zemel, ICML 2015). Two halves of a batch are each compared with the data and multiplied, so the
noise of a batch does not count as an error.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fabrica.engines.gan.network import Game

__all__ = ["Ties"]

POWER = 0.5  #: of the spread by which features are divided: rare tokens count more than their share, less than others
LEAST = 1e-3  #: spread from which a feature is looked at


@dataclass(frozen=True)
class Ties:
    """Mean products of D features of the data.

    Parameters
    ----------
    middle, scale : (D,) means of the features, and what they are multiplied by after.
    due : (D, D) mean products.
    """

    middle: torch.Tensor
    scale: torch.Tensor
    due: torch.Tensor

    @classmethod
    def of(cls, net: Game, rows: torch.Tensor) -> Ties:
        """Of token rows (n, C)."""
        middle, both = torch.zeros(()).to(rows.device), torch.zeros(()).to(rows.device)
        for part in rows.split(4096):
            seen = net.seen(part).double()
            middle, both = middle + seen.sum(0) / len(rows), both + seen.T @ seen / len(rows)
        products = both - torch.outer(middle, middle)
        spread = products.diagonal().clamp(min=0).sqrt()
        scale = torch.where(spread > LEAST, spread, torch.inf).pow(-POWER) / max(1, len(net.sizes)) ** 0.5
        return cls(middle.float(), scale.float(), (products * torch.outer(scale, scale)).float())

    def apart(self, seen: torch.Tensor) -> torch.Tensor:
        """How far the products of seen rows (n, D) are from due; zero in expectation where they are the data's."""
        if len(seen) < 2:
            return seen.sum() * 0
        one, two = (((part - self.middle) * self.scale) for part in seen.chunk(2))
        return ((one.T @ one / len(one) - self.due) * (two.T @ two / len(two) - self.due)).sum()
