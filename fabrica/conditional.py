"""Rows of a learned table in proportion to its law times factors: conditions, which are 0 or 1, and tilts in between.

What is asked of one column becomes a mask: how welcome each code's values are in the mean. A model that can draws
masked columns and tells each row's weight (``contract.Masked``); of any other all rows are looked at. Rows are
kept in proportion to their weight (rejection; von Neumann 1951), never repeated as long as that can be done in time.
A few weights tower above all others and would cost most of the time, so those that are above a bound count as the
bound, which moves ``TRIMMED`` of the whole law at most (truncated importance sampling; Ionides, JCGS 17, 2008); where
the bound rises those that were kept before are thinned. What looks at several columns is asked of finished rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from fabrica.alternatives import Either
from fabrica.block import Block
from fabrica.contract import Cells, Masked, Model
from fabrica.encoder import Encoder
from fabrica.expression import Expression
from fabrica.generator import Drawn, Factor, Generator, Hardly
from fabrica.lawful import fresh, keyed, named, obeying, unkeyed
from fabrica.masks import Mask, demand_no_key, possible, seat_of
from fabrica.rules import Rulebook
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.wish import times

__all__ = ["Asked", "Learned", "satisfying"]

FEWEST = 1 << 13  #: rows of the first turn
PIECE = 1 << 16  #: rows that are made together
TURN = 16  #: pieces of a turn, at most
MOST, EACH = 2_000_000, 400  #: rows that are made until it is given up: at least, and for each row that is wanted
TRIMMED = 0.003  #: share of the law that weights above the bound lose, at most
QUICK = 0.05  #: share of rows that is kept, from which on nothing is trimmed
SOME = 80  #: of so many rows of the first turn, from which on alternatives need not be drawn one by one
AGAIN = 400  #: times that the values inside codes are drawn again until they satisfy
BATCH, WIDE = 1 << 13, 256  #: values that are drawn together then; of one row at most
ENOUGH = 30  #: rows that were kept from which they may stand for the others, each several times
TOLD = 20_000  #: rows by which it is told how often a condition holds


@dataclass(frozen=True)
class Asked:
    """Factors as they are asked of a model.

    Parameters
    ----------
    factors : all of them; what an ``and`` joins is taken apart.
    masks : number of a coded column -> what is asked of it alone.
    rest : what is asked of finished rows.
    whole : mean weight of rows of which nothing is asked: below 1 where a model itself keeps some of its rows only.
    """

    factors: tuple[Factor, ...]
    masks: Mapping[int, Mask] = field(default_factory=dict)
    rest: tuple[Factor, ...] = ()
    whole: float = 1.0
    book: Rulebook | None = None  #: how rules are kept, where there are any

    @classmethod
    def of(cls, factors: Sequence[Factor], encoder: Encoder, model: Model, run: Run, book: Rulebook | None = None
           ) -> Asked:
        """What is asked of rows that ``model`` draws, ``encoder`` decodes and a rule ``book`` restores.

        Raises
        ------
        ExpressionError : a part that no value of its column satisfies, or that asks about a key.
        """
        parts = tuple(part for factor in factors for part in
                      (factor.parts() if isinstance(factor, Expression) else (factor,)))
        exact = [column.reals is not None for column in model.sample(1, None, run.child("look"))]
        seated: dict[int, list[Factor]] = {}
        rest: list[Factor] = []
        for part in parts:
            demand_no_key(part, encoder)
            seat = seat_of(part, encoder, book)
            if seat is None:
                rest.append(part)
            else:
                seated.setdefault(seat, []).append(part)
        masks = {}
        for seat, those in seated.items():
            place = encoder.coded[seat].start
            free = not book or all(set(part.columns) <= book.free for part in those)
            found = possible(those, encoder, seat, run.child(seat), book, free)
            if not free:  # a rule may give a row what its columns do not: the finished row is asked
                rest.extend(those)
                some = (found.tops > 0).astype(np.float64)
                found = Mask(some, some, ())
            elif encoder.widths[seat] > 1 or exact[place]:
                found = Mask(found.tops, found.tops, found.factors, False)
            if found.tops.any():
                masks[place] = found
        whole = _whole(model, run.child("whole")) if masks else 1.0
        return cls(parts, masks, tuple(rest), whole, book)

    def alternatives(self) -> Expression | None:
        """The first condition that is asked of finished rows and that an ``or`` joins; None where there is none."""
        return next((factor for factor in self.rest if isinstance(factor, Expression)
                     and len(factor.alternatives()) > 1), None)

    @property
    def shares(self) -> dict[int, np.ndarray]:
        """Number of a coded column -> (size,) mean weight of each code's values."""
        return {place: mask.shares for place, mask in self.masks.items()}


def satisfying(asked: Asked, encoder: Encoder, model: Model, rows: int, run: Run) -> Drawn:
    """``rows`` rows in proportion to the model's probability times what is asked; their source is their codes.

    Raises
    ------
    ExpressionError : hardly any row satisfies the whole; tells how often its parts are satisfied.
    """
    pool, made, turn = _Pool(run.child("keep").random()), 0, 0
    limit = max(MOST, EACH * rows)
    while pool.size < rows and made < limit:
        ahead = FEWEST if not turn else int(np.clip(1.2 * made * (rows - pool.size) / max(pool.size, 0.5) + 64, FEWEST,
                                                    min(TURN * PIECE, limit - made + FEWEST)))
        here = run.child("turn").child(turn)
        sizes = [min(PIECE, ahead - start) for start in range(0, ahead, PIECE)]
        pool.add(run.map(partial(_piece, asked, model, here), enumerate(sizes)))
        pool.finish(asked, encoder, here.child("finish"))
        made, turn = made + ahead, turn + 1
        run.tell(min(pool.size, rows), rows, "looking for rows that satisfy the condition")
    if pool.size < min(rows, ENOUGH):
        few = f"only {pool.size}" if pool.size else "none"
        error = Hardly(f"{few} of {made:,} rows of the model could be kept",
                       where=" and ".join(map(str, asked.factors)), hint=_shares(asked, encoder, model, run))
        if pool.size:
            error.drawn = pool.drawn(pool.size, made, asked, model)
        raise error
    return pool.drawn(rows, made, asked, model)


@dataclass(frozen=True)
class Learned(Generator):
    """A learned table as a generator, under what is ``asked`` of it."""

    encoder: Encoder
    model: Model
    book: Rulebook
    asked: Asked | None = None

    @property
    def table(self) -> Table:  # type: ignore[override]
        return self.book.outer

    def under(self, factors: Sequence[Factor], run: Run) -> Generator:
        whole = (*(self.asked.factors if self.asked else ()), *factors)
        if not whole:
            return self
        asked = Asked.of(whole, self.encoder, self.model, run.child("whole"), self.book)
        those = asked.alternatives()
        if those is None or _kept(asked, self.encoder, self.model, run.child("look")) >= SOME:
            return replace(self, asked=asked)
        others = [factor for factor in asked.factors if factor is not those]
        bare = replace(self, asked=None).under(others, run.child("others"))
        return Either.of(bare, those.alternatives(), run.child("either"))

    def rows(self, size: int, run: Run) -> Drawn:
        if self.asked is not None:
            return satisfying(self.asked, self.encoder, self.model, size, run)
        block, cells = unkeyed(self.encoder, self.book, self.model, size, run)
        return Drawn(cells, 1.0, size, block)

    def joined(self, parts: Sequence[Drawn], order: np.ndarray) -> Drawn:
        cells = {name: Cells.concat([part.cells[name] for part in parts]).take(order) for name in parts[0].cells}
        return Drawn(cells, parts[0].share, len(order), Block.concat([part.source for part in parts]).take(order))

    def finished(self, rows: Drawn, numbers: range, run: Run) -> dict[str, Cells]:
        keys = {i for seat in self.encoder.seats if seat.codec == "key" for i in seat.columns}
        made = named(self.encoder, self.encoder.cells(rows.source, numbers, run.child("keys"), keys))
        return keyed(self.book, {**rows.cells, **made}, run.child("keyed"))

    def broken(self, cells: Mapping[str, Cells]) -> np.ndarray:
        rows = len(next(iter(cells.values())))
        return np.logical_or.reduce([*self.book.breaking(cells).values(), np.zeros(rows, bool)])


def _kept(asked: Asked, encoder: Encoder, model: Model, run: Run) -> int:
    """How many of ``FEWEST`` rows are kept."""
    pool = _Pool(run.child("keep").random())
    pool.add([_piece(asked, model, run.child("rows"), (0, FEWEST))])
    pool.finish(asked, encoder, run.child("finish"))
    return pool.size


def _piece(asked: Asked, model: Model, run: Run, piece: tuple[int, int]) -> tuple[Block, np.ndarray]:
    """Rows that the masks allow, and the logarithms of their weights; of a ``piece``, its number and size."""
    run, size = run.child(piece[0]), piece[1]
    if isinstance(model, Masked) and asked.masks:
        block, weights = model.masked(size, asked.shares, run)
    else:
        block = model.sample(size, None, run)
        weights = np.zeros(size)
        with np.errstate(divide="ignore"):
            for j, shares in asked.shares.items():
                weights += np.log(shares[block.columns[j].codes])
    fine = np.flatnonzero(weights > -np.inf)
    return block.take(fine), weights[fine]


def _trimmed(weights: np.ndarray, share: float) -> float:
    """The bound, as a logarithm, above which lies the ``share`` of the sum of the weights (n,), which are logarithms.

    >>> round(float(np.exp(_trimmed(np.log(np.array([1.0, 1.0, 1.0, 3.0])), 1 / 6))), 6)
    2.0
    """
    falling = np.exp(np.sort(weights)[::-1] - weights.max())
    over = np.cumsum(falling) - falling * np.arange(1, len(falling) + 1)  # what lies above each of them
    cut = share * falling.sum()
    place = int(np.searchsorted(over, cut, "right"))  # the first that is too low
    if place == 0 or cut <= 0:
        return float(weights.max())
    bound = (falling[:place].sum() - cut) / place
    return float(np.log(bound) + weights.max())


def _whole(model: Model, run: Run) -> float:
    """Mean weight of rows of which nothing is asked."""
    return float(np.exp(model.masked(FEWEST, {}, run)[1]).mean()) if isinstance(model, Masked) else 1.0


class _Pool:
    """Rows that were kept so far: fresh ones as codes only, then with cells that satisfy."""

    def __init__(self, random: np.random.Generator):
        self.random, self.bound = random, -np.inf
        self.fresh: list[tuple[Block, np.ndarray]] = []
        self.blocks: list[Block] = []
        self.cells: list[dict[str, Cells]] = []
        self.weights: list[np.ndarray] = []  #: of the rows in ``blocks``, as logarithms
        self.seen = np.empty(0)  #: those of all rows that were made
        self.asked = self.kept = 0

    @property
    def size(self) -> int:
        """How many have cells."""
        return sum(len(block) for block in self.blocks)

    def share(self, made: int) -> float:
        """Mean weight of all rows that were made, times the share of those that satisfied when they were finished."""
        return float(np.exp(self.seen).sum()) / max(made, 1) * self.kept / max(self.asked, 1)

    def add(self, pieces: Sequence[tuple[Block, np.ndarray]]) -> None:
        """Keep rows in proportion to their weights; where the bound rises, thin those that were kept."""
        self.seen = np.concatenate([self.seen, *(weights for _, weights in pieces)])
        if not len(self.seen):
            return
        most = float(self.seen.max())
        enough = min(most, float(np.log(np.exp(self.seen - most).mean() / QUICK)) + most)
        old, self.bound = self.bound, max(self.bound, enough, _trimmed(self.seen, TRIMMED))
        if self.bound > old > -np.inf:
            self._thin(old)
        for block, weights in pieces:
            kept = np.flatnonzero(self.random.random(len(weights)) < np.exp(np.minimum(weights - self.bound, 0)))
            self.fresh.append((block.take(kept), weights[kept]))

    def _thin(self, old: float) -> None:
        """Keep of the rows that were kept under an ``old`` bound as many as the new one does."""
        for i, (block, weights) in enumerate(zip(self.blocks, self.weights, strict=True)):
            chance = np.exp(np.minimum(weights, self.bound) - self.bound - np.minimum(weights, old) + old)
            left = np.flatnonzero(self.random.random(len(weights)) < chance)
            self.blocks[i], self.weights[i] = block.take(left), weights[left]
            self.cells[i] = {j: cell.take(left) for j, cell in self.cells[i].items()}

    def finish(self, asked: Asked, encoder: Encoder, run: Run) -> None:
        """Give values to the fresh rows, and drop those that do not satisfy what is asked of whole rows."""
        fresh, self.fresh = [one for one in self.fresh if len(one[0])], []
        if fresh:
            block, weights = Block.concat([one[0] for one in fresh]), np.concatenate([one[1] for one in fresh])
            cells, fine = _finished(asked, encoder, block, run)
            self.asked, self.kept = self.asked + len(block), self.kept + len(fine)
            self.blocks.append(block.take(fine))
            self.weights.append(weights[fine])
            self.cells.append({j: cell.take(fine) for j, cell in cells.items()})

    def drawn(self, rows: int, made: int, asked: Asked, model: Model) -> Drawn:
        """``rows`` of the rows that were kept of those ``made``; their source is their codes."""
        block, cells = self._taken(rows, model)
        return Drawn(cells, self.share(made) / asked.whole, min(self.size, rows), block)

    def _taken(self, rows: int, model: Model) -> tuple[Block, dict[str, Cells]]:
        """As many rows; where there are too few each as often as the others, or once more."""
        if not rows:
            return model.sample(0, None, Run()), {}
        own = self.random.permutation(self.size)
        order = np.resize(own, rows) if len(own) < rows else np.sort(own[:rows])
        return Block.concat(self.blocks).take(order), {
            j: Cells.concat([cells[j] for cells in self.cells]).take(order) for j in self.cells[0]}


def _finished(asked: Asked, encoder: Encoder, block: Block, run: Run) -> tuple[dict[str, Cells], np.ndarray]:
    """Cells of the rows of a block, drawn again inside their codes until they are accepted; and the numbers of the rows
    that are accepted as a whole."""
    columns = {i for seat in encoder.seats if seat.codec != "key" for i in seat.columns}
    random = run.child("accept").random()
    parts = [named(encoder, encoder.cells(block, range(len(block)), run.child("first"), columns))]
    order, made = np.arange(len(block)), len(block)
    lacking = np.flatnonzero(random.random(len(block)) >= _inside(asked, True, parts[0], block))
    for again in range(AGAIN):
        if not len(lacking):
            break
        tried = np.repeat(np.arange(len(lacking)), int(np.clip(BATCH // len(lacking), 1, WIDE)))
        some = block.take(lacking[tried])
        few = named(encoder, encoder.cells(some, range(len(tried)), run.child(again), columns))
        good = np.flatnonzero(random.random(len(tried)) < _inside(asked, True, few, some))
        done, first = np.unique(tried[good], return_index=True)
        parts.append({i: cell.take(good[first]) for i, cell in few.items()})
        order[lacking[done]] = made + np.arange(len(done))
        lacking, made = np.delete(lacking, done), made + len(done)
    cells = {i: Cells.concat([part[i] for part in parts]).take(order) for i in parts[0]}
    welcome = _inside(asked, False, cells, block)
    cells, broken = obeying(asked.book, cells, run.child("rules"))
    fine = (random.random(len(block)) < welcome * times(asked.rest, cells, len(block))) & ~broken
    fine[lacking] = False
    return cells, np.flatnonzero(fine)


def _inside(asked: Asked, again: bool, cells: Mapping[str, Cells], block: Block) -> np.ndarray:
    """(n,) how welcome the values are among those of their codes, for the masks that draw ``again`` or the others."""
    found = np.ones(len(block))
    for place, mask in asked.masks.items():
        if mask.again == again:
            top = mask.tops[block.columns[place].codes]
            found *= times(mask.factors, cells, len(block)) / np.where(top > 0, top, 1)
    return found


def _shares(asked: Asked, encoder: Encoder, model: Model, run: Run) -> str:
    """How often each part is satisfied by itself."""
    parts = asked.factors
    if len(parts) < 2:
        return "ask for something that is not so rare"
    cells, _ = fresh(encoder, asked.book or Rulebook(encoder.table), model, TOLD, run.child("shares"))
    found = [(part, float(times((part,), cells, TOLD).mean())) for part in parts]
    said = (f"{part}: {f'{100 * share:.3g} %' if share else 'hardly ever'}" for part, share in found)
    return f"alone: {', '.join(said)}"
