"""Attempts: how many twins of one real table were brought to the gate; whoever tries long enough passes by luck.

They are written into a file beside the real table. It knows a table by its rows: who renames or copies one, or makes
each twin in a folder of its own, does not begin anew. A try is a twin beside a holdout, and whoever divides a table by
hand into real rows and a holdout, again and again, still has that table.

A try has a number, that of its first asking, and keeps it. That is enough: the same twin is measured in the same way
however often it is asked for, so of all tries only the first ``most`` can ever pass, whatever is tried after them, and
the chance that an unsafe one is among those that pass is at most ``most`` times that of one (union bound; Bonferroni
1936). To shut the gate for an early twin because others were tried later would add nothing to that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.dataset import atomic
from fabrica.errors import InputError, OutputError
from fabrica.fingerprint import Fingerprint
from fabrica.version import VERSION

__all__ = ["LOG", "Attempts"]

LOG = "fabrica-attempts.json"


@dataclass(frozen=True)
class Attempts:
    """What is known of the tries of one table.

    Parameters
    ----------
    number : which try of a table this one is, in the order of first asking, from 1. aside : whether it is written down
    in the folder of results, for the real table is no file beside which one can write.
    """

    number: int
    aside: bool = False

    @classmethod
    def counted(cls, places: Sequence[Path], tables: Sequence[Fingerprint], holdout: Fingerprint, twin: str, tier: str
                ) -> Attempts:
        """Write a try down, once, in the first place that can be written, and find its number among those in all of
        them.

        Parameters
        ----------
        places : files, the best one first. tables : by which the real one is known. twin : the SHA-256 of its file.

        Raises
        ------
        InputError : a file is none of attempts. OutputError : no place can be written.
        """
        here, this = [str(one) for one in tables], (twin, str(holdout))
        known = {place: _known(place) for place in places}
        mine = {place: [one for one in some if set(one["tables"]) & set(here)] for place, some in known.items()}
        numbers = [(_try(one), int(one["number"])) for some in mine.values() for one in some]
        if again := [number for one, number in numbers if one == this]:
            return cls(max(again), this not in map(_try, mine[places[0]]))
        number = 1 + max([len({one for one, _ in numbers}), *(number for _, number in numbers)])
        entry = {"number": number, "when": datetime.now(UTC).isoformat(timespec="seconds"), "tables": here,
                 "data": twin, "holdout": str(holdout), "tier": tier, "fabrica": VERSION}
        return cls(number, _written(list(known.items()), entry) != places[0])


def _try(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["data"], entry["holdout"]


def _written(places: Sequence[tuple[Path, Sequence[Mapping[str, Any]]]], entry: Mapping[str, Any]) -> Path:
    """The first place that can be written, once a new try stands there too."""
    (place, tries), *others = places
    try:
        with atomic(place) as part:
            part.write_text(json.dumps({"fabrica_attempts": 1, "tries": [*tries, entry]}, indent=2), encoding="utf-8")
        return place
    except OutputError:
        if not others:
            raise
        return _written(others, entry)


def _known(log: Path) -> list[Mapping[str, Any]]:
    if not log.is_file():
        return []
    plain = declaration.read(log)
    tries = plain.get("tries") if isinstance(plain, Mapping) and plain.get("fabrica_attempts") == 1 else None
    names = ("data", "holdout", "tables", "number")
    if not isinstance(tries, list) or not all(isinstance(one, Mapping) and set(names) <= set(one) for one in tries):
        raise InputError("is no file of attempts", where=str(log), hint="bring back the one that the gate has written")
    return tries
