"""Names of files that mean the same everywhere: no way out of the folder, nothing that two systems read differently."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fabrica.errors import InputError

__all__ = ["check_names", "stray"]

LEFT = (".DS_Store", "Thumbs.db", "desktop.ini")  #: what file managers leave in folders

PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?"
SAFE = re.compile(rf"{PART}(?:/{PART}){{0,3}}")


def stray(name: str) -> str | None:
    """What to do with a file that nobody meant to be there; None where it is no such file.

    >>> stray("data/.DS_Store"), stray("data/data.csv")
    ('a file manager has left it there: delete it', None)
    """
    return "a file manager has left it there: delete it" if name.split("/")[-1] in LEFT else None


def check_names(names: Iterable[str], where: str) -> None:
    """Raise ``InputError`` for a name that leads out of the folder, is absolute, has other characters than letters,
    digits and ``._-``, or differs from another in capitals only.

    >>> check_names(["data/data.csv", "gate.json"], "bundle")
    >>> check_names(["data/../../etc/passwd"], "bundle")
    Traceback (most recent call last):
    ...
    fabrica.errors.InputError: bundle: a file is called 'data/../../etc/passwd', and no file of a bundle is
    >>> check_names([".DS_Store"], "bundle")
    Traceback (most recent call last):
    ...
    fabrica.errors.InputError: bundle: a file is called '.DS_Store', and no file of a bundle is; a file manager has \
left it there: delete it
    """
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not SAFE.fullmatch(name):
            raise InputError(f"a file is called {str(name)[:80]!r}, and no file of a bundle is", where=where,
                             hint=stray(str(name)))
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            raise InputError(f"{twin!r} and {name!r} differ in capitals only", where=where)
