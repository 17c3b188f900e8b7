"""Folders of results as ``synth`` and ``gate`` leave them, made once, and bundles of them; with tamperings."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

import fabrica
from fabrica.bundle.canonical import canonical
from fabrica.bundle.keys import new_key
from fabrica.cli import commands

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
    own = ["--engine", "independent"] if epsilon is None else ["--engine", "mst", "--epsilon", str(epsilon)]
    words = ["synth", str(source), "-o", str(folder / "out"), "--target", "income", "--quiet", *own]
    assert commands._outcome(words) == 0
    judge(folder / "out", **gate)
    return folder / "out"


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def judge(out: Path, **changed) -> None:
    """Write ``gate.json`` as the gate writes it."""
    data = next(out.glob("data.*"))
    tests = [{"id": "G0", "name": "identifiers", "verdict": "PASS", "why": "none was found", "value": 0, "high": 0,
              "threshold": 0, "n": 4},
             {"id": "G2", "name": "copies", "verdict": "PASS", "value": 0.0004, "low": 0.0, "high": 0.00171,
              "threshold": 0.002, "n": 317, "why": "copies: at most 0.002, and 0.002 is accepted"},
             {"id": "G3", "name": "singling_out", "verdict": "PASS", "value": 0.0112, "low": -0.01, "high": 0.0311,
              "threshold": 0.05, "n": 983, "why": "singling out: at most 0.032"}]
    policy = {"fabrica_policy": 1, "name": "fabrica", "waivers": [], "determination": "",
              "tiers": {"internal": {"signatures": 1, "months": 24}, "partner": {"signatures": 2, "months": 12},
                        "public": {"signatures": 2, "months": 12}}}
    plain = {"fabrica_gate": 1, "tier": "partner",
             "policy": {**policy, "digest": hashlib.sha256(canonical(policy)).hexdigest()}, "verdict": "PASS",
             "tests": tests, "attempts": 1, "waivers": [],
             "subject": {"data": sha256(data), **{name: sha256(out / file) for name, file in BESIDE.items()
                                                  if (out / file).exists()}}, "made": now(), "expires_months": 12,
             "versions": {"fabrica": fabrica.__version__}}
    (out / "gate.json").write_text(json.dumps({**plain, **changed}))


def now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def failed(out: Path) -> None:
    """The gate did not pass it."""
    judge(out, verdict="FAIL", tests=[
        {"id": "G2", "name": "copies", "verdict": "FAIL", "value": 0.02, "low": 0.011, "high": 0.031,
         "threshold": 0.002, "n": 317, "why": "copies: at least 0.011, and 0.002 is accepted"},
        {"id": "G6", "name": "outliers", "verdict": "INCONCLUSIVE", "why": "there are too few people"}])


def keys(folder: Path, name: str = "signer") -> tuple[Path, Path]:
    """A pair of keys: private and public."""
    folder.mkdir(parents=True, exist_ok=True)
    return new_key(folder / f"{name}.pem")[:2]


def bundle(out: Path, target: Path, private: Path, **asked) -> Path:
    """A bundle of a folder of results."""
    fabrica.release(out, target, key=private, **{"approvers": APPROVERS, **asked})
    return target
