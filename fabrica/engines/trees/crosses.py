"""Pairs of columns that tell of a target together and not alone: a = b xor c.

A tree looks one split ahead, and no single split on b or c gains anything. So all pairs are looked at once for each
target: each column is cut into a few groups, and the gain of the table of both is held against the gains of its two
margins (the interaction sum of squares of a two-way layout: Fisher 1925). A pair whose interaction is large, clearly
beyond chance and larger than what either column tells alone becomes a feature, the cell of its table.
"""

from __future__ import annotations

import numpy as np

from fabrica.block import Block, Coded
from fabrica.engines.trees.derived import CROSSES, Derived
from fabrica.engines.trees.embed import NARROW, narrow

__all__ = ["ROWS", "crosses"]

ROWS = 4000  #: that pairs are judged by, at most
FEWEST = 500  #: and at least
PRODUCTS = 2e8  #: multiplications that the pairs of one target may cost
GROUPS = 4  #: of a column
LARGE = 0.03  #: share of the target's variance that an interaction must explain
CLEAR = 6.0  #: standard deviations that it must lie above chance


def crosses(block: Block, looked: np.ndarray, target: np.ndarray, rows: np.ndarray) -> list[Derived]:
    """Features for the pairs of columns ``looked`` (F,) that a ``target``, embedded (m, R) at ``rows`` (m,), needs."""
    if len(looked) < 2 or len(rows) < FEWEST:
        return []
    most = max(FEWEST, min(ROWS, int(PRODUCTS / (target.shape[1] * (GROUPS * len(looked) + 1) ** 2))))
    rows, target = rows[:most], target[:most] - target[:most].mean(0)
    each = float((target**2).sum() / len(rows))
    if each < 1e-9:
        return []
    groups = [_groups(block.columns[f]) for f in looked]
    member = np.concatenate([np.eye(GROUPS, dtype=np.float32)[g[narrow(block.columns[f].codes[rows])]]
                             for g, f in zip(groups, looked, strict=True)], 1)
    alone, beyond, freedom = _gains(member, target.astype(np.float32))
    chance = each * (freedom + CLEAR * np.sqrt(2 * freedom))
    hidden = np.maximum(alone[:, None], alone[None, :])
    wanted = (beyond > chance) & (beyond > LARGE * each * len(rows)) & (beyond > hidden)
    a, b = np.nonzero(np.triu(wanted, 1))
    best = np.argsort(-beyond[a, b], kind="stable")[:CROSSES]
    return [_cross(looked[a[i]], looked[b[i]], groups[a[i]], groups[b[i]]) for i in best]


def _gains(member: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(F,) what each column explains alone, (F, F) what the table of two explains beyond both, and its degrees of
    freedom; ``member`` (m, F * GROUPS) says which group each row is in."""
    count = member.shape[1] // GROUPS
    held = member.T @ member
    square = np.zeros_like(held)
    for r in range(target.shape[1]):
        square += ((member * target[:, r : r + 1]).T @ member) ** 2
    cells = (count, GROUPS, count, GROUPS)
    pair = (square / np.maximum(held, 1)).reshape(cells).sum((1, 3))
    full = (held.reshape(cells) > 0).sum((1, 3))
    alone, levels = np.diag(pair), np.diag(full)
    freedom = np.maximum((levels[:, None] - 1) * (levels[None, :] - 1), 1)
    return alone, pair - alone[:, None] - alone[None, :], freedom


def _groups(column: Coded) -> np.ndarray:
    """(size,) the group of each code: of equal mass where codes are ordered, else the commonest levels and the rest."""
    counts = np.bincount(column.codes, minlength=column.size)
    if column.grid is None:
        group = np.full(column.size, GROUPS - 1)
        top = np.argsort(-counts, kind="stable")[: GROUPS if column.size <= GROUPS else GROUPS - 1]
        group[top] = np.arange(len(top))
    else:
        middle = np.cumsum(counts) - counts / 2
        group = np.minimum(middle / max(counts.sum(), 1) * GROUPS, GROUPS - 1).astype(np.int64)
    return group[: NARROW + 1]


def _cross(one: int, other: int, groups: np.ndarray, others: np.ndarray) -> Derived:
    tables = (GROUPS * groups).astype(np.float32), others.astype(np.float32)
    return Derived(np.array([one, other], np.int32), tables, np.arange(GROUPS**2 - 1, dtype=np.float32) + 0.5)
