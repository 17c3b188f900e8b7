"""Drawings: plain series for the pictures of a report, small and safe to publish.

``columns[name]``, numeric: ``{"kind", "edges" (k+1), "real" (k), "synthetic" (k), "missing": {"real",
"synthetic"}}``, shares of all present values in at most 40 equal bins. The ends are means of the five lowest and of
the five highest original values between the 0.5 % and 99.5 % quantiles, never one person's; what lies outside is
counted in the end bins, edges are rounded, and a bin with fewer than five real rows is drawn as none for the
original. Where fewer than five real rows lie between the quantiles nothing is drawn. Categorical: ``{"kind", "levels",
"real", "synthetic", "other": {…}, "missing": {…}}``, shares of all rows of the 20 commonest levels that at least five
real rows hold, all others summed. Five is the evidence's ``k``, larger where people have several rows.

``pairs``: ``{"columns", "error", "floor"}``, the matrices of ``trend_common``. ``association``: ``{"columns",
"real", "synthetic"}``. ``detector``: ``{"train" | "holdout": {"fpr", "tpr", "floor_tpr"?, "auc"}}``.
``missingness``: ``{"columns", "real", "synthetic"}``, shares of missing cells of columns that have any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fabrica.contract import Evidence
from fabrica.notation.words import spelled
from fabrica.report import Finding

__all__ = ["drawings", "BINS", "TOP"]

BINS, TOP = 40, 20


def drawings(evidence: Evidence, findings: Sequence[Finding]) -> dict[str, Any]:
    """Everything the page draws, as JSON-able plain values."""
    real, synthetic = evidence.real, evidence.synthetic
    columns = {}
    for name in real.values:
        draw = _levels if name in real.levels else _histogram
        columns[name] = draw(evidence, name)
    return {"columns": columns, "missingness": _missing(evidence), **_from(findings),
            "rows": {"real": real.rows, "synthetic": synthetic.rows}}


def _plain(values: np.ndarray, digits: int = 5) -> list[float]:
    return [round(float(v), digits) for v in values]


def _both(real: float, synthetic: float) -> dict[str, float]:
    return {"real": round(float(real), 5), "synthetic": round(float(synthetic), 5)}


def _kind(evidence: Evidence, name: str, otherwise: str) -> str:
    return evidence.table[name].kind if name in evidence.table.names else otherwise


def _ends(values: np.ndarray, k: int) -> tuple[float, float] | None:
    """Where a histogram begins and ends; None where that would tell about fewer than ``k`` rows."""
    low, high = np.quantile(values, [0.005, 0.995])
    inside = np.sort(values[(values >= low) & (values <= high)])
    if len(inside) < k:
        return None
    if inside[0] == inside[-1]:
        return float(inside[0]), float(inside[0])
    low, high = float(inside[:k].mean()), float(inside[-k:].mean())
    return (low, high) if low < high else None


def _edges(low: float, high: float, whole: bool) -> np.ndarray:
    if whole:
        step = max(1.0, np.ceil((high - low + 1) / BINS))
        bars = int(np.ceil((np.ceil(high) - np.floor(low) + 1) / step))
        return np.floor(low) - 0.5 + step * np.arange(bars + 1)
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    digits = 1 - int(np.floor(np.log10((high - low) / BINS)))
    edges = np.unique(np.round(np.linspace(low, high, BINS + 1), min(digits, 15)))
    return edges if len(edges) > 1 else np.array([low, high])


def _histogram(evidence: Evidence, name: str) -> dict[str, Any]:
    kind = _kind(evidence, name, "integer")
    columns = [s.values[name] for s in (evidence.real, evidence.synthetic)]
    missing = _both(*(np.isnan(c).mean() if len(c) else 0.0 for c in columns))
    present = [c[~np.isnan(c)] for c in columns]
    ends = _ends(present[0], evidence.k) if len(present[0]) else None
    if ends is None:
        return {"kind": kind, "edges": [], "real": [], "synthetic": [], "missing": missing}
    edges = _edges(*ends, kind in ("integer", "date"))
    counts = [np.histogram(np.clip(p, edges[0], edges[-1]), edges)[0] for p in present]
    counts[0] = np.where(counts[0] < evidence.k, 0, counts[0])
    shares = [_plain(c / max(1, len(p))) for c, p in zip(counts, present, strict=True)]
    return {"kind": kind, "edges": [float(f"{e:.12g}") for e in edges], "real": shares[0], "synthetic": shares[1],
            "missing": missing}


def _levels(evidence: Evidence, name: str) -> dict[str, Any]:
    texts = spelled(evidence.table[name], evidence.real.levels[name])
    columns = [s.values[name] for s in (evidence.real, evidence.synthetic)]
    counts = [np.bincount(c[c >= 0], minlength=len(texts)) for c in columns]
    rows = [max(1, len(c)) for c in columns]
    top = np.argsort(-counts[0], kind="stable")[:TOP]
    top = top[counts[0][top] >= evidence.k]
    if _kind(evidence, name, "category") == "ordinal":
        top = np.sort(top)
    shown = [c[top] / n for c, n in zip(counts, rows, strict=True)]
    other = _both(*((c.sum() - c[top].sum()) / n for c, n in zip(counts, rows, strict=True)))
    missing = _both(*((c < 0).sum() / n for c, n in zip(columns, rows, strict=True)))
    return {"kind": _kind(evidence, name, "category"), "levels": [texts[i] for i in top], "real": _plain(shown[0]),
            "synthetic": _plain(shown[1]), "other": other, "missing": missing}


def _missing(evidence: Evidence) -> dict[str, Any]:
    names, rates = [], []
    for name, values in evidence.real.values.items():
        both = [v < 0 if name in evidence.real.levels else np.isnan(v)
                for v in (values, evidence.synthetic.values[name])]
        if any(b.any() for b in both):
            names.append(name)
            rates.append([float(b.mean()) for b in both])
    return {"columns": names, "real": _plain(np.array([r[0] for r in rates])),
            "synthetic": _plain(np.array([r[1] for r in rates]))}


def _from(findings: Sequence[Finding]) -> dict[str, Any]:
    """What metrics left in their details for a picture."""
    out: dict[str, Any] = {}
    for f in findings:
        if f.metric == "trend_common" and not f.place and f.value is not None:
            out["pairs"] = {"columns": f.detail["columns"], "error": f.detail["matrix"], "floor": f.detail["floor"]}
        elif f.metric == "association" and not f.place and f.value is not None:
            out["association"] = {k: f.detail[k] for k in ("columns", "real", "synthetic")}
        elif f.metric == "detector_auc" and f.value is not None:
            out.setdefault("detector", {})[f.against] = {**f.detail["roc"], "auc": round(f.value, 4)}
    return out
