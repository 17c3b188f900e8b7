"""The verbs, each a short function: fit, sample, evaluate, synth, inspect. Every door leads here.

A verb takes what a person has (a file, a folder, a frame) and gives what a person wants (a model, a frame, a report).
Those whose results are files are in ``filed``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.counted import counted, filled
from fabrica.dataset import Dataset
from fabrica.discovery import Candidates, discovered
from fabrica.errors import SettingError
from fabrica.filed import Clock, bring, load, measure, shaped
from fabrica.folder import Folder
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.policy import Policy
from fabrica.inference.facts import K
from fabrica.job import Job, by_units, guess, rows_of_people
from fabrica.lift import ENGINES, Lift, Task, lifted
from fabrica.model import Given, TableModel, encoded
from fabrica.page.lift import picture as drawn
from fabrica.planned import Plan, planned
from fabrica.played import Played
from fabrica.pricing import POINTS, price
from fabrica.privacy.ledger import Ledger
from fabrica.privacy.terms import Privacy
from fabrica.recipe import Recipe, count, demand_together, engine_for, seconds
from fabrica.report import Report
from fabrica.run import Progress, Run
from fabrica.schema import Table
from fabrica.specification import specify
from fabrica.tradeoff import Frontier, Question
from fabrica.trial import Cap
from fabrica.tuning import Tuned, save, search
from fabrica.way import Way

__all__ = ["Twin", "boost", "compare", "discover", "evaluate", "fit", "foresee", "frontier", "gate", "impute",
           "inspect", "ledger", "load", "look", "plan", "play", "sample", "search_rules", "specify", "synth", "tune"]

Listener = Callable[[Progress], object]
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


def fit(data: Any, *, engine: str | None = None, seed: int = 7, schema: Any = None, rules: Any = None,
        budget: float | str | None = None, privacy: Any = None, account: str | Path | None = None,
        workers: int | None = None, listener: Listener | None = None, profile: str | None = None,
        unit: str | None = None, **settings: Any) -> TableModel:
    """Learn a table.

    Parameters
    ----------
    data : a path (file, folder or glob), a pandas, polars or Arrow table, or anything with ``__arrow_c_stream__``.
    engine : one of ``fabrica list engines``; the usual one, if not said: ``trees``, under privacy ``aim``.
    seed : any whole number.
    schema : what you know better than the guess: a YAML or JSON file, a mapping column -> fields, or a ``Schema``.
    rules : what every row must obey, such as ``["end >= start", "total == net + tax"]``: a list, or a file with one.
    budget : how long learning may take, as seconds or as ``"60s"``, ``"2m"``.
    privacy : terms of differential privacy: ``fabrica.Privacy(epsilon=1.0, unit="person_id")``, or an epsilon.
        ``model.ledger`` then tells what was measured and what it cost.
    account : file that says how much all private looks at this table together may cost (``fabrica account``).
    workers : threads; None for all cores. The result does not depend on it.
    profile : what a rule demands of the table before anything is learned: ``"hipaa"``.
    unit : the column that says whose rows they are, where people have several: what is learned then stands for ``k``
        people and not for ``k`` rows. Under privacy its terms say it.
    settings : the engine's own settings, and those of the codecs (such as ``k``), by name.
    """
    terms = Privacy.of(privacy)
    way = Way.of(engine_for(engine, terms), settings, private=terms is not None)
    run = Run(seed, workers=workers, listener=listener, budget=seconds(budget))
    demand_together(terms, rules, profile, account, unit)
    if terms is not None:
        return way.learn_privately(filled(data), schema, terms, run, account)
    dataset = shaped(data, profile, run, schema, way.k)
    way, said = by_units(way, dataset, unit)
    table, notes = guess(dataset, run, schema, way.k, rules)
    return way.learn(dataset, table, run, [*said, *notes, *rows_of_people(table, unit)])


def sample(model: TableModel | str | Path | Mapping[str, Any], rows: int | str, *, seed: int = 0,
           given: Given = None, workers: int | None = None, listener: Listener | None = None) -> Any:
    """``rows`` synthetic rows from a model, its file or a specification, as the kind of frame that came in.

    ``given`` is a condition that all of them satisfy: ``"age > 60 and income == '>50K'"``, or short words
    such as ``["age=60..80", "income=>50K"]``.
    """
    wanted = count(rows)
    return load(model).sample(wanted, seed=seed, workers=workers, listener=listener, given=given)


def ledger(thing: TableModel | str | Path) -> Ledger | None:
    """The ledger of a model, its file or a ``ledger.json``; None where a model was not learned under privacy.

    >>> fabrica.ledger("out/ledger.json").epsilon()                                  # doctest: +SKIP
    """
    if isinstance(thing, str | Path) and str(thing).endswith(".json"):
        return Ledger.from_json(declaration.read(thing), str(thing))
    return load(thing).ledger


def play(model: TableModel | str | Path | Mapping[str, Any], scenario: Any, rows: int | None = None, *, seed: int = 0,
         listener: Listener | None = None) -> Played:
    """A scenario played on a model, its file or a specification; as ``TableModel.play``."""
    return load(model).play(scenario, rows, seed=seed, listener=listener)


def discover(data: Any, *, support: float = 0.99, schema: Any = None, k: int = K, seed: int = 7,
             listener: Listener | None = None) -> Candidates:
    """Rules that a table seems to obey, the surest first: candidates, of which you say which are law.

    ``support`` is the share of the rows that must obey; nothing is told that fewer than ``k`` rows hold.

    >>> found = fabrica.discover("people.csv"); print(found)                           # doctest: +SKIP
    """
    return search_rules(data, support, schema, k, Run(seed, listener=listener))


def search_rules(data: Any, support: float, schema: Any, k: int, run: Run) -> Candidates:
    """``discover`` within a job that is under way."""
    if not isinstance(support, int | float) or not 0.5 <= support <= 1:
        raise SettingError("must be a share between 0.5 and 1", where="support")
    dataset = filled(data)
    table, _ = guess(dataset, run, schema, k)
    return discovered(dataset, table, float(support), k, run.child("rules"))


def frontier(model: TableModel | str | Path | Mapping[str, Any], holdout: Any, *, protected: str | Sequence[str],
             outcome: str, favourable: str, given: str | Sequence[str] = (), points: Sequence[float] = POINTS,
             rows: int | str | None = None, seeds: int = 3, seed: int = 0, workers: int | None = None,
             listener: Listener | None = None) -> Frontier:
    """What fairness costs: for each of ``points`` of the dial ``fair`` rows are played from a model, a classifier
    learns the ``outcome`` from them and is judged on real rows that the model has not seen, the ``holdout``.

    Parameters
    ----------
    model, holdout : a model or its file; a file or a frame.
    protected : a column, or several, whose combinations are the groups.
    favourable : which values of the outcome are favourable: ``">50K"``, ``"a|b"``, ``"50000.."``.
    given : columns that may explain a difference (conditional parity).
    rows, seeds : synthetic rows of a point (default: as many as were learned from), and how often they are drawn.

    Raises
    ------
    FabricaError : a column is not there, an outcome has one kind of value only, groups are too small.

    >>> fabrica.frontier("adult.fab", "test.csv", protected="sex", outcome="income",
    ...                  favourable=">50K").save("frontier.svg")                        # doctest: +SKIP
    """
    run = Run(seed, workers=workers, listener=listener)
    question = Question.of(protected, outcome, favourable, given)
    return price(load(model), holdout, question, points, None if rows is None else count(rows), seeds, run)


def boost(data: Any, *, target: str, positive: str, positives: Sequence[int] = (10, 30, 100, 300), seeds: int = 10,
          alerts: float = 0.01, prevalence: float | None = None, engines: Sequence[str] = ENGINES, schema: Any = None,
          seed: int = 7, workers: int | None = None, listener: Listener | None = None, **settings: Any) -> Lift:
    """What injected positives do for a detector, against class weights, oversampling and SMOTE, on real rows.

    Parameters
    ----------
    data : a real table. target, positive : a column, and which of its values is detected.
    positives : how many real ones are learned from. seeds : splits of the table. alerts : share of rows that may alarm.
    prevalence : of the positives among the test rows, by weights; None: as many as in the table.
    engines : each makes a part of the injected rows; ``settings`` are those of a single one.

    Raises
    ------
    FabricaError : a column is not there, or there are too few rows of either kind.

    >>> fabrica.boost("claims.csv", target="fraud", positive="yes", positives=[30])    # doctest: +SKIP
    """
    names = (engines,) if isinstance(engines, str) else tuple(engines)
    task = Task(target, positive, tuple(positives), seeds, alerts, prevalence, names, settings)
    return compare(data, task, schema, Run(seed, workers=workers, listener=listener))


def compare(data: Any, task: Task, schema: Any, run: Run, out: Path | None = None) -> Lift:
    """``boost`` within a job that is under way; with ``out`` as a folder of its table and its picture."""
    task.ways()  # a mistake in them is known before anything is read
    dataset = filled(data)
    table, _ = guess(dataset, run, schema)
    with Folder(out, keep=[data]) if out else nullcontext() as folder:
        found = lifted(dataset, table, task, run.child("lift"))
        if folder is not None:
            plain = found.to_json()
            folder.path("boost.json").write_text(json.dumps(plain, indent=2), encoding="utf-8")
            folder.path("boost.svg").write_text(drawn(plain), encoding="utf-8")
            folder.done()
        return found


def impute(model: TableModel | str | Path, data: Any, *, draws: int = 1, seed: int = 0,
           listener: Listener | None = None) -> Any:
    """The rows of ``data`` with their missing cells filled in by a model or its file, ``draws`` times; as
    ``TableModel.impute``."""
    return load(model).impute(data, draws=draws, seed=seed, listener=listener)


def evaluate(real: Any, synthetic: Any, holdout: Any = None, *, target: str | None = None, schema: Any = None,
             metrics: Sequence[str] | None = None, attacks: bool = False, unit: str | None = None,
             protected: str | Sequence[str] = (), seed: int = 7, workers: int | None = None,
             listener: Listener | None = None) -> Report:
    """Measure how much ``synthetic`` is like ``real``, and like real rows that nobody learned from (``holdout``); with
    ``attacks`` also what somebody who holds it may find out about people, whose rows ``unit`` tells apart; with
    ``protected`` columns (``"sex,race"`` or a list) also whether groups of people are treated alike."""
    run = Run(seed, workers=workers, listener=listener)
    return measure(real, synthetic, holdout, target=target, schema=schema, metrics=metrics, attacks=attacks, unit=unit,
                   protected=protected, run=run)[0]


def synth(data: Any, *, engine: str = "", seed: int = 7, holdout: Any = 0.2, rows: int | None = None,
          target: str | None = None, schema: Any = None, rules: Any = None, budget: float | str | None = None,
          privacy: Any = None, account: str | None = None, workers: int | None = None,
          listener: Listener | None = None, profile: str | None = None, unit: str | None = None,
          **settings: Any) -> Twin:
    """The main job at once: keep a holdout (a share, a file or a frame), learn the rest, sample, judge."""
    written = isinstance(holdout, (int, float, str, Path))
    recipe = Recipe(str(data) if isinstance(data, (str, Path)) else "", engine, settings, seed,
                    holdout if written else "(a table)", rows, target, seconds(budget), rules=rules, privacy=privacy,
                    account=account, profile=profile, unit=unit)
    run = Run(seed, workers=workers, listener=listener, budget=recipe.budget)
    job = Job.begin(recipe, shaped(data, profile, run, schema), run, schema, None if written else holdout)
    run.expect(job.stages())
    clock = Clock()
    model = clock("fit", job.learn)
    twin = clock("sample", lambda: model.draw(job.size(model), run))
    return Twin(twin, model, job.judge(filled(twin), model, clock.seconds))


def tune(data: Any, *, engine: str = "trees", budget: float | str = "5m", seed: int = 7, schema: Any = None,
         memory: str | Path | None = None, workers: int | None = None, listener: Listener | None = None,
         **settings: Any) -> Tuned:
    """Search for the settings with which an engine's twins of ``data`` are best: ``fit(data, engine=tuned.engine,
    **tuned.settings)``.

    ``budget`` is for all attempts together; ``settings`` are where the search begins; ``memory`` is a file that
    remembers attempts, so that a search that was stopped goes on.
    """
    run = Run(seed, workers=workers, listener=listener, budget=seconds(budget))
    return look(data, engine, settings, schema, memory, run=run)


def inspect(data: Any, *, schema: Any = None, seed: int = 7, profile: str | None = None) -> tuple[Table, list[str]]:
    """The guessed schema of a table and the guesses that matter, a line each; with a ``profile`` as it is learned."""
    run = Run(seed)
    dataset = shaped(data, profile, run, schema) if profile else counted(Dataset.open(data))
    return guess(dataset, run, schema)


def look(data: Any, engine: str, settings: Mapping[str, Any], schema: Any, memory: str | Path | None, *, run: Run,
         say: Say = _silent) -> Tuned:
    """``tune`` within a job that is under way."""
    way = Way.of(engine, settings)
    dataset = filled(data)
    table, notes = guess(dataset, run, schema, way.k)
    for note in notes:
        say(note)
    rows = encoded(dataset, table, run, **way.codecs)[1]
    found = search(rows, engine, way.engine, run.child("tune"), Cap(), memory)
    if memory is not None:
        save(found, settings, memory)
    return found


def plan(data: Any, *, tier: str = "partner", policy: Any = None, unit: str | None = None, schema: Any = None,
         workers: int | None = None, listener: Listener | None = None) -> Plan:
    """Which tier the people of a table can support, and how many to hold back: the whole gate simulated, before
    anything is learned.

    >>> print(fabrica.plan("people.csv", tier="partner"))                             # doctest: +SKIP
    """
    return foresee(data, tier, policy, unit=unit, schema=schema, run=Run(7, workers=workers, listener=listener))


def foresee(data: Any, tier: str, policy: Any, *, unit: str | None, schema: Any, run: Run) -> Plan:
    """``plan`` within a job that is under way."""
    return planned(data, tier, Policy.of(policy), run, unit=unit, schema=schema)


def gate(folder: str | Path, *, tier: str = "partner", policy: Any = None, real: Any = None, holdout: Any = None,
         target: str | None = None, protected: str | Sequence[str] = (), unit: str | None = None, schema: Any = None,
         attempts: str | Path | None = None, model: bool = False, workers: int | None = None,
         listener: Listener | None = None) -> Decision:
    """Decide whether the twin in a folder of ``synth`` may be released: PASS, FAIL or INCONCLUSIVE, test by test.

    Parameters
    ----------
    folder : with the twin; gate.json, evidence.json and evidence.html are written there. tier : ``internal``,
        ``partner`` or ``public``. policy : a file, plain values or a ``Policy``; the house's where there is none.
    real, holdout : real rows, where the folder was made by somebody else. protected : columns whose groups must fare
        alike. attempts : the file in which tries are counted. model : whether the model is to be shared as well as the
        rows; it is then attacked too.

    Raises
    ------
    FabricaError : there is no twin, no holdout, no such tier, or a policy that is loose without a waiver.

    >>> fabrica.gate("out/", tier="partner").verdict                                 # doctest: +SKIP
    'PASS'
    """
    run = Run(0, workers=workers, listener=listener)
    return bring(folder, tier, policy, real=real, holdout=holdout, target=target, protected=protected, unit=unit,
                 schema=schema, attempts=None if attempts is None else Path(attempts), model=model, run=run)[0]
