"""The main job between its steps: the schema guessed, a holdout put aside, the rest learned, the twin judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.apart import demand_apart
from fabrica.counted import Counted, filled
from fabrica.crowd import demand_unit, few
from fabrica.dataset import Dataset
from fabrica.errors import FabricaError, InputError, UnknownName
from fabrica.evaluation import CEILING
from fabrica.evaluation import evaluate as judge
from fabrica.fingerprint import Fingerprint
from fabrica.holdout import Share, split
from fabrica.inference import infer, verify
from fabrica.inference.facts import K
from fabrica.inference.overrides import declared_rules, settled
from fabrica.model import ENGINE_ROWS, TableModel
from fabrica.origin import Origin, keyed
from fabrica.profile import profiled
from fabrica.recipe import Recipe
from fabrica.report import Report
from fabrica.rules import planned
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.statistics import WIDE
from fabrica.units import enough, several
from fabrica.version import VERSION
from fabrica.way import Way

__all__ = ["Job", "by_units", "check_columns", "guess", "rows_of_people", "told"]

LOOK = 50_000  #: rows from which the schema is guessed
UNCOVERED = ("the epsilon covers the rows, the model, the schema and the ledger; this report compares with real rows, "
             "and origin.json tells of the table: keep both inside")


@dataclass(frozen=True)
class Job:
    """One run of ``synth`` between its steps."""

    recipe: Recipe
    way: Way
    run: Run
    table: Table | None  # None where only noise may tell it
    notes: tuple[str, ...]
    train: Counted
    holdout: Counted | None
    schema: Any = None

    @classmethod
    def begin(cls, recipe: Recipe, whole: Counted, run: Run, schema: Any, holdout: Any = None,
              origin: Origin | None = None) -> Job:
        """Guess the schema, check what was asked against it, and put the holdout aside.

        ``schema`` and ``holdout`` are what a caller has at hand where the recipe can only name files; ``origin`` is
        that of a job that is over, whose holdout is drawn again.
        """
        way = Way.of(recipe.engine, recipe.settings, recipe.target, recipe.privacy is not None)
        table, notes = None, list[str]()
        if recipe.terms is None:
            way, said = by_units(way, whole, recipe.unit)
            table, notes = guess(whole, run, schema, way.k, recipe.rules)
            notes = [*said, *notes, *rows_of_people(table, recipe.unit)]
        check_columns(whole.schema.names, recipe.target)
        train: Counted = whole
        rest: Counted | None = None
        if holdout is not None or isinstance(recipe.holdout, str):
            rest = profiled(filled(recipe.holdout if holdout is None else holdout), recipe.profile,
                            lambda data: guess(data, run.child("profile").child("holdout"), schema, way.k)[0])
            check_columns(whole.schema.names, None, **{"the holdout": rest})
            if table is not None and origin is None:  # under an epsilon nothing looks at rows as they are
                demand_apart(table, whole, rest, recipe.unit, run.child("apart"))
        elif recipe.holdout:
            split_by = None if origin is None else origin.split
            chance = (run if recipe.terms is None else  # whoever knew it could see that a row is gone
                      run.unseeded() if split_by is None else run.reseeded(int(split_by, 16)))
            unit = _unit(recipe)
            train, rest = split(whole, recipe.holdout, chance.child("holdout"),
                                unit if unit in whole.schema.names else None)
        if table is not None and 0 < train.rows < way.k:
            raise InputError(f"there are {train.rows:,} row{'s' * (train.rows > 1)} to learn from, and nothing is told "
                             f"that fewer than {way.k:,} hold: every cell of a twin would be missing",
                             where=recipe.data or whole.name, hint="bring more rows")
        if table is not None and rest is not None:  # under an epsilon nobody is counted but through noise
            notes += few(recipe.unit, train, rest)
        return cls(recipe, way, run, table, tuple(notes), train, rest, schema)

    def origin(self, files: Sequence[Path]) -> Origin:
        """Where the twin comes from, for its owner."""
        key, rest = f"{self.run.unseeded().seed:032x}", self.holdout
        drawn = rest if isinstance(rest, Share) else None
        split = f"{drawn.run.seed:x}" if drawn is not None and drawn.run and self.recipe.terms is not None else None
        held = "" if rest is None else str(Fingerprint.of(rest.batches(), key))
        return Origin(key, keyed(key, files), self.train.rows + (0 if drawn is None else drawn.rows), held, split)

    def size(self, model: TableModel | None = None) -> int:
        """How many rows the twin has: as was asked, else as many as the table has; under privacy, about."""
        if self.recipe.rows is not None:
            return self.recipe.rows
        own = self.holdout is not None and isinstance(self.train, Share)
        whole = self.train.rows + (self.holdout.rows if self.holdout is not None and own else 0)
        if self.recipe.terms is None or model is None:
            return whole
        return max(1, round(model.facts["rows"] / (1 - (self.train.share if isinstance(self.train, Share) else 0.0))))

    def stages(self) -> dict[str, float]:
        """About how many seconds each stage takes, for ``Run.expect``; only their proportions matter."""
        columns, rows = len(self.train.schema.names), self.train.rows
        judged = min(rows, CEILING) + min(self.size(), rows, CEILING)
        pairs = min(columns, WIDE) ** 2 / 2
        return {"fit/codecs": columns * (5e-3 + 3e-7 * rows),
                "fit/engine": columns * (3e-2 + 3e-7 * min(rows, ENGINE_ROWS) * min(columns, 40)),
                "sample": columns * (1e-3 + 2e-7 * self.size()),
                "evaluate": 0.5 + columns * (1e-2 + 5e-6 * judged) + 2e-3 * pairs}

    def learn(self) -> TableModel:
        """The model of all rows but the holdout."""
        terms = self.recipe.terms
        if terms is not None:
            return self.way.learn_privately(self.train, self.schema, terms, self.run, self.recipe.account)
        assert self.table is not None
        return self.way.learn(self.train, self.table, self.run, self.notes)

    def judge(self, twin: Counted, model: TableModel, seconds: Mapping[str, float]) -> Report:
        """The report on the twin of ``model``; ``seconds`` tell how long learning and sampling took."""
        unit, k = _unit(self.recipe), self.way.k
        if self.recipe.unit is None and unit is not None:  # under privacy the way counts no rows, and the report does
            k = enough(self.train.batches(), unit, k)
        report = judge(self.train, twin, self.holdout, table=model.table, target=self.recipe.target,
                       k=k, unit=unit, run=self.run.child("evaluate"))
        chosen = list(model.facts.get("chosen", ()))
        notes = [*model.facts.get("notes", ())]
        if model.ledger is not None:
            notes = [*model.ledger.head(), UNCOVERED, *notes]
        return told(report, notes, engine=model.engine, recipe=self.recipe.told(), seconds=seconds,
                    **({"chosen": chosen} if chosen else {}))


def _unit(recipe: Recipe) -> str | None:
    """The column that says whose rows they are."""
    return recipe.unit if recipe.terms is None else recipe.terms.unit


def by_units(way: Way, whole: Counted, unit: str | None) -> tuple[Way, list[str]]:
    """``(way, notes)``: the way in which people count and not their rows, where it is said whose rows they are."""
    if unit is None:
        return way, []
    demand_unit(unit, whole)
    rows = enough(whole.batches(), unit, way.k)
    return way.of_units(unit, rows), [f"whatever is learned stands in {rows:,} rows, so that {way.k} of {unit} hold "
                                      "it; of a level those who hold it are counted"]


def rows_of_people(table: Table, unit: str | None) -> list[str]:
    """A line where people seem to have several rows, and nobody has said whose they are."""
    columns = several(table)
    if unit is not None or not columns:
        return []
    return [f"people seem to have several rows (column {columns[0]!r}): rows are counted and not people, until --unit "
            f"{columns[0]} says whose they are, or a schema `personal: none` of a column that does not"]


def told(report: Report, notes: Sequence[str], *, seconds: Mapping[str, float] | None = None, **facts: Any) -> Report:
    """The report with what only its maker knows."""
    here = {"fabrica": VERSION, **facts, "notes": [*notes, *report.facts.get("notes", ())],
            "seconds": {**(seconds or {}), **report.facts.get("seconds", {})}}
    return replace(report, facts={**report.facts, **here})


def guess(dataset: Counted, run: Run, schema: Any = None, k: int = K, rules: Any = None) -> tuple[Table, list[str]]:
    """The table's schema: guessed from a sample, with what the user knows better, and held against every row.

    The schema (kinds, notations, decimals, missing markers, orders of levels) is guessed from *all* rows, those of a
    holdout that is split off later included: it tells how the table is written, not who is in it. Codecs and engine
    learn nothing from the holdout. Whoever wants it kept out of the schema too gives the holdout as a file of its own.
    """
    laws = (*declared_rules(schema, dataset.name), *declaration.read_rules(rules))
    looked = dataset.sample(LOOK, run.child("look"))
    said = settled(schema, dataset.schema.names, dataset.name)
    table, notes = infer(looked, dataset.name, said, rows=dataset.rows, orders=dataset.levels, k=k)
    if looked.num_rows < dataset.rows:
        table, more = verify(table, dataset.batches(), orders=dataset.levels, k=k)
        notes = [*notes, *more]
    if dataset.source is not None and (said_of_file := dataset.source.note()):
        notes = [said_of_file, *notes]
    if 0 < dataset.rows < k:
        notes = [f"the table has fewer than {k} rows, of which nothing may be told: cells of a twin will be missing",
                 *notes]
    if laws:
        table = replace(table, rules=tuple(dict.fromkeys(laws)))
        demand(table, rules if isinstance(rules, str | Path) else None)
    return table, list(notes)


def demand(table: Table, file: str | Path | None) -> None:
    """Refuse rules that cannot be understood or contradict each other, before anything is learned."""
    try:
        planned(table)
    except FabricaError as error:
        raise error.at(str(file)) if file is not None else error from None


def check_columns(columns: Sequence[str], target: str | None = None, **others: Dataset | None) -> None:
    """Refuse a target that is not there and tables that lack a column."""
    if target is not None and target not in columns:
        raise UnknownName("column", target, list(columns), where="target")
    for what, other in others.items():
        names = set(columns if other is None else other.schema.names)
        lacking = [name for name in columns if name not in names]
        if lacking:
            raise InputError(f"{what} lacks {len(lacking)} of {len(columns)} columns, the first: {lacking[0]!r}",
                             hint="give tables with the same columns")
