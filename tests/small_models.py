"""A small table with a column of every kind, and models of it: what the tests of models and model files share."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from fabrica import catalog
from fabrica.dataset import Dataset
from fabrica.model import TableModel, learn
from fabrica.run import Run
from fabrica.schema import Column, Table

__all__ = ["COLUMNS", "SECRETS", "made", "made_of_rules", "made_of_ties", "rows_of_everything"]

ROWS = 400
SECRETS = ("Zyxomma", "Quillfish")  #: levels that two people hold and one person holds

COLUMNS = (
    Column("age", "integer", "int64"),
    Column("fee", "decimal", "string", decimals=2, notation={"prefix": "$", "thousands": ",", "least": 2},
           missing=("?",)),
    Column("weight", "decimal", "double"),
    Column("job", "category", "string", missing=("?", "n/a")),
    Column("size", "ordinal", "string", levels=("small", "middle", "large")),
    Column("ok", "boolean", "bool"),
    Column("born", "date", "date32[day]"),
    Column("paid", "date", "string", notation="%d/%m/%Y"),
    Column("seen", "datetime", "timestamp[us, tz=Europe/Berlin]", unit="us", timezone="Europe/Berlin"),
    Column("woke", "time", "time32[s]", unit="s"),
    Column("slept", "duration", "duration[ms]", unit="ms"),
    Column("east", "longitude", "double", partner="north"),
    Column("north", "latitude", "double", partner="east"),
    Column("id", "key", "string", notation={"template": "C-####"}),
    Column("number", "key", "int64"),
    Column("note", "text", "string"),
    Column("same", "constant", "string"),
    Column("none", "empty", "string"),
    Column("blank", "empty", "string", missing=("?", "-")),
)


def rows_of_everything() -> pa.Table:
    """400 people, a column of every kind; point masses, missing cells and rare levels among them."""
    r = np.random.Generator(np.random.Philox(4))
    gap = r.random(ROWS) < 0.1
    day = r.integers(15_000, 19_000, ROWS)
    jobs = r.choice(["cook", "smith", "?", "n/a"], ROWS, p=[0.5, 0.3, 0.1, 0.1]).astype(object)
    jobs[[3, 200]], jobs[77] = SECRETS[0], SECRETS[1]
    return pa.table({
        "age": pa.array(np.where(r.random(ROWS) < 0.2, 99999, r.integers(18, 90, ROWS))),
        "fee": pa.array(["?" if g else f"${v:,.2f}" for g, v in zip(gap, r.lognormal(7, 1, ROWS), strict=True)]),
        "weight": pa.array(r.normal(70, 9, ROWS), mask=gap),
        "job": pa.array(jobs.tolist()),
        "size": pa.array(r.choice(["small", "middle", "large"], ROWS).tolist()),
        "ok": pa.array(r.random(ROWS) < 0.5),
        "born": pa.array(day.astype(np.int32)).view(pa.date32()),
        "paid": pa.array([f"{d % 28 + 1:02d}/{d % 12 + 1:02d}/2024" for d in day]),
        "seen": pa.array((day * 86_400 + r.integers(0, 86_400, ROWS)) * 10**6).view(
            pa.timestamp("us", "Europe/Berlin")),
        "woke": pa.array((r.integers(18_000, 36_000, ROWS)).astype(np.int32)).view(pa.time32("s")),
        "slept": pa.array(r.integers(10**6, 10**8, ROWS)).view(pa.duration("ms")),
        "east": pa.array(r.normal(10, 1, ROWS), mask=gap),
        "north": pa.array(r.normal(50, 1, ROWS), mask=gap),
        "id": pa.array([f"C-{i:04d}" for i in range(ROWS)]),
        "number": pa.array(np.arange(ROWS) + 5),
        "note": pa.array([" ".join(r.choice(["on", "off", "and", f"x{i}"], n)) for i, n in
                          enumerate(r.integers(1, 6, ROWS))]),
        "same": pa.array(["x"] * ROWS),
        "none": pa.nulls(ROWS, pa.string()),
        "blank": pa.array(r.choice(["?", "-"], ROWS).tolist()),
    })


@cache
def made(engine: str = "trees") -> TableModel:
    """A model of the table of everything."""
    settings = {"trees": 2} if engine == "trees" else {}
    way = catalog.get("engines", engine).with_settings(settings)
    data = Dataset.open(rows_of_everything(), name="people")
    return learn(data, Table("people", COLUMNS), way, Run(5, workers=1), name=engine, codes=16)


@cache
def made_of_ties() -> TableModel:
    """A model with what only ties bring: a sum of columns, a cell of two columns, values rounded to hundreds."""
    r = np.random.Generator(np.random.Philox(6))
    net, tax, yes, no = r.gamma(2.0, size=1200), r.gamma(2.0, size=1200), *r.integers(0, 2, (2, 1200))
    pay = np.round(r.lognormal(12, 1, 1200) / 100) * 100
    table = pa.table({"net": net, "tax": tax, "total": net + tax, "yes": yes, "no": no, "odd": yes ^ no, "pay": pay})
    whole = ("yes", "no", "odd")
    columns = tuple(Column(n, "integer", "int64") if n in whole else
                    Column(n, "decimal", "double", decimals=0 if n == "pay" else None) for n in table.column_names)
    way, data = catalog.get("engines", "trees").with_settings({"trees": 2}), Dataset.open(table, name="ties")
    return learn(data, Table("ties", columns), way, Run(5, workers=1), name="trees", codes=16)


@cache
def made_of_rules() -> TableModel:
    """A model with what only rules bring: a sum, a gap, a look-up table, a group, a cell that is emptied."""
    r = np.random.Generator(np.random.Philox(8))
    net, tax, start = r.integers(1, 90, 600), r.integers(0, 9, 600), r.integers(15_000, 15_300, 600)
    state, pick = r.integers(0, 6, 600), r.integers(0, 3, 600)
    day = lambda days: pa.array(days.astype(np.int32)).view(pa.date32())  # noqa: E731
    table = pa.table({
        "net": net, "tax": tax, "total": net + tax, "start": day(start), "end": day(start + r.geometric(0.3, 600)),
        "state": [f"s{s}" for s in state], "when": day(16_000 + state), "level": state % 3, "ok": state > 2,
        **{name: (pick == i).astype(int) for i, name in enumerate("abc")},
        "packs": pa.array(r.integers(1, 9, 600), mask=pick == 0), "note": [f"n{i}" for i in range(600)]})
    kinds = {"start": "date", "end": "date", "when": "date", "state": "category", "ok": "boolean", "note": "text"}
    rules = ("total == net + tax", "end > start", "state -> when", "state -> ok", "when, ok -> level",
             "onehot(a, b, c)", "packs is null when a == 1", "matches(note, 'n[0-9]+')", "net <= 95",
             "not (level == 0 and net > 95)")
    columns = tuple(Column(n, kinds.get(n, "integer"), str(table[n].type)) for n in table.column_names)
    way, data = catalog.get("engines", "independent")(), Dataset.open(table, name="ruled")
    return learn(data, Table("ruled", columns, rules=rules), way, Run(5, workers=1), name="independent", codes=16)
