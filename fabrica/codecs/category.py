"""Categories: a code a level; levels held by fewer than k people share one protected rest.

Where all people of the rest together are fewer than k, they count as anybody: not even their number is told. Where it
is said whose the cells are, those are counted who hold a level, and else its rows.

The alphabet is [missing markers…, safe levels by falling frequency or in their declared order, rest]. The rest can be
learned from (its people are not dropped) but is never drawn: an engine gives a plausible common level instead, given
the row. A user who wants to see it asks for a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence, measured, sound
from fabrica.block import Coded, Told, code_type
from fabrica.contract import Allowance, Cells, Codec, Coder, Known, Owned, Setting, Summary
from fabrica.holders import Holders
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State

__all__ = ["Category"]

LEVELS = 1 << 20  #: distinct levels that a survey keeps, at most


@dataclass(frozen=True)
class Seen(Summary):
    """Levels with their counts; above ``LEVELS`` only the commonest are kept (their counts are then lower bounds)."""

    levels: pa.Array
    counts: np.ndarray
    absent: np.ndarray
    holders: Holders | None = None  #: where it is said whose cells are: by the places of ``levels``

    def merge(self, other: Summary) -> Seen:
        assert isinstance(other, Seen)
        both = pa.chunked_array([self.levels, other.levels]).combine_chunks().dictionary_encode()
        counts = np.bincount(both.indices.to_numpy(), np.concatenate([self.counts, other.counts]), len(both.dictionary))
        holders = None
        if self.holders is not None and other.holders is not None:
            own, others = np.split(both.indices.to_numpy(), [len(self.levels)])
            holders = self.holders.numbered(own).merge(other.holders.numbered(others))
        return Seen(both.dictionary, counts, self.absent + other.absent, holders).cut()

    def cut(self) -> Seen:
        if len(self.levels) <= LEVELS:
            return self
        top = np.sort(np.argsort(-self.counts, kind="stable")[: LEVELS // 2])
        place = np.full(len(self.levels), -1)
        place[top] = np.arange(len(top))
        holders = None if self.holders is None else self.holders.numbered(place)
        return Seen(self.levels.take(pa.array(top)), self.counts[top], self.absent, holders)

    def safe(self, k: int) -> np.ndarray:
        """The places of the levels that may be told: enough people hold them, where it is said who, else ``k`` rows."""
        if self.holders is None:
            return np.flatnonzero(self.counts >= k)
        return np.flatnonzero(self.holders.counts(len(self.levels)) >= self.holders.most)


@dataclass(frozen=True)
class Category(Codec):
    """Settings of the category codec."""

    title = "levels: a code each, those held by fewer than k people protected"
    kinds = ("category", "ordinal", "boolean", "constant")

    k: Annotated[int, Setting("people that a level must have to be named", low=1, high=10_000)] = 5
    rest: Annotated[str, Setting("label for protected levels; empty: a plausible common level instead")] = ""

    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Seen:
        whole = as_dictionary(cells[0].values)
        encoded = whole.drop_null()
        counts = np.bincount(encoded.indices.to_numpy(), minlength=len(encoded.dictionary))
        seen = counts > 0
        levels = encoded.dictionary.filter(pa.array(seen)).cast(pa.string())
        holders = None
        if isinstance(cells[0], Owned):
            who = cells[0].who[whole.is_valid().to_numpy(zero_copy_only=False)]
            holders = Holders.of((np.cumsum(seen) - 1)[encoded.indices.to_numpy()], who, cells[0].people)
        return Seen(levels, counts[seen].astype(np.float64), absence.counted(cells[0]), holders).cut()

    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> CategoryCoder:
        assert isinstance(summary, Seen)
        column = columns[0]
        public = set(column.levels) if column.public else set()
        texts = summary.levels.to_pylist()
        safe = [int(i) for i in summary.safe(self.k)]
        spoken = [] if not public else sorted({i for i, t in enumerate(texts) if t in public} - set(safe))
        safe += spoken
        rank = {level: i for i, level in enumerate(column.levels)}
        safe.sort(key=lambda i: (rank.get(texts[i], len(rank)), -summary.counts[i], texts[i]))
        held_back = summary.absent[0] - summary.counts[safe].sum()  # fewer than k of them count as anybody
        hidden = bool(held_back >= self.k) and bool(safe or self.rest)
        held = absence.protected(summary.absent, self.k)
        total = max(1.0, held.sum())
        levels, markers = tuple(texts[i] for i in safe), absence.numbered(held)
        counts = np.where(np.isin(safe, spoken), self.k / 2, summary.counts[safe])
        shares, missing = np.minimum(counts / total, 1), float(held[1:].sum() / total)
        return CategoryCoder(
            column.name, column.kind, levels, bool(column.levels), markers, hidden, self.rest, shares, missing)

    def measured(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], allowance: Allowance, run: Run) -> Known:
        column, kinds, ways = columns[0], absence.kinds(cells[0]), 1 + len(columns[0].missing)
        encoded = as_dictionary(cells[0].values).drop_null()
        texts = encoded.dictionary.cast(pa.string())
        counts = np.bincount(encoded.indices.to_numpy(zero_copy_only=False), minlength=len(texts))
        public = ("false", "true") if column.kind == "boolean" else column.levels if column.public else ()
        if public:
            place = pc.index_in(texts, pa.array(public, pa.string())).fill_null(len(public))
            held = np.bincount(place.to_numpy(zero_copy_only=False), counts, len(public) + 1).astype(np.int64)[:-1]
            missing = np.bincount(kinds, minlength=1 + ways)[1 : 1 + ways]
            noisy, variance = run.noisy(np.concatenate([missing, held]), allowance.rho, f"{column.name}, levels")
            levels, found = tuple(public), noisy[ways:].astype(np.float64)
            there = measured.settled(np.append(int(np.maximum(found, 0).sum()), noisy[:ways]), variance)
            hidden, spread = False, variance
        else:
            there = measured.presence(kinds, ways, allowance.rho / 4, run, column.name)
            here = np.flatnonzero(counts)
            here = here[np.argsort(texts.take(pa.array(here)).to_numpy(zero_copy_only=False), kind="stable")]
            told, noisy, spread = run.names(counts[here], allowance.rho * 3 / 4, allowance.delta,
                                            f"{column.name}, which levels there are")
            said = texts.take(pa.array(here[told])).to_pylist()
            order = sorted(range(len(said)), key=lambda i: (_rank(column, said[i]), -noisy[i], said[i]))
            levels, found = tuple(said[i] for i in order), noisy[order].astype(np.float64)
            rest = there.counts[0] - found.sum()
            hidden = bool(rest > measured.THERE * (spread * (1 + len(found))) ** 0.5) and bool(levels or self.rest)
        shares = measured.clipped(found) * there.share[0]
        coder = CategoryCoder(column.name, column.kind, levels, bool(column.levels), there.markers, hidden, self.rest,
                              shares, float(there.share[1:].sum()))
        if not coder._known:
            return Known(coder, (None,))
        markers = there.counts[list(there.markers)]
        told_counts = np.concatenate([markers, found, [max(rest, 0.0)] if hidden else []])
        variances = np.concatenate([np.full(len(markers), there.variance), np.full(len(found), spread),
                                    [there.variance + spread * len(found)] if hidden else []])
        return Known(coder, (Told(told_counts, variances),))


def _rank(column: Column, level: str) -> int:
    """Where a level stands in a declared order; behind it where it does not."""
    return column.levels.index(level) if level in column.levels else len(column.levels)


def as_dictionary(values: pa.Array) -> pa.DictionaryArray:
    """Cells as dictionary<int32, string>, whatever they are."""
    if pa.types.is_boolean(values.type):
        values = pc.if_else(values, "true", "false")
    if not pa.types.is_dictionary(values.type):
        values = values.cast(pa.string()).dictionary_encode()
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values


@dataclass(frozen=True)
class CategoryCoder(Coder):
    """The learned map of one category."""

    name: str
    kind: str
    levels: tuple[str, ...]
    ordered: bool
    markers: tuple[int, ...]
    hidden: bool  # whether there are k people or more with protected levels, and a level or a label to give them
    rest: str
    shares: np.ndarray
    missing: float

    @property
    def size(self) -> int:
        return max(1, len(self.markers) + (len(self.levels) + self.hidden if self._known else 0))

    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]:
        kind = absence.kinds(cells[0])
        values = as_dictionary(cells[0].values)
        absent = len(self.markers)
        if not self._known:
            return (self._coded(absence.coded(kind, self.markers)),)
        place = pc.index_in(values.dictionary.cast(pa.string()), pa.array(self.levels, pa.string()))
        lut = np.append(place.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), -1)
        level = lut[values.indices.fill_null(len(lut) - 1).to_numpy(zero_copy_only=False)]
        codes = np.where(level < 0, self.size - 1, level + absent)
        codes = np.where(kind > 0, absence.coded(kind, self.markers), codes)
        strange = np.flatnonzero((level < 0) & (kind == 0)) if not self.hidden else np.empty(0, np.int64)
        if len(rows := np.concatenate([absence.lost(kind, self.markers), strange])) and self.levels:
            after = np.cumsum(self.shares)
            chance = run.child("lost").random().random(len(rows)) * after[-1]
            codes[rows] = np.minimum(np.searchsorted(after, chance, "right"), len(after) - 1)
        return (self._coded(codes),)

    @property
    def _known(self) -> bool:
        """Whether a value may be told; else every cell comes back missing."""
        return bool(self.levels) or (self.hidden and bool(self.rest))

    def _coded(self, codes: np.ndarray) -> Coded:
        absent, grid = len(self.markers), None
        if not self._known:  # one code at least, and every code means missing
            size, grid = self.size, np.full(self.size, np.nan) if self.ordered else None
            return Coded(self.name, size, codes.astype(code_type(size)), self.ordered, size, None, grid)
        if self.ordered:
            after = np.cumsum(self.shares) / max(self.shares.sum(), 1e-12)
            middle = after - np.diff(after, prepend=0) / 2
            grid = np.concatenate([np.full(absent, np.nan), middle, np.full(int(self.hidden), 0.5)])[: self.size]
        drawn = self.hidden and not self.rest and len(self.levels) + absent > 0
        return Coded(self.name, self.size, codes.astype(code_type(self.size)), self.ordered, absent,
                     self.size - 1 if drawn else None, grid)

    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        codes, absent = coded[0].codes, len(self.markers)
        truth = self.kind == "boolean" and set(self.levels) <= {"true", "false"}
        if not self._known:
            kind = np.array(self.markers or (1,), np.uint8)[np.minimum(codes, max(0, absent - 1))]
            nothing = pa.DictionaryArray.from_arrays(pa.nulls(len(codes), pa.int32()), pa.array([], pa.string()))
            return (Cells(pa.nulls(len(codes), pa.bool_()) if truth else nothing, kind),)
        labels = [*self.levels, *([self.rest] if self.hidden and self.rest else [])]
        common = int(np.argmax(self.shares)) if self.levels else 0  # for a code that no engine draws
        index = codes.astype(np.int64) - absent
        index, missing = np.where(index < len(labels), index, common), index < 0 if absent else None
        if truth:
            values: pa.Array = pa.array(np.array([t == "true" for t in labels])[np.maximum(index, 0)], mask=missing)
        else:
            at = pa.array(np.maximum(index, 0).astype(np.int32), mask=missing)
            values = pa.DictionaryArray.from_arrays(at, pa.array(labels, pa.string()))
        return (Cells(values, absence.told(codes, self.markers)),)

    def lost(self) -> float:
        return 0.0 if self.rest else float(np.clip(1 - self.shares.sum() / max(1 - self.missing, 1e-12), 0, 1))

    def words(self) -> str:
        missing = f", missing in {100 * self.missing:.1f} %" if self.markers else ""
        hidden = ", rare levels protected" if self.hidden else ""
        return f"{len(self.levels)} levels{missing}{hidden}"

    def state(self) -> State:
        plain = {"name": self.name, "kind": self.kind, "levels": list(self.levels), "ordered": self.ordered,
                 "markers": list(self.markers), "hidden": self.hidden, "rest": self.rest, "missing": self.missing}
        return State(plain, {"shares": self.shares})

    @classmethod
    def from_state(cls, state: State) -> CategoryCoder:
        name, kind, rest = (sound.plain(state, n, str) for n in ("name", "kind", "rest"))
        ordered, hidden = (sound.plain(state, n, bool) for n in ("ordered", "hidden"))
        levels = sound.texts(state, "levels")
        shares = sound.array(state, "shares", size=len(levels), low=0, high=1)
        markers, missing = absence.stored(state), sound.share(state, "missing")
        return cls(name, kind, levels, ordered, markers, hidden, rest, shares, missing)
