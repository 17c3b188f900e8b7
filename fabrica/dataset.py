"""One table of the user's, wherever it lies, read in parts; and the one way in which a table is written.

``Dataset.open`` takes a file, a folder or glob of part files, a pandas or polars frame, an Arrow table, a dictionary
of columns or anything with ``__arrow_c_stream__``, and shows it as Arrow record batches of plain columns. It never
needs to hold a file in memory. ``write_table`` writes beside the target and renames at the end, so there is never
half a file under the final name.
"""

from __future__ import annotations

import errno
import glob
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import catalog
from fabrica.contract import Source
from fabrica.errors import InputError, OutputError, SchemaError, SettingError, UnknownName
from fabrica.frames import common_type, make_of, plain_column, plain_schema, restored, to_arrow
from fabrica.run import Run

__all__ = ["Dataset", "Part", "atomic", "write_table"]

BATCH_ROWS = 1 << 16


@dataclass(frozen=True)
class Part:
    """One file of a dataset and the source that knows it."""

    path: Path
    source: Source


@dataclass(frozen=True, eq=False)
class Dataset:
    """One table; make it with ``Dataset.open``.

    Attributes
    ----------
    name : of the table: of the file without its ending, or what the caller said.
    format : the ending of the file with its dot (``.csv``, ``.parquet``); None for what lies in memory.
    schema : the plain Arrow columns that ``batches`` yields.
    kept : the columns as the user has them (categoricals, large strings); ``restore`` goes back to them.

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

    def _raw(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        if self.table is not None:
            yield from ((self.name, b) for b in self.table.to_batches(max_chunksize=BATCH_ROWS))
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
    return [drawn[chosen]], pa.Table.from_batches(kept).take(_places(chosen)).to_batches()


def _places(chosen: np.ndarray) -> pa.Array:
    """The numbers of the chosen rows; made from the bytes, since ``pa.array`` of a NumPy array imports all of pandas."""
    places = np.flatnonzero(chosen).astype(np.int64)
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)])


# ---------------------------------------------------------------- files


def _sources() -> dict[str, type[Source]]:
    """ending -> class of the source, longest endings first."""
    found = {s: catalog.get("sources", n) for n in catalog.names("sources") for s in catalog.get("sources", n).suffixes}
    return dict(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


def _ending(path: Path) -> str | None:
    return next((s for s in _sources() if path.name.lower().endswith(s)), None)


def _known_ending(path: Path) -> str:
    ending = _ending(path)
    if ending is None:
        raise UnknownName("file format", path.suffix or path.name, list(_sources()), where=str(path))
    return ending


def _open_files(path: Path, name: str | None) -> Dataset:
    files = _files(path)
    ending = _known_ending(files[0])
    kind = _sources()[ending]
    parts = tuple(Part(file, kind().sniff(file)) for file in files)
    kept = _common_schema(parts)
    called = path.name if len(files) > 1 and path.is_dir() else files[0].name.removesuffix(files[0].name[-len(ending):])
    return Dataset(name or called or "table", ending, plain_schema(kept, str(parts[0].path)), kept, parts)


def _files(path: Path) -> list[Path]:
    """The file, or the files of a folder or glob in the order of their names."""
    try:
        if path.is_file():
            return [path]
        if path.is_dir():
            return _of_one_format([p for p in sorted(path.iterdir()) if p.is_file()], path)
        exists = path.exists()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise InputError(f"cannot be opened ({reason})", where=str(path)) from None
    if not exists and glob.has_magic(str(path)):
        found = sorted(Path(p) for p in glob.glob(str(path), recursive=True))  # noqa: PTH207 - the pattern may be absolute
        return _of_one_format([p for p in found if p.is_file()], path)
    raise InputError("is neither a file nor a folder" if exists else "there is no such file", where=str(path))


def _of_one_format(files: list[Path], where: Path) -> list[Path]:
    """Files that hold rows: hidden and empty ones and those of unknown endings are left out."""
    known = [p for p in files if p.name[0] not in "._" and _ending(p)]
    if not known:
        raise InputError("no file of a known format is here", where=str(where),
                         hint=f"known are: {', '.join(_sources())}")
    kinds = {_sources()[_known_ending(p)]: _known_ending(p) for p in known}
    if len(kinds) > 1:
        raise InputError(f"files of several formats are here: {', '.join(sorted(kinds.values()))}", where=str(where),
                         hint=f"say which, such as {where.name}/*{min(kinds.values())}")
    return [p for p in known if p.stat().st_size] or known[:1]


def _common_schema(parts: tuple[Part, ...]) -> pa.Schema:
    """The columns of the first part in types that hold the cells of all; all parts must have the same columns."""
    first = parts[0].source.schema(parts[0].path).remove_metadata()
    plain_schema(first, str(parts[0].path))
    kinds = {f.name: f.type for f in first}
    for part in parts[1:]:
        other = part.source.schema(part.path)
        plain_schema(other, str(part.path))
        odd = next(iter([n for n in other.names if n not in kinds] + [n for n in kinds if n not in other.names]), None)
        if odd is not None:
            where = part.path if odd in kinds else parts[0].path
            raise SchemaError(f"lacks the column {odd!r} that another part has", where=str(where),
                              hint="give parts with the same columns")
        kinds = {n: common_type(kind, other.field(n).type) for n, kind in kinds.items()}
    return pa.schema(list(kinds.items()))


# ---------------------------------------------------------------- out


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place when the block ends well, and vanishes when it does not.

    Raises ``OutputError`` where the disk is full, permission is lacking or the target is a folder.
    """
    target = Path(os.path.realpath(Path(path).expanduser()))
    if target.is_dir():
        raise OutputError("is a folder, not a file", where=str(path), hint="give the name of a file in it")
    part = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name[-40:]}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        yield part
        _to_disk(part)
        if target.exists():
            part.chmod(target.stat().st_mode & 0o7777)
        part.replace(target)
        _to_disk(target.parent)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):  # a file system that cannot
            raise
    finally:
        os.close(handle)


def _cannot_write(path: str | os.PathLike[str], error: OSError) -> OutputError:
    words, hint = {
        errno.ENOSPC: ("the disk is full", "free some space, or write elsewhere"),
        errno.EDQUOT: ("the quota of the disk is used up", "free some space, or write elsewhere"),
        errno.EFBIG: ("the file grows larger than the system allows", "write fewer rows, or several files"),
        errno.EACCES: ("there is no permission to write there", "choose a folder of yours"),
        errno.EPERM: ("there is no permission to write there", "choose a folder of yours"),
        errno.EROFS: ("the disk can only be read", "choose another folder"),
        errno.EEXIST: ("a file stands where a folder is needed", "choose another folder"),
        errno.ENOTDIR: ("a file stands where a folder is needed", "choose another folder"),
        errno.ENAMETOOLONG: ("the name of the file is too long", "choose a shorter one"),
    }.get(error.errno or 0, (f"cannot be written ({(error.strerror or 'unknown reason').lower()})", None))
    return OutputError(words, where=str(path), hint=hint)


def write_table(path: str | os.PathLike[str], schema: pa.Schema, batches: Iterable[pa.RecordBatch],
                like: Dataset | None = None) -> None:
    """Write batches to ``path`` in the format of its ending, all or nothing.

    Parameters
    ----------
    path : the target; its folders are made. An existing file is replaced only when the new one is whole.
    schema : names and types of the file; text columns of the batches may be dictionaries.
    batches : the rows. What their maker raises passes through, and nothing is left behind.
    like : a dataset whose hand (delimiter, quoting, line ends, encoding) is used where the format is the same.

    Raises
    ------
    UnknownName : no known format has this ending. OutputError : the file cannot be written.
    """
    target = Path(path).expanduser()
    ending = _known_ending(target)
    source = _sources()[ending]()
    if like is not None and like.format and _bare(like.format) == _bare(ending) and like.source is not None:
        source = like.source
    plain_schema(schema, str(path))
    with atomic(target) as part:
        try:
            source.write(part, schema, iter(batches))
        except OutputError as error:  # the source knows the temporary name only
            raise OutputError(error.what, where=str(path), hint=error.hint) from None
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            raise OutputError(f"a column cannot be written as {ending}", where=str(path),
                              hint="write .parquet, which holds every type") from None


def _bare(ending: str) -> str:
    return ending.removesuffix(".gz").removesuffix(".zst")
