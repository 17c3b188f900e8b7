"""Reads SDV's metadata JSON, so that its users can bring their schema along.

The layouts ``SINGLE_TABLE_V1``, ``MULTI_TABLE_V1`` and ``V1`` as SDV's public documentation describes them
(https://docs.sdv.dev/sdv/concepts/metadata/metadata-json). What an ``sdtype`` becomes:

=================================  ==========================================
sdtype                             kind
=================================  ==========================================
numerical                          integer or decimal, by its representation
categorical                        category; ordinal where an order is given
boolean, datetime                  the same; a datetime without a clock: date
id                                 key where it is unique, else category
latitude, longitude                the same where both are there
unknown, text, names, addresses …  text
email, phone number, ssn … as key  key
=================================  ==========================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fabrica.errors import SchemaError
from fabrica.schema import Column, ForeignKey, Schema, Table

__all__ = ["from_sdv", "is_sdv"]

_VERSIONS = ("SINGLE_TABLE_V1", "MULTI_TABLE_V1", "V1")
_PIECE = re.compile(r"(?:(?P<digit>\[0-9\]|\\d)|(?P<upper>\[A-Z\])|(?P<lower>\[a-z\])|(?P<one>[A-Za-z0-9_\- ]))"
                    r"(?:\{(?P<n>\d+)\})?")
_WHOLE = re.compile(r"U?Int(8|16|32|64)")


def is_sdv(plain: Any) -> bool:
    """Whether this JSON is SDV's metadata."""
    if not isinstance(plain, Mapping):
        return False
    if "METADATA_SPEC_VERSION" in plain:
        return True
    return isinstance(plain.get("columns"), Mapping) and any(
        isinstance(c, Mapping) and "sdtype" in c for c in plain["columns"].values())


def from_sdv(plain: Mapping[str, Any], where: str = "SDV metadata") -> Schema:
    """The schema that the metadata tells.

    >>> from_sdv({"columns": {"age": {"sdtype": "numerical", "computer_representation": "Int64"}},
    ...           "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1"}).table["age"].kind
    'integer'
    """
    version = plain.get("METADATA_SPEC_VERSION", _VERSIONS[0] if "columns" in plain else _VERSIONS[2])
    if version not in _VERSIONS:
        raise SchemaError(f"this is metadata of the version {version!r}", where=where,
                          hint=f"versions that are read: {', '.join(_VERSIONS)}")
    if "tables" not in plain:
        return Schema((_table("table", plain, set(), where),))
    if not isinstance(plain["tables"], Mapping):
        raise SchemaError("`tables` must map names to tables", where=where)
    keys = tuple(_relationship(r, where) for r in _listed(plain, "relationships", where))
    return Schema(tuple(_table(str(name), table, {c for k in keys if k.child == name for c in k.columns}, where)
                        for name, table in plain["tables"].items()), keys)


def _table(name: str, plain: Any, foreign: set[str], where: str) -> Table:
    if not isinstance(plain, Mapping) or not isinstance(plain.get("columns"), Mapping):
        raise SchemaError("a table needs a mapping of `columns`", where=f"{where}, table {name!r}")
    primary = _names(plain.get("primary_key"), where)
    unique = set(primary) if len(primary) == 1 else set()
    for key in _listed(plain, "alternate_keys", where):
        names = _names(key, where)
        unique |= set(names) if len(names) == 1 else set()
    columns = {str(n): _column(str(n), c, str(n) in unique - foreign, f"{where}, table {name!r}, column {n!r}")
               for n, c in plain["columns"].items()}
    return Table(name, tuple(_places(columns, _listed(plain, "column_relationships", where)).values()), primary)


def _names(key: Any, where: str) -> tuple[str, ...]:
    if key is None or isinstance(key, str):
        return () if key is None else (key,)
    if not isinstance(key, list | tuple) or not all(isinstance(k, str) for k in key):
        raise SchemaError("a key must be the name of a column or a list of them", where=where)
    return tuple(key)


def _listed(plain: Mapping[str, Any], name: str, where: str) -> list[Any]:
    found = plain.get(name)
    if found is not None and not isinstance(found, list | tuple):
        raise SchemaError(f"`{name}` must be a list", where=where)
    return list(found or ())


def _column(name: str, plain: Any, unique: bool, where: str) -> Column:
    if not isinstance(plain, Mapping) or not isinstance(plain.get("sdtype"), str):
        raise SchemaError("a column needs an `sdtype`", where=where)
    said, why = plain["sdtype"], f"SDV metadata: {plain['sdtype']}"
    if unique:
        return Column(name, "key", notation=_template(plain.get("regex_format"), said), why=why)
    if said == "numerical":
        whole = _WHOLE.fullmatch(str(plain.get("computer_representation", "")))
        return Column(name, "integer" if whole else "decimal", "int64" if whole else "double", why=why)
    if said == "categorical":
        order = plain.get("order")
        levels = tuple(map(str, order)) if isinstance(order, (list, tuple)) else ()
        return Column(name, "ordinal" if levels else "category", levels=levels, why=why)
    if said == "boolean":
        return Column(name, "boolean", "bool", why=why)
    if said == "datetime":
        return _datetime(name, plain.get("datetime_format"), why)
    if said == "id":
        return Column(name, "category", why=why)
    if said in ("latitude", "longitude"):
        return Column(name, "decimal", "double", why=why)
    return Column(name, "text", notation=None, why=why)


def _datetime(name: str, pattern: Any, why: str) -> Column:
    pattern = _ours(str(pattern)) if pattern else None
    clock = pattern is None or re.search(r"%-?\d?[HIMSfT]", pattern)
    unit = ("us" if "f" in (pattern or "") else "s") if clock else "D"
    return Column(name, "datetime" if clock else "date", "string" if pattern else "timestamp[us]", notation=pattern,
                  unit=unit, timezone="UTC" if pattern and "%z" in pattern else None, why=why)


def _ours(pattern: str) -> str:
    """Python's shorthand spelled out."""
    for short, full in (("%T", "%H:%M:%S"), ("%F", "%Y-%m-%d"), ("%D", "%m/%d/%y"), ("%R", "%H:%M")):
        pattern = pattern.replace(short, full)
    return pattern


def _template(regex: Any, said: str) -> Any:
    """A template for the simplest regular expressions (``HID_[0-9]{3}``); None for all others."""
    if said == "email":
        return {"kind": "email"}
    if said == "uuid4":
        return {"kind": "uuid"}
    if not isinstance(regex, str):
        return None
    out, rest = "", regex.strip("^$")
    while rest:
        m = _PIECE.match(rest)
        if not m or int(m["n"] or 1) > 64:
            return None
        itself = f"\\{m['one']}" if m["one"] in ("A", "a", "x") else m["one"]
        one = "#" if m["digit"] else "A" if m["upper"] else "a" if m["lower"] else itself
        out, rest = out + one * int(m["n"] or 1), rest[m.end():]
    return {"template": out}


def _places(columns: dict[str, Column], relationships: Any) -> dict[str, Column]:
    """Latitude and longitude: by a declared relationship, else the only two there are."""
    lats = [n for n, c in columns.items() if c.why.endswith(": latitude")]
    lons = [n for n, c in columns.items() if c.why.endswith(": longitude")]
    pairs = [tuple(r["column_names"]) for r in relationships if isinstance(r, Mapping) and r.get("type") == "gps"
             and isinstance(r.get("column_names"), list) and len(r["column_names"]) == 2]
    if not pairs and len(lats) == len(lons) == 1:
        pairs = [(lats[0], lons[0])]
    for lat, lon in pairs:
        if lat in lats and lon in lons:
            columns[lat] = replace(columns[lat], kind="latitude", partner=lon)
            columns[lon] = replace(columns[lon], kind="longitude", partner=lat)
    return columns


def _relationship(plain: Any, where: str) -> ForeignKey:
    try:
        return ForeignKey(plain["child_table_name"], _names(plain["child_foreign_key"], where),
                          plain["parent_table_name"], _names(plain["parent_primary_key"], where))
    except (KeyError, TypeError):
        raise SchemaError("a relationship needs parent_table_name, parent_primary_key, child_table_name and "
                          "child_foreign_key", where=where) from None


