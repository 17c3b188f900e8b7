"""Protected columns: which they are."""

from __future__ import annotations

from collections.abc import Sequence

from fabrica.errors import SettingError
from fabrica.schema import Table

__all__ = ["protected_columns"]

NEVER = ("key", "text", "empty")  #: kinds that put nobody into a group


def protected_columns(named: str | Sequence[str], table: Table) -> tuple[str, ...]:
    """The columns that somebody named, each once: one name, several with commas between them, or a list.

    Raises
    ------
    UnknownName : there is no such column.
    SettingError : a column of this kind puts nobody into a group.

    >>> from fabrica.schema import Column
    >>> protected_columns("sex, race", Table("people", (Column("sex", "category"), Column("race", "category"))))
    ('sex', 'race')
    """
    if isinstance(named, str):
        named = [named] if named in table.names else [name.strip() for name in named.split(",")]
    found = tuple(dict.fromkeys(name for name in named if name))
    for name in found:
        if table[name].kind in NEVER:
            raise SettingError(f"is of the kind {table[name].kind!r}, which puts nobody into a group",
                               where=f"protected column {name!r}", hint="name a category or a number")
    return found
