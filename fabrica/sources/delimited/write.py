"""Delimited text out: fast, in the hand of a dialect, with quotes only where they are needed (RFC 4180).

A batch becomes one long text by joining its columns cell by cell in Arrow. Columns that arrive as dictionaries are
escaped a level at a time, not a cell at a time. A missing value is an empty cell, the empty text a quoted one.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import OutputError
from fabrica.sources.delimited.dialect import Dialect

__all__ = ["write"]


def write(
    file: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch], dialect: Dialect, where: str
) -> None:
    """Write ``batches`` to ``file``; ``OutputError`` where the encoding of the dialect has no such letter."""
    recode = _recoder(dialect, where)
    header = [_escaped(pa.array([n]), dialect, dialect.quoted_header) for n in schema.names]
    if dialect.header:
        file.write(recode(_joined(header, dialect)))
    for batch in batches:
        if batch.num_rows:
            texts = [_text(c, dialect, n in dialect.quoted) for n, c in zip(schema.names, batch.columns, strict=True)]
            file.write(recode(_joined(texts, dialect)))


def _recoder(dialect: Dialect, where: str):  # type: ignore[no-untyped-def]
    """UTF-8 bytes -> bytes of the dialect's encoding, with its byte-order mark at the start."""
    if dialect.encoding == "utf-8":
        return lambda text: text
    encoder = codecs.getincrementalencoder(dialect.encoding)()

    def recode(text: memoryview) -> bytes:
        try:
            return encoder.encode(bytes(text).decode("utf-8"))
        except UnicodeEncodeError:
            raise OutputError(f"the encoding {dialect.encoding} lacks a letter of the table", where=where,
                              hint="write to another format, such as .parquet") from None

    return recode


def _joined(columns: list[pa.Array], dialect: Dialect) -> memoryview:
    """The rows of text columns as one piece of UTF-8."""
    lines = pc.binary_join_element_wise(*columns, dialect.delimiter, null_handling="replace", null_replacement="")
    lines = pc.binary_join_element_wise(lines, "", dialect.line_end)
    wide = np.int64 if pa.types.is_large_string(lines.type) else np.int32
    ends = np.frombuffer(lines.buffers()[1], wide)
    return memoryview(lines.buffers()[2])[ends[lines.offset] : ends[lines.offset + len(lines)]]


def _text(column: pa.Array, dialect: Dialect, always: bool) -> pa.Array:
    """The cells of any column as they stand in the file; null where missing."""
    if pa.types.is_dictionary(column.type):
        return pc.take(_text(column.dictionary, dialect, always), column.indices)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _escaped(column, dialect, always)
    try:
        return _escaped(column.cast(pa.string()), dialect, always)
    except pa.ArrowNotImplementedError:
        texts = pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())
        return _escaped(texts, dialect, always)


def _escaped(texts: pa.Array, dialect: Dialect, always: bool) -> pa.Array:
    """Texts with quotes round those that need them: with a delimiter, a quote, a line end, or nothing in them."""
    if always:
        return _in_quotes(texts)
    if not _may_need_quotes(texts, dialect.delimiter):
        return texts
    needs = pc.or_(pc.match_substring_regex(texts, f'["\\r\\n{dialect.delimiter}]'), pc.equal(texts, ""))
    return pc.if_else(needs, _in_quotes(texts), texts)


def _in_quotes(texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")


def _may_need_quotes(texts: pa.Array, delimiter: str) -> bool:
    """A quick look at all bytes at once; most columns end here."""
    if pc.min(pc.binary_length(texts)).as_py() in (0, None):
        return True
    data = memoryview(texts.buffers()[2] or b"").tobytes()
    return any(mark in data for mark in (b'"', b"\n", b"\r", delimiter.encode()))
