"""A learned table: it samples, it is saved, it comes back the same, and it gives the kind of frame that came in."""

from __future__ import annotations

import html
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pytest
from small_models import COLUMNS, SECRETS, made, rows_of_everything

import fabrica
from fabrica import model as models
from fabrica.dataset import Dataset
from fabrica.errors import FabricaError
from fabrica.model import CHUNK, TableModel
from fabrica.run import Run


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made().save(tmp_path_factory.mktemp("saved") / "people.fab")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of everything as a CSV file."""
    path = tmp_path_factory.mktemp("written") / "people.csv"
    data = rows_of_everything()
    kinds = [pa.string() if pa.types.is_duration(f.type) else f.type for f in data.schema]
    columns = [c.cast(pa.int64()).cast(k) if pa.types.is_duration(c.type) else c
               for c, k in zip(data.columns, kinds, strict=True)]
    pa.csv.write_csv(pa.table(columns, names=data.column_names), path)
    return path


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("engine", ["trees", "independent"])
def test_what_was_saved_samples_the_same(engine: str, tmp_path: Path) -> None:
    model = made(engine)
    again = TableModel.load(model.save(tmp_path / "m.fab"))
    assert again.table == model.table and again.facts == model.facts and again.words() == model.words()
    assert again.sample(700, seed=4).equals(model.sample(700, seed=4))
    assert not again.sample(700, seed=5).equals(model.sample(700, seed=4))


def test_a_twin_has_the_columns_and_types_of_the_original() -> None:
    real, twin = rows_of_everything(), made().sample(300)
    assert twin.schema == real.schema and twin.num_rows == 300
    assert twin["none"].null_count == 300 and set(twin["blank"].to_pylist()) == {"?", "-"}
    assert len(set(twin["id"].to_pylist())) == 300, "keys are unique"
    assert not set(twin["weight"].drop_null().to_pylist()) & set(real["weight"].to_pylist()), "nobody's own number"
    assert 99999 in twin["age"].to_pylist(), "but the point mass"


def test_a_model_is_not_saved_over_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FabricaError, match="folder"):
        made().save(tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- how many rows


@pytest.mark.parametrize("rows", [0, 1, 2, 64, 65, 129])
@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_rows(rows: int, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "CHUNK", 64)
    twin = made().sample(rows, seed=1, workers=workers)
    assert twin.num_rows == rows and twin.schema == rows_of_everything().schema
    assert twin.equals(made().sample(rows, seed=1, workers=1))
    sizes = [b.num_rows for b in made().sample_batches(rows, Run(1, workers=workers))]
    assert sizes == [64] * (rows // 64) + ([rows % 64] if rows % 64 else [])


@pytest.mark.parametrize("rows", [CHUNK, CHUNK + 1])
def test_a_whole_chunk_and_one_more(rows: int) -> None:
    model = fabrica.fit({"a": [1, 2, 3] * 50, "id": [f"K-{i:03d}" for i in range(150)]}, engine="independent")
    twin = model.sample(rows, seed=2)
    assert len(twin) == rows and len(set(twin["id"].to_pylist())) == rows, "keys are unique over chunks"


@pytest.mark.parametrize("rows", [-1, "many"])
def test_no_number_of_rows(rows: Any) -> None:
    with pytest.raises(FabricaError, match="rows"):
        made().sample(rows)


def test_progress_is_told_in_order() -> None:
    told: list[float] = []
    made("independent").sample(100, workers=2, listener=lambda p: told.append(p.step))
    assert told == sorted(told) and told[-1] == 100


# ---------------------------------------------------------------- frames


def plain() -> dict[str, list[Any]]:
    return {"n": list(range(200)), "x": [i / 7 for i in range(200)], "level": ["a", "b", "b", "c"] * 50}


MAKES: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame(plain()),
    "pandas with a category": lambda: pd.DataFrame(plain()).astype({"level": "category", "n": "int16"}),
    "pandas of arrow": lambda: pd.DataFrame(plain()).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda: pl.DataFrame(plain()),
    "arrow": lambda: pa.table(plain()),
}


@pytest.mark.parametrize("make", MAKES)
def test_the_frame_that_came_in_comes_out(make: str) -> None:
    frame = MAKES[make]()
    twin = fabrica.fit(frame, engine="independent").sample(50)
    assert type(twin) is type(frame) and len(twin) == 50
    if make == "arrow":
        assert twin.schema == frame.schema
    else:
        assert list(twin.columns) == list(frame.columns) and list(twin.dtypes) == list(frame.dtypes)


def test_a_loaded_model_gives_arrow(saved: Path) -> None:
    assert isinstance(TableModel.load(saved).sample(3), pa.Table)


def test_a_model_of_a_text_file_gives_numbers_to_frames_and_text_to_files(written: Path, tmp_path: Path) -> None:
    model = fabrica.fit(written, engine="independent")
    again = TableModel.load(model.save(tmp_path / "m.fab"))
    for one in (model, again):
        kinds = dict(zip(one.arrow_schema().names, one.arrow_schema().types, strict=True))
        assert kinds["age"] == pa.int64() and kinds["weight"] == pa.float64() and kinds["ok"] == pa.bool_()
        assert kinds["fee"] == kinds["job"] == pa.string(), "money keeps its writing"
        assert set(one.arrow_schema(as_text=True).types) == {pa.string()}
        assert one.sample(20).schema == one.arrow_schema()
        text = pa.Table.from_batches(one.sample_batches(20, Run(1), as_text=True))
        assert text.cast(one.arrow_schema(True))["fee"].drop_null().to_pylist()[0].startswith(("$", "?"))
    assert Dataset.open(written).textual and not made().facts["textual"]
    assert made().written() == made().written(as_text=True) == made().table


# ---------------------------------------------------------------- what it says


def test_a_model_shows_itself_and_escapes_what_it_did_not_write() -> None:
    nasty = "<script>alert('x')</script>"
    model = fabrica.fit({nasty: [1, 2] * 60, "a&b": ["<i>x</i>", "y"] * 60}, engine="independent")
    shown = model._repr_html_()
    assert nasty not in shown and html.escape(nasty) in shown and "a&amp;b" in shown and "<i>x" not in shown


def test_nothing_that_a_model_holds_or_says_is_a_rare_value(saved: Path) -> None:
    model = made()
    rare = [*SECRETS, *(f"x{i}" for i in range(0, 400, 7)), "C-0123"]
    state = repr(model.state().plain) + repr(model.state().arrays)
    assert not any(f"{value!r}" in state for value in rare)
    said = "\n".join(model.words()) + model._repr_html_() + repr(model.facts)
    assert not any(value in said for value in [*SECRETS, "x14 ", "C-0123"])
    twin = str(model.sample(5_000, seed=3).select(["job", "note"]).to_pydict())
    assert not any(value in twin for value in SECRETS)


def test_every_kind_of_column_is_in_the_table() -> None:
    from fabrica.schema import KINDS

    assert {c.kind for c in COLUMNS} == set(KINDS)


def arrays_of(state: Any, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array of a state and of its parts, by its path."""
    yield from ((f"{path}/{name}", array) for name, array in state.arrays.items())
    for part in state.plain.get("parts", {}):
        yield from arrays_of(state.part(part), f"{path}/{part}")


def test_no_number_of_a_model_is_one_rows_own() -> None:
    """Of columns whose values nobody shares, no array of a model holds one: knots, bands, edges, ends, cells."""
    r = np.random.Generator(np.random.Philox(5))
    x, z = r.lognormal(3, 1, (2, 4000))
    y = np.where(r.random(4000) < 0.7, np.round(x * 400) / 4 + 0.3, x * 100)  # seven in ten keep to quarters
    frame = pd.DataFrame({"x": x, "y": y, "z": z, "sum": 3 * x + z, "latitude": 48 + r.random(4000) / 3,
                          "longitude": 11 + r.random(4000) / 3})
    model = fabrica.fit(frame, seed=1)
    held = np.concatenate([frame[c].value_counts().loc[lambda n: n < 5].index for c in frame])
    assert len(held) > 15_000 and len(model.model.stages[2].derived)
    found = list(arrays_of(model.state()))
    assert {"/encoder", "/model"} <= {"/" + path.split("/")[1] for path, _ in found}
    told = {path: float(np.isin(a, held).mean()) for path, a in found if a.dtype.kind == "f" and len(a)}
    assert not {path: share for path, share in told.items() if share > 0}


def test_a_model_does_not_depend_on_the_threads_of_linear_algebra(tmp_path: Path) -> None:
    program = ("import sys, numpy as np, pandas as pd, fabrica\n"
               "r = np.random.Generator(np.random.Philox(6)); x = r.normal(size=(6000, 6))\n"
               "f = pd.DataFrame(np.c_[x, x @ r.normal(size=(6, 4))], columns=list('abcdefghij'))\n"
               "m = fabrica.fit(f, seed=1, workers=1); assert any(s.derived for s in m.model.stages)\n"
               "m.save(sys.argv[1])")
    for threads in "12":
        words = [sys.executable, "-c", program, str(tmp_path / f"{threads}.fab")]
        subprocess.run(words, check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": threads})
    assert (tmp_path / "1.fab").read_bytes() == (tmp_path / "2.fab").read_bytes()


def test_k_reaches_what_is_written_down() -> None:
    """A word of fourteen rows stands nowhere in a model whose k is fifty."""
    r = np.random.Generator(np.random.Philox(7))
    frame = pd.DataFrame({"grade": ["low"] * 300 + ["medium"] * 200 + ["high"] * 14, "x": r.integers(0, 9, 514),
                          "band": ["0-9"] * 300 + ["10-19"] * 200 + ["20-29"] * 14})
    assert "high" in repr(fabrica.fit(frame, seed=1).state().plain)
    state = repr(fabrica.fit(frame, seed=1, k=50).state().plain)
    assert "medium" in state and "high" not in state and "20-29" not in state
