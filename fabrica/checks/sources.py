"""What every source promises: what is written is read again, in batches, also when there are no rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from fabrica.checks.promise import keep
from fabrica.contract import Source
from fabrica.errors import InputError

__all__ = ["check_source"]


def check_source(source: Source, folder: Path) -> None:
    """The promises of a source, with files of its own in ``folder``."""
    dotted = all(s.startswith(".") for s in source.suffixes) and len(source.suffixes) > 0
    keep(dotted, "a source knows its suffixes, dot included")
    schema = pa.schema([("name", pa.string()), ('odd "name", <b>', pa.string())])
    rows = [{"name": f"n{i}", 'odd "name", <b>': None if i % 3 == 0 else f'a,"b"\n{i}'} for i in range(100)]
    batches = [pa.RecordBatch.from_pylist(rows[i : i + 40], schema) for i in range(0, 100, 40)]
    full, none = (folder / f"{name}{source.suffixes[0]}" for name in ("full", "none"))
    source.write(full, schema, iter(batches))
    reader = source.sniff(full)
    found = list(reader.read(full, batch_rows=30))
    keep(sum(b.num_rows for b in found) == 100, "all rows that were written are read")
    keep(len({b.schema for b in found}) == 1, "all batches have one schema")
    keep(found[0].schema.names == schema.names, "names of columns come back, whatever their characters")
    table = pa.Table.from_batches(found)
    keep(table.column(0).cast(pa.string()).to_pylist() == [r["name"] for r in rows], "values come back in their order")
    keep(reader.schema(full) == found[0].schema, "the schema is that of the batches")
    keep(reader.rows(full) in (None, 100), "the number of rows is right or not said")
    source.write(none, schema, iter(()))
    try:
        empty = list(source.sniff(none).read(none))
    except InputError:  # a format that cannot say its columns without a row says so
        return
    keep(len(empty) > 0 and sum(b.num_rows for b in empty) == 0, "a table without rows is one empty batch, at least")
    keep(empty[0].schema.names == schema.names, "a table without rows keeps its columns")
