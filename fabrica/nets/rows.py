"""What every training does with rows and chance before it begins: some rows kept aside to judge by, the size of a
batch, the generator of the first weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrica.run import Run

if TYPE_CHECKING:
    import torch

__all__ = ["aside", "batch_size", "seeded"]


def aside(rows: np.ndarray, share: float, most: int, enough: int, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """(rows to judge by, the others): a random ``share``, at most ``most``; none where there are fewer than ``enough``.

    >>> [len(part) for part in aside(np.arange(1000), 0.1, 50, 100, Run(1))]
    [50, 950]
    """
    count = min(int(share * len(rows)), most) if len(rows) >= enough else 0
    order = run.random().permutation(len(rows))
    return rows[order[:count]], rows[order[count:]]


def batch_size(most: int, rows: int) -> int:
    """Rows of a batch: at least eight batches an epoch, where there are rows for it.

    >>> batch_size(256, 32_000), batch_size(256, 800), batch_size(256, 3)
    (256, 100, 16)
    """
    return int(np.clip(rows // 8, min(16, most), most))


def seeded(run: Run, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of torch for the branch of a run."""
    import torch

    return torch.Generator(device).manual_seed(run.key() & (2**63 - 1))
