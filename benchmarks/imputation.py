"""Imputation: log-loss of each column given all others, against boosted trees trained for that column alone.

    python benchmarks/imputation.py [--engine autoregressive] [--rows 4000] [--seed 1]

Adult: learned on its training table, asked on rows of its test table. The rival is LightGBM with early stopping on a
tenth of the training table, in an environment of its own, on the same cells (levels as categories, missing as a level).
What is asked of a number is in which of ten groups of about equal mass it lies, the same groups for both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from places import DATA, RESULTS, lightgbm, need_data

import fabrica
from fabrica.run import Run

GROUPS = 10  #: of a number

RIVAL = """
import json, sys
import lightgbm, numpy as np, pandas as pd
train, test, columns = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2]), sys.argv[3].split(",")
groups = np.load(sys.argv[4])
both = pd.concat([train, test])
for name in both:
    if not pd.api.types.is_numeric_dtype(both[name]):
        both[name] = pd.Categorical(both[name].astype(str).str.strip())
train, test, told = both.iloc[: len(train)], both.iloc[len(train):], {}
for name in columns:
    grouped = name + "/train" in groups
    x, y = train.drop(columns=name), groups[name + "/train"] if grouped else train[name].cat.codes.to_numpy()
    order = np.random.default_rng(0).permutation(len(x))
    held, seen = order[: len(x) // 10], order[len(x) // 10:]
    levels = int(y.max()) + 1 if grouped else len(train[name].cat.categories)
    how = dict(objective="multiclass", num_class=levels, learning_rate=0.05, num_leaves=15, min_data_in_leaf=50,
               num_threads=1, verbose=-1)
    data = lightgbm.Dataset(x.iloc[seen], y[seen], free_raw_data=False)
    model = lightgbm.train(how, data, 1000, [data.create_valid(x.iloc[held], y[held])],
                           callbacks=[lightgbm.early_stopping(30, verbose=False)])
    p = model.predict(test.drop(columns=name))
    truth = groups[name + "/test"] if grouped else test[name].cat.codes.to_numpy()
    told[name] = float(-np.log(np.maximum(p[np.arange(len(p)), truth], 1e-6)).mean())
print(json.dumps(told))
"""


def ours(engine: str, train: pd.DataFrame, test: pd.DataFrame, seed: int
         ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Column -> mean log-loss on the test rows; and of numbers the groups of train and test rows."""
    model = fabrica.fit(train, engine=engine, seed=seed)
    learned, rows = (model.encoder.encode(pa.Table.from_pandas(part, preserve_index=False), Run(1))
                     for part in (train, test))
    told, groups = {}, {}
    for j, column in enumerate(rows):
        if column.name not in model.table.names:
            continue
        token = model.model.tokens.columns[j]
        group = np.arange(token.size)
        if column.ordered:
            inside = np.minimum((np.nan_to_num(token.middle) * GROUPS).astype(int), GROUPS - 1)
            group = np.unique(np.where(group < token.absent, -1, inside), return_inverse=True)[1]
            groups |= {f"{column.name}/train": group[token.of[learned.columns[j].codes]],
                       f"{column.name}/test": group[token.of[column.codes]]}
        chances = model.model.chances(rows, j) @ np.eye(group.max() + 1)[group]
        truth = group[token.of[column.codes]]
        told[column.name] = float(-np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-6)).mean())
    return told, groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="autoregressive")
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    need_data()
    data = DATA[0]
    train, test = pd.read_csv(data.train), pd.read_csv(data.test).sample(said.rows, random_state=0)
    mine, groups = ours(said.engine, train, test, said.seed)
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked.csv")
        test.to_csv(asked, index=False)
        np.savez(Path(folder, "groups.npz"), **groups)
        done = subprocess.run([str(lightgbm()), "-c", RIVAL, str(data.train), str(asked), ",".join(mine),
                               str(Path(folder, "groups.npz"))], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    rival = json.loads(done.stdout.strip().splitlines()[-1])
    lines = [f"| column | {said.engine} | LightGBM for the column | difference |", "|---|---|---|---|"]
    lines += [f"| {n} | {v:.4f} | {rival[n]:.4f} | {v - rival[n]:+.4f} |" for n, v in mine.items()]
    (RESULTS / "imputation.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
