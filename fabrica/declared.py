"""The coders of a specification: columns whose distribution was declared and not learned.

They are coders like all others, so that a declared table is encoded, sampled, saved and conditioned as a learned one
is. A row's ``reals`` say where in its law it lies, exactly; its code is the cell of [0, 1] in which that is: a value or
a level each, or one of ``CELLS`` cells of equal mass. Codes alone give the law too, since a cell is spread evenly. A
missing rate is a second coded column of its own, tied to nothing: cells go missing completely at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import absence, sound
from fabrica.block import Coded, code_type
from fabrica.contract import Cells, Coder
from fabrica.errors import FabricaError, SchemaError
from fabrica.laws import HUGE, OTHERS, Law, law
from fabrica.run import Run
from fabrica.state import State

__all__ = ["CELLS", "START", "STEP", "DeclaredCoder", "Levels", "Sequence"]

CELLS = 256  #: of equal mass, where a law has more values than that
TYPES = {"integer": pa.int64(), "decimal": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
         "datetime": pa.timestamp("s")}  #: of a kind's cells
FARTHEST = {"integer": HUGE, "date": 2.0**31 - 1, "datetime": 2.0**40}  #: values of whole kinds
STEP = 1 << 30  #: the largest step of a sequence
START = 1 << 40  #: the farthest start


@dataclass(frozen=True)
class Levels:
    """Levels with their probabilities, from low to high as they were written; a constant is one level."""

    levels: tuple[str, ...]
    shares: tuple[float, ...]

    @cached_property
    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """(numbers of the levels, cumulative probabilities)."""
        upto = np.cumsum(self.shares)
        upto /= upto[-1]
        upto[np.flatnonzero(self.shares)[-1] :] = 1.0
        return np.arange(len(self.levels), dtype=np.float64), upto

    def values(self, position: np.ndarray) -> np.ndarray:
        values, cum = self.table
        return values[np.searchsorted(cum, np.clip(position, 2.0**-60, 1.0))]

    def position(self, values: np.ndarray) -> np.ndarray:
        upto = np.append(0.0, self.table[1])
        return ((upto[1:] + upto[:-1]) / 2)[values.astype(np.int64)]

    def words(self) -> str:
        if len(self.levels) == 1:
            return "one value in every row"
        return ", ".join(f"{name} {share:g}" for name, share in zip(self.levels, self.shares, strict=True))


@dataclass(frozen=True)
class Sequence:
    """Keys that count up: ``start``, ``start + step``, … with a ``prefix`` and zeros up to ``width`` where they are
    text."""

    start: int = 1
    step: int = 1
    prefix: str = ""
    width: int = 0

    @property
    def text(self) -> bool:
        return bool(self.prefix or self.width)

    def cells(self, rows: range) -> pa.Array:
        numbers = self.start + self.step * np.arange(rows.start, rows.stop, dtype=np.int64)
        texts = (f"{self.prefix}{n:0{self.width}d}" if self.text else str(n) for n in numbers.tolist())
        return pa.array(texts, pa.string())

    def words(self) -> str:
        return f"counts up from {self.start} by {self.step}"


@dataclass(frozen=True)
class DeclaredCoder(Coder):
    """The declared map of one column.

    kind : the column's. source : where its values come from. decimals : to which a number is rounded, inside
    ``bounds`` where the law has some. missing : the share of cells without a value.
    """

    name: str
    kind: str
    source: Law | Levels | Sequence
    decimals: int | None = None
    missing: float = 0.0

    def __post_init__(self) -> None:
        most = FARTHEST.get(self.kind, np.inf)
        if isinstance(self.source, Law) and np.abs(self.source.values(np.array([0.0, 1.0]))).max() > most:
            raise SchemaError(f"this {self.source.name} has values that no column of the kind {self.kind} can hold",
                              hint=OTHERS)

    @cached_property
    def edges(self) -> np.ndarray:
        """(B + 1,) the positions at which codes are cut."""
        assert not isinstance(self.source, Sequence)
        table = self.source.table
        if table is not None and (isinstance(self.source, Levels) or len(table[0]) <= CELLS):
            return np.append(0.0, table[1])
        rounded = self._between()
        return np.linspace(0, 1, CELLS + 1) if rounded is None else rounded

    def _between(self) -> np.ndarray | None:
        """Edges between rounded numbers, where there are few: a number that is known is all that rounds to it."""
        assert isinstance(self.source, Law)
        if self.decimals is None or self.source.whole:
            return None
        low, high = self.values(np.array([0.0, 1.0]))
        step = 10.0**-self.decimals
        if not (high - low) / step < CELLS:
            return None
        cuts = self.source.position(low + step * (np.arange(round((high - low) / step)) + 0.5))
        return np.unique(np.concatenate([[0.0], cuts, [1.0]]))

    @property
    def shares(self) -> list[np.ndarray]:
        """How often each code of each coded column is drawn."""
        own = [] if isinstance(self.source, Sequence) else [np.diff(self.edges)]
        return own + ([np.array([1 - self.missing, self.missing])] if self.missing else [])

    def values(self, position: np.ndarray) -> np.ndarray:
        """(n,) float64 values as they are written, numbers of levels where there are levels."""
        assert not isinstance(self.source, Sequence)
        found = self.source.values(position)
        if self.decimals is None:
            return found
        found = np.round(found, self.decimals)
        return found if self.inner is None else np.clip(found, *self.inner)

    @cached_property
    def inner(self) -> tuple[float, float] | None:
        """The outermost numbers of ``decimals`` decimals inside the bounds; None where there are none."""
        bounds = self.source.bounds if isinstance(self.source, Law) else None
        if bounds is None or self.decimals is None:
            return None
        low, high = (round(b, self.decimals) for b in bounds)
        step = 10.0**-self.decimals
        low, high = low + step * (low < bounds[0]), high - step * (high > bounds[1])
        return (round(low, self.decimals), round(high, self.decimals)) if low <= high + step / 2 else None

    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]:
        gone = absence.kinds(cells[0]) > 0
        coded = []
        if not isinstance(self.source, Sequence):
            position = run.child("lost").random().random(len(gone))  # what is missing is nothing, so anything
            present = np.flatnonzero(~gone)
            position[present] = self.source.position(self._numbers(cells[0].values.take(pa.array(present))))
            coded.append(self._coded(position))
        if self.missing:
            coded.append(Coded(f"{self.name}.missing", 2, gone.astype(np.uint8)))
        return tuple(coded)

    def _coded(self, position: np.ndarray) -> Coded:
        size = len(self.edges) - 1
        codes = np.clip(np.searchsorted(self.edges, position, "right") - 1, 0, size - 1).astype(code_type(size))
        middle = (self.edges[1:] + self.edges[:-1]) / 2
        ordered = self.kind not in ("category", "constant")
        return Coded(self.name, size, codes, ordered, 0, None, middle if ordered else None, position)

    def _numbers(self, values: pa.Array) -> np.ndarray:
        """(n,) float64 what ``values`` gives, from cells without nulls; a level that was not declared counts as the
        first."""
        if pa.types.is_null(values.type):
            return np.empty(0)
        if self.kind in ("category", "constant"):
            assert isinstance(self.source, Levels)
            at = {level: i for i, level in enumerate(self.source.levels)}
            pool = np.array([at.get(text, 0) for text in values.dictionary.to_pylist()] or [0], np.float64)
            return pool[values.indices.to_numpy(zero_copy_only=False).astype(np.int64)]
        if pa.types.is_temporal(values.type):
            values = values.cast(TYPES[self.kind]).view(pa.int32() if self.kind == "date" else pa.int64())
        return values.to_numpy(zero_copy_only=False).astype(np.float64)

    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        mask = coded[-1].codes == 1 if self.missing else None
        if isinstance(self.source, Sequence):
            cells = self.source.cells(rows)
            return (Cells(cells if mask is None else _nulled(cells, mask)),)
        return (Cells(self._cells(self.values(self._positions(coded[0], run)), mask)),)

    def _positions(self, column: Coded, run: Run) -> np.ndarray:
        """(n,) where each row lies: as the block says, or evenly within its code."""
        codes = np.minimum(column.codes, len(self.edges) - 2)
        within = run.random().random(len(codes))
        evenly = self.edges[codes] + (1 - within) * (self.edges[codes + 1] - self.edges[codes])
        return evenly if column.reals is None else np.where(np.isnan(column.reals), evenly, column.reals)

    def _cells(self, values: np.ndarray, mask: np.ndarray | None) -> pa.Array:
        if self.kind in ("category", "constant"):
            assert isinstance(self.source, Levels)
            codes = pa.array(values.astype(np.int32), mask=mask)
            return pa.DictionaryArray.from_arrays(codes, pa.array(self.source.levels, pa.string()))
        if self.kind == "decimal":
            return pa.array(values, mask=mask)
        if self.kind == "boolean":
            return pa.array(values > 0.5, mask=mask)
        whole = values.astype(np.int32 if self.kind == "date" else np.int64)
        return pa.array(whole, mask=mask).view(TYPES[self.kind])

    def words(self) -> str:
        rounded = "" if self.decimals is None or self.kind != "decimal" else f", {self.decimals} decimals"
        missing = f", missing in {100 * self.missing:g} %" if self.missing else ""
        return self._said() + rounded + missing

    def _said(self) -> str:
        if self.kind in ("date", "datetime") and isinstance(self.source, Law):
            unit = "datetime64[D]" if self.kind == "date" else "datetime64[s]"
            low, high = np.array([self.source.parameters[end] for end in ("low", "high")]).astype(np.int64).view(unit)
            return f"evenly from {low} to {high}"
        return self.source.words()

    def state(self) -> State:
        plain: dict[str, Any] = {"name": self.name, "kind": self.kind, "decimals": self.decimals,
                                 "missing": self.missing}
        if isinstance(self.source, Law):
            bounds = None if self.source.bounds is None else list(self.source.bounds)
            said: dict[str, Any] = {"law": self.source.name, "parameters": self.source.parameters, "bounds": bounds}
        elif isinstance(self.source, Levels):
            said = {"levels": list(self.source.levels), "shares": list(self.source.shares)}
        else:
            said = {key: getattr(self.source, key) for key in ("start", "step", "prefix", "width")}
        return State({**plain, "source": said})

    @classmethod
    def from_state(cls, state: State) -> DeclaredCoder:
        """Read and check: the parameters are held against their ranges again."""
        name, kind = sound.plain(state, "name", str), sound.plain(state, "kind", str)
        decimals, missing = sound.plain(state, "decimals", (int, type(None))), sound.share(state, "missing")
        sound.demand(decimals is None or 0 <= decimals <= 30, "a number of decimals that makes no sense")
        try:
            source = _source(sound.plain(state, "source", dict))
        except (FabricaError, KeyError, TypeError, ValueError, OverflowError):
            source = None
        fits = {"category": Levels, "constant": Levels, "boolean": Levels, "key": Sequence}.get(kind, Law)
        sound.demand(isinstance(source, fits) and kind in ("category", "constant", "key", *TYPES),
                     "a distribution that makes no sense")
        assert source is not None
        return cls(name, kind, source, decimals, missing)


def _source(plain: Mapping[str, Any]) -> Law | Levels | Sequence:
    if "law" in plain:
        bounds = plain["bounds"]
        return law(plain["law"], plain["parameters"], None if bounds is None else (float(bounds[0]), float(bounds[1])))
    if "levels" in plain:
        levels, shares = tuple(map(str, plain["levels"])), tuple(map(float, plain["shares"]))
        if not levels or len(levels) != len(shares) or min(shares) < 0 or not abs(sum(shares) - 1) < 1e-6:
            raise ValueError
        return Levels(levels, shares)
    start, step, width = (int(plain[key]) for key in ("start", "step", "width"))
    if abs(start) > START or abs(step) > STEP or not 0 <= width <= 40:
        raise ValueError
    return Sequence(start, step, str(plain["prefix"]), width)


def _nulled(cells: pa.Array, mask: np.ndarray) -> pa.Array:
    import pyarrow.compute as pc

    return pc.if_else(pa.array(mask), pa.scalar(None, cells.type), cells)
