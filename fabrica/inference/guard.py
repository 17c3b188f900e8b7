"""No fake is a real value: every real value of a personal column is looked at, and fakes are made of what none is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fabrica.notation.storage import as_text
from fabrica.personal import OFF
from fabrica.personal.taken import WORDY, Ranges, Runs, Slots, Words, looked
from fabrica.schema import Column, Table
from fabrica.template import MOST, Template

__all__ = ["Guard"]

UNPROVEN = {"coordinates", "ipv6", "wallet"}  #: kinds whose fakes are not held against the real values


@dataclass
class Guard:
    """Looks at real values and chooses what fakes are made of, so that none of them is one."""

    table: Table
    words: Words = field(default_factory=Words)
    ranges: dict[str, Ranges] = field(default_factory=dict)
    slots: dict[str, Slots] = field(default_factory=dict)
    runs: dict[str, Runs] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table) -> Guard:
        """A guard of a table's personal columns that are made afresh."""
        guard = cls(table)
        for column in table.columns:
            look = looked(column.notation) if isinstance(column.notation, Mapping) else {}
            if column.kind != "key" or column.personal in (OFF, ""):
                continue
            if look.get("kind") == "fake":
                guard.ranges[column.name] = Ranges(look["what"], look["locale"])
            elif isinstance(look.get("template"), str):
                numbers = look.get("number") or column.storage in MOST
                guard.slots[column.name] = Slots(Template.of(look["template"]), 1 if numbers else None)
            elif look.get("kind") == "sequence":
                guard.runs[column.name] = Runs(look, MOST.get(column.storage, MOST["int64"]))
        return guard

    @property
    def names(self) -> set[str]:
        return {*self.ranges, *self.slots, *self.runs}

    def look(self, name: str, cells: pa.Array) -> None:
        """Real values of a column; the distinct ones of a part, or all of it."""
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary
        texts = pc.unique(as_text(cells.drop_null()))
        if name in self.slots or name in self.runs:
            (self.slots.get(name) or self.runs[name]).look(texts)
            return
        found = self.ranges[name]
        if found.what in WORDY:
            self.words.look(found.locale, texts)
        else:
            found.look(texts)

    def settle(self, rows: int) -> tuple[Table, list[str]]:
        """``(table, notes)``: the table whose fakes are nobody's."""
        changed, open_ = {}, []
        for column in self.table.columns:
            if column.name in self.ranges:
                found = self.ranges[column.name]
                window = self.words.window(found.locale)
                more = {"window": window} if window and found.what in WORDY | {"city", "address"} else {}
                plain = {k: v for k, v in column.notation.items() if k not in ("window", "lead")}
                changed[column.name] = replace(column, notation={**plain, **more, **found.lead()})
                sound = found.free if found.what not in WORDY else self.words.free(found.locale)
                sound &= found.what not in UNPROVEN
            elif column.name in self.slots:
                text = self.slots[column.name].fresh(looked(column.notation)["template"], _needed(column, rows))
                sound = text is not None
                if sound:
                    changed[column.name] = replace(column, notation=_with(column.notation, template=text))
            elif column.name in self.runs:
                start = self.runs[column.name].start(_needed(column, rows))
                sound = start is not None
                if sound:
                    changed[column.name] = replace(column, notation=_with(column.notation, start=start))
            else:
                continue
            open_ += [] if sound else [column.name]
        note = (f"column(s) {', '.join(map(repr, open_[:5]))}" + (", …" if len(open_) > 5 else "")
                + ": a fresh one may by chance be a real one")
        return self.table.with_columns(changed), [note] if open_ else []


def _needed(column: Column, rows: int) -> int:
    """How many fresh ones there will be."""
    return int(column.notation["distinct"]) if column.notation.get("kind") == "reference" else rows


def _with(notation: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """A notation, or the look within a reference, with something changed."""
    if notation.get("kind") == "reference":
        return {**notation, "look": _with(notation["look"], **facts)}
    return {**notation, **facts}
