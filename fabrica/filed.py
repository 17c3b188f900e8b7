"""The verbs whose results are files in a folder: all of them appear, or none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from fabrica import catalog
from fabrica.apart import demand_apart
from fabrica.counted import Counted, filled
from fabrica.crowd import demand_unit, few
from fabrica.dataset import Dataset, holds_text, pour_table, write_table
from fabrica.errors import Interrupted, SettingError
from fabrica.evaluation import evaluate as judge
from fabrica.expression import Expression
from fabrica.folder import Folder
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.policy import Policy
from fabrica.gating import Brought, decided
from fabrica.inference.facts import K
from fabrica.job import Job, check_columns, guess, told
from fabrica.model import Given, TableModel
from fabrica.played import Play
from fabrica.pricing import price
from fabrica.profile import profiled
from fabrica.protected import demand_groups, protected_columns
from fabrica.recipe import Recipe
from fabrica.report import Report
from fabrica.run import Run
from fabrica.scenario import Scenario
from fabrica.schema import Schema
from fabrica.specification import is_specification, specify
from fabrica.tradeoff import Frontier, Question
from fabrica.units import enough

__all__ = ["Clock", "afford", "bring", "draw", "fill", "load", "make", "measure", "pour", "shaped", "stage", "store",
           "write"]

JUDGED = ("gate.json", "evidence.json", "evidence.html")  #: files of the gate, which tell of one twin

T = TypeVar("T")
Say = Callable[[str], None]


def _silent(line: str) -> None:
    """Nobody listens."""


def load(model: Any) -> TableModel:
    """The model of a file or of a specification; a model is passed through."""
    if isinstance(model, TableModel):
        return model
    return specify(model) if is_specification(model) else TableModel.load(model)


def shaped(data: Any, profile: str | None, run: Run, schema: Any, k: int = K) -> Counted:
    """The table as a profile wants it to be learned."""
    return profiled(filled(data), profile, lambda found: guess(found, run.child("profile"), schema, k)[0])


class Clock:
    """Remembers how long each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        done = work()
        self.seconds[step] = round(time.perf_counter() - started, 3)
        return done


def make(recipe: Recipe, out: str | Path, *, run: Run | None = None,
         say: Say = _silent) -> tuple[Report, dict[str, Path]]:
    """The whole job of a recipe as files in the folder ``out``: data, report, model, schema and recipe.

    All files appear, or none. Files of other names in the folder are left alone.
    """
    run = run or Run(recipe.seed, budget=recipe.budget)
    with Folder(out, keep=[recipe.data], stale=["ledger.json", *JUDGED]) as folder:
        dataset = shaped(recipe.data, recipe.profile, run, recipe.schema)
        job = Job.begin(recipe, dataset, run, recipe.schema)
        for note in job.notes:
            say(note)
        run.expect(job.stages())
        clock = Clock()
        model = clock("fit", job.learn)
        path = folder.path(f"data{dataset.format}")
        like = dataset if recipe.terms is None else None  # how real rows are written tells of them
        clock("sample", lambda: write(model, job.size(model), path, run, like=like))
        report = job.judge(filled(path), model, clock.seconds)
        report.save(folder.path("report.html"))
        report.save(folder.path("report.json"))
        model.save(folder.path("model.fab"))
        if model.ledger is not None:
            folder.path("ledger.json").write_text(json.dumps(model.ledger.to_json(), indent=2), encoding="utf-8")
        folder.path("schema.json").write_text(Schema((model.table,)).dumps(), encoding="utf-8")
        folder.path("recipe.json").write_text(recipe.anchored().dumps(), encoding="utf-8")
        files = [part.path for part in Dataset.open(recipe.data).parts]
        folder.path("origin.json").write_text(job.origin(files).dumps(), encoding="utf-8")
        return report, folder.done()


def store(recipe: Recipe, path: Path, *, run: Run, say: Say = _silent) -> tuple[Path, TableModel]:
    """Learn the table of a recipe and save the model."""
    with Folder(path.parent, keep=[recipe.data]) as folder:
        dataset = shaped(recipe.data, recipe.profile, run, recipe.schema)
        job = Job.begin(replace(recipe, holdout=0.0), dataset, run, recipe.schema)
        for note in job.notes:
            say(note)
        model = job.learn()
        for note in model.facts.get("notes", ())[len(job.notes):]:
            say(note)
        model.save(folder.path(path.name))
        return folder.done()[path.name], model


def draw(file: str | Path, rows: int, path: Path, *, run: Run, given: Given = None) -> Path:
    """Write ``rows`` synthetic rows to ``path``, chunk by chunk."""
    model = load(file)
    condition = model.condition(given)  # a mistake in it is known before anything else
    with Folder(path.parent, keep=[file]) as folder:
        part = folder.path(path.name)
        holds_text(path)  # an unknown ending is told by the name that the user knows
        write(model, rows, part, run, given=condition)
        return folder.done()[path.name]


def stage(file: str | Path, scenario: str | Path, rows: int | None, out: Path, ending: str | None, *, run: Run
          ) -> tuple[dict[str, Any], dict[str, Path]]:
    """Play a scenario into the folder ``out``: the data, the origin of each row, the manifest. All appear, or none.

    ``ending`` is the format, such as ``.parquet``; else CSV for a model of a text file, and Parquet.
    """
    told, model = Scenario.load(scenario), load(file)
    play = Play(model, told, rows, run)
    ending = ending or (".csv" if model.facts.get("textual") else ".parquet")
    with Folder(out, keep=[file, scenario]) as folder:
        data = folder.path(f"data{ending}")
        text = holds_text(data)
        write_table(data, play.schema(text), play.batches(text))
        if told.origin == "file":
            origin = play.origin()
            write_table(folder.path(f"origin{ending}"), origin.schema, origin.to_batches())
        manifest = play.manifest()
        folder.path("manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")
        return manifest, folder.done()


def afford(file: str | Path, holdout: str, question: Question, points: Sequence[float], rows: int | None, draws: int,
           out: Path, *, run: Run) -> tuple[Frontier, dict[str, Path]]:
    """The frontier of a model and its files in the folder ``out``. All appear, or none."""
    with Folder(out, keep=[file, holdout]) as folder:
        found = price(load(file), holdout, question, points, rows, draws, run)
        for ending in ("json", "svg"):
            found.save(folder.path(f"frontier.{ending}"))
        return found, folder.done()


def write(model: TableModel, rows: int, path: Path, run: Run, like: Dataset | None = None,
          given: Expression | None = None) -> None:
    """Sample straight into a file; a delimited one is written as the one that was learned."""
    text = holds_text(path)
    write_table(path, model.arrow_schema(text), model.sample_batches(rows, run, as_text=text, given=given),
                like=like)


def fill(file: str | Path, data: str, draws: int, path: Path, *, run: Run) -> tuple[Path, int]:
    """Write the rows of a file with their missing cells filled in; and how many rows that were."""
    model, text = load(file), holds_text(path)  # an unknown ending is told by the name that the user knows
    dataset = filled(data)
    with Folder(path.parent, keep=[file, data]) as folder:
        part = folder.path(path.name)
        batches = model.filled_batches(dataset, draws, run, typed=dataset.textual and not text)
        first = next(batches)
        write_table(part, first.schema, chain([first], batches), like=dataset)
        return folder.done()[path.name], draws * dataset.rows


def pour(file: str | Path, rows: int, stream: BinaryIO, *, run: Run, given: Given = None) -> None:
    """Write ``rows`` synthetic rows to an open stream as CSV, chunk by chunk."""
    model = load(file)
    batches = model.sample_batches(rows, run, as_text=True, given=model.condition(given))
    first = list(islice(batches, 1))  # what cannot be is known before anything is written
    try:
        pour_table(stream, model.arrow_schema(True), chain(first, batches), "standard output")
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted("stopped; standard output holds a part of the rows") from None


def bring(folder: str | Path, tier: str, policy: Any = None, *, real: Any = None, holdout: Any = None,
          target: str | None = None, protected: str | Sequence[str] = (), unit: str | None = None, schema: Any = None,
          attempts: Path | None = None, model: bool = False, run: Run) -> tuple[Decision, dict[str, Path]]:
    """``gate`` within a job that is under way; and its files."""
    law = Policy.of(policy)
    law.tier(tier)
    brought = Brought.of(Path(folder), real, holdout, unit, schema)
    with Folder(folder, keep=[brought.data, real, holdout]) as out:
        decision, report = decided(brought, law, tier, run, target=target, protected=protected, attempts=attempts,
                                   model=model)
        report.save(out.path("evidence.html"))
        report.save(out.path("evidence.json"))
        out.path("gate.json").write_text(decision.dumps(), encoding="utf-8")
        return decision, out.done()


def measure(real: Any, synthetic: Any, holdout: Any = None, *, target: str | None = None, schema: Any = None,
            metrics: Sequence[str] | None = None, attacks: bool = False, unit: str | None = None,
            protected: str | Sequence[str] = (), out: Path | None = None, run: Run) -> tuple[Report, dict[str, Path]]:
    """The report of an evaluation and, with ``out``, its files."""
    if attacks and holdout is None:
        raise SettingError("need real rows that nobody learned from, to tell risk from luck", where="attacks",
                           hint="give a holdout")
    for name in metrics or ():
        catalog.get("metrics", name)
    whole, twin = filled(real), filled(synthetic)
    rest = None if holdout is None else filled(holdout)
    if unit is not None:
        demand_unit(unit, whole, *([] if rest is None else [rest]))
    k = K if unit is None else enough(whole.batches(), unit, K)
    table, notes = guess(whole, run, schema, k)
    check_columns(table.names, target, **{"the synthetic table": twin, "the holdout": rest})
    guarded = protected_columns(protected, table)
    demand_groups(guarded, table, whole, run)
    if rest is not None:
        demand_apart(table, whole, rest, unit, run.child("apart"), twin)
        notes = [*notes, *(few(unit, whole, rest) if attacks else [])]
    with Folder(out, keep=[real, synthetic, holdout]) if out else nullcontext() as folder:
        report = judge(whole, twin, rest, table=table, target=target, metrics=metrics, attacks=attacks,
                       k=k, unit=unit, protected=guarded, run=run.child("evaluate"))
        report = told(report, notes)
        if folder is None:
            return report, {}
        report.save(folder.path("report.html"))
        report.save(folder.path("report.json"))
        return report, folder.done()
