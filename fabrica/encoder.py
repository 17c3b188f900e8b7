"""A table's codecs together: Arrow record batches <-> Blocks.

Surveys of parts are merged, so a table is learned in one pass over its parts, wherever they lie and however long the
table is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import catalog, declared, notation, sound
from fabrica.block import Block, Told
from fabrica.contract import Allowance, Cells, Codec, Coder, Known, Owned, Summary
from fabrica.crowd import marks
from fabrica.errors import InputError, ModelFileError
from fabrica.rules import Reduced, Rulebook
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.state import State

__all__ = ["DECLARED", "Encoder", "learn", "measured", "write"]

DECLARED = "declared"  #: who serves the columns of a specification: nothing is learned, so it is no codec
PART = 1 << 20  #: rows that are surveyed together
NAMED = ("category", "ordinal", "constant")  #: kinds whose levels are names


@dataclass(frozen=True)
class Seat:
    """Columns that one codec serves together (two for a place), and the codec's name."""

    columns: tuple[int, ...]
    codec: str


def seats(table: Table) -> list[Seat]:
    """Who serves which columns: by kind; a latitude and its partner sit together."""
    serves = {kind: name for name in catalog.names("codecs") for kind in catalog.get("codecs", name).kinds}
    taken: set[int] = set()
    found = []
    for i, column in enumerate(table.columns):
        if i in taken:
            continue
        where = _place(table, column) or (i,)
        taken |= set(where)
        found.append(Seat(where, "place" if len(where) == 2 else serves[column.kind]))
    return found


def _place(table: Table, column: Column) -> tuple[int, ...] | None:
    """(latitude, longitude) where ``column`` is half of a place, whichever comes first in the table."""
    if column.kind not in ("latitude", "longitude") or column.partner not in table.names:
        return None
    other = table[column.partner]
    if {column.kind, other.kind} != {"latitude", "longitude"} or other.partner not in (None, column.name):
        return None
    pair = (column, other) if column.kind == "latitude" else (other, column)
    return tuple(table.names.index(c.name) for c in pair)


@dataclass(frozen=True)
class Encoder:
    """The learned coders of one table, in the order of the table's columns."""

    table: Table
    seats: tuple[Seat, ...]
    coders: tuple[Coder, ...]
    widths: tuple[int, ...]  # coded columns that each coder gives

    def encode(self, batch: pa.RecordBatch | pa.Table | Reduced, run: Run) -> Block:
        """Codes for the rows of a batch whose columns are the table's."""

        def one(i: int) -> Any:
            return self.coders[i].encode(_cells(self.table, self.seats[i], batch), run.child(i))

        coded = run.map(one, range(len(self.seats)))
        return Block(tuple(c for group in coded for c in group), batch.num_rows)

    def decode(self, block: Block, rows: range, run: Run, table: Table | None = None) -> pa.RecordBatch:
        """The rows that the codes stand for, as ``table`` writes them (as the user's own, if not said)."""
        return write(table or self.table, self.cells(block, rows, run))

    def cells(self, block: Block, rows: range, run: Run, columns: Collection[int] | None = None) -> dict[int, Cells]:
        """The typed cells that the codes stand for: number of a column -> (n,); of some ``columns`` only, if said."""
        found: dict[int, Cells] = {}
        for i, (seat, coder) in enumerate(zip(self.seats, self.coders, strict=True)):
            if columns is not None and not set(seat.columns) & set(columns):
                continue
            cells = coder.decode(block.columns[self.coded[i]], rows, run.child(i))
            found.update(zip(seat.columns, cells, strict=True))
        return found

    @cached_property
    def coded(self) -> tuple[slice, ...]:
        """Where the coded columns of each seat stand in a block."""
        ends = np.cumsum(self.widths)
        return tuple(slice(int(end) - width, int(end)) for end, width in zip(ends, self.widths, strict=True))

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """The levels that may be told, of the columns that have some."""
        return {self.table.columns[seat.columns[0]].name: tuple(getattr(coder, "levels", ()))
                for seat, coder in zip(self.seats, self.coders, strict=True)}

    def lost(self) -> dict[str, float]:
        """Share of the cells with a value of which nothing may be told, of each column; 1 where every cell is missing
        though the column has values."""
        blank, found = self.blank(), dict[str, float]()
        for seat, coder, at in zip(self.seats, self.coders, self.coded, strict=True):
            mute = any(column.absent >= column.size for column in blank.columns[at])
            for i in seat.columns:
                if self.table.columns[i].kind not in ("key", "empty"):
                    found[self.table.columns[i].name] = 1.0 if mute else coder.lost()
        return found

    def blank(self) -> Block:
        """No rows at all: tells the alphabets of the coded columns."""
        run = Run()
        coded = [coder.encode(_none(self.table, seat), run.child(i))
                 for i, (coder, seat) in enumerate(zip(self.coders, self.seats, strict=True))]
        sound.demand(self.widths == tuple(map(len, coded)), "widths of columns that make no sense")
        return Block(tuple(column for group in coded for column in group), 0)

    def words(self) -> list[tuple[str, str, str]]:
        """(columns, codec, what it holds) of every seat."""
        names = self.table.names
        return [(", ".join(names[i] for i in s.columns), s.codec, c.words())
                for s, c in zip(self.seats, self.coders, strict=True)]

    def state(self) -> State:
        plain = {"seats": [{"columns": list(s.columns), "codec": s.codec, "coder": type(c).__name__}
                           for s, c in zip(self.seats, self.coders, strict=True)], "widths": list(self.widths)}
        return State.nest({str(i): c.state() for i, c in enumerate(self.coders)}, plain)

    @classmethod
    def from_state(cls, table: Table, state: State) -> Encoder:
        """Read and check: what does not fit the table or does not fit together is a ``ModelFileError``."""
        said = sound.plain(state, "seats", list)
        widths = tuple(sound.plain(state, "widths", list))
        sound.demand(len(widths) == len(said) and all(type(w) is int and 0 <= w < 256 for w in widths),
                     "widths of columns that make no sense")
        try:
            places = tuple(Seat(tuple(s["columns"]), s["codec"]) for s in said)
            coders = tuple(_coder(s["codec"], s["coder"]).from_state(state.part(str(i))) for i, s in enumerate(said))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ModelFileError("the model holds a column that makes no sense") from None
        seated = sorted((i for p in places for i in p.columns), key=str)
        sound.demand(seated == sorted(range(len(table.columns)), key=str), "columns that are not the table's")
        return cls(table, places, coders, widths)


def write(table: Table, cells: Mapping[int, Cells]) -> pa.RecordBatch:
    """Typed cells of all columns as a table writes them."""
    arrays = [notation.write(column, cells[i]) for i, column in enumerate(table.columns)]
    fields = [pa.field(c.name, a.type) for c, a in zip(table.columns, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _coder(codec: str, name: str) -> type[Coder]:
    """The class ``name`` of a codec's module, which must be a coder."""
    if codec == DECLARED:
        return declared.DeclaredCoder
    module = __import__(catalog.get("codecs", codec).__module__, fromlist=[name])
    coder = getattr(module, name, None)
    if not (isinstance(coder, type) and issubclass(coder, Coder)):
        raise ModelFileError(f"the codec {codec!r} has no such coder")
    return coder


def learn(
    table: Table, batches: Iterable[pa.RecordBatch], run: Run, *, rows: int | None = None,
    book: Rulebook | None = None, unit: str | None = None, people: int = 0, **settings: Any
) -> Encoder:
    """Survey every part, merge, learn the coders. ``settings`` (such as ``k``) go to every codec that has them; with a
    rule ``book`` its inner table is learned. ``unit``: the column that says whose the rows are, and so many ``people``
    must stand behind what a codec tells that counts them."""
    if unit is not None and people < 1:
        raise ValueError("of a unit it must be known how many people stand behind what is told")
    table = book.inner if book else table
    places = seats(table)
    known = {name: _codec(name, settings) for name in sorted({seat.codec for seat in places})}
    codecs = [known[seat.codec] for seat in places]
    summaries: list[Summary | None] = [None] * len(places)
    done = 0
    for part in _parts(batches):

        size, who = part.num_rows, None if unit is None else marks(part.column(unit))
        part = book.reduce(part, done) if book else part

        def one(i: int, part: Any = part, done: int = done, held: Sequence[Summary | None] = summaries,
                who: np.ndarray | None = who) -> Summary:
            seat, codec = places[i], codecs[i]
            here = run.child("survey").child(i).child(done)
            cells = _cells(table, seat, part, done)
            if who is not None:
                cells = tuple(Owned(cell.values, cell.absent, who, people) for cell in cells)
            found = codec.survey(_columns(table, seat), cells, here)
            before = held[i]
            return found if before is None else before.merge(found)

        summaries = list(run.map(one, range(len(places))))
        done += size
        run.tell(done, rows or done, "surveying columns")
    if not done:
        raise InputError("the table has no rows", where=table.name, hint="there is nothing to learn from")
    coders = [c.learn(_columns(table, s), m, run.child("learn").child(i))
              for i, (c, s, m) in enumerate(zip(codecs, places, summaries, strict=True)) if m is not None]
    widths = tuple(len(c.encode(_none(table, s), run.child("width").child(i)))
                   for i, (c, s) in enumerate(zip(coders, places, strict=True)))
    return Encoder(table, tuple(places), tuple(coders), widths)


def measured(table: Table, whole: pa.Table, allowance: Allowance, run: Run, **settings: Any) -> tuple[Encoder, Block]:
    """The encoder of a table out of noisy counts of all its rows, and the rows as codes with what was told of them.

    ``allowance`` is for all columns together; ``run`` pays.
    """
    places = seats(table)
    codecs = [_codec(seat.codec, settings) for seat in places]
    heavy = sum(codec.weight for codec in codecs)
    naming = sum(bool(_nameless(table, seat)) for seat in places)
    known = list[Known]()
    for i, (seat, codec) in enumerate(zip(places, codecs, strict=True)):
        mine = Allowance(allowance.rho * Fraction(codec.weight) / Fraction(heavy or 1.0),
                         allowance.delta / max(naming, 1), allowance.rows)
        known.append(codec.measured(_columns(table, seat), _cells(table, seat, whole), mine, run))
        run.tell(i + 1, len(places), "measuring columns")
    chance = run.unseeded()  # by which a value that is none of the told ones counts as one of them
    widths = tuple(len(one.coder.encode(_none(table, seat), chance.child("width").child(i)))
                   for i, (one, seat) in enumerate(zip(known, places, strict=True)))
    encoder = Encoder(table, tuple(places), tuple(one.coder for one in known), widths)
    told = [counts for one, width in zip(known, widths, strict=True) for counts in one.told[:width]]
    block = encoder.encode(whole, chance.child("encode"))
    return encoder, Block(tuple(replace(column, told=_fitting(column.size, counts))
                                for column, counts in zip(block, told, strict=True)), len(block))


def _nameless(table: Table, seat: Seat) -> list[Column]:
    """The columns of a seat whose levels have to be found."""
    return [c for c in _columns(table, seat) if c.kind in NAMED and not (c.public and c.levels)]


def _fitting(size: int, told: Told | None) -> Told | None:
    if told is not None and len(told.counts) != size:
        raise AssertionError("counts of other codes than the column has")
    return told


def _codec(name: str, settings: dict[str, Any]) -> Codec:
    kind = catalog.get("codecs", name)
    return kind.with_settings({k: v for k, v in settings.items() if k in kind.settings()})


def _columns(table: Table, seat: Seat) -> tuple[Column, ...]:
    return tuple(table.columns[i] for i in seat.columns)


def _cells(table: Table, seat: Seat, batch: pa.RecordBatch | pa.Table | Reduced, first_row: int = 0
           ) -> tuple[Cells, ...]:
    found = (batch.column(i) for i in seat.columns)
    return tuple(column if isinstance(column, Cells) else
                 notation.read(table.columns[i], column, first_row=first_row)
                 for i, column in zip(seat.columns, found, strict=True))


def _none(table: Table, seat: Seat) -> tuple[Cells, ...]:
    """No rows at all, of the right types: tells how many coded columns a coder gives."""
    empty = (pa.array([], notation.arrow_type(table.columns[i].storage)) for i in seat.columns)
    return tuple(notation.read(table.columns[i], a) for i, a in zip(seat.columns, empty, strict=True))


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches joined to about ``PART`` rows."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= PART:
            yield pa.Table.from_batches(held)
            held, rows = [], 0
    if rows:
        yield pa.Table.from_batches(held)
