"""Fit one engine of fabrica and sample a twin: prints CPU-seconds and memory as JSON.

    python fabrica_engine.py TRAIN.csv OUT.csv SEED ENGINE ROWS [SETTING=VALUE ...]
"""

import json
import os
import resource
import sys
import time

os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(os.environ.get("CORE", -1))]})
import pandas as pd  # noqa: E402

import fabrica  # noqa: E402

train, out, seed, engine, rows, *said = sys.argv[1:]
settings = {k: float(v) if "." in v else int(v) for k, v in (s.split("=") for s in said)}
frame = pd.read_csv(train)
fabrica.fit(frame.head(500), engine=engine, seed=0, workers=1).sample(500, workers=1)  # kernels are compiled once
started = time.process_time()
model = fabrica.fit(frame, engine=engine, seed=int(seed), workers=1, **settings)
fitted = time.process_time()
twin = model.sample(int(rows) or len(frame), seed=int(seed), workers=1)
sampled = time.process_time()
twin.to_csv(out, index=False)
print(json.dumps({"fit": fitted - started, "sample": sampled - fitted, "rows": len(twin),
                  "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
