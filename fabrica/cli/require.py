"""``--require 'detector>=0.9'``: thresholds that the user sets, and which of them a report misses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from fabrica.errors import SettingError, UnknownName

__all__ = ["Requirement", "fallen", "refuse", "requirement"]

_FORM = re.compile(r"\s*([a-z0-9_]+)(?:@(train|holdout))?\s*(<=|>=)\s*(-?(?:\d+(?:\.\d+)?|\.\d+))\s*", re.ASCII)


@dataclass(frozen=True)
class Requirement:
    """``metric`` of the whole table stands at or beyond ``limit``: against ``train`` or ``holdout`` where that is said,
    else against all that it was measured against."""

    metric: str
    against: str | None
    sign: str
    limit: float

    @classmethod
    def read(cls, text: str) -> Requirement:
        """From its text.

        >>> Requirement.read("detector@holdout>=0.9")
        Requirement(metric='detector', against='holdout', sign='>=', limit=0.9)
        """
        found = _FORM.fullmatch(text)
        if not found:
            raise click.BadParameter("write it in quotes, like 'detector>=0.9', 'shape<=2' or 'detector@holdout>=0.9'",
                                     param_hint="--require")
        return cls(found[1], found[2], found[3], float(found[4]))

    def __str__(self) -> str:
        place = f"@{self.against}" if self.against else ""
        return f"{self.metric}{place}{self.sign}{self.limit:g}"

    def missed(self, report: Any) -> str:
        """One line about what fell short; "" where all is well."""
        found = [f for f in report if f.metric == self.metric and not f.place and self.against in (None, f.against)]
        if not found:
            raise UnknownName("number of the whole table", str(self).split(self.sign)[0],
                              sorted({f"{f.metric}@{f.against}" for f in report if not f.place}), where="--require")
        measured = [f for f in found if f.value is not None]
        if not measured:
            return f"fell short: {self} could not be measured: {found[0].problem}"
        for finding in measured:
            if (finding.value > self.limit) if self.sign == "<=" else (finding.value < self.limit):
                return f"fell short: {self}, but {finding.metric} (against {finding.against}) is {finding.value:.4g}"
        return ""


class _Type(click.ParamType):
    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Requirement:
        return value if isinstance(value, Requirement) else Requirement.read(value)


requirement = click.option("--require", multiple=True, type=_Type(), metavar="'METRIC>=X'",
                           help="Exit with 1 unless a number of the report is good enough, e.g. 'detector>=0.9'.")


def fallen(report: Any, require: Sequence[Requirement]) -> list[str]:
    """A line for each requirement that the report misses."""
    return [line for line in (one.missed(report) for one in require) if line]


def refuse(require: Sequence[Requirement], metrics: Sequence[str] = (), attacks: bool = False, **there: bool) -> None:
    """Refuse, before any work is done, a number that none of the ``metrics`` (the usual ones, if none are named)
    measures, or that cannot be had from what is ``there`` (``holdout``, ``target``, ``protected``)."""
    if not require:
        return
    from fabrica import catalog
    from fabrica.evaluation import usual

    classes = [catalog.get("metrics", name) for name in metrics or usual(attacks, protected=True)]
    known = {number: metric for metric in classes for number in metric.numbers}
    for one in require:
        if one.metric not in known:
            raise UnknownName("number of the whole table", one.metric, sorted(known), where="--require")
        sides = known[one.metric].numbers[one.metric]
        if one.against not in (None, *sides):
            raise SettingError(f"{one.metric} is measured against {' and '.join(sides)} only", where="--require")
        aside = ("holdout",) if (one.against or sides[0]) == "holdout" else ()
        for thing in (*known[one.metric].needs, *aside):
            if not there.get(thing, True):
                what = "protected column" if thing == "protected" else thing
                raise SettingError(f"{one} needs a {what}", where="--require", hint=f"give --{thing}")
