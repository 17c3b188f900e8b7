"""How often each combination of the cells of some columns stands in a table that comes in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from fabrica import absence
from fabrica.contract import Cells
from fabrica.rules.law import Rows
from fabrica.rules.pool import plain, value_type
from fabrica.schema import Column

__all__ = ["Counts"]

HELD = 1 << 20  #: distinct rows that are held until they are counted together


@dataclass
class Counts:
    """Counts combinations of ``columns``, part after part.

    >>> counts = Counts((Column("a", "integer"),))
    >>> counts.add({"a": Cells(pa.array([1, 2, 1]))}); counts.done()[1].tolist()
    [2, 1]
    """

    columns: Sequence[Column]
    parts: list[pa.Table] = field(default_factory=list)

    def add(self, rows: Rows) -> None:
        arrays: dict[str, pa.Array] = {}
        for i, column in enumerate(self.columns):
            cells = rows[column.name]
            arrays[f"v{i}"] = plain(column, cells)
            arrays[f"a{i}"] = pa.array(absence.kinds(cells))
        arrays["n"] = pa.array(np.ones(len(cells), np.int64))
        self.parts.append(_counted(pa.table(arrays)))
        if sum(part.num_rows for part in self.parts) > HELD and len(self.parts) > 1:
            self.parts = [_counted(pa.concat_tables(self.parts))]

    def done(self) -> tuple[list[Cells], np.ndarray]:
        """The cells of each combination, a column each (m,), and (m,) how often it stands."""
        if not self.parts:
            none = [Cells(pa.array([], value_type(c)), np.zeros(0, np.uint8)) for c in self.columns]
            return none, np.zeros(0, np.int64)
        whole = _counted(pa.concat_tables(self.parts)).combine_chunks()
        cells = [Cells(_one(whole[f"v{i}"]), _one(whole[f"a{i}"]).to_numpy()) for i in range(len(self.columns))]
        return cells, _one(whole["n"]).to_numpy()


def _counted(table: pa.Table) -> pa.Table:
    keys = [name for name in table.column_names if name != "n"]
    found = table.group_by(keys, use_threads=False).aggregate([("n", "sum")])
    return found.rename_columns([{"n_sum": "n"}.get(name, name) for name in found.column_names]).select([*keys, "n"])


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
