"""The workshop: whoever knows how a twin was made can make another one, of other rows, and look into its model.

Some attacks need more than the twin: shadow models learn again with somebody and without, canaries are planted into
the rows before the whole job is done once more, and who holds the model file asks it how likely somebody is. A
``Workshop`` has the recipe, the rows and the model; for the rows that are judged it gives a ``Maker``, which metrics
know. What it makes is looked at and thrown away; an account of privacy is not charged, for nothing of it is released.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica import catalog
from fabrica.attack import NO_LIKELIHOOD
from fabrica.block import Block
from fabrica.contract import Chooser, Engine, Evidence, Likelihood, Maker, Sheet
from fabrica.counted import Counted, filled
from fabrica.dataset import Dataset, write_table
from fabrica.errors import FabricaError, NotComputable
from fabrica.job import Job, by_units
from fabrica.model import TableModel
from fabrica.recipe import Recipe
from fabrica.run import Run
from fabrica.schema import Schema, Table
from fabrica.sheets import sheets
from fabrica.way import Way

__all__ = ["Learner", "Workshop"]

MOST = 10_000  #: rows with which the whole job is done again
REFERENCE = "bayesnet"  #: learns what others are like where the engine itself learns through noise alone
PATIENCE = 60.0  #: seconds for learning what others are like


@dataclass(frozen=True)
class Workshop:
    """How a twin was made.

    Parameters
    ----------
    recipe : the run that made it. model : what was learned.
    real, holdout : the rows that were learned from and those put aside, as they are judged.
    schema : what the caller knew of the columns, where the recipe can only name files.

    >>> work = Workshop(recipe, model, "train.csv", "test.csv")                      # doctest: +SKIP
    >>> evaluate(real, twin, holdout, table=model.table, attacks=True, maker=work.maker, run=run)   # doctest: +SKIP
    """

    recipe: Recipe
    model: TableModel
    real: Any
    holdout: Any = None
    schema: Any = None

    def maker(self, evidence: Evidence, keep: Sequence[np.ndarray | None] = ()) -> Learner:
        """Who learns again from the rows of some evidence; ``keep`` are the numbers of those that are judged of the
        original and of the holdout, None for all."""
        keep = [*keep, None, None]
        given = [self.real, *([] if self.holdout is None else [self.holdout])]
        datasets = [filled(one) for one in given]
        parts = [_picked(one, rows) for one, rows in zip(datasets, keep, strict=False)]
        return Learner(self.recipe, self.model, evidence.table, datasets[0], pa.concat_tables(parts),
                       parts[0].num_rows, evidence.real.levels, self.schema)


def _picked(dataset: Counted, rows: np.ndarray | None) -> pa.Table:
    whole = pa.Table.from_batches(list(dataset.batches()), dataset.schema)
    return whole if rows is None else whole.take(pa.array(rows))


@dataclass(frozen=True, eq=False)
class Learner(Maker):
    """Who learns again from some rows.

    Parameters
    ----------
    recipe, model : of the twin. table : what the columns mean. like : the dataset whose rows they are.
    rows : those that were learned from, ``own`` of them, and after them those of the holdout.
    levels : the level texts of each column, by their numbers. schema : as of ``Workshop``.
    """

    recipe: Recipe
    model: TableModel
    table: Table
    like: Counted
    rows: pa.Table
    own: int
    levels: Mapping[str, Sequence[str]]
    schema: Any = None

    @cached_property
    def way(self) -> Way:
        recipe = self.recipe
        way = Way.of(recipe.engine, recipe.settings, recipe.target, recipe.privacy is not None)
        return way if recipe.privacy is not None else by_units(way, self.like, recipe.unit)[0]

    def twin(self, rows: np.ndarray, size: int, run: Run) -> Sheet:
        data, terms = self._dataset(self.rows.take(pa.array(rows))), self.recipe.terms
        if terms is None:
            model = self.way.learn(data, self.table, run.child("learn"))
        else:
            model = self.way.learn_privately(data, self.schema, terms, run.child("learn"))
        batches = list(model.sample_batches(size, run.child("draw")))
        nobody = SimpleNamespace(rows=0, batches=list)
        made = sheets(self.table, nobody, SimpleNamespace(rows=size, batches=lambda: batches))[1]
        return numbered(made, self.levels)

    def log_prob(self, rows: np.ndarray, run: Run, learned: np.ndarray | None = None) -> np.ndarray:
        asked, model = self._codes(rows, run.child("asked")), self.model.model
        if not isinstance(model, Likelihood):
            raise NotComputable(f"engine {self.model.engine!r} {NO_LIKELIHOOD}")
        if learned is not None:
            known = self._codes(learned, run.child("learned"))
            other = self._engine().fit(known, None, run.child("fit").within(PATIENCE))
            assert isinstance(other, Likelihood)
            model = other
        return model.log_prob(asked, run.child("log_prob"))

    def artefacts(self, planted: Sequence[Mapping[str, str | int | float]], folder: Path, run: Run) -> None:
        order = run.child("rows").random().permutation(self.own)[:MOST]
        real = self.rows.take(pa.array(np.sort(order)))
        people = _people(self.rows.take(pa.array(order[: len(planted)])), planted)
        holdout = self.rows.slice(self.own) if self.rows.num_rows > self.own else None
        try:
            self._again(pa.concat_tables([real, people]), holdout, folder, run)
        except NotComputable:
            raise
        except FabricaError as error:
            raise NotComputable(f"the job cannot be done with people who were planted ({error.what})") from None

    def _again(self, rows: pa.Table, holdout: pa.Table | None, folder: Path, run: Run) -> None:
        recipe = replace(self.recipe, holdout=0.0, account=None, rows=None)
        rest = None if holdout is None else self._dataset(holdout)
        job = Job.begin(recipe, self._dataset(rows), run, self.schema or recipe.schema, rest)
        model = job.learn()
        text = self.like.textual
        data = folder / ("data.csv" if text else "data.parquet")
        write_table(data, model.arrow_schema(text), model.sample_batches(job.size(model), run, as_text=text))
        report = job.judge(filled(data), model, {})
        for ending in ("html", "json"):
            report.save(folder / f"report.{ending}")
        model.save(folder / "model.fab")
        (folder / "schema.json").write_text(Schema((model.table,)).dumps(), encoding="utf-8")
        (folder / "told.txt").write_text("\n".join([*job.notes, *model.words()]), encoding="utf-8")

    def _dataset(self, rows: pa.Table) -> Counted:
        """Some rows as a dataset that is written as the original is."""
        same = {f.name: getattr(self.like, f.name) for f in fields(Dataset)} | {"parts": (), "table": rows}
        return Counted(**same, total=rows.num_rows)

    def _codes(self, rows: np.ndarray, run: Run) -> Block:
        return self.model.encoder.encode(self.model.book.reduce(self.rows.take(pa.array(rows)).combine_chunks()), run)

    def _engine(self) -> Engine:
        """Who learns what others are like, over the codes of the model."""
        if self.recipe.privacy is not None:
            made: Engine = catalog.get("engines", REFERENCE)()
            return made
        if not isinstance(self.way.engine, Chooser):
            return self.way.engine
        known = catalog.get("engines", self.model.engine).settings()
        settings = {name: value for name, value in self.recipe.settings.items() if name in known}
        return Way.of(self.model.engine, settings, self.recipe.target).engine


def numbered(sheet: Sheet, levels: Mapping[str, Sequence[str]]) -> Sheet:
    """A sheet with the numbers that levels have elsewhere; those that stand in none of the tables count as missing.

    >>> made = Sheet(2, {"town": np.array([0, 1], np.int32)}, {"town": ["Oslo", "Rome"]})
    >>> numbered(made, {"town": ["Bern", "Rome"]}).values["town"].tolist()
    [-1, 1]
    """
    values = dict(sheet.values)
    for name, texts in sheet.levels.items():
        place = {text: i for i, text in enumerate(levels[name])}
        number = np.array([*(place.get(text, -1) for text in texts), -1], np.int32)
        values[name] = number[sheet.values[name]]
    return Sheet(sheet.rows, {name: values[name] for name in values}, levels)


def _people(rows: pa.Table, planted: Sequence[Mapping[str, str | int | float]]) -> pa.Table:
    """Copies of rows that differ in the cells that were planted.

    Raises
    ------
    NotComputable : a column cannot hold what was planted.
    """
    if rows.num_rows < len(planted):
        raise NotComputable(f"{len(planted)} people cannot be planted among {rows.num_rows} rows")
    columns = []
    for field in rows.schema:
        cells = rows[field.name].to_pylist()
        try:
            for i, person in enumerate(planted):
                if field.name in person:
                    cells[i] = pa.scalar(_written(person[field.name], field.type)).cast(field.type).as_py()
            columns.append(pa.array(cells, field.type))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            raise NotComputable(f"column {field.name!r} cannot hold what was to be planted") from None
    return pa.table(columns, schema=rows.schema)


def _written(value: str | int | float, kind: pa.DataType) -> str | int | float:
    return str(value) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else value
