"""The memory of a search: a file that keeps what was tried as it comes, to go on from after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from fabrica.errors import SettingError

__all__ = ["Memory", "read", "write"]


class Kept(Protocol):
    """Whatever can be written down."""

    def to_json(self) -> dict[str, object]: ...


T = TypeVar("T", bound=Kept)


@dataclass(frozen=True)
class Memory(Generic[T]):
    """What was tried, in a file.

    Parameters
    ----------
    path : of the file; None or empty: nothing is kept.
    mark : of what was searched on; what is remembered must be of the same (``trial.fingerprint``).
    parse : reads what ``to_json`` of one wrote; for anything else ``ValueError``, ``LookupError`` or ``TypeError``.
    """

    path: str | Path | None
    mark: str
    parse: Callable[[Mapping[str, Any]], T]

    def known(self) -> list[T]:
        """What an earlier search has kept, in its order.

        Raises
        ------
        SettingError : the file cannot be read, is no memory, or is that of another table, seed or settings.
        """
        if not self.path or not Path(self.path).exists():
            return []
        plain = read(self.path)
        try:
            if plain["of"] != self.mark:
                raise SettingError("it remembers a search on another table, seed or settings", where=str(self.path),
                                   hint="delete it, or name another file; `synth` keeps rows aside, `fit` does not")
            return [self.parse(one) for one in plain["tried"]]
        except (ValueError, LookupError, TypeError, AttributeError):
            raise _strange(self.path) from None

    def keep(self, tried: Sequence[T]) -> None:
        """Write all that was tried so far."""
        if self.path:
            write(self.path, {"of": self.mark, "tried": [one.to_json() for one in tried]})


def read(path: str | Path) -> dict[str, Any]:
    """The JSON object in a file; ``SettingError`` where there is none."""
    try:
        plain = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(error.strerror or "cannot be read", where=str(path)) from None
    except ValueError:
        raise _strange(path) from None
    if not isinstance(plain, dict):
        raise _strange(path)
    return plain


def write(path: str | Path, plain: Mapping[str, Any]) -> None:
    """``plain`` as JSON, whole or not at all; ``SettingError`` where it cannot be written."""
    file = Path(path)
    part = file.with_name(file.name + ".part")
    try:
        part.write_text(json.dumps(plain, indent=1), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise SettingError(error.strerror or "cannot be written", where=str(path)) from None


def _strange(path: str | Path) -> SettingError:
    return SettingError("it is no memory of a search, or it is damaged", where=str(path))
