"""A made-up report of the shape that an evaluation gives, for tests of the page: any number of columns, any names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fabrica.report import Finding, Report

__all__ = ["HOSTILE", "made_up"]

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{7*7}}", "</style><b>x", "</script><b>y",
           "emoji \U0001f600 name", "שם עברי", "‮evil‬", "n" * 500, "' onmouseover='alert(3)", "a\x00b\x1b[31m", "\ud800",
           "&lt;b&gt;", "javascript:alert(4)", " ")


def made_up(columns: int | Sequence[str] = 15) -> Report:
    """A report with every kind of finding."""
    names = [f"column {i}" for i in range(columns)] if isinstance(columns, int) else list(columns)
    chance = np.random.default_rng(7)
    drawn = {name: _drawing(i, chance) for i, name in enumerate(names)}
    findings = [*_whole(), *_columns(names, chance), *_pairs(names, chance)]
    facts = {"rows_real": 32561, "rows_synthetic": 32561, "rows_holdout": 16281, "columns": len(names), "engine": "trees",
             "seed": 7, "warnings": ["Column " + names[0] + " was guessed to be a number."]}
    return Report(tuple(findings), facts, {"columns": drawn, "roc": _roc()})


def _whole() -> list[Finding]:
    gain = {"column 3": 0.4, "column 1": 0.2, "column 8": 0.1}
    return [
        Finding("detector", 0.512, better=0.5, unit="AUC", low=0.507, high=0.517, floor=0.501, detail={"columns": gain}),
        Finding("detector", 0.553, better=0.5, unit="AUC", low=0.546, high=0.560, floor=0.508, against="holdout"),
        Finding("shape", 0.41, unit="%", floor=0.36, low=0.38, high=0.45),
        Finding("trend", 1.61, unit="%", floor=1.12),
        Finding("trend_common", 1.18, unit="%", floor=0.93),
        Finding("utility", 0.911, better="higher", unit="AUC", floor=0.925, against="holdout"),
        Finding("copies", 3.0, unit="rows", floor=4.0),
        Finding("alpha_precision", 0.97, better="higher", floor=0.99),
        Finding("beta_recall", 0.52, better="higher", floor=0.55),
        Finding("kway", 7.2, unit="%", floor=6.1),
        Finding("coverage", None, problem="The holdout is too small."),
    ]


def _columns(names: Sequence[str], chance: np.random.Generator) -> list[Finding]:
    found = []
    for name in names:
        found.append(Finding("shape", float(chance.exponential(0.5)), (name,), unit="%", floor=0.36))
        found.append(Finding("missingness", float(chance.exponential(0.2)), (name,), unit="%", floor=0.1))
        found.append(Finding("coverage", 1 - float(chance.exponential(0.01)), (name,), better="higher", floor=0.99))
    return found


def _pairs(names: Sequence[str], chance: np.random.Generator) -> list[Finding]:
    return [Finding("trend_common", float(chance.exponential(1.2)), (a, b), unit="%", floor=0.9)
            for i, a in enumerate(names) for b in names[:i]]


def _drawing(place: int, chance: np.random.Generator) -> dict[str, Any]:
    if place % 2:
        real = chance.dirichlet(np.ones(9))
        levels = [f"level <{k}>" for k in range(9)]
        return {"levels": levels, "real": real.tolist(), "synthetic": chance.dirichlet(400 * real).tolist()}
    edges = np.linspace(0, 90, 41)
    middle = (edges[:-1] + edges[1:]) / 2
    real = np.exp(-((middle - 20 - place) ** 2) / 300) + (5.0 * (middle < 2) if place % 4 == 0 else 0)
    real = real / real.sum()
    return {"edges": edges.tolist(), "real": real.tolist(), "synthetic": chance.dirichlet(3000 * real + 0.1).tolist(),
            "missing": [0.05, 0.052]}


def _roc() -> dict[str, Any]:
    x = [i / 60 for i in range(61)]
    return {key: {"fpr": x, "tpr": [1 - (1 - v) ** k for v in x]} for key, k in (("train", 1.04), ("holdout", 1.25))} | {
        "floor": {"fpr": x, "tpr": [v + 0.01 * math.sin(9 * v) * (1 - v) for v in x]}}
