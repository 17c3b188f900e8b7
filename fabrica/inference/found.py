"""What ``fabrica inspect`` says of personal data: which columns, by which detector, in how many values, how sure, and
what will be done. No value is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import catalog
from fabrica.inference.facts import K
from fabrica.notation.storage import as_text
from fabrica.personal import KINDS, OFF, Found, Sight, detector_of, find
from fabrica.personal.scan import told
from fabrica.schema import Column, Table

__all__ = ["NAMED", "Sighting", "lines", "sightings"]

NAMED = "an identifier, and the column's name"
FREE = "free text"  #: of columns in which some tokens tell of people


@dataclass(frozen=True)
class Sighting:
    """Personal data in one column of a table.

    Parameters
    ----------
    column : its name. kind : of personal data, or ``free text``. title : in words.
    detector : by what it was recognised.
    share : of all rows that hold a value, those that hold one of the kind, to the hundredth; None where nothing can be
        tested.
    sure : from 0 to 1, a rule of thumb. treatment : what a twin has in its place.
    """

    column: str
    kind: str
    title: str
    detector: str
    share: float | None
    sure: float
    treatment: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class _Count:
    """Rows that hold a value, and those whose value passes the detector; of free text, those that hold each kind."""

    found: Found | None = None
    rows: int = 0
    hits: int = 0
    tokens: dict[str, float] = field(default_factory=dict)

    def look(self, column: Column, cells: pa.Array) -> None:
        counts = pc.value_counts(cells.drop_null())
        values, rows = as_text(counts.field(0)), np.asarray(counts.field(1))
        if column.missing and len(values):
            keep = np.asarray(pc.invert(pc.is_in(values, pa.array(column.missing))))
            values, rows = values.filter(pa.array(keep)), rows[keep]
        if not len(values):
            return
        self.rows += int(rows.sum())
        if column.kind == "text":
            for kind, share in told(values).items():
                self.tokens[kind] = self.tokens.get(kind, 0.0) + share * int(rows.sum())
            return
        if self.found is None:
            kind = "" if column.kind == "key" else column.kind
            self.found = find(Sight.of(column.name, values, rows, kind), catalog.detectors())
        test = detector_of(column.personal, self.found.detector, catalog.detectors()) if self.found else None
        if test is not None:
            whole = replace(Sight.of(column.name, values, rows), texts=pc.utf8_trim_whitespace(values), found={})
            self.hits += int(rows[test.test(whole)].sum())


def sightings(table: Table, batches: Iterable[pa.RecordBatch]) -> list[Sighting]:
    """The personal data of a table whose schema is known, held against every row.

    >>> from fabrica.inference import infer
    >>> people = pa.table({"mail": ["ann@example.org", "bo@example.org", "cy@example.org"]})
    >>> [(s.column, s.kind, s.share) for s in sightings(infer(people)[0], people.to_batches())]
    [('mail', 'email', 1.0)]
    """
    counts = {c.name: _Count() for c in table.columns if c.personal not in ("", OFF) or c.kind == "text"}
    for batch in batches:
        for name, count in counts.items():
            cells = batch.column(name)
            cells = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
            count.look(table[name], cells)
    found = (_told(table[name], count) for name, count in counts.items())
    return [sighting for sighting in found if sighting is not None]


def _told(column: Column, count: _Count) -> Sighting | None:
    if column.personal in ("", OFF):
        often = {kind: share for kind, share in count.tokens.items() if share >= K}
        if not often:
            return None
        shares = ", ".join(f"{kind} in {_percent(share / count.rows)}" for kind, share in often.items())
        most = round(max(often.values()) / count.rows, 2)
        return Sighting(
            column.name,
            FREE,
            shares,
            "token by token",
            most,
            0.8,
            "such tokens keep their shape, never their letters and digits",
        )
    found = count.found if count.found and count.found.kind == column.personal else None
    tested = found and detector_of(found.kind, found.detector, catalog.detectors()) and count.rows
    share = round(count.hits / count.rows, 2) if tested else None
    by = found.detector if found else "declared" if column.why == "declared" else NAMED
    return Sighting(
        column.name,
        column.personal,
        KINDS[column.personal].title,
        by,
        share,
        found.sure if found else 1.0 if by == "declared" else 0.75,
        _treatment(column),
    )


def _treatment(column: Column) -> str:
    if column.kind != "key":
        return "kept: learned as any column, no level of few rows"
    look = column.notation if isinstance(column.notation, Mapping) else {}
    if look.get("kind") == "fake":
        many = f", {look['people']:,} people" if look.get("people") else ""
        return f"made afresh for {look['locale']}{many}"
    if look.get("kind") == "reference":
        return "made afresh in its form, those that come again too"
    return "made afresh in its form"


def _percent(share: float) -> str:
    return "100 %" if share == 1 else "<1 %" if share < 0.01 else f"{min(99, round(100 * share))} %"


def lines(found: list[Sighting]) -> list[str]:
    """The table of ``fabrica inspect``; empty where nothing was found.

    >>> lines([])
    []
    """
    if not found:
        return []
    head = ("column", "personal data", "recognised by", "values", "sure", "what a twin has")
    rows = [head] + [
        (
            " ".join(s.column.split()),
            f"{s.kind}: {s.title}",
            s.detector,
            "" if s.share is None else _percent(s.share),
            f"{s.sure:.2f}",
            s.treatment,
        )
        for s in found
    ]
    wide = [min(60, max(len(row[i]) for row in rows)) for i in range(len(head))]
    text = ["  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows]
    return ["personal data found:", *text]
