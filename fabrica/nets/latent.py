"""What an autoencoder and a game leave behind: rows made from latent numbers, of which some are kept. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from fabrica import sound
from fabrica.block import Block
from fabrica.contract import Masked, Model
from fabrica.nets.decoder import Decoder
from fabrica.rejection import Rejection
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Tokens

__all__ = ["LatentModel", "Normal", "Prior"]

SETTLED = 2048, 16_384  #: rows drawn to set the margins right: at least, at most


class Prior(Protocol):
    """Where latent numbers come from."""

    @property
    def latent(self) -> int:
        """L, how many a row has."""
        ...

    def draw(self, size: int, run: Run) -> np.ndarray:
        """(size, L) float32."""
        ...

    def state(self) -> State: ...


@dataclass(frozen=True)
class Normal:
    """``latent`` independent standard normal numbers."""

    latent: int

    def draw(self, size: int, run: Run) -> np.ndarray:
        return run.random().standard_normal((size, self.latent), np.float32)

    def state(self) -> State:
        return State({"latent": self.latent})

    @classmethod
    def from_state(cls, state: State) -> Normal:
        return cls(sound.whole(state, "latent", 1, 1024))


@dataclass(frozen=True)
class LatentModel(Model, Masked):
    """Tokens, a prior of latent numbers, a decoder of them, and which of the rows are kept (None: all).

    ``PRIORS`` names the priors that a model of this kind can have. ``facts`` tell how it was trained.
    """

    PRIORS: ClassVar[dict[str, Any]] = {"normal": Normal}

    tokens: Tokens
    decoder: Decoder
    prior: Prior
    rejection: Rejection | None = None
    facts: dict[str, object] = field(default_factory=dict)

    def finished(self, rows: np.ndarray, share: float, k: int, run: Run) -> Self:
        """This model with its margins set right, keeping ``share`` of the rows that it makes: those that are most like
        the token ``rows`` (n, C) it has learned from. Fewer than ``k`` of them tell nothing."""
        latent = self.prior.draw(int(np.clip(len(rows), *SETTLED)), run.child("settle"))
        settled = replace(self, decoder=self.decoder.settled(self.tokens, latent))
        return replace(settled, rejection=Rejection.learned(
            self.tokens, rows, settled.made, share, run.child("rejection"), k=k))

    def made(self, size: int, run: Run, raked: bool = False) -> np.ndarray:
        """(n, C) token rows before any is rejected; ``raked``: with margins that are set right once more."""
        latent = self.prior.draw(size, run.child("latent"))
        return self.decoder.draw(self.tokens, latent, run.child("tokens"), raked)

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        keeps, tokens = self.tokens.masked(allowed)
        latent, left = self.prior.draw(size, run.child("latent")), np.zeros(size)
        rows = self.decoder.draw(self.tokens, latent, run.child("tokens"), self.rejection is None, keeps, left)
        if self.rejection is not None:
            left += self.rejection.log_kept(self.tokens, rows)
        return tokens.decode(rows, [run.child("inside").child(j).random() for j in range(rows.shape[1])]), left

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        rows = (self.made(size, run, raked=True) if self.rejection is None
                else self.rejection.drawn(self.tokens, size, self.made, run))
        return self.tokens.decode(rows, [run.child("inside").child(j).random() for j in range(rows.shape[1])])

    def words(self) -> list[str]:
        return [f"{self.prior.latent} latent numbers ({self._prior()}), said as {sum(self.tokens.sizes)} tokens",
                *([] if self.rejection is None else [self.rejection.words()])]

    def _prior(self) -> str:
        return next(name for name, kind in self.PRIORS.items() if isinstance(self.prior, kind))

    # ---------------------------------------------------------------- storage

    def state(self) -> State:
        parts = {"tokens": self.tokens.state(), "decoder": self.decoder.state(), "prior": self.prior.state()}
        more = {} if self.rejection is None else {"rejection": self.rejection.state()}
        return State.nest({**parts, **more},
                          {"prior": self._prior(), "rejects": self.rejection is not None, "facts": self.facts})

    @classmethod
    def from_state(cls, state: State) -> Self:
        tokens, name = Tokens.from_state(state.part("tokens")), sound.plain(state, "prior", str)
        sound.demand(name in cls.PRIORS, "a prior that is not known")
        prior = cls.PRIORS[name].from_state(state.part("prior"))
        rejects = sound.plain(state, "rejects", bool)
        return cls(tokens, Decoder.from_state(state.part("decoder"), tokens, prior.latent), prior,
                   Rejection.from_state(state.part("rejection"), tokens) if rejects else None,
                   dict(sound.plain(state, "facts", dict)))
