"""Group risk: are people of some group found out more easily than others?

The attack is that of ``membership``: who is nearer to the twin than to people whom the attacker knows was probably
learned from (calibrated distances; Chen, Yu, Zhang & Fritz, "GAN-Leaks", CCS 2020, arXiv:1909.03935). Here it strikes
each group by itself, members of the group against others of the same group whom nobody learned from: a minority lies
where few people are, so a mean over everybody says nothing about it (Kulynych et al., "Disparate vulnerability to
membership inference attacks", PETS 2022, arXiv:1906.00389).

The number is the area under the curve (0.5 is a coin toss) of the group that is most surely at risk; where none is, of
that about which most cannot be ruled out. ``high`` is the largest one-sided 95 % upper bound of all groups; ``low`` is
so low that it holds for all of them at once (Bonferroni), so one above 0.5 is a find and not the luck of many looks.
Groups with fewer than 100 real people, or fewer than 100 in the half of the holdout that is attacked, are counted.

Positive control: the same attack on a twin into which members were planted (1 % of it) must find them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from fabrica.amplified import lowest
from fabrica.contract import Evidence, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.protected import Partition, partitions
from fabrica.reached import Scores
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.world import World

__all__ = ["GroupRisk"]

PEOPLE = 1_000  #: of each group that are attacked, of each side, at most
DOSE = 0.01  #: share of planted rows in the positive control


class GroupRisk(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether people of some group can be told as learned from more easily than others"
    source: ClassVar[str] = "disparate vulnerability; Kulynych et al., PETS 2022, arXiv:1906.00389"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"group_risk": ("holdout",)}
    needs: ClassVar[tuple[str, ...]] = ("protected",)
    heavy: ClassVar[bool] = True

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        try:
            world = World.of(evidence, run.child("world"))
            parts = partitions(evidence, world.others)
            struck = [_struck(part, world, run.child(" × ".join(part.place))) for part in parts]
            planted = world.planted(DOSE, run.child("plant"))
            sides = [planted.nearer(planted.points[side]) for side in ("members", "controls")]
            found = Scores(sides[0], sides[1]).found
        except NotComputable as why:
            return [Finding("group_risk", None, better=0.5, unit="AUC", against="holdout", problem=why.what)]
        control = {"control": "found" if found else "missed", "dose": planted.dose}
        return _with_worst([_place(part, scores, control, evidence.k)
                            for part, scores in zip(parts, struck, strict=True)])


def _struck(part: Partition, world: World, run: Run) -> dict[int, Scores]:
    """The attack on each group by itself."""
    sides = []
    for side, sheet in (("members", world.everybody), ("controls", world.others)):
        at, draw = part.of_rows(sheet), run.child(side).random()
        chosen = {g: draw.permutation(np.nonzero(at == g)[0])[:PEOPLE] for g in range(len(part.groups))}
        sides.append(_scored(world, sheet, chosen))
    return {g: Scores(sides[0][g], sides[1][g], world.seen) for g in range(len(part.groups))}


def _scored(world: World, sheet: Sheet, chosen: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
    """How much nearer the twin is to each of the people who were chosen."""
    if not chosen:
        return {}
    near = world.nearer(world.space.points(sheet.take(np.concatenate(list(chosen.values())))))
    ends = np.cumsum([len(rows) for rows in chosen.values()])[:-1]
    return dict(zip(chosen, np.split(near, ends), strict=True))


def _place(part: Partition, scores: Mapping[int, Scores], control: Mapping[str, Any], k: int) -> Finding:
    """The groups of one column, or of two."""
    counted = part.counted(k)
    told = {g: one.finding("group_risk") for g, one in scores.items()}
    told = {g: one for g, one in told.items() if one.value is not None}
    if not told:
        return Finding("group_risk", None, part.place, better=0.5, unit="AUC", against="holdout",
                       problem="no group has enough people to be attacked", detail=counted)
    groups = [{"group": part.groups[g], "people": part.people[g], "area": one.value, "low": one.low, "high": one.high,
               "caught_at_0.01": one.detail["caught_at_0.01"]} for g, one in told.items()]
    g = _farthest(told, len(told))
    worst, high = told[g], max(one.high or 0.0 for one in told.values())
    detail = {**worst.detail, **control, "group": part.groups[g], "groups": groups, **counted}
    return replace(worst, place=part.place, low=lowest(worst, len(told)), high=high, detail=detail)


def _farthest(told: Mapping[int, Finding], many: int) -> int:
    """The group that is told of: the surest of those that are surely at risk though ``many`` were attacked, else that
    about which most cannot be ruled out."""
    sure = {g: low for g, one in told.items() if (low := lowest(one, many)) > 0.5}
    return max(sure, key=lambda g: sure[g]) if sure else max(told, key=lambda g: told[g].high or 0.0)


def _with_worst(found: Sequence[Finding]) -> list[Finding]:
    """The findings with that of the table before them."""
    measured = [one for one in found if one.high is not None]
    if not measured:
        return [replace(found[0], place=()), *found]
    lines = [(one, line) for one in measured for line in one.detail["groups"]]
    each = {i: replace(one, value=line["area"], low=line["low"], high=line["high"])
            for i, (one, line) in enumerate(lines)}
    at = _farthest(each, len(each))
    (place, line), worst = lines[at], each[at]
    high = max(one.high or 0.0 for one in measured)
    own = place.detail if place.detail["group"] == line["group"] else {}
    detail = {**own, "control": place.detail["control"], "dose": place.detail["dose"], "group": line["group"],
              "groups": [], "worst": " × ".join(place.place), "floor_from": "a coin", "least": place.detail["least"],
              "small_groups": sum(one.detail.get("small_groups", 0) for one in found), "small_people": None}
    whole = replace(worst, place=(), low=lowest(worst, len(each)), high=high, detail=detail)
    return [replace(whole, detail={**detail, "words": _words(whole)}), *found]


def _words(whole: Finding) -> str:
    """What is known of the group in a sentence."""
    group = f"{whole.detail['group']!r} (by {whole.detail['worst']})"
    high = np.ceil(1000 * (whole.high or 0.0)) / 1000  # a bound is never rounded down
    if (whole.low or 0.0) > 0.5:
        return (f"People of {group} are told as learned from: an area of {whole.value:.3f}, where a coin has 0.5. Of "
                f"no group is it above {high:.3f} (95 %).")
    return (f"People of no group are measurably told as learned from: nowhere with an area above {high:.3f} (95 %), "
            f"where a coin has 0.5; the farthest are {group}.")
