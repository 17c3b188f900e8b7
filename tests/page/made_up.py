"""A made-up report of the shape that an evaluation gives, for tests of the page: any number of columns, any names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fabrica.report import Finding, Report

__all__ = ["HOSTILE", "made_up"]

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{7*7}}", "</style><b>x", "</script><b>y",
    "emoji \U0001f600 name", "שם עברי", "\u202eevil\u202c", "n" * 500, "' onmouseover='alert(3)", "a\x00b\x1b[31m",
    "\ud800", "&lt;b&gt;", "javascript:alert(4)", " ", "{% raw %}", "https://example.com/x.js", "<!--", "]]>",
)


def made_up(columns: int | Sequence[str] = 15) -> Report:
    """A report with every kind of finding, drawing and fact."""
    names = [f"column {i}" for i in range(columns)] if isinstance(columns, int) else list(columns)
    chance = np.random.default_rng(7)
    drawn = {name: _drawing(i, chance, name) for i, name in enumerate(names)}
    error, floor = _matrix(len(names), chance, 1.2), _matrix(len(names), chance, 0.9)
    findings = [*_whole(), *_columns(names, chance), *_pairs(names, error, floor)]
    facts = {"rows": {"real": 32561, "synthetic": 32561, "holdout": 16281}, "columns": len(names), "engine": "trees",
             "target": names[-1], "seed": 7, "seconds": {"all": 9.251, "detector": 4.0},
             "versions": {"fabrica": "0.1.0"}, "notes": ["Column " + names[0] + " was guessed to be a number."]}
    pictures = {"columns": drawn, "pairs": {"columns": names, "error": error, "floor": floor}, "detector": _curves()}
    return Report(tuple(findings), facts, pictures)


def _whole() -> list[Finding]:
    found = []
    for against, score, auc in (("train", 0.976, 0.512), ("holdout", 0.894, 0.553)):
        found.append(Finding("detector", score, better="higher", floor=0.99, against=against, low=score - 0.01,
                             high=min(1.0, score + 0.01)))
        found.append(Finding("detector_auc", auc, better=0.5, unit="AUC", low=auc - 0.006, high=auc + 0.006,
                             floor=0.501, floor_low=0.496, floor_high=0.506, against=against))
    return [
        *found,
        Finding("shape", 0.41, unit="%", floor=0.36, low=0.38, high=0.45),
        Finding("trend", 1.61, unit="%", floor=1.12),
        Finding("trend_common", 1.18, unit="%", floor=0.93),
        Finding("utility", 0.911, better="higher", unit="AUC", floor=0.925, against="holdout"),
        Finding("copies", 3.0, unit="rows", floor=4.0),
        Finding("alpha_precision", 0.97, better="higher", floor=0.99),
        Finding("beta_recall", 0.52, better="higher", floor=0.55),
        Finding("kway", 7.2, unit="%", floor=6.1),
        Finding("coverage", None, problem="The holdout is too small."),
        Finding("a_stranger's <metric>", 4.2, floor=4.0),
    ]


def _columns(names: Sequence[str], chance: np.random.Generator) -> list[Finding]:
    found = []
    for name in names:
        found.append(Finding("shape", float(chance.exponential(0.5)), (name,), unit="%", floor=0.36))
        found.append(Finding("missingness", float(chance.exponential(0.2)), (name,), unit="%", floor=0.1))
        found.append(Finding("coverage", 1 - float(chance.exponential(0.01)), (name,), better="higher", floor=0.99))
        found += [Finding("detector_column", float(chance.uniform()) / len(names), (name,), unit="share of gain",
                          against=against, floor=1 / len(names)) for against in ("train", "holdout")]
    return found


def _pairs(names: Sequence[str], error: list[list[float]], floor: list[list[float]]) -> list[Finding]:
    return [Finding("trend_common", error[i][j], (a, b), unit="%", floor=floor[i][j])
            for i, a in enumerate(names) for j, b in enumerate(names[:i])]


def _matrix(size: int, chance: np.random.Generator, scale: float) -> list[list[float]]:
    half = np.tril(chance.gamma(2.0, scale / 2, (size, size)), -1)
    return [[round(float(v), 2) for v in row] for row in half + half.T]


def _drawing(place: int, chance: np.random.Generator, name: str) -> dict[str, Any]:
    missing = {"real": 0.05, "synthetic": 0.052} if place % 3 == 0 else {"real": 0.0, "synthetic": 0.0}
    if place % 2:
        real = chance.dirichlet(np.ones(9))
        levels = [name, *(f"level <{k}>" for k in range(1, 9))]
        return {"kind": "category", "levels": levels, "real": real.tolist(), "missing": missing,
                "synthetic": chance.dirichlet(400 * real).tolist(), "other": {"real": 0.01, "synthetic": 0.02}}
    edges = np.linspace(0, 90, 41)
    middle = (edges[:-1] + edges[1:]) / 2
    real = np.exp(-((middle - 20 - place) ** 2) / 300) + (5.0 * (middle < 2) if place % 4 == 0 else 0)
    real = real / real.sum()
    return {"kind": "integer", "edges": edges.tolist(), "real": real.tolist(), "missing": missing,
            "synthetic": chance.dirichlet(3000 * real + 0.1).tolist()}


def _curves() -> dict[str, Any]:
    x = [i / 60 for i in range(61)]
    return {key: {"fpr": x, "tpr": [1 - (1 - v) ** k for v in x], "floor_tpr": [1 - (1 - v) ** 1.01 for v in x],
                  "auc": k / (k + 1)} for key, k in (("train", 1.04), ("holdout", 1.25))}
