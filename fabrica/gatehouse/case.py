"""What the gate knows of a release when it decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fabrica.gatehouse.beside import Beside
from fabrica.gatehouse.policy import Policy, Tier
from fabrica.gatehouse.rare import Rare
from fabrica.report import Finding, Report

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """All that is known of a release when the gate decides.

    Parameters
    ----------
    tier : a name of the policy's tiers. report : what was measured, attacks included.
    rows, real_rows : of the twin and of the whole real table. rare : what of few people stands in the twin;
    files : what of few people stands in the files beside it. epsilon : of differential privacy, None without one.
    attempts : the number of this twin among those of its table that were tried; aside : where they are counted, if not
    beside the table, in words. target, protected : what was declared. unit : the column that says whose rows they are,
    None where each is another's; several : the column by which people seem to have several rows, "" if none.
    k : people who had to stand behind what was learned, None where nobody knows or noise did instead.
    noise : rows that noise which was paid for may have counted too many. model : whether the model is shared too.
    """

    policy: Policy
    tier: str
    report: Report
    rows: int
    real_rows: int
    rare: Rare
    files: Beside = field(default_factory=Beside)
    epsilon: float | None = None
    attempts: int = 1
    aside: str = ""
    target: str | None = None
    protected: Sequence[str] = ()
    unit: str | None = None
    several: str = ""
    k: int | None = None
    noise: float = 0.0
    model: bool = False

    @property
    def asked(self) -> Tier:
        return self.policy.tier(self.tier)

    def of(self, metric: str) -> list[Finding]:
        """The findings of a metric, that of the whole table first."""
        return sorted((f for f in self.report if f.metric == metric), key=lambda f: len(f.place))

    def one(self, metric: str) -> Finding | None:
        return next(iter(self.of(metric)), None)
