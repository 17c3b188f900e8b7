"""The vine copula: pairs of columns hang together in any shape, and given others, in a sequence of trees.

The margins are those of the Gaussian copula (``copula/margin.py``): each column's codes are neighbouring intervals,
levels in the order that shows most. A row's place inside its code's interval is drawn at random, which leaves the joint
of the codes as it is. The density of the places is a product of densities of pairs (Bedford and Cooke, "Vines: a new
graphical model for dependent random variables", Annals of Statistics 30, 2002; Aas et al., Insurance 44, 2009), each
estimated by local likelihood on a grid (Nagler, Schellhase, Czado, Dependence Modeling 5, 2017), the strongest first.
The work is done by a library, pyvinecopulib (the extra `vines`), to learn and to sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Annotated, Any

import numpy as np

from fabrica import sound
from fabrica.block import Block
from fabrica.contract import Engine, Model, Setting
from fabrica.engines.copula.arrange import arranged
from fabrica.engines.copula.margin import Margin
from fabrica.errors import ModelFileError, SettingError
from fabrica.picker import Picker
from fabrica.rejection import Keep, People
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Vine"]

EDGE = 1e-6  #: nearer to the ends of [0, 1] than this is no place
FEW = 20  #: rows below which columns are drawn apart
PACE = 2e-5  #: seconds that a pair takes for each row, about
KEPT = 0.2  #: share of the rows that is kept where it shall be sharp


@dataclass(frozen=True)
class Vine(Engine):
    """Vine copula over codes."""

    title = "pairs of columns in any shape: sees more than copula, less than counts; a hundred thousand rows a second"
    source = "Bedford and Cooke, Ann. Stat. 30(4), 2002; Nagler, Schellhase and Czado, Depend. Model. 5(1), 2017"
    cost = 60.0
    start = 3.0
    needs = ("pyvinecopulib",)
    extra = "vines"

    rows: Annotated[int, Setting("people that it learns from, at most", low=100, high=1_000_000)] = 10_000
    depth: Annotated[int, Setting("trees of pairs; 0: as many as there are columns", low=0, high=1000)] = 0
    k: People = 5
    keep: Keep = 1.0

    def sharper(self) -> Vine | None:
        return replace(self, keep=KEPT) if self.keep > KEPT else None

    def fit(self, rows: Block, given: Block | None, run: Run) -> VineModel:
        margins = arranged(rows, run.child("order").random())
        model = VineModel(rows.empty(), tuple(margins), self._learned(rows, margins, run))
        return replace(model, picker=Picker.learned(rows, model.made, self.keep, run.child("picker"), k=self.k))

    def _learned(self, rows: Block, margins: Sequence[Margin], run: Run) -> str:
        """The vine as the library's JSON; nothing where there is none."""
        library = _library()
        if len(rows) < FEW or len(margins) < 2:
            return ""
        run.tell(1, 2, "finding pairs that hang together")
        some = rows.take(np.sort(run.child("rows").random().permutation(len(rows))[: self.rows]))
        random = run.child("inside").random()
        places = np.stack([_places(m, c.codes, random) for m, c in zip(margins, some, strict=True)], 1)
        depth = min(self.depth or len(margins), len(margins) - 1)
        fits = int(max(1, run.left() / 2 / (PACE * len(some) * len(margins)))) if np.isfinite(run.left()) else depth
        if fits < depth:
            run.cut()
        shapes = library.families
        controls = library.FitControlsVinecop(
            family_set=[shapes.indep, shapes.tll], trunc_lvl=min(depth, fits), selection_criterion="mbic",
            num_threads=1, seeds=_seeds(run.child("structure")))
        return str(library.Vinecop.from_data(places, controls=controls).to_json())


def _library() -> Any:
    if find_spec("pyvinecopulib") is None:
        raise SettingError("the engine 'vine' needs pyvinecopulib, which is not installed", where="engine",
                           hint="pip install 'fabrica[vines]'")
    import pyvinecopulib

    return pyvinecopulib


def _places(margin: Margin, codes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(n,) a place inside the interval of each code."""
    upto = np.concatenate([[0.0], np.cumsum(margin.shares[margin.order])])
    low, width = np.empty(len(margin.shares)), np.empty(len(margin.shares))
    low[margin.order], width[margin.order] = upto[:-1], np.diff(upto)
    return np.clip(low[codes] + width[codes] * random.random(len(codes)), EDGE, 1 - EDGE)


def _seeds(run: Run) -> list[int]:
    return [run.key() >> shift & 0x7FFFFFFF for shift in (0, 31, 62, 93)]


@dataclass(frozen=True)
class VineModel(Model):
    """The columns' margins, and the vine as the library's JSON (empty: columns are drawn apart)."""

    alphabet: Block
    margins: tuple[Margin, ...]
    vine: str
    picker: Picker | None = None

    @cached_property
    def _vine(self) -> Any:
        return _library().Vinecop.from_json(self.vine)

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        return self.made(size, run) if self.picker is None else self.picker.drawn(size, self.made, run)

    def made(self, size: int, run: Run) -> Block:
        """Fresh rows before any is rejected."""
        count = max(size, 2)
        places = (np.asarray(self._vine.sample(count, num_threads=1, seeds=_seeds(run.child("vine")))) if self.vine
                  else run.child("apart").random().random((count, len(self.margins))))
        return Block.of([m.column.filled(m.at(places[:size, j])) for j, m in enumerate(self.margins)], size)

    def words(self) -> list[str]:
        own = f"a vine of {len(self.margins)} columns" if self.vine else f"{len(self.margins)} columns, drawn apart"
        return [own, *([] if self.picker is None else self.picker.words())]

    def state(self) -> State:
        arrays = {f"{j}.{name}": getattr(m, name) for j, m in enumerate(self.margins) for name in ("shares", "order")}
        parts = {"alphabet": self.alphabet.state(), "margins": State({}, arrays), **Picker.parts(self.picker)}
        return State.nest(parts, {"vine": self.vine})

    @classmethod
    def from_state(cls, state: State) -> VineModel:
        alphabet = Block.from_state(state.part("alphabet"))
        margins = Margin.read(state.part("margins"), alphabet)
        model = cls(alphabet, margins, sound.plain(state, "vine", str), Picker.from_parts(state, alphabet.columns))
        try:
            fits = not model.vine or model._vine.dim == len(margins)
        except (RuntimeError, ValueError, TypeError) as error:
            raise ModelFileError("the model holds a vine that cannot be read",
                                 hint="it is damaged or was changed by hand; fit it again") from error
        sound.demand(fits, "a vine of another table")
        return model
