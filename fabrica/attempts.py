"""Attempts: how many twins of one real table were brought to the gate; whoever tries long enough passes by luck.

They are written into a file beside the real table. It knows a table by its rows: who renames or copies one, or makes
each twin in a folder of its own, does not begin anew. A try is a twin beside a holdout, and whoever divides a table by
hand into real rows and a holdout, again and again, still has that table.

A try has a number, that of its first asking, and keeps it. That is enough: the same twin is measured in the same way
however often it is asked for, so of all tries only the first ``most`` can ever pass, whatever is tried after them, and
the chance that an unsafe one is among those that pass is at most ``most`` times that of one (union bound; Bonferroni
1936). To shut the gate for an early twin because others were tried later would add nothing to that.

Another question about the same twin (a tier, a policy, the model, columns that are declared) is no other try, for it is
no other draw of luck: the same people are attacked in the same way. What was decided is kept beside the try, so that a
later decision can tell it though the file of the earlier one is gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.dataset import atomic
from fabrica.errors import InputError, OutputError
from fabrica.fingerprint import Fingerprint
from fabrica.gatehouse.outcome import worst
from fabrica.version import VERSION

__all__ = ["LOG", "Attempts", "Try"]

LOG = "fabrica-attempts.json"
NAMES = ("data", "holdout", "tables", "number", "decided")  #: what every try that was written down says


@dataclass(frozen=True)
class Attempts:
    """What is known of the tries of one table.

    Parameters
    ----------
    number : which try of a table this one is, in the order of first asking, from 1. aside : whether it is written down
    in the folder of results, for the real table is no file beside which one can write. new : whether it is written down
    nowhere. before : what was decided about it: what was asked -> the verdict.
    """

    number: int
    aside: bool = False
    new: bool = False
    before: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Try:
    """A twin beside a holdout, of a table.

    Parameters
    ----------
    places : files of tries, the best one first. tables : by which the real one is known. twin : SHA-256 of its file.
    """

    places: Sequence[Path]
    tables: Sequence[Fingerprint]
    holdout: Fingerprint
    twin: str

    def seen(self) -> Attempts:
        """Its number, or the one that it would have; nothing is written.

        Raises
        ------
        InputError : a file is none of attempts.
        """
        mine = {place: self._of_table(_known(place)) for place in self.places}
        tries = [one for some in mine.values() for one in some]
        if again := [one for one in tries if self._is(one)]:
            before = {asked: said for one in again for asked, said in one["decided"].items()}
            return Attempts(max(int(one["number"]) for one in again), not any(map(self._is, mine[self.places[0]])),
                            before=before)
        many = len({(one["data"], one["holdout"]) for one in tries})
        return Attempts(1 + max([many, *(int(one["number"]) for one in tries)]), new=True)

    def counted(self) -> Attempts:
        """The same, once it is written down.

        Raises
        ------
        InputError : a file is none of attempts. OutputError : no place can be written.
        """
        return self.kept({})

    def kept(self, decided: Mapping[str, str]) -> Attempts:
        """The same, with what was ``decided`` about it besides, in the first place that can be written. Of two verdicts
        on one question that which is farther from a pass stays."""
        seen = self.seen()
        decided = {**seen.before, **{asked: worst([verdict, seen.before.get(asked, verdict)])
                                     for asked, verdict in decided.items()}}
        if not seen.new and decided == seen.before:
            return seen
        entry = {"number": seen.number, "when": datetime.now(UTC).isoformat(timespec="seconds"),
                 "tables": [str(one) for one in self.tables], "data": self.twin, "holdout": str(self.holdout),
                 "fabrica": VERSION, "decided": decided}
        self._write(entry, self.places)
        return self.seen()

    def _write(self, entry: Mapping[str, Any], places: Sequence[Path]) -> None:
        place, *others = places
        tries = _known(place)
        here = next((one for one in self._of_table(tries) if self._is(one)), None)
        kept = [{**one, "decided": entry["decided"]} if one is here else one for one in tries]
        try:
            with atomic(place) as part:
                plain = {"fabrica_attempts": 1, "tries": kept if here else [*kept, entry]}
                part.write_text(json.dumps(plain, indent=2), encoding="utf-8")
        except OutputError:
            if not others:
                raise
            self._write(entry, others)

    def _of_table(self, tries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        here = {str(one) for one in self.tables}
        return [one for one in tries if here & set(one["tables"])]

    def _is(self, entry: Mapping[str, Any]) -> bool:
        return (entry["data"], entry["holdout"]) == (self.twin, str(self.holdout))


def _known(log: Path) -> list[Mapping[str, Any]]:
    if not log.is_file():
        return []
    plain = declaration.read(log)
    tries = plain.get("tries") if isinstance(plain, Mapping) and plain.get("fabrica_attempts") == 1 else None
    if not isinstance(tries, list) or not all(isinstance(one, Mapping) and set(NAMES) <= set(one)
                                              and isinstance(one["decided"], Mapping) for one in tries):
        raise InputError("is no file of attempts", where=str(log), hint="bring back the one that the gate has written")
    return tries
