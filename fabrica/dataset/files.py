"""The files of a dataset: one, or the parts in a folder or glob, all of one format and with the same columns."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from fabrica import catalog
from fabrica.contract import Source
from fabrica.errors import InputError, SchemaError, UnknownName
from fabrica.frames import common_type, plain_schema

__all__ = ["Part", "common_schema", "ending_of", "files_at", "known_ending", "sources"]


@dataclass(frozen=True)
class Part:
    """One file of a dataset and the source that knows it."""

    path: Path
    source: Source


def sources() -> dict[str, type[Source]]:
    """ending -> class of the source, longest endings first."""
    found = {s: catalog.get("sources", n) for n in catalog.names("sources") for s in catalog.get("sources", n).suffixes}
    return dict(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


def ending_of(path: Path) -> str | None:
    return next((s for s in sources() if path.name.lower().endswith(s)), None)


def known_ending(path: Path) -> str:
    ending = ending_of(path)
    if ending is None:
        raise UnknownName("file format", path.suffix or path.name, list(sources()), where=str(path))
    return ending


def files_at(path: Path) -> list[Path]:
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
    known = [p for p in files if p.name[0] not in "._" and ending_of(p)]
    if not known:
        raise InputError("no file of a known format is here", where=str(where),
                         hint=f"known are: {', '.join(sources())}")
    kinds = {sources()[known_ending(p)]: known_ending(p) for p in known}
    if len(kinds) > 1:
        raise InputError(f"files of several formats are here: {', '.join(sorted(kinds.values()))}", where=str(where),
                         hint=f"say which, such as {where.name}/*{min(kinds.values())}")
    return [p for p in known if p.stat().st_size] or known[:1]


def common_schema(parts: tuple[Part, ...]) -> pa.Schema:
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
