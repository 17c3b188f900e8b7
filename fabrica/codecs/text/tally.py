"""How many rows hold each word, each shape of a word and each pair of neighbours: all that a survey of text keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.personal.scan import scanned

__all__ = ["LONGEST", "START", "WIDEST", "Held", "shape", "tallies"]

TOKENS = 200_000  #: distinct words, and pairs of words, that a survey keeps, at most
LONGEST = 256  #: words of a text that are looked at and that are written, at most
WIDEST = 24  #: characters of a shape
START = "\x02"  #: stands before the first word


@dataclass(frozen=True)
class Held:
    """Distinct texts and how many rows hold each; above ``TOKENS`` only the commonest stay."""

    texts: pa.Array
    counts: np.ndarray

    def merge(self, other: Held) -> Held:
        both = pa.chunked_array([self.texts, other.texts]).combine_chunks().dictionary_encode()
        counts = np.bincount(both.indices.to_numpy(), np.concatenate([self.counts, other.counts]), len(both.dictionary))
        return Held(both.dictionary, counts).cut()

    def cut(self) -> Held:
        if len(self.texts) <= TOKENS:
            return self
        return self.only(np.sort(np.argsort(-self.counts, kind="stable")[: TOKENS // 2]))

    def only(self, rows: np.ndarray) -> Held:
        return Held(self.texts.take(pa.array(rows)), self.counts[rows])

    def safe(self, k: int, most: int = TOKENS) -> Held:
        """Those that at least ``k`` rows hold, the commonest first, in an order that parts do not change."""
        rows = np.flatnonzero(self.counts >= k)
        texts = np.array(self.texts.take(pa.array(rows)).to_pylist(), object)
        return self.only(rows[np.lexsort((texts, -self.counts[rows]))[:most]] if len(rows) else rows)


def shape(words: pa.Array) -> pa.Array:
    """``A`` a capital, ``a`` another letter, ``0`` a digit, signs of ASCII themselves; cut at ``WIDEST`` characters. Of
    several digits the first is ``Z`` where it is a zero and ``N`` where it is none: a postcode keeps its zero."""
    words = pc.utf8_slice_codeunits(words, 0, WIDEST)
    for pattern, sign in ((r"\p{Lu}", "A"), (r"\p{Ll}", "a"), (r"(^|[^0-9])0([0-9])", r"\1Z\2"),
                          (r"(^|[^0-9Z])[1-9]([0-9])", r"\1N\2"), (r"\p{Nd}", "0"), (r"[^\x21-\x7e]", "a")):
        words = pc.replace_substring_regex(words, pattern, sign)
    return words


def tallies(texts: pa.Array) -> tuple[Held, Held, Held, Held]:
    """(words, shapes, pairs of words, pairs of shapes), each with the number of rows that hold it."""
    lists = pc.list_slice(pc.split_pattern(texts, " "), 0, LONGEST)
    row = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    coded = pc.list_flatten(lists).dictionary_encode()
    word, pool = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), coded.dictionary
    shaped = shape(pool).dictionary_encode()
    looks, shapes = shaped.indices.to_numpy(zero_copy_only=False).astype(np.int64), shaped.dictionary
    new = np.append(True, row[1:] != row[:-1])[: len(row)]
    look = looks[word] if len(word) else word
    plain = scanned(row, word, pool) == 0  # what tells of a person is never a word, however many rows hold it
    return (_held(row[plain], word[plain], pool), _held(row, look, shapes),
            _pairs(row, word, pool, new, plain), _pairs(row, look, shapes, new, np.ones(len(row), bool)))


def _held(row: np.ndarray, token: np.ndarray, pool: pa.Array) -> Held:
    """Rows that hold each token, however often."""
    once = np.unique(token * (int(row.max(initial=0)) + 1) + row)
    counts = np.bincount(once // (int(row.max(initial=0)) + 1), minlength=len(pool)).astype(np.float64)
    return Held(pool, counts).cut()


def _pairs(row: np.ndarray, token: np.ndarray, pool: pa.Array, new: np.ndarray, plain: np.ndarray) -> Held:
    """Rows that hold each pair of neighbours that are both ``plain``, the first of a row with ``START``."""
    pool = pa.concat_arrays([pool.cast(pa.string()), pa.array([START])])
    before = np.where(new, len(pool) - 1, np.roll(token, 1)) if len(token) else token
    both = plain & (new | np.append(True, plain[:-1]))[: len(plain)]
    pair, label = np.unique((before * len(pool) + token)[both], return_inverse=True)
    first, second = (pool.take(pa.array(half)) for half in np.divmod(pair, len(pool)))
    texts = pc.binary_join_element_wise(first, second, " ")
    return _held(row[both], label.astype(np.int64), texts)
