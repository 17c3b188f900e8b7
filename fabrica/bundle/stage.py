"""A folder of folders that appears whole or not at all: written beside its place, moved there in one step."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fabrica.dataset.write import cannot_write
from fabrica.errors import OutputError

__all__ = ["whole"]


@contextmanager
def whole(out: str | Path) -> Iterator[Path]:
    """A hidden folder beside ``out`` that becomes ``out`` when the block ends well, and vanishes when it does not.

    Raises
    ------
    OutputError : ``out`` is there and not empty, or cannot be written.
    """
    target = Path(out).expanduser().absolute()
    if os.path.lexists(target) and (not target.is_dir() or target.is_symlink() or any(target.iterdir())):
        raise OutputError("is there already, and a bundle is never written over", where=str(out),
                          hint="choose another folder")
    stage = target.with_name(f".{target.name}-{uuid.uuid4().hex[:12]}")
    try:
        stage.mkdir(parents=True)
        yield stage
        _to_disk(stage)
        with suppress(FileNotFoundError):
            target.rmdir()
        stage.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise cannot_write(out, error) from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _to_disk(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    """To the disk, where the system can."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
