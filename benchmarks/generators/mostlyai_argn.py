"""MOSTLY AI's engine (TabularARGN) with its defaults; arguments and output as in fabrica_engine.py."""

import json
import os
import resource
import sys
import tempfile
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
os.environ["OMP_NUM_THREADS"] = "1"
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
import pandas as pd  # noqa: E402
from mostlyai import engine  # noqa: E402

train, out, seed, _, rows, *_ = sys.argv[1:]
frame = pd.read_csv(train)


def cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


with tempfile.TemporaryDirectory() as folder:
    engine.set_random_state(int(seed))
    started = cpu()
    engine.split(workspace_dir=folder, tgt_data=frame)
    engine.analyze(workspace_dir=folder)
    engine.encode(workspace_dir=folder)
    engine.train(workspace_dir=folder)
    fitted = cpu()
    engine.generate(workspace_dir=folder, sample_size=int(rows) or len(frame))
    sampled = cpu()
    twin = pd.read_parquet(Path(folder) / "SyntheticData")
twin[list(frame)].to_csv(out, index=False)
print(json.dumps({"fit": fitted - started, "sample": sampled - fitted, "rows": len(twin),
                  "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
