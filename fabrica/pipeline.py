"""The verbs, each a short function: fit, sample, evaluate, synth, inspect. Every door leads here.

A verb takes what a person has (a file, a folder, a frame) and gives what a person wants (a model, a frame, a report).
``make`` is the whole job as files in a folder: all of them appear, or none.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import fabrica
from fabrica import catalog
from fabrica.dataset import Dataset, write_table
from fabrica.errors import InputError, SettingError
from fabrica.evaluation import evaluate as judge
from fabrica.folder import Folder
from fabrica.inference import infer, load_overrides
from fabrica.model import TableModel, learn
from fabrica.recipe import Recipe, count, seconds
from fabrica.report import Report
from fabrica.run import Progress, Run
from fabrica.schema import Schema, Table

__all__ = ["Twin", "evaluate", "fit", "inspect", "load", "make", "sample", "synth"]

#: rows from which the schema is guessed; every guess is checked on all rows by the codecs
LOOK = 100_000

Listener = Callable[[Progress], None]
Say = Callable[[str], None]


def _silent(line: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Twin:
    """What ``synth`` gives: the synthetic rows, the model they come from, and how good they are."""

    data: Any
    model: TableModel
    report: Report

    def _repr_html_(self) -> str:
        return self.report._repr_html_()


def fit(data: Any, *, engine: str = "trees", seed: int = 7, schema: Any = None, budget: float | str | None = None,
        workers: int | None = None, listener: Listener | None = None, **settings: Any) -> TableModel:
    """Learn a table.

    Parameters
    ----------
    data : a path (file, folder or glob), a pandas, polars or Arrow table, or anything with ``__arrow_c_stream__``.
    engine : one of ``fabrica list engines``.
    seed : any whole number.
    schema : what you know better than the guess: a YAML or JSON file, a mapping column -> fields, or a ``Schema``.
    budget : how long learning may take, as seconds or as ``"60s"``, ``"2m"``.
    workers : threads; None for all cores. The result does not depend on it.
    settings : the engine's own settings.
    """
    way = catalog.get("engines", engine).with_settings(settings)
    run = Run(seed, workers=workers, listener=listener, budget=seconds(budget))
    dataset = Dataset.open(data)
    table, _ = guess(dataset, run, schema)
    return learn(dataset, table, way, run.child("fit"))


def sample(model: TableModel | str | Path, rows: int | str, *, seed: int = 0, workers: int | None = None,
           listener: Listener | None = None) -> Any:
    """``rows`` synthetic rows from a model or its file, as the kind of frame that came in."""
    return load(model).sample(count(rows), seed=seed, workers=workers, listener=listener)


def load(model: TableModel | str | Path) -> TableModel:
    """The model of a file; a model is passed through."""
    return model if isinstance(model, TableModel) else TableModel.load(model)


def evaluate(real: Any, synthetic: Any, holdout: Any = None, *, target: str | None = None, schema: Any = None,
             metrics: Sequence[str] | None = None, seed: int = 7, workers: int | None = None,
             listener: Listener | None = None) -> Report:
    """Measure how much ``synthetic`` is like ``real``, and like real rows that nobody learned from (``holdout``)."""
    run = Run(seed, workers=workers, listener=listener)
    return measure(real, synthetic, holdout, target=target, schema=schema, metrics=metrics, run=run)[0]


def synth(data: Any, *, engine: str = "trees", seed: int = 7, holdout: Any = 0.2, rows: int | None = None,
          target: str | None = None, schema: Any = None, budget: float | str | None = None,
          workers: int | None = None, listener: Listener | None = None, **settings: Any) -> Twin:
    """The main job on a frame: keep a holdout, learn the rest, sample as many rows, judge them."""
    apart = holdout if isinstance(holdout, (int, float, str)) else 0.0
    recipe = Recipe("", engine, settings, seed, apart, rows, target, seconds(budget), None)
    run = Run(seed, workers=workers, listener=listener, budget=recipe.budget)
    job = Job.begin(recipe, Dataset.open(data), run, schema, None if apart is holdout else holdout)
    model = job.learn()
    twin = model.sample(job.size, seed=seed, workers=workers, listener=listener)
    return Twin(twin, model, job.judge(Dataset.open(twin)))


def inspect(data: Any, *, schema: Any = None, seed: int = 7) -> tuple[Table, list[str]]:
    """The guessed schema of a table and the guesses that matter, a line each."""
    return guess(Dataset.open(data), Run(seed), schema)


# ---------------------------------------------------------------- the whole job


@dataclass(frozen=True)
class Job:
    """One run of ``synth`` between its steps."""

    recipe: Recipe
    run: Run
    table: Table
    notes: tuple[str, ...]
    train: Dataset
    holdout: Dataset | None
    size: int
    facts: dict[str, Any]

    @classmethod
    def begin(cls, recipe: Recipe, dataset: Dataset, run: Run, schema: Any, holdout: Any = None) -> Job:
        """Guess the schema, check what was asked against it, and put the holdout aside."""
        catalog.get("engines", recipe.engine).with_settings(recipe.settings)
        table, notes = guess(dataset, run, schema)
        check_columns(table, recipe.target)
        train, rest = dataset, None
        if holdout is not None or isinstance(recipe.holdout, str):
            rest = Dataset.open(recipe.holdout if holdout is None else holdout)
            check_columns(table, None, **{"the holdout": rest})
        elif recipe.holdout:
            train, rest = split(dataset, recipe.holdout, run.child("holdout"))
        return cls(recipe, run, table, tuple(notes), train, rest, recipe.rows or dataset.rows, {})

    def learn(self) -> TableModel:
        started = time.monotonic()
        engine = catalog.get("engines", self.recipe.engine).with_settings(self.recipe.settings)
        model = learn(self.train, self.table, engine, self.run.child("fit"))
        self.facts["fit_seconds"] = round(time.monotonic() - started, 2)
        return model

    def judge(self, twin: Dataset) -> Report:
        report = judge(self.train, twin, self.holdout, table=self.table, target=self.recipe.target,
                       run=self.run.child("evaluate"))
        return replace(report, facts={**report.facts, **self.told()})

    def told(self) -> dict[str, Any]:
        return {"fabrica": fabrica.__version__, "engine": self.recipe.engine, "recipe": self.recipe.told(),
                "notes": list(self.notes), **self.facts}


def make(recipe: Recipe, out: str | Path, *, run: Run | None = None,
         say: Say = _silent) -> tuple[Report, dict[str, Path]]:
    """The whole job of a recipe as files in the folder ``out``: data, report, model, schema and recipe.

    All files appear, or none. Files of other names in the folder are left alone.
    """
    run = run or Run(recipe.seed, budget=recipe.budget)
    with Folder(out, keep=[recipe.data]) as folder:
        dataset = Dataset.open(recipe.data)
        job = Job.begin(recipe, dataset, run, recipe.schema)
        for note in job.notes:
            say(note)
        model = job.learn()
        path = folder.path(f"data{suffix(recipe.data, dataset)}")
        write_table(path, model.arrow_schema, model.sample_batches(job.size, run.child("sample")), like=dataset)
        report = job.judge(Dataset.open(path))
        report.save(folder.path("report.html"))
        report.save(folder.path("report.json"))
        model.save(folder.path("model.fab"))
        folder.path("schema.json").write_text(Schema((model.table,)).dumps(), encoding="utf-8")
        folder.path("recipe.json").write_text(recipe.dumps(), encoding="utf-8")
        return report, folder.done()


def keep(recipe: Recipe, path: Path, *, run: Run, say: Say = _silent) -> tuple[Path, TableModel]:
    """Learn the table of a recipe and save the model."""
    with Folder(path.parent, keep=[recipe.data]) as folder:
        dataset = Dataset.open(recipe.data)
        table, notes = guess(dataset, run, recipe.schema)
        for note in notes:
            say(note)
        engine = catalog.get("engines", recipe.engine).with_settings(recipe.settings)
        model = learn(dataset, table, engine, run.child("fit"))
        model.save(folder.path(path.name))
        return folder.done()[path.name], model


def draw(file: str | Path, rows: int, path: Path, *, run: Run) -> Path:
    """Write ``rows`` synthetic rows to ``path``, chunk by chunk."""
    model = load(file)
    with Folder(path.parent, keep=[file]) as folder:
        write_table(folder.path(path.name), model.arrow_schema, model.sample_batches(rows, run))
        return folder.done()[path.name]


def pour(file: str | Path, rows: int, stream: BinaryIO, *, run: Run) -> None:
    """Write ``rows`` synthetic rows to an open stream, as CSV."""
    with TemporaryDirectory() as folder:
        path = draw(file, rows, Path(folder) / "rows.csv", run=run)
        with path.open("rb") as made:
            shutil.copyfileobj(made, stream)
    stream.flush()


def measure(real: Any, synthetic: Any, holdout: Any = None, *, target: str | None = None, schema: Any = None,
            metrics: Sequence[str] | None = None, out: Path | None = None, run: Run) -> tuple[Report, dict[str, Path]]:
    """The report of an evaluation and, with ``out``, its files."""
    for name in metrics or ():
        catalog.get("metrics", name)
    whole, twin, rest = (None if thing is None else Dataset.open(thing) for thing in (real, synthetic, holdout))
    table, notes = guess(whole, run, schema)
    check_columns(table, target, **{"the synthetic table": twin, "the holdout": rest})
    with Folder(out) if out else nullcontext() as folder:
        report = judge(whole, twin, rest, table=table, target=target, metrics=metrics, run=run.child("evaluate"))
        report = replace(report, facts={**report.facts, "fabrica": fabrica.__version__, "notes": notes})
        if folder is None:
            return report, {}
        report.save(folder.path("report.html"))
        report.save(folder.path("report.json"))
        return report, folder.done()


# ---------------------------------------------------------------- small steps


def guess(dataset: Dataset, run: Run, schema: Any = None) -> tuple[Table, list[str]]:
    """The table's schema: guessed from a sample, with what the user knows better."""
    if isinstance(schema, Schema):
        return schema.table, []
    if isinstance(schema, Table):
        return schema, []
    overrides = load_overrides(schema) if isinstance(schema, (str, Path)) else schema
    looked = dataset.sample(LOOK, run.child("look"))
    table, notes = infer(looked, dataset.name, overrides, rows=dataset.rows)
    return table, list(notes)


def check_columns(table: Table, target: str | None = None, **others: Dataset | None) -> None:
    """Refuse a target that is not there and tables that lack a column."""
    if target is not None:
        _ = table[target]
    for what, other in others.items():
        names = set(table.names if other is None else other.schema.names)
        lacking = [name for name in table.names if name not in names]
        if lacking:
            raise InputError(f"{what} lacks {len(lacking)} of {len(table.names)} columns, the first: {lacking[0]!r}",
                             hint="give tables with the same columns")


def split(dataset: Dataset, share: float, run: Run) -> tuple[Dataset, Dataset]:
    """Two datasets, of about ``1 - share`` and ``share`` of the rows: a seeded uniform draw for each row."""
    import pyarrow as pa

    random, kept, apart = run.random(), [], []
    for batch in dataset.batches():
        aside = pa.array(random.random(batch.num_rows) < share)
        table = pa.Table.from_batches([batch])
        kept.append(table.filter(pa.compute.invert(aside)))
        apart.append(table.filter(aside))
    train, rest = pa.concat_tables(kept), pa.concat_tables(apart)
    if not train.num_rows or not rest.num_rows:
        raise SettingError(f"leaves no rows on one side of {dataset.rows}", where="holdout",
                           hint="use a larger table, another share, or 0 for no holdout")
    return Dataset.open(train, dataset.name), Dataset.open(rest, dataset.name)


def suffix(data: str, dataset: Dataset) -> str:
    """The ending of the output: the input's, also where it is compressed or a folder of parts."""
    name = Path(data).name
    known = sorted((s for f in catalog.names("sources") for s in catalog.get("sources", f).suffixes), key=len)
    for ending in reversed(known):
        if name.lower().endswith(ending):
            return ending
    return f".{dataset.format}"


def settings_from(engine: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a command line as values of the engine's settings."""
    way = catalog.get("engines", engine)
    known = way.settings()
    return {name: _value(name, text, known[name][0]) if name in known else text for name, text in texts.items()}


def _value(name: str, text: str, kind: type) -> Any:
    words = {"true": True, "yes": True, "false": False, "no": False}
    try:
        if kind is bool:
            return words[text.lower()]
        return int(float(text)) if kind is int and float(text).is_integer() else kind(text)
    except (ValueError, KeyError, OverflowError):
        raise SettingError(f"must be {kind.__name__}", where=f"setting {name!r}") from None
