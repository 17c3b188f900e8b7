"""Text: patterns only, for now. Words that k rows hold stay; every other token keeps its shape and loses its letters.

A text is cut at its spaces. A token held by at least k rows is a word; of any other only the shape is known (``Anna``
is ``Aaaa``, ``B-12`` is ``A-00``), and it is filled with letters that can be spoken and with random digits. Which word
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
from fabrica.contract import Cells, Codec, Coder, Setting, Summary
from fabrica.marginal import Counted, Marginal
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State

__all__ = ["Text"]

TOKENS = 200_000  #: distinct words, and pairs of words, that a survey keeps, at most
WORDS = 50_000  #: words that a model keeps, at most
ROWS = 50_000  #: texts of a part whose words are looked at, at most
LONGEST = 256  #: words of a text that are looked at and that are written, at most
WIDEST = 24  #: characters of a shape
START = "\x02"  #: stands before the first word
CONSONANTS, VOWELS = (np.frombuffer(s, np.uint8) for s in (b"bcdfghklmnprstvw", b"aeiou"))


@dataclass(frozen=True)
class Tally:
    """Distinct texts and how many rows hold each; above ``TOKENS`` only the commonest stay."""

    texts: pa.Array
    counts: np.ndarray

    def merge(self, other: Tally) -> Tally:
        both = pa.chunked_array([self.texts, other.texts]).combine_chunks().dictionary_encode()
        counts = np.bincount(both.indices.to_numpy(), np.concatenate([self.counts, other.counts]), len(both.dictionary))
        return Tally(both.dictionary, counts).cut()

    def cut(self) -> Tally:
        if len(self.texts) <= TOKENS:
            return self
        return self.only(np.sort(np.argsort(-self.counts, kind="stable")[: TOKENS // 2]))

    def only(self, rows: np.ndarray) -> Tally:
        return Tally(self.texts.take(pa.array(rows)), self.counts[rows])

    def safe(self, k: int, most: int = TOKENS) -> Tally:
        """Those that at least ``k`` rows hold, the commonest first, in an order that parts do not change."""
        rows = np.flatnonzero(self.counts >= k)
        texts = np.array(self.texts.take(pa.array(rows)).to_pylist(), object)
        return self.only(rows[np.lexsort((texts, -self.counts[rows]))[:most]] if len(rows) else rows)


@dataclass(frozen=True)
class Seen(Summary):
    """Rows that hold each word, each shape, each pair of either; how many words a text has; missing markers."""

    words: Tally
    shapes: Tally
    pairs: Tally
    shape_pairs: Tally
    lengths: Counted
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

    k: Annotated[int, Setting("rows that must hold a word for it to be kept", low=1, high=10_000)] = 5

    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Seen:
        texts = _texts(cells[0])
        present = texts.filter(pa.array(absence.kinds(cells[0]) == 0))
        lengths = np.minimum(pc.count_substring(present, " ").to_numpy(zero_copy_only=False) + 1, LONGEST)
        if len(present) > ROWS:
            present = present.take(pa.array(np.linspace(0, len(present) - 1, ROWS).astype(np.int64)))
        return Seen(*_tallies(present), Counted.of(lengths), absence.counted(cells[0]))

    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> TextCoder:
        assert isinstance(summary, Seen)
        lengths = chain = None
        if summary.absent[0] >= self.k:
            lengths = Marginal.learn(summary.lengths, codes=32, k=self.k, decimals=0)
            chain = _chain(summary, self.k)
        rows = max(1, summary.absent.sum())
        missing = float(1 - summary.absent[0] / rows)
        return TextCoder(columns[0].name, absence.numbered(summary.absent), missing, lengths, chain)


def _texts(cells: Cells) -> pa.Array:
    values = cells.values
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values if values.type == pa.string() else values.cast(pa.string())


def _shape(words: pa.Array) -> pa.Array:
    """``A`` a capital, ``a`` another letter, ``0`` a digit, signs of ASCII themselves; cut at ``WIDEST`` characters."""
    words = pc.utf8_slice_codeunits(words, 0, WIDEST)
    for pattern, sign in ((r"\p{Nd}", "0"), (r"\p{Lu}", "A"), (r"\p{Ll}|[^\x21-\x7e]", "a")):
        words = pc.replace_substring_regex(words, pattern, sign)
    return words


def _tallies(texts: pa.Array) -> tuple[Tally, Tally, Tally, Tally]:
    """(words, shapes, pairs of words, pairs of shapes), each with the number of rows that hold it."""
    lists = pc.list_slice(pc.split_pattern(texts, " "), 0, LONGEST)
    row = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    coded = pc.list_flatten(lists).dictionary_encode()
    word, pool = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), coded.dictionary
    shaped = _shape(pool).dictionary_encode()
    shape, shapes = shaped.indices.to_numpy(zero_copy_only=False).astype(np.int64), shaped.dictionary
    new = np.append(True, row[1:] != row[:-1])[: len(row)]
    of_shape = shape[word] if len(word) else word
    return (_held(row, word, pool), _held(row, of_shape, shapes),
            _pairs(row, word, pool, new), _pairs(row, of_shape, shapes, new))


def _held(row: np.ndarray, token: np.ndarray, pool: pa.Array) -> Tally:
    """Rows that hold each token, however often."""
    once = np.unique(token * (int(row.max(initial=0)) + 1) + row)
    counts = np.bincount(once // (int(row.max(initial=0)) + 1), minlength=len(pool)).astype(np.float64)
    return Tally(pool, counts).cut()


def _pairs(row: np.ndarray, token: np.ndarray, pool: pa.Array, new: np.ndarray) -> Tally:
    """Rows that hold each pair of neighbours, the first of a row with ``START``."""
    pool = pa.concat_arrays([pool.cast(pa.string()), pa.array([START])])
    before = np.where(new, len(pool) - 1, np.roll(token, 1)) if len(token) else token
    pair, label = np.unique(before * len(pool) + token, return_inverse=True)
    first, second = (pool.take(pa.array(half)) for half in np.divmod(pair, len(pool)))
    texts = pc.binary_join_element_wise(first, second, " ")
    return _held(row, label.astype(np.int64), texts)


# ---------------------------------------------------------------- the chain


@dataclass(frozen=True)
class Table:
    """For each state the targets it may go to, by weight; ``total`` may be more: what is left goes nowhere (-1).

    ``start`` (s+1,) where each state's targets begin; ``target``, ``cum`` (m,) targets and their weights, summed up.
    """

    start: np.ndarray
    target: np.ndarray
    cum: np.ndarray
    total: np.ndarray

    @classmethod
    def of(
        cls, states: int, source: np.ndarray, target: np.ndarray, weight: np.ndarray, total: np.ndarray | None = None
    ) -> Table:
        order = np.lexsort((target, source))
        start = np.searchsorted(source[order], np.arange(states + 1))
        cum = np.cumsum(weight[order])
        held = np.bincount(source, weight, states)
        return cls(start, target[order], cum, held if total is None else np.maximum(held, total))

    def pick(self, state: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(n,) the target for each state and uniform number; -1 for none."""
        if not len(self.target):
            return np.full(len(state), -1)
        first, end = self.start[state], self.start[state + 1]
        base = np.where(first > 0, self.cum[np.maximum(first - 1, 0)], 0.0)
        at = np.maximum(np.searchsorted(self.cum, base + u * self.total[state], "right"), first)
        return np.where(at < end, self.target[np.minimum(at, len(self.target) - 1)], -1)

    def state(self) -> State:
        return State({}, {"start": self.start, "target": self.target, "cum": self.cum, "total": self.total})

    @classmethod
    def from_state(cls, state: State, states: int, targets: int) -> Table:
        cum = sound.array(state, "cum", low=0, ascending=True)
        target = sound.array(state, "target", size=len(cum), low=0, high=targets - 1, kind=np.int64)
        start = sound.array(state, "start", size=states + 1, low=0, high=len(cum), ascending=True, kind=np.int64)
        return cls(start, target, cum, sound.array(state, "total", size=states, low=0))


@dataclass(frozen=True)
class Chain:
    """What follows what.

    Parameters
    ----------
    words, shapes : what is kept; tokens are numbered words first, then shapes, then the start.
    look : (words + shapes + 1,) the shape of each token; the start has its own number, the number of shapes.
    follow : token -> word, where k rows have the pair.
    drift : shape -> shape, where k rows have the pair; the last state is the start.
    filled : shape -> word that has it, or nothing: then the shape is filled afresh.
    any : one state -> shape.
    """

    words: pa.Array
    shapes: pa.Array
    look: np.ndarray
    follow: Table
    drift: Table
    filled: Table
    any: Table

    def walk(self, lengths: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(sum of lengths,) tokens of all texts, one text after another."""
        starts = np.cumsum(lengths) - lengths
        out = np.empty(int(lengths.sum()), np.int64)
        words, begin = len(self.words), len(self.words) + len(self.shapes)
        token = np.full(len(lengths), begin)
        for step in range(int(lengths.max(initial=0))):
            here = np.flatnonzero(lengths > step)
            u = random.random((4, len(here)))
            before = token[here]
            found = self.follow.pick(before, u[0])
            shape = self.drift.pick(self.look[before], u[1])
            shape = np.where(shape < 0, self.any.pick(np.zeros(len(here), np.int64), u[2]), shape)
            word = self.filled.pick(shape, u[3])
            found = np.where(found < 0, np.where(word < 0, words + shape, word), found)
            token[here] = out[starts[here] + step] = found
        return out

    def write(self, lengths: np.ndarray, random: np.random.Generator) -> pa.Array:
        """(n,) texts of so many words each."""
        token = self.walk(lengths, random)
        afresh = np.flatnonzero(token >= len(self.words))
        made = _speak(self.shapes.take(pa.array(token[afresh] - len(self.words))), random)
        token[afresh] = len(self.words) + np.arange(len(afresh))
        flat = pa.concat_arrays([self.words, made]).take(pa.array(token))
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), flat), " ")

    def state(self) -> State:
        tables = {n: getattr(self, n).state() for n in ("follow", "drift", "filled", "any")}
        return State.nest(tables, {"words": self.words.to_pylist(), "shapes": self.shapes.to_pylist()}
                          | {"look": self.look.tolist()})

    @classmethod
    def from_state(cls, state: State) -> Chain:
        words, shapes = sound.texts(state, "words"), sound.texts(state, "shapes")
        fine = all(s.isascii() and len(s) <= WIDEST for s in shapes) and len(shapes) > 0
        sound.demand(fine, "shapes of words that make no sense")
        look = sound.array(State({}, {"look": np.array(sound.plain(state, "look", list))}), "look",
                           size=len(words) + len(shapes) + 1, low=0, high=len(shapes), kind=np.int64)
        w, s = len(words), len(shapes)
        sizes = {"follow": (w + s + 1, w), "drift": (s + 1, s), "filled": (s, w), "any": (1, s)}
        tables = {name: Table.from_state(state.part(name), *size) for name, size in sizes.items()}
        return cls(pa.array(words, pa.string()), pa.array(shapes, pa.string()), look, **tables)


def _speak(shapes: pa.Array, random: np.random.Generator) -> pa.Array:
    """Each shape filled with letters that can be spoken and with digits."""
    if not len(shapes):
        return pa.array([], pa.string())
    sizes = pc.binary_length(shapes).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    signs = np.frombuffer("".join(shapes.to_pylist()).encode("ascii"), np.uint8)
    place = np.arange(len(signs)) - np.repeat(ends[:-1], sizes)
    vowel = (place + np.repeat(random.integers(0, 2, len(shapes)), sizes)) % 2 == 0
    draw = random.integers(0, 240, len(signs))  # 240 is a multiple of 16, of 5 and of 10
    letter = np.where(vowel, VOWELS[draw % len(VOWELS)], CONSONANTS[draw % len(CONSONANTS)])
    out = np.where(signs == ord("a"), letter, np.where(signs == ord("A"), letter - 32, signs))
    out = np.where(signs == ord("0"), 48 + draw % 10, out).astype(np.uint8)
    return pa.StringArray.from_buffers(len(shapes), pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(out))


def _chain(seen: Seen, k: int) -> Chain:
    words, shapes = seen.words.safe(k, WORDS), seen.shapes.safe(k, WORDS)
    if not len(shapes.texts):  # no shape is common: every token gets five letters
        shapes = Tally(pa.array(["aaaaa"]), np.ones(1))
    w, s = len(words.texts), len(shapes.texts)
    of = pc.index_in(_shape(words.texts), shapes.texts).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    look = np.concatenate([of, np.arange(s), [s]])
    follow = _links(seen.pairs, words.texts, w + s, w + s + 1, k)
    drift = _links(seen.shape_pairs, shapes.texts, s, s + 1, k)
    filled = Table.of(s, of, np.arange(w), words.counts, shapes.counts)
    whole = Table.of(1, np.zeros(s, np.int64), np.arange(s), shapes.counts)
    return Chain(words.texts.cast(pa.string()), shapes.texts.cast(pa.string()), look, follow, drift, filled, whole)


def _links(pairs: Tally, names: pa.Array, begin: int, states: int, k: int) -> Table:
    """The table of pairs that k rows hold and whose both ends are kept; what other pairs weigh is left to back-off."""
    halves = pc.split_pattern(pairs.texts, " ")
    source, target = pc.list_element(halves, 0), pc.list_element(halves, 1)
    index = pc.index_in(source, names).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    index[np.asarray(pc.equal(source, START))] = begin
    goal = pc.index_in(target, names).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    known = index >= 0
    total = np.bincount(index[known], pairs.counts[known], states)
    kept = known & (goal >= 0) & (pairs.counts >= k)
    return Table.of(states, index[kept], goal[kept], pairs.counts[kept], total)


# ---------------------------------------------------------------- the coder


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
        return cls(sound.plain(state, "name", str), sound.markers(state), sound.share(state, "missing"), lengths, chain)
