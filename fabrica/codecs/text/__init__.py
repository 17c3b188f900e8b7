"""Text: patterns only, for now. Words that k rows hold stay; every other token keeps its shape and loses its letters.

A text is cut at its spaces. A token held by at least k rows is a word; of any other only the shape is known (``Anna``
is ``Aaaa``, ``B-12`` is ``A-N0``), and it is filled with letters that can be spoken and with random digits. Which word
follows which is a chain of order one with back-off (Katz, IEEE ASSP 1987): word after word where k rows have that pair,
else shape after shape, else any. An engine sees one column, the number of words, so that length hangs together with
the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence, sound
from fabrica.block import Coded, code_type
from fabrica.codecs.text.chain import Chain, learned
from fabrica.codecs.text.tally import LONGEST, Held, tallies
from fabrica.contract import Allowance, Cells, Codec, Coder, Known, Setting, Summary
from fabrica.marginal import Marginal
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State
from fabrica.tally import Tally

__all__ = ["Text"]

ROWS = 50_000  #: texts of a part whose words are looked at, at most


@dataclass(frozen=True)
class Seen(Summary):
    """Rows that hold each word, each shape, each pair of either; how many words a text has; missing markers."""

    words: Held
    shapes: Held
    pairs: Held
    shape_pairs: Held
    lengths: Tally
    absent: np.ndarray

    def merge(self, other: Summary) -> Seen:
        assert isinstance(other, Seen)
        return Seen(self.words.merge(other.words), self.shapes.merge(other.shapes), self.pairs.merge(other.pairs),
                    self.shape_pairs.merge(other.shape_pairs), self.lengths.merge(other.lengths),
                    self.absent + other.absent)


@dataclass(frozen=True)
class Text(Codec):
    """Settings of the text codec."""

    title = "free text, patterns only: common words stay, the rest keeps its shape; its length is learned with the row"
    kinds = ("text",)
    weight = 0.0

    k: Annotated[int, Setting("rows that must hold a word for it to be kept", low=1, high=10_000)] = 5

    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Seen:
        texts = _texts(cells[0])
        present = texts.filter(pa.array(absence.kinds(cells[0]) == 0))
        lengths = np.minimum(pc.count_substring(present, " ").to_numpy(zero_copy_only=False) + 1, LONGEST)
        if len(present) > ROWS:
            present = present.take(pa.array(np.linspace(0, len(present) - 1, ROWS).astype(np.int64)))
        return Seen(*tallies(present), Tally.of(lengths), absence.counted(cells[0]))

    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> TextCoder:
        assert isinstance(summary, Seen)
        lengths = chain = None
        if summary.absent[0] >= self.k:
            lengths = Marginal.learn(summary.lengths, codes=32, k=self.k, decimals=0)
            chain = learned(summary.words, summary.shapes, summary.pairs, summary.shape_pairs, self.k)
        held = absence.protected(summary.absent, self.k)
        missing = float(held[1:].sum() / max(1, held.sum()))
        return TextCoder(columns[0].name, absence.numbered(held), missing, lengths, chain)

    def measured(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], allowance: Allowance, run: Run) -> Known:
        """Nothing is learned of free text under privacy: it comes back missing."""
        return Known(TextCoder(columns[0].name, (), 0.0, None, None), (None,))


def _texts(cells: Cells) -> pa.Array:
    values = cells.values
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values if values.type == pa.string() else values.cast(pa.string())


@dataclass(frozen=True)
class TextCoder(Coder):
    """The learned map of one column of text: its number of words, and the chain that writes them."""

    name: str
    markers: tuple[int, ...]
    missing: float
    lengths: Marginal | None
    chain: Chain | None

    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]:
        kind, absent = absence.kinds(cells[0]), len(self.markers)
        codes, reals = absence.coded(kind, self.markers), np.full(len(kind), np.nan, np.float32)
        middle = np.full(1 if not absent else 0, np.nan)
        if self.lengths is not None:
            middle, here = self.lengths.middle, np.flatnonzero(kind == 0)
            count = pc.count_substring(_texts(cells[0]), " ").fill_null(0).to_numpy(zero_copy_only=False)[here] + 1
            reals[here] = position = self.lengths.position(np.minimum(count, LONGEST).astype(np.float64))
            codes[here] = absent + self.lengths.code(position)
            if len(rows := absence.lost(kind, self.markers)):
                reals[rows] = position = run.child("lost").random().random(len(rows), np.float32).astype(np.float64)
                codes[rows] = self.lengths.code(position)
        grid = np.concatenate([np.full(absent, np.nan), middle])
        return (Coded(self.name, len(grid), codes.astype(code_type(len(grid))), True, absent, None, grid, reals),)

    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        column, absent = coded[0], len(self.markers)
        if self.lengths is None or self.chain is None:
            kind = np.array(self.markers or (1,), np.uint8)[np.minimum(column.codes, max(0, absent - 1))]
            return (Cells(pa.nulls(len(column), pa.string()), kind),)
        random = run.child("text").random()
        if column.reals is not None:
            lengths = self.lengths.value(np.nan_to_num(column.reals, nan=0.5))
        else:
            piece = np.maximum(column.codes, absent) - absent
            lengths = self.lengths.decode(piece, random.random(len(column)))
        kind = absence.told(column.codes, self.markers)
        lengths = np.clip(lengths, 1, LONGEST).astype(np.int64)
        texts = self.chain.write(lengths if kind is None else np.where(kind > 0, 0, lengths), random)
        if kind is not None:
            texts = pc.if_else(pa.array(kind == 0), texts, pa.scalar(None, pa.string()))
        return (Cells(texts, kind),)

    def words(self) -> str:
        if self.chain is None:
            return "no text known"
        missing = f", missing in {100 * self.missing:.1f} %" if self.markers else ""
        return f"patterns only: {len(self.chain.words)} common words, {len(self.chain.shapes)} shapes{missing}"

    def state(self) -> State:
        plain = {"name": self.name, "markers": list(self.markers), "missing": self.missing}
        if self.lengths is None or self.chain is None:
            return State(plain)
        return State.nest({"lengths": self.lengths.state(), "chain": self.chain.state()}, plain)

    @classmethod
    def from_state(cls, state: State) -> TextCoder:
        lengths = chain = None
        if "parts" in state.plain:
            lengths, chain = Marginal.from_state(state.part("lengths")), Chain.from_state(state.part("chain"))
        name, missing = sound.plain(state, "name", str), sound.share(state, "missing")
        return cls(name, absence.stored(state), missing, lengths, chain)
