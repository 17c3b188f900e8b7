"""Low-discrepancy draws: the uniforms that every engine uses to turn probabilities into codes.

Independent draws of n rows scatter every marginal by about 1/sqrt(n). If rows that expect alike outcomes are
put side by side and share one golden-ratio sequence, each stretch of them is covered evenly and the scatter
falls to about 1/n, while each single row still sees a uniform number. (The additive recurrence: Weyl 1916;
ordering the rows first is systematic sampling from an ordered frame, Madow & Madow 1944.)
"""

from __future__ import annotations

import numpy as np

from fabrica.kernels import kernel

__all__ = ["GOLDEN", "even", "even_in_order", "shuffled"]

GOLDEN = 0.6180339887498949


def even(size: int, random: np.random.Generator) -> np.ndarray:
    """``size`` uniforms in [0, 1), evenly spread, in random order: a systematic draw of one marginal.

    >>> u = even(4, np.random.default_rng(0))
    >>> sorted((u * 4).astype(int).tolist())
    [0, 1, 2, 3]
    """
    u = (np.arange(size) + random.random()) / max(size, 1)
    random.shuffle(u)
    return u


def even_in_order(order: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Uniforms for rows of which ``order`` (n,) says who expects alike; each stretch of the order is covered evenly.

    Rows that expect the same stand in random order: in the order of the table, two columns would share one sequence
    and hang together for no reason.
    """
    u, queue = np.empty(len(order)), random.permutation(len(order))
    u[queue[np.argsort(order[queue], kind="stable")]] = (np.arange(len(order)) * GOLDEN + random.random()) % 1.0
    return u


def shuffled(size: int, random: np.random.Generator) -> np.ndarray:
    """(size,) int32: the numbers from 0 on in random order.

    Fisher and Yates's shuffle on SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), which ``random`` seeds: an order of rows
    for every column of every chunk is wanted, and this one takes a fraction of the time of numpy's.

    >>> sorted(shuffled(5, np.random.default_rng(0)).tolist())
    [0, 1, 2, 3, 4]
    """
    return _shuffled(size, random.integers(0, 1 << 64, dtype=np.uint64))


@kernel
def _shuffled(size, state):  # type: ignore[no-untyped-def]
    out = np.arange(size).astype(np.int32)
    for i in range(size - 1, 0, -1):
        state += np.uint64(0x9E3779B97F4A7C15)
        z = state
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        j = np.int64(((z >> np.uint64(32)) * np.uint64(i + 1)) >> np.uint64(32))
        out[i], out[j] = out[j], out[i]
    return out
