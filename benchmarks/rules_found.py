"""What `fabrica rules` finds: on real tables, in tables that were made from rules, and in tables of chance.

    python benchmarks/rules_found.py [--seeds 20] [--show TABLE]

For each real table: candidates, how many of them all rows obey, seconds of one core (reading and guessing the schema
included, libraries already imported), and the first few that are no range. Then made tables: how many of the rules they
were made from are found, and how many candidates are none of them; and tables of independent columns, in which there
is nothing to be found but natural ends. ``--show bike_sharing/bike_sharing.csv`` prints all candidates of one table.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(os.environ.get("CORE", -1))]})
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from places import RESULTS, SHARED, need_data  # noqa: E402

import fabrica  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/discovery"))
from made_to_rules import MADE, RARE, second, world  # noqa: E402

TABLES = ("adult/train.csv", "bike_sharing/bike_sharing.csv", "nycflights13/flights.parquet",
          "nycflights13/weather.parquet", "nycflights13/planes.parquet", "shoppers/train.csv", "diamonds/diamonds.csv",
          "bank_marketing/bank_marketing.csv", "california_housing/california_housing.csv",
          "german_credit/german_credit.csv",
          "magic/train.csv", "air_quality_uci/air_quality_uci.csv", "metro_traffic/metro_interstate_traffic.csv",
          "ev_charging/ev_charging_sessions.csv", "commonroad/trajectories.csv", "sakila/film.csv", "sakila/rental.csv",
          "sakila/payment.csv", "sakila/film_actor.csv", "northwind/Orders.csv", "northwind/Order_Details.csv",
          "chinook/Invoice.csv", "chinook/Track.csv", "gtfs_cairns/trips.csv", "gtfs_cairns/stop_times.csv",
          "mimic3_demo/admissions.csv", "mimic3_demo/patients.csv", "mimic3_demo/prescriptions.csv",
          "genomes1000/samples.csv", "rts_gmlc/gen.csv", "rts_gmlc/branch.csv", "matpower_cases/case300_gen.csv")
SHOWN = 3  #: candidates of a table


def real(name: str) -> str:
    path = SHARED / "data" / name
    began = time.process_time()
    found = fabrica.discover(path)
    took = time.process_time() - began
    data = fabrica.Dataset.open(path)
    told = [f"`{one.text.replace('`', '')}`" for one in found if one.kind != "range"][:SHOWN]
    laws = sum(not one.broken for one in found)
    return (f"| {name} | {data.count():,} × {len(data.schema)} | {len(found)} | {laws} | {took:.1f} | "
            f"{', '.join(told)} |")


def made(seeds: int) -> list[str]:
    """Recall and precision where the rules are known."""
    lines = []
    for name, make, rules in (("rules of a shop", world, MADE), ("rarer kinds", second, RARE)):
        hit = other = 0
        for seed in range(seeds):
            found = {one.text.replace("`", "") for one in fabrica.discover(make(seed), seed=seed)
                     if one.kind != "range" or one.text in MADE}
            hit, other = hit + len(rules & found), other + len(found - rules)
        lines.append(f"| {name} | {seeds} | {hit} of {seeds * len(rules)} | {other} |")
    other = sum(one.kind != "range" for seed in range(seeds) for one in fabrica.discover(chance(seed), seed=seed))
    return [*lines, f"| independent columns | {seeds} | – | {other} |"]


def chance(seed: int, rows: int = 2_000) -> pd.DataFrame:
    """Twenty columns that have nothing to do with each other."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({
        **{f"n{i}": random.gamma(2, 20, rows).round(i) for i in range(4)},
        **{f"w{i}": random.poisson(2, rows) for i in range(4)},
        **{f"b{i}": random.integers(0, 2, rows) for i in range(3)},
        **{f"l{i}": random.choice(list("abcdefgh"), rows, p=random.dirichlet(np.ones(8))) for i in range(6)},
        **{f"m{i}": pd.Series(random.integers(0, 90, rows), dtype="Int64").mask(random.random(rows) < 0.1)
           for i in range(2)},
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, rows), "D")})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--show")
    said = parser.parse_args()
    need_data()
    if said.show:
        print(fabrica.discover(SHARED / "data" / said.show))
        return
    fabrica.discover(SHARED / "data" / TABLES[0])  # libraries are imported
    lines = ["| table | rows × columns | candidates | of which all rows obey | CPU-s | such as |",
             "|---|---|---|---|---|---|"]
    for name in TABLES:
        lines.append(real(name))
        print(lines[-1], flush=True)
    lines += ["", "| made tables | how many | rules found | other candidates |", "|---|---|---|---|", *made(said.seeds)]
    print("\n".join(lines[-4:]))
    (RESULTS / "rules_found.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
