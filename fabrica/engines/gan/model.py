"""What was learned: the generator, without torch and without the network that it played against."""

from __future__ import annotations

from dataclasses import dataclass

from fabrica.nets.latent import LatentModel

__all__ = ["GanModel"]


@dataclass(frozen=True)
class GanModel(LatentModel):
    """Normal latent numbers and the generator's weights."""
