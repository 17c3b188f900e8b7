"""Places: a latitude and a longitude that belong together, told by their names and proven by their ranges."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from fabrica.schema import Column, Table

__all__ = ["with_places"]

_WORD = r"(?i:(?:^|(?<=[\s_.\-]))(?:{0})(?=$|[\s_.\-\d]))|(?<=[a-z])(?:{1})(?=$|[A-Z_])"
_LATITUDE = re.compile(_WORD.format("latitude|lat", "Latitude|Lat"))
_LONGITUDE = re.compile(_WORD.format("longitude|long|lon|lng", "Longitude|Long|Lon|Lng"))


def with_places(table: Table, ranges: Mapping[str, tuple[float, float]]) -> Table:
    """The table with its pairs of latitude and longitude as such.

    Parameters
    ----------
    ranges : (low, high) of each decimal column, which must lie in ±90 and ±180 degrees.
    """
    east = {_stem(n, _LONGITUDE): n for n in ranges if _LONGITUDE.search(n) and _within(ranges[n], 180)}
    changed: dict[str, Column] = {}
    for name in ranges:
        other = east.get(_stem(name, _LATITUDE)) if _LATITUDE.search(name) and _within(ranges[name], 90) else None
        if other is None or other == name:
            continue
        changed[name] = _half(table[name], "latitude", other)
        changed[other] = _half(table[other], "longitude", name)
    return table.with_columns(changed)


def _half(column: Column, kind: str, partner: str) -> Column:
    return replace(column, kind=kind, partner=partner, why=f"degrees by name and range, a place with {partner!r}")


def _stem(name: str, shape: re.Pattern[str]) -> str:
    return shape.sub("", name).lower()


def _within(span: tuple[float, float], most: float) -> bool:
    return -most <= span[0] <= span[1] <= most
