"""The one way in which a table is written: beside the target first, renamed at the end, all or nothing."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from fabrica.dataset.files import known_ending, sources
from fabrica.errors import OutputError
from fabrica.frames import plain_schema

if TYPE_CHECKING:
    from fabrica.dataset import Dataset

__all__ = ["atomic", "cannot_write", "holds_text", "pour_table", "write_table"]


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place when the block ends well, and vanishes when it does not.

    Raises ``OutputError`` where the disk is full, permission is lacking or the target is a folder.
    """
    target = Path(os.path.realpath(Path(path).expanduser()))
    part = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name[-40:]}")
    try:
        if target.is_dir():
            raise OutputError("is a folder, not a file", where=str(path), hint="give the name of a file in it")
        target.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        yield part
        _to_disk(part)
        if target.exists():
            part.chmod(target.stat().st_mode & 0o7777)
        part.replace(target)
        _to_disk(target.parent)
    except OSError as error:
        raise cannot_write(path, error) from None
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


def cannot_write(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """What the system says, in words that help."""
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
    ending = known_ending(target)
    source = sources()[ending]()
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


def pour_table(stream: BinaryIO, schema: pa.Schema, batches: Iterable[pa.RecordBatch], name: str) -> None:
    """Write batches to an open stream as CSV, each as it comes; ``name`` says where to in an error."""
    plain_schema(schema, name)
    try:
        sources()[".csv"]().pour(stream, schema, iter(batches))
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_write(name, error) from None


def holds_text(path: str | os.PathLike[str]) -> bool:
    """Whether a file of this name holds nothing but text, as CSV and its kin do.

    >>> holds_text("people.csv.gz"), holds_text("people.parquet")
    (True, False)
    """
    return sources()[known_ending(Path(path))].textual


def _bare(ending: str) -> str:
    return ending.removesuffix(".gz").removesuffix(".zst")
