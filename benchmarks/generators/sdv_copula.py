"""SDV's Gaussian copula with its defaults; arguments and output as in fabrica_engine.py."""

import contextlib
import json
import os
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sdv.metadata import Metadata  # noqa: E402
from sdv.single_table import GaussianCopulaSynthesizer  # noqa: E402

train, out, seed, _, rows, *_ = sys.argv[1:]
frame = pd.read_csv(train)
np.random.seed(int(seed))
started = time.process_time()
metadata = Metadata.detect_from_dataframes({"table": frame})
for name in frame:  # a detected identifier would be replaced by fresh values; here every column is data
    kind = "numerical" if pd.api.types.is_numeric_dtype(frame[name]) and frame[name].dtype != bool else "categorical"
    metadata.update_column(column_name=name, sdtype=kind, table_name="table")
with contextlib.suppress(Exception):  # there may be none
    metadata.remove_primary_key(table_name="table")
model = GaussianCopulaSynthesizer(metadata)
try:
    model.fit(frame)
except Exception:  # SDV 2 takes a dictionary of tables
    model.fit({"table": frame})
fitted = time.process_time()
twin = model.sample(num_rows=int(rows) or len(frame))
twin = next(iter(twin.values())) if isinstance(twin, dict) else twin
sampled = time.process_time()
twin[list(frame)].to_csv(out, index=False)
print(json.dumps({"fit": fitted - started, "sample": sampled - fitted, "rows": len(twin),
                  "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
