"""What is to be released: the folder that ``fabrica synth`` and ``fabrica gate`` left, read once and held together.

Nothing of it is believed because it lies there: the decision must be about this data file, by its digest, and must
follow from its own tests, and they from the evidence; the ledger is reckoned again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fabrica.bundle.canonical import parse
from fabrica.bundle.marks import digests
from fabrica.dataset import Dataset
from fabrica.dataset.files import ending_of
from fabrica.errors import InputError
from fabrica.gatehouse.counts import overcounted
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.follows import unfounded
from fabrica.gatehouse.people import counts
from fabrica.origin import Origin
from fabrica.privacy.ledger import Ledger
from fabrica.report import Finding, Report
from fabrica.verdict import graded

__all__ = ["Made"]


def demand_judged(digest: str, decision: Decision, name: str, file: Path) -> None:
    """Raises ``InputError`` where the SHA-256 of a file is not that of the one that the gate has seen with the data."""
    if decision.subject.get(name) != digest:
        raise InputError(f"is no {name} that the gate has judged with this data", where=str(file),
                         hint=f"run 'fabrica gate{' --model' * (name == 'model')}' again")


@dataclass(frozen=True)
class Made:
    """A folder of results.

    Parameters
    ----------
    folder : where it lies. data : the file of synthetic rows. digest : its SHA-256. rows, names : its shape.
    decision : what the gate said. report : the evidence that it was made of, as plain values. recipe, schema : as they
    were written. ledger : what was paid; None where nothing was promised. origin : which real table it was learned
    from, None where nothing tells.
    """

    folder: Path
    data: Path
    digest: str
    rows: int
    names: tuple[str, ...]
    decision: Decision
    report: Mapping[str, Any]
    recipe: Mapping[str, Any]
    schema: Mapping[str, Any]
    ledger: Ledger | None = None
    origin: Origin | None = None

    @classmethod
    def of(cls, folder: str | Path) -> Made:
        """Read the folder.

        Raises
        ------
        InputError : there is none, something lacks in it, the gate judged another file, its verdict does not follow.
        """
        root = Path(folder).expanduser()
        if not root.is_dir():
            raise InputError("there is no such folder", where=str(folder),
                             hint="give the one that 'fabrica synth' and 'fabrica gate' have written")
        data, decision = _data_in(root), _decision_in(root)
        with data.open("rb") as file:
            digest = digests(file, data.stat().st_size)[0]
        if digest != decision.data:
            raise InputError("judges another data file than the one that lies beside it", where=str(root / "gate.json"),
                             hint="run 'fabrica gate' again")
        seen = Dataset.open(data)
        made = cls(root, data, digest, seen.count(), tuple(seen.schema.names), decision, _json(root / "evidence.json"),
                   _json(root / "recipe.json"), _json(root / "schema.json"),
                   _ledger_in(root / "ledger.json", decision), _origin_in(root / "origin.json"))
        _demand_founded(made)
        return made

    @cached_property
    def columns(self) -> list[dict[str, str]]:
        """Each column of the data: its name, its kind, and what personal data stood there."""
        told = {one.get("name"): one for table in self.schema.get("tables", ()) for one in table.get("columns", ())}
        return [{"name": name, "kind": str(told.get(name, {}).get("kind", "text")),
                 "personal": str(told.get(name, {}).get("personal") or "")} for name in self.names]

    @property
    def looked_for_people(self) -> bool:
        """Whether columns were searched for personal data: under an epsilon that look would have to be paid for."""
        return self.ledger is None or any(one["personal"] for one in self.columns)

    @property
    def name(self) -> str:
        """The name of the table."""
        tables = self.schema.get("tables") or [{}]
        return str(tables[0].get("name") or "table")

    @property
    def real_rows(self) -> int | None:
        """How many rows the source has, those that were held back included, as the report says."""
        told = (self.report.get("facts") or {}).get("rows") or {}
        names = ("real",) if isinstance(self.recipe.get("holdout"), str) else ("real", "holdout")
        counts = [told[name] for name in names if isinstance(told.get(name), int)]
        return sum(counts) if counts and isinstance(told.get("real"), int) else None

    @cached_property
    def likeness(self) -> str:
        """How like the real rows the twin is, all in all: the grade of the report."""
        return graded(Report(tuple(map(Finding.from_json, self.findings))))

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        return list(self.report.get("findings", ()))


def _data_in(root: Path) -> Path:
    found = [one for one in sorted(root.glob("data.*")) if one.is_file() and ending_of(one)]
    if len(found) != 1:
        raise InputError("holds no data file" if not found else "holds several data files", where=str(root),
                         hint="'fabrica synth people.csv -o out/' writes one")
    return found[0]


def _decision_in(root: Path) -> Decision:
    path = root / "gate.json"
    if not path.exists():
        raise InputError("nothing has been decided about this folder: it has no gate.json", where=str(root),
                         hint=f"run 'fabrica gate {root} --tier partner' first")
    decision = Decision.from_json(_json(path), str(path))
    if decision.rounded:
        raise InputError("is a decision whose numbers were rounded for everybody", where=str(path),
                         hint="run 'fabrica gate' again")
    return decision


def _ledger_in(path: Path, decision: Decision) -> Ledger | None:
    if not path.exists():
        return None
    raw = _bytes(path)
    demand_judged(hashlib.sha256(raw).hexdigest(), decision, "ledger", path)
    return Ledger.from_json(parse(raw, str(path)), str(path))


def _origin_in(path: Path) -> Origin | None:
    return Origin.load(path) if path.exists() else None


def _demand_founded(made: Made) -> None:
    """Raises ``InputError`` where a test of the gate does not come out again from the evidence beside it."""
    where = str(made.folder / "evidence.json")
    try:
        report, told = Report.from_json(made.report), made.report["facts"]["rows"]
        epsilon = made.ledger.epsilon() if made.ledger else None
        if made.report["facts"]["gate"] != made.decision.to_json():
            raise InputError("tells of another decision than gate.json", where=where, hint="run 'fabrica gate' again")
        if any(made.decision.subject[side] != found for side, found in counts(made.report["facts"]).items()):
            raise InputError("tells of another number of people than gate.json", where=where,
                             hint="run 'fabrica gate' again")
        whole = told["real"] + told["holdout"]
        found = unfounded(made.decision, report, made.rows, whole, epsilon,
                          overcounted(made.ledger, whole, told["real"]))
    except (LookupError, TypeError, ValueError, AttributeError):
        raise InputError("is not the evidence of a decision of the gate", where=where,
                         hint="run 'fabrica gate' again") from None
    for problem in found:
        raise InputError(problem, where=where, hint="run 'fabrica gate' again")


def _json(path: Path) -> Any:
    return parse(_bytes(path), str(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({(error.strerror or '').lower()})", where=str(path),
                         hint="give the folder that 'fabrica synth' has written") from None
