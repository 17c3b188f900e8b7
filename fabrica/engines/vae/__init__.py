"""The variational autoencoder with a learned prior: rows become clouds of latent numbers, and where the clouds lie is
learned after.

The autoencoder (Kingma and Welling, ICLR 2014) has a price on its latent numbers so low that they tell nearly all that
hangs together (TabSyn; Zhang et al., ICLR 2024); what it would draw from the normal prior is far from the data, so the
prior is learned: in a second by a mixture of normals, or by flow matching (Lipman et al., ICLR 2023). Tokens are drawn,
never taken at their likeliest, and of the rows those are kept that could be real (``rejection.py``; on latent numbers
alone: Bauer and Mnih, "Resampled priors for variational autoencoders", AISTATS 2019). torch is needed to fit and not to
sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from fabrica.block import Block
from fabrica.contract import Engine, Setting
from fabrica.engines.vae.mixture import Mixture
from fabrica.engines.vae.model import VaeModel
from fabrica.nets.decoder import Decoder
from fabrica.nets.needed import torch_or_say
from fabrica.nets.settings import Checkpoint, Device, Precision
from fabrica.rejection import Keep, People
from fabrica.run import Run
from fabrica.tokens import Tokens

__all__ = ["Vae"]


@dataclass(frozen=True)
class Vae(Engine):
    """The autoencoder."""

    title = "an autoencoder with a learned prior that keeps its most lifelike rows: less sharp than trees; a minute"
    source = "Kingma and Welling, ICLR 2014; Zhang et al. (TabSyn), ICLR 2024; Lipman et al., ICLR 2023"
    cost = 110.0
    start = 10.0
    needs = ("torch",)
    extra = "nets"

    prior: Annotated[str, Setting("of the latent numbers; a flow takes longer, to learn and to draw from",
                                  choices=("mixture", "flow"))] = "mixture"
    epochs: Annotated[
        float, Setting("times that the autoencoder sees each row, about",
                       low=0.01, high=10_000, search=(10, 60))] = 20.0
    steps: Annotated[int, Setting("batches that the flow learns from, at most", low=1, high=10_000_000)] = 3000
    tokens: Annotated[int, Setting("tokens of a numeric column, about", low=4, high=10_000, search=(48, 256))] = 128
    latent: Annotated[int, Setting("latent numbers of a row; 0: by the table", low=0, high=1024, search=(8, 40))] = 0
    hidden: Annotated[
        int, Setting("numbers in the autoencoder's layers; 0: by the rows", low=0, high=8192, search=(96, 384))] = 0
    width: Annotated[int, Setting("numbers in the flow's layers; 0: by the rows", low=0, high=8192)] = 0
    components: Annotated[int, Setting("normals of the mixture, at most", low=1, high=1000, search=(8, 96))] = 32
    price: Annotated[
        float, Setting("of the latent numbers in the end: less is sharper",
                       low=1e-6, high=10, search=(0.01, 0.3))] = 0.03
    batch: Annotated[int, Setting("rows of a batch; the flow's is twice as large", low=8, high=1_000_000)] = 256
    rate: Annotated[float, Setting("the autoencoder's learning rate", low=1e-6, high=1)] = 2e-3
    flow_rate: Annotated[float, Setting("the flow's learning rate", low=1e-6, high=1)] = 2e-3
    k: People = 5
    keep: Keep = 0.2
    checkpoint: Checkpoint = ""
    device: Device = "cpu"
    precision: Precision = "float32"

    def fit(self, rows: Block, given: Block | None, run: Run) -> VaeModel:
        torch_or_say("vae")
        tokens = Tokens.of(rows, self.tokens, self.k)
        if not tokens.columns or not len(rows):
            nothing = np.zeros((1, 1), np.float32)
            return VaeModel(tokens, Decoder.blank(tokens), Mixture(np.ones(1), nothing, nothing[None]))
        from fabrica.engines.vae.learn import learned

        seen = tokens.encode(rows)
        return learned(self, tokens, seen, run).finished(seen, self.keep, self.k, run)
