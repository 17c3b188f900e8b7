"""What injected positives do for a detector on real tables: AUPRC with few real positives, against the usual ways.

    python benchmarks/boost.py [--positives 30] [--seeds 10] [--data adult,bank,...]

The rarer class of each table is the positive; of it so many are learned from among 4,000 others, and test rows are
weighted so that two in a hundred are positive. Lifts are of the AUPRC, paired, with 95 % intervals over seeds and test
rows.
"""

from __future__ import annotations

import argparse
import json

from places import RESULTS, SHARED, need_data

import fabrica

#: table, target, the rarer value
TABLES = {
    "adult": ("adult/train.csv", "income", ">50K"), "bank": ("bank_marketing/bank_marketing.csv", "y", "yes"),
    "shoppers": ("shoppers/train.csv", "Revenue", "True"), "magic": ("magic/train.csv", "class", "h"),
    "credit": ("german_credit/german_credit.csv", "risk", "2"),
    "diamonds": ("diamonds/diamonds.csv", "cut", "Fair"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--positives", default="30")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data", default=",".join(TABLES))
    parser.add_argument("--engines", default="trees,copula,bayesnet")
    said = parser.parse_args()
    need_data()
    lines = ["| table | positives | none | class weights | oversampling | SMOTE | injected | smallest lift | surely |",
             "|---|---|---|---|---|---|---|---|---|"]
    results = {}
    for name in said.data.split(","):
        file, target, positive = TABLES[name]
        found = fabrica.boost(SHARED / "data" / file, target=target, positive=positive, seeds=said.seeds,
                              positives=[int(n) for n in said.positives.split(",")], prevalence=0.02, seed=1,
                              engines=said.engines.split(","))
        results[name] = found.to_json()
        for step in found.steps:
            worst = min((arm.lift for arm in step.arms if arm.lift is not None), key=lambda lift: lift.low)
            cells = [f"{arm.precision.value:.3f}" for arm in step.arms]
            lift = f"{worst.value:+.3f} ({worst.low:+.3f} to {worst.high:+.3f})"
            sure = "yes" if step.surely else "no"
            lines.append("| " + " | ".join([name, str(step.positives), *cells, lift, sure]) + " |")
            print(lines[-1], flush=True)
    (RESULTS / "boost.json").write_text(json.dumps(results, indent=1))
    (RESULTS / "boost.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
