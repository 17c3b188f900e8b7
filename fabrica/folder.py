"""A folder of results that appears whole or not at all.

Files are written in a hidden folder beside their final names and moved there when all of them are complete. Files of
ours that already stand there are replaced, and ``stale`` ones that this time are not made go away: an old ledger beside
new rows would promise what nobody paid for. All other files in the folder are left alone.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable
from errno import ENOSPC
from pathlib import Path
from types import TracebackType
from typing import Any

from fabrica.dataset.write import cannot_write
from fabrica.errors import OutputError

__all__ = ["Folder", "spare"]


def spare(path: Path, inputs: Iterable[Any]) -> Path:
    """``path``, unless it is one of the inputs: results never replace what they were made from.

    >>> spare(Path("twin.csv"), ["people.csv"]).name
    'twin.csv'
    """
    for given in inputs:
        if isinstance(given, (str, Path)) and str(given) and path.resolve() == Path(given).resolve():
            raise OutputError("this is the input itself", where=str(path), hint="choose another output")
    return path


class Folder:
    """Collects files for ``out``; ``done`` moves them there, leaving without it throws them away.

    Raises ``OutputError`` at once where nothing can be written, so that nobody waits for a result in vain.
    """

    def __init__(self, out: str | Path, keep: Iterable[Any] = (), stale: Iterable[str] = ()):
        self.out, self.keep, self.stale = Path(out), tuple(keep), tuple(stale)
        self._made: list[Path] = []
        self._stage = Path()

    def __enter__(self) -> Folder:
        self._stage = self.out / f".fabrica-{uuid.uuid4().hex[:12]}"  # named first: Ctrl-C may fall anywhere
        try:
            self._made = [p for p in (self.out, *self.out.parents) if not p.exists()]
            self.out.mkdir(parents=True, exist_ok=True)
            self._stage.mkdir(mode=0o700)
            return self
        except BaseException as error:
            shutil.rmtree(self._stage, ignore_errors=True)
            self._forget()
            if isinstance(error, OSError):
                raise cannot_write(self.out, error) from None
            raise

    def path(self, name: str) -> Path:
        """Where to write the file that will be called ``name``."""
        spare(self.out / name, self.keep)
        return self._stage / name

    def done(self) -> dict[str, Path]:
        """Move all files to their places: name -> path."""
        files = sorted(self._stage.iterdir())
        try:
            for name in set(self.stale) - {file.name for file in files}:
                (self.out / name).unlink(missing_ok=True)
            moved = {file.name: file.replace(self.out / file.name) for file in files}
        except OSError as error:
            raise cannot_write(self.out, error) from None
        self._made = []
        return moved

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        shutil.rmtree(self._stage, ignore_errors=True)
        self._forget()
        if isinstance(error, OutputError) and error.where:
            raise OutputError(error.what, where=self._named(error.where), hint=error.hint) from None
        if isinstance(error, OSError) and (error.errno == ENOSPC or str(self._stage) in str(error.filename)):
            raise cannot_write(self._named(str(error.filename)) if error.filename else self.out, error) from None

    def _named(self, where: str) -> str:
        """A place in the hidden folder by the name that the user knows."""
        return where.replace(str(self._stage), str(self.out))

    def _forget(self) -> None:
        """Remove the folders that we made, as long as they are empty."""
        for folder in self._made:
            try:
                folder.rmdir()
            except OSError:
                return
