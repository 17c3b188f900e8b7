"""Every engine, metric and source keeps its promises; each promise catches a careless twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fabrica import catalog
from fabrica.block import Block
from fabrica.checks import Broken, check_engine, check_metric, check_source
from fabrica.contract import Engine, Evidence, Masked, Metric, Model, Sheet
from fabrica.engines.independent import Independent, IndependentModel
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.sources.parquet import Parquet
from fabrica.state import State
from fabrica.way import Way

#: a choice among all engines takes as long as all of them
QUICK: dict[str, dict[str, Any]] = {"auto": {"among": "bayesnet,trees"}}


@pytest.mark.parametrize("name", catalog.names("engines"))
def test_every_engine(name: str) -> None:
    check_engine(Way.of(name, QUICK.get(name, {})).engine)


@pytest.mark.parametrize("name", catalog.names("sources"))
def test_every_source(name: str, tmp_path: Path) -> None:
    source = catalog.get("sources", name)()
    if name == "excel":
        pytest.importorskip("openpyxl", reason="Excel needs the extra `excel`")
    check_source(source, tmp_path)


# ---------------------------------------------------------------- careless engines


@dataclass(frozen=True)
class Drawn(Model, Masked):
    inner: IndependentModel
    how: str

    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        block = self.inner.sample(size, given, run)
        first = block.columns[0] if block.columns else None
        if first is None:
            return block
        if self.how == "too few" and size > 1:
            return block.take(slice(0, size - 1))
        if self.how == "beyond":
            return Block.of([replace(first, codes=first.codes + first.size), *block.columns[1:]], size)
        if self.how == "the rest":
            return Block.of([c.filled(np.full(size, c.rest)) if c.rest is not None else c for c in block], size)
        if self.how == "the rest as missing":
            gone = run.child("gone").random().random(size) < 0.22
            return Block.of([c.filled(np.where(gone, 0, c.codes)) if c.rest and c.absent else c for c in block], size)
        if self.how == "one code":
            return Block.of([c.filled(np.zeros(size, np.uint8)) if c.rest is None else c for c in block], size)
        if self.how == "chance in the air":
            return block.take(np.random.default_rng().permutation(size))
        if self.how == "another alphabet":
            return Block.of([replace(first, size=first.size + 1), *block.columns[1:]], size)
        return block

    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        if self.how == "deaf to masks":
            return self.inner.sample(size, None, run), np.zeros(size)
        if self.how == "masks by halves":
            allowed = {j: (m > 0) * 1.0 for j, m in allowed.items()}
        rows, left = self.inner.masked(size, allowed, run)
        return rows, np.zeros(size) if self.how == "forgets what masks leave" else left

    def state(self) -> State:
        state = self.inner.state()
        if self.how == "forgets":
            return State(state.plain, {n: np.linspace(0, 1, len(a)) for n, a in state.arrays.items()})
        return state

    @classmethod
    def from_state(cls, state: State) -> Drawn:
        return cls(IndependentModel.from_state(state), "")


@dataclass(frozen=True)
class Careless(Engine):
    how: str = ""

    def fit(self, rows: Block, given: Block | None, run: Run) -> Model:
        model = Independent().fit(rows, given, run)
        if self.how == "scribbles":
            for column in rows:
                column.codes[:] = 0
        if self.how == "learns by the clock" and rows.columns:
            turned = Block.of(
                [c.take(np.random.default_rng().integers(0, len(rows), len(rows))) for c in rows], len(rows)
            )
            model = Independent().fit(turned, given, run)
        return Drawn(model, self.how)


CARELESS = {
    "too few": "as many rows",
    "beyond": "below the size",
    "the rest": "rest is never drawn",
    "the rest as missing": "margins",
    "one code": "margins",
    "chance in the air": "same seed gives",
    "another alphabet": "alphabet",
    "forgets": "stored",
    "deaf to masks": "ruled out",
    "forgets what masks leave": "how much the masks leave",
    "masks by halves": "masks",
    "scribbles": "left as it was",
    "learns by the clock": "learning twice",
}


@pytest.mark.parametrize("how", CARELESS)
def test_each_promise_of_an_engine_bites(how: str) -> None:
    with pytest.raises(Broken, match=CARELESS[how]):
        check_engine(Careless(how))


# ---------------------------------------------------------------- metrics


def evidence() -> Evidence:
    r = np.random.Generator(np.random.Philox(1))

    def sheet(rows: int) -> Sheet:
        x = r.normal(size=rows)
        x[r.random(rows) < 0.1] = np.nan
        level = (r.random(rows) * 3).astype(np.int32)
        return Sheet(rows, {"x": x, "y": r.normal(size=rows) + level, "c": level}, {"c": ("a", "b", "d")})

    table = Table("t", (Column("x", "decimal"), Column("y", "decimal"), Column("c", "category")))
    return Evidence(table, sheet(800), sheet(800), sheet(400), "c")


@dataclass(frozen=True)
class Words(Metric):
    how: str = ""
    title = "for tests"
    source = "nobody"
    numbers = ("words",)

    def judge(self, evidence: Evidence, run: Run) -> Any:
        value = float(run.random().random())
        if self.how == "nothing":
            return ()
        if self.how == "the clock":
            value = float(np.random.default_rng().random())
        if self.how == "scribbles":
            evidence.synthetic.values["y"][:] = 0
        place = ("nobody",) if self.how == "elsewhere" else ("x",)
        return [
            Finding(
                "" if self.how == "no name" and i else "words",
                value,
                place,
                low=i * 2.0,
                high=1.0 + (0 if self.how == "turned" else 9),
            )
            for i in range(2)
        ]


@pytest.mark.parametrize("name", catalog.names("metrics"))
def test_every_metric(name: str) -> None:
    check_metric(catalog.get("metrics", name)(), evidence())


def test_an_honest_metric_passes() -> None:
    assert len(check_metric(Words(), evidence())) == 2


@pytest.mark.parametrize(
    ("how", "promise"),
    {
        "nothing": "finds something",
        "the clock": "same seed",
        "scribbles": "left as it was",
        "elsewhere": "columns of the table",
        "no name": "carries a name",
        "turned": "ends in order",
    }.items(),
)
def test_each_promise_of_a_metric_bites(how: str, promise: str) -> None:
    with pytest.raises(Broken, match=promise):
        check_metric(Words(how), evidence())


# ---------------------------------------------------------------- careless sources


class Short(Parquet):
    how = ""

    def read(self, path: Path, *, batch_rows: int = 1 << 16) -> Any:
        for i, batch in enumerate(super().read(path, batch_rows=batch_rows)):
            if self.how == "loses" and i == 1:
                continue
            if self.how == "renames":
                yield batch.rename_columns(["name", "b"])
            elif self.how == "turns":
                yield batch.take(pa.array(range(batch.num_rows)[::-1]))
            elif self.how != "nothing" or batch.num_rows:
                yield batch


@pytest.mark.parametrize(
    ("how", "promise"),
    {
        "loses": "all rows",
        "renames": "names of columns",
        "turns": "in their order",
        "nothing": "one empty batch",
    }.items(),
)
def test_each_promise_of_a_source_bites(how: str, promise: str, tmp_path: Path) -> None:
    source = Short()
    object.__setattr__(source, "how", how)
    with pytest.raises(Broken, match=promise):
        check_source(source, tmp_path)
