"""Missing cells filled in, as often as asked for, by draws from what a model knows of them given the row's other cells.

Each draw is one from the joint distribution of all that a row lacks (multiple imputation; Rubin 1987): several draws
show how sure the model is, and an estimate that is made of each of them and then pooled has the right error. Cells that
are there stay as they are, bit for bit; keys and free texts are not filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence, notation
from fabrica.block import Block
from fabrica.contract import Cells, Conditional, Model
from fabrica.encoder import Encoder
from fabrica.errors import InputError, SettingError
from fabrica.rules import Rulebook
from fabrica.rules.law import placed
from fabrica.run import Run
from fabrica.schema import Column, Table

__all__ = ["able", "filled_in", "gaps", "numbered", "typed"]

LEFT = ("key", "text", "empty")  #: codecs whose columns are left as they are
WHOLE, AGAIN = 30, 60  #: draws of all that a row lacks until none of it is missing again; of what is missing still
RULED = 20  #: draws of rows that break a rule


def able(model: Model, engine: str) -> Conditional:
    """The model, if it can fill in cells.

    Raises
    ------
    SettingError : it cannot.
    """
    if not isinstance(model, Conditional):
        raise SettingError("cannot fill in cells", where=f"engine {engine}",
                           hint="learn with --engine autoregressive (the most exact), trees or copula")
    return model


def gaps(encoder: Encoder, batch: pa.RecordBatch, book: Rulebook | None = None) -> dict[str, np.ndarray]:
    """Name of a column that is filled in -> (n,) bool, which of its cells are missing.

    Raises
    ------
    InputError : a column of the model is not there.
    """
    table = book.outer if book else encoder.table
    lacking = [name for name in table.names if name not in batch.schema.names]
    if lacking:
        raise InputError(f"the table lacks {', '.join(map(repr, lacking[:5]))}", where="impute")
    left = {encoder.table.names[i] for seat in encoder.seats if seat.codec in LEFT for i in seat.columns}
    return {column.name: absence.kinds(notation.read(replace(column, lenient=True), batch.column(column.name))) > 0
            for column in table.columns if column.name not in left}


def filled_in(encoder: Encoder, model: Model, engine: str, batch: pa.RecordBatch, run: Run,
              book: Rulebook | None = None) -> pa.RecordBatch:
    """The same rows with their missing cells drawn given the others; what cannot be drawn stays missing.

    Parameters
    ----------
    batch : (n,) rows with the columns of the model, and perhaps others, which stay as they are.
    book : how rules are kept, where there are any: rows that obeyed obey still.
    """
    knows, table = able(model, engine), book.outer if book else encoder.table
    missing = gaps(encoder, batch, book)
    rows = np.flatnonzero(np.logical_or.reduce([*missing.values(), np.zeros(batch.num_rows, bool)]))
    if not len(rows):
        return batch
    some = batch.take(pa.array(rows)).select(list(table.names))
    lacks = {name: lack[rows] for name, lack in missing.items()}
    found = _drawn(encoder, knows, some, lacks, run, book)
    if book:
        for turn in range(RULED):  # what breaks a rule is drawn again, at last left missing
            broken = np.flatnonzero(book.broken(some) < _broken(book, found))
            if not len(broken):
                break
            few = {name: lack[broken] for name, lack in lacks.items()}
            new = _drawn(encoder, knows, some.take(pa.array(broken)), few, run.child("again").child(turn), book)
            found = {name: placed(cells, broken, new[name]) for name, cells in found.items()}
        found = _blanked(book, found, lacks, book.broken(some))
    return _merged(table, batch, {name: _placed(cell, rows, missing[name]) for name, cell in found.items()
                                  if name in missing})


def _drawn(encoder: Encoder, model: Conditional, some: pa.RecordBatch, lacks: Mapping[str, np.ndarray], run: Run,
           book: Rulebook | None) -> dict[str, Cells]:
    """Cells of all columns that are filled in, of rows ``some`` with what they lack drawn."""
    block = encoder.encode(book.reduce(some) if book else some, run.child("encode"))
    known = np.ones((some.num_rows, len(block.columns)), bool)
    for seat, here in zip(encoder.seats, encoder.coded, strict=True):
        names = [encoder.table.names[i] for i in seat.columns]
        sources = [n for name in names for n in (book.sources(name) if book else (name,)) if n in lacks]
        if sources:
            known[:, here] = ~np.logical_or.reduce([lacks[n] for n in sources])[:, None]
    drawn = _present(model, block, known, run.child("draw"))
    wanted = [i for seat in encoder.seats if seat.codec not in LEFT for i in seat.columns]
    made = encoder.cells(drawn, range(some.num_rows), run.child("decode"), wanted)
    found = {encoder.table.names[i]: cells for i, cells in made.items()}
    return book.filled(found, some, lacks, run.child("rules")) if book else found


def _broken(book: Rulebook, cells: Mapping[str, Cells]) -> np.ndarray:
    return np.logical_or.reduce([*book.breaking(cells).values(), np.zeros(len(next(iter(cells.values()))), bool)])


def _blanked(book: Rulebook, cells: dict[str, Cells], lacks: Mapping[str, np.ndarray], before: np.ndarray
             ) -> dict[str, Cells]:
    """The rows that still break a rule without what was filled in of its columns."""
    for i, bad in book.breaking(cells).items():
        for name in book.kept[i].law.columns:
            gone = np.flatnonzero(bad & ~before & lacks[name]) if name in lacks else np.empty(0, np.int64)
            if len(gone):
                none = Cells(pa.nulls(len(gone), cells[name].values.type), np.ones(len(gone), np.uint8))
                cells = {**cells, name: placed(cells[name], gone, none)}
    return cells


def _present(model: Conditional, block: Block, known: np.ndarray, run: Run) -> Block:
    """The unknown cells drawn until none of them is missing again; of a row where that does not happen, at last only
    those that are."""
    absent = np.array([c.absent for c in block])
    found = model.complete(block, known, run.child(0))
    for turn in range(1, WHOLE + AGAIN):
        codes = np.stack([c.codes for c in found], 1).astype(np.int64)
        lacks = ~known & (codes < absent)
        rows = np.flatnonzero(lacks.any(1))
        if not len(rows):
            break
        held = known[rows] if turn < WHOLE else ~lacks[rows]
        again = model.complete(found.take(rows), held, run.child(turn))
        columns = []
        for column, other in zip(found, again, strict=True):
            mixed = column.codes.copy()
            mixed[rows] = other.codes
            columns.append(column.filled(mixed))
        found = Block.of(columns, len(found))
    return found


def _placed(cells: Cells, rows: np.ndarray, missing: np.ndarray) -> tuple[Cells, np.ndarray]:
    """New cells of some ``rows`` as a column of the whole, and which of them are to be used."""
    at = np.zeros(len(missing), np.int64)
    at[rows] = np.arange(len(rows))
    there = np.zeros(len(missing), bool)
    there[rows] = absence.kinds(cells) == 0
    return replace(cells.take(at), absent=None), missing & there


def _merged(table: Table, batch: pa.RecordBatch, new: dict[str, tuple[Cells, np.ndarray]]) -> pa.RecordBatch:
    """The batch with new cells where they are to be used, each column of the type that it had."""
    arrays: list[pa.Array] = list(batch.columns)
    for name, (cells, use) in new.items():
        if use.any():
            place = batch.schema.get_field_index(name)
            arrays[place] = _mixed(table[name], arrays[place], cells, use)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _mixed(column: Column, old: pa.Array, cells: Cells, use: np.ndarray) -> pa.Array:
    if pa.types.is_null(old.type):  # a column without any value has the type that the model knows
        old = pa.nulls(len(old), notation.arrow_type(column.storage))
    kind = old.type.value_type if pa.types.is_dictionary(old.type) else old.type
    plain = old.dictionary_decode() if pa.types.is_dictionary(old.type) else old
    made = notation.write(replace(column, storage=str(kind)), cells)
    made = made.dictionary_decode() if pa.types.is_dictionary(made.type) else made
    mixed = pc.if_else(pa.array(use), made.cast(kind), plain)
    return mixed.dictionary_encode().cast(old.type) if pa.types.is_dictionary(old.type) else mixed


def typed(batch: pa.RecordBatch, known: Table, wanted: Table) -> pa.RecordBatch:
    """The batch with the columns that are ``known`` of the types in which another table writes them."""
    arrays = list(batch.columns)
    for column, target in zip(known.columns, wanted.columns, strict=True):
        place = batch.schema.get_field_index(column.name)
        if target != column:
            arrays[place] = notation.write(target, notation.read(replace(column, lenient=True), arrays[place]))
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def numbered(batch: pa.RecordBatch, draw: int, name: str = "draw") -> pa.RecordBatch:
    """The batch with a first column that tells which draw it is.

    Raises
    ------
    InputError : there is a column of that name already.
    """
    if name in batch.schema.names:
        raise InputError(f"there is a column {name!r} already", where="impute", hint="rename it, or draw once")
    return pa.RecordBatch.from_arrays([pa.array(np.full(batch.num_rows, draw)), *batch.columns],
                                      names=[name, *batch.schema.names])
