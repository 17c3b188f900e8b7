"""Where codes without an order stand on the normal: levels, and cells that are missing.

A Gaussian copula sees one line a column. Of all orders of a column's levels the useful one is that in which its scores
hang together most with all other columns. For free scores, the largest sum of squared correlations with the others is
the first axis of the table of the levels' means (correspondence analysis: Hirschfeld 1935; Benzécri 1973); the levels
are put in the order of that axis, and the columns take turns, since each one's order rests on the others' scores
(alternating least squares: Gifi, "Nonlinear multivariate analysis", 1990). In the first turn, while no order is known
yet, the others also show their commonest levels one by one.

What is missing in an ordered column stands at the low end of its alphabet for no reason of its own. It is put where the
same sum is largest: in the middle if cells went missing by chance, at an end if it tells something.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabrica.block import Block
from fabrica.engines.copula.bridge import whole
from fabrica.engines.copula.margin import Margin, scored
from fabrica.kernels import kernel

__all__ = ["arranged"]

ROWS = 20_000  #: that orders are learned from, at most
TURNS = 3  #: after the first
LEVELS = 6  #: of a column that are shown one by one in the first turn
SHOWN = 4e6  #: cells that are looked at in the first turn, at most
PLACES = 9  #: that are tried for a missing code
SHRINK = 10.0  #: rows of the average that each level's mean is mixed with
ROUNDS = 60  #: of the power iteration
FINE = 1 << 20  #: steps of one, to which positions are rounded


def arranged(rows: Block, random: np.random.Generator) -> list[Margin]:
    """The margins of the columns, their free codes in a good order."""
    margins = [Margin.of(c) for c in rows]
    free = [j for j, m in enumerate(margins) if m.column.size > 2 and (not m.column.ordered or m.column.absent)]
    if not free or len(margins) < 2:
        return margins
    if len(rows) > ROWS:
        rows = rows.take(np.sort(random.permutation(len(rows))[:ROWS]))
    scores = np.stack([whole(m, c.codes) for m, c in zip(margins, rows, strict=True)], 1)
    first, owner = _opening(rows, margins, scores)
    for j in free:
        margins[j] = _placed(margins[j], rows.columns[j].codes[: len(first)], first, owner == j)
        scores[:, j] = whole(margins[j], rows.columns[j].codes)
    for j in free * TURNS:
        margins[j] = _placed(margins[j], rows.columns[j].codes, scores, np.arange(len(margins)) == j)
        scores[:, j] = whole(margins[j], rows.columns[j].codes)
    return margins


def _opening(rows: Block, margins: Sequence[Margin], scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, F) what the first rows show in the first turn, scores and commonest levels, and (F,) of which column."""
    levels = [(j, code) for j, m in enumerate(margins) if not m.column.ordered for code in m.order[:LEVELS]]
    few = max(1, min(len(rows), int(SHOWN / (len(margins) + len(levels)))))
    shown = [(rows.columns[j].codes[:few] == code).astype(np.float64) for j, code in levels]
    owner = np.concatenate([np.arange(len(margins)), [j for j, _ in levels]])
    return np.concatenate([scores[:few], np.stack(shown, 1)] if shown else [scores[:few]], 1), owner


def _placed(margin: Margin, codes: np.ndarray, scores: np.ndarray, own: np.ndarray) -> Margin:
    """A column with its free codes where the ``scores`` (n, F) want them that are not its ``own`` (F,)."""
    sums = _sums(codes, scores, margin.column.size)
    spread = scores.std(0)
    counts = np.bincount(codes, minlength=margin.column.size)
    means = (sums - counts[:, None] * scores.mean(0)) / (counts[:, None] + SHRINK) / np.where(spread > 0, spread, 1)
    means[:, own] = 0
    if not margin.column.ordered:
        return margin.ordered(_along(means, counts))
    for code in range(margin.column.absent):
        margin = _inserted(margin, code, means)
    return margin


def _along(means: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(L,) the levels in the order of the first axis of their ``means`` (L, C), by power iteration."""
    weighted = means * np.sqrt(counts)[:, None]
    axis = np.zeros(means.shape[1])
    axis[np.argmax((weighted**2).sum(0))] = 1.0
    for _ in range(ROUNDS):
        axis = weighted.T @ (weighted @ axis)
        axis /= max(np.sqrt(axis @ axis), 1e-300)
    axis *= np.sign(axis[np.argmax(np.abs(axis))])
    return np.argsort(np.round(means @ axis * FINE), kind="stable")


def _inserted(margin: Margin, code: int, means: np.ndarray) -> Margin:
    """The margin with ``code`` at that of a few places at which its column hangs together most with the others."""
    others = margin.order[margin.order != code]
    if margin.shares[code] == 0 or not margin.shares[others].any():
        return margin
    upto = np.cumsum(margin.shares[others])
    ends = np.searchsorted(upto, np.linspace(0, 1, PLACES)[1:-1] * upto[-1]) + 1
    tried = [np.insert(others, end, code) for end in dict.fromkeys([0, *ends.tolist(), len(others)])]
    told = [_told(margin.shares[order], means[order]) for order in tried]
    return margin.ordered(tried[int(np.argmax(np.round(np.array(told) * FINE)))])


def _told(shares: np.ndarray, means: np.ndarray) -> float:
    """The sum of squared correlations of the scores of codes in this order with the other columns."""
    scores = scored(shares)
    along = (shares * scores) @ means
    return float(along @ along / max(shares @ scores**2, 1e-12))


@kernel
def _sums(codes, scores, size):  # type: ignore[no-untyped-def]
    out = np.zeros((size, scores.shape[1]))
    for i in range(len(codes)):
        for c in range(scores.shape[1]):
            out[codes[i], c] += scores[i, c]
    return out
