"""The game of two: a generator makes rows, a discriminator tells which of a pair is real; each learns from the other.

Generative adversarial networks (Goodfellow et al., NeurIPS 2014) in the form that converges: pairs are compared
(Jolicoeur-Martineau, ICLR 2019) and the discriminator's slope is priced at real and at made rows (R3GAN; Huang et al.,
NeurIPS 2024). That price does not fall: where it did, the discriminator ran away. Rows are tokens, as in CTGAN (Xu et
al., NeurIPS 2019), drawn so that gradients pass (Gumbel softmax). After the game margins are set right, and of the
rows those are kept that could be real (``rejection.py``; Azadi et al., ICLR 2019). torch is needed to fit and not to
sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fabrica.block import Block
from fabrica.contract import Engine, Setting
from fabrica.engines.gan.model import GanModel
from fabrica.nets.decoder import Decoder
from fabrica.nets.latent import Normal
from fabrica.nets.needed import torch_or_say
from fabrica.nets.settings import Batch, Checkpoint, Device, Precision
from fabrica.rejection import Keep, People
from fabrica.run import Run
from fabrica.tokens import Tokens

__all__ = ["Gan"]


@dataclass(frozen=True)
class Gan(Engine):
    """The game."""

    title = "a game of two networks over tokens that keeps its most lifelike rows: blunter than trees; a minute"
    source = "Huang et al. (R3GAN), NeurIPS 2024; Xu et al. (CTGAN), NeurIPS 2019"
    cost = 115.0
    start = 10.0
    needs = ("torch",)
    extra = "nets"

    epochs: Annotated[
        float, Setting("times that each row is seen, at most", low=0.01, high=10_000, search=(8, 48))] = 16.0
    tokens: Annotated[int, Setting("tokens of a numeric column, about", low=4, high=1000, search=(16, 64))] = 32
    latent: Annotated[int, Setting("numbers that a row is made from", low=1, high=1024, search=(16, 128))] = 64
    hidden: Annotated[int, Setting("numbers in the networks' layers", low=8, high=8192, search=(96, 384))] = 192
    batch: Batch = 256
    rate: Annotated[float, Setting("learning rate of both", low=1e-6, high=1, search=(0.0005, 0.004))] = 2e-3
    penalty: Annotated[
        float, Setting("of the discriminator's slope: more is calmer, slower",
                       low=0, high=100, search=(0.03, 1))] = 0.15
    k: People = 5
    keep: Keep = 0.2
    checkpoint: Checkpoint = ""
    device: Device = "cpu"
    precision: Precision = "float32"

    def fit(self, rows: Block, given: Block | None, run: Run) -> GanModel:
        torch_or_say("gan")
        tokens = Tokens.of(rows, self.tokens, self.k)
        if not tokens.columns or not len(rows):
            return GanModel(tokens, Decoder.blank(tokens), Normal(1))
        from fabrica.engines.gan.learn import learned

        seen = tokens.encode(rows)
        return learned(self, tokens, seen, run).finished(seen, self.keep, self.k, run)
