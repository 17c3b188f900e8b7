"""What every engine promises, on small blocks of every shape.

* It learns from any block: one column, one row, all cells missing, a constant, thousands of levels, ordered and not.
* It gives as many rows as it was asked for, with the alphabet that it saw; the protected rest is never drawn.
* Who looks through noise, always or if asked to, has a budget here with which there is hardly any; its noise is never
  the same again.
* Margins are near the data's; the protected rest is shown as values and not as missing. The same seed gives the same
  rows. The block that was learned from is left as it was.
* A state goes through JSON and arrays and samples the same.
* Likelihoods sum to one over all rows of codes. Cells that are known stay as they are; those that are not are drawn.
* Masked rows, kept in proportion to their weights, are distributed as rows that a fair chance has kept by its masks.
"""

from __future__ import annotations

import numpy as np

from fabrica.block import Block, Coded, code_type
from fabrica.checks.promise import keep, stored
from fabrica.contract import Conditional, Engine, Likelihood, Masked, Model
from fabrica.privacy.ledger import Purse
from fabrica.privacy.terms import Privacy
from fabrica.run import Run

__all__ = ["check_engine", "blocks"]

MASKED = 30_000  #: rows by which masks are judged
MOST = 20_000  #: rows of codes over which probabilities are summed
PLENTY = 10_000.0  #: epsilon with which noise hardly matters
WAYS = {"never": (False,), "can": (False, True), "always": (True,)}  #: of learning: through noise or not
#: blocks on which who learns both ways is held to its promises through noise too
BOTH = ("mixed", "missing beside the rest", "two rows")
FEW = 24  #: codes of a column whose margin can be judged on a small block


def check_engine(engine: Engine, *, far: float = 0.1) -> None:
    """All promises of an engine; ``far``: how much of a margin may be misplaced (total variation) on 1,500 rows."""
    for name, block in blocks(Run(1)).items():
        for private in WAYS[engine.private]:
            if private and engine.private == "can" and name not in BOTH:
                continue
            try:
                _promises(engine, block, far, private)
            except AssertionError as broken:
                how = ", through noise" if private else ""
                raise type(broken)(f"{broken} (block: {name}{how})") from None


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
        "missing beside the rest": Block.of([
            coded("town", 5, np.select([random.random(rows) < 0.4, random.random(rows) < 0.4], [0, 4], 1 + first % 3),
                  absent=1, rest=4), mixed[0]]),
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


def _promises(engine: Engine, block: Block, far: float, private: bool) -> None:
    before = [c.codes.copy() for c in block]
    model = engine.fit(block, None, _run(private))
    keep(all((c.codes == b).all() for c, b in zip(block, before, strict=True)), "the block is left as it was")
    for size in (0, 1, 7, max(1500, len(block))):
        sample = model.sample(size, None, Run(3))
        _alphabet(block, sample, size)
    _margins(block, sample, far)
    keep(_same(sample, model.sample(len(sample), None, Run(3))), "the same seed gives the same rows")
    again: Model = type(model).from_state(stored(model.state()))
    keep(_same(sample, again.sample(len(sample), None, Run(3))), "what was stored samples the same")
    keep(private or _same(sample, engine.fit(block, None, _run(private)).sample(len(sample), None, Run(3))),
         "learning twice with the same seed learns the same")
    if isinstance(model, Likelihood):
        _sums_to_one(model, block)
    if isinstance(model, Conditional):
        _completes(model, block, far)
    if isinstance(model, Masked):
        _masks(model, model, block, far)


def _run(private: bool) -> Run:
    """A run to learn with; who looks through noise gets so large a budget that there is hardly any."""
    run = Run(2)
    return run.paying(Purse.of(Privacy(PLENTY))) if private else run


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
        p = seen.shown(p)
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


def _masks(model: Masked, own: Model, block: Block, far: float) -> None:
    """Weighted masked rows against the model's own rows, weighted by the chance that the masks give them: as near as
    margins must be, since a model may set those right on a whole sample."""
    if len(block) < 100 or not block.columns:
        return
    random = Run(7).child("masks").random()
    masks = {j: random.choice([0.0, 0.5, 1.0], c.size) for j, c in enumerate(block)}
    whole = np.exp(model.masked(MASKED, {}, Run(9))[1]).mean()  # 1, or what a model that keeps some of its rows keeps
    for asked in ((0,), (len(masks) - 1,), tuple(masks)):
        allowed = {j: masks[j] for j in asked}
        rows, left = model.masked(MASKED, allowed, Run(7))
        free = own.sample(MASKED, None, Run(8))
        _alphabet(block, rows, MASKED)
        chance = np.prod([allowed[j][free.columns[j].codes] for j in allowed], 0)
        weight = np.exp(left) / whole
        keep(not any((allowed[j][rows.columns[j].codes[weight > 0]] == 0).any() for j in allowed),
             "what is ruled out has no weight")
        error = (chance.std() + weight.std()) / MASKED**0.5
        keep(abs(weight.mean() - chance.mean()) < far / 4 + 5 * error, "weights tell how much the masks leave")
        if min(_effective(weight), _effective(chance)) < 2_000:
            continue
        for one, other in zip(rows, free, strict=True):
            p, q = (np.bincount(c.codes, w, c.size) for c, w in ((one, weight), (other, chance)))
            moved = np.abs(p / p.sum() - q / q.sum()).sum() / 2
            keep(one.size > FEW or moved < far, f"masked rows are distributed as chance would keep them ({moved:.3f})")


def _effective(weight: np.ndarray) -> float:
    """How many rows of equal weight tell as much (Kish 1965)."""
    return float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300))


def _same(one: Block, other: Block) -> bool:
    return all((a.codes == b.codes).all() for a, b in zip(one, other, strict=True))
