"""What was learned: the generator, without torch and without the discriminator."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fabrica import sound
from fabrica.block import Block
from fabrica.contract import Model
from fabrica.nets.decoder import Decoder
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Tokens

__all__ = ["GanModel"]


@dataclass(frozen=True)
class GanModel(Model):
    """Tokens and the generator's weights. ``facts`` tell how the game went."""

    tokens: Tokens
    decoder: Decoder
    facts: dict[str, object] = field(default_factory=dict)

    def noise(self, size: int, run: Run) -> np.ndarray:
        """(n, L) float32 numbers that rows are made from."""
        return run.random().standard_normal((size, len(self.decoder.first)), np.float32)

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        rows = self.decoder.draw(self.tokens, self.noise(size, run.child("noise")), run.child("tokens"))
        return self.tokens.decode(rows, [run.child("inside").child(j).random() for j in range(rows.shape[1])])

    def words(self) -> list[str]:
        return [f"a generator that makes {sum(self.tokens.sizes)} tokens from {len(self.decoder.first)} random numbers"]

    def state(self) -> State:
        return State.nest({"tokens": self.tokens.state(), "decoder": self.decoder.state()},
                          {"latent": len(self.decoder.first), "facts": self.facts})

    @classmethod
    def from_state(cls, state: State) -> GanModel:
        tokens = Tokens.from_state(state.part("tokens"))
        decoder = Decoder.from_state(state.part("decoder"), tokens, sound.whole(state, "latent", 1, 1024))
        return cls(tokens, decoder, dict(sound.plain(state, "facts", dict)))
