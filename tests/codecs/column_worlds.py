"""Columns of every kind with their cells, and which codec serves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import catalog
from fabrica.contract import Cells, Codec
from fabrica.notation import cell_type
from fabrica.schema import Column

ROWS = 3000
CHANCE = np.random.Generator(np.random.Philox(7))


@dataclass(frozen=True)
class World:
    """One seat: columns, their cells, and what the check must know of them."""

    codec: str
    columns: tuple[Column, ...]
    cells: tuple[Cells, ...]
    fresh: bool = False

    def plugin(self, **settings: Any) -> Codec:
        return catalog.get("codecs", self.codec).with_settings(settings)


def gaps(share: float = 0.1) -> np.ndarray:
    return CHANCE.random(ROWS) < share


def marked(values: pa.Array) -> Cells:
    """Cells with three ways of being missing: the first, the third, and the true null."""
    absent = np.where(CHANCE.random(ROWS) < 0.2, CHANCE.choice([1, 3, 4], ROWS), 0).astype(np.uint8)
    return Cells(
        pa.array([None if a else v for v, a in zip(values.to_pylist(), absent, strict=True)], values.type), absent
    )


def moment(ticks: np.ndarray, mask: np.ndarray | None = None, **said: Any) -> tuple[Column, Cells]:
    column = Column("when", **said)
    kind = cell_type(column)
    return column, Cells(pa.array(ticks.astype(np.int32 if kind.bit_width == 32 else np.int64), mask=mask).view(kind))


def one(codec: str, column: Column, cells: Cells, fresh: bool = False) -> World:
    return World(codec, (column,), (cells,), fresh)


def _moment(ticks: np.ndarray, mask: np.ndarray | None = None, **said: Any) -> World:
    return one("moment", *moment(ticks, mask, **said))


def _place() -> World:
    towns = np.array([[48.8566, 2.3522], [52.52, 13.405], [40.4168, -3.7038]])
    at = towns[CHANCE.integers(0, 3, ROWS)] + np.where(CHANCE.random(ROWS) < 0.3, 0, CHANCE.normal(0, 1, ROWS))[:, None]
    both, east = gaps(), gaps(0.05)
    cells = (Cells(pa.array(at[:, 0], mask=both)), Cells(pa.array(at[:, 1], mask=both | east)))
    columns = (Column("lat", "latitude", "double", partner="lon"), Column("lon", "longitude", "double", partner="lat"))
    return World("place", columns, cells)


def _words() -> pa.Array:
    pool = np.array(["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog"])
    return pa.array([" ".join(pool[CHANCE.integers(0, 9, CHANCE.integers(1, 9))]) + f" Q{i}" for i in range(ROWS)])


_WORLDS: dict[str, Callable[[], World]] = {
    "whole numbers": lambda: one("number", Column("n", "integer", "int64"), Cells(pa.array(CHANCE.poisson(9, ROWS)))),
    "wide whole numbers": lambda: one(
        "number", Column("n", "integer", "int64"), marked(pa.array(CHANCE.integers(-(10**6), 10**6, ROWS)))
    ),
    "decimals": lambda: one(
        "number",
        Column("x", "decimal", "double", decimals=2),
        Cells(pa.array(np.round(CHANCE.lognormal(3, 1, ROWS), 2), mask=gaps())),
    ),
    "spiked": lambda: one(
        "number",
        Column("x", "decimal", "double"),
        Cells(pa.array(np.where(CHANCE.random(ROWS) < 0.6, 0.0, CHANCE.normal(size=ROWS)))),
    ),
    "no numbers": lambda: one("number", Column("x", "decimal", "double"), Cells(pa.nulls(ROWS, pa.float64()))),
    "levels": lambda: one(
        "category",
        Column("c", "category"),
        marked(pa.array(CHANCE.choice(["a", "b", 'quote "', "ö"], ROWS)).dictionary_encode()),
    ),
    "rare levels": lambda: one(
        "category",
        Column("c", "category"),
        Cells(pa.array([f"v{i}" for i in CHANCE.zipf(1.5, ROWS)]).dictionary_encode()),
    ),
    "a scale": lambda: one(
        "category",
        Column("c", "ordinal", levels=("low", "mid", "high")),
        Cells(pa.array(CHANCE.choice(["high", "low", "mid"], ROWS)).dictionary_encode()),
    ),
    "booleans": lambda: one(
        "category", Column("b", "boolean", "bool"), Cells(pa.array(CHANCE.random(ROWS) < 0.3, mask=gaps()))
    ),
    "constant": lambda: one("category", Column("c", "constant"), Cells(pa.array(["same"] * ROWS).dictionary_encode())),
    "few days": lambda: _moment(CHANCE.integers(19000, 19100, ROWS), gaps(), kind="date"),
    "many days": lambda: _moment(CHANCE.integers(-40000, 20000, ROWS), kind="date"),
    "seconds": lambda: _moment(CHANCE.integers(-(10**9), 10**9, ROWS), gaps(), kind="datetime", unit="s"),
    "zoned microseconds": lambda: _moment(
        CHANCE.integers(15 * 10**14, 17 * 10**14, ROWS), kind="datetime", unit="us", timezone="Europe/Berlin"
    ),
    "nanoseconds": lambda: _moment(CHANCE.integers(-9 * 10**18, 9 * 10**18, ROWS), kind="datetime", unit="ns"),
    "midnights": lambda: _moment(CHANCE.integers(0, 20000, ROWS) * 86400, kind="datetime", unit="D"),
    "times": lambda: _moment(CHANCE.integers(0, 1440, ROWS) * 60, gaps(), kind="time", unit="m"),
    "durations": lambda: _moment(CHANCE.integers(-(10**7), 10**7, ROWS), kind="duration", unit="ms"),
    "no moments": lambda: _moment(np.zeros(ROWS), np.ones(ROWS, bool), kind="datetime", unit="s", timezone="UTC"),
    "places": _place,
    "empty": lambda: one("empty", Column("e", "empty", "null"), Cells(pa.nulls(ROWS)), fresh=False),
    "empty in two ways": lambda: one(
        "empty",
        Column("e", "empty", missing=("?",)),
        Cells(pa.nulls(ROWS), CHANCE.integers(1, 3, ROWS).astype(np.uint8)),
    ),
    "numbered keys": lambda: one(
        "key",
        Column("k", "key", "int64", notation={"kind": "sequence", "start": 1, "step": 1}),
        Cells(pa.array([str(i) for i in range(ROWS)])),
        True,
    ),
    "keys with gaps": lambda: one(
        "key",
        Column("k", "key", notation={"template": "INV-#####"}),
        marked(pa.array([f"INV-{i:05d}" for i in range(ROWS)])),
        True,
    ),
    "uuids": lambda: one("key", Column("k", "key", notation={"kind": "uuid"}), Cells(pa.array(["x"] * ROWS)), True),
    "addresses": lambda: one(
        "key", Column("k", "key", notation={"kind": "email"}), Cells(pa.array(["x"] * ROWS)), True
    ),
    "texts": lambda: one("text", Column("t", "text"), marked(_words()), True),
    "a few texts": lambda: one(
        "text", Column("t", "text"), Cells(pa.array([*["Yes Sir"] * 4, *[None] * (ROWS - 4)])), False
    ),
}


def _afresh(make: Callable[[], World]) -> Callable[[], World]:
    """The world from a stream of its own, whatever was drawn before it."""

    def made() -> World:
        CHANCE.bit_generator.state = np.random.Philox(7).state
        return make()

    return made


WORLDS = {name: _afresh(make) for name, make in _WORLDS.items()}
