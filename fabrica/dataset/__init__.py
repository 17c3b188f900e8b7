"""One table of the user's, wherever it lies, read in parts; and the one way in which a table is written.

``Dataset.open`` takes a file, a folder or glob of part files, a pandas or polars frame, an Arrow table, a dictionary
of columns or anything with ``__arrow_c_stream__``, and shows it as Arrow record batches of plain columns. It never
needs to hold a file in memory. ``write_table`` writes beside the target and renames at the end, so there is never
half a file under the final name.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica.contract import Source
from fabrica.dataset.files import Part, common_schema, files_at, known_ending, sources
from fabrica.dataset.write import atomic, holds_text, pour_table, write_table
from fabrica.errors import InputError, SchemaError, SettingError
from fabrica.frames import emptied, make_of, plain_column, plain_schema, restored, to_arrow
from fabrica.run import Run

__all__ = ["Dataset", "Part", "atomic", "holds_text", "pour_table", "write_table"]

BATCH_ROWS = 1 << 16


@dataclass(frozen=True, eq=False)
class Dataset:
    """One table; make it with ``Dataset.open``.

    Attributes
    ----------
    name : of the table: of the file without its ending, or what the caller said.
    format : the ending of the file with its dot (``.csv``, ``.parquet``); None for what lies in memory.
    schema : the plain Arrow columns that ``batches`` yields.
    kept : the columns as the user has them (categoricals, large strings); ``restore`` goes back to them.
    parts : the files it comes from. table : its rows, where they are held in memory.

    >>> data = Dataset.open({"age": [31, 44], "name": ["Ada", None]})
    >>> data.rows, data.schema.names, data.head(1).to_pylist()
    (2, ['age', 'name'], [{'age': 31, 'name': 'Ada'}])
    """

    name: str
    format: str | None
    schema: pa.Schema
    kept: pa.Schema
    parts: tuple[Part, ...] = ()
    table: pa.Table | None = None
    template: Any = None

    @classmethod
    def open(cls, thing: Any, name: str | None = None) -> Dataset:
        """Look at a table without reading more of it than its shape needs.

        Raises
        ------
        InputError : no such file, no permission, an empty or damaged file, a ragged row (with its line).
        SchemaError : a column name stands twice; a column is nested or binary.
        UnknownName : the ending of the file is of no known format.
        """
        if isinstance(thing, Dataset):
            return thing
        if isinstance(thing, (str, os.PathLike)):
            return _open_files(Path(thing).expanduser(), name)
        where = f"table {name!r}" if name else "the table"
        table = to_arrow(thing, where)
        if table is None:
            raise InputError(f"cannot read a table from a value of type {type(thing).__name__}",
                             hint="give a path, a pandas or polars frame, an Arrow table or a dictionary of columns")
        if not table.num_columns:
            raise InputError("has no columns", where=where)
        template = (thing.head(0) if make_of(thing) else None)
        return cls(name or "table", None, plain_schema(table.schema, where), table.schema.remove_metadata(),
                   table=table, template=template)

    @property
    def rows(self) -> int | None:
        """How many rows there are, or None where only a pass would tell (``count`` makes it)."""
        if self.table is not None:
            return self.table.num_rows
        found = [part.source.rows(part.path) for part in self.parts]
        return None if None in found else sum(n for n in found if n is not None)

    def count(self) -> int:
        """How many rows there are, with a pass over the file where it must be."""
        known = self.rows
        return sum(b.num_rows for b in self.batches()) if known is None else known

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """The levels, from low to high, of columns that came as ordered categoricals."""
        if self.table is None:
            return {}
        ordered = {f.name: self.table[f.name] for f in self.kept if pa.types.is_dictionary(f.type) and f.type.ordered}
        return {name: tuple(map(str, c.chunk(0).dictionary.to_pylist())) for name, c in ordered.items() if c.num_chunks}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows from first to last in batches of at most 65,536, none of them empty. Call it again to read again."""
        for where, batch in self._raw():
            if batch.num_rows:
                columns = [self._plain(batch, field, where) for field in self.schema]
                yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    @property
    def textual(self) -> bool:
        """Whether it is read from files that hold nothing but text."""
        return self.format is not None and holds_text(f"x{self.format}")

    def _raw(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        if self.table is not None:
            yield from ((self.name, b) for b in self.table.to_batches(max_chunksize=BATCH_ROWS))
            return
        for part in self.parts:
            yield from ((str(part.path), b) for b in part.source.read(part.path, batch_rows=BATCH_ROWS))

    def _plain(self, batch: pa.RecordBatch, field: pa.Field, where: str) -> pa.Array:
        try:
            return plain_column(batch.column(field.name), field.type)
        except pa.ArrowException:
            raise SchemaError(f"does not fit the type of the column, {field.type}", hint="give all parts one type",
                              where=f"{where}, column {field.name!r}") from None

    def head(self, n: int) -> pa.Table:
        """The first ``n`` rows, or all where there are fewer."""
        found, left = [], n
        for batch in self.batches():
            found.append(batch.slice(0, left))
            left -= found[-1].num_rows
            if left <= 0:
                break
        return pa.Table.from_batches(found, self.schema).slice(0, n)

    def sample(self, n: int, run: Run) -> pa.Table:
        """``n`` rows drawn without replacement, every set of rows as likely as any other, in their order; or all rows.

        Every row draws a number and the ``n`` smallest stay: one pass, at most 2 n rows and a batch in memory, and
        the result depends on the seed alone, not on how the file is cut into batches.
        """
        if n < 0:
            raise SettingError("a sample cannot have fewer than no rows", where="sample")
        random, bound = run.child("rows").random(), np.inf
        draws: list[np.ndarray] = []
        kept: list[pa.RecordBatch] = []
        for batch in self.batches():
            run.check()
            drawn = random.random(batch.num_rows)
            low = drawn < bound
            if low.any():
                draws.append(drawn[low])
                kept.append(batch.take(_places(low)))
            if sum(map(len, draws)) > 2 * n:
                draws, kept = _smallest(draws, kept, n)
                bound = draws[0].max() if n else 0.0
        draws, kept = _smallest(draws, kept, n)
        return pa.Table.from_batches(kept, self.schema)

    def restore(self, table: pa.Table) -> Any:
        """A table of these columns as the user has them: a pandas or polars frame with its dtypes, else an Arrow table.

        A dtype that cannot hold a cell (an Enum without that level, whole numbers with gaps) gives way to one that can.
        """
        return restored(table, self.kept, self.template)

    def emptied(self, levels: Mapping[str, Collection[str]]) -> Dataset:
        """The same columns and make without a single row: all that ``restore`` needs, and nothing that a model must
        not hold; ``levels`` (column -> texts) of categoricals may be told."""
        template = emptied(self.template, levels)
        return Dataset(self.name, None, self.schema, self.kept, (), self.schema.empty_table(), template)

    @property
    def source(self) -> Source | None:
        """The source of the (first) file, which knows the hand it is written in; None for what lies in memory."""
        return self.parts[0].source if self.parts else None


def _smallest(draws: list[np.ndarray], kept: list[pa.RecordBatch], n: int
              ) -> tuple[list[np.ndarray], list[pa.RecordBatch]]:
    """Only the rows of the ``n`` smallest draws, still in their order."""
    if sum(map(len, draws)) <= n:
        return draws, kept
    drawn = np.concatenate(draws)
    chosen = np.zeros(len(drawn), bool)
    chosen[np.argpartition(drawn, n)[:n]] = True
    rows = pa.Table.from_batches(kept).take(_places(chosen))
    return [drawn[chosen]], rows.to_batches()


def _places(chosen: np.ndarray) -> pa.Array:
    """The numbers of the chosen rows, made from bytes: ``pa.array`` of a NumPy array would import all of pandas."""
    places = np.flatnonzero(chosen).astype(np.int64)
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)])


def _open_files(path: Path, name: str | None) -> Dataset:
    files = files_at(path)
    ending = known_ending(files[0])
    kind = sources()[ending]
    parts = tuple(Part(file, kind().sniff(file)) for file in files)
    kept = common_schema(parts)
    called = path.name if len(files) > 1 and path.is_dir() else files[0].name.removesuffix(files[0].name[-len(ending):])
    return Dataset(name or called or "table", ending, plain_schema(kept, str(parts[0].path)), kept, parts)
