"""Which word follows which: a chain of order one over words and shapes, with back-off (Katz, IEEE ASSP 1987).

From a word the chain goes to a word where k rows have that pair; else from its shape to a shape where k rows have that
pair; else to any shape. A shape is a word that has it, or is filled with letters that can be spoken and with digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import sound
from fabrica.codecs.text.tally import START, WIDEST, Held, shape
from fabrica.state import State

__all__ = ["Chain", "Table", "learned"]

WORDS = 50_000  #: words that a model keeps, at most
CONSONANTS, VOWELS = (np.frombuffer(s, np.uint8) for s in (b"bcdfghklmnprstvw", b"aeiou"))


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
            shape = np.maximum(shape, 0)  # only in a model that was changed by hand
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
    draw = random.integers(0, 720, len(signs))  # 720 is a multiple of 16, of 5, of 9 and of 10
    letter = np.where(vowel, VOWELS[draw % len(VOWELS)], CONSONANTS[draw % len(CONSONANTS)])
    out = np.where(signs == ord("a"), letter, np.where(signs == ord("A"), letter - 32, signs))
    for sign, first, count in (("0", 48, 10), ("N", 49, 9), ("Z", 48, 1)):
        out = np.where(signs == ord(sign), first + draw % count, out)
    out = out.astype(np.uint8)
    return pa.StringArray.from_buffers(len(shapes), pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(out))


def learned(words: Held, shapes: Held, pairs: Held, shape_pairs: Held, k: int) -> Chain:
    """The chain of what at least ``k`` rows hold."""
    words, shapes = words.safe(k, WORDS), shapes.safe(k, WORDS)
    if not len(shapes.texts):  # no shape is common: every token gets five letters
        shapes = Held(pa.array(["aaaaa"]), np.ones(1))
    w, s = len(words.texts), len(shapes.texts)
    of = pc.index_in(shape(words.texts), shapes.texts).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    look = np.concatenate([of, np.arange(s), [s]])
    follow = _links(pairs, words.texts, w + s, w + s + 1, k)
    drift = _links(shape_pairs, shapes.texts, s, s + 1, k)
    filled = Table.of(s, of, np.arange(w), words.counts, shapes.counts)
    whole = Table.of(1, np.zeros(s, np.int64), np.arange(s), shapes.counts)
    return Chain(words.texts.cast(pa.string()), shapes.texts.cast(pa.string()), look, follow, drift, filled, whole)


def _links(pairs: Held, names: pa.Array, begin: int, states: int, k: int) -> Table:
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
