"""Guesses what columns mean without looking at a single cell: from noisy counts of how their cells are written.

Each cell of a text column is written in one of a fixed list of ways (a whole number, two digits after the point, a day
such as 2024-01-31, ``NA``, …); of one row one count of each column changes by one. What (almost) all cells of a column
are written like is its kind. Whatever a schema declares is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.inference.markers import BETWEEN_NUMBERS, EVERYWHERE
from fabrica.notation.storage import as_text, distinct, flat, gather, is_text
from fabrica.personal.fakes import MAKERS
from fabrica.run import Run
from fabrica.schema import Column, Table

__all__ = ["as_declared", "blind", "needs_a_look"]

CLEAR = 4.0  #: standard deviations above which something is there
MOST = 0.95  #: of the cells that must be written like a kind

DIGITS = 6  #: after the point, that are told apart
_DAY, _CLOCK = r"\d{4}-\d{2}-\d{2}", r"\d{2}:\d{2}"
MOMENTS = {
    rf"^{_DAY}$": ("date", "%Y-%m-%d"), rf"^{_DAY} {_CLOCK}$": ("datetime", "%Y-%m-%d %H:%M"),
    rf"^{_DAY} {_CLOCK}:\d{{2}}$": ("datetime", "%Y-%m-%d %H:%M:%S"),
    rf"^{_DAY}T{_CLOCK}:\d{{2}}$": ("datetime", "%Y-%m-%dT%H:%M:%S"),
    rf"^{_CLOCK}:\d{{2}}$": ("time", "%H:%M:%S"), rf"^{_CLOCK}$": ("time", "%H:%M"),
    r"^\d{2}\.\d{2}\.\d{4}$": ("date", "%d.%m.%Y"), r"^\d{4}/\d{2}/\d{2}$": ("date", "%Y/%m/%d"),
    r"^(1[3-9]|2\d|3[01])/\d{2}/\d{4}$": ("date", "%d/%m/%Y"),
    r"^\d{2}/(1[3-9]|2\d|3[01])/\d{4}$": ("date", "%m/%d/%Y"),
    r"^\d{2}/\d{2}/\d{4}$": ("date", ""),  # day and month, or month and day
}
WORDS = {"^(true|false)$": ["false", "true"], "^(True|False)$": ["False", "True"], "^(TRUE|FALSE)$": ["FALSE", "TRUE"]}
NUMERALS = [r"^[+-]?(0|[1-9]\d{0,17})(\.0+)?$",
            *(rf"^[+-]?(0|[1-9]\d{{0,17}})?\.\d{{{d}}}$" for d in range(1, DIGITS + 1)),
            r"^[+-]?((0|[1-9]\d*)?\.\d+|\d+(\.\d*)?[eE][+-]?\d+|(0|[1-9]\d*)\.?)$"]
MARKERS = ("NaN", *dict.fromkeys(form for marker in (*EVERYWHERE, *BETWEEN_NUMBERS)
                                 for form in (marker, marker.upper(), marker.capitalize())))
ANYWHERE = {form for form in MARKERS if form.lower() in EVERYWHERE}  #: these mean "missing" between words too


def needs_a_look(kind: pa.DataType, said: Mapping[str, Any]) -> bool:
    """Whether the kind of a column has to be found in its cells: its type does not say it, and nobody did."""
    return "kind" not in said and (is_text(kind) or pa.types.is_floating(kind))


def blind(whole: pa.Table, name: str, said: Mapping[str, Mapping[str, Any]], rho: Fraction, run: Run) -> Table:
    """The schema of a table, of which ``said`` (column -> fields) is declared; what all looks may cost is ``rho``.

    >>> from fabrica.privacy.ledger import Purse
    >>> from fabrica.privacy.terms import Privacy
    >>> purse = Purse.of(Privacy(1.0))
    >>> people = pa.table({"age": ["31", "44"] * 999, "town": ["Rome", "?"] * 999})
    >>> found = blind(people, "people", {"town": {"kind": "category"}}, purse.left, Run().paying(purse))
    >>> [(c.name, c.kind) for c in found.columns]
    [('age', 'integer'), ('town', 'category')]
    """
    looks = [n for n in whole.column_names if needs_a_look(whole[n].type, as_declared(said.get(n, {})))]
    columns = []
    for label in whole.column_names:
        array, here = whole[label], as_declared(said.get(label, {}))
        found = _typed(array.type)
        if label in looks:
            counts, variance = run.noisy(_classes(array), rho / len(looks), f"{label}, how its cells are written")
            found = _guess(counts, variance, array.type)
        if "kind" in here:
            found = {}
        fields = {"lenient": True, **found, **{k: v for k, v in here.items() if k != "storage"}}
        if "public" not in here:
            fields["public"] = bool(here.get("levels") or here.get("bounds"))
        columns.append(Column.from_json({"name": label, "storage": str(array.type), **fields}, f"column {label!r}"))
    return Table(name, tuple(columns))


def as_declared(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a column with what follows from them: personal data that can be made afresh is a key of fakes.

    >>> as_declared({"personal": "email"})["notation"]
    {'kind': 'fake', 'what': 'email', 'locale': 'en_US'}
    """
    fields = dict(said)
    if "kind" not in fields and fields.get("personal") in MAKERS:
        fields["kind"] = "key"
        fields.setdefault("notation", {"kind": "fake", "what": fields["personal"], "locale": "en_US"})
    return fields


def _typed(kind: pa.DataType) -> dict[str, Any]:
    """What a type says of a column."""
    if pa.types.is_integer(kind):
        return {"kind": "integer"}
    if pa.types.is_decimal(kind):
        return {"kind": "decimal", "decimals": max(kind.scale, 0)}
    for fits, name in ((pa.types.is_boolean, "boolean"), (pa.types.is_date, "date"), (pa.types.is_time, "time"),
                       (pa.types.is_timestamp, "datetime"), (pa.types.is_duration, "duration"),
                       (pa.types.is_null, "empty")):
        if fits(kind):
            unit = {"unit": kind.unit} if name in ("datetime", "time", "duration") else {}
            zone = {"timezone": kind.tz} if name == "datetime" and kind.tz else {}
            return {"kind": name, **unit, **zone}
    return {"kind": "category"}


def _classes(array: pa.ChunkedArray) -> np.ndarray:
    """How many cells are null, are each of the markers, are written in each of the ways, or in none of them."""
    pool, where = distinct(flat(array))
    text = as_text(pool)
    ways = (*NUMERALS, *MOMENTS, *WORDS)
    found = np.full(len(text), 1 + len(MARKERS) + len(ways))
    for i in range(len(ways) - 1, -1, -1):  # the first that fits counts
        found[np.asarray(pc.fill_null(pc.match_substring_regex(text, ways[i]), False))] = 1 + len(MARKERS) + i
    marker = np.asarray(pc.fill_null(pc.index_in(text, pa.array(MARKERS)), -1))
    found = np.where(marker >= 0, 1 + marker, found)
    found[np.asarray(pc.is_null(text))] = 0
    return np.bincount(gather(found, where), minlength=2 + len(MARKERS) + len(ways))


def _guess(counts: np.ndarray, variance: float, kind: pa.DataType) -> dict[str, Any]:
    """The fields of a column out of noisy counts of how its cells are written."""
    counts = np.where(counts > CLEAR * variance**0.5, counts, 0)
    marked, rest = counts[1 : 1 + len(MARKERS)], counts[1 + len(MARKERS) :]
    numerals, moments, words, _ = np.split(rest, np.cumsum([len(NUMERALS), len(MOMENTS), len(WORDS)]))
    markers = tuple(marker for marker, n in zip(MARKERS, marked, strict=True) if n)
    most = max(MOST * rest.sum(), 1)
    if numerals.sum() >= most:
        return {"missing": markers, **_number(numerals, pa.types.is_floating(kind))}
    if pa.types.is_floating(kind):
        return {"kind": "decimal"}
    if moments.sum() >= most and (found := _moment(moments, most)):
        return {"missing": markers, **found}
    sure = {"missing": tuple(marker for marker in markers if marker in ANYWHERE)}
    if words.max() >= most:
        return {"kind": "boolean", "notation": list(WORDS.values())[int(np.argmax(words))], **sure}
    return {"kind": "category", **sure}


def _number(numerals: np.ndarray, floating: bool) -> dict[str, Any]:
    """The finest digits that some cells have."""
    finest = int(np.flatnonzero(numerals > 0.005 * numerals.sum())[-1])
    if finest == 0 and not floating:
        return {"kind": "integer"}
    return {"kind": "decimal", "decimals": None if finest > DIGITS else finest}


def _moment(moments: np.ndarray, most: float) -> dict[str, Any]:
    """The pattern that all cells fit; days that may be read in two ways go with those that may not."""
    held: dict[tuple[str, str], float] = {}
    for what, n in zip(MOMENTS.values(), moments, strict=True):
        held[what] = held.get(what, 0.0) + float(n)
    unsure = held.pop(("date", ""))
    slashed = [("date", "%d/%m/%Y"), ("date", "%m/%d/%Y")]
    likely = max(slashed, key=lambda what: held[what])
    held[likely] += unsure if held[likely] else 0.0
    kind, notation = max(held, key=lambda what: held[what])
    if held[kind, notation] < most:
        return {}
    fine = {} if kind == "date" else {"unit": "s" if "%S" in notation else "m"}
    return {"kind": kind, "notation": notation, **fine}
