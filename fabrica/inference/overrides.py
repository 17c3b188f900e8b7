"""Whoever knows better than the guess says so: in a YAML or JSON file, or in the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.errors import SchemaError, UnknownName
from fabrica.inference import markers
from fabrica.inference.facts import Facts
from fabrica.inference.references import fresh
from fabrica.inference.text import as_moment, as_number
from fabrica.inference.words import boolean_words, scale
from fabrica.schema import KINDS, Column, Schema, Table
from fabrica.sdv_metadata import from_sdv, is_sdv

__all__ = ["declared_rules", "load_overrides", "with_overrides", "settled", "as_kind"]

Overrides = Mapping[str, Any]
_NUMBERS = ("integer", "decimal", "latitude", "longitude")
_RELATED = {"date": ("date", "datetime"), "datetime": ("date", "datetime"), "time": ("time", "duration"),
            "duration": ("time", "duration")}
_MOMENTS = ("date", "datetime", "time", "duration")


def load_overrides(path: str | Path) -> dict[str, Any]:
    """What a YAML or JSON file says about columns: ``{column: kind}`` or ``{column: {field: value}}``, a whole schema
    of fabrica or SDV's metadata. An error names the file and the line.
    """
    plain = declaration.read(path, "write a line for each column: `age: integer`")
    if not isinstance(plain, Mapping):
        raise SchemaError("must map column names to kinds or fields", where=str(path),
                          hint="write a line for each column: `age: integer`")
    return {str(k): v for k, v in plain.items()}


def settled(overrides: Any, names: list[str], table: str = "table") -> dict[str, dict[str, Any]]:
    """Every accepted shape of overrides as ``{column: {field: value}}``; unknown columns and fields are errors."""
    where = "overrides"
    if overrides is None:
        return {}
    if isinstance(overrides, (str, Path)):
        overrides, where = load_overrides(overrides), str(overrides)
    if isinstance(overrides, (Schema, Table)):
        overrides = overrides.to_json()
    if not isinstance(overrides, Mapping):
        raise SchemaError("must map column names to kinds or fields", where=where)
    plain = _columns_of(overrides, table, where)
    known = {f.name for f in fields(Column)} - {"name"}
    for name, said in plain.items():
        if name not in names:
            raise UnknownName("column", name, names, where=where)
        for key in said:
            if key not in known:
                raise UnknownName("field of a column", str(key), sorted(known), where=f"{where}, column {name!r}")
        if "kind" in said and said["kind"] not in KINDS:
            raise UnknownName("kind of column", str(said["kind"]), list(KINDS), where=f"{where}, column {name!r}")
    return plain


def _columns_of(overrides: Overrides, table: str, where: str) -> dict[str, dict[str, Any]]:
    schema = _whole_schema(overrides, where)
    if schema is not None:
        match = [t for t in schema.tables if t.name == table or len(schema.tables) == 1]
        if not match:
            raise UnknownName("table", table, [t.name for t in schema.tables], where=where)
        apart = ("name", "storage")
        declared = {"public": True} if is_sdv(overrides) else {}
        return {c.name: {k: v for k, v in c.to_json().items() if k not in apart} | (declared if c.levels else {})
                for c in match[0].columns}
    out = {}
    for name, said in overrides.items():
        if not isinstance(said, (str, Mapping)):
            raise SchemaError("must be a kind or a mapping of fields", where=f"{where}, column {name!r}",
                              hint="write `age: integer` or `age: {kind: integer, missing: [\"-999\"]}`")
        out[str(name)] = {"kind": said} if isinstance(said, str) else dict(said)
    return out


def declared_rules(overrides: Any, table: str = "table") -> tuple[str, ...]:
    """The rules of a table in a whole schema of fabrica; none where that is not what is given."""
    where = "overrides"
    if isinstance(overrides, (str, Path)):
        overrides, where = load_overrides(overrides), str(overrides)
    if isinstance(overrides, (Schema, Table)):
        overrides = overrides.to_json()
    schema = _whole_schema(overrides, where) if isinstance(overrides, Mapping) and not is_sdv(overrides) else None
    match = [t for t in schema.tables if t.name == table or len(schema.tables) == 1] if schema else []
    return match[0].rules if match else ()


def _whole_schema(overrides: Overrides, where: str) -> Schema | None:
    if "fabrica_schema" in overrides:
        return Schema.from_json(overrides, where)
    if is_sdv(overrides):
        return from_sdv(overrides, where)
    if isinstance(overrides.get("columns"), list):
        return Schema((Table.from_json(overrides, where),))
    return None


def with_overrides(table: Table, overrides: Any, where: str = "overrides") -> Table:
    """The table with the columns that ``overrides`` speaks of changed; a new kind drops what belonged to the old one.

    Declared ``missing`` markers join those that were found; an empty list takes all of them away.

    >>> table = Table("t", (Column("zip", "integer", "int64"),))
    >>> with_overrides(table, {"zip": "category"})["zip"].kind
    'category'
    """
    changed = {}
    for name, said in settled(overrides, table.names, table.name).items():
        old = table[name]
        if said.get("kind", old.kind) != old.kind:
            old = replace(old, decimals=None, unit=None, timezone=None, notation=None, levels=(), public=False,
                          partner=None)
        plain = {k: _plain(v) for k, v in said.items() if k != "storage"} | {"why": said.get("why") or "declared"}
        if "public" not in said:
            plain["public"] = old.public or bool(said.get("levels") or said.get("bounds"))
        if plain.get("missing"):
            plain["missing"] = list(dict.fromkeys([*old.missing, *map(str, plain["missing"])]))
        try:
            changed[name] = Column.from_json(old.to_json() | plain, f"{where}, column {name!r}")
        except (TypeError, ValueError):
            raise SchemaError("a field has the wrong type", where=f"{where}, column {name!r}") from None
        if said.get("bounds") and changed[name].kind not in (*_NUMBERS, *_MOMENTS):
            raise SchemaError(f"bounds are for numbers and moments, not for the kind {changed[name].kind!r}",
                              where=f"{where}, column {name!r}")
    return table.with_columns(changed)


def _plain(value: Any) -> Any:
    """Markers and levels are texts, though YAML reads -999 as a number."""
    if isinstance(value, list):
        return [v if isinstance(v, float | int) and not isinstance(v, bool) else str(v) for v in value]
    return value


def as_kind(facts: Facts, kind: str, guess: Callable[[Facts], tuple[Column, str]]) -> tuple[Column, str]:
    """The column read as the declared kind: its notation, decimals and unit are still found in the data."""
    column, note = guess(facts)
    if column.kind == kind:
        return column, note
    values, missing = markers.split(facts, markers.EVERYWHERE) if facts.textual else (facts, ())
    found = None
    if values.distinct and (kind in _NUMBERS or kind in _MOMENTS):
        try_it = as_number if kind in _NUMBERS else as_moment
        found = try_it(values) if facts.textual or kind in _MOMENTS else None
    if found and (kind in _NUMBERS or kind in _RELATED.get(found[0].kind, ())):
        cut = found[0].kind == "datetime" and kind == "date"
        note = f"column {facts.name!r}: declared a date, so its times of day are left out" if cut else ""
        return replace(found[0], kind=kind, missing=(*missing, *found[0].missing)), note
    base = Column(facts.name, kind, facts.storage, missing=missing or column.missing, unit=column.unit)
    if kind == "boolean":
        return replace(base, notation=boolean_words(values) or _pair(values)), ""
    if kind == "ordinal" and (ordered := scale(values)):
        return replace(base, levels=values.held_by_k(ordered[0])), ""
    if kind == "key" and values.distinct:
        return fresh(base, values), ""
    return base, ""


def _pair(facts: Facts) -> list[str] | None:
    """Two levels in the order of their texts, for a boolean by declaration (0 and 1, M and F)."""
    return sorted(facts.text.to_pylist()) if facts.distinct == 2 and str(facts.pool.type) != "bool" else None


