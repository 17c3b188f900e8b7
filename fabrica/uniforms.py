"""Low-discrepancy draws: the uniforms that every engine uses to turn probabilities into codes.

Independent draws of n rows scatter every marginal by about 1/sqrt(n). If rows that expect alike outcomes are
put side by side and share one golden-ratio sequence, each stretch of them is covered evenly and the scatter
falls to about 1/n, while each single row still sees a uniform number. (The additive recurrence: Weyl 1916;
ordering the rows first is systematic sampling from an ordered frame, Madow & Madow 1944.)
"""

from __future__ import annotations

import numpy as np

__all__ = ["even", "even_in_order"]

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
