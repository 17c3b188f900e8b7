"""Attempts: how many twins of one real table were brought to the gate; whoever tries long enough passes by luck.

They are written into a file beside the real table. It knows a table by its rows: who renames or copies one, or makes
each twin in a folder of its own, does not begin anew. A try is a twin beside a holdout, and whoever divides a table by
hand into real rows and a holdout, again and again, still has that table.

A try has a number, that of its first asking, and keeps it. That is enough: the same twin is measured in the same way
however often it is asked for, so of all tries only the first ``most`` can ever pass, whatever is tried after them, and
the chance that an unsafe one is among those that pass is at most ``most`` times that of one (union bound; Bonferroni
1936). To shut the gate for an early twin because others were tried later would add nothing to that.

Another question about the same twin (a tier, a policy, the model, columns that are declared) is no other try, for it is
no other draw of luck: the same people are attacked in the same way. Read otherwise it is one: with another unit other
people are counted and attacked, and with another schema other columns. What was decided is kept beside the try, so that
a later decision can tell it though the file of the earlier one is gone.
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
FORMAT = 2  #: of the file; the first knew no other readings of a twin
NAMES = ("data", "holdout", "reading", "tables", "number", "decided")  #: what every try that was written down says


@dataclass(frozen=True)
class Attempts:
    """What is known of the tries of one table.

    Parameters
    ----------
    number : which try of a table this one is, in the order of first asking, from 1. aside : whether it is written down
    in the folder of results, for the real table is no file beside which one can write. new : whether it is written down
    nowhere. before : what was decided about the twin, read in whichever way: what was asked -> the verdict.
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
    reading : how the rows are read, in words: whose they are, and by which schema; "" where nobody has said.
    """

    places: Sequence[Path]
    tables: Sequence[Fingerprint]
    holdout: Fingerprint
    twin: str
    reading: str = ""

    def seen(self) -> Attempts:
        """Its number, or the one that it would have; nothing is written.

        Raises
        ------
        InputError : a file is none of attempts.
        """
        mine = {place: self._of_table(_known(place)) for place in self.places}
        tries = [one for some in mine.values() for one in some]
        before = self._before(tries)
        if again := [one for one in tries if self._is(one)]:
            return Attempts(max(int(one["number"]) for one in again), not any(map(self._is, mine[self.places[0]])),
                            before=before)
        many = len({(one["data"], one["holdout"], one["reading"]) for one in tries})
        return Attempts(1 + max([many, *(int(one["number"]) for one in tries)]), new=True, before=before)

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
                 "reading": self.reading, "fabrica": VERSION, "decided": decided}
        self._write(entry, self.places)
        return self.seen()

    def _before(self, tries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """What was decided about the twin, read in whichever way; of two verdicts on one question the worse."""
        told = [(asked, said) for one in tries if self._of_twin(one) for asked, said in one["decided"].items()]
        return {asked: worst([said for other, said in told if other == asked]) for asked, _ in told}

    def _write(self, entry: Mapping[str, Any], places: Sequence[Path]) -> None:
        place, *others = places
        tries = _known(place)
        here = next((one for one in self._of_table(tries) if self._is(one)), None)
        kept = [{**one, "decided": entry["decided"]} if one is here else one for one in tries]
        try:
            with atomic(place) as part:
                plain = {"fabrica_attempts": FORMAT, "tries": kept if here else [*kept, entry]}
                part.write_text(json.dumps(plain, indent=2), encoding="utf-8")
        except OutputError:
            if not others:
                raise
            self._write(entry, others)

    def _of_table(self, tries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        here = {str(one) for one in self.tables}
        return [one for one in tries if here & set(one["tables"])]

    def _of_twin(self, entry: Mapping[str, Any]) -> bool:
        return (entry["data"], entry["holdout"]) == (self.twin, str(self.holdout))

    def _is(self, entry: Mapping[str, Any]) -> bool:
        return self._of_twin(entry) and entry["reading"] == self.reading


def _known(log: Path) -> list[Mapping[str, Any]]:
    if not log.is_file():
        return []
    plain = declaration.read(log)
    known = plain.get("fabrica_attempts") if isinstance(plain, Mapping) else None
    if known is not None and known != FORMAT:
        raise InputError("counts tries as another version of fabrica did", where=str(log),
                         hint="judge with that version, or move the file away and tell whoever approves the release "
                              "how many tries it holds, for counting begins anew then")
    tries = plain.get("tries") if known is not None else None
    if not isinstance(tries, list) or not all(isinstance(one, Mapping) and set(NAMES) <= set(one)
                                              and isinstance(one["decided"], Mapping) for one in tries):
        raise InputError("is no file of attempts", where=str(log), hint="bring back the one that the gate has written")
    return tries
