"""Which earlier columns a column looks at, where there are many: those it hangs together with most.

Each column is described by a few numbers a row (its leading cosines or its commonest levels); two columns are as
close as the largest correlation between their descriptions. One matrix product screens a thousand columns in a second.
"""

from __future__ import annotations

import numpy as np

from fabrica.block import Block, Coded
from fabrica.run import Run

__all__ = ["screened"]

ROWS = 4000
DESCRIBED = 3


def screened(rows: Block, features: int, run: Run) -> tuple[np.ndarray, ...]:
    """For each column the numbers of at most ``features`` earlier columns, ascending."""
    count = len(rows.columns)
    if count <= features + 1:
        return tuple(np.arange(j) for j in range(count))
    some = rows.take(np.sort(run.random().permutation(len(rows))[:ROWS]))
    described = np.stack([_described(c) for c in some], 1)  # (rows, columns, DESCRIBED)
    described -= described.mean(0)
    described /= np.maximum(np.sqrt((described**2).sum(0)), 1e-9)
    looked, flat = [], np.ascontiguousarray(described.reshape(len(some), -1))
    for j in range(count):
        links = np.abs(flat[:, j * DESCRIBED : (j + 1) * DESCRIBED].T @ flat[:, : j * DESCRIBED])
        near = links.reshape(DESCRIBED, j, DESCRIBED).max((0, 2), initial=0)
        looked.append(np.sort(np.argsort(-near, kind="stable")[:features]))
    return tuple(looked)


def _described(column: Coded) -> np.ndarray:
    """(n, DESCRIBED) float32."""
    if column.grid is not None:
        harmonic = np.arange(1, DESCRIBED)
        waves = np.nan_to_num(np.cos(np.pi * np.outer(column.grid, harmonic)))
        here = np.concatenate([waves, np.isnan(column.grid)[:, None]], 1)
        return here[column.codes].astype(np.float32)
    counts = np.bincount(column.codes, minlength=column.size)
    top = np.argsort(-counts, kind="stable")[:DESCRIBED]
    out = np.zeros((len(column), DESCRIBED), np.float32)
    for d, level in enumerate(top):
        out[:, d] = column.codes == level
    return out
