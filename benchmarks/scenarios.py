"""Each kind of a scenario on Adult: what was wished for, what came, how long it took; and a picture of its effect.

    python benchmarks/scenarios.py [--rows 100000] [--engine trees]

The model learns the training table once. Seconds are those of one core for playing the scenario, the model is there.
``undone`` is the largest difference, in standard errors, between weighted means of the scenario's rows and the means of
the model's own rows, over age, hours, capital gain and the share of high incomes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence

os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(os.environ.get("CORE", -1))]})
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from effects import Panel, effect  # noqa: E402
from places import DATA, HERE, RESULTS, need_data  # noqa: E402

import fabrica  # noqa: E402

PICTURES = HERE.parent / "docs" / "pictures"
HIGH = "income == '>50K'"
EDGES = np.arange(15, 95, 5)


def high(frame: pd.DataFrame) -> pd.Series:
    return frame["income"].str.strip().eq(">50K")


def ages(frame: pd.DataFrame) -> np.ndarray:
    return np.histogram(frame["age"], [*EDGES, 95])[0] / len(frame)


def by_age(name: str, one: pd.DataFrame, other: pd.DataFrame) -> Panel:
    return name, [str(e) for e in EDGES], ages(one), ages(other)


def levels(name: str, column: str, one: pd.DataFrame, other: pd.DataFrame, most: int = 6) -> Panel:
    """Shares of the commonest levels."""
    before, after = (f[column].fillna("missing").str.strip().value_counts(normalize=True) for f in (one, other))
    shown = before.index[:most]
    return name, list(shown), [before[s] for s in shown], [after.get(s, 0.0) for s in shown]


def rate(by: str, one: pd.DataFrame, other: pd.DataFrame) -> Panel:
    """Share of high incomes in the levels of a column."""
    before, after = (high(f).groupby(f[by].str.strip()).mean() for f in (one, other))
    return f"income > 50K, by {by}", list(before.index), list(before), list(after)


def lacking(one: pd.DataFrame, other: pd.DataFrame) -> Panel:
    """Share of missing occupations by age."""
    cut = [pd.cut(f["age"], [*EDGES[::3], 95], right=False, labels=EDGES[::3].astype(str)) for f in (one, other)]
    shares = [gone(f).groupby(c, observed=False).mean() for f, c in zip((one, other), cut, strict=True)]
    return "occupation missing, by age", list(shares[0].index), list(shares[0]), list(shares[1])


def gains(one: pd.DataFrame, other: pd.DataFrame) -> Panel:
    """Capital gains of the highest, on a logarithmic scale."""
    edges = np.array([5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, np.inf])
    counts = [np.histogram(f["capital.gain"], edges)[0] / len(f) for f in (one, other)]
    return "capital gain from", [f"{int(e / 1000)}k" for e in edges[:-1]], *counts


Goal = Callable[[pd.DataFrame], tuple[str, str]]
#: kind -> (scenario, what it wishes for and what came, the panels of its picture)
SCENARIOS: dict[str, tuple[dict, Goal, Callable[[pd.DataFrame, pd.DataFrame], Sequence[Panel]]]] = {
    "given": ({"given": "age >= 60 and sex == 'Female'"},
              lambda f: ("all rows aged 60 or more", f"{(f['age'] >= 60).mean():.3%}"),
              lambda a, b: [by_age("age", a, b), levels("marital status", "marital.status", a, b)]),
    "shift": ({"shift": {"income": {">50K": 0.40}, "age": {"mean": 45}}},
              lambda f: ("income > 50K .400, mean age 45.00", f"{high(f).mean():.3f}, {f['age'].mean():.2f}"),
              lambda a, b: [rate_whole(a, b), by_age("age", a, b), levels("education", "education", a, b, 4)]),
    "fair": ({"fair": {"protected": "sex", "outcome": "income", "parity": 1}},
             lambda f: ("parity gap .000", f"{gap(f):.3f}"),
             lambda a, b: [rate("sex", a, b), levels("occupation", "occupation", a, b)]),
    "rare": ({"inject": [{"kind": "rare", "where": f"age > 70 and {HIGH}", "share": 0.05}]},
             lambda f: ("5 % more rows over 70 with a high income", f"{((f['age'] > 70) & high(f)).mean():.3f}"),
             lambda a, b: [by_age("age", a, b), rate_whole(a, b), levels("work", "workclass", a, b, 4)]),
    "tail": ({"inject": [{"kind": "tail", "column": "capital.gain", "beyond": "max", "share": 0.01}]},
             lambda f: ("1 % of rows beyond the highest gain", f"{(f['capital.gain'] > 99_999).mean():.3f}"),
             lambda a, b: [gains(a, b)]),
    "combine": ({"inject": [{"kind": "combine", "of": ["`marital.status` == 'Widowed'", "age < 25"], "share": 0.02}]},
                lambda f: ("2 % young widows and widowers", f"{widows(f):.3f}"),
                lambda a, b: [young(a, b), by_age("age", a, b)]),
    "missing": ({"missing": {"occupation": {"rate": 0.3, "when": "age < 30"}}},
                lambda f: ("30 % missing under 30", f"{gone(f)[f['age'] < 30].mean():.3f}"),
                lambda a, b: [lacking(a, b)]),
}
SAID = {"given": "under the condition", "shift": "shifted", "fair": "at full parity", "rare": "with injected rows",
        "tail": "with injected rows", "combine": "with injected rows", "missing": "with cells gone missing"}


def gone(frame: pd.DataFrame) -> pd.Series:
    return frame["occupation"].str.strip().eq("?") | frame["occupation"].isna()


def rate_whole(a: pd.DataFrame, b: pd.DataFrame) -> Panel:
    return "income > 50K", ["all"], [high(a).mean()], [high(b).mean()]


def widows(frame: pd.DataFrame) -> float:
    return float((frame["marital.status"].str.strip().eq("Widowed") & (frame["age"] < 25)).mean())


def young(a: pd.DataFrame, b: pd.DataFrame) -> Panel:
    def shares(frame: pd.DataFrame) -> list[float]:
        some = frame[frame["age"] < 25]["marital.status"].str.strip()
        return [float((some == one).mean()) for one in ("Never-married", "Married-civ-spouse", "Widowed")]

    return "marital status under 25", ["never", "married", "widowed"], shares(a), shares(b)


def gap(frame: pd.DataFrame) -> float:
    rates = high(frame).groupby(frame["sex"].str.strip()).mean()
    return float(rates.max() - rates.min())


def undone(free: pd.DataFrame, frame: pd.DataFrame, weight: np.ndarray) -> float:
    """The largest difference of weighted means from the model's, in standard errors."""
    worth = weight.sum() ** 2 / (weight**2).sum()
    found = []
    for one, other in ((free["age"], frame["age"]), (free["hours.per.week"], frame["hours.per.week"]),
                       (free["capital.gain"], frame["capital.gain"]), (high(free), high(frame))):
        error = float(one.std()) * (1 / len(one) + 1 / worth) ** 0.5
        found.append(abs(float(np.average(other, weights=weight)) - float(one.mean())) / error)
    return max(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--engine", default="trees")
    said = parser.parse_args()
    need_data()
    model = fabrica.fit(DATA[0].train, engine=said.engine, seed=1, workers=1)
    free = model.sample(said.rows, seed=1, workers=1).to_pandas()
    PICTURES.mkdir(exist_ok=True)
    lines = ["| kind | wished | came | seconds | undone by weights |", "|---|---|---|---|---|"]
    for kind, (plain, goal, panels) in SCENARIOS.items():
        began = time.perf_counter()
        played = model.play(plain, said.rows, seed=2, workers=1)
        took = time.perf_counter() - began
        frame = played.data.to_pandas()
        left = "–" if kind in ("given", "missing") else f"{undone(free, frame, played.origin['weight'].to_numpy()):.1f}"
        lines.append("| " + " | ".join([kind, *goal(frame), f"{took:.1f}", left]) + " |")
        print(lines[-1], flush=True)
        (PICTURES / f"{kind}.svg").write_text(effect(f"{kind}: effect", panels(free, frame), "as learned", SAID[kind]))
    (RESULTS / "scenarios.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
