"""Places: towns stay towns, neighbours stay neighbours, halves go missing together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pytest

from fabrica.checks.codecs import bare, learned
from fabrica.codecs.place import DISTINCT, Place, Points
from fabrica.contract import Cells
from fabrica.errors import SchemaError
from fabrica.run import Run
from fabrica.schema import Column

COLUMNS = (Column("lat", "latitude", "double", partner="lon"), Column("lon", "longitude", "double", partner="lat"))


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def cells(at: np.ndarray, north: np.ndarray | None = None, east: np.ndarray | None = None) -> tuple[Cells, Cells]:
    return Cells(pa.array(at[:, 0], mask=north)), Cells(pa.array(at[:, 1], mask=east))


def back(
    at: tuple[Cells, Cells], seed: int = 1, columns: tuple[Column, Column] = COLUMNS, **settings: int
) -> np.ndarray:
    coder = learned(Place(**settings), columns, at)  # type: ignore[arg-type]
    found = coder.decode(bare(coder.encode(at, Run(seed))), range(len(at[0])), Run(seed))
    return np.stack([c.values.to_numpy(zero_copy_only=False) for c in found], 1)


def test_a_shared_point_comes_back_bit_for_bit() -> None:
    stations = chance().normal([50, 10], 3, (300, 2))
    rows = stations[chance(1).integers(0, 300, 20_000)]
    found = back(cells(rows))
    assert {tuple(p) for p in found} == {tuple(p) for p in stations}


def test_the_map_keeps_its_shape() -> None:
    """Land and sea: two far islands and nothing between them."""
    random = chance(2)
    rows = np.where(
        random.random((20_000, 1)) < 0.3,
        random.normal([60, -20], 0.5, (20_000, 2)),
        random.normal([-33, 151], 0.5, (20_000, 2)),
    )
    found = back(cells(rows))
    north = found[:, 0] > 0
    assert abs(north.mean() - (rows[:, 0] > 0).mean()) < 0.002
    assert np.abs(found - np.where(north[:, None], [60, -20], [-33, 151])).max() < 4
    for a in (0, 1):
        x, y = np.sort(rows[:, a]), np.sort(found[:, a])
        at = np.concatenate([x, y])
        moved = np.searchsorted(x, at, "right") / len(x) - np.searchsorted(y, at, "right") / len(y)
        assert np.abs(moved).max() < 0.02


def test_neighbouring_codes_are_neighbours_on_the_map() -> None:
    rows = chance(3).uniform([40, 0], [50, 10], (20_000, 2))
    coder = learned(Place(codes=64), COLUMNS, cells(rows))
    (coded,) = coder.encode(cells(rows), Run(0))
    middle = np.stack([np.bincount(coded.codes, rows[:, a]) / np.bincount(coded.codes) for a in (0, 1)], 1)
    step = np.linalg.norm(np.diff(middle, axis=0), axis=1).mean()
    mixed = np.linalg.norm(np.diff(chance(4).permutation(middle), axis=0), axis=1).mean()
    assert coded.size <= 128 and step < 0.5 * mixed


def test_halves_that_are_missing() -> None:
    random = chance(5)
    rows = random.normal(0, 10, (5000, 2))
    both, east = random.random(5000) < 0.1, random.random(5000) < 0.1
    one = np.arange(5000) == 7  # one single row without its north
    north = (both | one) & ~(one & east)
    found = back(cells(rows, north, both | east))
    assert (np.isnan(found[:, 1]) == (both | east) | (one & north)).mean() > 0.999
    alone = np.isnan(found[:, 0]) & ~np.isnan(found[:, 1])
    assert not alone.any(), "a pattern that one row has is not told"
    assert (np.isnan(found[:, 0]) == both)[~one].all()


def test_degrees_stay_on_the_globe_and_are_rounded() -> None:
    rows = np.clip(chance(6).normal([89, 179], 1, (5000, 2)), [-90, -180], [90, 180])
    columns = (replace(COLUMNS[0], decimals=3), replace(COLUMNS[1], decimals=1))
    found = back(cells(np.round(rows, [[3, 1]][0][0])), columns=columns)
    assert np.abs(found[:, 0]).max() <= 90 and np.abs(found[:, 1]).max() <= 180
    assert (np.round(found[:, 0], 3) == found[:, 0]).all()


def test_a_survey_is_bounded_and_keeps_heavy_points() -> None:
    rows = np.concatenate([chance(7).normal(0, 20, (DISTINCT + 50_000, 2)), np.full((2000, 2), 12.3456789)])
    points = Points.of(rows, np.ones(len(rows)))
    assert len(points.counts) <= DISTINCT and points.counts.sum() == len(rows)
    heavy = (points.where == 12.3456789).all(1)
    assert points.counts[heavy].sum() == 2000
    half = len(rows) // 2
    merged = Points.of(rows[:half], np.ones(half)).merge(Points.of(rows[half:], np.ones(len(rows) - half)))
    assert np.allclose(np.average(merged.where, axis=0, weights=merged.counts), rows.mean(0))


def test_the_houses_of_california() -> None:
    path = Path(__file__).resolve().parents[3] / "shared/data/california_housing/california_housing.csv"
    if not path.exists():
        pytest.skip("the real table california_housing is not beside this checkout")
    table = csv.read_csv(path)
    names = {n.lower(): n for n in table.column_names}
    at = np.stack([table[names[n]].to_numpy() for n in ("latitude", "longitude")], 1).astype(float)
    columns = (replace(COLUMNS[0], decimals=2), replace(COLUMNS[1], decimals=2))
    found = back(cells(at), columns=columns)
    grid = [np.round(v * 2).astype(int) for v in (at, found)]
    real = {tuple(p) for p in grid[0]}
    assert np.mean([tuple(p) in real for p in grid[1]]) > 0.99, "hardly anybody lives in the sea"


def test_bounds_that_the_places_break_are_refused() -> None:
    at = cells(chance(9).normal([50, 10], 1, (500, 2)))
    wide, tight = (tuple(replace(c, bounds=b) for c, b in zip(COLUMNS, ((-90, 90), east), strict=True))
                   for east in ((-180, 180), (0, 10)))
    learned(Place(), wide, at)
    with pytest.raises(SchemaError, match="column 'lon': some of its values lie beyond the declared bounds"):
        learned(Place(), tight, at)
