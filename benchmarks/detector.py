"""AUC of LightGBM telling a synthetic table from the real one it was learned from: 0.5 = no better than chance.

100 trees of 31 leaves, five folds, at most 15,000 rows of either kind, levels as categories: another detector than the
yardstick's XGBoost, by which the literature on networks is compared. In an environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from places import Data, lightgbm

LIGHTGBM = """
import json, sys
import lightgbm, numpy as np, pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
real, twin = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])
asked = {name for name in sys.argv[3].split(",") if name}
size = min(15_000, len(real), len(twin))
both = pd.concat([table.sample(size, random_state=0) for table in (real, twin[list(real)])], ignore_index=True)
for name in both:
    if name in asked or not pd.api.types.is_numeric_dtype(real[name]):
        both[name] = pd.Categorical(both[name].astype(str).str.strip())
truth, told = np.repeat([1, 0], size), np.zeros(2 * size)
for learn, judge in StratifiedKFold(5, shuffle=True, random_state=0).split(both, truth):
    model = lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, random_state=0, n_jobs=1, verbose=-1)
    told[judge] = model.fit(both.iloc[learn], truth[learn]).predict_proba(both.iloc[judge])[:, 1]
print(json.dumps({"gbdt_auc": roc_auc_score(truth, told)}))
"""


def detected(data: Data, twin: Path) -> dict[str, float]:
    """``{"gbdt_auc": AUC}`` of a twin of the training table."""
    command = [str(lightgbm()), "-c", LIGHTGBM, str(data.train), str(twin), data.categorical]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"LightGBM failed on {data.name}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)
