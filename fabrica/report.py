"""Findings and the report: measured numbers with their company.

A ``Finding`` is one measured number with its interval, its baseline (what the same number of *real* rows would
score: the noise floor), its direction, its place, and whether it touched real rows. A number that could not be
computed is a finding too, with the reason; it is never dropped from a mean in silence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from fabrica.errors import UnknownName

__all__ = ["Finding", "Report"]


@dataclass(frozen=True)
class Finding:
    """One measured number.

    Parameters
    ----------
    metric : name of the metric (its file's name), e.g. ``shape``.
    value : the number; None where it could not be computed, and then ``problem`` says why.
    place : what it is about: () the whole table, (column,), (column, column), …
    better : ``lower``, ``higher``, or a number that is ideal (0.5 for a share).
    unit : ``%``, ``AUC``, ``rows``, …; "" for a pure number.
    low, high : a 95 % interval where there is one.
    floor : the same number for as many *real* rows: what a perfect generator would score.
    floor_low, floor_high : an interval of the floor where there is one.
    against : ``train``, ``holdout`` or ``none``: which real rows it was measured against.
    real : whether real rows were touched (nearly always).
    detail : plain values or lists for tables and pictures (never a real cell of a rare level).
    problem : why there is no value.
    """

    metric: str
    value: float | None
    place: tuple[str, ...] = ()
    better: str | float = "lower"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    floor_low: float | None = None
    floor_high: float | None = None
    against: str = "train"
    real: bool = True
    detail: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", tuple(self.place))
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"{self.metric}: a value must be finite; say None and the problem instead")
        if (self.value is None) == (not self.problem):
            raise ValueError(f"{self.metric}: a finding has either a value or a problem")

    def to_json(self) -> dict[str, Any]:
        plain = asdict(self)
        said = [f.name for f in fields(self) if plain[f.name] != f.default and plain[f.name] not in ({}, ())]
        return {name: plain[name] for name in dict.fromkeys(("metric", "value", *said))}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Finding:
        return cls(**{**plain, "place": tuple(plain.get("place", ()))})


@dataclass(frozen=True)
class Report:
    """All findings of one evaluation, with the facts that a reader needs to place them.

    ``facts`` are plain values: rows, columns, engine, seconds, versions, warnings. ``drawings`` are plain series for
    pictures (histograms per column, matrices), computed where the data was at hand.
    """

    findings: tuple[Finding, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    drawings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Report: {len(self.findings)} findings; print it to read it, or save it as .html>"

    def __str__(self) -> str:
        from fabrica.page.words import text

        return text(self)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def find(self, metric: str, *place: str, against: str | None = None) -> Finding:
        """The finding of ``metric`` at ``place`` (and against ``train`` or ``holdout``)."""
        for finding in self.findings:
            if finding.metric == metric and finding.place == place and against in (None, finding.against):
                return finding
        where = "the report" if not place else f"the report, at {' + '.join(map(repr, place))}"
        raise UnknownName("finding", metric, sorted({f.metric for f in self.findings}), where=where)

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_report": 1, "facts": dict(self.facts), "findings": [f.to_json() for f in self.findings],
                "drawings": dict(self.drawings)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Report:
        return cls(tuple(Finding.from_json(f) for f in plain["findings"]), plain["facts"], plain.get("drawings", {}))

    def save(self, path: str | Path) -> Path:
        """Write ``.html`` or ``.json``, by the suffix."""
        path = Path(path)
        if path.suffix == ".json":
            path.write_text(json.dumps(self.to_json(), ensure_ascii=False), encoding="utf-8")
        else:
            from fabrica.page import page

            path.write_text(page(self), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        from fabrica.page import summary

        return summary(self)
