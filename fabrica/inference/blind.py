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

from fabrica.identifying import KINDS
from fabrica.inference.markers import BETWEEN_NUMBERS, EVERYWHERE
from fabrica.notation.storage import as_text, distinct, flat, gather, is_text
from fabrica.personal.fakes import MAKERS
from fabrica.run import Run
from fabrica.schema import UNITS, Column, Table

__all__ = ["as_declared", "blind", "needs_a_look"]

CLEAR = 4.0  #: standard deviations above which something is there
MOST = 0.95  #: of the cells that must be written like a kind

DIGITS = 6  #: after the point, that are told apart
_CLOCKS = {"": "", r" \d{2}:\d{2}": " %H:%M", r" \d{2}:\d{2}:\d{2}": " %H:%M:%S", r"T\d{2}:\d{2}": "T%H:%M",
           r"T\d{2}:\d{2}:\d{2}": "T%H:%M:%S"}


def _dates() -> dict[str, tuple[str, ...]]:
    """Ways to write a date -> the notations that fit; two where the day may come first, or the month."""
    found: dict[str, tuple[str, ...]] = {r"\d{4}-\d{2}-\d{2}": ("%Y-%m-%d",), r"\d{4}/\d{2}/\d{2}": ("%Y/%m/%d",),
                                         r"\d{2}-[A-Z][a-z]{2}-\d{4}": ("%d-%b-%Y",)}
    late = "(1[3-9]|2[0-9]|3[01])"  # no month
    for zero, number in (("", r"\d{2}"), ("-", r"\d{1,2}")):  # with a zero in front, or without
        for sign in "/-.":
            day, month = (f"%{zero}{one}{sign}%{zero}{other}{sign}%Y" for one, other in ("dm", "md"))
            mark = f"[{sign}]"
            found |= {rf"{late}{mark}{number}{mark}\d{{4}}": (day,), rf"{number}{mark}{late}{mark}\d{{4}}": (month,),
                      rf"{number}{mark}{number}{mark}\d{{4}}": (day, month)}
    return found


#: ways to write a moment -> its kind, and the notations that fit
MOMENTS = {rf"^{date}{clock}$": ("datetime" if clock else "date", tuple(n + _CLOCKS[clock] for n in notations))
           for clock in _CLOCKS for date, notations in _dates().items()}
MOMENTS |= {rf"^{clock[1:]}$": ("time", (_CLOCKS[clock][1:],)) for clock in list(_CLOCKS)[1:3]}
MOMENT = r"^\d{1,4}[:./\-]"  #: how all of them begin
WORDS = {f"^({no}|{yes})$": [no, yes] for pair in ("false true", "no yes", "n y", "f t", "off on")
         for form in (pair, pair.title(), pair.upper()) for no, yes in [form.split()]}
WRITTEN = ("date", "datetime", "time", "boolean")  #: kinds that texts write in many ways
NUMERALS = [r"^[+-]?(0|[1-9]\d{0,17})(\.0+)?$",
            *(rf"^[+-]?(0|[1-9]\d{{0,17}})?\.\d{{{d}}}$" for d in range(1, DIGITS + 1)),
            r"^[+-]?((0|[1-9]\d*)?\.\d+|\d+(\.\d*)?[eE][+-]?\d+|(0|[1-9]\d{0,17})\.)$"]
MARKERS = ("NaN", *dict.fromkeys(form for marker in (*EVERYWHERE, *BETWEEN_NUMBERS)
                                 for form in (marker, marker.upper(), marker.capitalize())))
ANYWHERE = {form for form in MARKERS if form.lower() in EVERYWHERE}  #: these mean "missing" between words too


def needs_a_look(kind: pa.DataType, said: Mapping[str, Any]) -> bool:
    """Whether the cells of a column have to say what it is, how it is written or how fine: its type does not, and
    nobody did."""
    if is_text(kind):
        return "kind" not in said or (said["kind"] in WRITTEN and not said.get("notation")) or _plain_key(said)
    return ("kind" not in said and pa.types.is_floating(kind)) or (_timed(kind) and "unit" not in said)


def _plain_key(said: Mapping[str, Any]) -> bool:
    """Whether it is a key, and nobody has said how it looks."""
    look = said.get("notation") or {}
    return said["kind"] == "key" and (not look or (isinstance(look, Mapping) and look.get("kind") == "reference"
                                                   and not look.get("look")))


def _timed(kind: pa.DataType) -> bool:
    """Whether a type holds moments in ticks, which may be finer than the moments are."""
    return pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind)


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
            found |= (_timely if _timed(array.type) else _written)(array, label, rho / len(looks), run)
        if "kind" in here:
            found, here = {}, {**here, **_beside(found, here)}
        fields = {"lenient": True, **found, **{k: v for k, v in here.items() if k != "storage"}}
        if "public" not in here:
            fields["public"] = bool(here.get("levels") or here.get("bounds"))
        columns.append(Column.from_json({"name": label, "storage": str(array.type), **fields}, f"column {label!r}"))
    return Table(name, tuple(columns))


def _beside(found: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """What a look adds to a declared kind: how it is written, and how fine it is."""
    if here["kind"] == "key":
        counted = {"kind": "sequence", "start": 1, "step": 1}
        return {} if found.get("kind") != "integer" or not _plain_key(here) else (
            {"notation": {**here["notation"], "look": counted} if here.get("notation") else counted})
    same = found.get("kind") == here["kind"]
    return {k: v for k, v in found.items() if same and k in ("notation", "unit") and not here.get(k)}


def as_declared(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a column with what follows from them: personal data that is made afresh is a key, of fakes where
    there is a maker.

    >>> as_declared({"personal": "email"})["notation"]
    {'kind': 'fake', 'what': 'email', 'locale': 'en_US'}
    """
    fields = dict(said)
    kind = KINDS.get(fields.get("personal", ""))
    if "kind" not in fields and kind and kind.fresh:
        fields["kind"] = "key"
        if kind.name in MAKERS:
            where = {"box": [-60, 75, -180, 180], "digits": 4, "sign": ", "} if kind.name == "coordinates" else {}
            fields.setdefault("notation", {"kind": "fake", "what": kind.name, "locale": "en_US", **where})
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
    dated = np.flatnonzero(_match(text, MOMENT))
    for i in range(len(ways) - 1, -1, -1):  # the first that fits counts
        rows = dated if ways[i] in MOMENTS else np.arange(len(text))
        found[rows[_match(text.take(pa.array(rows)), ways[i])]] = 1 + len(MARKERS) + i
    marker = np.asarray(pc.fill_null(pc.index_in(text, pa.array(MARKERS)), -1))
    found = np.where(marker >= 0, 1 + marker, found)
    found[np.asarray(pc.is_null(text))] = 0
    return np.bincount(gather(found, where), minlength=2 + len(MARKERS) + len(ways))


def _match(text: pa.Array, way: str) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.match_substring_regex(text, way), False))


def _written(array: pa.ChunkedArray, label: str, rho: Fraction, run: Run) -> dict[str, Any]:
    """What (almost) all cells are written like."""
    counts, variance = run.noisy(_classes(array), rho, f"{label}, how its cells are written")
    return _guess(counts, variance, array.type)


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


def _timely(array: pa.ChunkedArray, label: str, rho: Fraction, run: Run) -> dict[str, Any]:
    """The finest unit that some moments have."""
    ticks = [np.asarray(c.drop_null().view(f"int{c.type.bit_width}")).astype(np.int64) for c in array.chunks]
    values, unit = np.concatenate([*ticks, np.zeros(0, np.int64)]), array.type.unit
    second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    steps = [86_400 * second, 3_600 * second, 60 * second, *(second // 10**d for d in (0, 3, 6, 9) if second >= 10**d)]
    finest = np.argmax([values % step == 0 for step in steps], axis=0)
    counts, variance = run.noisy(np.bincount(finest, minlength=len(steps)), rho, f"{label}, how fine it is")
    there = np.flatnonzero(counts > max(CLEAR * variance**0.5, 0.005 * counts.sum()))
    last = int(there[-1]) if len(there) else len(steps) - 1
    return {"unit": UNITS[max(last, int(pa.types.is_time(array.type)))]}


def _number(numerals: np.ndarray, floating: bool) -> dict[str, Any]:
    """The finest digits that some cells have."""
    finest = int(np.flatnonzero(numerals > 0.005 * numerals.sum())[-1])
    if finest == 0 and not floating:
        return {"kind": "integer"}
    return {"kind": "decimal", "decimals": None if finest > DIGITS else finest}


def _moment(moments: np.ndarray, most: float) -> dict[str, Any]:
    """The notation that all cells fit. Those that may be read in two ways go with those that may not; where some have
    no zero in front, none needs one."""
    held: dict[tuple[str, str], float] = {}
    bare = any(n and "%-d" in fit[0] for (_, fit), n in zip(MOMENTS.values(), moments, strict=True))
    both: list[tuple[str, tuple[str, ...], float]] = []
    for (kind, fit), n in zip(MOMENTS.values(), moments, strict=True):
        if bare and not fit[0].startswith("%Y"):
            fit = tuple(one.replace("%d", "%-d").replace("%m", "%-m") for one in fit)
        if len(fit) == 1:
            held[kind, fit[0]] = held.get((kind, fit[0]), 0.0) + float(n)
        else:
            both.append((kind, fit, float(n)))
    for kind, fit, n in both:
        likely = max(fit, key=lambda one: held[kind, one])
        held[kind, likely] += n if held[kind, likely] else 0.0
    kind, notation = max(held, key=lambda what: held[what])
    if held[kind, notation] < most:
        return {}
    fine = {} if kind == "date" else {"unit": "s" if "%S" in notation else "m"}
    return {"kind": kind, "notation": notation, **fine}
