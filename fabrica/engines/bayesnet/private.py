"""The network under privacy: parents chosen by chance, tables with noise.

For each column one set of earlier columns is chosen, each cut finely or coarsely, by how much the column depends on
them; their table is counted once with noise, and becomes what the plain network learns from: rows, as many in each cell
as it says. (Zhang, Cormode, Procopiuc, Srivastava & Xiao, "PrivBayes", TODS 2017.)

The score of a set is the sum over its cells of |n(x, pi) - n(pi) p(x)|, where p is what noise has told of the column
before. One row changes one n(x, pi) and one n(pi) by one, and with that the sum by (1 - p(x)) and by p(y) for each
other y: by 2 at most. With p in whole parts of ``PARTS`` all of it is whole numbers, rounded down once at the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

import numpy as np

from fabrica.bins import Bins, counted, spoken
from fabrica.block import Block, Told
from fabrica.engines.bayesnet.column import Column
from fabrica.engines.bayesnet.parent import runs
from fabrica.engines.bayesnet.search import Parent
from fabrica.engines.bayesnet.table import Table
from fabrica.run import Run
from fabrica.tokens import Token, Tokens

__all__ = ["MOST", "SENSITIVITY", "learned_privately", "parts", "score"]

MOST = 3  #: parents
COARSE = 5  #: groups of a column that is cut coarsely, about
CHOOSING = Fraction(1, 6)  #: of what is left, for the choices
PARTS = 1 << 20
SENSITIVITY = 2  #: of a score
PENALTY = 1.2  #: of the error that noise is expected to bring, that a set has to outdo
TRUST = 0.3  #: rows that the table above one counts for, for each of its tokens and each standard deviation of noise
CELLS = 200_000  #: of a table, at most
RAKED = 6  #: rounds in which a table is made to have the margins that are known


@dataclass(frozen=True)
class Side:
    """A column as a parent: ``j``, and the group of each of its bins; -1 is the protected rest."""

    j: int
    groups: np.ndarray

    @property
    def size(self) -> int:
        return int(self.groups.max(initial=0)) + 1


Set = tuple[Side, ...]


def learned_privately(rows: Block, most: int, k: int, run: Run) -> tuple[Tokens, tuple[Column, ...]]:
    """The tokens and columns of a network, as far as the budget of the run reaches."""
    _, bins, told = counted(rows, run)
    tokens = Tokens(tuple(b.token(c, t) for c, b, t in zip(rows, bins, told, strict=True)))
    words = spoken(rows, bins)
    ways = [_ways(j, bins[j], told[j], tokens.columns[j]) for j in range(len(bins))]
    order = sorted(range(len(bins)), key=lambda j: bins[j].size)
    rho = run.purse.left / max(1, len(order) - 1)
    found = []
    names = [c.name for c in rows]
    for step, j in enumerate(order):
        run.tell(step, len(order), "counting with noise")
        table, variance = np.maximum(told[j].counts, 0.0), 0.0
        sets = _sets([ways[c] for c in order[:step]], most, CELLS // bins[j].size)
        parents = _chosen(words, j, bins[j].size, told[j], sets, rho, run, names[j]) if step else ()
        if parents:
            noisy, variance = run.noisy(_counts(words, j, bins[j].size, parents), rho * (1 - CHOOSING),
                                        f"{names[j]} given {', '.join(names[p.j] for p in parents)}, counts")
            table = _raked(_positive(noisy.astype(np.float64)), [_margin(p, told[p.j]) for p in parents], table)
        found.append(_column(j, tokens, bins, parents, table, variance, k, run.child(j).random()))
    return tokens, tuple(found)


def _ways(j: int, bins: Bins, told: Told, token: Token) -> list[Side]:
    """The column as a parent, finely and coarsely."""
    whole = Side(j, np.arange(bins.size))
    if bins.size <= COARSE:
        return [whole]
    if token.ordered:
        of = bins.of_tokens(token)
        groups = np.zeros(bins.size, np.int64)
        groups[of[of < bins.size]] = runs(token, COARSE)[of < bins.size]
    else:
        groups = np.full(bins.size, COARSE - 1)
        groups[np.argsort(-told.counts, kind="stable")[: COARSE - 1]] = np.arange(COARSE - 1)
    return [whole, Side(j, np.unique(groups, return_inverse=True)[1].ravel())]


def _sets(ways: Sequence[Sequence[Side]], most: int, cells: int) -> list[Set]:
    """No parent, or some, each in one of its ways, with so many ``cells`` at most; many of them coarsely only."""
    found: list[Set] = [()]
    for count in range(1, most + 1):
        for some in combinations(ways, count):
            found += product(*((w if count < 3 else w[-1:]) for w in some))
    return [one for one in found if math.prod(side.size for side in one) <= cells]


def _counts(words: np.ndarray, j: int, size: int, parents: Set) -> np.ndarray:
    """int64, an axis a parent and one for the column; rows with the protected rest among them count nowhere."""
    place, seen = np.zeros(words.shape[1], np.int64), words[j] >= 0
    for p in parents:
        place = place * p.size + p.groups[words[p.j]]
        seen &= words[p.j] >= 0
    shape = (*(p.size for p in parents), size)
    return np.bincount((place * size + words[j])[seen], minlength=math.prod(shape)).reshape(shape)


def parts(told: Told) -> np.ndarray:
    """(K,) the share of each bin as noise has told it, in parts of ``PARTS``, all of them together at most."""
    mass = np.maximum(told.counts, 0.0) + 1e-9
    return np.floor(mass / mass.sum() * PARTS).astype(np.int64)


def score(counts: np.ndarray, chance: np.ndarray) -> int:
    """How far ``counts`` (..., K) are from rows that all have the ``chance`` (K,); one row changes it by
    ``SENSITIVITY`` at most.

    >>> score(np.array([[5, 0], [0, 5]]), np.array([PARTS // 2, PARTS // 2]))
    10
    """
    counts = counts.reshape(-1, counts.shape[-1])
    return int(np.abs(counts * PARTS - counts.sum(1, keepdims=True) * chance).sum() // PARTS)


def _chosen(words: np.ndarray, j: int, size: int, told: Told, sets: Sequence[Set], rho: Fraction, run: Run,
            name: str) -> Set:
    """The parents of column ``j``, called ``name``; ``told`` is about how many rows have each of its bins."""
    chance = parts(told)
    noise = PENALTY * math.sqrt(2 / math.pi) * run.purse.terms.rows / math.sqrt(2 * float(rho * (1 - CHOOSING)))
    scores = [0]
    for parents in sets[1:]:
        counts = _counts(words, j, size, parents)
        scores.append(score(counts, chance) - round(noise * counts.size))
    place = run.chosen(scores, rho * CHOOSING, f"{name}, which columns it depends on", SENSITIVITY)
    return sets[place or 0]


def _positive(table: np.ndarray) -> np.ndarray:
    """The nearest table without negative counts in which each row of parents has the same sum (norm-sub; Wang et al.,
    "Locally differentially private frequency estimation with consistency", NDSS 2020)."""
    flat = table.reshape(-1, table.shape[-1])
    whole = np.maximum(flat.sum(1), 0.0)
    high = -np.sort(-flat, axis=1)
    over = (np.cumsum(high, 1) - whole[:, None]) / np.arange(1, flat.shape[1] + 1)
    last = np.maximum((high > over).sum(1) - 1, 0)
    return np.maximum(flat - np.take_along_axis(over, last[:, None], 1), 0.0).reshape(table.shape)


def _margin(side: Side, told: Told) -> np.ndarray:
    return np.bincount(side.groups, np.maximum(told.counts, 0.0), side.size)


def _raked(table: np.ndarray, parents: Sequence[np.ndarray], own: np.ndarray) -> np.ndarray:
    """The table with the margins that are known (Deming & Stephan 1940)."""
    for _ in range(RAKED):
        for axis, margin in enumerate([*parents, own]):
            others = tuple(a for a in range(table.ndim) if a != axis)
            now = table.sum(others)
            factor = np.where(now > 0, margin / np.maximum(now, 1e-9), 0.0)
            table = table * np.expand_dims(factor, others)
    return table


def _column(j: int, tokens: Tokens, bins: Sequence[Bins], parents: Set, table: np.ndarray, variance: float, k: int,
            random: np.random.Generator) -> Column:
    """The column learned from rows that are as many in each cell as its table says."""
    token = tokens.columns[j]
    rows = np.rint(table).astype(np.int64)
    if not rows.any():
        rows = np.ones_like(rows)
    cells = np.repeat(np.arange(rows.size), rows.ravel())
    *places, own = np.unravel_index(cells, rows.shape)
    child = token.of[bins[j].drawn(own, random)]
    words, asked = np.zeros((len(tokens.columns), len(cells)), np.int32), []
    for side, place in zip(parents, places, strict=True):
        of = bins[side.j].of_tokens(tokens.columns[side.j])
        groups = np.append(side.groups, 0)[of].astype(np.int32)  # of the rest nobody is drawn
        words[side.j] = np.array([np.flatnonzero((groups == g) & (of < bins[side.j].size))[0]
                                  for g in range(side.size)], np.int32)[place]
        asked.append(Parent(side.j, groups, TRUST * table.shape[-1] * variance**0.5))
    return Column(j, token, (Table.of(words, child, token.size, asked, k),))
