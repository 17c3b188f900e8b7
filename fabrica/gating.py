"""A twin brought to the gate: its real table and holdout found again, everything measured, one decision.

``Brought.of`` takes the folder of ``synth`` (or any folder with synthetic rows, beside real rows and a holdout that are
named) and knows all that is to be judged. Chance comes from what is judged, so the same twin under the same policy is
measured in the same way however often it is asked for; only the number of tries may have grown.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fabrica import declaration
from fabrica.apart import demand_apart
from fabrica.attempts import LOG, Attempts, Try
from fabrica.contract import Maker
from fabrica.counted import Counted, filled
from fabrica.crowd import demand_people
from fabrica.dataset import Dataset
from fabrica.errors import FabricaError, InputError
from fabrica.evaluation import evaluate
from fabrica.fingerprint import Fingerprint
from fabrica.gatehouse.beside import Beside, beside
from fabrica.gatehouse.case import Case
from fabrica.gatehouse.checks import outcomes
from fabrica.gatehouse.copied import copied, counted
from fabrica.gatehouse.counts import nth, overcounted
from fabrica.gatehouse.decision import Decision, reading
from fabrica.gatehouse.people import counts
from fabrica.gatehouse.policy import Policy
from fabrica.gatehouse.rare import Rare, rare
from fabrica.inference.facts import K
from fabrica.inference.overrides import declared_rules, settled
from fabrica.job import Job, check_columns, guess, told
from fabrica.maker import Workshop
from fabrica.model import TableModel
from fabrica.origin import Origin
from fabrica.privacy.ledger import Ledger
from fabrica.profile import profiled
from fabrica.protected import demand_groups, protected_columns
from fabrica.recipe import Recipe
from fabrica.report import Report
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.units import enough, several

__all__ = ["Brought", "decided"]

#: what a release may share beside the rows themselves
SEARCHED = ("model.fab", "schema.json", "report.json", "report.html", "ledger.json", "recipe.json")
EVIDENCE = ("evidence.json", "evidence.html")


@dataclass(frozen=True)
class Brought:
    """A twin and what it is judged beside.

    Parameters
    ----------
    folder : of the twin. data : its file. table : what the columns mean. real, holdout : rows that were learned from,
    and others. unit : the column that says whose rows they are. source : the file or folder of the real
    table, None for one in memory. whole : that table as it is, where the folder knows it. recipe, model :
    how it was made, where that is known. schema : SHA-256 of what was declared of the columns, "" where nothing was.
    """

    folder: Path
    data: Path
    table: Table
    real: Counted
    holdout: Counted
    unit: str | None = None
    source: Path | None = None
    whole: Counted | None = None
    recipe: Recipe | None = None
    ledger: Ledger | None = None
    model: TableModel | None = None
    schema: str = ""

    @classmethod
    def of(cls, folder: Path, real: Any = None, holdout: Any = None, unit: str | None = None, schema: Any = None
           ) -> Brought:
        """Find what belongs to a folder.

        Raises
        ------
        InputError : there is no twin in it, or nothing says what it was learned from, or there is no holdout, or it
            holds who was learned from, or the twin was learned with another unit, or a schema is given beside its own.
        """
        data = _data(folder)
        if holdout is not None and real is None:
            raise InputError("is of no use without the real rows that belong to it", where="a holdout",
                             hint="give --real FILE too, or leave it out")
        if real is not None and (folder / "origin.json").is_file():
            raise InputError("tells itself what its twin was learned from, and is judged beside nothing else",
                             where=str(folder), hint="leave --real and --holdout out")
        if schema is not None and (folder / "origin.json").is_file():
            raise InputError("tells itself what the columns of its twin mean, and reads no other schema",
                             where=str(folder), hint="leave --schema out, or learn with it (fabrica synth --schema)")
        if real is not None:
            whole, table = _named(real, holdout, schema)
            source = Path(real).expanduser().absolute() if isinstance(real, str | os.PathLike) else None
            rest = filled(holdout)
            check_columns(table.names, None, **{"the holdout": rest})
            demand_apart(table, whole, rest, unit, Run(0).child("apart"), filled(data))
            return cls(folder, data, table, whole, rest, unit, source, schema=_declared(schema, whole))
        job, model, whole, origin = _again(folder)
        if job.holdout is None:
            raise InputError("was made without a holdout: nothing tells luck from risk", where=str(folder),
                             hint="make it again, with --holdout 0.2")
        origin.demand_holdout(job.holdout.batches(), str(folder / "recipe.json"))
        unit = _one_unit(job.recipe, unit, folder)
        demand_apart(model.table, job.train, job.holdout, unit, Run(0).child("apart"))
        return cls(folder, data, model.table, job.train, job.holdout, unit, Path(job.recipe.data), whole, job.recipe,
                   model.ledger, model)

    @property
    def digest(self) -> str:
        """SHA-256 of the twin's file."""
        return _sha256(self.data)

    def beside(self, shared: bool) -> dict[str, str]:
        """SHA-256 of what is judged with the twin: of the model, if it is ``shared`` too, and of the ledger if any."""
        files = {"model": self.folder / "model.fab"} if shared else {}
        if self.ledger is not None:
            files["ledger"] = self.folder / "ledger.json"
        return {name: _sha256(file) for name, file in files.items()}

    @property
    def k(self) -> int | None:
        """People who had to stand behind what was learned; None where that is not known, or noise did instead."""
        if self.recipe is None or self.recipe.terms is not None:
            return None
        return int(self.recipe.settings.get("k", K))

    @property
    def maker(self) -> Callable[..., Maker] | None:
        """Who can learn again, for the attacks that need it."""
        if self.recipe is None or self.model is None:
            return None
        return Workshop(self.recipe, self.model, self.real, self.holdout).maker

    def attempt(self, log: Path | None = None) -> Try:
        """This try of the table, to be written down in a ``log``, else beside the table, else in the folder."""
        beside = [] if self.source is None else [self.source.parent / LOG]
        places = list(dict.fromkeys([*beside, self.folder / LOG])) if log is None else [log]
        rest = Fingerprint.of(self.holdout.batches())
        if self.whole is not None:
            tables = [Fingerprint.of(self.whole.batches())]
        else:  # somebody may have divided it
            real = Fingerprint.of(self.real.batches())
            tables = [real, real + rest]
        return Try(places, tables, rest, self.digest, ", ".join(reading(self.unit, self.schema)))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _data(folder: Path) -> Path:
    if not folder.is_dir():
        raise InputError("there is no such folder", where=str(folder), hint="name one that `fabrica synth` has made")
    found = sorted(p for p in folder.glob("data.*") if p.is_file())
    if len(found) != 1:
        what = "holds no twin (a file data.csv, data.parquet, ...)" if not found else "holds several files named data"
        raise InputError(what, where=str(folder), hint="make one: fabrica synth people.csv -o FOLDER")
    return found[0]


def _named(real: Any, holdout: Any, schema: Any) -> tuple[Counted, Table]:
    if holdout is None:
        raise InputError("is needed beside the real rows: without people nobody learned from luck cannot be told from "
                         "risk", where="a holdout", hint="give --holdout FILE")
    whole = filled(real)
    return whole, guess(whole, Run(0), schema)[0]


def _declared(schema: Any, rows: Counted) -> str:
    """SHA-256 of what a schema declares of columns and rules, however it is written down; "" where there is none."""
    if schema is None:
        return ""
    said = [settled(schema, rows.schema.names, rows.name), declared_rules(schema, rows.name)]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _again(folder: Path) -> tuple[Job, TableModel, Counted, Origin]:
    """The job that made a folder, with the same holdout; what it learned; the table, as it is; and its origin."""
    missing = [name for name in ("recipe.json", "origin.json", "model.fab") if not (folder / name).is_file()]
    if missing:
        raise InputError(f"has no {missing[0]}, so nothing says what the twin was learned from", where=str(folder),
                         hint="name the real rows: --real FILE --holdout FILE")
    recipe, origin = Recipe.load(folder / "recipe.json"), Origin.load(folder / "origin.json")
    if not recipe.data or not Path(recipe.data).exists():
        raise InputError("the table that was learned from is not where it was", where=str(folder / "recipe.json"),
                         hint="bring it back there, or say in that file where it is")
    whole, model, run = filled(recipe.data), TableModel.load(folder / "model.fab"), Run(recipe.seed)
    _demand_ledger(folder / "ledger.json", model)
    origin.demand([part.path for part in Dataset.open(recipe.data).parts], whole.rows, recipe.data)
    shaped = profiled(whole, recipe.profile, lambda found: guess(found, run.child("profile"), recipe.schema, K)[0])
    return Job.begin(recipe, shaped, run, recipe.schema, origin=origin), model, whole, origin


def _one_unit(recipe: Recipe, unit: str | None, folder: Path) -> str | None:
    """The column that says whose rows they are: that of the recipe, else the one that is asked for.

    Raises
    ------
    InputError : they are two; the twin was learned, and its holdout drawn, by the recipe's.
    """
    own = recipe.unit if recipe.terms is None else recipe.terms.unit
    if own is not None and unit not in (None, own):
        raise InputError(f"its twin was learned with --unit {own}, and cannot be judged by another ({unit!r})",
                         where=str(folder / "recipe.json"),
                         hint=f"leave --unit out, or make the twin again with --unit {unit}")
    return unit or own


def _demand_ledger(file: Path, model: TableModel) -> None:
    """Raises ``InputError`` where the ledger that lies beside a model is another than the model's own."""
    said = Ledger.from_json(declaration.read(file), str(file)).to_json() if file.is_file() else None
    if said != (None if model.ledger is None else model.ledger.to_json()):
        raise InputError("is not what the model beside it has paid", where=str(file), hint="make the twin again")


def decided(brought: Brought, policy: Policy, tier: str, run: Run, *, target: str | None = None,
            protected: str | Sequence[str] = (), attempts: Path | None = None, model: bool = False
            ) -> tuple[Decision, Report]:
    """Measure all that the gate asks for, and decide; of rows alone, or of the ``model`` that made them too.

    Raises
    ------
    FabricaError : there is no such tier, or no model, or the tables do not belong together, or there are too few
        people, or protected columns tell no groups apart; nothing is measured then, and no try is counted.
    """
    if model and brought.model is None:
        raise InputError("there is no model to share", where=str(brought.folder), hint="leave --model out")
    asked, guarded = policy.tier(tier), protected_columns(protected, brought.table)
    demand_groups(guarded, brought.table, brought.real, run)
    demand_people(str(brought.source or brought.folder), brought.unit, brought.real, brought.holdout)
    digest, this = brought.digest, brought.attempt(attempts)
    _warn(this.seen(), asked.attempts, run)
    run = run.reseeded(int(digest[:15], 16))
    twin = filled(brought.data)
    k = asked.k if brought.unit is None else enough(brought.real.batches(), brought.unit, asked.k)
    target = target or (brought.recipe.target if brought.recipe else None)
    report = evaluate(brought.real, twin, brought.holdout, table=brought.table, target=target, attacks=True, k=k,
                      unit=brought.unit, protected=guarded, maker=brought.maker, run=run.child("evaluate"))
    report = _counted(report, brought, twin)
    few = rare(brought.table, [brought.real, brought.holdout], twin, asked.k, brought.unit)
    tried = this.counted()
    epsilon = None if brought.ledger is None else brought.ledger.epsilon()
    case = Case(policy, tier, report, twin.rows, brought.real.rows + brought.holdout.rows, few,
                _beside(brought, few, report), epsilon, tried.number,
                _aside(tried, brought, attempts), target, guarded,
                brought.unit, _several(brought), brought.k,
                overcounted(brought.ledger, brought.real.rows + brought.holdout.rows, brought.real.rows), model)
    decision = Decision(tier, policy, tuple(outcomes(case)), tried.number,
                        {"data": digest, "file": brought.data.name, "rows": twin.rows, **counts(report.facts),
                         **brought.beside(model)},
                        datetime.now(UTC).isoformat(timespec="seconds"), dict(report.facts["versions"]), target,
                        guarded, unit=brought.unit, schema=brought.schema)
    decision = _after(decision.recalling(tried.before), brought.folder / "gate.json")
    this.kept({decision.asked: decision.verdict})
    facts: dict[str, Any] = {"gate": decision.to_json()}
    if brought.recipe is not None:
        facts |= {"recipe": brought.recipe.told(), "engine": brought.recipe.engine}
    return decision, told(report, [], **facts)


def _several(brought: Brought) -> str:
    """The column by which people seem to have several rows, where nobody has said whose they are: a unit that differs
    in every row tells of rows and of nobody."""
    found = next((name for name in several(brought.table) if name != brought.unit), "")
    if brought.unit is None or not found:
        return found
    cells = [batch.column(brought.unit).cast(pa.string()) for batch in brought.real.batches()]
    return found if pc.count_distinct(pa.chunked_array(cells)).as_py() == brought.real.rows else ""


def _warn(seen: Attempts, most: int, run: Run) -> None:
    """Tell before anything is measured that this try is the last one, or one too many."""
    which = f"this is the {nth(seen.number)} twin of its table" + (
        ", for it was judged before with another --unit or --schema" if seen.new and seen.before else "")
    if seen.new and seen.number == most:
        run.remark(f"{which}, and the last of {most} that may be tried; it counts once it is measured")
    elif seen.new and seen.number > most:
        run.remark(f"{which}, and {most} may be tried: it cannot pass")


def _aside(tried: Attempts, brought: Brought, log: Path | None) -> str:
    """Where tries are counted, if not beside the table: nobody sees there whether it was tried elsewhere too."""
    if log is not None:
        return "counted in a file that --attempts names"
    return "counted in its folder alone, for the real table is no file beside which one can write" * (
        tried.aside or brought.source is None)


def _after(decision: Decision, file: Path) -> Decision:
    """The decision, with what the one says that it takes the place of."""
    try:
        return decision.after(Decision.load(file)) if file.is_file() else decision
    except FabricaError:  # it was no decision, and nothing follows of it
        return decision


def _counted(report: Report, brought: Brought, twin: Counted) -> Report:
    """The report with the copies that stand in the whole of a twin, in place of those in the rows that were judged."""
    found = copied(brought.table, brought.real, brought.holdout, twin, brought.unit)
    return replace(report, findings=tuple(counted(report.findings, found)))


def _beside(brought: Brought, few: Rare, report: Report) -> Beside:
    """What few people hold in the files beside the rows, the evidence of this decision among them."""
    with tempfile.TemporaryDirectory() as room:
        evidence = [report.save(Path(room) / name) for name in EVIDENCE]
        files = [path for name in SEARCHED if (path := brought.folder / name).is_file()]
        return beside([*files, *evidence], few, [brought.table.name, *brought.table.names])
