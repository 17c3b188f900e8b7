"""What the dial ``fair`` gives and costs on Adult (sex and income), for several engines; and other ways to that end.

    python benchmarks/fairness.py [--engines trees,bayesnet,autoregressive] [--seeds 8] [--laws bayesnet]

First, the dial: the gap of 400,000 rows of each parity against (1 - parity) times the learned one. Then the frontier
of each engine (``fabrica.frontier``): rows as many as were learned from, judged on the table's own test rows. Last, for
one engine, three ways to less gap, each at four strengths, from the same rows of parity 0 or of the dial:

* weight: the dial, whose law multiplies the model's by a factor of group and outcome;
* border: the outcomes of rows nearest to even odds are changed (massaging; Kamiran & Calders, KAIS 33, 2012), those
  odds told by classifiers that have not seen the row;
* thresholds: rows of parity 0, and a threshold of each group, so far from one half that the gap of the decisions is
  that of the dial: 1/2 + z / P(group) and 1/2 - z / P(group), the least that a gap can cost where the odds are known
  (Corbett-Davies et al. 2017; Menon & Williamson 2018). It needs the protected attribute when it decides.
"""

from __future__ import annotations

import argparse
import json
import os

os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(os.environ.get("CORE", -1))]})
import numpy as np  # noqa: E402
from places import DATA, HERE, RESULTS, need_data  # noqa: E402

import fabrica  # noqa: E402
from fabrica.boosting import boost, features, predict  # noqa: E402
from fabrica.counted import filled  # noqa: E402
from fabrica.pricing import ROUNDS, SETTING  # noqa: E402
from fabrica.sheets import sheets  # noqa: E402

POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
ADULT, DOCS = DATA[0], HERE.parent / "docs"
ASKED = {"protected": "sex", "outcome": "income"}
MANY = 400_000


def dial(model: fabrica.TableModel) -> float:
    """The largest distance of the gap of many rows from the wished one."""
    gaps = {}
    for parity in POINTS:
        rows = model.play({"fair": {**ASKED, "parity": parity}}, MANY, seed=1, workers=1).data.to_pandas()
        yes, man = rows.income.str.strip() == ">50K", rows.sex.str.strip() == "Male"
        gaps[parity] = float(yes[man].mean() - yes[~man].mean())
    return max(abs(gap - (1 - parity) * gaps[0.0]) for parity, gap in gaps.items())


class World:
    """Rows of one parity as numbers, beside the real test rows."""

    def __init__(self, model: fabrica.TableModel, parity: float, seed: int):
        made = model.play({"fair": {**ASKED, "parity": parity}}, model.facts["rows"], seed=seed, workers=1).data
        self.twin, self.real = sheets(model.table, filled(made), filled(ADULT.test))
        names = [name for name in self.twin.values if name != "income"]
        self.seen = features([self.twin, self.real], names)
        self.yes, self.truth = (one.values["income"] == 1 for one in (self.twin, self.real))
        self.man, self.real_man = (one.values["sex"] == 1 for one in (self.twin, self.real))

    def score(self, yes: np.ndarray, learn: np.ndarray | None = None, at: np.ndarray | None = None) -> np.ndarray:
        """Of real rows, or of those of its own that are ``at``, by a classifier of ``yes`` that has seen ``learn``."""
        own, real = self.seen.parts
        some = slice(None) if learn is None else learn
        booster = boost(own[some], yes[some].astype(np.float32), self.seen.types, ROUNDS, **SETTING)
        return predict(booster, real if at is None else own[at], self.seen.types)

    def judged(self, yes: np.ndarray, said: np.ndarray) -> tuple[float, float, float]:
        """Gap of the rows, gap of the decisions, accuracy."""
        return (abs(yes[self.man].mean() - yes[~self.man].mean()),
                abs(said[self.real_man].mean() - said[~self.real_man].mean()), float((said == self.truth).mean()))

    def massaged(self, parity: float, odds: np.ndarray) -> np.ndarray:
        """Outcomes of which those nearest to even odds were changed, until the rates are as the dial has them."""
        yes, rate = self.yes.copy(), self.yes.mean()
        for group in (self.man, ~self.man):
            own = yes[group].mean()
            wished = (1 - parity) * own + parity * rate
            change = round(abs(wished - own) * group.sum())
            some = np.flatnonzero(group & (yes == (wished < own)))
            order = np.argsort(odds[some] if wished < own else -odds[some], kind="stable")
            yes[some[order[:change]]] ^= True
        return yes


    def thresholds(self, score: np.ndarray, gap: float) -> np.ndarray:
        """Decisions on real rows by a threshold of each group, whose gap is the given one."""
        away = np.where(self.real_man, 1 / self.man.mean(), -1 / (1 - self.man.mean()))
        low, high = 0.0, 0.5
        for _ in range(50):
            middle = (low + high) / 2
            said = score > 0.5 + middle * away
            wide = said[self.real_man].mean() - said[~self.real_man].mean() > gap
            low, high = (middle, high) if wide else (low, middle)
        return said


def laws(model: fabrica.TableModel, seeds: int) -> list[str]:
    """Three ways, means over draws: |way|parity|gap of rows|gap of decisions|points of accuracy lost|."""
    found: dict[tuple[str, float], list[tuple[float, ...]]] = {}
    for seed in range(seeds):
        world = World(model, 0.0, seed)
        plain = world.score(world.yes)
        base = world.judged(world.yes, plain > 0.5)
        fold = np.arange(len(world.yes)) % 3
        odds = np.empty(len(fold))
        for i in range(3):
            odds[fold == i] = world.score(world.yes, np.flatnonzero(fold != i), np.flatnonzero(fold == i))
        for parity in POINTS[1:]:
            other = World(model, parity, seed)
            said = other.score(other.yes) > 0.5
            edited = world.massaged(parity, odds)
            by_group = world.thresholds(plain, other.judged(other.yes, said)[1])
            for way, result in (("weight", other.judged(other.yes, said)),
                                ("border", world.judged(edited, world.score(edited) > 0.5)),
                                ("thresholds", world.judged(world.yes, by_group))):
                found.setdefault((way, parity), []).append((*result[:2], 100 * (base[2] - result[2])))
    lines = ["| way | parity | gap of the rows | gap of decisions | accuracy lost, points | ± |",
             "|---|---|---|---|---|---|"]
    ways = [(way, parity) for way in ("weight", "thresholds", "border") for parity in POINTS[1:]]
    for way, parity in ways:
        some = found[way, parity]
        rows, said, lost = np.mean(some, 0)
        spread = 1.96 * np.std([one[2] for one in some], ddof=1) / len(some) ** 0.5
        lines.append(f"| {way} | {parity:g} | {rows:.3f} | {said:.3f} | {lost:.2f} | {spread:.2f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", default="trees,bayesnet,autoregressive")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--laws", default="bayesnet", help="the engine on which ways are compared, or nothing")
    said = parser.parse_args()
    need_data()
    out, plain = ["# The price of fairness on Adult", "", "`python benchmarks/fairness.py`", ""], {}
    for name in said.engines.split(","):
        model = fabrica.fit(ADULT.train, engine=name, seed=7, workers=1)
        found = fabrica.frontier(model, ADULT.test, **ASKED, favourable=">50K", seeds=said.seeds, workers=1)
        plain[name] = found.to_json()
        if len(plain) == 1:
            found.save(RESULTS / "fairness.svg")
            found.save(DOCS / "fairness.svg")
        out += [f"## {name}", "",
                f"The gap of {MANY:,} rows is within {dial(model):.4f} of the wished one at every point.", "",
                "```", str(found), "```", ""]
        if name == said.laws:
            out += [f"## Three ways to less gap ({name})", "", *laws(model, said.seeds), ""]
        print("\n".join(out), flush=True)
    (RESULTS / "fairness.json").write_text(json.dumps(plain, indent=1), encoding="utf-8")
    (RESULTS / "fairness.md").write_text("\n".join(out), encoding="utf-8")


if __name__ == "__main__":
    main()
