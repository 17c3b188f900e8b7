"""Rules that hold by construction: are they kept, what do they cost in time, what in likeness.

    python benchmarks/rules.py [--rows 1000000] [--tables bike,adult] [--seeds 3]

For each real table two models are learned from one half of it, one of them with rules. What is told: the share of
sampled rows that keep every rule, by NumPy and pandas, not by the rulebook (and the same of the model without rules);
rows that were drawn anew; seconds to sample with and without rules, on one core, the best of paired runs; and how far a
boosted classifier tells the other half from the twin (C2ST: the area under its ROC curve above one half), the mean of
some seeds of learning and sampling, with the standard error of the paired differences. The classifier does not see the
day of bike_sharing: real rows are one for each hour of each day, so that whoever learns which days and hours are there
is wrong about the other half. Nor does it see keys.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(os.environ.get("CORE", -1))]})
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from places import RESULTS, SHARED, need_data  # noqa: E402

import fabrica  # noqa: E402

Judge = Callable[[pd.DataFrame], "pd.Series[bool]"]
PAIRS = 3  #: paired runs of sampling


def _follows(given: list[str], then: str) -> Judge:
    return lambda f: f.groupby(given)[then].transform("nunique") <= 1


def _empty(what: str, when: str) -> Judge:
    return lambda f: f[what].isna() | f[when].notna()


def bike() -> tuple[pd.DataFrame, list[str], dict[str, Judge]]:
    frame = pd.read_csv(SHARED / "data/bike_sharing/bike_sharing.csv").drop(columns="instant")
    date = lambda f: pd.to_datetime(f.dteday, format="%m/%d/%Y")  # noqa: E731
    return frame, ["dteday"], {
        "cnt == casual + registered": lambda f: f.cnt == f.casual + f.registered,
        "dteday -> season": _follows(["dteday"], "season"),
        "holiday, weekday -> workingday": _follows(["holiday", "weekday"], "workingday"),
        "yr == year(dteday) - 2011": lambda f: f.yr == date(f).dt.year - 2011,
        "mnth == month(dteday)": lambda f: f.mnth == date(f).dt.month,
        "0 <= hr <= 23": lambda f: f.hr.between(0, 23),
        "not (holiday == 1 and workingday == 1)": lambda f: ~((f.holiday == 1) & (f.workingday == 1)),
        "registered >= 0": lambda f: f.registered >= 0}


def flights() -> tuple[pd.DataFrame, list[str], dict[str, Judge]]:
    frame = pd.read_parquet(SHARED / "data/nycflights13/flights.parquet").drop(columns=["tailnum"])
    pairs = {p for p, n in frame.value_counts(["origin", "dest"]).items() if n}
    return frame, [], {
        "sched_dep_time == hour * 100 + minute": lambda f: f.sched_dep_time == f.hour * 100 + f.minute,
        "combinations(origin, dest)": lambda f: pd.Series([p in pairs for p in zip(f.origin, f.dest, strict=True)]),
        "origin != dest": lambda f: f.origin != f.dest,
        "dep_delay is null when dep_time is null": _empty("dep_delay", "dep_time"),
        "arr_time is null when dep_time is null": _empty("arr_time", "dep_time"),
        "air_time is null when arr_time is null": _empty("air_time", "arr_time"),
        "arr_delay is null when air_time is null": _empty("arr_delay", "air_time"),
        "arr_delay is not null when air_time is not null": _empty("air_time", "arr_delay"),
        "0 <= minute <= 59": lambda f: f.minute.between(0, 59),
        "distance > 0": lambda f: f.distance > 0}


def rental() -> tuple[pd.DataFrame, list[str], dict[str, Judge]]:
    frame = pd.read_csv(SHARED / "data/sakila/rental.csv").drop(columns=["rental_id", "last_update"])
    payment = pd.read_csv(SHARED / "data/sakila/payment.csv")
    rentals = pd.read_csv(SHARED / "data/sakila/rental.csv")[["rental_id"]].assign(at=np.arange(len(frame)))
    paid = rentals.merge(payment.drop_duplicates("rental_id"), on="rental_id", how="left").sort_values("at")
    frame = frame.assign(amount=paid.amount.to_numpy(), payment_date=paid.payment_date.to_numpy())
    when = pd.to_datetime
    return frame, ["inventory_id", "customer_id"], {
        "return_date >= rental_date": lambda f: ~(when(f.return_date) < when(f.rental_date)),
        "payment_date == rental_date": lambda f: f.payment_date.isna() | (when(f.payment_date) == when(f.rental_date)),
        "staff_id in (1..2)": lambda f: f.staff_id.isin([1, 2]),
        "0 <= amount <= 20": lambda f: f.amount.isna() | f.amount.between(0, 20)}


def adult() -> tuple[pd.DataFrame, list[str], dict[str, Judge]]:
    frame = pd.read_csv(SHARED / "data/adult/train.csv", skipinitialspace=True)
    frame.columns = [name.replace(".", "_") for name in frame]
    odd = ((frame.relationship == "Husband") & (frame.sex == "Female")) | (
        (frame.relationship == "Wife") & (frame.sex == "Male"))
    return frame[~odd].reset_index(drop=True), [], {
        "education_num -> education": _follows(["education_num"], "education"),
        "sex == 'Male' when relationship == 'Husband'": lambda f: (f.relationship != "Husband") | (f.sex == "Male"),
        "not (relationship == 'Wife' and sex == 'Male')": lambda f: (f.relationship != "Wife") | (f.sex != "Male"),
        "capital_gain == 0 when capital_loss > 0": lambda f: (f.capital_gain == 0) | (f.capital_loss <= 0),
        "marital_status == 'Married-civ-spouse' or marital_status == 'Married-AF-spouse' when relationship == 'Wife'":
            lambda f: f.marital_status.isin(["Married-civ-spouse", "Married-AF-spouse"]) | (f.relationship != "Wife"),
        "17 <= age <= 90": lambda f: f.age.between(17, 90),
        "hours_per_week in (1..99)": lambda f: f.hours_per_week.between(1, 99)}


TABLES = {"bike": bike, "flights": flights, "rental": rental, "adult": adult}


def gap(real: pd.DataFrame, twin: pd.DataFrame, seed: int, most: int = 20_000) -> float:
    """How far a boosted classifier tells them apart: area under the ROC curve above one half, over five folds."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    size = min(len(real), len(twin), most)
    both = pd.concat([real.sample(size, random_state=seed), twin.sample(size, random_state=seed)], ignore_index=True)
    columns = {}
    for name in both:
        x = both[name]
        if not pd.api.types.is_numeric_dtype(x):
            stamps = pd.to_datetime(x, errors="coerce", format="mixed", utc=True) if (
                x.astype(str).str.contains(r"\d{2}[-/:]\d").mean() > 0.9) else None
            x = stamps.astype("int64") if stamps is not None else pd.Series(pd.factorize(x, sort=True)[0])
        columns[name] = x.astype(float).to_numpy()
    truth = np.repeat([1, 0], size)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed + 99)  # the same would give back the order of rows
    return cross_val_score(HistGradientBoostingClassifier(random_state=seed), pd.DataFrame(columns), truth, cv=folds,
                           scoring="roc_auc").mean() - 0.5


def seconds(models: list, rows: int) -> list[float]:
    """The best time of each model to make as many rows, in turn."""
    best = [np.inf] * len(models)
    for turn in range(PAIRS):
        for i, model in enumerate(models):
            began = time.perf_counter()
            for _ in model.sample_batches(rows, fabrica.run.Run(turn, workers=1)):
                pass
            best[i] = min(best[i], time.perf_counter() - began)
    return best


def measured(name: str, rows: int, seeds: int, engine: str) -> str:
    frame, blind, rules = TABLES[name]()
    order = np.random.default_rng(0).permutation(len(frame))
    real, rest = (frame.iloc[np.sort(half)].reset_index(drop=True) for half in np.array_split(order, 2))
    careless = fabrica.fit(real, engine=engine, seed=1, workers=1)
    ruled = fabrica.fit(real, engine=engine, seed=1, rules=list(rules), workers=1)
    for line in ruled.book.words():
        print(f"  {line}", flush=True)
    notes: set[str] = set()
    drawn, free = (m.sample(rows, seed=1, workers=1, listener=lambda news: notes.add(news.note))
                   for m in (ruled, careless))
    kept, kept_free = (np.logical_and.reduce([np.asarray(judge(f), bool) for judge in rules.values()]).mean()
                       for f in (drawn, free))
    for rule, judge in rules.items():
        if not np.asarray(judge(drawn), bool).all():
            print(f"  BROKEN in {(~np.asarray(judge(drawn), bool)).sum()} rows: {rule}")
    anew = sum(int(note.split()[0].replace(",", "")) for note in notes if "anew" in note or "drawn again" in note)
    fast, slow = seconds([careless, ruled], rows)
    gaps = np.array([[gap(rest.drop(columns=blind), fabrica.fit(real, engine=engine, seed=s, rules=asked, workers=1)
                          .sample(len(rest), seed=s).drop(columns=blind), s) for asked in ([], list(rules))]
                     for s in range(seeds)])
    (without, with_), error = gaps.mean(0), (gaps[:, 1] - gaps[:, 0]).std(ddof=1) / seeds**0.5
    return (f"| {name} | {len(rules)} | {100 * kept_free:.2f} % | {100 * kept:.4f} % | {anew} | {fast:.2f} | "
            f"{slow:.2f} | {100 * (slow / fast - 1):+.0f} % | {without:.4f} | {with_:.4f} | "
            f"{100 * (with_ / without - 1):+.0f} ± {100 * error / without:.0f} % |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--engine", default="trees")
    said = parser.parse_args()
    need_data()
    lines = ["| table | rules | rows that keep all, learned without | with rules | drawn anew | seconds without | "
             "with | slower | C2ST gap without | with | lost |", "|---" * 11 + "|"]
    for name in said.tables.split(","):
        lines.append(measured(name, said.rows, said.seeds, said.engine))
        print(lines[-1], flush=True)
    (RESULTS / "rules.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
