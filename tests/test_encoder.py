"""A table's codecs together: batches to blocks and back, in parts, stored, damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pytest

from fabrica import encoder
from fabrica.block import Block
from fabrica.encoder import Encoder, learn, seats
from fabrica.errors import FabricaError, InputError, ModelFileError
from fabrica.inference import infer
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.state import State

ROWS = 600


def table() -> tuple[Table, pa.RecordBatch]:
    """A row of everything."""
    r = np.random.Generator(np.random.Philox(4))
    gap = r.random(ROWS) < 0.1
    day = r.integers(15_000, 19_000, ROWS)
    arrays = {
        "age": pa.array(r.integers(18, 90, ROWS)),
        "fee": pa.array([None if g else f"${v:,.2f}" for g, v in zip(gap, r.lognormal(7, 1, ROWS), strict=True)]),
        "job": pa.array(r.choice(["cook", "smith", "?"], ROWS)),
        "born": pa.array(day.astype(np.int32)).view(pa.date32()),
        "seen": pa.array(day * 86_400 + r.integers(0, 86_400, ROWS)).view(pa.timestamp("s")),
        "east": pa.array(r.normal(10, 1, ROWS), mask=gap),
        "id": pa.array([f"C-{i:04d}" for i in range(ROWS)]),
        "north": pa.array(r.normal(50, 1, ROWS), mask=gap),
        "note": pa.array([" ".join(r.choice(["on", "off", "and"], n)) for n in r.integers(1, 6, ROWS)]),
        "none": pa.nulls(ROWS, pa.string()),
        "ok": pa.array(r.random(ROWS) < 0.5),
    }
    columns = (
        Column("age", "integer", "int64"),
        Column("fee", "decimal", "string", decimals=2, notation={"prefix": "$", "thousands": ",", "least": 2}),
        Column("job", "category", "string", missing=("?",)),
        Column("born", "date", "date32[day]"),
        Column("seen", "datetime", "timestamp[s]", unit="s"),
        Column("east", "longitude", "double", partner="north"),
        Column("id", "key", "string", notation={"template": "C-####"}),
        Column("north", "latitude", "double", partner="east"),
        Column("note", "text", "string"),
        Column("none", "empty", "string"),
        Column("ok", "boolean", "bool"),
    )
    return Table("people", columns), pa.RecordBatch.from_pydict(arrays)


def codes(block: Block) -> Block:
    return Block(tuple(replace(c, reals=None) for c in block), len(block))


def there_and_back(learned: Encoder, batch: pa.RecordBatch) -> pa.RecordBatch:
    return learned.decode(codes(learned.encode(batch, Run(1))), range(batch.num_rows), Run(2))


def test_every_column_has_one_seat_and_places_sit_together() -> None:
    schema, _ = table()
    found = seats(schema)
    assert sorted(i for s in found for i in s.columns) == list(range(len(schema.columns)))
    (place,) = (s for s in found if s.codec == "place")
    assert [schema.names[i] for i in place.columns] == ["north", "east"], "the latitude first, whichever comes first"


@pytest.mark.parametrize("partner", [None, "nobody", "north", "other"])
def test_half_a_place_is_a_number(partner: str | None) -> None:
    schema = Table("t", (Column("north", "latitude", partner=partner), Column("other", "decimal")))
    assert [s.codec for s in seats(schema)] == ["number", "number"]


def test_a_table_goes_there_and_back() -> None:
    schema, batch = table()
    learned = learn(schema, [batch], Run(0))
    found = there_and_back(learned, batch)
    assert found.schema.names == schema.names and found.num_rows == ROWS
    plain = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in found.schema]
    assert plain == [f.type for f in batch.schema]
    for name in schema.names:
        a, b = batch[name], found[name]
        assert a.is_null().equals(b.is_null()), name
    assert found["job"].to_pylist() == batch["job"].to_pylist() and found["ok"].equals(batch["ok"])
    assert not set(found["id"].to_pylist()) - {f"C-{i:04d}" for i in range(10_000)}
    assert all(f is None or f.startswith("$") for f in found["fee"].to_pylist())
    assert len(learned.words()) == len(learned.seats)


def test_parts_and_workers_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    schema, batch = table()
    whole = learn(schema, [batch], Run(0, workers=1))
    monkeypatch.setattr(encoder, "PART", 100)
    parts = learn(schema, [batch.slice(i, 50) for i in range(0, ROWS, 50)], Run(0, workers=4))
    one, other = (there_and_back(e, batch) for e in (whole, parts))
    for name in schema.names:
        a, b = one[name].to_pylist(), other[name].to_pylist()
        if isinstance(a[0], float):
            assert np.allclose([v or 0 for v in a], [v or 0 for v in b], rtol=1e-6), name
        else:
            assert np.mean([x == y for x, y in zip(a, b, strict=True)]) > 0.99, name


def stored(state: State) -> State:
    return State(json.loads(json.dumps(state.plain, allow_nan=False)), state.arrays)


def test_what_was_stored_is_the_same() -> None:
    schema, batch = table()
    learned = learn(schema, [batch], Run(0))
    again = Encoder.from_state(schema, stored(learned.state()))
    assert there_and_back(again, batch).equals(there_and_back(learned, batch))
    assert again.widths == learned.widths


@pytest.mark.parametrize("name", ["seats", "widths", "parts"])
@pytest.mark.parametrize(
    "wrong", [None, 3, [], {}, "x", [1], [{}], [{"columns": [0], "codec": "number", "coder": "State"}]]
)
def test_a_damaged_encoder_is_refused(name: str, wrong: object) -> None:
    schema, batch = table()
    state = stored(learn(schema, [batch], Run(0)).state())
    with pytest.raises(FabricaError):
        Encoder.from_state(schema, State({**state.plain, name: wrong}, state.arrays))
    with pytest.raises(ModelFileError):
        Encoder.from_state(Table("other", schema.columns[:2]), state)


def test_a_table_without_rows_has_nothing_to_learn() -> None:
    schema, batch = table()
    with pytest.raises(InputError, match="no rows"):
        learn(schema, [batch.slice(0, 0)], Run(0))


@pytest.mark.parametrize("rows", [1, 2, 4, 7])
def test_a_few_rows_end_in_a_result(rows: int) -> None:
    schema, batch = table()
    few = batch.slice(0, rows)
    found = there_and_back(learn(schema, [few], Run(0)), few)
    assert found.num_rows == rows
    if rows < 5:
        assert found["age"].null_count == rows, "of fewer than k rows no number is told"


REAL = ["adult/train.csv", "bike_sharing/bike_sharing.csv", "metro_traffic/metro_interstate_traffic.csv"]


@pytest.mark.parametrize("name", REAL)
def test_real_tables_keep_their_margins(name: str) -> None:
    path = Path(__file__).resolve().parents[2] / "shared/data" / name
    if not path.exists():
        pytest.skip(f"the real table {name} is not beside this checkout")
    rows = csv.read_csv(path)
    schema, _ = infer(rows, "real")
    learned = learn(schema, rows.to_batches(), Run(0))
    batch = rows.combine_chunks().to_batches()[0].slice(0, 20_000)
    found = there_and_back(learned, batch)
    for column in schema.columns:
        a, b = batch[column.name], found[column.name]
        assert a.is_null().equals(b.is_null()), column.name
        if column.kind in ("integer", "decimal") and pa.types.is_primitive(a.type):
            x, y = (np.sort(np.asarray(v.drop_null()).astype(float)) for v in (a, b))
            at = np.concatenate([x, y])
            far = np.searchsorted(x, at, "right") - np.searchsorted(y, at, "right")
            assert np.abs(far).max() < 0.02 * len(x), column.name
