"""What was learned: a prior over latent numbers and a decoder, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from fabrica import sound
from fabrica.block import Block
from fabrica.contract import Model
from fabrica.engines.vae.flow import Flow
from fabrica.engines.vae.mixture import Mixture
from fabrica.nets.decoder import Decoder
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Tokens

__all__ = ["VaeModel", "scaled"]

PRIORS: dict[str, type[Flow] | type[Mixture]] = {"flow": Flow, "mixture": Mixture}


@dataclass(frozen=True)
class VaeModel(Model):
    """Tokens, decoder, prior. ``facts`` tell how they were trained."""

    tokens: Tokens
    decoder: Decoder
    prior: Flow | Mixture
    facts: dict[str, object] = field(default_factory=dict)

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        latent = self.prior.draw(size, run.child("latent"))
        rows = self.decoder.draw(self.tokens, latent, run.child("tokens"))
        return self.tokens.decode(rows, [run.child("inside").child(j).random() for j in range(rows.shape[1])])

    def words(self) -> list[str]:
        name = next(n for n, kind in PRIORS.items() if isinstance(self.prior, kind))
        return [f"{self.prior.latent} latent numbers with a {name} as prior, said as {sum(self.tokens.sizes)} tokens"]

    def state(self) -> State:
        name = next(n for n, kind in PRIORS.items() if isinstance(self.prior, kind))
        parts = {"tokens": self.tokens.state(), "decoder": self.decoder.state(), "prior": self.prior.state()}
        return State.nest(parts, {"prior": name, "facts": self.facts})

    @classmethod
    def from_state(cls, state: State) -> VaeModel:
        tokens, name = Tokens.from_state(state.part("tokens")), sound.plain(state, "prior", str)
        sound.demand(name in PRIORS, "a prior that is not known")
        prior = PRIORS[name].from_state(state.part("prior"))
        decoder = Decoder.from_state(state.part("decoder"), tokens, prior.latent)
        return cls(tokens, decoder, prior, dict(sound.plain(state, "facts", dict)))


def scaled(decoder: Decoder, middle: np.ndarray, spread: np.ndarray) -> Decoder:
    """A decoder of latent numbers that were moved to ``middle`` (L,) zero and ``spread`` (L,) one."""
    first = decoder.first * spread[:, None]
    return replace(decoder, first=np.ascontiguousarray(first, np.float32),
                   first_bias=(decoder.first_bias + middle @ decoder.first).astype(np.float32))
