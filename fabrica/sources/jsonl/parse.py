"""JSON lines into Arrow batches: the shape of a file first, then its rows.

A block is a piece of the file that ends with a line, so each block parses alone and memory stays bounded.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson

from fabrica.errors import InputError, SchemaError
from fabrica.frames import column_of, common_type
from fabrica.sources._bytes import plain, what_is

__all__ = ["Shape", "shape_of", "parsed"]

BLOCK, DEEP = 1 << 23, 500
NESTED_HINT = "spread it over columns of its own, or leave it out"


@dataclass(frozen=True)
class Shape:
    """Columns and types of a file, its rows, and whether Arrow's parser can read it."""

    schema: pa.Schema
    rows: int
    quick: bool


def shape_of(path: Path) -> Shape:
    """One pass over the file. ``InputError`` where a line is no object, ``SchemaError`` where a value is nested."""
    return _quick_shape(path) or _careful_shape(path)


def parsed(path: Path, shape: Shape) -> Iterator[pa.RecordBatch]:
    """The rows, in the types of the shape."""
    if not shape.quick:
        for _, objects in _objects(path):
            arrays = [_typed([o.get(f.name) for o in objects], f.type) for f in shape.schema]
            yield pa.RecordBatch.from_arrays(arrays, schema=shape.schema)
        return
    for _, block in _blocks(path):
        try:
            table = _arrow(block, shape.schema).select(shape.schema.names)
        except pa.ArrowException:
            raise InputError("the file has changed while it was read", where=str(path)) from None
        yield from table.to_batches()


# ---------------------------------------------------------------- with Arrow


def _arrow(block: bytes, schema: pa.Schema | None = None) -> pa.Table:
    table = pajson.read_json(
        pa.BufferReader(block),
        pajson.ReadOptions(block_size=len(block) + 64, use_threads=False),
        pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer" if schema is None else "ignore"),
    )
    table.validate(full=True)  # Arrow's parser lets bytes through that are no UTF-8
    return table


def _quick_shape(path: Path) -> Shape | None:
    """The shape as Arrow's parser sees it; None where something is not to its taste."""
    types: dict[str, pa.DataType] = {}
    rows = 0
    for _, block in _blocks(path):
        if _may_be_deep(block):
            return None
        try:
            table = _arrow(block)
        except (pa.ArrowException, UnicodeDecodeError):
            return None
        for name, column in zip(table.column_names, table.columns, strict=True):
            kind = pa.string() if pa.types.is_temporal(column.type) else column.type
            if pa.types.is_nested(kind) or _beyond(column):
                return None
            known = types.setdefault(name, kind)
            types[name] = common_type(known, kind)
            if pa.types.is_string(types[name]) and not {known, kind} <= {pa.string(), pa.null()}:
                return None  # numbers in one block, text in another: Arrow cannot read the former as the latter
        rows += table.num_rows
    return Shape(pa.schema(list(types.items())), rows, True) if types else None


def _may_be_deep(block: bytes) -> bool:
    """Whether brackets may nest so deep that Arrow's parser, which calls itself for each, would crash the process.

    Brackets within texts count too, so now and then a harmless block takes the slow road.
    """
    if block.count(b"{") + block.count(b"[") <= DEEP:
        return False
    folded = np.frombuffer(block, np.uint8) | 0x20  # [ and { fall together, so do ] and }
    steps = (folded == 0x7B).astype(np.int32) - (folded == 0x7D)
    return bool(np.cumsum(steps).max() > DEEP)


def _beyond(column: pa.ChunkedArray) -> bool:
    """Whether fractions may be whole numbers that are too large for 64 bits: Arrow rounds these in silence."""
    if not pa.types.is_floating(column.type):
        return False
    largest = pc.max(pc.abs(column)).as_py()
    return largest is not None and largest >= 2**63


# ---------------------------------------------------------------- line by line


def _careful_shape(path: Path) -> Shape:
    types: dict[str, pa.DataType] = {}
    rows = 0
    for _, objects in _objects(path):
        for name in dict.fromkeys(key for o in objects for key in o):
            kind = column_of([o.get(name) for o in objects]).type
            types[name] = common_type(types.get(name, pa.null()), kind)
        rows += len(objects)
    if not rows:
        raise InputError("the file holds only blank lines", where=str(path), hint="export it again")
    if not types:
        raise InputError("no line holds a column", where=str(path), hint="each line must be an object with keys")
    return Shape(pa.schema(list(types.items())), rows, False)


def _typed(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        values = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pa.array(values, kind)


def _objects(path: Path) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """(number of the first line, the objects) of each block."""
    for line, block in _blocks(path):
        lines = block.split(b"\n")
        yield line, [_object(raw, f"{path}, line {line + i}") for i, raw in enumerate(lines) if raw.strip()]


def _object(raw: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError("the text is not UTF-8", where=where, hint="save the file as UTF-8") from None
    except (ValueError, RecursionError):
        raise InputError("is not JSON", where=where, hint="each line must be one JSON object") from None
    if not isinstance(found, dict):
        raise InputError("is not a JSON object", where=where, hint="each line must be one JSON object")
    nested = next((name for name, value in found.items() if isinstance(value, (dict, list))), None)
    if nested is not None:
        raise SchemaError("holds nested values", where=f"{where}, column {nested!r}", hint=NESTED_HINT)
    return found


def _blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number of the first line, bytes that end with a line) until the end of the file; blank ones are left out."""
    with plain(path) as file:
        held, line, first = b"", 1, True
        while piece := file.read(BLOCK):
            if first and (piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in piece[:4096]):
                words = what_is(piece)
                raise InputError(f"this is not JSON lines but {words}" if words else "this is not UTF-8 text",
                                 where=str(path), hint="export it as JSON lines in UTF-8")
            piece = piece.removeprefix(codecs.BOM_UTF8) if first else piece
            first, held = False, held + piece
            cut = held.rfind(b"\n") + 1
            if cut:
                block, held = held[:cut], held[cut:]
                if block.strip():
                    yield line, block
                line += block.count(b"\n")
        if held.strip():
            yield line, held
