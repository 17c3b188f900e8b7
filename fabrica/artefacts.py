"""Whether a value stands anywhere in the files of a result: data, model, report, ledger, logs.

Files are unpacked as far as they go (archives and their members, arrays of a model file, columns of Parquet and Arrow
files), for what is packed is not found by looking at bytes. A text is looked for as it stands and in the ways in which
JSON and HTML write it; a number in its usual spellings, and among the numbers of arrays and columns. Who plants a value
that no other row has, a canary, sees by this whether one person's row can come out. (Carlini et al., "The secret
sharer", USENIX Security 2019.)
"""

from __future__ import annotations

import gzip
import html
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fabrica.errors import InputError

__all__ = ["NAME", "Trace", "contents", "opened", "spellings", "traces"]

DEEP = 4  #: archives within archives that are unpacked
NAME = "the name of "  #: before a file's name, where that itself is looked at
ZIP, GZIP, PARQUET, ARROW = b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"ARROW1"


@dataclass(frozen=True)
class Trace:
    """A value that was looked for, by its ``name``, and the ``place`` in which it stands: a file and a part of it."""

    name: str
    place: str


def traces(paths: Iterable[str | Path], values: Mapping[str, str | int | float]) -> list[Trace]:
    """Where values stand in some files, and in all files of some folders.

    Parameters
    ----------
    paths : files and folders. values : what to look for, each by a name that may be told.

    Raises
    ------
    InputError : a file cannot be read; what was not looked at is not said to be clean.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "twin.json").write_text('{"town": "K\\\\u00f6ln"}')
    >>> traces([folder], {"the town": "Köln", "another": "Bonn"})
    [Trace(name='the town', place='twin.json')]
    """
    wanted = {name: _Wanted.of(value) for name, value in values.items()}
    found = dict[Trace, None]()
    for place, content in opened(paths):
        found |= {Trace(name, place): None for name, one in wanted.items() if one.stands_in(content)}
    return list(found)


@dataclass(frozen=True)
class _Wanted:
    """The ways in which a value may be written; ``number`` is None for a text."""

    spellings: tuple[bytes, ...]
    number: float | None

    @classmethod
    def of(cls, value: str | int | float) -> _Wanted:
        if isinstance(value, str):
            return cls(spellings(value), None)
        spelled = {repr(value), f"{value:,}", str(value).rstrip("0").rstrip(".") if "." in str(value) else str(value)}
        return cls(tuple(sorted(text.encode() for text in spelled)), float(value))

    def stands_in(self, content: bytes | np.ndarray) -> bool:
        if isinstance(content, bytes):
            return any(spelling in content for spelling in self.spellings)
        if self.number is None or content.dtype.kind not in "iuf":
            return False
        here = np.array([self.number]).astype(content.dtype)  # a narrow type holds the number as near as it can
        near = content.dtype.kind == "f" or float(here[0]) == self.number
        return near and bool((content == here[0]).any())


def spellings(text: str) -> tuple[bytes, ...]:
    """The ways in which a text is written: as it stands, and as JSON and HTML write it.

    >>> spellings("a&b")
    (b'a\\x00&\\x00b\\x00', b'a&amp;b', b'a&b')
    """
    plain = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], html.escape(text)}
    return tuple(sorted({*(one.encode() for one in plain), text.encode("utf-16-le")}))


def opened(paths: Iterable[str | Path]) -> Iterator[tuple[str, bytes | np.ndarray]]:
    """(place, bytes or numbers) of some files, of all files of some folders, and of their names.

    Raises
    ------
    InputError : a file cannot be read.
    """
    for path in map(Path, paths):
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            name = str(file.relative_to(path)) if path.is_dir() else file.name
            yield NAME + name, name.encode()
            try:
                yield from contents(name, file.read_bytes())
            except (OSError, ValueError, zipfile.BadZipFile, pa.ArrowException) as error:
                raise InputError("cannot be searched", where=str(file), hint="it is damaged, or packed in a way that "
                                 f"is not known ({type(error).__name__})") from None


def contents(name: str, data: bytes, deep: int = DEEP) -> Iterator[tuple[str, bytes | np.ndarray]]:
    """(place, bytes or numbers) of all that a file holds: itself, and what is packed in it."""
    yield name, data
    if data[:4] == ZIP and deep:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from contents(f"{name}: {member}", archive.read(member), deep - 1)
    elif data[:2] == GZIP and deep:
        yield from contents(f"{name}: unpacked", gzip.decompress(data), deep - 1)
    elif data[:4] == PARQUET:
        yield from _columns(name, pq.read_table(io.BytesIO(data)))
    elif data[:6] == ARROW:
        yield from _columns(name, pa.ipc.open_file(io.BytesIO(data)).read_all())
    elif name.endswith(".safetensors"):
        from safetensors.numpy import load

        yield from ((f"{name}: {key}", array.ravel()) for key, array in load(data).items())


def _columns(name: str, table: pa.Table) -> Iterator[tuple[str, bytes | np.ndarray]]:
    """The cells of each column: as text, and numbers as numbers too."""
    yield f"{name}: its schema", str(table.schema).encode() + repr(table.schema.metadata).encode()
    for label, column in zip(table.column_names, table.columns, strict=True):
        cells: list[Any] = column.unique().to_pylist() if not pa.types.is_nested(column.type) else column.to_pylist()
        yield f"{name}: {label}", "\n".join(str(cell) for cell in cells if cell is not None).encode()
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            yield f"{name}: {label}", column.drop_null().to_numpy()
