"""Group fidelity: are the rows of each group as true as those of the others, or is the majority copied and the rest
made up?

Within each group, by how much its columns differ from the real ones of that group: the mean total variation over the
other columns, numbers at the real table's deciles, in percent. A small group is far from its original by chance alone,
so each stands beside its own floor, what fresh real rows of the group's size score (rows of the group drawn anew, times
what the original's own chance adds). A place's number is that of the group farthest beyond its floor;
``detail["ratio"]`` is the error over its floor in the worst group, against the same in the best: 1 where all groups are
kept alike. An overall distance hides this, for a group of 2 % adds 2 % of its error.

``group_fidelity_pairs`` is the same of the correlations of numbers and of columns with two levels: the mean difference
over all pairs, in a group, with its own floor.

Groups of fewer than 100 real people are counted; those with fewer than 30 rows in the twin cannot be compared and are
counted too (``detail["thin_groups"]``). Interval: 20 resamples of the twin's rows of the group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.errors import NotComputable
from fabrica.protected import Partition, partitions
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import (
    BOOTSTRAP,
    Binned,
    Resamples,
    Spread,
    among,
    common_bins,
    correlation,
    spread,
    variations,
)

__all__ = ["GroupFidelity"]

TIMES, THIN = 20, 30
NUMBERS = 40  #: columns whose correlations are taken at most, evenly spread
NAMES = {"group_fidelity": "%", "group_fidelity_pairs": ""}


class GroupFidelity(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether the rows of each group of people are as true as those of the others"
    source: ClassVar[str] = "total variation and correlations within groups; after Bhanot et al., Entropy 23, 2021"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(NAMES, ("train",))
    needs: ClassVar[tuple[str, ...]] = ("protected",)

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        try:
            parts = partitions(evidence)
        except NotComputable as why:
            return [Finding(name, None, unit=unit, problem=why.what) for name, unit in NAMES.items()]
        narrow = among(evidence)
        places = [_place(part, evidence, narrow, run.child(" × ".join(part.place))) for part in parts]
        return [one for i in range(len(NAMES)) for one in _with_worst([place[i] for place in places])]


def _place(part: Partition, evidence: Evidence, narrow: Evidence, run: Run) -> list[Finding]:
    """Both numbers of one column, or of two."""
    counted = part.counted(evidence.k)
    at = [part.of_rows(sheet) for sheet in (evidence.real, evidence.synthetic)]
    thick = [g for g in range(len(part.groups)) if int((at[1] == g).sum()) >= THIN]
    counted |= {"thin_groups": len(part.groups) - len(thick)}
    try:
        part.need(1 if part.small else 2)
        if not thick:
            raise NotComputable(f"no group has {THIN} synthetic rows")
    except NotComputable as why:
        return [Finding(name, None, part.place, unit=unit, problem=why.what, detail=counted)
                for name, unit in NAMES.items()]
    sheets = [sheet.select([n for n in sheet.values if n not in part.place])
              for sheet in (narrow.real, narrow.synthetic)]
    bins = list(common_bins(sheets).values())
    mixed = _numbers(sheets)
    lines: list[list[tuple[int, Spread | None]]] = [[], []]
    for g in thick:
        rows = [np.nonzero(one == g)[0] for one in at]
        draws = Resamples.of(len(rows[0]), len(rows[1]), TIMES, run.child(str(g)).random())
        lines[0].append((g, _alone(bins, rows, draws)))
        lines[1].append((g, _together([one[r] for one, r in zip(mixed, rows, strict=True)], draws)))
    return [_worst(name, unit, part, told, counted) for (name, unit), told in zip(NAMES.items(), lines, strict=True)]


def _alone(bins: Sequence[Binned], rows: Sequence[np.ndarray], draws: Resamples) -> Spread | None:
    """The mean total variation of the columns, in percent; None without a column."""
    each = [variations(Binned(tuple(one[r] for one, r in zip(column.codes, rows, strict=True)), column.size), draws)
            for column in bins]
    return spread(100 * np.mean(each, axis=0), TIMES, 100.0, fresh=draws.fresh) if each else None


def _numbers(sheets: Sequence[Sheet]) -> list[np.ndarray]:
    """(rows, columns) of each sheet: the numbers, and columns of two levels as 0 and 1."""
    real = sheets[0]
    names = [n for n in real.values if n not in real.levels or len(np.unique(real.values[n][real.values[n] >= 0])) == 2]
    names = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, min(NUMBERS, len(names))).round().astype(int))]
    found = []
    for sheet in sheets:
        columns = [np.where(sheet.values[n] < 0, np.nan, sheet.values[n]) if n in sheet.levels else sheet.values[n]
                   for n in names]
        found.append(np.stack(columns, 1).astype(float) if columns else np.zeros((sheet.rows, 0)))
    return found


def _together(mixed: Sequence[np.ndarray], draws: Resamples) -> Spread | None:
    """The mean difference of correlations; None where there is no pair that varies."""
    real, twin = mixed
    if real.shape[1] < 2:
        return None
    own = correlation(real)
    rows = [np.repeat(np.arange(len(w)), w.astype(int)) for w in (*draws.synthetic, *draws.real)]
    others = [correlation(twin), *(correlation(twin[r]) for r in rows[:TIMES]), *(correlation(real[r])
                                                                               for r in rows[TIMES:])]
    upper = np.triu_indices(len(own), 1)
    apart = np.abs(np.stack([np.nan_to_num(one[upper]) for one in others]) - own[upper])
    known = ~np.isnan(own[upper])
    return spread(apart[:, known].mean(1), TIMES, 2.0, fresh=draws.fresh) if known.any() else None


def _worst(name: str, unit: str, part: Partition, told: Sequence[tuple[int, Spread | None]], counted: Mapping[str, Any]
           ) -> Finding:
    """The group that is farthest beyond its floor, with all of them in the detail."""
    known = [(g, one) for g, one in told if one is not None]
    if not known:
        return Finding(name, None, part.place, unit=unit, problem="there are no two columns to compare",
                       detail=dict(counted))
    g, worst = max(known, key=lambda pair: pair[1].value - pair[1].floor)
    over = {h: one.value / max(one.floor, 1e-9) for h, one in known}
    groups = [{"group": part.groups[h], "people": part.people[h], "error": one.value, "low": one.low, "high": one.high,
               "floor": one.floor, "times": over[h]} for h, one in known]
    detail = {"group": part.groups[g], "groups": groups, "ratio": max(over.values()) / max(min(over.values()), 1e-9),
              "floor_from": BOOTSTRAP, **counted}
    return Finding(name, worst.value, part.place, unit=unit, **worst.company(), detail=detail)


def _with_worst(found: Sequence[Finding]) -> list[Finding]:
    """The findings with that of the table before them: the place of the group farthest beyond its floor."""
    measured = [one for one in found if one.value is not None]
    if not measured:
        return [Finding(found[0].metric, None, unit=found[0].unit, problem=found[0].problem), *found]
    worst = max(measured, key=lambda one: (one.value or 0.0) - (one.floor or 0.0))
    small = {name: sum(one.detail.get(name, 0) for one in found) for name in ("small_groups", "thin_groups")}
    whole = Finding(worst.metric, worst.value, unit=worst.unit, low=worst.low, high=worst.high, floor=worst.floor,
                    floor_low=worst.floor_low, floor_high=worst.floor_high,
                    detail={**worst.detail, "groups": [], "worst": " × ".join(worst.place), **small,
                            "small_people": None, **_words(worst)})
    return [whole, *found]


def _words(worst: Finding) -> dict[str, str]:
    """The worst group in a sentence; nothing of pairs."""
    if worst.unit != "%":
        return {}
    return {"words": f"The rows of {worst.detail['group']!r} (by {' × '.join(worst.place)}) are farthest from real "
                     f"ones: a column is {worst.value:.1f} % off on average, where as many real rows of that group are "
                     f"{worst.floor:.1f} %."}
