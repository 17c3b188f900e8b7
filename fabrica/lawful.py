"""Rows of a model that obey the table's rules: drawn, restored, mended, and at last drawn anew.

``Apart`` is the stage that sees the whole sample: what must be unique and comes a second time is drawn again. All is
bounded, and what cannot be done is one error that names the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fabrica.block import Block
from fabrica.contract import Cells, Model
from fabrica.encoder import Encoder
from fabrica.errors import SchemaError
from fabrica.rules import Rulebook
from fabrica.rules.law import Rows, placed, taken
from fabrica.rules.unique import Seen
from fabrica.run import Run

__all__ = ["Apart", "Make", "Move", "drawn", "keyed", "named", "numbered", "obeying", "taken", "too_few",
           "unkeyed"]

AGAIN = 40  #: times that rows are drawn anew
FEWEST = 256  #: rows that are drawn anew, at least: they are each other's donors
MOST = 1 << 16  #: and at most


def named(encoder: Encoder, cells: Mapping[int, Cells]) -> dict[str, Cells]:
    """Cells by the names of the learned columns."""
    return {encoder.table.names[i]: cell for i, cell in cells.items()}


def numbered(book: Rulebook, cells: Rows) -> dict[int, Cells]:
    """Cells by the numbers of the user's columns."""
    return {i: cells[name] for i, name in enumerate(book.outer.names) if name in cells}


def obeying(book: Rulebook | None, cells: Rows, run: Run) -> tuple[dict[str, Cells], np.ndarray]:
    """The user's columns of rows (n,) of learned ones, mended, and (n,) which of them break a rule still."""
    if not book:
        return dict(cells), np.zeros(len(next(iter(cells.values()))), bool)
    return book.settled(book.restore(cells, run.child("restore")), run.child("mend"), restored=True)


def keyed(book: Rulebook, cells: Rows, run: Run) -> dict[str, Cells]:
    """Finished rows that have got their keys: what rules say of those is mended too."""
    if not book:
        return dict(cells)
    found, broken = book.settled(cells, run)
    if broken.any():
        raise _hardly(book, found, np.flatnonzero(broken))
    return found


def drawn(encoder: Encoder, book: Rulebook, model: Model, rows: range, run: Run) -> dict[int, Cells]:
    """Cells of the user's columns (number -> (n,)) of fresh rows that obey."""
    block = model.sample(len(rows), None, run.child("engine"))
    cells = encoder.cells(block, rows, run.child("decode"))
    if not book:
        return cells
    found, broken = obeying(book, named(encoder, cells), run)
    where = np.flatnonzero(broken)
    if len(where):
        found = _anew(encoder, book, model, found, where, run.child("anew"))
        run.tell(len(where), len(where), f"{len(where):,} rows were drawn anew to keep the rules")
    return numbered(book, found)


def fresh(encoder: Encoder, book: Rulebook, model: Model, size: int, run: Run) -> tuple[dict[str, Cells], np.ndarray]:
    """``size`` rows without keys, mended, and (n,) which of them break a rule still."""
    block = model.sample(size, None, run.child("engine"))
    columns = {i for seat in encoder.seats if seat.codec != "key" for i in seat.columns}
    return obeying(book, named(encoder, encoder.cells(block, range(size), run.child("decode"), columns)), run)


def unkeyed(encoder: Encoder, book: Rulebook, model: Model, size: int, run: Run) -> tuple[Block, dict[str, Cells]]:
    """``size`` rows without keys that obey, and their codes."""
    columns = {i for seat in encoder.seats if seat.codec != "key" for i in seat.columns}
    blocks, parts, lacking = list[Block](), list[dict[str, Cells]](), size
    for turn in range(AGAIN):
        here = run.child("unkeyed").child(turn)
        count = size if not turn else int(np.clip(2 * lacking, FEWEST, MOST))
        block = model.sample(count, None, here.child("engine"))
        made, broken = obeying(book, named(encoder, encoder.cells(block, range(count), here.child("decode"), columns)),
                               here)
        good = np.flatnonzero(~broken)[:lacking]
        blocks.append(block.take(good))
        parts.append(taken(made, good))
        lacking -= len(good)
        if not lacking:
            return Block.concat(blocks), {name: Cells.concat([part[name] for part in parts]) for name in parts[0]}
    raise _hardly(book, made, np.flatnonzero(broken))


def _anew(encoder: Encoder, book: Rulebook, model: Model, found: dict[str, Cells], where: np.ndarray, run: Run
          ) -> dict[str, Cells]:
    """The rows with those at ``where`` replaced by fresh ones that obey; keys stay."""
    for turn in range(AGAIN):
        if not len(where):
            return found
        made, broken = fresh(encoder, book, model, int(np.clip(2 * len(where), FEWEST, MOST)), run.child(turn))
        good = np.flatnonzero(~broken)[: len(where)]
        found = _replaced(book, found, where[: len(good)], taken(made, good))
        where = where[len(good):]
    if len(where):
        raise _hardly(book, found, where)
    return found


def _replaced(book: Rulebook, found: dict[str, Cells], where: np.ndarray, new: Rows) -> dict[str, Cells]:
    if not len(where):
        return found
    return {name: placed(cells, where, new[name]) if name in new else cells for name, cells in found.items()}


def _hardly(book: Rulebook, found: Rows, where: np.ndarray) -> SchemaError:
    texts = [repr(book.kept[i].law.text) for i in book.breaking(taken(found, where), drawn=True)]
    return SchemaError(f"hardly any row that the model draws can be made to obey {' and '.join(texts)}", where="rules",
                       hint="leave one of them out, or learn with another engine")


#: fresh rows for the places (n,) of others in their chunk, one for each, and (n,) bool: which of them break a rule
Make = Callable[[np.ndarray, Run], tuple[Rows, np.ndarray]]
#: places in a chunk, and the numbers of the fresh rows that stand there now
Move = tuple[np.ndarray, np.ndarray]


@dataclass
class Apart:
    """Chunk after chunk of a sample: rows that must differ from all before and do not are drawn again."""

    book: Rulebook
    run: Run
    seen: list[Seen] = field(default_factory=list)
    chunk: int = 0
    done: int = 0

    def __post_init__(self) -> None:
        self.seen = [Seen() for _ in self.book.unique]

    def __call__(self, chunk: Rows, make: Make) -> tuple[dict[str, Cells], list[Move]]:
        """The chunk with its second comers replaced, and what was moved in for each call of ``make``; all of it counts
        as seen from then on."""
        found, moves = dict(chunk), list[Move]()
        rows = len(next(iter(found.values())))
        run, self.chunk = self.run.child(self.chunk), self.chunk + 1
        before, self.done = self.done, self.done + rows
        again = self._again(found, rows)
        self._remember(found, np.flatnonzero(~again))
        where = np.flatnonzero(again)
        drawn_anew = len(where)
        for turn in range(AGAIN):
            if not len(where):
                break
            here = run.child(turn)
            asked = np.resize(where, int(np.clip(2 * len(where), FEWEST, MOST)))
            made, broken = make(asked, here)
            made = {**made, **self._keys(found, len(asked), here)}
            fine = np.flatnonzero(~broken & ~self._again(made, len(asked)))
            places, first = np.unique(asked[fine], return_index=True)
            found = _replaced(self.book, found, places, taken(made, fine[first]))
            self._remember(made, fine[first])
            moves.append((places, fine[first]))
            where = np.setdiff1d(where, places)
        if len(where):
            raise too_few(self.book, before + rows - len(where))
        if drawn_anew:
            run.tell(drawn_anew, drawn_anew, f"{drawn_anew:,} rows came a second time and were drawn again")
        return found, moves

    def _keys(self, found: Rows, size: int, run: Run) -> dict[str, Cells]:
        """Keys that come again and must be unique with others, which no model draws: (size,) of other rows."""
        asked = {name for law in self.book.unique for name in law.members if name in found}
        names = sorted(name for name in asked if self.book.outer[name].kind == "key")
        lender = run.child("keys").random().integers(0, len(next(iter(found.values()))), (len(names), size))
        return {name: found[name].take(rows) for name, rows in zip(names, lender, strict=True)}

    def _again(self, rows: Rows, count: int) -> np.ndarray:
        """(count,) bool: the rows that some rule finds a second time."""
        found = np.zeros(count, bool)
        for seen, law in zip(self.seen, self.book.unique, strict=True):
            found[seen.again(law, rows)] = True
        return found

    def _remember(self, rows: Rows, where: np.ndarray) -> None:
        for seen, law in zip(self.seen, self.book.unique, strict=True):
            seen.add(law, rows, where)


def too_few(book: Rulebook, rows: int) -> SchemaError:
    """That a model does not know as many different rows."""
    texts = " and ".join(repr(law.text) for law in book.unique)
    return SchemaError(f"the model knows hardly more than {rows:,} rows that differ as {texts} asks", where="rules",
                       hint="ask for fewer rows, or leave the rule out")
