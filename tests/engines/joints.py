"""Small joints that are known, and how far a twin is from them: what the tests of several engines stand on."""

from __future__ import annotations

import numpy as np

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.contract import Engine
from fabrica.run import Run

N = 20_000


def chance(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key))


def twin(engine: Engine, block: Block, size: int = N, seed: int = 2, workers: int = 1) -> Block:
    return engine.fit(block, None, Run(1, workers=workers)).sample(size, None, Run(seed, workers=workers))


def joint(block: Block) -> np.ndarray:
    """Share of every combination of codes."""
    sizes = [c.size for c in block]
    where = np.ravel_multi_index([c.codes.astype(np.int64) for c in block], sizes)
    return np.bincount(where, minlength=int(np.prod(sizes))) / len(block)


def apart(one: Block, other: Block) -> float:
    """Total variation between two joints."""
    return float(np.abs(joint(one) - joint(other)).sum() / 2)


def luck(block: Block) -> float:
    """Total variation that an independent sample of as many rows shows on average, at most (Jensen)."""
    share = joint(block)
    return float(np.sqrt(share * (1 - share) / len(block)).sum() / 2)


def random_joint(key: int, *sizes: int) -> Block:
    """Columns whose every combination has its own share, drawn unevenly."""
    r = chance(key)
    cells = int(np.prod(sizes))
    where = r.choice(cells, N, p=r.dirichlet(np.full(cells, 0.7)))
    return Block.of([coded(f"c{i}", size, codes)
                     for i, (size, codes) in enumerate(zip(sizes, np.unravel_index(where, sizes), strict=True))])
