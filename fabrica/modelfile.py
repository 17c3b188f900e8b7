"""The model file: a zip of ``model.json`` (plain values) and ``arrays.safetensors`` (numbers). No code, no pickle.

Reading trusts nothing: the entries must be exactly these two, their digests must match, sizes are bounded before
anything is allocated, and whoever builds objects from the state checks what it finds. Format: ``docs/model-file.md``.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from fabrica.errors import ModelFileError
from fabrica.state import State

__all__ = ["VERSION", "read", "write"]

VERSION = 1
KNOWN = ("model.json", "arrays.safetensors")
SMALL = 64 << 20  #: bytes that an entry may unpack to, however small it is packed
RATIO = 100  #: times that a larger one may grow


def write(path: Path, state: State) -> None:
    """Write ``state`` under ``path`` itself; who calls makes it atomic."""
    from safetensors.numpy import save

    arrays = save({k: np.ascontiguousarray(v) for k, v in sorted(state.arrays.items())})
    head = {"fabrica_model": VERSION, "arrays_sha256": hashlib.sha256(arrays).hexdigest(), "state": state.plain}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        _put(file, KNOWN[0], json.dumps(head, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
        _put(file, KNOWN[1], arrays)


def _put(file: zipfile.ZipFile, name: str, data: bytes) -> None:
    """One entry with a fixed date, so that the same model gives the same bytes."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(info, data)


def read(path: str | Path) -> State:
    """The state in a model file.

    Raises
    ------
    ModelFileError : it is no model file, it is damaged or truncated, or a newer fabrica wrote it.
    """
    path = Path(path)
    where = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError("there is no such file", where=where) from None
    except OSError as error:
        raise ModelFileError(f"the file cannot be read ({error.strerror})", where=where) from None
    head, arrays = _entries(data, where)
    plain = _plain(head, where)
    version = plain.get("fabrica_model")
    if type(version) is not int or version < 1:
        raise ModelFileError("this is no fabrica model", where=where)
    if version > VERSION:
        raise ModelFileError(f"this model has format {version}; this fabrica reads formats up to {VERSION}",
                             where=where, hint="upgrade fabrica (pip install -U fabrica)")
    if hashlib.sha256(arrays).hexdigest() != plain.get("arrays_sha256"):
        raise ModelFileError("the numbers in this model do not match their digest", where=where,
                             hint="the file was changed or damaged; copy or fit it again")
    if not isinstance(plain.get("state"), dict):
        raise ModelFileError("the model has no state", where=where)
    return State(plain["state"], _arrays(arrays, where))


def _entries(data: bytes, where: str) -> tuple[bytes, bytes]:
    damaged = ModelFileError("this is no model file, or it is damaged or cut off", where=where,
                             hint="copy it again, or fit the model again")
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise damaged
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            infos = file.infolist()
            if sorted(i.filename for i in infos) != sorted(KNOWN):
                raise ModelFileError("the file does not hold what a model holds", where=where)
            for info in infos:
                if info.file_size > max(SMALL, RATIO * info.compress_size):
                    raise ModelFileError("the file claims more than it can hold", where=where)
            return file.read(KNOWN[0]), file.read(KNOWN[1])
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError):
        raise damaged from None
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise damaged from None
        raise


def _plain(head: bytes, where: str) -> dict[str, Any]:
    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        plain = json.loads(head.decode("utf-8"), parse_constant=refuse)
        json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()  # half a character would stop whoever prints it
    except (ValueError, RecursionError):
        raise ModelFileError("the description in this model is damaged", where=where) from None
    if not isinstance(plain, dict):
        raise ModelFileError("the description in this model is damaged", where=where)
    return plain


def _arrays(data: bytes, where: str) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise ModelFileError("the numbers in this model are damaged", where=where) from None
