"""Tests of what the twin does to groups of people, and of what it is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fabrica.gatehouse.case import Case
from fabrica.gatehouse.outcome import FAIL, INCONCLUSIVE, PASS, Outcome, apart, joined, unmeasured
from fabrica.gatehouse.risks import by_bounds
from fabrica.report import Finding

__all__ = ["amplified", "shares", "useful"]


def shares(case: Case) -> Outcome | None:
    """Each protected group has about its share, as far as such few real people would have theirs."""
    most, found = case.asked.share, case.of("representation")
    if most is None or not case.protected:
        return None
    blank = Outcome("G12", "representation", PASS, "", threshold=most)
    told = [_share(blank, one, most) for one in found] or [_share(blank, None, most)]
    decides = next(one for one in told if one.verdict == joined(told))
    return replace(decides, why="; ".join([decides.why, *_alone(case.protected, found)]))


def _alone(protected: Sequence[str], found: Sequence[Finding]) -> list[str]:
    """The protected columns by which nobody was compared, though by others people were; in words."""
    places = {name for one in found for name in one.place}
    alone = [repr(name) for name in protected if places and name not in places]
    return [f"everybody is of one group of {', '.join(alone)}, so nobody is compared by it"] if alone else []


def _share(blank: Outcome, found: Finding | None, most: float) -> Outcome:
    """Whether the group of one column, or of two, that is farthest from its share is near enough."""
    why = unmeasured(found, "the share of each group")
    if why or found is None or found.value is None:
        return replace(blank, verdict=INCONCLUSIVE, why=why)
    limit = max(most, found.floor_high or 1.0)
    group = f" ({found.detail['group']})" if "group" in found.detail else ""
    beside = f", and among so few people {1 / limit:.2f} to {limit:.2f} comes by chance" if limit > most else ""
    times = apart(found.value, limit if found.value > 1 else 1 / limit, _fixed, digits=2)
    return replace(blank, verdict=PASS if 1 / limit <= found.value <= limit else FAIL, value=found.value,
                   threshold=limit, why=f"the group that is farthest from its share{group} has {times} times that "
                                        f"share; {1 / most:.2f} to {most:.2f} is accepted{beside}")


def _fixed(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def amplified(metric: str, asked: str, what: str) -> Callable[[Case], Outcome | None]:
    """A gap between groups that must not grow by more than is accepted, or than it does by chance where a model learns
    from other real rows. Of small groups no bound would ever be narrow enough: this test asks for the estimate."""

    def check(case: Case) -> Outcome | None:
        threshold, found = getattr(case.asked, asked), case.of(metric)
        if threshold is None or not case.protected or case.target is None:
            return None
        blank = Outcome("G12", metric, PASS, "", threshold=threshold)
        told = [_grown(blank, one, threshold, what) for one in found] or [_grown(blank, None, threshold, what)]
        return next(one for one in told if one.verdict == joined(told))

    return check


def _grown(blank: Outcome, found: Finding | None, threshold: float, what: str) -> Outcome:
    """Whether the gap between the groups of one place has grown by more than is accepted or comes by chance."""
    where = f"{what} ({' × '.join(found.place)})" if found is not None and found.place else what
    why = unmeasured(found, "this")
    if why or found is None or found.value is None:
        return replace(blank, verdict=INCONCLUSIVE, why=f"{where}: {why}")
    limit = max(threshold, found.floor_high or 0.0)
    beside = f"{threshold:g} is accepted" + (f", and {limit:.3f} comes by chance" if limit > threshold else "")
    surely = found.low is not None and found.low > threshold
    return replace(blank, verdict=FAIL if surely else PASS if found.value <= limit else INCONCLUSIVE,
                   value=found.value, threshold=limit, why=f"{where}: {apart(found.value, limit, _fixed)}; {beside}")


def useful(case: Case) -> Outcome | None:
    """What the twin is for, where the policy says how much may be lost."""
    threshold, found = case.asked.useful, case.one("utility_gap")
    if threshold is None:
        return None
    blank = Outcome("G13", "useful", PASS, "", threshold=threshold)
    if found is None:
        return replace(blank, verdict=INCONCLUSIVE, why="the policy says how much may be lost, but no --target of what")
    return by_bounds(blank, found, threshold, "points that a model of the twin loses")
