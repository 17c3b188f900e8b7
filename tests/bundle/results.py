"""Folders of results as ``synth`` and ``gate`` leave them, made once, and bundles of them; with tamperings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fabrica
from fabrica.bundle.canonical import parse
from fabrica.bundle.keys import new_key
from fabrica.cli import commands
from fabrica.errors import FabricaError
from fabrica.gatehouse.case import Case
from fabrica.gatehouse.checks import outcomes
from fabrica.gatehouse.counts import overcounted
from fabrica.gatehouse.decision import Decision
from fabrica.gatehouse.people import counts
from fabrica.gatehouse.policy import HOUSE, Policy
from fabrica.gatehouse.rare import Rare
from fabrica.privacy.ledger import Ledger
from fabrica.report import Finding, Report

APPROVERS = ("data owner: Max Example", "privacy officer: Ada Example")
BESIDE = {"model": "model.fab", "ledger": "ledger.json"}
CANARY = "Zyxwvut-4711"  #: a value of one real person, which no file may hold


def people(path: Path, rows: int = 400) -> Path:
    """A table of people, one of whom holds something that nobody else does."""
    random = np.random.default_rng(7)
    age = random.integers(17, 90, rows)
    table = pd.DataFrame({"age": age, "sex": random.choice(["f", "m"], rows),
                          "town": random.choice(["Ulm", "Kiel", "Jena"], rows),
                          "income": np.where(random.random(rows) < age / 100, "high", "low")})
    table.loc[3, "town"] = CANARY
    table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    return path


def made(folder: Path, ending: str = ".csv", epsilon: float | None = None, **gate) -> Path:
    """``out/`` in a folder: learned, drawn, measured, and judged as ``gate`` says."""
    folder.mkdir(parents=True, exist_ok=True)
    source = people(folder / f"people{ending}")
    own = ["--engine", "independent"]
    if epsilon is not None:  # the count of real rows is noisy then, and the gate allows no more rows than there are
        own = ["--engine", "mst", "--epsilon", str(epsilon), "--rows", "380"]
    words = ["synth", str(source), "-o", str(folder / "out"), "--target", "income", "--quiet", *own]
    assert commands._outcome(words) == 0
    judge(folder / "out", **{"tier": "partner" if epsilon is None else "public", **gate})
    return folder / "out"


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def risk(name: str, value: float = 0.0, low: float = -0.01, high: float = 0.0006, place=(), **detail) -> Finding:
    return Finding(name, value, place, low=low, high=high, detail={"control": "found", **detail})


def area(name: str, value: float = 0.5, low: float = 0.48, high: float = 0.52, **detail) -> Finding:
    return Finding(name, value, low=low, high=high, better=0.5, detail={"control": "found", **detail})


#: what the attacks find of a twin that leaks nothing
GOOD = {one.metric: one for one in (
    risk("verbatim", 0.0004, tries=9_017), risk("verbatim_but_one", tries=9_017), risk("verbatim_near", tries=3_000),
    risk("verbatim_without", place=("age",), tries=9_017),
    risk("singling_out", 0.0112, high=0.0311, tries=983), risk("linkability", tries=3_000),
    risk("inference", place=("age",), members=3_000), area("membership", members=3_000),
    area("density", members=3_000), area("alike", rows=6_000), Finding("canaries", 0.0, high=0.009,
                                                                      detail={"planted": 300}),
    area("outliers", **{"caught_at_0.01": 0.01, "caught_at_0.01_upper": 0.02}))}


def judge(out: Path, *findings: Finding, tier: str = "partner", policy: Policy = HOUSE, made: str = "",
          attempts: int = 1, protected: tuple[str, ...] = (), model: bool = True,
          before: Mapping[str, str] | None = None, change: Callable[[dict], object] | None = None) -> None:
    """Write ``evidence.json`` and ``gate.json`` as the gate writes them, of what the attacks have found, with or
    without the ``model``, and what it decided ``before``; ``change`` is a hand that edits the decision afterwards."""
    data, plain = next(out.glob("data.*")), json.loads((out / "report.json").read_text())
    found = {**GOOD, **{one.metric: one for one in findings}}
    kept = [one for one in map(Finding.from_json, plain["findings"]) if one.metric not in found]
    rows = plain["facts"]["rows"]
    ledger, whole = _ledger(out / "ledger.json"), rows["real"] + rows["holdout"]
    report = Report((*found.values(), *kept), plain["facts"])
    case = Case(policy, tier, report, rows["synthetic"], whole, Rare(looked=9),
                epsilon=ledger and ledger.epsilon(), attempts=attempts, target="income", protected=protected,
                noise=overcounted(ledger, whole, rows["real"]), model=model)
    beside = {name: sha256(out / file) for name, file in BESIDE.items() if (out / file).exists()}
    if not model:
        del beside["model"]
    subject = {"data": sha256(data), "rows": case.rows, **counts(plain["facts"]), **beside}
    decision = Decision(tier, policy, tuple(outcomes(case)), attempts, subject, made or now(),
                        {"fabrica": fabrica.__version__}, "income", protected, before=before or {})
    replace(report, facts={**report.facts, "gate": decision.to_json()}).save(out / "evidence.json")
    (out / "gate.json").write_text(decision.dumps())
    if change:
        edit(out, change)


def _ledger(file: Path) -> Ledger | None:
    return Ledger.from_json(json.loads(file.read_text())) if file.exists() else None


def edit(out: Path, change: Callable[[dict], object]) -> None:
    """A hand edits the decision, and what the evidence tells of it."""
    for name in ("gate.json", "evidence.json"):
        plain = json.loads((out / name).read_text())
        change(plain if name == "gate.json" else plain["facts"]["gate"])
        (out / name).write_text(json.dumps(plain))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def failed(out: Path) -> None:
    """The gate did not pass it."""
    judge(out, risk("verbatim", 0.02, 0.011, 0.031, tries=317),
          Finding("outliers", None, problem="there are too few people"))


def keys(folder: Path, name: str = "signer") -> tuple[Path, Path]:
    """A pair of keys: private and public."""
    folder.mkdir(parents=True, exist_ok=True)
    return new_key(folder / f"{name}.pem")[:2]


def bundle(out: Path, target: Path, private: Path, **asked) -> Path:
    """A bundle of a folder of results."""
    fabrica.release(out, target, key=private, **{"approvers": APPROVERS, **asked})
    return target


def names(bundle):
    """The files of a bundle."""
    return {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}


def read(bundle, name):
    """A JSON file of a bundle."""
    return parse((bundle / name).read_bytes(), name)


def texts(bundle):
    """What a person or a program could read in each file of a bundle."""
    return {path: path.read_bytes().decode("utf-8", "replace") for path in bundle.rglob("*") if path.is_file()}


def refused(words, folder, keys, tmp_path, **asked):
    """A release of a folder is refused with these words, and leaves nothing behind."""
    with pytest.raises(FabricaError, match=words):
        bundle(folder, tmp_path / "bundle", keys[0], **asked)
    assert not (tmp_path / "bundle").exists()
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".")] == []
