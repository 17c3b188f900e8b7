"""The table as boosted trees look at it: one matrix of places, cut once for all columns and all levels.

An ordered column is cut into places of equal mass (missing codes apart), a plane into places along each of its axes;
the levels of a nominal column stand in an order in which neighbours hang together alike with the rest of the table.
Where there are many columns, each looks at the earlier ones with which its mutual information is largest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.block import Block, Coded
from fabrica.kernels import kernel
from fabrica.run import Run

__all__ = ["Context", "coarser", "line", "places"]

PLACES = 250  #: of a feature of the context
GROUPS = 32  #: of a column, by which mutual information is judged
ROWS = 8000  #: by which it is judged
PROFILE = 24  #: earlier columns by which levels are put in order, at most


@dataclass(frozen=True)
class Context:
    """The places of all rows.

    tables : for each feature (size,) uint8, the place of each code. column (G,): the column of each feature.
    placed (n, G) uint8. looked : for each column the features that it looks at. nominal (G,) bool.
    """

    tables: tuple[np.ndarray, ...]
    column: np.ndarray
    nominal: np.ndarray
    placed: np.ndarray
    looked: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, rows: Block, most: int, run: Run) -> Context:
        some = np.sort(run.child("information").random().permutation(len(rows))[:ROWS])
        coarse = np.stack([_groups(c)[c.codes[some]] for c in rows], 1) if rows.columns else np.zeros((0, 0), np.uint8)
        tables, column, nominal = [], [], []
        for j, one in enumerate(rows):
            for table in _tables(one, line(one, np.delete(coarse, j, 1), one.codes[some])):
                tables.append(table)
                column.append(j)
                nominal.append(one.grid is None)
        columns, placed = np.array(column, np.int64), np.empty((len(rows), len(tables)), np.uint8)
        for g, table in enumerate(tables):
            placed[:, g] = table[rows.columns[column[g]].codes]
        looked = tuple(np.flatnonzero(np.isin(columns, chosen)) for chosen in _chosen(coarse, most))
        return cls(tuple(tables), columns, np.array(nominal, bool), placed, looked)


def line(column: Coded, others: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(size,) one number a code by which codes are sorted: their own order, or for a nominal column the leading axis of
    a correspondence analysis (Benzécri 1973) of ``codes`` (m,) and the groups of the ``others`` (m, C)."""
    if column.ordered:
        return np.arange(column.size, dtype=np.float64)
    counts = np.bincount(column.codes, minlength=column.size).astype(np.float64)
    if column.size <= 2 or not others.shape[1]:
        return -counts
    tables = [np.bincount(codes.astype(np.int64) * GROUPS + o, minlength=column.size * GROUPS).reshape(-1, GROUPS)
              for o in others.T[-PROFILE:]]
    table = np.concatenate(tables, 1).astype(np.float64)
    mass, profile = np.maximum(table.sum(1), 1e-9), table.sum(0) / max(table.sum(), 1e-9)
    apart = (table - mass[:, None] * profile) / np.sqrt(np.outer(mass + 10 * len(tables), profile + 1e-9))
    axes = np.linalg.eigh(apart.T @ apart)[1]
    found = (apart @ axes[:, -1]) / np.sqrt(mass + 10 * len(tables))
    found = found * np.sign(found[np.argmax(np.abs(found))] or 1.0)
    return np.round(found, 9) - 1e-12 * counts


def coarser(placed: np.ndarray) -> np.ndarray:
    """Places joined to groups."""
    return placed // -(-256 // GROUPS)


def _tables(column: Coded, along: np.ndarray) -> list[np.ndarray]:
    counts = np.bincount(column.codes, minlength=column.size).astype(np.float64)
    own = places(along, counts, column.absent)
    if column.axes is None:
        return [own]
    return [own, *(places(np.nan_to_num(a, nan=-1.0), counts, column.absent) for a in column.axes.T)]


def places(along: np.ndarray, counts: np.ndarray, absent: int, most: int = PLACES) -> np.ndarray:
    """(size,) uint8: the place of each code in the order of ``along`` (size,); the first ``absent`` codes apart, equal
    mass (``counts``) where there are too many."""
    size, apart = len(along), min(absent, most // 2)
    order = absent + np.argsort(along[absent:], kind="stable")
    found = np.minimum(np.arange(size), apart)
    if size - absent <= most - apart:
        found[order] = apart + np.arange(size - absent)
    else:
        mass = np.cumsum(counts[order]) - counts[order] / 2
        cut = np.minimum(mass / max(counts[order].sum(), 1.0) * (most - apart), most - apart - 1)
        found[order] = apart + np.unique(cut.astype(np.int64), return_inverse=True)[1]
    return found.astype(np.uint8)


def _groups(column: Coded) -> np.ndarray:
    """(size,) uint8: a coarse group of each code, the commonest levels apart where they have no order."""
    counts = np.bincount(column.codes, minlength=column.size).astype(np.float64)
    if column.ordered:
        return places(np.arange(column.size), counts, column.absent, GROUPS)
    found = np.full(column.size, GROUPS - 1, np.uint8)
    top = np.argsort(-counts, kind="stable")[: GROUPS if column.size <= GROUPS else GROUPS - 1]
    found[top] = np.arange(len(top))
    return found


def _chosen(coarse: np.ndarray, most: int) -> list[np.ndarray]:
    """For each column at most ``most`` earlier ones: all, or those that tell most."""
    count = coarse.shape[1]
    if count <= most + 1:
        return [np.arange(j) for j in range(count)]
    told = _information(np.ascontiguousarray(coarse.T), GROUPS)
    return [np.sort(np.argsort(-told[j, :j], kind="stable")[:most]) for j in range(count)]


@kernel
def _information(coarse, groups):  # type: ignore[no-untyped-def]
    """(C, C) mutual information of all pairs, less what chance gives (Miller 1955)."""
    count, rows = coarse.shape
    told = np.zeros((count, count))
    log = np.zeros(rows + 1)
    for i in range(1, rows + 1):
        log[i] = i * np.log(i)
    for a in range(count):
        for b in range(a):
            cells = np.zeros((groups, groups), np.int64)
            for i in range(rows):
                cells[coarse[a, i], coarse[b, i]] += 1
            one, other, both, full = 0.0, 0.0, 0.0, 0
            ones, others = 0, 0
            for x in range(groups):
                there, here = 0, 0
                for y in range(groups):
                    here += cells[x, y]
                    there += cells[y, x]
                    both += log[cells[x, y]]
                    full += cells[x, y] > 0
                one += log[here]
                other += log[there]
                ones += here > 0
                others += there > 0
            total = (both - one - other + log[rows]) / rows
            told[a, b] = total - (full - ones - others + 1) / (2.0 * rows)
            told[b, a] = told[a, b]
    return told
