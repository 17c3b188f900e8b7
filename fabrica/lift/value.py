"""What the comparison tells: plain frozen values, words and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fabrica.interval import Interval

__all__ = ["ARMS", "Arm", "Lift", "Step"]

#: the ways that are compared, the last is ours
ARMS = ("none", "class weights", "oversampling", "SMOTE", "injected")


@dataclass(frozen=True)
class Arm:
    """One way: average precision and recall at the budget of alerts, and by how much injection is better than it
    (None for injection itself), paired over seeds and test rows."""

    name: str
    precision: Interval
    recall: Interval
    lift: Interval | None


@dataclass(frozen=True)
class Step:
    """All ways with one number of real positives; ``seeds`` splits of the table; how many rows of either kind judge."""

    positives: int
    negatives: int
    seeds: int
    judging_positives: int
    judging_negatives: int
    arms: tuple[Arm, ...]

    @property
    def surely(self) -> bool:
        """Whether injection is surely better than every rival; of one split nobody knows."""
        return self.seeds > 1 and all(arm.lift.low > 0 for arm in self.arms if arm.lift is not None)


@dataclass(frozen=True)
class Lift:
    """The whole comparison.

    Parameters
    ----------
    target, positive : what is detected. engines : which made the injected rows. alerts : share of rows that may alarm.
    prevalence : of the positives among the test rows, as they are weighted.
    steps : by the number of real positives; ``skipped`` are numbers for which there are too few.
    """

    target: str
    positive: str
    engines: tuple[str, ...]
    alerts: float
    prevalence: float
    steps: tuple[Step, ...]
    skipped: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_lift": 1, **asdict(self), "surely": {s.positives: s.surely for s in self.steps}}

    def lines(self) -> list[str]:
        """A table for a person."""
        budget = f"recall at {self.alerts:.1%} alerts"
        found = [f"{'positives':>9}  {'way':<14} {'AUPRC':<24} {budget:<24} injected is better by"]
        for step in self.steps:
            for i, arm in enumerate(step.arms):
                by = arm.lift
                lift = "" if by is None else f"{by.value:+.3f} ({by.low:+.3f} to {by.high:+.3f})"
                count = f"{step.positives:,}" if i == 0 else ""
                found.append(f"{count:>9}  {arm.name:<14} {arm.precision!s:<24} {arm.recall!s:<24} {lift}".rstrip())
            said = "better than every other way, surely" if step.surely else "not surely better than every other way"
            found.append(f"{'':>9}  injected rows of {', '.join(self.engines)}: {said}")
        if any(step.seeds == 1 for step in self.steps):
            found.append("of one split: the intervals do not tell how another would come out")
        if self.skipped:
            found.append(f"too few positives in the table for {', '.join(map(str, self.skipped))}")
        return found

    def __str__(self) -> str:
        return "\n".join(self.lines())
