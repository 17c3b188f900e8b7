"""The schema: tables, their columns and what each column means. Plain frozen values; JSON out, JSON in.

A column has a *kind* (what its values mean), a *storage* (the Arrow type in which the user's table holds it)
and, where text stands for something else, a *notation* (how the value is written). ``fabrica/inference.py``
guesses a schema from data; whoever knows better overrides it (``with_overrides``).
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from functools import cached_property
from typing import Any

from fabrica.errors import SchemaError, UnknownName
from fabrica.identifying import KINDS as PERSONAL
from fabrica.identifying import OFF, SHARED

__all__ = ["KINDS", "Column", "Table", "ForeignKey", "Schema", "rows_of", "rules_of", "describe"]

VERSION = 1
HUGE = 10**300  #: beyond which no bound of a number lies
UNITS = ("D", "h", "m", "s", "ms", "us", "ns")  #: precisions of moments

#: every kind, with what it means
KINDS: dict[str, str] = {
    "integer": "whole numbers",
    "decimal": "numbers with a fraction",
    "boolean": "two values, true and false",
    "category": "levels without an order",
    "ordinal": "levels with an order (given by `levels`)",
    "date": "calendar days",
    "datetime": "points in time, with a precision and perhaps a time zone",
    "time": "times of day",
    "duration": "lengths of time",
    "latitude": "degrees north, half of a place",
    "longitude": "degrees east, half of a place",
    "key": "identifiers: made afresh, never learned; unique unless they refer to other rows. Another seed gives "
           "others, except of plain sequences",
    "text": "free text: only its patterns are learned",
    "constant": "one value in every row",
    "empty": "no value in any row",
}


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    name : as in the table, whatever its characters.
    kind : one of ``KINDS``.
    storage : the Arrow type of the user's column, as ``str(type)`` says it (``int64``, ``string``,
        ``timestamp[us, tz=UTC]``); sampled tables use it again.
    decimals : digits after the point of a number; None where they vary freely (binary floats).
    unit : precision of date-times, times and durations: ``D h m s ms us ns``.
    timezone : of a date-time, as Arrow has it; None for wall-clock time.
    notation : how text stands for the value: a strptime pattern for moments, ``{"prefix": "$", "thousands": ","}`` for
        money-like numbers, ``["no", "yes"]`` for booleans, a template for keys,
        ``{"kind": "reference", "to": "id", "distinct": 900}`` for keys that come again; None where values stand for
        themselves.
    missing : texts (or numbers) that mean "no value", beside the true null.
    levels : of an ordinal, from low to high.
    public : True where the user declared the levels or bounds, so that a level may be drawn that few people hold;
        levels that were guessed only give an order.
    personal : the kind of personal data that it holds (``email``, ``person``, ``iban``, see ``docs/personal.md``);
        ``none`` where the user says that it holds none.
    bounds : (low, high) when the user declares them public; then and only then the generator knows them.
    partner : the other half of a place: the longitude of a latitude and back.
    lenient : True where the few values that do not fit the kind count as missing; else they are an error.
    why : the reason for the guess, one line for a person.
    """

    name: str
    kind: str
    storage: str = "string"
    decimals: int | None = None
    unit: str | None = None
    timezone: str | None = None
    notation: Any = None
    missing: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    bounds: tuple[Any, Any] | None = None
    partner: str | None = None
    lenient: bool = False
    why: str = ""
    public: bool = False
    personal: str = ""

    def __post_init__(self) -> None:
        if self.personal and self.personal != OFF and self.personal not in PERSONAL:
            raise UnknownName("kind of personal data", self.personal, [*PERSONAL, OFF], where=f"column {self.name!r}")
        if self.kind not in KINDS:
            raise UnknownName("kind of column", self.kind, list(KINDS), where=f"column {self.name!r}")
        for name in ("missing", "levels"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if len(set(self.levels)) < len(self.levels):
            raise SchemaError("one of its `levels` stands twice", where=f"column {self.name!r}")
        if self.bounds is not None:
            low, high = self.bounds
            if isinstance(low, str) != isinstance(high, str) or (
                    isinstance(low, str) and self.kind not in ("date", "datetime")):
                raise SchemaError(f"`bounds` must be {_FORMS['bounds']}", where=f"column {self.name!r}")
            if not low <= high or (not isinstance(low, str) and not max(abs(low), abs(high)) < HUGE):
                raise SchemaError("bounds must be [low, high], both finite", where=f"column {self.name!r}")
            object.__setattr__(self, "bounds", (low, high))

    @property
    def refers(self) -> bool:
        """Whether it is a key that stands more than once: it names other rows, or people with several rows."""
        if self.kind != "key" or not isinstance(self.notation, Mapping):
            return False
        return self.notation.get("kind") == "reference" or (self.notation.get("kind") == "fake" and (
            bool(self.notation.get("people")) or self.notation.get("what") in SHARED))

    @property
    def numeric(self) -> bool:
        """Whether the values have an order and distances."""
        return self.kind in {"integer", "decimal", "date", "datetime", "time", "duration", "latitude", "longitude"}

    def to_json(self) -> dict[str, Any]:
        """Only what is said: defaults are left out, but levels and bounds always tell whether they are public."""
        plain = asdict(self)
        told = {"public": self.public} if self.levels or self.bounds else {}
        return {f.name: list(v) if isinstance(v := plain[f.name], tuple) else v
                for f in fields(self) if plain[f.name] != f.default and plain[f.name] != ()} | {
                    "name": self.name, "kind": self.kind} | told

    @classmethod
    def from_json(cls, plain: Mapping[str, Any], where: str = "schema") -> Column:
        """Levels and bounds that somebody wrote down are public unless it is said that they are not."""
        known = {f.name for f in fields(cls)}
        if not isinstance(plain, Mapping):
            raise SchemaError("a column must be an object with `name` and `kind`", where=where)
        for key in plain:
            if key not in known:
                raise UnknownName("field of a column", str(key), sorted(known), where=where)
        if "name" not in plain or "kind" not in plain:
            raise SchemaError("a column needs `name` and `kind`", where=where)
        public = {"public": bool(plain.get("levels") or plain.get("bounds"))}
        return cls(**{k: _checked(k, v, where) for k, v in (public | dict(plain)).items()})


def _checked(name: str, value: Any, where: str) -> Any:
    """The value of a column's field as it must be; a list of markers or levels becomes texts."""
    if name == "notation" or (value is None and name in ("decimals", "unit", "timezone", "bounds", "partner")):
        return value
    if name in ("missing", "levels") and isinstance(value, list | tuple):
        if all(isinstance(v, str | int | float) for v in value):
            return tuple(map(str, value))
    elif name == "bounds" and isinstance(value, list | tuple):
        value = [str(v) if isinstance(v, date) else v for v in value]  # YAML reads 2024-01-31 as a date
        if len(value) == 2 and all(isinstance(v, int | float | str) and not isinstance(v, bool) for v in value):
            return tuple(value)
    elif name in ("lenient", "public"):
        if isinstance(value, bool):
            return value
    elif name == "decimals":
        if type(value) is int and 0 <= value <= 30:
            return value
    elif name == "unit":
        if value in UNITS:
            return value
    elif isinstance(value, str):
        return value
    raise SchemaError(f"`{name}` must be {_FORMS.get(name, 'a text')}", where=where)


_FORMS = {"missing": "a list of texts", "levels": "a list of texts, from low to high",
          "bounds": "[low, high], in numbers; of dates such as 2024-01-31",
          "lenient": "true or false", "public": "true or false",
          "decimals": "a whole number from 0 to 30", "unit": f"one of {', '.join(UNITS)}"}


@dataclass(frozen=True)
class Table:
    """Columns in order, the primary key (several columns if it is composite), and the rules that every row obeys
    (``docs/rules.md``)."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rules", tuple(self.rules))
        object.__setattr__(self, "primary_key", tuple(self.primary_key))
        names = self.names
        twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
        if twice:
            raise SchemaError(f"{len(twice)} column name(s) stand twice, the first: {twice[0]!r}",
                              where=f"table {self.name!r}", hint="rename the columns")
        for key in self.primary_key:
            if key not in names:
                raise UnknownName("column", key, names, where=f"primary key of table {self.name!r}")

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]

    @cached_property
    def _at(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    def __getitem__(self, name: str) -> Column:
        if name in self._at:
            return self._at[name]
        raise UnknownName("column", name, self.names, where=f"table {self.name!r}")

    def with_columns(self, changed: Mapping[str, Column]) -> Table:
        for name in changed:
            self[name]
        return replace(self, columns=tuple(changed.get(c.name, c) for c in self.columns))

    def to_json(self) -> dict[str, Any]:
        key = {"primary_key": list(self.primary_key)} if self.primary_key else {}
        rules = {"rules": list(self.rules)} if self.rules else {}
        return {"name": self.name, **key, "columns": [c.to_json() for c in self.columns], **rules}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any], where: str = "schema") -> Table:
        if not isinstance(plain, Mapping) or not isinstance(plain.get("columns"), list | tuple):
            raise SchemaError("a table needs `name` and a list of `columns`", where=where)
        name = str(plain.get("name", "table"))
        columns = tuple(Column.from_json(c, f"{where}, table {name!r}, column {i + 1}")
                        for i, c in enumerate(plain["columns"]))
        key = plain.get("primary_key") or ()
        if not isinstance(key, list | tuple) or not all(isinstance(k, str) for k in key):
            raise SchemaError("`primary_key` must be a list of column names", where=f"{where}, table {name!r}")
        return cls(name, columns, tuple(key), rules_of(plain.get("rules"), f"{where}, table {name!r}"))


def rules_of(plain: Any, where: str) -> tuple[str, ...]:
    """Rules as somebody wrote them down: a list of texts.

    >>> rules_of(["end >= start"], "rules.yaml")
    ('end >= start',)
    """
    if plain is None:
        return ()
    if not isinstance(plain, list | tuple):
        raise SchemaError("rules must be a list of texts", where=where, hint='write `- "end >= start"`, a line each')
    for i, text in enumerate(plain, 1):
        if not isinstance(text, str):
            raise SchemaError("must be a text", where=f"{where}, rule {i}", hint="put it in quotes")
    return tuple(plain)


@dataclass(frozen=True)
class ForeignKey:
    """``child.columns`` refers to ``parent.parent_columns``."""

    child: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "parent_columns", tuple(self.parent_columns))


@dataclass(frozen=True)
class Schema:
    """Tables and the keys between them.

    >>> schema = Schema((Table("people", (Column("age", "integer", "int64"),)),))
    >>> Schema.from_json(schema.to_json()) == schema
    True
    """

    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", tuple(self.tables))
        object.__setattr__(self, "foreign_keys", tuple(self.foreign_keys))

    @property
    def table(self) -> Table:
        """The only table, where there is one."""
        if len(self.tables) != 1:
            raise SchemaError(f"this needs a schema of one table, not {len(self.tables)}")
        return self.tables[0]

    def to_json(self) -> dict[str, Any]:
        keys = {"foreign_keys": [asdict(k) for k in self.foreign_keys]} if self.foreign_keys else {}
        return {"fabrica_schema": VERSION, "tables": [t.to_json() for t in self.tables], **keys}

    def _repr_html_(self) -> str:
        """A small table for notebooks; every word is escaped, since names come from anybody's file."""
        return "".join(_html(table) for table in self.tables)

    def dumps(self) -> str:
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, plain: Any, where: str = "schema") -> Schema:
        if not isinstance(plain, Mapping) or not isinstance(plain.get("tables"), list | tuple):
            raise SchemaError("a schema needs a list of `tables`", where=where)
        if plain.get("fabrica_schema", VERSION) != VERSION:
            raise SchemaError(f"this is a schema of version {plain['fabrica_schema']!r}; "
                              f"this fabrica reads version {VERSION}", where=where)
        tables = tuple(Table.from_json(t, where) for t in plain["tables"])
        try:
            keys = tuple(ForeignKey(**k) for k in plain.get("foreign_keys") or ())
        except TypeError:
            raise SchemaError("a foreign key needs child, columns, parent, parent_columns", where=where) from None
        return cls(tables, keys)


# ---------------------------------------------------------------- a schema in words

_HEAD = ("column", "kind", "detail", "missing as", "why")


_SAID = {"least": "{} of them always written", "number": "no zero in front"}  #: fields of a notation, in words


def rows_of(table: Table) -> list[tuple[str, str, str, str, str]]:
    """(name, kind, detail, missing markers, why) of each column, as words for a person.

    >>> rows_of(Table("t", (Column("fee", "decimal", decimals=2, missing=("?",), why="amounts"),)))
    [('fee', 'decimal', '2 decimals', "'?'", 'amounts')]
    """
    return [(c.name, c.kind, _detail(c), " ".join(repr(m) for m in c.missing), c.why) for c in table.columns]


def describe(table: Table) -> str:
    """``rows_of`` as aligned text."""
    rows = [_HEAD, *(tuple(" ".join(cell.split()) for cell in row) for row in rows_of(table))]
    wide = [min(40, max(len(row[i]) for row in rows)) for i in range(len(_HEAD))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows)


def _detail(column: Column) -> str:
    said = [f"{column.decimals} decimals"] if column.decimals else []
    said += [f"unit {column.unit}"] if column.unit else []
    said += [column.timezone] if column.timezone else []
    said += [_spoken(column.notation)] if column.notation else []
    said += [f"personal: {column.personal}"] if column.personal not in ("", OFF) else []
    said += [" < ".join(column.levels)] if column.levels else []
    said += [f"public bounds {column.bounds[0]} to {column.bounds[1]}"] if column.bounds else []
    said += [f"with {column.partner}"] if column.partner else []
    return ", ".join([*said, "odd cells count as missing"] if column.lenient else said)


def _spoken(notation: Any) -> str:
    if isinstance(notation, Mapping) and "kind" in notation:  # of a key
        told = [f"to {notation['to']}"] if notation.get("to") else []
        told += [f"{notation['people']:,} people"] if notation.get("people") else []
        told += [f"{notation['distinct']:,} different"] if notation.get("distinct") else []
        return ", ".join([str(notation["kind"]), *told])
    if isinstance(notation, Mapping):
        return ", ".join(_SAID[k].format(v) if k in _SAID else f"{k} {v!r}" if isinstance(v, str) else f"{k} {v}"
                         for k, v in notation.items())
    return " / ".join(map(str, notation)) if isinstance(notation, (list, tuple)) else str(notation)


def _html(table: Table) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in _HEAD)
    rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows_of(table))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    caption = f"<caption>{html.escape(table.name)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
