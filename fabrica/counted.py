"""A dataset whose number of rows is known, and that is held in memory where it is small: read once, used often.

A text file tells neither how many rows it has nor lets itself be read again for nothing, and a run reads its table
five or six times. So the first pass counts, and keeps the rows as long as they are few.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from fabrica.dataset import Dataset
from fabrica.errors import InputError

__all__ = ["Counted", "counted", "filled"]

FEW = 256 << 20  #: bytes of a table that are held in memory at most


@dataclass(frozen=True, eq=False)
class Counted(Dataset):
    """A dataset of ``total`` rows."""

    total: int = 0

    @property
    def rows(self) -> int:
        return self.total


def filled(thing: Any) -> Counted:
    """Open a table that must have rows; opened ones are passed through.

    Raises ``InputError`` where there is none, besides what ``Dataset.open`` raises.
    """
    found = counted(Dataset.open(thing))
    if not found.rows:
        where = str(thing) if isinstance(thing, (str, os.PathLike)) else f"table {found.name!r}"
        raise InputError("has no rows", where=where, hint="give a table with rows under its header")
    return found


def counted(dataset: Dataset, few: int = FEW) -> Counted:
    """The same rows with their number known; in memory where they take at most ``few`` bytes.

    >>> counted(Dataset.open({"age": [31, 44]})).rows
    2
    """
    if isinstance(dataset, Counted):
        return dataset
    same = {f.name: getattr(dataset, f.name) for f in fields(Dataset)}
    if dataset.table is not None:
        return Counted(**same, total=dataset.table.num_rows)
    kept: list[pa.RecordBatch] | None = []
    size = total = 0
    for batch in dataset.batches():
        total += batch.num_rows
        size += batch.nbytes
        if kept is not None:
            kept = [*kept, batch] if size <= few else None
    if kept is not None:
        same |= {"table": pa.Table.from_batches(kept, dataset.schema)}
    return Counted(**same, total=total)
