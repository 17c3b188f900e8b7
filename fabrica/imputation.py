"""Missing cells filled in, as often as asked for, by draws from what a model knows of them given the row's other cells.

Each draw is one from the joint distribution of all that a row lacks (multiple imputation; Rubin 1987): several draws
show how sure the model is, and an estimate that is made of each of them and then pooled has the right error. Cells that
are there stay as they are, bit for bit; keys and free texts are not filled in.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence, notation
from fabrica.block import Block
from fabrica.contract import Cells, Conditional, Model
from fabrica.encoder import Encoder
from fabrica.errors import InputError, SettingError
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["able", "filled_in", "gaps", "numbered", "typed"]

LEFT = ("key", "text", "empty")  #: codecs whose columns are left as they are
WHOLE, AGAIN = 30, 60  #: draws of all that a row lacks until none of it is missing again; of what is missing still


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


def gaps(encoder: Encoder, batch: pa.RecordBatch) -> dict[int, np.ndarray]:
    """Number of a column that is filled in -> (n,) bool, which of its cells are missing.

    Raises
    ------
    InputError : a column of the model is not there.
    """
    lacking = [name for name in encoder.table.names if name not in batch.schema.names]
    if lacking:
        raise InputError(f"the table lacks {', '.join(map(repr, lacking[:5]))}", where="impute")
    found = {}
    for i in sorted(i for seat in encoder.seats if seat.codec not in LEFT for i in seat.columns):
        column = encoder.table.columns[i]
        found[i] = absence.kinds(notation.read(replace(column, lenient=True), batch.column(column.name))) > 0
    return found


def filled_in(encoder: Encoder, model: Model, engine: str, batch: pa.RecordBatch, run: Run) -> pa.RecordBatch:
    """The same rows with their missing cells drawn given the others; what cannot be drawn stays missing.

    Parameters
    ----------
    batch : (n,) rows with the columns of the model, and perhaps others, which stay as they are.
    """
    knows = able(model, engine)
    missing = gaps(encoder, batch)
    rows = np.flatnonzero(np.logical_or.reduce([*missing.values(), np.zeros(batch.num_rows, bool)]))
    if not len(rows):
        return batch
    some = batch.take(pa.array(rows)).select(list(encoder.table.names))
    block = encoder.encode(some, run.child("encode"))
    known = np.ones((len(rows), len(block.columns)), bool)
    for seat, here in zip(encoder.seats, encoder.coded, strict=True):
        lacks = [missing[i][rows] for i in seat.columns if i in missing]
        if lacks:
            known[:, here] = ~np.logical_or.reduce(lacks)[:, None]
    drawn = _present(knows, block, known, run.child("draw"))
    new = encoder.cells(drawn, range(len(rows)), run.child("decode"), list(missing))
    return _merged(encoder, batch, {i: _placed(cell, rows, missing[i]) for i, cell in new.items() if i in missing})


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


def _merged(encoder: Encoder, batch: pa.RecordBatch, new: dict[int, tuple[Cells, np.ndarray]]) -> pa.RecordBatch:
    """The batch with new cells where they are to be used, each column of the type that it had."""
    arrays: list[pa.Array] = list(batch.columns)
    for i, (cells, use) in new.items():
        if use.any():
            place = batch.schema.get_field_index(encoder.table.names[i])
            arrays[place] = _mixed(encoder, i, arrays[place], cells, use)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _mixed(encoder: Encoder, i: int, old: pa.Array, cells: Cells, use: np.ndarray) -> pa.Array:
    if pa.types.is_null(old.type):  # a column without any value has the type that the model knows
        old = pa.nulls(len(old), notation.arrow_type(encoder.table.columns[i].storage))
    kind = old.type.value_type if pa.types.is_dictionary(old.type) else old.type
    plain = old.dictionary_decode() if pa.types.is_dictionary(old.type) else old
    made = notation.write(replace(encoder.table.columns[i], storage=str(kind)), cells)
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
