"""What every engine promises, on small blocks of every shape.

* It learns from any block: one column, one row, all cells missing, a constant, thousands of levels, ordered and not.
* It gives as many rows as it was asked for, with the alphabet that it saw; the protected rest is never drawn.
* Margins are near the data's. The same seed gives the same rows. The block that was learned from is left as it was.
* A state goes through JSON and arrays and samples the same.
* Likelihoods sum to one over all rows of codes. Cells that are known stay as they are; those that are not are drawn.
"""

from __future__ import annotations

import numpy as np

from fabrica.block import Block, Coded, code_type
from fabrica.checks.promise import keep, stored
from fabrica.contract import Conditional, Engine, Likelihood, Model
from fabrica.run import Run

__all__ = ["check_engine", "blocks"]

MOST = 20_000  #: rows of codes over which probabilities are summed
FEW = 24  #: codes of a column whose margin can be judged on a small block


def check_engine(engine: Engine, *, far: float = 0.1) -> None:
    """All promises of an engine; ``far``: how much of a margin may be misplaced (total variation) on 1,500 rows."""
    for name, block in blocks(Run(1)).items():
        try:
            _promises(engine, block, far)
        except AssertionError as broken:
            raise type(broken)(f"{broken} (block: {name})") from None


def blocks(run: Run) -> dict[str, Block]:
    """Small random blocks of every shape, by name."""
    random = run.child("blocks").random()
    rows = 1500
    first = np.minimum(random.exponential(3, rows).astype(np.int64), 11)
    mixed = [
        coded("number", 14, np.where(random.random(rows) < 0.1, first % 2, first + 2), ordered=True, absent=2),
        coded("level", 5, (first + random.integers(0, 2, rows)) % 5),
        coded("hidden", 4, np.where(random.random(rows) < 0.05, 3, first % 3), rest=3),
        coded("weekday", 7, random.integers(0, 7, rows), ordered=True),
    ]
    return {
        "mixed": Block.of(mixed),
        "one column": Block.of(mixed[:1]),
        "one row": Block.of(mixed).take(slice(0, 1)),
        "two rows": Block.of(mixed).take(slice(0, 2)),
        "constant": Block.of([coded("same", 1, np.zeros(rows, np.int64)), mixed[1]]),
        "all missing": Block.of([coded("gone", 1, np.zeros(rows, np.int64), absent=1), mixed[0]]),
        "only the rest": Block.of([coded("rare", 3, np.full(rows, 2), rest=2), mixed[1]]),
        "rest of one person": Block.of([coded("rare", 4, np.where(np.arange(rows) == 7, 3, first % 3), rest=3),
                                        mixed[0]]),
        "eight rows, one of the rest": Block.of([coded("rare", 3, np.arange(8) // 4 + np.arange(8) // 7, rest=2),
                                                 mixed[0].take(slice(0, 8))]),
        "many levels": Block.of([coded("id", 3000, random.integers(0, 3000, rows)), mixed[0], mixed[1]]),
        "no columns": Block.of([], 50),
    }


def coded(
    name: str, size: int, codes: np.ndarray, *, ordered: bool = False, absent: int = 0, rest: int | None = None
) -> Coded:
    """A coded column with a grid where it is ordered."""
    grid = None
    if ordered:
        grid = np.concatenate([np.full(absent, np.nan), (np.arange(size - absent) + 0.5) / max(1, size - absent)])
    return Coded(name, size, codes.astype(code_type(size)), ordered, absent, rest, grid)


def _promises(engine: Engine, block: Block, far: float) -> None:
    before = [c.codes.copy() for c in block]
    model = engine.fit(block, None, Run(2))
    keep(all((c.codes == b).all() for c, b in zip(block, before, strict=True)), "the block is left as it was")
    for size in (0, 1, 7, max(1500, len(block))):
        sample = model.sample(size, None, Run(3))
        _alphabet(block, sample, size)
    _margins(block, sample, far)
    keep(_same(sample, model.sample(len(sample), None, Run(3))), "the same seed gives the same rows")
    again: Model = type(model).from_state(stored(model.state()))
    keep(_same(sample, again.sample(len(sample), None, Run(3))), "what was stored samples the same")
    keep(_same(sample, engine.fit(block, None, Run(2)).sample(len(sample), None, Run(3))),
         "learning twice with the same seed learns the same")
    if isinstance(model, Likelihood):
        _sums_to_one(model, block)
    if isinstance(model, Conditional):
        _completes(model, block, far)


def _alphabet(block: Block, sample: Block, size: int) -> None:
    keep(len(sample) == size and all(len(c) == size for c in sample), "there are as many rows as were asked for")
    keep([(c.name, c.size, c.ordered, c.absent, c.rest) for c in block]
         == [(c.name, c.size, c.ordered, c.absent, c.rest) for c in sample], "the alphabet is the one that was learned")
    for seen, drawn in zip(block, sample, strict=True):
        keep(drawn.codes.dtype.kind == "u" and (not size or drawn.codes.max() < drawn.size), "codes are below the size")
        if seen.rest is not None and (seen.codes != seen.rest).any():
            keep(not (drawn.codes == seen.rest).any(), "the protected rest is never drawn")


def _margins(block: Block, sample: Block, far: float) -> None:
    for seen, drawn in zip(block, sample, strict=True):
        if seen.size > FEW or len(block) < 100:
            continue
        p, q = (np.bincount(c.codes, minlength=c.size).astype(np.float64) for c in (seen, drawn))
        if seen.rest is not None and p.sum() > p[seen.rest]:
            p[seen.rest] = 0
        moved = np.abs(p / p.sum() - q / q.sum()).sum() / 2
        keep(moved <= far, f"margins are near the data's ({moved:.2f} of {seen.name!r} is misplaced)")
        keep(not q[p == 0].sum() > far * q.sum(), "codes that nobody has are hardly drawn")


def _sums_to_one(model: Likelihood, block: Block) -> None:
    sizes = [c.size for c in block]
    if not sizes or np.prod(sizes) > MOST:
        return
    grid = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij")).reshape(len(sizes), -1)
    every = Block.of([c.empty().filled(codes) for c, codes in zip(block, grid, strict=True)])
    total = np.exp(model.log_prob(every, Run(4))).sum()
    keep(abs(total - 1) < 1e-3, f"the probabilities of all rows sum to one (here {total:.4f})")


def _completes(model: Conditional, block: Block, far: float) -> None:
    known = np.zeros((len(block), len(block.columns)), bool)
    drawn = model.complete(block, known, Run(5))
    _alphabet(block, drawn, len(block))
    _margins(block, drawn, far)
    known[:, ::2] = True
    drawn = model.complete(block, known, Run(6))
    keep(all((c.codes == d.codes).all() for c, d in list(zip(block, drawn, strict=True))[::2]),
         "cells that are known stay as they are")


def _same(one: Block, other: Block) -> bool:
    return all((a.codes == b.codes).all() for a, b in zip(one, other, strict=True))
