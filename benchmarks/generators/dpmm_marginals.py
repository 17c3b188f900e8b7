"""A twin by dpmm 0.1.9: TRAIN OUT ENGINE EPSILON KNOWN SEED TARGET CATEGORICAL; prints its cost as JSON.

Bounds and levels are declared, as for the others; a tenth of epsilon is for its bins, which is its default share.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import pandas as pd
from dpmm.pipelines import AIMPipeline, MSTPipeline

DELTA = 1e-6


def main() -> None:
    train, out, engine, epsilon, known, seed, _, categorical = sys.argv[1:9]
    if known != "all":
        sys.exit("dpmm is given all bounds and levels")
    real = pd.read_csv(train, keep_default_na=False)
    words = [c for c in real if c in categorical.split(",") or not pd.api.types.is_numeric_dtype(real[c])]
    real[words] = real[words].astype(str).astype("category")
    domain = {c: {"categories": sorted(real[c].cat.categories)} if c in words else
              {"lower": float(real[c].min()), "upper": float(real[c].max())} for c in real}
    kind = MSTPipeline if engine == "dpmm-mst" else AIMPipeline
    before = time.process_time()
    pipeline = kind(epsilon=0.9 * float(epsilon), delta=DELTA, proc_epsilon=0.1 * float(epsilon), n_jobs=1)
    pipeline.fit(real, domain=domain, random_state=int(seed))
    twin = pipeline.generate(n_records=len(real), random_state=int(seed))
    twin[real.columns].to_csv(out, index=False)
    print(json.dumps({"cpu": time.process_time() - before,
                      "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
