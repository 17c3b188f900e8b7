"""Every codec keeps its promises on every kind of column, and each promise catches somebody who does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from column_worlds import ROWS, WORLDS, World, moment, one

import fabrica
from fabrica import catalog
from fabrica.checks import Broken, check_codec, check_secret
from fabrica.checks.codecs import bare, learned
from fabrica.contract import Cells, Coder
from fabrica.errors import SchemaError
from fabrica.notation import arrow_type, read
from fabrica.run import Run
from fabrica.schema import KINDS, Column
from fabrica.state import State


@pytest.mark.parametrize("name", WORLDS)
def test_every_codec_keeps_its_promises(name: str) -> None:
    world = WORLDS[name]()
    if name == "a few texts":  # four rows are fewer than k: nothing of them may be said, not even that they are there
        with pytest.raises(Broken, match="pattern of missing"):
            check_codec(world.plugin(), world.columns, world.cells)
        world = replace(world, cells=(Cells(pa.nulls(ROWS, pa.string())),))
    check_codec(world.plugin(), world.columns, world.cells, fresh=world.fresh)


def test_every_codec_and_every_kind_is_tried() -> None:
    worlds = [make() for make in WORLDS.values()]
    assert {w.codec for w in worlds} == set(catalog.names("codecs"))
    served = {k for name in catalog.names("codecs") for k in catalog.get("codecs", name).kinds}
    assert served == set(KINDS)
    assert served - {"latitude", "longitude"} <= {c.kind for w in worlds for c in w.columns}


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_and_one_row(kind: str) -> None:
    """Every kind can be learned from one row and encode none."""
    codec = next(catalog.get("codecs", n)() for n in catalog.names("codecs") if kind in catalog.get("codecs", n).kinds)
    column = Column("c", kind, "string", levels=("5",) if kind == "ordinal" else ())
    text = {
        "boolean": "true",
        "date": "2020-02-29",
        "datetime": "2020-02-29 12:00:00",
        "time": "12:00:00",
        "duration": "12:00:00",
    }
    cells = read(column, pa.array([None if kind == "empty" else text.get(kind, "5")]))
    coder = codec.learn((column,), codec.survey((column,), (cells,), Run(0)), Run(0))
    again = type(coder).from_state(coder.state())
    for part in (cells, read(column, pa.array([], arrow_type("string"))), read(column, pa.nulls(3))):
        coded = again.encode((part,), Run(1))
        assert [len(c) for c in coded] == [len(part)] * len(coded)
        (back,) = again.decode(tuple(replace(c, reals=None) for c in coded), range(len(part)), Run(2))
        assert len(back) == len(part)
        if kind not in ("category", "boolean", "constant", "ordinal", "key", "empty"):
            assert back.values.null_count == len(part), "one row is fewer than k: its value is not told"


# ---------------------------------------------------------------- secrets

SECRETS: dict[str, Any] = {
    "number": lambda held: (
        Column("n", "decimal", "double"),
        pa.array([*np.arange(2000.0) % 50, *[77.125] * held]),
        77.125,
        (),
    ),
    "category": lambda held: (
        Column("c", "category"),
        pa.array([*["a", "b"] * 1000, *["hidden thing"] * held]).dictionary_encode(),
        "hidden thing",
        (),
    ),
    "text": lambda held: (
        Column("t", "text"),
        pa.array([*["a b c"] * 2000, *["Xanthippe lives"] * held]),
        "Xanthippe lives",
        (),
    ),
    "key": lambda held: (
        Column("k", "key", notation={"template": "K-####"}),
        pa.array([*map(str, range(2000)), *["K-secret"] * held]),
        "K-secret",
        (),
    ),
}


@pytest.mark.parametrize("name", SECRETS)
def test_what_fewer_than_k_hold_stays_hidden(name: str) -> None:
    column, values, secret, numbers = SECRETS[name](4)
    check_secret(catalog.get("codecs", name)(), (column,), (Cells(values),), secret, numbers=numbers)


@pytest.mark.parametrize("name", ["number", "category"])
def test_the_secret_check_bites(name: str) -> None:
    column, values, secret, numbers = SECRETS[name](5)
    with pytest.raises(Broken, match="fewer than k"):
        check_secret(catalog.get("codecs", name)(), (column,), (Cells(values),), secret, numbers=numbers)


@pytest.mark.parametrize("kind", ["date", "datetime", "time", "duration"])
def test_secret_moments_stay_hidden(kind: str) -> None:
    ticks = np.r_[np.arange(2000) % 50 + 100, np.full(4, 44_444)]
    column, cells = moment(ticks, kind=kind, unit=None if kind == "date" else "s")
    secret = cells.values[-1].as_py()
    check_secret(catalog.get("codecs", "moment")(), (column,), (cells,), secret, numbers=(44_444.0,))


def test_a_secret_place_stays_hidden() -> None:
    chance = np.random.Generator(np.random.Philox(1))
    at = np.r_[chance.normal(40, 1, (2000, 2)), np.full((4, 2), 61.123)]
    columns = (Column("lat", "latitude", "double", partner="lon"), Column("lon", "longitude", "double", partner="lat"))
    check_secret(
        catalog.get("codecs", "place")(), columns, (Cells(pa.array(at[:, 0])), Cells(pa.array(at[:, 1]))), 61.123
    )


def masses(held: int, **said: str) -> tuple[Column, Cells, np.ndarray]:
    """Many point masses of moments with a secret between every two of them."""
    often = np.arange(100) * 40 + 100
    hidden = np.setdiff1d(often + 13, often)
    column, cells = moment(np.r_[np.repeat(often, 100), np.repeat(hidden, held)], **said)
    return column, cells, hidden


@pytest.mark.parametrize("held", [1, 4])
@pytest.mark.parametrize("kind", ["date", "datetime", "time", "duration"])
def test_secret_moments_between_masses_stay_hidden(kind: str, held: int) -> None:
    column, cells, hidden = masses(held, kind=kind, **({} if kind == "date" else {"unit": "s"}))
    for secret in hidden[::25]:
        value = cells.values[100 * 100 + held * int(np.searchsorted(hidden, secret))].as_py()
        check_secret(catalog.get("codecs", "moment")(), (column,), (cells,), value, numbers=(float(secret),))


@pytest.mark.parametrize("held", [1, 4])
@pytest.mark.parametrize("kind", ["integer", "decimal"])
def test_secret_numbers_between_masses_stay_hidden(kind: str, held: int) -> None:
    often = np.arange(100) * 40
    values = np.r_[np.repeat(often, 100), np.repeat(often + 13, held)]
    column = Column("n", kind, "int64" if kind == "integer" else "double")
    cells = Cells(pa.array(values.astype(np.int64 if kind == "integer" else np.float64)))
    for secret in (13, 413, 813, 40 * 99 + 13):
        check_secret(catalog.get("codecs", "number")(), (column,), (cells,), secret)


@pytest.mark.parametrize(("column", "values", "bounds"), [
    (Column("x", "integer", "int64"), pa.array(range(50)), (0, 48)),
    (Column("x", "decimal", "double"), pa.array(np.arange(50.0)), (0.5, 60)),
    (Column("x", "date", unit="D"), pa.array(range(50), pa.int32()).view(pa.date32()), ("1970-01-02", "1990-01-01")),
    (Column("x", "time", unit="s"), pa.array(range(50), pa.int32()).view(pa.time32("s")), (0, 40)),
])
def test_bounds_that_the_data_break_are_refused(column: Column, values: pa.Array, bounds: tuple) -> None:
    codec = catalog.get("codecs", "number" if column.kind in ("integer", "decimal") else "moment")()
    seen = codec.survey((column,), (Cells(values),), Run(0))
    codec.learn((replace(column, bounds=(-10**6, 10**6)),), seen, Run(0))
    with pytest.raises(SchemaError, match="column 'x': some of its values lie beyond the declared bounds"):
        codec.learn((replace(column, bounds=bounds),), seen, Run(0))


@pytest.mark.parametrize("value", [2**53 + 1, 2**63 - 1, -(2**63), -(2**60) - 1])
def test_far_whole_numbers_come_back_bit_for_bit(value: int) -> None:
    column = Column("n", "integer", "int64")
    cells = (Cells(pa.array([*[value] * 200, *range(1000), *[None] * 50])),)
    coder = learned(catalog.get("codecs", "number")(), (column,), cells)
    back = coder.decode(bare(coder.encode(cells, Run(0))), range(1250), Run(1))[0].values
    assert back.type == pa.int64() and back[:200].to_pylist() == [value] * 200
    assert back[200:1200].to_numpy().max() < 1010 and back.null_count == 50


# ---------------------------------------------------------------- ways of being missing

MISSING: dict[str, tuple[Column, pa.Array]] = {
    "number": (Column("c", "decimal", "double"), pa.array(np.arange(1000) % 40 / 4)),
    "category": (Column("c", "category"), pa.array(["a", "b", "b", "c"] * 250).dictionary_encode()),
    "moment": (Column("c", "date"), pa.array((np.arange(1000) * 9).astype(np.int32)).view(pa.date32())),
    "text": (Column("c", "text"), pa.array(["good day", "good bye now"] * 500)),
    "key": (Column("c", "key", notation={"template": "K-####"}), pa.array([f"K-{i}" for i in range(1000)])),
}


def holed(values: pa.Array, ways: dict[int, int]) -> tuple[Cells]:
    """Cells of which so many are missing in each way, from the front."""
    kind = np.zeros(len(values), np.uint8)
    kind[: sum(ways.values())] = np.repeat(list(ways), list(ways.values()))
    if pa.types.is_dictionary(values.type):
        index = pa.array(values.indices.to_numpy(), mask=kind > 0)
        return (Cells(pa.DictionaryArray.from_arrays(index, values.dictionary), kind),)
    left = [None if k else v for v, k in zip(values.to_pylist(), kind, strict=True)]
    return (Cells(pa.array(left, values.type), kind),)


@pytest.mark.parametrize("name", MISSING)
def test_a_rare_way_of_being_missing_counts_as_the_commonest(name: str) -> None:
    column, values = MISSING[name]
    cells = holed(values, {1: 30, 2: 4, 3: 50, 4: 1})
    coder = learned(catalog.get("codecs", name)(), (column,), cells)
    assert coder.markers == (3, 1)  # type: ignore[attr-defined]
    back = coder.decode(bare(coder.encode(cells, Run(1))), range(1000), Run(2))[0]
    assert back.absent is not None
    assert np.bincount(back.absent, minlength=5).tolist() == [915, 30, 0, 55, 0]
    assert (back.absent[30:34] == 3).all() and "0.001" not in str(coder.state().plain.get("share"))


@pytest.mark.parametrize("name", MISSING)
@pytest.mark.parametrize("ways", [{1: 1}, {2: 4}, {1: 2, 2: 2}])
def test_cells_that_hardly_ever_miss_count_as_any_value(name: str, ways: dict[int, int]) -> None:
    column, values = MISSING[name]
    none = learned(catalog.get("codecs", name)(), (column,), (Cells(values),))
    coder = learned(catalog.get("codecs", name)(), (column,), cells := holed(values, ways))
    said, full = coder.state().plain, none.state().plain
    for n in ("markers", "missing", "share"):
        assert said.get(n) == full.get(n)
    coded = coder.encode(cells, Run(1))
    assert all(c.absent == 0 for c in coded)
    back = coder.decode(bare(coded), range(1000), Run(2))[0]
    assert back.values.null_count == 0
    for c in coded:
        assert c.reals is None or np.isfinite(c.reals).all()


@pytest.mark.parametrize("name", ["number", "category", "moment", "text"])
def test_values_that_hardly_anybody_has_are_not_told(name: str) -> None:
    column, values = MISSING[name]
    coder = learned(catalog.get("codecs", name)(), (column,), cells := holed(values, {1: 997}))
    plain = coder.state().plain
    assert plain.get("missing", 1.0) == 1.0 and plain.get("share", [0.0])[0] == 0.0
    assert coder.decode(bare(coder.encode(cells, Run(1))), range(1000), Run(2))[0].values.null_count == 1000


# ---------------------------------------------------------------- tiny tables

TINY: dict[str, list[Any]] = {
    "whole numbers": [3, 1, 2, 7],
    "decimals": [1.5, 2.25, 9.125, 1.0],
    "dates": list(pd.to_datetime(["2020-01-02", "2021-03-04", "2022-05-06", "2020-01-02"])),
    "words": ["x", "y", "y", "z"],
    "truths": [True, False, True, True],
    "nothing": [None, None, None, None],
    "some": [1.0, None, 2.0, None],
}


@pytest.mark.parametrize("rows", [1, 2, 4])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("form", ["frame", "csv"])
def test_of_a_tiny_table_nothing_is_told(tmp_path: Path, rows: int, constant: bool, form: str) -> None:
    frame = pd.DataFrame({n: (v[:1] * rows if constant else v[:rows]) for n, v in TINY.items()})
    source: Any = frame
    if form == "csv":
        source = tmp_path / "tiny.csv"
        frame.to_csv(source, index=False)
    twin = fabrica.fit(source).sample(5)
    twin = twin if form == "frame" else twin.to_pandas()
    assert list(twin.columns) == list(frame.columns) and len(twin) == 5
    assert "(rare)" not in twin.to_csv()
    assert twin.isna().all(axis=None), twin


@pytest.mark.parametrize("kind", ["category", "boolean", "constant"])
def test_a_column_without_a_safe_level_comes_back_missing(kind: str) -> None:
    values = pa.array(["true", "false"] * 4 if kind == "boolean" else [f"v{i}" for i in range(8)]).dictionary_encode()
    cells = (Cells(pa.array([v == "true" for v in values.to_pylist()]) if kind == "boolean" else values),)
    coder = learned(catalog.get("codecs", "category")(), (Column("c", kind),), cells)
    coded = coder.encode(cells, Run(0))
    assert coded[0].absent == coded[0].size == 1 and coded[0].rest is None
    assert coder.decode(coded, range(8), Run(1))[0].values.null_count == 8


# ---------------------------------------------------------------- careless twins


@dataclass(frozen=True)
class Twin(Coder):
    """A coder that passes everything on, for others to be careless with."""

    inner: Coder
    carelessness: str

    def encode(self, cells: tuple[Cells, ...], run: Run) -> Any:
        coded = self.inner.encode(cells, run)
        first = coded[0]
        if self.carelessness == "code beyond":
            first = replace(first, size=first.size - 1, grid=None)
        if self.carelessness == "position beyond" and first.reals is not None:
            first = replace(first, reals=first.reals + 2)
        if self.carelessness == "grid unsorted":
            first = replace(first, grid=np.where(np.isnan(first.grid), np.nan, 1 - first.grid))
        return (first, *coded[1:])

    def decode(self, coded: Any, rows: range, run: Run) -> Any:
        (cell,) = self.inner.decode(coded, rows, run)
        values = cell.values.to_numpy(zero_copy_only=False)
        if self.carelessness == "forgets the missing":
            return (Cells(cell.values.fill_null(0), np.zeros(len(cell), np.uint8)),)
        if self.carelessness == "another type":
            return (Cells(pa.array(np.nan_to_num(values).astype(np.int64), mask=np.isnan(values)), cell.absent),)
        if self.carelessness == "beyond the highest":
            return (Cells(pa.array(values * 1000, mask=np.isnan(values)), cell.absent),)
        if self.carelessness == "another shape":
            return (
                Cells(
                    pa.array(
                        np.where(np.isnan(values), np.nan, np.nanmax(values, initial=0) / 2), mask=np.isnan(values)
                    ),
                    cell.absent,
                ),
            )
        if self.carelessness == "chance in the air":
            return (
                Cells(pa.array(values + np.random.default_rng().random() * 1e-3, mask=np.isnan(values)), cell.absent),
            )
        return (cell,)

    def state(self) -> State:
        inner = self.inner.state()
        if self.carelessness == "no numbers in the state":
            return State({**inner.plain, "when": {1, 2}}, inner.arrays)
        if self.carelessness == "forgets its digits" and inner.arrays:
            return State(inner.plain, {n: np.round(a, 1) for n, a in inner.arrays.items()})
        return State({**inner.plain, "twin": self.carelessness}, inner.arrays)

    @classmethod
    def from_state(cls, state: State) -> Twin:
        from fabrica.codecs.number import NumberCoder

        return cls(NumberCoder.from_state(state), state.plain.get("twin", ""))


CARELESS = {
    "code beyond": "below the size",
    "position beyond": "positions are in",
    "grid unsorted": "ascends",
    "forgets the missing": "pattern of missing",
    "another type": "type of the cells",
    "beyond the highest": "the highest",
    "another shape": "distribution",
    "chance in the air": "same seed",
    "no numbers in the state": "JSON",
    "forgets its digits": "decodes alike",
}


@pytest.mark.parametrize("carelessness", CARELESS)
def test_each_promise_bites(carelessness: str) -> None:
    from fabrica.codecs.number import Number

    class Careless(Number):
        def learn(self, columns: Any, summary: Any, run: Run) -> Any:
            return Twin(super().learn(columns, summary, run), carelessness)

    chance = np.random.Generator(np.random.Philox(2))
    values = pa.array(chance.lognormal(0, 1, ROWS), mask=chance.random(ROWS) < 0.1)
    world = one("number", Column("x", "decimal", "double"), Cells(values))
    with pytest.raises(Broken, match=CARELESS[carelessness]):
        check_codec(Careless(), world.columns, world.cells)


def test_the_promise_of_parts_bites() -> None:
    from fabrica.codecs.number import Number, Seen

    class Last(Seen):
        def merge(self, other: Any) -> Any:
            return Last(other.tally, other.absent)

    class Careless(Number):
        def survey(self, columns: Any, cells: Any, run: Run) -> Any:
            found = super().survey(columns, cells, run)
            return Last(found.tally, found.absent)

    world: World = WORLDS["whole numbers"]()
    with pytest.raises(Broken, match="parts"):
        check_codec(Careless(), world.columns, world.cells)


@pytest.mark.parametrize("held", [1, 4, 5])
def test_fewer_than_k_hidden_people_count_as_anybody(held: int) -> None:
    column = Column("c", "category")
    cells = Cells(pa.array([*["a"] * 60, *["b"] * 40, *[f"s{i}" for i in range(held)]]).dictionary_encode())
    codec = catalog.get("codecs", "category")()
    coder = codec.learn((column,), codec.survey((column,), (cells,), Run(1)), Run(2))
    coded, = coder.encode((cells,), Run(3))
    assert (coded.rest is not None) == (held >= 5)
    assert coded.codes.max() < coded.size and coded.size == 2 + (held >= 5)
