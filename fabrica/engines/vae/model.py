"""What was learned: a prior over latent numbers and a decoder, without torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fabrica.engines.vae.flow import Flow
from fabrica.engines.vae.mixture import Mixture
from fabrica.nets.decoder import Decoder
from fabrica.nets.latent import LatentModel

__all__ = ["VaeModel", "scaled"]


@dataclass(frozen=True)
class VaeModel(LatentModel):
    """A learned prior and the decoder's weights."""

    PRIORS: ClassVar = {"flow": Flow, "mixture": Mixture}


def scaled(decoder: Decoder, middle: np.ndarray, spread: np.ndarray) -> Decoder:
    """A decoder of latent numbers that were moved to ``middle`` (L,) zero and ``spread`` (L,) one."""
    first = decoder.first * spread[:, None]
    return replace(decoder, first=np.ascontiguousarray(first, np.float32),
                   first_bias=(decoder.first_bias + middle @ decoder.first).astype(np.float32))
