"""The files of a bundle, in a folder or in a zip archive, and nothing else: no links, no surprises.

An archive is never unpacked as a whole. Its entries are read as streams under names that were checked first; links,
locked entries, names that stand twice and ways out of the folder are refused.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from fabrica.bundle.envelope import ATTESTATION
from fabrica.bundle.names import check_names
from fabrica.errors import InputError

__all__ = ["Contents", "demand_some", "opened"]

MOST = 1 << 26  #: bytes of a file that is read as a whole


class Contents(ABC):
    """Files by their names within the bundle; ``sizes`` in bytes."""

    sizes: dict[str, int]

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """The bytes of a file as a stream."""

    @abstractmethod
    def path(self, name: str) -> Path:
        """A file as a file of this computer, until the bundle is closed."""

    def read(self, name: str) -> bytes:
        """All bytes of a small file. ``InputError`` where there is none, or it is none."""
        if name not in self.sizes:
            raise InputError("the file is missing", where=name)
        if self.sizes[name] > MOST:
            raise InputError("is far larger than any such file", where=name)
        with self.open(name) as file:
            return file.read()


@dataclass(frozen=True)
class InFolder(Contents):
    """A bundle that lies as a folder."""

    root: Path
    sizes: dict[str, int]

    def open(self, name: str) -> BinaryIO:
        return os.fdopen(os.open(self.path(name), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
                                 | getattr(os, "O_BINARY", 0)), "rb")

    def path(self, name: str) -> Path:
        return self.root / name


@dataclass(frozen=True)
class InArchive(Contents):
    """A bundle that lies in a zip file; ``entries``: name -> entry, ``aside``: an empty folder of ours."""

    archive: zipfile.ZipFile
    entries: dict[str, zipfile.ZipInfo]
    sizes: dict[str, int]
    aside: Path

    def open(self, name: str) -> BinaryIO:
        try:
            return self.archive.open(self.entries[name])  # type: ignore[return-value]
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
            raise InputError("cannot be unpacked", where=name) from None

    def path(self, name: str) -> Path:
        target = self.aside / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with self.open(name) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        return target


def demand_some(path: Path) -> None:
    """Raises ``InputError`` where there is nothing that could be checked: no folder with files, no archive."""
    hint = "give its folder, or a .zip of it"
    if path.is_dir():
        if not any(path.iterdir()):
            raise InputError("is an empty folder, and no bundle", where=str(path), hint=hint)
        return
    if not path.is_file():
        raise InputError("there is no such bundle", where=str(path), hint=hint)
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            raise InputError("is neither the folder of a bundle nor a .zip of one", where=str(path), hint=hint)


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """The files of a bundle.

    Raises
    ------
    InputError : it holds something that no bundle holds, or is a damaged archive.
    OSError : a file cannot be read.
    """
    if path.is_dir():
        sizes = dict(_walk(path, path))
        check_names(sizes, str(path))
        yield InFolder(path, sizes)
        return
    try:
        with zipfile.ZipFile(path) as archive, TemporaryDirectory() as aside:
            entries = _entries(archive, str(path))
            yield InArchive(archive, entries, {name: one.file_size for name, one in entries.items()}, Path(aside))
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise InputError("is no sound .zip: it was cut short, or damaged on its way", where=str(path)) from None


def _walk(root: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Every file of a folder with its size. ``InputError`` for links, devices and empty folders."""
    empty = True
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        empty, name = False, Path(entry.path).relative_to(root).as_posix()
        about = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(about.st_mode):
            yield from _walk(root, Path(entry.path))
        elif stat.S_ISREG(about.st_mode):
            yield name, about.st_size
        else:
            raise InputError(f"{name!r} is a link or a device, and a bundle holds plain files only", where=str(root))
    if empty:
        raise InputError(f"{folder.relative_to(root).as_posix()!r} is an empty folder", where=str(root))


def _entries(archive: zipfile.ZipFile, where: str) -> dict[str, zipfile.ZipInfo]:
    """name -> entry, without the one folder around all that zip programs like to add."""
    files = [one for one in archive.infolist() if not one.orig_filename.endswith("/")]
    folders = {one.orig_filename.rstrip("/") for one in archive.infolist() if one.orig_filename.endswith("/")}
    names = [one.orig_filename for one in files]
    check_names(names, where)
    if len(set(names)) < len(names):
        raise InputError("a name stands twice in the archive", where=where)
    if folders - {str(parent) for name in names for parent in Path(name).parents}:
        raise InputError("the archive holds an empty folder", where=where)
    for one in files:
        if one.flag_bits & 1 or stat.S_ISLNK(one.external_attr >> 16):
            raise InputError(f"{one.orig_filename!r} is a link, or locked with a password", where=where)
    top = f"{names[0].split('/')[0]}/" if names else ""
    around = ATTESTATION not in names and all(name.startswith(top) for name in names)
    return {name.removeprefix(top) if around else name: one for name, one in zip(names, files, strict=True)}
