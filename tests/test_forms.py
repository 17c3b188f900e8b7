"""How one single row is written is not how its column is written: a form tells of people as a level does."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from fabrica.inference import infer, verify

PLAIN = [str(20 + i % 60) for i in range(3_000)]
PRICES = [f"{20 + i % 60}.{i % 100:02}" for i in range(3_000)]
DAYS = [f"{1 + i % 28:02}/{1 + i % 12:02}/2024" for i in range(3_000)]
CLOCKS = [f"{i % 24:02}:{i % 60:02}" for i in range(3_000)]


@pytest.mark.parametrize(("cells", "odd"), [
    (PLAIN, "+51"), (PLAIN, "5,112"), (PRICES, "(51.12)"), (PRICES, "51.123456789"), (PRICES, "51.123"),
    (DAYS, "3/1/2024"), (CLOCKS, "10:30:59"), (PRICES, "1,151.12")])
def test_how_one_row_is_written_is_not_how_the_column_is(cells, odd):
    """With the odd row and without it the same schema comes out, but that odd cells are let pass."""
    for place in (0, 1_700, 3_000):
        table = pa.table({"x": [*cells[:place], odd, *cells[place:]]})
        alone, _ = infer(pa.table({"x": cells}))
        found, _ = verify(infer(table)[0], table.to_batches())
        assert replace(found["x"], lenient=False) == alone["x"], odd


@pytest.mark.parametrize(("kind", "cells", "odd"), [
    (pa.float64(), [1.25, 2.5], 3.123456), (pa.float64(), [1.25, 2.5], 1e300), (pa.timestamp("us"), [60_000_000, 0], 1),
    (pa.duration("ns"), [10**9, 3 * 10**9], 7), (pa.time64("us"), [60_000_000, 0], 1)])
def test_how_fine_one_cell_is_is_not_how_fine_the_column_is(kind, cells, odd):
    made = (pa.array([*cells * 1_500, *more]) for more in ([], [odd]))
    one, other = (infer(pa.table({"x": a if kind == pa.float64() else a.cast(kind)}))[0]["x"] for a in made)
    assert one == other
