"""Rows of a learned table that satisfy a condition, distributed as the model's rows that satisfy it.

What a condition asks of one column becomes a mask: which share of each code's values satisfies it. A model that can
draws masked columns and tells each row's weight (``contract.Masked``); of any other all rows are looked at. Rows are
kept in proportion to their weight (rejection; von Neumann 1951), never repeated as long as that can be done in time;
the largest weight so far is the bound, and where it rises those that were kept before are thinned, which leaves the
law as it is. What looks at several columns is asked of finished rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa

from fabrica.block import Block
from fabrica.contract import Cells, Masked, Model
from fabrica.encoder import Encoder
from fabrica.errors import ExpressionError
from fabrica.expression import Expression
from fabrica.lawful import named, obeying
from fabrica.rules import Rulebook
from fabrica.run import Run

__all__ = ["Asked", "satisfying"]

DRAWS = 256  #: values of each code by which a mask is found
VALUES = 1 << 21  #: values that are looked at before it is said that none satisfies
FEWEST = 1 << 13  #: rows of the first turn
PIECE = 1 << 16  #: rows that are made together
TURN = 16  #: pieces of a turn, at most
MOST, EACH = 2_000_000, 400  #: rows that are made until it is given up: at least, and for each row that is wanted
AGAIN = 400  #: times that the values inside codes are drawn again until they satisfy
ENOUGH = 30  #: rows that were kept from which they may stand for the others, each several times
TOLD = 20_000  #: rows by which it is told how often a condition holds


@dataclass(frozen=True)
class Asked:
    """A condition as it is asked of a model.

    Parameters
    ----------
    condition : the whole.
    masks : number of a coded column -> (size,) share of each code's values that satisfies.
    inside : what masks stand for, which values inside a code must satisfy still.
    rest : what is asked of finished rows.
    """

    condition: Expression
    masks: Mapping[int, np.ndarray] = field(default_factory=dict)
    inside: tuple[Expression, ...] = ()
    rest: tuple[Expression, ...] = ()
    book: Rulebook | None = None  #: how rules are kept, where there are any

    @classmethod
    def of(cls, condition: Expression, encoder: Encoder, model: Model, run: Run, book: Rulebook | None = None
           ) -> Asked:
        """What a condition asks of rows that ``model`` draws, ``encoder`` decodes and a rule ``book`` restores.

        Raises
        ------
        ExpressionError : a part that no value of its column satisfies, or that asks about a key.
        """
        masks: dict[int, np.ndarray] = {}
        inside, rest = [], []
        exact = [column.reals is not None for column in model.sample(1, None, run.child("look"))]
        for i, part in enumerate(condition.parts()):
            _demand_no_key(part, encoder)
            seat = _seat(part, encoder, book)
            if seat is None:
                rest.append(part)
                continue
            mask = _mask(part, encoder, seat, DRAWS, run.child(i), book)
            if not mask.any():
                mask = _mask(part, encoder, seat, max(DRAWS, VALUES // len(mask)), run.child(i).child("more"), book)
            place, free = encoder.coded[seat].start, not book or set(part.columns) <= book.free
            if not mask.any() and not free:  # a rule may give the row what its columns do not
                rest.append(part)
                continue
            if not mask.any():
                raise ExpressionError("no row of the model satisfies it", where=str(part),
                                      hint=_reach(part, encoder, run))
            if not free or encoder.widths[seat] > 1 or exact[place]:  # other codes, an exact place or a rule have a say
                mask = (mask > 0).astype(np.float64)
                rest.append(part)
            else:
                inside.append(part)
            masks[place] = masks.get(place, np.ones(len(mask))) * mask
            if not masks[place].any():
                raise ExpressionError("no value satisfies this and what was asked of the column before",
                                      where=str(part))
        return cls(condition, masks, tuple(inside), tuple(rest), book)


def satisfying(asked: Asked, encoder: Encoder, model: Model, rows: int, run: Run
               ) -> tuple[Block, dict[str, Cells], int]:
    """``rows`` rows that satisfy: their codes, their cells without the keys (name of a column -> (rows,)), and how
    many differ.

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
        for block, weights in run.map(partial(_piece, asked, model, here), enumerate(sizes)):
            pool.add(block, weights)
        pool.finish(asked, encoder, here.child("finish"))
        made, turn = made + ahead, turn + 1
        run.tell(min(pool.size, rows), rows, "looking for rows that satisfy the condition")
    if pool.size < min(rows, ENOUGH):
        few = f"only {pool.size}" if pool.size else "none"
        raise ExpressionError(f"{few} of {made:,} rows of the model could be kept", where=str(asked.condition),
                              hint=_shares(asked, encoder, model, run))
    return *pool.taken(rows, model), min(pool.size, rows)


def _piece(asked: Asked, model: Model, run: Run, piece: tuple[int, int]) -> tuple[Block, np.ndarray]:
    """Rows that the masks allow, and the logarithms of their weights; of a ``piece``, its number and size."""
    run, size = run.child(piece[0]), piece[1]
    if isinstance(model, Masked) and asked.masks:
        block, weights = model.masked(size, asked.masks, run)
    else:
        block = model.sample(size, None, run)
        weights = np.zeros(size)
        with np.errstate(divide="ignore"):
            for j, mask in asked.masks.items():
                weights += np.log(mask[block.columns[j].codes])
    fine = np.flatnonzero(weights > -np.inf)
    return block.take(fine), weights[fine]


class _Pool:
    """Rows that were kept so far: fresh ones as codes only, then with cells that satisfy."""

    def __init__(self, random: np.random.Generator):
        self.random, self.bound = random, -np.inf
        self.fresh: list[Block] = []
        self.blocks: list[Block] = []
        self.cells: list[dict[str, Cells]] = []

    @property
    def size(self) -> int:
        """How many have cells."""
        return sum(len(block) for block in self.blocks)

    def add(self, block: Block, weights: np.ndarray) -> None:
        """Keep rows in proportion to their weights; where one is above the bound, thin those that were kept."""
        if not len(weights):
            return
        if weights.max() > self.bound:
            old, self.bound = self.bound, float(weights.max())
            self._thin(np.exp(old - self.bound))
        kept = np.flatnonzero(self.random.random(len(weights)) < np.exp(weights - self.bound))
        self.fresh.append(block.take(kept))

    def _thin(self, share: float) -> None:
        """Keep only a random ``share`` of all that was kept."""
        self.fresh = [block.take(self._some(block, share)) for block in self.fresh]
        for i, block in enumerate(self.blocks):
            left = self._some(block, share)
            self.blocks[i] = block.take(left)
            self.cells[i] = {j: cell.take(left) for j, cell in self.cells[i].items()}

    def _some(self, block: Block, share: float) -> np.ndarray:
        return np.flatnonzero(self.random.random(len(block)) < share)

    def finish(self, asked: Asked, encoder: Encoder, run: Run) -> None:
        """Give values to the fresh rows, and drop those that do not satisfy what is asked of whole rows."""
        fresh, self.fresh = [block for block in self.fresh if len(block)], []
        if fresh:
            block = Block.concat(fresh)
            cells, fine = _finished(asked, encoder, block, run)
            self.blocks.append(block.take(fine))
            self.cells.append({j: cell.take(fine) for j, cell in cells.items()})

    def taken(self, rows: int, model: Model) -> tuple[Block, dict[str, Cells]]:
        """As many rows; where there are too few each as often as the others, or once more."""
        if not rows:
            return model.sample(0, None, Run()), {}
        own = self.random.permutation(self.size)
        order = np.resize(own, rows) if len(own) < rows else np.sort(own[:rows])
        return Block.concat(self.blocks).take(order), {
            j: Cells.concat([cells[j] for cells in self.cells]).take(order) for j in self.cells[0]}


def _finished(asked: Asked, encoder: Encoder, block: Block, run: Run) -> tuple[dict[str, Cells], np.ndarray]:
    """Cells of the rows of a block, drawn again inside their codes until they satisfy; and the numbers of the rows that
    satisfy everything."""
    columns = {i for seat in encoder.seats if seat.codec != "key" for i in seat.columns}
    parts = [named(encoder, encoder.cells(block, range(len(block)), run.child("first"), columns))]
    order, made = np.arange(len(block)), len(block)
    lacking = np.flatnonzero(~_all(asked.inside, parts[0], len(block)))
    for again in range(AGAIN):
        if not len(lacking):
            break
        few = named(encoder, encoder.cells(block.take(lacking), range(len(lacking)), run.child(again), columns))
        good = np.flatnonzero(_all(asked.inside, few, len(lacking)))
        parts.append({i: cell.take(good) for i, cell in few.items()})
        order[lacking[good]] = made + np.arange(len(good))
        lacking, made = np.delete(lacking, good), made + len(good)
    cells = {i: Cells.concat([part[i] for part in parts]).take(order) for i in parts[0]}
    cells, broken = obeying(asked.book, cells, run.child("rules"))
    fine = _all(asked.rest, cells, len(block)) & ~broken
    fine[lacking] = False
    return cells, np.flatnonzero(fine)


def _all(parts: tuple[Expression, ...], cells: Mapping[str, Cells], rows: int) -> np.ndarray:
    """(n,) whether rows satisfy all the parts."""
    found = np.ones(rows, bool)
    for part in parts:
        found &= part.truth(cells)
    return found


# ---------------------------------------------------------------- masks


def _demand_no_key(part: Expression, encoder: Encoder) -> None:
    keys = {encoder.table.names[i] for seat in encoder.seats if seat.codec == "key" for i in seat.columns}
    asked = sorted(keys & set(part.columns))
    if asked:
        raise ExpressionError(f"the column {asked[0]!r} is made afresh for each row, nothing can be asked of it",
                              where=str(part))


def _seat(part: Expression, encoder: Encoder, book: Rulebook | None) -> int | None:
    """The seat of the only column that a part looks at, or that is learned in its place; None where there are several,
    or one without codes."""
    roots = tuple(book.roots(part.columns)) if book else part.columns
    if len(roots) != 1:
        return None
    where = encoder.table.names.index(roots[0])
    seat = next(i for i, s in enumerate(encoder.seats) if where in s.columns)
    return seat if encoder.widths[seat] else None


def _mask(part: Expression, encoder: Encoder, seat: int, draws: int, run: Run, book: Rulebook | None) -> np.ndarray:
    """(size,) share of ``draws`` values of each code of a seat's first coded column that satisfies."""
    columns = encoder.blank().columns[encoder.coded[seat]]
    size = columns[0].size
    random = run.child("others").random()
    codes = np.repeat(np.arange(size), draws)
    coded = [columns[0].filled(codes), *(c.filled(random.integers(0, c.size, len(codes))) for c in columns[1:])]
    found = encoder.coders[seat].decode(tuple(coded), range(len(codes)), run.child("decode"))
    names = [encoder.table.names[i] for i in encoder.seats[seat].columns]
    cells = dict(zip(names, found, strict=True))
    cells = book.restore(cells, run.child("restore"), part.columns) if book else cells
    return part.truth(cells).reshape(size, draws).mean(1)


# ---------------------------------------------------------------- what is told


def _reach(part: Expression, encoder: Encoder, run: Run) -> str:
    """What the model's values of a part's column are."""
    seat = _seat(part, encoder, None)
    assert seat is not None
    name = part.columns[0]
    if encoder.seats[seat].codec == "text":
        return f"the texts of the column {name!r} are written afresh, and none that was tried satisfies it"
    blank = encoder.blank().columns[encoder.coded[seat]]
    every = [c.filled(np.arange(max(b.size for b in blank)) % c.size) for c in blank]
    found = dict(zip((encoder.table.names[i] for i in encoder.seats[seat].columns), encoder.coders[seat].decode(
        tuple(every), range(len(every[0])), run.child("reach")), strict=True))[name].values
    if pa.types.is_dictionary(found.type) or pa.types.is_string(found.type):
        levels = sorted({str(v).strip() for v in found.to_pylist() if v is not None})
        more = f" and {len(levels) - 10} more" if len(levels) > 10 else ""
        return f"the column {name!r} has the levels {', '.join(map(repr, levels[:10]))}{more}" if levels else (
            f"the column {name!r} has no values")
    values = [v for v in found.to_pylist() if v is not None]
    return f"the column {name!r} reaches from about {min(values)} to {max(values)}" if values else (
        f"the column {name!r} has no values")


def _shares(asked: Asked, encoder: Encoder, model: Model, run: Run) -> str:
    """How often each part is satisfied by itself."""
    parts = asked.condition.parts()
    if len(parts) < 2:
        return "ask for something that is not so rare"
    here = run.child("shares")
    block = model.sample(TOLD, None, here.child("sample"))
    columns = {i for seat in encoder.seats if seat.codec != "key" for i in seat.columns}
    cells, _ = obeying(asked.book, named(encoder, encoder.cells(block, range(TOLD), here.child("decode"), columns)),
                       here.child("rules"))
    found = [(part, float(_all((part,), cells, TOLD).mean())) for part in parts]
    said = (f"{part}: {f'{100 * share:.3g} %' if share else 'hardly ever'}" for part, share in found)
    return f"alone: {', '.join(said)}"
